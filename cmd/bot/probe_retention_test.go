package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"keepwatch"
)

// confirmedRules are those of each source.
type confirmedRules map[string]string

func (c confirmedRules) Confirmed(source string) (string, error) { return c[source], nil }

// TestProbeRetention: a check tells of every source whose archives are not pruned
// until somebody says something.
func TestProbeRetention(t *testing.T) {
	dir := t.TempDir()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	archive := func(source string, day int, findings ...keepwatch.Finding) keepwatch.Archive {
		at := noon.AddDate(0, 0, day-100)
		a := keepwatch.Archive{Source: source, Stamp: keepwatch.StampOf(at), Started: at, Findings: findings, Verified: []keepwatch.Verification{{At: at}}}
		if err := os.MkdirAll(filepath.Join(dir, source, a.Stamp), 0o700); err != nil {
			t.Fatal(err)
		}
		return a
	}
	empty := keepwatch.Finding{Rule: "empty", Text: "It is empty."}
	archives := []keepwatch.Archive{archive("fine", 1), archive("fine", 2), archive("odd", 1), archive("odd", 2, empty), archive("new", 1), archive("waits", 1), archive("waits", 2)}
	var s settings
	s.Location = time.UTC
	s.Vault.Dir, s.Vault.Keep = dir, keepwatch.Keep{Last: 1}
	rules := s.Vault.Keep.Rules(time.UTC)
	got := probesText(probeRetention(s, confirmedRules{"fine": rules, "odd": rules}, nil, archives, noon))
	want := "off retention of new: Nobody has confirmed the rules as they are now; so far they would remove nothing. → /backup prune new\n" +
		"warning retention of odd: It is paused, and nothing is removed: " + archives[3].Ref() + " is unlike those before it. It is empty. → /backup prune odd\n" +
		"warning retention of waits: Nobody has confirmed the rules as they are now, so nothing is removed; 1 archive would go. → /backup prune waits"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	gone := archives[3]
	gone.Stamp = "2026-11-24T110000Z"
	if got := probesText(probeRetention(s, confirmedRules{"odd": rules}, nil, []keepwatch.Archive{archives[2], gone}, noon)); got != "" {
		t.Errorf("an archive that is gone pauses: %s", got)
	}
	s.Vault.Keep = keepwatch.Keep{}
	if got := probesText(probeRetention(s, confirmedRules{}, nil, archives, noon)); got != "" {
		t.Errorf("without rules: %s", got)
	}
}
