package handlers

import (
	"fmt"
	"strings"

	"keepwatch"
)

// attested gives what a move attests: where a secret is recorded, and how the walk
// ended. The IDs are the same whenever it is made for the same move.
func attested(w keepwatch.Walk, list keepwatch.Checklist, m move, by string) (said []keepwatch.Attestation) {
	base := keepwatch.Attestation{Person: w.Person, By: by, Said: w.Changed}
	if at := custodyStep(w, list, m); at >= 0 {
		a := base
		a.ID = fmt.Sprintf("%s-%d-custody", w.ID, w.Revision)
		a.Subject = keepwatch.CustodySubject(strings.ReplaceAll(list.Steps[at].Ask.Custody, "{person}", keepwatch.PersonWord(w.Person)))
		if a.State, a.Where = keepwatch.AttestedRecorded, m.value; m.action == "lost" {
			a.State, a.Where = keepwatch.AttestedLost, ""
		}
		said = append(said, a)
	}
	if !w.Ended.IsZero() {
		a := base
		a.ID, a.State, a.Remarks = fmt.Sprintf("%s-%d-end", w.ID, w.Revision), w.Outcome, remarks(w, list)
		if a.Subject = keepwatch.ChecklistSubject(w.Checklist); list.Group == drillGroup {
			a.Subject = keepwatch.DrillSubject(w.Person)
		}
		said = append(said, a)
	}
	return said
}

// custodyStep gives the step whose answer says where a secret is, or -1. w is the walk
// after the move.
func custodyStep(w keepwatch.Walk, list keepwatch.Checklist, m move) int {
	at := -1
	switch {
	case m.action == "done" && m.value != "":
		at = w.At - 1
	case m.action == "lost":
		at = atStep(list, w)
	}
	if at < 0 || at >= len(list.Steps) || list.Steps[at].Ask == nil || list.Steps[at].Ask.Custody == "" {
		return -1
	}
	return at
}

// remarks says in words what is to be known of a walk that has ended.
func remarks(w keepwatch.Walk, list keepwatch.Checklist) string {
	var parts []string
	if w.Outcome == keepwatch.AttestedStopped {
		parts = append(parts, fmt.Sprintf("stopped at step %d of %d", atStep(list, w)+1, max(len(list.Steps), 1)))
	}
	if list.Group == drillGroup {
		parts = append(parts, "took "+keepwatch.FormatDuration(w.Ended.Sub(w.Begun)))
	}
	for _, p := range openProblems(w) {
		parts = append(parts, problemText(list, p))
	}
	for _, step := range list.Steps {
		if step.Ask != nil && step.Ask.Custody == "" && w.Answers[step.Ask.Name] != "" {
			parts = append(parts, step.Ask.Name+": "+w.Answers[step.Ask.Name])
		}
	}
	return strings.Join(parts, "; ")
}

// problemText names a problem by its step.
func problemText(list keepwatch.Checklist, p keepwatch.WalkProblem) string {
	text := fmt.Sprintf("step %d", p.Step+1)
	if p.Step < len(list.Steps) {
		text += ", " + list.Steps[p.Step].Title
	}
	if p.Text != "" {
		text += ": " + p.Text
	}
	return text
}
