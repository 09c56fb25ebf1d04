package slack

import (
	"context"
	"strings"
	"sync"
	"time"
)

// isDM reports whether a channel is a direct message, whosever; Slack's ids of
// those begin with a D.
func isDM(channel string) bool { return strings.HasPrefix(channel, "D") }

// directs are the direct messages between the bot and one person, as far as they
// are known. Only these are private. A slash command, or a button of what it showed,
// may as well be used in a direct message of two people, whose id looks the same:
// there the answer is for whoever asked alone, as in any channel. So is, where Slack
// does not say in time which it is, a click in a direct message to the bot that is
// not known yet after a start.
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

// learnTime is how long a click may wait for Slack to say whether it was in a direct
// message of the bot's. It happens once for each person after a start.
const learnTime = 800 * time.Millisecond

// learn finds out whether a direct message is the bot's with a user. Nobody goes on
// before that: the step of a checklist that was pressed after a start would not take
// the place of the message, and would be gone with the next look at the channel.
func (c *Conversation) learn(user, channel string) {
	if !isDM(channel) || c.directs.own(channel) || c.directs.with(user) != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), learnTime)
	defer cancel()
	c.desk.openDirect(ctx, user)
}
