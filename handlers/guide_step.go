package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

// move is what somebody does at a step.
type move struct {
	action string // done, out, problem, pass, skip, lost, back, stop
	value  string
}

// maxAnswer is the most characters of an answer or a remark.
const maxAnswer = 300

// errMoved is that a walk is no longer where a button was made for it.
var errMoved = errors.New("the walk has moved on")

// step goes on in a checklist. A press of a button whose message is out of date, or a
// second press, moves nothing: it shows where the walk is now.
func (r *Router) step(_ context.Context, c *call) (keepwatch.Message, error) {
	if err := r.hasWalks(); err != nil {
		return keepwatch.Message{}, err
	}
	w, err := r.cfg.Duties.Walks.Walk(strings.ToLower(c.args.one("walk")))
	if err != nil {
		return keepwatch.Message{}, err
	}
	if w.Person != c.person.Name && c.person.Role < keepwatch.RoleAdmin {
		return keepwatch.Message{}, notYours(w)
	}
	list, known := r.listOf(w)
	m := move{strings.ToLower(c.args.one("action")), strings.TrimSpace(strings.Join(c.args["value"], " "))}
	if rev, err := strconv.Atoi(c.args.one("rev")); err != nil || rev != w.Revision || !w.Ended.IsZero() {
		if err == nil && c.req.Again && rev+1 == w.Revision { // its own work, saved before a crash
			r.told(attested(w, list, m, c.person.Name))
		}
		return r.moved(c, list, w)
	}
	if !known && m.action != "stop" {
		return keepwatch.Message{}, r.wayBack(w, keepwatch.Errorf(keepwatch.KindNotFound, "The checklist %s is not there any more: its file was removed. Stop it with `/keepwatch step %s %d stop`.", w.Checklist, w.ID, w.Revision))
	}
	if known && m.action != "stop" && strayed(list, w) {
		return r.relocate(c, list, w)
	}
	if known {
		var wanting bool
		if m, wanting, err = r.checkMove(list, w, m, r.zoneOf(c.person)); err != nil {
			return keepwatch.Message{}, r.wayBack(w, err)
		}
		if wanting {
			return r.walkMessage(c, list, w, "This step asks something. Write the answer behind the command, or press a button."), nil
		}
	}
	after, said, err := r.move(c, list, w, m)
	if errors.Is(err, errMoved) {
		return r.moved(c, list, after)
	}
	if err != nil {
		return keepwatch.Message{}, r.wayBack(w, err)
	}
	r.told(said)
	r.reportDrill(c, list, after)
	return r.walkMessage(c, list, after, ""), nil
}

// told passes on what was said, which is saved: nobody is asked for it any more.
func (r *Router) told(said []keepwatch.Attestation) {
	if r.cfg.Duties.Said == nil {
		return
	}
	for _, a := range said {
		r.cfg.Duties.Said(a)
	}
}

// moved shows where a walk is now, to somebody who pressed a button that is out of
// date. A request that is carried out again finds its own work done, which is no news.
func (r *Router) moved(c *call, list keepwatch.Checklist, w keepwatch.Walk) (keepwatch.Message, error) {
	w, err := r.cfg.Duties.Walks.Walk(w.ID)
	if err != nil {
		return keepwatch.Message{}, err
	}
	note := "That button was from before. This is where it is now."
	if c.req.Again {
		note = ""
		r.reportDrill(c, list, w)
	}
	return r.walkMessage(c, list, w, note), nil
}

// wayBack adds the way back to an error, because it may stand where the step stood.
func (r *Router) wayBack(w keepwatch.Walk, err error) error {
	return hinted{err, []keepwatch.Button{{Label: "Back to the step", Command: "keepwatch steps " + w.ID, Style: keepwatch.StylePrimary}}}
}

// checkMove checks what somebody wants to do at a step. wanting is that the step asks
// something and no answer was given.
func (r *Router) checkMove(list keepwatch.Checklist, w keepwatch.Walk, m move, zone *time.Location) (checked move, wanting bool, err error) {
	ask := list.Steps[atStep(list, w)].Ask
	switch {
	case m.action == "done" && ask != nil:
		if m.value == "" {
			return m, true, nil
		}
		m.value, err = r.checkAnswer(*ask, m.value, zone)
	case m.action == "problem" && ask != nil && ask.Custody != "" && secretIn(m.value):
		err = noSecret("Write what went wrong, in two words or more.")
	case m.action == "problem":
		err = checkWords(m.value)
	case m.action == "lost" && (ask == nil || ask.Custody == ""), m.action == "skip" && ask == nil:
		err = keepwatch.Errorf(keepwatch.KindInvalid, "This step asks nothing. Write done, problem, back or stop.")
	case m.action == "out" && list.Steps[atStep(list, w)].Out == "":
		err = keepwatch.Errorf(keepwatch.KindInvalid, "There is no way out at this step. Write done, problem, back or stop.")
	case !slices.Contains([]string{"done", "out", "pass", "skip", "lost", "back", "stop"}, m.action):
		err = keepwatch.Errorf(keepwatch.KindInvalid, "%q is nothing that a step takes. Write done, problem, pass, back or stop, such as `/keepwatch step %s %d done`.", m.action, w.ID, w.Revision)
	case m.value != "":
		err = keepwatch.Errorf(keepwatch.KindInvalid, "This step asks nothing. If something went wrong, write it behind problem: `/keepwatch step %s %d problem …`", w.ID, w.Revision)
	}
	return m, false, err
}

// checkAnswer checks an answer, and gives it as it is kept.
func (r *Router) checkAnswer(ask keepwatch.ChecklistAsk, value string, zone *time.Location) (string, error) {
	switch ask.Type {
	case keepwatch.FieldChoice:
		for _, choice := range ask.Choices {
			if strings.EqualFold(choice, value) {
				return choice, nil
			}
		}
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%q is not one of the answers. There are: %s.", value, strings.Join(ask.Choices, ", "))
	case keepwatch.FieldDate:
		return r.checkDate(value, zone)
	}
	if ask.Custody != "" && keepwatch.LooksSecret(value) {
		return "", noSecret(`Write where it is recorded, such as "in the safe, blue folder".`)
	}
	return value, checkWords(value)
}

// checkDate reads a date that somebody saw, by the calendar of their zone. Whoever saw
// it may be further east still, at the most 14 hours ahead of UTC.
func (r *Router) checkDate(value string, zone *time.Location) (string, error) {
	now := r.cfg.Now()
	t, found, err := r.dateBy(dateWords(value), value, now.In(zone))
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%q is no date. Write it like this: %s.", value, now.In(zone).Format(time.DateOnly))
	case t.After(now.UTC().Add(14 * time.Hour)):
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%s is in the future. Which date did you see?", t.Format("2 January 2006"))
	}
	return t.Format(time.DateOnly), nil
}

// checkWords refuses what is too long to be kept, and what must not be.
func checkWords(text string) error {
	if n := utf8.RuneCountInString(text); n > maxAnswer {
		return keepwatch.Errorf(keepwatch.KindInvalid, "That is %d characters long, and at most %d are kept. Say it in fewer words.", n, maxAnswer)
	}
	if keepwatch.HoldsSecret(text) {
		return noSecret("Write it without the secret.")
	}
	return nil
}

func noSecret(instead string) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "That looks like a password or key itself. Nothing was saved: Keepwatch keeps no secret. %s If it was a real one and others could read this, change it.", instead)
}

// move saves what somebody does at a step, with what it attests, as one. It gives
// errMoved where the walk is no longer at the revision of w.
func (r *Router) move(c *call, list keepwatch.Checklist, w keepwatch.Walk, m move) (keepwatch.Walk, []keepwatch.Attestation, error) {
	now := r.cfg.Now().UTC()
	var said []keepwatch.Attestation
	after, err := r.cfg.Duties.Walks.ChangeWalk(w.ID, func(x *keepwatch.Walk) error {
		if x.Revision != w.Revision || !x.Ended.IsZero() {
			return errMoved
		}
		x.Revision++
		x.Changed = now
		apply(x, list, m, now)
		return nil
	}, func(x keepwatch.Walk) []keepwatch.Attestation {
		said = attested(x, list, m, c.person.Name)
		return said
	})
	if errors.Is(err, errMoved) {
		return w, nil, errMoved
	}
	if err != nil {
		return w, nil, fmt.Errorf("go on in checklist %s: %w", w.ID, err)
	}
	return after, said, nil
}

// atStep gives the step at which a walk is, within what its checklist has.
func atStep(list keepwatch.Checklist, w keepwatch.Walk) int {
	return max(0, min(w.At, len(list.Steps)-1))
}

// apply changes a walk as somebody wants it.
func apply(w *keepwatch.Walk, list keepwatch.Checklist, m move, now time.Time) {
	if m.action == "stop" {
		w.Ended, w.Outcome = now, keepwatch.AttestedStopped
		return
	}
	at := atStep(list, *w)
	w.Problems = slices.Clone(w.Problems)
	switch m.action {
	case "problem":
		addProblem(w, at, m.value, now)
		return
	case "lost":
		addProblem(w, at, "nobody knows where it is recorded", now)
		return
	case "back":
		w.At = max(0, at-1)
		w.Step = list.Steps[w.At].Title
		w.Times = w.Times[:min(len(w.Times), w.At)]
		return
	case "pass":
		if !hasProblem(*w, at) {
			addProblem(w, at, "", now)
		}
	case "skip":
		answer(w, list.Steps[at].Ask, "")
	case "done", "out":
		answer(w, list.Steps[at].Ask, m.value)
		for i := range w.Problems {
			w.Problems[i].Solved = w.Problems[i].Solved || w.Problems[i].Step == at || m.action == "out"
		}
	}
	w.At, w.Times = at+1, slices.Clone(w.Times[:min(len(w.Times), at)])
	if m.action == "out" {
		w.At = max(at+1, len(list.Steps)-1)
	}
	for len(w.Times) < w.At {
		w.Times = append(w.Times, now)
	}
	if w.At < len(list.Steps) {
		w.Step = list.Steps[w.At].Title
	}
	if w.At >= len(list.Steps) {
		w.Ended, w.Outcome = now, keepwatch.AttestedDone
		if len(openProblems(*w)) > 0 {
			w.Outcome = keepwatch.AttestedProblem
		}
	}
}

// answer keeps the answer to what a step asks; "" takes it out.
func answer(w *keepwatch.Walk, ask *keepwatch.ChecklistAsk, value string) {
	if ask == nil {
		return
	}
	answers := map[string]string{}
	for k, v := range w.Answers {
		answers[k] = v
	}
	if answers[ask.Name] = value; value == "" {
		delete(answers, ask.Name)
	}
	w.Answers = answers
}

// addProblem notes a problem at a step. What somebody writes belongs to the problem
// that they had said before without words.
func addProblem(w *keepwatch.Walk, at int, text string, now time.Time) {
	if n := len(w.Problems); n > 0 && w.Problems[n-1].Step == at && w.Problems[n-1].Text == "" && !w.Problems[n-1].Solved {
		w.Problems[n-1].Text = text
		return
	}
	if !slices.ContainsFunc(w.Problems, func(p keepwatch.WalkProblem) bool { return p.Step == at && p.Text == text && !p.Solved }) {
		w.Problems = append(w.Problems, keepwatch.WalkProblem{Step: at, At: now, Text: text})
	}
}

// hasProblem reports whether something is said not to work at a step.
func hasProblem(w keepwatch.Walk, at int) bool {
	return slices.ContainsFunc(w.Problems, func(p keepwatch.WalkProblem) bool { return p.Step == at && !p.Solved })
}

// openProblems gives what was not solved, in the order of the steps.
func openProblems(w keepwatch.Walk) []keepwatch.WalkProblem {
	open := slices.DeleteFunc(slices.Clone(w.Problems), func(p keepwatch.WalkProblem) bool { return p.Solved })
	slices.SortStableFunc(open, func(a, b keepwatch.WalkProblem) int { return a.Step - b.Step })
	return open
}
