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
	return r.Kind == keepwatch.RunBackup || r.Kind == keepwatch.RunPrune
}
func runMissing(id int64) error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no run %d. `/backup status` lists the runs.", id)
}

// CreateRun gives the run the next number and saves it. A backup or a prune has
// its source to itself: a second one is a conflict that names the first.
func (r *Records) CreateRun(run keepwatch.Run) (keepwatch.Run, error) {
	run.Version = version
	err := r.store.Update(func(tx Tx) error {
		if exclusive(run) {
			if err := claim(tx, run.Source); err != nil {
				return err
			}
		}
		id, err := nextNumber(tx, runCounter)
		if err != nil {
			return err
		}
		run.ID = id
		if exclusive(run) {
			if err := tx.Put(busyKey(run.Source), []byte(strconv.FormatInt(id, 10))); err != nil {
				return err
			}
		}
		if err := tx.Put(openKey(id), []byte("{}")); err != nil {
			return err
		}
		return put(tx, runKey(id), run)
	})
	if err != nil {
		return keepwatch.Run{}, err
	}
	return run, nil
}

// claim sees that no other run has the source to itself.
func claim(tx Tx, source string) error {
	number, err := tx.Get(busyKey(source))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return fmt.Errorf("read %s: %w", busyKey(source), err)
	}
	var first keepwatch.Run
	switch found, err := get(tx, runKey(id), &first); {
	case err != nil:
		return err
	case !found || first.State.Ended():
		return nil
	case first.State == keepwatch.RunAttention:
		return keepwatch.Errorf(keepwatch.KindConflict,
			"Run %d of %s (%s) needs attention first: `/backup retry %d` goes on with it, `/backup cancel %d` ends it.", id, source, first.Kind, id, id)
	}
	return keepwatch.Errorf(keepwatch.KindConflict,
		"Run %d (%s of %s) is %s since %s. Wait for it, or stop it with `/backup cancel %d`.",
		id, first.Kind, source, first.State, first.Created.UTC().Format("15:04 UTC"), id)
}

// nextNumber counts up; a number is never given twice, because it is saved in
// the transaction that uses it.
func nextNumber(tx Tx, key string) (int64, error) {
	var last int64
	data, err := tx.Get(key)
	if err == nil {
		last, err = strconv.ParseInt(string(data), 10, 64)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	last++
	return last, tx.Put(key, []byte(strconv.FormatInt(last, 10)))
}

// SaveRun saves a run that CreateRun made. One that has ended gives its source
// back.
func (r *Records) SaveRun(run keepwatch.Run) error {
	run.Version = version
	return r.store.Update(func(tx Tx) error {
		if run.State.Ended() {
			if err := release(tx, run); err != nil {
				return err
			}
		}
		return put(tx, runKey(run.ID), run)
	})
}

func release(tx Tx, run keepwatch.Run) error {
	if err := tx.Delete(openKey(run.ID)); err != nil {
		return err
	}
	holder, err := tx.Get(busyKey(run.Source))
	if errors.Is(err, ErrNotFound) || (err == nil && string(holder) != strconv.FormatInt(run.ID, 10)) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.Delete(busyKey(run.Source))
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
