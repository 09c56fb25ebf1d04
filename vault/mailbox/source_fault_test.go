package mailbox

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/vault"
)

// touched has the sealed file count as another one, so that it is unpacked with the next
// frame that is not in memory, and fills the memory with others.
func (w *world) touched(t testing.TB) {
	t.Helper()
	s := w.kept.data
	s.mu.Lock()
	s.alone = true // it is not to be unpacked before
	s.mu.Unlock()
	var b [1]byte
	for at := int64(0); at < vault.KeptAt; at += vault.KeptAt / 16 {
		if _, err := s.ReadAt(b[:], at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(w.vault.Path(w.ref), "mail.pst.zst.age"), noon, noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreUnpacksOnce: for a restore of all of a large file it is unpacked once half as much
// was in pieces; and where it is damaged then, or gone, the restore ends with that.
func TestRestoreUnpacksOnce(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	path := filepath.Join(w.vault.Path(w.ref), "mail.pst.zst.age")
	for _, c := range []struct {
		what   string
		change func() error // behind the second item
		fails  bool
	}{
		{"whole", func() error { return nil }, false},
		{"gone", func() error { return os.Rename(path, path+".gone") }, true},
	} {
		items, unpacked := 0, 0
		w.crash = func(point string) {
			switch point {
			case "mailbox.extract.item":
				if items++; items == 2 {
					if err := c.change(); err != nil {
						t.Error(err)
					}
				}
			case "mailbox.unpack.done":
				unpacked++
			}
		}
		to := filepath.Join(w.dir, c.what)
		result, err := w.Extract(t.Context(), w.task(to, "mail.pst/"))
		if errors.Is(err, keepwatch.ErrDamaged) != c.fails || (err != nil) != c.fails || (unpacked == 1) == c.fails || len(result.Notes) > 0 {
			t.Errorf("%s: %v, unpacked %d times, %+v", c.what, err, unpacked, result.Notes)
		}
		if _, err := os.Stat(to); (err != nil) != c.fails {
			t.Errorf("%s: %v", c.what, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestStoppedInTheLastItem: a restore that is stopped while the file is unpacked for its last
// item does not end as one that could not read that item.
func TestStoppedInTheLastItem(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	ctx, cancel := context.WithCancel(t.Context())
	w.crash = func(point string) {
		if point == "mailbox.unpack.begun" {
			cancel()
		}
	}
	w.cfg.Forms = map[keepwatch.ItemKind]Form{keepwatch.ItemMail: {".eml", func(out io.Writer, it pst.Item) error {
		w.touched(t)
		_, err := w.kept.data.ReadAt(make([]byte, 1), 23<<20)
		return err
	}}}
	w.Mailboxes = New(w.cfg)
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 5); err != nil {
		t.Fatal(err)
	}
	result, err := w.Extract(ctx, w.task(filepath.Join(w.dir, "out"), "mail.pst/F50/#1"))
	if !errors.Is(err, context.Canceled) || ctx.Err() == nil {
		t.Errorf("%v %+v", err, result)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "out")); err == nil {
		t.Error("half a restore is left")
	}
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F51", 1, 5); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// TestStoppedBesideAnother: the unpacking that ends because its user is stopped is begun again
// for whoever came meanwhile, who is told nothing of it.
func TestStoppedBesideAnother(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 5); err != nil {
		t.Fatal(err)
	}
	s := w.kept.data
	w.touched(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := s.enter(ctx); err != nil {
		t.Fatal(err)
	}
	leave := func() {}
	begun := 0
	w.crash = func(point string) {
		if point != "mailbox.unpack.begun" {
			return
		}
		if begun++; begun > 1 {
			return
		}
		cancel()
		for left := false; !left; time.Sleep(time.Millisecond) {
			s.mu.Lock()
			left = s.waiting == 0
			s.mu.Unlock()
		}
		leave, _ = s.enter(t.Context())
	}
	if n, err := s.ReadAt(make([]byte, 1), 23<<20); n != 1 || err != nil || begun != 2 {
		t.Errorf("%d bytes, %v; unpacked %d times", n, err, begun)
	}
	if err := s.fault(); err != nil {
		t.Errorf("%v", err)
	}
	leave()
}

// TestNotUnpackedForNobody: for somebody who reads on after they were stopped nothing is
// unpacked, and what they are told is why they were.
func TestNotUnpackedForNobody(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 5); err != nil {
		t.Fatal(err)
	}
	w.touched(t)
	w.crash = func(point string) { t.Error(point) }
	s, why := w.kept.data, errors.New("stopped by hand")
	s.waiting = 1
	s.left(why)
	if _, err := s.ReadAt(make([]byte, 1), 23<<20); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

// TestReplacedWhileOpen: what lies in the place of the file later is not mixed with what was
// read of it before, and is opened anew with the next try.
func TestReplacedWhileOpen(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 5); err != nil {
		t.Fatal(err)
	}
	w.kept.data.entry.SHA256 = "of another"
	w.touched(t)
	if _, err := w.Find(t.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: "Mail 77"}, 1, 5); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("%v", err)
	}
	if page, err := w.Page(t.Context(), w.ref, "mail.pst/F51", 1, 5); err != nil || page.Total == 0 {
		t.Errorf("%v %+v", err, page)
	}
}

// watchedContext is a context that calls a function when it is asked whether it has ended.
type watchedContext struct {
	context.Context
	asked func()
}

func (c watchedContext) Err() error { c.asked(); return c.Context.Err() }

// TestFaultIsToldOfAll: a read that fails is told of by a list and a search even where the
// reader of the file does without what it should have given.
func TestFaultIsToldOfAll(t *testing.T) {
	w := alone(t, map[string][]byte{"list.pst": psttest.Outlook(t, listFile)})
	lost := errors.New("the disk is gone")
	for what, do := range map[string]func(context.Context) error{
		"list": func(ctx context.Context) error {
			_, err := w.Page(ctx, w.ref, "list.pst/Contacts", 1, 5)
			return err
		},
		"search": func(ctx context.Context) error {
			_, err := w.Find(ctx, w.ref, "list.pst", keepwatch.MailQuery{Text: "x"}, 1, 5)
			return err
		},
	} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.kept.orders, w.kept.last = nil, nil
		fails := watchedContext{t.Context(), func() {
			if s := w.kept.data; s.waiting > 0 && s.broken == nil {
				s.broken = lost
			}
		}}
		if err := do(fails); !errors.Is(err, lost) {
			t.Errorf("%s: %v", what, err)
		}
		if err := do(t.Context()); err != nil {
			t.Errorf("%s, the next one: %v", what, err)
		}
	}
}

// TestNothingIsMissing: wherever a byte of the sealed file is wrong, what is given is all that
// the whole file gives, or the damage is told of.
func TestNothingIsMissing(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 4<<20)})
	path := filepath.Join(w.vault.Path(w.ref), "mail.pst.zst.age")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	look := func() (keepwatch.MailPage, keepwatch.MailHits, error, error) {
		page, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 50)
		hits, err2 := w.Find(t.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: "Mail 7"}, 1, 50)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		return page, hits, err, err2
	}
	page, hits, err, err2 := look()
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	told := 0
	for at := 300; at < len(good); at += len(good) / 24 {
		bad := append([]byte(nil), good...)
		bad[at] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		p, h, err, err2 := look()
		for _, err := range []error{err, err2} {
			if err != nil {
				told++
			}
			if err != nil && !errors.Is(err, keepwatch.ErrDamaged) {
				t.Errorf("at %d: %v", at, err)
			}
		}
		if err == nil && !reflect.DeepEqual(p, page) || err2 == nil && !reflect.DeepEqual(h, hits) {
			t.Errorf("at %d: %d items of %d, %d hits of %d", at, p.Total, page.Total, h.Total, hits.Total)
		}
	}
	if told < 10 {
		t.Errorf("%d times it was told of", told)
	}
}
