package discord

import (
	"context"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// message is what somebody wrote: discordgo's Message without its components,
// whose decoding fails on kinds that it does not know.
type message struct {
	ID        string                `json:"id"`
	ChannelID string                `json:"channel_id"`
	GuildID   string                `json:"guild_id"`
	Content   string                `json:"content"`
	Author    *discordgo.User       `json:"author"`
	WebhookID string                `json:"webhook_id"`
	Type      discordgo.MessageType `json:"type"`
	Member    *member               `json:"member"`
}

// Read takes a message that was written to the bot: in a direct message, or with
// a mention of it (bot is its user id). Only those have their text without the
// message content intent. An error means that it was not recorded.
func (c *Conversation) Read(ctx context.Context, m message, bot string) error {
	if m.Author == nil || m.Author.Bot || m.WebhookID != "" || m.ID == "" || bot == "" {
		return nil
	}
	if !slices.Contains([]discordgo.MessageType{discordgo.MessageTypeDefault, discordgo.MessageTypeReply}, m.Type) {
		return nil
	}
	text, mentioned := withoutMention(m.Content, bot)
	private := m.GuildID == ""
	if !mentioned && !private {
		return nil // a reply to a card mentions us too, but is meant for people
	}
	if private && text == "" {
		return nil // a picture or a sticker alone
	}
	if text == "" {
		text = "keepwatch help"
	}
	req := keepwatch.Request{
		Text: "/" + strings.TrimPrefix(text, "/"), Account: account(m.Author), Groups: c.groups(ctx, m.Member, m.Author.ID),
		Channel: "discord:" + m.ChannelID, Private: private, At: c.now(),
	}
	d := keepwatch.Delivery{Key: "discord:message:" + m.ID, Request: req, Reply: keepwatch.Reply{To: req.Account}, InReply: true}
	if !private {
		d.Reply.Thread = m.ID
	}
	return c.save(ctx, d)
}

// withoutMention takes the bot's mention out of a text.
func withoutMention(text, bot string) (rest string, mentioned bool) {
	for _, form := range []string{"<@" + bot + ">", "<@!" + bot + ">"} {
		mentioned = mentioned || strings.Contains(text, form)
		text = strings.ReplaceAll(text, form, " ")
	}
	return strings.TrimSpace(text), mentioned
}
