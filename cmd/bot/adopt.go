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
// not be written undoes nothing: the next start tries again.
func (r annotated) UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error) {
	a, err := r.Records.UpdateArchive(ref, change)
	if err == nil {
		r.annotate(a)
	}
	return a, err
}

func (r annotated) annotate(a keepwatch.Archive) {
	if err := r.vault.Annotate(a); err != nil {
		r.log.Warn("what is known about an archive could not be written beside it; the next start tries again", "archive", a.Ref(), "err", err)
	}
}

// adopt records the archives that lie in the vault and that the state does not
// know, as after the state was lost, with what was written beside them. They
// count once somebody verifies them. For those that it knows it sees that what
// is written beside them is up to date.
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
			a.archives().annotate(known[at])
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
