package slack

import (
	"context"
	"strings"
	"sync"
)

// isDM reports whether a channel is a direct message, whosever; Slack's ids of
// those begin with a D.
func isDM(channel string) bool { return strings.HasPrefix(channel, "D") }

// directs are the direct messages between the bot and one person, as far as they
// are known. Only these are private. A slash command, or a button of what it showed,
// may as well be used in a direct message of two people, whose id looks the same:
// there the answer is for whoever asked alone, as in any channel. So is, at worst,
// a click in a direct message to the bot that is not known yet after a start.
//
// They are known from message.im, which Slack delivers of the bot's own only, from
// conversations.open, and from chat.postMessage, which works in no other.
type directs struct {
	mu     sync.Mutex
	byUser map[string]string
	mine   map[string]bool
}

func newDirects() *directs { return &directs{byUser: map[string]string{}, mine: map[string]bool{}} }

// note keeps that a direct message is the bot's own; user may be "".
func (d *directs) note(user, channel string) {
	if !isDM(channel) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mine[channel] = true
	if user != "" {
		d.byUser[user] = channel
	}
}

// with gives the direct message with a user, "" where it is not known.
func (d *directs) with(user string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byUser[user]
}

// own reports whether a channel is a direct message of the bot's.
func (d *directs) own(channel string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mine[channel]
}

// learn finds out, after the acknowledgement, whether a direct message is the
// bot's with a user; the next click there is treated so.
func (c *Conversation) learn(user, channel string) {
	if !isDM(channel) || c.directs.own(channel) || c.directs.with(user) != "" {
		return
	}
	c.later(callTimeout, "direct message", func(ctx context.Context) { c.desk.openDirect(ctx, user) })
}
