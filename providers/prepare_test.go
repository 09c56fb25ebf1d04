package providers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/providertest"
)

func hostedRun(id int64) keepwatch.Run {
	run := backupRun(id)
	run.Source = "web"
	return run
}

func names(run keepwatch.Run) (list []string) {
	for _, s := range run.Steps {
		list = append(list, s.Name)
	}
	return list
}

func TestPreparedBackup(t *testing.T) {
	h := newHost()
	h.lab.copies = []string{"/elsewhere"}
	run := hostedRun(1)
	h.inside.Name, h.inside.Made = "backup-1.tar.gz", run.Started.Add(time.Hour)
	h.notes = []keepwatch.Note{{Kind: keepwatch.NoteInfo, Text: "the host's copy was removed"}}
	if err := h.lab.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"plan", "request", "wait", "fetch", "verify", "seal", "copy", "release", "prune"}, names(run)); d != "" {
		t.Error(d)
	}
	a := h.lab.archives[run.Result.Archive]
	if d := cmp.Diff(&h.inside, a.Inside); d != "" || a.Held != "backup-1.tar.gz" || a.Fetched || !a.AsOf().Equal(run.Started) {
		t.Errorf("%s, held %q, of %s", d, a.Held, a.AsOf())
	}
	if h.started != 1 || len(h.files) != 0 || !slices.ContainsFunc(run.Result.Notes, func(n keepwatch.Note) bool { return n.Text == "the host's copy was removed" }) {
		t.Errorf("%d were begun, the host holds %v, notes %v", h.started, h.files, run.Result.Notes)
	}
	for i, job := range h.jobs {
		if job.Run != 1 || !job.Began.Equal(run.Started) || job.Last != nil || job.Retried || job.Found == nil {
			t.Errorf("%s was told %+v", h.calls[i], job)
		}
		if want := h.calls[i] != "plan"; (job.Keep != nil) != want {
			t.Errorf("%s may keep: %t", h.calls[i], !want)
		}
	}
	second := hostedRun(2)
	h.jobs = nil
	if err := h.lab.carry(t, &second, ""); err != nil || len(h.jobs) != 5 {
		t.Errorf("%v, %d calls", err, len(h.jobs))
	}
	for _, job := range h.jobs {
		if job.Last == nil || job.Last.Ref() != a.Ref() {
			t.Errorf("the second is told of %+v", job.Last)
		}
	}
}

// TestPreparedKilled: at each point, on our side and in the middle of what the provider
// does. The host is told once, and nothing that was found is lost.
func TestPreparedKilled(t *testing.T) {
	for _, point := range []string{"host.request.begun", "host.request.kept", "host.request.told", "providers.request.begun", "providers.request.made", "providers.wait.begun", "providers.wait.over",
		"providers.fetch.begun", "providers.seal.before-record", "providers.seal.after-record", "providers.release.begun", "providers.release.over", "providers.prune.begun"} {
		h := newHost()
		h.at = point
		run := hostedRun(1)
		if err := h.lab.carry(t, &run, point); err == nil {
			t.Fatalf("%s was not passed", point)
		}
		done := len(h.calls)
		finished := map[string]bool{}
		for _, s := range run.Steps {
			finished[s.Name] = s.State == keepwatch.StepDone
		}
		if err := h.lab.carry(t, &run, ""); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		for _, call := range h.calls[done:] {
			if finished[call] {
				t.Errorf("%s: the finished step %s was done again", point, call)
			}
		}
		a := h.lab.archives[run.Result.Archive]
		if h.started != 1 || !a.IsVerified() || a.Inside == nil || a.Inside.Files != 41 || len(h.files) != 0 || len(h.lab.staged) != 0 || len(h.lab.archives) != 1 {
			t.Errorf("%s: %d were begun, %+v, the host holds %v", point, h.started, a, h.files)
		}
	}
}

// TestRetried: a person's retry is told to the step that stopped, and to no other, and
// only until something was kept since.
func TestRetried(t *testing.T) {
	h := newHost()
	h.errs["wait"] = keepwatch.Errorf(keepwatch.KindAttention, "It does not grow any more.")
	run := hostedRun(1)
	if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Fatal(err)
	}
	if err := h.lab.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	var told []string
	for i, job := range h.jobs {
		if job.Retried {
			told = append(told, h.calls[i])
		}
	}
	if d := cmp.Diff([]string{"wait"}, told); d != "" || h.started != 1 {
		t.Errorf("%s, %d were begun", d, h.started)
	}
}

// TestTransientKeepsWhatIsKnown: an error that the engine tries again ends nothing.
func TestTransientKeepsWhatIsKnown(t *testing.T) {
	h := newHost()
	run := hostedRun(1)
	for _, step := range []string{"plan", "request", "wait", "fetch"} {
		h.errs[step] = keepwatch.Errorf(keepwatch.KindTransient, "The host does not answer.")
		if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindTransient {
			t.Fatalf("%s: %v", step, err)
		}
		run.Failures = nil // the engine keeps none of a try that is followed by another
	}
	if err := h.lab.carry(t, &run, ""); err != nil || h.started != 1 {
		t.Errorf("%v, %d were begun", err, h.started)
	}
}

// TestReleaseFailsNoBackup: the archive is in its place.
func TestReleaseFailsNoBackup(t *testing.T) {
	for name, err := range map[string]error{"a refusal": keepwatch.Errorf(keepwatch.KindAttention, "The host says no."), "a network that is away": keepwatch.Errorf(keepwatch.KindTransient, "The host does not answer."), "a fault": errors.New("EOF")} {
		h := newHost()
		h.errs["release"] = err
		run := hostedRun(1)
		if err := h.lab.carry(t, &run, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		notes := run.Result.Notes
		if len(notes) != 1 || !strings.Contains(notes[0].Text, "could not be removed there") || name != "a fault" && !strings.Contains(notes[0].Text, keepwatch.Sentence(err)) || strings.Contains(notes[0].Text, "EOF") {
			t.Errorf("%s: %+v", name, notes)
		}
	}
}

// TestUnlikeItsHistory: what is left on the host may be the better one.
func TestUnlikeItsHistory(t *testing.T) {
	h := newHost()
	h.lab.content = strings.Repeat("x", 1<<20)
	first := hostedRun(1)
	if err := h.lab.carry(t, &first, ""); err != nil {
		t.Fatal(err)
	}
	h.lab.content = "x"
	second := hostedRun(2)
	if err := h.lab.carry(t, &second, ""); err != nil {
		t.Fatal(err)
	}
	if len(second.Result.Findings) == 0 || len(h.files) != 1 || len(second.Result.Notes) == 0 || !strings.Contains(second.Result.Notes[0].Text, "stays there too") {
		t.Errorf("findings %v, the host holds %v, notes %v", second.Result.Findings, h.files, second.Result.Notes)
	}
}

// TestNotPrepared: parts that the host makes while they are downloaded, and what it
// holds already, are fetched at once.
func TestNotPrepared(t *testing.T) {
	want := []string{"plan", "fetch", "verify", "seal", "prune"}
	for name, ask := range map[string]keepwatch.Ask{"parts": {Parts: []string{keepwatch.PartHome}}, "held": {Held: "backup-11.9.2026_03-00-00_ruthin.tar.gz"}} {
		h := newHost()
		h.files = []string{"another"}
		run := hostedRun(1)
		run.Ask = ask
		if err := h.lab.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
		a := h.lab.archives[run.Result.Archive]
		if d := cmp.Diff(want, names(run)); d != "" || h.started != 0 || len(h.files) != 1 || a.Held != ask.Held || a.Fetched != (ask.Held != "") || a.Inside == nil {
			t.Errorf("%s: %s, %d were begun, held %q", name, d, h.started, a.Held)
		}
		for _, job := range h.jobs {
			if job.Held != ask.Held || !slices.Equal(job.Parts, ask.Parts) {
				t.Errorf("%s: told %+v", name, job)
			}
		}
	}
}

// TestConfiguredParts: a source that is kept in parts is, where nobody asks for others.
func TestConfiguredParts(t *testing.T) {
	h := newHost()
	h.lab.parts = []string{keepwatch.PartDatabases}
	run := hostedRun(1)
	if err := h.lab.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	if a := h.lab.archives[run.Result.Archive]; !slices.Equal(h.jobs[0].Parts, h.lab.parts) || h.started != 0 || len(a.Parts) != 0 {
		t.Errorf("told %v, %d were begun, the archive is of %v", h.jobs[0].Parts, h.started, a.Parts)
	}
	held := hostedRun(2)
	held.Ask.Held = "a"
	if err := h.lab.carry(t, &held, ""); err != nil || len(h.jobs[len(h.jobs)-1].Parts) != 0 {
		t.Errorf("%v, what is held is fetched in the parts %v", err, h.jobs[len(h.jobs)-1].Parts)
	}
}

func TestNothingHeldOfFiles(t *testing.T) {
	run := backupRun(1)
	run.Ask.Held = "a"
	if err := newLab().carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "kind files") {
		t.Error(err)
	}
}

// TestStepsAreThoseItBeganWith: a source that is configured in another way meanwhile
// changes nothing about a run under way.
func TestStepsAreThoseItBeganWith(t *testing.T) {
	h := newHost()
	run := hostedRun(1)
	h.errs["wait"] = keepwatch.Errorf(keepwatch.KindAttention, "It does not grow any more.")
	if err := h.lab.carry(t, &run, ""); err == nil {
		t.Fatal("it went through")
	}
	h.lab.parts = []string{keepwatch.PartHome}
	if w := h.lab.works(t, "")[keepwatch.RunBackup]; !w.Resumable(run, "wait") || !w.Resumable(run, "release") {
		t.Error("a step that it has is not known any more")
	}
	if err := h.lab.carry(t, &run, ""); err != nil || len(h.files) != 0 {
		t.Errorf("%v, the host holds %v", err, h.files)
	}
}

// TestCancelledWhileWaiting ends the wait, and not as an error of the host.
func TestCancelledWhileWaiting(t *testing.T) {
	h := newHost()
	run := hostedRun(1)
	h.errs["wait"] = keepwatch.Errorf(keepwatch.KindAttention, "x")
	if err := h.lab.carry(t, &run, ""); err == nil {
		t.Fatal("it went through")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := h.lab.works(t, "")[keepwatch.RunBackup]
	if _, err := w.Do(ctx, keepwatch.Task{Run: run, Step: "wait", Report: func(keepwatch.Progress) {}}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := w.Discard(t.Context(), run); err != nil || len(h.lab.inVault) != 0 || len(h.lab.staged) != 0 {
		t.Errorf("%v, vault %v, staged %v", err, h.lab.inVault, h.lab.staged)
	}
}

// TestSuite: what the works are tried with is a provider as any other.
func TestSuite(t *testing.T) {
	h := newHost()
	h.alone = true
	web, err := h.lab.Source("web")
	if err != nil {
		t.Fatal(err)
	}
	providertest.Run(t, providertest.Case{Provider: h, Source: web, Missing: keepwatch.Source{Name: "gone", Kind: keepwatch.KindCPanel}, Parts: []string{keepwatch.PartHome}})
	if h.started != 2 {
		t.Errorf("%d were begun for two runs", h.started)
	}
}

var _ interface {
	providers.Preparer
	providers.Inspector
	providers.Restorer
} = (*host)(nil)
