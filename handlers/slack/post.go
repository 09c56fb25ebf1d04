package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"keepwatch"
)

// metadataType names the metadata that a message of ours carries, in which Find
// looks for its id.
const metadataType = "keepwatch_message"

// Post sends a message. What only one person sees goes by response_url while
// that works, everything else by chat.postMessage with our id in its metadata,
// so that it can be found again; by response_url too where the bot is not in
// the channel. The reference is "CHANNEL:TS".
func (f *Frontend) Post(ctx context.Context, out keepwatch.Outgoing) (ref string, err error) {
	p, err := f.prepare(ctx, out.ID, out.Message)
	if err == nil {
		ref, err = f.post(ctx, out, p)
	}
	f.uploads.settle(out.ID, err)
	return ref, err
}

func (f *Frontend) post(ctx context.Context, out keepwatch.Outgoing, p payload) (ref string, err error) {
	r := out.Reply
	aside := r != nil && (r.Private || r.Replace)
	if aside && out.Run == 0 && r.Alive(f.cfg.Now()) {
		err := f.respond(ctx, out, p)
		if err == nil || !errors.Is(err, errUsedUp) {
			return "", err
		}
	}
	channel, err := f.channel(ctx, out.Channel)
	if codeOf(err) == "missing_scope" { // only that of direct messages is missing
		return "", &keepwatch.PostError{Verdict: keepwatch.VerdictNever, Err: tokenFault("SLACK_BOT_TOKEN", err)}
	}
	if err != nil {
		return "", f.verdict(err, nameOf(out.Channel))
	}
	if aside && out.Run == 0 && r.Private && !f.directs.own(channel) && r.To.ID != "" {
		_, err := f.api.PostEphemeralContext(ctx, channel, r.To.ID, f.options(p, r.Thread)...)
		if later := f.awaitFiles(out.ID, p, err); later != nil {
			return "", later
		}
		if plainAgain(err) {
			f.refusedBlocks(out.ID, err)
			_, err = f.api.PostEphemeralContext(ctx, channel, r.To.ID, f.bareOptions(out.Message, r.Thread)...)
		}
		switch codeOf(err) {
		case "not_in_channel", "channel_not_found", "user_not_in_channel":
			return f.direct(ctx, out, p) // the bot, or whoever asked, is not there
		}
		return "", f.verdict(f.noted(err), nameOf(out.Channel))
	}
	ref, err = f.postMessage(ctx, channel, out, p)
	if code := codeOf(err); (code == "not_in_channel" || code == "channel_not_found") && r.Alive(f.cfg.Now()) {
		return "", f.unsettled(out.ID, true, f.respondInvite(ctx, out))
	}
	return ref, f.unsettled(out.ID, false, f.verdict(f.noted(err), nameOf(out.Channel)))
}

// direct posts an answer as a direct message to whoever asked.
func (f *Frontend) direct(ctx context.Context, out keepwatch.Outgoing, p payload) (ref string, err error) {
	to := platform + ":@" + out.Reply.To.ID
	out.Reply = nil // its thread is elsewhere
	channel, err := f.channel(ctx, to)
	if err == nil {
		ref, err = f.postMessage(ctx, channel, out, p)
	}
	return ref, f.verdict(f.noted(err), nameOf(to))
}

// postMessage posts into a channel. Blocks that Slack refuses are a fault of
// ours, and no reason to lose the message: it is sent as plain text.
func (f *Frontend) postMessage(ctx context.Context, channel string, out keepwatch.Outgoing, p payload) (ref string, err error) {
	thread := ""
	if out.Reply != nil {
		thread = out.Reply.Thread
	}
	mark := slack.MsgOptionMetadata(slack.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{"id": out.ID}})
	at, ts, err := f.api.PostMessageContext(ctx, channel, append(f.options(p, thread), mark)...)
	if later := f.awaitFiles(out.ID, p, err); later != nil {
		return "", later
	}
	if plainAgain(err) {
		f.refusedBlocks(out.ID, err)
		at, ts, err = f.api.PostMessageContext(ctx, channel, append(f.bareOptions(out.Message, thread), mark)...)
	}
	if err != nil {
		return "", err
	}
	if ts == "" {
		// slack-go takes an answer without "ok" and without "error" for a success.
		return "", errors.New("slack: an answer to chat.postMessage that makes no sense")
	}
	f.directs.note("", at)
	return reference(at, ts), nil
}

// plainAgain reports whether a message may be taken as plain text.
func plainAgain(err error) bool {
	code := codeOf(err)
	return strings.HasPrefix(code, "invalid_blocks") || code == "msg_too_long" || code == "msg_blocks_too_long" || code == "invalid_attachments"
}

func (f *Frontend) refusedBlocks(id string, err error) {
	var detail slack.SlackErrorResponse
	errors.As(err, &detail)
	f.cfg.Log.Error("Slack refuses the blocks of a message; it is sent as plain text", "message", id, "err", err, "detail", detail.ResponseMetadata.Messages)
}

// options are those of every message: nothing is unfurled, no name becomes a
// mention, no word a link.
func (f *Frontend) options(p payload, thread string) []slack.MsgOption {
	o := []slack.MsgOption{
		slack.MsgOptionText(p.Text, false), slack.MsgOptionBlocks(p.Blocks...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false), slack.MsgOptionDisableMarkdown(),
	}
	if thread != "" {
		o = append(o, slack.MsgOptionTS(thread))
	}
	return o
}

func (f *Frontend) bareOptions(m keepwatch.Message, thread string) []slack.MsgOption {
	return f.options(payload{Text: bare(m), Blocks: []slack.Block{}}, thread)
}

// Edit changes the message of a card. One that was posted by response_url has no
// reference, and cannot be changed.
func (f *Frontend) Edit(ctx context.Context, card keepwatch.Card, msg keepwatch.Message) error {
	channel, ts, ok := splitReference(card.Ref)
	if !ok {
		return &keepwatch.PostError{Verdict: keepwatch.VerdictGone, Err: errors.New("a message without a reference cannot be changed")}
	}
	key := "edit " + card.Ref + " " + msg.Fingerprint()
	p, err := f.prepare(ctx, key, msg)
	if err != nil {
		return err
	}
	err = f.update(ctx, card, channel, ts, key, msg, p)
	f.uploads.settle(key, err)
	return err
}

func (f *Frontend) update(ctx context.Context, card keepwatch.Card, channel, ts, key string, msg keepwatch.Message, p payload) error {
	_, _, _, err := f.api.UpdateMessageContext(ctx, channel, ts, f.options(p, "")...)
	if later := f.awaitFiles(key, p, err); later != nil {
		return later
	}
	if plainAgain(err) {
		f.refusedBlocks(card.Ref, err)
		_, _, _, err = f.api.UpdateMessageContext(ctx, channel, ts, f.bareOptions(msg, "")...)
	}
	return f.editVerdict(f.noted(err), nameOf(card.Channel))
}

// noted lets go of a fault of the token once a call went through again.
func (f *Frontend) noted(err error) error {
	if err == nil {
		f.setFault(nil)
	}
	return err
}

// channel gives Slack's id of a channel; a direct message is opened where it is
// named by its user ("slack:@U0123").
func (f *Frontend) channel(ctx context.Context, channel string) (string, error) {
	id := strings.TrimPrefix(channel, platform+":")
	user, direct := strings.CutPrefix(id, "@")
	if !direct {
		return id, nil
	}
	if known := f.directs.with(user); known != "" {
		return known, nil
	}
	dm, _, _, err := f.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", err
	}
	if dm == nil || dm.ID == "" {
		return "", errors.New("slack: an answer to conversations.open that makes no sense")
	}
	f.directs.note(user, dm.ID)
	return dm.ID, nil
}

// openDirect finds out which the direct message with a user is. Nothing depends
// on it.
func (f *Frontend) openDirect(ctx context.Context, user string) {
	if _, err := f.channel(ctx, platform+":@"+user); err != nil {
		f.cfg.Log.Debug("it is not known which the direct message with somebody is", "user", user, "err", err)
	}
}

// nameOf names a channel for people.
func nameOf(channel string) string {
	id := strings.TrimPrefix(channel, platform+":")
	if user, ok := strings.CutPrefix(id, "@"); ok {
		return "the direct message to " + user
	}
	return id
}

func reference(channel, ts string) string { return channel + ":" + ts }

func splitReference(ref string) (channel, ts string, ok bool) {
	channel, ts, ok = strings.Cut(ref, ":")
	return channel, ts, ok && channel != "" && ts != ""
}

// openForm shows a modal.
func (f *Frontend) openForm(ctx context.Context, trigger string, view slack.ModalViewRequest) error {
	if _, err := f.api.OpenViewContext(ctx, trigger, view); err != nil {
		return fmt.Errorf("open a form: %w", err)
	}
	return nil
}

// showHome fills the app home of somebody: the state of all sources, and what
// runs. Each part is a request, so that roles are checked and it is audited.
func (f *Frontend) showHome(ctx context.Context, account keepwatch.Account) {
	if f.cfg.Home == nil {
		return
	}
	now := keepwatch.Message{Blocks: []keepwatch.Block{keepwatch.Field{Name: "As of", Time: f.cfg.Now()}.Block()}}
	blocks := blocksOf(now, maxView, maxMessage)
	for _, text := range []string{"/backup sources", "/backup status"} {
		msg := f.cfg.Home(ctx, keepwatch.Request{
			Text: text, Account: account, Groups: f.groups.of(account.ID), Channel: platform + ":@" + account.ID, Private: true, At: f.cfg.Now().UTC(),
		})
		blocks = append(blocks, blocksOf(msg, maxView/2-1, maxMessage)...)
		if msg.Refused == keepwatch.KindDenied {
			break // the second answer would say the same
		}
	}
	renumber(blocks)
	view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
	if _, err := f.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: account.ID, View: view}); err != nil {
		f.cfg.Log.Warn("the app home of somebody could not be filled", "user", account.ID, "err", err)
	}
}

// renumber gives the actions of joined messages ids of their own again.
func renumber(blocks []slack.Block) {
	n := 0
	for _, b := range blocks {
		a, ok := b.(*slack.ActionBlock)
		if !ok {
			continue
		}
		for _, e := range a.Elements.ElementSet {
			n++
			switch e := e.(type) {
			case *slack.ButtonBlockElement:
				e.ActionID = fmt.Sprintf("kw-%d", n)
			case *slack.SelectBlockElement:
				e.ActionID = fmt.Sprintf("kw-%d", n)
			}
		}
	}
}
