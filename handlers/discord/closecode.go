package discord

import (
	"errors"

	"github.com/gorilla/websocket"

	"keepwatch"
)

// Close codes of the gateway that nothing but a person can mend
// (developers/topics/opcodes-and-status-codes, "Gateway Close Event Codes").
// discordgo's reconnect loop does not look at them, and connects again for ever.
const (
	closeBadToken       = 4004
	closeInvalidSeq     = 4007
	closeSessionTimeout = 4009
	closeInvalidShard   = 4010
	closeShardingNeeded = 4011
	closeInvalidVersion = 4012
	closeInvalidIntents = 4013
	closeDisallowed     = 4014
)

// closeResumable is the code that we close with when we want to resume: with
// 1000 or 1001 Discord forgets the session, and with it what happened meanwhile.
const closeResumable = 4000

// fatal gives the error that ends the connection for good, or nil.
func fatal(err error) *keepwatch.Error {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return nil
	}
	say := func(text string) *keepwatch.Error {
		return keepwatch.Errorf(keepwatch.KindAttention, "%s", text).Because(err)
	}
	switch closed.Code {
	case closeBadToken:
		return badToken(err)
	case closeInvalidShard, closeShardingNeeded:
		return say("Discord wants this bot to be divided (sharding), because it is in more than 2,500 servers. Keepwatch is made for one team's server: take the bot out of the others.")
	case closeInvalidVersion:
		return say("Discord no longer takes the version of its gateway that this Keepwatch speaks. Install a newer Keepwatch.")
	case closeInvalidIntents:
		return say("Discord does not know what this Keepwatch asks to be told (gateway intents). Install a newer Keepwatch.")
	case closeDisallowed:
		return say("Discord does not allow this bot what it asks to be told (gateway intents). In the Developer Portal, look at the application's Bot page for a notice about verification or intents.")
	}
	return nil
}

// badToken is what is said wherever Discord refuses the bot's token.
func badToken(cause error) *keepwatch.Error {
	e := keepwatch.Errorf(keepwatch.KindAttention, "Discord does not accept the bot's token. Make a new one in the Developer Portal (the application, Bot, Reset Token), put it into DISCORD_BOT_TOKEN, and start the bot again.")
	if cause != nil {
		return e.Because(cause)
	}
	return e
}

// forgotten reports whether Discord has no session to resume after this.
func forgotten(err error) bool {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return false
	}
	return closed.Code == closeInvalidSeq || closed.Code == closeSessionTimeout
}
