package discordtest

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// endpoint is a bot's interactions endpoint that checks signatures, and answers as the test says.
type endpoint struct {
	url   string
	mu    sync.Mutex
	trust bool // it forgets to check
	got   []object
	reply func(http.ResponseWriter, object)
}

func (e *endpoint) set(trust bool, reply func(http.ResponseWriter, object)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trust, e.reply = trust, reply
}

func newEndpoint(t *testing.T, s *Server) *endpoint {
	t.Helper()
	e := &endpoint{}
	key, err := hex.DecodeString(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		sig, _ := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
		at := r.Header.Get("X-Signature-Timestamp")
		sec, _ := strconv.ParseInt(at, 10, 64)
		e.mu.Lock()
		trust, reply := e.trust, e.reply
		e.mu.Unlock()
		if !trust && (!ed25519.Verify(key, append([]byte(at), raw...), sig) || s.Now().Sub(time.Unix(sec, 0)) > 5*time.Minute) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var o object
		_ = json.Unmarshal(raw, &o)
		e.mu.Lock()
		e.got = append(e.got, o)
		e.mu.Unlock()
		if integer(o["type"]) == typePing {
			_, _ = io.WriteString(w, `{"type":1}`)
			return
		}
		reply(w, o)
	}))
	t.Cleanup(srv.Close)
	e.url = srv.URL
	return e
}

func (e *endpoint) count() int { e.mu.Lock(); defer e.mu.Unlock(); return len(e.got) }

// TestPortal: an endpoint is taken only when it answers a ping and refuses a wrong signature.
func TestPortal(t *testing.T) {
	s := serve(t, Config{})
	e := newEndpoint(t, s)
	ctx := within(t)
	e.set(true, nil)
	if err := s.SetInteractionsURL(ctx, e.url); err == nil {
		t.Error("an endpoint that checks no signature is taken")
	}
	e.set(false, nil)
	if err := s.SetInteractionsURL(ctx, e.url+"/%zz"); err == nil {
		t.Error("a broken URL is taken")
	}
	if err := s.SetInteractionsURL(ctx, e.url); err != nil {
		t.Fatal(err)
	}
	if got := call(t, s, "GET", "/applications/@me", nil).object()["interactions_endpoint_url"]; got != e.url {
		t.Errorf("the application names %v", got)
	}
}

func TestInteractionsByHTTP(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock, NoRateLimits: true})
	e := newEndpoint(t, s)
	ctx := within(t)
	if err := s.SetInteractionsURL(ctx, e.url); err != nil {
		t.Fatal(err)
	}
	g, _ := login(t, s, ordinary)
	register(t, s)
	text := func(status int, body string) func(http.ResponseWriter, object) {
		return func(w http.ResponseWriter, _ object) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	for name, c := range map[string]struct {
		reply func(http.ResponseWriter, object)
		state State
	}{
		"a message":  {text(200, `{"type":4,"data":{"content":"hello"}}`), Answered},
		"deferred":   {text(200, `{"type":5}`), Thinking},
		"500":        {text(500, "oh"), Failed},
		"401":        {text(401, ""), Failed},
		"no JSON":    {text(200, "hello"), Failed},
		"empty":      {text(200, `{"type":4,"data":{}}`), Failed},
		"202 filled": {text(202, "x"), Failed},
		"cut":        {func(w http.ResponseWriter, _ object) { cut(w) }, Failed},
		"late": {func(w http.ResponseWriter, _ object) {
			clock.Advance(4 * time.Second)
			_, _ = io.WriteString(w, `{"type":5}`)
		}, Failed},
	} {
		e.set(false, c.reply)
		i, _ := ask(t, s)
		if state, err := i.WaitAcknowledged(ctx); err != nil || state != c.state {
			t.Errorf("%s: %s, %v, %s", name, state, err, i.Problem())
		}
	}
	e.set(false, text(202, ""))
	i, _ := ask(t, s)
	if a := respond(t, s, i, object{"type": 4, "data": object{"content": "by POST"}}); a.status != 200 {
		t.Errorf("after a 202: %d %s", a.status, a.raw)
	}
	if err := s.SetInteractionsURL(ctx, ""); err != nil {
		t.Fatal(err)
	}
	s.SendEvent("LAST", object{})
	for { // none of these came by the gateway too
		o, err := g.read()
		if err != nil || o["t"] == "INTERACTION_CREATE" {
			t.Errorf("the gateway has %v, %v", o, err)
			break
		}
		if o["t"] == "LAST" {
			break
		}
	}
	ask(t, s)
	g.next(opDispatch, "INTERACTION_CREATE")
}

func TestTampering(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	e := newEndpoint(t, s)
	e.set(false, func(w http.ResponseWriter, _ object) { _, _ = io.WriteString(w, `{"type":5}`) })
	ctx := within(t)
	if err := s.SetInteractionsURL(ctx, e.url); err != nil {
		t.Fatal(err)
	}
	i, alis := ask(t, s)
	if state, err := i.WaitAcknowledged(ctx); err != nil || state != Thinking {
		t.Fatalf("%s %v", state, err)
	}
	for tamper, want := range map[Tamper]int{Honest: 200, BadSignature: 401, TamperedBody: 401, OldTimestamp: 401, Unsigned: 401} {
		if a, err := s.Probe(ctx, e.url, tamper); err != nil || a.Status != want {
			t.Errorf("a ping, %s: %d %v", tamper, a.Status, err)
		}
		if a, err := s.Forge(ctx, alis, s.ChannelID(), "backup list", nil, tamper); err != nil || a.Status != want {
			t.Errorf("a command, %s: %d %v", tamper, a.Status, err)
		}
	}
	// what each one changes:
	seen := map[Tamper]*http.Request{}
	var bodies []string
	spy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(raw))
		seen[Tamper(r.URL.Query().Get("t"))] = r
	}))
	defer spy.Close()
	for n, tamper := range []Tamper{OldTimestamp, Unsigned, TamperedBody} {
		if _, err := s.Probe(ctx, spy.URL+"?t="+strings.ReplaceAll(string(tamper), " ", "+"), tamper); err != nil {
			t.Fatal(err)
		}
		if !json.Valid([]byte(bodies[n])) {
			t.Errorf("%s is no JSON: %s", tamper, bodies[n])
		}
	}
	if seen[Unsigned].Header.Get("X-Signature-Ed25519") != "" || seen[OldTimestamp].Header.Get("X-Signature-Timestamp") >= seen[TamperedBody].Header.Get("X-Signature-Timestamp") {
		t.Errorf("the headers are %v", seen)
	}
	before := e.count()
	if a, err := s.Replay(ctx, i); err != nil || a.Status != 200 {
		t.Errorf("a replay: %d %v", a.Status, err)
	}
	first, again := e.got[2-1], e.got[before]
	if first["id"] != again["id"] || first["token"] != again["token"] || first["id"] != i.ID {
		t.Errorf("the replay is %v, not %v", again, first)
	}
}
