package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/slack/slacktest"
)

var day = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

// cards gives what the router makes of runs in every state.
func cards(t testing.TB) map[string]keepwatch.Message {
	t.Helper()
	r, err := handlers.New(handlers.Config{
		Runs: struct{ handlers.Runs }{}, Sources: noSources{}, History: struct{ handlers.History }{}, Audit: struct{ handlers.Audit }{},
		Vault: vaultPath{}, Check: noCheck, KeyFile: "/srv/keepwatch/data/age-identity.txt", Now: func() time.Time { return day.Add(time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := func(done int) []keepwatch.Step {
		var list []keepwatch.Step
		for i, name := range []string{"plan", "fetch", "verify", "seal"} {
			s := keepwatch.Step{Name: name, Started: day, Ended: day.Add(12 * time.Second), State: keepwatch.StepDone}
			if i >= done {
				s.State, s.Ended = keepwatch.StepRunning, time.Time{}
			}
			list = append(list, s)
		}
		return list
	}
	run := func(state keepwatch.RunState, change func(*keepwatch.Run)) keepwatch.Message {
		run := keepwatch.Run{ID: 42, Kind: keepwatch.RunBackup, Source: "ruthin-web", State: state, By: "Alis", Where: "slack:C0OPS", Created: day, Steps: steps(1)}
		if change != nil {
			change(&run)
		}
		return r.RunMessage(run)
	}
	done := keepwatch.Result{
		Archive: "ruthin-web/2026-11-24T030000Z", Items: 12034, Bytes: 3 << 30,
		Sealed:       []keepwatch.SealedFile{{Name: "home.tar.zst.age", Size: 1 << 30}},
		Verification: &keepwatch.Verification{At: day, Level: keepwatch.LevelOpened, Files: 12034, Bytes: 3 << 30, Sealed: 1 << 30, Took: 9 * time.Second},
	}
	return map[string]keepwatch.Message{
		"queued": run(keepwatch.RunQueued, nil),
		"running": run(keepwatch.RunRunning, func(r *keepwatch.Run) {
			r.Progress = keepwatch.Progress{Step: "fetch", Bytes: 1 << 30, TotalBytes: 3 << 30, Items: 4000, TotalItems: 12034, Since: day, At: day.Add(10 * time.Second)}
		}),
		"paused": run(keepwatch.RunRunning, func(r *keepwatch.Run) {
			r.Progress = keepwatch.Progress{Step: "fetch", Items: 4000, TotalItems: 12034, Since: day, At: day.Add(10 * time.Minute),
				Pause: keepwatch.Pause{Why: "Microsoft 365 asks Keepwatch to wait.", Until: day.Add(20 * time.Minute)}}
		}),
		"begun": run(keepwatch.RunRunning, nil),
		"done":  run(keepwatch.RunDone, func(r *keepwatch.Run) { r.Steps, r.Result, r.Ended = steps(4), done, day.Add(time.Minute) }),
		"gaps": run(keepwatch.RunDone, func(r *keepwatch.Run) {
			r.Steps, r.Result = steps(4), done
			r.Result.Notes = []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: "mail/<!channel>.mbox", Text: "permission denied"}}
			r.Result.Counts = map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 1}
		}),
		"cancelled": run(keepwatch.RunCancelled, func(r *keepwatch.Run) { r.CancelledBy, r.CancelReason = "Alis", "wrong folder" }),
		"attention": run(keepwatch.RunAttention, func(r *keepwatch.Run) {
			r.Failure = &keepwatch.Failure{Step: "fetch", Message: "The disk of the vault is full. Free some space on it, then press Retry."}
		}),
		"failed": run(keepwatch.RunFailed, func(r *keepwatch.Run) {
			r.Failure = &keepwatch.Failure{Step: "fetch", Message: "The server refuses the token. An admin can make a new one in cPanel."}
		}),
	}
}

// catalogue is an interface under a name that none of its methods has.
type catalogue = handlers.Sources

type noSources struct{ catalogue }

type vaultPath struct{ handlers.Vault }

func (vaultPath) Path(ref string) string { return "/srv/keepwatch/data/vault/" + ref }

// samples are messages that are hard to render.
func samples(t testing.TB) map[string]keepwatch.Message {
	all := map[string]keepwatch.Message{}
	for name, m := range cards(t) {
		all["run-"+name] = m
	}
	sources := keepwatch.Table{Head: []string{"Source", "What", "Archives", "Newest verified"}}
	for i := range 500 {
		sources.Rows = append(sources.Rows, []string{fmt.Sprintf("account-%03d", i+1), fmt.Sprintf("cPanel account user%d at https://web%d.example.net:2083", i+1, i%9), fmt.Sprint(i % 30), "24 Nov 2026 03:00, 1 h ago"})
	}
	all["table-500"] = keepwatch.Message{Title: "500 sources", Blocks: []keepwatch.Block{{Table: &sources}}, Buttons: []keepwatch.Button{{Label: "Next page", Command: "backup sources --page 2"}}}
	chart := keepwatch.File{Name: "report-2026-11.png", Type: "image/png", Alt: "23 good days, <!channel> & @everyone", Data: []byte("x")}
	all["picture"] = keepwatch.Message{Title: "Backups in November 2026: all went well", Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{keepwatch.Text("27 good")}, Files: []keepwatch.File{chart}, Buttons: []keepwatch.Button{{Label: "October 2026", Command: "keepwatch report 2026-10"}}}
	worst := chart
	worst.Alt = strings.Repeat("alt ", 1000)
	all["picture-longest"] = keepwatch.Message{Title: strings.Repeat("t", 500), Blocks: slices.Repeat([]keepwatch.Block{keepwatch.Text(strings.Repeat("word ", 300))}, 60), Files: []keepwatch.File{worst, worst, {Name: "nameless"}}}
	few := sources
	few.Rows = few.Rows[:3]
	all["table-wide"] = keepwatch.Message{Title: "3 sources", Blocks: []keepwatch.Block{{Table: &few}}}
	all["table-runs"] = keepwatch.Message{Title: "1 run is under way", Tone: keepwatch.ToneWarn, Blocks: []keepwatch.Block{{Table: &keepwatch.Table{
		Head: []string{"Run", "What", "State", "When"}, Rows: [][]string{{"42", "backup of ruthin-web", "running, fetch 33 %", "24 Nov 2026 03:00, just now"}, {"41", "proof of notes/2026-11-23T030000Z", "done", "23 Nov 2026 04:10, 23 h ago"}}}}}}
	all["table-narrow"] = keepwatch.Message{Title: "2 archives", Blocks: []keepwatch.Block{{Table: &keepwatch.Table{Head: []string{"Source", "Size", ""}, Rows: [][]string{{"notes", "1.4 MiB", "pinned"}, {"写真", "10.0 GiB", ""}}}}}}
	all["hostile"] = keepwatch.Message{
		Title: "<!channel> & <@U0123> *bold* `code` :tada:", Tone: keepwatch.ToneBad,
		Blocks: []keepwatch.Block{
			keepwatch.Text("<!everyone> @here <https://evil.example|Slack> ``` ~x~ &lt;\u202egnp.exe\x1b[31m"), keepwatch.Code("rm -rf / ```\n<!channel>\n```"),
			{Fields: []keepwatch.Field{{Name: "*Name* <!here>", Value: "<@U0123|you>"}, {Name: "*When* <!here>_`", Time: day}, {Name: "Empty"}}},
			{Table: &keepwatch.Table{Head: []string{"<!channel>", "b"}, Rows: [][]string{{"<#C1|x>", "```"}}}},
		},
		Buttons: []keepwatch.Button{{Label: "<!channel>", Command: "backup show <!channel>"}, {Label: "", Command: ""}},
	}
	all["scripts"] = keepwatch.Message{Title: "גיבוי של المحفوظات 👩‍👩‍👧‍👦🇬🇧", Blocks: []keepwatch.Block{
		keepwatch.Text("שלום world مرحبا\n日本語のテキスト\ne\u0301\u0302 👍🏽 \u200bzero"),
		{Fields: []keepwatch.Field{{Name: "תיקייה", Value: "קבצים/צילומים"}, {Name: "زمن", Time: day}}},
	}}
	long := strings.Repeat("a-very-long-name ", 400)
	all["longest"] = keepwatch.Message{Title: long, Tone: keepwatch.ToneGood,
		Blocks: []keepwatch.Block{
			keepwatch.Text(long), keepwatch.Code(strings.Repeat("0123456789", 400)), {Fields: []keepwatch.Field{{Name: long, Value: long}, {Name: long, Time: day}}},
			{Table: &keepwatch.Table{Head: []string{long, long}, Rows: [][]string{{long, long}, {long, long}}}}, keepwatch.Text(long),
		},
		Buttons: []keepwatch.Button{{Label: long, Command: "backup show " + long, Style: keepwatch.StyleDanger}},
	}
	var options []keepwatch.Button
	for i := range 620 {
		options = append(options, keepwatch.Button{Label: fmt.Sprintf("account-%03d", i+1), Command: fmt.Sprintf("backup start account-%03d", i+1)})
	}
	all["menu"] = keepwatch.Message{Title: "Which source?", Menus: []keepwatch.Menu{{Label: "Which source?", Options: options}, {Options: options[:2]}, {Label: "empty"}}}
	all["buttons"] = keepwatch.Message{Title: "Restore?", Blocks: []keepwatch.Block{keepwatch.Text("It is shown before it is done.")}, Buttons: []keepwatch.Button{
		{Label: "Restore…", Command: "backup restore notes", Style: keepwatch.StylePrimary, Form: &keepwatch.Form{Title: "Restore", Fields: []keepwatch.FormField{{Name: "to", Flag: true, Label: "Where to"}}}},
		{Label: "No", Command: "backup list"},
	}}
	all["empty"] = keepwatch.Message{}
	return all
}

// encode writes a payload as it goes to Slack, indented.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if os.Getenv("KEEPWATCH_UPDATE") == "1" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; KEEPWATCH_UPDATE=1 writes it anew:\n%s", file, diff)
	}
}

// seen is what a person sees of a payload: its text, and below it the buttons.
func seen(t testing.TB, p payload) string {
	t.Helper()
	raw := encode(t, p.Blocks)
	var b strings.Builder
	b.WriteString("notification: " + strings.ReplaceAll(clip(p.Text, 100), "\n", " / ") + "\n\n" + slacktest.PlainText(raw) + "\n")
	for _, x := range slacktest.Buttons(raw) {
		fmt.Fprintf(&b, "[%s] %s %s\n", x.Label, x.Style, x.Value)
	}
	for _, c := range slacktest.Choices(raw) {
		fmt.Fprintf(&b, "(%s ▾) %d options\n", c.Label, len(c.Options))
	}
	return b.String()
}

func TestRender(t *testing.T) {
	for name, m := range samples(t) {
		t.Run(name, func(t *testing.T) {
			var images []slack.Block
			for i, f := range m.Files {
				images = append(images, pictureBlock(f, fmt.Sprintf("F0000000%d", i)))
			}
			p := render(m, images...)
			check(t, m, p)
			out := []byte(seen(t, p))
			if raw := encode(t, p); len(raw) < 8000 {
				out = append(append(out, "\n--- as it is sent\n"...), raw...)
			}
			golden(t, name, out)
		})
	}
}

// check holds a payload to every limit, and looks for text that could do
// something.
func check(t testing.TB, m keepwatch.Message, p payload) {
	t.Helper()
	raw := encode(t, p.Blocks)
	if len(p.Blocks) > 0 {
		for _, fault := range slacktest.CheckBlocks(raw, maxBlocks) {
			t.Errorf("Slack would refuse it: %s", fault)
		}
	}
	if p.Text == "" || length(unescape(p.Text)) > maxPreview {
		t.Errorf("the text for notifications has %d characters", len(p.Text))
	}
	if got := length(unescape(bare(m))); got > maxText {
		t.Errorf("as plain text it has %d characters", got)
	}
	for _, text := range []string{p.Text, bare(m)} {
		if strings.ContainsAny(text, "<>") {
			t.Errorf("unescaped: %q", text)
		}
	}
	total := 0
	for _, b := range p.Blocks {
		total += visible(t, b)
	}
	if total > maxMessage {
		t.Errorf("its blocks have %d characters together", total)
	}
	if len(p.Blocks) > maxBlocks {
		t.Errorf("it has %d blocks", len(p.Blocks))
	}
}

// visible counts the text of a block, and looks into its mrkdwn: nothing but
// dates may stand there in angle brackets.
func visible(t testing.TB, b slack.Block) int {
	t.Helper()
	n := 0
	switch b := b.(type) {
	case *slack.HeaderBlock:
		n = length(b.Text.Text)
	case *slack.SectionBlock:
		n = length(b.Text.Text)
		if b.Text.Type == slack.MarkdownType {
			_, rest, _ := strings.Cut(b.Text.Text, "<!date^")
			_, rest, _ = strings.Cut(rest, ">")
			if before, _, _ := strings.Cut(b.Text.Text, "<!date^"); strings.ContainsAny(before, "<>`_~") || strings.Count(before, "*") > 2 || strings.ContainsAny(rest, "<>*_~`") {
				t.Errorf("mrkdwn that could do something: %q", b.Text.Text)
			}
			n = 0 // checked, and never long
		}
	case *slack.RichTextBlock:
		for _, e := range b.Elements {
			var elements []slack.RichTextSectionElement
			switch e := e.(type) {
			case *slack.RichTextSection:
				elements = e.Elements
			case *slack.RichTextPreformatted:
				elements = e.Elements
			}
			for _, x := range elements {
				text, ok := x.(*slack.RichTextSectionTextElement)
				if !ok || text.Text == "" {
					t.Errorf("an element of rich text that is not text, or empty: %+v", x)
					continue
				}
				n += length(text.Text)
			}
		}
	}
	return n
}

// TestSchema holds every sample to the JSON schema made from @slack/types.
func TestSchema(t *testing.T) {
	valid := slacktest.BlockSchema(t)
	for name, m := range samples(t) {
		if p := render(m); len(p.Blocks) > 0 {
			if err := valid(encode(t, p.Blocks)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, b := range forms() {
		view, err := form(b, "#x", origin{Channel: "C0OPS"})
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(encode(t, view.Blocks.BlockSet)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// forms are those that are hard to render.
func forms() map[string]keepwatch.Button {
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprintf("choice %d %s", i, strings.Repeat("x", 200)))
	}
	long := strings.Repeat("long ", 1000)
	return map[string]keepwatch.Button{
		"confirm": {Label: "Prune", Command: "backup prune notes --yes", Form: &keepwatch.Form{Title: "Remove 3 archives?", Text: "They cannot be brought back.", Submit: "Remove them"}},
		"fields": {Label: "Restore…", Command: "backup restore notes", Form: &keepwatch.Form{Title: "Restore notes", Text: "Only what you name.", Fields: []keepwatch.FormField{
			{Name: "part", Words: true, Label: "Parts", Hint: "blank: all of it"},
			{Name: "to", Flag: true, Label: "Where to", Value: "/srv/restore", Required: true},
			{Name: "date", Flag: true, Label: "As of", Type: keepwatch.FieldDate, Value: "2026-11-24"},
			{Name: "source", Flag: true, Label: "Which", Type: keepwatch.FieldChoice, Choices: []string{"notes", "pst-drop"}, Value: "pst-drop"},
		}}},
		"hostile": {Command: long, Form: &keepwatch.Form{Title: long, Text: long, Submit: "<!channel>" + long, Fields: []keepwatch.FormField{
			{Name: "", Label: long, Hint: long, Value: long}, {Type: keepwatch.FieldDate, Value: "never"}, {Type: keepwatch.FieldChoice, Choices: many, Value: many[120]}, {Type: keepwatch.FieldChoice},
		}}},
		"empty": {Command: "backup cancel 42", Form: &keepwatch.Form{}},
	}
}

func TestForms(t *testing.T) {
	for name, b := range forms() {
		t.Run(name, func(t *testing.T) {
			view, err := form(b, "#token", origin{Channel: "C0OPS", URL: "https://hooks.slack.com/actions/T1/2/3"})
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range slacktest.CheckBlocks(encode(t, view.Blocks.BlockSet), maxView) {
				t.Errorf("Slack would refuse it: %s", fault)
			}
			for _, text := range []string{view.Title.Text, view.Submit.Text, view.Close.Text} {
				if text == "" || length(text) > maxModal {
					t.Errorf("%q is %d long", text, length(text))
				}
			}
			if raw := encode(t, view); len(raw) < 8000 {
				golden(t, "form-"+name, raw)
			}
		})
	}
}

// FuzzRender: whatever a message holds, it is within every limit and nothing in
// it does anything.
func FuzzRender(f *testing.F) {
	f.Add("<!channel>", "*x*", 3, uint8(2))
	f.Add(strings.Repeat("e\u0301\u0301\u0301", 900), "\u202e&&&&", 70, uint8(9))
	f.Add(strings.Repeat("&<>", 3000), "\n\n\n", 600, uint8(255))
	f.Add("", " \n ", 0, uint8(0))
	f.Add("\xff\xfe", "👩‍👩‍👧‍👦", 40, uint8(77))
	f.Fuzz(func(t *testing.T, a, b string, n int, bits uint8) {
		a, b, n = a[:min(len(a), 10_000)], b[:min(len(b), 10_000)], min(max(n, 0), 300)
		m := keepwatch.Message{Title: a, Tone: keepwatch.Tone(bits & 3)}
		table := keepwatch.Table{Head: []string{a, b}}
		for i := range n {
			table.Rows = append(table.Rows, []string{b, a, fmt.Sprint(i)})
			if bits&4 > 0 && i < 60 {
				m.Blocks = append(m.Blocks, keepwatch.Text(a), keepwatch.Code(b), keepwatch.Block{Fields: []keepwatch.Field{{Name: b, Value: a}, {Name: a, Time: day}}})
			}
			if bits&8 > 0 && i < 80 {
				m.Buttons = append(m.Buttons, keepwatch.Button{Label: a, Command: b + fmt.Sprint(i)})
			}
		}
		m.Blocks = append(m.Blocks, keepwatch.Block{Table: &table}, keepwatch.Text(b), keepwatch.Block{Progress: &keepwatch.Progress{Bytes: int64(n), TotalBytes: int64(bits)}})
		if bits&16 > 0 {
			m.Menus = []keepwatch.Menu{{Label: a, Options: m.Buttons}, {Label: b, Options: m.Buttons}}
		}
		check(t, m, render(m))
	})
}

// Source knows none: no sample is of a mailbox.
func (noSources) Source(name string) (keepwatch.Source, error) {
	return keepwatch.Source{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no source %s.", name)
}
