package vault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// TestAChainOutlivesTheState: what an archive goes on from is written in its manifest, so
// that archives that are found again with the state lost are still kept together.
func TestAChainOutlivesTheState(t *testing.T) {
	v := newVault(t)
	whole := seal(t, v, 1, file("a", "x"))
	base := whole.Ref()
	for id := int64(2); id < 4; id++ {
		run := staged(t, v, newRun(id), file("b", "y"))
		made := archiveOf(run)
		made.Base = base
		a, err := v.Publish(run, made)
		if err != nil || a.Base != base {
			t.Fatalf("%q, %v", a.Base, err)
		}
		if again, err := v.Publish(run, made); err != nil || again.Base != base || again.Ref() != a.Ref() {
			t.Errorf("published again: %+v, %v", again, err)
		}
		if got := verify(t, v, a.Ref()); !got.OK() {
			t.Errorf("%v", got.Problems)
		}
		base = a.Ref()
	}
	for _, lose := range []bool{false, true} { // with what was said beside them, and without
		list, err := v.List()
		if err != nil || len(list) != 3 {
			t.Fatalf("%d, %v", len(list), err)
		}
		for i := range list {
			if list[i].Adopted != lose || i == 0 && list[i].Base != "" || i > 0 && list[i].Base != list[i-1].Ref() {
				t.Errorf("%s goes on from %q, adopted %t", list[i].Ref(), list[i].Base, list[i].Adopted)
			}
			list[i].Verified = []keepwatch.Verification{{Level: keepwatch.LevelOpened}}
			if err := os.Remove(filepath.Join(v.Path(list[i].Ref()), recordName)); err != nil && !lose {
				t.Fatal(err)
			}
		}
		for _, d := range (keepwatch.Keep{Last: 1}).Decide(list, start.AddDate(0, 0, 1), time.UTC) {
			if !d.Keep {
				t.Errorf("%s goes: %v", d.Archive.Ref(), d.Reasons)
			}
		}
	}
}

// TestNothingGoesOnFromElsewhere: what stands in a manifest is a Ref of the same source,
// and nothing else that could be taken for a path.
func TestNothingGoesOnFromElsewhere(t *testing.T) {
	v := newVault(t)
	for _, base := range []string{"web/2026-11-23T040000Z", "notes", "notes/../x", "../notes/2026-11-23T040000Z", "notes/2026-11-23T040000Z/"} {
		run := staged(t, v, newRun(1), file("a", "x"))
		made := archiveOf(run)
		made.Base = base
		if a, err := v.Publish(run, made); err == nil || !strings.Contains(err.Error(), "no archive of its source") {
			t.Errorf("%q: %s, %v", base, a.Ref(), err)
		}
		if err := v.Discard(1); err != nil {
			t.Fatal(err)
		}
	}
}
