package pst_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// saved is everything that can be got out of a file: a line for each item that comes whole, with
// its texts and what is attached.
func saved(t testing.TB, f *reader.File) map[string]int {
	t.Helper()
	all := map[string]int{}
	add := func(m *reader.Message) {
		ps, err := m.Properties()
		line := fmt.Sprintf("%v %q %q", m.Node(), ps.Text(pst.PidTagSubject), ps.Text(pst.PidTagBody))
		for r, wrong := range m.Recipients() {
			err = errors.Join(err, wrong)
			line += " " + r.Text(pst.PidTagDisplayName)
		}
		for a, wrong := range m.Attachments() {
			if err = errors.Join(err, wrong); a == nil {
				continue
			}
			if r, _, wrong := a.Open(); wrong == nil {
				sum := sha256.New()
				_, wrong = io.Copy(sum, r)
				err = errors.Join(err, wrong)
				line += fmt.Sprintf(" %x", sum.Sum(nil)[:4])
			}
		}
		if err == nil {
			all[line]++
		}
	}
	seen := map[pst.NID]bool{}
	if err := f.Walk(func(d *reader.Folder, _ error) error {
		if d == nil || d.IsSearch() {
			return nil
		}
		for m := range d.Messages() {
			if m != nil && !seen[m.Node()] {
				seen[m.Node()] = true
				add(m)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func rescued(t testing.TB, data []byte) *reader.File {
	t.Helper()
	f, err := reader.Rescue(t.Context(), bytes.NewReader(data), int64(len(data)), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lacks counts what is not as it was.
func lacks(want, got map[string]int) (n int) {
	for line, k := range want {
		n += max(0, k-got[line])
	}
	return n
}

// rescueBox has enough for trees of three levels, attachments and folders.
func rescueBox(t testing.TB, w *writer.Writer) {
	for i := range 6 {
		addTo(t, child(t, w.Root(), fmt.Sprintf("Folder %d", i)), 40, func(k int, s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, fmt.Sprintf("Cyfarfod %d/%d", i, k)), pst.P(pst.PidTagBody, fmt.Sprintf("text of %d/%d", i, k)))
			s.Recipient(toPerson(k))
			if k%8 == 0 {
				return attach(s, "a.bin", 20_000+2*i)
			}
			return nil
		})
	}
}

// TestRescueOfDamagedTrees: whatever page is gone, no more is lost than the nodes of that page.
func TestRescueOfDamagedTrees(t *testing.T) {
	for name, o := range map[string]writer.Options{"permuted": {}, "plain": {Plain: true}} {
		base := written(t, o, rescueBox)
		want := saved(t, rescued(t, base))
		if len(want) != 240 {
			t.Fatalf("%d items are in it", len(want))
		}
		s := operate(t, base)
		for at := range s.pages {
			leaf := base[at+496] == 0x81 && base[at+491] == 0
			b := bytes.Clone(base)
			clear(b[at : at+512])
			f := rescued(t, b)
			if n := lacks(want, saved(t, f)); n > 0 && !leaf || n > 15 {
				t.Errorf("%s: without the page at %#x %d items are lost", name, at, n)
			}
			if len(f.Wrong()) == 0 || f.Wrong()[0].Offset != int64(at) {
				t.Errorf("%s: without the page at %#x: %v", name, at, f.Wrong())
			}
			b = bytes.Clone(base)
			b[at+480] ^= 1 // behind the entries of most, or the last entry
			if n := lacks(want, saved(t, rescued(t, b))); n > 1 {
				t.Errorf("%s: with a wrong bit in the page at %#x %d items are lost", name, at, n)
			}
		}
		// All pages of the tree of blocks, and all inner ones of the other.
		b := bytes.Clone(base)
		for at := range s.pages {
			if base[at+496] == 0x80 || base[at+491] > 0 {
				clear(b[at : at+512])
			}
		}
		if n := lacks(want, saved(t, rescued(t, b))); n > 0 {
			t.Errorf("%s: without the tree of blocks %d items are lost", name, n)
		}
	}
}

// TestLostFolders: where the nodes of the folders are gone, their items come in folders of which
// only the ids are known.
func TestLostFolders(t *testing.T) {
	base := written(t, writer.Options{}, rescueBox)
	whole := rescued(t, base)
	for d, err := range whole.Lost() {
		t.Error("nothing is lost:", d.Name(), err)
	}
	s := operate(t, base)
	for n, at := range s.nodes { // all pages with a folder of the user's, and with what lists them
		if n.Type() == pst.NodeFolder && n > pst.NIDDeletedItems || n == pst.NIDIPMSubtree.As(pst.NodeHierarchy) {
			clear(s.b[at/512*512:][:512])
		}
	}
	f := rescued(t, s.b)
	folders, items := 0, 0
	for d, err := range f.Lost() {
		if err == nil || !strings.HasPrefix(d.Name(), "Lost folder 0x") || len(d.Path()) != 1 {
			t.Errorf("%q: %v", d.Path(), err)
		}
		folders++
		for m := range d.Messages() {
			if m != nil {
				items++
			}
		}
	}
	if folders != 6 || items < 200 {
		t.Errorf("%d folders with %d items are found", folders, items)
	}
	sum, err := f.Summary(t.Context(), reader.SummaryOptions{})
	if err != nil || sum.Items != int64(items) {
		t.Errorf("the summary has %d items: %v", sum.Items, err)
	}
}

// TestRescueOfDamagedHeaders: nothing is lost with the header.
func TestRescueOfDamagedHeaders(t *testing.T) {
	base := written(t, writer.Options{}, rescueBox)
	want := saved(t, rescued(t, base))
	check := func(name string, b []byte) {
		t.Helper()
		f := rescued(t, b)
		if n := lacks(want, saved(t, f)); n > 0 {
			t.Errorf("%s: %d items are lost; %v", name, n, f.Wrong())
		}
		if len(f.Wrong()) == 0 {
			t.Errorf("%s: nothing is told", name)
		}
	}
	for _, n := range []int{4, 16, 512, 4096, 0x4400} {
		b := bytes.Clone(base)
		clear(b[:n])
		check(fmt.Sprintf("%d bytes of zeros", n), b)
		if w := rescued(t, b).Wrong(); n == 4096 && (len(w) != 2 || w[0].Text != "It does not begin with !BDN, as every Outlook data file does.") {
			t.Errorf("without a header: %v", w)
		}
	}
	r := rand.New(rand.NewPCG(4, 2))
	for at := 0; at < 524; at += 3 {
		b := bytes.Clone(base)
		if b[at] ^= byte(1 + r.IntN(255)); b[10] == 36 || b[10] == 37 {
			continue
		}
		check(fmt.Sprintf("byte %#x", at), b)
	}
}

// TestRescueOfRealFiles does the same to what Outlook wrote, of both formats.
func TestRescueOfRealFiles(t *testing.T) {
	for name, roots := range map[string]int{"java-libpst-dist-list.pst": 216, "go-pst-32-bit-ansi.pst": 184} {
		base := psttest.Outlook(t, name)
		want := saved(t, rescued(t, base))
		for _, c := range []struct {
			name string
			do   func(b []byte)
		}{
			{"no header", func(b []byte) { clear(b[:600]) }},
			{"no roots", func(b []byte) { clear(b[roots : roots+32]) }},
			{"checksum", func(b []byte) { b[5] ^= 1 }},
		} {
			b := bytes.Clone(base)
			c.do(b)
			if n := lacks(want, saved(t, rescued(t, b))); n > 0 || len(want) < 1 {
				t.Errorf("%s, %s: %d of %d items are lost", name, c.name, n, len(want))
			}
		}
	}
}

// TestRescueOfBlocks: a wrong letter in a block does not take the message with it, and Sweep tells it.
func TestRescueOfBlocks(t *testing.T) {
	base := written(t, writer.Options{Plain: true}, rescueBox)
	at := bytes.Index(base, []byte("t\x00e\x00x\x00t\x00 \x00o\x00f\x00 \x003\x00/\x00"))
	b := bytes.Clone(base)
	b[at] = 'n'
	f := rescued(t, b)
	got := saved(t, f)
	if n := lacks(saved(t, rescued(t, base)), got); n != 1 || len(got) != 240 {
		t.Errorf("%d items are other, of %d", n, len(got))
	}
	n := 0
	if err := f.Sweep(t.Context(), func(d *reader.Damage) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("the sweep tells %d damages: %v", n, err)
	}
	strict, err := reader.Open(bytes.NewReader(b), int64(len(b)), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := saved(t, strict); len(got) != 239 {
		t.Errorf("Open gives %d items", len(got))
	}
}

// TestRescueOfAPiece: what lies before the end of a file that is cut off, and behind the beginning of
// one that is overwritten, comes out.
func TestRescueOfAPiece(t *testing.T) {
	base := written(t, writer.Options{}, rescueBox)
	want := saved(t, rescued(t, base))
	s := operate(t, base)
	end := uint64(0)
	for at := range s.pages {
		end = max(end, at+512)
	}
	if got := saved(t, rescued(t, base[:end])); lacks(want, got) > 0 {
		t.Error("items before the cut are lost")
	}
	b := bytes.Clone(base)
	for i := range b[:len(b)/8] {
		b[i] = byte(i * 7)
	}
	if got := saved(t, rescued(t, b)); len(got) == 0 {
		t.Error("all is lost with the first part")
	}
}

func TestRescueOfNothing(t *testing.T) {
	for _, data := range []string{"", "!BDN", strings.Repeat("text ", 50_000), "!BDN" + strings.Repeat("\x00", 600_000)} {
		_, err := reader.Rescue(t.Context(), strings.NewReader(data), int64(len(data)), reader.Options{})
		if !errors.Is(err, reader.ErrNothing) {
			t.Errorf("%.10q: %v", data, err)
		}
	}
	base := written(t, writer.Options{}, rescueBox)
	clear(base[:564])
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reader.Rescue(ctx, bytes.NewReader(base), int64(len(base)), reader.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	f, err := os.Open(filepath.Join(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := reader.Rescue(t.Context(), f, int64(len(base)), reader.Options{}); err == nil || errors.Is(err, reader.ErrNothing) {
		t.Errorf("a disk that fails: %v", err)
	}
}

// TestRescueOfDeleted: a page that Outlook left behind does not bring back what a newer one deleted,
// and serves where there is no newer one.
func TestRescueOfDeleted(t *testing.T) {
	base := written(t, writer.Options{}, rescueBox)
	want := saved(t, rescued(t, base))
	s := operate(t, base)
	var leaf uint64
	for at := range s.pages {
		if base[at+496] == 0x81 && base[at+491] == 0 && pst.NID(dword(base, at+64)).Type() == pst.NodeMessage {
			leaf = max(leaf, at)
		}
	}
	// An old copy in free space, with a node that the page has no more.
	old := uint64(len(base)) + 512
	s.b = append(s.b, make([]byte, 1024)...)
	copy(s.b[old:], base[leaf:leaf+512])
	s.put(old+504, 1, 8) // the oldest page there is
	s.closePage(old, 1)
	n := uint64(s.b[leaf+488])
	deleted := pst.NID(dword(s.b, leaf+32))
	copy(s.b[leaf+32:leaf+32*(n-1)], base[leaf+64:leaf+32*n])
	s.b[leaf+488]--
	s.closePage(leaf, num(s.b, leaf+504))
	root := num(base, 0xE0)
	clear(s.b[root : root+512])
	f := rescued(t, s.b)
	if n := lacks(want, saved(t, f)); n != 1 {
		t.Errorf("%d items are lost, of which one was deleted", n)
	}
	if _, err := f.Message(deleted); err == nil {
		t.Errorf("%v is back", deleted)
	}
	clear(s.b[leaf : leaf+512])
	if n := lacks(want, saved(t, rescued(t, s.b))); n > 0 {
		t.Errorf("%d items are lost with the page of which there is an old copy", n)
	}
}
