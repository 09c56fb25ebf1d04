package slacktest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of messages: docs.slack.dev, chat.postMessage and chat.update.
const (
	maxText        = 40000 // Slack cuts the text of a longer new message off
	maxUpdateText  = 4000  // chat.update refuses a longer one
	maxAttachments = 100
)

// channel finds where to post or read. The lock is held.
func (s *Server) channel(name string) (*Channel, error) {
	if c := s.channels[name]; c != nil {
		return c, nil
	}
	return nil, fail("channel_not_found")
}

// writable is the channel that may be posted in. The lock is held.
func (s *Server) writable(name string) (*Channel, error) {
	if u := s.users[name]; u != nil && !u.Bot {
		return s.direct(name), nil // a person's id posts into the direct messages
	}
	if n, ok := strings.CutPrefix(name, "#"); ok {
		for _, c := range s.channels {
			if c.Name == n {
				name = c.ID
			}
		}
	}
	ch, err := s.channel(name)
	switch {
	case err != nil:
		return nil, err
	case ch.Archived:
		return nil, fail("is_archived")
	case slices.Contains(ch.Members, BotUser):
		return ch, nil
	case ch.ID[0] != 'C':
		return nil, fail("channel_not_found") // a private channel does not show itself
	case !slices.Contains(s.tokens[BotToken].scopes, "chat:write.public"):
		return nil, fail("not_in_channel")
	}
	return ch, nil
}

// content reads and checks what a message is made of. The lock is held.
func (s *Server) content(c *call, m *Message) error {
	m.Text = c.str("text")
	var err error
	if m.Blocks, err = s.blocks(c, "blocks", maxMessageBlocks); err != nil {
		return err
	}
	if raw := c.raw("attachments"); raw != nil {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return fail("invalid_attachments")
		}
		if len(list) > maxAttachments {
			return fail("too_many_attachments")
		}
		m.Attachments = raw
	}
	if raw := c.raw("metadata"); raw != nil {
		var meta struct {
			EventType    string          `json:"event_type"`
			EventPayload json.RawMessage `json:"event_payload"`
		}
		err := json.Unmarshal(raw, &meta)
		// slack-go writes both fields empty where there is no metadata.
		bare := len(meta.EventPayload) == 0 || string(meta.EventPayload) == "null"
		if err != nil || bare != (meta.EventType == "") {
			return fail("invalid_metadata_format")
		}
		m.Metadata = raw
		if bare {
			m.Metadata = json.RawMessage("{}")
		}
	}
	return nil
}

func (m *Message) empty() bool {
	return m.Text == "" && blank(m.Blocks) && blank(m.Attachments)
}

func blank(raw json.RawMessage) bool { return len(raw) == 0 || bytes.Equal(raw, []byte("[]")) }

func cut(text string) string {
	if utf8.RuneCountInString(text) > maxText {
		return string([]rune(text)[:maxText])
	}
	return text
}

func (s *Server) postMessage(c *call) (map[string]any, error) {
	ch, err := s.writable(c.str("channel"))
	if err != nil {
		return nil, err
	}
	m := Message{Channel: ch.ID, User: BotUser, ThreadTS: c.str("thread_ts")}
	if err := s.content(c, &m); err != nil {
		return nil, err
	}
	if m.empty() {
		return nil, fail("no_text")
	}
	m.Text = cut(m.Text)
	p := s.put(m)
	s.echo(p, "", nil)
	return map[string]any{"channel": ch.ID, "ts": p.TS, "message": p.json(true)}, nil
}

func (s *Server) postEphemeral(c *call) (map[string]any, error) {
	ch, err := s.writable(c.str("channel"))
	if err != nil {
		return nil, err
	}
	user := c.str("user")
	if s.users[user] == nil || !slices.Contains(ch.Members, user) {
		return nil, fail("user_not_in_channel")
	}
	m := Message{Channel: ch.ID, User: BotUser, ThreadTS: c.str("thread_ts"), Ephemeral: true, To: user}
	if err := s.content(c, &m); err != nil {
		return nil, err
	}
	if m.empty() {
		return nil, fail("no_text")
	}
	p := s.put(m)
	return map[string]any{"message_ts": p.TS}, nil
}

// own finds a message of the bot's that may be changed. An ephemeral one is not
// found: Slack does not keep them. The lock is held.
func (s *Server) own(c *call, refusal string) (*post, error) {
	ch, err := s.channel(c.str("channel"))
	if err != nil {
		return nil, err
	}
	p := s.find(ch.ID, c.str("ts"))
	switch {
	case p == nil:
		return nil, fail("message_not_found")
	case p.User != BotUser:
		return nil, fail(refusal)
	case ch.Archived:
		return nil, fail("is_archived")
	}
	return p, nil
}

func (s *Server) updateMessage(c *call) (map[string]any, error) {
	p, err := s.own(c, "cant_update_message")
	if err != nil {
		return nil, err
	}
	var m Message
	if err := s.content(c, &m); err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(m.Text) > maxUpdateText {
		return nil, fail("msg_too_long")
	}
	if !c.has("text") && !c.has("blocks") && !c.has("attachments") {
		return nil, fail("no_text")
	}
	before := p.json(true)
	p.change(c, m)
	p.revise(s.clock.Now())
	s.echo(p, "message_changed", before)
	return map[string]any{"channel": p.Channel, "ts": p.TS, "text": p.Text, "message": p.json(true)}, nil
}

// change takes over what was given. The page of chat.update: blocks that are not
// given stay only when no text is given either; attachments and metadata stay
// unless given; an empty list or object removes them.
func (p *post) change(c *call, m Message) {
	if c.has("text") || c.has("blocks") {
		p.Blocks = m.Blocks
	}
	if c.has("text") {
		p.Text = m.Text
	}
	if c.has("attachments") {
		p.Attachments = m.Attachments
	}
	if c.has("metadata") {
		p.Metadata = m.Metadata
	}
}

func (s *Server) deleteMessage(c *call) (map[string]any, error) {
	p, err := s.own(c, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	before := p.json(true)
	p.Deleted = true
	p.revise(s.clock.Now())
	s.echo(p, "message_deleted", before)
	return map[string]any{"channel": p.Channel, "ts": p.TS}, nil
}

// json is a message as Slack shows it to the app.
func (p *post) json(metadata bool) map[string]any {
	out := map[string]any{"type": "message", "ts": p.TS, "user": p.User, "text": p.Text, "team": TeamID}
	if p.User == BotUser {
		out["bot_id"], out["app_id"] = BotID, AppID
	}
	if p.ThreadTS != "" {
		out["thread_ts"] = p.ThreadTS
	}
	if !blank(p.Blocks) {
		out["blocks"] = p.Blocks
	}
	if !blank(p.Attachments) {
		out["attachments"] = p.Attachments
	}
	if metadata && len(p.Metadata) > 0 && string(p.Metadata) != "{}" {
		out["metadata"] = p.Metadata
	}
	// The page of chat.update: a message that shows blocks gets no edited mark.
	if p.Edits > 0 && !p.Deleted && blank(p.Blocks) {
		at := p.History[len(p.History)-1].At
		out["edited"] = map[string]any{"user": p.User, "ts": stamp(at)}
	}
	return out
}
