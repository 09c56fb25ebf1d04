package keepwatch

import (
	"slices"
	"time"
)

// DayOutcome is what a day was for a source.
type DayOutcome uint8

// The outcomes of a day. Runs decide, and not archives: that an archive was pruned
// later changes nothing about the day on which it was made.
const (
	DayNothing DayOutcome = iota // nothing was done, and there is no schedule
	DayNone                      // nothing was due, and nothing was done
	DayGood                      // backed up, verified by opening it, nothing left out
	DayPartly                    // backed up with gaps, in part, unlike its history, or not opened to be verified; or a later try of the same day failed
	DayFailed                    // what was tried failed, or was cancelled
	DayMissed                    // it was due, and nothing was done
	DayOpen                      // it is due, or under way
	DayAhead                     // it has not begun yet
)

func (d DayOutcome) String() string {
	return [...]string{"nothing", "none due", "good", "partly", "failed", "missed", "under way", "to come"}[d&7]
}

// day is what is known of one day.
type day struct {
	good, partly, failed, after bool // after: something failed after it was good
	missed, open                bool
}

// daybook collects what is known of a source.
type daybook struct {
	SourceReport
	report *Report
	starts []time.Time
	days   []day
}

// of gives the day of a moment; nil where it is not in the stretch.
func (b *daybook) of(t time.Time) *day {
	n, found := slices.BinarySearchFunc(b.starts, t, time.Time.Compare)
	if !found {
		n--
	}
	if n < 0 || !b.report.within(t) {
		return nil
	}
	return &b.days[n]
}

// due takes in that a backup was due. done: its run has ended well since, whatever
// the occurrence says.
func (b *daybook) due(o Occurrence, done bool) {
	b.Scheduled = true
	if o.State == OccurrenceSkipped {
		return // somebody said that it is not wanted
	}
	b.Due.Due++
	d := b.of(o.At) // which is in the stretch
	switch {
	case done || o.State == OccurrenceDone || o.State == OccurrenceAcknowledged:
		b.Due.Done++
	case o.State == OccurrenceMissed || o.State == OccurrencePassed:
		d.missed = true
	case o.State == OccurrenceFailed:
		d.failed = true
	default:
		b.Due.Open++
		d.open = true
	}
}

// ran takes in a run of a backup. They come in the order of time. accepted: somebody
// has said that what is unlike its history is right.
func (b *daybook) ran(run Run, when time.Time, accepted bool) {
	b.Runs.add(run.State)
	d := b.of(when)
	switch {
	case run.State == RunDone && run.whole(accepted):
		d.good, d.after = true, false
	case run.State == RunDone:
		d.partly = true
	case run.State == RunFailed || run.State == RunCancelled || run.State == RunAttention:
		d.failed, d.after = true, d.good
	default:
		d.open = true
	}
	if n := sealedBytes(run.Result.Sealed); run.State == RunDone && n > 0 {
		b.Sizes = append(b.Sizes, SizePoint{At: when, Bytes: n})
	}
}

// whole reports whether a run that is done has left nothing to wish for.
func (r Run) whole(accepted bool) bool {
	v := r.Result.Verification
	return v != nil && v.OK() && v.Level == LevelOpened && len(r.Result.Gaps) == 0 && (len(r.Result.Findings) == 0 || accepted) && len(r.Ask.Parts) == 0 && r.Ask.Held == "" // which is of another day
}

// archived takes in an archive. Where the run that made it is not known, because it
// was found in the vault, the archive says what the day was.
func (b *daybook) archived(a Archive, known bool) {
	b.Archives++
	b.Bytes += a.SealedBytes
	if a.IsVerified() && a.AsOf().After(b.Newest) {
		b.Newest, b.Ref = a.AsOf(), a.Ref()
	}
	d := b.of(a.Started)
	if known || d == nil {
		return
	}
	v, _ := a.LastVerification()
	switch {
	case a.IsVerified() && v.Level == LevelOpened && len(a.Gaps) == 0 && (len(a.Findings) == 0 || a.Accepted != ""):
		d.good = true
	default:
		d.partly = true
	}
	b.Sizes = append(b.Sizes, SizePoint{At: a.Started, Bytes: a.SealedBytes})
}

func sealedBytes(files []SealedFile) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}

// close works out the days.
func (b *daybook) close() SourceReport {
	slices.SortStableFunc(b.Sizes, func(x, y SizePoint) int { return x.At.Compare(y.At) })
	for n, d := range b.days {
		o := d.outcome(b.Scheduled)
		if b.starts[n].After(b.report.Made) {
			o = DayAhead
		}
		switch o {
		case DayGood:
			b.Days.Good++
		case DayPartly:
			b.Days.Partly++
		case DayFailed:
			b.Days.Failed++
		case DayMissed:
			b.Days.Missed++
		case DayOpen:
			b.Days.Open++
		}
		b.Calendar = append(b.Calendar, o)
	}
	return b.SourceReport
}

// outcome gives what a day was, from all that happened on it.
func (d day) outcome(scheduled bool) DayOutcome {
	switch {
	case d.good && !d.after:
		return DayGood
	case d.good || d.partly:
		return DayPartly
	case d.open:
		return DayOpen
	case d.failed:
		return DayFailed
	case d.missed:
		return DayMissed
	case scheduled:
		return DayNone
	}
	return DayNothing
}
