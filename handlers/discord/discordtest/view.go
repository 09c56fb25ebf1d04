package discordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Message is what people see of one message, as it was when it was asked for.
type Message struct {
	ID, Channel string
	Author      string // a user's id
	Content     string
	Embeds      []Embed
	Components  []any // as the bot sent them, with ids
	Files       []File
	Flags       int
	Nonce       any
	Created     time.Time
	Edits       []Edit // in order
	Deleted     bool
	Ephemeral   bool
	Interaction string // the interaction that it answers, or empty
	ReplyTo     string
	Thinking    bool     // "… is thinking"
	Failed      bool     // the thinking has ended: "The application did not respond"
	Pings       []string // who is notified: ids of people and roles, and "everyone"
}

// Edit is one change of a message.
type Edit struct {
	At      time.Time
	Content string // after it
	Text    string // the whole message after it, as [Message.Text] gives it
}

// Embed is one embed of a message.
type Embed struct {
	Title       string       `json:"title"`
	Description string       `json:"description"`
	URL         string       `json:"url"`
	Color       int          `json:"color"`
	Timestamp   string       `json:"timestamp"`
	Fields      []EmbedField `json:"fields"`
	Footer      struct {
		Text string `json:"text"`
	} `json:"footer"`
	Author struct {
		Name string `json:"name"`
	} `json:"author"`
}

// EmbedField is one field of an embed.
type EmbedField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

// Button is one button of a message. Style is 1 primary, 2 secondary, 3 success, 4 danger, 5 link.
type Button struct {
	Label    string `json:"label"`
	CustomID string `json:"custom_id"`
	URL      string `json:"url"`
	Style    int    `json:"style"`
	Disabled bool   `json:"disabled"`
}

// Select is one select menu.
type Select struct {
	Type        int      `json:"type"`
	CustomID    string   `json:"custom_id"`
	Placeholder string   `json:"placeholder"`
	Options     []Option `json:"options"`
	MinValues   *int     `json:"min_values"`
	MaxValues   *int     `json:"max_values"`
	Disabled    bool     `json:"disabled"`
}

// Option is one line of a select menu.
type Option struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description"`
	Default     bool   `json:"default"`
}

// Choice is one suggestion of autocomplete, or a fixed choice of an option.
type Choice struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Text is the message as plain text: content, then each embed's author, title, description,
// fields as "name: value" and footer, a line each; of version 2 the text of its components.
func (m Message) Text() string {
	var lines []string
	add := func(t string) {
		if t != "" {
			lines = append(lines, t)
		}
	}
	add(m.Content)
	for _, e := range m.Embeds {
		add(e.Author.Name)
		add(e.Title)
		add(e.Description)
		for _, f := range e.Fields {
			add(f.Name + ": " + f.Value)
		}
		add(e.Footer.Text)
	}
	walk(m.Components, func(c object) {
		if integer(c["type"]) == compTextDisplay {
			t, _ := c["content"].(string)
			add(t)
		}
	})
	return strings.Join(lines, "\n")
}

// Buttons are the message's buttons, in order.
func (m Message) Buttons() []Button { return collect[Button](m.Components, compButton) }

// Selects are the message's select menus, in order.
func (m Message) Selects() []Select {
	return collect[Select](m.Components, compSelect, compUserSelect, 6, 7, compChannelSel)
}

// Labels are the labels of the message's buttons; one that is disabled has " (disabled)" after it.
func (m Message) Labels() []string {
	var out []string
	for _, b := range m.Buttons() {
		if b.Disabled {
			b.Label += " (disabled)"
		}
		out = append(out, b.Label)
	}
	return out
}

// String is the text and, below it, the buttons as [label].
func (m Message) String() string {
	out := m.Text()
	if m.Thinking {
		out = "(thinking)"
	}
	if m.Failed {
		out = "(The application did not respond)"
	}
	for i, l := range m.Labels() {
		if i == 0 {
			out += "\n"
		} else {
			out += " "
		}
		out += "[" + l + "]"
	}
	return out
}

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
