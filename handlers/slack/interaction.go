package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

// interaction is a click or a form, as far as it is used
// (docs.slack.dev/reference/interaction-payloads). The message that it belongs to
// is not read: slack-go reads all of its blocks, and one that it does not
// understand would lose the click.
type interaction struct {
	Type        string              `json:"type"`
	User        person              `json:"user"`
	Channel     struct{ ID string } `json:"channel"`
	TriggerID   string              `json:"trigger_id"`
	ResponseURL string              `json:"response_url"`
	Actions     []action            `json:"actions"`
	Container   container           `json:"container"`
	View        submitted           `json:"view"`
}

type container struct {
	Type      string `json:"type"`
	ChannelID string `json:"channel_id"`
	MessageTS string `json:"message_ts"`
	ThreadTS  string `json:"thread_ts"`
	Ephemeral bool   `json:"is_ephemeral"`
}

type action struct {
	Type     string `json:"type"`
	ActionID string `json:"action_id"`
	TS       string `json:"action_ts"`
	Value    string `json:"value"`
	Selected struct {
		Value string `json:"value"`
	} `json:"selected_option"`
}

type submitted struct {
	ID         string `json:"id"`
	Hash       string `json:"hash"`
	CallbackID string `json:"callback_id"`
	Metadata   string `json:"private_metadata"`
	State      struct {
		Values map[string]map[string]struct {
			Type     string `json:"type"`
			Value    string `json:"value"`
			Date     string `json:"selected_date"`
			Selected struct {
				Value string `json:"value"`
			} `json:"selected_option"`
		} `json:"values"`
	} `json:"state"`
}

// Interaction takes a click or a filled-in form in.
func (c *Conversation) Interaction(raw json.RawMessage, envelope string) (ack, error) {
	var in interaction
	if err := json.Unmarshal(raw, &in); err != nil {
		return ack{}, fmt.Errorf("read an interaction: %w", err)
	}
	switch in.Type {
	case "block_actions":
		return ack{}, c.pressed(in, envelope)
	case "view_submission":
		return c.submission(in, envelope)
	case "view_closed":
	default:
		c.log.Info("an interaction of Slack that Keepwatch does not offer", "type", in.Type)
	}
	return ack{}, nil
}

// channel is where an interaction came from; "" in the app home.
func (in interaction) channel() string {
	if in.Channel.ID != "" {
		return in.Channel.ID
	}
	return in.Container.ChannelID
}

// pressed takes a press of a button, or a choice of a menu, in.
func (c *Conversation) pressed(in interaction, envelope string) error {
	if in.User.ID == "" {
		return fmt.Errorf("a click without a user")
	}
	for _, a := range in.Actions {
		token := a.Value
		if a.Selected.Value != "" {
			token = a.Selected.Value
		}
		if !strings.HasPrefix(token, "=") && !strings.HasPrefix(token, "#") {
			continue // not a button of ours
		}
		back := c.origin(in)
		w := whisper{url: in.ResponseURL, channel: back.Channel, user: in.User.ID, thread: back.Thread}
		button, err := c.counter.Button(token)
		switch {
		case err != nil:
			w.text = forgotten(err)
			if keepwatch.KindOf(err) != keepwatch.KindNotFound {
				c.log.Error("a button could not be looked up", "err", err)
			}
			c.later(callTimeout, "forgotten button", func(ctx context.Context) { c.desk.whisper(ctx, w) })
		case button.Form != nil:
			c.ask(in, button, token, back, w)
		default:
			id := ""
			if in.TriggerID != "" {
				id = in.TriggerID + ":" + a.TS
			}
			d := c.delivery("/"+button.Command, in.User, back, key("action", id, envelope))
			if w.text = c.takeOr(d, w); w.text != "" { // a click's acknowledgement takes no text
				c.later(callTimeout, "refusal", func(ctx context.Context) { c.desk.whisper(ctx, w) })
			}
		}
	}
	return nil
}

func forgotten(err error) string {
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		return "This button is from long ago, and Keepwatch no longer knows what it stands for. Nothing was done. Type the command, or ask for the message anew."
	}
	return notSaved
}

// ask opens the form of a button. Nothing acts yet, so nothing is saved; a
// delivery that comes twice opens one form, because a trigger works once.
func (c *Conversation) ask(in interaction, button keepwatch.Button, token string, back origin, w whisper) {
	c.later(patience, "form", func(ctx context.Context) {
		view, err := form(button, token, back)
		if err == nil {
			err = c.desk.openForm(ctx, in.TriggerID, view)
		}
		if err == nil || codeOf(err) == "exchanged_trigger_id" {
			return
		}
		c.log.Warn("a form could not be opened", "err", err)
		w.text = "The form could not be opened, and nothing was done. Press the button again."
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		c.desk.whisper(end, w)
	})
}

// origin is where something was pressed, kept in the form until it is sent.
type origin struct {
	Token   string    `json:"t,omitempty"` // of the button
	Channel string    `json:"c"`           // without the platform; "@U0123" for the app home
	URL     string    `json:"u,omitempty"` // response_url
	Until   time.Time `json:"e,omitzero"`
	Replace bool      `json:"r,omitempty"`
	Thread  string    `json:"h,omitempty"`
}

func (c *Conversation) origin(in interaction) origin {
	o := origin{Channel: in.channel(), Replace: in.Container.Ephemeral, Thread: in.Container.ThreadTS}
	if o.Channel == "" { // the app home: the answer comes as a direct message
		o.Channel = orElse(c.directs.with(in.User.ID), "@"+in.User.ID)
	}
	if r := c.reply(in.ResponseURL); r.Token != "" {
		o.URL, o.Until = r.Token, r.Until
	}
	return o
}

// delivery makes one of a click or of a form that was sent.
func (c *Conversation) delivery(text string, who person, o origin, id string) keepwatch.Delivery {
	req := c.request(text, o.Channel, who)
	c.learn(who.ID, o.Channel)
	req.Private = c.directs.own(o.Channel) || strings.HasPrefix(o.Channel, "@")
	if req.Private && !o.Replace && o.URL != "" && handlers.InPlace(c.counter.Commands(), text) {
		return keepwatch.Delivery{Key: id, Request: req, Reply: keepwatch.Reply{Token: o.URL, Until: o.Until, Replace: true, Thread: o.Thread}}
	}
	return keepwatch.Delivery{
		Key: id, Request: req,
		Reply: keepwatch.Reply{Token: o.URL, Until: o.Until, Private: !req.Private || o.Replace, Replace: o.Replace, Thread: o.Thread},
	}
}

// submission takes a filled-in form in. Where that fails the form stays, with a
// sentence, so that nothing typed is lost.
func (c *Conversation) submission(in interaction, envelope string) (ack, error) {
	if in.View.CallbackID != formCallback {
		return ack{}, nil
	}
	var o origin
	if err := json.Unmarshal([]byte(in.View.Metadata), &o); err != nil || o.Channel == "" || in.User.ID == "" {
		return ack{}, fmt.Errorf("a form whose origin cannot be read: %w", err)
	}
	button, err := c.counter.Button(o.Token)
	if err != nil {
		return ack{body: formRefused(in.View, forgotten(err))}, nil
	}
	id := in.TriggerID
	if in.View.ID != "" {
		id = in.View.ID + ":" + in.View.Hash
	}
	d := c.delivery("/"+handlers.Fill(button, in.View.values(button)), in.User, o, key("view", id, envelope))
	w := whisper{url: o.URL, channel: o.Channel, user: in.User.ID, thread: o.Thread}
	if text := c.takeOr(d, w); text != "" {
		return ack{body: formRefused(in.View, text)}, nil
	}
	return ack{}, nil
}
