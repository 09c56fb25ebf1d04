package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
	"keepwatch/handlers"
)

// Discord's times for an interaction (developers/interactions/receiving-and-responding).
const (
	// tokenLife is how long an interaction is answered by its token: 15 minutes,
	// less a margin for the message that is on its way when it ends.
	tokenLife = 14 * time.Minute
	// ackWithin is how long recording a request is waited for, from its arrival.
	// Discord gives 3 s from its side, and forgets the interaction after that.
	ackWithin = 2 * time.Second
)

// interaction is what Discord sends for a command, a click, a form or a key
// typed. It is discordgo's Interaction without the parts that make its decoding
// fail on what it does not know: components of messages and forms.
type interaction struct {
	ID      string                    `json:"id"`
	Type    discordgo.InteractionType `json:"type"`
	Data    json.RawMessage           `json:"data"`
	GuildID string                    `json:"guild_id"`
	// Context is where it was used; nil where Discord does not say. A direct
	// message between other people is none of ours: they all see an answer.
	Context   *discordgo.InteractionContextType `json:"context"`
	ChannelID string                            `json:"channel_id"`
	Token     string                            `json:"token"`
	Member    *member                           `json:"member"`
	User      *discordgo.User                   `json:"user"`
	Message   *struct {
		ID    string                 `json:"id"`
		Flags discordgo.MessageFlags `json:"flags"`
	} `json:"message"`

	arrived time.Time // by the machine's clock: what Discord waits for is measured
}

// direct reports whether nobody but whoever asks, and the bot, sees the channel.
// Bots are in no group of direct messages, and our commands are registered for
// none; an app that somebody has installed for themselves is used there all the
// same.
func (i interaction) direct() bool {
	return i.GuildID == "" && (i.Context == nil || *i.Context == discordgo.InteractionContextBotDM)
}

type member struct {
	User  *discordgo.User `json:"user"`
	Roles []string        `json:"roles"`
}

// response is what Discord is told at once.
type response struct {
	Type discordgo.InteractionResponseType `json:"type"`
	Data any                               `json:"data,omitempty"`
}

// flags is the data of a deferral, which takes nothing else.
type flags struct {
	Flags discordgo.MessageFlags `json:"flags,omitempty"`
}

// Conversation makes requests of what people do in Discord. It does not know how
// it came, nor how the response goes back.
type Conversation struct {
	counter handlers.Counter
	members *members
	acks    *acks
	now     func() time.Time
	log     *slog.Logger
	// excuse says to whoever asked that a request, which was deferred, could not be
	// recorded after all. beside: the deferral shows nothing of its own, because the
	// answer was to take the place of the message, which stays.
	excuse func(ctx context.Context, token string, beside bool, p payload) error
}

// Interact answers an interaction. done is called when the response has been
// handed to Discord, or could not be: answers that come through the outbox wait
// for it, because there is nothing to edit before.
func (c *Conversation) Interact(ctx context.Context, i interaction) (resp response, done func()) {
	i.arrived = time.Now()
	done = c.acks.begin(i.Token)
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("an interaction broke off", "interaction", i.ID, "panic", p, "stack", string(debug.Stack()))
			resp = say("Something went wrong inside Keepwatch, and nothing was done. An admin finds the cause in the log under " + i.ID + ".")
		}
	}()
	user := i.User
	if i.Member != nil && i.Member.User != nil {
		user = i.Member.User
	}
	if user == nil || user.ID == "" || i.ID == "" || i.ChannelID == "" {
		c.log.Warn("an interaction without a user was left alone", "interaction", i.ID)
		return say("Discord did not say who you are, so nothing was done."), done
	}
	req := keepwatch.Request{Account: account(user), Channel: "discord:" + i.ChannelID, Private: i.direct(), At: c.now()}
	req.Groups = c.groups(ctx, i.Member, user.ID)
	resp, err := c.route(ctx, i, req)
	if err != nil {
		resp = c.refusal(err)
	}
	return resp, done
}

// route does what an interaction of its type asks for.
func (c *Conversation) route(ctx context.Context, i interaction, req keepwatch.Request) (response, error) {
	switch i.Type {
	case discordgo.InteractionApplicationCommand, discordgo.InteractionApplicationCommandAutocomplete:
		var data discordgo.ApplicationCommandInteractionData
		if err := json.Unmarshal(i.Data, &data); err != nil {
			return response{}, fmt.Errorf("decode a command: %w", err)
		}
		if i.Type == discordgo.InteractionApplicationCommandAutocomplete {
			list := choices(ctx, c.counter, data, req)
			return response{discordgo.InteractionApplicationCommandAutocompleteResult, map[string]any{"choices": list}}, nil
		}
		req.Text = commandText(c.counter.Commands(), data)
		return c.take(ctx, i, req, inChannel(data) || handlers.Public(c.counter.Commands(), req.Text))
	case discordgo.InteractionMessageComponent:
		return c.click(ctx, i, req)
	case discordgo.InteractionModalSubmit:
		id, values, err := submitted(i.Data)
		if err != nil {
			return response{}, fmt.Errorf("decode a form: %w", err)
		}
		b, _, err := c.button(id)
		if err != nil {
			return response{}, err
		}
		req.Text = "/" + strings.TrimPrefix(handlers.Fill(b, values), "/")
		return c.take(ctx, i, req, false)
	}
	return response{}, keepwatch.Errorf(keepwatch.KindInvalid, "Keepwatch does not know what this is, so nothing was done.")
}

// click presses a button, or picks from a menu. A button with a form opens it:
// that acts on nothing, and must be the first response.
func (c *Conversation) click(ctx context.Context, i interaction, req keepwatch.Request) (response, error) {
	var data discordgo.MessageComponentInteractionData
	if err := json.Unmarshal(i.Data, &data); err != nil {
		return response{}, fmt.Errorf("decode a click: %w", err)
	}
	id := data.CustomID
	if len(data.Values) > 0 {
		id = data.Values[0]
	}
	b, token, err := c.button(id)
	if err != nil {
		return response{}, err
	}
	if b.Form != nil {
		return response{discordgo.InteractionResponseModal, newModal(b, token)}, nil
	}
	req.Text = "/" + strings.TrimPrefix(b.Command, "/")
	return c.take(ctx, i, req, handlers.Public(c.counter.Commands(), req.Text))
}

// button gives the button behind a custom_id.
func (c *Conversation) button(id string) (keepwatch.Button, string, error) {
	token, ok := tokenOf(id)
	if !ok {
		return keepwatch.Button{}, "", keepwatch.Errorf(keepwatch.KindNotFound, "This button is not one of this Keepwatch. Type the command instead.")
	}
	b, err := c.counter.Button(token)
	return b, token, err
}

// take has a request saved, and gives the deferral. public: its answer is the
// card of a run, which belongs into the channel. In direct messages everything is
// seen by whoever asked, and nobody else.
func (c *Conversation) take(ctx context.Context, i interaction, req keepwatch.Request, public bool) (response, error) {
	replace := i.Message != nil && (i.Message.Flags&discordgo.MessageFlagsEphemeral != 0 || req.Private && handlers.InPlace(c.counter.Commands(), req.Text))
	open := (public || req.Private) && !replace
	d := keepwatch.Delivery{
		Key: "discord:interaction:" + i.ID, Request: req, InReply: true,
		Reply: keepwatch.Reply{To: req.Account, Token: i.Token, Until: req.At.Add(tokenLife), Asked: i.ID, Open: open, Private: !req.Private, Replace: replace},
	}
	resp := response{Type: discordgo.InteractionResponseDeferredChannelMessageWithSource}
	switch {
	case replace:
		resp.Type = discordgo.InteractionResponseDeferredMessageUpdate
	case !open:
		resp.Data = flags{discordgo.MessageFlagsEphemeral}
	}
	result := make(chan error, 1)
	go func() { result <- c.save(context.WithoutCancel(ctx), d) }()
	late := time.NewTimer(ackWithin - time.Since(i.arrived))
	defer late.Stop()
	select {
	case err := <-result:
		return resp, err
	case <-late.C:
	}
	// Saving takes longer than Discord waits. A deferral says only that the
	// command has arrived; whether it was recorded is said by what follows. Without
	// it Discord would call the command failed, and it may be carried out all the
	// same. The price: where the process is killed before it is saved, nothing
	// follows, and whoever asked has to ask again (docs/discord.md says so).
	c.log.Warn("recording a request takes long; Discord is told that it has arrived", "interaction", i.ID)
	go c.afterwards(context.WithoutCancel(ctx), i, replace, result)
	return resp, nil
}

// afterwards says that a request which was deferred could not be recorded.
func (c *Conversation) afterwards(ctx context.Context, i interaction, beside bool, result <-chan error) {
	err := <-result
	if err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c.acks.wait(ctx, i.Token)
	p := newPayload()
	p.Content = unrecorded(err)
	if err := c.excuse(ctx, i.Token, beside, p); err != nil {
		c.log.Error("nobody could be told that a request was not recorded", "interaction", i.ID, "err", err)
	}
}

// save hands a delivery over; a panic in there is an error of this one alone.
func (c *Conversation) save(ctx context.Context, d keepwatch.Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("recording a request broke off", "key", d.Key, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("recording a request panicked: %v", p)
		}
	}()
	fresh, err := c.counter.Take(ctx, d)
	if err == nil && !fresh {
		c.log.Info("a repeated delivery was left alone", "key", d.Key)
	}
	if err != nil {
		return notRecorded{err}
	}
	return nil
}

// notRecorded is why a request was not saved.
type notRecorded struct{ error }

func (e notRecorded) Unwrap() error { return e.error }

func unrecorded(err error) string {
	text := "❌ Your request could not be recorded, so nothing was done. Try again in a moment."
	if s := keepwatch.Sentence(err); s != "" {
		text += "\n" + escape(cut(s, 800))
	}
	return text
}

// refusal is what is said at once instead of a deferral, to whoever asked alone.
func (c *Conversation) refusal(err error) response {
	if r := (notRecorded{}); errors.As(err, &r) {
		return say(unrecorded(r.error))
	}
	if text := keepwatch.Sentence(err); text != "" {
		return say(escape(cut(text, 900)))
	}
	c.log.Error("an interaction could not be carried out", "err", err)
	return say("Something went wrong inside Keepwatch, and nothing was done. An admin finds more in the log.")
}

// say is a response that only the asker sees.
func say(text string) response {
	p := newPayload()
	p.Content, p.Flags = text, discordgo.MessageFlagsEphemeral
	return response{discordgo.InteractionResponseChannelMessageWithSource, p}
}

// groups gives the roles of whoever asks: in a server they come with the request;
// in a direct message they are looked up.
func (c *Conversation) groups(ctx context.Context, m *member, user string) []string {
	var roles []string
	if m != nil {
		roles = m.Roles
	} else {
		roles = c.members.roles(ctx, user)
	}
	var groups []string
	for _, r := range roles {
		groups = append(groups, "discord:"+r)
	}
	return groups
}

func account(u *discordgo.User) keepwatch.Account {
	name := u.GlobalName
	if name == "" {
		name = u.Username
	}
	return keepwatch.Account{Platform: "discord", ID: u.ID, Name: name}
}
