package putback_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/putback"
)

// endless is a mail with one attachment of size bytes, which is nowhere in memory.
type endless struct {
	head, foot string
	size       int64 // of the attachment, a multiple of 57
}

const line = 78 // 57 bytes in base64

func (e endless) length() int64 { return int64(len(e.head)+len(e.foot)) + e.size/57*line }

// lineOf are the bytes of the attachment from a place on that are one line.
func lineOf(at int64) (raw [57]byte) {
	for k := range raw {
		raw[k] = byte(at>>16) ^ byte((at+int64(k))*7)
	}
	return raw
}

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off < e.length() {
		body := off - int64(len(e.head))
		var from string
		switch {
		case body < 0:
			from = e.head[off:]
		case body >= e.size/57*line:
			from = e.foot[body-e.size/57*line:]
		default:
			raw := lineOf(body / line * 57)
			from = (base64.StdEncoding.EncodeToString(raw[:]) + "\r\n")[body%line:]
		}
		k := copy(p[n:], from)
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// sink answers as Graph does, and keeps nothing but a sum of what was uploaded.
type sink struct {
	sum  hash.Hash
	got  int64
	peak uint64
}

func (s *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.peak = max(s.peak, m.HeapAlloc)
	answer := func(status int, text string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "openid-configuration"):
		return answer(200, `{"issuer":"https://login.example/t.example/v2.0","authorization_endpoint":"https://login.example/t.example/oauth2/v2.0/authorize","token_endpoint":"https://login.example/t.example/oauth2/v2.0/token"}`)
	case strings.HasSuffix(r.URL.Path, "/token"):
		return answer(200, `{"token_type":"Bearer","expires_in":3599,"access_token":"t"}`)
	case r.Method == "PUT":
		n, err := io.Copy(s.sum, r.Body)
		s.got += n
		if r.Header.Get("Authorization") != "" || n > 4<<20 {
			return answer(401, `{}`)
		}
		if err != nil {
			return nil, err
		}
		return answer(200, fmt.Sprintf(`{"nextExpectedRanges":["%d"]}`, s.got))
	case strings.HasSuffix(r.URL.Path, "createUploadSession"):
		return answer(201, `{"uploadUrl":"https://upload.example/session","nextExpectedRanges":["0-"]}`)
	}
	return answer(201, `{"id":"new"}`)
}

// TestMemory: an attachment of 20 MB takes as much memory as one range.
func TestMemory(t *testing.T) {
	s := &sink{sum: sha256.New()}
	c, err := graph.New(graph.Config{Tenant: "t.example", Client: app, Secret: keepwatch.NewSecret(secret), GraphURL: "https://graph.example/v1.0", LoginURL: "https://login.example", Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	r, err := putback.New(putback.Config{Client: c, Pause: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	e := endless{head: head(mixed, "--b\r\n\r\nhi\r\n--b\r\nContent-Type: application/x-a; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"), foot: "--b--\r\n", size: 57 * 350_000}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	runtime.GC() // what was freed by the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	done, err := r.Put(t.Context(), ali, outlook.Folder{ID: "f", Kind: outlook.Mail}, letterItem("x"), outlook.Mark{Run: 1, Item: "x"}, e, e.length())
	if err != nil || !done.Whole {
		t.Fatal(done, err)
	}
	want := sha256.New()
	for at := int64(0); at < e.size; at += 57 {
		raw := lineOf(at)
		want.Write(raw[:])
	}
	if s.got != e.size || string(want.Sum(nil)) != string(s.sum.Sum(nil)) {
		t.Errorf("%d bytes went out, and they are others", s.got)
	}
	if used := int64(s.peak) - int64(m.HeapAlloc); used > 12<<20 {
		t.Errorf("%d MB of memory", used>>20)
	}
}
