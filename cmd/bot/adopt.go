package main

import (
	"log/slog"
	"slices"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/vault"
)

// annotated is the records, with what people say about archives written beside
// the archives too, so that it outlives the state.
type annotated struct {
	*store.Records
	vault *vault.Vault
	log   *slog.Logger
}

func (a *app) archives() annotated { return annotated{a.records, a.vault, a.log} }

// UpdateArchive is that of the records. That the copy beside the archive could
// not be written undoes nothing: the next start tries again. Whether an archive is
// pinned is a person's word, which settles what a damaged copy may have said.
func (r annotated) UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error) {
	settled := false
	a, err := r.Records.UpdateArchive(ref, func(a *keepwatch.Archive) error {
		before := *a
		if err := change(a); err != nil {
			return err
		}
		if settled = a.Pinned != before.Pinned; settled {
			a.Unread = false
		}
		if !vault.SameRecord(before, *a) {
			a.Revision = before.Revision + 1
		}
		return nil
	})
	if err == nil {
		r.annotate(a, settled)
	}
	return a, err
}

func (r annotated) annotate(a keepwatch.Archive, settled bool) {
	if err := r.vault.Annotate(a, settled); err != nil {
		r.log.Warn("what is known about an archive could not be written beside it; the next start tries again", "archive", a.Ref(), "err", err)
	}
}

// reconcile brings what the state knows and what is written beside an archive
// together.
func (r annotated) reconcile(known keepwatch.Archive) error {
	a := r.vault.Reconcile(known)
	if a.Unread == known.Unread && a.Revision == known.Revision {
		r.annotate(known, false)
		return nil
	}
	if a.Unread {
		r.log.Error("the record.json beside an archive cannot be understood; the archive counts as pinned until somebody pins it or ends that", "archive", a.Ref())
	} else if a.Revision != known.Revision {
		r.log.Warn("more is written beside an archive than the state knew, as after an older copy of it was put back; both are kept", "archive", a.Ref())
	}
	if err := r.SaveArchive(a); err != nil { // nothing else changes records before the start is over
		return err
	}
	r.annotate(a, false)
	return nil
}

// adopt records the archives that lie in the vault and that the state does not
// know, as after the state was lost, with what was written beside them. They
// count once somebody verifies them. For those that it knows, the state and what
// is written beside them are brought together.
func (a *app) adopt() error {
	found, err := a.vault.List()
	if err != nil {
		return err
	}
	known, err := a.records.Archives("")
	if err != nil {
		return err
	}
	open, err := a.records.OpenRuns()
	if err != nil {
		return err
	}
	for _, f := range found {
		if at := slices.IndexFunc(known, func(k keepwatch.Archive) bool { return k.Ref() == f.Ref() }); at >= 0 {
			if err := a.archives().reconcile(known[at]); err != nil {
				return err
			}
			continue
		}
		if slices.ContainsFunc(open, func(r keepwatch.Run) bool { return r.ID == f.Run && r.Source == f.Source && r.Started.Equal(f.Started) }) {
			continue // that run records it
		}
		a.log.Warn("an archive lies in the vault that the state did not know; it is listed again, and counts once it is verified", "archive", f.Ref())
		if err := a.records.SaveArchive(f); err != nil {
			return err
		}
		if err := a.catalog.adopt(f); err != nil {
			return err
		}
	}
	return nil
}
