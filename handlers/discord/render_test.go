package discord

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// golden holds a text to a file of testdata. With KEEPWATCH_UPDATE=1 it writes
// the file anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if os.Getenv("KEEPWATCH_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// read prints a body as somebody reads it.
func read(p payload) string {
	var b strings.Builder
	b.WriteString(p.Content + "\n")
	for _, e := range p.Embeds {
		fmt.Fprintf(&b, "┌ %06x\n", e.Color)
		for _, l := range strings.Split(e.Description, "\n") {
			b.WriteString("│ " + l + "\n")
		}
		for _, f := range e.Fields {
			inline := ""
			if f.Inline {
				inline = " (beside)"
			}
			fmt.Fprintf(&b, "│ %s%s: %s\n", f.Name, inline, f.Value)
		}
		if e.Footer != nil {
			b.WriteString("│ " + e.Footer.Text + "\n")
		}
		if e.Image != nil {
			b.WriteString("│ <" + e.Image.URL + ">\n")
		}
	}
	if p.Attachments != nil {
		for _, a := range *p.Attachments {
			fmt.Fprintf(&b, "<%s %s: %s>\n", a.ID, a.Filename, a.Description)
		}
	}
	for _, row := range p.Components {
		for _, c := range row.(discordgo.ActionsRow).Components {
			switch c := c.(type) {
			case discordgo.Button:
				fmt.Fprintf(&b, "[%s|%d|%s] ", c.Label, c.Style, c.CustomID)
			case discordgo.SelectMenu:
				fmt.Fprintf(&b, "{%s: %d options, %q → %q … %q}", c.Placeholder, len(c.Options), c.CustomID, c.Options[0].Value, c.Options[len(c.Options)-1].Label)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// within reports every limit that a body breaks.
func within(p payload) (broken []string) {
	bad := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if size(p.Content) > maxContent {
		bad("content %d", size(p.Content))
	}
	if p.total() > maxEmbedsTotal || len(p.Embeds) > maxEmbeds {
		bad("embeds %d, %d characters", len(p.Embeds), p.total())
	}
	if p.Content == "" && len(p.Embeds) == 0 {
		bad("an empty message")
	}
	for _, e := range p.Embeds {
		if size(e.Description) > maxDescription || len(e.Fields) > maxFields || e.Description == "" && len(e.Fields) == 0 && e.Image == nil {
			bad("an embed of %d characters and %d fields", size(e.Description), len(e.Fields))
		}
		if e.Footer != nil && size(e.Footer.Text) > 2048 {
			bad("a footer of %d", size(e.Footer.Text))
		}
		for _, f := range e.Fields {
			if size(f.Name) > maxFieldName || size(f.Value) > maxFieldValue || strings.TrimSpace(f.Name) == "" || strings.TrimSpace(f.Value) == "" {
				bad("a field %q of %d characters", f.Name, size(f.Value))
			}
		}
	}
	return append(broken, withinRows(p.Components)...)
}

func withinRows(rows []discordgo.MessageComponent) (broken []string) {
	bad := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if len(rows) > maxRows {
		bad("%d rows", len(rows))
	}
	seen := map[string]bool{}
	id := func(id string) {
		if id == "" || len(id) > maxCustomID || seen[id] {
			bad("the custom_id %q", id)
		}
		seen[id] = true
	}
	for _, row := range rows {
		parts := row.(discordgo.ActionsRow).Components
		if len(parts) == 0 || len(parts) > maxRowButtons {
			bad("a row of %d", len(parts))
		}
		for _, c := range parts {
			switch c := c.(type) {
			case discordgo.Button:
				id(c.CustomID)
				if c.Label == "" || size(c.Label) > maxLabel {
					bad("the label %q", c.Label)
				}
			case discordgo.SelectMenu:
				id(c.CustomID)
				if len(parts) != 1 || len(c.Options) == 0 || len(c.Options) > maxOptions || size(c.Placeholder) > maxPlaceholder {
					bad("a menu of %d", len(c.Options))
				}
				values := map[string]bool{}
				for _, o := range c.Options {
					if o.Value == "" || size(o.Value) > maxOption || values[o.Value] {
						bad("the value %q", o.Value)
					}
					values[o.Value] = true
					if o.Label == "" || size(o.Label) > maxOption {
						bad("the option %q", o.Label)
					}
				}
			}
		}
	}
	return broken
}

const hostile = "<!channel> <@1234567> <@&99> <#1> @everyone @here [click](https://evil.example) **b** _i_ ~~s~~ ||x|| `c` ```\nescape\n``` # h\n# heading\n> quote\n- list\n1. one\n<t:0:R> </x:1> ex\u202egnp.cod \x1b[2J"

func sources(n int) *keepwatch.Table {
	t := &keepwatch.Table{Head: []string{"Source", "Kind", "Where", "Newest verified archive"}}
	for i := range n {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("customer-%03d", i), "cpanel", fmt.Sprintf("https://web%d.example.net:2083", i), "24 Nov 2026 03:00, 9 h ago"})
	}
	return t
}

func fill[T any](n int, f func(i int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = f(i)
	}
	return all
}

func samples() map[string]keepwatch.Message {
	long := strings.Repeat("directory-with-a-long-name/", 60) + "file.txt"
	cancel := keepwatch.Button{Label: "Cancel", Command: "backup cancel 42", Style: keepwatch.StyleDanger}
	details := keepwatch.Button{Label: "Details", Command: "backup status 42"}
	return map[string]keepwatch.Message{
		"queued": {Title: "Run 42: backup of ruthin-web begins", Run: 42, Blocks: []keepwatch.Block{keepwatch.Text("It is recorded, so that no restart loses it, and begins at once, or when a run under way has ended.")}, Buttons: []keepwatch.Button{cancel, details}},
		"running": {Title: "Run 42: backup of ruthin-web is under way", Run: 42, Blocks: []keepwatch.Block{keepwatch.Text("Reading and sealing (step 2 of 4)"),
			{Progress: &keepwatch.Progress{Bytes: 3 << 20, TotalBytes: 8 << 20, Since: noon.Add(-3 * time.Second), At: noon}}}, Buttons: []keepwatch.Button{cancel, details}},
		"paused": {Title: "Run 42: backup of alis_mail is under way", Run: 42, Blocks: []keepwatch.Block{keepwatch.Text("Downloading the mailbox (step 2 of 6)"),
			{Progress: &keepwatch.Progress{Items: 4000, TotalItems: 12034, Since: noon.Add(-10 * time.Minute), At: noon, Pause: keepwatch.Pause{Why: "Microsoft 365 asks Keepwatch to wait.", Until: noon.Add(10 * time.Minute)}}},
			keepwatch.Text("Microsoft 365 asks Keepwatch to wait. Nothing is lost, and nobody need do anything: the run goes on by itself."), keepwatch.Field{Name: "Waits until", Time: noon.Add(10 * time.Minute)}.Block()}, Buttons: []keepwatch.Button{cancel, details}},
		"done": {Title: "Run 42: backup of alis_mail is done", Tone: keepwatch.ToneGood, Run: 42, Blocks: []keepwatch.Block{
			keepwatch.Text("12,034 items (9.0 MiB) read in 3.0 s, 3.0 MiB/s; sealed to 4.0 MiB."), keepwatch.Text("Verified: read back from disk (90.1 MiB/s), decrypted and unpacked, and the SHA-256 of all 12,034 files compared with the sealed list of contents."),
			{Fields: []keepwatch.Field{{Name: "Archive", Value: "alis_mail/2026-11-24T120000Z"}, {Name: "Where", Value: "data/vault/alis_mail/2026-11-24T120000Z"}, {Name: "Key", Value: "data/age-identity.txt (keep a copy elsewhere: without it no archive opens)"}}},
			keepwatch.Text("To open it without Keepwatch:"), keepwatch.Code("age -d -i data/age-identity.txt data/vault/alis_mail/2026-11-24T120000Z/alis_mail.tar.zst.age | zstd -d | tar x"),
		}, Buttons: []keepwatch.Button{details, {Label: "Restore", Command: "backup restore alis_mail/2026-11-24T120000Z"}}},
		"attention": {Title: "Run 42: backup of ruthin-web needs attention", Tone: keepwatch.ToneBad, Run: 42, Blocks: []keepwatch.Block{keepwatch.Text("The disk of the vault is full: 12 MiB are free and 90 MiB are needed. Make room, then press Retry.")},
			Buttons: []keepwatch.Button{{Label: "Retry", Command: "backup retry 42", Style: keepwatch.StylePrimary}, cancel, details}},
		"cancelled":  {Title: "Run 42: backup of ruthin-web was cancelled", Tone: keepwatch.ToneWarn, Run: 42, Blocks: []keepwatch.Block{keepwatch.Text("By Alis: wrong folder\nNo archive was made of it. Those from before are as they were.")}},
		"failed":     {Title: "Run 42: backup of ruthin-web failed", Tone: keepwatch.ToneBad, Failed: true, Run: 42, Blocks: []keepwatch.Block{keepwatch.Text("Why is not known. An admin finds more in the log.")}, Buttons: []keepwatch.Button{details}},
		"sources500": {Title: "500 sources", Blocks: []keepwatch.Block{{Table: sources(500)}}},
		"narrow":     {Title: "3 runs", Blocks: []keepwatch.Block{{Table: &keepwatch.Table{Head: []string{"Run", "Source", "State"}, Rows: [][]string{{"42", "notes", "done"}, {"41", "日本語", "failed"}, {"40", "👩‍👩‍👧‍👦", "queued"}}}}}},
		"narrow500":  {Title: "500 runs", Blocks: []keepwatch.Block{{Table: &keepwatch.Table{Head: []string{"Run", "Source"}, Rows: fill(500, func(i int) []string { return []string{fmt.Sprint(i), "customer-with-a-name"} })}}}},
		"longest":    {Title: "Run 42: backup of " + strings.Repeat("very-long-name-", 40) + " is done", Blocks: []keepwatch.Block{keepwatch.Text(long), {Fields: []keepwatch.Field{{Name: strings.Repeat("n", 400), Value: long}}}, keepwatch.Code(long)}, Buttons: []keepwatch.Button{{Label: strings.Repeat("label ", 40), Command: "backup show " + long}}},
		"languages":  {Title: "עברית وعربي 👩‍👩‍👧‍👦 日本語", Blocks: []keepwatch.Block{keepwatch.Text("ملف النسخ الاحتياطي.txt\nañadir ñandú 🇬🇧"), {Fields: []keepwatch.Field{{Name: "שם", Value: "ex\u202egnp.cod"}}}}},
		"hostile":    {Title: hostile, Tone: keepwatch.ToneBad, Blocks: []keepwatch.Block{keepwatch.Text(hostile), keepwatch.Code(hostile), {Fields: []keepwatch.Field{{Name: hostile, Value: hostile}}}, {Table: &keepwatch.Table{Head: []string{hostile}, Rows: [][]string{{hostile, hostile}}}}}, Buttons: []keepwatch.Button{{Label: hostile, Command: "backup show " + hostile}}},
		"fields":     {Title: "ruthin-web/2026-11-23T030000Z", Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{{Fields: []keepwatch.Field{{Name: "Of", Value: "all of it"}, {Name: "Made by", Value: "run 42"}, {Name: "Started", Time: noon}, {Name: "Verified", Time: noon.Add(time.Hour)}, {Name: "Where", Value: ""}}}}},
		"menus": {Title: "Which source?", Buttons: []keepwatch.Button{{Label: "Snooze", Command: "reminder snooze 1", Form: &keepwatch.Form{Title: "Snooze", Fields: []keepwatch.FormField{{Name: "until", Label: "Until", Type: keepwatch.FieldDate}}}}},
			Menus: []keepwatch.Menu{{Label: "Which source?", Options: fill(130, func(i int) keepwatch.Button {
				return keepwatch.Button{Label: fmt.Sprintf("customer-%03d", i), Command: fmt.Sprintf("backup start customer-%03d", i)}
			})}}},
		"buttons30": {Title: "Many", Buttons: fill(30, func(i int) keepwatch.Button {
			return keepwatch.Button{Label: fmt.Sprint("b", i), Command: "keepwatch help"}
		})},
		"empty": {},
		"picture": {Title: "Backups in November 2026: all went well", Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{keepwatch.Text("27 good")},
			Files:   []keepwatch.File{{Name: "report-2026-11.png", Type: "image/png", Alt: "23 good days, @everyone", Data: []byte("x")}},
			Buttons: []keepwatch.Button{{Label: "October 2026", Command: "keepwatch report 2026-10"}}},
		"picture-longest": {Title: strings.Repeat("t", 500), Blocks: slices.Repeat([]keepwatch.Block{keepwatch.Text(strings.Repeat("word ", 300))}, 40),
			Files: []keepwatch.File{{Name: "a.png", Type: "image/png", Alt: strings.Repeat("alt ", 1000), Data: []byte("x")}, {Name: "a.png", Type: "image/png", Data: []byte("y")}}},
	}
}

func TestRender(t *testing.T) {
	for name, m := range samples() {
		t.Run(name, func(t *testing.T) {
			p := render(m)
			for _, b := range within(p) {
				t.Errorf("over a limit: %s", b)
			}
			golden(t, "render-"+name, read(p))
			q := plain(m)
			for _, b := range within(q) {
				t.Errorf("plain, over a limit: %s", b)
			}
			if _, err := json.Marshal(p); err != nil {
				t.Error(err)
			}
		})
	}
}

// unescaped gives what of a markdown text Discord would act on: a mention, a
// link, formatting. Code blocks and our own bold and times are taken out before.
func unescaped(markdown string) (bad []string) {
	for i, part := range strings.Split(markdown, "```") {
		if i%2 == 1 {
			continue
		}
		part = own.Replace(part)
		for j := 0; j < len(part); j++ {
			switch c := part[j]; {
			case c == '\\':
				j++ // what follows is taken as it is
			case strings.IndexByte("*_~`|<[", c) >= 0:
				bad = append(bad, part[max(0, j-10):min(len(part), j+20)])
			}
		}
		for _, word := range []string{"://", "@everyone", "@here"} {
			if strings.Contains(part, word) {
				bad = append(bad, word)
			}
		}
	}
	return bad
}

// own is what the renderer itself writes.
var own = strings.NewReplacer("**", "")

func checkEscaped(t *testing.T, m keepwatch.Message) {
	t.Helper()
	p := render(m)
	texts := []string{p.Content}
	for _, e := range p.Embeds {
		texts = append(texts, e.Description)
		for _, f := range e.Fields {
			if !strings.HasPrefix(f.Value, "<t:") {
				texts = append(texts, f.Name, f.Value)
			}
		}
	}
	for _, text := range texts {
		for _, bad := range unescaped(text) {
			t.Errorf("%q gets through in %q", bad, text)
		}
	}
	if p.Mentions.Parse == nil || len(p.Mentions.Parse) > 0 {
		t.Error("mentions are allowed")
	}
}

func TestNothingGetsThrough(t *testing.T) {
	for _, m := range samples() {
		checkEscaped(t, m)
	}
	if len(unescaped("<@1>")) == 0 || len(unescaped(`\<@1\>`)) > 0 || len(unescaped("https://x")) == 0 {
		t.Error("the check itself is blind")
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{hostile, "", "x", strings.Repeat("a ", 3000), "```", "\\", "`\u200b", "12. x\n 3) y", "h\x00\xff", "**", "a\\`b", "|"} {
		f.Add(s, s, s, uint8(3), uint16(4))
	}
	f.Fuzz(func(t *testing.T, title, text, cell string, rows uint8, buttons uint16) {
		table := &keepwatch.Table{Head: []string{cell, text}}
		for range rows {
			table.Rows = append(table.Rows, []string{cell, text, title})
		}
		m := keepwatch.Message{Title: title, Tone: keepwatch.Tone(rows), Blocks: []keepwatch.Block{
			{Text: text}, {Code: text}, {Fields: []keepwatch.Field{{Name: cell, Value: text}, {Name: title, Value: cell}}}, {Table: table}, {Text: cell}},
			Buttons: fill(int(buttons%60), func(i int) keepwatch.Button { return keepwatch.Button{Label: cell, Command: text} }),
			Menus:   []keepwatch.Menu{{Label: title, Options: fill(int(rows), func(i int) keepwatch.Button { return keepwatch.Button{Label: title, Command: cell} })}}}
		for _, b := range append(within(render(m)), within(plain(m))...) {
			t.Errorf("over a limit: %s", b)
		}
		checkEscaped(t, m)
	})
}
