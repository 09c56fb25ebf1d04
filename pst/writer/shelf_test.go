package writer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
)

// scattered adds messages to folders in an order without any: few have many messages,
// so that their tables have more than one block of rows and of values.
func scattered(t testing.TB, w *Writer, folders, messages int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]*Folder, folders)
	for i := range all {
		all[i] = inbox(t, w, fmt.Sprint("Folder ", i))
	}
	for i := range messages {
		f := all[int(rng.ExpFloat64()*float64(folders)/8)%folders]
		long := strings.Repeat("x", rng.IntN(3000))
		if err := f.Add(func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, fmt.Sprint("no. ", i)), pst.P(pst.PidTagConversationTopic, long))
			s.Set(pst.P(pst.PidTagMessageFlags, int32(i%7/6*pst.FlagAssociated)))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestShelf: the file is the same to the byte, however many tables lie aside while it is
// being written, and nothing lies beside it meanwhile.
func TestShelf(t *testing.T) {
	write := func(most int) []byte {
		w, path := create(t, options())
		w.shelf.most = most
		scattered(t, w, 40, 600)
		if got := files(t, path); runtime.GOOS != "windows" && !slices.Equal(got, []string{"mail.pst.partial"}) {
			t.Errorf("%d awake: %v", most, got)
		}
		if (w.shelf.f != nil) != (most < 1000) {
			t.Errorf("%d awake: the shelf is there: %v", most, w.shelf.f != nil)
		}
		closed(t, w)
		if got := files(t, path); !slices.Equal(got, []string{"mail.pst"}) {
			t.Errorf("%d awake: %v", most, got)
		}
		if n := len(w.shelf.awake); n != 0 || w.shelf.f != nil {
			t.Errorf("%d awake: at the end %d are", most, n)
		}
		return verified(t, path).data
	}
	want := write(1000)
	for _, most := range []int{1, 5, 20} {
		if !bytes.Equal(write(most), want) {
			t.Errorf("with %d tables in memory it is another file", most)
		}
	}
}

// TestShelfOfVolumes: the places of one volume serve the next.
func TestShelfOfVolumes(t *testing.T) {
	o := options()
	o.VolumeSize = MinVolumeSize
	w, _ := create(t, o)
	w.shelf.most = 3
	scattered(t, w, 40, 1500)
	end := w.shelf.end
	volumes, err := w.Close()
	if err != nil || len(volumes) < 4 {
		t.Fatalf("%d volumes: %v", len(volumes), err)
	}
	if limit := int64(3 * 40 * 32 << 10); end > limit {
		t.Errorf("the shelf has %d bytes, more than %d", end, limit)
	}
	n := int64(0)
	for _, v := range volumes {
		verified(t, v.Path)
		n += v.Messages
	}
	if n < 1200 {
		t.Errorf("%d messages", n)
	}
}

// TestShelfFails: a message whose table cannot be read or put aside is taken back, and
// the others stay good.
func TestShelfFails(t *testing.T) {
	w, path := create(t, options())
	w.shelf.most = 2
	for i := range 3 {
		if err := inbox(t, w, fmt.Sprint(i)).Add(text(fmt.Sprint("first ", i))); err != nil {
			t.Fatal(err)
		}
	}
	good := w.shelf.f
	bad, err := os.Open(w.cur.v.f.Name()) // which cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	w.shelf.f = bad
	for range 2 {
		if err := inbox(t, w, "0").Add(text("lost")); err == nil || !strings.Contains(err.Error(), "idle folder") {
			t.Errorf("written to: %v", err)
		}
	}
	w.shelf.f = good
	// Of the table that sleeps a byte is another.
	asleep := inbox(t, w, "0").state.contents
	at := asleep.rest.at + 30
	var was [1]byte
	if _, err := good.ReadAt(was[:], at); err != nil || asleep.rest.awake {
		t.Fatal(err)
	}
	if _, err := good.WriteAt([]byte{was[0] ^ 1}, at); err != nil {
		t.Fatal(err)
	}
	if err := inbox(t, w, "0").Add(text("lost")); err == nil || !strings.Contains(err.Error(), "not what was written") {
		t.Errorf("read: %v", err)
	}
	if _, err := good.WriteAt(was[:], at); err != nil {
		t.Fatal(err)
	}
	if err := inbox(t, w, "0").Add(text("last")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if all := messages(t, verified(t, path)); len(all) != 4 {
		t.Errorf("%d messages", len(all))
	}
}

// TestMemoryOfFolders: below 300 bytes a message stay in memory, also if there are few
// messages in each of many folders.
func TestMemoryOfFolders(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	w, _ := create(t, options())
	fill := ordinary(100, 200)
	before := heap()
	const folders, each = 400, 20
	for i := range folders * each {
		if err := inbox(t, w, fmt.Sprint("Folder ", i%folders)).Add(fill); err != nil {
			t.Fatal(err)
		}
	}
	n := (heap() - before) / (folders * each)
	t.Logf("%d bytes a message", n)
	if n > 300 {
		t.Errorf("%d bytes a message stay in memory", n)
	}
	runtime.KeepAlive(w)
}
