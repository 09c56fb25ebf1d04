package mailbox

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"keepwatch"
	"keepwatch/pst/psttest"
)

// TestReadInPlace: nothing is unpacked to list, search and take out items of a file that
// has a seek table, whether it lies on its own or in a tree, and what comes is the same as from one
// that is unpacked.
func TestReadInPlace(t *testing.T) {
	data := psttest.Outlook(t, listFile)
	all := map[string][]string{}
	for _, kind := range []string{"alone", "tree", "older"} {
		w := alone(t, map[string][]byte{"list.pst": data})
		if kind == "tree" {
			w = seal(t, map[string][]byte{"list.pst": data})
		} else if kind == "older" {
			w.older(t)
		}
		unpacked := false
		w.crash = func(point string) { unpacked = unpacked || point == "mailbox.unpack.begun" }
		page, err := w.Page(t.Context(), w.ref, "list.pst/Contacts", 1, 10)
		if err != nil || page.Total != 2 {
			t.Errorf("%s: %v %+v", kind, err, page)
		}
		to := filepath.Join(w.dir, "out")
		if _, _, err := w.restore(t, to, "list.pst/"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if all[kind] = listed(t, to); len(all[kind]) != 4 || len(all["alone"]) != 4 {
			t.Errorf("%s: %q", kind, all[kind])
		}
		if unpacked != (kind == "older") {
			t.Errorf("%s: unpacked: %v", kind, unpacked)
		}
	}
}

// TestSearchUnpacksOnce: for a search of all folders a large file is unpacked once, before
// much of it was in pieces, and where there is no room for that, it is read in place.
func TestSearchUnpacksOnce(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	unpacked := 0
	w.crash = func(point string) {
		if point != "mailbox.unpack.done" {
			return
		}
		if unpacked++; w.kept.data.sealed.Unpacked() > w.kept.data.entry.Size/8 {
			t.Errorf("%d bytes were unpacked in pieces", w.kept.data.sealed.Unpacked())
		}
	}
	look := func() keepwatch.MailHits {
		t.Helper()
		found, err := w.Find(t.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: "Mail 77"}, 1, 5)
		if err != nil || found.Total == 0 {
			t.Fatalf("%v %+v", err, found)
		}
		return found
	}
	w.cfg.Free = func(string) (int64, error) { return 0, nil }
	w.Mailboxes = New(w.cfg)
	tight := look()
	if unpacked != 0 || w.kept.data.sealed == nil || w.kept.data.sealed.Unpacked() < w.kept.data.entry.Size/unpackPart {
		t.Errorf("without room it was unpacked %d times", unpacked)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.cfg.Free = nil
	w.Mailboxes = New(w.cfg)
	if roomy := look(); unpacked != 1 || w.kept.data.whole == nil || roomy.Total != tight.Total {
		t.Errorf("it was unpacked %d times: %+v, %+v", unpacked, roomy, tight)
	}
}

// TestSearchIsStopped: whoever is stopped while the file is unpacked has not to wait for it,
// and the next one is not told of it.
func TestSearchIsStopped(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	ctx, cancel := context.WithCancel(t.Context())
	w.crash = func(point string) {
		if point == "mailbox.unpack.begun" {
			cancel()
		}
	}
	if _, err := w.Find(ctx, w.ref, "mail.pst", keepwatch.MailQuery{Text: "Mail 77"}, 1, 5); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if ctx.Err() == nil {
		t.Error("it was not unpacked")
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "opened", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if found, err := w.Find(t.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: "Mail 77"}, 1, 5); err != nil || found.Total == 0 {
		t.Errorf("%v %+v", err, found)
	}
}

// TestWrongTableIsUnpacked: where the table does not fit the frames, the file is unpacked, and
// all comes as it should.
func TestWrongTableIsUnpacked(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 4<<20)})
	w.resealed(t, func(_ string, plain []byte) []byte { // the sums stay, the frames begin elsewhere
		n := len(plain)
		for _, at := range []int{n - 9 - 8, n - 9 - 16} {
			by := uint32(1)
			if at == n-9-8 {
				by = ^uint32(0)
			}
			binary.LittleEndian.PutUint32(plain[at:], binary.LittleEndian.Uint32(plain[at:])+by)
		}
		return plain
	})
	unpacked := 0
	w.crash = func(point string) {
		if point == "mailbox.unpack.done" {
			unpacked++
		}
	}
	if page, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 5); err != nil || page.Total == 0 || unpacked != 1 {
		t.Errorf("%v %+v, unpacked %d times", err, page, unpacked)
	}
}

// TestDamageInPlace: a damaged file is told of as before, and neither half a restore is left
// nor anything unpacked.
func TestDamageInPlace(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 4<<20)})
	path := filepath.Join(w.vault.Path(w.ref), "mail.pst.zst.age")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.Extract(t.Context(), w.task(filepath.Join(w.dir, "out"), "mail.pst/"))
	if !errors.Is(err, keepwatch.ErrDamaged) || keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "out")); err == nil {
		t.Error("a half restore is left")
	}
}

// TestKeptInPlace: a file that is kept open while nobody reads it holds nothing in the vault;
// once it is gone from there, that is said.
func TestKeptInPlace(t *testing.T) {
	w := alone(t, map[string][]byte{"mail.pst": many(t, 24<<20)})
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F50", 1, 5); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(w.vault.Path(w.ref)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Page(t.Context(), w.ref, "mail.pst/F51", 1, 5); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
	for _, f := range w.idle {
		f()
	}
}
