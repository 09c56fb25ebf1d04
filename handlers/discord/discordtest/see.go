package discordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Messages are all that everybody in a channel sees, in order, without the deleted ones.
func (s *Server) Messages(channelID string) []Message {
	return s.see(func(m *message) bool { return m.channel == channelID && m.ephemeralTo == "" && !m.deleted })
}

// Ephemerals are the messages in a channel that one person alone sees.
func (s *Server) Ephemerals(userID, channelID string) []Message {
	return s.see(func(m *message) bool { return m.channel == channelID && m.ephemeralTo == userID && !m.deleted })
}

// Message is one message, deleted or not.
func (s *Server) Message(id string) (Message, bool) {
	found := s.see(func(m *message) bool { return m.id == id })
	if len(found) == 0 {
		return Message{}, false
	}
	return found[0], true
}

// WaitMessage waits for a message that everybody in a channel sees and that fits, and gives the last such.
func (s *Server) WaitMessage(ctx context.Context, channelID, what string, fits func(Message) bool) (Message, error) {
	var found Message
	err := s.Wait(ctx, what, func() bool {
		for _, m := range slices.Backward(s.Messages(channelID)) {
			if fits(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, err
}

// DMChannel is the channel of direct messages between a person and the bot.
func (s *Server) DMChannel(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dmChannel(userID).id
}

func (s *Server) see(which func(*message) bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.talk.messages {
		if which(m) {
			out = append(out, s.view(m))
		}
	}
	return out
}

func (s *Server) view(m *message) Message {
	v := Message{
		ID: m.id, Channel: m.channel, Author: m.author, Content: m.content, Components: m.components, Flags: m.flags, Nonce: m.nonce,
		Created: m.created, Edits: slices.Clone(m.edits), Deleted: m.deleted, Ephemeral: m.ephemeralTo != "", ReplyTo: m.replyTo,
		Pings: append(slices.Clone(m.mentions), m.roles...),
	}
	if m.everyone {
		v.Pings = append(v.Pings, "everyone")
	}
	for _, e := range m.embeds {
		v.Embeds = append(v.Embeds, convert[Embed](e))
	}
	for _, a := range m.attachments {
		v.Files = append(v.Files, a.file)
	}
	if i := m.interaction; i != nil {
		v.Interaction = i.ID
		v.Thinking = m.flags&FlagLoading != 0
		if v.Thinking && s.Now().Sub(i.created) > tokenLife {
			v.Thinking, v.Failed = false, true
		}
	}
	return v
}

// walk visits all components, outer ones first.
func walk(v any, visit func(object)) {
	switch v := v.(type) {
	case []any:
		for _, c := range v {
			walk(c, visit)
		}
	case object:
		visit(v)
		walk(v["components"], visit)
		walk(v["component"], visit)
		walk(v["accessory"], visit)
	}
}

func collect[T any](components []any, kinds ...int) []T {
	var out []T
	walk(components, func(c object) {
		if slices.Contains(kinds, integer(c["type"])) {
			out = append(out, convert[T](c))
		}
	})
	return out
}

// convert reads a JSON tree into a type; what does not fit is left out, since the tree
// was checked when it came.
func convert[T any](v any) T {
	var out T
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a tree that was JSON is none: %v", err))
	}
	_ = json.Unmarshal(data, &out) // see above
	return out
}

// pings finds whom a text notifies, as allowed_mentions limits it.
// https://discord.com/developers/docs/resources/message#allowed-mentions-object
func (s *Server) pings(text string, allowed any) (users, roles []string, everyone bool) {
	a, limited := allowed.(object)
	may := func(kind, id string) bool {
		if !limited {
			return true
		}
		return slices.Contains(array(a["parse"]), any(kind)) || id != "" && slices.Contains(array(a[kind]), any(id))
	}
	for _, m := range regexp.MustCompile(`<@(&|!)?(\d+)>`).FindAllStringSubmatch(text, -1) {
		switch id := m[2]; {
		case m[1] == "&":
			if may("roles", id) && !slices.Contains(roles, id) {
				roles = append(roles, id)
			}
		case s.world.users[id] != nil && may("users", id) && !slices.Contains(users, id):
			users = append(users, id)
		}
	}
	if strings.Contains(text, "@everyone") || strings.Contains(text, "@here") {
		everyone = may("everyone", "")
	}
	return users, roles, everyone
}
