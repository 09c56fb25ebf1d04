// Package chart draws a report as one picture, for a channel: per source a calendar of
// days and how large its backups were, and below that what people owe.
//
// It is a card of its own colour, so that it is the same on a light and on a dark
// screen; outside its round corners the picture is transparent. A phone shows it at a
// third of its size. Every figure in it stands in the text of the report too.
package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// Measures in pixels.
const (
	width   = 1080
	margin  = 44
	inner   = width - 2*margin
	corner  = 28
	rowTall = 112 // of a source: its name, and its days below
	nameFit = 520
	barsAt  = margin + 540
	barsFit = 200
	barTall = 38
)

// MostSources is how many sources have a row. Those of which something is wrong come
// first; the others are in the text.
const MostSources = 12

// page is a picture that is being made.
type page struct {
	canvas
	fonts  *fonts
	report keepwatch.Report
	placed []placed // texts, for tests
}

// placed is a text and the room that it takes.
type placed struct {
	at   image.Rectangle
	text string
}

func (p *page) note(at image.Rectangle, text string) { p.placed = append(p.placed, placed{at, text}) }

// Render draws a report as a PNG. The same report gives the same bytes.
func Render(r keepwatch.Report) ([]byte, error) {
	p, err := render(r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.DefaultCompression}).Encode(&b, p.straight()); err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	return b.Bytes(), nil
}

func render(r keepwatch.Report) (*page, error) {
	fonts, err := newFonts()
	if err != nil {
		return nil, err
	}
	shown, more := chosen(r.Sources)
	tall := headTall + max(len(shown), 1)*rowTall + footTall
	if more > 0 {
		tall += moreTall
	}
	p := &page{canvas: newCanvas(width, tall), fonts: fonts, report: r}
	p.rounded(0, 0, width, tall, corner, edge)
	p.rounded(2, 2, width-4, tall-4, corner-2, paper)
	p.head()
	y := headTall
	if len(shown) == 0 {
		p.text(width/2, y+rowTall/2, middle, regular, sizeText, faint, "There is nothing to back up yet.")
		y += rowTall
	}
	for _, s := range shown {
		p.source(y, s)
		y += rowTall
	}
	if more > 0 {
		p.text(margin, y+sizeText, left, regular, sizeText, faint, fmt.Sprintf("and %s: see the text", keepwatch.FormatCount(int64(more), "more source")))
		y += moreTall
	}
	p.foot(y)
	return p, nil
}

// chosen gives the sources that have a row, by name, and how many have none.
func chosen(all []keepwatch.SourceReport) (shown []keepwatch.SourceReport, more int) {
	if len(all) <= MostSources {
		return all, 0
	}
	shown = slices.Clone(all)
	slices.SortStableFunc(shown, func(a, b keepwatch.SourceReport) int { return b.Days.Trouble() - a.Days.Trouble() })
	shown = shown[:MostSources]
	slices.SortFunc(shown, func(a, b keepwatch.SourceReport) int { return strings.Compare(a.Name, b.Name) })
	return shown, len(all) - MostSources
}

const headTall = 328

// head is the title, what the marks mean with how many there are of each, and the
// dates above the calendars.
func (p *page) head() {
	r := p.report
	p.text(margin, 82, left, bold, sizeTitle, ink, "Backups in "+r.Title())
	p.text(margin, 130, left, regular, sizeSmall, faint, "As of "+r.Made.In(r.Location).Format("2 January 2006, 15:04")+", "+r.Location.String())
	d := r.Days
	x := margin
	for _, m := range []struct {
		o keepwatch.DayOutcome
		n int
		s string
	}{{keepwatch.DayGood, d.Good, "good"}, {keepwatch.DayPartly, d.Partly, "partly"}, {keepwatch.DayFailed, d.Failed, "failed"}, {keepwatch.DayMissed, d.Missed, "missed"}} {
		p.mark(x, 158, 32, m.o)
		p.text(x+44, 185, left, bold, sizeText, ink, keepwatch.FormatCount(int64(m.n), "")+" "+m.s)
		x += inner / 4
	}
	x = margin
	for _, m := range []struct {
		o keepwatch.DayOutcome
		s string
	}{{keepwatch.DayOpen, "under way"}, {keepwatch.DayNone, "nothing due"}, {keepwatch.DayAhead, "to come"}} {
		p.mark(x, 212, 28, m.o)
		p.text(x+44, 236, left, regular, sizeSmall, faint, m.s)
		x += inner / 4
	}
	p.text(x, 236, left, regular, sizeSmall, faint, "days, all sources")
	p.rect(margin, 258, inner, 2, line)
	for n := 0; n < r.DayCount(); n++ {
		if day := r.Day(n); day.Day()%7 == 1 {
			p.text(p.dayAt(n), 300, left, regular, sizeSmall, faint, day.Format("2 Jan"))
		}
	}
}

// pitch is how far days are apart.
func (p *page) pitch() int { return min(32, inner/max(p.report.DayCount(), 1)) }

func (p *page) dayAt(n int) int { return margin + n*p.pitch() }

// source is one row: the name, how large backups were, how large and how old the
// newest one is, and below that the days.
func (p *page) source(y int, s keepwatch.SourceReport) {
	base := y + 40
	p.text(margin, base, left, bold, sizeName, ink, p.fonts.fit(bold, sizeName, nameFit, s.Name))
	p.sizes(barsAt, base+4, s)
	switch {
	case s.Archives == 0 && s.Days == (keepwatch.DayCounts{}):
		p.text(width-margin, base, right, regular, sizeSmall, faint, "no archive yet")
	case s.Newest.IsZero():
		p.text(width-margin, base, right, bold, sizeSmall, failed, "not verified")
	case len(s.Sizes) > 0:
		p.text(width-margin, base, right, regular, sizeSmall, ink, keepwatch.FormatBytes(s.Sizes[len(s.Sizes)-1].Bytes)+", "+p.age(s.Newest))
	default:
		p.text(width-margin, base, right, regular, sizeSmall, ink, p.age(s.Newest))
	}
	size := max(p.pitch()-5, 3)
	for n, o := range s.Calendar {
		p.mark(p.dayAt(n), y+58, size, o)
	}
}

// age says how long ago something was, shortly.
func (p *page) age(t time.Time) string { return keepwatch.ShortAge(p.report.Made.Sub(t)) }

// sizes draws how large the backup of each day was, against the largest.
func (p *page) sizes(x, y int, s keepwatch.SourceReport) {
	most := int64(1)
	for _, point := range s.Sizes {
		most = max(most, point.Bytes)
	}
	step := max(barsFit/max(p.report.DayCount(), 1), 2)
	for i, point := range s.Sizes {
		n := 0
		for n+1 < p.report.DayCount() && !point.At.Before(p.report.Day(n+1)) {
			n++
		}
		colour := bars
		if i == len(s.Sizes)-1 {
			colour = newest
		}
		tall := max(int(int64(barTall)*point.Bytes/most), 3)
		p.rect(x+n*step, y-barTall, step-1, barTall, paper) // what was drawn of an earlier one of the day
		p.rect(x+n*step, y-tall, step-1, tall, colour)
	}
	p.rect(x, y+1, step*p.report.DayCount(), 2, line)
}

const (
	moreTall = 50
	footTall = 240
)

// foot is what people owe.
func (p *page) foot(y int) {
	r := p.report
	p.rect(margin, y+6, inner, 2, line)
	fresh := 0
	for _, d := range r.Devices {
		if d.Standing.InTime() {
			fresh++
		}
	}
	drill := "none yet"
	if d := r.LastDrill; d != nil {
		drill = d.Said.In(r.Location).Format("2 Jan 2006")
	}
	for i, v := range []struct {
		value, label string
		bad          bool
	}{
		{of(r.Due.Done, r.Due.Due), "scheduled backups done", r.Due.Done+r.Due.Open < r.Due.Due},
		{strconv.Itoa(len(r.Warnings)), plural(len(r.Warnings), "open warning"), len(r.Warnings) > 0},
		{of(fresh, len(r.Devices)), "devices in order", fresh < len(r.Devices)},
		{drill, "last lock-out drill", false},
	} {
		x, at := margin+(i%2)*inner/2, y+62+(i/2)*100
		colour := ink
		if v.bad {
			colour = failed
		}
		p.text(x, at, left, bold, sizeValue, colour, v.value)
		p.text(x, at+38, left, regular, sizeSmall, faint, v.label)
	}
}

func of(n, all int) string {
	return keepwatch.FormatCount(int64(n), "") + " of " + keepwatch.FormatCount(int64(all), "")
}

func plural(n int, noun string) string {
	_, word, _ := strings.Cut(keepwatch.FormatCount(int64(n), noun), " ")
	return word
}
