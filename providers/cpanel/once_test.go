package cpanel

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
)

// flakyHost answers the first request of each connection, and closes it on the second
// without a word, after it has read it: what a host does whose keep-alive time ends as
// the request arrives.
func flakyHost(t *testing.T) (account keepwatch.Hosting, requests *atomic.Int64) {
	t.Helper()
	cert := certificate(t, time.Now().Add(time.Hour), "127.0.0.1")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int64)
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go serveOnce(conn, requests)
		}
	}()
	return keepwatch.Hosting{URL: "https://" + ln.Addr().String(), User: "ruthin", Token: keepwatch.NewSecret(testToken), Fingerprint: printOf(cert)}, requests
}

func serveOnce(conn net.Conn, requests *atomic.Int64) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for i := range 2 {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		requests.Add(1)
		if i == 0 {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"status\":1}")
		}
	}
}

// TestSentOnce: what starts something reaches the host once, even where the connection
// that was kept dies under it; what only reads is asked again.
func TestSentOnce(t *testing.T) {
	account, requests := flakyHost(t)
	c := testClient(t, account, nil)
	for range 6 {
		if err := c.uapi(soon(t), "Tokens", "list", nil, nil); err != nil {
			t.Fatalf("a read is asked again by itself: %v", err)
		}
	}
	if n := requests.Load(); n <= 6 {
		t.Fatalf("%d requests: no connection died, so that this test proves nothing", n)
	}
	before := requests.Load()
	for range 6 {
		if err := c.uapi(soon(t), "Backup", "fullbackup_to_homedir", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := requests.Load() - before; n != 6 {
		t.Errorf("6 starts arrived as %d", n)
	}
}

// TestLostAnswer: where the connection ends without an answer, the host may be at it,
// and is not asked again.
func TestLostAnswer(t *testing.T) {
	h := newTestHost(t)
	var n atomic.Int64
	h.mux.HandleFunc("/execute/Backup/fullbackup_to_homedir", func(http.ResponseWriter, *http.Request) {
		n.Add(1)
		panic(http.ErrAbortHandler)
	})
	c := testClient(t, h.account(), nil)
	err := c.uapi(soon(t), "Backup", "fullbackup_to_homedir", nil, nil)
	wants(t, err, keepwatch.KindTransient, "broke")
	if !mayHaveArrived(err) || n.Load() != 1 {
		t.Errorf("arrived %d times: %v", n.Load(), err)
	}
}
