package providers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"keepwatch"
)

// prepares reports whether the server of a run's source first has to make what is
// fetched.
func (b backup) prepares(run keepwatch.Run) bool {
	source, p, err := b.cfg.provider(run.Source)
	preparer, ok := p.(Preparer)
	return err == nil && ok && run.Ask.Held == "" && preparer.Prepares(jobOf(source, run))
}

// preparer is the provider of a step that only a Preparer has.
func (b backup) preparer(task keepwatch.Task) (Job, Preparer, error) {
	job, p, err := b.job(task)
	if err != nil {
		return job, nil, err
	}
	preparer, ok := p.(Preparer)
	if !ok {
		return job, nil, fmt.Errorf("providers: run %d has the step %q, and sources of kind %s have none", task.Run.ID, task.Step, job.Source.Kind)
	}
	return job, preparer, nil
}

// request has the server make what is fetched.
func (b backup) request(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	job, p, err := b.preparer(task)
	if err != nil {
		return task.Run.Result, err
	}
	b.cfg.Crash("providers.request.begun")
	err = p.Request(ctx, job)
	b.cfg.Crash("providers.request.made")
	return task.Run.Result, err
}

// wait lasts until the server has made it.
func (b backup) wait(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	job, p, err := b.preparer(task)
	if err != nil {
		return task.Run.Result, err
	}
	b.cfg.Crash("providers.wait.begun")
	err = p.Wait(ctx, job)
	b.cfg.Crash("providers.wait.over")
	return task.Run.Result, err
}

// release lets the server remove what it has made, now that our archive of it is
// verified and in its place. A backup never fails because of it. Where the archive is
// unlike those before it, the server's stays until somebody has looked.
func (b backup) release(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	note := func(text string) {
		result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Text: text})
	}
	maker := "the host"
	if run := task.Run; run.Step(stepDownload) != nil {
		maker = "Microsoft 365"
	}
	if len(result.Findings) > 0 {
		note("what " + maker + " has made stays there too, and takes up room, because this archive is unlike those before it. Once somebody has looked at it, remove it there by hand.")
		return result, nil
	}
	job, p, err := b.preparer(task)
	var notes []keepwatch.Note
	if err == nil {
		b.cfg.Crash("providers.release.begun")
		notes, err = p.Release(ctx, job)
		b.cfg.Crash("providers.release.over")
	}
	if context.Cause(ctx) != nil {
		return result, context.Cause(ctx)
	}
	if err != nil {
		b.cfg.Log.Error("what a host has made could not be removed there", "run", task.Run.ID, "source", task.Run.Source, "err", err)
		text := keepwatch.Sentence(err)
		if text == "" {
			text = "The log has the cause."
		}
		note("what " + maker + " has made could not be removed there, and takes up room until somebody does. " + text)
	}
	result.Notes = append(slices.Clone(result.Notes), notes[:min(len(notes), max(0, keepwatch.MaxNotes-len(result.Notes)))]...)
	return result, nil
}

// kept is Result.Remote as the works keep it for providers.
type kept struct {
	// Of is what the provider keeps: of a backup under "", of a restore under the name
	// of each step.
	Of map[string]json.RawMessage `json:"of"`
	// Stops is how often each step had stopped for a person when something was last kept
	// in it.
	Stops map[string]int `json:"stops,omitempty"`
}

// remember joins a job to what its run keeps of the server under a name. A person's
// retry counts until something is kept after it: done again after a kill, the step
// must not take it for another one, and begin for the third time.
func remember(job *Job, task keepwatch.Task, of string) error {
	var k kept
	if data := task.Run.Result.Remote; len(data) > 0 {
		if err := json.Unmarshal(data, &k); err != nil {
			return fmt.Errorf("read what run %d keeps of the server: %w", task.Run.ID, err)
		}
	}
	stops := 0
	for _, f := range task.Run.Failures {
		if f.Step == task.Step {
			stops++
		}
	}
	job.Remote, job.Retried = k.Of[of], stops > k.Stops[task.Step]
	if task.Keep == nil {
		return nil
	}
	job.Keep = func(remote json.RawMessage) error {
		next := kept{maps.Clone(k.Of), maps.Clone(k.Stops)}
		if next.Of == nil {
			next.Of = map[string]json.RawMessage{}
		}
		next.Of[of] = slices.Clone(remote)
		if stops > 0 {
			if next.Stops == nil {
				next.Stops = map[string]int{}
			}
			next.Stops[task.Step] = stops
		}
		data, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("keep what the server does for run %d: %w", task.Run.ID, err)
		}
		if err := task.Keep(data); err != nil {
			return err
		}
		k = next
		return nil
	}
	return nil
}
