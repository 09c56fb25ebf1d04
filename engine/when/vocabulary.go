package when

import (
	"strings"
	"time"
)

// unit is a length of time that people name.
type unit uint8

const (
	noUnit unit = iota
	second
	minute
	hour
	day
	week
	month
	year
)

func (u unit) String() string {
	return [...]string{"", "second", "minute", "hour", "day", "week", "month", "year"}[u]
}

// exact gives the length of a unit that has always the same; 0 of one that follows
// the calendar.
func (u unit) exact() time.Duration {
	return [...]time.Duration{second: time.Second, minute: time.Minute, hour: time.Hour, year: 0}[u]
}

func unitOf(word string) unit {
	switch word {
	case "s", "sec", "secs", "second", "seconds":
		return second
	case "m", "min", "mins", "minute", "minutes":
		return minute
	case "h", "hr", "hrs", "hour", "hours":
		return hour
	case "d", "day", "days":
		return day
	case "w", "wk", "wks", "week", "weeks":
		return week
	case "month", "months":
		return month
	case "y", "yr", "yrs", "year", "years":
		return year
	}
	return noUnit
}

// weekdayOf reads the name of a day of the week. many: it stands in the plural, as
// what happens every week does.
func weekdayOf(word string) (d time.Weekday, many, ok bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if word == name || word == name[:3] {
			return d, false, true
		}
		if word == name+"s" {
			return d, true, true
		}
	}
	switch word {
	case "tues":
		return time.Tuesday, false, true
	case "weds":
		return time.Wednesday, false, true
	case "thur", "thurs":
		return time.Thursday, false, true
	}
	return 0, false, false
}

func monthOf(word string) (time.Month, bool) {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if word == name || word == name[:3] || m == time.September && word == "sept" {
			return m, true
		}
	}
	return 0, false
}

// shortMonth and shortWeekday read the names that cron has, of three letters.
func shortMonth(word string) (int, bool) {
	m, ok := monthOf(word)
	return int(m), ok && len(word) == 3
}

func shortWeekday(word string) (int, bool) {
	d, _, ok := weekdayOf(word)
	return int(d), ok && len(word) == 3
}

// last is the ordinal of the last one.
const last = -1

// ordinalOf reads "first" to "fifth" and "last".
func ordinalOf(word string) (int, bool) {
	switch word {
	case "first":
		return 1, true
	case "second":
		return 2, true
	case "third":
		return 3, true
	case "fourth":
		return 4, true
	case "fifth":
		return 5, true
	case "last":
		return last, true
	}
	return 0, false
}

// others are the words of the grammar that have no value of their own.
const others = " every each daily hourly weekly monthly quarterly yearly annually weekday weekdays workday workdays" +
	" working business weekend weekends quarter half an a the of on at in and other from now day after today tomorrow" +
	" tonight yesterday this next coming noon midday midnight am pm o'clock to through fortnight fortnightly" +
	" fortnights morning mornings evening evenings afternoon afternoons night nights & - @ , "

func known(word string) bool {
	if strings.Contains(others, " "+word+" ") || unitOf(word) != noUnit {
		return true
	}
	_, _, isDay := weekdayOf(word)
	_, isMonth := monthOf(word)
	_, isOrdinal := ordinalOf(word)
	return isDay || isMonth || isOrdinal
}

// nearest gives the word of the grammar that a mistyped one is one letter away from;
// "" where there is none. Short words are near too many.
func nearest(word string) string {
	if len(word) < 4 || len(word) > 12 {
		return ""
	}
	candidates := strings.Fields(others)
	for d := time.Sunday; d <= time.Saturday; d++ {
		candidates = append(candidates, d.String())
	}
	for m := time.January; m <= time.December; m++ {
		candidates = append(candidates, m.String())
	}
	candidates = append(candidates, "first", "second", "third", "fourth", "fifth", "last", "minutes", "hours", "days", "weeks", "month", "year")
	for _, c := range candidates {
		if len(c) >= 4 && oneAway(word, strings.ToLower(c)) {
			return c
		}
	}
	return ""
}

// oneAway reports whether one letter added, left out, changed, or two neighbours
// exchanged make one word of the other.
func oneAway(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) || a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

func daysIn(year int, m time.Month) int {
	return time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
