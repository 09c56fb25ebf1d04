package discord

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

// instant is a counter that takes everything and answers nothing.
type instant struct{ taken atomic.Int64 }

func (c *instant) Take(context.Context, keepwatch.Delivery) (bool, error) {
	c.taken.Add(1)
	return true, nil
}
func (c *instant) Complete(context.Context, keepwatch.Request, int) []handlers.Candidate { return nil }
func (c *instant) Button(string) (keepwatch.Button, error)                               { return keepwatch.Button{}, nil }
func (c *instant) Commands() []handlers.Command                                          { return table() }

// BenchmarkInteraction measures a signed slash command through real HTTP, from
// the request to its deferral, at 1, 8 and 64 clients. Signing is not counted in,
// as Discord does that.
func BenchmarkInteraction(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) { benchmark(b, clients) })
	}
}

func benchmark(b *testing.B, clients int) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	c := &instant{}
	f, err := New(Config{Token: keepwatch.NewSecret("t.t.t"), Counter: c, PublicKey: hex.EncodeToString(public), APIURL: "http://127.0.0.1:1"})
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewServer(f.Handler())
	defer web.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()

	requests := make([]*http.Request, b.N)
	for i := range requests {
		requests[i] = commandRequest(b, private, web.URL, i)
	}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var working sync.WaitGroup
	b.ResetTimer()
	began := time.Now()
	for range clients {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				start := time.Now()
				resp, err := client.Do(requests[i])
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				took[i] = time.Since(start)
				if resp.StatusCode != http.StatusOK {
					b.Errorf("HTTP %d", resp.StatusCode)
				}
			}
		})
	}
	working.Wait()
	all := time.Since(began)
	b.StopTimer()
	if c.taken.Load() != int64(b.N) {
		b.Fatalf("%d of %d were taken", c.taken.Load(), b.N)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(b.N)/all.Seconds(), "commands/s")
	b.ReportMetric(0, "ns/op")
}

func commandRequest(b *testing.B, key ed25519.PrivateKey, url string, n int) *http.Request {
	body := fmt.Appendf(nil, `{"id":"%d","application_id":"1234567","type":2,"token":"token-%d","version":1,"guild_id":"2345678","channel_id":"3456789","member":{"user":{"id":"4567890","username":"alis"},"roles":["111111"]},"data":{"id":"5678901","name":"backup","type":1,"options":[{"name":"sources","type":1}]}}`, 9000000+n, n)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req, err := http.NewRequest(http.MethodPost, url+Path, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("X-Signature-Timestamp", stamp)
	req.Header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(key, append([]byte(stamp), body...))))
	return req
}
