package slacktest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

func plain(text string) args { return args{"type": "plain_text", "text": text} }

func modal(title string, more ...args) args {
	v := args{"type": "modal", "callback_id": "c " + title, "title": plain(title), "submit": plain("Save"), "private_metadata": "run 7", "blocks": []args{
		{"type": "input", "block_id": "b-text", "label": plain("Text"), "element": args{"type": "plain_text_input", "action_id": "text", "max_length": 20}},
		{"type": "input", "block_id": "b-day", "optional": true, "label": plain("Day"), "element": args{"type": "datepicker", "action_id": "day"}},
		{"type": "input", "block_id": "b-kind", "label": plain("Kind"), "element": args{"type": "static_select", "action_id": "kind", "initial_option": choice("Full", "full"), "options": []args{choice("Full", "full"), choice("Changes", "changes")}}},
		{"type": "input", "block_id": "b-parts", "optional": true, "label": plain("Parts"), "element": args{"type": "checkboxes", "action_id": "parts", "options": []args{choice("Mail", "mail"), choice("Home", "home")}}},
	}}
	for _, m := range more {
		for k, x := range m {
			v[k] = x
		}
	}
	return v
}

func choice(label, value string) args { return args{"text": plain(label), "value": value} }

// press makes a trigger id: somebody types a command.
func press(s *slacktest.Server) string {
	return s.Command(slacktest.Alis, slacktest.Ops, "/reminder", "add").TriggerID
}

func TestTriggerIDs(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	id := press(s)
	must(t, s, "views.open", args{"trigger_id": id, "view": modal("One")})
	if a := call(t, s, "views.open", args{"trigger_id": id, "view": modal("One")}); a.err() != "exchanged_trigger_id" {
		t.Errorf("used twice: %v", a.Raw)
	}
	id = press(s)
	clock.Advance(3*time.Second + 1)
	if a := call(t, s, "views.open", args{"trigger_id": id, "view": modal("One")}); a.err() != "expired_trigger_id" {
		t.Errorf("after 3 s: %v", a.Raw)
	}
	id = press(s)
	s.ExpireTriggers()
	if a := call(t, s, "views.open", args{"trigger_id": id, "view": modal("One")}); a.err() != "expired_trigger_id" {
		t.Errorf("expired by hand: %v", a.Raw)
	}
	if a := call(t, s, "views.open", args{"trigger_id": "1.2.3", "view": modal("One")}); a.err() != "invalid_trigger_id" {
		t.Errorf("a made-up one: %v", a.Raw)
	}
	if v, ok := s.View(slacktest.Alis); !ok || v.Title != "One" || v.PrivateMetadata != "run 7" || !strings.HasPrefix(v.Plain(), "One\nText") {
		t.Errorf("the person sees %+v", v)
	}
}

func TestViewStack(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	if a := call(t, s, "views.push", args{"trigger_id": press(s), "view": modal("Two")}); a.err() != "not_found" {
		t.Errorf("pushed on nothing: %v", a.Raw)
	}
	one := must(t, s, "views.open", args{"trigger_id": press(s), "view": modal("One", args{"external_id": "mine"})})
	if a := call(t, s, "views.open", args{"trigger_id": press(s), "view": modal("One", args{"external_id": "mine"})}); a.err() != "duplicate_external_id" {
		t.Errorf("the same external id: %v", a.Raw)
	}
	must(t, s, "views.push", args{"trigger_id": press(s), "view": modal("Two")})
	three := must(t, s, "views.push", args{"trigger_id": press(s), "view": modal("Three")})
	if inner(three.Raw, "view", "root_view_id") != inner(one.Raw, "view", "id") {
		t.Errorf("the third view is %v", three.Raw)
	}
	if a := call(t, s, "views.push", args{"trigger_id": press(s), "view": modal("Four")}); a.err() != "push_limit_reached" {
		t.Errorf("the fourth view: %v", a.Raw)
	}
	hash := inner(one.Raw, "view", "hash")
	up := must(t, s, "views.update", args{"external_id": "mine", "hash": hash, "view": modal("Uno")})
	if inner(up.Raw, "view", "hash") == hash {
		t.Error("the hash stays the same")
	}
	if a := call(t, s, "views.update", args{"view_id": inner(one.Raw, "view", "id"), "hash": hash, "view": modal("Eins")}); a.err() != "hash_conflict" {
		t.Errorf("an old hash: %v", a.Raw)
	}
	for _, want := range []string{"Three", "Two", "Uno"} {
		if v, _ := s.View(slacktest.Alis); v.Title != want {
			t.Errorf("the person sees %q, not %q", v.Title, want)
		}
		if err := s.CloseView(slacktest.Alis).Wait(deadline(t)); err != nil {
			t.Error(err)
		}
	}
	if a := call(t, s, "views.update", args{"view_id": inner(one.Raw, "view", "id"), "view": modal("Eins")}); a.err() != "not_found" {
		t.Errorf("an update after it was closed: %v", a.Raw)
	}
	if err := s.CloseView(slacktest.Alis).Wait(deadline(t)); err == nil {
		t.Error("nothing is closed")
	}
}

func TestViewLimits(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	blocks := func(n int) []args {
		all := make([]args, n)
		for i := range all {
			all[i] = args{"type": "divider"}
		}
		return all
	}
	for name, c := range map[string]struct {
		good, bad args
	}{
		"title":            {args{"title": plain(strings.Repeat("x", 24))}, args{"title": plain(strings.Repeat("x", 25))}},
		"submit":           {args{"submit": plain(strings.Repeat("x", 24))}, args{"submit": plain(strings.Repeat("x", 25))}},
		"close":            {args{"close": plain(strings.Repeat("x", 24))}, args{"close": plain(strings.Repeat("x", 25))}},
		"private_metadata": {args{"private_metadata": strings.Repeat("x", 3000)}, args{"private_metadata": strings.Repeat("x", 3001)}},
		"callback_id":      {args{"callback_id": strings.Repeat("x", 255)}, args{"callback_id": strings.Repeat("x", 256)}},
		"blocks":           {args{"blocks": blocks(100)}, args{"blocks": blocks(101)}},
		"no submit":        {args{"submit": nil, "blocks": blocks(1)}, args{"submit": nil}},
		"a type":           {args{}, args{"type": "dialog"}},
	} {
		must(t, s, "views.open", args{"trigger_id": press(s), "view": modal("One", c.good)})
		if a := call(t, s, "views.open", args{"trigger_id": press(s), "view": modal("One", c.bad)}); a.err() != "invalid_arguments" || inner(a.Raw, "response_metadata", "messages") == nil {
			t.Errorf("%s over its limit: %v", name, a.Raw)
		}
	}
	if a := call(t, s, "views.open", args{"trigger_id": press(s)}); a.err() != "invalid_arguments" {
		t.Errorf("no view: %v", a.Raw)
	}
	big := modal("One", args{"blocks": []args{{"type": "section", "text": plain("x")}}, "junk": strings.Repeat("x", 250<<10)})
	if a := call(t, s, "views.open", args{"trigger_id": press(s), "view": big}); a.err() != "view_too_large" {
		t.Errorf("a large view: %v", a.err())
	}
}

// opened has a modal open and the socket's frames taken.
func opened(t *testing.T, more ...args) (*slacktest.Server, *app) {
	t.Helper()
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	must(t, s, "views.open", args{"trigger_id": press(s), "view": modal("One", more...)})
	c.next(t)
	return s, c
}

func TestSubmit(t *testing.T) {
	s, c := opened(t)
	d := s.Submit(slacktest.Alis, map[string]any{"text": "tea", "Day": "2026-12-24", "b-parts": []string{"Home"}})
	f := c.next(t)
	raw, _ := json.Marshal(inner(f, "payload", "view", "state", "values"))
	want := `{"b-day":{"day":{"selected_date":"2026-12-24","type":"datepicker"}},"b-kind":{"kind":{"selected_option":{"text":{"text":"Full","type":"plain_text"},"value":"full"},"type":"static_select"}},` +
		`"b-parts":{"parts":{"selected_options":[{"text":{"text":"Home","type":"plain_text"},"value":"home"}],"type":"checkboxes"}},"b-text":{"text":{"type":"plain_text_input","value":"tea"}}}`
	if string(raw) != want || inner(f, "payload", "type") != "view_submission" || inner(f, "payload", "view", "private_metadata") != "run 7" || f["accepts_response_payload"] != true {
		t.Errorf("the submission is %v\nwith %s", f, raw)
	}
	c.ack(t, f, nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if v, ok := s.View(slacktest.Alis); ok {
		t.Errorf("the modal is still open: %+v", v)
	}
}

func TestWhatAFormRefuses(t *testing.T) {
	s, _ := opened(t)
	for name, values := range map[string]map[string]any{
		"a field left out":   {},
		"a text too long":    {"text": strings.Repeat("x", 21)},
		"no such option":     {"text": "x", "kind": "half"},
		"no such check mark": {"text": "x", "parts": []string{"garden"}},
		"no such field":      {"text": "x", "colour": "red"},
	} {
		d := s.Submit(slacktest.Alis, values)
		if err := d.Wait(deadline(t)); err == nil || len(d.Attempts()) != 0 {
			t.Errorf("%s is taken: %v", name, err)
		}
	}
	if err := s.Submit(slacktest.Bram, nil).Wait(deadline(t)); err == nil {
		t.Error("somebody submits what is not open")
	}
}

func TestSubmitResponses(t *testing.T) {
	for _, c := range []struct {
		name   string
		reply  args
		fails  bool
		title  string // of what is open afterwards, "" nothing
		errors string
	}{
		{"errors", args{"response_action": "errors", "errors": args{"b-text": "not that"}}, false, "One", "map[b-text:not that]"},
		{"errors for no block", args{"response_action": "errors", "errors": args{"nowhere": "x"}}, true, "One", "map[nowhere:x]"},
		{"update", args{"response_action": "update", "view": modal("New")}, false, "New", "map[]"},
		{"an update with a bad view", args{"response_action": "update", "view": args{"type": "modal"}}, true, "One", "map[]"},
		{"push", args{"response_action": "push", "view": modal("On top")}, false, "On top", "map[]"},
		{"clear", args{"response_action": "clear"}, false, "", "map[]"},
		{"nonsense", args{"response_action": "explode"}, true, "One", "map[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, socket := opened(t)
			d := s.Submit(slacktest.Alis, map[string]any{"text": "tea"})
			socket.ack(t, socket.next(t), c.reply)
			if err := d.Wait(deadline(t)); (err != nil) != c.fails {
				t.Errorf("it ends with %v", err)
			}
			v, _ := s.View(slacktest.Alis)
			if v.Title != c.title || fmt.Sprint(v.Errors) != c.errors {
				t.Errorf("the person sees %q with %v", v.Title, v.Errors)
			}
		})
	}
}

func TestViewClosed(t *testing.T) {
	s, c := opened(t, args{"notify_on_close": true, "clear_on_close": true})
	must(t, s, "views.push", args{"trigger_id": press(s), "view": modal("Two", args{"notify_on_close": true, "clear_on_close": true})})
	c.next(t)
	d := s.CloseView(slacktest.Alis)
	f := c.next(t)
	if inner(f, "payload", "type") != "view_closed" || inner(f, "payload", "is_cleared") != true || f["accepts_response_payload"] != false {
		t.Errorf("the app is told %v", f)
	}
	c.ack(t, f, nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Error(err)
	}
	if v, ok := s.View(slacktest.Alis); ok {
		t.Errorf("%q is still open", v.Title)
	}
}

func TestHome(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	s.OpenHome(slacktest.Alis)
	if f := c.next(t); inner(f, "payload", "event", "type") != "app_home_opened" || inner(f, "payload", "event", "tab") != "home" {
		t.Errorf("the app is told %v", f)
	}
	home := args{"type": "home", "blocks": []args{{"type": "header", "text": plain("Sources")}, {"type": "actions", "elements": []args{button("Start"), {"type": "static_select", "action_id": "pick", "placeholder": plain("Source"), "options": []args{choice("Notes", "notes")}}}}}}
	first := must(t, s, "views.publish", args{"user_id": slacktest.Alis, "view": home})
	must(t, s, "views.publish", args{"user_id": slacktest.Alis, "view": home, "hash": inner(first.Raw, "view", "hash")})
	if a := call(t, s, "views.publish", args{"user_id": slacktest.Alis, "view": home, "hash": inner(first.Raw, "view", "hash")}); a.err() != "hash_conflict" {
		t.Errorf("an old hash: %v", a.Raw)
	}
	if a := call(t, s, "views.publish", args{"user_id": "U0NONE", "view": home}); a.err() != "invalid_arguments" {
		t.Errorf("for nobody: %v", a.Raw)
	}
	v, ok := s.Home(slacktest.Alis)
	if !ok || v.Plain() != "Sources" || v.Revisions != 1 {
		t.Fatalf("the home is %+v", v)
	}
	s.Click(slacktest.Alis, v, "Start")
	f := c.next(t)
	if inner(f, "payload", "container", "view_id") != v.ID || inner(f, "payload", "response_url") != nil || inner(f, "payload", "view", "type") != "home" {
		t.Errorf("a click in the home is %v", f)
	}
	s.Select(slacktest.Alis, v, "Source", "Notes")
	f = c.next(t)
	action := inner(f, "payload").(map[string]any)["actions"].([]any)[0].(map[string]any)
	if inner(action, "selected_option", "value") != "notes" || inner(f, "payload", "view", "state", "values") == nil {
		t.Errorf("the choice is %v", action)
	}
	if _, ok := s.Home(slacktest.Bram); ok {
		t.Error("somebody else has a home too")
	}
}
