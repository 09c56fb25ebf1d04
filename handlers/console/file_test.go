package console

import (
	"context"
	"errors"
	"strings"
	"testing"

	"keepwatch"
)

// chatOf answers everything with one message.
type chatOf struct {
	*bot
	msg keepwatch.Message
}

func (c chatOf) Handle(context.Context, keepwatch.Request) keepwatch.Message { return c.msg }

// TestFile: a file is written beside and named; where there is no place for it, or it
// cannot be written, the message says what it shows.
func TestFile(t *testing.T) {
	msg := keepwatch.Message{Title: "November 2026", Files: []keepwatch.File{{Name: "report.png", Type: "image/png", Alt: "23 good days", Data: []byte("data")}}}
	var kept []keepwatch.File
	for name, c := range map[string]struct {
		keep func(keepwatch.File) (string, error)
		says []string
	}{
		"kept":    {func(f keepwatch.File) (string, error) { kept = append(kept, f); return "/srv/data/report.png", nil }, []string{"in this file:", "\n  /srv/data/report.png\n"}},
		"nowhere": {nil, []string{"23 good days"}},
		"refused": {func(keepwatch.File) (string, error) {
			return "", keepwatch.Errorf(keepwatch.KindAttention, "The disk is full.").Because(errors.New("no space"))
		}, []string{"report.png could not be written. The disk is full.", "23 good days"}},
		"broken": {func(keepwatch.File) (string, error) { return "", errors.New("0xdeadbeef") }, []string{"report.png could not be written. An admin"}},
	} {
		var out strings.Builder
		c1 := New(Config{In: strings.NewReader(""), Out: &out, Chat: chatOf{newBot(), msg}, Keep: c.keep})
		if failed, err := c1.Line(t.Context(), "/keepwatch report"); failed || err != nil {
			t.Errorf("%s: failed %t, %v", name, failed, err)
		}
		for _, s := range c.says {
			if !strings.Contains(out.String(), s) || strings.Contains(out.String(), "0xdead") {
				t.Errorf("%s: it says %q", name, out.String())
			}
		}
	}
	if len(kept) != 1 || string(kept[0].Data) != "data" {
		t.Errorf("kept: %+v", kept)
	}
	d := openWith(t, 80, Config{Chat: chatOf{newBot(), msg}, Keep: func(keepwatch.File) (string, error) { return "/srv/report.png", nil }})
	d.keys("x\r")
	d.expect("/srv/report.png")
	d.keys("\x04")
	d.end()
}
