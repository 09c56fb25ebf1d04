package discordtest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Flags of messages, https://discord.com/developers/docs/resources/message#message-object-message-flags.
const (
	FlagEphemeral    = 1 << 6
	FlagLoading      = 1 << 7
	FlagComponentsV2 = 1 << 15
)

// nonceWindow is how long a nonce is remembered. The vendor says "the past few minutes".
const nonceWindow = 3 * time.Minute

type attachment struct {
	id   string
	file File
}

type message struct {
	id, channel, author string
	content             string
	embeds, components  []any
	attachments         []attachment
	flags               int
	nonce               any
	created             time.Time
	edits               []Edit
	edited              time.Time
	deleted             bool
	ephemeralTo         string
	interaction         *Interaction // which it answers
	replyTo             string
	mentions            []string // people who are notified
	roles               []string
	everyone            bool
}

// talk is all that was said.
type talk struct {
	messages     []*message
	interactions map[string]*Interaction // by id
	tokens       map[string]*Interaction
	nonces       map[string]nonced
	attached     map[string]File
}

type nonced struct {
	message *message
	at      time.Time
}

func (t *talk) init() {
	t.interactions, t.tokens, t.nonces = map[string]*Interaction{}, map[string]*Interaction{}, map[string]nonced{}
	t.attached = map[string]File{}
}

func (t *talk) find(channelID, id string) *message {
	for _, m := range t.messages {
		if m.id == id && m.channel == channelID && !m.deleted {
			return m
		}
	}
	return nil
}

func (s *Server) messageRoutes() {
	const all, one = "/channels/{channel}/messages", "/channels/{channel}/messages/{message}"
	s.authorised("POST "+all, s.createMessage)
	s.authorised("GET "+all, s.listMessages)
	s.authorised("GET "+one, s.getMessage)
	s.authorised("PATCH "+one, s.editMessage)
	s.authorised("DELETE "+one, s.deleteMessage)
}

func (s *Server) createMessage(req *request) reply {
	c, bad := s.reach(req.PathValue("channel"))
	if bad != nil {
		return *bad
	}
	if bad := s.maySend(c, req); bad != nil {
		return *bad
	}
	if bad := checkMessage(req.body, req.files, nil); bad != nil {
		return *bad
	}
	// https://discord.com/developers/docs/resources/message#create-message: with
	// enforce_nonce a nonce seen in the past few minutes from the same author gives that message again.
	key := c.id + ":" + fmt.Sprint(req.body["nonce"])
	if had, is := s.talk.nonces[key]; is && req.body["nonce"] != nil && req.body["enforce_nonce"] == true && s.Now().Sub(had.at) < nonceWindow {
		return ok(s.messageJSON(had.message))
	}
	m := s.newMessage(c.id, s.world.bot)
	m.fill(s, req.body, req.files)
	if ref, is := req.body["message_reference"].(object); is {
		m.replyTo, _ = ref["message_id"].(string)
	}
	if m.nonce = req.body["nonce"]; m.nonce != nil {
		s.talk.nonces[key] = nonced{m, s.Now()}
	}
	s.publish(m, "MESSAGE_CREATE")
	return ok(s.messageJSON(m))
}

func (s *Server) maySend(c *channel, req *request) *reply {
	embeds, _ := req.body["embeds"].([]any)
	r := missingPermissions()
	switch {
	case c.dm != "" && s.world.users[c.dm].noDM:
		r = failure(http.StatusForbidden, 50007, "Cannot send messages to this user")
	case !c.perms.Send, len(embeds) > 0 && !c.perms.EmbedLinks, len(req.files) > 0 && !c.perms.AttachFiles:
	default:
		return nil
	}
	return &r
}

func (s *Server) newMessage(channelID, author string) *message {
	m := &message{id: s.id(), channel: channelID, author: author, created: s.Now()}
	s.talk.messages = append(s.talk.messages, m)
	return m
}

// fill takes over what a body says; what it does not name stays.
func (m *message) fill(s *Server, body object, files []File) {
	if v, named := body["content"]; named {
		m.content, _ = v.(string)
	}
	if v, named := body["embeds"]; named {
		m.embeds = nil
		for _, e := range array(v) {
			m.embeds = append(m.embeds, finishedEmbed(e))
		}
	}
	if v, named := body["components"]; named {
		n := 0
		m.components, _ = finishedComponents(v, &n).([]any)
	}
	if v, named := body["flags"]; named {
		m.flags = m.flags&(FlagEphemeral|FlagComponentsV2) | integer(v)
	}
	if v, named := body["attachments"].([]any); named {
		m.keep(v)
	}
	m.attached(s, body, files)
	m.mentions, m.roles, m.everyone = s.pings(m.content, body["allowed_mentions"])
}

// keep drops the attachments that an edit does not name any more.
func (m *message) keep(named []any) {
	m.attachments = slices.DeleteFunc(m.attachments, func(a attachment) bool {
		return !slices.ContainsFunc(named, func(v any) bool { o, _ := v.(object); return o["id"] == a.id })
	})
}

// publish tells everybody who listens of a message.
func (s *Server) publish(m *message, event string) {
	s.notify()
	if m.ephemeralTo != "" {
		return
	}
	c := s.world.channels[m.channel]
	intent := intentGuildMessages
	if c.dm != "" {
		intent = intentDirectMessages
	}
	s.dispatchFor(intent, c.guild, event, func(intents int) object { return s.messageEvent(m, intents) })
}

// reachMessage finds a message that the bot may read.
func (s *Server) reachMessage(req *request) (*channel, *message, *reply) {
	c, bad := s.reach(req.PathValue("channel"))
	if bad != nil {
		return nil, nil, bad
	}
	m := s.talk.find(c.id, req.PathValue("message"))
	if m == nil || m.ephemeralTo != "" {
		r := unknownMessage()
		return nil, nil, &r
	}
	return c, m, nil
}

func (s *Server) getMessage(req *request) reply {
	c, m, bad := s.reachMessage(req)
	if bad != nil {
		return *bad
	}
	if !c.perms.ReadHistory {
		return missingPermissions()
	}
	return ok(s.messageJSON(m))
}

func (s *Server) editMessage(req *request) reply {
	c, m, bad := s.reachMessage(req)
	if bad != nil {
		return *bad
	}
	if m.author != s.world.bot {
		return failure(http.StatusForbidden, 50005, "Cannot edit a message authored by another user")
	}
	if embeds := array(req.body["embeds"]); len(embeds) > 0 && !c.perms.EmbedLinks {
		return missingPermissions()
	}
	return s.edit(m, req)
}

// edit changes a message and keeps what it was.
func (s *Server) edit(m *message, req *request) reply {
	if bad := checkEdit(m, req.body, req.files); bad != nil {
		return *bad
	}
	m.fill(s, req.body, req.files)
	m.edited = s.Now()
	m.edits = append(m.edits, Edit{At: m.edited, Content: m.content, Text: s.view(m).Text()})
	s.publish(m, "MESSAGE_UPDATE")
	return ok(s.messageJSON(m))
}

func (s *Server) deleteMessage(req *request) reply {
	_, m, bad := s.reachMessage(req)
	if bad != nil {
		return *bad
	}
	if m.author != s.world.bot {
		return missingPermissions()
	}
	s.remove(m)
	return noContent()
}

func (s *Server) remove(m *message) {
	m.deleted = true
	c := s.world.channels[m.channel]
	intent := intentGuildMessages
	if c.dm != "" {
		intent = intentDirectMessages
	}
	if m.ephemeralTo == "" {
		s.dispatch(intent, c.guild, "MESSAGE_DELETE", object{"id": m.id, "channel_id": m.channel})
	}
	s.notify()
}

func array(v any) []any { a, _ := v.([]any); return a }

func integer(v any) int { f, _ := v.(float64); return int(f) }
