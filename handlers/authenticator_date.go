package handlers

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// shown is what somebody says that a device shows.
type shown struct {
	state keepwatch.Attested
	seen  time.Time // a date, at midnight UTC
	note  string    // what was made of the words, where that is not plain
	week  bool      // only the week was said, and seen is its Monday
}

// shownBy reads what somebody says that a device shows, by their own calendar: a date
// in words or figures, or what is wrong. now is in the asker's zone. Dates without a
// year are the newest that is not in the future.
func (r *Router) shownBy(text string, now time.Time) (shown, error) {
	said := dateWords(text)
	switch said {
	case "off", "backup is off", "backup off", "it is off":
		return shown{state: keepwatch.AttestedOff}, nil
	case "never", "none", "no backup":
		return shown{state: keepwatch.AttestedNever}, nil
	case "not found", "i cannot find it", "cannot find it", "i can't find it", "can't find it":
		return shown{state: keepwatch.AttestedNotFound}, nil
	case "new phone", "new", "replaced":
		return shown{state: keepwatch.AttestedNew}, nil
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	if said == "this week" {
		monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
		return shown{keepwatch.AttestedOn, monday, "“This week” is kept as its Monday, because it is that day at the earliest.", true}, nil
	}
	if seen, ok, err := r.dateBy(said, text, now); ok || err != nil {
		return shown{state: keepwatch.AttestedOn, seen: seen}, err
	}
	if err := noSuchDay(said); err != nil {
		return shown{}, err
	}
	return shown{}, keepwatch.Errorf(keepwatch.KindInvalid, "I cannot read %q as the date of a last backup. Write 2026-11-20, 20 Nov, today, yesterday or this week; or what is wrong: off, never, not found, new phone.", text)
}

// dateWords gives the words of a date in small letters, without a clock.
func dateWords(text string) string {
	words := strings.Fields(strings.ToLower(strings.NewReplacer(",", " ", "’", "'").Replace(text)))
	words = withoutClock(slices.DeleteFunc(words, func(w string) bool { return w == "on" && len(words) > 1 }))
	return strings.Trim(strings.Join(words, " "), ".!")
}

// dateBy reads a date that lies behind, by the calendar of now: said are the words of
// text. The error says of one in figures that it can be read in two ways.
func (r *Router) dateBy(said, text string, now time.Time) (seen time.Time, ok bool, err error) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	for _, read := range []func(string, time.Time) (time.Time, bool){relative, inFigures, byMonth} {
		if seen, ok := read(said, today); ok {
			return seen, true, nil
		}
	}
	if err := twoWays(said, today); err != nil {
		return today, false, err
	}
	// What is read for reminders lies ahead, so it is the last resort: its use is to
	// say of "next Monday" that it is in the future.
	if t := r.cfg.Duties.Times; t != nil {
		if at, err := t.Moment(text, now.Location(), now); err == nil {
			return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC), true, nil
		}
	}
	return today, false, nil
}

// withoutClock leaves out the time of day that phones show behind the date: "today at
// 9:14", "20 Nov 2026, 10:15 PM".
func withoutClock(words []string) []string {
	n := len(words)
	if n > 1 && (words[n-1] == "am" || words[n-1] == "pm") {
		n--
	}
	if n > 1 {
		clock := strings.TrimRight(words[n-1], "apm")
		if hour, minute, ok := strings.Cut(clock, ":"); ok && number(hour) >= 0 && number(minute) >= 0 {
			n--
			if n > 1 && words[n-1] == "at" {
				n--
			}
			return words[:n]
		}
	}
	return words
}

// number reads a number without a sign; -1 is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || strings.ContainsAny(s, "+-") {
		return -1
	}
	return n
}

// relative reads today, yesterday, the newest Monday, "3 days ago", "2 weeks ago".
func relative(said string, today time.Time) (time.Time, bool) {
	switch said {
	case "today":
		return today, true
	case "yesterday":
		return today.AddDate(0, 0, -1), true
	}
	for back := range 7 {
		if d := today.AddDate(0, 0, -back); said == strings.ToLower(d.Weekday().String()) || said == strings.ToLower(d.Weekday().String()[:3]) {
			return d, true
		}
	}
	words := strings.Fields(said)
	if len(words) != 3 || words[2] != "ago" {
		return today, false
	}
	n := number(words[0])
	if words[0] == "a" {
		n = 1
	}
	unit := map[string]int{"day": 1, "days": 1, "week": 7, "weeks": 7}[words[1]]
	return today.AddDate(0, 0, -n*unit), n >= 0 && n <= 1000 && unit > 0
}

// inFigures reads 2026-11-20, and 20.11.2026 and 20/11/2026 where it can be read in one
// way only: points stand between day, month and year wherever they are in use.
func inFigures(said string, today time.Time) (time.Time, bool) {
	if t, err := time.Parse("2006-1-2", said); err == nil {
		return t, true
	}
	first, second, year, sign, ok := figures(said, today)
	switch {
	case !ok:
		return today, false
	case sign == "." || first > 12 || first == second:
		return calendarDay(year, second, first)
	case second > 12:
		return calendarDay(year, first, second)
	}
	return today, false
}

// figures takes "20/11/2026" apart, and "20/11", which is of this year or, where that
// is in the future, of the last.
func figures(said string, today time.Time) (first, second, year int, sign string, ok bool) {
	for _, sign = range []string{".", "/", "-"} {
		parts := strings.Split(strings.TrimSuffix(said, "."), sign)
		if len(parts) < 2 || len(parts) > 3 {
			continue
		}
		first, second, year = number(parts[0]), number(parts[1]), today.Year()
		if len(parts) == 3 {
			if year = number(parts[2]); year >= 0 && year < 100 {
				year += 2000
			}
		} else if t, good := calendarDay(year, second, first); good && t.After(today) {
			year--
		}
		if first > 0 && second > 0 && first < 32 && second < 32 && year > 0 {
			return first, second, year, sign, true
		}
	}
	return 0, 0, 0, "", false
}

// calendarDay gives a date of the calendar; false where there is no such day.
func calendarDay(year, month, day int) (time.Time, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, t.Year() == year && int(t.Month()) == month && t.Day() == day
}

// twoWays says of a date in figures how it can be read, where that is in two ways.
func twoWays(said string, today time.Time) error {
	first, second, year, _, ok := figures(said, today)
	a, real1 := calendarDay(year, second, first)
	b, real2 := calendarDay(year, first, second)
	if !ok || !real1 || !real2 {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "%q can be read in two ways: %s or %s. Write the month in letters: %s.", said, a.Format("2 January"), b.Format("2 January"), a.Format("2 Jan"))
}

// byMonth reads dates with the month in letters.
func byMonth(said string, today time.Time) (time.Time, bool) {
	text := strings.Join(monthWords(said), " ")
	for _, layout := range []string{"2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	for _, layout := range []string{"2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006"} {
		for back := range 9 { // 29 February has to be looked for
			if t, err := time.Parse(layout, text+" "+strconv.Itoa(today.Year()-back)); err == nil && !t.After(today.AddDate(0, 0, 1)) {
				return t, true
			}
		}
	}
	return today, false
}

// noSuchDay says of a day and a month, with a year or without, that the month has no
// such day; nil: that is not what is wrong.
func noSuchDay(said string) error {
	words := monthWords(said)
	if len(words) < 2 || len(words) > 3 {
		return nil
	}
	day, name := number(words[0]), words[1]
	if day < 0 {
		day, name = number(words[1]), words[0]
	}
	year, of := 2024, "" // a leap year
	if len(words) == 3 {
		if year, of = number(words[2]), " "+words[2]; year < 1 {
			return nil
		}
	}
	for _, layout := range []string{"Jan", "January"} {
		t, err := time.Parse(layout, name)
		if err != nil || day < 0 {
			continue
		}
		if last := time.Date(year, t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day(); day < 1 || day > last {
			return keepwatch.Errorf(keepwatch.KindInvalid, "%s%s has no day %d; its last day is %d. Look again which date it shows, and write it as in 2026-11-20.", t.Month(), of, day, last)
		}
	}
	return nil
}

// monthWords gives the words of a date with the month in letters, without what stands
// beside day, month and year.
func monthWords(said string) []string {
	words := strings.Fields(strings.TrimSuffix(said, "."))
	for i, w := range words { // "20th", "1st"
		for _, end := range []string{"st", "nd", "rd", "th"} {
			if n := number(strings.TrimSuffix(w, end)); n > 0 && n < 32 && strings.HasSuffix(w, end) {
				words[i] = strconv.Itoa(n)
			}
		}
		words[i] = strings.TrimSuffix(words[i], ".")
		if words[i] == "sept" {
			words[i] = "sep"
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "of" })
	if len(words) > 2 && slices.ContainsFunc(weekdays(), func(d string) bool { return strings.HasPrefix(d, words[0]) && len(words[0]) > 2 }) {
		words = words[1:] // "fri 20 nov"
	}
	return words
}

// weekdays gives their names in small letters.
func weekdays() []string {
	var names []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		names = append(names, strings.ToLower(d.String()))
	}
	return names
}
