package cpanel

import (
	"slices"

	"keepwatch"
)

// compare names what the archive before had and this one has not: databases and
// domains. It is for the record, which is told the whole truth; the findings of
// keepwatch.Suspect give the same in figures, because they are written beside the
// archive.
func compare(now keepwatch.Inside, before *keepwatch.Archive) []keepwatch.Note {
	if before == nil || before.Inside == nil {
		return nil
	}
	var v verdict
	if gone := lacking(before.Inside.Databases, now.Databases); len(gone) > 0 {
		v.note("The archive of %s holds %s that this one has not: %s. If they were not removed on purpose, that one is the place where they are left.", before.Stamp, keepwatch.FormatCount(int64(len(gone)), "database"), showAll(gone))
	}
	if gone := lacking(before.Inside.Domains, now.Domains); len(gone) > 0 {
		v.note("The archive of %s is of %s that this one has not: %s.", before.Stamp, keepwatch.FormatCount(int64(len(gone)), "domain"), showAll(gone))
	}
	return v.notes
}

// lacking gives those of before that are not in now.
func lacking(before, now []string) []string {
	var gone []string
	for _, name := range before {
		if !slices.Contains(now, name) {
			gone = append(gone, name)
		}
	}
	return gone
}
