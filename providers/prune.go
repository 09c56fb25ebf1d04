package providers

import (
	"context"
	"slices"

	"keepwatch"
)

// pruning removes archives.
type pruning struct{ cfg Config }

func pruneWork(cfg Config) *Work {
	p := pruning{cfg}
	return &Work{steps: []step{{name: "prune", do: p.asked}}}
}

// asked removes what a confirmed plan names, as far as the policy still says
// so: what became the only good one in the meantime stays.
func (p pruning) asked(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	archives, err := p.cfg.Archives.Archives(task.Run.Source)
	if err != nil {
		return task.Run.Result, err
	}
	if newest, paused := keepwatch.Paused(archives, p.cfg.Now()); paused {
		return task.Run.Result, keepwatch.Errorf(keepwatch.KindAttention, "Pruning of %s is paused: %s Accept that first, then retry.", task.Run.Source, newest.Findings[0].Text)
	}
	var remove []string
	for _, d := range p.cfg.Keep.Decide(archives, p.cfg.Now(), p.cfg.Location) {
		if !d.Keep && slices.Contains(task.Run.Ask.Remove, d.Archive.Ref()) {
			remove = append(remove, d.Archive.Ref())
		}
	}
	return p.remove(ctx, task, remove)
}

// remove takes archives out of the vault and then out of the records. The vault
// renames a folder into its trash first, so a kill in between leaves a record
// whose folder is gone: the step is done again, finds no folder, and removes the
// record. The other way round it would leave a folder that nobody knows.
func (p pruning) remove(ctx context.Context, task keepwatch.Task, refs []string) (keepwatch.Result, error) {
	result := task.Run.Result
	open, err := p.cfg.Archives.OpenRuns()
	if err != nil {
		return result, err
	}
	for i, ref := range refs {
		if err := context.Cause(ctx); err != nil {
			return result, err
		}
		if user := readerOf(open, ref); user != 0 {
			result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Path: ref, Text: "not removed now: a run is reading it"})
			continue
		}
		if err := p.cfg.Vault.Remove(ref); err != nil {
			return result, err
		}
		p.cfg.Crash("providers.prune.before-record")
		if err := p.cfg.Archives.DeleteArchive(ref); err != nil {
			return result, err
		}
		p.cfg.Crash("providers.prune.after-record")
		result.Removed = append(slices.Clone(result.Removed), ref)
		task.Report(keepwatch.Progress{Items: int64(i + 1), TotalItems: int64(len(refs))})
	}
	return result, nil
}

// readerOf gives the number of an open run that reads an archive, or 0.
func readerOf(open []keepwatch.Run, ref string) int64 {
	for _, r := range open {
		if r.Ask.Archive == ref && (r.Kind == keepwatch.RunVerify || r.Kind == keepwatch.RunRestore) {
			return r.ID
		}
	}
	return 0
}
