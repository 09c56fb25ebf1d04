package writer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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
		p := verifyVolume(t, v, found)
		if _, there := tree(t, p)["|Only in the first"]; there != (i == 0) {
			t.Errorf("%s: the folder that only the first needs is there: %v", v.Path, there)
		}
	}
	for subject, times := range found {
		if times != 1 || len(found) != n+2 {
			t.Errorf("%s is one of %d and there %d times", subject, len(found), times)
		}
	}
	if got := files(t, path); len(got) != len(volumes) {
		t.Errorf("at the end: %v", got)
	}
}

// verifyVolume counts the messages of a volume, and compares their attachments with
// what was given.
func verifyVolume(t *testing.T, v Volume, found map[string]int) *parsed {
	t.Helper()
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
	return p
}

// TestVolumeSize: no volume is larger than it may be, whatever it is full of, and it
// is not far from being full.
func TestVolumeSize(t *testing.T) {
	for name, c := range map[string]struct {
		messages, folders, least int
		fill                     func(i int) func(pst.Sink) error
	}{
		"tiny":            {3000, 1, 3, func(i int) func(pst.Sink) error { return text(fmt.Sprint(i)) }},
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
	const n = 4_000
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
