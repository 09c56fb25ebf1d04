package discordtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// ask lets a person run /backup list, with a session on the gateway, and gives the person.
func ask(t *testing.T, s *Server) (*Interaction, string) {
	t.Helper()
	if len(s.Commands("")) == 0 {
		register(t, s)
	}
	alis := s.AddUser("alis")
	i, err := s.Command(alis, s.ChannelID(), "/backup list", nil)
	if err != nil {
		t.Fatal(err)
	}
	return i, alis
}

func respond(t *testing.T, s *Server, i *Interaction, body object) answer {
	t.Helper()
	a, err := tryCall(t, s, "POST", "/interactions/"+i.ID+"/"+i.token+"/callback?with_response=true", body, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func hookPath(s *Server, i *Interaction, message string) string {
	path := "/webhooks/" + s.ApplicationID() + "/" + i.token
	if message != "" {
		path += "/messages/" + message
	}
	return path
}

func noon() *Clock { return NewClock(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)) }

func TestTooLate(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock})
	i, _ := ask(t, s)
	clock.Advance(3 * time.Second)
	if i.State() != Waiting {
		t.Errorf("after 3 s it is %s", i.State())
	}
	clock.Advance(time.Millisecond)
	if i.State() != Failed {
		t.Errorf("after more than 3 s it is %s", i.State())
	}
	if a := respond(t, s, i, object{"type": 5}); a.status != 404 || a.code() != 10062 {
		t.Errorf("a late answer gets %d %s", a.status, a.raw)
	}
	if _, err := i.WaitReply(within(t)); err == nil {
		t.Error("a failed interaction has a reply")
	}
}

// TestTooLateByTheWall: on the wall clock the failure wakes who waits for it.
func TestTooLateByTheWall(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	i, _ := ask(t, s)
	if state, err := i.WaitAcknowledged(within(t)); err != nil || state != Failed {
		t.Errorf("it is %s, %v", state, err)
	}
}

func TestAnsweredTwice(t *testing.T) {
	s := serve(t, Config{})
	i, _ := ask(t, s)
	a := respond(t, s, i, object{"type": 4, "data": object{"content": "one"}})
	if a.status != 200 || asObject(asObject(a.object()["resource"])["message"])["content"] != "one" {
		t.Errorf("with_response gives %d %s", a.status, a.raw)
	}
	if a := respond(t, s, i, object{"type": 4, "data": object{"content": "two"}}); a.status != 400 || a.code() != 40060 {
		t.Errorf("a second answer gets %d %s", a.status, a.raw)
	}
	if got := fmt.Sprint(s.Messages(s.ChannelID())); got != "[one]" {
		t.Errorf("people see %s", got)
	}
}

func TestTokenLife(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock, NoRateLimits: true})
	i, alis := ask(t, s)
	if a := call(t, s, "PATCH", hookPath(s, i, "@original"), object{"content": "early"}); a.status != 404 || a.code() != 10015 {
		t.Errorf("before the first answer: %d %s", a.status, a.raw)
	}
	if a := respond(t, s, i, object{"type": 5, "data": object{"flags": FlagEphemeral}}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if m := s.Ephemerals(alis, s.ChannelID()); len(m) != 1 || m[0].String() != "(thinking)" || i.State() != Thinking {
		t.Errorf("alis sees %v, %s", m, i.State())
	}
	clock.Advance(15 * time.Minute)
	if a := call(t, s, "GET", hookPath(s, i, "@original"), nil); a.status != 200 {
		t.Errorf("at 15 minutes: %d %s", a.status, a.raw)
	}
	clock.Advance(time.Millisecond)
	for _, c := range []answer{
		call(t, s, "PATCH", hookPath(s, i, "@original"), object{"content": "late"}), call(t, s, "POST", hookPath(s, i, ""), object{"content": "late"}),
		call(t, s, "DELETE", hookPath(s, i, "@original"), nil),
	} {
		if c.status != 401 || c.code() != 50027 {
			t.Errorf("after 15 minutes: %d %s", c.status, c.raw)
		}
	}
	if m := s.Ephemerals(alis, s.ChannelID()); !m[0].Failed || i.State() != Failed || !strings.Contains(m[0].String(), "did not respond") {
		t.Errorf("alis sees %v, %s", m, i.State())
	}
}

func TestFollowUps(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	i, alis := ask(t, s)
	respond(t, s, i, object{"type": 5})
	first := call(t, s, "POST", hookPath(s, i, ""), object{"content": "first"}) // fills what is thinking
	second := call(t, s, "POST", hookPath(s, i, ""), object{"content": "second", "flags": FlagEphemeral})
	if m, ok := i.Reply(); !ok || m.ID != first.id() || m.Content != "first" || i.State() != Answered {
		t.Errorf("the reply is %v, %s", m, i.State())
	}
	if m := s.Ephemerals(alis, s.ChannelID()); len(m) != 1 || m[0].ID != second.id() || len(i.Followups()) != 1 {
		t.Errorf("alis alone sees %v", m)
	}
	if others := s.Ephemerals(s.AddUser("ben"), s.ChannelID()); len(others) != 0 {
		t.Errorf("ben sees %v", others)
	}
	if a := call(t, s, "GET", "/channels/"+s.ChannelID()+"/messages/"+second.id(), nil); a.code() != 10008 {
		t.Errorf("an ephemeral message is in the channel: %s", a.raw)
	}
	if a := call(t, s, "PATCH", hookPath(s, i, second.id()), object{"content": "changed"}); a.status != 200 {
		t.Errorf("edit: %d %s", a.status, a.raw)
	}
	if a := call(t, s, "DELETE", hookPath(s, i, second.id()), nil); a.status != 204 {
		t.Errorf("delete: %d %s", a.status, a.raw)
	}
	if a := call(t, s, "GET", hookPath(s, i, second.id()), nil); a.code() != 10008 {
		t.Errorf("after it: %s", a.raw)
	}
	other, _ := ask(t, s)
	respond(t, s, other, object{"type": 4, "data": object{"content": "other"}})
	if a := call(t, s, "PATCH", hookPath(s, other, first.id()), object{"content": "stolen"}); a.code() != 10008 {
		t.Errorf("one token edits another's message: %s", a.raw)
	}
}

func TestResponseTypes(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	for _, c := range []struct {
		body object
		code int
	}{
		{object{"type": 6}, 50035}, {object{"type": 7, "data": object{"content": "x"}}, 50035}, {object{"type": 8, "data": object{"choices": []any{}}}, 50035},
		{object{"type": 99}, 50035}, {object{}, 50035}, {object{"type": 4, "data": object{}}, 50006}, {object{"type": 4, "data": object{"content": strings.Repeat("x", 2001)}}, 50035},
		{object{"type": 9, "data": object{"title": strings.Repeat("x", 46), "custom_id": "x", "components": []any{}}}, 50035},
	} {
		i, _ := ask(t, s)
		a := respond(t, s, i, c.body)
		if a.code() != c.code || i.Problem() == "" || i.State() != Failed {
			t.Errorf("%v gets %s, state %s", c.body, a.raw, i.State())
		}
		if a := respond(t, s, i, object{"type": 5}); a.status != 200 { // a refused answer is none
			t.Errorf("after a refused answer: %s", a.raw)
		}
	}
}

func TestButtonsAndMenus(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	c, _ := login(t, s, ordinary)
	alis := s.AddUser("alis")
	row := func(parts ...any) object { return object{"type": 1, "components": parts} }
	post := func() string {
		a := call(t, s, "POST", "/channels/"+s.ChannelID()+"/messages", object{"content": "run", "components": []any{
			row(object{"type": 2, "style": 1, "label": "Cancel", "custom_id": "cancel"}, object{"type": 2, "style": 1, "label": "Off", "custom_id": "off", "disabled": true}, object{"type": 2, "style": 5, "label": "Site", "url": "https://example.net"}),
			row(object{"type": 3, "custom_id": "menu", "placeholder": "Pick", "max_values": 2, "options": []any{object{"label": "A", "value": "a"}, object{"label": "B", "value": "b"}}}),
		}})
		c.next(opDispatch, "MESSAGE_CREATE")
		return a.id()
	}
	id := post()
	m, _ := s.Message(id)
	if got := m.String(); got != "run\n[Cancel] [Off (disabled)] [Site]" {
		t.Errorf("people see %q", got)
	}
	for _, wrong := range []string{"off", "Site", "Nothing"} {
		if _, err := s.Click(alis, id, wrong); err == nil {
			t.Errorf("%s can be clicked", wrong)
		}
	}
	for _, wrong := range [][]string{nil, {"c"}, {"a", "b", "a"}} {
		if _, err := s.Select(alis, id, "Pick", wrong...); err == nil {
			t.Errorf("%v can be selected", wrong)
		}
	}
	i, err := s.Click(alis, id, "Cancel")
	if err != nil {
		t.Fatal(err)
	}
	d := asObject(c.next(opDispatch, "INTERACTION_CREATE")["d"])
	if asObject(d["data"])["custom_id"] != "cancel" || asObject(d["message"])["id"] != id || asObject(asObject(d["member"])["user"])["id"] != alis {
		t.Errorf("the click is %v", d)
	}
	respond(t, s, i, object{"type": 7, "data": object{"content": "cancelled", "components": []any{}}})
	if m, err := i.WaitReply(within(t)); err != nil || m.ID != id || m.String() != "cancelled" || len(m.Edits) != 1 {
		t.Errorf("after the click: %v, %v", m, err)
	}
	c.next(opDispatch, "MESSAGE_UPDATE")
	id = post()
	if i, err = s.Select(alis, id, "menu", "a", "b"); err != nil {
		t.Fatal(err)
	}
	respond(t, s, i, object{"type": 6})
	if i.State() != Deferred {
		t.Errorf("a deferred update is %s", i.State())
	}
	call(t, s, "PATCH", hookPath(s, i, "@original"), object{"content": "both"})
	if m, err := i.WaitReply(within(t)); err != nil || m.ID != id || m.Content != "both" {
		t.Errorf("after it: %v, %v", m, err)
	}
}

func TestModal(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	i, alis := ask(t, s)
	label := object{"type": 18, "label": "Why?", "component": object{"type": 4, "custom_id": "why", "style": 1, "min_length": 3, "required": true}}
	old := object{"type": 1, "components": []any{object{"type": 4, "custom_id": "note", "style": 2, "label": "Note", "required": false, "value": "as it was"}}}
	if a := respond(t, s, i, object{"type": 9, "data": object{"custom_id": "restore", "title": "Restore", "components": []any{label, old}}}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	m, ok := s.Modal(alis)
	if !ok || m.Title != "Restore" || len(m.Inputs) != 2 || m.Inputs[0].Label != "Why?" || !m.Inputs[1].Paragraph || i.State() != ModalUp {
		t.Fatalf("alis sees %+v, %s", m, i.State())
	}
	for _, wrong := range []map[string]string{{}, {"Why?": "no"}, {"Why?": "because", "What?": "x"}} {
		if _, err := s.SubmitModal(alis, m, wrong); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
	sub, err := s.SubmitModal(alis, m, map[string]string{"why": "because"})
	if err != nil {
		t.Fatal(err)
	}
	want := `[map[component:map[custom_id:why id:2 type:4 value:because] id:1 type:18] map[components:[map[custom_id:note id:4 type:4 value:as it was]] id:3 type:1]]`
	if got := fmt.Sprint(sub.data["components"]); got != want {
		t.Errorf("the bot gets %s", got)
	}
	if _, up := s.Modal(alis); up {
		t.Error("the modal is still there")
	}
	if a := respond(t, s, sub, object{"type": 9, "data": object{}}); a.code() != 50035 {
		t.Errorf("a modal upon a modal: %s", a.raw)
	}
	if a := respond(t, s, sub, object{"type": 4, "data": object{"content": "thanks"}}); a.status != 200 {
		t.Errorf("%s", a.raw)
	}
	j, ben := ask(t, s)
	respond(t, s, j, object{"type": 9, "data": object{"custom_id": "x", "title": "X", "components": []any{label}}})
	m, _ = s.Modal(ben)
	s.CloseModal(m)
	if _, err := s.SubmitModal(ben, m, map[string]string{"why": "because"}); err == nil {
		t.Error("a closed modal is submitted")
	}
}
