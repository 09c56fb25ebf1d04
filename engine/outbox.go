package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"keepwatch"
)

// Poster posts to one platform. It never retries; a *keepwatch.PostError says
// what a refusal means, and any other error counts as one after which nobody
// knows whether the message arrived.
type Poster interface {
	// Post sends a new message and gives the platform's reference to it.
	Post(ctx context.Context, out keepwatch.Outgoing) (ref string, err error)
	// Edit changes a message; doing it twice does no harm.
	Edit(ctx context.Context, card keepwatch.Card, msg keepwatch.Message) error
	// Find looks whether a message was posted although no answer came.
	Find(ctx context.Context, out keepwatch.Outgoing) (ref string, found bool, err error)
}

// Mail keeps messages on their way. Save, then say: a nil error means that it is
// on disk.
type Mail interface {
	// Lanes gives those that have something to send.
	Lanes() ([]string, error)
	// NextMessage gives the first message of a lane.
	NextMessage(lane string) (out keepwatch.Outgoing, found bool, err error)
	// TryMessage saves that an attempt begins, and gives the message with
	// Tried and After filled in.
	TryMessage(out keepwatch.Outgoing, at time.Time) (keepwatch.Outgoing, error)
	// MessageDelivered lets go of a message that the platform has confirmed.
	MessageDelivered(out keepwatch.Outgoing, ref, shown string, final bool) error
	// RefuseMessage keeps a message apart that is refused for good. first
	// reports whether its channel worked until now, so that people are told.
	RefuseMessage(out keepwatch.Outgoing, why string) (first bool, err error)
	// Untold gives the refused ones that people were to be told about, and
	// perhaps were not; RefusalTold saves that they were.
	Untold() ([]keepwatch.Outgoing, error)
	RefusalTold(out keepwatch.Outgoing) error
	Topics
}

// Topics keeps where the messages are that are to be edited later.
type Topics interface {
	// EditTarget gives the reference of the message that an edit is about, "" where
	// there is none, and the Fingerprint of what it shows, "" where nobody knows. late
	// says that another edit of it is the next in the lane.
	EditTarget(out keepwatch.Outgoing) (ref, shown string, late bool, err error)
	// EditDone lets go of an edit, and keeps what the message shows now; "" where
	// nobody knows.
	EditDone(out keepwatch.Outgoing, ref, shown string) error
}

// Cards keeps the messages of runs.
type Cards interface {
	// LiveCards gives those that do not show yet how their run ended.
	LiveCards() ([]keepwatch.Card, error)
	// CardShown saves what a card shows; a final one is live no longer.
	CardShown(card keepwatch.Card, shown string, final bool) error
	// CardStuck saves that a card can no longer be edited.
	CardStuck(card keepwatch.Card) error
	// ReplaceCard saves that a new message takes the place of a card that
	// cannot be edited, and gives the lanes that have something to send.
	ReplaceCard(card keepwatch.Card) (lanes []string, err error)
	// KeepButtons keeps those whose token is not their command.
	KeepButtons(buttons []keepwatch.Button) error
}

// OutboxConfig is what an outbox needs. Mail, Cards and Show are required.
type OutboxConfig struct {
	Mail    Mail
	Cards   Cards
	Posters map[string]Poster // by platform
	// Away reports whether a platform is connected to by another process than this
	// one, so that what is to be posted there waits. nil: none is.
	Away func(platform string) bool
	// Show gives the card of a run as it is now.
	Show func(run int64) (keepwatch.Message, keepwatch.RunState, error)
	// Pace is the least time between two new messages in one channel, by
	// platform; Edits likewise between two edits on the platform. 0: none.
	Pace, Edits map[string]time.Duration
	// Refused is told, after it was saved, that a message was refused for good;
	// of the first one of a channel once more, where the process ended before
	// it returned.
	Refused func(out keepwatch.Outgoing, why string, first bool)
	Log     *slog.Logger       // nil: silent
	Now     func() time.Time   // nil: time.Now
	Crash   func(point string) // tests end the process at a named point; nil: never
}

// Outbox delivers what was saved to be posted: in order within a lane, each
// message once. A message is marked before it is tried; after a crash or an
// attempt without an answer the platform is asked whether it is there before it
// is sent again. An answer that one person alone sees, by a reply token that is
// alive and in a lane of its own, is not marked: it cannot be looked up, and rather
// comes twice than never. Where the token is refused it is sent without, and is
// marked. What a whole channel sees is marked in any case, by a token or not.
//
// An edit of the message about a topic is a message of its lane, so that it comes
// behind what it changes and before what is said after it: see edit.go.
//
// The cards of runs are kept up to date from what the run is now, not from what
// happened to it, so that nothing that is missed matters: see cards.go.
type Outbox struct {
	cfg OutboxConfig

	mu     sync.Mutex
	lanes  map[string]bool // being served; true: look again before leaving
	paced  map[string]time.Time
	fences map[string]time.Time // by platform: no edit before
	closed bool

	halt     context.Context // ends when nothing new is to be begun
	stop     context.CancelFunc
	hard     context.Context // ends when what is under way is to break off
	abort    context.CancelFunc
	turns    map[string]chan struct{} // by platform: one for each message that is being sent
	working  sync.WaitGroup
	pokes    map[string]chan struct{} // by platform: a card may have changed
	starting sync.Once
}

// inFlight is how many messages are sent to one platform at the same time. A lane
// that waits holds no turn, and no platform takes those of another.
const inFlight = 64

// Waits between attempts that failed without the platform saying how long: 1 s,
// 2 s, 4 s … at most a minute apart.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// NewOutbox makes an outbox. It starts nothing.
func NewOutbox(cfg OutboxConfig) (*Outbox, error) {
	if cfg.Mail == nil || cfg.Cards == nil || cfg.Show == nil {
		return nil, errors.New("engine: an OutboxConfig that lacks one of its parts")
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
	if cfg.Away == nil {
		cfg.Away = func(string) bool { return false }
	}
	if cfg.Refused == nil {
		cfg.Refused = func(keepwatch.Outgoing, string, bool) {}
	}
	o := &Outbox{cfg: cfg, lanes: map[string]bool{}, paced: map[string]time.Time{}, fences: map[string]time.Time{}, turns: map[string]chan struct{}{}, pokes: map[string]chan struct{}{}}
	for platform := range cfg.Posters {
		o.pokes[platform], o.turns[platform] = make(chan struct{}, 1), make(chan struct{}, inFlight)
	}
	o.halt, o.stop = context.WithCancel(context.Background())
	o.hard, o.abort = context.WithCancel(context.Background())
	return o, nil
}

// Start takes up what was left, and begins to keep cards up to date.
func (o *Outbox) Start() error {
	lanes, err := o.cfg.Mail.Lanes()
	if err != nil {
		return fmt.Errorf("take up the messages that were left: %w", err)
	}
	untold, err := o.cfg.Mail.Untold()
	if err != nil {
		return fmt.Errorf("take up the messages that were refused: %w", err)
	}
	o.Send(lanes...)
	for _, out := range untold {
		o.tell(out, out.Refused, true, o.cfg.Log.With("message", out.ID))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	o.starting.Do(func() {
		for platform, poster := range o.cfg.Posters {
			o.working.Go(func() { o.keepCards(platform, poster, o.pokes[platform]) })
		}
	})
	return nil
}

// Send says that lanes have something to send. It returns at once.
func (o *Outbox) Send(lanes ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, lane := range lanes {
		if o.closed {
			return
		}
		if _, served := o.lanes[lane]; served {
			o.lanes[lane] = true
			continue
		}
		o.lanes[lane] = false
		o.working.Go(func() { o.serve(lane) })
	}
}

// Close begins nothing new and waits for what is under way, for as long as ctx
// allows. What it did not wait for is looked for at the next start.
func (o *Outbox) Close(ctx context.Context) error {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.stop()
	done := make(chan struct{})
	go func() { o.working.Wait(); close(done) }()
	select {
	case <-done:
		o.abort()
		return nil
	case <-ctx.Done():
		o.abort()
		<-done
		return fmt.Errorf("some messages were not delivered in time; they are at the next start: %w", ctx.Err())
	}
}

// serve sends what waits in a lane, one after the other, until it is empty.
func (o *Outbox) serve(lane string) {
	log, odd := o.cfg.Log.With("lane", lane), &patience{}
	for o.halt.Err() == nil {
		out, found, err := o.cfg.Mail.NextMessage(lane)
		switch {
		case err != nil:
			log.Error("the next message cannot be read; it is tried again", "err", err)
			o.pause(longestPause)
		case found && o.cfg.Away(keepwatch.Platform(out.Channel)):
			o.mu.Lock()
			delete(o.lanes, lane)
			o.mu.Unlock()
			return
		case found && out.Edit:
			o.change(out, odd, log.With("message", out.ID))
		case found:
			o.deliver(out, odd, log.With("message", out.ID))
		case o.leave(lane):
			return
		}
	}
}

// leave ends the service of a lane, unless something came in meanwhile.
func (o *Outbox) leave(lane string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lanes[lane] {
		o.lanes[lane] = false
		return false
	}
	delete(o.lanes, lane)
	return true
}

// pause waits, and reports whether to go on.
func (o *Outbox) pause(d time.Duration) bool {
	if d <= 0 {
		return o.halt.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return o.halt.Err() == nil
	case <-o.halt.Done():
		return false
	}
}
