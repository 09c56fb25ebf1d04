package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/cpanel/cpaneltest"
)

// hosted is the program beside a fake host with one account.
type hosted struct {
	bench
	host    *cpaneltest.Host
	account *cpaneltest.Account
}

func newHosted(t *testing.T, more string) hosted {
	t.Helper()
	h := cpaneltest.New(t, cpaneltest.Config{Now: ticking()})
	a := h.AddAccount("ruthin")
	for i := range 60 {
		a.AddFile(fmt.Sprintf("public_html/%03d.txt", i), []byte(cpaneltest.ManyContent(i)))
	}
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(100)+"-- mark: one\n")
	b := newBench(t, 1, 10)
	yaml := fmt.Sprintf("sources:\n  - {name: ruthin-web, kind: cpanel, url: %q, user: ruthin, token: %q, fingerprint: %q%s}\n", h.URL(), a.Token(), h.Fingerprint(), more)
	if err := os.WriteFile(filepath.Join(b.root, "keepwatch.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return hosted{b, h, a}
}

// kill runs a line until it is killed at a point, and takes up what is left. said is
// what it had said by then.
func (h hosted) kill(line, point string) (left after, said string) {
	h.t.Helper()
	var out bytes.Buffer
	cmd := h.command(line, "KEEPWATCH_TEST_CRASH="+point)
	cmd.Stdout, cmd.Stderr = &out, &out
	switch err := cmd.Run(); {
	case killed(err):
	case err == nil && sometimes(point): // then it has to be right all the same
		h.t.Log("not passed this time")
	default:
		h.t.Fatalf("not killed: %v\n%s", err, out.Bytes())
	}
	return h.restart(), out.String()
}

// TestHostedBackupKilled kills the program at each point that a backup of a hosting
// account passes: the host is asked for one backup, and it comes home whole. With
// KEEPWATCH_SOAK it is every passing of every point; of those before the run is saved
// nobody has heard of it, and neither has the host.
func TestHostedBackupKilled(t *testing.T) {
	const line = "/backup start ruthin-web"
	points := newHosted(t, ", remove: true").points(line)
	for _, want := range []string{"engine.request.begun#1", "engine.request.kept#1", "engine.wait.begun#1", "engine.fetch.begun#1", "engine.release.begun#1"} {
		if !slices.Contains(points, want) {
			t.Errorf("%s is not passed: %v", want, points)
		}
	}
	for _, point := range points {
		if !strings.HasPrefix(point, "engine.") && os.Getenv("KEEPWATCH_SOAK") == "" || strings.HasPrefix(point, "engine.create.before") {
			continue
		}
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := newHosted(t, ", remove: true")
			a, said := h.kill(line, point)
			asked := len(h.host.CallsTo("Backup::fullbackup_to_homedir"))
			if len(a.runs) == 0 && strings.HasPrefix(point, "bolt.") {
				if asked != 0 || strings.Contains(said, "Run 1") {
					t.Errorf("the run is lost: the host was asked %d times, and it had said\n%s", asked, said)
				}
				return
			}
			if len(a.runs) != 1 || a.runs[0].State != keepwatch.RunDone {
				t.Fatalf("%+v", a.runs)
			}
			h.wantArchives(a, 1)
			h.checkVault(a, point)
			if asked != 1 {
				t.Errorf("the host was asked for %d backups", asked)
			}
			if left := h.account.HomeBackups(); len(left) != 0 {
				t.Errorf("%q are left", left)
			}
			if bad := h.host.Violations(); len(bad) > 0 || h.host.Overlaps() > 0 {
				t.Errorf("%q, %d overlaps", bad, h.host.Overlaps())
			}
		})
	}
}

// TestHostedRestoreKilled kills it at each point that a restore to the account passes:
// no database is put back twice unless a person says so, and in the end each is.
func TestHostedRestoreKilled(t *testing.T) {
	const line = "/backup restore ruthin-web --to account\n1"
	start := func(t *testing.T) hosted {
		h := newHosted(t, "")
		if out, err := h.command("/backup start ruthin-web databases home").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		h.account.AddDatabase("ruthin_wp", "-- mark: broken\n")
		return h
	}
	for _, point := range start(t).points(line) {
		if !strings.HasPrefix(point, "engine.") || strings.HasPrefix(point, "engine.create.before") {
			continue
		}
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := start(t)
			a, _ := h.kill(line, point)
			at := slices.IndexFunc(a.runs, func(r keepwatch.Run) bool { return r.Kind == keepwatch.RunRestore })
			if at < 0 {
				t.Fatalf("%+v", a.runs)
			}
			h.host.Settle()
			if run := a.runs[at]; run.State == keepwatch.RunAttention { // nobody can tell: a person says go on
				if out, err := h.command(fmt.Sprintf("/backup retry %d", run.ID)).CombinedOutput(); err != nil {
					t.Fatalf("retry: %v\n%s", err, out)
				}
			} else if run.State != keepwatch.RunDone {
				t.Fatalf("%+v", run)
			} else if n := len(h.account.Restored()); n != 2 {
				t.Errorf("%d restores: %+v", n, h.account.Restored())
			}
			if got := h.account.Database("ruthin_wp"); !strings.Contains(got, "-- mark: one\n") {
				t.Errorf("the database is not back: %d bytes", len(got))
			}
		})
	}
}

// TestHostedCutTwoHundredTimes brings home a backup over a connection that is cut two
// hundred times, with the server's parts of a file and without.
func TestHostedCutTwoHundredTimes(t *testing.T) {
	for name, norange := range map[string]bool{"206": false, "200": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHosted(t, "")
			cuts := 200
			if norange { // each begins at the beginning
				cuts = 20
			}
			h.account.AddFile("large.bin", noiseOf(2<<20))
			for i := range cuts {
				at := int64(3 + i*7919%9000)
				if norange {
					at += int64(i) * 9000
				}
				h.host.Fault(cpaneltest.Fault{On: "/download", Cut: at, NoRange: norange})
			}
			cmd := h.command("/backup start ruthin-web")
			start := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			a := h.look()
			h.wantArchives(a, 1)
			want, _ := h.account.File(h.account.HomeBackups()[0])
			if out, err := h.command("/backup restore ruthin-web --to back --confirm yes").CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, err := os.ReadFile(filepath.Join(h.root, "back", h.account.HomeBackups()[0]))
			if err != nil || !bytes.Equal(got, want) || len(want) < 2<<20 {
				t.Errorf("%v, %d bytes of %d", err, len(got), len(want))
			}
			t.Logf("%d requests in %v", len(h.host.CallsTo("/download")), time.Since(start))
			if n := len(h.host.CallsTo("/download")); n < cuts {
				t.Errorf("only %d requests", n)
			}
		})
	}
}

// noiseOf gives bytes that cannot be made smaller.
func noiseOf(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data) // never fails
	return data
}
