package keepwatch_test

import (
	"testing"
	"time"

	"keepwatch"
)

// TestReportWhereMidnightIsSkipped: where clocks go forward at midnight a day begins
// at 1:00, where they go back at 1:00 it begins at the first of two midnights, and it
// is the day that the calendar says all the same.
func TestReportWhereMidnightIsSkipped(t *testing.T) {
	for _, c := range []struct {
		zone            string
		year            int
		month           time.Month
		day, days, hour int
	}{
		{"America/Santiago", 2026, time.September, 6, 30, 1},
		{"America/Havana", 2026, time.March, 8, 31, 1},
		{"America/Havana", 2026, time.November, 1, 30, 0},
		{"Atlantic/Azores", 2026, time.March, 29, 31, 1},
		{"Atlantic/Azores", 2026, time.October, 25, 31, 0},
		{"Africa/Cairo", 2026, time.April, 24, 30, 1},
		{"Africa/Cairo", 2026, time.October, 30, 31, 0},
		{"Asia/Beirut", 2026, time.March, 29, 31, 1},
		{"America/Asuncion", 2023, time.October, 1, 31, 1}, // and the month with it
		{"Europe/London", 2026, time.March, 29, 31, 0},
		{"Pacific/Kiritimati", 2028, time.February, 29, 29, 0},
		{"Pacific/Pago_Pago", 2028, time.February, 29, 29, 0},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		from := keepwatch.DayStart(c.year, c.month, 1, loc)
		r := keepwatch.NewReport(keepwatch.ReportInput{From: from, To: keepwatch.DayStart(c.year, c.month+1, 1, loc), Location: loc, Made: from.AddDate(0, 2, 0)})
		if got := r.Title(); got != from.Format("January 2006") || from.Day() != 1 || r.DayCount() != c.days {
			t.Errorf("%s: %q, %d days, want %d", c.zone, got, r.DayCount(), c.days)
		}
		for n := range c.days {
			day := r.Day(n)
			if before := day.Add(-time.Second); day.Day() != n+1 || day.Month() != c.month || before.Day() == day.Day() {
				t.Errorf("%s: day %d begins on %s, after %s", c.zone, n+1, day, before)
			}
		}
		if at := r.Day(c.day - 1); at.Hour() != c.hour || at.Minute() != 0 {
			t.Errorf("%s: the day of the change begins at %s", c.zone, at)
		}
	}
}
