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

// TestVerdicts: what each refusal of Slack means for a message.
func TestVerdicts(t *testing.T) {
	fault := func(f slacktest.Fault) *slacktest.Fault { f.Method, f.Times = "chat.postMessage", -1; return &f }
	for name, c := range map[string]struct {
		fault   *slacktest.Fault
		channel string
		verdict keepwatch.Verdict
		after   time.Duration
		text    string
		unready bool
		odd     bool // the outbox bounds how long it is tried again
	}{
		"429":               {fault: fault(slacktest.Fault{RetryAfter: 7}), verdict: keepwatch.VerdictLater, after: 7 * time.Second},
		"500":               {fault: fault(slacktest.Fault{Status: 500}), verdict: keepwatch.VerdictUnsure},
		"503 after it":      {fault: fault(slacktest.Fault{Status: 503, Done: true}), verdict: keepwatch.VerdictUnsure},
		"cut":               {fault: fault(slacktest.Fault{Cut: true}), verdict: keepwatch.VerdictUnsure},
		"cut after it":      {fault: fault(slacktest.Fault{Cut: true, Done: true}), verdict: keepwatch.VerdictUnsure},
		"HTML":              {fault: fault(slacktest.Fault{HTML: true}), verdict: keepwatch.VerdictUnsure},
		"fatal_error":       {fault: fault(slacktest.Fault{Error: "fatal_error"}), verdict: keepwatch.VerdictUnsure},
		"internal_error":    {fault: fault(slacktest.Fault{Error: "internal_error"}), verdict: keepwatch.VerdictUnsure},
		"ratelimited":       {fault: fault(slacktest.Fault{Error: "ratelimited"}), verdict: keepwatch.VerdictLater},
		"unknown channel":   {channel: "C0NONE", verdict: keepwatch.VerdictNever, text: "C0NONE"},
		"not invited":       {channel: slacktest.Random, verdict: keepwatch.VerdictNever, text: "/invite"},
		"archived":          {fault: fault(slacktest.Fault{Error: "is_archived"}), verdict: keepwatch.VerdictNever, text: "archived"},
		"restricted":        {fault: fault(slacktest.Fault{Error: "restricted_action"}), verdict: keepwatch.VerdictNever, text: "An admin of the workspace"},
		"something new":     {fault: fault(slacktest.Fault{Error: "not_on_a_monday"}), verdict: keepwatch.VerdictLater, odd: true, text: "not_on_a_monday"},
		"a page of a proxy": {fault: fault(slacktest.Fault{Status: 403, HTML: true}), verdict: keepwatch.VerdictUnsure, odd: true, text: "HTTP 403"},
		"400":               {fault: fault(slacktest.Fault{Status: 400}), verdict: keepwatch.VerdictUnsure, odd: true, text: "HTTP 400"},
		"408":               {fault: fault(slacktest.Fault{Status: 408}), verdict: keepwatch.VerdictUnsure},
		"413":               {fault: fault(slacktest.Fault{Status: 413}), verdict: keepwatch.VerdictUnsure, odd: true, text: "HTTP 413"},
		"nobody":            {channel: "@U0NOBODY", verdict: keepwatch.VerdictNever, text: "U0NOBODY"},
		"token revoked":     {fault: fault(slacktest.Fault{Error: "token_revoked"}), verdict: keepwatch.VerdictLater, after: authAfter, unready: true},
		"scope missing":     {fault: fault(slacktest.Fault{Error: "missing_scope"}), verdict: keepwatch.VerdictLater, after: authAfter, unready: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, overHTTP, slacktest.Config{}, nil)
			if c.fault != nil {
				w.Fail(*c.fault)
			}
			out := outgoing("1")
			if c.channel != "" {
				out.Channel = "slack:" + c.channel
			}
			_, err := w.f.Post(w.ctx, out)
			var refused *keepwatch.PostError
			if !errors.As(err, &refused) {
				t.Fatalf("%v", err)
			}
			if refused.Verdict != c.verdict || refused.After != c.after || refused.Odd != c.odd || !strings.Contains(keepwatch.Sentence(err), c.text) {
				t.Errorf("%v after %v: %v", refused.Verdict, refused.After, err)
			}
			if ready := w.f.Ready(); (ready != nil) != c.unready {
				t.Errorf("ready: %v", ready)
			}
			w.ClearFaults()
			if c.unready { // the token is mended
				if _, err := w.f.Post(w.ctx, outgoing("2")); err != nil || w.f.Ready() != nil {
					t.Errorf("%v, ready %v", err, w.f.Ready())
				}
			}
		})
	}
}

// TestMissingScope: the scope is named; without the one of direct messages the
// bot is ready all the same.
func TestMissingScope(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Scopes: []string{"commands"}}, nil)
	if _, err := w.f.Post(w.ctx, outgoing("1")); err == nil || w.f.Ready() == nil || !strings.Contains(w.f.Ready().Error(), "the scope chat:write") {
		t.Errorf("%v, ready %v", err, w.f.Ready())
	}
	w.SetScopes("commands", "chat:write")
	if _, err := w.f.Post(w.ctx, outgoing("2")); err != nil {
		t.Fatal(err)
	}
	direct := outgoing("3")
	direct.Channel = "slack:@" + slacktest.Alis
	var refused *keepwatch.PostError
	if _, err := w.f.Post(w.ctx, direct); !errors.As(err, &refused) || refused.Verdict != keepwatch.VerdictNever || !strings.Contains(keepwatch.Sentence(err), "im:write") || w.f.Ready() != nil {
		t.Errorf("%v, ready %v", err, w.f.Ready())
	}
}

// TestUnsent: where no connection can be made nothing was posted.
func TestUnsent(t *testing.T) {
	for name, address := range map[string]string{"nobody listens": "http://127.0.0.1:1/api/", "no such host": "http://keepwatch.invalid/api/"} {
		f, err := New(Config{BotToken: keepwatch.NewSecret("xoxb-1"), AppToken: keepwatch.NewSecret("xapp-1"), Counter: newCounter(), APIURL: address})
		if err != nil {
			t.Fatal(err)
		}
		var refused *keepwatch.PostError
		if _, err := f.Post(t.Context(), outgoing("1")); !errors.As(err, &refused) || refused.Verdict != keepwatch.VerdictLater {
			t.Errorf("%s: %v", name, err)
		}
	}
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

// TestFind: a message whose answer was lost is found by its id, and none that was
// not posted.
func TestFind(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	before, err := w.f.Post(w.ctx, outgoing("before"))
	if err != nil {
		t.Fatal(err)
	}
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Cut: true, Done: true})
	out := outgoing("lost")
	out.Tried, out.After = time.Now(), before
	if _, err := w.f.Post(w.ctx, out); err == nil {
		t.Fatal("the fault did not happen")
	}
	for range findPage + 20 { // more than a page later
		w.Say(slacktest.Bram, slacktest.Ops, "chat")
	}
	ref, found, err := w.f.Find(w.ctx, out)
	if err != nil || !found {
		t.Fatalf("%q %v %v", ref, found, err)
	}
	if err := w.f.Edit(w.ctx, keepwatch.Card{Ref: ref, Channel: out.Channel}, keepwatch.Message{Title: "Edited"}); err != nil {
		t.Fatal(err)
	}
	if m, err := w.WaitMessage(w.ctx, slacktest.Ops, slacktest.Saying("Edited")); err != nil || m.Edits != 1 {
		t.Errorf("%+v %v", m, err)
	}
	out.ID = "never"
	if ref, found, err := w.f.Find(w.ctx, out); err != nil || found {
		t.Errorf("%q %v %v", ref, found, err)
	}
	thread := outgoing("deep")
	thread.Tried = time.Now()
	_, ts, _ := splitReference(before)
	thread.Reply = &keepwatch.Reply{Thread: ts}
	if _, err := w.f.Post(w.ctx, thread); err != nil {
		t.Fatal(err)
	}
	if _, found, err := w.f.Find(w.ctx, thread); err != nil || !found {
		t.Errorf("in a thread: %v %v", found, err)
	}
	direct := outgoing("direct")
	direct.Channel, direct.Tried = "slack:@"+slacktest.Alis, time.Now()
	if _, err := w.f.Post(w.ctx, direct); err != nil {
		t.Fatal(err)
	}
	if _, found, err := w.f.Find(w.ctx, direct); err != nil || !found {
		t.Errorf("in a direct message: %v %v", found, err)
	}
	w.SetScopes("chat:write")
	for range 3 {
		if _, found, err := w.f.Find(w.ctx, out); err != nil || found {
			t.Errorf("without the scope: %v %v", found, err)
		}
	}
	if n := strings.Count(w.log.String(), "may not read back"); n != 1 {
		t.Errorf("%d warnings", n)
	}
	w.Fail(slacktest.Fault{Method: "conversations.history", Times: 1, RetryAfter: 4})
	var refused *keepwatch.PostError
	if _, _, err := w.f.Find(w.ctx, out); !errors.As(err, &refused) || refused.After != 4*time.Second {
		t.Errorf("a search that has to wait: %v", err)
	}
}

// TestOldest: where a search begins.
func TestOldest(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(1_800_000_000+seconds, 0) }
	for name, c := range map[string]struct {
		made, tried time.Time
		after, want string
	}{
		"nothing is known":        {tried: at(0), want: "1799996400.000000"},
		"the one before is known": {tried: at(0), after: "C0OPS:1799999999.000100", want: "1799999999.000100"},
		"it is from long ago":     {tried: at(0), after: "C0OPS:1700000000.000100", want: "1700000000.000100"},
		"our clock is ahead":      {made: at(86400), tried: at(86400), after: "C0OPS:1799999999.000100", want: "1799999999.000100"},
		"another channel's":       {tried: at(0), after: "C9:1799999999.000100", want: "1799996400.000000"},
		"nonsense":                {tried: at(0), after: "nonsense", want: "1799996400.000000"},
		"no time at all":          {tried: at(0), after: "C0OPS:x", want: "1799996400.000000"},
		"it was tried for hours":  {made: at(-36000), tried: at(0), want: "1799960400.000000"},
		"the clock was set back":  {made: at(999999), tried: at(999999), want: "1799996410.000000"},
	} {
		if got := oldest(keepwatch.Outgoing{Made: c.made, Tried: c.tried, After: c.after}, "C0OPS", at(10)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestFindByWrongClock: whatever our clock says, a message whose answer was lost is
// found behind the one that came before it.
func TestFindByWrongClock(t *testing.T) {
	for _, off := range []time.Duration{-24 * time.Hour, 15 * time.Minute, 24 * time.Hour} {
		w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(off) } })
		before, err := w.f.Post(w.ctx, outgoing("before"))
		if err != nil {
			t.Fatal(err)
		}
		out := outgoing("lost")
		out.Made, out.Tried, out.After = w.f.cfg.Now(), w.f.cfg.Now(), before
		w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Cut: true, Done: true})
		if _, err := w.f.Post(w.ctx, out); err == nil {
			t.Fatal("the fault did not happen")
		}
		if _, found, err := w.f.Find(w.ctx, out); err != nil || !found {
			t.Errorf("%v off: %v %v", off, found, err)
		}
	}
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

// TestResponseVerdicts: what the failures of a response_url mean.
func TestResponseVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		fault   slacktest.Fault
		verdict keepwatch.Verdict
	}{
		"429": {slacktest.Fault{RetryAfter: 2}, keepwatch.VerdictLater}, "503": {slacktest.Fault{Status: 503}, keepwatch.VerdictUnsure},
		"cut": {slacktest.Fault{Cut: true}, keepwatch.VerdictUnsure}, "HTML": {slacktest.Fault{HTML: true}, keepwatch.VerdictUnsure},
	} {
		w := start(t, overHTTP, slacktest.Config{}, nil)
		d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "sources")
		w.acked(t, d)
		c.fault.Method, c.fault.Times = "response_url", -1
		w.Fail(c.fault)
		out := outgoing("1")
		out.Reply = &keepwatch.Reply{Token: d.ResponseURL, Until: time.Now().Add(time.Minute), Private: true}
		var refused *keepwatch.PostError
		_, err := w.f.Post(w.ctx, out)
		if !errors.As(err, &refused) || refused.Verdict != c.verdict {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), d.ResponseURL) {
			t.Errorf("%s: the error holds the address", name)
		}
	}
}

// TestEditRefused: what a refused change of a message means for it: one whose
// code nobody knows may pass, and must not end a card that says that its run goes on.
func TestEditRefused(t *testing.T) {
	for code, want := range map[string]struct {
		verdict keepwatch.Verdict
		odd     bool
	}{
		"update_failed": {keepwatch.VerdictLater, true}, "external_channel_migrating": {keepwatch.VerdictLater, true}, "accesslimited": {keepwatch.VerdictLater, true},
		"internal_error": {keepwatch.VerdictUnsure, false}, "edit_window_closed": {keepwatch.VerdictGone, false}, "is_archived": {keepwatch.VerdictNever, false},
	} {
		w := start(t, overHTTP, slacktest.Config{}, nil)
		ref, err := w.f.Post(w.ctx, outgoing("1"))
		if err != nil {
			t.Fatal(err)
		}
		card := keepwatch.Card{Ref: ref, Channel: "slack:" + slacktest.Ops}
		w.Fail(slacktest.Fault{Method: "chat.update", Times: 1, Error: code})
		var refused *keepwatch.PostError
		if err := w.f.Edit(w.ctx, card, listing); !errors.As(err, &refused) || refused.Verdict != want.verdict || refused.Odd != want.odd {
			t.Errorf("%s: %+v", code, refused)
		}
		if err := w.f.Edit(w.ctx, card, listing); err != nil {
			t.Errorf("%s, a second time: %v", code, err)
		}
	}
}

// TestAddressRefused: whatever a response_url is refused for, the answer takes the
// other way at once, and does not wait until the address has run out.
func TestAddressRefused(t *testing.T) {
	for name, fault := range map[string]slacktest.Fault{
		"an unknown code": {Error: "not_on_a_monday"}, "400": {Status: 400}, "403 with a page": {Status: 403, HTML: true}, "413": {Status: 413},
	} {
		w := start(t, overHTTP, slacktest.Config{}, nil)
		d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "sources")
		w.acked(t, d)
		fault.Method, fault.Times = "response_url", -1
		w.Fail(fault)
		out := outgoing("1")
		out.Reply = &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Token: d.ResponseURL, Until: time.Now().Add(time.Minute), Private: true}
		if _, err := w.f.Post(w.ctx, out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(w.Ephemerals(slacktest.Alis, slacktest.Ops)); n != 1 {
			t.Errorf("%s: %d answers are seen", name, n)
		}
	}
}

// TestGone: a message that is not there any more.
func TestGone(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	for name, ref := range map[string]string{"no reference": "", "no such message": slacktest.Ops + ":1.000100"} {
		var refused *keepwatch.PostError
		if err := w.f.Edit(w.ctx, keepwatch.Card{Ref: ref, Channel: "slack:" + slacktest.Ops}, listing); !errors.As(err, &refused) || refused.Verdict != keepwatch.VerdictGone {
			t.Errorf("%s: %v", name, err)
		}
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
