package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// Mailbox keeps what platforms handed over until it is answered, and the answers
// until they are delivered.
type Mailbox interface {
	// TakeDelivery saves a delivery and the audit line of its request as one.
	// Where its key was taken within the last hour it changes nothing, and
	// fresh is false.
	TakeDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry) (fresh bool, err error)
	// FinishDelivery completes the audit line, saves what is to be posted and
	// lets go of the delivery, as one. It gives the lanes that have something
	// to send.
	FinishDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry, out []keepwatch.Outgoing) (lanes []string, err error)
	// Deliveries gives those that were taken and not finished, oldest first.
	Deliveries() ([]keepwatch.Delivery, error)
	// RequestRun gives the run that a request has started, if it has one.
	RequestRun(request string) (run keepwatch.Run, found bool, err error)
	// RunCards gives the cards of a run, in all channels.
	RunCards(run int64) ([]keepwatch.Card, error)
	// KeptButton gives the button that a token of the sort "#…" stands for.
	KeptButton(token string) (keepwatch.Button, error)
}

// DeskConfig is what a Desk needs. Router and Mailbox are required.
type DeskConfig struct {
	Router  *Router
	Mailbox Mailbox
	Send    func(lanes ...string) // told which lanes have something to send; nil: nobody
	Log     *slog.Logger          // nil: silent
	Now     func() time.Time      // nil: time.Now
	// Answered is told, after it was saved, what came of a request that an occurrence
	// of a rule has asked for. nil: nobody is.
	Answered func(due string, entry keepwatch.AuditEntry, msg keepwatch.Message)
	Crash    func(point string) // tests end the process at a named point; nil: never
}

// Desk is where the front-ends of platforms hand over requests. Take saves a
// request before it returns, so that the front-end can acknowledge at once; the
// request is then carried out, and its answer saved for the outbox in the same
// transaction that lets go of it. What a crash cut off is carried out at the next
// start: commands that start something know the request that asked for it, and do
// not start it twice.
type Desk struct {
	cfg     DeskConfig
	ctx     context.Context
	stop    context.CancelFunc
	turns   chan struct{}
	mu      sync.Mutex
	closed  bool
	working sync.WaitGroup
}

// atOnce is how many requests are carried out at the same time; more wait, saved
// and acknowledged.
const atOnce = 32

// stale is how old a cut-off request may be and still be carried out without
// asking: whoever pressed a button this long ago has looked elsewhere meanwhile.
const stale = 10 * time.Minute

// skew is how far ahead a platform's clock, which may have timed a request, is
// believed to be.
const skew = time.Minute

// NewDesk makes a Desk.
func NewDesk(cfg DeskConfig) (*Desk, error) {
	if cfg.Router == nil || cfg.Mailbox == nil {
		return nil, errors.New("handlers: a DeskConfig that lacks one of its parts")
	}
	if cfg.Send == nil {
		cfg.Send = func(...string) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	if cfg.Answered == nil {
		cfg.Answered = func(string, keepwatch.AuditEntry, keepwatch.Message) {}
	}
	d := &Desk{cfg: cfg, turns: make(chan struct{}, atOnce)}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// Take saves a delivery, and sees to it that it is carried out. When it returns
// nil, the platform may be told that the request has arrived, whether it was
// fresh or had been taken before. An error means that nothing was saved: the
// platform should be told so, and will deliver again where it does that. It
// takes one commit to disk, shared with those that come at the same time.
func (d *Desk) Take(_ context.Context, del keepwatch.Delivery) (fresh bool, err error) {
	if !d.enter() {
		return false, keepwatch.Errorf(keepwatch.KindConflict, "Keepwatch is stopping and takes nothing new. Ask again when it is back.")
	}
	if del.Request.ID == "" { // that of an occurrence is known before, so that what came of it can be found
		del.Request.ID = NewID()
	}
	if del.Request.At.IsZero() {
		del.Request.At = d.cfg.Now()
	}
	del.Reply.To = del.Request.Account
	handed := false
	defer func() {
		if !handed {
			d.working.Done()
		}
	}()
	entry := d.cfg.Router.Entry(del.Request)
	fresh, err = d.cfg.Mailbox.TakeDelivery(del, entry)
	if err != nil || !fresh {
		if err != nil {
			d.cfg.Log.Error("a request could not be recorded, so it was not carried out", "request", del.Request.ID, "channel", del.Request.Channel, "err", err)
			err = fmt.Errorf("take a request: %w", err)
		}
		return false, err
	}
	d.cfg.Crash("desk.taken")
	handed = true
	go func() {
		defer d.working.Done()
		d.carry(del, entry, false)
	}()
	return true, nil
}

// enter counts a request in, unless the desk is closed.
func (d *Desk) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.working.Add(1)
	return true
}

// Resume carries out what was taken and not finished before the process ended.
// It is called once, before the front-ends take anything.
func (d *Desk) Resume(context.Context) error {
	left, err := d.cfg.Mailbox.Deliveries()
	if err != nil {
		return fmt.Errorf("take up what was asked before: %w", err)
	}
	for _, del := range left {
		if !d.enter() {
			return nil
		}
		go func() {
			defer d.working.Done()
			d.carry(del, d.cfg.Router.Entry(del.Request), true)
		}()
	}
	return nil
}

// NewID gives an id for a request or a message: 100 random bits in small letters
// and digits.
func NewID() string { return strings.ToLower(rand.Text()[:keepwatch.MessageID]) }

// Complete gives what the word before the cursor may be completed to.
func (d *Desk) Complete(ctx context.Context, req keepwatch.Request, cursor int) []Candidate {
	return d.cfg.Router.Complete(ctx, req, cursor)
}

// Button gives the button that a token in a platform's message stands for.
func (d *Desk) Button(token string) (keepwatch.Button, error) {
	if command, ok := strings.CutPrefix(token, "="); ok {
		return keepwatch.Button{Command: command}, nil
	}
	return d.cfg.Mailbox.KeptButton(token)
}

// Commands gives the table, for the registration with a platform.
func (d *Desk) Commands() []Command { return d.cfg.Router.Commands() }

// Close waits for the requests under way, for as long as ctx allows; what it did
// not wait for is carried out at the next start.
func (d *Desk) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	done := make(chan struct{})
	go func() { d.working.Wait(); close(done) }()
	select {
	case <-done:
		d.stop()
		return nil
	case <-ctx.Done():
		d.stop()
		grace := time.NewTimer(2 * time.Second)
		defer grace.Stop()
		select {
		case <-done:
		case <-grace.C: // a command does not heed its context; the process ends all the same
		}
		return fmt.Errorf("some requests were not answered in time; they are carried out at the next start: %w", ctx.Err())
	}
}

// Fill makes the command of a button whose form was filled in: each value that
// is not empty is added as the option that its field names.
func Fill(b keepwatch.Button, values map[string]string) string {
	text := b.Command
	if b.Form == nil {
		return text
	}
	for _, f := range b.Form.Fields {
		value := strings.TrimSpace(values[f.Name])
		switch {
		case value == "":
		case f.Flag:
			text += " --" + f.Name + " " + Quote(value)
		case f.Words:
			text += " " + Quote(strings.Fields(value)...)
		default:
			text += " " + Quote(value)
		}
	}
	return text
}
