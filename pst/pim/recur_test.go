package pim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// dateutil expands rules in another implementation, python3-dateutil: the dates of
// each, up to a number.
const dateutil = `
import json, sys
from datetime import datetime
from dateutil.rrule import rrulestr
out = []
for start, rule, n in json.load(sys.stdin):
    r = rrulestr(rule, dtstart=datetime.strptime(start, "%Y%m%dT%H%M%S"))
    got = []
    for d in r:
        if len(got) == n or d.year > 2400: break
        got.append(d.strftime("%Y%m%dT%H%M%S"))
    out.append(got)
json.dump(out, sys.stdout)
`

// aRule is a rule with its start, which it gives itself as its first date.
type aRule struct {
	start time.Time
	rule  Rule
}

// someRules makes rules of all kinds, the same ones each time.
func someRules(n int) []aRule {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(from []int, most int) []int {
		var list []int
		for range 1 + rnd.IntN(most) {
			if v := from[rnd.IntN(len(from))]; !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		return list
	}
	span := func(from, to int) (all []int) {
		for i := from; i <= to; i++ {
			if i != 0 {
				all = append(all, i)
			}
		}
		return all
	}
	var rules []aRule
	for len(rules) < n {
		r := Rule{Frequency: []Frequency{Daily, Weekly, Monthly, Yearly, Monthly, Yearly, Hourly}[rnd.IntN(7)], Interval: []int{1, 1, 1, 2, 3, 5}[rnd.IntN(6)], WeekStart: []time.Weekday{1, 1, 0, 6}[rnd.IntN(4)]}
		if r.Frequency == Hourly {
			r.Interval = 1 // others may never meet BYHOUR
		}
		if rnd.IntN(3) == 0 {
			r.ByMonth = pick(span(1, 12), 3)
		}
		if r.Frequency != Weekly && rnd.IntN(3) == 0 {
			r.ByMonthDay = pick(append(span(1, 31), -1, -2, -5), 3)
		}
		if rnd.IntN(2) == 0 { // dateutil 2.9 takes numbered days and others of one rule only where both are true
			numbered := rnd.IntN(2) == 0
			for _, d := range pick(span(1, 7), 3) {
				w := WeekdayNum{Day: time.Weekday(d % 7)}
				if numbered && (r.Frequency == Monthly || r.Frequency == Yearly && len(r.ByMonth) > 0) {
					w.N = []int{1, 1, 1, 2, 4, 5, -1, -2}[rnd.IntN(8)]
				}
				r.ByDay = append(r.ByDay, w)
			}
		}
		if r.Frequency == Yearly && rnd.IntN(6) == 0 {
			r.ByYearDay = pick(append(span(1, 366), -1, -100), 3)
		}
		if r.Frequency == Yearly && rnd.IntN(6) == 0 && len(r.ByDay) > 0 && !slices.ContainsFunc(r.ByDay, func(d WeekdayNum) bool { return d.N != 0 }) {
			r.ByWeekNo = pick(span(2, 51), 2) // dateutil cuts weeks at the end of the year, and without BYDAY takes all days of one
		}
		if rnd.IntN(8) == 0 {
			r.ByHour = pick(span(1, 23), 2)
		}
		if rnd.IntN(4) == 0 && len(r.ByDay)+len(r.ByMonthDay) > 0 && r.Frequency != Hourly && r.Frequency != Weekly { // dateutil counts the first week from its start
			r.BySetPos = pick([]int{1, 2, 3, -1, -2}, 2)
		}
		switch rnd.IntN(3) {
		case 0:
			r.Count = 1 + rnd.IntN(40)
		case 1:
			r.Until = time.Date(2020+rnd.IntN(20), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(28), 9, 0, 0, 0, time.UTC)
		}
		start := time.Date(2015+rnd.IntN(5), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(31), rnd.IntN(24), rnd.IntN(60), 0, 0, time.UTC)
		// The start is moved to the first date that the rule gives.
		free := r
		free.Count, free.Until = 0, time.Time{}
		found := 0
		for t := range free.dates(start) {
			if found++; found == 2 {
				rules = append(rules, aRule{t, r})
				break
			}
		}
	}
	return rules
}

func TestRulesAgainstDateutil(t *testing.T) {
	python := "/usr/bin/python3"
	if exec.Command(python, "-c", "import dateutil").Run() != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3-dateutil is not installed")
		}
		t.Skip("python3-dateutil is not installed")
	}
	const most = 60
	rules := someRules(160)
	for _, s := range []string{"FREQ=YEARLY", "FREQ=MONTHLY", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,TU", "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"} {
		r, err := parseRule(s)
		if err != nil {
			t.Fatal(err)
		}
		free := 0
		for d := range r.dates(time.Date(2016, 2, 29, 10, 0, 0, 0, time.UTC)) {
			if free++; free == 2 {
				rules = append(rules, aRule{d, r})
				break
			}
		}
	}
	var asked [][]any
	for _, r := range rules {
		asked = append(asked, []any{r.start.Format("20060102T150405"), r.rule.format("20060102T150405"), most})
	}
	in, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", dateutil)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	var want [][]string
	if err != nil || json.Unmarshal(out, &want) != nil {
		t.Fatal(err)
	}
	exact, covered := 0, 0
	for i, r := range rules {
		var got []string
		for d := range r.rule.dates(r.start) {
			if len(got) == most || d.Year() > 2400 {
				break
			}
			got = append(got, d.Format("20060102T150405"))
		}
		if r.rule.ended(r.start) {
			continue // it ends before it starts
		}
		if !slices.Equal(got, want[i]) {
			t.Errorf("%s from %s: %v, want %v", r.rule, r.start, got, want[i])
			continue
		}
		if compareItem(t, r, want[i], most) {
			exact++
		} else {
			covered++
		}
	}
	if exact < 30 || covered < 80 {
		t.Errorf("%d patterns, %d covers", exact, covered)
	}
	t.Logf("%d rules as a pattern, %d day by day", exact, covered)
}

func (r Rule) ended(start time.Time) bool { return !r.Until.IsZero() && start.After(r.Until) }

// compareItem writes a series into an item, and holds the dates that are read from
// it against those of another implementation.
func compareItem(t *testing.T, r aRule, dates []string, most int) bool {
	t.Helper()
	e := &Event{Subject: "x", Start: r.start, End: r.start.Add(time.Hour), Rules: []Rule{r.rule}}
	a, _, lost := e.patternFor()
	back, err := EventOf(hold(t, e.Write))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, d := range dates {
		if day := d[:8]; !slices.Contains(want, day) {
			want = append(want, day)
		}
	}
	all, _ := back.localDates(most, time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, d := range all {
		if day := d.Format("20060102"); len(got) < len(want) {
			got = append(got, day)
		}
	}
	if lost != "" { // it may be cut, and says where
		if n := len(got); n == 0 || n < len(want) && !strings.Contains(lost, ", up to ") || !slices.Equal(got, want[:n]) {
			t.Errorf("%s from %s: %v, want %v (%s)", r.rule, r.start, got, want, lost)
		}
		return false
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s from %s: %v, want %v", r.rule, r.start, got, want)
	}
	if len(dates) < most { // it ends within what was compared
		if a.EndType == endNever || a.Count != uint32(len(want)) || fromMinutes(a.End).Format("20060102") != want[len(want)-1] {
			t.Errorf("%s from %s: ends as %X after %d on %v, want %d on %s", r.rule, r.start, a.EndType, a.Count, fromMinutes(a.End), len(want), want[len(want)-1])
		}
	} else if r.rule.Count == 0 && r.rule.Until.IsZero() && (a.EndType != endNever || a.Count != 10 || a.End != neverEnds) {
		t.Errorf("%s: ends as %X", r.rule, a.EndType)
	}
	return true
}

func TestParseRule(t *testing.T) {
	for value, want := range map[string]string{
		"freq=weekly;byday=mo,tu;":                    "FREQ=WEEKLY;BYDAY=MO,TU",
		"INTERVAL=1;FREQ=DAILY;UNTIL=20260101":        "FREQ=DAILY;UNTIL=20260101",
		"FREQ=MONTHLY;BYDAY=-1SU,+2MO;WKST=SU":        "FREQ=MONTHLY;WKST=SU;BYDAY=-1SU,2MO",
		"":                                            "error",
		"FREQ=DAILY;FREQ=DAILY":                       "error",
		"FREQ=DAILY;INTERVAL=0":                       "error",
		"FREQ=DAILY;COUNT=99999999999999999999":       "error",
		"FREQ=DAILY;BYMONTHDAY=0":                     "error",
		"FREQ=DAILY;BYDAY=54MO":                       "error",
		"FREQ=DAILY;BYDAY=XX":                         "error",
		"FREQ=DAILY;UNTIL=soon":                       "error",
		"FREQ=DAILY;X-NEW=1":                          "error",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3": "FREQ=YEARLY;COUNT=3;BYMONTH=2;BYMONTHDAY=30",
	} {
		r, err := parseRule(value)
		got := r.String()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %s %v, want %s", value, got, err, want)
		}
	}
}

// A rule that never happens, and one that never ends, come to an end.
func TestRulesWithoutEnd(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		rule string
		most int
	}{{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 1}, {"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", 1}, {"FREQ=YEARLY", 4500 - 2026 + 1}, {"FREQ=DAILY;INTERVAL=1000000", 2}, {"FREQ=HOURLY;INTERVAL=1000000", 23}, {"FREQ=SECONDLY;INTERVAL=1000000;COUNT=40", 40}} {
		r, err := parseRule(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range r.dates(start) {
			n++
		}
		if n > c.most || n == 0 {
			t.Errorf("%s: %d dates", c.rule, n)
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]string{"PT15M": "0 15m0s", "-P1DT2H": "-1 -2h0m0s", "P2W": "14 0s", "+PT0S": "0 0s", "P": "error", "PT": "0 0s", "15M": "error", "P1H": "error", "PT1D": "error", "PT5": "error", "PT99999999999S": "error"} {
		days, d, err := parseDuration(s)
		got := fmt.Sprint(days, d)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	for _, d := range []time.Duration{0, time.Second, -15 * time.Minute, 48 * time.Hour, 90 * time.Minute, 25 * time.Hour} {
		days, rest, err := parseDuration(formatDuration(d))
		if got := time.Duration(days)*24*time.Hour + rest; err != nil || got != d {
			t.Errorf("%v became %v", d, got)
		}
	}
}
