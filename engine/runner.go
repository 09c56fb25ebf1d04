package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"keepwatch"
)

// Config is what an engine needs. Records and Works are required.
type Config struct {
	Records  Records
	Works    map[keepwatch.RunKind]Work
	Parallel int                 // runs at once; 0: 2
	Log      *slog.Logger        // nil: silent
	Now      func() time.Time    // nil: time.Now
	Changed  func(keepwatch.Run) // called after each saved change of a run, from one goroutine at a time per run
	Crash    func(point string)  // tests end the process at a named point; nil: never
}

// Engine carries out runs. Its methods may be called from any goroutine.
type Engine struct {
	cfg Config

	mu      sync.Mutex
	live    map[int64]*job
	waiting []*job                  // in the order in which they were asked for
	working int                     // how many jobs have their turn
	unkept  map[int64]keepwatch.Run // those that stopped, which could not be saved
	closed  bool
	done    sync.WaitGroup
}

// job is a run that is queued or under way.
type job struct {
	mu       sync.Mutex
	run      keepwatch.Run // as it was last saved, with live progress
	changed  chan struct{} // closed and replaced at every change
	cancel   context.CancelCauseFunc
	turn     chan struct{} // closed when the job may work
	finished chan struct{} // closed when the engine lets go of the run

	saving sync.Mutex // one change is saved at a time
}

// errShutdown ends steps when the bot stops; their runs go on at the next start.
var errShutdown = errors.New("the bot is stopping")

// errCancelled ends a step because a person cancelled its run.
var errCancelled = errors.New("cancelled by a person")

// New makes an engine. It starts nothing.
func New(cfg Config) (*Engine, error) {
	if cfg.Records == nil || len(cfg.Works) == 0 {
		return nil, errors.New("engine: it needs Records and Works")
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = 2
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Changed == nil {
		cfg.Changed = func(keepwatch.Run) {}
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	return &Engine{cfg: cfg, live: map[int64]*job{}, unkept: map[int64]keepwatch.Run{}}, nil
}

// Start saves a new run and queues it. The run is on disk when Start returns.
func (e *Engine) Start(ctx context.Context, run keepwatch.Run) (keepwatch.Run, error) {
	work, ok := e.cfg.Works[run.Kind]
	if !ok {
		return keepwatch.Run{}, fmt.Errorf("engine: no work for runs of kind %q", run.Kind)
	}
	names, err := work.Steps(ctx, run)
	if err != nil {
		return keepwatch.Run{}, err
	}
	run.Steps = nil
	for _, name := range names {
		run.Steps = append(run.Steps, keepwatch.Step{Name: name, State: keepwatch.StepPending})
	}
	run.State, run.Created = keepwatch.RunQueued, e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return keepwatch.Run{}, stopping()
	}
	e.cfg.Crash("engine.create.before-save")
	if run, err = e.cfg.Records.CreateRun(run); err != nil {
		return keepwatch.Run{}, err
	}
	if j := e.live[run.ID]; j != nil {
		return j.snapshot(), nil // its request was cut off and is carried out again
	}
	if run.State != keepwatch.RunQueued {
		return run, nil // likewise, and the run is over or waits
	}
	e.cfg.Crash("engine.create.after-save")
	e.cfg.Changed(run)
	e.queue(run, work)
	return run, nil
}

func stopping() error {
	return keepwatch.Errorf(keepwatch.KindConflict, "Keepwatch is stopping and takes nothing new. Ask again when it is back.")
}

// queue hands a saved run to a goroutine of its own. The caller holds e.mu.
func (e *Engine) queue(run keepwatch.Run, work Work) *job {
	ctx, cancel := context.WithCancelCause(context.Background())
	return e.launch(ctx, cancel, run, work)
}

// queueCancelled makes a job that does no step and ends as cancelled. The caller
// holds e.mu.
func (e *Engine) queueCancelled(run keepwatch.Run, work Work) *job {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errCancelled) // before it may begin
	return e.launch(ctx, cancel, run, work)
}

func (e *Engine) launch(ctx context.Context, cancel context.CancelCauseFunc, run keepwatch.Run, work Work) *job {
	j := &job{run: run, changed: make(chan struct{}), cancel: cancel, turn: make(chan struct{}), finished: make(chan struct{})}
	e.live[run.ID] = j
	delete(e.unkept, run.ID)
	e.waiting = append(e.waiting, j)
	e.done.Add(1)
	go func() {
		defer e.done.Done()
		defer cancel(nil)
		select {
		case <-j.turn:
		case <-ctx.Done():
		}
		if cause := context.Cause(ctx); cause != nil {
			e.settle(ctx, j, work, cause)
		} else {
			e.carry(ctx, j, work)
		}
		e.letGo(j)
	}()
	e.next()
	return j
}

// next gives their turn to those that wait longest, as long as there is room.
// The caller holds e.mu.
func (e *Engine) next() {
	for e.working < e.cfg.Parallel && len(e.waiting) > 0 {
		close(e.waiting[0].turn)
		e.waiting = e.waiting[1:]
		e.working++
	}
}

// letGo ends a job's time with the engine.
func (e *Engine) letGo(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.live, j.snapshot().ID)
	if at := slices.Index(e.waiting, j); at >= 0 {
		e.waiting = slices.Delete(e.waiting, at, at+1)
	} else {
		e.working--
	}
	e.next()
	close(j.finished)
}

// carry does the steps that are not done, one by one.
func (e *Engine) carry(ctx context.Context, j *job, work Work) {
	log := e.cfg.Log.With("run", j.snapshot().ID, "source", j.snapshot().Source)
	for {
		run := j.snapshot()
		step := run.Current()
		if step == nil {
			break
		}
		if err := context.Cause(ctx); err != nil {
			e.settle(ctx, j, work, err)
			return
		}
		if err := e.begin(j, step.Name); err != nil {
			e.unsaved(j, work, step.Name, err, log)
			return
		}
		e.cfg.Crash("engine." + step.Name + ".begun")
		result, err := e.attempt(ctx, j, work, step.Name, log)
		if err != nil {
			e.settle(ctx, j, work, stepError{step.Name, err, &result})
			return
		}
		e.cfg.Crash("engine." + step.Name + ".before-save")
		if err := e.finish(j, step.Name, result); err != nil {
			e.unsaved(j, work, step.Name, err, log)
			return
		}
		e.cfg.Crash("engine." + step.Name + ".after-save")
	}
}

// stepError is an error with the name of the step that gave it, and how far that
// came, which is kept with the failure.
type stepError struct {
	step   string
	err    error
	result *keepwatch.Result // nil: nothing new
}

func (s stepError) Error() string { return s.step + ": " + s.err.Error() }
func (s stepError) Unwrap() error { return s.err }

// begin saves that a step runs, before it acts.
func (e *Engine) begin(j *job, name string) error {
	return e.change(j, func(run *keepwatch.Run) {
		now := e.now()
		run.State, run.Failure = keepwatch.RunRunning, nil
		if run.Started.IsZero() {
			run.Started = now
		}
		step := run.Step(name)
		step.State = keepwatch.StepRunning
		step.Attempts++
		if step.Started.IsZero() {
			step.Started = now
		}
		run.Progress = keepwatch.Progress{Step: name, Since: now, At: now}
	})
}

// finish saves a step's result. With the last step the run is done, in the same
// write, so that nothing can come between.
func (e *Engine) finish(j *job, name string, result keepwatch.Result) error {
	return e.change(j, func(run *keepwatch.Run) {
		keepResult(run, &result)
		run.Result.Checkpoint = nil
		step := run.Step(name)
		step.State, step.Ended = keepwatch.StepDone, notBefore(e.now(), step.Started)
		if run.Current() == nil {
			run.State, run.Ended = keepwatch.RunDone, step.Ended
			run.Progress = keepwatch.Progress{}
		}
	})
}

// notBefore keeps durations from being negative when the clock was set back.
func notBefore(t, start time.Time) time.Time {
	if t.Before(start) {
		return start
	}
	return t
}

// Retries of a transient error within one step: 1 s, 2 s, 4 s … at most a
// minute apart.
const (
	transientTries = 6
	firstWait      = time.Second
	longestWait    = time.Minute
)

// attempt does one step, again and again while its error is transient. It is
// the one place that retries.
func (e *Engine) attempt(ctx context.Context, j *job, work Work, name string, log *slog.Logger) (keepwatch.Result, error) {
	wait, last := firstWait, ""
	for try := 1; ; try++ {
		result, err := e.do(ctx, j, work, name)
		if err == nil || ctx.Err() != nil || keepwatch.KindOf(err) != keepwatch.KindTransient {
			return result, err
		}
		if try == transientTries && j.snapshot().Due != "" { // nobody sits there: the run ends, and its rule begins another one later
			return result, fmt.Errorf("after %d tries: %w", try, err)
		}
		if try == transientTries {
			return result, keepwatch.Errorf(keepwatch.KindAttention, "%s It was tried %d times. Retry when it may work again.", keepwatch.Sentence(err), try).Because(err)
		}
		if err.Error() != last {
			log.Warn("a step is tried again", "step", name, "try", try, "err", err)
			last = err.Error()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return result, context.Cause(ctx)
		}
		wait = min(wait*2, longestWait)
	}
}

// panicError is a panic in a step.
type panicError struct {
	value any
	stack string
}

func (p panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// do calls the work, and turns a panic into an error of that run only.
func (e *Engine) do(ctx context.Context, j *job, work Work, name string) (result keepwatch.Result, err error) {
	run := j.snapshot()
	defer func() {
		if p := recover(); p != nil {
			result, err = run.Result, panicError{p, string(debug.Stack())}
		}
	}()
	since := run.Progress.Since
	return work.Do(ctx, keepwatch.Task{
		Run: run, Step: name,
		Report: func(p keepwatch.Progress) {
			p.Step, p.Since, p.At = name, since, e.now()
			j.report(p)
		},
		Checkpoint: func(data json.RawMessage) error {
			return e.change(j, func(run *keepwatch.Run) { run.Result.Checkpoint = data; run.Step(name).Attempts = 1 })
		},
		Keep: func(data json.RawMessage) error {
			data = slices.Clone(data)
			e.cfg.Crash("engine." + name + ".before-keep")
			err := e.change(j, func(run *keepwatch.Run) { run.Result.Remote = data })
			e.cfg.Crash("engine." + name + ".kept")
			return err
		},
	})
}

// change saves a change and only then shows it to anybody. What is reported while it is being
// saved stays.
func (e *Engine) change(j *job, change func(*keepwatch.Run)) error {
	j.saving.Lock()
	defer j.saving.Unlock()
	run := j.snapshot()
	before := run.Progress
	change(&run)
	said := run.Progress == before
	if err := e.cfg.Records.SaveRun(run); err != nil {
		return err
	}
	j.update(func(r *keepwatch.Run) {
		if said {
			run.Progress = r.Progress
		}
		*r = run
	})
	e.cfg.Changed(run)
	return nil
}

func (e *Engine) now() time.Time { return e.cfg.Now().UTC() }
