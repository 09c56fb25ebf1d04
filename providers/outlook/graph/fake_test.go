package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
)

const (
	testSecret = "s3cr3t~Value.Of.The.App"
	tenantID   = "6f5d4a3b-0000-4000-8000-000000000001"
	clientID   = "6f5d4a3b-0000-4000-8000-000000000002"
	alis       = "alis@example.com"
)

// fake is an Entra and a Graph in memory: a transport whose calls reach a handler without
// a connection, so that a bubble of synctest can wait for nothing but its clock.
type fake struct {
	latency time.Duration
	serve   func(w http.ResponseWriter, r *http.Request) // Graph, after the token was looked at
	fail    func(r *http.Request) error                  // in place of an answer
	signIn  func(w http.ResponseWriter, r *http.Request) bool

	mu      sync.Mutex
	tokens  int
	revoked int // tokens up to this number are refused
	flying  int
	highest int
	calls   int
	seen    []*http.Request // without bodies
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	login := r.URL.Host == "login.example"
	if !login {
		f.mu.Lock()
		f.flying++
		f.calls++
		f.highest = max(f.highest, f.flying)
		f.seen = append(f.seen, r)
		f.mu.Unlock()
		defer func() { f.mu.Lock(); f.flying--; f.mu.Unlock() }()
	}
	if f.latency > 0 {
		select {
		case <-time.After(f.latency):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if f.fail != nil && !login {
		if err := f.fail(r); err != nil {
			return nil, err
		}
	}
	w := httptest.NewRecorder()
	if login {
		f.entra(w, r, "https://login.example")
	} else {
		f.graph(w, r)
	}
	return w.Result(), nil
}

func (f *fake) graph(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	good := false
	for i := f.revoked + 1; i <= f.tokens; i++ {
		good = good || r.Header.Get("Authorization") == fmt.Sprintf("Bearer token-%d", i)
	}
	f.mu.Unlock()
	if !good {
		refuse(w, 401, "InvalidAuthenticationToken", "Access token has expired: "+r.Header.Get("Authorization"))
		return
	}
	f.serve(w, r)
}

// entra answers as login.microsoftonline.com does.
func (f *fake) entra(w http.ResponseWriter, r *http.Request, self string) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/"+tenantID+"/v2.0/.well-known/openid-configuration"):
		fmt.Fprintf(w, `{"issuer":"%[1]s/%[2]s/v2.0","authorization_endpoint":"%[1]s/%[2]s/oauth2/v2.0/authorize","token_endpoint":"%[1]s/%[2]s/oauth2/v2.0/token"}`, self, tenantID)
	case strings.HasSuffix(r.URL.Path, "/"+tenantID+"/oauth2/v2.0/token"):
		if f.signIn != nil && f.signIn(w, r) {
			return
		}
		f.mu.Lock()
		f.tokens++
		n := f.tokens
		f.mu.Unlock()
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"token-%d"}`, n)
	default:
		http.Error(w, "no such path", http.StatusNotFound)
	}
}

// refuse answers as Graph does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("request-id", "req-1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "message": message, "innerError": map[string]any{"request-id": "req-1"}}})
}

func (f *fake) config() Config {
	return Config{
		Tenant: tenantID, Client: clientID, Secret: keepwatch.NewSecret(testSecret),
		GraphURL: "https://graph.example/v1.0", LoginURL: "https://login.example", Transport: f,
	}
}

func (f *fake) client(t *testing.T) *Client {
	t.Helper()
	c, err := New(f.config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"value":[]}`)
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// logged gives a log and what was written into it.
func logged() (*slog.Logger, *lockedBuffer) {
	b := &lockedBuffer{}
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})), b
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
