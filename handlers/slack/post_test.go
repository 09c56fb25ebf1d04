package slack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

func outgoing(id string) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: id, Channel: "slack:" + slacktest.Ops, Message: keepwatch.Message{Title: "Notice " + id}, Made: time.Now()}
}

// TestSlowAnswer: an answer that does not come is no answer, and Post ends with
// its context.
func TestSlowAnswer(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	until := make(chan struct{})
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Until: until})
	ctx, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
	defer cancel()
	var refused *keepwatch.PostError
	if _, err := w.f.Post(ctx, outgoing("1")); !errors.As(err, &refused) || refused.Verdict != keepwatch.VerdictUnsure {
		t.Error(err)
	}
	close(until)
}

// TestBlocksRefused: a message whose blocks Slack refuses is sent as text.
func TestBlocksRefused(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	for _, method := range []string{"chat.postMessage", "chat.update", "chat.postEphemeral", "response_url"} {
		w.Fail(slacktest.Fault{Method: method, Times: 1, Error: "invalid_blocks"})
	}
	out := keepwatch.Outgoing{ID: "1", Channel: "slack:" + slacktest.Ops, Message: listing}
	ref, err := w.f.Post(w.ctx, out)
	if err != nil {
		t.Fatal(err)
	}
	m := w.Messages(slacktest.Ops)[0]
	if got := m.Plain(); !strings.Contains(got, "2 sources") || !strings.Contains(got, "/backup start notes") {
		t.Errorf("it says %q", got)
	}
	if err := w.f.Edit(w.ctx, keepwatch.Card{Ref: ref}, keepwatch.Message{Title: "Edited"}); err != nil {
		t.Fatal(err)
	}
	if got := w.Messages(slacktest.Ops)[0].Plain(); got != "Edited" {
		t.Errorf("edited, it says %q", got)
	}
	out.Reply = &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Private: true}
	if _, err := w.f.Post(w.ctx, out); err != nil {
		t.Fatal(err)
	}
	if got := w.Ephemerals(slacktest.Alis, slacktest.Ops); len(got) != 1 || !strings.Contains(got[0].Plain(), "2 sources") {
		t.Errorf("%+v", got)
	}
	d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "sources")
	w.acked(t, d)
	out.Reply = &keepwatch.Reply{To: out.Reply.To, Token: d.ResponseURL, Until: time.Now().Add(time.Minute), Private: true}
	if _, err := w.f.Post(w.ctx, out); err != nil {
		t.Fatal(err)
	}
	if got := w.Ephemerals(slacktest.Alis, slacktest.Ops); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(w.log.String(), "level=ERROR") {
		t.Error("nobody is told")
	}
}

// TestOutside: a command in a channel that the bot is not in. The card goes by
// response_url, with a sentence, and cannot be changed.
func TestOutside(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	d := w.Command(slacktest.Alis, slacktest.Random, "/backup", "start notes")
	w.acked(t, d)
	reply := &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Token: d.ResponseURL, Until: time.Now().Add(time.Minute)}
	ref, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:" + slacktest.Random, Run: 42, Reply: reply, Message: keepwatch.Message{Title: "Run 42 begins"}})
	if err != nil || ref != "" {
		t.Fatalf("%q %v", ref, err)
	}
	m := w.Messages(slacktest.Random)
	if len(m) != 1 || !strings.Contains(m[0].Plain(), "Run 42 begins") || !strings.Contains(m[0].Plain(), "/invite") {
		t.Errorf("%+v", m)
	}
	var refused *keepwatch.PostError
	if err := w.f.Edit(w.ctx, keepwatch.Card{Channel: "slack:" + slacktest.Random, Ref: ref}, keepwatch.Message{Title: "x"}); !errors.As(err, &refused) || refused.Verdict != keepwatch.VerdictGone {
		t.Errorf("%v", err)
	}
}

// TestPrivateOutside: an answer for one person, where the address works no more
// and the bot is not in the channel.
func TestPrivateOutside(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	out := outgoing("1")
	out.Channel = "slack:" + slacktest.Random
	out.Reply = &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Private: true, Token: "https://hooks.slack.com/old", Until: time.Now().Add(-time.Minute)}
	if _, err := w.f.Post(w.ctx, out); err != nil {
		t.Fatal(err)
	}
	if got := w.Messages(slacktest.DirectID(slacktest.Alis)); len(got) != 1 || got[0].Plain() != "Notice 1" {
		t.Errorf("%+v", got)
	}
}

// TestUsedUp: a response_url works five times, and for half an hour; then the
// answer takes another way.
func TestUsedUp(t *testing.T) {
	clock := slacktest.NewClock(time.Now())
	w := start(t, overHTTP, slacktest.Config{Clock: clock, Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	to := keepwatch.Account{Platform: "slack", ID: slacktest.Alis}
	ask := func() *keepwatch.Reply {
		d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "sources")
		w.acked(t, d)
		return &keepwatch.Reply{To: to, Token: d.ResponseURL, Until: time.Now().Add(time.Hour), Private: true}
	}
	reply := ask()
	for i := range maxUses + 2 {
		out := outgoing(strings.Repeat("x", i+1))
		out.Reply = reply
		if _, err := w.f.Post(w.ctx, out); err != nil {
			t.Fatalf("answer %d: %v", i+1, err)
		}
	}
	if n := len(w.Ephemerals(slacktest.Alis, slacktest.Ops)); n != maxUses+2 {
		t.Errorf("%d answers are seen", n)
	}
	if n := len(w.Calls("response_url")); n != maxUses {
		t.Errorf("the address was used %d times", n)
	}
	if n := len(w.Calls("chat.postEphemeral")); n != 2 {
		t.Errorf("%d took another way", n)
	}
	reply = ask()
	clock.Advance(31 * time.Minute) // Slack's clock; ours does not know
	out := outgoing("late")
	out.Reply = reply
	if _, err := w.f.Post(w.ctx, out); err != nil {
		t.Fatal(err)
	}
	if n := len(w.Calls("chat.postEphemeral")); n != 3 {
		t.Errorf("%d took another way", n)
	}
}

// TestQuiet: nothing that is posted pings, unfurls or links.
func TestQuiet(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	if _, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:" + slacktest.Ops, Message: samples(t)["hostile"]}); err != nil {
		t.Fatal(err)
	}
	if pings := w.Messages(slacktest.Ops)[0].Pings(); len(pings) > 0 {
		t.Errorf("it pings %v", pings)
	}
	args := w.Calls("chat.postMessage")[0].Args
	got := map[string]any{}
	for _, k := range []string{"unfurl_links", "unfurl_media", "parse", "link_names"} {
		got[k] = args[k]
	}
	if diff := cmp.Diff(map[string]any{"unfurl_links": "false", "unfurl_media": "false", "parse": "none", "link_names": "false"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRedirect: SLACK_API_URL takes all traffic, the addresses that Slack names
// included.
func TestRedirect(t *testing.T) {
	var mu sync.Mutex
	passed := map[string]int{}
	var fake *url.URL
	proxy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, req *http.Request) {
		mu.Lock()
		name := strings.Split(strings.Trim(req.URL.Path, "/"), "/")[0]
		if req.Header.Get("Upgrade") != "" {
			name = "socket"
		}
		passed[name]++
		mu.Unlock()
		httputil.NewSingleHostReverseProxy(fake).ServeHTTP(out, req)
	}))
	defer proxy.Close()
	w := prepare(t, overSocket, slacktest.Config{}, func(c *Config) { c.APIURL = proxy.URL + "/api" })
	fake, _ = url.Parse(strings.TrimSuffix(w.APIURL(), "/api/"))
	w.run(t)
	if err := w.WaitSockets(w.ctx, sockets); err != nil {
		t.Fatal(err)
	}
	d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "sources")
	w.acked(t, d)
	named, _ := url.Parse(d.ResponseURL)
	named.Scheme, named.Host = "https", "hooks.slack.com" // where it is in life
	out := outgoing("1")
	out.Reply = &keepwatch.Reply{Token: named.String(), Until: time.Now().Add(time.Minute), Private: true}
	if _, err := w.f.Post(w.ctx, out); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WaitEphemeral(w.ctx, slacktest.Alis, slacktest.Ops, slacktest.Saying("Notice 1")); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if passed["socket"] != sockets || passed["api"] < 1+sockets || len(passed) != 3 {
		t.Errorf("what passed the proxy: %v", passed)
	}
}
