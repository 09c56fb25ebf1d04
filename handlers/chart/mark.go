package chart

import (
	"image/color"

	"keepwatch"
)

// The colours are those of Okabe and Ito, which people who see few colours can tell
// apart (jfly.uni-koeln.de/color). Each mark has a shape of its own besides.
var (
	paper    = color.NRGBA{0xfb, 0xfb, 0xfd, 0xff}
	edge     = color.NRGBA{0xc4, 0xca, 0xd3, 0xff}
	ink      = color.NRGBA{0x1b, 0x1f, 0x24, 0xff}
	faint    = color.NRGBA{0x55, 0x5e, 0x6a, 0xff}
	line     = color.NRGBA{0xde, 0xe2, 0xe8, 0xff}
	dot      = color.NRGBA{0x8b, 0x94, 0xa0, 0xff}
	bars     = color.NRGBA{0x8f, 0xa8, 0xc0, 0xff}
	newest   = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	good     = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	partly   = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	failed   = color.NRGBA{0xc6, 0x4a, 0x00, 0xff} // a little darker, for the white cross on it
	underway = color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
)

// mark draws what a day was, in a square.
func (c canvas) mark(x, y, size int, o keepwatch.DayOutcome) {
	s := float32(size)
	t := max(size/9, 2) // of lines
	switch o {
	case keepwatch.DayGood: // full
		c.rect(x, y, size, size, good)
	case keepwatch.DayPartly: // half full
		c.polygon(x, y, size, size, partly, point{0, 0}, point{0, s}, point{s, s})
		c.frame(x, y, size, size, t, partly)
	case keepwatch.DayFailed: // crossed out
		c.rect(x, y, size, size, failed)
		a, b, w := s*0.2, s*0.8, s*0.1
		c.polygon(x, y, size, size, paper, point{a, a + w}, point{a + w, a}, point{b, b - w}, point{b - w, b})
		c.polygon(x, y, size, size, paper, point{b - w, a}, point{b, a + w}, point{a + w, b}, point{a, b - w})
	case keepwatch.DayMissed: // empty
		c.frame(x, y, size, size, t+1, ink)
	case keepwatch.DayOpen: // round
		c.disc(x+size/10, y+size/10, size-size/5, underway)
	case keepwatch.DayAhead:
		c.frame(x, y, size, size, 2, line)
	default: // none due, nothing
		d := max(size/4, 3)
		c.disc(x+(size-d)/2, y+(size-d)/2, d, dot)
	}
}
