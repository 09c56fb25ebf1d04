package files

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"keepwatch"
)

// Seen remembers what was taken from drop folders, and what was tried, through
// restarts.
type Seen interface {
	Seen(source, path string, size int64, mtime time.Time) (bool, error)
	MarkSeen(source, path string, size int64, mtime time.Time) error
	Try(source, path string) (keepwatch.DropTry, error)
	SaveTry(source string, try keepwatch.DropTry) error
	Run(id int64) (keepwatch.Run, error)
}

// WatchConfig is what a Watcher needs.
type WatchConfig struct {
	Sources func() ([]keepwatch.Source, error) // only drop folders among them count
	Seen    Seen
	// Start starts the backup of one file and gives its run. A KindConflict error
	// means later; any other that the file is refused.
	Start func(ctx context.Context, source, part string) (run int64, err error)
	Every time.Duration // between two looks; 0: 15 s
	Now   func() time.Time
	Log   *slog.Logger // nil: silent
}

// DefaultSettle is how long a file in a drop folder must have stood still
// before it is taken in.
const DefaultSettle = time.Minute

// Watcher notices new files in drop folders once they have stopped growing.
type Watcher struct {
	cfg   WatchConfig
	files map[string]still
	told  map[string]string // what the log was told of a name, so that it is told once
}

// still is a file as it was at an earlier look.
type still struct {
	size  int64
	mtime time.Time
	since time.Time
}

// NewWatcher makes one.
func NewWatcher(cfg WatchConfig) *Watcher {
	if cfg.Every <= 0 {
		cfg.Every = 15 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Watcher{cfg: cfg, files: map[string]still{}, told: map[string]string{}}
}

// Run looks until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	ticker := time.NewTicker(w.cfg.Every)
	defer ticker.Stop()
	for {
		w.Look(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Look looks once.
func (w *Watcher) Look(ctx context.Context) {
	sources, err := w.cfg.Sources()
	if err != nil {
		w.cfg.Log.Error("the drop folders cannot be looked at", "err", err)
		return
	}
	found := map[string]still{}
	for _, s := range sources {
		if s.Kind == keepwatch.KindFiles && s.Drop {
			if err := w.source(ctx, s, found); err != nil && ctx.Err() == nil {
				w.cfg.Log.Error("a drop folder cannot be looked at", "source", s.Name, "err", err)
			}
		}
	}
	w.files = found // what is gone is forgotten
}

func (w *Watcher) source(ctx context.Context, s keepwatch.Source, found map[string]still) error {
	settle := s.Settle
	if settle <= 0 {
		settle = DefaultSettle
	}
	return filepath.WalkDir(s.Path, w.visit(ctx, s, settle, found))
}

// visit looks at one name in a drop folder.
func (w *Watcher) visit(ctx context.Context, s keepwatch.Source, settle time.Duration, found map[string]still) fs.WalkDirFunc {
	return func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && name == s.Path {
			return err
		}
		if err != nil { // one folder that cannot be read holds up nothing beside it
			w.tell(name, "a folder in a drop folder cannot be looked into", s, err)
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				w.tell(name, "a file in a drop folder cannot be looked at", s, err)
			}
			return nil
		}
		now := w.cfg.Now()
		was, known := w.files[name]
		if !known || was.size != info.Size() || !was.mtime.Equal(info.ModTime()) || now.Before(was.since) {
			was = still{info.Size(), info.ModTime(), now}
		}
		found[name] = was
		if now.Sub(was.since) < settle {
			return nil
		}
		return w.take(ctx, s, name, info)
	}
}

// tell logs what is wrong with a name, once, until it is something else.
func (w *Watcher) tell(name, what string, s keepwatch.Source, err error) {
	if w.told[name] != err.Error() {
		w.told[name] = err.Error()
		w.cfg.Log.Warn(what, "source", s.Name, "name", name, "err", err)
	}
}

// take starts the backup of a file that stands still and was not taken yet. It
// is taken once its run is done, or once a person has cancelled that: what fails
// on the way is tried again.
func (w *Watcher) take(ctx context.Context, s keepwatch.Source, name string, info fs.FileInfo) error {
	rel, err := filepath.Rel(s.Path, name)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	seen, err := w.cfg.Seen.Seen(s.Name, rel, info.Size(), info.ModTime())
	if err != nil || seen {
		return err
	}
	last, err := w.cfg.Seen.Try(s.Name, rel)
	if err != nil {
		return err
	}
	try := keepwatch.DropTry{Path: rel, Size: info.Size(), ModTime: info.ModTime(), Changed: changedAt(info), Mode: unixMode(info.Mode()), Tries: 1, At: w.cfg.Now()}
	if last.Tries > 0 && last.Size == try.Size && last.ModTime.Equal(try.ModTime) {
		taken, wait, err := w.outcome(last, try)
		if taken {
			err = w.cfg.Seen.MarkSeen(s.Name, rel, info.Size(), info.ModTime())
		}
		if err != nil || taken || wait {
			return err
		}
		try.Tries = last.Tries + 1
	}
	try.Run, err = w.cfg.Start(ctx, s.Name, rel)
	switch {
	case err == nil:
		delete(w.told, name)
	case keepwatch.KindOf(err) == keepwatch.KindConflict:
		w.tell(name, "a file in a drop folder waits", s, err)
		return nil // its source is busy: at the next look
	default:
		w.cfg.Log.Warn("a file in a drop folder is refused", "source", s.Name, "file", rel, "err", err)
	}
	// Killed before this line, the file is taken twice; the other way round it
	// could be taken never.
	return w.cfg.Seen.SaveTry(s.Name, try)
}

// Pauses between two tries at a file that nobody has touched since: what is wrong
// with the file itself does not mend by itself, anything else may.
const (
	firstPause = 5 * time.Minute // doubled each time
	longPause  = 24 * time.Hour
)

// outcome says what has come of the last try at a file that has the same content
// now: it is taken, or nothing is to be done yet.
func (w *Watcher) outcome(last, now keepwatch.DropTry) (taken, wait bool, err error) {
	pause := min(longPause, firstPause<<min(last.Tries-1, 10))
	if last.Run != 0 {
		run, err := w.cfg.Seen.Run(last.Run)
		switch {
		case err != nil && keepwatch.KindOf(err) != keepwatch.KindNotFound:
			return false, true, err
		case err == nil && (run.State == keepwatch.RunDone || run.State == keepwatch.RunCancelled):
			return true, false, nil
		case err == nil && run.State != keepwatch.RunFailed:
			return false, true, nil // it is under way, or waits for a person
		case err == nil && run.Failure != nil && run.Failure.Kind == keepwatch.KindInvalid:
			pause = longPause
		}
	}
	touched := !last.Changed.Equal(now.Changed) || last.Mode != now.Mode
	since := now.At.Sub(last.At)
	return false, !touched && since >= 0 && since < pause, nil
}
