package download_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
)

func TestDownloadWhole(t *testing.T) {
	w := newWorld(t).small()
	w.disk.guard = func(call string) {
		if call == "open" && len(w.kept().Key) != 32 {
			t.Error("the spool is opened before its key is kept")
		}
	}
	w.must()
	w.same(nil)
	for id, n := range w.box.asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", id, n)
		}
	}
	if w.box.most > w.box.lanes {
		t.Errorf("%d calls at once", w.box.most)
	}
	for _, f := range w.box.folders {
		if at := w.disk.spools[7].at[f.ID]; !at.Whole || !at.Ended() {
			t.Errorf("%s: %+v", f.Title(), at)
		}
	}
	if last := w.told[len(w.told)-1]; last.Items != 38 || last.TotalItems != 38 || last.Bytes == 0 {
		t.Errorf("told %+v", last)
	}
	calls := w.box.calls
	w.must() // as after a kill before the step was saved
	if w.box.calls != calls {
		t.Error("a download that was complete asks again")
	}
	if err := w.provider().Discard(7); err != nil || len(w.disk.spools) != 0 {
		t.Errorf("discard: %v", err)
	}
	if w.job.Source.Engine = "purview"; w.provider().Downloads(w.job) {
		t.Error("an export of Purview is downloaded item by item")
	}
}

// While it is read, everything happens in the mailbox that can.
func (w *world) lively() {
	do := map[int]func(b *box){
		5: func(b *box) { b.put(b.get("Inbox"), "Inbox-new") },
		8: func(b *box) { b.move("Sent-003", b.get("Sent"), b.get("Inbox")) },
		11: func(b *box) {
			b.get("Projects").Path = []string{"Archive", "Done"}
			b.get("Projects").Parent = ""
		},
		14: func(b *box) { b.remove(b.get("Inbox"), "Inbox-010") },
		17: func(b *box) { b.put(b.get("Contacts"), "Contacts-002") },
		20: func(b *box) { b.add(outlook.Mail, "Later", "Inbox", "", 6) },
		24: func(b *box) { b.get("Sent").forgotten = b.seq },
		27: func(b *box) { b.move("Projects-002", b.get("Projects"), b.get("Inbox")) },
		30: func(b *box) { b.drop("Empty"); b.remove(b.get("Calendar"), "Calendar-001") },
	}
	maps.Copy(w.box.script, do)
	w.box.get("Inbox").items["Inbox-004"].poison = "Its attachment is broken."
	w.box.get("Inbox").items["Inbox-006"].ghost = true
}

func TestDownloadOfALivelyMailbox(t *testing.T) {
	w := newWorld(t).small()
	w.lively()
	w.must()
	w.same(nil)
	want := []keepwatch.Note{{Kind: keepwatch.NoteVanished, Path: "mail/Empty", Text: "the folder was deleted while the mailbox was read"}}
	if got := w.kept().Notes; !slices.Equal(got, want) {
		t.Errorf("notes: %+v", got)
	}
}

// An item that is moved after its new folder was read, and before its old one was, is in
// neither reading.
func TestMovedBetweenTwoReadings(t *testing.T) {
	w := newWorld(t)
	a, b := w.box.add(outlook.Mail, "A", "", "", 3), w.box.add(outlook.Mail, "B", "", "", 3)
	w.box.lanes = 1
	rounds := 0
	w.box.guard = func(call string) {
		if call == "changes B" {
			if rounds++; rounds == 2 {
				w.box.move("B-001", b, a)
			}
		}
	}
	w.must()
	w.same(nil)
}

// So is one of a folder that is deleted after it was moved out.
func TestMovedOutOfAFolderThatIsDeleted(t *testing.T) {
	w := newWorld(t)
	a, b := w.box.add(outlook.Mail, "A", "", "", 3), w.box.add(outlook.Mail, "B", "", "", 3)
	w.box.lanes = 1
	rounds := 0
	w.box.guard = func(call string) {
		if call == "changes B" {
			if rounds++; rounds == 2 {
				w.box.move("B-001", b, a)
				w.box.drop("B")
			}
		}
	}
	w.must()
	w.same(nil)
}

func TestOneFolderIsRenamedAndAnotherDeleted(t *testing.T) {
	w := newWorld(t).small()
	w.job.Parts = []string{"inbox/projects", "Sent Items"}
	w.box.script[9] = func(b *box) { b.get("Projects").Path = []string{"Inbox", "Other"}; b.drop("Sent") }
	w.must()
	w.same(func(f *fold) bool { return f.ID == "Projects" })
}

func TestAFolderThatIsListedAndNotThere(t *testing.T) {
	w := newWorld(t).small()
	w.box.fault = func(call string) error {
		if call == "changes Projects" {
			return keepwatch.Errorf(keepwatch.KindNotFound, "It is not there.").Because(outlook.ErrGone)
		}
		return nil
	}
	err := w.download(t.Context())
	if keepwatch.KindOf(err) != keepwatch.KindTransient || !strings.Contains(keepwatch.Sentence(err), "Inbox/Projects") {
		t.Errorf("%v", err)
	}
}

func TestAStateThatIsForgottenAgainAndAgain(t *testing.T) {
	w := newWorld(t).small()
	w.box.fault = func(call string) error {
		if call == "changes Sent" {
			return outlook.ErrResync
		}
		return nil
	}
	err := w.download(t.Context())
	if keepwatch.KindOf(err) != keepwatch.KindTransient || !errors.Is(err, outlook.ErrResync) || !strings.Contains(keepwatch.Sentence(err), "Sent") {
		t.Errorf("%v", err)
	}
}

func transient() error { return keepwatch.Errorf(keepwatch.KindTransient, "It is busy.") }

func TestFaultsThatPass(t *testing.T) {
	w := newWorld(t).small()
	seen := map[string]int{}
	w.box.fault = func(call string) error {
		if seen[call]++; seen[call] == 1 && (call == "content Inbox-003" || call == "content Calendar-000" || call == "changes Sent") {
			return transient()
		}
		return nil
	}
	w.must()
	w.same(nil)
}

// What is not there for a moment, as while it is being moved, is asked for once more at
// the end, and what is never there no more often than that.
func TestItemsThatAreListedAndNotThere(t *testing.T) {
	w := newWorld(t).small()
	seen := map[string]int{}
	w.box.fault = func(call string) error {
		if seen[call]++; seen[call] == 1 && call == "content Sent-003" {
			return keepwatch.Errorf(keepwatch.KindNotFound, "It is not there.").Because(outlook.ErrGone)
		}
		return nil
	}
	w.box.get("Inbox").items["Inbox-001"].ghost = true
	w.must()
	w.same(nil)
	if n := seen["content Inbox-001"]; n != 2 {
		t.Errorf("one that is never there was asked for %d times", n)
	}
}

// broken is a content that breaks off.
type broken struct{ io.Reader }

func (b broken) Read(data []byte) (int, error) {
	if n, err := b.Reader.Read(data[:min(len(data), 5)]); err == nil {
		return n, nil
	}
	return 0, transient()
}

func (broken) Close() error { return nil }

func TestAContentThatBreaksOff(t *testing.T) {
	w := newWorld(t).small()
	times := 0
	w.box.body = func(r io.Reader) io.ReadCloser {
		if times++; times == 5 {
			return broken{r}
		}
		return io.NopCloser(r)
	}
	w.must()
	w.same(nil)
}

// One item that never comes must not keep the mailbox from being backed up, and is told.
func TestOneItemThatNeverComes(t *testing.T) {
	w := newWorld(t).small()
	w.box.fault = func(call string) error {
		if call == "content Inbox-003" {
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
	w.box.get("Inbox").items["Inbox-003"].poison = "it could not be had however often it was tried: It is busy."
	w.same(nil)
	if n := w.box.asked["Inbox-004"]; n != 1 {
		t.Errorf("another one was asked for %d times", n)
	}
}

func TestAnOutageEndsTheDownloadSoon(t *testing.T) {
	w := newWorld(t)
	w.box.add(outlook.Mail, "Inbox", "", "inbox", 200)
	calls := 0
	w.box.fault = func(call string) error {
		if strings.HasPrefix(call, "content ") {
			calls++
			return transient()
		}
		return nil
	}
	if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindTransient || calls > 24 {
		t.Errorf("%d calls: %v", calls, err)
	}
	if w.kept().Late != 0 {
		t.Error("an outage counts as the fault of single items")
	}
	w.box.fault = nil
	w.must()
	w.same(nil)
}

func TestWhatStopsADownload(t *testing.T) {
	denied := keepwatch.Errorf(keepwatch.KindAttention, "Give it the permission.")
	for name, set := range map[string]func(w *world) error{
		"denied": func(w *world) error {
			w.box.fault = func(call string) error {
				if call == "content Inbox-005" {
					return denied
				}
				return nil
			}
			return denied
		},
		"a disk that fails": func(w *world) error { w.disk.fault = errors.New("no space"); return w.disk.fault },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).small()
			want := set(w)
			if err := w.download(t.Context()); !errors.Is(err, want) || keepwatch.Sentence(err) != keepwatch.Sentence(want) {
				t.Errorf("%v", err)
			}
			w.box.fault, w.disk.fault = nil, nil
			w.must()
			w.same(nil)
		})
	}
}

func TestASpoolThatIsLost(t *testing.T) {
	w := newWorld(t).small()
	w.must()
	first := w.kept().Key
	w.disk.spools[7].broken = true
	w.must()
	w.same(nil)
	if bytes.Equal(first, w.kept().Key) {
		t.Error("the key is the same")
	}
	w.disk.spools[7].broken = true
	w.disk.guard = func(call string) {
		if call == "open" && w.disk.spools[7] == nil {
			w.disk.spools[7] = &data{broken: true}
		}
	}
	if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("%v", err)
	}
}

func TestARetryTriesAgainWhatWasMissed(t *testing.T) {
	w := newWorld(t).small()
	w.box.get("Inbox").items["Inbox-004"].poison = "broken"
	w.box.fault = func(call string) error {
		if call == "content Sent-001" {
			return keepwatch.Errorf(keepwatch.KindAttention, "Stop.")
		}
		return nil
	}
	for range 3 { // until what is broken was missed
		if err := w.download(t.Context()); keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Fatal(err)
		}
	}
	w.box.get("Inbox").items["Inbox-004"].poison = ""
	w.box.fault = nil
	w.job.Retried = true
	w.must()
	w.same(nil)
	if n := w.disk.spools[7].retries; n != 1 || w.kept().Again {
		t.Errorf("%d retries, kept %+v", n, w.kept())
	}
}

// What panics in a goroutine of ours reaches the caller, and with the place where it was.
func TestAPanicReachesTheCaller(t *testing.T) {
	w := newWorld(t).small()
	w.box.guard = func(call string) {
		if call == "content Inbox-003" {
			panic("a fault of ours")
		}
	}
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "a fault of ours") || !strings.Contains(text, "download_test.go") {
			t.Errorf("panicked with %s", text)
		}
	}()
	_ = w.download(t.Context())
}

func TestNoRoomForADownload(t *testing.T) {
	w := newWorld(t).small()
	w.box.get("Inbox").Bytes = 4 << 30
	w.job.Source.Formats = []string{"eml", "pst"}
	w.disk.free = 9 << 30
	err := w.download(t.Context())
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "the PST") || len(w.box.asked) > 0 {
		t.Errorf("%v", err)
	}
	if _, err := w.provider().Plan(t.Context(), w.job); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("plan: %v", err)
	}
	w.job.Source.Formats = nil
	w.must()
}

func TestCancelledDownload(t *testing.T) {
	w := newWorld(t).small()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("a person")
	w.box.script[12] = func(*box) { cancel(why) }
	if err := w.download(ctx); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	w.must()
	w.same(nil)
}
