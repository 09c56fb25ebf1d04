package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/vault"
)

// checkAll is `bot check`: what can be looked at before, and then inside, the
// state. It changes nothing but a file that it writes and removes again.
func checkAll(ctx context.Context, p process, o options) []keepwatch.Probe {
	s, err := loadSettings(p, o)
	if err != nil {
		var probes []keepwatch.Probe
		for line := range strings.SplitSeq(keepwatch.Sentence(err), "\n") {
			probes = append(probes, bad("configuration", line, "Mend it, then check again."))
		}
		return probes
	}
	if _, err := os.Stat(s.statePath()); errors.Is(err, fs.ErrNotExist) {
		return slices.Concat(probeSettings(s), []keepwatch.Probe{good("state", "There is none yet; the first start makes it.")}, probeSources(s.Sources))
	}
	state, err := bolt.Open(bolt.Config{Path: s.statePath()})
	if keepwatch.KindOf(err) == keepwatch.KindConflict {
		return append(probeSettings(s), good("state", "It is in use by the running bot. Ask that one: /keepwatch check"))
	}
	if err != nil {
		return append(probeSettings(s), bad("state", keepwatch.Sentence(err), ""))
	}
	defer state.Close()
	records := store.NewRecords(state, p.Now)
	probes := append(probeSettings(s), good("state", relative(s.statePath())+" opens and is consistent."))
	return append(probes, probeInside(ctx, s, records)...)
}

func good(name, text string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeGood, Text: text}
}

func bad(name, text, next string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeBad, Text: text, Next: next}
}

func warn(name, text, next string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeWarn, Text: text, Next: next}
}

func off(name, text, next string) keepwatch.Probe {
	return keepwatch.Probe{Name: name, Status: keepwatch.ProbeOff, Text: text, Next: next}
}

// check is `/keepwatch check`, inside the running bot.
func (a *app) check(ctx context.Context) []keepwatch.Probe {
	return append(probeSettings(a.settings), probeInside(ctx, a.settings, a.records)...)
}

// probeInside looks at what the state knows.
func probeInside(_ context.Context, s settings, records *store.Records) []keepwatch.Probe {
	var probes []keepwatch.Probe
	probes = append(probes, probeKey(s, records), probeVault(s, records))
	adHoc, err := records.AdHocSources()
	if err != nil {
		probes = append(probes, bad("state", "The sources cannot be read from it.", "Look into the log."))
	}
	probes = append(probes, probeSources(slices.Concat(s.Sources, adHoc))...)
	return append(probes, probeRuns(records))
}

// probeSettings looks at configuration, environment and disk.
func probeSettings(s settings) []keepwatch.Probe {
	var probes []keepwatch.Probe
	switch _, err := os.Stat(s.ConfigFile); {
	case err == nil:
		probes = append(probes, good("configuration", fmt.Sprintf("%s: %s, %s.", s.ConfigFile, keepwatch.FormatCount(int64(len(s.Sources)), "source"), keepwatch.FormatCount(int64(len(s.People)), "person", "people"))))
	default:
		probes = append(probes, off("configuration", "There is no "+s.ConfigFile+".", "In the terminal a path will do as a source; for more, write one."))
	}
	for _, w := range s.env.warnings {
		probes = append(probes, warn("environment", w, ""))
	}
	probes = append(probes, probePlatforms(s)...)
	probes = append(probes, good("time zone", s.Location.String()+"."), probeWritable("data folder", s.DataDir), probeWritable("vault folder", s.Vault.Dir))
	if len(s.Vault.Copies) > 0 {
		probes = append(probes, bad("copies", "Copies to "+strings.Join(s.Vault.Copies, ", ")+" are configured, and this version makes none.", "Copy the vault folder by other means, such as rclone, and take the entry out."))
	}
	for _, src := range s.Sources {
		if src.Schedule != "" {
			probes = append(probes, warn("schedule of "+src.Name, "It is read, and this version does not act on it.", fmt.Sprintf("Until then use the system's cron: bot -c '/backup start %s'", src.Name)))
		}
	}
	return probes
}

// probePlatforms says what is configured that this version does not use.
func probePlatforms(s settings) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for _, p := range []struct{ name, prefix string }{{"Slack", "SLACK_"}, {"Discord", "DISCORD_"}, {"Microsoft 365", "MICROSOFT_"}} {
		for _, v := range variables() {
			if strings.HasPrefix(v.Name, p.prefix) && s.env.values[v.Name] != "" {
				probes = append(probes, warn(p.name, v.Name+" is set, and this version does not connect to "+p.name+" yet.", "The terminal chat works meanwhile."))
				break
			}
		}
	}
	if len(probes) == 0 {
		probes = append(probes, off("platforms", "None is configured: the bot talks in the terminal.", ""))
	}
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
		return warn(name, fmt.Sprintf("%s can be written, and has only %s left.", relative(dir), keepwatch.FormatBytes(free)), "Free some room.")
	}
	return good(name, fmt.Sprintf("%s can be written; %s are free.", relative(dir), keepwatch.FormatBytes(free)))
}

// probeKey looks at the key.
func probeKey(s settings, records *store.Records) keepwatch.Probe {
	known, err := records.Value(recipientFact)
	if err != nil {
		return bad("key", "The state cannot be read.", "Look into the log.")
	}
	_, statErr := os.Stat(s.keyPath())
	switch {
	case len(s.Vault.Recipients) > 0 && statErr != nil:
		return good("key", fmt.Sprintf("Archives are sealed to %s; the bot itself cannot open them, and verifies only what can be verified without.", keepwatch.FormatCount(int64(len(s.Vault.Recipients)), "recipient")))
	case statErr != nil && known != "":
		return bad("key", fmt.Sprintf("The key file %s is gone: no archive opens without it, and none is made.", s.keyPath()), "Put it back from your copy.")
	case statErr != nil:
		return good("key", "There is none yet; the first start makes it.")
	}
	v, err := vault.Open(vault.Config{Dir: s.Vault.Dir, Recipients: s.Vault.Recipients, IdentityFile: s.keyPath(), Look: true})
	if err != nil {
		return bad("key", keepwatch.Sentence(err), "")
	}
	archives, err := records.Archives("")
	if err != nil {
		return bad("key", "The state cannot be read.", "Look into the log.")
	}
	var closed []string
	for _, a := range archives {
		if !v.Opens(a) {
			closed = append(closed, a.Ref())
		}
	}
	if len(closed) > 0 {
		return warn("key", fmt.Sprintf("%s is there, but %d of %s cannot be opened with it: %s.", relative(s.keyPath()), len(closed), keepwatch.FormatCount(int64(len(archives)), "archive"), few(closed)),
			"Add the older key's line (AGE-SECRET-KEY-…) to that file; it takes several.")
	}
	return good("key", relative(s.keyPath())+" is there. Whoever has it opens every archive, and without it none opens: keep a copy elsewhere.")
}

// probeVault compares what lies in the vault with what the state knows.
func probeVault(s settings, records *store.Records) keepwatch.Probe {
	archives, err := records.Archives("")
	if err != nil {
		return bad("archives", "The state cannot be read.", "Look into the log.")
	}
	var gone, unproved []string
	for _, a := range archives {
		if _, err := os.Stat(filepath.Join(s.Vault.Dir, a.Source, a.Stamp)); err != nil {
			gone = append(gone, a.Ref())
		} else if !a.IsVerified() {
			unproved = append(unproved, a.Ref())
		}
	}
	switch {
	case len(gone) > 0:
		return bad("archives", fmt.Sprintf("%s of %d gone from the vault: %s.", keepwatch.FormatCount(int64(len(gone)), "archive is", "archives are"), len(archives), few(gone)), "Put them back, or make a new backup.")
	case len(unproved) > 0:
		return warn("archives", fmt.Sprintf("%s of %d not verified: %s.", keepwatch.FormatCount(int64(len(unproved)), "archive is", "archives are"), len(archives), few(unproved)), "/backup verify "+unproved[0])
	}
	return good("archives", fmt.Sprintf("%s, all verified and in their place.", keepwatch.FormatCount(int64(len(archives)), "archive")))
}

// few names the first of many.
func few(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// probeSources looks whether each source is there.
func probeSources(sources []keepwatch.Source) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for _, s := range sources {
		name := "source " + s.Name
		if s.Kind != keepwatch.KindFiles {
			probes = append(probes, warn(name, fmt.Sprintf("Sources of kind %s are not in this version yet.", s.Kind), "Back it up by hand until then."))
			continue
		}
		f, err := os.Open(s.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			probes = append(probes, bad(name, "There is nothing at "+s.Path+".", "Correct its path, or connect its disk."))
		case err != nil:
			probes = append(probes, bad(name, "It cannot be read: "+s.Path+".", "Give Keepwatch's user the right to."))
		default:
			_ = f.Close()
			probes = append(probes, good(name, s.Path+" can be read."))
		}
	}
	return probes
}

// probeRuns looks for runs that wait for somebody.
func probeRuns(records *store.Records) keepwatch.Probe {
	open, err := records.OpenRuns()
	if err != nil {
		return bad("runs", "The state cannot be read.", "Look into the log.")
	}
	for _, r := range open {
		if r.State == keepwatch.RunAttention {
			return warn("runs", fmt.Sprintf("Run %d (%s of %s) needs attention.", r.ID, r.Kind, r.Source), fmt.Sprintf("/backup status %d", r.ID))
		}
	}
	return good("runs", "None waits for anybody.")
}
