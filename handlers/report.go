package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

func (r *Router) reportCommands() []Command {
	return []Command{{
		Group: "keepwatch", Name: "report", Role: keepwatch.RoleViewer, run: r.report, Public: true,
		Summary:  "Show a month: what was backed up each day, what is open, and who owes what",
		Options:  []Option{{Name: "month", Type: TypeText, Summary: "such as 2026-11; without it this month, or in its first three days the last one"}},
		Examples: []string{"keepwatch report", "keepwatch report 2026-11"},
	}}
}

// newMonth is how many days of a month have to be there for it to be reported on
// unasked.
const newMonth = 3

// report posts a month, as text and as a picture.
func (r *Router) report(_ context.Context, c *call) (keepwatch.Message, error) {
	now := r.cfg.Now().In(r.cfg.Location)
	from, err := r.month(c.args.one("month"), now)
	if err != nil {
		return keepwatch.Message{}, err
	}
	next := r.monthStart(from, 1)
	in := keepwatch.ReportInput{From: from, To: next, Location: r.cfg.Location, Made: now}
	if err := r.gather(&in); err != nil {
		return keepwatch.Message{}, err
	}
	report := keepwatch.NewReport(in)
	msg := ReportMessage(report)
	if words, _ := Split(c.req.Text); !slices.Contains(words, "--page") {
		r.illustrate(&msg, report)
	}
	month := func(t time.Time) {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: t.Format("January 2006"), Command: "keepwatch report " + t.Format("2006-01")})
	}
	month(r.monthStart(from, -1))
	if !next.After(now) {
		month(next)
	}
	return msg, nil
}

// month reads which one is meant, and gives its first moment.
func (r *Router) month(text string, now time.Time) (time.Time, error) {
	if text == "" {
		if now.Day() <= newMonth {
			return r.monthStart(now, -1), nil
		}
		return r.monthStart(now, 0), nil
	}
	t, err := time.Parse("2006-01", text)
	first := r.monthStart(t, 0)
	switch {
	case err != nil:
		return t, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no month. Write it as a year and a month: %s.", text, now.Format("2006-01"))
	case first.After(now):
		return t, keepwatch.Errorf(keepwatch.KindInvalid, "%s has not begun yet. The newest month is %s.", t.Format("January 2006"), now.Format("2006-01"))
	}
	return first, nil
}

// monthStart gives the first moment of the month of a date, or of one that is so many
// later.
func (r *Router) monthStart(t time.Time, later int) time.Time {
	return keepwatch.DayStart(t.Year(), t.Month()+time.Month(later), 1, r.cfg.Location)
}

const (
	// mostRuns and mostDue are how much of the history a report reads at the most.
	mostRuns = 100_000
	mostDue  = 100_000
	// drillLookback is how far back the last drill is looked for.
	drillLookback = 400 * 24 * time.Hour
	// queued is how long before a month a run may have been asked for that is of it.
	// A run is as old as its asking, so that this is a margin for clocks, and for what
	// was due in the last minutes of the month before and is of that one.
	queued = 24 * time.Hour
)

// gather reads what a report is made of. Parts that are not there are left out.
func (r *Router) gather(in *keepwatch.ReportInput) (err error) {
	if in.Sources, err = r.cfg.Sources.Sources(); err != nil {
		return err
	}
	if in.Archives, err = r.cfg.History.Archives(""); err != nil {
		return err
	}
	if in.Runs, err = r.runsSince(in.From.Add(-queued)); err != nil {
		return err
	}
	d := r.cfg.Duties
	if d.Record != nil {
		if in.Occurrences, err = d.Record.OccurrencesSince(in.From.Add(-queued), mostDue); err != nil {
			return err
		}
		if in.Attestations, err = d.Record.AttestationsSince(in.From.Add(-drillLookback)); err != nil {
			return err
		}
		if in.Warnings, err = d.Record.WarningsSince(in.From); err != nil {
			return err
		}
		if err = r.oldDrills(in); err != nil {
			return err
		}
	}
	if d.Authenticator != nil {
		if in.Devices, err = d.Authenticator.Devices(); err != nil {
			return err
		}
		if in.Custodies, err = d.Authenticator.Custodies(); err != nil {
			return err
		}
	}
	if d.Warnings == nil {
		return nil
	}
	open, err := d.Warnings.Warnings()
	for _, w := range open {
		if !slices.ContainsFunc(in.Warnings, func(known keepwatch.Warning) bool { return known.ID == w.ID }) {
			in.Warnings = append(in.Warnings, w)
		}
	}
	return err
}

// oldDrills adds the last drill of each person, where it is longer ago than what was
// read.
func (r *Router) oldDrills(in *keepwatch.ReportInput) error {
	if r.cfg.Duties.Attestations == nil {
		return nil
	}
	const looked = 20 // stopped ones are none
	for _, p := range r.cfg.People {
		found, err := r.cfg.Duties.Attestations.Attestations(keepwatch.DrillSubject(p.Name), looked)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(found, func(a keepwatch.Attestation) bool { return a.State != keepwatch.AttestedStopped })
		if i >= 0 && found[i].Said.Before(in.From.Add(-drillLookback)) {
			in.Attestations = append(in.Attestations, found[i])
		}
	}
	return nil
}

// runsSince gives the runs that were asked for from a moment on.
func (r *Router) runsSince(t time.Time) ([]keepwatch.Run, error) {
	for limit := 1000; ; limit *= 4 {
		limit = min(limit, mostRuns)
		runs, err := r.cfg.History.RecentRuns("", limit)
		if err != nil || len(runs) < limit || limit == mostRuns || runs[len(runs)-1].Created.Before(t) {
			return slices.DeleteFunc(runs, func(run keepwatch.Run) bool { return run.Created.Before(t) }), err
		}
	}
}

// illustrate adds the picture, or says that there is none.
func (r *Router) illustrate(msg *keepwatch.Message, report keepwatch.Report) {
	lacking := "There is no picture: this Keepwatch draws none."
	if r.cfg.Duties.Chart != nil {
		data, err := r.cfg.Duties.Chart(report)
		if err == nil {
			msg.Files = []keepwatch.File{{Name: "report-" + report.From.In(report.Location).Format("2006-01") + ".png", Type: "image/png", Alt: reportAlt(report), Data: data}}
			return
		}
		r.cfg.Log.Error("the picture of a report could not be drawn", "err", err)
		lacking = "There is no picture: it could not be drawn. An admin finds the reason in the log."
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(lacking))
}

// reportAlt says what the picture shows, for those who do not see it.
func reportAlt(r keepwatch.Report) string {
	parts := []string{fmt.Sprintf("Backups in %s: %s.", r.Title(), dayWords(r.Days))}
	for _, s := range r.Sources {
		parts = append(parts, s.Name+": "+dayWords(s.Days)+".")
	}
	return strings.Join(parts, " ")
}
