package discord

import (
	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// Limits of a message (developers/resources/message, developers/components/reference).
const (
	maxContent     = 2000
	maxEmbeds      = 10
	maxEmbedsTotal = 6000 // characters in all embeds of a message
	maxDescription = 4096
	maxFields      = 25 // in an embed
	maxFieldName   = 256
	maxFieldValue  = 1024
	maxRows        = 5 // of components
	maxRowButtons  = 5
	maxLabel       = 80 // of a button
	maxOptions     = 25 // of a select
	maxOption      = 100
	maxPlaceholder = 150
	maxCustomID    = 100
)

// payload is the body that makes or changes a message. discordgo's MessageSend
// has no enforce_nonce, so the body is our own, of discordgo's parts. All of its
// parts are always written, so that an edit takes away what is no longer there.
type payload struct {
	Content    string                           `json:"content"`
	Embeds     []*discordgo.MessageEmbed        `json:"embeds"`
	Components []discordgo.MessageComponent     `json:"components"`
	Mentions   discordgo.MessageAllowedMentions `json:"allowed_mentions"`

	// Attachments are the files that the message has afterwards; nil: those that it
	// has. files are those of them that are sent along.
	Attachments *[]attachment `json:"attachments,omitempty"`
	files       []keepwatch.File

	Flags     discordgo.MessageFlags      `json:"flags,omitempty"`
	Reference *discordgo.MessageReference `json:"message_reference,omitempty"`
	// Nonce with EnforceNonce: a second message with the same nonce is not made
	// for a few minutes; the first one is given instead.
	Nonce        string `json:"nonce,omitempty"`
	EnforceNonce bool   `json:"enforce_nonce,omitempty"`
}

// newPayload makes an empty body that can mention nobody.
func newPayload() payload {
	return payload{
		Embeds: []*discordgo.MessageEmbed{}, Components: []discordgo.MessageComponent{},
		Mentions: discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}},
	}
}

// total is the length of the embeds as Discord adds it up.
func (p payload) total() int {
	n := 0
	for _, e := range p.Embeds {
		n += size(e.Title) + size(e.Description)
		for _, f := range e.Fields {
			n += size(f.Name) + size(f.Value)
		}
	}
	return n
}
