package download_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// gaps is a mailbox of which there is an archive that misses some items.
func gaps(t *testing.T) *world {
	w := newWorld(t).small()
	for _, id := range []string{"Inbox-001", "Inbox-004", "Sent-002"} {
		w.box.get(id[:strings.Index(id, "-")]).items[id].poison = "broken"
	}
	w.must()
	w.archived()
	clear(w.box.asked)
	return w
}

// What an archive misses is in no list of changes: a backup of those tries it again, and
// nothing else that is there already.
func TestChangesTryAgainWhatWasMissing(t *testing.T) {
	w := gaps(t)
	w.box.get("Inbox").items["Inbox-001"].poison = "" // the vendor has mended it
	w.box.remove(w.box.get("Sent"), "Sent-002")
	w.must()
	got := w.outcome()
	lines := "folder Inbox\nInbox-001@1 this is Inbox-001, version 1\nInbox-004@1 missing: broken\nfolder"
	if !strings.Contains(got[""], lines) || strings.Contains(got[""], "Sent-002") {
		t.Errorf("the spool has %s", got[""])
	}
	if got["Inbox"] != "" || got["Sent"] != "Sent-002" || w.box.asked["Inbox-002"] != 0 {
		t.Errorf("%q, asked for %v", got, w.box.asked)
	}
}

// Killed between any two steps, it does so all the same.
func TestChangesTryAgainWhatWasMissingThroughKills(t *testing.T) {
	for _, at := range []string{"page", "restart"} {
		w := gaps(t)
		var times atomic.Int32 // lanes call it at the same time
		w.disk.after = func(call string) {
			if call == at && times.Add(1) == 1 {
				panic(errKilled)
			}
		}
		if err := w.killed(t.Context()); err != errKilled {
			t.Fatalf("%s: %v", at, err)
		}
		w.must()
		if got := w.outcome()[""]; strings.Count(got, "missing: broken") != 3 {
			t.Errorf("%s: the spool has %s", at, got)
		}
	}
}

// An archive that cannot say what it misses is no base for the folders that miss something.
func TestChangesWhereTheIndexIsNotAsItShouldBe(t *testing.T) {
	for name, spoil := range map[string]func(string) string{
		"gone":         nil,
		"cut":          func(s string) string { return s[:len(s)/4] },
		"a line fewer": func(s string) string { _, rest, _ := strings.Cut(s, "Inbox-001"); return `{"id":"` + rest },
	} {
		t.Run(name, func(t *testing.T) {
			w := gaps(t)
			ref := w.job.Last.Ref()
			if text := w.index[ref]; spoil == nil {
				delete(w.index, ref)
			} else {
				w.index[ref] = strings.Replace(spoil(text), `"missing"`, `"other"`, 1)
			}
			w.box.remove(w.box.get("Inbox"), "Inbox-004")
			w.must()
			got := w.outcome()
			if got["Inbox"] != "whole" || got["Projects"] != "" || strings.Contains(got[""], "Inbox-004") {
				t.Errorf("%q", got)
			}
		})
	}
}

// So many items that never come look like an outage, and are none: others do come.
func TestManyItemsThatNeverCome(t *testing.T) {
	w := newWorld(t)
	w.box.add(outlook.Mail, "Inbox", "", "inbox", 60)
	w.box.fault = func(call string) error {
		if strings.HasPrefix(call, "content Inbox-02") || strings.HasPrefix(call, "content Inbox-03") || strings.HasPrefix(call, "content Inbox-04") {
			return transient()
		}
		return nil
	}
	for try := range 2 {
		if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	w.must()
	for i := 20; i < 50; i++ {
		w.box.get("Inbox").items[fmt.Sprintf("Inbox-%03d", i)].poison = "it could not be had however often it was tried: It is busy."
	}
	w.same(nil)
}

// A folder that comes in the place of another one, as late as can be, is read too.
func TestAFolderThatComesAtTheEnd(t *testing.T) {
	w := newWorld(t).small()
	w.box.lanes = 1
	rounds := 0
	w.box.fault = func(call string) error {
		b := w.box
		if call == "folders" {
			if rounds++; rounds <= 6 {
				b.put(b.get("Inbox"), fmt.Sprintf("Inbox-new-%d", rounds)) // a busy mailbox
			}
		}
		if call == "changes Sent" && rounds == 6 {
			all := b.get("Sent").items
			b.drop("Sent")
			f := b.add(outlook.Mail, "Sent 2026", "", "", 0)
			for id, it := range all {
				f.items[id] = it
			}
		}
		return nil
	}
	w.must()
	if rounds < 7 {
		t.Fatalf("%d rounds", rounds)
	}
	w.same(nil)
}

// In a mailbox that never stands still, what is moved at the very end may be in no folder
// that is read after that. The archive says so.
func TestWhatIsMovedAtTheEndIsTold(t *testing.T) {
	for last, want := range map[int]int{5: 0, 6: 1} {
		w := newWorld(t).small()
		w.box.lanes = 1
		rounds := 0
		w.box.fault = func(call string) error {
			b := w.box
			if call == "folders" {
				if rounds++; rounds <= 6 {
					b.put(b.get("Inbox"), fmt.Sprintf("Inbox-new-%d", rounds))
				}
			}
			if id := "Sent-001"; call == "changes Sent" && rounds == last && b.get("Sent").items[id] != nil {
				b.move(id, b.get("Sent"), b.get("Inbox")) // which was read a moment ago
			}
			return nil
		}
		w.must()
		if n := len(w.kept().Notes); n != want {
			t.Errorf("moved in round %d of 6: %+v", last, w.kept().Notes)
		}
		if has := strings.Contains(strings.Join(w.disk.spools[7].lines(), " "), "Sent-001@"); has != (want == 0) {
			t.Errorf("moved in round %d of 6: it is there: %v", last, has)
		}
	}
}

// An outage at the end makes no gap of an item that failed before it.
func TestAnOutageAtTheEndMakesNoGaps(t *testing.T) {
	w := newWorld(t).small()
	all := false
	w.box.fault = func(call string) error {
		if call == "content Inbox-003" || all && strings.HasPrefix(call, "content ") {
			return transient()
		}
		return nil
	}
	for try := range 3 {
		all = try == 2
		if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	w.box.fault = nil
	w.must()
	w.same(nil)
}
