package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// ReportMessage writes a report as text. All that its picture shows stands in it.
func ReportMessage(r keepwatch.Report) keepwatch.Message {
	title, tone := reportTitle(r)
	msg := keepwatch.Message{Title: "Backups in " + r.Title() + ": " + title, Tone: tone}
	sum := "As of " + r.Made.In(r.Location).Format("2 January 2006, 15:04") + ", " + r.Location.String() + "."
	if len(r.Sources) > 0 {
		sum += " Days of all sources: " + dayWords(r.Days) + "."
	}
	sum += fmt.Sprintf("\nScheduled: %s of %s done", keepwatch.FormatCount(int64(r.Due.Done), ""), keepwatch.FormatCount(int64(r.Due.Due), "backup"))
	if r.Due.Open > 0 {
		sum += fmt.Sprintf(", %s under way", keepwatch.FormatCount(int64(r.Due.Open), ""))
	}
	sum += ". Runs of all kinds: " + runWords(r.Runs) + "."
	msg.Blocks = append(msg.Blocks, keepwatch.Text(sum))
	if len(r.Sources) > 0 {
		table := keepwatch.Table{Head: []string{"Source", "Days", "Scheduled", "Newest verified", "Size", "In the vault"}}
		// On a phone, and on a page of a list, what is below is not seen.
		for _, s := range slices.SortedStableFunc(slices.Values(r.Sources), func(a, b keepwatch.SourceReport) int { return b.Days.Trouble() - a.Days.Trouble() }) {
			table.Rows = append(table.Rows, sourceRow(r, s))
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	}
	msg.Blocks = append(msg.Blocks, owed(r)...)
	msg.Blocks = append(msg.Blocks, warned(r)...)
	return msg
}

// reportTitle says in a few words how it went.
func reportTitle(r keepwatch.Report) (string, keepwatch.Tone) {
	var parts []string
	for _, c := range []struct {
		n    int
		word string
	}{{r.Days.Failed, "failed"}, {r.Days.Missed, "missed"}, {r.Days.Partly, "partly"}} {
		if c.n > 0 {
			parts = append(parts, keepwatch.FormatCount(int64(c.n), "day")+" "+c.word)
		}
	}
	tone := keepwatch.ToneWarn
	switch {
	case len(r.Sources) == 0:
		parts, tone = []string{"there is nothing to back up yet"}, keepwatch.ToneInfo
	case len(parts) > 0:
	case r.Days.Good > 0:
		parts, tone = []string{"all went well"}, keepwatch.ToneGood
	default:
		parts, tone = []string{"nothing was backed up"}, keepwatch.ToneInfo
	}
	if n := len(r.Warnings); n > 0 {
		parts, tone = append(parts, keepwatch.FormatCount(int64(n), "open warning")), max(tone, keepwatch.ToneWarn)
	}
	return strings.Join(parts, ", "), tone
}

// dayWords counts days: "24 good, 1 partly, 1 missed".
func dayWords(d keepwatch.DayCounts) string {
	parts := []string{keepwatch.FormatCount(int64(d.Good), "") + " good"}
	for _, c := range []struct {
		n    int
		word string
	}{{d.Partly, "partly"}, {d.Failed, "failed"}, {d.Missed, "missed"}, {d.Open, "under way"}} {
		if c.n > 0 {
			parts = append(parts, keepwatch.FormatCount(int64(c.n), "")+" "+c.word)
		}
	}
	return strings.Join(parts, ", ")
}

func runWords(c keepwatch.RunCounts) string {
	text := keepwatch.FormatCount(int64(c.All()), "")
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Done, "done"}, {c.Failed, "failed"}, {c.Cancelled, "cancelled"}, {c.Open, "not over"}} {
		if p.n > 0 {
			parts = append(parts, keepwatch.FormatCount(int64(p.n), "")+" "+p.word)
		}
	}
	if len(parts) == 0 {
		return text
	}
	return text + " (" + strings.Join(parts, ", ") + ")"
}

// sourceRow is the line of one source.
func sourceRow(r keepwatch.Report, s keepwatch.SourceReport) []string {
	name, scheduled, newest, size := s.Name, "–", "none", "–"
	if !s.Listed && s.Kind != keepwatch.KindDossier {
		name += " (no longer listed)"
	}
	if s.Due.Due > 0 {
		scheduled = fmt.Sprintf("%d of %d", s.Due.Done, s.Due.Due)
	}
	if !s.Newest.IsZero() {
		newest = s.Newest.In(r.Location).Format("2 Jan 2006 15:04") + ", " + keepwatch.ShortAge(r.Made.Sub(s.Newest))
	}
	if n := len(s.Sizes); n > 0 {
		size = keepwatch.FormatBytes(s.Sizes[n-1].Bytes)
		if by := s.Sizes[n-1].Bytes - s.Sizes[0].Bytes; by > 0 {
			size += " (+" + keepwatch.FormatBytes(by) + ")"
		} else if by < 0 {
			size += " (−" + keepwatch.FormatBytes(-by) + ")"
		}
	}
	vault := keepwatch.FormatCount(int64(s.Archives), "archive")
	if s.Archives > 0 {
		vault += ", " + keepwatch.FormatBytes(s.Bytes)
	}
	return []string{name, calendarWords(r, s), scheduled, newest, size, vault}
}

// calendarWords says what each day was: the good ones counted, of the others the
// dates.
func calendarWords(r keepwatch.Report, s keepwatch.SourceReport) string {
	parts := []string{keepwatch.FormatCount(int64(s.Days.Good), "") + " good"}
	for _, o := range []keepwatch.DayOutcome{keepwatch.DayPartly, keepwatch.DayFailed, keepwatch.DayMissed, keepwatch.DayOpen} {
		if dates := datesOf(r, s.Calendar, o); dates != "" {
			parts = append(parts, o.String()+" "+dates)
		}
	}
	if len(parts) == 1 && s.Days.Good == 0 {
		if s.Scheduled {
			return "none due"
		}
		return "nothing done"
	}
	return strings.Join(parts, "; ")
}

// datesOf gives the dates of the days of one outcome: "3, 11–12 Nov".
func datesOf(r keepwatch.Report, days []keepwatch.DayOutcome, want keepwatch.DayOutcome) string {
	var parts []string
	for n := 0; n < len(days); n++ {
		if days[n] != want {
			continue
		}
		end := n
		for end+1 < len(days) && days[end+1] == want && r.Day(end+1).Month() == r.Day(n).Month() {
			end++
		}
		text := r.Day(n).Format("2")
		if end > n {
			text += "–" + r.Day(end).Format("2")
		}
		parts = append(parts, text+" "+r.Day(n).Format("Jan"))
		n = end
	}
	for i := 0; i+1 < len(parts); i++ { // the month once, behind the last of its dates
		if month := parts[i][len(parts[i])-3:]; strings.HasSuffix(parts[i+1], month) {
			parts[i] = strings.TrimSuffix(parts[i], " "+month)
		}
	}
	return strings.Join(parts, ", ")
}

// owed says how the devices stand, whether somebody knows where things are recorded,
// and when the drill was.
func owed(r keepwatch.Report) []keepwatch.Block {
	fresh := 0
	table := keepwatch.Table{Head: []string{"Person", "Device", "Stands", "Backup seen of"}}
	for _, d := range r.Devices {
		if d.Standing.InTime() {
			fresh++
		}
		if len(table.Rows) < pageRows {
			table.Rows = append(table.Rows, []string{d.Person, d.Device.Name, string(d.Standing), dateOr(d.Seen, time.UTC, "never")})
		}
	}
	blocks := []keepwatch.Block{keepwatch.Text(fmt.Sprintf("Devices with Microsoft Authenticator: %d of %d in order.", fresh, len(r.Devices)))}
	if len(r.Devices) > 0 {
		blocks = append(blocks, keepwatch.Block{Table: &table})
		blocks = append(blocks, further(len(r.Devices), "device", "/authenticator status")...)
	}
	var fields []keepwatch.Field
	for _, c := range r.Custodies {
		said := "nobody has said where it is recorded" // and not what it opens either
		if a := c.Last; a != nil {                     // never where: the channel need not know
			said = fmt.Sprintf("%s, said by %s on %s", a.State, a.By, dateOr(a.Said, r.Location, ""))
		}
		fields = append(fields, keepwatch.Field{Name: c.Custody.Name, Value: said})
	}
	drill := "none yet"
	if d := r.LastDrill; d != nil {
		drill = fmt.Sprintf("%s, %s, %s", dateOr(d.Said, r.Location, ""), d.Person, d.State)
	}
	fields = append(fields, keepwatch.Field{Name: "Last lock-out drill", Value: drill})
	fields = append(fields, keepwatch.Field{Name: "Attested in " + r.Title(), Value: fmt.Sprintf("%s, of those %s and %s",
		keepwatch.FormatCount(int64(r.Attestations), "time"), keepwatch.FormatCount(int64(r.Checklists), "checklist"), keepwatch.FormatCount(int64(len(r.Drills)), "drill"))})
	return append(blocks, keepwatch.Block{Fields: fields})
}

// warned lists the warnings that are open.
func warned(r keepwatch.Report) []keepwatch.Block {
	text := fmt.Sprintf("%s; %s began and %s ended in %s.", keepwatch.FormatCount(int64(len(r.Warnings)), "open warning"),
		keepwatch.FormatCount(int64(r.Raised), ""), keepwatch.FormatCount(int64(r.Resolved), ""), r.Title())
	if len(r.Warnings) == 0 {
		return []keepwatch.Block{keepwatch.Text(text)}
	}
	table := keepwatch.Table{Head: []string{"Warning", "What", "Since", "Comes true"}}
	for _, w := range r.Warnings[:min(len(r.Warnings), pageRows)] {
		table.Rows = append(table.Rows, []string{w.ID, w.Fact.Title, dateOr(w.First, r.Location, ""), dateOr(w.Fact.Until, r.Location, "now")})
	}
	blocks := []keepwatch.Block{keepwatch.Text(text), {Table: &table}}
	return append(blocks, further(len(r.Warnings), "open warning", "/keepwatch warnings")...)
}

// further says what a table beside the first one leaves out.
func further(n int, noun, command string) []keepwatch.Block {
	if n <= pageRows {
		return nil
	}
	return []keepwatch.Block{keepwatch.Text(fmt.Sprintf("and %s: %s", keepwatch.FormatCount(int64(n-pageRows), "more "+noun), command))}
}

func dateOr(t time.Time, loc *time.Location, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return t.In(loc).Format("2 Jan 2006")
}
