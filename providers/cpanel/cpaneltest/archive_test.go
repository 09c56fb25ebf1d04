package cpaneltest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/cpanel/cpaneltest"
)

var when = time.Date(2026, 11, 3, 4, 5, 6, 0, time.UTC)

func spec() cpaneltest.ArchiveSpec {
	return cpaneltest.ArchiveSpec{
		User: "ruthin", Domains: []string{"ruthin.example", "shop.example"}, Files: map[string][]byte{"public_html/a.txt": []byte("a"), "tmp/": nil}, Links: map[string]string{"www": "public_html"},
		Databases:  map[string]string{"ruthin_shop": cpaneltest.Statements(40), "ruthin_wp": cpaneltest.Statements(200)},
		Forwarders: map[string][]string{"shop.example": {"info@shop.example: alis@contoso.example"}}, Many: 30,
	}
}

func write(t *testing.T, spec cpaneltest.ArchiveSpec) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := cpaneltest.WriteArchive(&b, spec, when); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteArchive(t *testing.T) {
	t.Parallel()
	const top = "backup-11.3.2026_04-05-06_ruthin/"
	if got := cpaneltest.BackupName("ruthin", when) + "/"; got != strings.TrimSuffix(top, "/")+".tar.gz/" {
		t.Errorf("its name is %s", got)
	}
	all := unpack(t, write(t, spec()))
	for name, want := range map[string]string{
		"cp/ruthin": "DNS=ruthin.example\n", "homedir/public_html/a.txt": "a", "homedir/public_html/many/0000/file-000029.txt": cpaneltest.ManyContent(29), "va/shop.example": "info@shop.example: alis@contoso.example\n*: ruthin\n",
		"addons": "shop.example", "dnszones/shop.example.db": "SOA", "mysql.sql": `ruthin\_wp`, "mysql/ruthin_shop.create": "`ruthin_shop`", "mysql/ruthin_shop.sql": "-- Dump completed on 2026-11-23  3:00:00\n",
	} {
		if got, ok := all[top+name]; !ok || !strings.Contains(got, want) {
			t.Errorf("%s has no %q: %.200q", name, want, got)
		}
	}
	for name := range all {
		if !strings.HasPrefix(name+"/", top) {
			t.Errorf("%s lies beside the one folder", name)
		}
	}
	without := spec()
	without.SkipHome, without.Without = true, []string{"cp/ruthin"}
	all = unpack(t, write(t, without))
	if _, ok := all[top+"homedir"]; ok {
		t.Error("there is a home directory")
	}
	if _, ok := all[top+"cp/ruthin"]; ok {
		t.Error("what is left out is there")
	}
	inner := spec()
	inner.HomeTar = true
	if got := unpack(t, write(t, inner))[top+"homedir.tar"]; !strings.Contains(got, "public_html/a.txt") {
		t.Errorf("homedir.tar has %d bytes", len(got))
	}
	if !bytes.Equal(write(t, spec()), write(t, spec())) {
		t.Error("the same archive is another one the second time")
	}
}

func TestLargeArchive(t *testing.T) {
	t.Parallel()
	large := cpaneltest.ArchiveSpec{User: "ruthin", Large: 3 << 20, Level: gzip.BestSpeed}
	if n := len(write(t, large)); n < 3<<20 {
		t.Errorf("3 MiB that cannot be made smaller take %d bytes", n)
	}
}

func TestDumps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts       cpaneltest.DumpOpts
		start, end string
	}{
		"mysql":       {cpaneltest.DumpOpts{Date: when}, "-- MySQL dump 10.13", "-- Dump completed on 2026-11-03  4:05:06\n"},
		"mariadb":     {cpaneltest.DumpOpts{MariaDB: true, Sandbox: true}, "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump", "-- Dump completed on 2026-11-23  3:00:00\n"},
		"no date":     {cpaneltest.DumpOpts{NoDate: true}, "-- MySQL dump", "-- Dump completed\n"},
		"no comments": {cpaneltest.DumpOpts{NoComments: true}, "/*!40101 SET", "SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n"},
	} {
		var b bytes.Buffer
		if err := cpaneltest.MysqlDump(&b, "ruthin_wp", 1000, c.opts); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasPrefix(got, c.start) || !strings.HasSuffix(got, c.end) || strings.Count(got, "entry-") != 1000 {
			t.Errorf("%s: it is %.60q … %q", name, got, got[len(got)-60:])
		}
	}
}

// TestDamages: each kind is what it says, and no kind leaves the archive whole.
func TestDamages(t *testing.T) {
	t.Parallel()
	whole := write(t, spec())
	good := unpack(t, whole)
	seen := map[string]string{}
	for _, kind := range cpaneltest.Damages() {
		broken := cpaneltest.Damage(kind, whole)
		for other, data := range seen {
			if data == string(broken) {
				t.Errorf("%s and %s are the same", kind, other)
			}
		}
		seen[kind] = string(broken)
		all, err := members(broken)
		got := ""
		if err == nil {
			got = differences(good, all)
		} else {
			got = sort(err)
		}
		if want := signs()[kind]; !slices.Contains(strings.Split(want, "|"), got) {
			t.Errorf("%s looks like %q, not %q (%v)", kind, got, want, err)
		}
	}
	if !bytes.Equal(whole, write(t, spec())) {
		t.Error("the archive itself was changed")
	}
}

// sort puts an error into a few words.
func sort(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut"
	case errors.Is(err, gzip.ErrChecksum):
		return "checksum"
	case errors.Is(err, gzip.ErrHeader):
		return "no gzip"
	case errors.Is(err, io.EOF):
		return "nothing"
	}
	return "broken"
}

func differences(good, all map[string]string) string {
	var out []string
	for name := range good {
		if _, ok := all[name]; !ok {
			out = append(out, "missing")
			break
		}
	}
	for name := range all {
		if was, ok := good[name]; !ok {
			out = append(out, "extra "+name)
		} else if was != all[name] {
			out = append(out, fmt.Sprintf("changed %s", name[strings.Index(name, "/")+1:]))
		}
	}
	return strings.Join(out, ", ")
}

func signs() map[string]string {
	return map[string]string{
		cpaneltest.Truncated: "cut", cpaneltest.TruncatedMember: "missing", cpaneltest.BitFlip: "broken|checksum", cpaneltest.WrongCRC: "checksum", cpaneltest.WrongSize: "checksum", cpaneltest.ZeroTail: "broken|cut",
		cpaneltest.HTMLPage: "no gzip", cpaneltest.Empty: "nothing", cpaneltest.NoAccount: "missing", cpaneltest.NoVersion: "missing", cpaneltest.NoHome: "missing", cpaneltest.NoDatabase: "missing",
		cpaneltest.CutDump: "changed mysql/ruthin_shop.sql", cpaneltest.DumpError: "changed mysql/ruthin_shop.sql", cpaneltest.EmptyDump: "changed mysql/ruthin_shop.sql", cpaneltest.GarbageAfter: "no gzip",
		cpaneltest.SecondTop: "extra elsewhere/file.txt", cpaneltest.AbsolutePath: "extra /etc/evil.txt", cpaneltest.ParentPath: "extra ../evil.txt", cpaneltest.NotGzip: "no gzip", cpaneltest.NotTar: "broken", cpaneltest.ShortTar: "cut",
	}
}

func TestDamageOfNothing(t *testing.T) {
	t.Parallel()
	bare := write(t, cpaneltest.ArchiveSpec{User: "ruthin"})
	for _, kind := range []string{cpaneltest.CutDump, "sideways"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", kind)
				}
			}()
			cpaneltest.Damage(kind, bare)
		}()
	}
	if all, err := members(cpaneltest.Damage(cpaneltest.NoAccount, bare)); err != nil || len(all) == 0 {
		t.Errorf("%d members, %v", len(all), err)
	}
}

func TestAddedDatabases(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	var whole bytes.Buffer
	if err := cpaneltest.MysqlDump(&whole, "ruthin_wp", 30, cpaneltest.DumpOpts{}); err != nil {
		t.Fatal(err)
	}
	a.AddDatabase("ruthin_wp", whole.String())
	a.AddDatabaseFunc("ruthin_big", func(w io.Writer) error {
		return cpaneltest.MysqlDump(w, "ruthin_big", 30, cpaneltest.DumpOpts{NoComments: true})
	})
	if a.Database("ruthin_wp") != cpaneltest.Statements(30) {
		t.Error("a whole dump is not what its statements are")
	}
	_, dump, err := p.get("/getsqlbackup/ruthin_big.sql.gz")
	if err != nil || strings.Contains(gunzip(t, dump), "-- Dump completed") {
		t.Errorf("the dump without comments: %v", err)
	}
	if diff := cmp.Diff([]string{"ruthin_big", "ruthin_wp"}, a.Databases()); diff != "" {
		t.Error(diff)
	}
}
