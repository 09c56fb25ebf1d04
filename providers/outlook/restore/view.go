package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// layer is one of the archives that a mailbox is put together from.
type layer struct {
	ref   string
	parts []string // of the archive; empty: all of the mailbox
	state outlook.State
}

// folderView is a folder as several archives together hold it.
type folderView struct {
	outlook.FolderState          // of the newest that has it
	layers              []int    // the archives that hold what is in it, the oldest first
	whole               bool     // the first of them has all that was in it then
	title               string   // names it in commands, like no other folder
	below               []string // Path without that of the mailbox's own folder of this kind
}

// view is a mailbox as several archives together hold it.
type view struct {
	layers  []layer // the oldest first
	folders []*folderView
	gone    []*folderView // that were no longer in the mailbox when the newest was made
	mind    []string
}

// maxState is how long the state of an archive may be, in bytes: 30,000 folders.
const maxState = 64 << 20

// stateOf reads the state of an archive.
func stateOf(ctx context.Context, from providers.Opener, ref string) (outlook.State, error) {
	var s outlook.State
	_, content, err := from.OpenEntry(ctx, ref, outlook.StatePath)
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		return s, keepwatch.Errorf(keepwatch.KindNotFound, "%s has no index of a mailbox, because it is a PST that Microsoft Purview made: nothing of it can be put into a mailbox. `/backup show %s` names the PST, out of which items come into a folder of this machine.", ref, ref).Because(err)
	}
	if err != nil {
		return s, err
	}
	data, err := io.ReadAll(io.LimitReader(content, maxState))
	if closed := content.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
		if err == nil && s.Version != 1 {
			err = fmt.Errorf("version %d", s.Version)
		}
		if err != nil {
			return s, keepwatch.Errorf(keepwatch.KindAttention, "What %s says of the folders of the mailbox (%s) is not understood, so nothing is put back from it. A newer Keepwatch may have made it; `backup restore %s --to ./FOLDER` gives the files.", ref, outlook.StatePath, ref).Because(err)
		}
	}
	return s, err
}

// viewOf puts a mailbox together from archives, the oldest first. One of changes brings
// those with it that it goes on from, as far as they are needed and there.
func viewOf(ctx context.Context, sets []providers.Set) (*view, error) {
	var v view
	for _, set := range sets {
		state, err := stateOf(ctx, set.From, set.Archive.Ref())
		if err != nil {
			return nil, err
		}
		v.layers = append(v.layers, layer{set.Archive.Ref(), set.Archive.Parts, state})
	}
	const deepest = 1000 // a chain that is longer is none
	for range deepest {
		v.merge()
		at, ref := v.wants()
		if ref == "" {
			break
		}
		state, err := stateOf(ctx, sets[0].From, ref)
		if keepwatch.KindOf(err) == keepwatch.KindNotFound {
			v.mind = append(v.mind, fmt.Sprintf("%s holds only what had changed since %s, and that is no longer in the vault. What had not changed by then is not put back.", v.layers[at].ref, ref))
			v.layers[at].state.Base = ""
			continue
		}
		if err != nil {
			return nil, err
		}
		v.layers = append(v.layers[:at:at], append([]layer{{ref, v.layers[at].parts, state}}, v.layers[at:]...)...)
	}
	v.name()
	return &v, nil
}

// wants gives the archive that is missing below another one, and where it belongs: what
// changed since one archive says nothing of what had changed before that, also where an
// older one is there that is whole.
func (v *view) wants() (at int, ref string) {
	for _, f := range v.folders {
		for n, at := range f.layers {
			if n == 0 && f.whole {
				continue
			}
			if base := v.layers[at].state.Base; base != "" && !v.has(base) {
				return at, base
			}
		}
	}
	return 0, ""
}

func (v *view) has(ref string) bool {
	for _, l := range v.layers {
		if l.ref == ref {
			return true
		}
	}
	return false
}

// merge finds for each folder the newest archive that has all of it, and those of changes
// behind that. A folder that a later look at the whole mailbox did not see was removed, and
// so was one of which a later archive says so.
func (v *view) merge() {
	known := map[string]*folderView{}
	var order []*folderView
	complete, deleted := -1, map[string]int{}
	for i, l := range v.layers {
		if len(l.parts) == 0 {
			complete = i
		}
		for _, fs := range l.state.Folders {
			f := known[fs.ID]
			if f == nil {
				f = &folderView{}
				known[fs.ID], order = f, append(order, f)
			}
			if f.FolderState = fs; fs.Whole {
				f.layers, f.whole = nil, true
			}
			f.layers = append(f.layers, i)
		}
		for _, fs := range l.state.Gone {
			deleted[fs.ID] = i
		}
	}
	v.folders, v.gone = nil, nil
	for _, f := range order {
		if f.layers[len(f.layers)-1] < max(complete, deleted[f.ID]) {
			v.gone = append(v.gone, f)
		} else {
			v.folders = append(v.folders, f)
		}
	}
}

// name gives each folder a title of its own: the names with "/" between them, and a number
// behind those that come again.
func (v *view) name() {
	own := map[outlook.Kind][]string{}
	for _, f := range v.folders {
		if f.Default && own[f.Kind] == nil {
			own[f.Kind] = f.Path
		}
	}
	taken := map[string]bool{}
	for _, f := range v.folders {
		title := keepwatch.Clean(strings.ReplaceAll(f.Title(), "\n", " "))
		f.title = title
		_, number := keepwatch.CutMailItem(title) // a folder that is called as an item is
		for n := 2; taken[strings.ToLower(f.title)] || number > 0 && n == 2; n++ {
			f.title = fmt.Sprintf("%s (%d)", title, n)
		}
		taken[strings.ToLower(f.title)] = true
		f.below = f.Path
		if top := own[f.Kind]; len(top) > 0 && f.Within(outlook.Folder{Kind: f.Kind, Path: top}) {
			f.below = f.Path[len(top):]
		}
	}
}

// refs are the archives that a folder is put together from, the oldest first.
func (v *view) refs(f *folderView) []string {
	var list []string
	for _, i := range f.layers {
		list = append(list, v.layers[i].ref)
	}
	return list
}

// ownFolder is what returning.Known says of the mailbox's own folder of contacts, or calendar.
const ownFolder = "default"

// above gives the nearest folder, at or above one, that every mailbox has, and how many
// names lead to it.
func (v *view) above(f *folderView) (known string, depth int) {
	for _, g := range v.folders {
		if n := len(g.Path); n > depth && f.Within(g.Folder) {
			if name := knownAs(g.Folder); name != "" {
				known, depth = name, n
			}
		}
	}
	return known, depth
}

// knownAs names a folder that every mailbox has; "" for others.
func knownAs(f outlook.Folder) string {
	if f.Default && f.Kind != outlook.Mail {
		return ownFolder
	}
	return f.WellKnown
}
