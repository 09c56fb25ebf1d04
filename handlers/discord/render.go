package discord

import (
	"fmt"
	"strings"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// maxTitle is where a title is cut; ours are shorter.
const maxTitle = 300

// roomForEnd is kept free for the sentence that says what was left out.
const roomForEnd = 160

// colours of the bar beside an embed, and marks for those who do not see colours
// and for notifications.
func colour(t keepwatch.Tone) int {
	return [...]int{keepwatch.ToneInfo: 0x3B82F6, keepwatch.ToneGood: 0x2E9E5B, keepwatch.ToneWarn: 0xE0A100, keepwatch.ToneBad: 0xD83C3E}[t&3]
}

func mark(t keepwatch.Tone) string {
	return [...]string{keepwatch.ToneInfo: "", keepwatch.ToneGood: "✅ ", keepwatch.ToneWarn: "⚠️ ", keepwatch.ToneBad: "❌ "}[t&3]
}

// render makes the body of a message. The title is the content, because that is
// what a phone shows in a notification; the rest stands in embeds in the order of
// its blocks. Whatever the message is, the body keeps within every limit: what has
// no room is left out, and a sentence says so.
func render(m keepwatch.Message) payload {
	p := newPayload()
	title := strings.Join(strings.Fields(m.Title), " ")
	if title != "" {
		p.Content = mark(m.Tone) + "**" + escape(cut(title, maxTitle)) + "**"
	}
	var said []string
	p.Components, said = components(m)
	w := writer{colour: colour(m.Tone), room: maxEmbedsTotal - roomForEnd}
	for _, b := range m.Blocks {
		w.block(b)
	}
	for _, s := range said {
		w.line(s)
	}
	p.Embeds = w.finish()
	p.attach(m.Files, colour(m.Tone))
	if p.Content == "" && len(p.Embeds) == 0 {
		p.Content = mark(m.Tone) + "Done." // Discord refuses a message of buttons alone, or of nothing
	}
	return p
}

// writer fills embeds from the top down.
type writer struct {
	colour int
	room   int // characters that are left in all embeds
	embeds []*discordgo.MessageEmbed
	text   strings.Builder // description of the embed under way
	fields []*discordgo.MessageEmbedField
	full   bool // there was something that had no room
	left   int  // rows of a table among it
}

func (w *writer) block(b keepwatch.Block) {
	switch {
	case b.Text != "":
		w.gap()
		for l := range strings.SplitSeq(b.Text, "\n") {
			if w.full {
				return
			}
			w.long(l)
		}
	case b.Code != "":
		w.code(b.Code)
	case len(b.Fields) > 0:
		for _, f := range b.Fields {
			w.field(f)
		}
	case b.Table != nil:
		w.table(*b.Table)
	case b.Progress != nil:
		w.gap()
		w.line(progress(*b.Progress))
	}
}

// gap puts an empty line between what stands and what comes.
func (w *writer) gap() {
	if w.text.Len() > 0 && len(w.fields) == 0 {
		w.line("")
	}
}

// long writes a plain line, in several pieces where it is longer than an embed.
func (w *writer) long(plain string) {
	const piece = 1500 // escaped it is at most twice as long, and a little
	for !w.full && size(plain) > piece {
		head := strings.TrimSuffix(cut(plain, piece), "…")
		if len(head) == 0 || len(head) >= len(plain) {
			break
		}
		w.line(escape(head))
		plain = plain[len(head):]
	}
	w.line(escape(plain))
}

// line writes a line of markdown, whole or not at all.
func (w *writer) line(markdown string) bool {
	if w.full {
		return false
	}
	if len(w.fields) > 0 || size(w.text.String())+size(markdown)+1 > maxDescription {
		w.close()
	}
	if len(w.embeds) == maxEmbeds || size(markdown)+1 > w.room || size(markdown) > maxDescription {
		w.full = true
		return false
	}
	if w.text.Len() == 0 && strings.TrimSpace(markdown) == "" {
		return true // an embed does not begin with nothing
	}
	w.text.WriteString(markdown + "\n")
	w.room -= size(markdown) + 1
	return true
}

// close ends the embed under way.
func (w *writer) close() {
	text := strings.Trim(w.text.String(), "\n")
	if text != "" || len(w.fields) > 0 {
		w.embeds = append(w.embeds, &discordgo.MessageEmbed{Description: text, Fields: w.fields, Color: w.colour})
	}
	w.text.Reset()
	w.fields = nil
}

// code writes literal text: whole, or its first lines with the sentence behind.
func (w *writer) code(text string) {
	room := min(maxDescription, w.room) - size(fence("")) - 2
	lines := strings.Split(text, "\n")
	n := 0
	for ; n < len(lines); n++ {
		if room -= size(fence(lines[n])) - size(fence("")) + 1; room < 0 {
			break
		}
	}
	if n > 0 {
		w.line(fence(strings.Join(lines[:n], "\n")))
	}
	w.full = w.full || n < len(lines)
}

// field writes a name and its value; a long value is a paragraph, because the
// field of an embed takes little.
func (w *writer) field(f keepwatch.Field) {
	// Cleaned before it is cut: a byte that is no text becomes four characters.
	name, value := escape(cut(keepwatch.Clean(f.Name), 100)), escape(f.Value)
	if !f.Time.IsZero() {
		value = stamp(f)
	}
	if strings.TrimSpace(name) == "" {
		name = "–"
	}
	if strings.TrimSpace(value) == "" {
		value = "–"
	}
	if size(value) > maxFieldValue {
		w.gap()
		w.line("**" + name + "**")
		w.long(f.Value)
		return
	}
	if len(w.fields) == maxFields {
		w.close()
	}
	if w.full || len(w.embeds) == maxEmbeds || size(name)+size(value) > w.room {
		w.full = true
		return
	}
	const short = 24 // three of them stand side by side on a desk, and below each other on a phone
	w.fields = append(w.fields, &discordgo.MessageEmbedField{Name: name, Value: value, Inline: size(value) <= short || !f.Time.IsZero()})
	w.room -= size(name) + size(value)
}

// stamp writes an instant in the reader's own zone, and how far away it is.
func stamp(f keepwatch.Field) string {
	return fmt.Sprintf("<t:%d:f> (<t:%[1]d:R>)", f.Time.Unix())
}

// finish gives the embeds.
func (w *writer) finish() []*discordgo.MessageEmbed {
	if !w.full {
		w.close()
		return append([]*discordgo.MessageEmbed{}, w.embeds...)
	}
	end := "… There is more than Discord takes in one message; the rest is left out here. Ask for less at once, or in the terminal."
	if w.left > 0 {
		end = fmt.Sprintf("… and %s that have no room here. Name one to see it alone, or ask in the terminal.", keepwatch.FormatCount(int64(w.left), "more row"))
	}
	if len(w.fields) > 0 || size(w.text.String())+size(end) > maxDescription {
		w.close()
	}
	if len(w.embeds) == maxEmbeds { // the last one has made room
		last := w.embeds[maxEmbeds-1]
		last.Footer = &discordgo.MessageEmbedFooter{Text: end}
		return w.embeds
	}
	w.text.WriteString(end)
	w.close()
	return w.embeds
}

// progress draws a bar, with what is known beside it.
func progress(p keepwatch.Progress) string {
	const cells = 12
	var parts []string
	f, known := p.Fraction()
	if known {
		full := int(f * cells)
		parts = append(parts, strings.Repeat("▰", full)+strings.Repeat("▱", cells-full)+fmt.Sprintf(" %d %%", int(f*100)))
	}
	parts = append(parts, p.Figures()...)
	if len(parts) == 0 {
		return "…"
	}
	return strings.Join(parts, " · ")
}

// plain makes a body of content alone, cut to fit: for the message that Discord
// refuses as it was rendered, so that what it says arrives all the same.
func plain(m keepwatch.Message) payload {
	rich := render(m)
	lines := []string{rich.Content}
	for _, e := range rich.Embeds {
		lines = append(lines, e.Description)
		for _, f := range e.Fields {
			lines = append(lines, "**"+f.Name+"**: "+f.Value)
		}
		if e.Footer != nil {
			lines = append(lines, e.Footer.Text)
		}
	}
	for _, b := range m.AllButtons() {
		lines = append(lines, escape(b.Label+": /"+b.Command))
	}
	const end = "\n… The rest has no room here. Ask in the terminal."
	p := newPayload()
	fenced := false
	for _, l := range strings.Split(strings.Join(lines, "\n"), "\n") {
		closing := ""
		if fenced || l == "```" {
			closing = "\n```"
		}
		if size(p.Content)+size(l)+size(closing)+size(end)+1 > maxContent {
			if fenced {
				p.Content += "\n```"
			}
			p.Content += end
			break
		}
		if l == "```" {
			fenced = !fenced
		}
		p.Content += l + "\n"
	}
	p.Content = strings.TrimSpace(p.Content)
	return p
}
