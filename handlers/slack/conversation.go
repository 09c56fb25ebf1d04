package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
	"keepwatch/handlers"
)

// patience is how long a request may take to be saved. Slack waits for 3 s
// (docs.slack.dev/interactivity/handling-user-interaction, "Acknowledgment
// response"); the rest is for the way back.
const patience = 2400 * time.Millisecond

// replyLife is how long a response_url is used. It works for 30 minutes
// (docs.slack.dev/interactivity/handling-user-interaction, "Message responses").
const replyLife = 28 * time.Minute

// ack says how a delivery is acknowledged.
type ack struct {
	// again: it is not acknowledged, because nothing was saved. Slack delivers
	// events again, and nothing else.
	again bool
	body  any // what goes back with the acknowledgement; nil: nothing
}

// backstage is what a conversation needs beyond answers that go through the
// outbox: forms and short words to one person, which nothing depends on.
type backstage interface {
	openForm(ctx context.Context, trigger string, view slack.ModalViewRequest) error
	whisper(ctx context.Context, w whisper)
	showHome(ctx context.Context, account keepwatch.Account)
	openDirect(ctx context.Context, user string)
}

// whisper is a sentence that only one person sees.
type whisper struct {
	url           string // response_url; "": by the API
	channel, user string
	thread        string
	text          string
}

// Conversation makes requests of what transports bring, whichever transport it
// is. Its methods may be called from any goroutine.
type Conversation struct {
	counter  handlers.Counter
	desk     backstage
	groups   *groups
	directs  *directs
	log      *slog.Logger
	now      func() time.Time
	patience time.Duration
	end      time.Duration          // endLimit
	self     atomic.Pointer[string] // the bot's own user id
	after    tally                  // what goes on after the acknowledgement
}

func (c *Conversation) setSelf(id string) { c.self.Store(&id) }

func (c *Conversation) selfID() string {
	if id := c.self.Load(); id != nil {
		return *id
	}
	return ""
}

// tally counts goroutines. It is no sync.WaitGroup, which must not be added to
// from nothing while somebody waits: requests come over HTTP until the very end.
type tally struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n is 0; nil: nobody waits
}

// Go runs a function in a goroutine.
func (a *tally) Go(fn func()) {
	a.mu.Lock()
	a.n++
	a.mu.Unlock()
	go func() {
		defer a.done()
		fn()
	}()
}

func (a *tally) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n--; a.n == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// Wait returns when nothing runs, or after so long, and reports which.
func (a *tally) Wait(most time.Duration) bool {
	a.mu.Lock()
	if a.n == 0 {
		a.mu.Unlock()
		return true
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.mu.Unlock()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}

// endLimit is how long the end waits for what goes on after an acknowledgement:
// short words to one person, and requests that hang in the store. Those that were
// saved are carried out at the next start.
const endLimit = 4 * time.Second

// wait returns once nothing goes on any more, or when it has waited long enough.
func (c *Conversation) wait() {
	if !c.after.Wait(c.end) {
		c.log.Warn("something from Slack still goes on, and is not waited for")
	}
}

// later carries on after the acknowledgement, for so long at the most. A panic
// ends it alone.
func (c *Conversation) later(limit time.Duration, what string, fn func(ctx context.Context)) {
	c.after.Go(func() {
		defer c.recover(what)
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		fn(ctx)
	})
}

func (c *Conversation) recover(what string) {
	if p := recover(); p != nil {
		c.log.Error("something from Slack broke off", "what", what, "panic", p, "stack", string(debug.Stack()))
	}
}

// The sentences for somebody whose request was not saved, or not in time.
const (
	notSaved = "This could not be recorded, so nothing was done. Try again; if it stays so, an admin finds the reason in the log."
	tooSlow  = "Keepwatch is slow just now and has not recorded this yet. If it still gets there, the answer follows here; if it fails, you are told so. Do not ask a second time before that."
	broke    = "Something went wrong inside Keepwatch, and it is not known whether this was carried out. An admin finds the reason in the log."
)

// take has the counter save a delivery, and waits for that as long as Slack
// waits. late is called where it was longer: with what came of it, when that is
// known. taken is false where it did not happen in time.
//
// Slow is not the same as failed: the request may still be saved and carried
// out after Slack's three seconds. So whoever asked is told that it is open, and
// later how it ended: by the answer itself, or by a sentence.
func (c *Conversation) take(d keepwatch.Delivery, late func(ctx context.Context, err error)) (taken bool, err error) {
	d.Version = 1
	done := make(chan error, 1)
	c.after.Go(func() {
		err := error(nil)
		defer func() {
			if p := recover(); p != nil {
				c.log.Error("a request from Slack broke off", "key", d.Key, "panic", p, "stack", string(debug.Stack()))
				err = fmt.Errorf("%w: %v", errBroke, p)
			}
			done <- err
		}()
		_, err = c.counter.Take(context.Background(), d)
	})
	timer := time.NewTimer(c.patience - c.now().Sub(d.Request.At)) // a request may have waited for its groups
	defer timer.Stop()
	select {
	case err = <-done:
		return err == nil, err
	case <-timer.C:
	}
	c.log.Error("a request from Slack was not recorded in time", "key", d.Key, "channel", d.Request.Channel)
	c.after.Go(func() {
		defer c.recover(d.Key)
		err := <-done
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		defer cancel()
		late(ctx, err)
	})
	return false, nil
}

// takeOr is take for what somebody waits for: it gives the sentence to show
// where it was not taken, "" where it was.
func (c *Conversation) takeOr(d keepwatch.Delivery, w whisper) (sentence string) {
	taken, err := c.take(d, func(ctx context.Context, err error) {
		if err != nil {
			w.text = refusal(err)
			c.desk.whisper(ctx, w)
		}
	})
	switch {
	case taken:
		return ""
	case err != nil:
		return refusal(err)
	}
	return tooSlow
}

// errBroke says that the counter panicked, before or after it had saved.
var errBroke = errors.New("slack: a panic")

// refusal is what is said of a request that was not taken.
func refusal(err error) string {
	if errors.Is(err, errBroke) {
		return broke
	}
	if text := keepwatch.Sentence(err); text != "" && keepwatch.KindOf(err) != keepwatch.KindInternal {
		return "Nothing was done. " + text
	}
	return notSaved
}

// request makes a request of somebody in a channel.
func (c *Conversation) request(text, channel string, who person) keepwatch.Request {
	at := c.now().UTC() // before the groups: what they take is counted
	return keepwatch.Request{
		Text:    text,
		Account: keepwatch.Account{Platform: platform, ID: who.ID, Name: who.name()},
		Groups:  c.groups.of(who.ID),
		Channel: platform + ":" + channel,
		At:      at,
	}
}

const platform = "slack"

// person is a user as Slack names one.
type person struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

func (p person) name() string {
	if p.Username != "" {
		return p.Username
	}
	return p.Name
}

// reply is how an answer by response_url gets back.
func (c *Conversation) reply(url string) keepwatch.Reply {
	if url == "" {
		return keepwatch.Reply{}
	}
	return keepwatch.Reply{Token: url, Until: c.now().UTC().Add(replyLife)}
}
