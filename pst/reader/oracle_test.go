package reader_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// realFiles are all files of real Outlook that can be found: the samples, and those in
// the zip of the module go-pst where the module cache has it.
func realFiles(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{"ms-Empty.pst", "java-libpst-dist-list.pst", "go-pst-32-bit-ansi.pst"} {
		out[name] = psttest.Sample(t, "pst", name)
	}
	for _, path := range psttest.GoPST(t) {
		out[filepath.Base(path)] = path
	}
	return out
}

// tool says where a program is. CI installs it, so that without it the test fails.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("%s is not installed", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRealFilesAreClean: every block of every real file proves itself, and each
// item is listed.
func TestRealFilesAreClean(t *testing.T) {
	for name, path := range realFiles(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := deep(t, data)
		t.Logf("%s: %d folders, %d items, %d hidden, %d orphans, %v to %v", name, len(s.Folders), s.Items, s.Hidden, s.Orphans, s.Earliest, s.Latest)
		if len(s.Damage) != 0 || s.More != 0 {
			t.Errorf("%s: %v", name, s.Damage)
		}
		if _, damages, err := everything(open(t, data)); damages != 0 || err != nil {
			t.Errorf("%s: %d damages, %v", name, damages, err)
		}
	}
}

// readpstCount is what readpst says of a folder.
var readpstCount = regexp.MustCompile(`"(.*)" - (\d+) items done, (\d+) items skipped`)

// TestAgainstReadpst: libpst counts as many items in each folder below the IPM
// subtree. It counts subfolders among the items, and a distribution list as skipped,
// so that only folders without subfolders are compared, and both counts together.
// Its parallel mode loses items, which -j 0 turns off.
func TestAgainstReadpst(t *testing.T) {
	readpst := tool(t, "readpst")
	for name, path := range realFiles(t) {
		out, err := exec.Command(readpst, "-j", "0", "-D", "-e", "-t", "eajc", "-o", t.TempDir(), path).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		counts := map[string][]int{}
		for _, m := range readpstCount.FindAllStringSubmatch(string(out), -1) {
			done, _ := strconv.Atoi(m[2])
			skipped, _ := strconv.Atoi(m[3])
			counts[m[1]] = append(counts[m[1]], done+skipped)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := deep(t, data)
		for _, d := range s.Folders {
			leaf := !slices.ContainsFunc(s.Folders, func(c reader.FolderSummary) bool {
				return len(c.Path) > len(d.Path) && slices.Equal(c.Path[:len(d.Path)], d.Path)
			})
			if !leaf || d.Items == 0 || !strings.HasPrefix(d.Path[0], "Top of") {
				continue
			}
			if got := counts[d.Path[len(d.Path)-1]]; !slices.Contains(got, int(d.Items)) {
				t.Errorf("%s: %q has %d items, readpst counts %v", name, d.Path, d.Items, got)
			}
		}
	}
}

// exported is what pffexport tells of an item, or we do.
type exported struct {
	Folder, Subject, Delivered, Size, Sender string
	To                                       []string
	Attached                                 []string
}

func (e exported) text() string { return fmt.Sprintf("%q", e) }

// TestAgainstPffexport: libpff gives the same items in the same folders, with the
// same subject, dates, size, sender, recipients, and attachments byte for byte.
func TestAgainstPffexport(t *testing.T) {
	pffexport := tool(t, "pffexport")
	for name, path := range realFiles(t) {
		target := filepath.Join(t.TempDir(), "out")
		if out, err := exec.Command(pffexport, "-q", "-m", "items", "-t", target, path).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		want := pffItems(t, target+".export")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := ownItems(t, open(t, data))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %.3000s", name, diff)
		}
		t.Logf("%s: %d items", name, len(got))
	}
}

// headerFile tells the file of an item that pffexport writes its properties into.
var headerFile = regexp.MustCompile(`^(OutlookHeaders|Appointment|Contact|DistributionList|Task|Note|Activity|Meeting)\.txt$`)

func pffItems(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !headerFile.MatchString(d.Name()) || strings.Contains(path, "/Attachments/") {
			return err
		}
		dir := filepath.Dir(path)
		rel, err := filepath.Rel(root, filepath.Dir(dir))
		if err != nil {
			return err
		}
		h := fields(t, path)
		e := exported{Folder: filepath.ToSlash(rel), Subject: first(h["Subject"]), Delivered: first(h["Delivery time"]), Size: first(h["Size"]), Sender: first(h["Sender name"])}
		if to := filepath.Join(dir, "Recipients.txt"); exists(to) {
			f := fields(t, to)
			for i, name := range f["Display name"] {
				e.To = append(e.To, name+" "+f["Email address"][i])
			}
		}
		attached, err := filepath.Glob(filepath.Join(dir, "Attachments", "*"))
		for _, a := range attached {
			if data, err := os.ReadFile(a); err == nil {
				e.Attached = append(e.Attached, fmt.Sprintf("%x", sha256.Sum256(data)))
			}
		}
		slices.Sort(e.Attached)
		out = append(out, e.text())
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// fields reads lines of a name, tabs, and a value.
func fields(t *testing.T, path string) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":\t"); ok {
			out[k] = append(out[k], strings.TrimLeft(v, "\t"))
		}
	}
	return out
}

func ownItems(t *testing.T, f *reader.File) []string {
	t.Helper()
	var out []string
	err := f.Walk(func(d *reader.Folder, err error) error {
		if err != nil || d.IsSearch() || d.Name() == "Freebusy Data" { // which pffexport leaves out
			return err
		}
		for m, err := range d.Messages() {
			if err != nil {
				return err
			}
			ps, err := m.Properties()
			if err != nil {
				return err
			}
			e := exported{Folder: strings.Join(d.Path(), "/"), Subject: ps.Text(pst.PidTagSubject), Size: fmt.Sprint(ps.Int(pst.PidTagMessageSize)), Sender: ps.Text(pst.PidTagSenderName)}
			if strings.HasPrefix(e.Subject, "\x01") {
				e.Subject = string([]rune(e.Subject)[2:])
			}
			if at := ps.Time(pst.PidTagMessageDeliveryTime); !at.IsZero() {
				e.Delivered = at.Format("Jan 02, 2006 15:04:05.000000000 UTC")
			}
			for r, err := range m.Recipients() {
				if err != nil {
					return err
				}
				e.To = append(e.To, r.Text(pst.PidTagDisplayName)+" "+r.Text(pst.PidTagEmailAddress))
			}
			if e.Attached, err = attachedTo(m); err != nil {
				return err
			}
			out = append(out, e.text())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func attachedTo(m *reader.Message) (out []string, err error) {
	for a, err := range m.Attachments() {
		if err != nil {
			return nil, err
		}
		r, _, err := a.Open()
		if errors.Is(err, pst.ErrNoContent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprintf("%x", h.Sum(nil)))
	}
	slices.Sort(out)
	return out, nil
}
