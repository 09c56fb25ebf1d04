package writer

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"keepwatch/pst"
)

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
