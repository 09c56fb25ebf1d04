package discord

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"keepwatch/handlers/discord/discordtest"
)

// refuseEmbeds answers the first message with embeds as Discord does when it
// finds them wrong.
type refuseEmbeds struct {
	next http.RoundTripper
	done bool
}

func (r *refuseEmbeds) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPost && !r.done {
		r.done = true
		body, err := io.ReadAll(req.Body)
		if err == nil && strings.Contains(string(body), `"embeds":[{`) {
			return nil, &apiError{Status: http.StatusBadRequest, Code: codeInvalidForm, Message: "Invalid Form Body"}
		}
		return nil, errors.New("the first message has no embeds")
	}
	return r.next.RoundTrip(req)
}

// refuseReplies answers replies as Discord does where the history may not be
// read.
type refuseReplies struct{ next http.RoundTripper }

func (r refuseReplies) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err == nil && strings.Contains(string(body), "message_reference") {
		return nil, &apiError{Status: http.StatusBadRequest, Code: codeNoReply, Message: "Cannot reply without permission to read message history"}
	}
	req.Body = io.NopCloser(strings.NewReader(string(body)))
	return r.next.RoundTrip(req)
}

func TestRoutes(t *testing.T) {
	for path, want := range map[string]route{
		"/api/v9/channels/123456/messages":                   {"POST channels/:id/messages", "123456/", true},
		"/api/v9/channels/123456/messages/654321":            {"POST channels/:id/messages/:id", "123456/", true},
		"/api/v9/webhooks/123456/aToken/messages/@original":  {"POST webhooks/:id/:id/messages/@original", "123456/aToken/", false},
		"/api/v9/interactions/123456/aToken/callback":        {"POST interactions/:id/:id/callback", "aToken/", false},
		"/api/v9/applications/123456/guilds/654321/commands": {"POST applications/:id/guilds/:id/commands", "", true},
		"/api/v9/users/@me/channels":                         {"POST users/@me/channels", "", true},
		"/api/v10/gateway/bot":                               {"POST gateway/bot", "", true},
	} {
		if got := routeOf("POST", path); got != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

func header(kv ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(kv); i += 2 {
		h.Set(kv[i], kv[i+1])
	}
	return h
}

func TestLimiter(t *testing.T) {
	now := noon
	l := newLimiter(func() time.Time { return now }, slog.New(slog.DiscardHandler))
	post := routeOf("POST", "/api/v9/channels/111111/messages")
	other := routeOf("POST", "/api/v9/channels/222222/messages")
	hook := routeOf("PATCH", "/api/v9/webhooks/333333/tok/messages/@original")
	refused := func(r route) time.Duration {
		var e *apiError
		if err := l.wait(context.Background(), r); errors.As(err, &e) && e.Status == 429 && e.Unsent {
			return e.RetryAfter
		} else if err != nil {
			t.Fatal(err)
		}
		return 0
	}
	l.observe(post, header("X-RateLimit-Bucket", "b", "X-RateLimit-Remaining", "1", "X-RateLimit-Reset-After", "3.5"), nil)
	if refused(post) != 0 || refused(post) != 3500*time.Millisecond {
		t.Error("the bucket of one call more gave none or more than one")
	}
	if refused(other) != 0 {
		t.Error("another channel waits too")
	}
	now = now.Add(3500 * time.Millisecond)
	if refused(post) != 0 {
		t.Error("it waits after the reset")
	}
	l.observe(post, nil, &apiError{Status: 429, RetryAfter: 2 * time.Second, Scope: "user"})
	if refused(post) != 2*time.Second || refused(other) != 0 {
		t.Error("a 429 of a bucket")
	}
	l.observe(post, nil, &apiError{Status: 429, RetryAfter: 5 * time.Second, Scope: "global"})
	if refused(other) != 5*time.Second || refused(hook) != 0 {
		t.Error("a global 429, which does not concern interactions")
	}
	now = now.Add(time.Minute)
	for range globalPerSecond {
		if pause, _ := l.take(other); pause != 0 {
			t.Fatal("fewer than 50 calls in a second")
		}
	}
	if pause, _ := l.take(other); pause != time.Second {
		t.Error("more than 50 calls in a second")
	}
	for range invalidStop {
		l.observe(post, nil, &apiError{Status: 403})
	}
	if refused(post) == 0 || refused(hook) == 0 {
		t.Error("it goes on towards a ban")
	}
	now = now.Add(invalidSpan + time.Second)
	if refused(hook) != 0 {
		t.Error("it never calls again")
	}
}

// TestLimiterDoesNotLeak: thousands of interactions leave nothing behind.
func TestLimiterDoesNotLeak(t *testing.T) {
	now := noon
	l := newLimiter(func() time.Time { return now }, slog.New(slog.DiscardHandler))
	for i := range 10_000 {
		r := routeOf("PATCH", "/api/v9/webhooks/333333/tok"+strings.Repeat("x", i%97)+time.Duration(i).String()+"/messages/@original")
		l.observe(r, header("X-RateLimit-Bucket", "b", "X-RateLimit-Remaining", "4", "X-RateLimit-Reset-After", "1"), nil)
		now = now.Add(50 * time.Millisecond)
	}
	if len(l.buckets) > mostRoutes+1 || len(l.names) != 1 {
		t.Errorf("%d buckets and %d names are left", len(l.buckets), len(l.names))
	}
}

// TestStorm: with the limits of Discord a row of messages arrives whole, in
// order, and without one call that came too early.
func TestStorm(t *testing.T) {
	r := assemble(t, func(dc *discordtest.Config, _ *Config) { dc.NoRateLimits = false })
	for i := range 30 {
		out := notice(r, strings.Repeat(string(rune('a'+i%26)), 19)+string(rune('a'+i/26)), strings.Repeat("i", i+1))
		for {
			_, err := r.Post(context.Background(), out)
			if err == nil {
				break
			}
			p := postError(t, err)
			if p.After <= 0 {
				t.Fatal(err)
			}
			r.clock.Advance(p.After)
		}
	}
	all := r.srv.Messages(r.srv.ChannelID())
	if len(all) != 30 {
		t.Fatalf("there are %d", len(all))
	}
	for i, m := range all {
		if !strings.Contains(m.Content, "**"+strings.Repeat("i", i+1)+"**") {
			t.Errorf("message %d says %s", i, m.Content)
		}
	}
	if l := r.srv.Limits(); l.Early > 0 || l.Limited > 0 {
		t.Errorf("limits: %+v", l)
	}
}
