package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestAHealthyArchive: nothing is wrong with it, and it is known what is inside.
func TestAHealthyArchive(t *testing.T) {
	b := pack(t, account())
	want := wanted()
	want.size = int64(len(b))
	v := prove(t, newProver(want), b)
	if len(v.problems)+len(v.notes) > 0 {
		t.Errorf("a healthy archive:\n%s", words(v))
	}
	if v.inside.Bytes < 50_000 {
		t.Errorf("%d bytes inside", v.inside.Bytes)
	}
	v.inside.Bytes = 0
	if diff := cmp.Diff(keepwatch.Inside{Files: 40, Databases: []string{"ruthin_shop", "ruthin_wp"},
		Domains: []string{"parked.example", "ruthin.example", "shop.example", "shop.ruthin.example"}, Mail: &keepwatch.InsideMail{}}, v.inside); diff != "" {
		t.Error(diff)
	}
}

// flip changes one bit.
func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x10
	return b
}

// TestEveryDamageIsNamed: by a rule of its own, in a sentence that says what to do.
func TestEveryDamageIsNamed(t *testing.T) {
	good := pack(t, account())
	plain := packTar(t, top, account())
	size := int64(len(good))
	cutDump := dumpText("ruthin_wp", 300)[:20_000]
	for _, c := range []struct {
		name  string
		bytes []byte
		size  int64  // that the host has said
		rules string // of the problems
		says  string // in the first of them
	}{
		{"empty", nil, 0, "empty", "not one byte came"},
		{"cut off on the way", good[:size-1000], size, "cut", "was cut off on the way: only"},
		{"cut off at the host", good[:size-1000], size - 1000, "cut", "all came that the host holds"},
		{"cut off by nobody knows whom", good[:size-1000], 0, "cut", "if it ends at the same place then"},
		{"cut off in the trailer", good[:size-3], 0, "cut", "ends in the middle"},
		{"cut off in the header", good[:5], 0, "cut", "ends in the middle"},
		{"still written", good, size - 10, "grown", "still writing"},
		{"a bit of the content flipped", flip(good, len(good)/2), 0, "", "is damaged"},
		{"the checksum flipped", flip(good, len(good)-8), 0, "checksum", "checksum is not that of its content"},
		{"the length flipped", flip(good, len(good)-3), 0, "length", "not as long"},
		{"a tail of zeros", append(bytes.Clone(good[:size/2]), make([]byte, size/2)...), 0, "zeros", "nothing but zeros"},
		{"zeros alone", make([]byte, 9000), 0, "zeros", "nothing but zeros"},
		{"a login page", []byte("\n<!DOCTYPE html>\n<html><head><meta charset=utf-8><TITLE>cPanel &amp; Login</TITLE></head></html>"), 0, "page", "“cPanel & Login”"},
		{"a page without a title", []byte("<html><body>503</body></html>"), 0, "page", "is no archive but a web page."},
		{"an answer in JSON", []byte(`{"status":0,"errors":["Access denied"],"data":null}`), 0, "page", "“Access denied”"},
		{"a ZIP archive", []byte("PK\x03\x04rest of it"), 0, "format", "ZIP archive"},
		{"a tar archive that nobody has compressed", plain, 0, "format", "a tar archive that is not compressed"},
		{"the magic flipped", flip(good, 0), 0, "format", "it begins with the bytes 0f 8b 08"},
		{"a text", []byte("Sorry, the server is busy.\n"), 0, "format", "“Sorry, the server is busy.”"},
		{"garbage behind the end", append(bytes.Clone(good), "<html>Error"...), 0, "garbage", "“<html>Error”"},
		{"the tar archive cut in a file", squeeze(t, plain[:len(plain)-20_000]), 0, "unfinished", "in the middle of a file"},
		{"the tar archive cut between members", squeeze(t, plain[:len(plain)-1024]), 0, "unfinished", "mysql.sql, and the mark"},
		{"the tar archive with half of its end", squeeze(t, plain[:len(plain)-512]), 0, "unfinished", "the mark that closes a tar archive is missing"},
		{"a header of the tar archive damaged", squeeze(t, flip(plain, 512+1)), 0, "tar", "no tar archive, although its checksum is right"},
		{"nothing within", squeeze(t, nil), 0, "unfinished", "holds nothing"},
		{"no settings of the account", pack(t, without(account(), "cp/")), 0, "missing", "cp/ruthin"},
		{"empty settings of the account", pack(t, with(account(), "cp/ruthin", "")), 0, "missing", "cp/ruthin"},
		{"no version", pack(t, without(account(), "version")), 0, "missing", "file version is missing"},
		{"another account", pack(t, append(without(account(), "cp/"), member{name: "cp/denbigh", text: "DNS=ruthin.example\nDNS1=shop.example\n"})), 0, "account", "settings of denbigh and not of ruthin"},
		{"no home directory", pack(t, without(account(), "homedir/")), 0, "home", "home directory is missing"},
		{"a database is missing", pack(t, without(account(), "mysql/ruthin_wp")), 0, "database", "database ruthin_wp is missing"},
		{"all databases are missing", pack(t, without(account(), "mysql/")), 0, "database", "2 MySQL databases are missing from the archive, although the host has them: ruthin_shop, ruthin_wp"},
		{"a dump cut in a row", pack(t, with(account(), "mysql/ruthin_wp.sql", cutDump)), 0, "dump-cut", "database ruthin_wp is cut off after 19.5 KiB"},
		{"a dump cut between statements", pack(t, with(account(), "mysql/ruthin_wp.sql", cutDump[:strings.LastIndex(cutDump, "\n")+1])), 0, "dump-cut", "database ruthin_wp is cut off"},
		{"an empty dump", pack(t, with(account(), "mysql/ruthin_wp.sql", "")), 0, "dump-empty", "database ruthin_wp is empty"},
		{"a blank dump", pack(t, with(account(), "mysql/ruthin_wp.sql", "\n\n")), 0, "dump-empty", "database ruthin_wp is empty"},
		{"an error in a dump", pack(t, with(account(), "mysql/ruthin_wp.sql", cutDump+"\nmysqldump: Error 2013: Lost connection to MySQL server during query when dumping table `wp_posts` at row: 73\n")), 0, "dump-error", "“mysqldump: Error 2013: Lost connection"},
		{"a name that leads outside", pack(t, append(account(), member{head: &tar.Header{Name: top + "../../etc/cron.d/x", Typeflag: tar.TypeReg}})), 0, "path", "etc/cron.d/x"},
		{"an absolute name", pack(t, append(account(), member{head: &tar.Header{Name: "/etc/passwd", Typeflag: tar.TypeReg}})), 0, "path", "/etc/passwd"},
		{"a second folder", pack(t, append(account(), member{head: &tar.Header{Name: "backup-11.3.2026_04-05-07_ruthin/version", Typeflag: tar.TypeReg}})), 0, "top", "backup-11.3.2026_04-05-07_ruthin/version"},
		{"another archive", squeeze(t, packTar(t, "photos/", []member{{name: "a.jpg", text: "x"}})), 0, "missing", "no full backup of cPanel"},
		{"homedir.tar cut", pack(t, with(without(account(), "homedir/"), "homedir.tar", string(packTar(t, "", account())[:20*512]))), 0, "unfinished", "(homedir.tar) ends in the middle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := wanted()
			want.size = c.size
			v := prove(t, newProver(want), c.bytes)
			got := rules(v)
			if c.rules == "" && (got == "damaged" || got == "checksum") { // where a flipped bit shows is chance
				got = ""
			}
			if got != c.rules || len(v.problems) == 0 || !strings.Contains(v.problems[0].Text, c.says) {
				t.Errorf("problems %q, want %q with %q:\n%s", got, c.rules, c.says, words(v))
			}
		})
	}
}

// TestCutAnywhere: wherever a file ends too early, that is what is said of it.
func TestCutAnywhere(t *testing.T) {
	good := pack(t, account())
	for at := 2; at < len(good); at += 61 {
		if got := rules(prove(t, newProver(wanted()), good[:at])); got != "cut" {
			t.Errorf("cut after %d bytes: %q", at, got)
		}
	}
}

// TestFlippedAnywhere: whichever bit is changed, the archive is not kept, and nobody is
// told that it was cut off, but for the last few bytes, where the two cannot be told
// apart. The header of gzip is left out: its time may be any.
func TestFlippedAnywhere(t *testing.T) {
	plain := packTar(t, top, account())
	good := squeeze(t, plain)
	said := map[string]int{}
	for at := 10; at < len(good); at += 23 {
		b := bytes.Clone(good)
		b[at] ^= 1 << (at % 8)
		got := rules(prove(t, newProver(wanted()), b))
		said[got]++
		switch got {
		case "damaged", "checksum", "length", "garbage":
		case "cut":
			if at < len(good)-20 {
				t.Errorf("bit %d of byte %d of %d: it was not cut off", at%8, at, len(good))
			}
		case "": // a bit that says nothing: of the length of a code that is not used
			r, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if content, err := io.ReadAll(r); err != nil || !bytes.Equal(content, plain) {
				t.Errorf("bit %d of byte %d is not noticed: %v", at%8, at, err)
			}
		default:
			t.Errorf("bit %d of byte %d of %d: %q", at%8, at, len(good), got)
		}
	}
	if said["damaged"] < 8 || said["checksum"] < 8 || said["length"] < 8 || said[""] > 20 {
		t.Errorf("what was said: %v", said)
	}
}
