package keepwatch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

var proved = []keepwatch.Verification{{Level: keepwatch.LevelOpened}}

// at makes a verified archive that was started then.
func at(t time.Time) keepwatch.Archive {
	return keepwatch.Archive{Source: "notes", Stamp: keepwatch.StampOf(t), Started: t, Verified: proved}
}

func day(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

func kept(ds []keepwatch.Decision) []string {
	var out []string
	for _, d := range ds {
		if d.Keep {
			out = append(out, d.Archive.Started.UTC().Format("2006-01-02 15:04"))
		}
	}
	return out
}

func TestKeepRules(t *testing.T) {
	now := day("2026-11-24 12:00")
	archives := []keepwatch.Archive{
		at(day("2026-11-24 03:00")), at(day("2026-11-23 03:00")), at(day("2026-11-22 23:00")), at(day("2026-11-22 03:00")),
		at(day("2026-11-15 03:00")), at(day("2026-10-30 03:00")), at(day("2026-10-02 03:00")), at(day("2025-12-31 03:00")), at(day("2024-02-29 03:00")),
	}
	for _, c := range []struct {
		name string
		keep keepwatch.Keep
		want []string
	}{
		{"last", keepwatch.Keep{Last: 2}, []string{"2026-11-24 03:00", "2026-11-23 03:00"}},
		{"daily takes the newest of a day", keepwatch.Keep{Daily: 3}, []string{"2026-11-24 03:00", "2026-11-23 03:00", "2026-11-22 23:00"}},
		{"weeks begin on Monday", keepwatch.Keep{Weekly: 2}, []string{"2026-11-24 03:00", "2026-11-22 23:00"}},
		{"monthly", keepwatch.Keep{Monthly: 2}, []string{"2026-11-24 03:00", "2026-10-30 03:00"}},
		{"yearly, and the oldest", keepwatch.Keep{Yearly: 9}, []string{"2026-11-24 03:00", "2025-12-31 03:00", "2024-02-29 03:00"}},
		{"unlimited", keepwatch.Keep{Monthly: -1}, []string{"2026-11-24 03:00", "2026-10-30 03:00", "2025-12-31 03:00", "2024-02-29 03:00"}},
		{"within", keepwatch.Keep{Within: keepwatch.Span{Days: 9}}, []string{"2026-11-24 03:00", "2026-11-23 03:00", "2026-11-22 23:00", "2026-11-22 03:00"}},
		{"within by month", keepwatch.Keep{WithinMonthly: keepwatch.Span{Years: 1}}, []string{"2026-11-24 03:00", "2026-10-30 03:00", "2025-12-31 03:00"}},
		{"or", keepwatch.Keep{Last: 1, Yearly: 1}, []string{"2026-11-24 03:00"}},
		{"nothing", keepwatch.Keep{}, []string{"2026-11-24 03:00", "2026-11-23 03:00", "2026-11-22 23:00", "2026-11-22 03:00", "2026-11-15 03:00", "2026-10-30 03:00", "2026-10-02 03:00", "2025-12-31 03:00", "2024-02-29 03:00"}},
	} {
		if got := kept(c.keep.Decide(archives, now, time.UTC)); !cmp.Equal(got, c.want) {
			t.Errorf("%s keeps %q, want %q", c.name, got, c.want)
		}
	}
}

func TestKeepReasons(t *testing.T) {
	now := day("2026-11-24 12:00")
	a := []keepwatch.Archive{at(day("2026-11-24 03:00")), at(day("2026-11-23 03:00")), at(day("2026-11-20 03:00")), at(day("2026-11-19 03:00")), at(day("2026-11-18 03:00")), at(day("2026-11-17 03:00"))}
	a[2].Pinned = "before the move"
	a[3].Verified = nil
	a[4].Verified = []keepwatch.Verification{{Problems: []keepwatch.Finding{{Text: "bad"}}}}
	want := []string{
		"keep: one of the newest (last 1 of 1); newest of the week of 23 November (weekly 1 of 2)",
		"remove: no rule keeps it",
		"keep: pinned: before the move; newest of the week of 16 November (weekly 2 of 2)",
		"keep: not verified yet: it does not count, and stays until it is",
		"keep: not as it should be (bad): it does not count, and stays until somebody has looked",
		"remove: no rule keeps it",
	}
	var got []string
	for _, d := range (keepwatch.Keep{Last: 1, Weekly: 2}).Decide(a, now, time.UTC) {
		word := "remove"
		if d.Keep {
			word = "keep"
		}
		got = append(got, word+": "+strings.Join(d.Reasons, "; "))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestKeepByParts: a newer archive of one part does not stand for the whole, nor
// one file of a drop folder for another.
func TestKeepByParts(t *testing.T) {
	of := func(when string, parts ...string) keepwatch.Archive {
		a := at(day(when))
		a.Parts = parts
		return a
	}
	a := []keepwatch.Archive{
		of("2026-11-24 03:00", "db"), of("2026-11-23 03:00", "mail", "db"), of("2026-11-22 03:00", "db"),
		of("2026-11-21 03:00", "db", "mail"), of("2026-11-20 03:00"), of("2026-11-19 03:00"), of("2026-11-18 03:00", "old.pst"),
	}
	got := kept(keepwatch.Keep{Last: 1}.Decide(a, day("2026-11-24 12:00"), time.UTC))
	if d := cmp.Diff([]string{"2026-11-24 03:00", "2026-11-23 03:00", "2026-11-20 03:00", "2026-11-18 03:00"}, got); d != "" {
		t.Error(d)
	}
}

func TestKeepTheFuture(t *testing.T) {
	now := day("2026-11-24 12:00")
	future := at(day("2030-01-01 00:00"))
	ds := keepwatch.Keep{Within: keepwatch.Span{Days: 2}}.Decide([]keepwatch.Archive{future, at(day("2026-11-24 03:00")), at(day("2026-11-20 03:00"))}, now, time.UTC)
	if got := kept(ds); !cmp.Equal(got, []string{"2030-01-01 00:00", "2026-11-24 03:00"}) {
		t.Errorf("an archive from the future makes it keep %q", got)
	}
	ds = keepwatch.Keep{Last: 1}.Decide([]keepwatch.Archive{future, at(day("2026-11-24 03:00")), at(day("2026-11-20 03:00"))}, now, time.UTC)
	if got := kept(ds); !cmp.Equal(got, []string{"2030-01-01 00:00", "2026-11-24 03:00"}) {
		t.Errorf("an archive from the future stands for the newest: keeps %q", got)
	}
	if got := kept(keepwatch.Keep{WithinDaily: keepwatch.Span{Days: 2}}.Decide([]keepwatch.Archive{future}, now, time.UTC)); len(got) != 1 {
		t.Errorf("all from the future: keeps %q", got)
	}
}

// TestKeepAcrossTheClockChange: on the day that has 25 hours an archive at 23:30
// local time belongs to that day, whatever UTC says.
func TestKeepAcrossTheClockChange(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	a := []keepwatch.Archive{at(day("2026-10-25 23:30")), at(day("2026-10-25 00:30")), at(day("2026-10-24 23:30"))} // the last is 00:30 on the 25th in London
	got := kept(keepwatch.Keep{Daily: 5}.Decide(a, day("2026-11-01 00:00"), london))
	if !cmp.Equal(got, []string{"2026-10-25 23:30", "2026-10-24 23:30"}) { // the newest of the day, and the oldest there is
		t.Errorf("keeps %q", got)
	}
}

// oracle is restic's rule for counted buckets, written by the text of its manual
// and not like the code: an archive is kept by a rule if it is the newest of its
// bucket and among the first n buckets, or the oldest while buckets are left.
func oracle(starts []time.Time, n int, bucket func(time.Time) string) map[int]bool {
	keep := map[int]bool{}
	var order []string
	first := map[string]int{}
	for i, t := range starts {
		b := bucket(t)
		if _, ok := first[b]; !ok {
			first[b] = i
			order = append(order, b)
		}
	}
	for i, b := range order {
		if n < 0 || i < n {
			keep[first[b]] = true
		}
	}
	if len(starts) > 0 && (n < 0 || len(order) < n) {
		keep[len(starts)-1] = true
	}
	return keep
}

func TestKeepAgainstAnOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	buckets := []func(time.Time) string{
		func(t time.Time) string { return t.Format("2006010215") }, func(t time.Time) string { return t.Format("20060102") },
		func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprint(y, "/", w) }, func(t time.Time) string { return t.Format("200601") }, func(t time.Time) string { return t.Format("2006") },
	}
	for round := range 500 {
		var archives []keepwatch.Archive
		when := day("2026-11-24 12:00")
		for range rng.IntN(60) {
			when = when.Add(-time.Duration(1+rng.IntN(60*24*20)) * time.Minute)
			archives = append(archives, at(when))
		}
		var starts []time.Time
		for _, a := range archives {
			starts = append(starts, a.Started)
		}
		counts := make([]int, len(buckets))
		for i := range counts {
			counts[i] = rng.IntN(8) - 1
		}
		policy := keepwatch.Keep{Hourly: counts[0], Daily: counts[1], Weekly: counts[2], Monthly: counts[3], Yearly: counts[4]}
		if policy.IsZero() {
			continue
		}
		want := map[int]bool{}
		for i, n := range counts {
			if n != 0 {
				for k := range oracle(starts, n, buckets[i]) {
					want[k] = true
				}
			}
		}
		if len(archives) > 0 {
			want[0] = true // never the newest
		}
		shuffled := slices.Clone(archives)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for i, d := range policy.Decide(shuffled, day("2026-11-24 12:00"), time.UTC) {
			if d.Keep != want[i] || len(d.Reasons) == 0 {
				t.Fatalf("round %d, %+v: archive %d of %d: keep %v, want %v (%v)", round, policy, i, len(archives), d.Keep, want[i], d.Reasons)
			}
		}
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]keepwatch.Span{"1y5m7d2h": {Years: 1, Months: 5, Days: 7, Hours: 2}, "14d": {Days: 14}, "2y3h": {Years: 2, Hours: 3}} {
		if got, err := keepwatch.ParseSpan(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s is %+v (%s), %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "0d", "d", "7", "2h1d", "1d1d", "-1d", "1.5d", "999999999999y", "14 d"} {
		if got, err := keepwatch.ParseSpan(text); keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	}
}

// TestRules: what people confirm is all that decides what goes, and no more.
func TestRules(t *testing.T) {
	daily := keepwatch.Keep{Daily: 2}
	said := map[string]bool{}
	for _, rules := range []string{
		daily.Rules(time.UTC), daily.Rules(time.FixedZone("Local", 0)), daily.Rules(time.FixedZone("Local", 3600)), daily.Rules(time.FixedZone("UTC", 3600)),
		keepwatch.Keep{Daily: 3}.Rules(time.UTC), keepwatch.Keep{}.Rules(time.UTC),
	} {
		if said[rules] {
			t.Errorf("%s means two things", rules)
		}
		said[rules] = true
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	if got := daily.Rules(london); got != `{"daily":2} in Europe/London (+00:00, +01:00)` {
		t.Error(got)
	}
}
