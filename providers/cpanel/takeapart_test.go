package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

const topOfTest = "backup-11.3.2026_04-05-06_ruthin"

// piled is one member of a backup made in a test. A name without a slash at its
// beginning lies below the top folder.
type piled struct {
	name, content, link string
	kind                byte // 0: a file
}

func writeTar(t testing.TB, out io.Writer, top string, entries []piled) {
	t.Helper()
	w := tar.NewWriter(out)
	for _, e := range entries {
		h := &tar.Header{Name: top + e.name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(e.content)), Linkname: e.link, ModTime: time.Unix(1_790_000_000, 0)}
		if strings.HasPrefix(e.name, "!") {
			h.Name = e.name[1:]
		}
		if e.kind != 0 {
			h.Typeflag, h.Size = e.kind, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, e.content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func backupOf(t testing.TB, entries ...piled) []byte {
	t.Helper()
	var out bytes.Buffer
	pack := gzip.NewWriter(&out)
	writeTar(t, pack, topOfTest+"/", entries)
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unpacked(t testing.TB, packed []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// untar gives a line for each piled: "d public_html/", "f public_html/a = content",
// "l www -> public_html", "h b -> a".
func untar(t testing.TB, packed []byte) []string {
	t.Helper()
	var lines []string
	for r := tar.NewReader(strings.NewReader(unpacked(t, packed))); ; {
		h, err := r.Next()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeDir:
			lines = append(lines, "d "+h.Name)
		case tar.TypeReg:
			lines = append(lines, fmt.Sprintf("f %s = %s", h.Name, content))
		case tar.TypeSymlink:
			lines = append(lines, "l "+h.Name+" -> "+h.Linkname)
		case tar.TypeLink:
			lines = append(lines, "h "+h.Name+" -> "+h.Linkname)
		default:
			lines = append(lines, fmt.Sprintf("%c %s", h.Typeflag, h.Name))
		}
	}
}

func ordinary() []piled {
	return []piled{
		{name: "", kind: tar.TypeDir},
		{name: "version", content: "pkgacct version: 10\n"},
		{name: "homedir/", kind: tar.TypeDir},
		{name: "homedir/public_html/", kind: tar.TypeDir},
		{name: "homedir/public_html/index.php", content: "<?php"},
		{name: "homedir/public_html/same.php", kind: tar.TypeLink, link: topOfTest + "/homedir/public_html/index.php"},
		{name: "homedir/www", kind: tar.TypeSymlink, link: "public_html"},
		{name: "homedir/.cpanel/filter.yaml", content: "filter: []\n"},
		{name: "mysql/ruthin_wp.sql", content: "CREATE TABLE a;\n-- Dump completed\n"},
		{name: "mysql/ruthin_wp.create", content: "CREATE DATABASE"},
		{name: "mysql/ruthin_shop.sql", content: ""},
		{name: "psql/ruthin_pg.tar", content: "x"},
		{name: "va/ruthin.example", content: "info@ruthin.example: alis@example.org\n"},
		{name: "va/empty.example", content: ""},
	}
}

func TestTakeApart(t *testing.T) {
	home := []string{
		"d public_html/", "f public_html/index.php = <?php", "h public_html/same.php -> public_html/index.php",
		"l www -> public_html", "f .cpanel/filter.yaml = filter: []\n",
	}
	full := backupOf(t, ordinary()...)
	for _, c := range []struct {
		inner string
		want  string
	}{
		{"mysql/ruthin_wp.sql", "CREATE TABLE a;\n-- Dump completed\n"},
		{"mysql/ruthin_shop.sql", ""},
		{"va/ruthin.example", "info@ruthin.example: alis@example.org\n"},
		{innerFilters, "filter: []\n"},
	} {
		var out bytes.Buffer
		got, err := takeApart(bytes.NewReader(full), c.inner, "/home/ruthin", &out, 0)
		if err != nil || got.files != 1 || got.bytes != int64(len(c.want)) || got.left.count != 0 {
			t.Errorf("%s: %+v, %v", c.inner, got, err)
		}
		if text := unpacked(t, out.Bytes()); text != c.want {
			t.Errorf("%s: %q", c.inner, text)
		}
	}
	var out bytes.Buffer
	got, err := takeApart(bytes.NewReader(full), innerHome, "/home/ruthin", &out, 0)
	if err != nil || got.files != 2 || got.bytes != 16 {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(home, untar(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}

	// The same when the home directory is packed once more, its links from its own top.
	var packed bytes.Buffer
	writeTar(t, &packed, "./", []piled{
		{name: "", kind: tar.TypeDir}, {name: "public_html/", kind: tar.TypeDir}, {name: "public_html/index.php", content: "<?php"},
		{name: "public_html/same.php", kind: tar.TypeLink, link: "./public_html/index.php"}, {name: "www", kind: tar.TypeSymlink, link: "public_html"},
		{name: ".cpanel/filter.yaml", content: "filter: []\n"},
	})
	out.Reset()
	if _, err := takeApart(bytes.NewReader(backupOf(t, piled{name: "homedir.tar", content: packed.String()})), innerHome, "/home/ruthin", &out, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(home, untar(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
}

func TestTakeApartIsTheSameTwice(t *testing.T) {
	var entries []piled
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		content := make([]byte, random.IntN(4000))
		for j := range content {
			content[j] = byte('a' + random.IntN(8))
		}
		entries = append(entries, piled{name: fmt.Sprintf("homedir/f%d", i), content: string(content)})
	}
	full := backupOf(t, entries...)
	var first, second bytes.Buffer
	for _, run := range []struct {
		in  io.Reader
		out *bytes.Buffer
	}{{bytes.NewReader(full), &first}, {oneByte{bytes.NewReader(full)}, &second}} {
		if _, err := takeApart(run.in, innerHome, "/home/ruthin", run.out, 0); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same backup gave two different pieces")
	}
}

type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

// TestTakeApartEnough: a second time no more is read than is needed, and the same
// comes.
func TestTakeApartEnough(t *testing.T) {
	full := backupOf(t, append(ordinary(), piled{name: "logs/large", content: strings.Repeat(strconv.Itoa(rand.Int()), 1<<18)})...)
	for _, inner := range []string{innerHome, "mysql/ruthin_wp.sql", innerFilters} {
		var first, second bytes.Buffer
		t1, err := takeApart(bytes.NewReader(full), inner, "/home/ruthin", &first, 0)
		if err != nil {
			t.Fatal(err)
		}
		if t2, err := takeApart(unreadableAfter(full[:len(full)-5]), inner, "/home/ruthin", &second, t1.entries); err != nil || t2.entries != t1.entries || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: %v, %+v and %+v", inner, err, t1, t2)
		}
	}
}

func unreadableAfter(b []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(b), unreadable{errors.New("read too far")})
}

func TestTakeApartHostile(t *testing.T) {
	full := backupOf(t,
		piled{name: "homedir/ok", content: "fine"},
		piled{name: "!/etc/passwd", content: "root"},
		piled{name: "!" + topOfTest + "/homedir/../../etc/cron", content: "x"},
		piled{name: "!other/homedir/x", content: "x"},
		piled{name: "homedir/up", kind: tar.TypeSymlink, link: "../../etc"},
		piled{name: "homedir/abs", kind: tar.TypeSymlink, link: "/etc"},
		piled{name: "homedir/sly", kind: tar.TypeSymlink, link: "/home/ruthin/../alis"},
		piled{name: "homedir/late", kind: tar.TypeSymlink, link: "a/b/../../.."},
		piled{name: "homedir/a/near", kind: tar.TypeSymlink, link: "../ok"},
		piled{name: "homedir/a/far", kind: tar.TypeSymlink, link: "../.."},
		piled{name: "homedir/own", kind: tar.TypeSymlink, link: "/home/ruthin/public_html"},
		piled{name: "homedir/dot", kind: tar.TypeSymlink, link: "."},
		piled{name: "homedir/dot/x", content: "through"},
		piled{name: "homedir/dot", content: "over"},
		piled{name: "homedir/null", kind: tar.TypeChar},
		piled{name: "homedir/pipe", kind: tar.TypeFifo},
		piled{name: "homedir/hard", kind: tar.TypeLink, link: "/etc/shadow"},
		piled{name: "homedir/hard2", kind: tar.TypeLink, link: topOfTest + "/shadow"},
		piled{name: "homedir/after", content: "fine too"},
	)
	var out bytes.Buffer
	got, err := takeApart(bytes.NewReader(full), innerHome, "/home/ruthin", &out, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"f ok = fine", "l a/near -> ../ok", "l own -> /home/ruthin/public_html", "l dot -> .", "f after = fine too"}
	if diff := cmp.Diff(want, untar(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
	if got.left.count != 14 || !strings.Contains(got.left.sentence(), "null (a device, pipe or socket)") {
		t.Errorf("%d: %s", got.left.count, got.left.sentence())
	}
}

// TestTakeApartHoles: a file with holes is put back at its full length, and one that
// would fill the account is not.
func TestTakeApartHoles(t *testing.T) {
	for _, c := range []struct {
		size int64
		want int64 // files that are put back
	}{{4096, 2}, {1 << 60, 1}} {
		var out, back bytes.Buffer
		pack := gzip.NewWriter(&out)
		w := tar.NewWriter(&renaming{pack})
		// GNU's form 1.0: the map of the file stands before its content, in blocks of 512.
		holes := fmt.Sprintf("1\n%d\n4\n", c.size-4)
		content := holes + strings.Repeat("\x00", 512-len(holes)) + "tail"
		for _, h := range []*tar.Header{
			{Name: topOfTest + "/homedir/sparse", Size: int64(len(content)), PAXRecords: map[string]string{
				"XYZ.sparse.major": "1", "XYZ.sparse.minor": "0", "XYZ.sparse.name": topOfTest + "/homedir/holes", "XYZ.sparse.realsize": strconv.FormatInt(c.size, 10),
			}},
			{Name: topOfTest + "/homedir/plain", Size: 4},
		} {
			h.Typeflag, h.Mode = tar.TypeReg, 0o644
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, content[len(content)-int(h.Size):]); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), pack.Close()); err != nil {
			t.Fatal(err)
		}
		got, err := takeApart(&out, innerHome, "/home/ruthin", &back, 0)
		if err != nil || got.files != c.want || got.left.count != int(2-c.want) {
			t.Fatalf("%d: %+v, %v", c.size, got, err)
		}
		if lines := untar(t, back.Bytes()); c.want == 2 && lines[0] != "f holes = "+strings.Repeat("\x00", 4092)+"tail" {
			t.Errorf("%.40q", lines)
		}
	}
}

// renaming lets archive/tar write the records of sparse files, which it only reads.
type renaming struct{ io.Writer }

func (r *renaming) Write(b []byte) (int, error) {
	_, err := r.Writer.Write(bytes.ReplaceAll(b, []byte("XYZ.sparse."), []byte("GNU.sparse.")))
	return len(b), err
}

// TestTakeApartDamaged: whatever is wrong with a backup, nothing that was given out is
// the whole of something that a host could take.
func TestTakeApartDamaged(t *testing.T) {
	full := backupOf(t, ordinary()...)
	bad := errors.New("the SHA-256 differs")
	flipped := bytes.Clone(full)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for name, in := range map[string]func() io.Reader{
		"cut":                func() io.Reader { return bytes.NewReader(full[:len(full)/2]) },
		"cut before its end": func() io.Reader { return bytes.NewReader(full[:len(full)-9]) },
		"checksum":           func() io.Reader { return bytes.NewReader(flipped) },
		"no gzip":            func() io.Reader { return strings.NewReader("<html>") },
		"empty":              func() io.Reader { return strings.NewReader("") },
		"found at the end": func() io.Reader {
			return io.MultiReader(bytes.NewReader(full), unreadable{keepwatch.Errorf(keepwatch.KindAttention, "Damaged.").Because(errors.Join(bad, keepwatch.ErrDamaged))})
		},
	} {
		for _, inner := range []string{innerHome, "mysql/ruthin_wp.sql"} {
			var out bytes.Buffer
			_, err := takeApart(in(), inner, "/home/ruthin", &out, 0)
			if err == nil || keepwatch.KindOf(err) != keepwatch.KindAttention {
				t.Errorf("%s, %s: %v", name, inner, err)
			}
			if name == "found at the end" && !errors.Is(err, keepwatch.ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			r, err := gzip.NewReader(bytes.NewReader(out.Bytes()))
			if err == nil {
				_, err = io.ReadAll(r)
			}
			if err == nil {
				t.Errorf("%s, %s: a whole gzip was given out", name, inner)
			}
		}
	}
	if _, err := takeApart(bytes.NewReader(full), "mysql/none.sql", "/home/ruthin", io.Discard, 0); !errors.Is(err, errNotInside) {
		t.Error(err)
	}
}

type unreadable struct{ err error }

func (f unreadable) Read([]byte) (int, error) { return 0, f.err }

func TestLookInside(t *testing.T) {
	got, err := lookInside(bytes.NewReader(backupOf(t, ordinary()...)))
	if err != nil {
		t.Fatal(err)
	}
	want := holding{home: true, filters: true, databases: []string{"ruthin_shop", "ruthin_wp"}, postgres: []string{"ruthin_pg"}, domains: []string{"ruthin.example"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(holding{})); diff != "" {
		t.Error(diff)
	}
}

// TestWhatCanBePutBackIsSeen: what is written down while a backup is brought home is
// what somebody sees who reads it for a plan, so that the plan needs not read it.
func TestWhatCanBePutBackIsSeen(t *testing.T) {
	for name, list := range map[string][]piled{"ordinary": ordinary(), "a version alone": ordinary()[:2]} {
		b := backupOf(t, list...)
		want, err := lookInside(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		in := prove(t, newProver(expected{user: "ruthin"}), b).inside
		if in.Mail == nil {
			in.Mail = &keepwatch.InsideMail{}
		}
		got := holding{home: in.Files > 0, databases: lacking(in.Databases, in.Postgres), postgres: in.Postgres, domains: in.Mail.Forwarders, filters: in.Mail.Filters}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(holding{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
