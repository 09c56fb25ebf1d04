package slack

import (
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fence keeps to what Slack asks for with a 429, whoever calls: until its
// Retry-After is over, no call of the same method is sent
// (docs.slack.dev/apis/web-api/rate-limits). It answers such a call itself, with
// the time that is left. The outbox waits for each channel by itself, and knows of
// no 429 that another channel, a search or a greeting has met.
//
// chat.postMessage is limited by channel and for the whole workspace, and a 429
// does not say which it was. The outbox keeps the pace of each channel, so it is
// taken for the second. What was on its way when the 429 came cannot be called back.
type fence struct {
	next http.RoundTripper
	mu   sync.Mutex
	till map[string]time.Time // by the path of the method; monotonic
}

func newFence(next http.RoundTripper) *fence { return &fence{next: next, till: map[string]time.Time{}} }

// RoundTrip satisfies http.RoundTripper.
func (f *fence) RoundTrip(req *http.Request) (*http.Response, error) {
	key := req.URL.Host + req.URL.Path
	if left := f.left(key); left > 0 {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return limited(req, left), nil
	}
	resp, err := f.next.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			f.set(key, time.Now().Add(time.Duration(seconds)*time.Second))
		}
	}
	return resp, err
}

// CloseIdleConnections has http.Client.CloseIdleConnections reach what is behind.
func (f *fence) CloseIdleConnections() {
	if next, ok := f.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

func (f *fence) left(key string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Until(f.till[key])
}

// set keeps a fence, and lets go of those that are over.
func (f *fence) set(key string, till time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for k, at := range f.till {
		if now.After(at) {
			delete(f.till, k)
		}
	}
	if till.After(f.till[key]) {
		f.till[key] = till
	}
}

// limited is a 429 as Slack gives it; Retry-After is in whole seconds.
func limited(req *http.Request, left time.Duration) *http.Response {
	return &http.Response{
		Status: "429 Too Many Requests", StatusCode: http.StatusTooManyRequests, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(left.Seconds())))}, "Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(`{"ok":false,"error":"ratelimited"}`)),
	}
}
