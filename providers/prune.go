package providers

import (
	"context"
	"encoding/json"
	"fmt"
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
// so: what became the only good one in the meantime stays. From then on backups
// of the source apply the policy by themselves, until it changes.
func (p pruning) asked(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	archives, result, err := p.standing(task)
	task.Run.Result = result
	if err != nil {
		return result, err
	}
	if newest, paused := keepwatch.Paused(archives, p.cfg.Now()); paused {
		// it fails and does not wait: backups of the source would wait with it
		return result, keepwatch.Errorf(keepwatch.KindConflict, "Pruning of %s is paused: %s Nothing was removed. Accept that first, then prune again.", task.Run.Source, newest.Findings[0].Text)
	}
	decided := p.cfg.Keep.Decide(archives, p.cfg.Now(), p.cfg.Location)
	wait, err := p.wait(decided)
	if err != nil {
		return result, err
	}
	if wait != "" {
		return result, keepwatch.Errorf(keepwatch.KindConflict, "Nothing was removed: %s Prune again when that is over.", wait)
	}
	var remove []string
	for _, d := range decided {
		if !d.Keep && slices.Contains(task.Run.Ask.Remove, d.Archive.Ref()) {
			remove = append(remove, d.Archive.Ref())
		}
	}
	if rules := p.cfg.Keep.String(); task.Run.Ask.Rules == rules {
		if err := p.cfg.Archives.Confirm(task.Run.Source, rules); err != nil {
			return result, err
		}
	}
	return p.remove(ctx, task, remove)
}

// wait says in a sentence why nothing can be removed at the moment: an archive
// that the rules count on is being read, and may be found damaged by that. "" is
// no reason.
func (p pruning) wait(decided []keepwatch.Decision) (string, error) {
	open, err := p.cfg.Archives.OpenRuns()
	if err != nil {
		return "", err
	}
	for _, d := range decided {
		for _, r := range open {
			if d.Keep && !r.State.Settled() && reads(r, d.Archive.Ref()) {
				return fmt.Sprintf("run %d is reading %s, which the rules count on.", r.ID, d.Archive.Ref()), nil
			}
		}
	}
	return "", nil
}

// standing gives the archives of a source. Before anything is removed it is not
// enough that a record says that the newer one is fine: one that is not in the
// vault any more, whole, does not count. One whose removal was cut off between
// the vault and the records is forgotten first.
func (p pruning) standing(task keepwatch.Task) ([]keepwatch.Archive, keepwatch.Result, error) {
	result := task.Run.Result
	if len(result.Checkpoint) > 0 { // what an earlier try had removed
		if err := json.Unmarshal(result.Checkpoint, &result.Removed); err != nil {
			return nil, result, fmt.Errorf("read what was removed so far: %w", err)
		}
	}
	archives, err := p.cfg.Archives.Archives(task.Run.Source)
	if err != nil {
		return nil, result, err
	}
	var standing []keepwatch.Archive
	for _, a := range archives {
		gone := p.cfg.Vault.Missing(a)
		switch {
		case gone != "" && a.Removing:
			if err := p.forget(task, a.Ref(), &result); err != nil {
				return nil, result, err
			}
			continue
		case gone != "":
			a = a.Gone(p.cfg.Now(), gone)
			p.cfg.Log.Error("an archive is not in the vault as it should be, and does not count", "archive", a.Ref(), "why", gone)
		case a.Removing: // that came to nothing; if it is lost some day, it is a loss
			if a, err = p.cfg.Archives.UpdateArchive(a.Ref(), func(a *keepwatch.Archive) error { a.Removing = false; return nil }); err != nil {
				return nil, result, err
			}
		}
		standing = append(standing, a)
	}
	return standing, result, nil
}

// remove takes archives out of the vault and then out of the records. That it
// is going to happen is saved before: a kill in between leaves a record whose
// folder is gone, and whoever finds it must be able to tell that from a loss.
func (p pruning) remove(ctx context.Context, task keepwatch.Task, refs []string) (keepwatch.Result, error) {
	result := task.Run.Result
	for i, ref := range refs {
		if err := context.Cause(ctx); err != nil {
			return result, err
		}
		open, err := p.cfg.Archives.OpenRuns() // anew each time: a restore may have begun since
		if err != nil {
			return result, err
		}
		if user := readerOf(open, ref); user != 0 {
			result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Path: ref, Text: "not removed now: a run is reading it"})
			continue
		}
		if _, err := p.cfg.Archives.UpdateArchive(ref, func(a *keepwatch.Archive) error { a.Removing = true; return nil }); err != nil {
			return result, err
		}
		p.cfg.Crash("providers.prune.marked")
		if err := p.cfg.Vault.Remove(ref); err != nil {
			return result, err
		}
		p.cfg.Crash("providers.prune.before-record")
		if err := p.forget(task, ref, &result); err != nil {
			return result, err
		}
		p.cfg.Crash("providers.prune.after-record")
		task.Report(keepwatch.Progress{Items: int64(i + 1), TotalItems: int64(len(refs))})
	}
	return result, nil
}

// forget removes the record of an archive that is out of the vault. That it was
// removed is saved with the run first, so that its card says so after a kill too.
func (p pruning) forget(task keepwatch.Task, ref string, result *keepwatch.Result) error {
	if !slices.Contains(result.Removed, ref) {
		result.Removed = append(slices.Clone(result.Removed), ref)
	}
	if task.Checkpoint != nil {
		data, err := json.Marshal(result.Removed)
		if err == nil {
			err = task.Checkpoint(data)
		}
		if err != nil {
			return fmt.Errorf("keep what was removed: %w", err)
		}
	}
	p.cfg.Crash("providers.prune.told")
	return p.cfg.Archives.DeleteArchive(ref)
}

// readerOf gives the number of an open run that reads an archive, or 0.
func readerOf(open []keepwatch.Run, ref string) int64 {
	for _, r := range open {
		if reads(r, ref) {
			return r.ID
		}
	}
	return 0
}

func reads(r keepwatch.Run, ref string) bool {
	return r.Ask.Archive == ref && (r.Kind == keepwatch.RunVerify || r.Kind == keepwatch.RunRestore)
}
