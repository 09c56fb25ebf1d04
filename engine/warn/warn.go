// Package warn tells people of facts that need somebody, until they are over.
//
// A fact is computed, never typed in: [Keeper.Review] has all of them computed and
// compares them with the warnings that are kept. Each fact has one warning at a time.
// What is said of it, that it was said, and when it is said again are saved in one
// transaction, so that neither a crash nor a second look can say it twice or never.
//
// A fact that comes true at a time is told of at each step of [keepwatch.Ladder]
// before that, at that time, and each day after it; another one when it is noticed,
// after 1, 3 and 7 days, and each week after that. Somebody's acknowledgement lets it
// rest. What nobody acknowledges is passed on to more people, once.
//
// What is over is shown as over at once, by an edit, which rings no telephone; it is
// watched for an hour before it is resolved. Where the fact comes back within
// that hour it is the same warning: its messages are edited again, and nobody is told
// anew. So a fact that comes and goes within minutes is one message.
package warn

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"keepwatch"
)

// Records keeps warnings.
type Records interface {
	// Change runs fn as one transaction, and gives the lanes that have something to
	// send. fn may run more than once, so it has no side effects.
	Change(fn func(Change) error) (lanes []string, err error)
	// OpenWarnings gives those that are not resolved.
	OpenWarnings() ([]keepwatch.Warning, error)
	Warning(id string) (keepwatch.Warning, error) // KindNotFound where there is none
}

// Change reads and writes within one transaction.
type Change interface {
	Warning(id string) (w keepwatch.Warning, found bool, err error)
	// WarningOf gives the warning of a fact that is not resolved.
	WarningOf(key string) (w keepwatch.Warning, found bool, err error)
	// PutWarning saves a warning, and that it is to be looked at from w.Wake on; one
	// without Wake is not.
	PutWarning(w keepwatch.Warning) error
	// NewWarningID gives the next ID: "w12".
	NewWarningID() (string, error)
	Digest(id string) (d keepwatch.Digest, found bool, err error)
	PutDigest(d keepwatch.Digest) error
	// Post saves messages to be posted, or to be edited.
	Post(out ...keepwatch.Outgoing) error
}

// Config is what a Keeper needs. The functions that show something, Where, Wider,
// Name and Open, are called inside transactions, perhaps more than once: they have no side
// effects.
type Config struct {
	Facts   func(now time.Time) ([]keepwatch.Fact, error) // all that hold
	Records Records
	Show    func(keepwatch.Warning) keepwatch.Message
	// ShowMany gives the message for many that are told of at once in one place.
	ShowMany func(keepwatch.Digest, []keepwatch.Warning) keepwatch.Message
	Where    func(keepwatch.Fact) []string // the channels that hear of it first
	Wider    func(keepwatch.Fact) []string // where it goes when nobody acknowledges it; nil: nowhere
	Name     func(channel string) string   // what a channel is called where people read it; nil: as it is
	// Open gives the first moment from t on at which a channel may be disturbed: t
	// itself where that is one. nil: always.
	Open     func(channel string, t time.Time) time.Time
	Send     func(lanes ...string) // told which lanes have something to send; nil: nobody
	NewID    func() string         // an ID for a message or a digest
	Location *time.Location        // for times in what is kept of a warning; nil: UTC
	Now      func() time.Time      // nil: time.Now
	Log      *slog.Logger          // nil: silent
	Crash    func(point string)    // tests end the process at a named point; nil: never
}

// Keeper keeps warnings. Its methods may be called from any goroutine.
type Keeper struct {
	cfg  Config
	poke chan struct{}
	// reviewing is held through a review, so that facts which are older never take
	// the place of newer ones.
	reviewing sync.Mutex
}

// New makes a Keeper. It starts nothing.
func New(cfg Config) (*Keeper, error) {
	if cfg.Facts == nil || cfg.Records == nil || cfg.Show == nil || cfg.ShowMany == nil || cfg.Where == nil || cfg.NewID == nil {
		return nil, errors.New("warn: a Config that lacks one of its parts")
	}
	if cfg.Wider == nil {
		cfg.Wider = func(keepwatch.Fact) []string { return nil }
	}
	if cfg.Name == nil {
		cfg.Name = func(channel string) string { return channel }
	}
	if cfg.Open == nil {
		cfg.Open = func(_ string, t time.Time) time.Time { return t }
	}
	if cfg.Send == nil {
		cfg.Send = func(...string) {}
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	return &Keeper{cfg: cfg, poke: make(chan struct{}, 1)}, nil
}

// now gives the time in whole seconds, which is how finely wakes are kept.
func (k *Keeper) now() time.Time { return k.cfg.Now().UTC().Truncate(time.Second) }

// batch is how many warnings one transaction takes. Other stores than bolt bound how
// much one may hold.
const batch = 100

// Tick looks at warnings whose time has come. One that is looked at too early, or a
// second time, stays as it is.
func (k *Keeper) Tick(ctx context.Context, wakes []keepwatch.Wake) error {
	for len(wakes) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := wakes[:min(batch, len(wakes))]
		wakes = wakes[len(part):]
		err := k.transact(func(t *telling) error {
			seen := map[string]bool{}
			for _, wake := range part {
				if seen[wake.ID] {
					continue
				}
				seen[wake.ID] = true
				w, found, err := t.change.Warning(wake.ID)
				if err != nil {
					return err
				}
				if found && w.Resolved.IsZero() {
					t.look(w)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// transact runs work in one transaction, and says then what it has saved.
func (k *Keeper) transact(work func(t *telling) error) error {
	ids := &pool{more: k.cfg.NewID}
	now := k.now()
	lanes, err := k.cfg.Records.Change(func(c Change) error {
		ids.used = 0
		t := &telling{k: k, change: c, now: now, ids: ids}
		if err := work(t); err != nil {
			return err
		}
		return t.save()
	})
	if err != nil {
		return err
	}
	k.cfg.Crash("warn.saved")
	if len(lanes) > 0 {
		k.cfg.Send(lanes...)
	}
	return nil
}

// pool gives IDs for messages: the same ones again when a transaction runs again.
type pool struct {
	more func() string
	ids  []string
	used int
}

func (p *pool) next() string {
	if p.used == len(p.ids) {
		p.ids = append(p.ids, p.more())
	}
	p.used++
	return p.ids[p.used-1]
}
