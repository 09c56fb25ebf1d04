package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"keepwatch"
)

// Sources finds a source by its name, or gives a KindNotFound error.
type Sources interface {
	Source(name string) (keepwatch.Source, error)
}

// Pack is an archive being written: a Sink that is closed when all is in it.
type Pack interface {
	Sink
	// Close finishes and syncs it and says what was written.
	Close() (keepwatch.Result, error)
	// Abort removes it.
	Abort() error
}

// Sealer makes archives.
type Sealer interface {
	// Begin makes the run's staging folder anew.
	Begin(run keepwatch.Run) (Pack, error)
	// VerifyStaged proves what was staged, from disk.
	VerifyStaged(ctx context.Context, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Verification, error)
	// Publish puts the staged archive in its place; once only, however often it is called for a run.
	Publish(run keepwatch.Run, a keepwatch.Archive) (keepwatch.Archive, error)
	// Published gives the archive that a run has put into its place.
	Published(run keepwatch.Run) (ref string, found bool)
	// Discard removes what a run has staged.
	Discard(run int64) error
	// Free gives the bytes left where archives are written.
	Free() (int64, error)
}

// Keeper looks after archives that exist.
type Keeper interface {
	Verify(ctx context.Context, ref string, report func(keepwatch.Progress)) (keepwatch.Verification, error)
	PlanExtract(ctx context.Context, ref string, ask keepwatch.Ask) (keepwatch.RestorePlan, error)
	Extract(ctx context.Context, ref string, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Result, error)
	// DiscardExtract removes what a restore has written that is not whole.
	DiscardExtract(run keepwatch.Run) error
	// Missing says what of an archive does not lie where it should; "" is nothing.
	Missing(a keepwatch.Archive) string
	Remove(ref string) error
	Reader
}

// Reader looks into archives.
type Reader interface {
	Opener
	// Contents gives the list of what is in an archive, in order; note may be nil.
	Contents(ctx context.Context, ref string, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error
}

// Vault is where archives lie.
type Vault interface {
	Sealer
	Keeper
}

// Mailboxes brings folders and items out of Outlook data files in archives.
type Mailboxes interface {
	// Plan says what Extract would do, without writing anything.
	Plan(ctx context.Context, ref string, ask keepwatch.Ask, q keepwatch.MailQuery) (keepwatch.MailPlan, error)
	// Extract writes what task.Run.Ask names into the new folder Ask.To, which appears
	// only when it is whole. What cannot be read is noted and left out. Done again after
	// it was cut off, it comes to the same end. DiscardExtract removes what it leaves.
	Extract(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error)
}

// Archives keeps the records of archives.
type Archives interface {
	SaveArchive(a keepwatch.Archive) error
	UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error)
	Archives(source string) ([]keepwatch.Archive, error)
	DeleteArchive(ref string) error
	// Confirmed gives the retention rules that somebody has confirmed for a
	// source, as Keep.Rules gives them; "" is none.
	Confirmed(source string) (string, error)
	Confirm(source, rules string) error
	OpenRuns() ([]keepwatch.Run, error)
}

// Config is what the works need. All but Mailboxes, Keep, Location and Crash are required.
type Config struct {
	Sources   Sources
	Providers map[keepwatch.SourceKind]Provider
	Vault     Vault
	Archives  Archives
	Mailboxes Mailboxes // nil: nothing is brought out of Outlook data files
	Copies    []string  // folders elsewhere that get a copy of each archive
	Copier    Copier    // nil where there are no Copies
	Keep      keepwatch.Keep
	Location  *time.Location // whose days retention counts; nil: UTC
	Now       func() time.Time
	Log       *slog.Logger // nil: silent
	Crash     func(point string)
}

// Work carries out the steps of one kind of run. It satisfies engine.Work.
type Work struct {
	steps   func(run keepwatch.Run) []step // all that a run may have
	refuse  func(run keepwatch.Run) error  // a run that must not begin; nil: none
	discard func(run keepwatch.Run) error  // what a run that did not finish left; nil: nothing
}

// step is one of them.
type step struct {
	name  string
	do    func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error)
	again func(run keepwatch.Run) bool // whether it may be done again after it was cut off; nil: yes
	only  func(run keepwatch.Run) bool // whether a new run has it; nil: yes
}

// always are the steps that each run has.
func always(steps ...step) func(keepwatch.Run) []step {
	return func(keepwatch.Run) []step { return steps }
}

// NewWorks gives the work of each kind of run.
func NewWorks(cfg Config) (map[keepwatch.RunKind]*Work, error) {
	cfg, err := cfg.whole()
	if err != nil {
		return nil, err
	}
	return map[keepwatch.RunKind]*Work{
		keepwatch.RunBackup:  backupWork(cfg),
		keepwatch.RunVerify:  verifyWork(cfg),
		keepwatch.RunRestore: restoreWork(cfg),
		keepwatch.RunPrune:   pruneWork(cfg),
	}, nil
}

// whole checks a Config and fills in what may be left out.
func (cfg Config) whole() (Config, error) {
	if cfg.Sources == nil || cfg.Vault == nil || cfg.Archives == nil || cfg.Now == nil {
		return cfg, errors.New("providers: a Config without Sources, Vault, Archives or Now")
	}
	if len(cfg.Copies) > 0 && cfg.Copier == nil {
		return cfg, errors.New("providers: a Config with Copies and without Copier")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	return cfg, nil
}

// provider finds a source and who knows its kind.
func (cfg Config) provider(name string) (keepwatch.Source, Provider, error) {
	source, err := cfg.Sources.Source(name)
	if err != nil {
		return source, nil, err
	}
	p, ok := cfg.Providers[source.Kind]
	if !ok {
		return source, nil, keepwatch.Errorf(keepwatch.KindInvalid, "Backups of sources of kind %q (%s) are not in this version of Keepwatch yet. Until then, back it up by hand.", source.Kind, name)
	}
	return source, p, nil
}

// Steps names the steps, or refuses the run.
func (w *Work) Steps(_ context.Context, run keepwatch.Run) ([]string, error) {
	if w.refuse != nil {
		if err := w.refuse(run); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, s := range w.steps(run) {
		if s.only == nil || s.only(run) {
			names = append(names, s.name)
		}
	}
	return names, nil
}

// Do carries out one step. Which steps a run has was decided when it was made: what
// the configuration says of its source meanwhile changes nothing about that.
func (w *Work) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	if s, found := w.step(task.Run, task.Step); found {
		if task.Report != nil {
			ctx, task.Report = pausing(ctx, task)
		}
		return s.do(ctx, task)
	}
	return task.Run.Result, fmt.Errorf("providers: no step %q in a run of kind %s", task.Step, task.Run.Kind)
}

// Resumable reports whether a step may be done again after it was cut off.
func (w *Work) Resumable(run keepwatch.Run, name string) bool {
	s, found := w.step(run, name)
	return found && (s.again == nil || s.again(run))
}

func (w *Work) step(run keepwatch.Run, name string) (step, bool) {
	for _, s := range w.steps(run) {
		if s.name == name {
			return s, true
		}
	}
	return step{}, false
}

// Discard removes what a run that did not finish left.
func (w *Work) Discard(_ context.Context, run keepwatch.Run) error {
	if w.discard == nil {
		return nil
	}
	return w.discard(run)
}
