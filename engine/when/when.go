// Package when knows what people write about times, and when a rule comes due. It
// keeps no state but a cache, and does no I/O but the loading of time zones.
//
// # When a rule comes due
//
// A cron expression is worked out on the clock on the wall alone, as if there were
// no time zones; what the wall shows is then turned into a moment in the rule's
// zone. So none of the faults that robfig/cron v3.0.1 has where clocks change can
// show (it leaves out the day whose hour is skipped, and fires twice where an hour
// comes twice):
//
//   - A time of day that is skipped comes due at the first moment after the gap.
//     Several that fall into one gap come due there once, as the first of them.
//   - A time of day that comes twice comes due the first time.
//
// Where both the day of month and the day of week are restricted, a day fits if
// either does, as cron has always had it. A "*" with a step ("*/2") restricts.
//
// # What people write
//
// Parse takes a cron expression of five fields, a name such as @daily, or plain
// words. A bare number after "at" is an hour of 24, as in cron: "at 5" is 05:00 and
// "at 17" is 17:00. Rules by days and dates of which no time of day is said come due
// at 09:00. What can be read two ways is refused with both readings.
package when

import (
	"sync"
	"time"

	"keepwatch"
)

// The most that is kept of what was worked out. Where it is full, it begins anew.
const (
	maxSchedules = 4096
	maxZones     = 1024
)

// Times reads what people write about times and knows when rules come due. It may be
// used from several goroutines at once.
type Times struct {
	mu        sync.RWMutex
	schedules map[string]*schedule      // by the text of the expression
	zones     map[string]*time.Location // by their IANA names
}

// New gives a Times with nothing kept yet.
func New() *Times {
	return &Times{schedules: map[string]*schedule{}, zones: map[string]*time.Location{}}
}

// Next gives the first moment after a moment, and after a wall time (Due.Wall) where
// one is given, at which it comes due; false where it never does. It gives false too
// for a When that Parse would not have made: an expression or a zone that cannot be
// read, a distance below a minute.
//
// Given the occurrence before as after and wall, the moments strictly increase, and so
// do the wall times. The Wall of a When with Every is in UTC, since a fixed distance
// knows no clock: the wall of a zone shows the same time twice in autumn.
func (t *Times) Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool) {
	seen, err := time.Parse(keepwatch.WallLayout, wall)
	given := err == nil
	switch {
	case when.Cron != "":
		return t.nextCron(when, after, seen, given)
	case when.Every != 0:
		return nextEvery(when.Every, after, seen, given)
	case !when.At.IsZero() && when.At.After(after):
		zone, err := t.zone(when.Zone)
		if err != nil {
			zone = time.UTC // the moment stands, whatever its wall was meant to show
		}
		shown := wallOf(when.At, zone)
		if given && !shown.Truncate(time.Minute).After(seen) {
			return keepwatch.Due{}, false
		}
		return keepwatch.Due{At: when.At, Wall: shown.Format(keepwatch.WallLayout)}, true
	}
	return keepwatch.Due{}, false
}

func (t *Times) nextCron(when keepwatch.When, after, seen time.Time, given bool) (keepwatch.Due, bool) {
	s, err := t.schedule(when.Cron)
	if err != nil {
		return keepwatch.Due{}, false
	}
	zone, err := t.zone(when.Zone)
	if err != nil {
		return keepwatch.Due{}, false
	}
	from := reached(after, zone)
	if given && seen.After(from) {
		from = seen
	}
	wall := s.next(from)
	if wall.IsZero() {
		return keepwatch.Due{}, false
	}
	return keepwatch.Due{At: instantOf(wall, zone), Wall: wall.Format(keepwatch.WallLayout)}, true
}

func nextEvery(every time.Duration, after, seen time.Time, given bool) (keepwatch.Due, bool) {
	if every < time.Minute {
		return keepwatch.Due{}, false
	}
	at := after.Add(every).Truncate(time.Second)
	if low := seen.Add(time.Minute); given && at.Before(low) {
		at = at.Add((low.Sub(at) + every - 1) / every * every)
	}
	return keepwatch.Due{At: at, Wall: at.UTC().Format(keepwatch.WallLayout)}, true
}

// schedule gives an expression as it is worked out, from what is kept where it can.
func (t *Times) schedule(text string) (*schedule, error) {
	t.mu.RLock()
	s := t.schedules[text]
	t.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := parseCron(text)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.schedules) >= maxSchedules {
		clear(t.schedules)
	}
	t.schedules[text] = s
	return s, nil
}

// zone gives the zone of a name; UTC for "".
func (t *Times) zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	t.mu.RLock()
	zone := t.zones[name]
	t.mu.RUnlock()
	if zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "Keepwatch does not know the time zone %s: name one as the IANA does, such as Europe/London.", quote(name)).Because(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.zones) >= maxZones {
		clear(t.zones)
	}
	t.zones[name] = zone
	return zone, nil
}
