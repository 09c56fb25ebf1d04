package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// sink takes the answers, and says to everything that it is well: it stands for
// the API of either platform, as far as this program asks it anything here.
type sink struct {
	addr    string
	answers atomic.Int64 // by response_url or by the token of an interaction
}

func newSink(tb testing.TB) *sink {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &sink{addr: l.Addr().String()}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() { s.serve(conn) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

func (s *sink) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			_ = conn.Close()
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		status, body := "200 OK", `{"ok":true,"id":"1234567","user_id":"U0BOT","team":"example","user":"keepwatch"}`
		switch path := req.URL.Path; {
		case strings.HasSuffix(path, "/commands"):
			body = "[]"
		case strings.Contains(path, "/gateway"): // interactions come by HTTP here
			status, body = "503 Service Unavailable", "{}"
		case strings.HasPrefix(path, "/commands/"), strings.Contains(path, "/webhooks/"):
			s.answers.Add(1)
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body); err != nil {
			return
		}
	}
}
