package pim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Years within which zones that are made from rules have changes of the clocks.
const (
	firstZoneYear = 1900
	lastZoneYear  = 2199
)

// A transition is a change of the clocks: from a moment on, local time is UTC and
// an offset in seconds.
type transition struct {
	At     int64 // seconds since 1970
	Offset int
	DST    bool
}

// newLocation makes a zone of transitions. Before the first of them, before holds. It
// is handed to package time in the form in which zones lie in files (RFC 8536).
func newLocation(name string, before int, changes []transition) (*time.Location, error) {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b transition) int { return int(min(max(a.At-b.At, -1), 1)) })
	types := []transition{{Offset: before}}
	var index []byte
	for _, c := range changes {
		kind := transition{Offset: c.Offset, DST: c.DST}
		i := slices.Index(types, kind)
		if i < 0 {
			i = len(types)
			types = append(types, kind)
		}
		if i > 255 || c.Offset < -26*3600 || c.Offset > 26*3600 {
			return nil, fmt.Errorf("the zone %q has too many or too wide offsets", shorten(name))
		}
		index = append(index, byte(i))
	}
	var b bytes.Buffer
	header := func(times, types, letters int) {
		b.WriteString("TZif2")
		b.Write(make([]byte, 15))
		for _, n := range []int{0, 0, 0, times, types, letters} {
			binary.Write(&b, binary.BigEndian, uint32(n))
		}
	}
	header(0, 1, 1) // of readers that know only 32 bits: nothing
	b.Write([]byte{0, 0, 0, 0, 0, 0, 0})
	letters, at := abbreviations(types)
	header(len(changes), len(types), len(letters))
	for _, c := range changes {
		binary.Write(&b, binary.BigEndian, c.At)
	}
	b.Write(index)
	for i, t := range types {
		dst := byte(0)
		if t.DST {
			dst = 1
		}
		binary.Write(&b, binary.BigEndian, int32(t.Offset))
		b.Write([]byte{dst, at[i]})
	}
	b.WriteString(letters + "\n\n")
	return time.LoadLocationFromTZData(name, b.Bytes())
}

// abbreviations names the types of a zone by their offsets, such as +0530.
func abbreviations(types []transition) (string, []byte) {
	var letters string
	var at []byte
	for _, t := range types {
		s := formatOffset(t.Offset) + "\x00"
		if len(letters)+len(s) > 250 {
			at = append(at, 0)
			continue
		}
		at = append(at, byte(len(letters)))
		letters += s
	}
	return letters, at
}

// formatOffset is a UTC-OFFSET, RFC 5545 3.3.14.
func formatOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	s := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		s += fmt.Sprintf("%02d", seconds%60)
	}
	return s
}

// offsetAt is the offset of a zone at a moment, in seconds.
func offsetAt(t time.Time, loc *time.Location) int {
	_, offset := t.In(loc).Zone()
	return offset
}

// local carries the clock of a moment in its zone as UTC.
func local(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// in is the reverse of local: the moment at which the clocks of a zone show t. A
// time that a change of the clocks leaves out is counted with the offset before it,
// one that comes twice is the first (RFC 5545 3.3.5).
func in(t time.Time, loc *time.Location) time.Time {
	a := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	early := a.Add(-time.Duration(offsetAt(a.Add(-26*time.Hour), loc)) * time.Second)
	if local(early.In(loc)).Equal(a) {
		return early.In(loc)
	}
	for _, probe := range []time.Duration{-3 * time.Hour, 0, 26 * time.Hour} {
		u := a.Add(-time.Duration(offsetAt(early.Add(probe), loc)) * time.Second)
		if local(u.In(loc)).Equal(a) {
			return u.In(loc)
		}
	}
	return early.In(loc)
}

// sameOffsets tells whether two zones agree at the beginning of each week of some
// years.
func sameOffsets(a, b *time.Location, from, to int) bool {
	for t := time.Date(from, 1, 1, 12, 0, 0, 0, time.UTC); t.Year() <= to; t = t.AddDate(0, 0, 7) {
		if offsetAt(t, a) != offsetAt(t, b) {
			return false
		}
	}
	return true
}

// changesOf gives the changes of the clocks of a zone in one year, by the clock
// before them.
func changesOf(loc *time.Location, year int) []transition {
	from := time.Date(year-1, 12, 30, 0, 0, 0, 0, time.UTC)
	end := time.Date(year+1, 1, 3, 0, 0, 0, 0, time.UTC)
	var all []transition
	for t := from.In(loc); len(all) < 20; {
		_, next := t.ZoneBounds()
		if !next.IsZero() && !next.After(t) { // go1.26: on 31 December of leap years behind a zone's table
			next = t.Add(24 * time.Hour)
		}
		if next.IsZero() || !next.Before(end) {
			break
		}
		before, after := offsetAt(next.Add(-time.Second), loc), offsetAt(next, loc)
		if before != after && next.Add(time.Duration(before)*time.Second).UTC().Year() == year {
			all = append(all, transition{At: next.Unix(), Offset: after})
		}
		t = next
	}
	return all
}
