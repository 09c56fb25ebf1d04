package cpanel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"keepwatch"
)

// sentForm is what a host has of an upload.
type sentForm struct {
	fields   map[string]string
	part     string
	filename string
	content  []byte
	length   int64
	whole    bool // the form's end came
}

// takes answers an upload and hands over what came.
func takes(t *testing.T, out chan<- sentForm) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		got := sentForm{fields: map[string]string{}, length: r.ContentLength}
		defer func() { out <- got }()
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
			return
		}
		form := multipart.NewReader(r.Body, params["boundary"])
		for {
			part, err := form.NextPart()
			if err != nil {
				got.whole = errors.Is(err, io.EOF)
				break
			}
			b, err := io.ReadAll(part)
			if part.FileName() == "" {
				got.fields[part.FormName()] = string(b)
			} else {
				got.part, got.filename, got.content = part.FormName(), part.FileName(), b
			}
			if err != nil {
				break
			}
		}
		_, _ = io.WriteString(w, `{"status":1,"data":{"log_id":"2019-08-13T15:10:07Z.1"}}`)
	}
}

func TestSend(t *testing.T) {
	content := archive(2, 3<<20)
	for name, size := range map[string]int64{"with its length": int64(len(content)), "chunked": -1} {
		h, out := newTestHost(t), make(chan sentForm, 1)
		h.mux.HandleFunc("/execute/Backup/restore_databases", takes(t, out))
		var data struct {
			Log text `json:"log_id"`
		}
		err := testClient(t, h.account(), nil).send(soon(t), time.Minute, "Backup", "restore_databases", url.Values{"timeout": {"0"}, "verbose": {"1"}},
			"file", "ruthin_wp.sql.gz", iotest.HalfReader(bytes.NewReader(content)), size, &data)
		if err != nil {
			t.Fatal(err)
		}
		got := <-out
		if !bytes.Equal(got.content, content) || got.part != "file" || got.filename != "ruthin_wp.sql.gz" || got.fields["timeout"] != "0" || got.fields["verbose"] != "1" || !got.whole {
			t.Errorf("%s: %d bytes as %s, %v", name, len(got.content), got.filename, got.fields)
		}
		if (got.length < 0) != (size < 0) || data.Log != "2019-08-13T15:10:07Z.1" {
			t.Errorf("%s: length %d, log %s", name, got.length, data.Log)
		}
	}
}

// TestDamagedIsNeverSentWhole: a file that turns out to be damaged at its very end does
// not come to its end on the host either.
func TestDamagedIsNeverSentWhole(t *testing.T) {
	content := archive(3, 300_000)
	damaged := keepwatch.Errorf(keepwatch.KindAttention, "The archive is damaged.").Because(keepwatch.ErrDamaged)
	for name, tc := range map[string]struct {
		r    io.Reader
		size int64
		want error
	}{
		"damaged at the end":          {io.MultiReader(bytes.NewReader(content), iotest.ErrReader(damaged)), int64(len(content)), keepwatch.ErrDamaged},
		"damaged at the end, chunked": {io.MultiReader(bytes.NewReader(content), iotest.ErrReader(damaged)), -1, keepwatch.ErrDamaged},
		"shorter than told":           {bytes.NewReader(content), int64(len(content)) + 1, io.ErrUnexpectedEOF},
		"longer than told":            {bytes.NewReader(content), int64(len(content)) - 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h, out := newTestHost(t), make(chan sentForm, 1)
			h.mux.HandleFunc("/execute/Backup/restore_databases", takes(t, out))
			err := testClient(t, h.account(), nil).send(soon(t), 0, "Backup", "restore_databases", nil, "file", "x.sql.gz", tc.r, tc.size, nil)
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || mayHaveArrived(err) {
				t.Errorf("%v", err)
			}
			if got := <-out; got.whole {
				t.Error("the host has all of it")
			}
		})
	}
}

// TestAnswerLostAfterTheUpload: the host may be at it.
func TestAnswerLostAfterTheUpload(t *testing.T) {
	h := newTestHost(t)
	var n atomic.Int64
	h.mux.HandleFunc("/execute/Backup/restore_files", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n.Add(1)
		panic(http.ErrAbortHandler)
	})
	h.mux.HandleFunc("/execute/Backup/restore_databases", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	c := testClient(t, h.account(), nil)
	err := c.send(soon(t), 0, "Backup", "restore_files", nil, "backup", "x.tar.gz", strings.NewReader("x"), 1, nil)
	wants(t, err, keepwatch.KindTransient, "broke")
	if !mayHaveArrived(err) || n.Load() != 1 {
		t.Errorf("%d, %v", n.Load(), err)
	}
	// Cut in the middle of the file: it cannot be.
	endless := io.MultiReader(bytes.NewReader(make([]byte, 8<<20)), neverEnds{})
	err = c.send(soon(t), 0, "Backup", "restore_databases", nil, "file", "x.sql.gz", endless, -1, nil)
	wants(t, err, keepwatch.KindTransient, "broke")
	if mayHaveArrived(err) {
		t.Errorf("half a file has arrived: %v", err)
	}
}

type neverEnds struct{}

func (neverEnds) Read(b []byte) (int, error) { return len(b), nil }

// TestUploadRefused: a host that answers before the end is understood, and remembered.
func TestUploadRefused(t *testing.T) {
	h := newTestHost(t)
	h.mux.HandleFunc("/execute/Fileman/upload_files", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	c := testClient(t, h.account(), nil)
	for range 2 {
		err := c.send(soon(t), 0, "Fileman", "upload_files", url.Values{"dir": {"/home/ruthin"}}, "file-0", "x", strings.NewReader("x"), 1, nil)
		wants(t, err, keepwatch.KindAttention, "did not take the API token")
	}
	if n := h.count("/"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestUploadIsTheCallersAgain: nothing reads the content after send has returned.
func TestUploadIsTheCallersAgain(t *testing.T) {
	h := newTestHost(t)
	h.mux.HandleFunc("/execute/Fileman/upload_files", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	ctx, cancel := context.WithCancel(soon(t))
	var over atomic.Bool
	r := readerFunc(func(b []byte) (int, error) {
		if over.Load() {
			t.Error("read after the end")
		}
		return len(b), nil
	})
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := testClient(t, h.account(), nil).send(ctx, 0, "Fileman", "upload_files", nil, "file-0", "x", r, -1, nil); err == nil {
		t.Error("an endless file was sent")
	}
	over.Store(true)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestStuckUpload: a host that takes no byte for two minutes is given up; a file that is
// slow to come is not.
func TestStuckUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stuck atomic.Int64
		slow := readerFunc(func(b []byte) (int, error) {
			time.Sleep(2 * idleTime)
			return len(b), nil
		})
		u, err := newUpload(nil, "file", "x", slow, -1, func() { stuck.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		defer u.leave()
		for range 3 {
			if _, err := u.Read(make([]byte, 1<<10)); err != nil {
				t.Fatal(err)
			}
		}
		if stuck.Load() != 0 {
			t.Error("the file's own slowness counts")
		}
		time.Sleep(idleTime + time.Second)
		if stuck.Load() != 1 {
			t.Error("a host that takes nothing is waited for")
		}
	})
}

// TestUploadOfWHM goes by a session, since uapi_cpanel takes none; one that may have
// ended meanwhile is made anew before.
func TestUploadOfWHM(t *testing.T) {
	h, out := newTestHost(t), make(chan sentForm, 1)
	host := strings.TrimPrefix(h.URL, "https://")
	h.answer("/json-api/create_user_session", `{"data":{"url":"https://`+host+`/cpsess0000000001/login/?session=x","cp_security_token":"/cpsess0000000001"},"metadata":{"result":1}}`)
	h.mux.HandleFunc("/cpsess0000000001/login/", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "cpsession", Value: "1"})
	})
	h.mux.HandleFunc("/cpsess0000000001/execute/Fileman/upload_files", takes(t, out))
	account := h.account()
	account.WHM = "root"
	clock := &clock{at: time.Now()}
	c := testClient(t, account, clock.now)
	for range 2 {
		if err := c.send(soon(t), 0, "Fileman", "upload_files", nil, "file-0", "x", strings.NewReader("abc"), 3, nil); err != nil {
			t.Fatal(err)
		}
		if got := <-out; string(got.content) != "abc" || !got.whole {
			t.Errorf("%q", got.content)
		}
		clock.add(sessionTime)
	}
	if n := h.count("create_user_session"); n != 2 {
		t.Errorf("%d sessions", n)
	}
}
