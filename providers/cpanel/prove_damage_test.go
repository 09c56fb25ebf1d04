package cpanel_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

// made is a full backup of two databases as the fake host makes it.
func made(t testing.TB, change func(spec *cpaneltest.ArchiveSpec)) []byte {
	t.Helper()
	spec := cpaneltest.ArchiveSpec{
		User: "ruthin", Domains: []string{"ruthin.example", "shop.example"}, Many: 20, Level: gzip.BestSpeed,
		Files:     map[string][]byte{"public_html/index.html": []byte("<p>Ruthin</p>")},
		Databases: map[string]string{},
	}
	if change != nil {
		change(&spec)
	}
	for _, db := range []string{"ruthin_shop", "ruthin_wp"} {
		var b strings.Builder
		if err := cpaneltest.MysqlDump(&b, db, 250, spec.Dump); err != nil {
			t.Fatal(err)
		}
		spec.Databases[db] = b.String()
	}
	var b bytes.Buffer
	if err := cpaneltest.WriteArchive(&b, spec, time.Date(2026, 11, 3, 4, 5, 6, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func proved(t testing.TB, archive []byte, size int64) (cpanel.Proof, string) {
	t.Helper()
	p, err := cpanel.Prove("ruthin", []string{"ruthin_shop", "ruthin_wp"}, size, bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range p.Problems {
		rules = append(rules, f.Rule)
	}
	return p, strings.Join(rules, " ")
}

// TestDamagesOfTheFakeHost: each way in which the fake host breaks an archive is told
// from the others, with and without knowing the size.
func TestDamagesOfTheFakeHost(t *testing.T) {
	want := map[string]struct{ rule, says string }{
		cpaneltest.Truncated:       {"cut", "ends in the middle"},
		cpaneltest.TruncatedMember: {"unfinished", "the mark that closes a tar archive is missing"},
		cpaneltest.BitFlip:         {"", "is damaged"}, // where it shows is chance
		cpaneltest.WrongCRC:        {"checksum", "its checksum is not that of its content"},
		cpaneltest.WrongSize:       {"length", "its content is not as long"},
		cpaneltest.ZeroTail:        {"zeros", "of nothing but zeros"},
		cpaneltest.HTMLPage:        {"page", "with the title “cPanel Login”"},
		cpaneltest.Empty:           {"empty", "not one byte came"},
		cpaneltest.NoAccount:       {"missing", "cp/ruthin"},
		cpaneltest.NoVersion:       {"missing", "The file version"},
		cpaneltest.NoHome:          {"home", "The home directory is missing"},
		cpaneltest.NoDatabase:      {"database", "The dump of the database ruthin_shop is missing"},
		cpaneltest.CutDump:         {"dump-cut", "The dump of the database ruthin_shop is cut off"},
		cpaneltest.DumpError:       {"dump-error", "“mysqldump: Error 2013: Lost connection to server"},
		cpaneltest.EmptyDump:       {"dump-empty", "The dump of the database ruthin_shop is empty"},
		cpaneltest.GarbageAfter:    {"garbage", "“Something that does not belong here.”"},
		cpaneltest.SecondTop:       {"top", "elsewhere/file.txt"},
		cpaneltest.AbsolutePath:    {"path", "/etc/evil.txt"},
		cpaneltest.ParentPath:      {"path", "../evil.txt"},
		cpaneltest.NotGzip:         {"format", "a tar archive that is not compressed"},
		cpaneltest.NotTar:          {"tar", "at its very beginning"},
		cpaneltest.ShortTar:        {"unfinished", "ends in the middle of a file"},
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(cpaneltest.Damages())), slices.Sorted(maps.Keys(want))); diff != "" {
		t.Fatalf("the fake host breaks archives in other ways: %s", diff)
	}
	shapes := map[string]func(spec *cpaneltest.ArchiveSpec){
		"mysqldump":   nil,
		"homedir.tar": func(spec *cpaneltest.ArchiveSpec) { spec.HomeTar = true },
		"MariaDB": func(spec *cpaneltest.ArchiveSpec) {
			spec.Dump = cpaneltest.DumpOpts{MariaDB: true, Sandbox: true, NoDate: true}
		},
		"no comments": func(spec *cpaneltest.ArchiveSpec) { spec.Dump.NoComments = true },
	}
	for shape, change := range shapes {
		good := made(t, change)
		if p, rules := proved(t, good, int64(len(good))); rules != "" || (len(p.Notes) > 0) != (shape == "no comments") {
			t.Errorf("%s, in order: %+v", shape, p)
		}
		for kind, w := range want {
			bad := cpaneltest.Damage(kind, good)
			for _, size := range []int64{0, int64(len(bad))} {
				p, rules := proved(t, bad, size)
				if w.rule == "" && (rules == "damaged" || rules == "checksum" || rules == "length") {
					rules = ""
				}
				if rules != w.rule || !strings.Contains(p.Problems[0].Text, w.says) {
					t.Errorf("%s, %s: %q, want %q with %q: %+v", shape, kind, rules, w.rule, w.says, p.Problems)
				}
			}
		}
	}
}

// TestCutAtTwoHundredPlaces: and nothing else is said of any of them.
func TestCutAtTwoHundredPlaces(t *testing.T) {
	good := made(t, nil)
	said := map[string]bool{}
	for i := range 200 {
		at := 2 + i*(len(good)-3)/199
		p, rules := proved(t, good[:at], int64(len(good)))
		if rules != "cut" || !strings.Contains(p.Problems[0].Text, "was cut off on the way") {
			t.Errorf("%d of %d bytes: %+v", at, len(good), p.Problems)
			continue
		}
		said[p.Problems[0].Text] = true
	}
	if len(said) != 200 {
		t.Errorf("%d sentences about 200 places", len(said))
	}
}

// TestTensOfThousandsOfFiles: an archive as large sites have them is proved in one go,
// and what is inside is counted right.
func TestTensOfThousandsOfFiles(t *testing.T) {
	const files = 20_000
	good := made(t, func(spec *cpaneltest.ArchiveSpec) {
		spec.Many = files
		spec.Dump.RowBytes = 2000
	})
	p, rules := proved(t, good, int64(len(good)))
	if rules != "" || len(p.Notes) > 0 {
		t.Errorf("%+v, %+v", p.Problems, p.Notes)
	}
	if p.Inside.Files != files+1 {
		t.Errorf("%d files", p.Inside.Files)
	}
	if diff := cmp.Diff([]string{"ruthin_shop", "ruthin_wp"}, p.Inside.Databases); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ruthin.example", "shop.example"}, p.Inside.Domains); diff != "" {
		t.Error(diff)
	}
	z, err := gzip.NewReader(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.Copy(io.Discard, z)
	if err != nil || p.Inside.Bytes > unpacked-512*files || p.Inside.Bytes < unpacked/4 {
		t.Errorf("%d bytes of files in a tar archive of %d: %v", p.Inside.Bytes, unpacked, err)
	}
}
