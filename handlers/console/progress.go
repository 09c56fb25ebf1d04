package console

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"

	"keepwatch"
)

// progress writes a bar with what is known: part, amount, rate, time left. It
// fits into width columns, by leaving out the least important first.
func (s style) progress(p keepwatch.Progress, width int) string {
	var parts []string
	f, known := p.Fraction()
	if known {
		parts = append(parts, fmt.Sprintf("%3d %%", int(f*100)))
	}
	switch {
	case p.TotalBytes > 0:
		parts = append(parts, keepwatch.FormatBytes(p.Bytes)+" of "+keepwatch.FormatBytes(p.TotalBytes))
	case p.Bytes > 0:
		parts = append(parts, keepwatch.FormatBytes(p.Bytes))
	case p.Items > 0:
		parts = append(parts, keepwatch.FormatCount(p.Items, "item"))
	}
	if r := p.Rate(); r > 0 {
		parts = append(parts, keepwatch.FormatBytes(int64(r))+"/s")
	}
	if left, ok := p.Left(); ok {
		parts = append(parts, keepwatch.FormatDuration(left)+" left")
	}
	if len(parts) == 0 {
		return "…"
	}
	text := strings.Join(parts, ", ")
	for width > 0 && len(parts) > 1 && uniseg.StringWidth(text) > width {
		if n := len(parts); n >= 3 && known { // the time left says more than the amount
			parts = append(parts[:1], parts[2:]...)
		} else {
			parts = parts[:n-1]
		}
		text = strings.Join(parts, ", ")
	}
	room := min(width-uniseg.StringWidth(text)-1, 30)
	if !known || room < 6 {
		return text
	}
	full := int(f * float64(room))
	return s.paint("\x1b[36m", strings.Repeat("█", full)) + s.paint(faint, strings.Repeat("░", room-full)) + " " + text
}
