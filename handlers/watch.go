package handlers

import (
	"context"

	"keepwatch"
)

// watchCommand shows a run in another channel than the one that it was started
// in.
func (r *Router) watchCommand() Command {
	return Command{
		Group: "backup", Name: "watch", Role: keepwatch.RoleViewer, run: r.watch, Card: true,
		Summary:  "Show here how a run goes on, wherever it was started",
		Options:  []Option{{Name: "run", Type: TypeRun, Required: true, Summary: "the number of a run"}},
		Examples: []string{"backup watch 42"},
	}
}

func (r *Router) watch(_ context.Context, c *call) (keepwatch.Message, error) {
	id, err := r.runNumber(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	run, err := r.cfg.Runs.Run(id)
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Source = run.Source
	return r.RunMessage(run), nil
}
