package writer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"keepwatch/pst"
)

// files gives the names of what lies beside a file.
func files(t testing.TB, path string) []string {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// TestVolumes: what does not fit goes whole into the next volume, with its folder.
func TestVolumes(t *testing.T) {
	o := options()
	o.VolumeSize = 3 << 20
	w, path := create(t, o)
	deep, err := inbox(t, w, "Inbox").Folder("Below", "IPF.Note")
	if err != nil {
		t.Fatal(err)
	}
	other := inbox(t, w, "Only in the first")
	if err := other.Add(text("first of all")); err != nil {
		t.Fatal(err)
	}
	const n = 40
	runs := 0
	for i := range n {
		if err := deep.Add(func(s pst.Sink) error {
			runs++
			s.Set(pst.P(pst.PidTagSubject, fmt.Sprint("no. ", i)), pst.P(pst.PidLidPrivate, true))
			return s.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, "x")}, bytes.NewReader(noise(300_000+i)))
		}); err != nil {
			t.Fatal(err)
		}
	}
	// A message that is too large for any volume leaves those there good.
	err = deep.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(4<<20))) })
	if err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("%v", err)
	}
	if err := deep.Add(text("last of all")); err != nil {
		t.Fatal(err)
	}
	if got := files(t, path); slices.Contains(got, "mail.pst") || !slices.Contains(got, "mail-2.pst.partial") {
		t.Errorf("before the end: %v", got)
	}
	volumes, err := w.Close()
	if err != nil || len(volumes) < 5 || runs <= n || runs > n+len(volumes) {
		t.Fatalf("%d volumes, %d runs: %v", len(volumes), runs, err)
	}
	found := map[string]int{}
	for i, v := range volumes {
		want := path
		if i > 0 {
			want = strings.TrimSuffix(path, ".pst") + fmt.Sprintf("-%d.pst", i+1)
		}
		if info, err := os.Stat(v.Path); err != nil || v.Path != want || info.Size() != v.Size || v.Size > o.VolumeSize || info.Mode().Perm() != 0o600 {
			t.Errorf("%v is not %s: %v", v, want, err)
		}
		p := verified(t, v.Path)
		all := messages(t, p)
		for subject, m := range all {
			found[subject]++
			for name, a := range attachments(t, p, m) {
				var no int
				fmt.Sscanf(subject, "no. %d", &no)
				if !bytes.Equal(p.values(t, a)[pst.PidTagAttachDataBinary], noise(300_000+no)) {
					t.Errorf("%s of %s is damaged", name, subject)
				}
			}
		}
		if int64(len(all)) != v.Messages {
			t.Errorf("%s: %d messages, it says %d", v.Path, len(all), v.Messages)
		}
		if _, there := tree(t, p)["|Only in the first"]; there != (i == 0) {
			t.Errorf("%s: the folder that only the first needs is there: %v", v.Path, there)
		}
	}
	if len(found) != n+2 {
		t.Errorf("%d messages", len(found))
	}
	for subject, times := range found {
		if times != 1 {
			t.Errorf("%s is there %d times", subject, times)
		}
	}
	if got := files(t, path); len(got) != len(volumes) {
		t.Errorf("at the end: %v", got)
	}
}

// TestVolumeSize: no volume is larger than it may be, whatever it is full of, and it
// is not far from being full.
func TestVolumeSize(t *testing.T) {
	for name, c := range map[string]struct {
		messages, folders, least int
		fill                     func(i int) func(pst.Sink) error
	}{
		"tiny":            {6000, 1, 7, func(i int) func(pst.Sink) error { return text(fmt.Sprint(i)) }},
		"in many folders": {1200, 300, 2, func(i int) func(pst.Sink) error { return text(fmt.Sprint(i)) }},
		"many recipients": {20, 1, 8, func(i int) func(pst.Sink) error {
			return func(s pst.Sink) error {
				for range 1500 {
					s.Recipient(pst.Properties{pst.P(pst.PidTagEmailAddress, "somebody@example.org")})
				}
				return nil
			}
		}},
	} {
		o := options()
		o.VolumeSize = MinVolumeSize
		w, _ := create(t, o)
		for i := range c.messages {
			if err := inbox(t, w, fmt.Sprint("Folder ", i%c.folders)).Add(c.fill(i)); err != nil {
				t.Fatalf("%s, %d: %v", name, i, err)
			}
		}
		volumes, err := w.Close()
		if err != nil || len(volumes) < c.least {
			t.Fatalf("%s: %d volumes: %v", name, len(volumes), err)
		}
		sum := int64(0)
		for i, v := range volumes {
			if sum += v.Messages; v.Size > o.VolumeSize || i < len(volumes)-1 && v.Size < o.VolumeSize/2 {
				t.Errorf("%s: volume %d has %d bytes", name, i+1, v.Size)
			}
			verified(t, v.Path)
		}
		if sum != int64(c.messages) {
			t.Errorf("%s: %d messages", name, sum)
		}
	}
}

// TestNothingInLast: a volume that was begun for a message that fits into none is not kept.
func TestNothingInLast(t *testing.T) {
	o := options()
	o.VolumeSize = MinVolumeSize
	w, path := create(t, o)
	f := inbox(t, w, "Inbox")
	if err := f.Add(text("small")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(2<<20))) }); err == nil {
			t.Error("2 MB went into a volume of 1 MB")
		}
	}
	closed(t, w)
	if got := files(t, path); !slices.Equal(got, []string{"mail.pst"}) {
		t.Errorf("%v", got)
	}
	verified(t, path)
}

func TestOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.pst")
	for _, size := range []int64{-1, 1, MinVolumeSize - 1, MaxVolumeSize + 1} {
		if _, err := Create(path, Options{VolumeSize: size}); err == nil {
			t.Errorf("a volume of %d bytes was taken", size)
		}
	}
	if got := files(t, path); len(got) != 0 {
		t.Errorf("%v is left", got)
	}
	o := options()
	o.Plain, o.Name = true, "Post von Åse"
	w, path := create(t, o)
	closed(t, w)
	p := verified(t, path)
	if name := pst.FromUTF16(p.values(t, p.nodes[pst.NIDStore])[pst.PidTagDisplayName]); p.crypt != pst.CryptNone || name != o.Name {
		t.Errorf("%v %q", p.crypt, name)
	}
	// Ids are random where they are not given.
	keys := map[string]bool{}
	for range 2 {
		w, path := create(t, Options{})
		closed(t, w)
		p := verified(t, path)
		keys[string(p.values(t, p.nodes[pst.NIDStore])[pst.PidTagRecordKey])] = true
	}
	if len(keys) != 2 {
		t.Error("two files have the same record key")
	}
}

// TestNoOverwrite: neither a file nor what is left of another attempt is touched,
// and a Create that fails leaves nothing.
func TestNoOverwrite(t *testing.T) {
	for _, name := range []string{"mail.pst", "mail.pst.partial"} {
		path := filepath.Join(t.TempDir(), "mail.pst")
		there := filepath.Join(filepath.Dir(path), name)
		if err := os.WriteFile(there, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(path, Options{}); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(there); string(data) != "precious" || len(files(t, path)) != 1 {
			t.Errorf("%s: %q %v %v", name, data, err, files(t, path))
		}
	}
	if _, err := Create(filepath.Join(t.TempDir(), "no such folder", "mail.pst"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// A file of the name that comes while ours is being written is not overwritten.
	w, path := create(t, options())
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); !errors.Is(err, os.ErrExist) {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" || len(files(t, path)) != 1 {
		t.Errorf("%q %v", data, files(t, path))
	}
}

// TestUnfinished: until Close nobody takes the file for a whole one, and after Abort
// there is none.
func TestUnfinished(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(2<<20))) }); err != nil {
		t.Fatal(err)
	}
	if got := files(t, path); !slices.Equal(got, []string{"mail.pst.partial"}) {
		t.Fatalf("%v", got)
	}
	data, err := os.ReadFile(path + ".partial")
	if err != nil {
		t.Fatal(err)
	}
	var header *pst.HeaderError
	if _, err := pst.ReadHeader(bytes.NewReader(data), int64(len(data))); !errors.As(err, &header) {
		t.Errorf("the header of an unfinished file is good: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if got := files(t, path); len(got) != 0 {
		t.Errorf("%v is left", got)
	}
	for name, err := range map[string]error{
		"Add":    f.Add(text("late")),
		"Folder": func() error { _, err := f.Folder("late", ""); return err }(),
		"Close":  func() error { _, err := w.Close(); return err }(),
	} {
		if !errors.Is(err, ErrEnded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
}

// TestAbortAfterClose: a deferred Abort leaves the file.
func TestAbortAfterClose(t *testing.T) {
	w, path := create(t, options())
	closed(t, w)
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	verified(t, path)
}

// TestPanic: a message whose function panics leaves no trace.
func TestPanic(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(text("before")); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		f.Add(func(s pst.Sink) error {
			s.Attach(nil, bytes.NewReader(noise(100_000)))
			panic("oh")
		})
	}()
	if err := f.Add(text("after")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if p := verified(t, path); !bytes.Equal(p.data, clean(t)) {
		t.Error("the message left a trace")
	}
}

// TestDiskFails: a message that cannot be written is taken back; once the disk is
// good again, so is the file.
func TestDiskFails(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(text("before")); err != nil {
		t.Fatal(err)
	}
	good := w.cur.v.f
	bad, err := os.Open(good.Name()) // which cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	w.cur.v.f = bad
	if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(2<<20))) }); err == nil {
		t.Error("it was written to a disk that takes nothing")
	}
	w.cur.v.f = good
	if err := f.Add(text("after")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if p := verified(t, path); !bytes.Equal(p.data, clean(t)) {
		t.Error("the message left a trace")
	}
}

// TestDiskFull: a file that cannot be finished is removed.
func TestDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("%s has no disk that is always full: %v", runtime.GOOS, err)
	}
	defer full.Close()
	w, path := create(t, options())
	if err := inbox(t, w, "Inbox").Add(text("one")); err != nil {
		t.Fatal(err)
	}
	w.cur.v.f = full
	if _, err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if got := files(t, path); len(got) != 0 {
		t.Errorf("%v is left", got)
	}
}

// TestRowFails: where the row of a message cannot be written nothing goes on, and
// no file comes of it.
func TestRowFails(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(text("one")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	w.err = broken
	if err := f.Add(text("two")); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := w.Close(); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if got := files(t, path); len(got) != 0 {
		t.Errorf("%v is left", got)
	}
}

// TestMemory: what stays in memory of a message is less than 300 bytes.
func TestMemory(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	w, _ := create(t, options())
	f := inbox(t, w, "Inbox")
	fill := ordinary(100, 200)
	if err := f.Add(fill); err != nil {
		t.Fatal(err)
	}
	before := heap()
	const n = 8_000
	for range n {
		if err := f.Add(fill); err != nil {
			t.Fatal(err)
		}
	}
	each := (heap() - before) / n
	t.Logf("%d bytes a message", each)
	if each > 300 {
		t.Errorf("%d bytes a message stay in memory", each)
	}
	runtime.KeepAlive(w)
}
