package providers_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
)

// TestWaitsAreReported: a wait that a server asks for comes with the figures as they were, is
// there as long as one call waits, and is gone after it.
func TestWaitsAreReported(t *testing.T) {
	m := newMailbox()
	wait := func(minutes int) keepwatch.Pause {
		return keepwatch.Pause{Why: "The server asks for it.", Until: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	m.during = func(ctx context.Context, piece int) {
		if piece != 2 {
			return
		}
		short, long, same := providers.Paused(ctx, wait(1)), providers.Paused(ctx, wait(5)), providers.Paused(ctx, wait(5))
		long()
		long()
		m.jobs[len(m.jobs)-1].Report(keepwatch.Progress{Items: 3}) // a call that was under way has ended
		same()
		short()
	}
	run := mailRun(1, false)
	if err := m.lab.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	type told struct {
		Items, Of int64
		Pause     keepwatch.Pause
	}
	var got []told
	for _, p := range m.lab.progress {
		if p.TotalItems == 5 && p.Items >= 2 && p.Items <= 4 {
			got = append(got, told{p.Items, p.TotalItems, p.Pause})
		}
	}
	none := keepwatch.Pause{}
	want := []told{{2, 5, none}, {2, 5, wait(1)}, {2, 5, wait(5)}, {3, 5, wait(5)}, {3, 5, wait(1)}, {3, 5, none}, {3, 5, none}, {4, 5, none}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	providers.Paused(t.Context(), wait(1))() // nobody follows that
}

// TestTroubleGivesWay: a pause that is asked for and lasts longer takes the place of a trouble,
// which does not come back behind it. One that lasts longer stays.
func TestTroubleGivesWay(t *testing.T) {
	var got []int
	ctx := providers.WithPauses(t.Context(), func(p keepwatch.Pause) {
		minutes := 0
		if !p.Until.IsZero() {
			minutes = int(p.Until.Sub(noon).Minutes())
		}
		if p.Trouble {
			minutes = -minutes
		}
		got = append(got, minutes)
	})
	wait := func(minutes int, trouble bool) func() {
		return providers.Paused(ctx, keepwatch.Pause{Why: "So it is.", Until: noon.Add(time.Duration(minutes) * time.Minute), Trouble: trouble})
	}
	first := wait(1, true)
	asked, last := wait(5, false), wait(7, true)
	last()
	asked()
	first()
	if d := cmp.Diff([]int{-1, 5, -7, 5, 0}, got); d != "" {
		t.Error(d)
	}
}

// TestWaitOfAnotherTry: a step that is done again waits before it has anything to report. The
// figures of the try before it stay, and its pause does not.
func TestWaitOfAnotherTry(t *testing.T) {
	m := newMailbox()
	pause := keepwatch.Pause{Why: "The server asks for it.", Until: noon}
	cfg := m.lab.config("")
	cfg.Providers[keepwatch.KindOutlook] = &patient{m, pause}
	works, err := providers.NewWorks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := keepwatch.Progress{Step: "download", Items: 4, TotalItems: 5}
	run := mailRun(1, false)
	run.Progress = before
	run.Progress.Pause = keepwatch.Pause{Why: "It is long over.", Until: noon.Add(time.Hour)}
	var said []keepwatch.Progress
	task := keepwatch.Task{Run: run, Step: "download", Report: func(p keepwatch.Progress) { said = append(said, p) }}
	if _, err := works[keepwatch.RunBackup].Do(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	waits := before
	waits.Pause = pause
	if d := cmp.Diff([]keepwatch.Progress{waits, before, {Items: 5, TotalItems: 5, TotalBytes: 1}}, said); d != "" {
		t.Error(d)
	}
	said = nil
	cfg.Providers[keepwatch.KindOutlook] = &patient{mailbox: m}
	if _, err := works[keepwatch.RunBackup].Do(t.Context(), task); err != nil || len(said) != 1 || said[0].Pause != (keepwatch.Pause{}) {
		t.Errorf("%v, %+v", err, said)
	}
}

// patient is a mailbox whose server has a download wait at its beginning, where it does.
type patient struct {
	*mailbox
	pause keepwatch.Pause
}

func (p *patient) Download(ctx context.Context, job providers.Job) error {
	if p.pause != (keepwatch.Pause{}) {
		providers.Paused(ctx, p.pause)()
	}
	job.Report(keepwatch.Progress{Items: 5, TotalItems: 5, TotalBytes: 1})
	return nil
}
