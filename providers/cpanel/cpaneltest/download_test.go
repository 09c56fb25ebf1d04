package cpaneltest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/cpanel/cpaneltest"
)

const theFile = "/download?skipencode=1&file=%2Fhome%2Fruthin%2Fa.bin"

func withFile(t *testing.T) (*cpaneltest.Host, *cpaneltest.Account, *plain, []byte) {
	t.Helper()
	h := cpaneltest.New(t, cpaneltest.Config{LockAfter: -1, Pace: func() {}})
	a := h.AddAccount("ruthin")
	content := bytes.Repeat([]byte("0123456789abcdef"), 8192)
	a.AddFile("a.bin", content)
	return h, a, account(t, a, h), content
}

func TestDownload(t *testing.T) {
	t.Parallel()
	h, a, p, content := withFile(t)
	resp, body, err := p.get(theFile)
	if err != nil || resp.StatusCode != 200 || !bytes.Equal(body, content) || resp.ContentLength != int64(len(content)) {
		t.Fatalf("%v, %v, %d bytes", resp, err, len(body))
	}
	resp, body, err = p.get(theFile, "Range", "bytes=100000-")
	if err != nil || resp.StatusCode != 206 || !bytes.Equal(body, content[100000:]) || resp.Header.Get("Content-Range") != "bytes 100000-131071/131072" {
		t.Errorf("from 100000: %v, %v, %d bytes", resp, err, len(body))
	}
	a.AddLink("out", "/etc/passwd")
	for _, file := range []string{"/home/ruthin/no.bin", "/home/ruthin/../other/x", "/etc/passwd", "/home/ruthin/out", "/home/ruthin/public_html"} {
		if resp, body, err := p.get("/download?file=" + file); err != nil || resp.StatusCode != 404 {
			t.Errorf("%s: %v, %v, %.80s", file, resp, err, body)
		}
	}
	if bad := h.Violations(); len(bad) > 0 {
		t.Error(bad)
	}
}

func TestWhoMayDownload(t *testing.T) {
	t.Parallel()
	h, _, p, _ := withFile(t)
	byPassword := dial(t, h, "Basic "+basic("ruthin:pw-ruthin"))
	h.TokenDownloads(false)
	if resp, body, err := p.get(theFile); err != nil || resp.StatusCode != 200 || !bytes.Contains(body, []byte("<form")) || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("by token: %v, %v", resp, err)
	}
	if resp, _, err := byPassword.get(theFile); err != nil || resp.StatusCode != 200 || resp.ContentLength != 131072 {
		t.Errorf("by password: %v, %v", resp, err)
	}
	h.SessionDownloads(false)
	if resp, _, err := byPassword.get(theFile); err != nil || resp.StatusCode != 403 {
		t.Errorf("where it is closed: %v, %v", resp, err)
	}
}

// TestFaultsOfDownloads: each of them is seen by a client that looks.
func TestFaultsOfDownloads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  cpaneltest.Fault
		rest   string // the Range that is asked for
		status int
		bytes  int
		cut    bool
	}{
		"right":       {cpaneltest.Fault{On: "/nowhere"}, "bytes=100-", 206, 130972, false},
		"no range":    {cpaneltest.Fault{NoRange: true}, "bytes=100-", 200, 131072, false},
		"wrong range": {cpaneltest.Fault{WrongRange: true}, "bytes=100-", 206, 131022, false},
		"truncated":   {cpaneltest.Fault{Truncate: 5000}, "", 200, 5000, false},
		"cut":         {cpaneltest.Fault{Cut: 5000}, "", 200, 5000, true},
		"html":        {cpaneltest.Fault{HTML: true}, "", 200, -1, false},
		"503":         {cpaneltest.Fault{Status: 503}, "", 503, -1, false},
		"refused 401": {cpaneltest.Fault{Refuse: 401}, "", 401, -1, false},
		"refused 200": {cpaneltest.Fault{Refuse: 200}, "", 200, -1, false},
		"redirected":  {cpaneltest.Fault{Refuse: 302}, "", 302, -1, false},
		"slow":        {cpaneltest.Fault{Slow: time.Millisecond}, "", 200, 131072, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, p, content := withFile(t)
			if c.fault.On == "" {
				c.fault.On = "download"
			}
			h.Fault(c.fault)
			resp, body, err := p.get(theFile, "Range", c.rest)
			if (err != nil) != c.cut || resp.StatusCode != c.status || c.bytes >= 0 && len(body) != c.bytes {
				t.Fatalf("%v, %d bytes, %v", resp, len(body), err)
			}
			if c.bytes >= 0 && c.status == 200 && !bytes.HasPrefix(content, body) {
				t.Error("the bytes are others")
			}
			if c.bytes < 0 && !bytes.HasPrefix(body, []byte("<!DOCTYPE html>")) {
				t.Errorf("the page is %.100s", body)
			}
			if _, body, err := p.get(theFile); err != nil || !bytes.Equal(body, content) {
				t.Errorf("the next one: %d bytes, %v", len(body), err)
			}
		})
	}
}

func TestDropAndLose(t *testing.T) {
	t.Parallel()
	h, a, p, _ := withFile(t)
	h.Fault(cpaneltest.Fault{On: "Backup::fullbackup_to_homedir", Drop: true})
	h.Fault(cpaneltest.Fault{On: "Backup::fullbackup_to_homedir", Lose: true})
	start := func() error {
		_, _, err := p.do(http.MethodPost, h.URL()+"/execute/Backup/fullbackup_to_homedir", nil)
		return err
	}
	if err := start(); err == nil {
		t.Error("dropped, and there is an answer")
	}
	h.Settle()
	if n := len(a.HomeBackups()); n != 0 {
		t.Errorf("dropped, and %d backups were made", n)
	}
	if err := start(); err == nil {
		t.Error("lost, and there is an answer")
	}
	h.Settle()
	if n := len(a.HomeBackups()); n != 1 {
		t.Errorf("lost, and %d backups were made", n)
	}
	h.Fault(cpaneltest.Fault{Times: 2, Skip: 1, Error: "The system is busy."})
	for i, want := range []int{1, 0, 0, 1} {
		if r := p.ask("Quota::get_quota_info"); r.Status != want {
			t.Errorf("call %d has status %d", i, r.Status)
		}
	}
	h.Fault(cpaneltest.Fault{Status: 503, Times: -1})
	h.ClearFaults()
	p.must(nil, "Quota::get_quota_info")
}

func TestHang(t *testing.T) {
	t.Parallel()
	h, _, p, content := withFile(t)
	h.Fault(cpaneltest.Fault{On: "download", Hang: 70_000})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL()+theFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", p.auth)
	resp, err := p.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, 70_000)
	if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, content[:70_000]) {
		t.Fatalf("before it hangs: %v", err)
	}
	leave() // nothing else ends it
	if _, err := resp.Body.Read(got); !errors.Is(err, context.Canceled) {
		t.Errorf("more comes, or %v", err)
	}
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	_, a, p, _ := withFile(t)
	a.Suspend(true)
	if resp, body, err := p.get(theFile); err != nil || resp.StatusCode != 403 || !strings.Contains(string(body), "Account Suspended") {
		t.Errorf("suspended it gets %v, %v", resp, err)
	}
	a.Suspend(false)
	p.must(nil, "Quota::get_quota_info")
}

func gunzip(t *testing.T, data []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestGenerated(t *testing.T) {
	t.Parallel()
	h, a, p, _ := withFile(t)
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(300))
	a.AddForwarder("ruthin.example", "info", "alis@contoso.example")
	a.AddFilter("ruthin.example", "# Exim filter\n")
	a.AddFilter("", "---\nfilter: []\n")
	want := map[string]string{
		"/getsqlbackup/ruthin_wp.sql.gz":                   "-- Dump completed on ",
		"/getbackup/backup-ruthin.example-3-7-2026.tar.gz": "./public_html/index.html",
		"/getaliasbackup/aliases-ruthin.example.gz":        "info@ruthin.example: alis@contoso.example\n",
		"/getfilterbackup/filter-ruthin.example.gz":        "# Exim filter\n",
		"/getfilterbackup/filter_info.ruthin.yaml.gz":      "filter: []",
	}
	for path, inside := range want {
		resp, body, err := p.get(path, "Range", "bytes=10-")
		if err != nil || resp.StatusCode != 200 || resp.ContentLength != -1 {
			t.Errorf("%s: %v, %v", path, resp, err)
			continue
		}
		if got := gunzip(t, body); !strings.Contains(got, inside) {
			t.Errorf("%s has no %q", path, inside)
		}
		if _, again, _ := p.get(path); bytes.Equal(body, again) {
			t.Errorf("%s is the same twice", path)
		}
	}
	for _, path := range []string{"/getsqlbackup/other_wp.sql.gz", "/getaliasbackup/aliases-other.example.gz", "/getfilterbackup/filter-other.example.gz"} {
		if resp, _, err := p.get(path); err != nil || resp.StatusCode != 404 {
			t.Errorf("%s: %v, %v", path, resp, err)
		}
	}
	a.SetFeature("backup", false)
	if resp, _, err := p.get("/getsqlbackup/ruthin_wp.sql.gz"); err != nil || resp.StatusCode != 403 {
		t.Errorf("without the feature: %v, %v", resp, err)
	}
	if bad := h.Violations(); len(bad) > 0 {
		t.Error(bad)
	}
}

func TestDatabaseError(t *testing.T) {
	t.Parallel()
	h, a, p, _ := withFile(t)
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(300))
	const said = "mysqldump: Couldn't execute 'SHOW FIELDS FROM `wp_posts`': Table is marked as crashed (144)"
	h.Fault(cpaneltest.Fault{On: "/getsqlbackup", DatabaseError: said})
	resp, body, err := p.get("/getsqlbackup/ruthin_wp.sql.gz")
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	if got := gunzip(t, body); !strings.Contains(got, said) || strings.Contains(got, "Dump completed") {
		t.Errorf("the dump ends in %q", got[max(len(got)-200, 0):])
	}
	h.Fault(cpaneltest.Fault{On: "/getsqlbackup", DatabaseError: said, Raw: true})
	if _, body, err = p.get("/getsqlbackup/ruthin_wp.sql.gz"); err != nil || !bytes.HasSuffix(body, []byte(said)) {
		t.Errorf("the stream ends in %q, %v", body[max(len(body)-100, 0):], err)
	}
	if _, err := members(body); err == nil {
		t.Error("the stream is whole")
	}
}

// TestCurl: somebody else's client takes the certificate by its file, resumes with
// Range, and notices a cut.
func TestCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	h, a, _, content := withFile(t)
	to := filepath.Join(t.TempDir(), "a.bin")
	status := "" // as curl saw it: the host writes it down only when its handler is over
	curl := func(more ...string) error {
		args := append([]string{"--silent", "--show-error", "--fail", "--noproxy", "*", "--cacert", h.CAFile(), "-H", "Authorization: cpanel ruthin:" + a.Token(), "-o", to, "--write-out", "%{http_code}"}, more...)
		out, err := exec.CommandContext(t.Context(), "curl", append(args, h.URL()+theFile)...).CombinedOutput()
		if err != nil {
			t.Logf("curl: %v, %s", err, out)
		}
		status = string(out)
		return err
	}
	h.Fault(cpaneltest.Fault{On: "/download", Cut: 40000})
	if err := curl(); err == nil {
		t.Fatal("curl does not notice that the connection is cut")
	}
	if info, err := os.Stat(to); err != nil || info.Size() != 40000 {
		t.Fatalf("it has %v, %v", info, err)
	}
	if err := curl("--continue-at", strconv.Itoa(40000)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
		t.Errorf("resumed it has %d bytes, %v", len(got), err)
	}
	if calls := h.CallsTo("/download"); len(calls) != 2 || status != "206" || calls[1].Range != "bytes=40000-" {
		t.Errorf("%s, the calls are %+v", status, calls)
	}
}
