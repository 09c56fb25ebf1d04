package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// archLine is a line of an older index.
func archLine(folder, id, subject string) any {
	return outlook.Line{Item: outlook.Item{ID: id, Folder: folder, Kind: outlook.Mail, Subject: subject, At: archTime("2026-11-01 10:00"), Raw: json.RawMessage(`{"a":1}`)}, In: []string{"as it was then"}, Path: "mail/" + id + ".eml"}
}

// archDeleted is a mailbox of which three archives are there, and in which folders were
// deleted since the last.
func archDeleted(t *testing.T) (*archWorld, archOlder) {
	s := newArchSpool(archFolders()[:2]...) // "in", of which changes were read, and "proj", which is whole
	s.at["in"] = outlook.Position{State: "later"}
	s.put("in", archMade(outlook.Item{ID: "MOVED NOW", Folder: "in", Kind: outlook.Mail, Subject: "Moved now"}, archMail("Moved now")))
	s.gone["in"] = []outlook.Item{{ID: "GONE FROM BOTH", Folder: "in", Kind: outlook.Mail, Removed: "deleted"}}
	w := newArchWorld(t, s)
	w.kept.Base = "alis-mail/3"
	w.kept.Gone = []outlook.Folder{
		{ID: "away", Kind: outlook.Mail, Path: []string{"Inbox", "Away"}, Items: 9},
		{ID: "anew", Kind: outlook.Mail, Path: []string{"Anew"}},
		{ID: "none", Kind: outlook.Calendar, Path: []string{"None"}, Items: -1},
		{ID: "bob", Kind: outlook.Calendar, Path: []string{"Bob"}, ReadOnly: true, Items: -1}, // shared no longer
		{ID: "top", Kind: outlook.Mail, Path: []string{"Top"}, WellKnown: "msgfolderroot"},    // listed only with something in it
	}
	state := func(base string, whole ...string) string {
		s := outlook.State{Version: 1, Base: base}
		for _, id := range []string{"in", "proj", "away", "anew", "none", "bob", "top"} {
			s.Folders = append(s.Folders, outlook.FolderState{Folder: outlook.Folder{ID: id}, Whole: slices.Contains(whole, id), Kept: 9})
		}
		return archJSON(t, s)
	}
	gone := func(folder, id string) any { return outlook.Item{ID: id, Folder: folder, Removed: "deleted"} }
	missing := archLine("away", "MISSING", "Missing").(outlook.Line)
	missing.Path, missing.Missing = "", "the server cannot convert it"
	older := archOlder{
		"alis-mail/3/" + outlook.StatePath:   state("alis-mail/2"),
		"alis-mail/3/" + outlook.RemovedPath: archJSON(t, gone("away", "REMOVED LAST"), gone("away", "MOVED AMONG")),
		"alis-mail/3/" + outlook.IndexPath:   archJSON(t, archLine("anew", "MOVED AMONG", "Moved among deleted ones"), archLine("proj", "OLD PROJ", "In one that is whole now")),
		"alis-mail/2/" + outlook.StatePath:   state("alis-mail/1", "anew"),
		"alis-mail/2/" + outlook.RemovedPath: archJSON(t, gone("away", "REMOVED FIRST")),
		"alis-mail/2/" + outlook.IndexPath:   archJSON(t, archLine("away", "CHANGED", "Changed"), archLine("away", "NEW", "New"), archLine("anew", "LATE", "Late")),
		"alis-mail/1/" + outlook.StatePath:   state("", "in", "proj", "away", "anew"),
		"alis-mail/1/" + outlook.IndexPath: archJSON(t, archLine("in", "STAYS", "Stays"), archLine("away", "CHANGED", "Before the change"), archLine("away", "REMOVED FIRST", "?"), archLine("away", "REMOVED LAST", "?"),
			archLine("away", "MOVED AMONG", "?"), archLine("away", "MOVED NOW", "Moved now"), archLine("away", "IN BOTH", "In both"), archLine("in", "IN BOTH", "In both"), archLine("away", "GONE FROM BOTH", "Gone from both"),
			archLine("in", "GONE FROM BOTH", "Gone from both"), archLine("away", "OLD PROJ", "In one that is whole now"), archLine("forgotten", "FORGOTTEN", "?"), archLine("away", "FORGOTTEN", "In one that nobody knows"), missing,
			archLine("anew", "EARLY", "Was read whole since")),
	}
	w.cfg.Older = older
	return w, older
}

// archWasDeleted is what the list says of it.
var archWasDeleted = []string{
	"Anew deleted LATE Late",
	"Anew deleted MOVED AMONG Moved among deleted ones",
	"Inbox/Away changed IN BOTH In both",
	"Inbox/Away changed MOVED NOW Moved now",
	"Inbox/Away deleted CHANGED Changed",
	"Inbox/Away deleted FORGOTTEN In one that nobody knows",
	"Inbox/Away deleted GONE FROM BOTH Gone from both",
	"Inbox/Away deleted MISSING Missing",
	"Inbox/Away deleted NEW New",
	"Inbox/Away deleted OLD PROJ In one that is whole now",
	"Inbox/Projects: a/b deleted OLD PROJ In one that is whole now",
}

// fromDeleted gives what the list says of what was in deleted folders.
func (s *archSink) fromDeleted(t *testing.T) []string {
	t.Helper()
	var got []string
	for _, l := range s.lines(t, outlook.RemovedPath) {
		if l.Folder == "in" {
			continue
		}
		if l.Raw != nil || l.Path != "" || l.Missing != "" || !l.At.Equal(archTime("2026-11-01 10:00")) {
			t.Errorf("%s: %+v", l.ID, l)
		}
		got = append(got, strings.Join(l.In, "/")+" "+l.Removed+" "+l.ID+" "+l.Subject)
	}
	slices.Sort(got)
	return got
}

func TestArchiveListsWhatWasInDeletedFolders(t *testing.T) {
	for _, most := range []int{0, 1, 2, 5} { // how many are held at once
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			w, _ := archDeleted(t)
			sink := &archSink{}
			w.mustFetchHolding(t, sink, most)
			if d := cmp.Diff(archWasDeleted, sink.fromDeleted(t)); d != "" {
				t.Error(d)
			}
			var state outlook.State
			if err := json.Unmarshal([]byte(sink.texts[outlook.StatePath]), &state); err != nil {
				t.Fatal(err)
			}
			var counted []string
			for _, f := range state.Gone {
				counted = append(counted, fmt.Sprintf("%s %d %d %q %v", f.Title(), f.Kept, f.Gone, f.State, f.Whole))
			}
			if d := cmp.Diff([]string{`Inbox/Away 0 8 "" false`, `Anew 0 2 "" false`, `None 0 0 "" false`, `Bob 0 0 "" false`, `Top 0 0 "" false`}, counted); d != "" {
				t.Error(d)
			}
			if len(state.Folders) != 2 || state.Folders[0].Gone != 1 || state.Folders[1].Gone != 1 {
				t.Errorf("%+v", state.Folders)
			}
			since := ": the folder was deleted since the archive that this one goes on from; "
			if d := cmp.Diff([]string{
				"mail/Inbox/Away" + since + "removed.jsonl lists what was in it: 8 items, of which 2 had been moved into other folders",
				"mail/Anew" + since + "removed.jsonl lists what was in it: 2 items",
				"calendar/None" + since + "nothing was in it",
				"calendar/Bob: the calendar of others is no longer in the mailbox, and was in the archive that this one goes on from; nothing was in it",
				"mail/Top: the folder is no longer in the mailbox, and was in the archive that this one goes on from; nothing was in it",
			}, archSince(sink)); d != "" {
				t.Error(d)
			}
		})
	}
}

// archSince gives what is noted of deleted folders.
func archSince(s *archSink) []string {
	return slices.DeleteFunc(s.noted(keepwatch.NoteInfo), func(n string) bool {
		return !strings.Contains(n, "deleted") && !strings.Contains(n, "no longer")
	})
}

// mustFetchHolding makes the archive, while so many items are held in memory at most.
func (w *archWorld) mustFetchHolding(t *testing.T, sink *archSink, most int) {
	t.Helper()
	p, err := New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	a := &archiving{p: p, ctx: t.Context(), job: w.job, sink: sink, k: w.kept, spool: w.spools.archSpool, most: most, remarks: remarks{sink: sink}}
	if err := a.run(); err != nil {
		t.Fatal(err)
	}
}

// TestDeletedFoldersWithoutTheOlderArchives: the folders are told of in any case, and what is
// known of their items.
func TestDeletedFoldersWithoutTheOlderArchives(t *testing.T) {
	proj := "Inbox/Projects: a/b deleted OLD PROJ In one that is whole now"
	upTo2 := []string{"Anew deleted LATE Late", "Anew deleted MOVED AMONG Moved among deleted ones", "Inbox/Away deleted CHANGED Changed", "Inbox/Away deleted NEW New", proj}
	for name, c := range map[string]struct {
		set   func(o archOlder)
		want  []string
		known string // what is said of the first folder
		why   string
	}{
		"no oldest":           {func(o archOlder) { delete(o, "alis-mail/1/"+outlook.StatePath) }, upTo2, "lists what is known of it: 2 items", "There is no archive alis-mail/1."},
		"no oldest index":     {func(o archOlder) { delete(o, "alis-mail/1/"+outlook.IndexPath) }, upTo2, "lists what is known of it: 2 items", "There is no archive alis-mail/1."},
		"damaged":             {func(o archOlder) { o["alis-mail/1/"+outlook.IndexPath] += "{" }, upTo2, "lists what is known of it: 2 items", "What it says is not understood."},
		"no list of removals": {func(o archOlder) { delete(o, "alis-mail/2/"+outlook.RemovedPath) }, []string{"Anew deleted MOVED AMONG Moved among deleted ones", proj}, "what was in it is not known", "There is no archive alis-mail/2."},
		"none":                {func(o archOlder) { clear(o) }, nil, "what was in it is not known", "There is no archive alis-mail/3."},
	} {
		t.Run(name, func(t *testing.T) {
			w, older := archDeleted(t)
			c.set(older)
			sink := &archSink{}
			w.mustFetch(t, sink)
			if d := cmp.Diff(c.want, sink.fromDeleted(t)); d != "" {
				t.Error(d)
			}
			notes := archSince(sink)
			if len(notes) != 6 || !strings.HasPrefix(notes[0], "mail/Inbox/Away: ") || !strings.HasSuffix(notes[0], c.known) || !strings.HasSuffix(notes[5], "cannot be read: "+c.why) {
				t.Errorf("%q", notes)
			}
		})
	}
	w, _ := archDeleted(t)
	w.cfg.Older = nil
	sink := &archSink{}
	w.mustFetch(t, sink)
	if notes := archSince(sink); len(notes) != 6 {
		t.Errorf("%q", notes)
	}
}

// archOften counts what is opened, and can stop a job there.
type archOften struct {
	archOlder
	opened map[string]int
	stop   func(path string, times int)
}

func (o archOften) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	o.opened[ref+"/"+path]++
	if o.stop != nil {
		o.stop(ref+"/"+path, o.opened[ref+"/"+path])
	}
	return o.archOlder.OpenEntry(ctx, ref, path)
}

// TestManyItemsOfADeletedFolder: more than are held in memory at once all come, once each.
func TestManyItemsOfADeletedFolder(t *testing.T) {
	const items, held = 3000, 500
	w, older := archDeleted(t)
	var lines []any
	for i := range items {
		lines = append(lines, archLine("away", fmt.Sprint("AAMk", i), fmt.Sprint("Mail ", i)))
	}
	older["alis-mail/1/"+outlook.IndexPath] = archJSON(t, append(lines, lines...)...)
	often := archOften{older, map[string]int{}, nil}
	w.cfg.Older = often
	sink := &archSink{}
	w.mustFetchHolding(t, sink, held)
	all := map[string]int{}
	for _, l := range sink.lines(t, outlook.RemovedPath) {
		if strings.HasPrefix(l.ID, "AAMk") {
			all[l.ID]++
		}
	}
	for id, times := range all {
		if times != 1 {
			t.Errorf("%s comes %d times", id, times)
		}
	}
	if n := often.opened["alis-mail/1/"+outlook.IndexPath]; len(all) != items || n < 3*items/held {
		t.Errorf("%d items; it was read %d times", len(all), n)
	}
}

// TestDeletedFoldersStopped: a job that is stopped is no archive that cannot be read.
func TestDeletedFoldersStopped(t *testing.T) {
	stopped := errors.New("somebody stopped it")
	for times := range 4 {
		w, older := archDeleted(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		w.cfg.Older = archOften{older, map[string]int{}, func(path string, n int) {
			if path == "alis-mail/1/"+outlook.IndexPath && n == times+1 || path == "alis-mail/1/"+outlook.StatePath && times == 3 {
				cancel(stopped)
			}
		}}
		sink := &archSink{}
		if err := w.fetch(ctx, t, sink); !errors.Is(err, stopped) || len(archSince(sink)) != 0 {
			t.Errorf("%d: %v, %v", times, err, sink.notes)
		}
	}
}

// TestNamedLines: what a line says is the same, whether it begins as Keepwatch writes it or
// is read whole.
func TestNamedLines(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":"a=","folder":"b","kind":"mail"}`:                "a= b",
		`{"id":"a\u003cb","folder":"c"}`:                        "a<b c",
		`{"id":"a","folder":"b\"c"}`:                            `a b"c`,
		`{"id":"a","kind":"mail","x":"","folder":"b"}`:          "a b",
		`{"folder":"b","id":"a"}`:                               "a b",
		`{ "id": "a", "folder": "b" }`:                          "a b",
		`{"id":"a","subject":"\",\"folder\":\"x","folder":"b"}`: "a b",
		`{"id":"a","x":{"y":"","folder":"x"},"folder":"b"}`:     "a b",
		`{"id":"a"}`: "a ",
		`{"id":"a`:   "unexpected end of JSON input",
		``:           "unexpected end of JSON input",
	} {
		id, folder, err := named([]byte(line))
		got := string(id) + " " + string(folder)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q and not %q", line, got, want)
		}
	}
}

// TestDeletedFoldersAndHostileLines: what an older index says twice, or too deep, or at too
// great a length is not understood, and nothing that is there is listed as deleted for it.
func TestDeletedFoldersAndHostileLines(t *testing.T) {
	for name, line := range map[string]string{
		"two ids":       `{"id":"TWICE","folder":"away","kind":"mail","id":"STAYS"}`,
		"two folders":   `{"id":"TWICE","folder":"away","kind":"mail","folder":"in"}`,
		"other letters": `{"id":"TWICE","folder":"away","kind":"mail","ID":"STAYS"}`,
		"too deep":      `{"id":"TWICE","folder":"away","raw":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
		"cut off":       `{"id":"TWICE","folder":"away","kind":"ma`,
		"too long":      `{"id":"TWICE","folder":"away","subject":"` + strings.Repeat("x", maxLine) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w, older := archDeleted(t)
			older["alis-mail/1/"+outlook.IndexPath] = line + "\n" + older["alis-mail/1/"+outlook.IndexPath]
			sink := &archSink{}
			w.mustFetch(t, sink)
			for _, l := range sink.lines(t, outlook.RemovedPath) {
				if l.ID == "STAYS" || l.ID == "TWICE" {
					t.Errorf("%+v", l)
				}
			}
			if notes := archSince(sink); !strings.HasSuffix(notes[len(notes)-1], "cannot be read: What it says is not understood.") {
				t.Errorf("%q", notes)
			}
		})
	}
}

// archHurt says at the end of a file that it is not what was sealed, as a vault does.
type archHurt struct {
	archOlder
	path string
}

func (o archHurt) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	e, r, err := o.archOlder.OpenEntry(ctx, ref, path)
	if err != nil || ref+"/"+path != o.path {
		return e, r, err
	}
	return e, io.NopCloser(io.MultiReader(r, iotest.ErrReader(keepwatch.ErrDamaged))), nil
}

// TestDeletedFoldersAndDamage: an older archive of which a file is damaged is not believed.
func TestDeletedFoldersAndDamage(t *testing.T) {
	for _, path := range []string{outlook.StatePath, outlook.IndexPath} {
		w, older := archDeleted(t)
		w.cfg.Older = archHurt{older, "alis-mail/1/" + path}
		sink := &archSink{}
		w.mustFetch(t, sink)
		if got := sink.fromDeleted(t); len(got) != 5 || slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "MISSING") }) {
			t.Errorf("%s: %q", path, got)
		}
	}
}
