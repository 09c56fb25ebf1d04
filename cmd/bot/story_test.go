package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the program too: testscript, and the tests that kill it,
// run it under the name "bot".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bot": botMain})
}

// botMain is main with a way to die at a named point, and to begin at another
// time. The shipped program has neither.
func botMain() {
	boundMemory(os.Getenv)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, process{
		Args: os.Args[1:], Environ: os.Environ(),
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: clockFrom(os.Getenv("KEEPWATCH_TEST_NOW")),
		Crash: crashFrom(os.Getenv("KEEPWATCH_TEST_CRASH"), os.Getenv("KEEPWATCH_TEST_TRACE")),
		Pace:  20 * time.Millisecond, Microsoft: fastFrom(os.Getenv("KEEPWATCH_TEST_SPEED")),
		Exports: func(host string) bool { return host == "127.0.0.1" },
	})
	stop()
	writePeak(os.Getenv("KEEPWATCH_TEST_PEAK"))
	os.Exit(code)
}

// clockFrom gives a clock that begins at a time, as RFC 3339; "" is the real one.
func clockFrom(begin string) func() time.Time {
	at, err := time.Parse(time.RFC3339, begin)
	if err != nil {
		return time.Now
	}
	ahead := time.Until(at)
	return func() time.Time { return time.Now().Add(ahead) }
}

// crashFrom makes a Crash function out of "point#n": it kills the process, as
// kill -9 does, when point is passed for the n-th time. Every point that is
// passed is added as a line to the file trace, if that is set.
func crashFrom(spec, trace string) func(string) {
	if spec == "" && trace == "" {
		return nil
	}
	point, count, _ := strings.Cut(spec, "#")
	at, err := strconv.Atoi(count)
	if err != nil {
		at = 1
	}
	var mu sync.Mutex
	passed := 0
	return func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if trace != "" {
			f, err := os.OpenFile(trace, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err == nil {
				_, _ = f.WriteString(name + "\n")
				_ = f.Close()
			}
		}
		if name != point {
			return
		}
		if passed++; passed == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
}

// TestStories drives the built program as a person does. Each story is a file
// in testdata/stories.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/stories",
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("TZ", "UTC")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("ME", terminalAccount().Name) // whatever USER says
			env.Values[playKey{}] = &playing{t: t, stages: map[string]stage{}}
			samples, err := filepath.Abs("../../../shared/samples")
			env.Setenv("SAMPLES", samples)
			return err
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root": // needs mounts; CI has them
				return os.Geteuid() == 0 || os.Getenv("CI") != "", nil
			case "ci":
				return os.Getenv("CI") != "", nil
			case "samples": // real files that lie beside the project
				_, err := os.Stat("../../../shared/samples")
				return err == nil || os.Getenv("CI") != "", nil // CI has them; without them it fails
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"flip":      cmdFlip,
			"make":      cmdMake,
			"glob":      cmdGlob,
			"chmtime":   cmdChmtime,
			"smalldisk": cmdSmallDisk,
			"waitfor":   cmdWaitFor,
			"waitready": cmdWaitReady,
			"slack":     cmdStage("slack"),
			"discord":   cmdStage("discord"),
			"host":      cmdHost,
			"tenant":    cmdTenant,
			"pst":       cmdPST,
			"older":     cmdOlder,
		},
	})
}

// cmdFlip flips one bit in the middle of a file: flip PATTERN [OFFSET].
func cmdFlip(ts *testscript.TestScript, _ bool, args []string) {
	name := oneMatch(ts, args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	at := len(data) / 2
	if len(args) > 1 {
		at, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	data[at] ^= 0x10
	ts.Check(os.WriteFile(name, data, 0o600))
}

// cmdMake writes files of random bytes: make DIR COUNT BYTES.
func cmdMake(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	size, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(makeFiles(dir, count, size, 1))
}

// makeFiles writes count files of size random bytes below dir, in folders of a
// hundred; the same seed gives the same files.
func makeFiles(dir string, count, size int, seed uint64) error {
	src := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	buf := make([]byte, size)
	for i := range count {
		sub := filepath.Join(dir, fmt.Sprintf("d%03d", i/100))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return err
		}
		_, _ = src.Read(buf)
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("f%05d.bin", i)), buf, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cmdGlob sets a variable to the one path that matches: glob NAME PATTERN; or,
// negated, demands that nothing does: ! glob NAME PATTERN.
func cmdGlob(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		names, err := filepath.Glob(ts.MkAbs(args[1]))
		ts.Check(err)
		if len(names) > 0 {
			ts.Fatalf("%s: %v", args[1], names)
		}
		return
	}
	ts.Setenv(args[0], oneMatch(ts, args[1]))
}

func oneMatch(ts *testscript.TestScript, pattern string) string {
	names, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(names) != 1 {
		ts.Fatalf("%s matches %v, wanted one", pattern, names)
	}
	return names[0]
}

// cmdChmtime sets a file's time: chmtime FILE RFC3339.
func cmdChmtime(ts *testscript.TestScript, _ bool, args []string) {
	at, err := time.Parse(time.RFC3339, args[1])
	ts.Check(err)
	ts.Check(os.Chtimes(ts.MkAbs(args[0]), at, at))
}

// cmdSmallDisk mounts a tmpfs of a size on a folder until the story ends:
// smalldisk DIR 8m.
func cmdSmallDisk(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(mountTmpfs(dir, args[1]))
	ts.Defer(func() { _ = unmount(dir) })
}

// cmdWaitFor waits until a file is there, and has a text in it: waitfor PATTERN
// [TEXT].
func cmdWaitFor(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	for deadline := time.Now().Add(stageTime); time.Now().Before(deadline); {
		found, err := filepath.Glob(name)
		ts.Check(err)
		for _, f := range found {
			if len(args) == 1 {
				return
			}
			if data, err := os.ReadFile(f); err == nil && strings.Contains(string(data), args[1]) {
				return
			}
		}
		<-time.After(5 * time.Millisecond) // another process makes it
	}
	ts.Fatalf("%s did not appear", strings.Join(args, " with "))
}
