package engine

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"keepwatch"
)

// editEvery is the least time between two edits of one card.
const editEvery = 2 * time.Second

// RunChanged says that a run has changed, so that its cards are looked at. It
// returns at once.
func (o *Outbox) RunChanged(keepwatch.Run) {
	for platform := range o.pokes {
		o.poke(platform)
	}
}

func (o *Outbox) poke(platform string) {
	select {
	case o.pokes[platform] <- struct{}{}:
	default: // it will look anyway
	}
}

// shown is what is known of a card that is kept up to date.
type shown struct {
	print  string        // Fingerprint of what it shows
	next   time.Time     // not edited before
	wait   time.Duration // after the next failure
	failed string        // the last failure that was logged
	odd    patience
}

// cardKey names a card.
type cardKey struct {
	run         int64
	channel, id string
}

// keepCards keeps the cards of one platform as their runs are, until the outbox
// closes: at every change of a run, and every two seconds while one moves. It
// compares what a card shows with what the run is now, so that a change that was
// missed (the process was killed, the platform was away) is made up for, and the
// last state always comes.
func (o *Outbox) keepCards(platform string, poster Poster, poke <-chan struct{}) {
	known := map[cardKey]*shown{}
	for {
		next := o.editCards(platform, poster, known, false)
		timer := time.NewTimer(next)
		select {
		case <-poke:
		case <-timer.C:
		case <-o.halt.Done():
			timer.Stop()
			o.editCards(platform, poster, known, true)
			return
		}
		timer.Stop()
	}
}

// Looks at the cards: rest where none moves, beat where one does.
const (
	rest = time.Minute
	beat = 500 * time.Millisecond
)

// editCards brings each card that differs up to date, those whose run has ended
// first, and gives when to look again. The last look, when the outbox closes, does
// not wait for anything.
func (o *Outbox) editCards(platform string, poster Poster, known map[cardKey]*shown, last bool) time.Duration {
	cards, err := o.cfg.Cards.LiveCards()
	if err != nil {
		o.cfg.Log.Error("the cards of runs cannot be read", "err", err)
		return rest
	}
	var due []update
	live := map[cardKey]bool{}
	next := rest
	for _, c := range cards {
		if keepwatch.Platform(c.Channel) != platform || c.Ref == "" && c.Shown == "" {
			continue // not ours, or not posted yet
		}
		key := cardKey{c.Run, c.Channel, c.ID}
		live[key] = true
		if known[key] == nil {
			known[key] = &shown{print: c.Shown, wait: firstPause}
		}
		msg, state, err := o.show(c.Run)
		if err != nil {
			o.cfg.Log.Error("a run cannot be shown", "run", c.Run, "err", err)
			continue
		}
		if c.Ref == "" && !state.Settled() {
			continue // it cannot be edited: how the run ends is posted anew
		}
		if !state.Settled() {
			next = beat
		}
		if print := msg.Fingerprint(); print != known[key].print || state.Ended() {
			due = append(due, update{c, msg, print, state.Ended(), known[key]})
		}
	}
	for key := range known {
		if !live[key] {
			delete(known, key)
		}
	}
	// Whoever has waited longest comes first: where a platform takes few edits,
	// those that move fast must not keep the others from theirs.
	slices.SortStableFunc(due, func(a, b update) int { return a.known.next.Compare(b.known.next) })
	for _, final := range []bool{true, false} {
		for _, u := range due {
			if u.final == final && (last || o.halt.Err() == nil) {
				next = min(next, o.edit(platform, poster, u, last))
			}
		}
	}
	return next
}

// update is a card that is to show something else.
type update struct {
	card  keepwatch.Card
	msg   keepwatch.Message
	print string
	final bool
	known *shown
}

// edit brings one card up to date, if it is time to or the last time, and gives when
// to look again.
func (o *Outbox) edit(platform string, poster Poster, u update, last bool) time.Duration {
	if wait := time.Until(u.known.next); wait > 0 && !last { // monotonic
		return wait
	}
	log := o.cfg.Log.With("run", u.card.Run, "channel", u.card.Channel)
	if differs := u.print != u.known.print; differs && u.card.Ref == "" {
		return o.postAnew(u, log)
	} else if differs {
		if wait := o.claimEdit(platform); wait > 0 && !last {
			return wait
		}
		err := o.cfg.Cards.KeepButtons(u.msg.AllButtons())
		if err == nil {
			err = o.guarded(func() error { return poster.Edit(o.hard, u.card, u.msg) })
		}
		u.known.next = time.Now().Add(editEvery)
		o.holdEdits(platform, o.cfg.Edits[platform])
		if err != nil {
			return o.notEdited(platform, u, err, log)
		}
		u.known.print, u.known.wait, u.known.failed, u.known.odd = u.print, firstPause, "", patience{}
	}
	if u.final {
		o.cfg.Crash("outbox.card.edited")
		if err := o.cfg.Cards.CardShown(u.card, u.print, true); err != nil {
			log.Error("it cannot be saved what a card shows; it is edited again", "err", err)
			return longestPause
		}
	}
	return rest
}

// notEdited decides what becomes of a card that could not be edited.
func (o *Outbox) notEdited(platform string, u update, err error, log *slog.Logger) time.Duration {
	var p *keepwatch.PostError
	if !errors.As(err, &p) {
		p = &keepwatch.PostError{Err: err}
	}
	if p.Verdict == keepwatch.VerdictGone || p.Verdict == keepwatch.VerdictNever || u.known.odd.out(p) {
		log.Warn("the card of a run can no longer be edited; how the run ends is posted anew", "verdict", p.Verdict, "err", err)
		if err := o.cfg.Cards.CardStuck(u.card); err != nil {
			log.Error("it cannot be saved that a card is stuck", "err", err)
			u.known.next = time.Now().Add(longestPause)
			return longestPause
		}
		u.known.next = time.Time{}
		return 0
	}
	pause := u.known.wait
	if p.After > 0 {
		pause = p.After
		o.holdEdits(platform, p.After)
	} else if err.Error() != u.known.failed {
		log.Warn("the card of a run could not be edited; it is tried again", "err", err)
		u.known.failed = err.Error()
	}
	u.known.wait = min(u.known.wait*2, longestPause)
	u.known.next = time.Now().Add(pause)
	return pause
}

// postAnew posts the state of a run in a new message, because the one that there
// is cannot be edited: it was deleted, its channel is closed to us, or the platform
// gave no name for it. That is done where the run stands still, so that a run has
// few messages even then; where the channel takes no message either, people hear
// of it as of any message that is refused.
func (o *Outbox) postAnew(u update, log *slog.Logger) time.Duration {
	lanes, err := o.cfg.Cards.ReplaceCard(u.card)
	if err != nil {
		log.Error("it cannot be saved that the state of a run is posted anew; it is tried again", "err", err)
		u.known.next = time.Now().Add(longestPause)
		return longestPause
	}
	o.Send(lanes...)
	return rest
}
