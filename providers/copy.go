package providers

import (
	"context"
	"slices"

	"keepwatch"
)

// Copier puts copies of archives into other places.
type Copier interface {
	// CopyTo copies an archive into a folder, and reads the copy back; see
	// vault.Vault. fresh: nothing was copied there yet.
	CopyTo(ctx context.Context, a keepwatch.Archive, place string, fresh bool, report func(keepwatch.Progress)) error
}

// copy puts what is verified and has no good copy yet into each of the places,
// oldest first: what a place that was away has missed is made up for. The archive is
// in the vault already, so a place that does not work fails no run: it is said on
// the card, kept with the archive, and the next backup tries again.
func (b backup) copy(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result := task.Run.Result
	for _, place := range b.cfg.Copies {
		if err := b.copyTo(ctx, task, place); err != nil {
			if context.Cause(ctx) != nil {
				return result, err
			}
			b.cfg.Log.Error("archives could not be copied", "run", task.Run.ID, "source", task.Run.Source, "place", place, "err", err)
			text := keepwatch.Sentence(err)
			if text == "" {
				text = "It could not be copied to " + place + "; the log has the cause."
			}
			result.Notes = append(slices.Clone(result.Notes), keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "there is no copy at " + place + ". " + text})
			continue
		}
		result.Copied = append(slices.Clone(result.Copied), place)
	}
	return result, nil
}

// copyTo brings a place up to date for the source of a run.
func (b backup) copyTo(ctx context.Context, task keepwatch.Task, place string) error {
	all, err := b.cfg.Archives.Archives("")
	if err != nil {
		return err
	}
	fresh := !slices.ContainsFunc(all, func(a keepwatch.Archive) bool { _, there := copyAt(a, place); return there })
	slices.SortStableFunc(all, func(x, y keepwatch.Archive) int { return x.Started.Compare(y.Started) })
	for _, a := range all {
		c, there := copyAt(a, place)
		if a.Source != task.Run.Source || !a.IsVerified() || there && c.Trouble == "" {
			continue
		}
		copied := b.cfg.Copier.CopyTo(ctx, a, place, fresh, task.Report)
		if context.Cause(ctx) != nil {
			return copied
		}
		b.cfg.Crash("providers.copy.copied")
		if err := b.noteCopy(a.Ref(), place, copied); err != nil {
			return err
		}
		if copied != nil {
			return copied
		}
		fresh = false
	}
	return nil
}

// noteCopy keeps with an archive what came of copying it.
func (b backup) noteCopy(ref, place string, copied error) error {
	now := b.cfg.Now().UTC()
	_, err := b.cfg.Archives.UpdateArchive(ref, func(a *keepwatch.Archive) error {
		c, there := copyAt(*a, place)
		switch {
		case copied == nil:
			if !there {
				c.At = now
			}
			c.Verified, c.Trouble = now, ""
		case !there:
			return nil // there is none: no word about it
		default:
			c.Trouble = keepwatch.Sentence(copied)
		}
		c.Place = place
		a.Copies = append(slices.DeleteFunc(slices.Clone(a.Copies), func(o keepwatch.Copy) bool { return o.Place == place }), c)
		return nil
	})
	return err
}

// copyAt gives the copy of an archive in a place.
func copyAt(a keepwatch.Archive, place string) (keepwatch.Copy, bool) {
	for _, c := range a.Copies {
		if c.Place == place {
			return c, true
		}
	}
	return keepwatch.Copy{}, false
}
