package chart

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"keepwatch"
)

// The sizes of text in pixels. A phone shows the picture at a third of its size, so
// nothing is smaller than 28.
const (
	sizeTitle = 52
	sizeValue = 38
	sizeName  = 34
	sizeText  = 30
	sizeSmall = 28
)

// weight is a font.
type weight int

const (
	regular weight = iota
	bold
)

// fonts are the faces of one drawing; a face is for one goroutine.
type fonts struct {
	parsed [2]*opentype.Font
	faces  map[[2]int]font.Face
}

// newFonts reads the Go fonts, which cover Latin, Greek and Cyrillic.
func newFonts() (*fonts, error) {
	f := &fonts{faces: map[[2]int]font.Face{}}
	for w, data := range [2][]byte{regular: goregular.TTF, bold: gobold.TTF} {
		parsed, err := opentype.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("read a font: %w", err)
		}
		f.parsed[w] = parsed
		for _, size := range []int{sizeTitle, sizeValue, sizeName, sizeText, sizeSmall} {
			face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
			if err != nil {
				return nil, fmt.Errorf("make a font of %d pixels: %w", size, err)
			}
			f.faces[[2]int{w, size}] = face
		}
	}
	return f, nil
}

// shown gives a text in which every character has a shape: controls and marks of
// direction are made visible, and what the font lacks is a box.
func (f *fonts) shown(w weight, text string) string {
	return strings.Map(func(r rune) rune {
		switch i, err := f.parsed[w].GlyphIndex(nil, r); {
		case r == 0x200d || r >= 0xfe00 && r <= 0xfe0f:
			return -1 // joins and varies emoji
		case err != nil || i == 0:
			return '□'
		}
		return r
	}, strings.Join(strings.Fields(keepwatch.Clean(text)), " "))
}

// width gives how wide a text is.
func (f *fonts) width(w weight, size int, text string) int {
	return font.MeasureString(f.faces[[2]int{int(w), size}], f.shown(w, text)).Ceil()
}

// fit gives a text that is at most so wide: its middle is left out where it has to
// be, because names differ at their ends.
func (f *fonts) fit(w weight, size, most int, text string) string {
	runes := []rune(f.shown(w, text))
	short := string(runes)
	for left := len(runes); f.width(w, size, short) > most && left > 0; {
		left--
		short = string(runes[:(left+1)/2]) + "…" + string(runes[len(runes)-left/2:])
	}
	return short
}

// align is where a text stands.
type align int

const (
	left align = iota
	right
	middle
)

// text writes one line: x is its left end, its right one, or its middle, and y the
// line that letters stand on. It gives where the text ends.
func (p *page) text(x, y int, at align, w weight, size int, colour color.Color, text string) int {
	text = p.fonts.shown(w, text)
	width := p.fonts.width(w, size, text)
	switch at {
	case right:
		x -= width
	case middle:
		x -= width / 2
	}
	d := font.Drawer{Dst: p.RGBA, Src: image.NewUniform(colour), Face: p.fonts.faces[[2]int{int(w), size}], Dot: fixed.P(x, y)}
	d.DrawString(text)
	p.note(image.Rect(x, y-size, x+width, y+size/4), text)
	return x + width
}
