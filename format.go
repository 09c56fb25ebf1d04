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

// Clean makes characters visible that are not meant to be seen or that turn the
// direction of text, so that no name can look like another, move a cursor or hide
// what follows. "\n" stays; bytes that are no UTF-8 become \x….
func Clean(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && strings.ToValidUTF8(text, "") == text {
		return text
	}
	var b strings.Builder
	for i, c := range text {
		switch {
		case c == '\t':
			b.WriteString("  ")
		case c == '\uFFFD' && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case hidden(c) && c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case hidden(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// hidden: C0 and C1 but "\n", line separators, the marks and controls of direction
// of Unicode UAX 9, and characters that show nothing at all. The joiner of emoji
// is none of them.
func hidden(c rune) bool {
	switch {
	case c == '\n':
		return false
	case c < 0x20, c >= 0x7f && c < 0xa0, c == 0x2028, c == 0x2029:
		return true
	case c == 0x061c, c == 0x200e, c == 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
		return true
	}
	return c == 0x200b || c == 0x2060 || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb)
}

// Figures gives what is known of a progress, in words: how much of how much, how
// fast, and last how much time is left; in a pause, which ends whenever a server likes, only
// how much. Nothing, where nothing is known.
func (p Progress) Figures() []string {
	var parts []string
	switch {
	case p.TotalBytes > 0:
		parts = append(parts, FormatBytes(p.Bytes)+" of "+FormatBytes(p.TotalBytes))
	case p.Share && p.TotalItems > 0:
	case p.TotalItems > 0: // how many of how many is what the part done is counted from
		parts = append(parts, FormatCount(p.Items, "")+" of "+FormatCount(p.TotalItems, "item"))
		if p.Bytes > 0 {
			parts = append(parts, FormatBytes(p.Bytes))
		}
	case p.Bytes > 0:
		parts = append(parts, FormatBytes(p.Bytes))
	case p.Items > 0:
		parts = append(parts, FormatCount(p.Items, "item"))
	}
	if p.Pause != (Pause{}) {
		return parts
	}
	byItems := p.TotalBytes <= 0 && p.TotalItems > 0 // bytes say nothing about the time then
	if r := p.Rate(); r > 0 && !byItems {
		parts = append(parts, FormatBytes(int64(r))+"/s")
	}
	if left, ok := p.Left(); ok {
		if byItems && left > 2*time.Minute { // items differ in size, so that seconds say nothing
			left = left.Round(time.Minute)
		}
		text := FormatDuration(left)
		if left < 10*time.Second { // it is known to the second
			text = fmt.Sprintf("%d s", max(int(left.Seconds()), 1))
		}
		if byItems {
			text = "about " + text
		}
		parts = append(parts, text+" left")
	}
	return parts
}
