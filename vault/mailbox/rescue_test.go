package mailbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/pst/mail"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// Offsets of ib of BREFNBT and BREFBBT in the header, [MS-PST] 2.2.2.5.
const (
	nodeRoot  = 224
	blockRoot = 240
)

// without gives a file of which pages are zeroed.
func without(data []byte, pages ...int64) []byte {
	data = bytes.Clone(data)
	for _, at := range pages {
		clear(data[at : at+512])
	}
	return data
}

func rootAt(data []byte, field int) int64 {
	return int64(binary.LittleEndian.Uint64(data[field:]))
}

// flipped gives a file with a wrong bit.
func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

func listOf(t *testing.T, data []byte) keepwatch.Mailbox {
	t.Helper()
	m, err := Lister{}.List(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRescue: a file whose header or root pages are damaged is listed and brought out as
// if it were whole, with the same paths and numbers at each opening, and what is damaged
// is said.
func TestRescue(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}, {"Inbox", "2024"}, {"Sent"}}, 30, "Minutes", "Agenda")
	want := listOf(t, good)
	w := seal(t, map[string][]byte{"mail.pst": good})
	page, err := w.Page(t.Context(), w.ref, "mail.pst/Inbox/2024", 1, 50)
	if err != nil || page.Total != 30 {
		t.Fatalf("%v %+v", err, page)
	}
	for name, c := range map[string]struct {
		data     []byte
		headless bool
		said     string
	}{
		"a byte of the header":      {flipped(good, 300), true, "Its header is damaged: the checksum does not fit. What is in the file was looked for without its header."},
		"the magic":                 {flipped(good, 0), true, "does not begin with !BDN"},
		"the version":               {flipped(good, 10), true, "Its version is 22"},
		"the whole header":          {without(good, 0), true, "does not begin with !BDN"},
		"the root of the nodes":     {without(good, rootAt(good, nodeRoot)), false, "index is damaged"},
		"the root of the blocks":    {without(good, rootAt(good, blockRoot)), false, "index is damaged"},
		"both roots and the header": {without(good, 0, rootAt(good, nodeRoot), rootAt(good, blockRoot)), true, "does not begin with !BDN"},
	} {
		t.Run(name, func(t *testing.T) {
			m := listOf(t, c.data)
			if m.Headless != c.headless || m.Damaged == 0 || !strings.Contains(m.Damage[0].Text, c.said) || !strings.HasSuffix(m.Damage[0].Text, ".") || m.Trouble != "" || m.Format != "Unicode" || m.Check.Worst != keepwatch.MailRuined {
				t.Errorf("%+v %+v", m, m.Check)
			}
			if diff := cmp.Diff(want.Folders, m.Folders); diff != "" {
				t.Error(diff)
			}
			w := seal(t, map[string][]byte{"mail.pst": c.data})
			w.cfg.Forms[keepwatch.ItemMail] = Form{".eml", mail.Export}
			for range 2 {
				got, err := w.Page(t.Context(), w.ref, "mail.pst/Inbox/2024", 1, 50)
				if !got.Left {
					t.Error("nobody is told that this is what was left")
				}
				got.Left = false
				if diff := cmp.Diff(page, got); err != nil || diff != "" {
					t.Errorf("%v %s", err, diff)
				}
				if err := w.Close(); err != nil { // so that it is opened anew
					t.Fatal(err)
				}
			}
			plan, result, err := w.restore(t, filepath.Join(w.dir, "out"), "mail.pst/", "mail.pst/Inbox/2024/#7")
			if err != nil || plan.Items != 91 || result.Items != 91 || len(result.Notes) > 0 {
				t.Errorf("%v %+v %+v", err, plan, result)
			}
		})
	}
}

// TestRescueRealFiles: what real Outlook wrote is found without its header too.
func TestRescueRealFiles(t *testing.T) {
	for _, name := range []string{listFile, "go-pst-32-bit-ansi.pst"} {
		good := psttest.Outlook(t, name)
		want, got := listOf(t, good), listOf(t, flipped(good, 300))
		if !got.Headless || got.Damaged == 0 || got.Items != want.Items || !slices.Equal(got.Folders, want.Folders) || got.Format != want.Format {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestRescueOfEachPage: whatever page of the trees is gone, no item is missing that no node
// was lost of, and folders of which only the items know are listed behind the others.
func TestRescueOfEachPage(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}, {"Sent"}, {"Sent", "2024"}}, 30, "Minutes")
	want := listOf(t, good)
	pages, lost := 0, ""
	for at := int64(0x4400); at < int64(len(good)); at += 512 {
		kind := good[at+496]
		if kind != good[at+497] || kind != 0x80 && kind != 0x81 || binary.LittleEndian.Uint16(good[at+498:]) == 0 {
			continue
		}
		pages++
		m := listOf(t, without(good, at))
		if m.Damaged == 0 || m.Items+m.Orphans < want.Items-15 || kind == 0x80 && m.Items != want.Items {
			t.Errorf("without the page at %#x: %+v", at, m)
		}
		for i, f := range m.Folders {
			if !strings.HasPrefix(f.Path, "Lost folder ") || f.Items == 0 {
				continue
			}
			lost = f.Path
			if slices.ContainsFunc(m.Folders[i:], func(f keepwatch.MailFolder) bool { return !strings.HasPrefix(f.Path, "Lost folder ") }) {
				t.Errorf("%s is not behind the others: %+v", f.Path, m.Folders)
			}
			w := seal(t, map[string][]byte{"mail.pst": without(good, at)})
			if _, result, err := w.restore(t, filepath.Join(w.dir, "out"), "mail.pst/"+f.Path); err != nil || result.Items != f.Items {
				t.Errorf("%s: %v %+v", f.Path, err, result)
			}
		}
	}
	if pages < 10 || lost == "" {
		t.Errorf("%d pages, lost folders: %q", pages, lost)
	}
}

// TestRescuedTextsAreDoubted: a rescue takes blocks with a wrong checksum; what is brought
// out of them is said to be not all as it was, and so are lists of items.
func TestRescuedTextsAreDoubted(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}}, 3, "Minutes")
	doubted, lists := 0, 0
	for at := 0x4600; at < len(good); at += 0x800 {
		w := seal(t, map[string][]byte{"mail.pst": flipped(flipped(good, 300), at+7)})
		w.cfg.Forms[keepwatch.ItemMail] = Form{".eml", mail.Export}
		_, result, err := w.restore(t, filepath.Join(w.dir, "out"), "mail.pst/")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range result.Notes {
			if n.Kind == keepwatch.NoteHalf && strings.Contains(n.Text, "checksum in it does not fit") && result.Items == 3 {
				doubted++
			}
			if n.Kind == keepwatch.NoteUnreadable && n.Path == "mail.pst/Inbox" && strings.Contains(n.Text, "checksum in it does not fit") {
				lists++
			}
		}
	}
	if doubted < 3 || lists == 0 {
		t.Errorf("%d items and %d lists were doubted", doubted, lists)
	}
}

// TestRescueIsStopped: a stop while a file is rescued is an error, and no damage.
func TestRescueIsStopped(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}}, 3, "Minutes")
	bad := without(good, 0, rootAt(good, nodeRoot), rootAt(good, blockRoot))
	why := errors.New("shutdown")
	for _, after := range []int{0, 1, 2, 3, 4, 8, 20} {
		ctx, cancel := context.WithCancelCause(t.Context())
		r := &stopping{bytes.NewReader(bad), after, func() { cancel(why) }}
		if _, err := (Lister{}).List(ctx, r, int64(len(bad))); !errors.Is(err, why) {
			t.Errorf("after %d reads: %v", after, err)
		}
		cancel(nil)
	}
}

// stopping stops something after so many reads.
type stopping struct {
	*bytes.Reader
	after int
	stop  func()
}

func (s *stopping) ReadAt(p []byte, at int64) (int, error) {
	if s.after--; s.after < 0 {
		s.stop()
	}
	return s.Reader.ReadAt(p, at)
}

// TestRescueFindsNothing: what is no data file at all says what is wrong with its header.
func TestRescueFindsNothing(t *testing.T) {
	m := listOf(t, bytes.Repeat([]byte("!BDNtext"), 40_000))
	if m.Headless || m.Format != "" || !strings.Contains(m.Trouble, "does not say SM") {
		t.Errorf("%+v", m)
	}
}

// TestMissingItemsAreCounted: what a lost page of the index had is told of its folder,
// with the days, and not only that a part of the file cannot be read.
func TestMissingItemsAreCounted(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}}, 30, "Minutes")
	told := false
	for at := int64(0x4400); at < int64(len(good)); at += 512 {
		// A leaf of the node tree, 0x81, that begins with a message.
		if good[at+496] != 0x81 || good[at+497] != 0x81 || good[at+491] != 0 || good[at]&0x1F != 4 {
			continue
		}
		m := listOf(t, without(good, at))
		if m.Items != 30 {
			continue // the table of the folder was lost with it
		}
		if i := slices.IndexFunc(m.Folders, func(f keepwatch.MailFolder) bool { return f.Path == "Inbox" }); m.Gone == 0 || m.Gone > 15 || m.Folders[i].Gone != m.Gone {
			t.Errorf("%d are gone: %+v", m.Gone, m.Folders) // a page has 15 entries at the most
		}
		told = slices.ContainsFunc(m.Damage, func(d keepwatch.MailDamage) bool {
			return d.Where == "Inbox" && strings.Contains(d.Text, "that it lists cannot be found in the file (of 1 January 2024)")
		})
		if !told {
			t.Errorf("%+v", m.Damage)
		}
	}
	if !told {
		t.Error("no page was tried, or nothing was told")
	}
}

// TestMissingComesFirst: a card has room for a few lines, and says there what is gone
// before it says which pages are damaged.
func TestMissingComesFirst(t *testing.T) {
	var d damages
	for at := range int64(30) {
		if err := d.add("", &reader.Damage{Offset: at + 1, Text: "a page"}); err != nil {
			t.Fatal(err)
		}
	}
	d.missing("Inbox", "2 items")
	d.missing("Sent", "3 items")
	if len(d.first) != keepwatch.MaxMailDamage || d.n != 32 || d.first[0].Where != "Inbox" || d.first[1].Where != "Sent" || d.first[2].Text != "A page." {
		t.Errorf("%d of %d: %+v", len(d.first), d.n, d.first)
	}
	for range 30 {
		d.missing("Inbox", "2 items")
	}
	if len(d.first) != keepwatch.MaxMailDamage || d.n != 62 {
		t.Errorf("%d of %d", len(d.first), d.n)
	}
}

// TestTornTreeIsCounted: what a lost page has taken along is counted where the file was not
// rescued and nothing else of it is damaged.
func TestTornTreeIsCounted(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}}, 30, "Minutes")
	tried := 0
	for at := int64(0x4400); at < int64(len(good)); at += 512 {
		if good[at+496] != 0x81 || good[at+497] != 0x81 || good[at+491] != 0 || good[at]&0x1F != 4 {
			continue // no leaf of the node tree that begins with a message
		}
		bad := without(good, at)
		f, err := reader.Open(bytes.NewReader(bad), int64(len(bad)), reader.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, torn := range []bool{true, false} {
			tr := &tree{file: f, size: int64(len(bad)), torn: torn}
			if err := tr.list(t.Context()); err != nil || tr.damage.n > 0 {
				continue
			}
			i, _ := tr.find("Inbox")
			got, err := tr.folder(t.Context(), i, tr.rowsLeft(), func(keepwatch.MailItem) {})
			if err != nil || got.Items != 30 || (got.Gone > 0) != torn {
				t.Errorf("torn %v: %+v %v", torn, got, err)
			}
			tried++
		}
	}
	if tried == 0 {
		t.Error("no page was tried")
	}
}
