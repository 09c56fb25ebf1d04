package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// Keys: archive/<source>/<stamp>. Stamps sort by time.

func archiveKey(ref string) string { return "archive/" + ref }

func archiveMissing(ref string) error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive %s. `/backup list` shows those that there are.", ref)
}

// SaveArchive saves the record of an archive, over an older one of it.
func (r *Records) SaveArchive(a keepwatch.Archive) error {
	if err := validSource(a.Source); err != nil {
		return err
	}
	if a.Stamp == "" || strings.Contains(a.Stamp, "/") {
		return fmt.Errorf("save archive: %q is no stamp", a.Stamp)
	}
	a.Version = version
	return r.store.Update(func(tx Tx) error { return put(tx, archiveKey(a.Ref()), a) })
}

// UpdateArchive changes the record of an archive in one transaction and gives
// it as it is then. change may run more than once.
func (r *Records) UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error) {
	var out keepwatch.Archive
	err := r.store.Update(func(tx Tx) error {
		var a keepwatch.Archive
		found, err := get(tx, archiveKey(ref), &a)
		if err != nil {
			return err
		}
		if !found {
			return archiveMissing(ref)
		}
		if err := change(&a); err != nil {
			return err
		}
		if a.Ref() != ref {
			return fmt.Errorf("update archive %s: it became %s", ref, a.Ref())
		}
		a.Version = version
		out = a
		return put(tx, archiveKey(ref), a)
	})
	return out, err
}

// Archive gives the record of an archive.
func (r *Records) Archive(ref string) (a keepwatch.Archive, err error) {
	err = r.store.View(func(rd Reader) error {
		found, err := get(rd, archiveKey(ref), &a)
		if err == nil && !found {
			return archiveMissing(ref)
		}
		return err
	})
	return a, err
}

// Archives gives those of a source, or all for "", newest first within a source.
func (r *Records) Archives(source string) ([]keepwatch.Archive, error) {
	prefix := "archive/"
	if source != "" {
		prefix += source + "/"
	}
	list, err := all[keepwatch.Archive](r.store, Range{Prefix: prefix}, 0)
	slices.SortStableFunc(list, func(a, b keepwatch.Archive) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), b.Started.Compare(a.Started), cmp.Compare(b.Run, a.Run))
	})
	return list, err
}

// DeleteArchive forgets an archive. The runs that made it stay: the history of
// runs is kept apart.
func (r *Records) DeleteArchive(ref string) error {
	return r.store.Update(func(tx Tx) error { return tx.Delete(archiveKey(ref)) })
}

// confirmedKey is the value that holds the confirmed rules of a source.
func confirmedKey(source string) string { return "retention/" + source }

// Confirmed gives the retention rules that somebody has confirmed for a source,
// "" where nobody has.
func (r *Records) Confirmed(source string) (rules string, err error) {
	return r.Value(confirmedKey(source))
}

// Confirm keeps that somebody has confirmed these retention rules for a source.
func (r *Records) Confirm(source, rules string) error {
	if err := validSource(source); err != nil {
		return err
	}
	return r.SetValue(confirmedKey(source), rules)
}
