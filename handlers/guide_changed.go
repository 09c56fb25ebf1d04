package handlers

import (
	"errors"
	"fmt"
	"slices"

	"keepwatch"
)

// strayed reports whether the step that a walk is at is another one now: somebody
// changed the file of the checklist while they were in the middle of it.
func strayed(list keepwatch.Checklist, w keepwatch.Walk) bool {
	return w.Step != "" && len(list.Steps) > 0 && list.Steps[atStep(list, w)].Title != w.Step
}

// relocate puts a walk at the step that it was at, wherever that stands now, and shows
// it. What was pressed was meant for what the message said, and moves nothing.
func (r *Router) relocate(c *call, list keepwatch.Checklist, w keepwatch.Walk) (keepwatch.Message, error) {
	after, err := r.cfg.Duties.Walks.ChangeWalk(w.ID, func(x *keepwatch.Walk) error {
		if x.Revision != w.Revision || !x.Ended.IsZero() {
			return errMoved
		}
		x.Revision++
		if at := slices.IndexFunc(list.Steps, func(s keepwatch.ChecklistStep) bool { return s.Title == x.Step }); at >= 0 {
			x.At = at
		}
		x.At = atStep(list, *x)
		x.Times = slices.Clone(x.Times[:min(len(x.Times), x.At)])
		for len(x.Times) < x.At { // of steps that are new nobody knows
			x.Times = append(x.Times, x.Changed)
		}
		x.Step = list.Steps[x.At].Title
		return nil
	}, func(keepwatch.Walk) []keepwatch.Attestation { return nil })
	if errors.Is(err, errMoved) {
		return r.moved(c, list, w)
	}
	if err != nil {
		return keepwatch.Message{}, r.wayBack(w, fmt.Errorf("find the step of checklist %s: %w", w.ID, err))
	}
	return r.walkMessage(c, list, after, "This checklist was changed meanwhile. Look at the step again: this is where it is now."), nil
}
