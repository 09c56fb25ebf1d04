package keepwatch

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FormatBytes writes a number of bytes for people, in powers of 1,024:
// "0 B", "812 B", "1.4 MiB", "10.0 GiB".
func FormatBytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		f /= 1024
		if f < 1023.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// FormatRate writes bytes a second: "310.5 MiB/s".
func FormatRate(bytes int64, d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return FormatBytes(int64(float64(bytes)/d.Seconds())) + "/s"
}

// FormatCount writes a number with commas, and its noun: "1 file", "12,034 files".
// The noun's plural is made with an "s" unless it is given.
func FormatCount(n int64, noun string, plural ...string) string {
	s := fmt.Sprintf("%d", n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if noun == "" {
		return s
	}
	switch {
	case n == 1:
	case len(plural) > 0:
		noun = plural[0]
	default:
		noun += "s"
	}
	return s + " " + noun
}

// FormatDuration writes a duration for people, two units at the most:
// "0.4 s", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
func FormatDuration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + FormatDuration(-d)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	var parts []string
	for i, u := range units {
		if n := d / u.size; n > 0 || len(parts) > 0 {
			if n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			}
			d -= n * u.size
			if len(parts) == 2 || (len(parts) == 1 && i > 0 && n == 0) {
				break
			}
		}
	}
	return strings.Join(parts, " ")
}

// Printable gives a name from a source or an archive for a sentence or a table:
// as it is, or quoted as in Go where it has characters that cannot be shown or
// that would forge what is shown (line breaks, escape sequences, marks that turn
// the direction of text, bytes that are no UTF-8).
func Printable(name string) string {
	if strings.ToValidUTF8(name, "") != name || strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}
