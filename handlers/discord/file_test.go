package discord

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/discord/discordtest"
)

// picture is a small image with a message.
func picture(t *testing.T) keepwatch.File {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return keepwatch.File{Name: "report 2026-11 (é).png", Type: "image/png", Alt: "23 good days @everyone", Data: b.Bytes()}
}

// illustrated is a message with a picture.
func illustrated(r *rig, t *testing.T) keepwatch.Outgoing {
	out := notice(r, "reportreportreport22", "November 2026")
	out.Message.Files = []keepwatch.File{picture(t)}
	return out
}

func checkPicture(t *testing.T, m discordtest.Message, out keepwatch.Outgoing) {
	t.Helper()
	p := m.Pictures()
	if len(p) != 1 || !bytes.Equal(p[0].Data, out.Message.Files[0].Data) || p[0].Name != "report2026-11.png" || p[0].Type != "image/png" || p[0].Description != "23 good days @everyone" {
		t.Errorf("it shows %+v", p)
	}
	if len(m.Pings) > 0 || len(m.Embeds) != 1 {
		t.Errorf("pings %v, embeds %v", m.Pings, m.Embeds)
	}
}

// TestFile: a picture stands below the text, in the same frame; the message has its
// nonce, so that it comes once.
func TestFile(t *testing.T) {
	r := start(t, nil)
	out := illustrated(r, t)
	ref, err := r.Post(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Post(context.Background(), out)
	all := r.srv.Messages(r.srv.ChannelID())
	if err != nil || len(all) != 1 || again != ref || all[0].Nonce != out.ID {
		t.Fatalf("posted again: %s, %s, %v; there is %v", ref, again, err, all)
	}
	checkPicture(t, all[0], out)
	// One that was changed has the new picture alone, and none where there is none.
	card := keepwatch.Card{Channel: out.Channel, Ref: ref}
	if err := r.Edit(context.Background(), card, out.Message); err != nil {
		t.Fatal(err)
	}
	now, _ := r.srv.Message(ref)
	checkPicture(t, now, out)
	if len(now.Files) != 1 {
		t.Errorf("edited it has %d files", len(now.Files))
	}
	out.Message.Files = nil
	if err := r.Edit(context.Background(), card, out.Message); err != nil {
		t.Fatal(err)
	}
	if now, _ = r.srv.Message(ref); len(now.Files) != 0 || len(now.Pictures()) != 0 {
		t.Errorf("edited without it has %d files", len(now.Files))
	}
}

// TestFileInAnAnswer: the answer to a command has its picture.
func TestFileInAnAnswer(t *testing.T) {
	r := start(t, nil)
	want := illustrated(r, t)
	r.counter.answer = func(d keepwatch.Delivery) *keepwatch.Outgoing { return out(d, want.Message) }
	for _, line := range []string{"backup sources", "keepwatch help"} {
		m := r.reply(r.command(line, nil))
		checkPicture(t, m, want)
		if !m.Ephemeral {
			t.Errorf("%s is answered to all", line)
		}
	}
}

// TestFileRefused: a message whose file is refused comes without, with a sentence; what
// may pass is waited for.
func TestFileRefused(t *testing.T) {
	r := start(t, nil)
	refusals := map[string]struct {
		fault discordtest.Fault
		prep  func(*keepwatch.Outgoing)
		says  string
	}{
		"aaaaaaaaaaaaaaaaaaaa": {fault: discordtest.Fault{Status: 413, Code: 40005}, says: "too large for Discord"},
		"bbbbbbbbbbbbbbbbbbbb": {fault: discordtest.Fault{Status: 403, Code: 400001}, says: "does not take it (400001)"},
		"cccccccccccccccccccc": {prep: func(*keepwatch.Outgoing) {
			p := discordtest.AllPermissions()
			p.AttachFiles = false
			r.srv.SetPermissions(r.srv.ChannelID(), p)
		}, says: "Attach Files"},
		"dddddddddddddddddddd": {prep: func(o *keepwatch.Outgoing) { o.Message.Files[0].Data = make([]byte, keepwatch.MaxFile+1) }, says: "larger than"},
	}
	for id, c := range refusals {
		o := illustrated(r, t)
		o.ID = id
		r.clock.Advance(10 * time.Second)
		if c.fault.Status != 0 {
			r.srv.Fail(createRoute, 1, c.fault)
		}
		if c.prep != nil {
			c.prep(&o)
		}
		ref, err := r.Post(context.Background(), o)
		if err != nil {
			t.Errorf("%s: %v", c.says, err)
			continue
		}
		if m, _ := r.srv.Message(ref); len(m.Files) != 0 || !strings.Contains(m.Text(), c.says) || !strings.Contains(m.Text(), "November") {
			t.Errorf("%s: it says %s", c.says, m)
		}
		r.srv.SetPermissions(r.srv.ChannelID(), discordtest.AllPermissions())
	}
	before := len(r.srv.Messages(r.srv.ChannelID()))
	r.srv.Fail(createRoute, 1, discordtest.Fault{Status: 429, RetryAfter: 3 * time.Second})
	o := illustrated(r, t)
	_, err := r.Post(context.Background(), o)
	var p *keepwatch.PostError
	if !errors.As(err, &p) || p.Verdict != keepwatch.VerdictLater || len(r.srv.Messages(r.srv.ChannelID())) != before {
		t.Errorf("a 429 gives %v", err)
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{"report.png": "report.png", "../../etc": "etc", `a"b` + "\r\n.png": "ab.png", "ñ": "file", strings.Repeat("x", 200) + ".png": strings.Repeat("x", 96) + ".png"} {
		if got := fileName(0, name); got != want {
			t.Errorf("%q gives %q", name, got)
		}
	}
	if fileName(1, "report.png") == fileName(0, "report.png") {
		t.Error("two files have one name")
	}
}
