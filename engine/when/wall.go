package when

import "time"

// look is how far around a moment changes of a zone are looked for: more than the
// distance of any zone from UTC (15 h 13 min, Alaska before 1867), and more than any
// clock was ever set back at once (a day, there too).
const look = 26 * time.Hour

// wallOf gives what the wall shows at a moment, as a time in UTC.
func wallOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf gives the first moment at which the wall shows a time, or one after it
// where that is skipped. The later a wall time the later the moment, or the same one
// within a gap.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	for at := wall.Add(-look); ; {
		local := at.In(zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		t := wall.Add(-time.Duration(offset) * time.Second)
		switch {
		case t.Before(at): // the change that begins this stretch went beyond it
			return at.UTC()
		case end.IsZero() || t.Before(end):
			return t
		}
		at = end
	}
}

// reached gives the latest that the wall has shown up to and at a moment: more than it
// shows then, where clocks were set back shortly before. instantOf a whole minute is
// after t exactly where the minute is after this.
func reached(t time.Time, zone *time.Location) time.Time {
	high := wallOf(t, zone)
	for at := t.Add(-look); ; {
		_, end := at.In(zone).ZoneBounds()
		if end.IsZero() || end.After(t) {
			return high
		}
		if w := wallOf(end.Add(-time.Second), zone); w.After(high) {
			high = w
		}
		at = end
	}
}
