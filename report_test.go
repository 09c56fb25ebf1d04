package keepwatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func london(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// month makes the input of a report of October 2026, in which British clocks go back.
func month(t *testing.T) ReportInput {
	loc := london(t)
	return ReportInput{From: time.Date(2026, 10, 1, 0, 0, 0, 0, loc), To: time.Date(2026, 11, 1, 0, 0, 0, 0, loc), Location: loc,
		Made: time.Date(2026, 10, 27, 12, 0, 0, 0, loc), Sources: []Source{{Name: "web", Kind: KindCPanel, Schedule: "0 3 * * *"}, {Name: "notes", Kind: KindFiles}}}
}

func (in *ReportInput) at(day, hour int) time.Time {
	return time.Date(2026, 10, day, hour, 0, 0, 0, in.Location)
}

// run adds a run of a backup and gives it, to be changed.
func (in *ReportInput) run(source string, when time.Time, state RunState) *Run {
	id := int64(len(in.Runs) + 1)
	in.Runs = append(in.Runs, Run{ID: id, Kind: RunBackup, Source: source, State: state, Created: when})
	r := &in.Runs[id-1]
	if state == RunDone {
		r.Result = Result{Verification: &Verification{At: when, Level: LevelOpened}, Sealed: []SealedFile{{Size: 1000 * id}}, Archive: source + "/" + StampOf(when)}
	}
	return r
}

// due adds an occurrence of the schedule of web.
func (in *ReportInput) due(when time.Time, state OccurrenceState) *Occurrence {
	wall := when.Format(WallLayout)
	in.Occurrences = append(in.Occurrences, Occurrence{ID: OccurrenceID("schedule:web", wall), Rule: "schedule:web", Kind: RuleCommand, Command: "backup start web", At: when, Wall: wall, State: state})
	return &in.Occurrences[len(in.Occurrences)-1]
}

func (r Report) source(t *testing.T, name string) SourceReport {
	t.Helper()
	for _, s := range r.Sources {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no %s in %+v", name, r.Sources)
	return SourceReport{}
}

// TestReportDays: what each day was, whatever came together on it.
func TestReportDays(t *testing.T) {
	in := month(t)
	want := map[int]DayOutcome{}
	days := []struct {
		want DayOutcome
		make func(day int)
	}{
		{DayGood, func(d int) { in.run("web", in.at(d, 3), RunDone) }},
		{DayPartly, func(d int) { in.run("web", in.at(d, 3), RunDone).Result.Gaps = []string{"x"} }},
		{DayPartly, func(d int) { in.run("web", in.at(d, 3), RunDone).Result.Verification.Level = LevelSealed }},
		{DayPartly, func(d int) { in.run("web", in.at(d, 3), RunDone).Result.Findings = []Finding{{Rule: "shrunk"}} }},
		{DayGood, func(d int) { // somebody has looked at it
			r := in.run("web", in.at(d, 3), RunDone)
			r.Result.Findings = []Finding{{Rule: "shrunk"}}
			in.Archives = append(in.Archives, Archive{Source: "web", Stamp: StampOf(in.at(d, 3)), Started: in.at(d, 3), Run: r.ID, Accepted: "Alis"})
		}},
		{DayPartly, func(d int) { in.run("web", in.at(d, 3), RunDone).Ask.Parts = []string{"mail"} }},
		{DayFailed, func(d int) { in.run("web", in.at(d, 3), RunFailed) }},
		{DayFailed, func(d int) { in.run("web", in.at(d, 3), RunCancelled) }},
		{DayFailed, func(d int) { in.run("web", in.at(d, 3), RunAttention) }},
		{DayGood, func(d int) { in.run("web", in.at(d, 3), RunFailed); in.run("web", in.at(d, 4), RunDone) }},
		{DayPartly, func(d int) { in.run("web", in.at(d, 3), RunDone); in.run("web", in.at(d, 4), RunFailed) }},
		{DayMissed, func(d int) { in.due(in.at(d, 3), OccurrenceMissed) }},
		{DayGood, func(d int) { in.due(in.at(d, 3), OccurrenceMissed); in.run("web", in.at(d, 9), RunDone) }},
		{DayOpen, func(d int) { in.due(in.at(d, 3), OccurrenceDue) }},
		{DayOpen, func(d int) { in.run("web", in.at(d, 3), RunRunning) }},
		{DayNone, func(d int) { in.due(in.at(d, 3), OccurrenceSkipped) }},
		{DayNone, func(int) {}},
		{DayFailed, func(d int) { in.due(in.at(d, 3), OccurrenceFailed) }},
		{DayGood, func(d int) { // the archive was pruned since: there is none
			in.due(in.at(d, 3), OccurrenceDone)
			in.run("web", in.at(d, 3), RunDone)
		}},
		{DayGood, func(d int) { // found in the vault; nobody knows of a run
			in.Archives = append(in.Archives, Archive{Source: "web", Stamp: StampOf(in.at(d, 3)), Started: in.at(d, 3), Run: 4711, Verified: []Verification{{Level: LevelOpened}}})
		}},
		{DayPartly, func(d int) {
			in.Archives = append(in.Archives, Archive{Source: "web", Stamp: StampOf(in.at(d, 3)), Started: in.at(d, 3), Run: 4711})
		}},
		{DayGood, func(d int) { // due late in the evening, begun after midnight
			o := in.due(in.at(d, 23), OccurrenceDone)
			in.run("web", in.at(d+1, 1), RunDone).Due = o.ID
		}},
		{DayFailed, func(d int) { // a verification is no backup
			in.run("web", in.at(d, 3), RunFailed)
			in.run("web", in.at(d, 4), RunDone).Kind = RunVerify
		}},
		{DayNone, func(int) {}},
		{DayGood, func(d int) { in.run("web", in.at(d, 0), RunDone) }}, // the day of 25 hours
		{DayGood, func(d int) { in.run("web", in.at(d, 0), RunDone) }},
		{DayOpen, func(d int) { in.due(in.at(d, 3), OccurrenceRunning); in.due(in.at(d, 18), OccurrenceDue) }},
		{DayAhead, func(int) {}},
	}
	for n, d := range days {
		want[n+1] = d.want
		d.make(n + 1)
	}
	r := NewReport(in)
	if r.DayCount() != 31 {
		t.Fatalf("October has %d days", r.DayCount())
	}
	web := r.source(t, "web")
	for n, got := range web.Calendar {
		if w, is := want[n+1]; is && got != w || !is && got != DayAhead {
			t.Errorf("the %d of October is %q, expected %q", n+1, got, w)
		}
	}
	if diff := cmp.Diff(DayCounts{Good: 9, Partly: 6, Failed: 5, Missed: 1, Open: 3}, web.Days); diff != "" {
		t.Errorf("days (-want +got): %s", diff)
	}
	if diff := cmp.Diff(DueCounts{Due: 7, Done: 2, Open: 2}, web.Due); diff != "" {
		t.Errorf("due (-want +got): %s", diff)
	}
	if diff := cmp.Diff(r.Days, web.Days); diff != "" {
		t.Errorf("all days: %s", diff)
	}
	notes := r.source(t, "notes")
	if notes.Scheduled || notes.Calendar[0] != DayNothing || notes.Calendar[30] != DayAhead {
		t.Errorf("a source that nobody has backed up: %+v", notes)
	}
}

// TestReportOfNothing: an empty month has all its days, and nothing in them.
func TestReportOfNothing(t *testing.T) {
	in := month(t)
	in.Sources = nil
	r := NewReport(in)
	if len(r.Sources) != 0 || r.Runs.All() != 0 || r.Days != (DayCounts{}) || r.LastDrill != nil {
		t.Errorf("%+v", r)
	}
}

// TestReportFigures: sizes outlive their archives, freshness is of verified ones
// alone, and what was outside of the month is not counted.
func TestReportFigures(t *testing.T) {
	in := month(t)
	for d := 1; d <= 3; d++ {
		in.run("web", in.at(d, 3), RunDone)
	}
	in.run("web", in.at(-3, 3), RunDone)
	in.run("web", in.at(35, 3), RunDone)
	in.run("old", in.at(2, 3), RunDone)
	in.run("web", in.at(4, 3), RunFailed)
	in.run("web", in.at(5, 3), RunCancelled)
	in.run("web", in.at(6, 3), RunQueued)
	ok := []Verification{{Level: LevelOpened}}
	bad := []Verification{{Level: LevelOpened, Problems: []Finding{{Rule: "hash"}}}}
	for n, v := range [][]Verification{ok, ok, bad} {
		in.Archives = append(in.Archives, Archive{Source: "web", Stamp: StampOf(in.at(n+1, 3)), Started: in.at(n+1, 3), SealedBytes: 500, Run: int64(n + 1), Verified: v})
	}
	in.Archives = append(in.Archives, Archive{Source: "web", Stamp: StampOf(in.at(-20, 3)), Started: in.at(-20, 3), SealedBytes: 7, Verified: ok})
	in.Attestations = []Attestation{
		{Subject: "drill/alis", Said: in.at(2, 9), State: AttestedProblem}, {Subject: "drill/bob", Said: in.at(20, 9), State: AttestedStopped},
		{Subject: "drill/alis", Said: in.at(-100, 9), State: AttestedDone}, {Subject: "checklist/x", Said: in.at(3, 9), State: AttestedDone}, {Subject: "device/x", Said: in.at(3, 9), State: AttestedOn},
	}
	in.Warnings = []Warning{
		{ID: "w1", First: in.at(-5, 1), Fact: Fact{Tone: ToneWarn, Until: in.at(40, 1)}}, {ID: "w2", First: in.at(5, 1), Fact: Fact{Tone: ToneBad}},
		{ID: "w3", First: in.at(5, 1), Resolved: in.at(6, 1)}, {ID: "w6", First: in.at(-5, 1), Gone: in.at(6, 1)}, {ID: "w4", First: in.at(-5, 1), Resolved: in.at(-4, 1)}, {ID: "w5", First: in.at(6, 1), Fact: Fact{Tone: ToneWarn, Until: in.at(30, 1)}},
	}
	before := fmt.Sprint(in)
	r := NewReport(in)
	if fmt.Sprint(in) != before {
		t.Error("what it is made of was changed")
	}
	web := r.source(t, "web")
	if web.Newest != in.at(2, 3) || web.Archives != 4 || web.Bytes != 1507 || len(web.Sizes) != 3 || web.Sizes[2].Bytes != 3000 {
		t.Errorf("web: %+v", web)
	}
	if diff := cmp.Diff(RunCounts{Done: 4, Failed: 1, Cancelled: 1, Open: 1}, r.Runs); diff != "" {
		t.Errorf("runs (-want +got): %s", diff)
	}
	if old := r.source(t, "old"); old.Listed || old.Days.Good != 1 {
		t.Errorf("a source that is no longer listed: %+v", old)
	}
	if len(r.Drills) != 2 || r.LastDrill == nil || r.LastDrill.Person != "" || r.LastDrill.State != AttestedProblem || r.Checklists != 1 || r.Attestations != 4 {
		t.Errorf("attested: %+v, last %+v, %d, %d", r.Drills, r.LastDrill, r.Checklists, r.Attestations)
	}
	var ids []string
	for _, w := range r.Warnings {
		ids = append(ids, w.ID)
	}
	if diff := cmp.Diff([]string{"w2", "w5", "w1"}, ids); diff != "" || r.Raised != 3 || r.Resolved != 2 {
		t.Errorf("warnings %v, %d raised, %d resolved", ids, r.Raised, r.Resolved)
	}
}
