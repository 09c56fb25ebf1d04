package console

import (
	"fmt"
	"strings"

	"keepwatch"
)

// followed is a run under way.
type followed struct {
	run   keepwatch.Run
	shown bool // at the foot; otherwise it goes on in the background
}

// follow shows a run at the foot until it is settled, and then its card.
func (s *session) follow(id int64) {
	if f, ok := s.runs[id]; ok {
		f.shown = true
		return
	}
	s.runs[id] = &followed{run: keepwatch.Run{ID: id}, shown: true}
	s.working.Go(func() {
		run, err := s.c.cfg.Follower.Follow(s.ctx, id, func(run keepwatch.Run) {
			s.do(func() {
				if f, ok := s.runs[id]; ok {
					f.run = run
				}
			})
		})
		if err != nil && s.ctx.Err() != nil {
			return // the chat ends; leave counts the run
		}
		s.do(func() { s.settled(id, run, err) })
	})
}

// settled shows how a run ended, unless whoever cancelled it was just told.
func (s *session) settled(id int64, run keepwatch.Run, err error) {
	if s.busy { // an answer is on its way: it comes first
		s.held = append(s.held, func() { s.settled(id, run, err) })
		return
	}
	delete(s.runs, id)
	if err != nil {
		s.c.cfg.Log.Error("a run could not be followed", "run", id, "err", err)
		s.show(lost(id))
		return
	}
	msg := s.c.cfg.Chat.RunMessage(run)
	if run.State == keepwatch.RunCancelled && s.title == msg.Title {
		return
	}
	s.show(msg)
}

// lost is what is said of a run whose end is not known.
func lost(id int64) keepwatch.Message {
	return keepwatch.Message{Title: fmt.Sprintf("Run %d can no longer be followed", id), Tone: keepwatch.ToneWarn, Failed: true,
		Blocks:  []keepwatch.Block{keepwatch.Text("How it ended is not known here. Ask for it; an admin finds more in the log.")},
		Buttons: []keepwatch.Button{{Label: "Ask", Command: fmt.Sprintf("backup status %d", id)}}}
}

// shown gives the newest of the runs at the foot, or nil.
func (s *session) shown() *followed {
	var newest *followed
	for _, f := range s.runs {
		if f.shown && (newest == nil || f.run.ID > newest.run.ID) {
			newest = f
		}
	}
	return newest
}

// toBackground takes the runs from the foot, and says so.
func (s *session) toBackground(hint string) {
	newest, n := s.shown(), 0
	if newest == nil {
		return
	}
	for _, f := range s.runs {
		if f.shown {
			f.shown = false
			n++
		}
	}
	text := fmt.Sprintf("Run %d goes on. Its card comes here when it ends.", newest.run.ID)
	if n > 1 {
		text = fmt.Sprintf("%d runs go on. Their cards come here when they end.", n)
	}
	st := s.style()
	var lines []string
	for _, l := range st.wrap(text+hint, 0) {
		lines = append(lines, st.paint(faint, l))
	}
	s.print(append(lines, ""))
}

// status gives the rows of the runs that are shown: what the newest one does and
// a bar; on a low terminal the bar alone.
func (s *session) status(st style, room int) []string {
	newest := s.shown()
	if newest == nil || room < 1 {
		return nil
	}
	more := 0
	for _, f := range s.runs {
		if f.shown {
			more++
		}
	}
	rows := st.live(newest.run, s.c.cfg.Chat.RunMessage(newest.run), more-1)
	return rows[max(len(rows)-room, 0):]
}

// live draws a run under way in two rows: what it does, and how far it is.
func (s style) live(run keepwatch.Run, card keepwatch.Message, more int) []string {
	inner := s
	inner.width = max(s.width-2, 2)
	what := ""
	for _, b := range card.Blocks {
		if what, _, _ = strings.Cut(b.Text, "\n"); what != "" {
			break
		}
	}
	if run.State == "" || run.State == keepwatch.RunQueued {
		what = "Waiting for its turn"
	}
	what = clean(what)
	text := what
	names := []string{fmt.Sprintf("Run %d: %s", run.ID, what)}
	if run.Source != "" { // it is not known before the first news of the run
		names = append(names, fmt.Sprintf("Run %d, %s: %s", run.ID, clean(run.Source), what))
	}
	for _, fuller := range names {
		if width(fuller) <= inner.width {
			text = fuller
		}
	}
	if more > 0 {
		text = fmt.Sprintf("(+%d) %s", more, text)
	}
	left := s.paint(toneColour[keepwatch.ToneInfo], "▌") + " "
	return []string{left + truncate(text, inner.width), left + inner.standing(run.Progress, inner.width)}
}
