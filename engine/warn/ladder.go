package warn

import (
	"slices"
	"time"

	"keepwatch"
)

// Times of the keeper.
const (
	day        = 24 * time.Hour
	watch      = time.Hour // how long what is over is watched before it is resolved
	restDays   = 7         // how long an acknowledgement lets rest what has no time
	vaultDays  = 90        // likewise the remark that there are no copies at all
	unanswered = 3         // the notice at which what nobody acknowledges is passed on
	pressing   = 3 * day   // how long before its time what is bad is passed on in any case
	atOnce     = day       // how near its time what is bad does not wait for the morning
	longest    = 400 * day // of a rest
)

// untold gives Warning.Rung of a fact of which nobody was told yet.
func untold(f keepwatch.Fact) int {
	if f.Until.IsZero() {
		return -1
	}
	return keepwatch.Ladder()[0] + 2
}

// step gives the step of the ladder that has come at now: how many days before until
// that was, the longest and one more before the first of them, and less than zero for
// each day after it.
func step(until, now time.Time) int {
	if !now.Before(until) {
		return -int(now.Sub(until) / day)
	}
	at := keepwatch.Ladder()[0] + 1
	for _, days := range keepwatch.Ladder() {
		if !now.Before(until.Add(-time.Duration(days) * day)) {
			at = days
		}
	}
	return at
}

// following gives the step after one.
func following(step int) int {
	for _, days := range keepwatch.Ladder() {
		if days < step {
			return days
		}
	}
	if step > 0 {
		return 0
	}
	return step - 1
}

// moment gives when a step comes.
func moment(until time.Time, step int) time.Time { return until.Add(-time.Duration(step) * day) }

// gap gives how long after the notice number n (0 is the first) of a fact without a
// time the next one comes: 1, 3 and 7 days after the first, then each week.
func gap(n int) time.Duration {
	gaps := []time.Duration{day, 2 * day, 4 * day}
	if n < len(gaps) {
		return gaps[n]
	}
	return 7 * day
}

// begin makes a warning one of which nobody was told yet.
func begin(w *keepwatch.Warning, now time.Time) {
	w.Rung, w.Next, w.Unanswered, w.Wider = untold(w.Fact), now, 0, false
	rested(w)
}

// rested ends the rest that somebody's acknowledgement has given.
func rested(w *keepwatch.Warning) {
	w.AckedBy, w.Acked, w.Quiet, w.Note = "", time.Time{}, time.Time{}, ""
}

// told saves that a notice is posted at now, and when the next one comes.
func told(w *keepwatch.Warning, now time.Time) {
	w.Told++
	w.Unanswered++
	rested(w)
	if until := w.Fact.Until; !until.IsZero() {
		w.Rung = min(w.Rung, step(until, now))
		w.Next = moment(until, following(w.Rung))
		return
	}
	w.Rung++
	next := w.Next.Add(gap(w.Rung))
	if !next.After(now) { // it was late, by quiet hours or because the bot was away
		next = now.Add(gap(w.Rung))
	}
	w.Next = next
}

// retime fits a warning to another time of its fact, was, which is the same
// otherwise. A step that has been told of is not told of again, unless the time has
// moved by a day or more; a notice that waits for the morning still does, where its
// step has come by the new time too.
func retime(w *keepwatch.Warning, was keepwatch.Fact, now time.Time) {
	until, waits := w.Fact.Until, !w.Next.After(now)
	switch {
	case until.Equal(was.Until):
		return
	case w.Rung == untold(was), waits && (until.IsZero() || was.Until.IsZero()):
		w.Rung = untold(w.Fact)
		return
	case until.IsZero():
		w.Rung, w.Next = 0, now.Add(gap(0))
		return
	case was.Until.IsZero():
		w.Rung = step(until, now)
	case until.Sub(was.Until) >= day:
		w.Rung = max(w.Rung, step(until, now))
	case was.Until.Sub(until) >= day: // sooner than whoever has seen it knew
		rested(w)
	}
	w.Next = moment(until, following(w.Rung))
}

// due reports whether a notice is to be posted, as far as people are awake.
func due(w keepwatch.Warning, now time.Time) bool {
	return w.Gone.IsZero() && !now.Before(w.Next) && !now.Before(w.Quiet)
}

// urgent reports whether a notice does not wait until people are awake.
func urgent(w keepwatch.Warning, now time.Time) bool {
	until := w.Fact.Until
	return w.Fact.Tone == keepwatch.ToneBad && !until.IsZero() && !now.Before(until.Add(-atOnce)) && now.Before(until.Add(atOnce))
}

// passesOn reports whether a warning is to go on to more people. A remark never is,
// and neither is what rests because somebody has acknowledged it.
func passesOn(w keepwatch.Warning, now time.Time) bool {
	if w.Wider || !w.Gone.IsZero() || w.Told == 0 || w.Fact.Tone == keepwatch.ToneInfo || now.Before(w.Quiet) {
		return false
	}
	until := w.Fact.Until
	near := w.Fact.Tone == keepwatch.ToneBad && !until.IsZero() && !now.Before(until.Add(-pressing))
	return w.Unanswered >= unanswered || near && w.Unanswered > 0
}

// opening gives the first moment from t on at which all of some channels may be
// disturbed, or the first of them where there is no such moment within a week.
func (k *Keeper) opening(channels []string, t time.Time) time.Time {
	if len(channels) == 0 {
		return t
	}
	for at := t; at.Sub(t) <= 7*day; {
		latest := at
		for _, c := range channels {
			if open := k.cfg.Open(c, at); open.After(latest) {
				latest = open
			}
		}
		if latest.Equal(at) {
			return at
		}
		at = latest
	}
	return later(k.cfg.Open(channels[0], t), t)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wake gives when a warning is to be looked at again.
func (k *Keeper) wake(w keepwatch.Warning, now time.Time) time.Time {
	if !w.Resolved.IsZero() {
		return time.Time{}
	}
	if !w.Gone.IsZero() {
		return w.Gone.Add(watch)
	}
	var at []time.Time
	if notice := later(w.Next, w.Quiet); notice.After(now) {
		at = append(at, notice)
	} else {
		at = append(at, k.opening(k.cfg.Where(w.Fact), now))
	}
	if passesOn(w, now) {
		at = append(at, k.opening(k.cfg.Wider(w.Fact), now))
	}
	if until := w.Fact.Until; !until.IsZero() && w.Fact.Tone == keepwatch.ToneBad {
		at = append(at, until.Add(-atOnce), until.Add(-pressing))
	}
	at = slices.DeleteFunc(at, func(t time.Time) bool { return !t.After(now) })
	if len(at) == 0 {
		return now.Add(time.Minute) // a clock of quiet hours that stands: look again
	}
	first := slices.MinFunc(at, time.Time.Compare)
	if whole := first.Truncate(time.Second); !whole.Equal(first) {
		return whole.Add(time.Second)
	}
	return first
}
