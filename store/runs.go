package store

import (
	"errors"
	"fmt"
	"strconv"

	"keepwatch"
)

// Keys: run/<number> holds a run; open/<number> is there while it has not
// ended; busy/<source> holds the number of the run that has the source to
// itself; counter/run holds the last number given.
const runCounter = "counter/run"

func runKey(id int64) string       { return fmt.Sprintf("run/%012d", id) }
func openKey(id int64) string      { return fmt.Sprintf("open/%012d", id) }
func busyKey(source string) string { return "busy/" + source }
func exclusive(r keepwatch.Run) bool {
	// what is put back where it came from changes what a backup reads
	return r.Kind == keepwatch.RunBackup || r.Kind == keepwatch.RunPrune || len(r.Ask.Return) > 0
}
func runMissing(id int64) error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no run %d. `/backup status` lists the runs.", id)
}

// CreateRun gives the run the next number and saves it; one without a time of
// creation gets the present one. Where its request has started a run already,
// that one is given back as it is. A backup or a prune has its source to itself: a
// second one is a conflict that names the first.
func (r *Records) CreateRun(run keepwatch.Run) (keepwatch.Run, error) {
	if exclusive(run) {
		if err := validSource(run.Source); err != nil {
			return keepwatch.Run{}, err
		}
	}
	run.Version = version
	if run.Created.IsZero() {
		run.Created = r.now()
	}
	err := r.store.Update(func(tx Tx) (err error) {
		if again, found, err := startedBy(tx, run.Request); err != nil || found {
			run = again
			return err
		}
		if run.ID, err = nextNumber(tx, runCounter); err != nil {
			return err
		}
		if run.Request != "" {
			if err := tx.Put(requestKey(run.Request), []byte(strconv.FormatInt(run.ID, 10))); err != nil {
				return err
			}
		}
		if err := hold(tx, run); err != nil {
			return err
		}
		return put(tx, runKey(run.ID), run)
	})
	if err != nil {
		return keepwatch.Run{}, err
	}
	return run, nil
}

// startedBy gives the run that a request has started already: the request was
// cut off before it was answered, and is carried out again.
func startedBy(tx getter, request string) (run keepwatch.Run, found bool, err error) {
	if request == "" {
		return run, false, nil
	}
	number, err := tx.Get(requestKey(request))
	if errors.Is(err, ErrNotFound) {
		return run, false, nil
	}
	if err != nil {
		return run, false, err
	}
	id, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return run, false, fmt.Errorf("read %s: %w", requestKey(request), err)
	}
	found, err = get(tx, runKey(id), &run)
	return run, found, err
}

// hold lists the run as open and, where it is exclusive, takes its source.
func hold(tx Tx, run keepwatch.Run) error {
	if exclusive(run) {
		if err := claim(tx, run); err != nil {
			return err
		}
	}
	return tx.Put(openKey(run.ID), []byte("{}"))
}

// claim takes the run's source for it, unless another run has it.
func claim(tx Tx, run keepwatch.Run) error {
	id, err := holder(tx, run.Source)
	if err != nil || id == run.ID {
		return err
	}
	if id != 0 {
		var first keepwatch.Run
		found, err := get(tx, runKey(id), &first)
		if err != nil {
			return err
		}
		if found && !first.State.Ended() {
			return busy(first)
		}
	}
	return tx.Put(busyKey(run.Source), []byte(strconv.FormatInt(run.ID, 10)))
}

// holder gives the number of the run that has the source, or 0.
func holder(tx Tx, source string) (int64, error) {
	number, err := tx.Get(busyKey(source))
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", busyKey(source), err)
	}
	return id, nil
}

// busy is what the second is told about the first.
func busy(first keepwatch.Run) error {
	doing := "backing up"
	switch {
	case first.Kind == keepwatch.RunPrune:
		doing = "pruning"
	case first.Kind == keepwatch.RunRestore:
		doing = "putting parts back into"
	case first.Ask.Held != "":
		doing = "bringing home a backup of"
	}
	if first.State == keepwatch.RunAttention {
		return keepwatch.Errorf(keepwatch.KindConflict,
			"Run %d, which was %s %s, needs attention first: `/backup retry %d` goes on with it, `/backup cancel %d` ends it.", first.ID, doing, first.Source, first.ID, first.ID)
	}
	since := first.Created
	if first.State == keepwatch.RunRunning && !first.Started.IsZero() {
		since = first.Started
	}
	return keepwatch.Errorf(keepwatch.KindConflict,
		"Run %d is already %s %s (%s since %s). Wait for it, or stop it with `/backup cancel %d`.",
		first.ID, doing, first.Source, first.State, since.UTC().Format("2 Jan 15:04 UTC"), first.ID)
}

// nextNumber counts up; a number is never given twice, because it is saved in
// the transaction that uses it.
func nextNumber(tx Tx, key string) (int64, error) {
	last, err := lastNumber(tx, key)
	if err != nil {
		return 0, err
	}
	last++
	return last, tx.Put(key, []byte(strconv.FormatInt(last, 10)))
}

// lastNumber gives the number that was given last, 0 where none was.
func lastNumber(r getter, key string) (last int64, err error) {
	data, err := r.Get(key)
	if err == nil {
		last, err = strconv.ParseInt(string(data), 10, 64)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	return last, nil
}

// SaveRun saves a run that CreateRun made. One that has ended is no longer open
// and gives its source back.
func (r *Records) SaveRun(run keepwatch.Run) error {
	run.Version = version
	return r.store.Update(func(tx Tx) error {
		if _, err := tx.Get(runKey(run.ID)); errors.Is(err, ErrNotFound) {
			return runMissing(run.ID)
		} else if err != nil {
			return err
		}
		keep := hold
		if run.State.Ended() {
			keep = release
		}
		if err := keep(tx, run); err != nil {
			return err
		}
		return put(tx, runKey(run.ID), run)
	})
}

func release(tx Tx, run keepwatch.Run) error {
	if exclusive(run) {
		id, err := holder(tx, run.Source)
		if err != nil {
			return err
		}
		if id == run.ID {
			if err := tx.Delete(busyKey(run.Source)); err != nil {
				return err
			}
		}
	}
	return tx.Delete(openKey(run.ID))
}

// Run gives a run by its number.
func (r *Records) Run(id int64) (run keepwatch.Run, err error) {
	err = r.store.View(func(rd Reader) error {
		found, err := get(rd, runKey(id), &run)
		if err == nil && !found {
			return runMissing(id)
		}
		return err
	})
	return run, err
}

// OpenRuns gives the runs that have not ended, oldest first.
func (r *Records) OpenRuns() ([]keepwatch.Run, error) {
	var open []keepwatch.Run
	err := r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: "open/"}, func(key string, _ []byte) error {
			var run keepwatch.Run
			found, err := get(rd, "run/"+key[len("open/"):], &run)
			if err == nil && found {
				open = append(open, run)
			}
			return err
		})
	})
	return open, err
}

// RecentRuns gives at most limit runs of a source ("" for all), newest first.
func (r *Records) RecentRuns(source string, limit int) ([]keepwatch.Run, error) {
	var list []keepwatch.Run
	err := scan(r.store, Range{Prefix: "run/", Reverse: true}, func(run keepwatch.Run) error {
		if source != "" && run.Source != source {
			return nil
		}
		if list = append(list, run); limit > 0 && len(list) >= limit {
			return ErrStop
		}
		return nil
	})
	return list, err
}
