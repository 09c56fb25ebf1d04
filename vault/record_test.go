package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
		return keepwatch.Archive{Path: a.Path, Pinned: a.Pinned, Findings: a.Findings, Accepted: a.Accepted, AcceptedAt: a.AcceptedAt, Adopted: a.Adopted, Revision: a.Revision}
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
		a.Revision, a.Pinned, a.Accepted, a.AcceptedAt = 3, "before the <move>", "Alis", start.In(time.FixedZone("x", 3600)).UTC()
		if err := v.Annotate(a, false); err != nil {
			t.Fatal(err)
		}
	}
	if left := onDisk(t, filepath.Join(v.dir, stagingDir)); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}

	if err := os.RemoveAll(v.Path(a.Ref())); err != nil {
		t.Fatal(err)
	}
	if err := v.Annotate(a, false); err != nil {
		t.Errorf("of one that is gone: %v", err)
	}
	if _, err := os.Stat(v.Path(a.Ref())); err == nil {
		t.Error("a folder was made for an archive that is gone")
	}
}

// TestARecordThatIsNotUnderstood may say that the archive is pinned: it counts as
// that, and is left as it is, until a person has settled it.
func TestARecordThatIsNotUnderstood(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"one byte":      func(path string) error { return replaceIn(path, "<move>", "<love>") },
		"a newer field": func(path string) error { return replaceIn(path, `"pinned"`, `"held"`) },
		"a folder":      func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"too old to be": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			a := seal(t, v, 1, file("a", "x"))
			a.Pinned, a.Revision = "before the <move>", 1
			path := filepath.Join(v.Path(a.Ref()), recordName)
			if err := errors.Join(v.Annotate(a, false), spoil(path)); err != nil {
				t.Fatal(err)
			}
			spoilt, _ := os.ReadFile(path)
			untouched := func() bool { data, _ := os.ReadFile(path); return bytes.Equal(data, spoilt) }

			list, err := v.List()
			if err != nil || len(list) != 1 || !list[0].Unread || list[0].Pinned != maybePinned || !list[0].Adopted {
				t.Fatalf("%+v, %v", list, err)
			}
			a.Pinned = "" // the state knows of no pin, as after a copy of it was put back
			known := v.Reconcile(a)
			if !known.Unread || known.Pinned != maybePinned {
				t.Errorf("%+v", known)
			}
			if err := v.Annotate(a, false); keepwatch.KindOf(err) != keepwatch.KindAttention {
				t.Errorf("written over: %v", err)
			}
			if err := v.Annotate(known, false); err != nil || !untouched() {
				t.Errorf("written over, or told twice: %v", err)
			}
			if got := verify(t, v, a.Ref()); !names(got.Problems, recordName) {
				t.Errorf("not found: %v", got.Problems)
			}

			known.Unread, known.Pinned, known.Revision = false, "again", 2
			if err := v.Annotate(known, true); err != nil {
				t.Fatal(err)
			}
			if list, _ := v.List(); list[0].Pinned != "again" || list[0].Unread {
				t.Errorf("%+v", list)
			}
			if got := verify(t, v, a.Ref()); !got.OK() {
				t.Errorf("%v", got.Problems)
			}
		})
	}
}

func replaceIn(path, old, with string) error {
	data, err := os.ReadFile(path)
	return errors.Join(err, os.WriteFile(path, bytes.Replace(data, []byte(old), []byte(with), 1), 0o600))
}

// TestAnOlderStateIsPutBack: what is true of either side is kept, and where the
// state is the newer one, it says.
func TestAnOlderStateIsPutBack(t *testing.T) {
	odd := keepwatch.Finding{Rule: "shrunk", Text: "It holds far less than usual."}
	other := keepwatch.Finding{Rule: "empty", Text: "It is empty."}
	hurt := keepwatch.Verification{At: start.Add(5 * time.Hour), Level: keepwatch.LevelOpened, Problems: []keepwatch.Finding{{Rule: "hash", What: "private name", Text: "a private name is not as it was"}}}
	type side func(a *keepwatch.Archive)
	nothing := func(*keepwatch.Archive) {}
	for name, c := range map[string]struct{ state, beside, want side }{
		"pinned beside":   {nothing, func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 1 }, func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 2 }},
		"pinned in state": {func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 1 }, func(a *keepwatch.Archive) { a.Revision = 4 }, func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 5 }},
		"no longer pinned, and that was not yet written": {func(a *keepwatch.Archive) { a.Revision = 2 }, func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 1 }, func(a *keepwatch.Archive) { a.Revision = 2 }},
		"the same": {func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 1 }, func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 1 }, func(a *keepwatch.Archive) { a.Pinned, a.Revision = "p", 1 }},
		"accepted since": {func(a *keepwatch.Archive) { a.Findings = []keepwatch.Finding{odd} },
			func(a *keepwatch.Archive) {
				a.Findings, a.Accepted, a.AcceptedAt, a.Revision = []keepwatch.Finding{odd}, "Alis", start, 1
			},
			func(a *keepwatch.Archive) {
				a.Findings, a.Accepted, a.AcceptedAt, a.Revision = []keepwatch.Finding{odd}, "Alis", start, 2
			}},
		"a doubt that was not accepted": {func(a *keepwatch.Archive) { a.Findings = []keepwatch.Finding{other} },
			func(a *keepwatch.Archive) {
				a.Findings, a.Accepted, a.AcceptedAt, a.Revision = []keepwatch.Finding{odd}, "Alis", start, 1
			},
			func(a *keepwatch.Archive) { a.Findings, a.Revision = []keepwatch.Finding{odd, other}, 2 }},
		"damaged since": {nothing, func(a *keepwatch.Archive) { a.Add(hurt); a.Revision = 1 },
			func(a *keepwatch.Archive) {
				a.Revision = 2
				a.Add(keepwatch.Verification{At: hurt.At, Level: keepwatch.LevelSealed, Problems: []keepwatch.Finding{{Rule: "damaged"}}})
			}},
		"whole since": {func(a *keepwatch.Archive) {
			a.Add(keepwatch.Verification{At: hurt.At.Add(1)})
			a.Revision = 2
		}, func(a *keepwatch.Archive) { a.Add(hurt); a.Revision = 1 },
			func(a *keepwatch.Archive) { a.Add(keepwatch.Verification{At: hurt.At.Add(1)}); a.Revision = 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			a := seal(t, v, 1, file("a", "x"))
			state, beside, should := a, a, a
			c.state(&state)
			c.beside(&beside)
			c.want(&should)
			if err := v.Annotate(beside, false); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(read(t, filepath.Join(v.Path(a.Ref()), recordName)), "private") {
				t.Error("a name from inside is told in plain")
			}
			got := v.Reconcile(state)
			if diff := cmp.Diff(should, got, cmpopts.IgnoreFields(keepwatch.Finding{}, "What", "Text")); diff != "" {
				t.Error(diff)
			}
			if err := v.Annotate(got, false); err != nil {
				t.Fatal(err)
			}
			if again := v.Reconcile(got); again.Revision != got.Revision {
				t.Errorf("not settled: %+v", again)
			}
		})
	}
}
