package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"keepwatch"
)

// deliver sends one message, again and again, until it is delivered or refused
// for good, or the outbox closes. It is the one place that retries.
func (o *Outbox) deliver(out keepwatch.Outgoing, odd *patience, log *slog.Logger) {
	platform := keepwatch.Platform(out.Channel)
	poster, ok := o.cfg.Posters[platform]
	if !ok {
		o.refuse(out, "Keepwatch is not connected to "+platform+".", log)
		return
	}
	unsure, wait, last := !out.Tried.IsZero(), firstPause, ""
	for o.takeTurn(platform, o.pacedBy(out)) {
		token := byToken(out, o.cfg.Now())
		ref, shown, final, err := o.inTurn(platform, poster, &out, unsure, token)
		if err == nil {
			*odd = patience{}
			o.delivered(out, ref, shown, final, log)
			return
		}
		var p *keepwatch.PostError
		if !errors.As(err, &p) {
			p = &keepwatch.PostError{Err: err}
		}
		pause, verdict := wait, p.Verdict
		if odd.out(p) {
			verdict = keepwatch.VerdictNever
		}
		switch verdict {
		case keepwatch.VerdictNever, keepwatch.VerdictGone:
			if token {
				// It ran out earlier than we know (the clock was set back), or
				// was used up; the channel may take the answer all the same.
				log.Warn("an answer was refused by its token; it is sent without", "err", err)
				reply := *out.Reply
				reply.Token = ""
				out.Reply = &reply
				continue
			}
			o.refuse(out, sentence(err), log)
			return
		case keepwatch.VerdictUnsure:
			unsure = true
		case keepwatch.VerdictLater:
			if p.After > 0 {
				pause = p.After
			}
		}
		if err.Error() != last && p.After == 0 {
			log.Warn("a message could not be posted; it is tried again", "channel", out.Channel, "verdict", p.Verdict, "err", err)
			last = err.Error()
		}
		if !o.pause(pause) {
			return
		}
		wait = min(wait*2, longestPause)
	}
}

// pacedBy gives the channel whose pace a message keeps. An answer by a token
// keeps none: it is no message in the channel.
func (o *Outbox) pacedBy(out keepwatch.Outgoing) string {
	if byToken(out, o.cfg.Now()) {
		return ""
	}
	return out.Channel
}

// takeTurn waits until a channel and its platform may be sent another message,
// and reports whether to go on. Nobody holds a turn of the platform while waiting
// for the channel; and a channel's moment is taken only with the turn in hand, so
// that none passes unused while many lanes wait for their turn.
func (o *Outbox) takeTurn(platform, channel string) bool {
	for {
		if !o.awaitPace(channel) {
			return false
		}
		select {
		case o.turns[platform] <- struct{}{}:
		case <-o.halt.Done():
			return false
		}
		if o.takePace(channel) {
			return true
		}
		<-o.turns[platform] // another lane was faster
	}
}

// inTurn makes an attempt, and gives the turn back.
func (o *Outbox) inTurn(platform string, poster Poster, out *keepwatch.Outgoing, unsure, token bool) (ref, shown string, final bool, err error) {
	defer func() { <-o.turns[platform] }()
	return o.attempt(poster, out, unsure, token)
}

// sentence gives what a person is told about an error of a platform.
func sentence(err error) string {
	if text := keepwatch.Sentence(err); text != "" {
		return text
	}
	return err.Error()
}

// byToken reports whether a message goes out by its reply's token: it is an
// answer, in a lane of its own. What stands in its channel's lane is posted there,
// token or not.
func byToken(out keepwatch.Outgoing, now time.Time) bool {
	return out.Lane != out.Channel && out.Reply.Alive(now)
}

// forOne reports whether a message is seen by nobody but whoever asked.
func forOne(out keepwatch.Outgoing) bool {
	return out.Reply != nil && (out.Reply.Private || out.Reply.Replace)
}

// attempt tries once: it looks for the message first where an earlier attempt
// may have delivered it. An answer by a token (token) that only the asker sees
// cannot be looked for.
func (o *Outbox) attempt(poster Poster, out *keepwatch.Outgoing, unsure, token bool) (ref, shown string, final bool, err error) {
	marked := !token || !forOne(*out)
	again := unsure && marked && !out.Tried.IsZero()
	if again {
		ref, found, err := poster.Find(o.hard, *out)
		if err != nil {
			return "", "", false, fmt.Errorf("look for a message: %w", err)
		}
		if found {
			if out.Run > 0 {
				return ref, "", false, nil // which of the attempts arrived is not known: it is edited once more
			}
			return ref, out.Message.Fingerprint(), false, nil
		}
	}
	if out.Run > 0 {
		msg, state, err := o.show(out.Run)
		if err != nil {
			return "", "", false, notShown(out.Run, err)
		}
		if err := o.cfg.Cards.KeepButtons(msg.AllButtons()); err != nil {
			return "", "", false, &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Err: err}
		}
		out.Message, final = msg, state.Ended()
	}
	if marked {
		tried, err := o.cfg.Mail.TryMessage(*out, o.cfg.Now())
		if err != nil {
			return "", "", false, &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Err: err}
		}
		*out = tried
	}
	o.cfg.Crash("outbox.tried")
	err = o.guarded(func() (err error) {
		ref, err = poster.Post(o.hard, *out)
		return err
	})
	o.cfg.Crash("outbox.posted")
	if again && out.Run > 0 && ref != "" {
		// A platform that knows the message by our id gives the one that it has,
		// with what that said at an earlier attempt.
		return ref, "", false, err
	}
	return ref, out.Message.Fingerprint(), final, err
}

// notShown says what it means that a run's card cannot be made: never, where
// there is no such run; otherwise the state may be readable later.
func notShown(run int64, err error) error {
	var p *keepwatch.PostError
	v := keepwatch.VerdictLater
	if errors.As(err, &p) {
		v = p.Verdict
	} else if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		v = keepwatch.VerdictNever
	}
	return &keepwatch.PostError{Verdict: v, Err: fmt.Errorf("show run %d: %w", run, err)}
}

// guarded keeps a panic over one message (a renderer that meets what nobody
// thought of) to that message: it is refused for good and reported, because after
// a restart it would only end the process again.
func (o *Outbox) guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			o.cfg.Log.Error("what sends a message broke off", "panic", p, "stack", string(debug.Stack()))
			err = &keepwatch.PostError{Verdict: keepwatch.VerdictNever, Err: keepwatch.Errorf(keepwatch.KindInternal,
				"Something went wrong inside Keepwatch while it made this message. An admin finds the cause in the log.").Because(fmt.Errorf("panicked: %v", p))}
		}
	}()
	return fn()
}

// show gives the card of a run as it is now.
func (o *Outbox) show(run int64) (msg keepwatch.Message, state keepwatch.RunState, err error) {
	err = o.guarded(func() (err error) {
		msg, state, err = o.cfg.Show(run)
		return err
	})
	return msg, state, err
}

// delivered saves that a message is delivered. While that cannot be saved, it is
// tried again, and the message is not sent again.
func (o *Outbox) delivered(out keepwatch.Outgoing, ref, shown string, final bool, log *slog.Logger) {
	for {
		err := o.cfg.Mail.MessageDelivered(out, ref, shown, final)
		if err == nil {
			break
		}
		log.Error("it cannot be saved that a message was delivered", "err", err)
		if !o.pause(5 * time.Second) {
			return
		}
	}
	o.cfg.Crash("outbox.delivered")
	if out.Run > 0 {
		o.poke(keepwatch.Platform(out.Channel))
	}
}

func (o *Outbox) refuse(out keepwatch.Outgoing, why string, log *slog.Logger) {
	log.Error("a message was refused for good; `keepwatch check` shows it", "channel", out.Channel, "why", why)
	first, err := o.cfg.Mail.RefuseMessage(out, why)
	if err != nil {
		log.Error("a refused message could not be put apart; it is tried again", "err", err)
		o.pause(longestPause)
		return
	}
	o.tell(out, why, first, log)
}

// tell has people told of a refused message.
func (o *Outbox) tell(out keepwatch.Outgoing, why string, first bool, log *slog.Logger) {
	o.cfg.Refused(out, why, first)
	if !first {
		return
	}
	if err := o.cfg.Mail.RefusalTold(out); err != nil {
		log.Error("it cannot be saved that people were told of a refused message; they are told again", "err", err)
	}
}

// awaitPace waits until another message may be posted in a channel, and reports
// whether to go on.
func (o *Outbox) awaitPace(channel string) bool {
	o.mu.Lock()
	at := o.paced[channel]
	o.mu.Unlock()
	return o.pause(time.Until(at)) // monotonic: a clock that is set does not count
}

// takePace takes the moment at which a message may be posted in a channel, where it
// is now.
func (o *Outbox) takePace(channel string) bool {
	every := o.cfg.Pace[keepwatch.Platform(channel)]
	if every <= 0 {
		return true
	}
	const remembered = 1000
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if now.Before(o.paced[channel]) {
		return false
	}
	if len(o.paced) > remembered {
		for c, at := range o.paced {
			if now.After(at) {
				delete(o.paced, c)
			}
		}
	}
	o.paced[channel] = now.Add(every)
	return true
}
