package discord

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

const (
	// original is the name of the response to an interaction.
	original = "@original"
	// young is how old an interaction may be for a missing response to mean that
	// Discord has not taken note of it yet.
	young = 5 * time.Second
	// again is when such a one is tried again. Not often: Discord counts calls that
	// find nothing.
	again = time.Second
)

// Post sends a message: as the answer to an interaction while its token works,
// as an ordinary message otherwise.
func (f *Frontend) Post(ctx context.Context, out keepwatch.Outgoing) (ref string, err error) {
	if out.Reply.Alive(f.now()) {
		ref, done, err := f.answer(ctx, out)
		if done {
			return ref, err
		}
	}
	return f.send(ctx, out)
}

// answer puts a message into the response of an interaction. done is false where
// it has to go into the channel.
func (f *Frontend) answer(ctx context.Context, out keepwatch.Outgoing) (ref string, done bool, err error) {
	r := out.Reply
	if out.Run > 0 && !r.Open {
		return "", false, nil // the card of a run beside an answer that only the asker sees
	}
	if !f.acks.wait(ctx, r.Token) {
		return "", true, &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Err: ctx.Err()}
	}
	if f.acks.isLost(r.Token) {
		return "", false, nil
	}
	p := replacing(out.Message)
	if r.Open && r.Private && out.Run == 0 {
		ref, err = f.aside(ctx, out, p)
	} else {
		ref, err = f.try(ctx, out.Message, p, func(p payload) (string, error) {
			return f.webhook(ctx, http.MethodPatch, r.Token, original, p)
		})
	}
	refusal := refusalOf(err)
	switch {
	case err == nil:
		return ref, true, nil
	case refusal != nil && refusal.Status == http.StatusNotFound && f.now().Before(r.Until.Add(young-tokenLife)):
		return "", true, &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: again, Err: err} // the deferral is not there yet
	case tokenOver(err):
		f.log.Info("an interaction can no longer be answered, so the answer goes another way", "id", out.ID, "err", err)
		return "", false, nil
	}
	return "", true, verdict(err, out.Channel)
}

// aside answers to the asker alone what everybody saw being asked: the public
// deferral is taken away first, because a follow-up would take its place, and be
// as public.
func (f *Frontend) aside(ctx context.Context, out keepwatch.Outgoing, p payload) (string, error) {
	if _, err := f.webhook(ctx, http.MethodDelete, out.Reply.Token, original, nil); err != nil {
		if refusal := refusalOf(err); refusal == nil || refusal.Code != codeUnknownMessage {
			return "", err
		} // else an earlier attempt got as far as this
	}
	p.Flags = discordgo.MessageFlagsEphemeral
	return f.try(ctx, out.Message, p, func(p payload) (string, error) {
		p.Flags = discordgo.MessageFlagsEphemeral
		return f.webhook(ctx, http.MethodPost, out.Reply.Token, "", p)
	})
}

// send makes an ordinary message, with a nonce: within some minutes Discord makes
// it once, however often it is sent.
func (f *Frontend) send(ctx context.Context, out keepwatch.Outgoing) (ref string, err error) {
	target := f.target(out)
	channel, err := f.channel(ctx, target)
	if err == nil {
		ref, err = f.create(ctx, channel, target, out, render(out.Message))
	}
	if err == nil {
		return ref, nil
	}
	refusal := refusalOf(err)
	if refusal == nil {
		return "", verdict(err, target)
	}
	if refusal.Code == codeCannotDM && target != out.Channel && strings.HasPrefix(target, "discord:@") {
		return f.closedDoor(ctx, out)
	}
	// A command can be used where the bot itself is not: its card goes out by the
	// interaction, for as long as that lasts.
	noAccess := refusal.Code == codeMissingAccess || refusal.Code == codeMissingPermissions || refusal.Code == codeUnknownChannel
	if noAccess && out.Reply.Alive(f.now()) && !out.Reply.Private {
		return f.followUp(ctx, out, verdict(err, target))
	}
	return "", verdict(err, target)
}

// followUp posts by the interaction what the channel refuses; otherwise is what
// is given where that fails too. Discord makes the first follow-up of a deferral
// the response itself, so the answer has to be there before.
func (f *Frontend) followUp(ctx context.Context, out keepwatch.Outgoing, otherwise error) (string, error) {
	later := &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: again, Err: otherwise}
	app, err := f.self(ctx)
	if err != nil || !f.acks.wait(ctx, out.Reply.Token) {
		return "", later
	}
	var first struct {
		Flags discordgo.MessageFlags `json:"flags"`
	}
	err = f.rest.call(ctx, http.MethodGet, discordgo.EndpointWebhookMessage(app.ID, out.Reply.Token, original), nil, &first)
	if refusal := refusalOf(err); refusal != nil && !refusal.permanent() || err == nil && first.Flags&discordgo.MessageFlagsLoading != 0 {
		return "", later
	}
	ref, err := f.webhook(ctx, http.MethodPost, out.Reply.Token, "", render(out.Message))
	if err != nil {
		return "", otherwise
	}
	return ref, nil
}

// create posts into a channel.
func (f *Frontend) create(ctx context.Context, channel, target string, out keepwatch.Outgoing, p payload) (string, error) {
	return f.try(ctx, out.Message, p, func(p payload) (string, error) {
		p.Nonce, p.EnforceNonce = out.ID, true
		if out.Reply != nil && out.Reply.Thread != "" && target == out.Channel {
			p.Reference = replyTo(out.Reply.Thread)
		}
		var made struct {
			ID string `json:"id"`
		}
		err := f.rest.call(ctx, http.MethodPost, discordgo.EndpointChannelMessages(channel), p, &made)
		if p.Reference != nil && noReply(err) {
			p.Reference = nil
			err = f.rest.call(ctx, http.MethodPost, discordgo.EndpointChannelMessages(channel), p, &made)
		}
		return made.ID, err
	})
}

// noReply reports that a message is refused because it is a reply: that takes
// Read Message History.
func noReply(err error) bool {
	refusal := refusalOf(err)
	return refusal != nil && (refusal.Code == codeNoReply || refusal.Code == codeInvalidForm && strings.Contains(refusal.Message, "message_reference"))
}

// closedDoor says in the channel that a private answer finds no way.
func (f *Frontend) closedDoor(ctx context.Context, out keepwatch.Outgoing) (string, error) {
	out.Message = keepwatch.Message{
		Title: "The answer is for you alone, and you take no direct messages", Tone: keepwatch.ToneWarn,
		Blocks: []keepwatch.Block{keepwatch.Text("Allow direct messages from this server (its menu, Privacy Settings), or use the slash command: its answer is seen by you alone.")},
	}
	channel, err := f.channel(ctx, out.Channel)
	if err != nil {
		return "", verdict(err, out.Channel)
	}
	ref, err := f.create(ctx, channel, out.Channel, out, render(out.Message))
	if err != nil {
		return "", verdict(err, out.Channel)
	}
	return ref, nil
}

// try sends a body, and once more without its files or as plain text where Discord
// refuses what is in it, so that nothing that is to be said is lost by the way it
// looks. A refusal makes no message, so that none is made twice.
func (f *Frontend) try(_ context.Context, m keepwatch.Message, p payload, send func(payload) (string, error)) (string, error) {
	why := tooLarge(m)
	var ref string
	var err error
	if why == "" {
		ref, err = send(p)
	}
	if len(p.files) > 0 {
		if why = cmp.Or(why, filesRefused(err)); why != "" {
			f.log.Error("Discord takes no files with a message; it goes without them", "title", m.Title, "why", why, "err", err)
			m = without(m, why)
			p = render(m)
			ref, err = send(p)
		}
	}
	refusal := refusalOf(err)
	if refusal == nil || refusal.Code != codeInvalidForm && refusal.Code != codeEmptyMessage {
		return ref, err
	}
	f.log.Error("Discord refused a message as it was rendered; it is sent as plain text", "title", m.Title, "err", err)
	return send(plain(m))
}

// target gives the channel of a message: that of the request, or the asker's
// direct messages for what nobody else may see.
func (f *Frontend) target(out keepwatch.Outgoing) string {
	if out.Reply != nil && out.Reply.Private && out.Reply.To.ID != "" {
		return "discord:@" + out.Reply.To.ID
	}
	return out.Channel
}

// channel gives the id of a channel; for "discord:@ACCOUNT" the direct messages
// with that account are opened.
func (f *Frontend) channel(ctx context.Context, name string) (string, error) {
	id := strings.TrimPrefix(name, "discord:")
	user, direct := strings.CutPrefix(id, "@")
	if !direct {
		return id, nil
	}
	f.mu.Lock()
	known := f.dms[user]
	f.mu.Unlock()
	if known != "" {
		return known, nil
	}
	var dm struct {
		ID string `json:"id"`
	}
	// Opening a channel posts nothing, so that it may be done again.
	if err := f.rest.call(ctx, http.MethodPost, discordgo.EndpointUserChannels("@me"), map[string]string{"recipient_id": user}, &dm); err != nil {
		if refusal := refusalOf(err); refusal != nil && !refusal.permanent() {
			refusal.Unsent = true
		}
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dms[user] = dm.ID
	return dm.ID, nil
}

// webhook calls an interaction's own endpoint, and gives the message's id.
func (f *Frontend) webhook(ctx context.Context, method, token, ref string, in any) (string, error) {
	app, err := f.self(ctx)
	if err != nil {
		if refusal := refusalOf(err); refusal != nil && !refusal.permanent() {
			refusal.Unsent = true // it was not even tried
		}
		return "", err
	}
	address := discordgo.EndpointWebhookToken(app.ID, token)
	if ref != "" {
		address = discordgo.EndpointWebhookMessage(app.ID, token, ref)
	}
	var made struct {
		ID string `json:"id"`
	}
	err = f.rest.call(ctx, method, address, in, &made)
	return made.ID, err
}

// excuse writes into the response of an interaction, or beside the message that is
// in its place.
func (f *Frontend) excuse(ctx context.Context, token string, beside bool, p payload) error {
	method, ref := http.MethodPatch, original
	if beside {
		method, ref, p.Flags = http.MethodPost, "", discordgo.MessageFlagsEphemeral
	}
	_, err := f.webhook(ctx, method, token, ref, p)
	return err
}

// replyTo makes a message the answer to another one, if that is still there.
func replyTo(id string) *discordgo.MessageReference {
	missing := false
	return &discordgo.MessageReference{MessageID: id, FailIfNotExists: &missing}
}
