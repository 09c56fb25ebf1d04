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
}

// Vault is where archives lie.
type Vault interface {
	Sealer
	Keeper
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

// Config is what the works need. All but Keep, Location and Crash are required.
type Config struct {
	Sources   Sources
	Providers map[keepwatch.SourceKind]Provider
	Vault     Vault
	Archives  Archives
	Copies    []string // folders elsewhere that get a copy of each archive
	Copier    Copier   // nil where there are no Copies
	Keep      keepwatch.Keep
	Location  *time.Location // whose days retention counts; nil: UTC
	Now       func() time.Time
	Log       *slog.Logger // nil: silent
	Crash     func(point string)
}

// Work carries out the steps of one kind of run. It satisfies engine.Work.
type Work struct {
	steps   []step
	refuse  func(run keepwatch.Run) error // a run that must not begin; nil: none
	discard func(run keepwatch.Run) error
}

// step is one of them.
type step struct {
	name  string
	do    func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error)
	again func(run keepwatch.Run) bool // whether it may be done again after it was cut off; nil: yes
}

// NewWorks gives the work of each kind of run.
func NewWorks(cfg Config) (map[keepwatch.RunKind]*Work, error) {
	if cfg.Sources == nil || cfg.Vault == nil || cfg.Archives == nil || cfg.Now == nil {
		return nil, errors.New("providers: a Config without Sources, Vault, Archives or Now")
	}
	if len(cfg.Copies) > 0 && cfg.Copier == nil {
		return nil, errors.New("providers: a Config with Copies and without Copier")
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
	return map[keepwatch.RunKind]*Work{
		keepwatch.RunBackup:  backupWork(cfg),
		keepwatch.RunVerify:  verifyWork(cfg),
		keepwatch.RunRestore: restoreWork(cfg),
		keepwatch.RunPrune:   pruneWork(cfg),
	}, nil
}

// Steps names the steps, or refuses the run.
func (w *Work) Steps(_ context.Context, run keepwatch.Run) ([]string, error) {
	if w.refuse != nil {
		if err := w.refuse(run); err != nil {
			return nil, err
		}
	}
	names := make([]string, len(w.steps))
	for i, s := range w.steps {
		names[i] = s.name
	}
	return names, nil
}

// Do carries out one step.
func (w *Work) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	for _, s := range w.steps {
		if s.name == task.Step {
			return s.do(ctx, task)
		}
	}
	return task.Run.Result, fmt.Errorf("providers: no step %q in a run of kind %s", task.Step, task.Run.Kind)
}

// Resumable reports whether a step may be done again after it was cut off.
func (w *Work) Resumable(run keepwatch.Run, name string) bool {
	for _, s := range w.steps {
		if s.name == name {
			return s.again == nil || s.again(run)
		}
	}
	return false
}

// Discard removes what a run that did not finish left.
func (w *Work) Discard(_ context.Context, run keepwatch.Run) error {
	if w.discard == nil {
		return nil
	}
	return w.discard(run)
}
