package keepwatch

import "slices"

// filesInside gives the files inside an archive that is stored as one file; 0 where
// nobody looked.
func filesInside(a Archive) int64 {
	if a.Inside == nil {
		return 0
	}
	return a.Inside.Files
}

// suspectInside compares what is inside an archive that is stored as one file: its
// files with the most that there were, its databases and domains with those of the
// newest one before it that is in order or was said to be. One database more does not
// make up for one that is gone.
func suspectInside(a Archive, newestFirst []Archive, most Peak, add func(rule, text string, args ...any)) {
	if a.Inside == nil {
		return
	}
	files := a.Inside.Files
	if most.Files > 0 && files == 0 || most.Files >= fewFiles && under(files, most.Files, farFewer) {
		add("files", "It has far fewer files inside than one before it: %s instead of %s.", FormatCount(files, ""), FormatCount(most.Files, ""))
	}
	before := insideBefore(newestFirst)
	if before.Account != "" && a.Inside.Account != "" && before.Account != a.Inside.Account {
		add("account", "It is of another account, or of another host, than the one before it. Where the account has moved, that is right; another account belongs into a source of its own, so that its archives do not push out those of this one.")
	}
	for _, c := range []struct {
		rule, noun  string
		before, now []string
	}{
		{"databases", "database", before.Databases, a.Inside.Databases},
		{"domains", "domain", before.Domains, a.Inside.Domains},
	} {
		gone := int64(0)
		for _, name := range c.before {
			if !slices.Contains(c.now, name) {
				gone++
			}
		}
		if gone > 0 {
			add(c.rule, "Of the %s in the one before it, %s missing.", FormatCount(int64(len(c.before)), c.noun), FormatCount(gone, "is", "are"))
		}
	}
}

// insideBefore gives what was inside the newest of some archives that nothing is odd
// about, or of which somebody said that it is right.
func insideBefore(newestFirst []Archive) Inside {
	for _, a := range newestFirst {
		if a.Inside != nil && (len(a.Findings) == 0 || a.Accepted != "") {
			return *a.Inside
		}
	}
	return Inside{}
}
