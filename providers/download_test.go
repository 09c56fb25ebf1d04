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

func TestDownloadedBackup(t *testing.T) {
	m := newMailbox()
	m.lab.copies = []string{"/elsewhere"}
	run := mailRun(1, false)
	if err := m.lab.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"plan", "download", "fetch", "verify", "seal", "copy", "prune"}, names(run)); d != "" {
		t.Error(d)
	}
	if a := m.lab.archives[run.Result.Archive]; !a.IsVerified() || a.Base != "" || m.served != 5 || len(m.spools) != 0 || !slices.Equal(m.discards, []int64{1}) {
		t.Errorf("%+v, %d pieces were sent, spools %v, discarded %v", a, m.served, m.spools, m.discards)
	}
	if len(run.Result.Remote) > 0 {
		t.Errorf("%s is kept of a run that is over", run.Result.Remote)
	}
	for i, job := range m.jobs {
		if job.Run != 1 || job.Changes != nil || (job.Keep != nil) != (m.calls[i] != "plan") {
			t.Errorf("%s was told %+v", m.calls[i], job)
		}
	}
	reported := m.lab.progress[1]
	if reported.Items != 1 || reported.TotalItems != 5 || reported.TotalBytes != 1<<20 {
		t.Errorf("the first progress is %+v", reported)
	}
	m.plain = true
	plain := mailRun(2, false)
	if err := m.lab.carry(t, &plain, ""); err != nil || slices.Contains(names(plain), "download") || len(m.discards) != 1 {
		t.Errorf("%v, %v, discarded %v", err, names(plain), m.discards)
	}
}

// TestDownloadKilled: at each point, on our side and in the middle of what the provider
// does. Nothing is sent twice, and nothing is left.
func TestDownloadKilled(t *testing.T) {
	for _, point := range []string{"mail.download.1", "mail.download.3", "mail.download.5", "providers.download.begun", "providers.download.over",
		"providers.fetch.begun", "providers.seal.before-record", "providers.seal.after-record", "providers.prune.begun", "providers.clear.begun", "providers.clear.over"} {
		m := newMailbox()
		m.at = point
		run := mailRun(1, false)
		if err := m.lab.carry(t, &run, point); err == nil {
			t.Fatalf("%s was not passed", point)
		}
		if early := !strings.Contains(point, "clear") && !strings.Contains(point, "prune"); early && len(m.discards) > 0 {
			t.Errorf("%s: it was discarded before the archive was in its place", point)
		}
		if err := m.lab.carry(t, &run, ""); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		if a := m.lab.archives[run.Result.Archive]; m.served != 5 || !a.IsVerified() || len(m.spools) != 0 || len(m.lab.staged) != 0 || len(m.lab.archives) != 1 {
			t.Errorf("%s: %d pieces were sent, spools %v, %+v", point, m.served, m.spools, a)
		}
	}
}

// TestDownloadAdvances: that it gets on is saved with the run, now and then; that it begins
// again where it was is no progress.
func TestDownloadAdvances(t *testing.T) {
	for _, c := range []struct {
		takes time.Duration
		saves int
	}{{time.Millisecond, 1}, {5 * time.Second, 2}, {time.Minute, 3}} {
		m := newMailbox()
		m.takes, m.at = c.takes, "mail.download.3"
		run := mailRun(1, false)
		if err := m.lab.carry(t, &run, ""); err == nil || m.lab.saves != c.saves {
			t.Errorf("%s a piece: %v, saved %d times", c.takes, err, m.lab.saves)
		}
	}
	m := newMailbox()
	m.takes, m.at = time.Minute, "mail.download.3"
	run := mailRun(1, false)
	if err := m.lab.carry(t, &run, ""); err == nil || string(run.Result.Checkpoint) != `{"items":3}` {
		t.Fatalf("%v, %s", err, run.Result.Checkpoint)
	}
	m.lab.saves, m.pieces = 0, 3 // there is nothing more to get
	if err := m.lab.carry(t, &run, ""); err != nil || m.lab.saves != 0 {
		t.Errorf("%v, saved %d times", err, m.lab.saves)
	}
	m = newMailbox()
	m.lab.saveErr = errors.New("disk full")
	run = mailRun(1, false)
	if err := m.lab.carry(t, &run, "providers.download.over"); err == nil || m.served != 5 {
		t.Errorf("what cannot be saved stops the download after %d pieces", m.served)
	}
}

// TestDownloadRetried: what is here stays when a step stops, whether it is tried again by
// itself or by a person, who is told to the step.
func TestDownloadRetried(t *testing.T) {
	for _, kind := range []keepwatch.Kind{keepwatch.KindTransient, keepwatch.KindAttention} {
		m := newMailbox()
		m.errs["piece"] = keepwatch.Errorf(kind, "The mailbox does not answer.")
		run := mailRun(1, false)
		if err := m.lab.carry(t, &run, ""); keepwatch.KindOf(err) != kind || len(m.discards) != 0 {
			t.Fatalf("%s: %v, discarded %v", kind, err, m.discards)
		}
		if kind == keepwatch.KindTransient {
			run.Failures = nil // the engine keeps none of a try that is followed by another
		}
		if err := m.lab.carry(t, &run, ""); err != nil || m.served != 5 {
			t.Errorf("%s: %v, %d pieces were sent", kind, err, m.served)
		}
		if second := m.jobs[slices.Index(m.calls, "download")+1]; second.Retried != (kind == keepwatch.KindAttention) {
			t.Errorf("%s: retried %t", kind, second.Retried)
		}
	}
}

// TestDownloadCancelled: what is here goes with the run, and nobody takes the end of it
// for the mailbox's error; also where the source is no longer in the configuration.
func TestDownloadCancelled(t *testing.T) {
	for _, gone := range []bool{false, true} {
		m := newMailbox()
		m.errs["piece"] = keepwatch.Errorf(keepwatch.KindAttention, "x")
		run := mailRun(1, false)
		if err := m.lab.carry(t, &run, ""); err == nil || m.spools[1] != 3 {
			t.Fatalf("%v, spools %v", err, m.spools)
		}
		w := m.lab.works(t, "")[keepwatch.RunBackup]
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.Do(ctx, keepwatch.Task{Run: run, Step: "download", Report: func(keepwatch.Progress) {}}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if !w.Resumable(run, "download") {
			t.Error("a download cannot be done again")
		}
		m.lab.gone = gone
		if err := w.Discard(t.Context(), run); err != nil || len(m.spools) != 0 || len(m.lab.staged) != 0 {
			t.Errorf("gone %t: %v, spools %v", gone, err, m.spools)
		}
	}
	m := newMailbox()
	run := mailRun(1, false)
	if err := m.lab.carry(t, &run, "providers.seal.before-record"); err == nil {
		t.Fatal("it was not passed")
	}
	m.refuses = errors.New("disk trouble")
	if err := m.lab.works(t, "")[keepwatch.RunBackup].Discard(t.Context(), run); !errors.Is(err, m.refuses) || len(m.lab.inVault) != 0 {
		t.Errorf("%v, vault %v", err, m.lab.inVault)
	}
	m.discards = nil
	files := backupRun(2)
	if err := m.lab.works(t, "")[keepwatch.RunBackup].Discard(t.Context(), files); err != nil || len(m.discards) != 0 {
		t.Errorf("a run that downloads nothing: %v, discarded %v", err, m.discards)
	}
}

// TestClearingFailsNoBackup: the archive is in its place.
func TestClearingFailsNoBackup(t *testing.T) {
	for name, err := range map[string]error{"a sentence": keepwatch.Errorf(keepwatch.KindAttention, "The disk says no."), "a fault": errors.New("EOF")} {
		m := newMailbox()
		m.refuses = err
		run := mailRun(1, false)
		if err := m.lab.carry(t, &run, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		n := run.Result.Notes
		if len(n) != 1 || !strings.Contains(n[0].Text, "could not be removed from this machine") || strings.Contains(n[0].Text, "The disk says no.") != (name == "a sentence") || strings.Contains(n[0].Text, "EOF") {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// TestDownloaderSuite: what the works are tried with is a provider as any other.
func TestDownloaderSuite(t *testing.T) {
	m := newMailbox()
	source, err := m.lab.Source("mail")
	if err != nil {
		t.Fatal(err)
	}
	providertest.Run(t, providertest.Case{Provider: m, Source: source, Missing: keepwatch.Source{Name: "gone", Kind: keepwatch.KindOutlook}, Parts: []string{"Inbox"}})
	if len(m.spools) != 0 {
		t.Errorf("left: %v", m.spools)
	}
}

var _ providers.Downloader = (*mailbox)(nil)
