package cpanel

import (
	"io"
	"net/http"
	"strconv"
	"testing"
)

// BenchmarkStream downloads over TLS on loopback, with the host in the same process:
// what a stream costs beside the connection is the difference to BenchmarkBody.
func BenchmarkStream(b *testing.B) {
	c, size := benchHost(b)
	for b.Loop() {
		s, err := c.stream(b.Context(), archivePath, size)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, make([]byte, 256<<10)); err != nil || n != size {
			b.Fatal(n, err)
		}
		_ = s.Close()
	}
}

// BenchmarkBody is the connection alone.
func BenchmarkBody(b *testing.B) {
	c, size := benchHost(b)
	for b.Loop() {
		body, err := c.download(b.Context(), archivePath, 0)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{body}, make([]byte, 256<<10)); err != nil || n != size {
			b.Fatal(n, err)
		}
		_ = body.Close()
	}
}

func benchHost(b *testing.B) (*client, int64) {
	b.Helper()
	const size = 256 << 20
	chunk := archive(9, 1<<20)
	h := newTestHost(b)
	h.mux.HandleFunc("/download", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for range size >> 20 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	b.SetBytes(size)
	return testClient(b, h.account(), nil), size
}
