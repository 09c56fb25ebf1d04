package providers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
)

func (l *lab) returns(t *testing.T) *providers.Returns {
	t.Helper()
	r, err := providers.NewReturns(l.config(""))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// brief writes a plan in a line for each item.
func brief(p keepwatch.ReturnPlan) string {
	var b strings.Builder
	for _, i := range p.Items {
		fmt.Fprintf(&b, "%s %s %s\n", i.At.Format("01-02"), i.Archive, i.Name)
	}
	return b.String()
}

// TestReturnsPlan: by the date of what is in them, the oldest first, in whatever order
// they are named.
func TestReturnsPlan(t *testing.T) {
	h := newHost()
	newer := h.lab.holds(20, nil, "database ruthin_wp", "home")
	older := h.lab.holds(12, nil, "home")
	// brought home last, and of what was before all of them
	fetched := h.lab.holds(23, func(a *keepwatch.Archive) {
		a.Inside = &keepwatch.Inside{Files: 1, Made: time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)}
	}, "home")
	plan, err := h.lab.returns(t).Plan(t.Context(), []string{newer, fetched, older, newer}, keepwatch.ReturnAsk{})
	want := "11-09 " + fetched + " home\n11-12 " + older + " home\n11-20 " + newer + " database ruthin_wp\n11-20 " + newer + " home\n"
	if d := cmp.Diff(want, brief(plan)); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	plan, err = h.lab.returns(t).Plan(t.Context(), []string{older, newer}, keepwatch.ReturnAsk{Parts: []string{"database ruthin_wp"}})
	if d := cmp.Diff("11-20 "+newer+" database ruthin_wp\n", brief(plan)); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
}

// TestReturnsOfOddArchives: whoever confirms is told that something is odd about one.
func TestReturnsOfOddArchives(t *testing.T) {
	h := newHost()
	found := []keepwatch.Finding{{Rule: "files", Text: "It has far fewer files inside."}}
	good := h.lab.holds(20, nil, "home")
	bad := h.lab.holds(21, func(a *keepwatch.Archive) { a.Findings = found }, "home")
	accepted := h.lab.holds(22, func(a *keepwatch.Archive) { a.Findings, a.Accepted = found, "Alis" }, "home")
	plan, err := h.lab.returns(t).Plan(t.Context(), []string{good, bad, accepted}, keepwatch.ReturnAsk{})
	want := []string{bad + " is unlike those before it, and nobody has said that this is right. It has far fewer files inside."}
	if d := cmp.Diff(want, plan.Mind); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
}

func TestReturnsRefused(t *testing.T) {
	h := newHost()
	good := h.lab.holds(20, nil, "home")
	unproved := h.lab.holds(21, func(a *keepwatch.Archive) { a.Verified = nil }, "home")
	gone := h.lab.holds(22, nil, "home")
	delete(h.lab.inVault, gone)
	notes := h.lab.holds(23, func(a *keepwatch.Archive) { a.Source = "notes" }, "a")
	damaged := h.lab.holds(24, nil, "damaged when it is planned")
	for _, c := range []struct {
		name string
		refs []string
		kind keepwatch.Kind
		says string
	}{
		{"nothing", nil, keepwatch.KindInvalid, "which archive"},
		{"no archive", []string{"web"}, keepwatch.KindInvalid, `"web" is no archive`},
		{"not there", []string{"web/2020-01-01T000000Z"}, keepwatch.KindNotFound, "There is no archive"},
		{"not verified", []string{good, unproved}, keepwatch.KindConflict, "/backup verify " + unproved},
		{"not in the vault", []string{gone}, keepwatch.KindConflict, "Its folder is not there."},
		{"of two sources", []string{good, notes}, keepwatch.KindInvalid, "different sources"},
		{"of files", []string{notes}, keepwatch.KindInvalid, "kind files"},
		{"damaged", []string{good, damaged}, keepwatch.KindAttention, "is damaged"},
	} {
		plan, err := h.lab.returns(t).Plan(t.Context(), c.refs, keepwatch.ReturnAsk{})
		if keepwatch.KindOf(err) != c.kind || !strings.Contains(keepwatch.Sentence(err), c.says) {
			t.Errorf("%s: %v, plan %+v", c.name, err, plan)
		}
	}
	if h.lab.archives[damaged].IsVerified() || !h.lab.archives[good].IsVerified() {
		t.Error("the damaged one still counts, or the good one does not")
	}
}

// putBack is a run that puts everything of two archives back.
func (h *host) putBack(t *testing.T) (run keepwatch.Run, older, newer string) {
	t.Helper()
	older, newer = h.lab.holds(12, nil, "home", "database ruthin_wp"), h.lab.holds(20, nil, "database ruthin_wp")
	plan, err := h.lab.returns(t).Plan(t.Context(), []string{older, newer}, keepwatch.ReturnAsk{})
	if err != nil {
		t.Fatal(err)
	}
	return keepwatch.Run{ID: 7, Kind: keepwatch.RunRestore, Source: "web", Started: noon, Ask: keepwatch.Ask{Archive: newer, Return: plan.Items}}, older, newer
}

func TestPutBack(t *testing.T) {
	h := newHost()
	run, older, newer := h.putBack(t)
	if err := h.lab.carry(t, &run, ""); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"plan", "1 home", "2 database ruthin_wp", "3 database ruthin_wp"}, names(run)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{older + " home", older + " database ruthin_wp", newer + " database ruthin_wp"}, h.told); d != "" {
		t.Error(d)
	}
	res := run.Result
	if res.Items != 3 || res.Bytes != 30 || res.Plan.Items != 3 || res.Plan.Bytes != 30 || len(res.Logs) != 3 || res.Logs[2].Step != "3 database ruthin_wp" || res.Logs[2].Text != "done" {
		t.Errorf("%+v", res)
	}
	for _, job := range h.jobs {
		if job.Remote != nil || job.Keep == nil || len(job.Parts) != 1 {
			t.Errorf("told of what another item has kept: %s", job.Remote)
		}
	}
}

// TestPutBackKilled: wherever it is killed, the host is told once of each item, and a
// finished one is never touched again. Where nobody can tell whether it was told, a
// person decides.
func TestPutBackKilled(t *testing.T) {
	for point, asks := range map[string]bool{"providers.return.begun": false, "host.return.kept": true, "host.return.told": false, "providers.return.over": false} {
		h := newHost()
		run, _, _ := h.putBack(t)
		h.at = point
		if err := h.lab.carry(t, &run, point); err == nil {
			t.Fatalf("%s was not passed", point)
		}
		err := h.lab.carry(t, &run, "")
		if asks != (keepwatch.KindOf(err) == keepwatch.KindAttention) || !asks && err != nil {
			t.Errorf("%s: %v", point, err)
		}
		if asks {
			err = h.lab.carry(t, &run, "") // a person's retry
		}
		if err != nil || len(h.told) != 3 {
			t.Errorf("%s: %v, told %v", point, err, h.told)
		}
	}
}

// TestARetryIsNoLicence: begun anew by a person's word and then killed, it is not begun
// for the third time.
func TestARetryIsNoLicence(t *testing.T) {
	h := newHost()
	run, _, _ := h.putBack(t)
	h.at = "host.return.kept"
	for i, want := range []string{"killed", "Nobody can tell"} {
		if err := h.lab.carry(t, &run, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%d: %v", i, err)
		}
	}
	h.at = "host.return.told"
	if err := h.lab.carry(t, &run, ""); err == nil || err.Error() != "killed" {
		t.Fatal(err)
	}
	delete(h.ended, "home") // and what became of that is not known either
	if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindAttention || len(h.told) != 1 {
		t.Errorf("%v, told %v", err, h.told)
	}
}

// TestPutBackStops: what fails stops the run with the words of the host, and what comes
// after it waits; the log is brought back all the same.
func TestPutBackStops(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		kind keepwatch.Kind
		says string
	}{
		{"the host refuses", keepwatch.Errorf(keepwatch.KindInvalid, "The host knows no such database."), keepwatch.KindAttention, "The host knows no such database. What comes after it in the plan (1 item) waits"},
		{"a fault", errors.New("EOF"), keepwatch.KindAttention, "Putting back database ruthin_wp failed"},
		{"the network is away", keepwatch.Errorf(keepwatch.KindTransient, "The host does not answer."), keepwatch.KindTransient, "The host does not answer."},
	} {
		h := newHost()
		run, _, _ := h.putBack(t)
		h.errs["return database ruthin_wp"], h.log = c.err, "ERROR 1064"
		err := h.lab.carry(t, &run, "")
		if keepwatch.KindOf(err) != c.kind || !strings.Contains(keepwatch.Sentence(err), c.says) || strings.Contains(keepwatch.Sentence(err), "EOF") || !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(h.told) != 1 || len(run.Result.Logs) != 2 || run.Result.Logs[1].Text != "ERROR 1064" || run.Result.Items != 1 {
			t.Errorf("%s: told %v, logs %+v", c.name, h.told, run.Result.Logs)
		}
		h.log = "done"
		if err := h.lab.carry(t, &run, ""); err != nil || len(h.told) != 3 || len(run.Result.Logs) != 3 {
			t.Errorf("%s: %v, told %v, logs %+v", c.name, err, h.told, run.Result.Logs)
		}
	}
}

// TestPutBackOfDamage: an archive that is found damaged on the way does not count any
// more, and the run waits, even where the error would be worth another try.
func TestPutBackOfDamage(t *testing.T) {
	h := newHost()
	ref := h.lab.holds(12, nil, "home", "damaged dump")
	plan, err := h.lab.returns(t).Plan(t.Context(), []string{ref}, keepwatch.ReturnAsk{})
	if err != nil {
		t.Fatal(err)
	}
	run := keepwatch.Run{ID: 7, Kind: keepwatch.RunRestore, Source: "web", Ask: keepwatch.Ask{Archive: ref, Return: plan.Items}}
	if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "is damaged") {
		t.Error(err)
	}
	if h.lab.archives[ref].IsVerified() {
		t.Error("the damaged archive counts")
	}
}

// TestPutBackOfWhatChanged: between the word of an admin and the run, which may have
// waited, an archive may have come to nothing.
func TestPutBackOfWhatChanged(t *testing.T) {
	h := newHost()
	run, older, _ := h.putBack(t)
	delete(h.lab.inVault, older)
	if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindConflict || len(h.calls) != 0 {
		t.Errorf("%v, %v", err, h.calls)
	}
	run, _, _ = h.putBack(t)
	h.lab.host = nil
	if err := h.lab.carry(t, &run, ""); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("nobody knows the kind any more: %v", err)
	}
	notes := keepwatch.Run{Kind: keepwatch.RunRestore, Source: "notes", Ask: keepwatch.Ask{Return: run.Ask.Return}}
	if err := h.lab.carry(t, &notes, ""); keepwatch.KindOf(err) != keepwatch.KindInvalid || notes.Steps != nil {
		t.Errorf("files: %v", err)
	}
}

// TestLogsAreBounded: a run is saved again at each change.
func TestLogsAreBounded(t *testing.T) {
	h := newHost()
	h.log = strings.Repeat("é", keepwatch.MaxServerLog) + " the end"
	var paths []string
	for i := range 100 {
		paths = append(paths, fmt.Sprint("database d", i))
	}
	ref := h.lab.holds(12, nil, paths...)
	for _, n := range []int{1, 100} {
		plan, err := h.lab.returns(t).Plan(t.Context(), []string{ref}, keepwatch.ReturnAsk{Parts: paths[:n]})
		if err != nil {
			t.Fatal(err)
		}
		run := keepwatch.Run{ID: 7, Kind: keepwatch.RunRestore, Source: "web", Ask: keepwatch.Ask{Archive: ref, Return: plan.Items}}
		if err := h.lab.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
		all := 0
		for _, l := range run.Result.Logs {
			if !strings.HasSuffix(l.Text, " the end") || strings.Contains(l.Text, "\ufffd") || len(l.Text) > keepwatch.MaxServerLog {
				t.Fatalf("%d bytes that end in %q", len(l.Text), l.Text[len(l.Text)-10:])
			}
			all += len(l.Text)
		}
		if len(run.Result.Logs) != n || all < keepwatch.MaxServerLog-2 || all > 17*keepwatch.MaxServerLog {
			t.Errorf("%d logs of %d bytes", len(run.Result.Logs), all)
		}
	}
}

func TestDiscardOfWhatWasPutBack(t *testing.T) {
	h := newHost()
	run, _, _ := h.putBack(t)
	if err := h.lab.works(t, "")[keepwatch.RunRestore].Discard(t.Context(), run); err != nil || h.lab.discarded != 0 {
		t.Errorf("%v: the vault was asked to remove what run %d has restored to a folder", err, h.lab.discarded)
	}
}
