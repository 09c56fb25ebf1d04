package box

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"keepwatch/pst/pim"
)

// rule makes an RRULE of a pattern and its range
// (learn.microsoft.com/graph/outlook-schedule-recurring-events). zone is where its days are.
//
// A day that a month does not have is its last one in Outlook, while RFC 5545 passes such a
// month over: the 30th is the last of the 28th, 29th and 30th.
func (p pattern) rule(r span, zone *time.Location, allDay bool) (pim.Rule, error) {
	out := pim.Rule{Interval: max(1, p.Interval), WeekStart: time.Monday}
	days, err := weekdays(p.Days)
	if err != nil {
		return out, err
	}
	switch p.Type {
	case "daily":
		out.Frequency = pim.Daily
	case "weekly":
		out.Frequency, out.WeekStart = pim.Weekly, time.Sunday
		if first, err := weekdays([]string{p.FirstDay}); err == nil && len(first) == 1 {
			out.WeekStart = first[0].Day
		}
		out.ByDay = days
	case "absoluteMonthly":
		out.Frequency = pim.Monthly
		onDay(&out, p.DayOfMonth)
	case "absoluteYearly":
		out.Frequency, out.ByMonth = pim.Yearly, []int{p.Month}
		onDay(&out, p.DayOfMonth)
	case "relativeMonthly":
		out.Frequency = pim.Monthly
		err = onNth(&out, p.Index, days)
	case "relativeYearly":
		out.Frequency, out.ByMonth = pim.Yearly, []int{p.Month}
		err = onNth(&out, p.Index, days)
	default:
		err = fmt.Errorf("a pattern of the type %q is not known", p.Type)
	}
	if err != nil {
		return out, err
	}
	return out, ends(&out, r, zone, allDay)
}

// onDay sets a day of the month.
func onDay(out *pim.Rule, day int) {
	switch {
	case day >= 31:
		out.ByMonthDay = []int{-1}
	case day >= 29:
		for d := 28; d <= day; d++ {
			out.ByMonthDay = append(out.ByMonthDay, d)
		}
		out.BySetPos = []int{-1}
	default:
		out.ByMonthDay = []int{day}
	}
}

// onNth sets the first, or the last, of some days of the week. Of several days it is the
// first that is any of them ("the first weekday").
func onNth(out *pim.Rule, index string, days []pim.WeekdayNum) error {
	n, known := map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}[index]
	switch {
	case !known:
		return fmt.Errorf("an index %q is not known", index)
	case len(days) == 0:
		return errors.New("a pattern says which day of a month, and no day of the week")
	case len(days) == 1:
		out.ByDay = []pim.WeekdayNum{{N: n, Day: days[0].Day}}
	default:
		out.ByDay, out.BySetPos = days, []int{n}
	}
	return nil
}

// ends sets where a rule ends.
func ends(out *pim.Rule, r span, zone *time.Location, allDay bool) error {
	switch r.Type {
	case "noEnd":
	case "numbered":
		if out.Count = r.Count; r.Count < 1 {
			return fmt.Errorf("a series of %d times is none", r.Count)
		}
	case "endDate":
		day, err := time.Parse(time.DateOnly, r.End)
		if err != nil {
			return fmt.Errorf("the end of the series cannot be read: %w", err)
		}
		if out.Until, out.UntilDate = day, allDay; !allDay { // the day counts to its end
			out.Until = time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, zone).UTC()
		}
	default:
		return fmt.Errorf("a range of the type %q is not known", r.Type)
	}
	return nil
}

func weekdays(names []string) ([]pim.WeekdayNum, error) {
	var out []pim.WeekdayNum
	for _, s := range names {
		found := false
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(d.String(), s) {
				out, found = append(out, pim.WeekdayNum{Day: d}), true
			}
		}
		if !found {
			return nil, fmt.Errorf("a day of the week %q is not known", s)
		}
	}
	return out, nil
}
