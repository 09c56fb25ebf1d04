package cpanel

import (
	"context"
	"slices"

	"keepwatch"
	"keepwatch/providers"
)

// expected gives what the archive must hold.
func (w want) expected() expected {
	return expected{user: w.User, databases: w.Databases, postgres: w.Postgres, domains: w.Domains}
}

// stillWanted gives what the archive must hold, without the databases that were removed
// while it was made: a site's test copy comes and goes, and is no reason to refuse the
// rest. Where the host does not say what there is now, or names none, all are wanted.
func stillWanted(ctx context.Context, h host, r remote, sink providers.Sink) (expected, error) {
	want := r.Want.expected()
	var gone []string
	for module, list := range map[string]*[]string{"Mysql": &want.databases, "Postgresql": &want.postgres} {
		if len(*list) == 0 {
			continue
		}
		all, known, err := databases(ctx, h, module)
		if context.Cause(ctx) != nil {
			return want, context.Cause(ctx)
		}
		if err != nil || !known || len(all) == 0 { // none at all: its server may be down
			continue
		}
		now, left := namesOf(all), []string{}
		for _, name := range *list {
			if slices.Contains(now, name) {
				left = append(left, name)
			} else {
				gone = append(gone, name)
			}
		}
		*list = left
	}
	if len(gone) == 0 {
		return want, nil
	}
	slices.Sort(gone)
	return want, sink.Note(keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "databases were removed at the host while the backup was made, so that they may be missing from it: " + showAll(gone)})
}
