package download

import (
	"iter"
	"slices"
	"strings"

	"keepwatch/providers/outlook"
)

// tree is the folders of a mailbox with the way from each of them upwards.
type tree struct {
	folders []outlook.Folder
	byID    map[string]int
}

func newTree(folders []outlook.Folder) *tree {
	t := &tree{folders, make(map[string]int, len(folders))}
	for i, f := range folders {
		t.byID[f.ID] = i
	}
	return t
}

// upwards gives a folder and those that it lies in, the nearest first. It ends where a
// server says that folders lie in each other.
func (t *tree) upwards(f outlook.Folder) iter.Seq[outlook.Folder] {
	return func(yield func(outlook.Folder) bool) {
		for range len(t.folders) + 1 {
			if !yield(f) {
				return
			}
			i, found := t.byID[f.Parent]
			if f.Parent == "" || !found {
				return
			}
			f = t.folders[i]
		}
	}
}

// hidden reports whether a mail program does not show a folder, or one that it lies in.
func (t *tree) hidden(f outlook.Folder) bool {
	for up := range t.upwards(f) {
		if up.Hidden {
			return true
		}
	}
	return false
}

// named gives the folders that a part means. A name may have a slash in it: where a path
// can be read in more ways than one, that with the longest first names counts. A folder
// whose name in the mailbox's language is the well-known name of another one does not
// hide that: both are taken.
func (t *tree) named(p part) []outlook.Folder {
	hits := t.titled(p.kind, p.path)
	if len(hits) == 0 && p.kind != "" { // a folder of mail that is called "mail", say
		hits = t.titled(outlook.Mail, strings.Trim(strings.TrimSpace(p.text), "/"))
	}
	return hits
}

func (t *tree) titled(kind outlook.Kind, path string) []outlook.Folder {
	if kind == "" {
		kind = outlook.Mail
	}
	var hits []outlook.Folder
	var best []int // lengths of names
	for _, f := range t.folders {
		if f.Kind != kind {
			continue
		}
		for names := range t.names(f) {
			if !strings.EqualFold(strings.Join(names, "/"), path) {
				continue
			}
			split := make([]int, len(names))
			for i, name := range names {
				split[i] = len(name)
			}
			switch c := slices.Compare(split, best); {
			case len(hits) == 0 || c > 0:
				hits, best = []outlook.Folder{f}, split
			case c == 0 && hits[len(hits)-1].ID != f.ID:
				hits = append(hits, f)
			}
		}
	}
	return hits
}

// names gives the paths by which a folder may be named: as a person sees it, and with the
// well-known name of itself or of one that it lies in for the beginning.
func (t *tree) names(f outlook.Folder) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if !yield(f.Path) {
			return
		}
		for up := range t.upwards(f) {
			below := f.Path[min(len(up.Path), len(f.Path)):]
			for _, name := range aliases(up) {
				names := below
				if name != "" {
					names = slices.Concat([]string{name}, below)
				}
				if len(names) > 0 && !yield(names) {
					return
				}
			}
		}
	}
}

// aliases gives what a folder may be called besides its name. The folder of contacts that
// the mailbox came with, and its calendar, need not be named at all before what they hold.
func aliases(f outlook.Folder) []string {
	var names []string
	if f.WellKnown != "" {
		names = append(names, f.WellKnown)
		if name := english(f.WellKnown); name != "" {
			names = append(names, name)
		}
	}
	if f.Default {
		names = append(names, "")
	}
	return names
}

// english gives how Outlook shows a well-known folder in English, where that is more than
// upper and lower case. The names: learn.microsoft.com/graph/api/resources/mailfolder.
func english(wellKnown string) string {
	switch wellKnown {
	case "sentitems":
		return "Sent Items"
	case "deleteditems":
		return "Deleted Items"
	case "junkemail":
		return "Junk Email"
	case "conversationhistory":
		return "Conversation History"
	case "syncissues":
		return "Sync Issues"
	case "localfailures":
		return "Local Failures"
	case "serverfailures":
		return "Server Failures"
	case "searchfolders":
		return "Search Folders"
	case "recoverableitemsdeletions":
		return "Recoverable Items"
	}
	return ""
}

// isNear reports whether a path may have been meant for a folder: one has the other's last
// name in it, or they differ by a letter or two.
func isNear(path string, f outlook.Folder) bool {
	typed := strings.ToLower(path[strings.LastIndex(path, "/")+1:])
	for _, name := range append(aliases(f), f.Name()) {
		name = strings.ToLower(name)
		if len(typed) >= 3 && len(name) >= 3 && (strings.Contains(name, typed) || strings.Contains(typed, name) || edits(typed, name) <= 1+len(name)/6) {
			return true
		}
	}
	return false
}

// edits is Levenshtein's distance of two texts, in letters. Long texts are far from each
// other.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 200 || len(y) > 200 {
		return len(x) + len(y)
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before := row[0]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, before+cost)
		}
	}
	return row[len(y)]
}
