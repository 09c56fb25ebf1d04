package keepwatch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is a stretch of time in figures: what was backed up and what came of it,
// what people attested, and what is open. Days and counts are of the stretch; how
// fresh archives are, how devices stand and which warnings are open is as of Made.
type Report struct {
	From, To time.Time // whole days in Location; To is not part of it
	Location *time.Location
	Made     time.Time

	Sources []SourceReport // by name
	Days    DayCounts      // of all sources
	Due     DueCounts      // of all sources
	Runs    RunCounts      // of all sources and of every kind

	Devices      []DeviceState
	Custodies    []CustodyState
	Drills       []Attestation // of the stretch, newest first
	LastDrill    *Attestation  // the newest one that ended, whenever it was; nil: none is known
	Checklists   int           // gone through to the end in the stretch
	Attestations int           // all that was attested in the stretch

	Warnings []Warning // those that are open, the most pressing first
	Raised   int       // warnings that began in the stretch
	Resolved int       // warnings that ended in the stretch
}

// SourceReport is what a Report says of one source.
type SourceReport struct {
	Name      string
	Kind      SourceKind
	Listed    bool // it is still in the configuration; that of KindDossier never is
	Scheduled bool // it was due at least once, or has a schedule
	Calendar  []DayOutcome
	Days      DayCounts
	Due       DueCounts
	Runs      RunCounts // backups

	// Newest is when the newest verified archive was begun, and Ref its name; zero:
	// there is none.
	Newest time.Time
	Ref    string
	// Archives and Bytes are what lies in the vault, as it is on disk.
	Archives int
	Bytes    int64
	// Sizes are the backups of the stretch, oldest first, those whose archives were
	// pruned since among them.
	Sizes []SizePoint
}

// SizePoint is how large an archive was, as it lay on disk.
type SizePoint struct {
	At    time.Time
	Bytes int64
}

// DayCounts counts days by their outcome.
type DayCounts struct{ Good, Partly, Failed, Missed, Open int }

// Trouble weighs what went wrong: the more, the earlier a source should be seen.
func (c DayCounts) Trouble() int { return 3*(c.Failed+c.Missed) + c.Partly }

// DueCounts counts what a schedule has asked for, up to the moment of the report.
type DueCounts struct {
	Due  int // came due
	Done int // of those: ended well
	Open int // of those: not ended yet
}

// RunCounts counts runs by how they ended.
type RunCounts struct{ Done, Failed, Cancelled, Open int }

// All gives how many runs there were.
func (c RunCounts) All() int { return c.Done + c.Failed + c.Cancelled + c.Open }

// ReportInput is what a Report is made of. Nothing in it needs an order.
type ReportInput struct {
	From, To     time.Time // see Report
	Location     *time.Location
	Made         time.Time
	Sources      []Source
	Runs         []Run
	Archives     []Archive
	Occurrences  []Occurrence
	Devices      []DeviceState
	Custodies    []CustodyState
	Attestations []Attestation
	Warnings     []Warning
}

// NewReport makes a report.
func NewReport(in ReportInput) Report {
	if in.Location == nil {
		in.Location = time.UTC
	}
	r := Report{From: in.From, To: in.To, Location: in.Location, Made: in.Made, Devices: slices.Clone(in.Devices), Custodies: slices.Clone(in.Custodies)}
	r.sources(in)
	r.attested(in)
	r.warned(in)
	return r
}

// within reports whether a moment is in the stretch.
func (r Report) within(t time.Time) bool { return !t.Before(r.From) && t.Before(r.To) }

// DayCount gives how many days the stretch has.
func (r Report) DayCount() int { return len(r.starts()) }

// Day gives the beginning of a day of the stretch, from 0.
func (r Report) Day(n int) time.Time {
	f := r.From.In(r.Location)
	return DayStart(f.Year(), f.Month(), f.Day()+n, r.Location)
}

// DayStart gives the first moment of a day. Where clocks go forward at midnight there
// is no midnight, and west of Greenwich time.Date gives 23:00 of the day before: it
// promises to be right in one of the two zones alone.
func DayStart(year int, month time.Month, day int, loc *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	if t.Day() != time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() {
		if _, change := t.ZoneBounds(); !change.IsZero() {
			return change
		}
	}
	return t
}

// starts gives the beginnings of all days. A day may have 23 or 25 hours, and one
// may begin at 1:00, so they are not counted in hours.
func (r Report) starts() []time.Time {
	var days []time.Time
	for n := 0; r.Day(n).Before(r.To) && n < maxReportDays; n++ {
		days = append(days, r.Day(n))
	}
	return days
}

// maxReportDays is the longest stretch of a report.
const maxReportDays = 400

// sources makes the part about sources.
func (r *Report) sources(in ReportInput) {
	by := map[string]*daybook{}
	starts := r.starts()
	at := func(name string) *daybook {
		if by[name] == nil {
			by[name] = &daybook{SourceReport: SourceReport{Name: name, Kind: kindOf(name)}, report: r, days: make([]day, len(starts)), starts: starts}
		}
		return by[name]
	}
	for _, s := range in.Sources {
		b := at(s.Name)
		b.Kind, b.Listed, b.Scheduled = s.Kind, true, s.Schedule != ""
	}
	accepted, ended := map[string]bool{}, map[int64]bool{}
	for _, a := range in.Archives {
		accepted[a.Ref()] = a.Accepted != ""
	}
	for _, run := range in.Runs {
		ended[run.ID] = run.State == RunDone
	}
	due := map[string]time.Time{}
	for _, o := range in.Occurrences {
		due[o.ID] = o.At
		if name := backedUp(o); name != "" && r.within(o.At) && !o.At.After(r.Made) {
			at(name).due(o, ended[o.Run])
		}
	}
	known := map[int64]bool{}
	for _, run := range slices.SortedStableFunc(slices.Values(in.Runs), func(a, b Run) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) }) {
		when, asked := due[run.Due]
		if !asked {
			when = run.Created
		}
		if !r.within(when) {
			continue
		}
		r.Runs.add(run.State)
		if run.Kind == RunBackup {
			known[run.ID] = true
			at(run.Source).ran(run, when, accepted[run.Result.Archive])
		}
	}
	for _, a := range slices.SortedStableFunc(slices.Values(in.Archives), func(a, b Archive) int { return a.Started.Compare(b.Started) }) {
		if _, listed := by[a.Source]; listed || r.within(a.Started) {
			at(a.Source).archived(a, known[a.Run])
		}
	}
	for _, b := range by {
		r.Sources = append(r.Sources, b.close())
	}
	slices.SortFunc(r.Sources, func(a, b SourceReport) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range r.Sources {
		r.Days = r.Days.plus(s.Days)
		r.Due = DueCounts{r.Due.Due + s.Due.Due, r.Due.Done + s.Due.Done, r.Due.Open + s.Due.Open}
	}
}

// backedUp gives the source that an occurrence backs up, or "".
func backedUp(o Occurrence) string {
	words := strings.Fields(strings.TrimPrefix(o.Command, "/"))
	if o.Kind != RuleCommand || len(words) < 3 || words[0] != "backup" || words[1] != "start" || !ValidName(words[2]) {
		return ""
	}
	return words[2]
}

// kindOf gives what a source that is not listed is taken to be.
func kindOf(name string) SourceKind {
	if name == DossierSource {
		return KindDossier
	}
	return KindFiles
}

func (c *RunCounts) add(s RunState) {
	switch s {
	case RunDone:
		c.Done++
	case RunCancelled:
		c.Cancelled++
	case RunFailed, RunAttention:
		c.Failed++
	default:
		c.Open++
	}
}

func (c DayCounts) plus(d DayCounts) DayCounts {
	return DayCounts{c.Good + d.Good, c.Partly + d.Partly, c.Failed + d.Failed, c.Missed + d.Missed, c.Open + d.Open}
}

// attested makes the part about what people said.
func (r *Report) attested(in ReportInput) {
	all := slices.Clone(in.Attestations)
	slices.SortStableFunc(all, func(a, b Attestation) int { return b.Said.Compare(a.Said) })
	for _, a := range all {
		drill := SubjectKind(a.Subject) == "drill"
		if drill && r.LastDrill == nil && a.State != AttestedStopped {
			r.LastDrill = &a
		}
		if !r.within(a.Said) {
			continue
		}
		r.Attestations++
		if drill {
			r.Drills = append(r.Drills, a)
		}
		if SubjectKind(a.Subject) == "checklist" && a.State != AttestedStopped {
			r.Checklists++
		}
	}
}

// warned makes the part about warnings.
func (r *Report) warned(in ReportInput) {
	for _, w := range in.Warnings {
		if r.within(w.First) {
			r.Raised++
		}
		switch since, over := w.Over(); {
		case !over: // what is over and still watched is not open, in `/keepwatch warnings` neither
			r.Warnings = append(r.Warnings, w)
		case r.within(since):
			r.Resolved++
		}
	}
	slices.SortStableFunc(r.Warnings, func(a, b Warning) int {
		return cmp.Or(-cmp.Compare(a.Fact.Tone, b.Fact.Tone), soonest(a.Fact.Until, b.Fact.Until), a.First.Compare(b.First), strings.Compare(a.ID, b.ID))
	})
}

// soonest puts what holds already, and what comes true first, first.
func soonest(a, b time.Time) int { return a.Compare(b) }

// Title names the stretch: "November 2026", or its first and last day.
func (r Report) Title() string {
	from := r.From.In(r.Location)
	if from.Day() == 1 && r.To.Equal(DayStart(from.Year(), from.Month()+1, 1, r.Location)) {
		return from.Format("January 2006")
	}
	return from.Format("2 January 2006") + " to " + r.To.In(r.Location).AddDate(0, 0, -1).Format("2 January 2006")
}

// ShortAge says how long ago something was in one word and its unit: "40 min ago",
// "3 h ago", "12 d ago".
func ShortAge(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d d ago", int(d.Hours()/24))
}
