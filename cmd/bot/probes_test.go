package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func probesText(probes []keepwatch.Probe) string {
	var lines []string
	for _, p := range probes {
		lines = append(lines, string(p.Status)+" "+p.Name+": "+p.Text+" → "+p.Next)
	}
	return strings.Join(lines, "\n")
}

// TestProbeArchives: each way in which archives do not count has its line, and
// none hides another.
func TestProbeArchives(t *testing.T) {
	dir := t.TempDir()
	var archives []keepwatch.Archive
	add := func(name string, verified ...keepwatch.Verification) {
		a := keepwatch.Archive{Source: name, Stamp: "2026-11-24T120000Z", Verified: verified}
		if name != "gone" {
			if err := os.MkdirAll(filepath.Join(dir, a.Source, a.Stamp), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		archives = append(archives, a)
	}
	opened := keepwatch.Verification{Level: keepwatch.LevelOpened}
	hurt := keepwatch.Verification{Level: keepwatch.LevelOpened, Problems: []keepwatch.Finding{{Text: "It is damaged."}}}
	add("gone", opened)
	add("hurt", opened, hurt)
	add("new")
	add("shut", keepwatch.Verification{Level: keepwatch.LevelSealed})
	add("whole", opened)
	got := probesText(probeArchives(dir, nil, archives))
	for _, want := range []string{
		"problem archives: 1 of 5 archives is gone from the vault, or not whole there: gone/2026-11-24T120000Z.",
		"problem archives: 1 of 5 archives is damaged: hurt/2026-11-24T120000Z.",
		"warning archives: 1 of 5 archives is not verified, so that it does not count: new/2026-11-24T120000Z. → /backup verify new/2026-11-24T120000Z",
		"ok archives: 1 of 5 archives is in place and proved by hashes alone",
		"ok archives: 1 of 5 archives is verified and in place.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := probesText(probeArchives(dir, nil, nil)); got != "ok archives: There is none yet. → " {
		t.Error(got)
	}
}

// TestProbeLines: on a terminal no word is broken, and nothing that a name holds
// reaches it as a control character.
func TestProbeLines(t *testing.T) {
	p := keepwatch.Probe{Name: "data folder", Status: keepwatch.ProbeGood, Text: "data can be written; 71.9 GiB are free, which is enough for some time.", Next: "Nothing."}
	if got, want := probeLines(p, 0), "ok       data folder          data can be written; 71.9 GiB are free, which is enough for some time. → Nothing.\n"; got != want {
		t.Errorf("%q", got)
	}
	want := "ok       data folder          data can be written; 71.9\n" + strings.Repeat(" ", 30) + "GiB are free, which is\n" + strings.Repeat(" ", 30) + "enough for some time. →\n" + strings.Repeat(" ", 30) + "Nothing.\n"
	if got := probeLines(p, 56); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	p.Text = "There is nothing at /x\x1b[31m\n✓ all is well."
	if got := probeLines(p, 0); strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
}

// TestProbeRuns names all that need somebody, and what goes on or was cut off.
func TestProbeRuns(t *testing.T) {
	run := func(id int64, state keepwatch.RunState) keepwatch.Run {
		return keepwatch.Run{ID: id, Kind: keepwatch.RunBackup, Source: "notes", State: state}
	}
	open := []keepwatch.Run{run(1, keepwatch.RunAttention), run(2, keepwatch.RunRunning), run(3, keepwatch.RunAttention)}
	got := probesText(probeRuns(open, false))
	want := "warning runs: Run 1 (backup of notes) needs attention. → /backup status 1\n" +
		"warning runs: Run 3 (backup of notes) needs attention. → /backup status 3\n" +
		"warning runs: Not over, and nobody works on it: run 2 (backup of notes). → Start Keepwatch: it goes on where it was cut off."
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := probesText(probeRuns(open[1:2], true)); got != "ok runs: Under way: run 2 (backup of notes). → " {
		t.Error(got)
	}
	if got := probesText(probeRuns(nil, false)); got != "ok runs: None waits for anybody. → " {
		t.Error(got)
	}
}

// TestProbeSources: what the newest backup could not read is said, and a source
// that cannot be opened is a problem.
func TestProbeSources(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), nil, 0o600), os.Mkdir(filepath.Join(dir, "cache"), 0o000), os.Mkdir(filepath.Join(dir, "closed"), 0o000)); err != nil {
		t.Fatal(err)
	}
	source := keepwatch.Source{Name: "notes", Kind: keepwatch.KindFiles, Path: dir, Exclude: []string{"cache"}}
	archives := []keepwatch.Archive{{Source: "notes", Stamp: "2026-11-24T120000Z", Started: time.Now(), Counts: map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 3}}}
	look := func(archives []keepwatch.Archive) string {
		return probesText(probeSources(t.Context(), func(string) error { return nil }, nil, []keepwatch.Source{source}, archives))
	}
	if os.Geteuid() != 0 {
		if got := look(nil); got != "warning source notes: 1 thing in it cannot be read: \""+filepath.Join(dir, "closed")+"\". → Give Keepwatch's user the right to, or exclude them." {
			t.Error(got)
		}
		return
	}
	if got := look(archives); got != "warning source notes: "+dir+" can be opened; 3 items in it could not be read by the newest backup. → /backup show notes/2026-11-24T120000Z" {
		t.Error(got)
	}
	if got := look(nil); got != "ok source notes: "+dir+" can be read. → " {
		t.Error(got)
	}
	source.Path, source.AdHoc = filepath.Join(dir, "nothing"), true
	if got := look(nil); !strings.HasPrefix(got, "problem source notes: There is nothing at") || !strings.Contains(got, "/backup forget notes") {
		t.Error(got)
	}
}
