package slack

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"keepwatch"
)

// command is a slash command as both transports bring it
// (docs.slack.dev/interactivity/implementing-slash-commands).
type command struct {
	Command     string `json:"command"`
	Text        string `json:"text"`
	UserID      string `json:"user_id"`
	UserName    string `json:"user_name"`
	ChannelID   string `json:"channel_id"`
	ResponseURL string `json:"response_url"`
	TriggerID   string `json:"trigger_id"`
}

// commandForm reads the form of a command over HTTP.
func commandForm(v url.Values) command {
	return command{
		Command: v.Get("command"), Text: v.Get("text"), UserID: v.Get("user_id"), UserName: v.Get("user_name"),
		ChannelID: v.Get("channel_id"), ResponseURL: v.Get("response_url"), TriggerID: v.Get("trigger_id"),
	}
}

// sentence is an immediate answer that only whoever asked sees.
type sentence struct {
	Type string `json:"response_type"`
	Text string `json:"text"`
}

func say(text string) any { return sentence{Type: "ephemeral", Text: escape(text)} }

// Command takes a slash command in. The card of a run goes into the channel; any
// other answer is for whoever asked.
func (c *Conversation) Command(raw json.RawMessage, envelope string) (ack, error) {
	var cmd command
	if err := json.Unmarshal(raw, &cmd); err != nil {
		return ack{}, fmt.Errorf("read a slash command: %w", err)
	}
	return c.command(cmd, envelope)
}

func (c *Conversation) command(cmd command, envelope string) (ack, error) {
	if cmd.Command == "" || cmd.UserID == "" || cmd.ChannelID == "" {
		return ack{}, fmt.Errorf("a slash command without a command, a user or a channel")
	}
	text := cmd.Command + " " + plainTyped(cmd.Text)
	reply := c.reply(cmd.ResponseURL)
	reply.Private = true
	d := keepwatch.Delivery{
		Key:     key("command", cmd.TriggerID, envelope),
		Request: c.request(strings.TrimSpace(text), cmd.ChannelID, person{ID: cmd.UserID, Username: cmd.UserName}),
		Reply:   reply,
		Quiet:   true,
	}
	if text := c.takeOr(d, whisper{url: cmd.ResponseURL, channel: cmd.ChannelID, user: cmd.UserID}); text != "" {
		return ack{body: say(text)}, nil
	}
	return ack{}, nil
}

// key is what a delivery is known by when it comes again. The envelope is the
// last resort: what is delivered again comes in a new one.
func key(kind string, best, envelope string) string {
	if best != "" {
		return platform + ":" + kind + ":" + best
	}
	return platform + ":envelope:" + envelope
}

// plainTyped takes Slack's markup out of what somebody typed
// (docs.slack.dev/messaging/formatting-message-text, "Retrieving messages"):
// <http://a.example|a.example> is what stands in it, <#C0OPS|ops> the channel as
// Keepwatch names it, and &amp; an ampersand.
func plainTyped(text string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "<")
		b.WriteString(before)
		if !open {
			break
		}
		inner, after, closed := strings.Cut(rest, ">")
		if !closed {
			b.WriteString("<" + rest)
			break
		}
		b.WriteString(typedEntity(inner))
		text = after
	}
	return unescape(b.String())
}

func typedEntity(inner string) string {
	target, shown, labelled := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		return platform + ":" + target
	case strings.HasPrefix(target, "#"):
		return platform + ":" + target[1:]
	case strings.HasPrefix(target, "!"):
		return "<" + inner + ">"
	case labelled && shown != "":
		return shown
	}
	return strings.TrimPrefix(target, "mailto:")
}
