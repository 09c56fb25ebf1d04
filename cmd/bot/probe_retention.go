package main

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
	"keepwatch/vault"
)

// confirmations are the rules that people have confirmed.
type confirmations interface {
	Confirmed(source string) (rules string, err error)
}

// probeRetention tells of every source whose archives are not pruned as the
// configuration says, because somebody has to say something first. v is nil where
// there is no key to look into the vault with.
func probeRetention(s settings, records confirmations, v *vault.Vault, archives []keepwatch.Archive, now time.Time) []keepwatch.Probe {
	if s.Vault.Keep.IsZero() {
		return nil
	}
	bySource := map[string][]keepwatch.Archive{}
	var names []string
	for _, a := range archives {
		if missing(s.Vault.Dir, v, a) {
			a = a.Gone(now, "It is not in the vault.")
		}
		if !slices.Contains(names, a.Source) {
			names = append(names, a.Source)
		}
		bySource[a.Source] = append(bySource[a.Source], a)
	}
	slices.Sort(names)
	var probes []keepwatch.Probe
	for _, name := range names {
		confirmed, err := records.Confirmed(name)
		if err != nil {
			return append(probes, bad("retention", "What was confirmed cannot be read: "+err.Error()+".", "Look into the log."))
		}
		p, next := s.Vault.Keep.Pruning(bySource[name], confirmed, now, s.Location), "/backup prune "+name
		switch {
		case p.IsPaused():
			probes = append(probes, caution("retention of "+name, fmt.Sprintf("It is paused, and nothing is removed: %s is unlike those before it. %s", p.Paused.Ref(), p.Paused.Findings[0].Text), next))
		case !p.Confirmed && len(p.Remove) > 0:
			probes = append(probes, caution("retention of "+name, fmt.Sprintf("Nobody has confirmed the rules as they are now, so nothing is removed; %s would go.", keepwatch.FormatCount(int64(len(p.Remove)), "archive")), next))
		case !p.Confirmed:
			probes = append(probes, off("retention of "+name, "Nobody has confirmed the rules as they are now; so far they would remove nothing.", next))
		}
	}
	return probes
}
