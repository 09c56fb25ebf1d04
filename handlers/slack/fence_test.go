package slack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// TestFence: after a 429 nothing of the same method is sent until its Retry-After
// is over, whichever channel it is for; other methods go on.
func TestFence(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesCounted}}, nil)
	w.AddChannel(slacktest.Channel{ID: "C1AAA", Name: "a", Members: []string{slacktest.BotUser}})
	w.Fail(slacktest.Fault{Method: "conversations.history", Times: 1, RetryAfter: 30})
	for _, channel := range []string{slacktest.Ops, "C1AAA", slacktest.Ops} {
		out := outgoing("x")
		out.Channel, out.Tried = "slack:"+channel, time.Now()
		var refused *keepwatch.PostError
		if _, _, err := w.f.Find(w.ctx, out); !errors.As(err, &refused) || refused.Verdict != keepwatch.VerdictLater || refused.After < 28*time.Second || refused.After > 30*time.Second {
			t.Errorf("%+v", refused)
		}
		if _, err := w.f.Post(w.ctx, out); err != nil {
			t.Error(err)
		}
	}
	if n := len(w.Calls("conversations.history")); n != 1 {
		t.Errorf("%d calls", n)
	}
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, RetryAfter: 30})
	for range 3 {
		var refused *keepwatch.PostError
		if _, err := w.f.Post(w.ctx, outgoing("y")); !errors.As(err, &refused) || refused.After < 28*time.Second {
			t.Errorf("%+v", refused)
		}
	}
	for _, v := range w.Violations() {
		if v.Early {
			t.Errorf("early: %+v", v)
		}
	}
}

// answering is a transport that gives one answer after the other.
type answering struct {
	answers []func(*http.Request) (*http.Response, error)
	n       int
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	a.n++
	return a.answers[min(a.n, len(a.answers))-1](req)
}

// TestFenceOpens exactly when Slack has said, and is kept for its method alone.
func TestFenceOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &answering{answers: []func(*http.Request) (*http.Response, error){
			func(req *http.Request) (*http.Response, error) { return limited(req, 7*time.Second), nil },
			func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") },
		}}
		f := newFence(next)
		call := func(method string) string {
			req := httptest.NewRequest(http.MethodPost, "https://slack.com/api/"+method, strings.NewReader("channel=C1"))
			resp, err := f.RoundTrip(req)
			if err != nil {
				return err.Error()
			}
			return resp.Status[:3] + " " + resp.Header.Get("Retry-After")
		}
		for _, c := range []struct {
			wait         time.Duration
			method, want string
		}{
			{0, "a", "429 7"}, {0, "a", "429 7"}, {0, "b", "sent"}, {2500 * time.Millisecond, "a", "429 5"}, {4499 * time.Millisecond, "a", "429 1"}, {time.Millisecond, "a", "sent"},
		} {
			time.Sleep(c.wait)
			if got := call(c.method); got != c.want {
				t.Errorf("%s: %s, want %s", c.method, got, c.want)
			}
		}
	})
}

// TestNoRedirects: a token is not taken along to where a redirect points.
func TestNoRedirects(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	here := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, req *http.Request) {
		http.Redirect(out, req, other.URL+req.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer here.Close()
	f, err := New(Config{BotToken: keepwatch.NewSecret("xoxb-1"), SigningSecret: keepwatch.NewSecret("s"), Counter: newCounter(), APIURL: here.URL + "/api/"})
	if err != nil {
		t.Fatal(err)
	}
	// Without our own transport, which sends everything to SLACK_API_URL.
	f.http.Transport = http.DefaultTransport.(*http.Transport).Clone()
	defer f.http.CloseIdleConnections()
	var refused *keepwatch.PostError
	if _, err := f.Post(t.Context(), outgoing("1")); !errors.As(err, &refused) || !refused.Odd || !strings.Contains(keepwatch.Sentence(err), "HTTP 307") {
		t.Errorf("%v", err)
	}
	if _, err := f.history(t.Context(), "conversations.history", url.Values{}); err == nil {
		t.Error("a redirect is an answer")
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// TestGreetingWaits as long as Slack asks for.
func TestGreetingWaits(t *testing.T) {
	w := prepare(t, overHTTP, slacktest.Config{}, nil)
	w.Fail(slacktest.Fault{Method: "auth.test", Times: 1, RetryAfter: 1})
	begun := time.Now()
	w.run(t)
	w.wait(t, "it says what it waits for", func() bool { return w.f.Ready() != nil && strings.Contains(w.f.Ready().Error(), "ratelimited") })
	w.wait(t, "it is ready", func() bool { return w.f.Ready() == nil })
	if took := time.Since(begun); took < time.Second {
		t.Errorf("ready after %v", took)
	}
	if n := len(w.Calls("auth.test")); n != 2 {
		t.Errorf("%d calls", n)
	}
}

// TestGreetingSaysWhy: a refusal that nobody knows is named where people look, and
// logged when it changes.
func TestGreetingSaysWhy(t *testing.T) {
	w := prepare(t, overHTTP, slacktest.Config{}, nil)
	w.Fail(slacktest.Fault{Method: "auth.test", Times: 4, Error: "enterprise_is_restricted"})
	w.Fail(slacktest.Fault{Method: "auth.test", Times: 4, Status: 502})
	w.run(t)
	seen := map[string]bool{}
	w.wait(t, "it is ready", func() bool {
		err := w.f.Ready()
		for _, word := range []string{"enterprise_is_restricted", "HTTP 502"} {
			seen[word] = seen[word] || err != nil && strings.Contains(keepwatch.Sentence(err), word)
		}
		return err == nil
	})
	if !seen["enterprise_is_restricted"] || !seen["HTTP 502"] {
		t.Errorf("seen: %v", seen)
	}
	if n := strings.Count(w.log.String(), "does not answer yet"); n != 2 {
		t.Errorf("%d lines in the log", n)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if err := w.f.greet(ctx); err == nil {
		t.Error("it greets after the end")
	}
}

// TestIdleConnections: the connections that are kept open can be closed, through
// everything that stands before the network.
func TestIdleConnections(t *testing.T) {
	closed := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write([]byte(`{"ok":true}`)) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			close(closed)
		}
	}
	server.Start()
	defer server.Close()
	f, err := New(Config{BotToken: keepwatch.NewSecret("xoxb-1"), SigningSecret: keepwatch.NewSecret("s"), Counter: newCounter(), APIURL: server.URL + "/api/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.api.AuthTestContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.http.CloseIdleConnections()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection stays open")
	}
}
