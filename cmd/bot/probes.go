package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/vault"
)

// probeKey looks at the key.
func probeKey(s settings, records *store.Records, v *vault.Vault, vaultErr error, archives []keepwatch.Archive) keepwatch.Probe {
	known, err := remembered(records)
	if err != nil {
		return bad("key", "The state cannot be read.", "Look into the log.")
	}
	_, statErr := os.Stat(s.keyPath())
	switch {
	case len(s.Vault.Recipients) > 0 && statErr != nil:
		return good("key", fmt.Sprintf("Archives are sealed to %s; the bot itself cannot open them, and verifies only what can be verified without.", keepwatch.FormatCount(int64(len(s.Vault.Recipients)), "recipient")))
	case statErr != nil && len(known) > 0:
		return bad("key", fmt.Sprintf("The key file %s is gone: no archive opens without it, and none is made.", s.keyPath()), "Put it back from your copy.")
	case statErr != nil:
		return good("key", "There is none yet; the first start makes it.")
	}
	if vaultErr != nil {
		return bad("key", keepwatch.Sentence(vaultErr), "")
	}
	if now := v.Recipients(); len(s.Vault.Recipients) == 0 {
		if len(known) == 0 && len(archives) > 0 { // a start does the same
			known, _, _ = vault.SealedTo(s.Vault.Dir)
		}
		if gone := lacking(known, now); len(gone) > 0 {
			return bad("key", keepwatch.Sentence(replaced(relative(s.keyPath()), gone, now)), "")
		}
	}
	var closed []string
	for _, a := range archives {
		if !v.Opens(a) {
			closed = append(closed, a.Ref())
		}
	}
	if len(closed) > 0 {
		return caution("key", fmt.Sprintf("%s is there, but %d of %s cannot be opened with it: %s.", relative(s.keyPath()), len(closed), keepwatch.FormatCount(int64(len(archives)), "archive"), few(closed)),
			"Add the older key's line (AGE-SECRET-KEY-…) to that file; it takes several.")
	}
	return good("key", relative(s.keyPath())+" is there. Whoever has it opens every archive, and without it none opens: keep a copy elsewhere.")
}

// probeArchives compares what lies in the vault with what the state knows: one
// line for each way in which archives do not count. v is nil where there is no key
// to look with.
func probeArchives(dir string, v *vault.Vault, archives []keepwatch.Archive) []keepwatch.Probe {
	var gone, damaged, unproved, unopened []string
	for _, a := range archives {
		last, proved := a.LastVerification()
		switch {
		case missing(dir, v, a):
			gone = append(gone, a.Ref())
		case proved && !last.OK():
			damaged = append(damaged, a.Ref())
		case !proved:
			unproved = append(unproved, a.Ref())
		case last.Level == keepwatch.LevelSealed:
			unopened = append(unopened, a.Ref())
		}
	}
	of := fmt.Sprintf("of %s", keepwatch.FormatCount(int64(len(archives)), "archive"))
	var probes []keepwatch.Probe
	if n := len(gone); n > 0 {
		probes = append(probes, bad("archives", fmt.Sprintf("%d %s %s gone from the vault, or not whole there: %s.", n, of, are(n), few(gone)), "Put back what is missing, or make a new backup."))
	}
	if n := len(damaged); n > 0 {
		probes = append(probes, bad("archives", fmt.Sprintf("%d %s %s damaged: %s.", n, of, are(n), few(damaged)), "/backup show "+damaged[0]+" says what is. Make a new backup, and look at that disk."))
	}
	if n := len(unproved); n > 0 {
		probes = append(probes, caution("archives", fmt.Sprintf("%d %s %s not verified, so that %s not count: %s.", n, of, are(n), does(n), few(unproved)), "/backup verify "+unproved[0]))
	}
	if n := len(unopened); n > 0 && v != nil && v.CanOpen() {
		probes = append(probes, caution("archives", fmt.Sprintf("%d %s %s proved by hashes alone: nobody has looked inside since there is a key: %s.", n, of, are(n), few(unopened)), "/backup verify "+unopened[0]))
	} else if n > 0 {
		probes = append(probes, good("archives", fmt.Sprintf("%d %s %s in place and proved by hashes alone, because the bot holds no key for them.", n, of, are(n))))
	}
	if whole := len(archives) - len(gone) - len(damaged) - len(unproved) - len(unopened); whole > 0 || len(archives) == 0 {
		text := "There is none yet."
		if len(archives) > 0 {
			text = fmt.Sprintf("%d %s %s verified and in place.", whole, of, are(whole))
		}
		probes = append(probes, good("archives", text))
	}
	return probes
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func does(n int) string {
	if n == 1 {
		return "it does"
	}
	return "they do"
}

// missing reports whether the folder of an archive, or a file in it, is not there.
func missing(dir string, v *vault.Vault, a keepwatch.Archive) bool {
	if v != nil {
		return v.Missing(a) != ""
	}
	_, err := os.Stat(filepath.Join(dir, a.Source, a.Stamp))
	return err != nil
}

// few names the first of many.
func few(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// probeSources looks whether each source is there, is what it should be by check,
// and can be read; look asks those that lie on a server.
func probeSources(ctx context.Context, check func(path string) error, look map[keepwatch.SourceKind]prober, sources []keepwatch.Source, archives []keepwatch.Archive) []keepwatch.Probe {
	var probes []keepwatch.Probe
	remote := probeServers(ctx, look, sources)
	for i, s := range sources {
		name := "source " + s.Name
		if s.Kind != keepwatch.KindFiles {
			probes = append(probes, remote[i]...)
			continue
		}
		_, err := os.Lstat(s.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && s.AdHoc:
			probes = append(probes, bad(name, "There is nothing at "+s.Path+".", "Connect its disk, or: /backup forget "+s.Name))
		case errors.Is(err, fs.ErrNotExist):
			probes = append(probes, bad(name, "There is nothing at "+s.Path+".", "Correct its path, or connect its disk."))
		default:
			probe := probeReading(ctx, name, s, archives)
			if err := check(s.Path); err != nil && probe.Status != keepwatch.ProbeBad {
				probe = bad(name, keepwatch.Sentence(err), "")
				if s.AdHoc {
					probe.Next = "/backup forget " + s.Name
				}
			}
			probes = append(probes, probe)
		}
	}
	return probes
}

// How far a check looks into a source: it is to answer soon. What it did not come
// to is for the backup to find.
const (
	checkEntries = 5000
	checkTime    = 2 * time.Second
)

// probeReading opens what there is in a source, as far as a check has time to.
func probeReading(ctx context.Context, name string, s keepwatch.Source, archives []keepwatch.Archive) keepwatch.Probe {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var closed []string
	seen := 0
	err := filepath.WalkDir(s.Path, func(path string, d fs.DirEntry, err error) error {
		if seen++; seen > checkEntries || ctx.Err() != nil {
			return fs.SkipAll
		}
		if rel, relErr := filepath.Rel(s.Path, path); relErr == nil && rel != "." && s.Excludes(filepath.ToSlash(rel)) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err == nil && (d.Type().IsRegular() || path == s.Path) { // WalkDir opens the folders by itself
			var f *os.File
			if f, err = os.Open(path); err == nil {
				err = f.Close()
			}
		}
		if errors.Is(err, fs.ErrPermission) {
			closed = append(closed, strconv.Quote(path))
			return nil
		}
		if path == s.Path {
			return err
		}
		return nil // what else is wrong with it, the backup says
	})
	switch {
	case err != nil || slices.Contains(closed, strconv.Quote(s.Path)):
		return bad(name, "It cannot be read: "+s.Path+".", "Give Keepwatch's user the right to.")
	case len(closed) > 0:
		return caution(name, fmt.Sprintf("%s in it cannot be read: %s.", keepwatch.FormatCount(int64(len(closed)), "thing"), few(closed)), "Give Keepwatch's user the right to, or exclude them.")
	}
	for _, a := range archives { // newest first
		if n := a.Counts[keepwatch.NoteUnreadable]; a.Source == s.Name && len(a.Parts) == 0 {
			if n > 0 {
				return caution(name, fmt.Sprintf("%s can be opened; %s in it could not be read by the newest backup.", s.Path, keepwatch.FormatCount(n, "item")), "/backup show "+a.Ref())
			}
			break
		}
	}
	return good(name, s.Path+" can be read.")
}

// probeRuns looks for runs that wait for somebody, and for those that are not over.
func probeRuns(open []keepwatch.Run, running bool) []keepwatch.Probe {
	var probes []keepwatch.Probe
	var going []string
	for _, r := range open {
		if r.State == keepwatch.RunAttention || r.State == keepwatch.RunWaiting {
			probes = append(probes, caution("runs", fmt.Sprintf("Run %d (%s of %s) needs attention.", r.ID, r.Kind, r.Source), fmt.Sprintf("/backup status %d", r.ID)))
			continue
		}
		going = append(going, fmt.Sprintf("run %d (%s of %s)", r.ID, r.Kind, r.Source))
	}
	switch {
	case len(going) > 0 && running:
		probes = append(probes, good("runs", "Under way: "+few(going)+"."))
	case len(going) > 0:
		probes = append(probes, caution("runs", "Not over, and nobody works on it: "+few(going)+".", "Start Keepwatch: it goes on where it was cut off."))
	case len(probes) == 0:
		probes = append(probes, good("runs", "None waits for anybody."))
	}
	return probes
}
