package slack

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// picture is a small image with a message.
func picture(t *testing.T) keepwatch.File {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return keepwatch.File{Name: "report-2026-11.png", Type: "image/png", Alt: "23 good days & <one> missed", Data: b.Bytes()}
}

// illustrated is a message with a picture and a button.
func illustrated(t *testing.T) keepwatch.Outgoing {
	out := outgoing("report")
	out.Message = keepwatch.Message{Title: "November 2026", Blocks: []keepwatch.Block{keepwatch.Text("23 good days")}, Files: []keepwatch.File{picture(t)},
		Buttons: []keepwatch.Button{{Label: "October", Command: "keepwatch report 2026-10"}}}
	return out
}

// insist posts as the outbox does, without its pauses, and gives how often it tried.
func (w *world) insist(t *testing.T, out keepwatch.Outgoing) (ref string, tries int) {
	t.Helper()
	for tries = 1; tries < 30; tries++ {
		ref, err := w.f.Post(w.ctx, out)
		var p *keepwatch.PostError
		switch {
		case err == nil:
			return ref, tries
		case !errors.As(err, &p) || p.Verdict != keepwatch.VerdictLater:
			t.Fatalf("try %d: %v", tries, err)
		case p.After > unready: // a 429
			w.f.http.Transport.(*fence).till = map[string]time.Time{}
		}
	}
	t.Fatal("it is tried for ever")
	return "", 0
}

func begin(t *testing.T) *world {
	return start(t, overHTTP, slacktest.Config{Clock: slacktest.NewClock(time.Now()), Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
}

// TestFile: a file stands in the message as a picture, before its buttons, and is in
// no channel by itself.
func TestFile(t *testing.T) {
	w := begin(t)
	out := illustrated(t)
	if _, tries := w.insist(t, out); tries != 1 {
		t.Errorf("it took %d tries", tries)
	}
	all := w.Messages(slacktest.Ops)
	if len(all) != 1 || len(all[0].Images()) != 1 || len(w.Files(slacktest.Ops)) != 0 {
		t.Fatalf("there is %+v", all)
	}
	file, there := w.Uploaded(all[0].Images()[0])
	if !there || !bytes.Equal(file.Content, out.Message.Files[0].Data) || file.Name != "report-2026-11.png" || file.Comment != "23 good days & <one> missed" {
		t.Errorf("the file is %+v", file)
	}
	blocks := string(all[0].Blocks)
	if at := strings.Index(blocks, `"image"`); at < strings.Index(blocks, "23 good days") || at > strings.Index(blocks, `"actions"`) {
		t.Errorf("the picture stands in the wrong place: %s", blocks)
	}
	if v := w.SchemaViolations(); len(v) > 0 {
		t.Errorf("Block Kit: %v", v)
	}
	if left := len(w.f.uploads.of); left != 0 {
		t.Errorf("%d messages are remembered", left)
	}
}

// TestFileAddress: with another address for the API files go there too, whatever host
// Slack names, and never with the bot's token.
func TestFileAddress(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Files: "https://files.slack.com", Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	w.insist(t, illustrated(t))
	calls := w.Calls("upload")
	if len(calls) != 1 || calls[0].Status != 200 || calls[0].Args["authorization"] != nil {
		t.Errorf("uploaded by %+v", calls)
	}
}

// TestFileWithoutTheBot: where the bot is not in the channel, a picture goes by the
// response_url.
func TestFileWithoutTheBot(t *testing.T) {
	w := begin(t)
	w.SlowFiles(1)
	var scopes []string
	for _, s := range slacktest.AllScopes() {
		if s != "chat:write.public" {
			scopes = append(scopes, s)
		}
	}
	w.SetScopes(scopes...)
	w.acked(t, w.Command(slacktest.Alis, slacktest.Random, "/keepwatch", "report"))
	d := w.c.wait(t, 1, 0)[0]
	out := illustrated(t)
	out.Channel, out.Reply = d.Request.Channel, &d.Reply
	out.Reply.Private = false
	if _, tries := w.insist(t, out); tries != 2 {
		t.Errorf("it took %d tries", tries)
	}
	all := w.Messages(slacktest.Random)
	if len(all) != 1 || len(all[0].Images()) != 1 || !strings.Contains(all[0].Plain(), "Invite it") {
		t.Errorf("there is %+v", all)
	}
	if n := len(w.Calls("upload")); n != 1 {
		t.Errorf("it was uploaded %d times", n)
	}
}

// TestFileTrouble: whatever happens on the way of a file, the message is posted once,
// with it or with a sentence.
func TestFileTrouble(t *testing.T) {
	const get, put, end, post = "files.getUploadURLExternal", "upload", "files.completeUploadExternal", "chat.postMessage"
	for name, c := range map[string]struct {
		faults []slacktest.Fault
		slow   int
		scopes []string
		prep   func(o *keepwatch.Outgoing)
		tries  int
		brings int    // how often it is uploaded
		says   string // where it goes without
	}{
		"limited at each step":           {faults: []slacktest.Fault{{Method: get, RetryAfter: 9}, {Method: put, RetryAfter: 9}, {Method: end, RetryAfter: 9}, {Method: post, RetryAfter: 9}}, tries: 5, brings: 2},
		"cut off at each step":           {faults: []slacktest.Fault{{Method: get, Cut: true}, {Method: put, Cut: true}, {Method: end, Cut: true, Done: true}}, tries: 4, brings: 2},
		"broken at each step":            {faults: []slacktest.Fault{{Method: get, Status: 503}, {Method: put, Status: 500}, {Method: end, Error: "fatal_error"}}, tries: 4, brings: 2},
		"an upload address that ran out": {faults: []slacktest.Fault{{Method: put, Status: 404}}, tries: 2, brings: 1},
		"Slack is slow to take it in":    {slow: 3, tries: 4, brings: 1},
		"Slack never takes it in":        {slow: -1, tries: maxUploads + 1, brings: 1, says: "did not take it into the message"},
		"the address is never reached":   {faults: []slacktest.Fault{{Method: put, Cut: true, Times: -1}}, tries: maxUploads, says: "could not be brought"},
		"no scope":                       {scopes: []string{"chat:write", "commands"}, tries: 1, says: "lacks the scope files:write"},
		"switched off":                   {faults: []slacktest.Fault{{Method: get, Error: "file_uploads_disabled"}}, tries: 1, says: "file_uploads_disabled"},
		"too large":                      {prep: func(o *keepwatch.Outgoing) { o.Message.Files[0].Data = make([]byte, keepwatch.MaxFile+1) }, tries: 1, says: "larger than 1.0 MiB"},
		"no picture":                     {prep: func(o *keepwatch.Outgoing) { o.Message.Files[0].Type = "text/csv" }, tries: 1, says: "pictures only"},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			if c.scopes != nil {
				w.SetScopes(c.scopes...)
			}
			if c.slow < 0 {
				c.slow = 1000
			}
			w.SlowFiles(c.slow)
			for _, f := range c.faults {
				w.Fail(f)
			}
			out := illustrated(t)
			if c.prep != nil {
				c.prep(&out)
			}
			_, tries := w.insist(t, out)
			all := w.Messages(slacktest.Ops)
			if len(all) != 1 || !strings.Contains(all[0].Plain(), "23 good days") || len(all[0].Buttons()) != 1 {
				t.Fatalf("there is %+v", all)
			}
			if with := len(all[0].Images()) == 1; with != (c.says == "") || !strings.Contains(all[0].Plain(), c.says) {
				t.Errorf("with the picture: %t; it says %q", with, all[0].Plain())
			}
			brought := 0
			for _, call := range w.Calls(put) {
				if call.Status == 200 {
					brought++
				}
			}
			if tries != c.tries || brought != c.brings {
				t.Errorf("%d tries, uploaded %d times; expected %d and %d", tries, brought, c.tries, c.brings)
			}
			if err := w.f.Ready(); err != nil {
				t.Errorf("a file that is not taken makes the bot unready: %v", err)
			}
		})
	}
}

// TestFileAnswerLost: where the answer to the message is lost, it is found again with
// its picture.
func TestFileAnswerLost(t *testing.T) {
	w := begin(t)
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Cut: true, Done: true})
	out := illustrated(t)
	out.Tried = time.Now()
	_, err := w.f.Post(w.ctx, out)
	var p *keepwatch.PostError
	if !errors.As(err, &p) || p.Verdict != keepwatch.VerdictUnsure {
		t.Fatalf("it gives %v", err)
	}
	ref, found, err := w.f.Find(w.ctx, out)
	if all := w.Messages(slacktest.Ops); err != nil || !found || len(all) != 1 || ref != reference(slacktest.Ops, all[0].TS) || len(all[0].Images()) != 1 {
		t.Errorf("found %s %t %v; there is %v", ref, found, err, all)
	}
}

// TestFileEdited: an edit with a file shows it, and one without takes it away.
func TestFileEdited(t *testing.T) {
	w := begin(t)
	out := illustrated(t)
	ref, _ := w.insist(t, out)
	card := keepwatch.Card{ID: out.ID, Channel: out.Channel, Ref: ref}
	first := w.Messages(slacktest.Ops)[0].Images()
	if err := w.f.Edit(w.ctx, card, out.Message); err != nil {
		t.Fatal(err)
	}
	if second := w.Messages(slacktest.Ops)[0].Images(); len(second) != 1 || second[0] == first[0] {
		t.Errorf("it shows %v after %v", second, first)
	}
	out.Message.Files = nil
	if err := w.f.Edit(w.ctx, card, out.Message); err != nil {
		t.Fatal(err)
	}
	if last := w.Messages(slacktest.Ops)[0].Images(); len(last) != 0 {
		t.Errorf("it still shows %v", last)
	}
}

// TestFileForOne: what one person is shown can have a picture, by the response_url and
// without it.
func TestFileForOne(t *testing.T) {
	w := begin(t)
	w.SlowFiles(1)
	w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/keepwatch", "report"))
	d := w.c.wait(t, 1, 0)[0]
	for _, id := range []string{"by the address", "by the API"} {
		out := illustrated(t)
		out.ID, out.Reply = id, &d.Reply
		out.Reply.To = d.Request.Account
		if _, tries := w.insist(t, out); tries != 2 {
			t.Errorf("%s: %d tries", id, tries)
		}
		d.Reply.Token = ""
	}
	all := w.Ephemerals(slacktest.Alis, slacktest.Ops)
	if len(all) != 2 || len(all[0].Images()) != 1 || len(all[1].Images()) != 1 {
		t.Errorf("there is %+v", all)
	}
}
