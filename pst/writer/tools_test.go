package writer

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"mime"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
)

// tool runs a reader of others: readpst and lspst of libpst (Debian: pst-utils),
// pffinfo and pffexport of libpff (pff-tools). CI has them.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	at, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("%s is not installed", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, at, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%.2000s", name, args, err, out)
	}
	return string(out)
}

// manyItems is how many one folder of the mailbox has.
const manyItems = 600

// mailbox is a file with something of everything, and attachments of these sizes.
func mailbox(t *testing.T, sizes []int) string {
	t.Helper()
	w, path := create(t, options())
	add := func(f *Folder, fill func(pst.Sink) error) {
		t.Helper()
		if err := f.Add(fill); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range scripts {
		f := inbox(t, w, fmt.Sprintf("%02d %s", i, s))
		for range i%3 + 1 {
			add(f, mailOf(s))
		}
	}
	add(inbox(t, w, "Attachments"), func(s pst.Sink) error {
		mailOf("attachments")(s)
		for _, n := range sizes {
			p := pst.Properties{pst.P(pst.PidTagAttachLongFilename, fmt.Sprint(n, ".bin")), pst.P(pst.PidTagAttachMimeTag, "application/octet-stream")}
			if err := s.Attach(p, bytes.NewReader(noise(n))); err != nil {
				return err
			}
		}
		return s.Embed(pst.Properties{pst.P(pst.PidTagDisplayName, "within")}, mailOf("embedded"))
	})
	many := inbox(t, w, "Many")
	for i := range manyItems {
		add(many, mailOf(fmt.Sprint("RE: number ", i)))
	}
	closed(t, w)
	verified(t, path)
	return path
}

// mailOf is a mail in which every text has the subject in it.
func mailOf(subject string) func(pst.Sink) error {
	return func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, subject), pst.P(pst.PidTagBody, "Body: "+subject+"\r\n"),
			pst.P(pst.PidTagSenderName, "From "+subject), pst.P(pst.PidTagSenderEmailAddress, "from@example.org"),
			pst.P(pst.PidTagSenderAddressType, "SMTP"),
			pst.P(pst.PidTagMessageDeliveryTime, day), pst.P(pst.PidTagClientSubmitTime, day))
		s.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, "To "+subject), pst.P(pst.PidTagEmailAddress, "to@example.org")})
		return nil
	}
}

// extracted gives the contents of all files below a folder, by their paths.
func extracted(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReadpst: libpst finds what was written. Always with -j 0: it loses items when
// it works in parallel.
func TestReadpst(t *testing.T) {
	sizes := attachmentSizes[1:] // readpst leaves an empty one out
	path := mailbox(t, sizes)
	dir := t.TempDir()
	log := tool(t, "readpst", "-j", "0", "-S", "-o", dir, path)
	for _, m := range regexp.MustCompile(`(\d+) items skipped`).FindAllStringSubmatch(log, -1) {
		if m[1] != "0" {
			t.Errorf("readpst skipped items:\n%s", log)
		}
	}
	counts, subjects := map[string]int{}, map[string]bool{}
	all := extracted(t, dir)
	for name, data := range all {
		if !regexp.MustCompile(`^\d+$`).MatchString(filepath.Base(name)) {
			continue
		}
		m, err := mail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		when, dateErr := m.Header.Date()
		if err != nil || dateErr != nil || !when.Equal(day) {
			t.Errorf("%s: %v %v %v", name, err, when, dateErr)
		}
		counts[filepath.Base(filepath.Dir(name))]++
		subjects[subject] = true
	}
	for i, s := range scripts {
		if got := counts[fmt.Sprintf("%02d %s", i, s)]; got != i%3+1 || !subjects[s] {
			t.Errorf("%s: %d items, its subject is there: %v", s, got, subjects[s])
		}
	}
	if counts["Many"] != manyItems || !subjects[fmt.Sprint("RE: number ", manyItems-1)] {
		t.Errorf("%d items in the large folder", counts["Many"])
	}
	for _, n := range sizes {
		if name := fmt.Sprintf("1-%d.bin", n); !bytes.Equal(all["Outlook data file/Attachments/"+name], noise(n)) {
			t.Errorf("%s has %d bytes", name, len(all["Outlook data file/Attachments/"+name]))
		}
	}
}

// TestPffexport: so does libpff. It takes its time with large attachments.
func TestPffexport(t *testing.T) {
	sizes := attachmentSizes[1:8]
	path := mailbox(t, sizes)
	tool(t, "pffinfo", path)
	dir := filepath.Join(t.TempDir(), "x")
	tool(t, "pffexport", "-q", "-m", "items", "-t", dir, path)
	counts, subjects := map[string]int{}, map[string]bool{}
	all := extracted(t, dir+".export")
	const top = "Top of Outlook data file/"
	for name, data := range all {
		if filepath.Base(name) != "OutlookHeaders.txt" {
			continue
		}
		parts := strings.Split(strings.TrimPrefix(name, top), "/")
		if len(parts) == 3 {
			counts[parts[0]]++
		}
		if m := regexp.MustCompile(`(?m)^Subject:\s*(.*?)\s*$`).FindSubmatch(data); m != nil {
			subjects[string(m[1])] = true
		}
	}
	for i, s := range scripts[:len(scripts)-1] { // the last is beyond UCS-2, which this libpff gets wrong
		if got := counts[fmt.Sprintf("%02d %s", i, s)]; got != i%3+1 || !subjects[s] {
			t.Errorf("%s: %d items, its subject is there: %v", s, got, subjects[s])
		}
	}
	if counts["Many"] != manyItems || !subjects[fmt.Sprint("RE: number ", manyItems-1)] || !subjects["embedded"] {
		t.Errorf("%d items in the large folder, the embedded one is there: %v", counts["Many"], subjects["embedded"])
	}
	found := 0
	for name, data := range all {
		for _, n := range sizes {
			if strings.HasSuffix(name, fmt.Sprintf("_%d.bin", n)) && bytes.Equal(data, noise(n)) {
				found++
			}
		}
	}
	if found != len(sizes) {
		t.Errorf("%d of %d attachments came back", found, len(sizes))
	}
}

// TestLspst: and so does the lister of libpst.
func TestLspst(t *testing.T) {
	w, path := create(t, options())
	if err := inbox(t, w, "Inbox").Add(mailOf("Croeso")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if out := tool(t, "lspst", path); !strings.Contains(out, `Folder "Inbox"`) || !strings.Contains(out, "Croeso") {
		t.Errorf("%s", out)
	}
}
