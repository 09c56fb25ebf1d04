package slack

import (
	"errors"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

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
