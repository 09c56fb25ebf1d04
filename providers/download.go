package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"keepwatch"
)

// stepDownload is the step of a Downloader.
const stepDownload = "download"

// downloads reports whether what a run backs up is first brought onto this machine.
func (b backup) downloads(run keepwatch.Run) bool {
	source, p, err := b.cfg.provider(run.Source)
	d, ok := p.(Downloader)
	return err == nil && ok && d.Downloads(jobOf(source, run))
}

// download brings it here. What it has brought stays over kills, transient errors and
// stops for attention: it goes on from there.
func (b backup) download(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	job, p, err := b.job(task)
	if err != nil {
		return result, err
	}
	d, ok := p.(Downloader)
	if !ok {
		return result, fmt.Errorf("providers: run %d has the step %q, and sources of kind %s have none", task.Run.ID, task.Step, job.Source.Kind)
	}
	job.goesOn(&result)
	job.measured(result.Plan)
	if err := b.advancing(&job, task); err != nil {
		return result, err
	}
	b.cfg.Crash("providers.download.begun")
	err = d.Download(ctx, job)
	b.cfg.Crash("providers.download.over")
	if cause := context.Cause(ctx); err == nil && cause != nil {
		err = cause
	}
	return result, err
}

// goesOn has a job say in a result which archive it goes on from.
func (j *Job) goesOn(result *keepwatch.Result) {
	if j.Changes != nil {
		j.Changes = func(base string) { result.Base = base }
	}
}

// measured has a job report its progress against what was planned, where its provider
// does not know better by now.
func (j *Job) measured(plan *keepwatch.Plan) {
	if plan == nil {
		return
	}
	report := j.Report
	j.Report = func(pr keepwatch.Progress) {
		if pr.TotalBytes == 0 && pr.TotalItems == 0 {
			pr.TotalBytes, pr.TotalItems = max(plan.Bytes, pr.Bytes), max(plan.Items, pr.Items)
		}
		report(pr)
	}
}

// reach is how far a download has come, over all its tries.
type reach struct {
	Items int64 `json:"items,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`
}

// reachEvery is how often it is saved at the most.
const reachEvery = 10 * time.Second

// advancing saves with the run that its download gets on. A step that is cut off several
// times is taken for what stops the bot; one that is further each time is not, and a
// mailbox of days outlives any number of restarts.
func (b backup) advancing(job *Job, task keepwatch.Task) error {
	if task.Checkpoint == nil {
		return nil
	}
	var furthest reach
	if data := task.Run.Result.Checkpoint; len(data) > 0 {
		if err := json.Unmarshal(data, &furthest); err != nil {
			return fmt.Errorf("read how far the download of run %d was: %w", task.Run.ID, err)
		}
	}
	var lanes sync.Mutex // several calls to a server may be under way
	var saved time.Time
	report := job.Report
	job.Report = func(pr keepwatch.Progress) {
		lanes.Lock()
		defer lanes.Unlock()
		report(pr)
		now := b.cfg.Now()
		if pr.Items <= furthest.Items && pr.Bytes <= furthest.Bytes || now.Sub(saved) < reachEvery {
			return
		}
		furthest, saved = reach{max(pr.Items, furthest.Items), max(pr.Bytes, furthest.Bytes)}, now
		data, err := json.Marshal(furthest)
		if err == nil {
			err = task.Checkpoint(data)
		}
		if err != nil { // whether there is room, what is downloaded finds out itself
			b.cfg.Log.Warn("how far a download is could not be saved", "run", task.Run.ID, "err", err)
		}
	}
	return nil
}

// clear removes what was downloaded for a run, now that its archive is in its place. A
// backup never fails because of it.
func (b backup) clear(task keepwatch.Task, result *keepwatch.Result) {
	b.cfg.Crash("providers.clear.begun")
	err := b.forgetDownload(task.Run)
	if err == nil && task.Run.Step(stepDownload) != nil && task.Keep != nil {
		err = task.Keep(nil) // the key of what was downloaded goes with it
	}
	if err != nil {
		b.cfg.Log.Error("what was downloaded for a backup could not be removed", "run", task.Run.ID, "source", task.Run.Source, "err", err)
		text := keepwatch.Sentence(err)
		if text == "" {
			text = "The log has the cause."
		}
		result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "what was downloaded for it could not be removed from this machine, and takes up room there. " + text})
	}
	b.cfg.Crash("providers.clear.over")
}

// forgetDownload removes what was downloaded for a run. Its source may have left the
// configuration meanwhile, so whoever downloads anything is asked.
func (b backup) forgetDownload(run keepwatch.Run) error {
	if run.Step(stepDownload) == nil {
		return nil
	}
	var failed error
	for _, p := range b.cfg.Providers {
		if d, ok := p.(Downloader); ok {
			failed = errors.Join(failed, d.Discard(run.ID))
		}
	}
	return failed
}
