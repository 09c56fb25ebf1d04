package pim

import (
	"fmt"
	"strings"
	"time"
)

// text is PidLidRecurrencePattern, in the words that Outlook has for it in English:
// "every Tuesday from 8:00 AM to 8:30 AM".
func (a *appointmentPattern) text(allDay bool) string {
	s := a.pattern.text()
	if allDay {
		return s
	}
	clock := func(minutes uint32) string { return epoch.Add(time.Duration(minutes) * time.Minute).Format("3:04 PM") }
	return fmt.Sprintf("%s from %s to %s", s, clock(a.StartOffset), clock(a.EndOffset))
}

func (p *pattern) text() string {
	switch p.Type {
	case patternDay:
		return every(p.Period/dayMinutes, "day")
	case patternWeek:
		days := dayNames(p.Days)
		if p.Period > 1 {
			return fmt.Sprintf("every %d weeks on %s", p.Period, days)
		}
		return "every " + days
	}
	which := fmt.Sprintf("day %d", p.Day)
	if p.Type == patternNth {
		which = "the " + [...]string{"", "first", "second", "third", "fourth", "last"}[min(p.Nth, 5)] + " " + dayNames(p.Days)
	}
	if p.Period%12 != 0 {
		return which + " of " + every(p.Period, "month")
	}
	month := fromMinutes(p.Start).Month().String()
	if p.Type != patternNth {
		which, month = fmt.Sprintf("%s %d", month, p.Day), ""
	} else {
		month = " of " + month
	}
	if p.Period == 12 {
		if p.Type != patternNth {
			return "every " + which
		}
		return which + month
	}
	return fmt.Sprintf("every %d years on %s%s", p.Period/12, which, month)
}

func every(n uint32, unit string) string {
	if n == 1 {
		return "every " + unit
	}
	return fmt.Sprintf("every %d %ss", n, unit)
}

// dayNames says a set of weekdays.
func dayNames(mask uint32) string {
	switch mask & 0x7F {
	case 0x7F:
		return "day"
	case 0x3E:
		return "weekday"
	case 0x41:
		return "weekend day"
	}
	var names []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		if mask>>d&1 == 1 {
			names = append(names, d.String())
		}
	}
	switch n := len(names); n {
	case 0, 1:
		return strings.Join(names, "")
	case 2:
		return names[0] + " and " + names[1]
	default:
		return strings.Join(names[:n-1], ", ") + ", and " + names[n-1]
	}
}
