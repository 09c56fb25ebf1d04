package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func TestConfigOfTimes(t *testing.T) {
	c, err := readText(t, `timezone: Europe/London
people:
  - {name: Alis, role: admin, slack: U0123, timezone: Pacific/Auckland, quiet: 19:00-08:00, working_days: [mon, Tuesday], holidays: [2026-12-25]}
channels: {default: slack:C0OPS}
hours:
  - {channels: [default, discord:778], quiet: 22:30-06:00}
custody:
  - {name: registrar, what: "the password of the registrar", owner: Alis, recheck: 180d}
credentials:
  - {name: "Graph client secret", expires: 2027-03-01, owner: Alis, how: "Entra, App registrations"}
checklists: lists
`)
	if err != nil {
		t.Fatal(err)
	}
	alis := keepwatch.Hours{Zone: "Pacific/Auckland", QuietFrom: 19 * time.Hour, QuietTo: 8 * time.Hour, Days: []time.Weekday{time.Monday, time.Tuesday}, Holidays: []string{"2026-12-25"}}
	if d := cmp.Diff(alis, c.People[0].Hours); d != "" {
		t.Error(d)
	}
	night := keepwatch.Hours{QuietFrom: 22*time.Hour + 30*time.Minute, QuietTo: 6 * time.Hour}
	if d := cmp.Diff(map[string]keepwatch.Hours{"slack:C0OPS": night, "discord:778": night}, c.Hours); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]keepwatch.Custody{{Name: "registrar", What: "the password of the registrar", Owner: "Alis", Recheck: 180 * 24 * time.Hour}}, c.Custody); d != "" {
		t.Error(d)
	}
	if got := c.Credentials[0]; !got.Expires.Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, c.Location)) || got.Owner != "Alis" {
		t.Errorf("%+v", got)
	}
	if !strings.HasSuffix(c.Checklists, "/lists") {
		t.Errorf("the checklists are in %q", c.Checklists)
	}
}

func TestConfigOfTimesRefuses(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"hours: [{quiet: 22:00-06:00}]", "has no channels"},
		{"hours: [{channels: [ops], quiet: 22:00-06:00}]", `expected a name from channels`},
		{"hours: [{channels: [slack:C1], quiet: 22-6}]", "two times of day such as 19:00-08:00"},
		{"hours: [{channels: [slack:C1, slack:C1]}]", "has hours twice"},
		{"hours: [{channels: [slack:C1], timezone: Europe/Lundon}]", "a time zone such as Europe/London"},
		{"hours: [{channels: [slack:C1], working_days: [mo]}]", "a day such as mon or Monday"},
		{"hours: [{channels: [slack:C1], holidays: [Christmas]}]", "a date such as 2027-03-01"},
		{"custody: [{name: Registrar, what: x}]", "expected at most"},
		{"custody: [{name: a, what: x}, {name: a, what: y}]", "second one named"},
		{"custody: [{name: a, what: x, owner: Bob}]", "nobody under people"},
		{"credentials: [{name: a, expires: soon}]", "a date such as 2027-03-01"},
		{"credentials: [{name: a}]", "has no expires"},
	} {
		if _, err := readText(t, tc.text); err == nil || !strings.Contains(keepwatch.Sentence(err), tc.want) {
			t.Errorf("%s\n gives %v\n wanted %q", tc.text, err, tc.want)
		}
	}
}
