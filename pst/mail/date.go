package mail

import (
	"net/mail"
	"strconv"
	"strings"
	"time"
)

// months are those of RFC 5322, and what programs in German, French, Spanish, Portuguese
// and Italian write in their place, by the first three bytes.
var months = map[string]time.Month{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	"mä": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "fé": 2, "avr": 4, "dé": 12, "ene": 1, "abr": 4, "ago": 8, "dic": 12, "gen": 1, "mag": 5, "giu": 6, "lug": 7, "set": 9, "ott": 10}

// zones are those of RFC 5322 4.3. Any other name is UTC, as that says.
var zones = map[string]int{"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1, "cest": 2, "bst": 1, "jst": 9}

// parseDate reads the date of a mail, in the form of RFC 5322 and in what else
// mailers write: no seconds, a day of the week or a month in another language, ctime, dots in
// times, ISO 8601. ok is false for what is no date.
func parseDate(s string) (time.Time, bool) {
	s = clean(readText(s))
	if s == "" || len(s) > 500 {
		return time.Time{}, false
	}
	// The usual form first: net/mail tries dozens of layouts, one after another.
	plain, _, _ := strings.Cut(s, " (")
	if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", plain); err == nil && sane(t) {
		return t.UTC(), true
	}
	if t, err := mail.ParseDate(s); err == nil && !namedZone(s) && sane(t) {
		return t.UTC(), true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil && sane(t) {
			return t.UTC(), true
		}
	}
	return looseDate(s)
}

// sane leaves out years that no mail has and that a file cannot hold.
func sane(t time.Time) bool { return t.UTC().Year() >= 1900 && t.UTC().Year() < 10000 }

// namedZone tells whether a date ends with the name of a zone. net/mail reads some of
// them by the local zone of the machine, or as UTC (golang.org/issue/9098).
func namedZone(s string) bool {
	f := strings.Fields(s)
	_, known := zones[strings.ToLower(f[len(f)-1])]
	return known
}

// looseDate picks a day, a month by name, a year, a time and a zone from a text.
func looseDate(s string) (time.Time, bool) {
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	day, year, hour, minute, second, offset, digits := 0, -1, -1, 0, 0, 0, 0
	var month time.Month
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		low := strings.ToLower(f)
		n, err := strconv.Atoi(f)
		switch {
		case len(f) == 5 && (f[0] == '+' || f[0] == '-') && err == nil:
			n = abs(n)
			offset = (n/100)*3600 + (n%100)*60
			if f[0] == '-' {
				offset = -offset
			}
		case err == nil && day == 0 && n >= 1 && n <= 31:
			day = n
		case err == nil && year < 0 && n >= 0:
			year, digits = n, len(f)
		case strings.ContainsAny(f, ":") && hour < 0:
			hour, minute, second = clock(f)
		case len(low) >= 3 && month == 0 && months[low[:3]] != 0:
			month = months[low[:3]]
		case low == "pm" && hour >= 0 && hour < 12:
			hour += 12
		case low == "am" && hour == 12:
			hour = 0
		case zones[low] != 0:
			offset = zones[low] * 3600
		case strings.Count(f, "-") == 2 && month == 0: // 13-Oct-2012
			p := strings.Split(low, "-")
			if len(p[1]) >= 3 {
				month = months[p[1][:3]]
			}
			day, _ = strconv.Atoi(p[0])
			if year, err = strconv.Atoi(p[2]); err != nil {
				year = -1
			}
		}
	}
	switch { // RFC 5322 4.3; four digits mean what they say: 0001 is no 2001
	case digits > 3:
	case year >= 0 && year < 50:
		year += 2000
	case year >= 50 && year < 1000:
		year += 1900
	}
	if day < 1 || day > 31 || month == 0 || year < 1900 || year > 9999 || hour > 24 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, max(hour, 0), minute, second, 0, time.UTC).Add(-time.Duration(offset) * time.Second)
	return t, day <= time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day() && sane(t)
}

func clock(s string) (hour, minute, second int) {
	p := strings.Split(s, ":")
	at := func(i int) int {
		if i >= len(p) {
			return 0
		}
		v, _, _ := strings.Cut(p[i], ".")
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 61 {
			return 0
		}
		return n
	}
	return at(0), at(1), at(2)
}

func abs(n int) int { return max(n, -n) }
