package writer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
)

// tree gives the paths of all folders below "Top of Outlook data file", with the
// number of their items.
func tree(t testing.TB, p *parsed) map[string]int {
	t.Helper()
	out := map[string]int{}
	var down func(path string, nid pst.NID)
	down = func(path string, nid pst.NID) {
		for _, r := range p.rows(t, p.nodes[nid.As(pst.NodeHierarchy)]) {
			child := pst.NID(r.id)
			name := path + "|" + pst.FromUTF16(r.cells[pst.PidTagDisplayName])
			out[name] = len(p.rows(t, p.nodes[child.As(pst.NodeContents)]))
			down(name, child)
		}
	}
	down("", pst.NIDIPMSubtree)
	return out
}

func TestFolderNames(t *testing.T) {
	long := strings.Repeat("a", 300)
	emoji := strings.Repeat("😀", 200)
	w, path := create(t, options())
	for _, c := range []struct{ ask, want string }{
		{"Inbox", "Inbox"},
		{"INBOX", "Inbox"},
		{"a/b\\c", "a/b\\c"},
		{" spaces ", "spaces"},
		{"spaces", "spaces (2)"},
		{"Spaces", "spaces (2)"},
		{"line\r\nfeed\x00", "line  feed"},
		{long, long[:255]},
		{long + "b", long[:251] + " (2)"},
		{long + "c", long[:251] + " (3)"},
		{emoji, emoji[:127*4]},
		{"bad \xff byte", "bad \uFFFD byte"},
		{"deleted items", "Deleted Items"},
	} {
		f := inbox(t, w, c.ask)
		if f.name != c.want {
			t.Errorf("%q: %q, want %q", c.ask, f.name, c.want)
		}
		if f != inbox(t, w, c.ask) {
			t.Errorf("%q: it is another folder the second time", c.ask)
		}
	}
	for _, name := range []string{"", "  ", "\x00\t"} {
		if _, err := w.Root().Folder(name, ""); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	if f, _ := w.Root().Folder("Deleted Items", ""); f != w.Deleted() {
		t.Error("Deleted Items by its name is another folder")
	}
	closed(t, w)
	if n := len(tree(t, verified(t, path))); n != 11 {
		t.Errorf("%d folders", n)
	}
}

// scripts are greetings in twenty scripts.
var scripts = []string{
	"Croeso", "Добро пожаловать", "Καλώς ήρθατε", "ברוכים הבאים", "مرحبا", "स्वागत है", "স্বাগতম", "ਜੀ ਆਇਆਂ ਨੂੰ", "સ્વાગત",
	"வரவேற்பு", "స్వాగతం", "ಸ್ವಾಗತ", "സ്വാഗതം", "ආයුබෝවන්", "ยินดีต้อนรับ", "ຍິນດີຕ້ອນຮັບ", "ကြိုဆိုပါတယ်", "მოგესალმებით",
	"Բարի գալուստ", "እንኳን ደህና መጡ", "欢迎", "ようこそ", "환영합니다", "𐤀𐤁𐤂 😀",
}

func TestScripts(t *testing.T) {
	w, path := create(t, options())
	want := map[string]int{"|Deleted Items": 0}
	for i, s := range scripts {
		f := inbox(t, w, s)
		for range i % 3 {
			if err := f.Add(text(s)); err != nil {
				t.Fatal(err)
			}
		}
		want["|"+s] = i % 3
	}
	closed(t, w)
	p := verified(t, path)
	if got := tree(t, p); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	all := messages(t, p)
	for i, s := range scripts {
		if _, ok := all[s]; ok != (i%3 > 0) {
			t.Errorf("the subject %q is there: %v", s, ok)
		}
	}
}

func TestDeepAndMany(t *testing.T) {
	w, path := create(t, options())
	want := map[string]int{"|Deleted Items": 1}
	f, name := w.Root(), ""
	for i := range 100 {
		var err error
		if f, err = f.Folder(fmt.Sprint("level ", i), "IPF.Note"); err != nil {
			t.Fatal(err)
		}
		name += fmt.Sprint("|level ", i)
		want[name] = 0
	}
	if err := f.Add(text("at the bottom")); err != nil {
		t.Fatal(err)
	}
	want[name] = 1
	for i := range 1000 {
		inbox(t, w, fmt.Sprint("one of many ", i))
		want[fmt.Sprint("|one of many ", i)] = 0
	}
	if err := w.Deleted().Add(text("thrown away")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if got := tree(t, verified(t, path)); !maps.Equal(got, want) {
		t.Errorf("%d folders, want %d", len(got), len(want))
	}
}

// TestLongTable: a table whose heap has more than two fill level maps, and rows of
// which single values lie in subnodes.
func TestLongTable(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	const n = 2600
	for i := range n {
		topic := fmt.Sprint(i, strings.Repeat(" and more", 50+i%50))
		if i%500 == 7 {
			topic += strings.Repeat(" and much more", 300)
		}
		if err := f.Add(func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, fmt.Sprint("no. ", i)), pst.P(pst.PidTagConversationTopic, topic))
			s.Set(pst.P(pst.PidTagMessageFlags, int32(i%3)))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, w)
	p := verified(t, path)
	table := p.nodes[pst.NID(0x80A2).As(pst.NodeContents)]
	if blocks := len(p.leaves(table.data)); blocks < 8+128+2 {
		t.Errorf("the heap has only %d blocks", blocks)
	}
	rows := p.rows(t, table)
	if len(rows) != n {
		t.Fatalf("%d rows", len(rows))
	}
	ids := make([]uint32, 0, n)
	versions := map[string]bool{}
	for _, r := range rows {
		ids = append(ids, r.id)
		versions[string(r.cells[pst.PidTagLtpRowVer])] = true
	}
	if !slices.IsSorted(ids) || len(versions) != n {
		t.Error("the row index is not sorted, or rows have the same version")
	}
}

// TestManyProperties: an item with more properties than one item of a heap can list.
func TestManyProperties(t *testing.T) {
	for _, n := range []int{446, 447, 448, 3000} {
		w, path := create(t, options())
		if err := inbox(t, w, "Inbox").Add(func(s pst.Sink) error {
			for i := range n {
				s.Set(pst.P(pst.NewTag(0x4000+uint16(i), pst.String), fmt.Sprint("value ", i)))
			}
			s.Set(pst.P(pst.PidTagSubject, "many"))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		closed(t, w)
		p := verified(t, path)
		props := p.values(t, messages(t, p)["many"])
		for i := range n {
			if got := pst.FromUTF16(props[pst.NewTag(0x4000+uint16(i), pst.String)]); got != fmt.Sprint("value ", i) {
				t.Fatalf("%d of %d: %q", i, n, got)
			}
		}
	}
}
