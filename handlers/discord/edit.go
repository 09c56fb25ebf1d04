package discord

import (
	"context"
	"net/http"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// Edit changes a message: by the interaction while that lasts and was what posted
// it, in the channel afterwards.
func (f *Frontend) Edit(ctx context.Context, card keepwatch.Card, msg keepwatch.Message) error {
	p := replacing(msg)
	if card.Reply.Alive(f.now()) && card.Reply.Open {
		_, err := f.try(ctx, msg, p, func(p payload) (string, error) {
			return f.webhook(ctx, http.MethodPatch, card.Reply.Token, card.Ref, p)
		})
		switch refusal := refusalOf(err); {
		case err == nil:
			return nil
		case refusal != nil && refusal.Code == codeUnknownMessage:
			return goneVerdict(err)
		case !tokenOver(err):
			return verdict(err, card.Channel)
		}
	}
	channel, err := f.channel(ctx, card.Channel)
	if err == nil {
		_, err = f.try(ctx, msg, p, func(p payload) (string, error) {
			return "", f.rest.call(ctx, http.MethodPatch, discordgo.EndpointChannelMessage(channel, card.Ref), p, nil)
		})
	}
	return f.edited(ctx, card, msg, err)
}

// edited says what became of an edit in the channel.
func (f *Frontend) edited(ctx context.Context, card keepwatch.Card, msg keepwatch.Message, err error) error {
	refusal := refusalOf(err)
	if err == nil {
		return nil
	}
	if refusal == nil {
		return verdict(err, card.Channel)
	}
	switch refusal.Code {
	case codeUnknownMessage, codeNotOurs, codeMissingAccess, codeMissingPermissions, codeUnknownChannel, codeThreadArchived:
		if card.Reply.Alive(f.now()) && !card.Reply.Open { // it was posted by the interaction, see send
			if _, err := f.webhook(ctx, http.MethodPatch, card.Reply.Token, card.Ref, replacing(msg)); err == nil {
				return nil
			}
		}
		return goneVerdict(err)
	}
	return verdict(err, card.Channel)
}
