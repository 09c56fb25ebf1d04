package download_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// changed is a mailbox of which there is an archive, and in which something has happened
// since. The archive has no state of the folder of contacts.
func changed(t *testing.T) *world {
	w := newWorld(t).small()
	w.must()
	w.archived("Contacts")
	b := w.box
	b.put(b.get("Inbox"), "Inbox-002")
	b.put(b.get("Inbox"), "Inbox-new")
	b.remove(b.get("Sent"), "Sent-004")
	b.move("Sent-005", b.get("Sent"), b.get("Projects"))
	b.put(b.get("Calendar"), "Calendar-003")
	b.get("Projects").Path = []string{"Inbox", "Plans"}
	b.add(outlook.Mail, "New", "", "", 2)
	b.drop("Empty")
	clear(b.asked)
	return w
}

// outcome is all that a spool tells.
func (w *world) outcome() map[string]string {
	d := w.disk.spools[w.job.Run]
	all := map[string]string{"": strings.Join(d.lines(), "\n")}
	for _, f := range d.folders {
		all[f.ID] = strings.Join(slices.Sorted(maps.Keys(d.boxes[f.ID].removed)), " ")
		if d.at[f.ID].Whole {
			all[f.ID] = "whole"
		}
	}
	return all
}

func TestDownloadOfChanges(t *testing.T) {
	w := changed(t)
	rounds := 0
	w.box.guard = func(call string) {
		if call == "folders" {
			rounds++
		}
	}
	w.must()
	if rounds != 3 { // what changed, and nothing; and whether a folder is really gone
		t.Errorf("%d rounds", rounds)
	}
	got := w.outcome()
	delete(got, "")
	want := map[string]string{"Inbox": "", "Projects": "", "Sent": "Sent-004 Sent-005", "Contacts": "whole", "Calendar": "whole", "New": "whole"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was removed, or that all is here (-want +got):\n%s", diff)
	}
	asked := slices.DeleteFunc(slices.Sorted(maps.Keys(w.box.asked)), func(id string) bool {
		return strings.HasPrefix(id, "Calendar-") || strings.HasPrefix(id, "Contacts-")
	})
	if want := []string{"Inbox-002", "Inbox-new", "New-000", "New-001", "Sent-005"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q", asked)
	}
	if k := w.kept(); k.Base != "alis-mail/2026-11-22T023000Z" || len(k.Notes) != 0 || len(k.Gone) != 1 || k.Gone[0].ID != "Empty" {
		t.Errorf("kept %+v", k)
	}
}

// TestDeletedFolders: a folder of the older archive was deleted, or is only elsewhere.
func TestDeletedFolders(t *testing.T) {
	for name, c := range map[string]struct {
		parts        []string
		set          func(b *box)
		gone, noted  string
		whileReading bool
	}{
		"deleted":                {set: func(b *box) { b.drop("Sent"); b.drop("Projects") }, gone: "Projects Sent"},
		"a calendar":             {set: func(b *box) { b.drop("Calendar") }, gone: "Calendar"},
		"renamed and moved":      {set: func(b *box) { b.get("Projects").Path, b.get("Projects").Parent = []string{"Sent", "Plans"}, "Sent" }},
		"moved out of the parts": {parts: []string{"Inbox"}, set: func(b *box) { b.get("Projects").Path, b.get("Projects").Parent = []string{"Sent", "Projects"}, "Sent" }, noted: "mail/Inbox/Projects"},
		"in the parts":           {parts: []string{"Inbox"}, set: func(b *box) { b.drop("Projects"); b.drop("Sent") }, gone: "Projects"},
		"hidden":                 {set: func(b *box) { b.get("Sent").Hidden = true }, noted: "mail/Sent"},
		"recoverable":            {set: func(b *box) { b.get("Sent").Recoverable = true }, gone: "Sent"},
		"of a kind not asked":    {parts: []string{"mail"}, set: func(b *box) { b.drop("Sent") }, gone: "Sent"},
		"while it is read":       {set: func(b *box) { b.drop("Sent") }, gone: "Sent", whileReading: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).small()
			w.job.Parts = c.parts
			w.must()
			w.archived()
			if name == "of a kind not asked" { // whatever made it go on from an archive that has more
				s := w.older[w.job.Last.Ref()]
				s.Folders = append(s.Folders, outlook.FolderState{Folder: outlook.Folder{ID: "Friends", Kind: outlook.Contacts, Path: []string{"Friends"}}, State: "s"})
				w.older[w.job.Last.Ref()], c.noted = s, "contacts/Friends"
			}
			if c.whileReading {
				w.box.calls = 0
				w.box.script[4] = c.set
			} else {
				c.set(w.box)
			}
			w.must()
			var gone, noted []string
			if vanished := slices.ContainsFunc(w.kept().Notes, func(n keepwatch.Note) bool { return n.Kind == keepwatch.NoteVanished }); vanished != c.whileReading {
				t.Errorf("vanished while it was read: %v", vanished)
			}
			for _, f := range w.kept().Gone {
				gone = append(gone, f.ID)
			}
			for _, n := range w.kept().Notes {
				if n.Kind == keepwatch.NoteInfo {
					noted = append(noted, n.Path)
				}
			}
			if got := strings.Join(gone, " "); got != c.gone {
				t.Errorf("deleted are %q and not %q", got, c.gone)
			}
			if got := strings.Join(noted, " "); got != c.noted {
				t.Errorf("noted are %q and not %q", got, c.noted)
			}
		})
	}
}

func TestChangesOfAFolderWhoseStateIsForgotten(t *testing.T) {
	w := changed(t)
	w.box.get("Sent").forgotten = w.box.seq
	w.must()
	if got := w.outcome()["Sent"]; got != "whole" {
		t.Errorf("Sent: %q", got)
	}
	if w.box.asked["Sent-000"] != 1 || w.box.asked["Inbox-000"] != 0 {
		t.Errorf("asked for %v", w.box.asked)
	}
}

func TestChangesWhereThereIsNothingToGoOnFrom(t *testing.T) {
	ref := "alis-mail/2026-11-22T023000Z"
	for name, c := range map[string]struct {
		set  func(w *world)
		want string
	}{
		"no archive":      {func(w *world) { w.job.Last = nil }, "there is no verified archive"},
		"no state":        {func(w *world) { clear(w.older) }, "There is no state.json"},
		"another mailbox": {func(w *world) { w.older[ref] = outlook.State{Version: 1, Mailbox: "b@contoso.example"} }, "of another mailbox"},
		"another version": {func(w *world) { w.older[ref] = outlook.State{Version: 2} }, "does not tell how far it came"},
	} {
		t.Run(name, func(t *testing.T) {
			w := changed(t)
			c.set(w)
			w.must()
			w.same(nil)
			k := w.kept()
			if k.Base != "" || len(k.Notes) != 1 || k.Notes[0].Kind != keepwatch.NoteInfo || !strings.Contains(k.Notes[0].Text, c.want) {
				t.Errorf("kept %+v", k)
			}
			for id, text := range w.outcome() {
				if id != "" && text != "whole" {
					t.Errorf("%s: %q", id, text)
				}
			}
		})
	}
}

// The archive that a run goes on from can go while it is cut off.
func TestTheBaseGoesMeanwhile(t *testing.T) {
	w := changed(t)
	w.box.fault = func(call string) error {
		if call == "folders" {
			return transient()
		}
		return nil
	}
	if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient {
		t.Fatal(err)
	}
	w.box.fault = nil
	clear(w.older)
	w.must()
	w.same(nil)
	w.unsure()
}

// unsure sees that somebody is told that deleted folders may not be.
func (w *world) unsure() {
	w.t.Helper()
	k := w.kept()
	if len(k.Gone) != 0 || len(k.Notes) != 1 || k.Notes[0].Kind != keepwatch.NoteInfo || !strings.HasPrefix(k.Notes[0].Text, "which folders were deleted since") || !strings.HasSuffix(k.Notes[0].Text, "cannot be read any more: There is no state.json in alis-mail/2026-11-22T023000Z.") {
		w.t.Errorf("kept %+v", k)
	}
}

// Or after its folders were begun: a folder that was deleted is not passed over in silence.
// Where it can be read again, all is told.
func TestTheBaseGoesForAWhile(t *testing.T) {
	for _, back := range []bool{false, true} {
		w := changed(t)
		older, rounds := maps.Clone(w.older), 0
		broken := func(call string) error {
			if call == "folders" {
				if rounds++; rounds > 1 {
					return transient()
				}
			}
			return nil
		}
		w.box.fault = broken
		if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient {
			t.Fatal(err)
		}
		clear(w.older)
		if back { // it comes as far as to look, and stops behind that
			w.box.fault = nil
			w.keeping = func(k kept) {
				if len(k.Notes) > 0 {
					panic(errKilled)
				}
			}
			if err := w.killed(t.Context()); err != errKilled {
				t.Fatal(err)
			}
			w.keeping = nil
			maps.Copy(w.older, older)
		}
		w.box.fault = nil
		w.must()
		if !back {
			w.unsure()
		} else if k := w.kept(); len(k.Notes) != 0 || len(k.Gone) != 1 {
			t.Errorf("kept %+v", k)
		}
	}
}

// TestTheBaseGoesAfterItWasRead: what was known of deleted folders before a stop still is.
func TestTheBaseGoesAfterItWasRead(t *testing.T) {
	for _, undeleted := range []bool{false, true} {
		w := changed(t)
		w.box.fault = func(call string) error {
			if call == "content Inbox-new" {
				return transient()
			}
			return nil
		}
		if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient || len(w.kept().Gone) != 1 {
			t.Fatalf("%v, kept %+v", err, w.kept())
		}
		w.box.fault = nil
		clear(w.older)
		want := 1
		if undeleted {
			w.box.add(outlook.Mail, "Empty", "", "", 0)
			want = 0
		}
		w.must()
		if k := w.kept(); len(k.Gone) != want || len(k.Notes) != 1 {
			t.Errorf("kept %+v", k)
		}
	}
}

// TestFoldersThatComeBackIntoTheParts: what was said of a folder before a stop counts no
// longer where it is otherwise by now.
func TestFoldersThatComeBackIntoTheParts(t *testing.T) {
	w := newWorld(t).small()
	w.job.Parts = []string{"Inbox"}
	w.must()
	w.archived()
	projects := w.box.get("Projects")
	projects.Path, projects.Parent = []string{"Sent", "Projects"}, "Sent"
	w.box.put(w.box.get("Inbox"), "Inbox-new")
	w.box.fault = func(call string) error {
		if call == "content Inbox-new" {
			return transient()
		}
		return nil
	}
	if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient || len(w.kept().Notes) != 1 {
		t.Fatalf("%v, kept %+v", err, w.kept())
	}
	w.box.fault = nil
	projects.Path, projects.Parent = []string{"Inbox", "Projects"}, "Inbox"
	w.must()
	if k := w.kept(); len(k.Notes) != 0 || len(k.Gone) != 0 {
		t.Errorf("kept %+v", k)
	}
}

// A folder that is read whole each time is read once more, and not again, when nothing is
// new in it.
func TestAQuietCalendarIsReadTwice(t *testing.T) {
	w := newWorld(t)
	w.box.add(outlook.Calendar, "Calendar", "", "", 3)
	w.must()
	w.same(nil)
	if w.box.calls != 2+2+3 { // folders, readings, contents
		t.Errorf("%d calls", w.box.calls)
	}
}
