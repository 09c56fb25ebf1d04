package discordtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// messageEvent is the message as the gateway shows it: without the intent for it the
// content stays hidden, except in direct messages, when the bot is mentioned, and of its own.
// https://discord.com/developers/docs/events/gateway#message-content-intent
func (s *Server) messageEvent(m *message, intents int) object {
	c, o := s.world.channels[m.channel], s.messageJSON(m)
	if intents&IntentMessageContent == 0 && c.dm == "" && m.author != s.world.bot && !slices.Contains(m.mentions, s.world.bot) {
		o["content"], o["embeds"], o["attachments"], o["components"] = "", []any{}, []any{}, []any{}
	}
	o["channel_type"] = 1
	if c.dm == "" {
		o["channel_type"], o["guild_id"] = 0, c.guild
		if mem := s.world.guilds[c.guild].members[m.author]; mem != nil {
			member := s.memberJSON(mem)
			delete(member, "user")
			o["member"] = member
		}
	}
	return o
}

func (s *Server) messageJSON(m *message) object {
	mentions, attachments := []any{}, []any{}
	for _, id := range m.mentions {
		mentions = append(mentions, userJSON(s.world.users[id]))
	}
	for _, a := range m.attachments {
		attachments = append(attachments, s.attachmentJSON(a))
	}
	o := object{
		"id": m.id, "type": 0, "channel_id": m.channel, "content": m.content, "author": userJSON(s.world.users[m.author]), "timestamp": stamp(m.created),
		"edited_timestamp": nil, "tts": false, "mention_everyone": m.everyone, "mentions": mentions, "mention_roles": list(m.roles),
		"attachments": attachments, "embeds": list(m.embeds), "components": list(m.components), "pinned": false, "flags": m.flags,
	}
	if !m.edited.IsZero() {
		o["edited_timestamp"] = stamp(m.edited)
	}
	if m.nonce != nil && s.Now().Sub(m.created) < nonceWindow { // the vendor does not keep it
		o["nonce"] = m.nonce
	}
	if m.replyTo != "" {
		o["type"], o["message_reference"] = 19, object{"type": 0, "channel_id": m.channel, "message_id": m.replyTo}
	}
	if i := m.interaction; i != nil {
		o["application_id"], o["webhook_id"] = s.world.app, s.world.app
		if i.kind == typeCommand {
			o["type"] = 20
			o["interaction_metadata"] = object{
				"id": i.ID, "type": i.kind, "user": userJSON(s.world.users[i.User]), "authorizing_integration_owners": object{"0": cmp.Or(i.guild, "0")}, "name": i.name,
				"command_type": 1,
			}
		}
	}
	return o
}

func (s *Server) attachmentJSON(a attachment) object {
	url := s.URL() + "/attachments/" + a.id + "/" + a.file.Name
	o := object{"id": a.id, "filename": a.file.Name, "size": len(a.file.Data), "url": url, "proxy_url": url}
	if a.file.Description != "" {
		o["description"] = a.file.Description
	}
	if a.file.Type != "" {
		o["content_type"] = a.file.Type
	}
	return o
}

func (s *Server) serveAttachment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f, is := s.talk.attached[r.PathValue("id")]
	s.mu.Unlock()
	if !is {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Data)))
	_, _ = w.Write(f.Data) // the reader may leave early
}
