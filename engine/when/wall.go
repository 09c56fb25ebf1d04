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

// stretch gives how far a zone is ahead of UTC at a moment, and until when, at least;
// the zero time where that stays so.
//
// On the last day of a leap year, Time.ZoneBounds of Go 1.26 gives an end that lies
// before the moment itself (golang/go issue 81583); walking from end to end would never
// get on. An hour on the zone is asked again.
func stretch(t time.Time, zone *time.Location) (offset time.Duration, end time.Time) {
	local := t.In(zone)
	_, seconds := local.Zone()
	_, end = local.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		end = t.Add(time.Hour)
	}
	return time.Duration(seconds) * time.Second, end
}

// instantOf gives the first moment at which the wall shows a time, or one after it
// where that is skipped. The later a wall time the later the moment, or the same one
// within a gap.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	for at := wall.Add(-look); ; {
		offset, end := stretch(at, zone)
		t := wall.Add(-offset)
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
		offset, end := stretch(at, zone)
		if end.IsZero() || end.After(t) {
			return high
		}
		if w := end.UTC().Add(offset - time.Second); w.After(high) {
			high = w
		}
		at = end
	}
}
