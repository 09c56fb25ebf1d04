package discordtest

import (
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
	Image struct {
		URL string `json:"url"`
	} `json:"image"`
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
