package slacktest

import (
	"encoding/json"
	"net/http"
	"time"
)

// A response address works 5 times within 30 minutes: docs.slack.dev,
// handling-user-interaction.
const (
	hookUses = 5
	hookLife = 30 * time.Minute
)

// hook is a response address.
type hook struct {
	channel, user string
	original      *post // the message with the button; nil for a command
	born          time.Time
	used          int
}

// hookURL makes a response address. The lock is held.
func (s *Server) hookURL(channel, user string, original *post) string {
	id := s.id("R")
	s.hooks[id] = &hook{channel: channel, user: user, original: original, born: s.clock.Now()}
	return s.web.URL + "/hooks/" + id
}

// ExpireResponseURLs makes every response address that is out older than its 30
// minutes, for an app whose clock is not the fake's.
func (s *Server) ExpireResponseURLs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hooks {
		h.born = s.clock.Now().Add(-hookLife - time.Second)
	}
}

// ExpireTriggers makes every trigger id that is out older than its 3 s.
func (s *Server) ExpireTriggers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.triggers {
		t.born = s.clock.Now().Add(-triggerLife - time.Second)
	}
}

func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	c, bad := read(r)
	c.Method = "response_url"
	s.serve(w, r, c, func() (map[string]any, error) {
		if bad != nil {
			return nil, bad
		}
		return nil, s.respond(r.PathValue("id"), c)
	})
}

// gone is the answer of an address that is used up or has expired.
func gone(code string) error { return &apiError{code: code, status: http.StatusNotFound} }

// respond does what was posted to a response address. The lock is held.
func (s *Server) respond(id string, c *call) error {
	if err := s.allow(c); err != nil {
		return err
	}
	h := s.hooks[id]
	switch {
	case h == nil:
		return gone("no_service")
	case s.clock.Now().Sub(h.born) > hookLife:
		return gone("expired_url")
	case h.used >= hookUses:
		return gone("used_url")
	}
	m, err := s.responseMessage(c)
	if err != nil {
		return &apiError{code: err.Error(), status: http.StatusBadRequest}
	}
	h.used++
	s.apply(h, c, m)
	return nil
}

func (s *Server) responseMessage(c *call) (Message, error) {
	var m Message
	if c.flag("delete_original") {
		return m, nil
	}
	if err := s.content(c, &m); err != nil {
		return m, err
	}
	if m.empty() {
		return m, fail("no_text")
	}
	m.Metadata, m.ThreadTS = nil, c.str("thread_ts") // a response has no metadata
	m.Text = cut(m.Text)
	return m, nil
}

// apply posts, replaces or deletes. The address of a command has no original:
// replace_original posts a new message there (seen in slackapi/bolt-js#2287). That
// of a button replaces only when asked. The lock is held.
func (s *Server) apply(h *hook, c *call, m Message) {
	o := h.original
	if o != nil && o.Deleted {
		o = nil
	}
	switch {
	case c.flag("delete_original"):
		if o != nil {
			o.Deleted = true
			o.revise(s.clock.Now())
		}
	case c.flag("replace_original") && o != nil:
		o.Text, o.Blocks, o.Attachments = m.Text, m.Blocks, m.Attachments
		o.revise(s.clock.Now())
	default:
		m.Channel, m.User = h.channel, BotUser
		if c.str("response_type") != "in_channel" {
			m.Ephemeral, m.To = true, h.user
		}
		s.put(m)
	}
	s.touch()
}

// replyMessage does what the response in the acknowledgement of a command asks
// for: a message, ephemeral unless it says in_channel. The lock is held.
func (s *Server) replyMessage(d *Delivery, reply json.RawMessage) {
	if reply == nil {
		return
	}
	c := &call{}
	if json.Unmarshal(reply, &c.Args) != nil || c.Args == nil {
		return
	}
	if m, err := s.responseMessage(c); err == nil {
		s.apply(&hook{channel: d.channel, user: d.user}, c, m)
	}
}
