package chart

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"golang.org/x/image/vector"
)

// canvas is what is drawn on, in pixels from the top left. It is an RGBA because the
// packages that draw are quick on that alone.
type canvas struct{ *image.RGBA }

func newCanvas(width, height int) canvas {
	return canvas{image.NewRGBA(image.Rect(0, 0, width, height))}
}

// straight gives the picture as a PNG has it, with colours that are not multiplied by
// how opaque they are: the encoder is quick on that alone.
func (c canvas) straight() *image.NRGBA {
	out := &image.NRGBA{Pix: slices.Clone(c.Pix), Stride: c.Stride, Rect: c.Rect}
	for i := 0; i < len(out.Pix); i += 4 {
		if a := uint32(out.Pix[i+3]); a != 0 && a != 0xff {
			for j := range 3 {
				out.Pix[i+j] = uint8(min(uint32(out.Pix[i+j])*0xff/a, 0xff))
			}
		}
	}
	return out
}

// rect fills a rectangle.
func (c canvas) rect(x, y, w, h int, colour color.Color) {
	draw.Draw(c.RGBA, image.Rect(x, y, x+w, y+h), image.NewUniform(colour), image.Point{}, draw.Over)
}

// frame draws the edge of a rectangle, so thick, inside of it.
func (c canvas) frame(x, y, w, h, thick int, colour color.Color) {
	c.rect(x, y, w, thick, colour)
	c.rect(x, y+h-thick, w, thick, colour)
	c.rect(x, y+thick, thick, h-2*thick, colour)
	c.rect(x+w-thick, y+thick, thick, h-2*thick, colour)
}

// point is a corner of a polygon.
type point struct{ x, y float32 }

// polygon fills one, with soft edges. Its corners are relative to (x, y).
func (c canvas) polygon(x, y, w, h int, colour color.Color, corners ...point) {
	r := vector.NewRasterizer(w, h)
	r.MoveTo(corners[0].x, corners[0].y)
	for _, p := range corners[1:] {
		r.LineTo(p.x, p.y)
	}
	r.ClosePath()
	r.Draw(c.RGBA, image.Rect(x, y, x+w, y+h), image.NewUniform(colour), image.Point{})
}

// disc fills a circle in a square of that size.
func (c canvas) disc(x, y, size int, colour color.Color) {
	const steps = 48
	corners := make([]point, steps)
	half := float64(size) / 2
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / steps)
		corners[i] = point{float32(half + half*cos), float32(half + half*sin)}
	}
	c.polygon(x, y, size, size, colour, corners...)
}

// rounded fills a rectangle with round corners.
func (c canvas) rounded(x, y, w, h, radius int, colour color.Color) {
	for _, corner := range [4]image.Point{{x, y}, {x + w - 2*radius, y}, {x, y + h - 2*radius}, {x + w - 2*radius, y + h - 2*radius}} {
		c.disc(corner.X, corner.Y, 2*radius, colour)
	}
	c.rect(x+radius, y, w-2*radius, h, colour)
	c.rect(x, y+radius, radius, h-2*radius, colour)
	c.rect(x+w-radius, y+radius, radius, h-2*radius, colour)
}
