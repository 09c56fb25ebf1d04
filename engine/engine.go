// Package engine runs things: it queues runs, carries out their steps one by
// one, saves after each, takes them up again after a crash and stops them when
// a person says so.
//
// The engine knows nothing of backups. A [Work] gives it the names of a run's
// steps and does one of them at a time; [Records] keeps the runs. A step that
// was saved as done never runs again. A step that was cut off (the process was
// killed, the machine lost power) is done again from its checkpoint where the
// Work says that this is safe, and otherwise waits for a person as "needs
// attention".
package engine

import (
	"context"

	"keepwatch"
)

// Work is what the runs of one kind do.
type Work interface {
	// Steps names the steps of a new run, in order. An error refuses the run
	// before it is saved.
	Steps(ctx context.Context, run keepwatch.Run) ([]string, error)
	// Do carries out task.Step and returns the run's result with its own part
	// filled in; with an error, as far as it came: that is kept with the
	// failure. It returns within a second of ctx being cancelled.
	Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error)
	// Resumable reports whether a step that was cut off may simply be done
	// again.
	Resumable(run keepwatch.Run, step string) bool
	// Discard removes what an ended run that did not finish has left lying
	// about. It may be called more than once.
	Discard(ctx context.Context, run keepwatch.Run) error
}

// Records keeps runs. Save, then say: a nil error means that it is on disk.
type Records interface {
	// CreateRun gives the run its number and saves it. A run that is not over
	// for the same source (Run.Source) is a conflict that names it, unless
	// the new run only reads the archives (verify, and restore to a folder: one with
	// Ask.Return writes to the source). Where
	// run.Request has started a run already, that one is given back.
	CreateRun(run keepwatch.Run) (keepwatch.Run, error)
	SaveRun(run keepwatch.Run) error
	Run(id int64) (keepwatch.Run, error)
	// OpenRuns gives those that have not ended, oldest first.
	OpenRuns() ([]keepwatch.Run, error)
}
