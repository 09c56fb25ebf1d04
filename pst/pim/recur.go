package pim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Frequency is how often a rule repeats (FREQ).
type Frequency string

// The frequencies of RFC 5545 3.3.10.
const (
	Secondly Frequency = "SECONDLY"
	Minutely Frequency = "MINUTELY"
	Hourly   Frequency = "HOURLY"
	Daily    Frequency = "DAILY"
	Weekly   Frequency = "WEEKLY"
	Monthly  Frequency = "MONTHLY"
	Yearly   Frequency = "YEARLY"
)

// Rule says when a series repeats: an RRULE, RFC 5545 3.3.10. Not every rule fits
// into an item of Outlook; see [Event.Write].
type Rule struct {
	Frequency  Frequency
	Interval   int       // at least 1
	Count      int       // how many times; 0 for no such end
	Until      time.Time // the last moment that counts, UTC; zero for no such end. Where UntilDate, a date at midnight UTC
	UntilDate  bool
	WeekStart  time.Weekday // Monday unless the rule says otherwise
	BySecond   []int
	ByMinute   []int
	ByHour     []int
	ByDay      []WeekdayNum
	ByMonthDay []int // 1 to 31, or -1 for the last and so on
	ByYearDay  []int
	ByWeekNo   []int
	ByMonth    []int
	BySetPos   []int
}

// WeekdayNum is a day of the week and which of them in a month or a year: N is 0
// for every, 1 for the first, -1 for the last.
type WeekdayNum struct {
	N   int
	Day time.Weekday
}

var weekdayNames = [7]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func (d WeekdayNum) String() string {
	if d.N == 0 {
		return weekdayNames[d.Day]
	}
	return strconv.Itoa(d.N) + weekdayNames[d.Day]
}

// parseRule reads the value of an RRULE. A rule with a part that is unknown or out
// of its range is an error: what it means cannot be guessed.
func parseRule(value string) (Rule, error) {
	r := Rule{Interval: 1, WeekStart: time.Monday}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(value, ";") {
		name, v, ok := strings.Cut(strings.ToUpper(strings.TrimSpace(part)), "=")
		if name == "" {
			continue // a separator too many, as some writers leave it
		}
		if !ok || seen[name] {
			return Rule{}, fmt.Errorf("%q of the rule has no value, or more than one", shorten(part))
		}
		seen[name] = true
		if err := r.set(strings.TrimSpace(name), strings.TrimSpace(v)); err != nil {
			return Rule{}, err
		}
	}
	if r.Frequency == "" {
		return Rule{}, fmt.Errorf("the rule %q has no FREQ", shorten(value))
	}
	return r, nil
}

func (r *Rule) set(name, v string) (err error) {
	switch name {
	case "FREQ":
		r.Frequency = Frequency(v)
		if !slices.Contains([]Frequency{Secondly, Minutely, Hourly, Daily, Weekly, Monthly, Yearly}, r.Frequency) {
			return fmt.Errorf("%q is no frequency of a rule", shorten(v))
		}
	case "INTERVAL":
		r.Interval, err = number(v, 1, 1<<20)
	case "COUNT":
		r.Count, err = number(v, 1, 1<<30)
	case "UNTIL":
		return r.setUntil(v)
	case "WKST":
		i := slices.Index(weekdayNames[:], v)
		if i < 0 {
			return fmt.Errorf("%q is no day of the week", shorten(v))
		}
		r.WeekStart = time.Weekday(i)
	case "BYDAY":
		r.ByDay, err = weekdays(v)
	case "BYSECOND":
		r.BySecond, err = numbers(v, 0, 60, false)
	case "BYMINUTE":
		r.ByMinute, err = numbers(v, 0, 59, false)
	case "BYHOUR":
		r.ByHour, err = numbers(v, 0, 23, false)
	case "BYMONTHDAY":
		r.ByMonthDay, err = numbers(v, 1, 31, true)
	case "BYYEARDAY":
		r.ByYearDay, err = numbers(v, 1, 366, true)
	case "BYWEEKNO":
		r.ByWeekNo, err = numbers(v, 1, 53, true)
	case "BYMONTH":
		r.ByMonth, err = numbers(v, 1, 12, false)
	case "BYSETPOS":
		r.BySetPos, err = numbers(v, 1, 366, true)
	default:
		return fmt.Errorf("the rule has a part %q that is not known", shorten(name))
	}
	return err
}

// setUntil takes a date or a time. A local time is taken as it stands; the caller
// knows the zone.
func (r *Rule) setUntil(v string) error {
	t, form, err := parseDateTime(v)
	if err != nil {
		return fmt.Errorf("UNTIL of the rule: %w", err)
	}
	r.Until, r.UntilDate = t, form == dateOnly
	return nil
}

// number reads one number within bounds.
func number(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q of the rule is no number from %d to %d", shorten(s), low, high)
	}
	return n, nil
}

// numbers reads a list; with negative, a number may count from the end.
func numbers(s string, low, high int, negative bool) ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		abs := max(n, -n)
		if err != nil || abs < low || abs > high || n < 0 && !negative {
			return nil, fmt.Errorf("%q of the rule is no number from %d to %d", shorten(part), low, high)
		}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all, nil
}

func weekdays(s string) ([]WeekdayNum, error) {
	var all []WeekdayNum
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if len(part) < 2 {
			return nil, fmt.Errorf("%q is no day of the week", shorten(part))
		}
		i := slices.Index(weekdayNames[:], part[len(part)-2:])
		d := WeekdayNum{Day: time.Weekday(i)}
		var err error
		if n := part[:len(part)-2]; n != "" {
			d.N, err = strconv.Atoi(n)
			if d.N == 0 || d.N > 53 || d.N < -53 {
				i = -1
			}
		}
		if err != nil || i < 0 {
			return nil, fmt.Errorf("%q is no day of the week", shorten(part))
		}
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all, nil
}

// String is the value of an RRULE. A local Until is written as it stands.
func (r Rule) String() string { return r.format("20060102T150405Z") }

func (r Rule) format(until string) string {
	var b strings.Builder
	b.WriteString("FREQ=" + string(r.Frequency))
	if r.Interval > 1 {
		fmt.Fprintf(&b, ";INTERVAL=%d", r.Interval)
	}
	if r.Count > 0 {
		fmt.Fprintf(&b, ";COUNT=%d", r.Count)
	}
	if !r.Until.IsZero() {
		if r.UntilDate {
			until = "20060102"
		}
		b.WriteString(";UNTIL=" + r.Until.Format(until))
	}
	if r.WeekStart != time.Monday {
		b.WriteString(";WKST=" + weekdayNames[r.WeekStart])
	}
	writeList(&b, "BYMONTH", r.ByMonth)
	writeList(&b, "BYWEEKNO", r.ByWeekNo)
	writeList(&b, "BYYEARDAY", r.ByYearDay)
	writeList(&b, "BYMONTHDAY", r.ByMonthDay)
	writeList(&b, "BYDAY", r.ByDay)
	writeList(&b, "BYHOUR", r.ByHour)
	writeList(&b, "BYMINUTE", r.ByMinute)
	writeList(&b, "BYSECOND", r.BySecond)
	writeList(&b, "BYSETPOS", r.BySetPos)
	return b.String()
}

func writeList[T any](b *strings.Builder, name string, list []T) {
	for i, v := range list {
		sep := ","
		if i == 0 {
			sep = ";" + name + "="
		}
		fmt.Fprintf(b, "%s%v", sep, v)
	}
}
