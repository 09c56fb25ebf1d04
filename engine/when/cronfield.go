package when

import (
	"strconv"
	"strings"
)

// field is one of the five: its name for people and what may stand in it.
type field struct {
	name     string
	min, max int
	names    func(string) (int, bool) // nil: numbers only
}

func cronFields() [5]field {
	return [5]field{
		{"minute", 0, 59, nil}, {"hour", 0, 23, nil}, {"day of month", 1, 31, nil},
		{"month", 1, 12, shortMonth}, {"day of week", 0, 7, shortWeekday},
	}
}

// extension takes "L" as a day of month, "mon#1" and "fri#l" as days of the week.
func (s *schedule) extension(i int, part string) (bool, error) {
	day, nth, found := strings.Cut(part, "#")
	switch {
	case i == 2 && part == "l":
		s.last = true
		return true, nil
	case i != 4 || !found:
		return false, nil
	}
	d, ok := shortWeekday(day)
	if n, err := strconv.Atoi(day); err == nil && len(day) == 1 && n <= 7 {
		d, ok = n%7, true
	}
	n := lastNth
	if nth != "l" {
		if n = 0; len(nth) == 1 && nth[0] >= '1' && nth[0] <= '5' {
			n = int(nth[0] - '0')
		}
	}
	if !ok || n == 0 {
		return false, refuse("%s is no day of a month in a cron expression: MON#1 is the first Monday, MON#5 the fifth, FRI#L the last Friday. For example %s.", quote(part), quote("0 9 * * MON#1"))
	}
	s.nth[d] |= 1 << n
	return true, nil
}

// part checks one part of a field, such as "*/5", "1-5" or "mon", and writes it as
// robfig/cron takes it.
func (f field) part(part string) (string, error) {
	span, stepText, stepped := strings.Cut(part, "/")
	lowText, highText, ranged := strings.Cut(span, "-")
	low, high := f.min, f.max
	if f.max == 7 {
		high = 6
	}
	all := span == "*" || span == "?"
	if !all {
		n, ok := f.value(lowText)
		if !ok {
			return "", f.wrong(part)
		}
		low = n
		switch {
		case ranged:
			if high, ok = f.value(highText); !ok {
				return "", f.wrong(part)
			}
		case !stepped:
			high = low
		}
	}
	if f.max == 7 && high < low {
		high += 7 // FRI-MON
	}
	if high < low {
		return "", refuse("In the %s of the cron expression the range %s ends before it begins: write it the other way round, for example %s.", f.name, quote(part), quote("0 9-17 * * *"))
	}
	step := 1
	if stepped {
		n, ok := number(stepText)
		if !ok || n == 0 {
			return "", f.wrong(part)
		}
		if n > high-low {
			return "", refuse("In the %s of the cron expression the step of %s goes beyond its range, so that it would come once only: write a single number, or a shorter step, for example %s.", f.name, quote(part), quote("*/15 * * * *"))
		}
		step = n
	}
	if all || f.max != 7 {
		return part, nil
	}
	var days []string
	for d := low; d <= high; d += step {
		days = append(days, strconv.Itoa(d%7))
	}
	return strings.Join(days, ","), nil
}

func (f field) value(text string) (int, bool) {
	if f.names != nil {
		if n, ok := f.names(text); ok {
			return n, true
		}
	}
	n, ok := number(text)
	return n, ok && n >= f.min && n <= f.max
}

func (f field) wrong(part string) error {
	extra := ""
	if f.names != nil {
		extra = ", or names such as " + map[string]string{"month": "JAN", "day of week": "MON"}[f.name]
	}
	return refuse("%s is no %s of a cron expression: it takes %d to %d%s, \"*\", ranges such as %d-%d and steps. For example %s.",
		quote(part), f.name, f.min, f.max, extra, f.min+1, f.min+4, quote("0 9 * * MON-FRI"))
}

// number reads a number of up to six digits without a sign.
func number(text string) (int, bool) {
	if len(text) == 0 || len(text) > 6 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
