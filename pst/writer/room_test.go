package writer

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"keepwatch/pst"
)

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

// TestNamesTakeRoom: named properties count for the size of a volume.
func TestNamesTakeRoom(t *testing.T) {
	o := options()
	o.VolumeSize = MinVolumeSize
	w, _ := create(t, o)
	f := inbox(t, w, "Inbox")
	for i := range 60 {
		if err := f.Add(func(s pst.Sink) error {
			for k := range 60 {
				s.Set(pst.P(pst.Named{Set: pst.PSPublicStrings, Name: fmt.Sprint(strings.Repeat("name ", 60), i, " ", k), Type: pst.Boolean}, true))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	volumes, err := w.Close()
	if err != nil || len(volumes) < 2 {
		t.Fatalf("%v: %v", volumes, err)
	}
	for _, v := range volumes {
		if v.Size > o.VolumeSize {
			t.Errorf("%s has %d bytes", v.Path, v.Size)
		}
		verified(t, v.Path)
	}
}

// TestMemoryOfVolumes: what a volume took is not held when it is done.
func TestMemoryOfVolumes(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	o := options()
	o.VolumeSize = MinVolumeSize
	w, _ := create(t, o)
	before := heap()
	for i := 0; len(w.done) < 20; i++ {
		if err := inbox(t, w, fmt.Sprint(i)).Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(100_000))) }); err != nil {
			t.Fatal(err)
		}
	}
	if held := heap() - before; held > 3<<20 {
		t.Errorf("%d bytes are held", held)
	}
	runtime.KeepAlive(w)
}
