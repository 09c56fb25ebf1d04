package pim

import (
	"fmt"
	"strings"
	"time"
)

// A timeForm is how a text gives a time.
type timeForm int

const (
	localTime timeForm = iota // without a zone, or with TZID
	utcTime
	dateOnly
)

// parseDateTime reads a DATE or a DATE-TIME (RFC 5545 3.3.4 and 3.3.5), and the
// forms with separators that some writers use. The result is in UTC, a local time
// as it stands.
func parseDateTime(s string) (time.Time, timeForm, error) {
	s = strings.TrimSpace(s)
	form := localTime
	clock, isUTC := strings.CutSuffix(strings.ToUpper(s), "Z")
	if isUTC {
		form = utcTime
	}
	for _, layout := range []string{"20060102T150405", "20060102T1504", "20060102", "2006-01-02T15:04:05", "2006-01-02"} {
		t, err := time.Parse(layout, sixty(clock))
		if err != nil {
			continue
		}
		if !strings.Contains(layout, "T") {
			form = dateOnly
		}
		return t, form, nil
	}
	return time.Time{}, 0, fmt.Errorf("%q is no date and no time", shorten(s))
}

// sixty makes a leap second the one before it, which is all that an item can hold.
func sixty(s string) string {
	if len(s) == 15 && strings.HasSuffix(s, "60") {
		return s[:13] + "59"
	}
	return s
}

// parseDuration reads a DURATION (RFC 5545 3.3.6). Days and weeks are apart from
// the rest: they are days of the calendar, which a change of the clocks makes
// longer or shorter.
func parseDuration(s string) (days int, d time.Duration, err error) {
	bad := fmt.Errorf("%q is no duration", shorten(s))
	rest := upperTrim(s)
	sign := 1
	if strings.HasPrefix(rest, "-") {
		sign = -1
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(rest, "+-"), "P")
	if !ok || rest == "" {
		return 0, 0, bad
	}
	inTime, n, digits := false, 0, 0
	for _, c := range rest {
		if c >= '0' && c <= '9' {
			if n, digits = n*10+int(c-'0'), digits+1; digits > 9 {
				return 0, 0, bad
			}
			continue
		}
		if c == 'T' && !inTime && digits == 0 {
			inTime = true
			continue
		}
		if digits == 0 {
			return 0, 0, bad
		}
		switch {
		case c == 'W' && !inTime:
			days += 7 * n
		case c == 'D' && !inTime:
			days += n
		case c == 'H' && inTime:
			d += time.Duration(n) * time.Hour
		case c == 'M' && inTime:
			d += time.Duration(n) * time.Minute
		case c == 'S' && inTime:
			d += time.Duration(n) * time.Second
		default:
			return 0, 0, bad
		}
		n, digits = 0, 0
	}
	if digits > 0 || days > 1_000_000 || d > 100*365*24*time.Hour || d < 0 {
		return 0, 0, bad
	}
	return sign * days, time.Duration(sign) * d, nil
}

// formatDuration is the reverse, for whole seconds.
func formatDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	s := int64(d / time.Second)
	switch {
	case s == 0:
		return "PT0S"
	case s%(24*3600) == 0:
		return fmt.Sprintf("%sP%dD", sign, s/(24*3600))
	case s%3600 == 0:
		return fmt.Sprintf("%sPT%dH", sign, s/3600)
	case s%60 == 0:
		return fmt.Sprintf("%sPT%dM", sign, s/60)
	}
	return fmt.Sprintf("%sPT%dS", sign, s)
}
