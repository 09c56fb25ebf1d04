package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"keepwatch"
)

// pruning removes archives.
type pruning struct{ cfg Config }

func pruneWork(cfg Config) *Work {
	p := pruning{cfg}
	return &Work{steps: always(step{name: "prune", do: p.asked})}
}

// asked removes what a confirmed plan names, as far as the policy still says
// so: what became the only good one in the meantime stays. From then on backups
// of the source apply the policy by themselves, until it changes.
func (p pruning) asked(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result, err := p.settle(task)
	task.Run.Result = result
	if err != nil {
		return result, err
	}
	now, err := p.decide(task.Run.Source)
	if err != nil {
		return result, err
	}
	if now.paused != "" {
		// it fails and does not wait: backups of the source would wait with it
		return result, keepwatch.Errorf(keepwatch.KindConflict, "Pruning of %s is paused: %s Nothing was removed. Accept that first, then prune again.", task.Run.Source, now.paused)
	}
	if now.wait != "" {
		return result, keepwatch.Errorf(keepwatch.KindConflict, "Nothing was removed: %s Prune again when that is over.", now.wait)
	}
	var remove []string
	for _, ref := range now.remove {
		if slices.Contains(task.Run.Ask.Remove, ref) {
			remove = append(remove, ref)
		}
	}
	if rules := p.cfg.Keep.Rules(p.cfg.Location); task.Run.Ask.Rules == rules {
		if err := p.cfg.Archives.Confirm(task.Run.Source, rules); err != nil {
			return result, err
		}
	}
	return p.remove(ctx, task, remove)
}

// standing is what the rules say of a source's archives at one moment.
type standing struct {
	odd    string            // Ref of the archive that pauses it
	paused string            // why nothing may be removed until a person has acted; "": it is not so
	wait   string            // why nothing can be removed at the moment; "": no reason
	remove []string          // Refs, in the order in which they may go; see keepwatch.Removals
	bases  map[string]string // what archives go on from, each with the Ref of one that does
}

// decide applies the rules to a source's archives as they are now. It is not
// enough that a record says that the newer one is fine: one that is not in the
// vault any more, whole, does not count. Who reads is asked before what was
// found: a reading that ended in between has told of it by then.
func (p pruning) decide(source string) (standing, error) {
	open, err := p.cfg.Archives.OpenRuns()
	if err != nil {
		return standing{}, err
	}
	archives, err := p.cfg.Archives.Archives(source)
	if err != nil {
		return standing{}, err
	}
	archives = p.cfg.present(archives)
	now := standing{bases: map[string]string{}}
	for _, a := range archives {
		if a.Base != "" {
			now.bases[a.Base] = a.Ref()
		}
	}
	if newest, paused := keepwatch.Paused(archives, p.cfg.Now()); paused {
		now.odd, now.paused = newest.Ref(), newest.Findings[0].Text
	}
	decided := p.cfg.Keep.Decide(archives, p.cfg.Now(), p.cfg.Location)
	now.wait = wait(open, decided)
	now.remove = keepwatch.Removals(decided)
	return now, nil
}

// wait says in a sentence why nothing can be removed at the moment: an archive
// that the rules count on is being read, and may be found damaged by that. "" is
// no reason.
func wait(open []keepwatch.Run, decided []keepwatch.Decision) string {
	for _, d := range decided {
		for _, r := range open {
			if d.Keep && !r.State.Settled() && reads(r, d.Archive.Ref()) {
				return fmt.Sprintf("run %d is reading %s, which the rules count on.", r.ID, d.Archive.Ref())
			}
		}
	}
	return ""
}

// settle ends what an earlier prune of the source has begun: one whose removal was
// cut off between the vault and the records is forgotten, and one whose removal
// came to nothing is no longer one that is meant to be gone.
func (p pruning) settle(task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	if len(result.Checkpoint) > 0 { // what an earlier try had removed
		if err := json.Unmarshal(result.Checkpoint, &result.Removed); err != nil {
			return result, fmt.Errorf("read what was removed so far: %w", err)
		}
	}
	archives, err := p.cfg.Archives.Archives(task.Run.Source)
	if err != nil {
		return result, err
	}
	for _, a := range archives {
		gone := p.cfg.Vault.Missing(a)
		switch {
		case gone != "" && a.Removing:
			err = p.forget(task, a.Ref(), &result)
		case gone != "":
			p.cfg.Log.Error("an archive is not in the vault as it should be, and does not count", "archive", a.Ref(), "why", gone)
		case a.Removing:
			err = p.unmark(a.Ref())
		}
		if err != nil {
			return result, err
		}
	}
	return result, nil
}

// remove takes archives out of the vault and then out of the records. That it
// is going to happen is saved before: a kill in between leaves a record whose
// folder is gone, and whoever finds it must be able to tell that from a loss.
//
// Before each of them it is decided anew, after that was saved: what others find
// out meanwhile, or say about an archive, counts up to the last moment. From then
// on nobody can pin it.
func (p pruning) remove(ctx context.Context, task keepwatch.Task, refs []string) (keepwatch.Result, error) {
	result := task.Run.Result
	for i, ref := range refs {
		if err := context.Cause(ctx); err != nil {
			return result, err
		}
		a, stays, err := p.mark(task.Run.Source, ref)
		if err != nil {
			return result, err
		}
		if stays != "" {
			result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Path: ref, Text: "not removed now: " + stays})
			continue
		}
		if err := p.cfg.Vault.Remove(ref); err != nil {
			if p.cfg.Vault.Missing(a) == "" { // it is all there still, and may be pinned
				err = errors.Join(err, p.unmark(ref))
			}
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

// errPinned keeps a mark from being set on an archive that was pinned meanwhile.
var errPinned = errors.New("it was pinned meanwhile")

// mark saves that an archive is going to be removed, if it still is; stays says
// why it is not.
func (p pruning) mark(source, ref string) (a keepwatch.Archive, stays string, err error) {
	a, err = p.cfg.Archives.UpdateArchive(ref, func(a *keepwatch.Archive) error {
		if a.Pinned != "" {
			return errPinned
		}
		a.Removing = true
		return nil
	})
	if errors.Is(err, errPinned) {
		return a, errPinned.Error() + ".", nil
	}
	if err != nil {
		return a, "", err
	}
	p.cfg.Crash("providers.prune.marked")
	if stays, err = p.stays(source, ref); err != nil || stays != "" {
		err = errors.Join(err, p.unmark(ref))
	}
	return a, stays, err
}

// stays says why an archive is not to be removed now; "" is no reason.
func (p pruning) stays(source, ref string) (string, error) {
	open, err := p.cfg.Archives.OpenRuns() // a restore may have begun since
	if err != nil {
		return "", err
	}
	now, err := p.decide(source)
	switch {
	case err != nil:
		return "", err
	case readerOf(open, ref) != 0:
		return "a run is reading it", nil
	case now.paused != "":
		return "pruning is paused. " + now.paused, nil
	case now.wait != "":
		return now.wait, nil
	case now.bases[ref] != "": // it is in no plan that was shown, or has just been found
		return now.bases[ref] + " goes on from it.", nil
	case !slices.Contains(now.remove, ref):
		return "the rules keep it as the archives are now.", nil
	}
	return "", nil
}

// unmark takes back that an archive is going to be removed. If it is lost some
// day, that is a loss.
func (p pruning) unmark(ref string) error {
	_, err := p.cfg.Archives.UpdateArchive(ref, func(a *keepwatch.Archive) error { a.Removing = false; return nil })
	return err
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

// reads reports whether a run reads an archive: the one that it names, or one of those that
// what it puts back is put together from.
func reads(r keepwatch.Run, ref string) bool {
	if r.Kind != keepwatch.RunVerify && r.Kind != keepwatch.RunRestore {
		return false
	}
	return r.Ask.Archive == ref || slices.ContainsFunc(r.Ask.Return, func(i keepwatch.ReturnItem) bool {
		return i.Archive == ref || slices.Contains(i.With, ref)
	})
}
