package console

import (
	"fmt"
	"strings"

	"keepwatch"
)

// The bar takes a third of the width, and never changes its own, so that nothing
// jumps while the figures beside it do. On a narrow terminal they matter more.
const (
	widestBar = 30
	barFrom   = 24 // columns, from which there is a bar
)

// progress writes a bar with what is known: part, amount, rate, time left. It
// fits into columns by leaving out what matters least; 0 columns: it is a line
// of a log, all of it and no bar.
func (s style) progress(p keepwatch.Progress, columns int) string {
	f, known := p.Fraction()
	bar := 0
	if known && columns >= barFrom {
		bar = min(columns/3, widestBar)
	}
	parts := figures(p)
	text := strings.Join(parts, ", ")
	for columns > 0 && len(parts) > 1 && width(text) > columns-bar-min(bar, 1) {
		if n := len(parts); n > 3 && p.TotalBytes <= 0 { // how many of how many says more than how many bytes
			parts = append(parts[:2], parts[3:]...)
		} else if n >= 3 && known { // the time left says more than the amount
			parts = append(parts[:1], parts[2:]...)
		} else {
			parts = parts[:n-1]
		}
		text = strings.Join(parts, ", ")
	}
	if columns > 0 {
		text = truncate(text, columns)
	}
	if bar == 0 {
		return text
	}
	full := int(f * float64(bar))
	return s.paint(toneColour[keepwatch.ToneInfo], strings.Repeat("█", full)) + s.paint(faint, strings.Repeat("░", bar-full)) + " " + text
}

// standing is progress for whoever follows a run: in a pause it says until when that is, or when
// a server is tried again, and why.
func (s style) standing(p keepwatch.Progress, columns int) string {
	if p.Pause.Until.IsZero() {
		return s.progress(p, columns)
	}
	until := "waits until "
	if p.Pause.Trouble {
		until = "tried again at "
	}
	text := until + p.Pause.Until.In(s.loc).Format("15:04:05") + ": " + clean(p.Pause.Why)
	if f, known := p.Fraction(); known {
		text = fmt.Sprintf("%3d %%, %s", int(f*100), text)
	}
	if columns > 0 {
		text = truncate(text, columns)
	}
	return text
}

// figures gives what is known of a progress: the part done first, the time left
// last.
func figures(p keepwatch.Progress) []string {
	var parts []string
	if f, known := p.Fraction(); known {
		parts = append(parts, fmt.Sprintf("%3d %%", int(f*100)))
	}
	parts = append(parts, p.Figures()...)
	if len(parts) == 0 {
		return []string{"…"}
	}
	return parts
}
