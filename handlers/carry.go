package handlers

import (
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// carry answers a request that was taken, and saves the answer. again: it was
// taken before the last start.
func (d *Desk) carry(del keepwatch.Delivery, entry keepwatch.AuditEntry, again bool) {
	log := d.cfg.Log.With("request", del.Request.ID)
	defer func() {
		if p := recover(); p != nil { // it stays saved, for the next start
			log.Error("the answer to a request broke off", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	msg, answered := d.inTurn(del, &entry, again, log)
	if !answered {
		return
	}
	d.cfg.Crash("desk.answered")
	var lanes []string
	out := d.outgoing(del, msg)
	if del.Request.Due != "" && entry.Outcome != keepwatch.OutcomeDone {
		out = d.notDone(del, msg)
	}
	saved := d.insist(log, "the answer to a request cannot be saved; it is tried again", func() (err error) {
		lanes, err = d.cfg.Mailbox.FinishDelivery(del, entry, out)
		return err
	})
	if !saved {
		return
	}
	d.cfg.Crash("desk.finished")
	d.cfg.Send(lanes...)
	if due := del.Request.Due; due != "" {
		d.cfg.Answered(due, entry, msg)
	}
}

// notDone makes what is posted where a command that was due was not carried out:
// nothing, because nobody asked; it is tried again, and is a warning where that does not
// help. Where somebody has it done now, whose occurrence has more in its name than what
// the wall showed, that person hears once why it is not.
func (d *Desk) notDone(del keepwatch.Delivery, msg keepwatch.Message) []keepwatch.Outgoing {
	_, wall, _ := keepwatch.SplitOccurrence(del.Request.Due)
	if len(wall) <= len(keepwatch.WallLayout) || !strings.HasSuffix(del.Key, "#1") {
		return nil
	}
	msg.Blocks = append([]keepwatch.Block{keepwatch.Text("This was to be carried out now:"), keepwatch.Code("/" + strings.TrimPrefix(del.Request.Text, "/"))}, msg.Blocks...)
	return d.outgoing(del, msg)
}

// inTurn is answer in one of the turns, of which there are [atOnce]. The turn is
// given back before the answer is saved: the more answers wait for the disk, the
// more of them share its next sync.
func (d *Desk) inTurn(del keepwatch.Delivery, entry *keepwatch.AuditEntry, again bool, log *slog.Logger) (msg keepwatch.Message, answered bool) {
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-d.ctx.Done():
		return msg, false // it stays saved, for the next start
	}
	return d.answer(del, entry, again, log)
}

// answer carries a request out and completes its audit line. A request that was
// cut off is not carried out again where it had started a run, nor where it is
// too old. answered is false where the end of the process has broken it off.
func (d *Desk) answer(del keepwatch.Delivery, entry *keepwatch.AuditEntry, again bool, log *slog.Logger) (msg keepwatch.Message, answered bool) {
	if again {
		var run keepwatch.Run
		var found bool
		read := d.insist(log, "it cannot be read what a request has started; it is tried again", func() (err error) {
			run, found, err = d.cfg.Mailbox.RequestRun(del.Request.ID)
			return err
		})
		switch {
		case !read:
			return msg, false
		case found:
			entry.Run, entry.Source, entry.Outcome = run.ID, run.Source, keepwatch.OutcomeDone
			return d.cfg.Router.RunMessage(run), true
		case del.Request.Due == "" && d.late(del.Request): // how late an occurrence may be is known where it is kept
			msg = d.cfg.Router.tooOld(del.Request)
			entry.Outcome, entry.Message = keepwatch.OutcomeFailed, msg.Title
			return msg, true
		}
	}
	del.Request.Again = again
	msg = d.cfg.Router.Answer(d.ctx, del.Request, entry)
	// What was done before the process ends is answered: carried out a second
	// time it would say that there is nothing to do.
	return msg, d.ctx.Err() == nil || entry.Outcome != keepwatch.OutcomeFailed
}

// late reports whether a cut-off request is too old to be carried out unasked.
// One from the future shows that the clock was set back: how old it is nobody
// knows.
func (d *Desk) late(req keepwatch.Request) bool {
	age := d.cfg.Now().Sub(req.At)
	return age > stale || age < -skew
}

// insist does something again and again until it works or the desk breaks off,
// and reports which. It does it once in any case.
func (d *Desk) insist(log *slog.Logger, what string, do func() error) bool {
	last := ""
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := do()
		if err == nil {
			return true
		}
		if err.Error() != last {
			log.Error(what, "err", err)
			last = err.Error()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-d.ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// tooOld is the answer to a request that a stop of the bot left lying. It may
// have been done, just before the stop.
func (r *Router) tooOld(req keepwatch.Request) keepwatch.Message {
	kept := r.guarded(req)
	text := strings.TrimPrefix(kept, "/")
	msg := keepwatch.Message{
		Title: "This was cut off", Tone: keepwatch.ToneWarn, Failed: true, Refused: keepwatch.KindConflict,
		Blocks: []keepwatch.Block{
			keepwatch.Text("Keepwatch was stopped just after you asked for this, before it could say what came of it, and was away for too long to do it unasked now:"),
			keepwatch.Code("/" + text), keepwatch.Field{Name: "Asked", Time: req.At}.Block(),
		},
	}
	if kept == req.Text {
		msg.Buttons = []keepwatch.Button{{Label: "Do it now", Command: text, Style: keepwatch.StylePrimary}}
	}
	return msg
}

// outgoing makes what is posted of an answer: the card of a run where everybody
// in the channel sees it, anything else where whoever asked does.
func (d *Desk) outgoing(del keepwatch.Delivery, msg keepwatch.Message) []keepwatch.Outgoing {
	reply := del.Reply
	if !del.Request.Private && d.cfg.Router.private(del.Request) {
		reply.Private = true
	}
	if Public(d.cfg.Router.commands, del.Request.Text) && !reply.Replace && !msg.Failed && msg.Refused == keepwatch.KindInternal {
		reply.Private = false // a refusal is for whoever asked alone
	}
	answer := keepwatch.Outgoing{ID: NewID(), Channel: del.Request.Channel, Reply: &reply, Message: msg, Made: d.cfg.Now().UTC()}
	answer.Lane = answer.Channel
	if reply.Token != "" {
		answer.Lane = "re:" + answer.ID
	}
	if msg.Run == 0 {
		return []keepwatch.Outgoing{answer}
	}
	if del.Silent {
		return nil
	}
	if del.Request.Due != "" { // nobody asked, so there is nobody to answer beside the card
		return []keepwatch.Outgoing{{ID: answer.ID, Lane: answer.Channel, Channel: answer.Channel, Run: msg.Run, Made: answer.Made}}
	}
	if d.shown(del, msg.Run) {
		answer.Message = aside(msg, del.Request.Private)
		return []keepwatch.Outgoing{answer}
	}
	if del.InReply && reply.Open {
		reply.Private = false
		answer.Run, answer.Message = msg.Run, keepwatch.Message{}
		return []keepwatch.Outgoing{answer}
	}
	open := reply
	open.Private, open.Replace = false, false
	card := keepwatch.Outgoing{ID: NewID(), Lane: answer.Channel, Channel: answer.Channel, Reply: &open, Run: msg.Run, Made: answer.Made}
	// What somebody wrote, or did in a direct message, is answered right below it by
	// the card; what only they saw, elsewhere, is answered there too.
	if del.Quiet || !reply.Replace && (reply.Token == "" || del.Request.Private) {
		return []keepwatch.Outgoing{card}
	}
	answer.Message = aside(msg, del.Request.Private)
	return []keepwatch.Outgoing{answer, card}
}

// aside is what whoever asked is told beside the card of a run.
func aside(msg keepwatch.Message, direct bool) keepwatch.Message {
	where := "Its card in the channel shows how it goes."
	if direct {
		where = "Its card here shows how it goes."
	}
	return keepwatch.Message{Title: msg.Title, Tone: msg.Tone, Blocks: []keepwatch.Block{keepwatch.Text(where)}}
}

// shown reports whether a channel has a card of a run already that follows it: a
// run has one message. Whoever asks to watch it wants another one, here and now.
func (d *Desk) shown(del keepwatch.Delivery, run int64) bool {
	if cmd, ok := d.cfg.Router.command(del.Request); ok && cmd.Name == "watch" {
		return false
	}
	cards, err := d.cfg.Mailbox.RunCards(run)
	if err != nil {
		d.cfg.Log.Warn("it cannot be read where a run is shown; it is shown again", "run", run, "err", err)
		return false
	}
	return slices.ContainsFunc(cards, func(c keepwatch.Card) bool { return c.Channel == del.Request.Channel && !c.Final })
}
