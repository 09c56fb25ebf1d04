package when_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/when"
)

// matcher says whether a minute on the wall fits an expression. It knows nothing of
// robfig/cron, nor of the package that it checks.
type matcher struct {
	minute, hour, dom, month, dow func(v int) bool
	domAny, dowAny                bool
	special                       func(day time.Time) (dom, dow bool) // "L", "#"
}

func newMatcher(expr string) matcher {
	f := strings.Fields(strings.ToUpper(expr))
	for i, n := range []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"} {
		f[4] = strings.ReplaceAll(f[4], n, strconv.Itoa(i))
	}
	atoi := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			panic(err)
		}
		return n
	}
	one := func(text string, most int) func(int) bool {
		return func(v int) bool {
			for _, part := range strings.Split(text, ",") {
				if part == "L" || strings.Contains(part, "#") {
					continue
				}
				span, step, stepped := strings.Cut(part, "/")
				low, high, ranged := strings.Cut(span, "-")
				by, from, to := 1, 0, most
				if stepped {
					by = atoi(step)
				}
				if low == "*" {
					if most == 31 || most == 12 {
						from = 1
					}
				} else if from = atoi(low); ranged {
					to = atoi(high)
				} else if !stepped {
					to = from
				}
				if v >= from && v <= to && (v-from)%by == 0 {
					return true
				}
			}
			return false
		}
	}
	sunday := one(f[4], 7)
	return matcher{
		minute: one(f[0], 59), hour: one(f[1], 23), dom: one(f[2], 31), month: one(f[3], 12),
		dow: func(v int) bool {
			return sunday(v) || v == 0 && f[4] != "*" && !strings.Contains(f[4], "/") && sunday(7)
		},
		domAny: f[2] == "*", dowAny: f[4] == "*",
		special: func(day time.Time) (dom, dow bool) {
			dom = strings.Contains(","+f[2]+",", ",L,") && day.AddDate(0, 0, 1).Day() == 1
			nth := fmt.Sprintf("%d#%d", day.Weekday(), (day.Day()+6)/7)
			end := fmt.Sprintf("%d#L", day.Weekday())
			for _, part := range strings.Split(f[4], ",") {
				dow = dow || part == nth || part == end && day.AddDate(0, 0, 7).Month() != day.Month()
			}
			return dom, dow
		},
	}
}

// day reports whether a day fits; the time of day is looked at apart, since it is the
// same every day.
func (m matcher) day(d time.Time) bool {
	l, nth := m.special(d)
	dom, dow := m.dom(d.Day()) || l, m.dow(int(d.Weekday())) || nth
	switch {
	case !m.month(int(d.Month())):
		return false
	case m.domAny && m.dowAny:
		return true
	case m.domAny:
		return dow
	case m.dowAny:
		return dom
	}
	return dom || dow
}

// walls gives for each minute on the wall, from the first on, the moment that reached
// it: its own, or that of the minute after a gap.
type walls struct {
	first int64   // as minutes
	at    []int64 // as seconds
}

// readings walks over time minute by minute, and reads the clock.
func readings(loc *time.Location, from, to time.Time) walls {
	w := walls{first: -1}
	for unix := from.Unix(); unix < to.Unix(); unix += 60 {
		_, offset := time.Unix(unix, 0).In(loc).Zone() // whole minutes in all of these years
		shown := (unix + int64(offset)) / 60
		if w.first < 0 {
			w.first = shown + 1 // what was reached before the first minute does not count
		}
		for w.first+int64(len(w.at)) <= shown {
			w.at = append(w.at, unix)
		}
	}
	return w
}

// expect gives what is due: each minute on the wall that fits, and of those that one
// moment reached together the first.
func expect(expr string, w walls) []keepwatch.Due {
	m := newMatcher(expr)
	var clock []int64
	for i := range 1440 {
		if m.hour(i/60) && m.minute(i%60) {
			clock = append(clock, int64(i))
		}
	}
	var out []keepwatch.Due
	before, end := int64(0), w.first+int64(len(w.at))
	for day := w.first / 1440; day*1440 < end; day++ {
		if !m.day(time.Unix(day*86400, 0).UTC()) {
			continue
		}
		for _, c := range clock {
			wall := day*1440 + c
			if wall < w.first || wall >= end || w.at[wall-w.first] == before {
				continue
			}
			before = w.at[wall-w.first]
			out = append(out, keepwatch.Due{At: time.Unix(before, 0), Wall: time.Unix(wall*60, 0).UTC().Format(keepwatch.WallLayout)})
		}
	}
	return out
}

// check walks with Next through what is expected; each step with and without the wall.
func check(t *testing.T, times *when.Times, w keepwatch.When, after time.Time, want []keepwatch.Due) {
	t.Helper()
	wall := ""
	for i, d := range want {
		got, ok := times.Next(w, after, wall)
		if !ok || !got.At.Equal(d.At) || got.Wall != d.Wall {
			t.Fatalf("%q in %s, number %d after %s and wall %q: %s %s, %v; want %s %s", w.Cron, w.Zone, i, after.Format(time.RFC3339), wall, got.At.Format(time.RFC3339), got.Wall, ok, d.At.Format(time.RFC3339), d.Wall)
		}
		if i%16 == 0 {
			if bare, _ := times.Next(w, after.Add(time.Second), ""); !bare.At.Equal(d.At) || bare.Wall != d.Wall {
				t.Fatalf("%q in %s without a wall after %s: %+v; want %+v", w.Cron, w.Zone, after, bare, d)
			}
		}
		after, wall = got.At, got.Wall
	}
}

func expressions() []string {
	return []string{
		"0 9 * * *", "30 2 * * *", "30 1 * * *", "0 0 * * *", "59 23 * * *", "0 2,3 * * *", "15 1-3 * * *", "0 */6 * * *", "45 */5 * * *", "0 * * * *",
		"0 9 * * MON-FRI", "0 9 * * 1-5", "30 2 * * SUN", "30 2 * * 7", "30 2 * * 5-7", "0 9 1 * *", "0 9 1,15 * *", "30 2 31 * *", "0 0 L * *", "0 10 * * MON#1",
		"0 16 * * FRI#L", "30 2 * * SUN#L,SUN#1", "0 9 13 * FRI", "0 9 L * MON#5", "0 9 */2 * MON", "0 9 1 1,4,7,10 *", "0 9 29 2 *", "20,40 2 1-7 3,4,9-11 *", "0 9 1,L 12 WED,SAT#2",
	}
}

func places() map[string]int {
	return map[string]int{
		"Europe/London": 2026, "America/New_York": 2024, "Australia/Lord_Howe": 2026, "Australia/Sydney": 2027, "Pacific/Auckland": 2028, "America/Sao_Paulo": 2018,
		"Asia/Kolkata": 2026, "Africa/Cairo": 2024, "Antarctica/Troll": 2026, "Pacific/Apia": 2011, "Pacific/Chatham": 2026,
		// Zones that change their standard time, skip a day or have one twice, and
		// go back for a month of the year.
		"America/Caracas": 2016, "Pacific/Kwajalein": 1993, "Africa/Casablanca": 2026, "Asia/Pyongyang": 2018,
		"Asia/Gaza": 2024,
	}
}

// TestYearMinuteByMinute compares with a walk over every minute of a year.
func TestYearMinuteByMinute(t *testing.T) {
	times := when.New()
	for name, year := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, name)
			from := time.Date(year-1, 12, 31, 0, 0, 0, 0, time.UTC)
			rs := readings(loc, from, from.AddDate(1, 0, 2))
			for _, expr := range expressions() {
				want := expect(expr, rs)
				if len(want) == 0 && expr != "0 9 29 2 *" {
					t.Fatalf("the oracle expects nothing of %q", expr)
				}
				check(t, times, keepwatch.When{Cron: expr, Zone: name}, from, want)
			}
		})
	}
}

// TestDenseAroundChanges looks at expressions that come every few minutes, three days
// before and after each change of the clock.
func TestDenseAroundChanges(t *testing.T) {
	times := when.New()
	all := places()
	all["Pacific/Kwajalein"], all["America/Juneau"] = 1969, 1983 // a day twice; two hours at once
	changes := 0
	for name, year := range all {
		loc := zone(t, name)
		end := time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
		for at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); {
			_, change := at.In(loc).ZoneBounds()
			if change.IsZero() || change.After(end) {
				break
			}
			changes++
			from := change.UTC().Add(-27 * time.Hour).Truncate(time.Minute)
			rs := readings(loc, from, change.Add(27*time.Hour))
			for _, expr := range []string{"* * * * *", "*/20 * * * *", "7-59/13 0-3 * * *"} {
				w, want := keepwatch.When{Cron: expr, Zone: name}, expect(expr, rs)
				check(t, times, w, from, want)
				// From any moment, without a wall: within an hour that comes a second time too.
				i := 0
				for after := from; i < len(want); after = after.Add(11 * time.Minute) {
					for i < len(want) && !want[i].At.After(after) {
						i++
					}
					if i == len(want) {
						break
					}
					if got, ok := times.Next(w, after, ""); !ok || !got.At.Equal(want[i].At) || got.Wall != want[i].Wall {
						t.Fatalf("%q in %s after %s comes at %+v, %v; want %+v", expr, name, after, got, ok, want[i])
					}
				}
			}
			at = change
		}
	}
	if changes < 25 {
		t.Errorf("only %d changes of clocks were looked at", changes)
	}
}

// TestOracleCanGoRed: a schedule that follows robfig/cron's own rules of time zones
// would not pass.
func TestOracleCanGoRed(t *testing.T) {
	loc := zone(t, "America/New_York")
	from := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	want := expect("30 2 * * *", readings(loc, from, from.AddDate(0, 0, 3)))
	if got := want[0]; got.Wall != "2026-03-08T02:30" || !got.At.Equal(time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("the skipped 02:30 is expected at %v, wall %s; want 03:00 EDT", got.At, got.Wall)
	}
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	want = expect("30 1 * * *", readings(loc, from, from.AddDate(0, 0, 1)))
	if len(want) != 1 || !want[0].At.Equal(time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC)) {
		t.Errorf("the doubled 01:30 is expected at %v; want once, in EDT", want)
	}
}

// TestRareDays looks for dates that come every few years, day by day.
func TestRareDays(t *testing.T) {
	times := when.New()
	for _, c := range []struct {
		expr, wall, want string
	}{
		{"0 9 29 2 *", "2024-02-29T09:00", "2028-02-29T09:00"},
		{"0 9 29 2 *", "2096-02-29T09:00", "2104-02-29T09:00"},
		{"0 9 29 2 *", "1896-02-29T09:00", "1904-02-29T09:00"},
		{"0 9 * 2 MON#5", "2072-02-29T09:00", "2112-02-29T09:00"},
		{"0 9 * 2 SUN#5", "2032-02-29T09:00", "2060-02-29T09:00"},
		{"0 0 30 2 *", "2026-01-01T00:00", ""},
		{"0 0 31 4,6 *", "2026-01-01T00:00", ""},
	} {
		m := newMatcher(c.expr)
		day, err := time.Parse(keepwatch.WallLayout, c.wall)
		if err != nil {
			t.Fatal(err)
		}
		oracle, d := "", day.Truncate(24*time.Hour)
		for range 50 * 366 {
			if d = d.AddDate(0, 0, 1); m.day(d) {
				oracle = d.Format("2006-01-02") + "T09:00"
				break
			}
		}
		if oracle != c.want {
			t.Errorf("%q: the oracle says %q, and the table %q", c.expr, oracle, c.want)
		}
		got, ok := times.Next(keepwatch.When{Cron: c.expr, Zone: "Europe/London"}, day, c.wall)
		if ok != (c.want != "") || got.Wall != c.want {
			t.Errorf("%q after %s comes at %q, %v; want %q", c.expr, c.wall, got.Wall, ok, c.want)
		}
	}
}
