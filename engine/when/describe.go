package when

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"keepwatch"
)

// mostNamed is how many times or days are named one by one; of more a description says
// the expression.
const mostNamed = 6

// Describe says when a rule comes due: "every weekday at 09:00, Europe/London time",
// "every 2 hours", "once, on Thursday 3 December 2026 at 14:00, Europe/London time", and
// of expressions that words would only blur `by cron "*/7 3 * * *", UTC`.
func (t *Times) Describe(when keepwatch.When) string {
	switch {
	case when.Cron != "":
		s, err := t.schedule(when.Cron)
		if err != nil {
			return "never, as the cron expression " + quote(when.Cron) + " cannot be read"
		}
		days, at := s.days(), s.times()
		if days == "" || at == "" {
			return "by cron " + quote(when.Cron) + ", " + zoneText(when.Zone)
		}
		if strings.HasPrefix(at, "every ") {
			if days == "every day" {
				return at + ", " + zoneText(when.Zone)
			}
			return at + ", " + days + ", " + zoneText(when.Zone)
		}
		return days + " " + at + ", " + zoneText(when.Zone)
	case when.Every != 0:
		return "every " + everyText(when.Every) + inDays(when.Every)
	case !when.At.IsZero():
		zone, err := t.zone(when.Zone)
		name := when.Zone
		if err != nil {
			zone, name = time.UTC, ""
		}
		local := when.At.In(zone)
		return fmt.Sprintf("once, on %s %s at %s, %s", local.Weekday(), dateText(local), clockText(local.Hour(), local.Minute()), zoneText(name))
	}
	return "never"
}

func zoneText(name string) string {
	switch name {
	case "", "UTC":
		return "UTC"
	case "Local":
		return "the bot's own time"
	}
	return name + " time"
}

// everyText writes a distance: "2 hours", "90 minutes", "1 hour 30 minutes".
func everyText(d time.Duration) string {
	switch {
	case d%time.Hour == 0 && d > time.Hour:
		return countText(int(d/time.Hour), hour)
	case d == time.Minute:
		return "minute"
	case d%time.Minute == 0 && d < 2*time.Hour:
		return countText(int(d/time.Minute), minute)
	case d%time.Minute == 0:
		return countText(int(d/time.Hour), hour) + " " + countText(int(d%time.Hour/time.Minute), minute)
	}
	return countText(int(d/time.Second), second)
}

// inDays adds how many days of 24 hours a distance is, where nobody counts its hours:
// " (30 days)".
func inDays(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day || d%day != 0 {
		return ""
	}
	return fmt.Sprintf(" (%d days)", d/day)
}

// list gives the numbers whose bits are set.
func list(b uint64) []int {
	var out []int
	for b &^= star; b != 0; b &= b - 1 {
		out = append(out, bits.TrailingZeros64(b))
	}
	return out
}

// join writes "a", "a and b", "a, b and c".
func join(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func words(numbers []int, word func(int) string) string {
	var out []string
	for _, n := range numbers {
		out = append(out, word(n))
	}
	return join(out)
}

// step gives the distance between numbers that are the same one apart over the whole
// of a field of so many; 0 where they are not.
func step(numbers []int, of int) int {
	if len(numbers) < 2 || of%len(numbers) != 0 || numbers[0] != 0 {
		return 0
	}
	n := of / len(numbers)
	for i, v := range numbers {
		if v != i*n {
			return 0
		}
	}
	return n
}

// times says the times of day; "" where they are too many.
func (s *schedule) times() string {
	minutes, hours := list(s.fields.Minute), list(s.fields.Hour)
	if len(hours)*len(minutes) <= mostNamed {
		var at []string
		for _, h := range hours {
			for _, m := range minutes {
				at = append(at, clockText(h, m))
			}
		}
		return "at " + join(at)
	}
	everyHour := len(hours) == 24
	switch n := step(minutes, 60); {
	case everyHour && n == 1:
		return "every minute"
	case everyHour && n > 1:
		return fmt.Sprintf("every %d minutes by the clock", n)
	case len(minutes) != 1:
		return ""
	case everyHour && minutes[0] == 0:
		return "every hour on the hour"
	case everyHour:
		return fmt.Sprintf("every hour at %d past", minutes[0])
	}
	if n := step(hours, 24); n > 1 {
		return fmt.Sprintf("every %d hours from %s on", n, clockText(0, minutes[0]))
	}
	if first, end := hours[0], hours[len(hours)-1]; end-first+1 == len(hours) {
		return fmt.Sprintf("every hour from %s to %s", clockText(first, minutes[0]), clockText(end, minutes[0]))
	}
	return ""
}

// days says the days; "" where they are too many.
func (s *schedule) days() string {
	months := list(s.fields.Month)
	domStar, dowStar := s.fields.Dom&star != 0, s.fields.Dow&star != 0
	dates, week := s.dates(months), s.weekdays()
	rare := ""
	for _, nth := range s.nth {
		if nth&(1<<5) != 0 {
			rare = " (where there is one)"
		}
	}
	in := ""
	if len(months) < 12 {
		in = " in " + words(months, func(m int) string { return time.Month(m).String() })
	}
	switch {
	case len(months) > mostNamed && len(months) < 12:
		return ""
	case domStar && dowStar:
		return "every day" + in
	case domStar && week != "" && s.nth != [7]uint8{}:
		if in == "" {
			in = " of the month"
		}
		return week + strings.Replace(in, " in ", " of ", 1) + rare
	case domStar && week != "":
		return week + in
	case dowStar:
		return dates
	case domStar, dates == "", week == "":
		return ""
	case s.nth != [7]uint8{}:
		return dates + ", and " + week + " of the month" + in + rare
	}
	return dates + ", and " + week + in
}

// dates says the days of the month, with their months.
func (s *schedule) dates(months []int) string {
	days := list(s.fields.Dom)
	if s.fields.Dom&star != 0 || len(days) > mostNamed || len(days) == 0 && !s.last {
		return ""
	}
	rare := ""
	for _, m := range months {
		if len(days) > 0 && days[len(days)-1] > daysIn(2023, time.Month(m)) {
			rare = " (where there is one)"
		}
	}
	if len(months) <= 2 && len(days) == 1 && !s.last {
		return "every year on " + words(months, func(m int) string { return dayText(time.Month(m), days[0]) }) + rare
	}
	var named []string
	if len(days) > 0 {
		named = append(named, words(days, ordinalText))
	}
	if s.last {
		named = append(named, "last day")
	}
	text := "on the " + strings.Join(named, " and the ")
	if len(months) == 12 {
		return text + " of every month" + rare
	}
	return text + " of " + words(months, func(m int) string { return time.Month(m).String() }) + rare
}

// weekdays says the days of the week.
func (s *schedule) weekdays() string {
	if s.fields.Dow&star != 0 {
		return ""
	}
	name := func(d int) string { return time.Weekday(d).String() }
	var named []string
	switch b := s.fields.Dow & 0x7F; b {
	case 0:
	case 0x3E:
		named = append(named, "every weekday")
	case 0x7F:
		named = append(named, "every day")
	default:
		days := list(b)
		if days[0] == 0 { // the week begins on Monday
			days = append(days[1:], 0)
		}
		named = append(named, "every "+words(days, name))
	}
	for d := 1; d <= 7; d++ {
		nth := list(uint64(s.nth[d%7]))
		if len(nth) > 0 {
			named = append(named, "on the "+words(nth, nthText)+" "+name(d%7))
		}
	}
	return join(named)
}

func nthText(n int) string {
	return [...]string{"", "first", "second", "third", "fourth", "fifth", "last"}[n]
}
