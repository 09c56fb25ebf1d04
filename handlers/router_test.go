package handlers

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is everything that a Router talks to, in memory.
type world struct {
	mu       sync.Mutex
	runs     map[int64]keepwatch.Run
	known    []keepwatch.Source
	archives []keepwatch.Archive
	audit    []keepwatch.AuditEntry
	auditErr error
	startErr error
	plan     keepwatch.RestorePlan
	log      bytes.Buffer
	panics   bool
	rules    string            // the confirmed ones
	evil     string            // the name of a file in every archive
	gone     map[string]string // what is missing of archives
}

func (w *world) Start(_ context.Context, run keepwatch.Run) (keepwatch.Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.audit) == 0 {
		panic("a run was started before its audit line was saved")
	}
	if w.startErr != nil {
		return run, w.startErr
	}
	run.ID, run.State, run.Created = int64(len(w.runs)+1), keepwatch.RunQueued, noon
	w.runs[run.ID] = run
	return run, nil
}

func (w *world) Cancel(_ context.Context, id int64, by, reason string) (keepwatch.Run, error) {
	run, err := w.Run(id)
	run.State, run.CancelledBy, run.CancelReason = keepwatch.RunCancelled, by, reason
	return run, err
}

func (w *world) Retry(_ context.Context, id int64, _ string) (keepwatch.Run, error) { return w.Run(id) }

func (w *world) Run(id int64) (keepwatch.Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	run, ok := w.runs[id]
	if !ok {
		return run, keepwatch.Errorf(keepwatch.KindNotFound, "There is no run %d.", id)
	}
	return run, nil
}

func (w *world) RecentRuns(_ string, limit int) ([]keepwatch.Run, error) {
	all := w.list()
	return all[:min(limit, len(all))], nil
}

func (w *world) OpenRuns() ([]keepwatch.Run, error) {
	return slices.DeleteFunc(w.list(), func(r keepwatch.Run) bool { return r.State.Ended() }), nil
}

func (w *world) list() []keepwatch.Run {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []keepwatch.Run
	for id := int64(len(w.runs)); id > 0; id-- {
		list = append(list, w.runs[id])
	}
	return list
}

func (w *world) Archives(source string) ([]keepwatch.Archive, error) {
	if w.panics {
		panic("a fault")
	}
	var list []keepwatch.Archive
	for _, a := range w.archives {
		if source == "" || a.Source == source {
			list = append(list, a)
		}
	}
	return list, nil
}

func (w *world) UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error) {
	for i := range w.archives {
		if w.archives[i].Ref() == ref {
			return w.archives[i], change(&w.archives[i])
		}
	}
	return keepwatch.Archive{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive %s.", ref)
}

func (w *world) Confirmed(string) (string, error) { return w.rules, nil }

func (w *world) Sources() ([]keepwatch.Source, error) { return w.known, nil }

func (w *world) Source(name string) (keepwatch.Source, error) {
	for _, s := range w.known {
		if s.Name == name {
			return s, nil
		}
	}
	return keepwatch.Source{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no source named %q.", name)
}

func (w *world) AddPath(path string) (keepwatch.Source, error) {
	s := keepwatch.Source{Name: keepwatch.NameFrom(filepath.Base(path)), Kind: keepwatch.KindFiles, Path: path}
	w.known = append(w.known, s)
	return s, nil
}

func (w *world) Forget(name string) error {
	w.known = slices.DeleteFunc(w.known, func(s keepwatch.Source) bool { return s.Name == name })
	return nil
}

func (w *world) BeginAudit(e keepwatch.AuditEntry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.auditErr != nil {
		return w.auditErr
	}
	if e.Outcome != keepwatch.OutcomeStarted {
		panic("an audit line begins with an outcome")
	}
	w.audit = append(w.audit, e)
	return nil
}

func (w *world) EndAudit(e keepwatch.AuditEntry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.audit, func(x keepwatch.AuditEntry) bool { return x.ID == e.ID })
	w.audit[i] = e
	return nil
}

func (w *world) Audits(keepwatch.AuditFilter) ([]keepwatch.AuditEntry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.audit), nil
}

func (w *world) Contents(_ context.Context, _ string, entry func(keepwatch.Entry) error, _ func(keepwatch.Note) error) error {
	if w.evil != "" {
		return entry(keepwatch.Entry{Path: w.evil, Type: keepwatch.EntryLink, Link: w.evil})
	}
	return errors.Join(entry(keepwatch.Entry{Path: "reports", Type: keepwatch.EntryFolder}), entry(keepwatch.Entry{Path: "reports/<!channel> @everyone.txt", Type: keepwatch.EntryFile, Size: 1234}),
		entry(keepwatch.Entry{Path: "latest", Type: keepwatch.EntryLink, Link: "reports"}))
}

func (w *world) PlanExtract(_ context.Context, ref string, ask keepwatch.Ask) (keepwatch.RestorePlan, error) {
	p := w.plan
	p.Ref, p.To = ref, ask.To
	return p, nil
}

func (w *world) Path(ref string) string { return "data/vault/" + ref }

func (w *world) Missing(a keepwatch.Archive) string { return w.gone[a.Ref()] }

func proof(t time.Time) keepwatch.Verification {
	return keepwatch.Verification{At: t, Took: 2 * time.Second, Level: keepwatch.LevelOpened, Files: 41, Bytes: 9 << 20, Sealed: 4 << 20}
}

func newWorld() *world {
	w := &world{runs: map[int64]keepwatch.Run{}}
	w.known = []keepwatch.Source{{Name: "notes", Kind: keepwatch.KindFiles, Path: "/srv/notes"}, {Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: &keepwatch.Hosting{URL: "https://web1.example.net:2083", User: "ruthin"}}}
	for i := range 3 {
		started := noon.AddDate(0, 0, -i).Add(-9 * time.Hour)
		w.archives = append(w.archives, keepwatch.Archive{Source: "notes", Stamp: keepwatch.StampOf(started), Kind: keepwatch.KindFiles, Run: int64(9 - i), Started: started, Items: 45, Bytes: 9 << 20, SealedBytes: 4 << 20,
			Sealed:     []keepwatch.SealedFile{{Name: "notes.tar.zst.age", Size: 4 << 20}, {Name: "contents.jsonl.zst.age", Size: 900}},
			Recipients: []string{"age1qqqq"}, Verified: []keepwatch.Verification{proof(started)}})
	}
	return w
}

func (w *world) router(t *testing.T) *Router {
	t.Helper()
	r, err := New(Config{
		People: []keepwatch.Person{
			{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"terminal": "alis", "slack": "U1"}},
			{Name: "Olwen", Role: keepwatch.RoleOperator, Accounts: map[string]string{"slack": "U2"}}, {Name: "Vaughan", Role: keepwatch.RoleViewer, Accounts: map[string]string{"slack": "U3"}},
		},
		Runs: w, Sources: w, History: w, Audit: w, Vault: w, Keep: keepwatch.Keep{Last: 2},
		Check: func(context.Context) []keepwatch.Probe {
			return []keepwatch.Probe{{Name: "disk", Status: keepwatch.ProbeGood, Text: "Fine."}, {Name: "key", Status: keepwatch.ProbeBad, Text: "Gone.", Next: "Put it back."}}
		},
		KeyFile: "data/age-identity.txt", RestoreTo: "/restored", Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ask(text, account string) keepwatch.Request {
	platform, id, _ := strings.Cut(account, ":")
	return keepwatch.Request{ID: "req1", Text: text, Account: keepwatch.Account{Platform: platform, ID: id, Name: "Admin (trust me)"}, Channel: "here", Local: platform == "terminal"}
}

// plain renders a message as text, all of it.
func plain(m keepwatch.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s", m.Tone)
	if m.Failed {
		fmt.Fprintf(&b, ", failed: %s", m.Refused)
	}
	if m.Run > 0 {
		fmt.Fprintf(&b, ", run %d", m.Run)
	}
	fmt.Fprintf(&b, "] %s\n", m.Title)
	for _, bl := range m.Blocks {
		switch {
		case bl.Text != "":
			b.WriteString(bl.Text + "\n")
		case bl.Code != "":
			b.WriteString("    " + strings.ReplaceAll(bl.Code, "\n", "\n    ") + "\n")
		case bl.Progress != nil:
			f, _ := bl.Progress.Fraction()
			fmt.Fprintf(&b, "bar %.2f\n", f)
		}
		for _, f := range bl.Fields {
			value := f.Value
			if !f.Time.IsZero() {
				value = f.Time.UTC().Format("2006-01-02 15:04")
			}
			fmt.Fprintf(&b, "  %s: %s\n", f.Name, value)
		}
		if bl.Table != nil {
			b.WriteString("  " + strings.Join(bl.Table.Head, " | ") + "\n")
			for _, row := range bl.Table.Rows {
				b.WriteString("  " + strings.Join(row, " | ") + "\n")
			}
		}
	}
	for _, bt := range m.Buttons {
		fmt.Fprintf(&b, "(%s → %s)\n", bt.Label, bt.Command)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got, -update writes it anew):\n%s", file, d)
	}
}

// TestAnswers holds every answer to the text that was read and found good.
func TestAnswers(t *testing.T) {
	damaged := func(w *world) {
		v := proof(noon)
		v.Problems = []keepwatch.Finding{{Rule: "hash", What: "notes.tar.zst.age", Text: "notes.tar.zst.age is not as it was written."}}
		w.archives[0].Verified = append(w.archives[0].Verified, v)
	}
	shrunk := func(w *world) {
		w.archives[0].Findings = []keepwatch.Finding{{Rule: "fewer", What: w.archives[0].Ref(), Text: "It has far fewer items than usual: 3 instead of 45."}}
	}
	inParts := func(w *world) { w.archives[0].Parts = []string{"reports", "letters", "photos", "mail.pst"} }
	for _, c := range []struct {
		name, text, who string
		set             func(w *world)
	}{
		{name: "help-admin", text: "/keepwatch", who: "terminal:alis"},
		{name: "help-viewer", text: "help", who: "slack:U3"},
		{name: "help-of-restore", text: "keepwatch help backup restore", who: "terminal:alis"},
		{name: "start", text: "/backup start notes", who: "slack:U2"},
		{name: "start-path", text: "/backup start ./docs", who: "terminal:alis"},
		{name: "start-path-elsewhere", text: "/backup start ./docs", who: "slack:U1"},
		{name: "start-which", text: "/backup start", who: "slack:U2"},
		{name: "start-typo", text: "/backup start ntoes", who: "slack:U2"},
		{name: "start-changes", text: "/backup start notes --changes", who: "slack:U2"},
		{name: "start-conflict", text: "/backup start notes", who: "slack:U2", set: func(w *world) {
			w.startErr = keepwatch.Errorf(keepwatch.KindConflict, "Run 41 (backup of notes) is running since 11:02 UTC.")
		}},
		{name: "start-internal", text: "/backup start notes", who: "slack:U2", set: func(w *world) { w.startErr = errors.New("dial tcp 10.0.0.1: secret detail") }},
		{name: "command-typo", text: "/backup strat notes", who: "slack:U2"},
		{name: "group-left-out", text: "start notes", who: "slack:U2"},
		{name: "group-misspelt", text: "/bakup", who: "slack:U2"},
		{name: "name-alone", text: "/status", who: "slack:U2"},
		{name: "unknown", text: "make coffee", who: "slack:U2"},
		{name: "stranger", text: "/backup start notes", who: "slack:U999"},
		{name: "denied", text: "/backup prune notes", who: "slack:U2"},
		{name: "sources", text: "/backup sources", who: "slack:U3"},
		{name: "forget", text: "/backup forget notes", who: "slack:U2"},
		{name: "forget-typo", text: "/backup forget ntoes", who: "slack:U2"},
		{name: "list", text: "/backup list notes", who: "slack:U3", set: damaged},
		{name: "list-none", text: "/backup list ruthin-web", who: "slack:U3"},
		{name: "show", text: "/backup show notes", who: "slack:U3"},
		{name: "show-damaged", text: "/backup show notes/2026-11-24", who: "slack:U3", set: damaged},
		{name: "verify", text: "/backup verify notes", who: "slack:U2"},
		{name: "restore", text: "/backup restore notes reports --to /back", who: "slack:U1", set: func(w *world) {
			w.plan = keepwatch.RestorePlan{Items: 40, Bytes: 9 << 20, New: 38, Same: 2, Free: 1 << 40}
		}},
		{name: "restore-clash", text: "/backup restore notes --to /back", who: "slack:U1", set: func(w *world) {
			w.plan = keepwatch.RestorePlan{Items: 40, Bytes: 9 << 20, New: 38, Replaced: 2, Clashes: []string{"a.txt", "b.txt"}, Free: 1 << 40}
		}},
		{name: "restore-blocked", text: "/backup restore notes --to /back --overwrite --confirm yes", who: "slack:U1", set: func(w *world) {
			w.plan = keepwatch.RestorePlan{Items: 40, Bytes: 9 << 20, New: 38, Blocked: []string{"a.txt"}, Free: 1 << 40}
		}},
		{name: "restore-dashes", text: "/backup restore notes --to /back -- --odd", who: "slack:U1", set: func(w *world) {
			w.plan = keepwatch.RestorePlan{Items: 40, Bytes: 9 << 20, Need: 1 << 10, New: 1, Same: 39, Free: 1 << 20}
		}},
		{name: "show-many", text: "/backup show notes/2026", who: "slack:U1"},
		{name: "show-other-case", text: "/backup show Notes", who: "slack:U1"},
		{name: "show-path", text: "/backup show /srv/notes/", who: "terminal:alis"},
		{name: "show-path-elsewhere", text: "/backup show /srv/notes", who: "slack:U1"},
		{name: "restore-missing", text: "/backup restore notes nope", who: "slack:U1", set: func(w *world) { w.plan = keepwatch.RestorePlan{Missing: []string{"nope"}} }},
		{name: "prune", text: "/backup prune notes", who: "slack:U1"},
		{name: "prune-paused", text: "/backup prune notes", who: "slack:U1", set: shrunk},
		{name: "prune-accept", text: "/backup prune notes --accept notes", who: "slack:U1", set: shrunk},
		{name: "list-parts", text: "/backup list notes", who: "slack:U3", set: inParts},
		{name: "sources-parts", text: "/backup sources", who: "slack:U3", set: inParts},
		{name: "prune-parts", text: "/backup prune notes", who: "slack:U1", set: inParts},
		{name: "show-newest-whole", text: "/backup show notes", who: "slack:U3", set: inParts},
		{name: "start-parts", text: "/backup start notes reports letters", who: "slack:U2"},
		{name: "status", text: "/backup status", who: "slack:U3", set: func(w *world) {
			for id := range int64(12) { // the second one waits for somebody, and is shown for all that came after it
				run := keepwatch.Run{ID: id + 1, Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunDone, Created: noon.Add(time.Duration(id-20) * time.Hour)}
				if id == 1 {
					run.State, run.Ask.Parts = keepwatch.RunAttention, []string{"mail.pst"}
				}
				w.runs[id+1] = run
			}
		}},
		{name: "status-none", text: "/backup status", who: "slack:U3"},
		{name: "pin", text: "/backup pin notes before the move", who: "slack:U2"},
		{name: "cancel-none", text: "/backup cancel 7", who: "slack:U2"},
		{name: "whoami", text: "whoami", who: "slack:U3"},
		{name: "check", text: "/keepwatch check", who: "slack:U3"},
		{name: "unclosed", text: `/backup start "notes`, who: "slack:U2"},
		{name: "audit-time", text: "/keepwatch audit --since soon", who: "slack:U1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			if c.set != nil {
				c.set(w)
			}
			got := plain(w.router(t).Handle(t.Context(), ask(c.text, c.who)))
			golden(t, c.name, got)
			if strings.Contains(got, "secret detail") {
				t.Error("an internal cause was shown")
			}
		})
	}
}

// TestRunCards holds the card of a run in each of its states.
func TestRunCards(t *testing.T) {
	steps := func(state keepwatch.StepState) []keepwatch.Step {
		return []keepwatch.Step{{Name: "plan", State: keepwatch.StepDone, Started: noon, Ended: noon, Attempts: 1}, {Name: "fetch", State: state, Started: noon, Ended: noon.Add(3 * time.Second), Attempts: 2}, {Name: "seal", State: state}}
	}
	v := proof(noon)
	base := keepwatch.Run{ID: 42, Kind: keepwatch.RunBackup, Source: "notes", By: "Alis", Where: "terminal", Created: noon, Started: noon}
	done := base
	done.State, done.Steps, done.Ended = keepwatch.RunDone, steps(keepwatch.StepDone), noon.Add(5*time.Second)
	done.Result = keepwatch.Result{Items: 45, Bytes: 9 << 20, Sealed: newWorld().archives[0].Sealed, Verification: &v, Archive: "notes/2026-11-24T120000Z"}
	with := func(change func(*keepwatch.Run)) keepwatch.Run { r := done; change(&r); return r }
	for name, run := range map[string]keepwatch.Run{
		"running": with(func(r *keepwatch.Run) {
			r.State, r.Steps, r.Result = keepwatch.RunRunning, steps(keepwatch.StepRunning), keepwatch.Result{}
			r.Progress = keepwatch.Progress{Step: "fetch", Bytes: 1 << 20, TotalBytes: 4 << 20}
		}),
		"being-cancelled": with(func(r *keepwatch.Run) {
			r.State, r.Steps, r.Result = keepwatch.RunRunning, steps(keepwatch.StepRunning), keepwatch.Result{}
			r.CancelAsked, r.CancelledBy, r.CancelReason = noon, "Olwen", "wrong folder"
		}),
		"done": done,
		"gaps": with(func(r *keepwatch.Run) {
			r.Result.Counts = map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 5, keepwatch.NoteSpecial: 1}
			r.Result.Notes = []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: "a", Text: "permission denied"}, {Kind: keepwatch.NoteUnreadable, Path: "b", Text: "permission denied"},
				{Kind: keepwatch.NoteUnreadable, Path: "c", Text: "permission denied"}, {Kind: keepwatch.NoteUnreadable, Path: "d", Text: "permission denied"}, {Kind: keepwatch.NoteSpecial, Path: "run/sock", Text: "a socket, left out"}}
		}),
		"unlike": with(func(r *keepwatch.Run) {
			r.Result.Findings = []keepwatch.Finding{{Text: "It is nearly empty: 10 B, where 9.0 MiB are usual."}}
		}),
		"waiting": with(func(r *keepwatch.Run) { r.Result.Waiting = []string{"notes/2026-01-01T000000Z"} }),
		"empty": with(func(r *keepwatch.Run) {
			r.Result.Items, r.Result.Bytes, r.Result.Sealed = 0, 0, []keepwatch.SealedFile{{Name: "contents.jsonl.zst.age", Size: 400}}
		}),
		"sealed-only": with(func(r *keepwatch.Run) { s := v; s.Level = keepwatch.LevelSealed; r.Result.Verification = &s }),
		"cancelled": with(func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.CancelReason, r.Result = keepwatch.RunCancelled, "Olwen", "wrong folder", keepwatch.Result{}
		}),
		"cancelled-sealed": with(func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Result.Removed = keepwatch.RunCancelled, "Olwen", []string{"notes/2026-01-01T000000Z"}
		}),
		"cancelled-prune": with(func(r *keepwatch.Run) {
			r.Kind, r.State, r.CancelledBy, r.Result = keepwatch.RunPrune, keepwatch.RunCancelled, "Olwen", keepwatch.Result{Removed: []string{"notes/2026-01-01T000000Z"}}
		}),
		"attention": with(func(r *keepwatch.Run) {
			r.State, r.Failure = keepwatch.RunAttention, &keepwatch.Failure{Step: "fetch", Message: "The disk is full. Free some room, then retry."}
		}),
		"failed": with(func(r *keepwatch.Run) {
			r.State, r.Result, r.Failure = keepwatch.RunFailed, keepwatch.Result{}, &keepwatch.Failure{Step: "plan", Message: "It is not an Outlook data file."}
		}),
		"proof-failed": with(func(r *keepwatch.Run) {
			r.Kind, r.Ask, r.Result = keepwatch.RunVerify, keepwatch.Ask{Archive: "notes/2026-11-24T120000Z"}, keepwatch.Result{}
			r.State, r.Failure = keepwatch.RunFailed, &keepwatch.Failure{Step: "verify", Message: "The archive is not as it was sealed. Make a new backup now."}
		}),
		"restored": with(func(r *keepwatch.Run) {
			r.Kind, r.Ask = keepwatch.RunRestore, keepwatch.Ask{Archive: "notes/2026-11-24T120000Z", To: "/back"}
		}),
		"pruned": with(func(r *keepwatch.Run) {
			r.Kind, r.Result = keepwatch.RunPrune, keepwatch.Result{Removed: []string{"notes/2026-01-01T000000Z"}}
		}),
	} {
		golden(t, "run-"+name, plain(newWorld().router(t).RunMessage(run)))
	}
	failed := with(func(r *keepwatch.Run) {
		r.State = keepwatch.RunAttention
		f := keepwatch.Failure{Step: "fetch", At: noon, Message: "The disk is full.", Cause: "write: no space left on device"}
		r.Failure, r.Failures = &f, []keepwatch.Failure{f}
	})
	r := newWorld().router(t)
	golden(t, "details-admin", plain(r.details(failed, keepwatch.RoleAdmin)))
	failed.Failures[0].Cause = "fetch: The disk is full."
	if got := plain(r.details(failed, keepwatch.RoleAdmin)); strings.Contains(got, "Cause:") {
		t.Errorf("a cause that says nothing new is shown:\n%s", got)
	}
	failed.Failures[0].Cause = "write: no space left on device"
	if got := plain(r.details(failed, keepwatch.RoleViewer)); strings.Contains(got, "no space left on device") {
		t.Error("a viewer is shown the cause")
	}
}

func TestAuditComesFirst(t *testing.T) {
	w := newWorld()
	w.auditErr = errors.New("disk full")
	m := w.router(t).Handle(t.Context(), ask("/backup start notes", "slack:U2"))
	if !m.Failed || len(w.runs) != 0 {
		t.Errorf("without an audit line something ran: %+v", m)
	}
	w.auditErr = nil
	w.router(t).Handle(t.Context(), ask("/backup start notes", "slack:U2"))
	want := keepwatch.AuditEntry{ID: "req1", At: noon, Person: "Olwen", Account: keepwatch.Account{Platform: "slack", ID: "U2", Name: "Admin (trust me)"}, Channel: "here",
		Text: "/backup start notes", Source: "notes", Run: 1, Outcome: keepwatch.OutcomeDone}
	if d := cmp.Diff([]keepwatch.AuditEntry{want}, w.audit); d != "" {
		t.Error(d)
	}
}

func TestOutcomes(t *testing.T) {
	for text, want := range map[string]keepwatch.Outcome{
		"slack:U999 /backup start notes": keepwatch.OutcomeDenied, "slack:U3 /backup start notes": keepwatch.OutcomeDenied, "slack:U2 /backup strat notes": keepwatch.OutcomeRefused,
		"slack:U2 /backup start nowhere": keepwatch.OutcomeRefused, "slack:U2 /backup start ruthin-web": keepwatch.OutcomeDone,
	} {
		w := newWorld()
		who, line, _ := strings.Cut(text, " ")
		w.router(t).Handle(t.Context(), ask(line, who))
		if len(w.audit) != 1 || w.audit[0].Outcome != want {
			t.Errorf("%s: %+v, want %s", text, w.audit, want)
		}
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	w := newWorld()
	w.panics = true
	m := w.router(t).Handle(t.Context(), ask("/backup list", "slack:U3"))
	if !m.Failed || !strings.Contains(plain(m), "req1") || !strings.Contains(w.log.String(), "a fault") || w.audit[0].Outcome != keepwatch.OutcomeFailed {
		t.Errorf("%s\n%s\n%+v", plain(m), w.log.String(), w.audit)
	}
}

// TestConfirmationIsOfWhatWasShown: the button does what was shown, and nothing
// else after it has changed.
func TestConfirmationIsOfWhatWasShown(t *testing.T) {
	w := newWorld()
	r := w.router(t)
	m := r.Handle(t.Context(), ask("/backup prune notes", "slack:U1"))
	button := m.Buttons[0].Command
	extra := w.archives[2]
	extra.Stamp, extra.Started = keepwatch.StampOf(noon.AddDate(0, 0, -9)), noon.AddDate(0, 0, -9)
	w.archives = append(w.archives, extra)
	if m := r.Handle(t.Context(), ask(button, "slack:U1")); len(w.runs) != 0 || m.Run != 0 {
		t.Error("a plan that had changed was carried out")
	}
	w.archives = w.archives[:3]
	if m := r.Handle(t.Context(), ask("/backup prune notes --confirm yes", "slack:U1")); len(w.runs) != 0 || m.Run != 0 || !m.Failed {
		t.Error("rules that nobody was shown were confirmed unseen")
	}
	if m := r.Handle(t.Context(), ask(button, "slack:U1")); m.Run != 1 || !slices.Equal(w.runs[1].Ask.Remove, []string{w.archives[2].Ref()}) || w.runs[1].Ask.Rules != (keepwatch.Keep{Last: 2}).Rules(time.UTC) {
		t.Errorf("%+v", w.runs)
	}
	w.rules = keepwatch.Keep{Last: 2}.Rules(time.UTC)
	if m := r.Handle(t.Context(), ask("/backup prune notes --confirm yes", "slack:U1")); m.Run != 2 {
		t.Error("with rules that were confirmed, yes is enough")
	}
}

// TestPruneLooksAtTheFolders: what is shown counts no archive that is gone.
func TestPruneLooksAtTheFolders(t *testing.T) {
	w := newWorld()
	newest := w.archives[0]
	for _, a := range w.archives {
		if a.Source == "notes" && a.Started.After(newest.Started) {
			newest = a
		}
	}
	w.gone = map[string]string{newest.Ref(): "Its folder is not there."}
	for _, line := range []string{"/backup prune notes", "/backup list notes"} {
		got := plain(w.router(t).Handle(t.Context(), ask(line, "terminal:alis")))
		if !strings.Contains(got, "Its folder is not there") {
			t.Errorf("%s:\n%s", line, got)
		}
	}
}

// TestNamesForgeNothing: a name with line breaks, escape sequences or marks that
// turn text round makes no line that Keepwatch did not write.
func TestNamesForgeNothing(t *testing.T) {
	const evil = "q\n✓ Verified: everything\x1b[2J\u009b31m\u202egpj"
	w := newWorld()
	w.evil = evil
	w.plan = keepwatch.RestorePlan{Missing: []string{evil}}
	cards := []keepwatch.Message{w.router(t).RunMessage(keepwatch.Run{ID: 1, Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunDone, Ask: keepwatch.Ask{Parts: []string{evil}},
		Result: keepwatch.Result{Notes: []keepwatch.Note{{Kind: keepwatch.NoteSpecial, Path: evil, Text: "a named pipe, left out"}}}})}
	for _, plan := range []keepwatch.RestorePlan{{Missing: []string{evil}}, {Blocked: []string{evil}}, {Replaced: 1, Clashes: []string{evil}}} {
		w.plan = plan
		cards = append(cards, w.router(t).Handle(t.Context(), ask("/backup restore notes --to /x", "slack:U1")))
	}
	cards = append(cards, w.router(t).Handle(t.Context(), ask("/backup show notes", "slack:U1")))
	for _, m := range cards {
		m.Buttons = nil // hold commands, which are read as they are
		got := plain(m)
		if !strings.Contains(got, `q\n✓ Verified`) || strings.ContainsAny(got, "\x1b\u009b\u202e") {
			t.Errorf("%s", got)
		}
	}
}

func TestComplete(t *testing.T) {
	r := newWorld().router(t)
	for _, c := range []struct{ text, who, want string }{
		{"/ba", "terminal:alis", "/backup"}, {"/backup st", "terminal:alis", "start status"}, {"/backup pr", "slack:U2", ""}, {"/backup pr", "slack:U1", "prune"},
		{"/backup start n", "slack:U2", "notes"}, {"/backup verify notes/2026-11-2", "slack:U2", "notes/2026-11-24T030000Z notes/2026-11-23T030000Z notes/2026-11-22T030000Z"},
		{"/backup restore notes --", "slack:U1", "--to --overwrite --present --confirm --find --since --until"}, {"/backup restore notes --overwrite --o", "slack:U1", ""}, {"/keepwatch audit --person ", "slack:U1", "Alis Olwen Vaughan"},
		{"/backup start n", "slack:U999", ""}, {"h", "slack:U3", "help"},
		{"/backup restore notes ", "slack:U1", "reports reports/<!channel> @everyone.txt latest"}, {"/backup restore notes latest rep", "slack:U1", "reports reports/<!channel> @everyone.txt"},
		{"/backup restore notes --to /x la", "slack:U1", "latest"}, {"/backup restore nothing ", "slack:U1", ""}, {"/backup restore notes ", "slack:U2", ""}, {"/backup start notes ", "slack:U2", ""},
	} {
		var got []string
		for _, f := range r.Complete(t.Context(), ask(c.text, c.who), len(c.text)) {
			got = append(got, f.Text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s completes to %q, want %q", c.text, got, c.want)
		}
	}
}

func TestConcurrentRequests(t *testing.T) {
	w := newWorld()
	r := w.router(t)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			req := ask([]string{"/backup start notes", "/backup list", "/keepwatch help", "/backup status"}[i%4], "slack:U1")
			req.ID = fmt.Sprint("r", i)
			if m := r.Handle(t.Context(), req); m.Failed {
				t.Error(plain(m))
			}
		})
	}
	wg.Wait()
	if len(w.audit) != 64 {
		t.Errorf("%d audit lines", len(w.audit))
	}
}

func TestInPlace(t *testing.T) {
	table := []Command{{Group: "backup", Name: "guide", InPlace: true}, {Group: "backup", Name: "start"}, {Group: "keepwatch", Name: "help"}}
	for text, want := range map[string]bool{
		"backup guide cpanel": true, "/Backup Guide": true, "backup start x": false, "backup": false, "guide": false, "": false, `backup guide "open`: false, "nothing": false,
	} {
		if InPlace(table, text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

// TestHello: what is near to the help alone has one button for it.
func TestHello(t *testing.T) {
	r := newWorld().router(t)
	for typed, want := range map[string]int{"hello": 1, "backup strat": 2} {
		msg := r.Handle(t.Context(), ask("/"+typed, "slack:U1"))
		if len(msg.Buttons) != want || !msg.Failed {
			t.Errorf("%s: %+v", typed, msg)
		}
	}
}

// TestNobody: where a person is meant that is not known, that is what is said.
func TestNobody(t *testing.T) {
	r := newWorld().router(t)
	if got := keepwatch.Sentence(r.noPlace("@Bob")); !strings.HasPrefix(got, `There is nobody named "Bob"`) {
		t.Error(got)
	}
	if got := keepwatch.Sentence(r.noPlace("#ops")); !strings.HasPrefix(got, "There is no channel") {
		t.Error(got)
	}
}
