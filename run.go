package keepwatch

import (
	"encoding/json"
	"time"
)

// RunKind is the sort of work that a run does.
type RunKind string

// The kinds of run.
const (
	RunBackup  RunKind = "backup"
	RunVerify  RunKind = "verify"
	RunRestore RunKind = "restore"
	RunPrune   RunKind = "prune"
)

// RunState is where a run is in its life.
type RunState string

// queued → running → waiting (for a person) → done, failed, cancelled or
// needs attention. A run that needs attention is not over: Retry takes it up at
// the step that stopped.
const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunWaiting   RunState = "waiting"
	RunDone      RunState = "done"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
	RunAttention RunState = "needs attention"
)

// Ended reports whether nothing will happen to the run any more.
func (s RunState) Ended() bool { return s == RunDone || s == RunFailed || s == RunCancelled }

// Settled reports whether the run does nothing until a person acts: it has
// ended, waits, or needs attention.
func (s RunState) Settled() bool { return s.Ended() || s == RunAttention || s == RunWaiting }

// StepState is where a step is in its life.
type StepState string

// The states of a step. A step that is done never runs again.
const (
	StepPending StepState = "pending"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)

// Run is one execution of a piece of work. It is saved after every step, so
// that whoever reads it back after a crash knows where to go on.
type Run struct {
	Version int      `json:"v"`
	ID      int64    `json:"id"` // its number, from 1, never used twice
	Kind    RunKind  `json:"kind"`
	Source  string   `json:"source"`
	Ask     Ask      `json:"ask,omitzero"`
	State   RunState `json:"state"`

	By    string `json:"by"`    // the person's name from the YAML, or "schedule"
	Where string `json:"where"` // where it was asked for: "terminal", "slack:C0OPS"
	// Request is the ID of the request that asked for it; a request starts one
	// run, however often it is carried out. Empty: nobody's.
	Request string `json:"request,omitempty"`

	// Due is the ID of the occurrence of a rule that asked for it.
	Due string `json:"due,omitempty"`

	Created time.Time `json:"created"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`

	Steps    []Step    `json:"steps"`
	Result   Result    `json:"result,omitzero"`
	Failure  *Failure  `json:"failure,omitempty"` // why it failed or needs attention; kept after a retry as part of Failures
	Failures []Failure `json:"failures,omitempty"`

	CancelledBy  string    `json:"cancelled_by,omitempty"`
	CancelReason string    `json:"cancel_reason,omitempty"`
	CancelAsked  time.Time `json:"cancel_asked,omitzero"`

	// Progress is what the running step last said. It is not saved at every
	// change; after a restart it begins anew.
	Progress Progress `json:"progress,omitzero"`
}

// Ask is what was asked of a run, beyond its source. Which fields count depends
// on the kind.
type Ask struct {
	Parts     []string `json:"parts,omitempty"`     // backup, restore: only these; empty is all
	Changes   bool     `json:"changes,omitempty"`   // backup: only what changed since the archive that BaseFor gives
	Archive   string   `json:"archive,omitempty"`   // verify, restore: the archive's Ref
	To        string   `json:"to,omitempty"`        // restore: the destination, an absolute path
	Overwrite bool     `json:"overwrite,omitempty"` // restore: replace files that exist
	// Inside says that Parts are folders and items of Outlook data files in the archive,
	// which a restore brings out one by one, as MailPart names them.
	Inside bool `json:"inside,omitempty"`
	// Held is a backup that the provider's server holds, by its ServerBackup.ID; the
	// run brings it home and has none made.
	Held string `json:"held,omitempty"`
	// Return is what a restore puts back where it came from, as it was confirmed; each
	// is a step. Empty: the restore writes to To.
	Return []ReturnItem `json:"return,omitempty"`
	Remove []string     `json:"remove,omitempty"` // prune: the Refs that the confirmed plan removes
	Rules  string       `json:"rules,omitempty"`  // prune: the policy that was shown and confirmed, as Keep.Rules gives it
}

// Step is one saved unit of a run.
type Step struct {
	Name     string    `json:"name"`
	State    StepState `json:"state"`
	Attempts int       `json:"attempts,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
}

// Failure is why a step stopped.
type Failure struct {
	Step    string    `json:"step"`
	At      time.Time `json:"at"`
	Kind    Kind      `json:"kind"`
	Message string    `json:"message"`         // a sentence for a person
	Cause   string    `json:"cause,omitempty"` // for the log and an admin
	Stack   string    `json:"stack,omitempty"` // where it panicked, if it did
}

// Result is what the steps of a run have found so far. Each step is given the
// result of those before it and returns it with its own part filled in.
type Result struct {
	Plan *Plan `json:"plan,omitempty"` // backup, restore, prune: what was going to be done

	Items  int64              `json:"items,omitempty"`  // entries read, checked or restored
	Bytes  int64              `json:"bytes,omitempty"`  // of content, before compression
	Sealed []SealedFile       `json:"sealed,omitempty"` // what was written to the vault
	Notes  []Note             `json:"notes,omitempty"`  // the first MaxNotes things worth knowing
	Counts map[NoteKind]int64 `json:"counts,omitempty"` // all of them, counted by kind
	Gaps   []string           `json:"gaps,omitempty"`   // backup: what could not be read, or only in part, as Gaps.List gives it

	Inside *Inside `json:"inside,omitempty"` // backup: what was seen inside
	// Mailboxes are the first MaxMailboxes Outlook data files that were read, in short.
	Mailboxes []Mailbox `json:"mailboxes,omitempty"`
	// Kinds are the items that were brought out of such files, by kind.
	Kinds map[ItemKind]int64 `json:"kinds,omitempty"`

	Logs []ServerLog `json:"logs,omitempty"` // what the server wrote about steps
	// Remote is what the provider keeps of what its server makes for this run. It is
	// private to the provider and stays between steps, restarts and retries. Task.Keep
	// alone changes it.
	Remote json.RawMessage `json:"remote,omitempty"`

	// Base is the Ref of the archive that what was read goes on from; "": it is whole.
	Base string `json:"base,omitempty"`

	Verification *Verification `json:"verification,omitempty"`
	Archive      string        `json:"archive,omitempty"`  // Ref of the archive that was made, checked or restored
	Copied       []string      `json:"copied,omitempty"`   // backup: places that have a copy of it, read back and compared
	Removed      []string      `json:"removed,omitempty"`  // prune: Refs
	Waiting      []string      `json:"waiting,omitempty"`  // backup: Refs that the rules would remove, and that stay until somebody has confirmed those rules
	Findings     []Finding     `json:"findings,omitempty"` // ways in which the archive is unlike its history

	// Checkpoint is private to the step that runs; it is cleared when the step is done.
	Checkpoint json.RawMessage `json:"checkpoint,omitempty"`
}

// Plan is what a run is going to do, in figures.
type Plan struct {
	Items int64  `json:"items"`
	Bytes int64  `json:"bytes"` // of content, before compression
	Text  string `json:"text,omitempty"`
}

// Progress is how far the running step is. Totals are 0 where they are unknown.
type Progress struct {
	Step       string `json:"step,omitempty"`
	Bytes      int64  `json:"bytes,omitempty"`
	TotalBytes int64  `json:"total_bytes,omitempty"`
	Items      int64  `json:"items,omitempty"`
	TotalItems int64  `json:"total_items,omitempty"`
	// Share says that Items of TotalItems are only how much of it is done: a server tells
	// that in hundredths, and no items.
	Share bool      `json:"share,omitempty"`
	Since time.Time `json:"since,omitzero"` // when the step began
	At    time.Time `json:"at,omitzero"`    // when this was said
	// Pause says that the step waits meanwhile. It is not saved with the run: after a
	// restart the step is told anew, by what the provider has kept or by the server.
	Pause Pause `json:"-"`
}

// Pause is a wait that a server asks of a step, or that its limits or faults do. The zero Pause
// is none.
type Pause struct {
	Why   string    // a sentence, or several
	Until time.Time // by which the step goes on
	// Trouble says that nobody has asked for it: the server does not answer as it should, and is
	// tried again at Until. That is past while a further try is under way.
	Trouble bool
}

// Fraction gives how much is done, from 0 to 1, and false where that is unknown.
func (p Progress) Fraction() (float64, bool) {
	done, total := p.Bytes, p.TotalBytes
	if total <= 0 {
		done, total = p.Items, p.TotalItems
	}
	if total <= 0 {
		return 0, false
	}
	return min(float64(done)/float64(total), 1), true
}

// Rate gives the bytes a second since the step began, 0 where it is unknown.
func (p Progress) Rate() float64 {
	d := p.At.Sub(p.Since).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(p.Bytes) / d
}

// Left gives the time that the step still needs at its rate so far, and false
// where that cannot be said.
func (p Progress) Left() (time.Duration, bool) {
	f, ok := p.Fraction()
	spent := p.At.Sub(p.Since)
	if !ok || f < 0.01 || spent < 2*time.Second {
		return 0, false
	}
	return time.Duration(float64(spent) * (1 - f) / f).Round(time.Second), true
}

// Task is what a step is handed by the engine. Run is a copy; the functions may
// be called from one goroutine at a time.
type Task struct {
	Run  Run
	Step string
	// Report says how far the step is. Cheap: call it as often as you like.
	Report func(Progress)
	// Checkpoint saves data with the run, so that a cut-off step can go on
	// from there. It returns after the data is on disk.
	Checkpoint func(data json.RawMessage) error
	// Keep saves data as Result.Remote, for this step and those behind it. It returns
	// after the data is on disk. What is kept so stays, whatever the step returns.
	Keep func(data json.RawMessage) error
}

// Step gives the step of that name, or nil.
func (r *Run) Step(name string) *Step {
	for i := range r.Steps {
		if r.Steps[i].Name == name {
			return &r.Steps[i]
		}
	}
	return nil
}

// Current gives the first step that is not done, or nil.
func (r *Run) Current() *Step {
	for i := range r.Steps {
		if r.Steps[i].State != StepDone {
			return &r.Steps[i]
		}
	}
	return nil
}
