package cpanel_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/cpanel/cpaneltest"
)

const fullOfTest = "backup-11.23.2026_06-00-00_ruthin.tar.gz"

// whole gives a bench by WHM, and the plan to restore a whole account.
func whole(t *testing.T) (*bench, keepwatch.ReturnItem, []byte) {
	t.Helper()
	b := newBench(t, cpaneltest.Config{}, true)
	var full bytes.Buffer
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Files: map[string][]byte{"public_html/x": []byte("old")}, Databases: map[string]string{"ruthin_wp": "INSERT 1;\n"}}
	if err := cpaneltest.WriteArchive(&full, spec, noon); err != nil {
		t.Fatal(err)
	}
	plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{fullOfTest: full.Bytes()})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if mind := strings.Join(plan.Mind, "\n"); strings.Count(mind, "WHM restores the whole account over the one that there is") != 1 {
		t.Errorf("nobody is told what that does: %s", mind)
	}
	if len(plan.Items) != 1 || plan.Items[0].Part != "account" || b.shelf.opened != 0 {
		t.Fatalf("%+v", plan)
	}
	return b, plan.Items[0], full.Bytes()
}

func (b *bench) isWhole() {
	b.t.Helper()
	if content, _ := b.account.File("public_html/x"); string(content) != "old" || b.account.Database("ruthin_wp") != "INSERT 1;\n" {
		b.t.Errorf("the account is not as it was: %q, %q", content, b.account.Database("ruthin_wp"))
	}
}

func (b *bench) uploads() int {
	n := 0
	for _, c := range b.host.Calls() {
		if c.Function == "upload_files" {
			n++
		}
	}
	return n
}

func TestReturnAccount(t *testing.T) {
	for name, c := range map[string]struct {
		there   []byte // in the home already; nil: nothing
		same    bool   // the archive itself
		changed bool   // the same length, written since
		fault   cpaneltest.Fault
		want    string // in the error; "": none
		uploads int
		carried int
	}{
		"uploaded":                {uploads: 1, carried: 1},
		"lies there still":        {same: true, carried: 1},
		"lies there changed":      {same: true, changed: true, uploads: 1, carried: 1},
		"another of its name":     {there: []byte("something else"), uploads: 1, carried: 1},
		"host away while it runs": {uploads: 1, carried: 1, fault: cpaneltest.Fault{On: "get_transfer_session_state", Status: 503, Times: 3}},
		"fails":                   {uploads: 1, carried: 1, want: "quota exceeded", fault: cpaneltest.Fault{On: "start_local_cpmove_restore", RestoreFails: "quota exceeded"}},
		"refused":                 {uploads: 1, want: "no right", fault: cpaneltest.Fault{On: "start_local_cpmove_restore", Error: "You have no right to do that."}},
		"answer lost":             {uploads: 1, carried: 1, want: "nobody can tell whether it began", fault: cpaneltest.Fault{On: "start_local_cpmove_restore", Lose: true}},
		"upload refused":          {uploads: 1, want: "no space", fault: cpaneltest.Fault{On: "Fileman::upload_files", Error: "There is no space left."}},
	} {
		t.Run(name, func(t *testing.T) {
			b, item, full := whole(t)
			if c.same {
				c.there = full
			}
			if c.changed {
				c.there = bytes.Repeat([]byte("x"), len(full))
			}
			if c.there != nil {
				for at := (time.Time{}); at != time.Now().Truncate(time.Second); { // within one second
					at = time.Now().Truncate(time.Second)
					b.account.AddFile(fullOfTest, c.there)
					b.shelf.mtime = at
				}
				if c.changed {
					b.shelf.mtime = b.shelf.mtime.Add(-time.Hour)
				}
			}
			if c.fault.On != "" {
				b.host.Fault(c.fault)
			}
			var r record
			log, err := b.Return(t.Context(), r.job(false), item, b.shelf)
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || keepwatch.KindOf(err) != keepwatch.KindAttention) {
				t.Fatalf("%v", err)
			}
			if b.uploads() != c.uploads || len(b.carried()) != c.carried {
				t.Errorf("%d uploads, carried out %q", b.uploads(), b.carried())
			}
			if name != "upload refused" {
				_, again := b.Return(t.Context(), r.job(false), item, b.shelf)
				if (again == nil) != (err == nil) || len(b.carried()) != c.carried {
					t.Errorf("again: %v, %q", again, b.carried())
				}
			}
			if c.want != "" {
				if log, err = b.Return(t.Context(), r.job(true), item, b.shelf); err != nil || len(b.carried()) != c.carried+1 {
					t.Errorf("after a retry: %v, %q", err, b.carried())
				}
			}
			b.isWhole()
			if !strings.Contains(log.Text, "RESTORE of ruthin succeeded, with 1 warning and 2 skipped items") || !strings.Contains(log.Text, "Restored") || log.Name == "" || log.Heed != "WHM gave 1 warning and left out 2 items. Which these are is in its log." {
				t.Errorf("the log is %+v", log)
			}
			if content, ok := b.account.File(fullOfTest); c.there != nil && (!ok || !bytes.Equal(content, c.there)) {
				t.Error("what lay there was changed or removed")
			}
		})
	}
}

func TestReturnAccountKilled(t *testing.T) {
	for _, point := range []string{"before sending", "after sending", "before uploaded", "after uploaded", "before sent", "after sent", "before ended", "after ended"} {
		t.Run(point, func(t *testing.T) {
			b, item, _ := whole(t)
			ctx, kill := context.WithCancelCause(t.Context())
			r := record{}
			r.fail = func(at string) error {
				if at == point {
					kill(errKilled)
				}
				return context.Cause(ctx)
			}
			if _, err := b.Return(ctx, r.job(false), item, b.shelf); err == nil {
				t.Fatal("it went on after it was killed")
			}
			r.fail = nil
			_, err := b.Return(t.Context(), r.job(false), item, b.shelf)
			if point == "after sent" { // WHM was not told, and nobody can know that
				if keepwatch.KindOf(err) != keepwatch.KindAttention || len(b.carried()) != 0 {
					t.Errorf("%v, %q", err, b.carried())
				}
				_, err = b.Return(t.Context(), r.job(true), item, b.shelf)
			}
			if err != nil || len(b.carried()) != 1 {
				t.Errorf("%v, %q, stages %q", err, b.carried(), r.kept)
			}
			b.isWhole()
		})
	}
}

func TestReturnAccountDamaged(t *testing.T) {
	b, item, _ := whole(t)
	b.shelf.damaged = true
	var r record
	if _, err := b.Return(t.Context(), r.job(false), item, b.shelf); !errors.Is(err, keepwatch.ErrDamaged) {
		t.Error(err)
	}
	if _, ok := b.account.File(fullOfTest); ok || len(b.carried()) > 0 || slices.Contains(r.kept, "uploaded") {
		t.Errorf("%v, %q, %q", ok, b.carried(), r.kept)
	}
}

func TestPlanReturnWHM(t *testing.T) {
	b, _, full := whole(t)
	set := b.shelf.set(0, map[string][]byte{fullOfTest: full})
	plan, err := b.Plan(t.Context(), []providers.Set{set, b.shelf.set(1, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("x")})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"23 whole account ruthin", "24 database ruthin_wp"}, names(plan)); diff != "" {
		t.Error(diff)
	}
	plan, err = b.Plan(t.Context(), []providers.Set{set}, []string{"home", "database:ruthin_wp"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"23 home directory", "23 database ruthin_wp"}, names(plan)); diff != "" {
		t.Error(diff)
	}
}
