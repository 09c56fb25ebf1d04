package warn

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Warnings gives those that hold, the most pressing first.
func (k *Keeper) Warnings() ([]keepwatch.Warning, error) {
	open, err := k.cfg.Records.OpenWarnings()
	if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(w keepwatch.Warning) bool { return !w.Gone.IsZero() })
	slices.SortStableFunc(open, compare)
	return open, nil
}

// Warning gives one, whether it holds or not.
func (k *Keeper) Warning(id string) (keepwatch.Warning, error) { return k.cfg.Records.Warning(id) }

// longestNote bounds what is kept with an acknowledgement, in bytes.
const longestNote = 500

// twice is how soon after an acknowledgement the same one is a second press of the
// button.
const twice = time.Minute

// AckWarning saves that somebody has seen a warning, and has its messages say so. It
// rests until then, unless its fact becomes another one: the zero time is the next
// step for a fact that comes true at a time, a week for others, and 90 days for the
// remark that there are no copies at all. What comes true at a time rests until then at
// the most.
func (k *Keeper) AckWarning(id, by string, until time.Time, remark string) (keepwatch.Warning, error) {
	var acked keepwatch.Warning
	err := k.transact(func(t *telling) error {
		w, found, err := t.change.Warning(id)
		if err != nil {
			return err
		}
		if !found {
			return keepwatch.Errorf(keepwatch.KindNotFound, "There is no warning %s. `/keepwatch warnings` shows those that hold.", id)
		}
		if since, gone := w.Over(); gone {
			return keepwatch.Errorf(keepwatch.KindConflict, "%s is over since %s, so there is nothing to acknowledge.", w.ID, k.said(since))
		}
		until := atMost(w.Fact, until, t.now)
		if again(w, by, until, t.now) {
			acked = w
			return nil
		}
		rest, err := k.rest(w, until, t.now)
		if err != nil {
			return err
		}
		w.AckedBy, w.Acked, w.Quiet, w.Unanswered, w.Note = by, t.now, rest, 0, clip(strings.TrimSpace(remark))
		what := "seen; it rests until " + k.said(rest)
		if w.Note != "" {
			what += ": " + w.Note
		}
		note(&w, t.now, by, what)
		t.put(w)
		acked = t.entries[len(t.entries)-1].w
		return nil
	})
	if err != nil {
		return keepwatch.Warning{}, fmt.Errorf("acknowledge the warning %s: %w", id, err)
	}
	return acked, nil
}

// atMost gives until when a fact may rest of what somebody asked for: were it longer
// than until it comes true, nobody would hear of it on that day either.
func atMost(f keepwatch.Fact, until, now time.Time) time.Time {
	if f.Until.After(now) && until.After(f.Until) {
		return f.Until
	}
	return until
}

// again reports whether the same person has just said the same.
func again(w keepwatch.Warning, by string, until, now time.Time) bool {
	if w.AckedBy != by || by == "" {
		return false
	}
	return w.Quiet.Equal(until.Truncate(time.Second)) || until.IsZero() && now.Sub(w.Acked) < twice
}

func clip(s string) string {
	if len(s) > longestNote {
		return strings.ToValidUTF8(s[:longestNote], "") + "…"
	}
	return s
}

// rest gives until when an acknowledged warning rests.
func (k *Keeper) rest(w keepwatch.Warning, until, now time.Time) (time.Time, error) {
	switch {
	case until.IsZero() && w.Fact.Key == keepwatch.VaultKey:
		return now.Add(vaultDays * day), nil
	case until.IsZero() && w.Fact.Until.IsZero():
		return now.Add(restDays * day), nil
	case until.IsZero():
		return moment(w.Fact.Until, following(step(w.Fact.Until, now))), nil
	case !until.After(now):
		return until, keepwatch.Errorf(keepwatch.KindInvalid, "%s is over already: name a time that is still to come, such as tomorrow.", k.said(until))
	case until.Sub(now) > longest:
		return until, keepwatch.Errorf(keepwatch.KindInvalid, "A warning rests for 400 days at the most. Name a time before %s.", k.said(now.Add(longest)))
	}
	return until.UTC().Truncate(time.Second), nil
}

func (k *Keeper) said(t time.Time) string {
	return t.In(k.cfg.Location).Format("2 January 2006, 15:04 MST")
}
