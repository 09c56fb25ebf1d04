package archive

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"keepwatch/providers/outlook"
)

// place is where a folder of the mailbox lies in the archive, and in the PST. One without
// a folder is only on the way to others: the folder itself was not asked for.
type place struct {
	outlook.Folder
	bound bool   // it has a Folder
	dir   string // its path in the archive
	// inPST are the names from the top of the PST down to it; nil of the top of a kind,
	// which has no folder there.
	inPST []string

	names  *names // of what lies in dir
	shown  map[string]bool
	byName map[string]*place // of the folders in it, the first of each name
}

// tree is the folders of a mailbox, where they lie.
type tree struct {
	all   []*place // those above before those below them
	tops  map[outlook.Kind]*place
	byID  map[string]*place
	shown map[string]bool // names at the top of the PST, which the kinds share

	deleted bool // a folder is deletedItems already
}

// deletedItems is the folder that every PST has.
const deletedItems = "Deleted Items"

// newTree gives each folder its place. What it makes depends on the folders and their
// order alone.
func newTree(folders []outlook.Folder) *tree {
	t := &tree{tops: map[outlook.Kind]*place{}, byID: map[string]*place{}, shown: map[string]bool{strings.ToLower(deletedItems): true}}
	for _, f := range folders {
		p := t.parent(f)
		name := f.Name()
		at := p.byName[name]
		if at == nil || at.bound {
			at = t.add(p, f.Kind, name, f.WellKnown)
		}
		at.Folder, at.bound = f, true
		t.byID[f.ID] = at
	}
	return t
}

// parent gives the place that a folder lies in: that of the folder which it names, or that
// of its path where that folder is not among them.
func (t *tree) parent(f outlook.Folder) *place {
	if p := t.byID[f.Parent]; p != nil && p.Kind == f.Kind {
		return p
	}
	p := t.tops[f.Kind]
	if p == nil {
		p = &place{Folder: outlook.Folder{Kind: f.Kind}, dir: string(f.Kind), names: newNames(), byName: map[string]*place{}, shown: t.shown}
		t.tops[f.Kind] = p
		t.all = append(t.all, p)
	}
	for _, name := range f.Path[:max(0, len(f.Path)-1)] {
		if p.byName[name] == nil {
			t.add(p, f.Kind, name, "")
		}
		p = p.byName[name]
	}
	return p
}

// add makes a place in another one. Where the path would get too long for a file system it
// lies at the top of its kind; the index says where it belongs.
func (t *tree) add(in *place, k outlook.Kind, name, wellKnown string) *place {
	at := &place{Folder: outlook.Folder{Kind: k}, names: newNames(), byName: map[string]*place{}, shown: map[string]bool{}}
	dirs := in
	if len(in.dir)+1+maxName > maxDir {
		dirs = t.tops[k]
	}
	at.dir = dirs.dir + "/" + dirs.names.folder(name, maxName)
	if wellKnown == "deleteditems" && len(in.inPST) == 0 && !t.deleted {
		at.inPST, t.deleted = []string{deletedItems}, true
	} else {
		at.inPST = append(in.inPST[:len(in.inPST):len(in.inPST)], shownName(name, in.shown))
	}
	if in.byName[name] == nil {
		in.byName[name] = at
	}
	t.all = append(t.all, at)
	return at
}

// maxShown is how many units of UTF-16 a name in a PST has here; Outlook takes 255, and
// room is left for a number.
const maxShown = 240

// shownName makes the name of a folder of the PST: that of the mailbox, without control
// characters, and with a number where there is one of that name.
func shownName(name string, taken map[string]bool) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	units := 0
	for i, r := range name {
		if units += max(1, utf16.RuneLen(r)); units > maxShown {
			name = name[:i]
			break
		}
	}
	if name = strings.TrimSpace(name); name == "" {
		name = "no name"
	}
	made := name
	for try := 2; taken[strings.ToLower(made)]; try++ {
		made = name + numbered(try)
	}
	taken[strings.ToLower(made)] = true
	return made
}
