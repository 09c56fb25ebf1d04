package writer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
)

// TestBusy: while a message is added nothing else can be done, by whomever, and the
// message comes to no harm.
func TestBusy(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	again := func(t *testing.T) {
		for name, err := range map[string]error{
			"Add":    f.Add(text("inner")),
			"Folder": func() error { _, err := f.Folder("inner", ""); return err }(),
			"Close":  func() error { _, err := w.Close(); return err }(),
			"Abort":  w.Abort(),
		} {
			if !errors.Is(err, ErrBusy) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := f.Add(func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "outer"))
		again(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			again(t)
		}()
		<-done
		return s.Embed(nil, func(s pst.Sink) error {
			again(t)
			return s.Attach(nil, &sly{func() { again(t) }})
		})
	}); err != nil {
		t.Fatal(err)
	}
	if v := closed(t, w); v.Messages != 1 {
		t.Errorf("%d messages", v.Messages)
	}
	if all := messages(t, verified(t, path)); len(all) != 1 {
		t.Errorf("%d messages", len(all))
	}
}

// sly is content that does something when it is read.
type sly struct{ do func() }

func (s *sly) Read([]byte) (int, error) {
	s.do()
	return 0, io.EOF
}

// TestStaleSink: a Sink whose turn is over writes into no other message: the one that
// is being written then fails, and it says why.
func TestStaleSink(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	var old, inner pst.Sink
	if err := f.Add(func(s pst.Sink) error {
		old = s
		s.Set(pst.P(pst.PidTagSubject, "good"))
		return s.Embed(nil, func(s pst.Sink) error {
			inner = s
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	for _, stale := range []pst.Sink{old, inner} {
		for name, use := range map[string]func() error{
			"Set":       func() error { stale.Set(pst.P(pst.PidTagBody, "wrong")); return nil },
			"Recipient": func() error { stale.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, "wrong")}); return nil },
			"Attach":    func() error { stale.Attach(nil, bytes.NewReader(noise(10))); return nil },
			"Embed":     func() error { stale.Embed(nil, text("wrong")); return nil },
		} {
			use() // while nothing is being written
			if err := f.Add(func(s pst.Sink) error { return use() }); !errors.Is(err, errAsleep) {
				t.Errorf("%s: %v", name, err)
			}
			if err := f.Add(func(s pst.Sink) error { return s.Embed(nil, func(pst.Sink) error { return use() }) }); !errors.Is(err, errAsleep) {
				t.Errorf("%s within an embedded message: %v", name, err)
			}
		}
	}
	if v := closed(t, w); v.Messages != 1 {
		t.Errorf("%d messages", v.Messages)
	}
	verified(t, path)
}

// TestManyEmptyFolders: folders without messages fill volumes, too.
func TestManyEmptyFolders(t *testing.T) {
	o := options()
	o.VolumeSize = MinVolumeSize
	w, _ := create(t, o)
	long := strings.Repeat("ä", maxName)
	class := strings.Repeat("C", maxName)
	f := w.Root()
	const n = 600
	for i := range n {
		var err error
		if i%100 == 0 {
			f = w.Root()
		}
		if i%2 == 0 {
			_, err = f.Folder(string(rune('a'+i/2))+long, class)
		} else if i%50 == 1 {
			f, err = f.Folder(string(rune('a'+i/2))+long, class)
		}
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := f.Add(text("last")); err != nil {
		t.Fatal(err)
	}
	volumes, err := w.Close()
	if err != nil || len(volumes) < 2 {
		t.Fatalf("%d volumes: %v", len(volumes), err)
	}
	for _, v := range volumes {
		if v.Size > o.VolumeSize {
			t.Errorf("%s has %d bytes", v.Path, v.Size)
		}
		verified(t, v.Path)
	}
}

// TestTooDeep: a folder with more parents than a volume has room for is an error, also of
// a message; the file stays good.
func TestTooDeep(t *testing.T) {
	o := options()
	o.VolumeSize = MinVolumeSize
	w, path := create(t, o)
	f := w.Root()
	depth := 0
	for ; ; depth++ {
		next, err := f.Folder("below", "")
		if err != nil {
			if !strings.Contains(err.Error(), "too deep") {
				t.Error(err)
			}
			break
		}
		f = next
	}
	if depth < 100 {
		t.Errorf("%d folders deep", depth)
	}
	if err := f.Add(text("deep")); err == nil {
		t.Log("the deepest folder has a message")
	}
	if _, err := w.Root().Folder("another", strings.Repeat("x", 256)); err == nil || !strings.Contains(err.Error(), "class") {
		t.Errorf("%v", err)
	}
	if err := inbox(t, w, "Inbox").Add(text("one")); err != nil {
		t.Fatal(err)
	}
	volumes, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes {
		if v.Size > o.VolumeSize {
			t.Errorf("%s has %d bytes", v.Path, v.Size)
		}
		verified(t, v.Path)
	}
	if volumes[0].Path != path {
		t.Errorf("%v", volumes)
	}
}

// threeVolumes is a Writer with as many, not closed.
func threeVolumes(t *testing.T) (*Writer, string) {
	t.Helper()
	o := options()
	o.VolumeSize = MinVolumeSize
	w, path := create(t, o)
	f := inbox(t, w, "Inbox")
	for len(w.done) < 2 {
		if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(400_000))) }); err != nil {
			t.Fatal(err)
		}
	}
	return w, path
}

// TestNamesOfVolumes: the first volume has its name when the others have theirs on the
// disk; where the folder cannot be synced none has.
func TestNamesOfVolumes(t *testing.T) {
	w, path := threeVolumes(t)
	var seen [][]string
	w.syncFolder = func(string) error {
		seen = append(seen, files(t, path))
		return nil
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || !slices.Equal(seen[0], []string{"mail-2.pst", "mail-3.pst", "mail.pst.partial"}) || !slices.Equal(seen[1], []string{"mail-2.pst", "mail-3.pst", "mail.pst"}) {
		t.Errorf("%v", seen)
	}
	for fail := range 2 {
		w, path := threeVolumes(t)
		broken := errors.New("broken")
		n := -1
		w.syncFolder = func(string) error {
			if n++; n == fail {
				return broken
			}
			return nil
		}
		if _, err := w.Close(); !errors.Is(err, broken) {
			t.Errorf("%d: %v", fail, err)
		}
		if got := files(t, path); len(got) != 0 {
			t.Errorf("%d: %v is left", fail, got)
		}
		if _, err := w.Close(); !errors.Is(err, ErrEnded) {
			t.Errorf("%d, again: %v", fail, err)
		}
	}
}

// TestVolumeInTheWay: neither the second volume nor a later one is overwritten, and
// nothing of ours is left.
func TestVolumeInTheWay(t *testing.T) {
	for _, name := range []string{"mail-2.pst", "mail-2.pst.partial"} {
		path := filepath.Join(t.TempDir(), "mail.pst")
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(path, options()); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v", err)
		}
		if got := files(t, path); !slices.Equal(got, []string{name}) {
			t.Errorf("%v", got)
		}
	}
	for _, name := range []string{"mail.pst", "mail-2.pst", "mail-3.pst", "mail-4.pst"} {
		w, path := threeVolumes(t)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		f := inbox(t, w, "Inbox")
		var err error
		for i := 0; i < 4 && err == nil; i++ {
			err = f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(400_000))) })
		}
		if err != nil && f.Add(text("later")) == nil {
			t.Errorf("%s: it goes on after %v", name, err)
		}
		if _, err := w.Close(); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(filepath.Join(filepath.Dir(path), name)); err != nil || string(data) != "precious" || len(files(t, path)) != 1 {
			t.Errorf("%s: %q %v %v", name, data, err, files(t, path))
		}
	}
}

// TestFullOfLongValues: a table has no more long values than a node has subnodes.
func TestFullOfLongValues(t *testing.T) {
	lay, err := newLayout(contentsColumns)
	if err != nil {
		t.Fatal(err)
	}
	tab := table{lay: lay}
	for n, full := range map[int]bool{0: false, maxSubs - 29: false, maxSubs - 28: true, maxSubs: true} {
		if tab.parts.list = make([]subnode, n); tab.full(100) != full {
			t.Errorf("with %d subnodes: %v", n, !full)
		}
	}
}

// TestParentsComeAlong: a message of a deep folder goes into the next volume if this one
// has no room for all the parents.
func TestParentsComeAlong(t *testing.T) {
	o := options()
	o.VolumeSize = 2 << 20
	w, _ := create(t, o)
	deep, err := w.Root(), error(nil)
	for range 150 {
		if deep, err = deep.Folder(strings.Repeat("ä", maxName), strings.Repeat("C", maxName)); err != nil {
			t.Fatal(err)
		}
	}
	flat := inbox(t, w, "Flat")
	for len(w.done) == 0 || w.cur.size() < o.VolumeSize-80_000 {
		if err := flat.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(30_000))) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := deep.Add(text("deep")); err != nil {
		t.Fatal(err)
	}
	volumes, err := w.Close()
	if err != nil || len(volumes) != 3 {
		t.Fatalf("%v: %v", volumes, err)
	}
	for _, v := range volumes {
		if v.Size > o.VolumeSize {
			t.Errorf("%s has %d bytes", v.Path, v.Size)
		}
		verified(t, v.Path)
	}
}

// TestMemoryComesBack: what one message with very many recipients took is not held.
func TestMemoryComesBack(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	w, _ := create(t, options())
	f := inbox(t, w, "Inbox")
	before := heap()
	if err := f.Add(func(s pst.Sink) error {
		for range 30_000 {
			s.Recipient(pst.Properties{pst.P(pst.PidTagEmailAddress, "somebody@example.org")})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(text("small")); err != nil {
		t.Fatal(err)
	}
	if held := heap() - before; held > 2<<20 {
		t.Errorf("%d bytes are held", held)
	}
	runtime.KeepAlive(w)
}
