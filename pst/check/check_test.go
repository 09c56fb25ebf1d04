package check_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/psttest"
)

func file(t testing.TB, data []byte, o check.Options) check.Report {
	t.Helper()
	report, err := check.File(bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRealFilesAreClean(t *testing.T) {
	for name, want := range map[string]check.Report{
		"ms-Empty.pst":              {Format: pst.Unicode, Pages: 8, Blocks: 31, Nodes: 47, Folders: 6},
		"java-libpst-dist-list.pst": {Format: pst.Unicode, Pages: 26, Blocks: 155, Nodes: 128, Folders: 24, Messages: 7},
		"go-pst-32-bit-ansi.pst":    {Format: pst.ANSI, Pages: 4, Blocks: 26, Nodes: 34},
	} {
		got := file(t, psttest.Outlook(t, name), check.Options{})
		if diff := cmp.Diff(want, got); diff != "" || !got.Clean() {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLargeRealFile checks a file of 28 MB and 2,178 messages that Outlook wrote. It lies in
// the module of go-pst.
func TestLargeRealFile(t *testing.T) {
	files := psttest.GoPST(t)
	i := slices.IndexFunc(files, func(name string) bool { return filepath.Base(name) == "enron.pst" })
	if i < 0 {
		t.Skip("go-pst v6.0.2 is not in the module cache")
	}
	data, err := os.ReadFile(files[i])
	if err != nil {
		t.Fatal(err)
	}
	want := check.Report{Format: pst.Unicode, Pages: 934, Blocks: 7486, Nodes: 2287, Folders: 22, Messages: 2178}
	if diff := cmp.Diff(want, file(t, data, check.Options{})); diff != "" {
		t.Error(diff)
	}
}

// TestBrokenANSI damages the ANSI file, whose structures are those of the Unicode one in other places.
func TestBrokenANSI(t *testing.T) {
	for _, c := range []struct {
		rule  check.Rule
		spoil func(b []byte)
	}{
		{check.RuleHeaderCRC, func(b []byte) { b[4] ^= 1 }},
		{check.RuleMapCRC, func(b []byte) { b[0x4400+508] ^= 1 }},
		{check.RuleMapBID, func(b []byte) { b[0x4400+504] ^= 1 }},
		{check.RulePageCRC, func(b []byte) { b[root(b)+508] ^= 1 }},
		{check.RulePageSig, func(b []byte) { b[root(b)+498+4] ^= 1 }},
		{check.RulePageMax, func(b []byte) { b[root(b)+497]++ }},
	} {
		b := bytes.Clone(psttest.Outlook(t, "go-pst-32-bit-ansi.pst"))
		c.spoil(b)
		found := false
		for _, f := range file(t, b, check.Options{}).Findings {
			found = found || f.Rule == c.rule
			if f.Rule != c.rule && f.Rule != check.RulePageCRC {
				t.Errorf("besides %q: %v", c.rule, f)
			}
		}
		if !found {
			t.Errorf("no %q", c.rule)
		}
	}
}

// root is the offset of the root page of the node tree of an ANSI file.
func root(b []byte) int { return int(b[188]) | int(b[189])<<8 | int(b[190])<<16 }

func TestNoOutlookFile(t *testing.T) {
	for _, c := range []struct {
		data string
		rule check.Rule
	}{{"", check.RuleMagic}, {"!BD", check.RuleMagic}, {"!BDN", check.RuleShort}, {strings.Repeat("text ", 500), check.RuleMagic}} {
		got := file(t, []byte(c.data), check.Options{})
		if len(got.Findings) != 1 || got.Findings[0].Rule != c.rule || got.Clean() {
			t.Errorf("%.10q: %+v", c.data, got)
		}
	}
}

func TestFindingsAreCut(t *testing.T) {
	b := bytes.Clone(psttest.Outlook(t, "ms-Empty.pst"))
	clear(b[0x4600:])
	got := file(t, b, check.Options{Max: 3})
	if len(got.Findings) != 3 || !got.Truncated || got.Clean() {
		t.Errorf("%+v", got)
	}
}

// failing is a file on a disk that fails behind an offset.
type failing struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("the disk fails")

func (f failing) ReadAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > f.from {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(b, at)
}

func TestReadErrorsAreErrors(t *testing.T) {
	b := psttest.Outlook(t, "java-libpst-dist-list.pst")
	for from := int64(0); from < int64(len(b)); from += 7777 {
		if _, err := check.File(failing{bytes.NewReader(b), from}, int64(len(b)), check.Options{}); !errors.Is(err, errDisk) {
			t.Errorf("from %d: %v", from, err)
		}
	}
	if _, err := check.File(bytes.NewReader(b[:100_000]), int64(len(b)), check.Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file shorter than it is said to be: %v", err)
	}
}

func TestRulesHaveSections(t *testing.T) {
	for _, r := range check.Rules() {
		if r.Section() == "" || r == check.RuleNone {
			t.Errorf("the rule %q comes from nowhere", r)
		}
	}
}
