package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"keepwatch"
)

// eventBody is what comes around an event (docs.slack.dev/apis/events-api). Only
// what is used is read: slack-go maps events to types of its own, and an event
// or a single block that it does not know is an error there.
type eventBody struct {
	Type      string `json:"type"`
	EventID   string `json:"event_id"`
	Challenge string `json:"challenge"`
	Event     event  `json:"event"`
}

type event struct {
	Type        string          `json:"type"`
	Subtype     string          `json:"subtype"`
	User        string          `json:"user"`
	BotID       string          `json:"bot_id"`
	Text        string          `json:"text"`
	Channel     string          `json:"channel"`
	ChannelType string          `json:"channel_type"`
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts"`
	Tab         string          `json:"tab"`
	Edited      json.RawMessage `json:"edited"`
}

// Event takes an event in. One that is not for the bot is acknowledged all the
// same, or Slack would deliver it again.
func (c *Conversation) Event(raw json.RawMessage, envelope string) (ack, error) {
	var body eventBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return ack{}, fmt.Errorf("read an event: %w", err)
	}
	e := body.Event
	switch e.Type {
	case "app_mention", "message":
		if text, ok := c.meant(e); ok {
			return c.message(e, text, key("event", body.EventID, envelope))
		}
	case "app_home_opened":
		if e.User != "" && e.Tab != "messages" {
			account := keepwatch.Account{Platform: platform, ID: e.User}
			c.later(callTimeout, e.Type, func(ctx context.Context) { c.desk.showHome(ctx, account) })
		}
	default:
		c.log.Debug("an event of Slack that is not for the bot", "type", e.Type)
	}
	return ack{}, nil
}

// meant reports whether a message is a request, and gives its text without the
// mention of the bot. What bots say is none, the bot's own words least of all;
// what was edited was asked for already.
func (c *Conversation) meant(e event) (text string, ok bool) {
	self := c.selfID()
	switch {
	case e.User == "" || e.BotID != "" || e.User == self || e.Subtype != "" || e.Channel == "" || e.TS == "":
		return "", false
	case len(e.Edited) > 0 && string(e.Edited) != "null":
		return "", false
	case e.Type == "message" && e.ChannelType != "im":
		return "", false // a mention in it comes as an event of its own
	}
	text = unmention(e.Text, self)
	if strings.TrimSpace(text) == "" {
		return "/keepwatch help", true
	}
	return strings.TrimSpace(plainTyped(text)), true
}

// unmention takes the mention of the bot out of a text, with what people set
// behind a name.
func unmention(text, self string) string {
	at := strings.Index(text, "<@"+self)
	if self == "" {
		at = strings.Index(text, "<@") // a mention of the bot: the first is meant, as far as is known
	}
	if at < 0 {
		return text
	}
	before := text[:at]
	_, after, closed := strings.Cut(text[at:], ">")
	if !closed {
		return text
	}
	if blankText(before) {
		after = strings.TrimLeft(after, " ,:")
	}
	return before + after
}

func (c *Conversation) message(e event, text, id string) (ack, error) {
	req := c.request(text, e.Channel, person{ID: e.User})
	reply := keepwatch.Reply{Thread: e.ThreadTS}
	if e.Type == "app_mention" && reply.Thread == "" {
		reply.Thread = e.TS
	}
	if req.Private = e.ChannelType == "im" || isDM(e.Channel); req.Private {
		c.directs.note(e.User, e.Channel) // Slack tells of no other
	}
	taken, err := c.take(keepwatch.Delivery{Key: id, Request: req, Reply: reply}, func(context.Context, error) {})
	if err != nil {
		c.log.Warn("an event of Slack was not taken; Slack delivers it again", "key", id, "err", err)
	}
	return ack{again: !taken}, nil
}
