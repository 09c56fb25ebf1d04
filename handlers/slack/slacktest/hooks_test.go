package slacktest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

func respond(t *testing.T, url string, a args) answer {
	t.Helper()
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	got, err := do(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestResponseURLOfACommand(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	url := s.Command(slacktest.Alis, slacktest.Random, "/backup", "list").ResponseURL
	for _, a := range []args{{"text": "one", "metadata": args{"event_type": "", "event_payload": nil}}, {"text": "two", "replace_original": true}, {"text": "three", "response_type": "in_channel"}, {"delete_original": true}, {"text": "five"}} {
		if got := respond(t, url, a); got.Status != 200 {
			t.Fatalf("%v: %+v", a, got)
		}
	}
	if got := respond(t, url, args{"text": "six"}); got.Status != 404 || got.err() != "used_url" {
		t.Errorf("the sixth use: %+v", got)
	}
	var private []string
	for _, m := range s.Ephemerals(slacktest.Alis, slacktest.Random) {
		private = append(private, m.Text)
	}
	if got := strings.Join(private, " "); got != "one two five" {
		t.Errorf("the person sees %q: a command has no original to replace", got)
	}
	if got := s.Messages(slacktest.Random); len(got) != 1 || got[0].Text != "three" {
		t.Errorf("the channel shows %+v", got)
	}
	if got := s.Ephemerals(slacktest.Bram, slacktest.Random); len(got) != 0 {
		t.Errorf("somebody else sees %+v", got)
	}
	if log := s.Calls("response_url"); len(log) != 6 || log[5].Error != "used_url" || log[0].Args["text"] != "one" {
		t.Errorf("the log is %+v", log)
	}
}

func TestResponseURLExpires(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	url := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "list").ResponseURL
	clock.Advance(30 * time.Minute)
	if got := respond(t, url, args{"text": "in time"}); got.Status != 200 {
		t.Errorf("at 30 minutes: %+v", got)
	}
	clock.Advance(time.Second)
	if got := respond(t, url, args{"text": "late"}); got.Status != 404 || got.err() != "expired_url" {
		t.Errorf("after 30 minutes: %+v", got)
	}
	url = s.Command(slacktest.Alis, slacktest.Ops, "/backup", "list").ResponseURL
	s.ExpireResponseURLs()
	if got := respond(t, url, args{"text": "late"}); got.err() != "expired_url" {
		t.Errorf("expired by hand: %+v", got)
	}
	if got := respond(t, url+"x", args{"text": "?"}); got.Status != 404 || got.err() != "no_service" {
		t.Errorf("another address: %+v", got)
	}
}

func TestResponseURLRefusals(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	url := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "list").ResponseURL
	s.Fail(slacktest.Fault{Method: "response_url", RetryAfter: 2})
	if got := respond(t, url, args{"text": "x"}); got.Status != 429 || got.After != 2 {
		t.Errorf("the fault: %+v", got)
	}
	s.ClearFaults()
	if got := respond(t, url, args{"text": "x"}); got.Status != 429 || len(s.Violations()) != 1 {
		t.Errorf("before its time: %+v, %v", got, s.Violations())
	}
	s.SetRates(slacktest.Rates{})
	for _, a := range []args{{}, {"blocks": []args{{"type": "section"}}}} {
		if got := respond(t, url, a); got.Status != 400 {
			t.Errorf("%v: %+v", a, got)
		}
	}
	for range 5 { // what was refused has used nothing up
		if got := respond(t, url, args{"text": "x"}); got.Status != 200 {
			t.Errorf("%+v", got)
		}
	}
}

func TestResponseURLOfAButton(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	blocks := []args{{"type": "section", "text": args{"type": "mrkdwn", "text": "sure?"}}, {"type": "actions", "elements": []args{button("Yes")}}}
	must(t, s, "chat.postEphemeral", args{"channel": slacktest.Ops, "user": slacktest.Alis, "blocks": blocks})
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": blocks})
	whisper, open := s.Ephemerals(slacktest.Alis, slacktest.Ops)[0], s.Messages(slacktest.Ops)[0]

	d := s.Click(slacktest.Alis, whisper, "Yes")
	f := c.next(t)
	if inner(f, "payload", "message") != nil || inner(f, "payload", "container", "is_ephemeral") != true || inner(f, "payload", "actions") == nil {
		t.Errorf("a click on an ephemeral message brings %v", inner(f, "payload"))
	}
	respond(t, d.ResponseURL, args{"text": "done", "replace_original": true})
	got := s.Ephemerals(slacktest.Alis, slacktest.Ops)
	if len(got) != 1 || got[0].Plain() != "done" || got[0].TS != whisper.TS || got[0].Edits != 1 {
		t.Errorf("replaced, the person sees %+v", got)
	}
	respond(t, d.ResponseURL, args{"delete_original": true})
	if got := s.Ephemerals(slacktest.Alis, slacktest.Ops); len(got) != 0 {
		t.Errorf("deleted, the person sees %+v", got)
	}

	d = s.Click(slacktest.Bram, open, "yes")
	f = c.next(t)
	if inner(f, "payload", "message", "ts") != open.TS || inner(f, "payload", "user", "id") != slacktest.Bram {
		t.Errorf("a click on a message brings %v", inner(f, "payload"))
	}
	respond(t, d.ResponseURL, args{"text": "only you"})
	if got := s.Messages(slacktest.Ops); len(got) != 1 || got[0].Edits != 0 {
		t.Errorf("without replace_original the message became %+v", got)
	}
	if got := s.Ephemerals(slacktest.Bram, slacktest.Ops); len(got) != 1 || got[0].Text != "only you" {
		t.Errorf("the person sees %+v", got)
	}
}
