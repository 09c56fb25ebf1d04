package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Command is a person who types a slash command: name with its slash, text the
// rest of the line. In a channel where people are, the bot need not be.
func (s *Server) Command(user, channel, name, text string, opts ...Option) *Delivery {
	s.mu.Lock()
	u, ch := s.users[user], s.channels[channel]
	if channel == DirectID(user) {
		ch = s.direct(user)
	}
	if u == nil || ch == nil {
		s.mu.Unlock()
		return s.refuse(fmt.Errorf("%s cannot type in %s: one of them does not exist", user, channel))
	}
	d := &Delivery{Kind: "slash_commands", TriggerID: s.newTrigger(user), ResponseURL: s.hookURL(channel, user, nil), user: user, channel: channel, accepts: true, done: s.replyMessage}
	d.Payload = encode(map[string]string{
		"token": "legacy", "team_id": TeamID, "team_domain": "keepwatch-test", "channel_id": channel, "channel_name": channelName(ch), "user_id": user, "user_name": u.Name,
		"command": name, "text": text, "api_app_id": AppID, "is_enterprise_install": "false", "response_url": d.ResponseURL, "trigger_id": d.TriggerID,
	})
	s.mu.Unlock()
	return s.start(d, opts)
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // made of maps, strings and RawMessages that were JSON before
	}
	return raw
}

func channelName(ch *Channel) string {
	switch ch.ID[0] {
	case 'D':
		return "directmessage"
	case 'G':
		return "privategroup"
	}
	return ch.Name
}

// Surface is something with buttons on it: a [Message] or a [View], as it was when
// the person looked.
type Surface interface{ surface() (Message, View) }

func (m Message) surface() (Message, View) { return m, View{} }
func (v View) surface() (Message, View)    { return Message{}, v }

// look finds an element by its action id, else by its label.
func look(blocks json.RawMessage, what string) (use, error) {
	all := usable(blocks)
	var names []string
	for _, u := range all {
		if u.element.str("action_id") == what {
			return u, nil
		}
		names = append(names, fmt.Sprintf("%q", u.label()))
	}
	for _, u := range all {
		if u.label() == what {
			return u, nil
		}
	}
	return use{}, fmt.Errorf("there is nothing called %q to use; there is %s", what, strings.Join(names, ", "))
}

// Click is a person who presses a button, named by its label or action id.
// on is what the person sees, which may be out of date. A confirmation is given.
func (s *Server) Click(user string, on Surface, what string, opts ...Option) *Delivery {
	return s.act(user, on, what, nil, opts)
}

// Select is a person who uses a select, an overflow menu, radio buttons, a date or
// time picker (also one of several values: pass a []string). An option is named by
// its value or its label.
func (s *Server) Select(user string, on Surface, what string, value any, opts ...Option) *Delivery {
	return s.act(user, on, what, value, opts)
}

func (s *Server) act(user string, on Surface, what string, value any, opts []Option) *Delivery {
	m, v := on.surface()
	blocks := m.Blocks
	if v.ID != "" {
		blocks = v.Blocks
	}
	u, err := look(blocks, what)
	if err != nil {
		return s.refuse(err)
	}
	action := map[string]any{"action_id": u.element.str("action_id"), "block_id": u.block.str("block_id"), "type": u.element.str("type")}
	if u.element.str("type") == "button" {
		action["text"] = u.element["text"]
		for _, name := range []string{"value", "url", "style"} {
			if u.element.has(name) {
				action[name] = u.element[name]
			}
		}
	} else {
		chosen, err := valueOf(u, value)
		if err != nil {
			return s.refuse(err)
		}
		maps.Copy(action, chosen)
	}
	s.mu.Lock()
	action["action_ts"] = s.ts()
	d := s.interaction(actionsCallback, user, m, v)
	d.Payload = encode(s.actionPayload(d, user, m, v, u, action))
	s.mu.Unlock()
	return s.start(d, opts)
}

// interaction makes the delivery of something that a person did. The lock is held.
func (s *Server) interaction(kind, user string, m Message, v View) *Delivery {
	d := &Delivery{Kind: "interactive", user: user, channel: m.Channel, accepts: kind == submitCallback || kind == "block_suggestion"}
	if kind == actionsCallback || kind == submitCallback {
		d.TriggerID = s.newTrigger(user)
	}
	if kind == actionsCallback && m.TS != "" {
		d.ResponseURL = s.hookURL(m.Channel, user, s.original(m))
	}
	return d
}

// original is the kept message behind a copy. The lock is held.
func (s *Server) original(m Message) *post {
	for _, p := range slices.Concat(s.posts[m.Channel], s.whispers) {
		if p.TS == m.TS && p.Channel == m.Channel {
			return p
		}
	}
	return nil
}

func (s *Server) base(kind, user string) map[string]any {
	name := user
	if u := s.users[user]; u != nil {
		name = u.Name
	}
	return map[string]any{"type": kind, "token": "legacy", "api_app_id": AppID, "team": map[string]any{"id": TeamID, "domain": "keepwatch-test"}, "enterprise": nil, "is_enterprise_install": false,
		"user": map[string]any{"id": user, "username": name, "name": name, "team_id": TeamID}}
}

func (s *Server) actionPayload(d *Delivery, user string, m Message, v View, u use, action map[string]any) map[string]any {
	p := s.base(actionsCallback, user)
	p["trigger_id"], p["actions"] = d.TriggerID, []any{action}
	if v.ID != "" {
		kept := s.kept(v)
		if u.element.str("type") != "button" {
			kept.note(u, action)
		}
		p["container"] = map[string]any{"type": "view", "view_id": v.ID}
		p["view"] = kept.json()
		return p
	}
	p["response_url"] = d.ResponseURL
	p["container"] = map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral}
	if ch := s.channels[m.Channel]; ch != nil {
		p["channel"] = map[string]any{"id": ch.ID, "name": channelName(ch)}
	}
	if !m.Ephemeral { // an ephemeral message does not come along: Slack has not kept it
		p["message"] = (&post{m}).json(true)
	}
	state := map[string]any{}
	if u.element.str("type") != "button" {
		state[u.block.str("block_id")] = map[string]any{u.element.str("action_id"): stateOf(action)}
	}
	p["state"] = map[string]any{"values": state}
	return p
}

// kept is the fake's own of a view, or one made from the copy when it has gone.
// The lock is held.
func (s *Server) kept(v View) *view {
	if h := s.homes[v.User]; h != nil && h.ID == v.ID {
		return h
	}
	if found := s.viewBy(func(o *view) bool { return o.ID == v.ID }); found != nil {
		return found
	}
	return &view{View: v, state: map[string]map[string]any{}}
}

// Suggest is a person who types into an external select; the options that come
// back are in [Delivery.Reply] and [Delivery.Options].
func (s *Server) Suggest(user string, on Surface, what, typed string, opts ...Option) *Delivery {
	m, v := on.surface()
	blocks := m.Blocks
	if v.ID != "" {
		blocks = v.Blocks
	}
	u, err := look(blocks, what)
	if err != nil {
		return s.refuse(err)
	}
	s.mu.Lock()
	d := s.interaction("block_suggestion", user, m, v)
	p := s.base("block_suggestion", user)
	p["action_id"], p["block_id"], p["value"] = u.element.str("action_id"), u.block.str("block_id"), typed
	if v.ID != "" {
		p["container"], p["view"] = map[string]any{"type": "view", "view_id": v.ID}, s.kept(v).json()
	} else {
		p["container"] = map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral}
		p["channel"] = map[string]any{"id": m.Channel}
	}
	d.Payload = encode(p)
	s.mu.Unlock()
	return s.start(d, opts)
}

// Options are the labels that answered a Suggest.
func (d *Delivery) Options() []string {
	var reply object
	if json.Unmarshal(d.Reply(), &reply) != nil {
		return nil
	}
	var labels []string
	for _, o := range allOptions(reply) {
		labels = append(labels, textOf(o.obj("text")))
	}
	return labels
}
