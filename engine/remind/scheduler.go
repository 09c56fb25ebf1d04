package remind

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"keepwatch"
)

// Config is what a Scheduler needs. Records, Clock, Show, ShowDigest, ShowMissed and
// NewID are required.
//
// Show, ShowDigest and ShowMissed are called inside transactions that may run more
// than once: they only render.
type Config struct {
	Records Records
	Clock   Clock

	// Show gives the message of an occurrence as it is now: with buttons while it is
	// open, and with what became of it afterwards. Of a rule that is gone only the
	// fields that the occurrence has as well are set.
	Show func(keepwatch.Occurrence, keepwatch.Rule) keepwatch.Message
	// ShowDigest gives one message for many. An open occurrence of which Digest is not
	// the digest's ID is asked again in another message, and has no buttons in this one.
	ShowDigest func(keepwatch.Digest, []keepwatch.Occurrence) keepwatch.Message
	// ShowMissed says in one line what was missed and is not caught up: oldest first,
	// at most MaxMissed; the first one's Earlier says how many there were before it.
	ShowMissed func(rule keepwatch.Rule, missed []keepwatch.Occurrence) keepwatch.Message

	// Hours gives when a channel may be disturbed; nil: always.
	Hours func(channel string) keepwatch.Hours
	// Location is the bot's own zone; nil: UTC.
	Location *time.Location

	// Carry hands over a command that is due. It returns when the delivery is saved,
	// and saves one with the same Key once. nil: no commands.
	Carry func(context.Context, keepwatch.Delivery) error
	// Outcome gives what came of the newest try of a command: of the request
	// RequestID(o.ID, o.Tries). nil: nothing is known.
	Outcome func(o keepwatch.Occurrence) (Outcome, error)

	Send    func(lanes ...string) // told which lanes have something to send; nil: nobody
	Changed func()                // told after each save that something is different: when to wake, what warnings are about; nil: nobody
	NewID   func() string         // gives an id for a message or a digest
	Now     func() time.Time      // nil: time.Now
	Log     *slog.Logger          // nil: silent
	Crash   func(point string)    // tests end the process at a named point; nil: never
}

// MaxMissed is how many occurrences of one rule are kept when many were missed at
// once.
const MaxMissed = 20

// Outcome is what came of a try to carry out a command.
type Outcome struct {
	Run     keepwatch.Run // what it started
	Found   bool          // Run is set
	Done    bool          // it was answered, and started no run
	Refused string        // it was refused or failed before anything started: the sentence
	Denied  bool          // Refused because whoever made the rule may not do this: no retry mends it
	Pending bool          // it was taken, and is not answered yet
}

// Scheduler keeps rules and what comes due of them. Its methods may be called from
// any goroutine.
type Scheduler struct {
	cfg Config

	asked sync.Mutex // one AddRule or FireNow at a time, so that what a request has made is looked for and saved as one

	mu   sync.Mutex
	seen map[string]string // by occurrence: which run of it was saved, and how it stood
}

// New makes a Scheduler. It starts nothing.
func New(cfg Config) (*Scheduler, error) {
	if cfg.Records == nil || cfg.Clock == nil || cfg.Show == nil || cfg.ShowDigest == nil || cfg.ShowMissed == nil || cfg.NewID == nil {
		return nil, errors.New("remind: a Config that lacks one of its parts")
	}
	if cfg.Hours == nil {
		cfg.Hours = func(string) keepwatch.Hours { return keepwatch.Hours{} }
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Outcome == nil {
		cfg.Outcome = func(keepwatch.Occurrence) (Outcome, error) { return Outcome{}, nil }
	}
	if cfg.Send == nil {
		cfg.Send = func(...string) {}
	}
	if cfg.Changed == nil {
		cfg.Changed = func() {}
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
	return &Scheduler{cfg: cfg, seen: map[string]string{}}, nil
}

// Rule gives one; KindNotFound where there is none.
func (s *Scheduler) Rule(id string) (keepwatch.Rule, error) { return s.cfg.Records.Rule(id) }

// RulesAfter gives the rules behind one; see RuleLists.
func (s *Scheduler) RulesAfter(id string, limit int) ([]keepwatch.Rule, error) {
	return s.cfg.Records.RulesAfter(id, limit)
}

// FixedRules gives those of the configuration.
func (s *Scheduler) FixedRules() ([]keepwatch.Rule, error) { return s.cfg.Records.FixedRules() }

// RequestRules gives what a request has made.
func (s *Scheduler) RequestRules(request string) ([]keepwatch.Rule, error) {
	return s.cfg.Records.RequestRules(request)
}

// RulesLike gives the rules made by chat that say the same at the same times.
func (s *Scheduler) RulesLike(rule keepwatch.Rule) ([]keepwatch.Rule, error) {
	return s.cfg.Records.RulesLike(rule)
}

// Occurrences gives those of a rule, newest first.
func (s *Scheduler) Occurrences(rule string, limit int) ([]keepwatch.Occurrence, error) {
	return s.cfg.Records.Occurrences(rule, limit)
}

// Occurrence gives one; KindNotFound where there is none.
func (s *Scheduler) Occurrence(id string) (keepwatch.Occurrence, error) {
	return s.cfg.Records.Occurrence(id)
}

// OpenAfter gives those behind one that are not settled, oldest first.
func (s *Scheduler) OpenAfter(id string, limit int) ([]keepwatch.Occurrence, error) {
	return s.cfg.Records.OpenAfter(id, limit)
}

// NewestOpen gives those that are not settled, what was due last first.
func (s *Scheduler) NewestOpen(limit int) ([]keepwatch.Occurrence, error) {
	return s.cfg.Records.NewestOpen(limit)
}

// CountOpen gives how many are not settled.
func (s *Scheduler) CountOpen() (int64, error) { return s.cfg.Records.CountOpen() }

// OpenOf gives those of a rule that are not settled, oldest first.
func (s *Scheduler) OpenOf(rule string) ([]keepwatch.Occurrence, error) {
	return s.cfg.Records.OpenOf(rule)
}

// DigestOccurrences gives what stands in a digest, settled or not.
func (s *Scheduler) DigestOccurrences(id string) ([]keepwatch.Occurrence, error) {
	return s.cfg.Records.DigestOccurrences(id)
}

func noRule(id string) *keepwatch.Error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no reminder %s. See which there are: /reminder list", keepwatch.Printable(id))
}

func noOccurrence(id string) *keepwatch.Error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "Nothing came due as %s, or it was so long ago that it is kept no more. See what is open: /reminder list --due", keepwatch.Printable(id))
}

// now gives the moment to the second, as everything here is kept: a wake that is
// saved for a fraction of a second later would be found due and not be.
func (s *Scheduler) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Second) }

// moment writes a time for people, in the bot's zone.
func (s *Scheduler) moment(t time.Time) string {
	return t.In(s.cfg.Location).Format("Mon 2 Jan 2006 15:04 MST")
}

// open reports whether a channel may be disturbed now, and from when on otherwise.
func (s *Scheduler) open(channel string, now time.Time) (bool, time.Time) {
	from := s.cfg.Hours(channel).Next(now, s.cfg.Location)
	return !from.After(now), wholeSecond(from)
}

// wholeSecond rounds up: whatever waits is not to be woken too early.
func wholeSecond(t time.Time) time.Time {
	t = t.UTC()
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}
