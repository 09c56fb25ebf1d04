package vault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestWhatWasSaidLiesBesideTheArchive: a pin, doubts and who settled them are
// found again without the state.
func TestWhatWasSaidLiesBesideTheArchive(t *testing.T) {
	v := newVault(t)
	run := staged(t, v, newRun(1), file("a", "x"))
	a := archiveOf(run)
	a.Path, a.Findings = "/srv/notes", []keepwatch.Finding{{Rule: "shrunk", Text: "It holds far less than usual."}}
	a, err := v.Publish(run, a)
	if err != nil {
		t.Fatal(err)
	}
	said := func(a keepwatch.Archive) keepwatch.Archive {
		return keepwatch.Archive{Path: a.Path, Pinned: a.Pinned, Findings: a.Findings, Accepted: a.Accepted, AcceptedAt: a.AcceptedAt, Adopted: a.Adopted}
	}
	for range 2 {
		list, err := v.List()
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if diff := cmp.Diff(said(a), said(list[0])); diff != "" {
			t.Error(diff)
		}
		if a.Findings[0].What != a.Ref() {
			t.Errorf("the finding is about %q", a.Findings[0].What)
		}
		if got := verify(t, v, a.Ref()); !got.OK() {
			t.Errorf("%v", got.Problems)
		}
		a.Pinned, a.Accepted, a.AcceptedAt = "before the <move>", "Alis", start.In(time.FixedZone("x", 3600)).UTC()
		if err := v.Annotate(a); err != nil {
			t.Fatal(err)
		}
	}
	if left := onDisk(t, filepath.Join(v.dir, stagingDir)); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}

	// a record that is damaged is nobody's word, and is written anew
	path := filepath.Join(v.Path(a.Ref()), recordName)
	write(t, path, strings.Replace(read(t, path), "<move>", "<love>", 1))
	if list, err := v.List(); err != nil || list[0].Pinned != "" || !list[0].Adopted {
		t.Errorf("%+v, %v", list, err)
	}
	if err := v.Annotate(a); err != nil {
		t.Fatal(err)
	}
	if list, _ := v.List(); list[0].Pinned != "before the <move>" {
		t.Errorf("%+v", list)
	}

	if err := os.RemoveAll(v.Path(a.Ref())); err != nil {
		t.Fatal(err)
	}
	if err := v.Annotate(a); err != nil {
		t.Errorf("of one that is gone: %v", err)
	}
	if _, err := os.Stat(v.Path(a.Ref())); err == nil {
		t.Error("a folder was made for an archive that is gone")
	}
}
