package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
)

// asRead is what the files of the configuration were when they were read: the sum of
// each, by what it is called for a person.
type asRead map[string]string

// readNow takes the sums of the configuration and of the team's own checklists. What
// cannot be read has a sum of its own, so that its coming and going is a change.
func (s settings) readNow() asRead {
	read := asRead{filepath.Base(s.ConfigFile): sumOf(s.ConfigFile)}
	if s.Checklists == "" {
		return read
	}
	var all strings.Builder
	for _, ending := range []string{"yaml", "yml"} {
		names, _ := filepath.Glob(filepath.Join(s.Checklists, "*."+ending)) // sorted; the pattern is a good one or matches nothing
		for _, name := range names {
			fmt.Fprintln(&all, name, sumOf(name))
		}
	}
	read["The checklists in "+s.Checklists] = all.String()
	return read
}

func sumOf(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unread"
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// probeDisk is for a running bot, which goes on with what it read when it started: it
// reads the configuration and the checklists again, as the next start would, and says
// what is wrong in them and what has changed. It starts nothing and changes nothing.
func (s settings) probeDisk() []keepwatch.Probe {
	now := s
	var err error
	named := s.env.values["BOT_CONFIG"] != "" || s.read[filepath.Base(s.ConfigFile)] != "unread"
	if now.config, err = readConfig(s.ConfigFile, named, s.env.get("BOT_TIMEZONE"), s.env.lookup); err != nil {
		return diskProblems("configuration", s.ConfigFile, err)
	}
	var probes []keepwatch.Probe
	if now.Checklists != s.Checklists { // its own folder is looked at in any case
		if _, err := now.checklists(); err != nil {
			probes = append(probes, diskProblems("checklists", now.Checklists, err)...)
		}
	}
	read := now.readNow()
	for _, name := range slices.Sorted(maps.Keys(s.read)) {
		if sum, there := read[name]; there && sum != s.read[name] {
			was := "was"
			if strings.HasPrefix(name, "The checklists") {
				was = "were"
			}
			probes = append(probes, caution("configuration", fmt.Sprintf("%s %s changed since the bot was started; it goes on with what it read then.", name, was), "Start it again."))
		}
	}
	return probes
}

// diskProblems are lines about what is wrong in files that a running bot has read
// already, as they were.
func diskProblems(name, file string, err error) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for line := range strings.SplitSeq(sentenceOf(err), "\n") {
		if rest, ours := strings.CutPrefix(line, file+":"); ours {
			line = "line " + rest
		}
		probes = append(probes, bad(name, fmt.Sprintf("%s as it is on disk now: %s; the running bot goes on with what it read when it started.", filepath.Base(file), strings.TrimSuffix(line, ".")), "Mend it, then check again; the bot does not start with it."))
	}
	return probes
}

// besideRunning joins what is seen from here to what the running bot says, each thing
// once.
func besideRunning(s settings, here, its []keepwatch.Probe) []keepwatch.Probe {
	probes := []keepwatch.Probe{good("running", "Keepwatch runs on "+relative(s.DataDir)+", and this is its own check.")}
	for _, p := range here {
		if p.Name != "configuration" && slices.ContainsFunc(its, func(q keepwatch.Probe) bool { return q.Name == p.Name && q.Status == p.Status }) {
			continue // it has looked into the same folder
		}
		if !slices.Contains(its, p) {
			probes = append(probes, p)
		}
	}
	return append(probes, its...)
}
