package pst_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch/pst/psttest"
)

// enron gives the path of a file with 2,178 mails that Outlook wrote, which lies
// in the module of go-pst.
func enron(t testing.TB) string {
	t.Helper()
	goPSTBuild.program(t)
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/mooijtech/go-pst/v6")
	cmd.Dir, cmd.Env = goPSTModule, append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "data", "enron.pst")
}

// TestReadersAgree: readers that share nothing say the same about files of real
// Outlook, so that they can be trusted about ours. The ANSI file of the samples is not among
// them: pst-extractor 1.12.0 finds nothing in it, since it compares the keys of a branch of an
// ANSI file as texts (findBtreeItem: ">" of two objects), so that 97 comes behind 1000.
func TestReadersAgree(t *testing.T) {
	t.Run("dist-list", func(t *testing.T) {
		distList := psttest.Sample(t, "pst", "java-libpst-dist-list.pst")
		agree(t, distList, 3, "pffexport", withPffexport(t, distList).items(realTop), asPffexport)
		t.Run("pst-extractor", func(t *testing.T) {
			agree(t, distList, 3, "pst-extractor", withPSTExtractor(t, distList).items(realTop), asPSTExtractor)
		})
	})
	t.Run("enron", func(t *testing.T) {
		file := enron(t)
		agree(t, file, 2178, "pypff", withPypff(t, file).items(realTop), asPypff)
		if os.Getenv("KEEPWATCH_SOAK") != "" {
			agree(t, file, 2178, "pffexport", withPffexport(t, file).items(realTop), asPffexport)
		}
		t.Run("pst-extractor", func(t *testing.T) {
			agree(t, file, 2178, "pst-extractor", withPSTExtractor(t, file).items(realTop), asPSTExtractor)
		})
		agree(t, file, 2178, "readpst", withReadpst(t, file).Items, asReadpst, asEnronMail)
	})
}

const realTop = "Top of Personal Folders"

// agree holds what a reader found against what go-pst finds.
func agree(t *testing.T, file string, count int, name string, got []seen, change ...func(*seen)) {
	t.Helper()
	want := withGoPST(t, file).items(realTop)
	if len(want) != count {
		t.Fatalf("go-pst finds %d items, there are %d", len(want), count)
	}
	same(t, name, want, got, change...)
}

// asEnronMail: dates and addresses in libpst's mails are those of the header that the
// mail came with, and in this file that has the year 0002 for 2002, and addresses
// of Exchange.
func asEnronMail(it *seen) {
	it.Sent, it.Recipients, it.From = time.Time{}, nil, seenPerson{}
}
