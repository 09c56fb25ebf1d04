package vault

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestPublish fills in what the vault knows, gives the same archive again, and
// never puts two into one place.
func TestPublish(t *testing.T) {
	v := newVault(t)
	run := staged(t, v, newRun(1), file("a", "x"), alone("m.pst", "y"))
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	wanted := archiveOf(run)
	wanted.Stamp, wanted.Run, wanted.Sealed, wanted.Recipients = "2026-11-23T040000Z", 1, run.Result.Sealed, v.Recipients()
	for _, s := range run.Result.Sealed {
		wanted.SealedBytes += s.Size
	}
	if diff := cmp.Diff(wanted, a); diff != "" {
		t.Error(diff)
	}
	again, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, again); diff != "" {
		t.Errorf("published again: %s", diff)
	}

	if ref, found := v.Published(run); !found || ref != a.Ref() {
		t.Errorf("published as %q, %v", ref, found)
	}
	for _, other := range []keepwatch.Run{{ID: 2, Source: "notes", Started: run.Started}, {ID: 1, Source: "notes", Started: run.Started.Add(1)}, {ID: 1, Source: "web", Started: run.Started}, {ID: 1}} {
		if ref, found := v.Published(other); found {
			t.Errorf("%+v is published as %q", other, ref)
		}
	}

	// two more runs that began in the same second
	for i, stamp := range []string{"2026-11-23T040000Z-2", "2026-11-23T040000Z-3"} {
		next := staged(t, v, newRun(int64(i)+2), file("a", "x"))
		next.Started = run.Started
		b, err := v.Publish(next, archiveOf(next))
		if err != nil || b.Stamp != stamp {
			t.Errorf("%q, %v; want %q", b.Stamp, err, stamp)
		}
		if got := verify(t, v, b.Ref()); !got.OK() {
			t.Errorf("%s: %v", b.Ref(), got.Problems)
		}
	}
	if names := onDisk(t, filepath.Join(v.dir, stagingDir)); len(names) > 0 {
		t.Errorf("left in staging: %v", names)
	}
	list, err := v.List()
	if err != nil || len(list) != 3 || list[0].Ref() != a.Ref() || list[0].Items != 2 || list[0].SealedBytes != a.SealedBytes || len(list[0].Verified) != 0 {
		t.Errorf("listed: %+v, %v", list, err)
	}
}

// TestPublishRefuses what is not whole.
func TestPublishRefuses(t *testing.T) {
	v := newVault(t)
	run := staged(t, v, newRun(1), file("a", strings.Repeat("x", 1000)))
	path := filepath.Join(v.staging(1), "notes.tar.zst.age")
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	_, err := v.Publish(run, archiveOf(run))
	want(t, err, keepwatch.KindAttention, "run 1", "100 bytes")
	if err := v.Discard(1); err != nil {
		t.Fatal(err)
	}
	_, err = v.Publish(run, archiveOf(run))
	want(t, err, keepwatch.KindAttention, "run 1")
	_, err = v.Publish(newRun(2), archiveOf(newRun(2)))
	want(t, err, keepwatch.KindAttention, "nothing was written")
	bad := archiveOf(run)
	bad.Source = "../x"
	_, err = v.Publish(run, bad)
	want(t, err, keepwatch.KindInvalid, "../x")
}

// TestManifest says what it must and gives no name from inside away.
func TestManifest(t *testing.T) {
	v := newVault(t)
	v.version = "v9.9.9"
	a := seal(t, v, 1, folder("secret-folder"), file("secret-folder/secret-file", "x"))
	text := read(t, filepath.Join(v.Path(a.Ref()), manifestName))
	if strings.Contains(text, "secret") {
		t.Errorf("a name from inside: %s", text)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "sealed")
	wanted := map[string]any{
		"format": 1.0, "made_by": "keepwatch v9.9.9", "source": "notes", "kind": "files", "parts": 0.0, "run": 1.0,
		"started": "2026-11-23T04:00:00.123456789Z", "finished": "2026-11-23T04:01:00.123456789Z",
		"items": 2.0, "bytes": 1.0, "sealed_bytes": float64(a.SealedBytes), "recipients": []any{v.Recipients()[0]},
		"verified": map[string]any{"at": "2026-11-23T04:01:00.123456789Z", "level": "opened", "files": 0.0, "bytes": 0.0},
	}
	if diff := cmp.Diff(wanted, m); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Split(read(t, filepath.Join(v.Path(a.Ref()), sumsName)), "\n"); len(lines) != 4 || !strings.HasSuffix(lines[1], "  manifest.json") {
		t.Errorf("sums: %q", lines)
	}
}

// died is what the crash function of a test throws: the process ends there.
type died string

// until runs do and ends it at the n-th point that it passes. It gives the point
// where it ended, or "" if do came to its end.
func until(v *Vault, n int, do func()) (point string) {
	defer func() {
		v.crash = func(string) {}
		if r := recover(); r != nil {
			d, ok := r.(died)
			if !ok {
				panic(r)
			}
			point = string(d)
		}
	}()
	v.crash = func(p string) {
		if n--; n == 0 {
			panic(died(p))
		}
	}
	do()
	return ""
}

// atEveryPoint ends do at each point that it passes, one after the other, and
// has check look at what is left. make makes a vault anew each time.
func atEveryPoint(t *testing.T, least int, test func(n int) (point string)) {
	t.Helper()
	var seen []string
	for n := 1; ; n++ {
		point := test(n)
		if point == "" {
			break
		}
		seen = append(seen, point)
	}
	t.Logf("%d points: %v", len(seen), seen)
	if len(seen) < least {
		t.Errorf("only %d points", len(seen))
	}
}

// TestKilledWhileSealing at every point, and done again: one whole archive, and
// nothing else.
func TestKilledWhileSealing(t *testing.T) {
	atEveryPoint(t, 10, func(n int) string {
		v := newVault(t)
		things := []thing{file("a", "x"), alone("m.pst", "y")}
		run := newRun(1)
		work := func() {
			run = staged(t, v, run, things...)
			if _, err := v.Publish(run, archiveOf(run)); err != nil {
				t.Fatal(err)
			}
		}
		point := until(v, n, work)
		if point == "" {
			return ""
		}
		for _, a := range must(v.List()) {
			if got := verify(t, v, a.Ref()); !got.OK() {
				t.Errorf("%s: %v", point, got.Problems)
			}
		}
		if swept, err := v.Sweep(func(int64) bool { return true }); err != nil || len(swept) > 0 {
			t.Errorf("%s: swept %v of a living run, %v", point, swept, err)
		}
		if strings.HasPrefix(point, "vault.publish") { // the step before is saved: only this one is done again
			if _, err := v.Publish(run, archiveOf(run)); err != nil {
				t.Errorf("%s: %v", point, err)
			}
		} else {
			work()
		}
		checkOnly(t, v, point, 1)
		return point
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// checkOnly sees that the vault holds so many archives, whole, and nothing else.
func checkOnly(t *testing.T, v *Vault, point string, archives int) {
	t.Helper()
	list := must(v.List())
	if len(list) != archives {
		t.Errorf("%s: %d archives", point, len(list))
	}
	for _, a := range list {
		if got := verify(t, v, a.Ref()); !got.OK() {
			t.Errorf("%s: %v", point, got.Problems)
		}
	}
	for name := range onDisk(t, v.dir) {
		inArchive := slices.ContainsFunc(list, func(a keepwatch.Archive) bool { return strings.HasPrefix(name, a.Ref()+"/") })
		if !inArchive && !slices.Contains([]string{"notes/", ".staging/", ".trash/"}, name) {
			t.Errorf("%s: %s is left", point, name)
		}
	}
}

// TestKilledWhileRemoving at every point: done again, or swept, nothing is left.
func TestKilledWhileRemoving(t *testing.T) {
	atEveryPoint(t, 3, func(n int) string {
		v := newVault(t)
		a, b := sample(t, v, 1), sample(t, v, 2)
		point := until(v, n, func() {
			if err := v.Remove(a.Ref()); err != nil {
				t.Fatal(err)
			}
		})
		if point == "" {
			return ""
		}
		if n%2 == 0 {
			if _, err := v.Sweep(func(int64) bool { return false }); err != nil {
				t.Error(err)
			}
		}
		if err := v.Remove(a.Ref()); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		checkOnly(t, v, point, 1)
		if got := verify(t, v, b.Ref()); !got.OK() {
			t.Errorf("%s: the other one: %v", point, got.Problems)
		}
		return point
	})
}

// TestKilledWhileExtracting at every point, and done again: all is there, and
// nothing else.
func TestKilledWhileExtracting(t *testing.T) {
	for _, exists := range []bool{false, true} {
		atEveryPoint(t, 4, func(n int) string {
			v := newVault(t)
			things := []thing{folder("d"), file("d/a", "x"), file("d/b", "y"), symlink("l", "d/a")}
			a := seal(t, v, 1, things...)
			above := t.TempDir()
			to := filepath.Join(above, "out")
			wanted := map[string]string{"out/": "", "out/d/": "", "out/d/a": "x", "out/d/b": "y", "out/l -> d/a": ""}
			if exists {
				write(t, filepath.Join(to, "mine"), "mine")
				wanted["out/mine"] = "mine"
			}
			point := until(v, n, func() { mustExtract(t, v, a.Ref(), to, keepwatch.Ask{}) })
			if point == "" {
				return ""
			}
			if _, err := os.Stat(to); err == nil && !exists {
				for _, th := range things {
					checkRestored(t, to, th) // it appears only when it is whole
				}
			}
			mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
			if diff := cmp.Diff(wanted, onDisk(t, above)); diff != "" {
				t.Errorf("%s: %s", point, diff)
			}
			for _, th := range things {
				checkRestored(t, to, th)
			}
			return point
		})
	}
}

// TestDiscardExtract removes what a restore that was killed has left.
func TestDiscardExtract(t *testing.T) {
	for _, exists := range []bool{false, true} {
		v := newVault(t)
		a := seal(t, v, 1, file("a", "x"))
		above := t.TempDir()
		to := filepath.Join(above, "out")
		if exists {
			write(t, filepath.Join(to, "mine"), "mine")
		}
		before := onDisk(t, above)
		if point := until(v, 1, func() { mustExtract(t, v, a.Ref(), to, keepwatch.Ask{}) }); point == "" {
			t.Fatal("it was not killed")
		}
		if cmp.Equal(before, onDisk(t, above)) {
			t.Error("there is nothing to discard")
		}
		if err := v.DiscardExtract(keepwatch.Run{ID: 77, Ask: keepwatch.Ask{To: to}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, onDisk(t, above)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSweep removes what no living run owns, and names it.
func TestSweep(t *testing.T) {
	v := newVault(t)
	a := sample(t, v, 1)
	for _, id := range []int64{7, 8} {
		staged(t, v, newRun(id), file("a", "x"))
	}
	write(t, filepath.Join(v.dir, stagingDir, "run-7x", "y"), "")
	write(t, filepath.Join(v.dir, trashDir, "notes_2020-01-01T000000Z", "x"), "x")
	got, err := v.Sweep(func(run int64) bool { return run == 8 })
	if diff := cmp.Diff([]string{".staging/run-7", ".staging/run-7x", ".trash/notes_2020-01-01T000000Z"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := os.Stat(v.staging(8)); err != nil {
		t.Error(err)
	}
	if err := errors.Join(v.Discard(8), v.Discard(9)); err != nil {
		t.Error(err)
	}
	if got, err := v.Sweep(func(int64) bool { return false }); err != nil || len(got) > 0 {
		t.Errorf("once more: %v, %v", got, err)
	}
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Errorf("problems: %v", got.Problems)
	}
}

func TestRemoveWhatIsNotThere(t *testing.T) {
	v := newVault(t)
	if err := v.Remove("notes/2020-01-01T000000Z"); err != nil {
		t.Error(err)
	}
}

func TestFreeAndPath(t *testing.T) {
	v := newVault(t)
	if n, err := v.Free(); err != nil || n <= 0 {
		t.Errorf("%d bytes free, %v", n, err)
	}
	if got := v.Path("notes/2020-01-01T000000Z"); got != filepath.Join(v.dir, "notes", "2020-01-01T000000Z") {
		t.Error(got)
	}
}

// TestListLeavesOut what is no archive.
func TestListLeavesOut(t *testing.T) {
	v := newVault(t)
	a, b := sample(t, v, 1), sample(t, v, 2)
	write(t, filepath.Join(v.Path(b.Ref()), manifestName), "{")
	write(t, filepath.Join(v.dir, "notes", "readme"), "x")
	write(t, filepath.Join(v.dir, "Not-A-Source", "x"), "x")
	moved := filepath.Join(v.dir, "other")
	if err := errors.Join(os.Mkdir(moved, 0o700), os.Rename(v.Path(a.Ref()), filepath.Join(moved, a.Stamp))); err != nil {
		t.Fatal(err)
	}
	if got, err := v.List(); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	if got := verify(t, v, "other/"+a.Stamp); got.OK() || !names(got.Problems, a.Ref()) {
		t.Errorf("an archive of another source: %v", got.Problems)
	}
}
