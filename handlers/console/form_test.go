package console

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func TestLineOf(t *testing.T) {
	field := func(f keepwatch.FormField) keepwatch.FormField { f.Label = "What"; return f }
	must := func(f keepwatch.FormField) keepwatch.FormField { f.Required = true; return field(f) }
	for _, c := range []struct {
		command string
		fields  []keepwatch.FormField
		want    string
	}{
		{"keepwatch step l1 3 problem", []keepwatch.FormField{must(keepwatch.FormField{Name: "value"})}, "/keepwatch step l1 3 problem TEXT"},
		{"authenticator checked pixel", []keepwatch.FormField{must(keepwatch.FormField{Name: "date", Type: keepwatch.FieldDate}), field(keepwatch.FormField{Name: "remarks", Flag: true})},
			`/authenticator checked pixel DATE [--remarks "REMARKS"]`},
		{"authenticator custody bank", []keepwatch.FormField{must(keepwatch.FormField{Name: "where", Words: true})}, "/authenticator custody bank WHERE"},
		{"authenticator dossier phone", []keepwatch.FormField{must(keepwatch.FormField{Name: "value", Words: true, Value: "in the safe"})}, "/authenticator dossier phone in the safe"},
		{"reminder add", []keepwatch.FormField{must(keepwatch.FormField{Name: "when"}), field(keepwatch.FormField{Name: "zone", Flag: true}),
			must(keepwatch.FormField{Name: "channel", Type: keepwatch.FieldChoice, Value: "here"}), must(keepwatch.FormField{Name: "text"})},
			`/reminder add "WHEN" [--zone "ZONE"] here TEXT`},
		{"reminder edit 3", []keepwatch.FormField{must(keepwatch.FormField{Name: "when", Flag: true, Value: "every day at 9"}), must(keepwatch.FormField{Name: "text", Flag: true, Value: `say "hello"`})},
			`/reminder edit 3 --when "every day at 9" --text "say \"hello\""`},
		{"/backup restore notes", []keepwatch.FormField{field(keepwatch.FormField{Name: "to", Flag: true})}, "/backup restore notes"},
		{"keepwatch step l1 3 stop", nil, "/keepwatch step l1 3 stop"},
	} {
		if got := lineOf(keepwatch.Button{Command: c.command, Form: &keepwatch.Form{Fields: c.fields}}); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// asking answers with a button that asks, one that confirms, and one that may ask.
type asking struct{ *bot }

func (a asking) Handle(ctx context.Context, req keepwatch.Request) keepwatch.Message {
	if req.Text != "card" {
		return a.bot.Handle(ctx, req)
	}
	return keepwatch.Message{Title: "A card", Buttons: []keepwatch.Button{
		{Label: "Write…", Command: "step problem", Form: &keepwatch.Form{Title: "What happened?", Text: "Tell it.", Fields: []keepwatch.FormField{
			{Name: "value", Label: "In your words", Hint: "never a code", Required: true},
			{Name: "day", Flag: true, Label: "Day", Type: keepwatch.FieldDate},
			{Name: "who", Flag: true, Label: "Who", Type: keepwatch.FieldChoice, Choices: []string{"Alis", "Bob"}},
		}}},
		{Label: "Stop", Command: "stop", Form: &keepwatch.Form{Title: "Stop?"}},
		{Label: "Restore…", Command: "restore", Form: &keepwatch.Form{Title: "Restore", Fields: []keepwatch.FormField{{Name: "to", Label: "To"}}}},
	}}
}

// TestFormInThePipe: a button that asks shows the line to type, and sends nothing; the
// others of the card stay, and are sent.
func TestFormInThePipe(t *testing.T) {
	b := asking{newBot()}
	var out bytes.Buffer
	c := New(Config{In: strings.NewReader("card\n1\n2\ncard\n3\n"), Out: &out, Chat: b, Follower: b, Location: time.UTC, Now: func() time.Time { return noon }})
	if failed, err := c.Run(t.Context()); failed || err != nil || b.did() != "stop|restore" {
		t.Errorf("%v %v %q", failed, err, b.did())
	}
	card := "• A card\n  1) Write…: /step problem TEXT [--day DAY] [--who WHO]\n  2) Stop: /stop\n  3) Restore…: /restore\n\n"
	want := card + `• What happened?
Tell it.
Type this, with what you mean in place of the capitals:
  /step problem TEXT [--day DAY] [--who WHO]
TEXT  In your words: never a code
DAY   Day, such as 2026-11-24
WHO   Who: one of Alis, Bob
What is in brackets may be left out.

• echo stop

` + card + "• echo restore\n\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

func TestFormInTheChat(t *testing.T) {
	b := asking{newBot()}
	s := openWith(t, 80, Config{Chat: b, Follower: b})
	s.keys("card\r")
	s.expect("Restore…")
	s.keys("1\r")
	s.expect("What happened?")
	s.expect("/step problem TEXT [--day DAY] [--who WHO]")
	s.keys("2\r") // the buttons are still there
	s.expect("echo stop")
	s.keys("\x04")
	s.end()
	if b.did() != "stop" {
		t.Error(b.did())
	}
}

func TestQuit(t *testing.T) {
	for _, word := range []string{"quit", "/Quit"} {
		b := newBot()
		if _, failed, err := piped(b, word+"\nhello\n"); failed || err != nil || b.did() != "exit" {
			t.Errorf("%v %v %q", failed, err, b.did())
		}
	}
}
