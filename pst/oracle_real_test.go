package pst_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
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

// byID makes a map of items; those without an id, and a second one with the same, are
// told by their place.
func byID(all []item) map[string]item {
	m := map[string]item{}
	for _, it := range all {
		m[it.Folder+"\x00"+it.ID] = it
	}
	return m
}

// TestReadersAgree: readers that share nothing say the same about files of real
// Outlook, so that they can be trusted about ours.
func TestReadersAgree(t *testing.T) {
	distList := filepath.Join("..", "..", "shared", "samples", "pst", "java-libpst-dist-list.pst")
	t.Run("dist-list", func(t *testing.T) {
		sample(t, filepath.Base(distList))
		agree(t, distList, 3, "pffexport", withPffexport(t, distList).items(realTop))
	})
	t.Run("enron", func(t *testing.T) {
		file := enron(t)
		agree(t, file, 2178, "pypff", withPypff(t, file).items(realTop), ignoreRecipients)
		if os.Getenv("KEEPWATCH_SOAK") != "" {
			agree(t, file, 2178, "pffexport", withPffexport(t, file).items(realTop))
		}
		agree(t, file, 2178, "readpst", withReadpst(t, file).Items, asReadpst)
	})
}

const realTop = "Top of Personal Folders"

// agree holds what a reader found against what go-pst finds, after both were changed to
// what that reader can know.
func agree(t *testing.T, file string, count int, name string, got []item, change ...func(*item)) {
	t.Helper()
	want := withGoPST(t, file).items(realTop)
	if len(got) != count || len(want) != count {
		t.Fatalf("%s finds %d items, go-pst %d, there are %d", name, len(got), len(want), count)
	}
	for _, fn := range change {
		for i := range got {
			fn(&got[i])
			fn(&want[i])
		}
	}
	if diff := gocmp.Diff(byID(want), byID(got)); diff != "" {
		t.Errorf("go-pst (-) and %s (+) differ:\n%s", name, tail(diff))
	}
}

// ignoreRecipients: the Python binding of libpff of 2018 has no function for them.
func ignoreRecipients(it *item) { it.Recipients = nil }

// asReadpst keeps what a mail can say that libpst wrote. Its dates and
// addresses are those of the header that the mail came with, where the file has it, and
// in this one that has the year 0002 for 2002 and addresses of Exchange.
func asReadpst(it *item) {
	it.Received, it.Sent, it.Recipients, it.From = time.Time{}, time.Time{}, nil, person{}
	it.Text = strings.ReplaceAll(it.Text, "\r\n", "\n")
	it.Subject = strings.Join(strings.Fields(it.Subject), " ") // a header is folded at a tab
	sortAttachments(it)
}

// sortAttachments: libpst writes them in the reverse order.
func sortAttachments(it *item) {
	slices.SortFunc(it.Attachments, func(a, b attachment) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.SHA256, b.SHA256))
	})
}
