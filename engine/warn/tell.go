package warn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// together is how many notices in one place at once are messages of their own; more
// are one message.
const together = 5

// keptLog is how many happenings of a warning are kept.
const keptLog = 50

// keptDigests is how many of the messages that a warning shares are kept up to date.
const keptDigests = 6

// telling collects what one transaction changes about warnings, and the messages
// that say so.
type telling struct {
	k       *Keeper
	change  Change
	now     time.Time
	ids     *pool
	entries []*entry
	out     []keepwatch.Outgoing
}

// entry is a warning that is changed.
type entry struct {
	w       keepwatch.Warning
	edit    bool     // its messages are to be edited
	notices []string // where it is told of
}

func note(w *keepwatch.Warning, at time.Time, by, what string) {
	w.Log = append(slices.Clone(w.Log), keepwatch.Happening{At: at, By: by, What: what})
	if n := len(w.Log); n > keptLog {
		w.Log = w.Log[n-keptLog:]
	}
}

// look does what the time of a warning asks for; where there is nothing to do it
// changes nothing.
func (t *telling) look(w keepwatch.Warning) {
	if !t.add(w, false) && !w.Wake.After(t.now) { // there is nothing to do yet
		t.entries = append(t.entries, &entry{w: t.waking(w)})
	}
}

func (t *telling) waking(w keepwatch.Warning) keepwatch.Warning {
	w.Wake = t.k.wake(w, t.now)
	return w
}

// put saves a warning that was changed, with what its time asks for.
func (t *telling) put(w keepwatch.Warning) { t.add(w, true) }

// add does what the time of a warning asks for, and reports whether it did anything.
func (t *telling) add(w keepwatch.Warning, edit bool) bool {
	e := &entry{w: w, edit: edit}
	if !w.Gone.IsZero() && !t.now.Before(w.Gone.Add(watch)) {
		e.w.Resolved = w.Gone
		e.w.Wake = time.Time{}
		t.entries = append(t.entries, e)
		return true
	}
	hurry := urgent(w, t.now)
	if where := t.k.cfg.Where(w.Fact); due(w, t.now) && (hurry || !t.k.opening(where, t.now).After(t.now)) {
		told(&e.w, t.now)
		e.notices = unique(where)
		note(&e.w, t.now, "", "told")
	}
	if wider := t.k.cfg.Wider(w.Fact); passesOn(e.w, t.now) && (hurry || !t.k.opening(wider, t.now).After(t.now)) {
		e.w.Wider = true
		if fresh := t.unheard(e, wider); len(fresh) > 0 {
			e.notices = append(e.notices, fresh...)
			note(&e.w, t.now, "", t.passedOn(e.w, fresh))
		}
		e.edit = true
	}
	if !e.edit && len(e.notices) == 0 {
		return false
	}
	e.w = t.waking(e.w)
	e.edit = true
	t.entries = append(t.entries, e)
	return true
}

// passedOn says to whom a warning goes on, and which of both reasons there is for it.
func (t *telling) passedOn(w keepwatch.Warning, to []string) string {
	names := make([]string, len(to))
	for i, channel := range to {
		names[i] = t.k.cfg.Name(channel)
	}
	text := "passed on to " + strings.Join(names, ", ")
	if last := len(names) - 1; last > 0 {
		text = "passed on to " + strings.Join(names[:last], ", ") + " and " + names[last]
	}
	if w.Unanswered >= unanswered {
		return text + fmt.Sprintf(": nobody had acknowledged it after %d notices", w.Unanswered)
	}
	return text + ": it is urgent, with three days or less left"
}

// unheard gives the channels that do not hear of a warning at its notices.
func (t *telling) unheard(e *entry, channels []string) []string {
	where := t.k.cfg.Where(e.w.Fact)
	return slices.DeleteFunc(unique(channels), func(c string) bool { return slices.Contains(e.notices, c) || slices.Contains(where, c) })
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// save saves what was collected: first the edits, so that a message that has a newer
// one below it is edited before that one takes its place.
func (t *telling) save() error {
	digests := t.edits()
	news, err := t.notices()
	if err != nil {
		return err
	}
	for _, e := range t.entries {
		if err := t.change.PutWarning(e.w); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(digests)) {
		if err := t.editDigest(id); err != nil {
			return err
		}
	}
	if t.out = append(t.out, news...); len(t.out) == 0 {
		return nil
	}
	return t.change.Post(t.out...)
}

// edits edits the messages that stand, and gives the digests that are to be edited.
// Where a warning was told of together with others alone, it has no message of its
// own: an edit of that does nothing.
func (t *telling) edits() (digests map[string]bool) {
	digests = map[string]bool{}
	for _, e := range t.entries {
		if !e.edit {
			continue
		}
		for _, id := range e.w.Digests {
			digests[id] = true
		}
		for _, place := range e.w.Places {
			msg := t.k.cfg.Show(e.w)
			if slices.Contains(e.notices, place) { // what is below is the one to answer
				msg.Buttons, msg.Menus = nil, nil
				msg.Blocks = append(slices.Clone(msg.Blocks), keepwatch.Text("There is a newer message about this below."))
			}
			t.out = append(t.out, t.outgoing(place, e.w.Topic(), msg, true))
		}
	}
	return digests
}

// notices gives the new messages, by place: a few each for itself, many as one.
func (t *telling) notices() ([]keepwatch.Outgoing, error) {
	var places []string
	of := map[string][]*entry{}
	for _, e := range t.entries {
		for _, place := range e.notices {
			if of[place] == nil {
				places = append(places, place)
			}
			of[place] = append(of[place], e)
			if !slices.Contains(e.w.Places, place) {
				e.w.Places = append(slices.Clone(e.w.Places), place)
			}
		}
	}
	var out []keepwatch.Outgoing
	for _, place := range places {
		list := of[place]
		slices.SortStableFunc(list, func(a, b *entry) int { return compare(a.w, b.w) })
		if len(list) > together {
			o, err := t.digest(place, list)
			if err != nil {
				return nil, err
			}
			out = append(out, o)
			continue
		}
		for _, e := range list {
			out = append(out, t.outgoing(place, e.w.Topic(), t.k.cfg.Show(e.w), false))
		}
	}
	return out, nil
}

// digest gives one message for many notices in one place.
func (t *telling) digest(place string, list []*entry) (keepwatch.Outgoing, error) {
	d := keepwatch.Digest{ID: t.ids.next(), Channel: place, At: t.now}
	var shown []keepwatch.Warning
	for _, e := range list {
		digests := append(slices.Clone(e.w.Digests), d.ID)
		e.w.Digests = digests[max(0, len(digests)-keptDigests):]
		d.Occurrences, shown = append(d.Occurrences, e.w.ID), append(shown, e.w)
	}
	return t.outgoing(place, d.Topic(), t.k.cfg.ShowMany(d, shown), false), t.change.PutDigest(d)
}

// editDigest has a digest show its warnings as they are now. They are saved already.
func (t *telling) editDigest(id string) error {
	d, found, err := t.change.Digest(id)
	if err != nil || !found {
		return err
	}
	var list []keepwatch.Warning
	for _, one := range d.Occurrences {
		w, found, err := t.change.Warning(one)
		if err != nil {
			return err
		}
		if found {
			list = append(list, w)
		}
	}
	t.out = append(t.out, t.outgoing(d.Channel, d.Topic(), t.k.cfg.ShowMany(d, list), true))
	return nil
}

func (t *telling) outgoing(channel, topic string, msg keepwatch.Message, edit bool) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: t.ids.next(), Lane: channel, Channel: channel, Topic: topic, Edit: edit, Message: msg, Made: t.now}
}
