package keepwatch

import (
	"slices"
	"time"
)

// hoursAhead is how far ahead Hours.Next looks. Hours that are closed for longer are
// a mistake of the configuration, and what is to be said is rather said at once than
// never.
const hoursAhead = 60 * 24 * time.Hour

// Open reports whether somebody may be disturbed at a moment. fallback is the zone
// of hours that name none, or one that this machine does not know; nil: UTC.
func (h Hours) Open(t time.Time, fallback *time.Location) bool {
	return h.open(t.In(h.location(fallback)))
}

// Next gives the first moment from t on at which somebody may be disturbed: t itself
// where that is one, and also where there is none within 60 days.
func (h Hours) Next(t time.Time, fallback *time.Location) time.Time {
	for at := t.In(h.location(fallback)); at.Sub(t) <= hoursAhead; at = h.turn(at) {
		if h.open(at) {
			if at.Equal(t) {
				return t
			}
			return at.UTC()
		}
	}
	return t
}

func (h Hours) location(fallback *time.Location) *time.Location {
	if h.Zone != "" {
		if loc, err := time.LoadLocation(h.Zone); err == nil {
			return loc
		}
	}
	if fallback == nil {
		return time.UTC
	}
	return fallback
}

// open is Open for a time in the zone of the hours.
func (h Hours) open(t time.Time) bool {
	if len(h.Days) > 0 && !slices.Contains(h.Days, t.Weekday()) {
		return false
	}
	if slices.Contains(h.Holidays, t.Format(time.DateOnly)) {
		return false
	}
	now := clock(t)
	switch from, to := h.QuietFrom, h.QuietTo; {
	case from < to:
		return now < from || now >= to
	case from > to:
		return now < from && now >= to
	}
	return true
}

// turn gives the next moment at which hours may change: the wall clock shows
// midnight or an end of the quiet time, or is set. Because it stops where the clock
// is set, the wall runs evenly until then, and no hour that is skipped or doubled can
// be met unawares.
func (h Hours) turn(t time.Time) time.Time {
	const day = 24 * time.Hour
	now, step := clock(t), day
	for _, mark := range []time.Duration{day, h.QuietFrom, h.QuietTo} {
		if left := mark - now; left > 0 {
			step = min(step, left)
		}
	}
	next := t.Add(step)
	if _, end := t.ZoneBounds(); !end.IsZero() && end.After(t) && end.Before(next) {
		next = end
	}
	return next.In(t.Location())
}

// clock gives the time of day that a clock on the wall shows.
func clock(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
}
