package cpanel

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// file answers a download route with bytes.
func file(content string, set ...func(http.Header)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-gzip")
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		for _, f := range set {
			f(w.Header())
		}
		_, _ = io.WriteString(w, content)
	}
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<html><head><title> cPanel Login </title>")
}

func fetched(t *testing.T, b *body, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b)
	if err = errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// TestWays: the first way that works is kept, and a closed one is not asked again.
func TestWays(t *testing.T) {
	h := newLoginHost(t)
	content := string(gzipped("archive"))
	h.mux.HandleFunc("/download", page) // not for tokens
	h.inside("/download", content)
	account := h.account()
	account.Token = keepwatch.NewSecret(testToken)
	c := testClient(t, account, nil)
	for range 3 {
		b, err := c.download(soon(t), archivePath, 0)
		if got := fetched(t, b, err); got != content || b.way != waySession || b.from != 0 {
			t.Errorf("%q by %s", got, b.way)
		}
	}
	if n := h.count("GET /download"); n != 1 {
		t.Errorf("the token was tried %d times", n)
	}
	h.valid.Store(0) // the session ends
	b, err := c.download(soon(t), archivePath, 0)
	if got := fetched(t, b, err); got != content || h.logins.Load() != 2 {
		t.Errorf("%q after %d sign-ins", got, h.logins.Load())
	}
	// The way is open; that one file is missing is no reason to try the others.
	h.mux.HandleFunc("/{session}/getsqlbackup/there.sql.gz", file(content))
	h.mux.HandleFunc("/{session}/getsqlbackup/gone.sql.gz", http.NotFound)
	h.mux.HandleFunc("/getsqlbackup/there.sql.gz", page)
	b, err = c.download(soon(t), "/getsqlbackup/there.sql.gz", 0)
	fetched(t, b, err)
	_, err = c.download(soon(t), "/getsqlbackup/gone.sql.gz", 0)
	wants(t, err, keepwatch.KindNotFound, "does not have the file any more")
	if n := h.count("GET /getsqlbackup/"); n != 1 {
		t.Errorf("the token was tried %d times", n)
	}
	// That a token opens no downloads is nothing against calls with it.
	h.answer("/execute/Tokens/list", `{"status":1}`)
	if err := c.uapi(soon(t), "Tokens", "list", nil, nil); err != nil {
		t.Error(err)
	}
}

func TestTokenDownloads(t *testing.T) {
	h := newTestHost(t)
	content := string(gzipped("dump"))
	h.mux.HandleFunc("/getsqlbackup/", file(content))
	h.mux.HandleFunc("/download", file(content, func(h http.Header) { h.Set("Content-Encoding", "gzip") }))
	account := h.account()
	account.Password = keepwatch.NewSecret(testPassword) // which is not needed
	c := testClient(t, account, nil)
	for _, path := range []string{"/getsqlbackup/ruthin_wp.sql.gz", archivePath} {
		b, err := c.download(soon(t), path, 0)
		if got := fetched(t, b, err); got != content || b.way != wayToken || b.size != int64(len(content)) {
			t.Errorf("%d bytes of %d by %s", len(got), b.size, b.way)
		}
	}
	if h.count("/login/") != 0 {
		t.Error("it signed in for nothing")
	}
}

// TestNoDownload names each way and why it failed.
func TestNoDownload(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   keepwatch.Kind
		said   string
		login  bool // a refusal, which is remembered
	}{
		"login page":      {page, keepwatch.KindAttention, "With the API token: a page came instead of the file (“cPanel Login”). Add password:", true},
		"401":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, keepwatch.KindAttention, "With the API token: it is not authorised (HTTP status 401).", true},
		"redirect":        {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, keepwatch.KindAttention, "it is not authorised (HTTP status 302).", true},
		"404":             {http.NotFound, keepwatch.KindNotFound, "does not have the file any more", false},
		"500":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, keepwatch.KindTransient, "With the API token: it answers with the HTTP status 500.", false},
		"204":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, keepwatch.KindAttention, "it answers with the HTTP status 204.", false},
		"page of no type": {file("\n<!doctype html>"), keepwatch.KindAttention, "a page came instead of the file.", true},
		"JSON":            {file(`{"status":0,"errors":["no"]}`), keepwatch.KindAttention, "it begins with \"{\\\"status\\\":0,\\\"err\"", false},
		"empty":           {file(""), keepwatch.KindAttention, "what came is empty. If other backups come this way, this file is damaged at the host", false},
		"one byte":        {file("\x1f"), keepwatch.KindAttention, "what came is no gzip file", false},
		"cut at once": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, keepwatch.KindTransient, "broke", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newTestHost(t)
			h.mux.HandleFunc("/download", tc.answer)
			clock := &clock{at: time.Now()}
			c := testClient(t, h.account(), clock.now)
			for range 2 {
				_, err := c.download(soon(t), archivePath, 0)
				wants(t, err, tc.kind, tc.said)
				if isRefused(err) != tc.login {
					t.Errorf("refused: %v", err)
				}
			}
			if n := h.count("/download"); n != map[bool]int{false: 2, true: 1}[tc.login] {
				t.Errorf("asked %d times", n)
			}
			clock.add(refusedFor)
			_, _ = c.download(soon(t), archivePath, 0)
			if n := h.count("/download"); n < 2 {
				t.Error("it is never asked again")
			}
		})
	}
}

func TestRanges(t *testing.T) {
	content := string(gzipped(strings.Repeat("archive", 100)))
	size := strconv.Itoa(len(content))
	rest := func(told string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				file(content)(w, r)
				return
			}
			if r.Header.Get("Range") != "bytes=5-" {
				t.Errorf("asked for %s", r.Header.Get("Range"))
			}
			w.Header().Set("Content-Range", told)
			w.WriteHeader(status)
			if status == http.StatusPartialContent {
				_, _ = io.WriteString(w, content[5:])
			}
		}
	}
	last := strconv.Itoa(len(content) - 1)
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		from   int64
		size   int64
	}{
		"the rest":             {rest("bytes 5-"+last+"/"+size, 206), 5, int64(len(content))},
		"the rest, no total":   {rest("bytes 5-"+last+"/*", 206), 5, -1},
		"the whole":            {file(content), 0, int64(len(content))},
		"another start":        {rest("bytes 6-"+last+"/"+size, 206), 0, int64(len(content))},
		"another end":          {rest("bytes 5-9/"+size, 206), 0, int64(len(content))},
		"another total":        {rest("bytes 5-"+last+"/9"+size, 206), 0, int64(len(content))},
		"no Content-Range":     {rest("", 206), 0, int64(len(content))},
		"nonsense":             {rest("bytes x-y/z", 206), 0, int64(len(content))},
		"range not acceptable": {rest("bytes */"+size, 416), 0, int64(len(content))},
	} {
		t.Run(name, func(t *testing.T) {
			h := newTestHost(t)
			h.mux.HandleFunc("/download", tc.answer)
			b, err := testClient(t, h.account(), nil).download(soon(t), archivePath, 5)
			if got := fetched(t, b, err); b.from != tc.from || got != content[tc.from:] || b.size != tc.size {
				t.Errorf("from %d, %d bytes of %d", b.from, len(got), b.size)
			}
		})
	}
}

func TestFileOf(t *testing.T) {
	for path, want := range map[string]string{archivePath: "/home/ruthin/backup-1.2.2026_03-04-05_ruthin.tar.gz", "/getbackup/x": "", "/download?x=1": "", "/download?file=a%20b": "a b"} {
		if got, ok := fileOf(path); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", path, got, ok)
		}
	}
	for path, want := range map[string]string{archivePath: "/download", "/getbackup/backup-x.tar.gz": "/getbackup/", "/x": "/x"} {
		if got := routeOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
