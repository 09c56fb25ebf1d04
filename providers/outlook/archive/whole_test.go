package archive

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// archStates is the state of an older archive. Folders with a "+" are whole in it, and of
// those with a "0" it has no item.
func archStates(t *testing.T, base string, folders ...string) string {
	s := outlook.State{Version: 1, Base: base}
	for _, f := range folders {
		fs := outlook.FolderState{Folder: outlook.Folder{ID: strings.Trim(f, "+0")}, Whole: strings.Contains(f, "+"), Kept: 9}
		if strings.Contains(f, "0") {
			fs.Kept = 0
		}
		s.Folders = append(s.Folders, fs)
	}
	return archJSON(t, s)
}

// archWhole is a mailbox of which three archives are there, and of which "proj" and "cal"
// are read whole now.
func archWhole(t *testing.T) (*archWorld, archOlder) {
	folders := archFolders()
	s := newArchSpool(folders[0], folders[1], folders[4], outlook.Folder{ID: "new", Kind: outlook.Calendar, Path: []string{"New"}})
	s.at["in"] = outlook.Position{State: "later"}
	s.at["proj"] = outlook.Position{State: "later", Whole: true} // and once more after it was read whole
	item := func(folder, id string) archItem {
		return archMade(outlook.Item{ID: id, Folder: folder, Kind: outlook.Mail, Subject: id}, archMail(id))
	}
	event := func(folder, id string) archItem {
		return archMade(outlook.Item{ID: id, Folder: folder, Kind: outlook.Calendar, Subject: id, At: archTime("2026-11-23 09:00")}, archEvent)
	}
	s.put("in", item("in", "MOVED"))
	s.put("proj", item("proj", "STAYS"), item("proj", "CAME BACK"), archItem{Record: outlook.Record{Item: outlook.Item{ID: "POISON", Folder: "proj", Kind: outlook.Mail}, Missing: "the server cannot convert it"}})
	s.put("cal", event("cal", "SERIES"), event("cal", "ADDED"), archItem{Record: outlook.Record{Item: outlook.Item{ID: "PENDING", Folder: "cal", Kind: outlook.Calendar}, Pending: true}})
	s.put("new", event("new", "INTO A NEW ONE"))
	s.gone["proj"] = []outlook.Item{{ID: "LEFT LATE", Folder: "proj", Kind: outlook.Mail, Removed: "changed"}, {ID: "GONE LATE", Folder: "proj", Kind: outlook.Mail, Removed: "deleted"}, {ID: "CAME AND WENT", Folder: "proj", Kind: outlook.Mail, Removed: "deleted"}}
	s.gone["in"] = []outlook.Item{{ID: "REMOVED", Folder: "in", Kind: outlook.Mail, Removed: "deleted"}}
	w := newArchWorld(t, s)
	w.kept.Base = "alis-mail/3"
	missing := archLine("cal", "MISSING", "Missing").(outlook.Line)
	missing.Path, missing.Missing = "", "the server cannot convert it"
	gone := func(folder, id string) any { return outlook.Item{ID: id, Folder: folder, Removed: "deleted"} }
	older := archOlder{
		"alis-mail/3/" + outlook.StatePath:   archStates(t, "alis-mail/2", "in", "proj", "cal+"),
		"alis-mail/3/" + outlook.RemovedPath: archJSON(t, gone("proj", "CAME BACK"), gone("proj", "REMOVED BEFORE"), gone("cal", "GONE BEFORE")),
		"alis-mail/3/" + outlook.IndexPath: archJSON(t, archLine("proj", "CHANGED", "Changed"), archLine("cal", "SERIES", "A series"), archLine("cal", "EVENT", "An event"), archLine("cal", "PENDING", "?"),
			archLine("cal", "INTO A NEW ONE", "Into a new one"), missing),
		"alis-mail/2/" + outlook.StatePath:   archStates(t, "alis-mail/1", "in", "proj", "cal+"),
		"alis-mail/2/" + outlook.RemovedPath: archJSON(t),
		"alis-mail/2/" + outlook.IndexPath:   archJSON(t, archLine("proj", "NEW", "New"), archLine("cal", "GONE BEFORE", "?")),
		"alis-mail/1/" + outlook.StatePath:   archStates(t, "", "in+", "proj+", "cal+", "new+"),
		"alis-mail/1/" + outlook.IndexPath: archJSON(t, archLine("in", "REMOVED", "Removed"), archLine("proj", "CHANGED", "Before the change"), archLine("proj", "STAYS", "?"), archLine("proj", "CAME BACK", "?"), archLine("proj", "REMOVED BEFORE", "?"),
			archLine("proj", "POISON", "?"), archLine("proj", "MOVED", "Moved"), archLine("proj", "GONE LATE", "Gone late"), archLine("proj", "LEFT LATE", "Left late"), archLine("cal", "GONE LONG AGO", "?"), archLine("new", "OF A FOLDER THAT WAS AWAY", "?")),
	}
	w.cfg.Older = older
	return w, older
}

const archProjects = "Inbox/Projects: a/b "

// TestArchiveListsWhatIsGoneFromFoldersReadWhole: no server tells what was removed from
// these, and the older archives do.
func TestArchiveListsWhatIsGoneFromFoldersReadWhole(t *testing.T) {
	for _, most := range []int{0, 1, 2, 5} { // how many are held at once
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			w, _ := archWhole(t)
			sink := &archSink{}
			w.mustFetchHolding(t, sink, most)
			if d := cmp.Diff([]string{
				"Calendar changed INTO A NEW ONE Into a new one",
				"Calendar deleted EVENT An event",
				"Calendar deleted MISSING Missing",
				archProjects + "changed LEFT LATE Left late",
				archProjects + "changed MOVED Moved",
				archProjects + "deleted CHANGED Changed",
				archProjects + "deleted GONE LATE Gone late",
				archProjects + "deleted NEW New",
			}, sink.fromDeleted(t)); d != "" {
				t.Error(d)
			}
			var state outlook.State
			if err := json.Unmarshal([]byte(sink.texts[outlook.StatePath]), &state); err != nil {
				t.Fatal(err)
			}
			var counted []string
			for _, f := range state.Folders {
				counted = append(counted, fmt.Sprint(f.ID, " ", f.Kept, " ", f.Missing, " ", f.Gone, " ", f.Whole))
			}
			if d := cmp.Diff([]string{"in 1 0 1 false", "proj 2 1 5 true", "cal 2 1 3 true", "new 1 0 0 true"}, counted); d != "" {
				t.Error(d)
			}
			if notes := sink.noted(keepwatch.NoteInfo); len(notes) != 0 || len(state.Gone) != 0 {
				t.Errorf("%q, %+v", notes, state.Gone)
			}
		})
	}
}

// TestOlderArchivesAreReadNoFurther: what says nothing of folders that were read whole is
// not opened.
func TestOlderArchivesAreReadNoFurther(t *testing.T) {
	state, removed, index := "/"+outlook.StatePath, "/"+outlook.RemovedPath, "/"+outlook.IndexPath
	for name, c := range map[string]struct {
		set  func(w *archWorld, o archOlder)
		want map[string]int
	}{
		"no folder was": {func(w *archWorld, o archOlder) {
			for _, id := range []string{"proj", "cal", "new"} {
				w.spools.at[id] = outlook.Position{State: "later"}
			}
		}, map[string]int{}},
		"one that is new": {func(w *archWorld, o archOlder) {
			for _, id := range []string{"proj", "cal"} {
				w.spools.at[id] = outlook.Position{State: "later"}
			}
		}, map[string]int{"3" + state: 1}},
		"a calendar that had nothing": {func(w *archWorld, o archOlder) {
			w.spools.at["proj"] = outlook.Position{State: "later"}
			o["alis-mail/3"+state] = archStates(t, "alis-mail/2", "in", "proj", "cal+0")
		}, map[string]int{"3" + state: 1}},
		"a calendar from which nothing is gone": {func(w *archWorld, o archOlder) {
			w.spools.at["proj"] = outlook.Position{State: "later"}
			o["alis-mail/3"+index] = archJSON(t, archLine("proj", "CHANGED", "Changed"), archLine("cal", "SERIES", "A series"))
		}, map[string]int{"3" + state: 1, "3" + index: 1}},
		"a calendar from which something is gone": {func(w *archWorld, o archOlder) {
			w.spools.at["proj"] = outlook.Position{State: "later"}
		}, map[string]int{"3" + state: 1, "3" + index: 2}},
		"mail from which nothing is gone": {func(w *archWorld, o archOlder) {
			w.spools.at["cal"] = outlook.Position{State: "later"}
			o["alis-mail/3"+index] = archJSON(t, archLine("in", "ANY", "?"))
			o["alis-mail/2"+state] = archStates(t, "alis-mail/1", "in", "proj+")
			o["alis-mail/2"+index] = archJSON(t, archLine("proj", "STAYS", "?"), archLine("proj", "POISON", "?"))
		}, map[string]int{"3" + state: 1, "3" + removed: 1, "3" + index: 1, "2" + state: 1, "2" + index: 1, "1" + state: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w, older := archWhole(t)
			delete(w.spools.gone, "in")
			delete(w.spools.gone, "proj")
			c.set(w, older)
			often := archOften{older, map[string]int{}, nil}
			w.cfg.Older = often
			w.mustFetch(t, &archSink{})
			got := map[string]int{}
			for path, n := range often.opened {
				got[strings.TrimPrefix(path, "alis-mail/")] = n
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestFoldersReadWholeWithoutTheOlderArchives: the archive is made all the same, and says
// that more may be gone.
func TestFoldersReadWholeWithoutTheOlderArchives(t *testing.T) {
	upTo3 := []string{"Calendar changed INTO A NEW ONE Into a new one", "Calendar deleted EVENT An event", "Calendar deleted MISSING Missing", archProjects + "deleted CHANGED Changed"}
	for path, want := range map[string][]string{
		"3/" + outlook.StatePath:   nil,
		"3/" + outlook.IndexPath:   nil,
		"2/" + outlook.RemovedPath: upTo3,
		"1/" + outlook.IndexPath:   append(upTo3[:4:4], archProjects+"deleted NEW New"),
	} {
		w, older := archWhole(t)
		delete(w.spools.gone, "in")
		delete(older, "alis-mail/"+path)
		sink := &archSink{}
		w.mustFetch(t, sink)
		if d := cmp.Diff(want, sink.fromDeleted(t)); d != "" {
			t.Errorf("%s: %s", path, d)
		}
		notes := sink.noted(keepwatch.NoteInfo)
		if len(notes) != 1 || !strings.HasPrefix(notes[0], outlook.RemovedPath+": not all that is gone from folders which were deleted, or read whole, is listed") {
			t.Errorf("%s: %q", path, notes)
		}
	}
}

// TestFolderThatWasReadInPart: what a reading did not come to is not gone.
func TestFolderThatWasReadInPart(t *testing.T) {
	for _, at := range []outlook.Position{{}, {Next: "more", Full: true}, {State: "s", Due: true, Whole: true}, {State: "s", Next: "more", Full: true}} {
		w, _ := archWhole(t)
		w.spools.at["cal"] = at
		sink := &archSink{}
		if err := w.fetch(t.Context(), t, sink); keepwatch.KindOf(err) != keepwatch.KindAttention || slices.Contains(sink.paths(), outlook.RemovedPath) {
			t.Errorf("%+v: %v, %q", at, err, sink.paths())
		}
	}
}
