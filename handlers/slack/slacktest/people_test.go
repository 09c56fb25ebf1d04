package slacktest_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"keepwatch/handlers/slack/slacktest"
)

func TestWhatPeopleCannotDo(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": actions(button("Yes"), selectOf(options(2)))})
	m := s.Messages(slacktest.Ops)[0]
	for name, d := range map[string]*slacktest.Delivery{
		"press a button that is not there": s.Click(slacktest.Alis, m, "No"),
		"choose what is not offered":       s.Select(slacktest.Alis, m, "Pick", "7"),
		"search where nothing is":          s.Suggest(slacktest.Alis, m, "Find", "x"),
		"type in a channel that is not":    s.Command(slacktest.Alis, "C0NONE", "/backup", ""),
		"type as nobody":                   s.Command("U0NONE", slacktest.Ops, "/backup", ""),
	} {
		if err := d.Wait(deadline(t)); err == nil || d.Acked() || len(d.Attempts()) != 0 {
			t.Errorf("somebody can %s", name)
		}
	}
	if err := s.Click(slacktest.Alis, m, "No").Wait(deadline(t)); !strings.Contains(err.Error(), `"Yes"`) {
		t.Errorf("the error does not say what there is: %v", err)
	}
}

func TestWhatTheAppIsTold(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	must(t, s, "chat.postMessage", args{"channel": slacktest.Secret, "text": "t", "metadata": args{"event_type": "run", "event_payload": args{"id": "7"}}, "blocks": actions(with(button("Yes"), "style", "primary"), selectOf(options(2)))})
	m := s.Messages(slacktest.Secret)[0]

	d := s.Click(slacktest.Alis, m, "Yes")
	f := c.next(t)
	action := inner(f, "payload").(map[string]any)["actions"].([]any)[0].(map[string]any)
	if action["action_id"] != "yes" || action["value"] != "v Yes" || action["type"] != "button" || action["style"] != "primary" || action["block_id"] == "" || inner(action, "text", "text") != "Yes" {
		t.Errorf("the click is %v", action)
	}
	if inner(f, "payload", "trigger_id") != d.TriggerID || inner(f, "payload", "response_url") != d.ResponseURL || inner(f, "payload", "channel", "name") != "privategroup" || inner(f, "payload", "message", "metadata", "event_type") != "run" {
		t.Errorf("it comes in %v", inner(f, "payload"))
	}

	s.Select(slacktest.Alis, m, "Pick", "1")
	f = c.next(t)
	action = inner(f, "payload").(map[string]any)["actions"].([]any)[0].(map[string]any)
	if inner(action, "selected_option", "value") != "1" || inner(f, "payload", "state", "values", action["block_id"].(string), "s", "selected_option", "value") != "1" {
		t.Errorf("the choice is %v", inner(f, "payload"))
	}

	d = s.DM(slacktest.Bram, "status")
	f = c.next(t)
	if inner(f, "payload", "event", "channel") != slacktest.DirectID(slacktest.Bram) || inner(f, "payload", "event", "text") != "status" || inner(f, "payload", "type") != "event_callback" || inner(f, "payload", "event_id") != d.EventID {
		t.Errorf("the direct message is %v", f)
	}
	s.Mention(slacktest.Bram, slacktest.Ops, "status")
	if f = c.next(t); inner(f, "payload", "event", "text") != "<@U0BOT> status" {
		t.Errorf("the mention is %v", f)
	}
	if got := s.Messages(slacktest.Ops); len(got) != 1 || got[0].User != slacktest.Bram {
		t.Errorf("the channel shows %+v", got)
	}
	s.Command(slacktest.Bram, slacktest.DirectID(slacktest.Bram), "/backup", "")
	if f = c.next(t); inner(f, "payload", "channel_name") != "directmessage" {
		t.Errorf("the command in the direct messages is %v", f)
	}
	if n := len(s.Deliveries()); n != 5 {
		t.Errorf("%d deliveries are listed", n)
	}
}

func TestEcho(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Echo: true})
	c := online(t, s)
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "not here"})
	ts := must(t, s, "chat.postMessage", args{"channel": slacktest.Alis, "text": "hello"}).str("ts")
	f := c.next(t)
	if inner(f, "payload", "event", "bot_id") != slacktest.BotID || inner(f, "payload", "event", "text") != "hello" || inner(f, "payload", "event", "channel_type") != "im" {
		t.Errorf("of its own message the app is told %v", f)
	}
	must(t, s, "chat.update", args{"channel": slacktest.DirectID(slacktest.Alis), "ts": ts, "text": "hello again"})
	f = c.next(t)
	if inner(f, "payload", "event", "subtype") != "message_changed" || inner(f, "payload", "event", "message", "text") != "hello again" || inner(f, "payload", "event", "previous_message", "text") != "hello" {
		t.Errorf("of its edit the app is told %v", f)
	}
	must(t, s, "chat.delete", args{"channel": slacktest.DirectID(slacktest.Alis), "ts": ts})
	if f = c.next(t); inner(f, "payload", "event", "subtype") != "message_deleted" || inner(f, "payload", "event", "deleted_ts") != ts {
		t.Errorf("of its deletion the app is told %v", f)
	}
}

func TestSuggestions(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": actions(args{"type": "external_select", "action_id": "find", "placeholder": plain("Find")})})
	d := s.Suggest(slacktest.Alis, s.Messages(slacktest.Ops)[0], "Find", "no")
	f := c.next(t)
	if inner(f, "payload", "type") != "block_suggestion" || inner(f, "payload", "value") != "no" || f["accepts_response_payload"] != true {
		t.Errorf("the app is asked %v", f)
	}
	c.ack(t, f, args{"options": []args{choice("notes", "n"), choice("north", "o")}})
	if err := d.Wait(deadline(t)); err != nil || strings.Join(d.Options(), " ") != "notes north" {
		t.Errorf("the options are %v, %v", d.Options(), err)
	}
}

func TestFiles(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	share := func(content string, send func(url string) *http.Request) answer {
		a := must(t, s, "files.getUploadURLExternal", args{"filename": "list.txt", "length": len(content)})
		if got, err := do(send(a.str("upload_url"))); err != nil || got.Status != 200 {
			return got
		}
		return call(t, s, "files.completeUploadExternal", args{"files": []args{{"id": a.str("file_id"), "title": "List"}}, "channel_id": slacktest.Ops, "initial_comment": "here"})
	}
	request := func(url, kind string, body []byte) *http.Request {
		r, _ := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	if a := share("plain", func(url string) *http.Request {
		return request(url, "application/octet-stream", []byte("plain"))
	}); a.err() != "" {
		t.Error(a)
	}
	if a := share("a form", func(url string) *http.Request {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, _ := form.CreateFormFile("file", "list.txt")
		_, _ = part.Write([]byte("a form"))
		_ = form.Close()
		return request(url, form.FormDataContentType(), body.Bytes())
	}); a.err() != "" {
		t.Error(a)
	}
	if a := share("longer", func(url string) *http.Request { return request(url, "text/plain", []byte("short")) }); a.Status != 400 {
		t.Errorf("another length than was said: %+v", a)
	}
	got := s.Files(slacktest.Ops)
	if len(got) != 2 || string(got[0].Content) != "plain" || string(got[1].Content) != "a form" || got[0].Title != "List" || got[0].Comment != "here" {
		t.Fatalf("the files are %+v", got)
	}
	if m := s.Messages(slacktest.Ops); len(m) != 2 || m[0].TS != got[0].TS || len(m[0].Files) != 1 {
		t.Errorf("the messages are %+v", m)
	}
	if c := s.Calls("upload"); len(c) != 3 || c[2].Error != "length_mismatch" {
		t.Errorf("the log is %+v", c)
	}
}

func TestSchema(t *testing.T) {
	validate := slacktest.BlockSchema(t)
	if err := validate(json.RawMessage(`[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]`)); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`[{"type":"section","text":{"type":"mrkdwn","txt":"x"}}]`, `[{"type":"marquee"}]`, `{}`, `[`} {
		if validate(json.RawMessage(bad)) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	// Where it is installed, New uses it without being told.
	s := slacktest.New(t, slacktest.Config{})
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": []args{{"type": "section", "text": mrkdwn("x"), "colour": "red"}}})
	if got := s.SchemaViolations(); len(got) != 1 || !strings.Contains(got[0], "colour") {
		t.Errorf("the violations are %v", got)
	}
}

func TestValidateIsAsked(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Validate: func(json.RawMessage) error { return http.ErrNotSupported }})
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": actions(button("B"))})
	if got := s.SchemaViolations(); len(got) != 1 || !strings.Contains(got[0], http.ErrNotSupported.Error()) {
		t.Errorf("the violations are %v", got)
	}
}
