package slacktest

import (
	"bytes"
	"encoding/json"
	"time"
)

// Limits of views: docs.slack.dev, views.open and views.push.
const (
	triggerLife     = 3 * time.Second
	maxStack        = 3
	maxTitle        = 24
	maxPrivate      = 3000
	maxViewBytes    = 250 << 10
	viewModal       = "modal"
	viewHome        = "home"
	submitCallback  = "view_submission"
	closedCallback  = "view_closed"
	actionsCallback = "block_actions"
)

// View is a modal or an app home as a person sees it.
type View struct {
	ID, User, Type, CallbackID  string
	Title, Submit, Close        string
	PrivateMetadata, ExternalID string
	Hash, RootID, PreviousID    string
	Blocks                      json.RawMessage
	Errors                      map[string]string // by block id, after a refused submission
	Revisions                   int               // how often it was changed by the app
}

// Plain is what a person reads in it, with the title first.
func (v View) Plain() string {
	if v.Title == "" {
		return PlainText(v.Blocks)
	}
	return v.Title + "\n" + PlainText(v.Blocks)
}

// Buttons are those in its blocks.
func (v View) Buttons() []Button { return Buttons(v.Blocks) }

// view is a View in the fake's keeping.
type view struct {
	View
	clear, notify bool // clear_on_close, notify_on_close
	state         map[string]map[string]any
}

type trigger struct {
	user string
	born time.Time
	used bool
}

// newTrigger makes a trigger id. The lock is held.
func (s *Server) newTrigger(user string) string {
	id := s.id("1000.2000.")
	s.triggers[id] = &trigger{user: user, born: s.clock.Now()}
	return id
}

// spend uses a trigger id, which works once and for 3 s. The lock is held.
func (s *Server) spend(c *call) (string, error) {
	id := c.str("trigger_id")
	if id == "" {
		id = c.str("interactivity_pointer")
	}
	t := s.triggers[id]
	switch {
	case t == nil:
		return "", fail("invalid_trigger_id")
	case t.used:
		return "", fail("exchanged_trigger_id")
	case s.clock.Now().Sub(t.born) > triggerLife:
		return "", fail("expired_trigger_id")
	}
	t.used = true
	return t.user, nil
}

// parseView reads and checks the argument view. The lock is held.
func (s *Server) parseView(raw json.RawMessage, user string) (*view, error) {
	var o object
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if raw == nil || dec.Decode(&o) != nil || o == nil {
		return nil, invalidArguments("missing required field: view")
	}
	if len(raw) > maxViewBytes {
		return nil, fail("view_too_large")
	}
	k := &checker{}
	kind := o.str("type")
	if kind != viewModal && kind != viewHome {
		k.say("/view/type", "unsupported type: %s", kind)
	}
	k.text("/view/title", o, "title", plainOnly, maxTitle, kind == viewModal)
	k.text("/view/submit", o, "submit", plainOnly, maxTitle, false)
	k.text("/view/close", o, "close", plainOnly, maxTitle, false)
	k.length("/view/private_metadata", o.str("private_metadata"), 0, maxPrivate)
	k.length("/view/callback_id", o.str("callback_id"), 0, maxID)
	if o["blocks"] == nil {
		k.say("/view", "missing required field: blocks")
	}
	for _, b := range o.list("blocks") {
		if b.str("type") == "input" && kind == viewModal && !o.has("submit") {
			k.say("/view/submit", "submit is required when an input block is within blocks")
			break
		}
	}
	if len(k.faults) > 0 {
		return nil, invalidArguments(k.faults...)
	}
	rawBlocks, err := json.Marshal(o["blocks"])
	if err != nil {
		return nil, fail("invalid_json")
	}
	blocks, err := s.checked(rawBlocks, o.list("blocks"), maxViewBlocks)
	if err != nil {
		return nil, asArguments(err)
	}
	v := &view{state: map[string]map[string]any{}, clear: o.flag("clear_on_close"), notify: o.flag("notify_on_close")}
	v.View = View{ID: s.id("V"), User: user, Type: kind, CallbackID: o.str("callback_id"), Title: textOf(o.obj("title")), Submit: textOf(o.obj("submit")), Close: textOf(o.obj("close")),
		PrivateMetadata: o.str("private_metadata"), ExternalID: o.str("external_id"), Blocks: blocks, Hash: s.id("h")}
	v.RootID = v.ID
	return v, nil
}

func invalidArguments(messages ...string) error {
	return &apiError{code: "invalid_arguments", extra: map[string]any{"response_metadata": map[string]any{"messages": messages}}}
}

// asArguments: in a view bad blocks are invalid_arguments.
func asArguments(err error) error {
	if e, ok := err.(*apiError); ok && e.code == "invalid_blocks" {
		return &apiError{code: "invalid_arguments", extra: e.extra}
	}
	return err
}

func (v *view) json() map[string]any {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return map[string]any{"type": "plain_text", "text": s, "emoji": true}
	}
	values := map[string]any{}
	for block, actions := range v.state {
		values[block] = actions
	}
	out := map[string]any{"id": v.ID, "team_id": TeamID, "app_id": AppID, "bot_id": BotID, "app_installed_team_id": TeamID, "type": v.Type, "callback_id": v.CallbackID, "private_metadata": v.PrivateMetadata,
		"external_id": v.ExternalID, "blocks": v.Blocks, "hash": v.Hash, "root_view_id": v.RootID, "previous_view_id": nil, "title": text(v.Title), "submit": text(v.Submit), "close": text(v.Close),
		"clear_on_close": v.clear, "notify_on_close": v.notify, "state": map[string]any{"values": values}}
	if v.PreviousID != "" {
		out["previous_view_id"] = v.PreviousID
	}
	return out
}

func (s *Server) viewOpen(c *call) (map[string]any, error) {
	v, err := s.parseView(c.raw("view"), "")
	if err != nil {
		return nil, err
	}
	if s.duplicate(v) {
		return nil, fail("duplicate_external_id")
	}
	user, err := s.spend(c)
	if err != nil {
		return nil, err
	}
	v.User = user
	s.modals[user] = []*view{v}
	return map[string]any{"view": v.json()}, nil
}

func (s *Server) duplicate(v *view) bool {
	old := s.viewBy(func(o *view) bool { return v.ExternalID != "" && o.ExternalID == v.ExternalID })
	return old != nil
}

func (s *Server) viewPush(c *call) (map[string]any, error) {
	v, err := s.parseView(c.raw("view"), "")
	if err != nil {
		return nil, err
	}
	user, err := s.spend(c)
	if err != nil {
		return nil, err
	}
	if err := s.push(user, v); err != nil {
		return nil, err
	}
	return map[string]any{"view": v.json()}, nil
}

// push lays a view on top of the others. The lock is held.
func (s *Server) push(user string, v *view) error {
	stack := s.modals[user]
	switch {
	case len(stack) == 0:
		return fail("not_found")
	case len(stack) >= maxStack:
		return fail("push_limit_reached")
	}
	top := stack[len(stack)-1]
	v.User, v.RootID, v.PreviousID = user, top.RootID, top.ID
	s.modals[user] = append(stack, v)
	return nil
}

// viewBy finds an open modal. The lock is held.
func (s *Server) viewBy(cond func(*view) bool) *view {
	for _, stack := range s.modals {
		for _, v := range stack {
			if cond(v) {
				return v
			}
		}
	}
	return nil
}

func (s *Server) viewUpdate(c *call) (map[string]any, error) {
	old := s.viewBy(func(v *view) bool {
		return v.ID == c.str("view_id") || c.has("external_id") && v.ExternalID == c.str("external_id")
	})
	if old == nil {
		return nil, fail("not_found")
	}
	v, err := s.parseView(c.raw("view"), old.User)
	if err != nil {
		return nil, err
	}
	if c.has("hash") && c.str("hash") != old.Hash {
		return nil, fail("hash_conflict")
	}
	old.become(v)
	return map[string]any{"view": old.json()}, nil
}

// become takes over what another view shows; what the person has filled in stays
// where block and action keep their ids.
func (v *view) become(n *view) {
	n.ID, n.RootID, n.PreviousID, n.Revisions, n.state = v.ID, v.RootID, v.PreviousID, v.Revisions+1, v.state
	n.User = v.User
	*v = *n
}

func (s *Server) viewPublish(c *call) (map[string]any, error) {
	user := c.str("user_id")
	if s.users[user] == nil {
		return nil, invalidArguments("[ERROR] user_id is not a user [json-pointer:/user_id]")
	}
	v, err := s.parseView(c.raw("view"), user)
	if err != nil {
		return nil, err
	}
	old := s.homes[user]
	if old == nil {
		s.homes[user] = v
		return map[string]any{"view": v.json()}, nil
	}
	if c.has("hash") && c.str("hash") != old.Hash {
		return nil, fail("hash_conflict")
	}
	old.become(v)
	return map[string]any{"view": old.json()}, nil
}

// View is the modal that the person sees, if one is open.
func (s *Server) View(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stack := s.modals[user]
	if len(stack) == 0 {
		return View{}, false
	}
	return stack[len(stack)-1].View, true
}

// Home is the person's app home, if the app has published one.
func (s *Server) Home(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.homes[user]
	if v == nil {
		return View{}, false
	}
	return v.View, true
}
