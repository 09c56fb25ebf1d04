package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/vault"
)

// checkAll is `bot check`: what can be looked at before, and then inside, the
// state. It changes nothing but a file that it writes and removes again.
func checkAll(ctx context.Context, p process, o options) []keepwatch.Probe {
	s, err := loadSettings(p, o)
	if its, ok := askRunning(ctx, s); ok { // it knows more than can be seen from here, but not what is on disk by now
		var here []keepwatch.Probe
		if err != nil {
			here = diskProblems("configuration", s.ConfigFile, err)
		} else if _, err := s.checklists(); err != nil {
			here = diskProblems("checklists", s.Checklists, err)
		}
		return besideRunning(s, here, its)
	}
	if err != nil {
		var probes []keepwatch.Probe
		for line := range strings.SplitSeq(keepwatch.Sentence(err), "\n") {
			probes = append(probes, bad("configuration", line, "Mend it, then check again."))
		}
		return probes
	}
	tenant, more := s.probeMicrosoft(ctx, nil, p.Now)
	platforms, look := append(probePlatforms(ctx, s, p.Now), more...), probers(hosting(p, slog.New(slog.DiscardHandler)), tenant)
	if _, err := os.Stat(s.statePath()); errors.Is(err, fs.ErrNotExist) {
		return slices.Concat(probeSettings(s), platforms, []keepwatch.Probe{good("state", "There is none yet; the first start makes it.")}, probeSources(ctx, s.files(nil).Check, look, s.Sources, nil))
	}
	state, err := bolt.Open(bolt.Config{Path: s.statePath()})
	if keepwatch.KindOf(err) == keepwatch.KindConflict {
		return append(append(probeSettings(s), platforms...), bad("state", keepwatch.Sentence(err), "That one does not answer here, so nothing more can be looked at."))
	}
	if err != nil {
		return append(append(probeSettings(s), platforms...), bad("state", keepwatch.Sentence(err), ""))
	}
	defer state.Close()
	records := store.NewRecords(state, p.Now)
	probes := append(append(probeSettings(s), platforms...), good("state", relative(s.statePath())+" opens and is consistent."))
	return append(probes, probeInside(ctx, s, look, records, p.Now(), false)...)
}

// askRunning gives what the bot that runs on the data folder says of itself, and false
// where none answers.
func askRunning(ctx context.Context, s settings) ([]keepwatch.Probe, bool) {
	if !filepath.IsAbs(s.DataDir) {
		return nil, false // not even that could be read
	}
	r, ok := reach(ctx, s, slog.New(slog.DiscardHandler))
	if !ok {
		return nil, false
	}
	probes, err := r.probes(ctx)
	return probes, err == nil
}

func good(name, text string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeGood, Text: text}
}

func bad(name, text, next string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeBad, Text: text, Next: next}
}

func caution(name, text, next string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeWarn, Text: text, Next: next}
}

func off(name, text, next string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeOff, Text: text, Next: next}
}

// check is `/keepwatch check`, inside the running bot.
func (a *app) check(ctx context.Context) []keepwatch.Probe {
	tenant, more := a.settings.probeMicrosoft(ctx, a.records, a.now)
	return slices.Concat(a.settings.probeDisk(), probeSettings(a.settings), a.probeConnections(ctx), more, probeInside(ctx, a.settings, probers(a.hosts, tenant), a.records, a.now(), true))
}

// probeInside looks at what the state knows; running says whether a bot works on
// it, so that its runs go on.
func probeInside(ctx context.Context, s settings, look map[keepwatch.SourceKind]prober, records *store.Records, now time.Time, running bool) []keepwatch.Probe {
	v, err := vault.Open(vault.Config{Dir: s.Vault.Dir, Recipients: s.Vault.Recipients, IdentityFile: s.keyPath(), Look: true})
	archives, readErr := records.Archives("")
	adHoc, adHocErr := records.AdHocSources()
	open, openErr := records.OpenRuns()
	if err := errors.Join(readErr, adHocErr, openErr); err != nil {
		return []keepwatch.Probe{bad("state", "It cannot be read: "+err.Error()+".", "Look into the log, and at its disk.")}
	}
	var place []keepwatch.Probe
	if away := unplaced(s.Vault.Dir, archives); away != nil {
		place = append(place, bad("vault folder", keepwatch.Sentence(away), ""))
	}
	return slices.Concat(place, []keepwatch.Probe{probeKey(s, records, v, err, archives)}, probeArchives(s.Vault.Dir, v, archives),
		probeSources(ctx, s.files(nil).Check, look, slices.Concat(s.Sources, adHoc), archives), probeRetention(s, records, v, archives, now), probeRuns(open, running), probeMessages(records, now))
}

// probeSettings looks at configuration, environment and disk.
func probeSettings(s settings) []keepwatch.Probe {
	var probes []keepwatch.Probe
	switch info, err := os.Stat(s.ConfigFile); {
	case err == nil:
		probes = append(probes, good("configuration", fmt.Sprintf("%s: %s, %s.", s.ConfigFile, keepwatch.FormatCount(int64(len(s.Sources)), "source"), keepwatch.FormatCount(int64(len(s.People)), "person", "people"))))
		probes = append(probes, plainSecrets(s.ConfigFile, s.Plain, info.Mode().Perm()&0o044 != 0)...)
	default:
		probes = append(probes, off("configuration", "There is no "+s.ConfigFile+".", "In the terminal a path will do as a source; for more, write one."))
	}
	for _, w := range s.warnings() {
		probes = append(probes, caution("environment", w, ""))
	}
	if p, ok := lesserTerminal(s.People, terminalAccount()); ok {
		probes = append(probes, caution("people", fmt.Sprintf("%s has the role %s, and is admin in the terminal all the same: that user of this machine can read and write everything that Keepwatch can.", p.Name, p.Role), "Run Keepwatch as a user of its own."))
	}
	probes = append(probes, good("time zone", zoneName(s.config)+"."), probeWritable("data folder", s.DataDir), probeWritable("vault folder", s.Vault.Dir))
	for _, place := range s.Vault.Copies {
		probes = append(probes, probeCopies(place))
	}
	probes = append(probes, s.probeDuties()...)
	return probes
}

// probeWritable writes, syncs and renames a small file in a folder.
func probeWritable(name, dir string) keepwatch.Probe {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return good(name, relative(dir)+" is not there yet; it is made when it is needed.")
	}
	f, err := os.CreateTemp(dir, ".check-*")
	if err != nil {
		return bad(name, fmt.Sprintf("Nothing can be written to %s (%v).", dir, errors.Unwrap(err)), "Give Keepwatch's user the right to, or free the disk.")
	}
	_, err = f.WriteString("keepwatch")
	err = errors.Join(err, f.Sync(), f.Close())
	to := f.Name() + ".renamed"
	err = errors.Join(err, os.Rename(f.Name(), to), os.Remove(to))
	if err != nil {
		_ = os.Remove(f.Name())
		return bad(name, fmt.Sprintf("A file could not be written and renamed in %s (%v).", dir, err), "Look at that disk.")
	}
	free, err := vault.FreeBytes(dir)
	if err != nil {
		return good(name, relative(dir)+" can be written.")
	}
	if free < 100<<20 {
		return caution(name, fmt.Sprintf("%s can be written, and has only %s left.", relative(dir), keepwatch.FormatBytes(free)), "Free some room.")
	}
	return good(name, fmt.Sprintf("%s can be written; %s are free.", relative(dir), keepwatch.FormatBytes(free)))
}

// zoneName names a time zone for a person.
func zoneName(c config) string {
	if !c.Zoned {
		return "The system's (" + c.Location.String() + "), as neither keepwatch.yaml nor BOT_TIMEZONE names one"
	}
	return c.Location.String()
}

// probeCopies looks at a place for copies. It is never made by us: where it is not
// there, its disk is probably not mounted.
func probeCopies(place string) keepwatch.Probe {
	if info, err := os.Stat(place); err != nil || !info.IsDir() {
		return bad("copies", place+" is not there.", "Mount its disk, or make the folder.")
	}
	return probeWritable("copies", place)
}
