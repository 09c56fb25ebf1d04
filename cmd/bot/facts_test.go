package main

import (
	"testing"
	"time"

	"keepwatch"
)

// TestJustAsked: who was asked a short while ago is not warned too of not having
// answered; who has never answered for days is.
func TestJustAsked(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	never := keepwatch.Fact{Key: "device/alis-iphone", Urge: "never"}
	for name, tc := range map[string]struct {
		fact keepwatch.Fact
		rule keepwatch.Rule
		want bool
	}{
		"not asked yet":        {never, keepwatch.Rule{}, true},
		"asked an hour ago":    {never, keepwatch.Rule{Last: now.Add(-time.Hour)}, true},
		"asked four days ago":  {never, keepwatch.Rule{Last: now.Add(-4 * 24 * time.Hour)}, false},
		"not asked any more":   {never, keepwatch.Rule{Paused: true}, false},
		"answered: it is off":  {keepwatch.Fact{Key: never.Key, Urge: "off"}, keepwatch.Rule{Last: now}, false},
		"answered: it is lost": {keepwatch.Fact{Key: "custody/vault-key", Urge: "lost"}, keepwatch.Rule{Last: now}, false},
	} {
		if got := justAsked(tc.fact, tc.rule, now); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
