package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/vault"
)

// bench is a data folder with a source beside it, and the built program.
type bench struct {
	t       *testing.T
	root    string
	thinned map[int64]bool // runs whose archives the test itself has removed

	cancelled bool // somebody cancels a run, because it is the "wrong folder"
}

func newBench(t *testing.T, files, size int) bench {
	t.Helper()
	b := bench{t: t, root: t.TempDir(), thinned: map[int64]bool{}}
	if err := makeFiles(filepath.Join(b.root, "notes"), files, size, 1); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bench) data() string { return filepath.Join(b.root, "data") }

// command gives the program, ready to run one line, or several that are piped
// into it; env is added to its environment.
func (b bench) command(line string, env ...string) *exec.Cmd {
	if strings.Contains(line, "\n") {
		cmd := b.program([]string{"--data-dir", b.data()}, env...)
		cmd.Stdin = strings.NewReader(line + "\n")
		return cmd
	}
	return b.program(append([]string{"-c", line}, "--data-dir", b.data()), env...)
}

func (b bench) program(args []string, env ...string) *exec.Cmd {
	exe, err := exec.LookPath("bot")
	if err != nil {
		b.t.Fatal(err)
	}
	// flags come before the line, so that both orders are used by some test
	cmd := exec.Command(exe, args...)
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), append([]string{"NO_COLOR=1", "TZ=UTC", "HOME=" + b.root}, env...)...)
	return cmd
}

// killed reports whether a program that ended was ended by SIGKILL.
func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// after is what the promises are checked against once the program was killed
// and started again.
type after struct {
	runs     []keepwatch.Run
	archives []keepwatch.Archive
}

// restart starts the program again, which takes up what was left, and then
// looks at what lies on disk with nobody running. The exit status says whether all
// that was left went well: it is 1 where a run that was taken up did not come to be
// done, and 0 otherwise. One that waits for a person because it was cut off is not
// taken up.
func (b bench) restart() after {
	b.t.Helper()
	var open []int64
	if _, err := os.Stat(filepath.Join(b.data(), "state.db")); err == nil {
		for _, r := range b.look().runs {
			if !r.State.Settled() {
				open = append(open, r.ID)
			}
		}
	}
	out, err := b.command("/backup status").CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // -1: it was killed
		b.t.Fatalf("start again: %v\n%s", err, out)
	}
	a := b.look()
	undone := slices.ContainsFunc(a.runs, func(r keepwatch.Run) bool {
		return slices.Contains(open, r.ID) && r.State != keepwatch.RunDone && !cutOff(r)
	})
	if (err != nil) != undone {
		b.t.Errorf("start again: %v, and runs %v were not over before it\n%s", err, open, out)
	}
	return a
}

func (b bench) look() after {
	b.t.Helper()
	if err := bolt.Check(filepath.Join(b.data(), "state.db")); err != nil {
		b.t.Fatalf("the state does not pass bbolt's check: %v", err)
	}
	s, err := bolt.Open(bolt.Config{Path: filepath.Join(b.data(), "state.db")})
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	rec := store.NewRecords(s, time.Now)
	var a after
	if a.runs, err = rec.RecentRuns("", 0); err != nil {
		b.t.Fatal(err)
	}
	if a.archives, err = rec.Archives(""); err != nil {
		b.t.Fatal(err)
	}
	return a
}

// cutOff reports whether a run waits for a person, as it should, because it is a
// restore that replaces files and was stopped in the middle of that.
func cutOff(r keepwatch.Run) bool {
	return r.State == keepwatch.RunAttention && r.Kind == keepwatch.RunRestore && r.Ask.Overwrite && r.Failure != nil && r.Failure.Step == "extract" &&
		strings.Contains(r.Failure.Message, `stopped in the middle of the step "extract"`)
}

// checkPromises holds what is on disk against DESIGN section 3. Nothing stands in
// the way of these runs, so that the one true reason to wait for a person is that
// a restore which replaces files was cut off.
func (b bench) checkPromises(a after, what string) {
	b.t.Helper()
	for _, r := range a.runs {
		cancelled := b.cancelled && r.CancelledBy != "" && r.CancelReason == "wrong folder" && !r.CancelAsked.IsZero()
		switch {
		case r.State == keepwatch.RunDone:
		case cutOff(r):
		case r.State == keepwatch.RunCancelled && cancelled:
		default:
			b.t.Errorf("%s: run %d, a %s, is %s: %+v", what, r.ID, r.Kind, r.State, r.Failure)
		}
		pruned := slices.ContainsFunc(a.runs, func(p keepwatch.Run) bool { return slices.Contains(p.Result.Removed, r.Result.Archive) })
		if r.Kind == keepwatch.RunBackup && r.State == keepwatch.RunDone && !b.thinned[r.ID] && !pruned &&
			!slices.ContainsFunc(a.archives, func(x keepwatch.Archive) bool { return x.Run == r.ID && x.IsVerified() }) {
			b.t.Errorf("%s: run %d is done without a verified archive", what, r.ID)
		}
	}
	b.checkVault(a, what)
}

// checkVault sees that every archive is recorded once, verifies, and that
// nothing else lies in the vault.
func (b bench) checkVault(a after, what string) {
	b.t.Helper()
	v, err := vault.Open(vault.Config{Dir: filepath.Join(b.data(), "vault"), IdentityFile: filepath.Join(b.data(), "age-identity.txt")})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, arch := range a.archives {
		got, err := v.Verify(b.t.Context(), arch.Ref(), func(keepwatch.Progress) {})
		if err != nil || !got.OK() {
			b.t.Errorf("%s: archive %s: %v %v", what, arch.Ref(), err, got.Problems)
		}
	}
	err = filepath.WalkDir(filepath.Join(b.data(), "vault"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == vault.MarkName {
			return err
		}
		rel, _ := filepath.Rel(filepath.Join(b.data(), "vault"), filepath.Dir(path))
		if !slices.ContainsFunc(a.archives, func(x keepwatch.Archive) bool { return x.Ref() == filepath.ToSlash(rel) }) {
			b.t.Errorf("%s: %s belongs to no archive", what, path)
		}
		return nil
	})
	if err != nil {
		b.t.Error(err)
	}
}

// points runs the line once with nobody killing it and gives the points that it
// passes, as "name#n".
func (b bench) points(line string) []string {
	b.t.Helper()
	trace := filepath.Join(b.root, "trace")
	if out, err := b.command(line, "KEEPWATCH_TEST_TRACE="+trace).CombinedOutput(); err != nil {
		b.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		b.t.Fatal(err)
	}
	seen := map[string]int{}
	var points []string
	for name := range strings.Lines(string(data)) { // the names of some steps have blanks
		name = strings.TrimSpace(name)
		seen[name]++
		points = append(points, fmt.Sprintf("%s#%d", name, seen[name]))
	}
	return points
}

// sometimes reports whether a point need not be passed in each run: writers that
// come together share a commit, so one commit may be the last this time, and not
// the next.
func sometimes(point string) bool {
	return strings.HasPrefix(point, "bolt.update.") && !strings.HasSuffix(point, "#1")
}

// TestKilledAtEveryPoint kills the very first start with a backup at every
// named point that it passes, starts it again, and holds the promises.
func TestKilledAtEveryPoint(t *testing.T) {
	points := newBench(t, 20, 2000).points("/backup start ./notes")
	if len(points) < 15 {
		t.Fatalf("only %d points: %v", len(points), points)
	}
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			b := newBench(t, 20, 2000)
			var out bytes.Buffer
			cmd := b.command("/backup start ./notes", "KEEPWATCH_TEST_CRASH="+point)
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); !killed(err) && (err != nil || !sometimes(point)) {
				t.Fatalf("not killed at %s: %v\n%s", point, err, out.Bytes())
			}
			b.checkPromises(b.restart(), point)
			// whatever happened, the next backup works
			if out, err := b.command("/backup start ./notes").CombinedOutput(); err != nil {
				t.Fatalf("the next backup: %v\n%s", err, out)
			}
			b.checkPromises(b.look(), point+", next backup")
		})
	}
}

// TestKilledAtRandom kills a backup at random instants. KEEPWATCH_SOAK makes it
// 60 kills over 300 MB instead of 8 over 24 MB.
func TestKilledAtRandom(t *testing.T) {
	kills, files, size := 8, 24, 1<<20
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		kills, files, size = 60, 300, 1<<20
	}
	b := newBench(t, files, size)
	start := time.Now()
	if out, err := b.command("/backup start ./notes").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(start)
	died, tried := 0, 0
	for ; died < kills && tried < 4*kills; tried++ {
		cmd := b.command("/backup start ./notes")
		start := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(rand.Int64N(int64(whole))), func() { _ = cmd.Process.Kill() })
		if killed(cmd.Wait()) {
			died++
		} else { // the machine has become quicker
			whole = time.Since(start)
		}
		kill.Stop()
		b.checkPromises(b.restart(), fmt.Sprintf("kill %d", tried))
		if t.Failed() {
			t.FailNow()
		}
		b.thin()
	}
	if died < kills {
		t.Errorf("only %d of %d were killed while they worked", died, tried)
	}
	t.Logf("%d of %d killed while they worked; %v each", died, tried, whole)
}

// thin keeps the disk from filling: it removes all but the newest archive.
func (b bench) thin() {
	b.t.Helper()
	s, err := bolt.Open(bolt.Config{Path: filepath.Join(b.data(), "state.db")})
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	rec := store.NewRecords(s, time.Now)
	all, err := rec.Archives("")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, a := range all[min(1, len(all)):] {
		b.thinned[a.Run] = true
		if err := errors.Join(os.RemoveAll(filepath.Join(b.data(), "vault", a.Source, a.Stamp)), rec.DeleteArchive(a.Ref())); err != nil {
			b.t.Fatal(err)
		}
	}
}
