package providers

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// clear removes what was downloaded for a run, now that its archive is in its place. A
// backup never fails because of it.
func (b backup) clear(task keepwatch.Task, result *keepwatch.Result) {
	b.cfg.Crash("providers.clear.begun")
	if err := b.forgetDownload(task.Run); err != nil {
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
