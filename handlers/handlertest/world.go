// Package handlertest is the contract of the front-ends: one suite that every one
// of them passes, whatever its platform is like. A front-end's test gives [Run] a
// [Stage], which does what a person does there and sees what a person sees.
package handlertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

// The people of every stage. Their account on the stage's platform has the id
// that Accounts gives; Stranger is nobody's.
const (
	Admin    = "Alis"
	Operator = "Bob"
	Viewer   = "Carys"
	Stranger = "Mallory"
)

// Hostile is text that must not do anything on any platform: it stands in the
// name of a file that a card shows.
const Hostile = "<!channel> @everyone <@U0ADMIN1> [a](http://evil.example) ```x``` \x1b[31m & \u202egnp.exe"

// World is everything behind a front-end, in memory: a router with its commands,
// runs that end when the test says so, and a desk with an outbox that posts at
// once.
type World struct {
	Router *handlers.Router
	Desk   *handlers.Desk

	editing   sync.Mutex // held over the edits of cards
	mu        sync.Mutex
	changed   *sync.Cond
	sources   []keepwatch.Source
	runs      map[int64]keepwatch.Run
	audit     map[string]keepwatch.AuditEntry
	archives  []keepwatch.Archive
	refuse    error // what the audit gives
	seen      map[string]bool
	asked     map[string]keepwatch.Delivery
	kept      map[string]keepwatch.Button
	queue     map[string][]keepwatch.Outgoing
	cards     map[string]keepwatch.Card
	posts     int
	lost      []string
	front     handlers.Frontend
	panicking bool
	working   sync.WaitGroup
	stop      context.Context
	cancel    context.CancelFunc
}

// NewWorld makes a world whose people have the given account ids on a platform.
func NewWorld(t testing.TB, platform string, accounts map[string]string) *World {
	t.Helper()
	w := &World{runs: map[int64]keepwatch.Run{}, audit: map[string]keepwatch.AuditEntry{}, seen: map[string]bool{}, asked: map[string]keepwatch.Delivery{},
		kept: map[string]keepwatch.Button{}, queue: map[string][]keepwatch.Outgoing{}, cards: map[string]keepwatch.Card{}}
	w.changed = sync.NewCond(&w.mu)
	w.stop, w.cancel = context.WithCancel(context.Background())
	for i := range 3 {
		w.sources = append(w.sources, keepwatch.Source{Name: fmt.Sprintf("notes%d", i+1), Kind: keepwatch.KindFiles, Path: fmt.Sprintf("/srv/notes%d", i+1)})
	}
	w.archives = []keepwatch.Archive{w.archive()}
	person := func(name string, role keepwatch.Role) keepwatch.Person {
		return keepwatch.Person{Name: name, Role: role, Accounts: map[string]string{platform: accounts[name]}}
	}
	var err error
	began := time.Now()
	w.Router, err = handlers.New(handlers.Config{
		People: []keepwatch.Person{person(Admin, keepwatch.RoleAdmin), person(Operator, keepwatch.RoleOperator), person(Viewer, keepwatch.RoleViewer)},
		Runs:   w, Sources: w, History: w, Audit: w, Vault: w, Check: func(context.Context) []keepwatch.Probe { return nil }, RestoreTo: "/srv/restored",
		Duties: handlers.Duties{Chart: picture}, Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(time.Since(began)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Desk, err = handlers.NewDesk(handlers.DeskConfig{Router: w.Router, Mailbox: w, Send: w.send})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) archive() keepwatch.Archive {
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	return keepwatch.Archive{Source: "notes1", Stamp: "2026-11-23T030000Z", Started: at, Items: 2, Bytes: 2048, SealedBytes: 1024, Run: 1,
		Notes: []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: Hostile, Text: "permission denied"}}, Counts: map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 1},
		Verified: []keepwatch.Verification{{At: at, Level: keepwatch.LevelOpened, Files: 2, Sealed: 1024, Took: time.Second}}}
}

// Counter is the desk as front-ends are given it. Of its table the command
// [InPlace] is answered in place.
func (w *World) Counter() handlers.Counter { return counter{w.Desk} }

// InPlace is the command whose answer takes the place of the message that it is
// pressed in, in the table of Counter.
const InPlace = "backup list"

type counter struct{ *handlers.Desk }

// Commands satisfies handlers.Counter.
func (c counter) Commands() []handlers.Command {
	table := c.Desk.Commands()
	for i := range table {
		table[i].InPlace = table[i].Title() == InPlace
	}
	return table
}

// picture draws any report as a grey square.
func picture(keepwatch.Report) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)))
	return b.Bytes(), err
}

// AddSources makes it many sources.
func (w *World) AddSources(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.sources); i < n; i++ {
		w.sources = append(w.sources, keepwatch.Source{Name: fmt.Sprintf("source-%03d", i), Kind: keepwatch.KindFiles, Path: fmt.Sprintf("/srv/source-%03d", i)})
	}
}

// RefuseAudit has the audit fail, as a full disk does; nil ends it.
func (w *World) RefuseAudit(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = err
}

// Panic has the next look at the sources panic.
func (w *World) Panic() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.panicking = true
}

// Audited gives the audit lines about a text, once they are complete or ctx has
// ended.
func (w *World) Audited(ctx context.Context, text string) []keepwatch.AuditEntry {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer context.AfterFunc(ctx, func() { w.mu.Lock(); w.changed.Broadcast(); w.mu.Unlock() })()
	for {
		var out []keepwatch.AuditEntry
		complete := true
		for _, e := range w.audit {
			if strings.TrimPrefix(e.Text, "/") == text {
				out = append(out, e)
				complete = complete && e.Outcome != keepwatch.OutcomeStarted
			}
		}
		if complete && len(out) > 0 || ctx.Err() != nil {
			return out
		}
		w.changed.Wait()
	}
}

// RunCount gives how many runs were started.
func (w *World) RunCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs)
}

// EndRun lets a run end as done, and its cards show it.
func (w *World) EndRun(id int64) { w.change(id, keepwatch.RunDone) }

func (w *World) change(id int64, state keepwatch.RunState) {
	w.mu.Lock()
	run := w.runs[id]
	run.State = state
	if state.Ended() {
		run.Ended = run.Created.Add(time.Second)
		run.Result = keepwatch.Result{Items: 2, Bytes: 2048, Archive: "notes1/2026-11-24T120000Z"}
	}
	w.runs[id] = run
	w.changed.Broadcast()
	w.mu.Unlock()
	w.editCards(id)
}

// Runs

// Start satisfies handlers.Runs. The run begins at once.
func (w *World) Start(_ context.Context, run keepwatch.Run) (keepwatch.Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runs {
		if r.Source == run.Source && !r.State.Ended() && run.Kind == keepwatch.RunBackup {
			return run, keepwatch.Errorf(keepwatch.KindConflict, "Run %d is already backing up %s.", r.ID, r.Source)
		}
	}
	run.ID, run.State, run.Created = int64(len(w.runs)+1), keepwatch.RunRunning, time.Now().UTC()
	run.Started = run.Created
	run.Steps = []keepwatch.Step{{Name: "fetch", State: keepwatch.StepRunning, Started: run.Created}}
	w.runs[run.ID] = run
	w.changed.Broadcast()
	return run, nil
}

// Cancel satisfies handlers.Runs.
func (w *World) Cancel(_ context.Context, id int64, by, reason string) (keepwatch.Run, error) {
	run, err := w.Run(id)
	if err != nil {
		return run, err
	}
	w.mu.Lock()
	run.CancelledBy, run.CancelReason = by, reason
	w.runs[id] = run
	w.mu.Unlock()
	w.change(id, keepwatch.RunCancelled)
	return w.Run(id)
}

// Retry satisfies handlers.Runs.
func (w *World) Retry(_ context.Context, id int64, _ string) (keepwatch.Run, error) {
	w.change(id, keepwatch.RunRunning)
	return w.Run(id)
}

// Run satisfies handlers.Runs.
func (w *World) Run(id int64) (keepwatch.Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	run, ok := w.runs[id]
	if !ok {
		return run, keepwatch.Errorf(keepwatch.KindNotFound, "There is no run %d.", id)
	}
	return run, nil
}

// Follow shows a run until it is settled.
func (w *World) Follow(ctx context.Context, id int64, fn func(keepwatch.Run)) (keepwatch.Run, error) {
	defer context.AfterFunc(ctx, func() { w.mu.Lock(); w.changed.Broadcast(); w.mu.Unlock() })()
	for {
		run, err := w.Run(id)
		if err != nil {
			return run, err
		}
		fn(run)
		if run.State.Settled() || ctx.Err() != nil {
			return run, ctx.Err()
		}
		w.mu.Lock()
		for w.runs[id].State == run.State && ctx.Err() == nil {
			w.changed.Wait()
		}
		w.mu.Unlock()
	}
}

// Sources satisfies handlers.Sources.
func (w *World) Sources() ([]keepwatch.Source, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.panicking {
		w.panicking = false
		panic("a fault in a command")
	}
	return slices.Clone(w.sources), nil
}

// Source satisfies handlers.Sources.
func (w *World) Source(name string) (keepwatch.Source, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sources {
		if s.Name == name {
			return s, nil
		}
	}
	return keepwatch.Source{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no source named %q.", name)
}

// AddPath satisfies handlers.Sources; no stage has paths.
func (w *World) AddPath(string) (keepwatch.Source, error) {
	return keepwatch.Source{}, errors.New("handlertest: no paths")
}

// Forget satisfies handlers.Sources.
func (w *World) Forget(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sources = slices.DeleteFunc(w.sources, func(s keepwatch.Source) bool { return s.Name == name })
	return nil
}

// Confirmed satisfies handlers.History; no rules were ever confirmed.
func (w *World) Confirmed(string) (string, error) { return "", nil }

// Missing satisfies handlers.Vault; all archives are whole.
func (w *World) Missing(keepwatch.Archive) string { return "" }

// RecentRuns satisfies handlers.History.
func (w *World) RecentRuns(string, int) ([]keepwatch.Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []keepwatch.Run
	for id := int64(len(w.runs)); id > 0; id-- {
		out = append(out, w.runs[id])
	}
	return out, nil
}

// OpenRuns satisfies handlers.History.
func (w *World) OpenRuns() ([]keepwatch.Run, error) {
	all, err := w.RecentRuns("", 0)
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(r keepwatch.Run) bool { return r.State.Ended() }), err
}

// Archives satisfies handlers.History.
func (w *World) Archives(source string) ([]keepwatch.Archive, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.archives), func(a keepwatch.Archive) bool { return source != "" && a.Source != source }), nil
}

// UpdateArchive satisfies handlers.History; no test changes one.
func (w *World) UpdateArchive(ref string, _ func(*keepwatch.Archive) error) (keepwatch.Archive, error) {
	return keepwatch.Archive{}, fmt.Errorf("handlertest: %s cannot be changed", ref)
}

// BeginAudit satisfies handlers.Audit.
func (w *World) BeginAudit(e keepwatch.AuditEntry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return w.refuse
	}
	w.audit[e.ID] = e
	w.changed.Broadcast()
	return nil
}

// EndAudit satisfies handlers.Audit.
func (w *World) EndAudit(e keepwatch.AuditEntry) error { return w.BeginAudit(e) }

// Audits satisfies handlers.Audit.
func (w *World) Audits(keepwatch.AuditFilter) ([]keepwatch.AuditEntry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []keepwatch.AuditEntry
	for _, e := range w.audit {
		out = append(out, e)
	}
	return out, nil
}

// Contents satisfies handlers.Vault.
func (w *World) Contents(_ context.Context, _ string, entry func(keepwatch.Entry) error, _ func(keepwatch.Note) error) error {
	return entry(keepwatch.Entry{Path: Hostile, Size: 12})
}

// PlanExtract satisfies handlers.Vault.
func (w *World) PlanExtract(_ context.Context, _ string, ask keepwatch.Ask) (keepwatch.RestorePlan, error) {
	return keepwatch.RestorePlan{To: ask.To, Items: 2, Bytes: 2048, New: 2, Free: 1 << 40}, nil
}

// Path satisfies handlers.Vault.
func (w *World) Path(ref string) string { return "data/vault/" + ref }
