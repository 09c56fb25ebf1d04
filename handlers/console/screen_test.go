package console

import (
	"errors"
	"strings"
	"testing"
)

// drawn is a screen on a terminal of that size.
func drawn(w, h int) (*vt, *screen) {
	v := newVT(w, h)
	return v, &screen{out: v, size: func() (int, int) { return v.w, v.h }}
}

func fixed(f foot) func(int, int) foot { return func(int, int) foot { return f } }

func want(t *testing.T, v *vt, text string) {
	t.Helper()
	if got := v.String(); got != text {
		t.Errorf("there is\n%s\nwant\n%s", got, text)
	}
	if len(v.unknown) > 0 {
		t.Errorf("unknown: %q", v.unknown)
	}
}

func TestScreenDrawsInPlace(t *testing.T) {
	v, s := drawn(20, 6)
	s.draw([]string{"one"}, fixed(foot{rows: []string{"bar 1", "› abc"}, row: 1, col: 3}))
	want(t, v, "one\nbar 1\n› a|bc\n")
	s.draw(nil, fixed(foot{rows: []string{"bar 22", "› abc", "menu"}, row: 1, col: 5}))
	want(t, v, "one\nbar 22\n› abc|\nmenu\n")
	s.draw([]string{"two", "a line that is wider than the terminal"}, fixed(foot{rows: []string{"b", "› ab"}, row: 1, col: 4}))
	want(t, v, "one\ntwo\na line that is wider\n than the terminal\nb\n› ab|\n")
	s.draw(nil, nil)
	want(t, v, "one\ntwo\na line that is wider\n than the terminal\n|\n")
}

// TestScreenAtTheBottom: what scrolls away stays, and the foot with it.
func TestScreenAtTheBottom(t *testing.T) {
	v, s := drawn(20, 4)
	var all strings.Builder
	for _, l := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		s.draw([]string{l}, fixed(foot{rows: []string{"bar", "›"}, row: 1, col: 1}))
		all.WriteString(l + "\n")
	}
	want(t, v, all.String()+"bar\n›|\n")
}

// TestScreenResized: rows that the terminal broke when it became narrower are
// replaced too, and nothing above them is.
func TestScreenResized(t *testing.T) {
	v, s := drawn(40, 20)
	bar := strings.Repeat("=", 39)
	s.draw([]string{"card"}, fixed(foot{rows: []string{bar, "› typed"}, row: 1, col: 7}))
	for _, w := range []int{10, 13, 39, 4, 80, 20} {
		v.resize(w, 20)
		s.draw(nil, func(columns, _ int) foot {
			return foot{rows: []string{strings.Repeat("=", columns-1), "› t"}, row: 1, col: 3}
		})
		want(t, v, "card\n"+strings.Repeat("=", w-1)+"\n› t|\n")
	}
}

// TestScreenIsCalm: what stands there already is not written again.
func TestScreenIsCalm(t *testing.T) {
	var b strings.Builder
	s := &screen{out: &b, size: func() (int, int) { return 80, 24 }}
	f := foot{rows: []string{"bar", "›"}, row: 1, col: 1}
	s.draw(nil, fixed(f))
	n := b.Len()
	s.draw(nil, fixed(f))
	if n == 0 || b.Len() != n {
		t.Errorf("%d bytes, then %d", n, b.Len())
	}
}

func TestScreenClear(t *testing.T) {
	v, s := drawn(20, 3)
	f := fixed(foot{rows: []string{"bar", "›"}, row: 1, col: 1})
	s.draw([]string{"1", "2", "3"}, f)
	s.clear()
	s.draw(nil, f)
	want(t, v, "1\n2\nbar\n›|\n")
}

type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestScreenGone(t *testing.T) {
	s := &screen{out: gone{}, size: func() (int, int) { return 80, 24 }}
	s.draw([]string{"x"}, nil)
	if s.err == nil {
		t.Error("a failed write is not noticed")
	}
}
