package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"keepwatch"
)

// disk is an ext4 in a file, mounted through a loop device, whose power can be
// cut: what was not synced is gone, as in a real power cut.
type disk struct {
	image, dir string
}

// newDisk makes and mounts one, or skips the test where that is not allowed.
// In CI it must be allowed.
func newDisk(t *testing.T, size int64) *disk {
	t.Helper()
	d := &disk{image: filepath.Join(t.TempDir(), "disk.img"), dir: t.TempDir()}
	err := func() error {
		f, err := os.Create(d.image)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Truncate(size); err != nil {
			return err
		}
		if out, err := exec.Command("mkfs.ext4", "-q", "-F", d.image).CombinedOutput(); err != nil {
			return fmt.Errorf("mkfs.ext4: %w: %s", err, out)
		}
		return d.mount()
	}()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must be able to mount a loop device: %v", err)
		}
		t.Skipf("needs root, a loop device and mkfs.ext4: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(d.dir, unix.MNT_DETACH) })
	return d
}

func (d *disk) mount() error {
	out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	return nil
}

// cut shuts the file system down without flushing its log (FS_IOC_SHUTDOWN with
// EXT4_GOING_FLAGS_NOLOGFLUSH, linux/fs/ext4/ext4.h).
func (d *disk) cut() error {
	const shutdown, noLogFlush = 0x8004587d, 2
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := uint32(noLogFlush)
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); e != 0 {
		return fmt.Errorf("shut the file system down: %w", e)
	}
	return nil
}

// back gives the power back.
func (d *disk) back() error {
	if err := unix.Unmount(d.dir, 0); err != nil {
		return fmt.Errorf("unmount: %w", err)
	}
	return d.mount()
}

// said is what the program told its user before the power went.
type said struct {
	runs     map[string]bool // numbers of runs that it said are done
	archives map[string]bool // archives that it said are verified
}

var (
	runDone  = regexp.MustCompile(`(?i)run (\d+)\b.*\bdone`)
	archived = regexp.MustCompile(`\b(notes/\d{4}-\d\d-\d\dT\d{6}Z(?:-\d+)?)\b`)
)

// listen reads what the program says until it ends.
func (s *said) listen(out *bufio.Scanner, first chan<- struct{}) {
	for out.Scan() {
		line := out.Text()
		if m := runDone.FindStringSubmatch(line); m != nil {
			s.runs[m[1]] = true
		}
		if m := archived.FindStringSubmatch(line); m != nil {
			s.archives[m[1]] = true
		}
		select {
		case first <- struct{}{}:
		default:
		}
	}
}

// TestPowerCuts cuts the power of the disk under the data folder while backups
// run one after the other. After each cut everything that was said is there.
// KEEPWATCH_SOAK makes it 100 cuts instead of 5.
func TestPowerCuts(t *testing.T) {
	cuts := 5
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		cuts = 100
	}
	d := newDisk(t, 512<<20)
	b := newBench(t, 12, 100_000)
	if err := os.Symlink(d.dir, b.data()); err != nil {
		t.Fatal(err)
	}
	told := said{runs: map[string]bool{}, archives: map[string]bool{}}
	inProgress := 0
	for i := range cuts {
		told.powerCut(t, b, d, time.Duration(rand.Int64N(int64(1200*time.Millisecond))))
		if slices.ContainsFunc(b.look().runs, func(r keepwatch.Run) bool { return !r.State.Settled() }) {
			inProgress++
		}
		a := b.restart()
		b.checkPromises(a, fmt.Sprintf("cut %d", i))
		told.check(t, a, fmt.Sprintf("cut %d", i))
		if t.Failed() {
			t.FailNow()
		}
		b.thin()
		told.archives = map[string]bool{}
	}
	if inProgress == 0 {
		t.Errorf("none of %d cuts hit a run in progress", cuts)
	}
	t.Logf("%d cuts, %d of them into a run in progress; %d runs were said to be done, and are", cuts, inProgress, len(told.runs))
}

// powerCut lets the program make one backup after the other and cuts the power
// at a random time after it first spoke.
func (s *said) powerCut(t *testing.T, b bench, d *disk, wait time.Duration) {
	t.Helper()
	cmd := b.program([]string{"--data-dir", b.data()})
	cmd.Stdin = strings.NewReader(strings.Repeat("/backup start ./notes\n", 100))
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first, ended := make(chan struct{}, 1), make(chan struct{})
	go func() { s.listen(bufio.NewScanner(pipe), first); close(ended) }()
	select {
	case <-first:
	case <-ended:
	}
	<-time.After(wait) // a random instant is the point of this test
	if err := d.cut(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	<-ended
	_ = cmd.Wait()
	if err := d.back(); err != nil {
		t.Fatal(err)
	}
}

// check sees that everything that was said is so.
func (s *said) check(t *testing.T, a after, what string) {
	t.Helper()
	states := map[string]keepwatch.RunState{}
	for _, r := range a.runs {
		states[fmt.Sprint(r.ID)] = r.State
	}
	for id := range s.runs {
		if states[id] != keepwatch.RunDone {
			t.Errorf("%s: run %s was said to be done and is %q", what, id, states[id])
		}
	}
	for ref := range s.archives {
		found := false
		for _, x := range a.archives {
			found = found || (x.Ref() == ref && x.IsVerified())
		}
		if !found {
			t.Errorf("%s: archive %s was said to be verified and is gone", what, ref)
		}
	}
}

// When the power is cut at a first start.
type firstCut int

const (
	cutAtRandom  firstCut = iota // at a random instant
	cutAfterWord                 // just after the program first spoke
	cutAfterDone                 // just after it said that a backup is done
)

// TestPowerCutAtFirstStart cuts the power at the very first start: at a random
// instant, just after the program first spoke, and just after it said that the
// first backup is done. The next start works, has the key that the first one had
// by then (a new one, made without a word, would leave the copy that somebody keeps
// worthless), and the archive that was spoken of. KEEPWATCH_SOAK makes it 100 cuts
// instead of 6.
func TestPowerCutAtFirstStart(t *testing.T) {
	cuts := 6
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		cuts = 100
	}
	d := newDisk(t, 128<<20)
	b := newBench(t, 2, 1000)
	for i := range cuts {
		home, what := filepath.Join(d.dir, fmt.Sprint("data", i)), fmt.Sprintf("cut %d", i)
		told := said{runs: map[string]bool{}, archives: map[string]bool{}}
		key := told.cutFirstStart(b, d, home, firstCut(i%3))
		if err := errors.Join(d.back(), os.Symlink(home, b.data())); err != nil {
			t.Fatal(err)
		}
		if i%3 == int(cutAfterDone) {
			a := b.restart()
			b.checkPromises(a, what)
			told.check(t, a, what)
			if len(a.archives) != 1 {
				t.Errorf("%s: %d archives", what, len(a.archives))
			}
		}
		if out, err := b.program([]string{"--data-dir", home, "-c", "/backup start ./notes"}).CombinedOutput(); err != nil {
			t.Fatalf("%s: the next start: %v\n%s", what, err, out)
		}
		b.checkPromises(b.look(), what)
		after, err := os.ReadFile(filepath.Join(home, "age-identity.txt"))
		if err != nil || key != nil && !bytes.Equal(key, after) {
			t.Errorf("%s: the key is another one than before the cut: %v", what, err)
		}
		if err := errors.Join(os.RemoveAll(home), os.Remove(b.data())); err != nil {
			t.Fatal(err)
		}
	}
}

// cutFirstStart starts the program in a new home and cuts the power. Where it had
// spoken by then, it gives the key that there was.
func (s *said) cutFirstStart(b bench, d *disk, home string, when firstCut) (key []byte) {
	b.t.Helper()
	line := "/keepwatch whoami"
	if when == cutAfterDone {
		line = "/backup start ./notes"
	}
	cmd := b.program([]string{"--data-dir", home, "-c", line})
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	switch when {
	case cutAfterDone:
		s.listen(bufio.NewScanner(out), make(chan struct{}))
		if len(s.runs) != 1 || len(s.archives) != 1 {
			b.t.Fatalf("it said %+v", s)
		}
	case cutAfterWord:
		if !bufio.NewScanner(out).Scan() {
			b.t.Fatal("it did not speak")
		}
	default:
		<-time.After(time.Duration(rand.Int64N(int64(120 * time.Millisecond))))
	}
	if when != cutAtRandom {
		if key, err = os.ReadFile(filepath.Join(home, "age-identity.txt")); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := d.cut(); err != nil {
		b.t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return key
}
