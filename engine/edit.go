package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"keepwatch"
)

// change makes an edit of the message about a topic, again and again, until that
// shows what it is to show, or cannot any more, or the outbox closes. It needs no
// mark and no look: an edit that is made twice does no harm. One that cannot be made
// is let go of with a line in the log, and nobody is told: what it says was saved
// before, and the command that it is about shows it.
func (o *Outbox) change(out keepwatch.Outgoing, odd *patience, log *slog.Logger) {
	log = log.With("channel", out.Channel, "topic", out.Topic)
	platform := keepwatch.Platform(out.Channel)
	poster, ok := o.cfg.Posters[platform]
	if !ok {
		log.Warn("a message cannot be edited, because Keepwatch is not connected to its platform; it stays as it is")
		o.changed(out, "", "", log)
		return
	}
	wait, last := firstPause, ""
	for o.halt.Err() == nil {
		ref, err := o.target(out, log)
		if err == nil && ref == "" {
			return
		}
		if err == nil {
			if !o.awaitEdit(platform) || !o.takeTurn(platform, "") {
				return
			}
			err = o.changeInTurn(platform, poster, out, ref)
		}
		if err == nil {
			*odd = patience{}
			o.changed(out, ref, out.Message.Fingerprint(), log)
			return
		}
		var p *keepwatch.PostError
		if !errors.As(err, &p) {
			p = &keepwatch.PostError{Err: err}
		}
		if odd.out(p) || p.Verdict == keepwatch.VerdictNever || p.Verdict == keepwatch.VerdictGone {
			log.Warn("a message cannot be edited; it stays as it is", "verdict", p.Verdict, "err", err)
			o.changed(out, ref, "", log)
			return
		}
		pause := wait
		if p.Verdict == keepwatch.VerdictLater && p.After > 0 {
			if pause = p.After; o.cfg.Edits[platform] > 0 { // it counts edits as one, and not those of each channel
				o.holdEdits(platform, p.After)
			}
		} else if err.Error() != last {
			log.Warn("a message could not be edited; it is tried again", "verdict", p.Verdict, "err", err)
			last = err.Error()
		}
		if !o.pause(pause) {
			return
		}
		wait = min(wait*2, longestPause)
	}
}

// target gives the reference of what an edit is to change. It is "" where there is
// nothing to do, and then the edit is let go of: there is no such message, it shows
// this already, or a later edit of it is the next in the lane.
func (o *Outbox) target(out keepwatch.Outgoing, log *slog.Logger) (ref string, err error) {
	ref, shown, late, err := o.cfg.Mail.EditTarget(out)
	switch {
	case err != nil:
		return "", &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Err: fmt.Errorf("look where the message about %s is: %w", out.Topic, err)}
	case late:
		shown = "" // an attempt at this one may have changed it
	case ref != "" && shown != out.Message.Fingerprint():
		return ref, nil
	}
	o.changed(out, ref, shown, log)
	return "", nil
}

// changeInTurn makes an attempt, and gives the turn back.
func (o *Outbox) changeInTurn(platform string, poster Poster, out keepwatch.Outgoing, ref string) error {
	defer func() { <-o.turns[platform] }()
	err := o.guarded(func() error {
		return poster.Edit(o.hard, keepwatch.Card{ID: out.ID, Channel: out.Channel, Ref: ref, Made: out.Made}, out.Message)
	})
	o.cfg.Crash("outbox.topic.edited")
	return err
}

// changed saves that an edit is done with. While that cannot be saved it is tried
// again, and the edit is not made again.
func (o *Outbox) changed(out keepwatch.Outgoing, ref, shown string, log *slog.Logger) {
	for {
		err := o.cfg.Mail.EditDone(out, ref, shown)
		if err == nil {
			return
		}
		log.Error("it cannot be saved that a message was edited; that is tried again", "err", err)
		if !o.pause(5 * time.Second) {
			return
		}
	}
}

// awaitEdit waits until another message may be edited on a platform, and reports
// whether to go on. Those that wait at the same time, the cards of runs among them,
// come in no order, so that none of them waits for all of the others.
func (o *Outbox) awaitEdit(platform string) bool {
	for {
		wait := o.claimEdit(platform)
		if wait == 0 {
			return o.halt.Err() == nil
		}
		if !o.pause(wait) {
			return false
		}
	}
}

// claimEdit gives how long no message may be edited on a platform. Where that is 0,
// the moment is taken.
func (o *Outbox) claimEdit(platform string) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now() // monotonic
	if wait := o.fences[platform].Sub(now); wait > 0 {
		return wait
	}
	o.fences[platform] = now.Add(o.cfg.Edits[platform])
	return 0
}

// holdEdits has no message edited on a platform for a while.
func (o *Outbox) holdEdits(platform string, d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at := time.Now().Add(d); at.After(o.fences[platform]) {
		o.fences[platform] = at
	}
}
