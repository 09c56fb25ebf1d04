package keepwatch_test

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// TestFiguresOfItems: where items tell how far it is, bytes are only named, and the time
// left is no more exact than it can be.
func TestFiguresOfItems(t *testing.T) {
	began := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	p := keepwatch.Progress{Items: 12_034, TotalItems: 32_500, Bytes: 1 << 30, Since: began, At: began.Add(11 * time.Minute)}
	if got, want := strings.Join(p.Figures(), ", "), "12,034 of 32,500 items, 1.0 GiB, about 19 min left"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.Bytes, p.Pause = 0, keepwatch.Pause{Until: began.Add(time.Hour)} // nobody knows how long it takes then
	if got, want := strings.Join(p.Figures(), ", "), "12,034 of 32,500 items"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p = keepwatch.Progress{Items: 37, TotalItems: 100, Share: true, Since: began, At: began.Add(37 * time.Minute)}
	if got, want := strings.Join(p.Figures(), ", "), "about 1 h 3 min left"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
