package slack

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"keepwatch"
)

// payload is a message as Slack takes it.
type payload struct {
	Text   string        `json:"text"` // for notifications, escaped
	Blocks []slack.Block `json:"blocks"`
	images int           // how many of them show an uploaded file
}

// toneMark stands before a title. It is a character and no colour: colours exist
// only in attachments, which Slack advises against.
var toneMark = [...]string{keepwatch.ToneInfo: "", keepwatch.ToneGood: "✅ ", keepwatch.ToneWarn: "⚠️ ", keepwatch.ToneBad: "❌ "}

// render makes a message of Slack's. It stays within every limit, whatever the
// message: what does not fit is left out, with a sentence that says so. Text
// that is not ours stands in plain_text and rich_text only, where nothing in it
// is read as a mention, a link or formatting.
// images are blocks that show its files, before its buttons.
func render(m keepwatch.Message, images ...slack.Block) payload {
	blocks := blocksOf(m, maxBlocks, maxMessage, images...)
	text := escape(plain(m, maxPreview))
	return payload{Text: text, Blocks: blocks, images: len(images)}
}

// blocksOf renders a message into so many blocks with so much text at the most.
func blocksOf(m keepwatch.Message, blocks, text int, images ...slack.Block) []slack.Block {
	b := builder{room: blocks - len(images), left: text - len(images)*maxAlt}
	actions := b.actions(m)
	b.room -= len(actions) + 1 // the sentence about what is left out always has its place
	b.left -= maxHolder
	b.title(m)
	for _, block := range m.Blocks {
		b.block(block)
	}
	if s := b.omitted(); s != "" {
		b.blocks = append(b.blocks, plainSection(s))
	}
	return append(append(b.blocks, images...), actions...)
}

// builder collects blocks within the limits of a message.
type builder struct {
	blocks []slack.Block
	room   int // blocks that there is room for
	left   int // characters that there is room for
	ids    int // actions that were given an id
	rows   int // rows of tables left out
	parts  int // other parts left out, or cut
	choice int // buttons and options left out
}

// add takes a block in that has so much text, and reports false where there is
// no room for it.
func (b *builder) add(block slack.Block, text int) bool {
	if b.room < 1 || text > b.left {
		return false
	}
	b.blocks = append(b.blocks, block)
	b.room--
	b.left -= text
	return true
}

// omitted says what does not fit.
func (b *builder) omitted() string {
	var what []string
	if b.rows > 0 {
		what = append(what, keepwatch.FormatCount(int64(b.rows), "more row"))
	}
	if b.parts > 0 {
		what = append(what, keepwatch.FormatCount(int64(b.parts), "more part"))
	}
	if b.choice > 0 {
		what = append(what, keepwatch.FormatCount(int64(b.choice), "more choice"))
	}
	if len(what) == 0 {
		return ""
	}
	return "… and " + strings.Join(what, ", ") + ", too long for a message of Slack. Ask for less at once to see them."
}

func plainText(text string) *slack.TextBlockObject {
	no := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: text, Emoji: &no}
}

func plainSection(text string) slack.Block {
	return slack.NewSectionBlock(plainText(text), nil, nil)
}

// title is a header; one that is too long for it follows in full.
func (b *builder) title(m keepwatch.Message) {
	title := line(m.Title)
	if title == "" {
		return
	}
	head := clip(toneMark[m.Tone&3]+title, maxHeader)
	b.add(slack.NewHeaderBlock(plainText(head)), length(head))
	if length(toneMark[m.Tone&3]+title) > maxHeader {
		b.text(title)
	}
}

func (b *builder) block(block keepwatch.Block) {
	switch {
	case block.Text != "":
		b.text(clean(block.Text))
	case block.Code != "":
		b.code(clean(block.Code))
	case len(block.Fields) > 0:
		b.fields(block.Fields)
	case block.Table != nil:
		b.table(*block.Table)
	case block.Progress != nil:
		text := progress(*block.Progress)
		b.add(plainSection(text), length(text))
	}
}

// pieces divides a text into pieces that fit into a section, as many as there is
// room for, and hands them to put.
func (b *builder) pieces(text string, put func(piece string) slack.Block) {
	for text = strings.Trim(text, "\n"); !blankText(text); {
		var piece string
		piece, text = cut(text, min(maxSection, b.left))
		if blankText(piece) || !b.add(put(piece), length(piece)) {
			b.parts++
			return
		}
	}
}

func (b *builder) text(text string) {
	b.pieces(text, func(piece string) slack.Block { return plainSection(strings.TrimRight(piece, "\n ")) })
}

// code is preformatted rich text, not a ``` of mrkdwn: backticks in it end
// nothing.
func (b *builder) code(text string) {
	b.pieces(text, func(piece string) slack.Block { return rich(preformatted(strings.TrimRight(piece, "\n"))) })
}

func rich(elements ...slack.RichTextElement) slack.Block {
	return slack.NewRichTextBlock("", elements...)
}

func preformatted(text string) slack.RichTextElement {
	return &slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{literal(text)}}
}

func bold(text string) slack.RichTextSectionElement {
	return slack.NewRichTextSectionTextElement(text, &slack.RichTextSectionTextStyle{Bold: true})
}

func literal(text string) slack.RichTextSectionElement {
	return slack.NewRichTextSectionTextElement(text, nil)
}

// fields are lines of "name: value": two columns of fields leave too little room
// on a phone. A time is mrkdwn, for the reader's own zone; nothing that anybody
// typed stands beside it.
func (b *builder) fields(fields []keepwatch.Field) {
	var lines []slack.RichTextSectionElement
	used := 0
	flush := func() {
		if len(lines) > 0 && !b.add(rich(slack.NewRichTextSection(lines...)), used) {
			b.parts++
		}
		lines, used = nil, 0
	}
	for _, f := range fields {
		name := clip(line(f.Name), maxButton)
		if !f.Time.IsZero() {
			flush()
			text := date(f.Time)
			if name = strings.Map(unformatted, name); name != "" {
				text = "*" + escape(name) + ":* " + text
			}
			mrkdwn := slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
			if !b.add(slack.NewSectionBlock(mrkdwn, nil, nil), len(text)) {
				b.parts++
			}
			continue
		}
		value := clip(strings.TrimRight(clean(f.Value), "\n "), maxSection-2*maxButton)
		if blankText(value) {
			value = "–"
		}
		if n := length(name) + length(value) + 3; used+n > maxSection || used+n > b.left {
			flush()
		}
		if len(lines) > 0 {
			lines = append(lines, literal("\n"))
		}
		if name != "" {
			lines = append(lines, bold(name+":"), literal(" "+value))
		} else {
			lines = append(lines, literal(value))
		}
		used += length(name) + length(value) + 3
	}
	flush()
}

// unformatted drops the characters that format mrkdwn.
func unformatted(c rune) rune {
	if strings.ContainsRune("*_~`", c) {
		return -1
	}
	return c
}

// progress is a bar of text and, below it, what is known in figures.
func progress(p keepwatch.Progress) string {
	figures := figures(p)
	f, known := p.Fraction()
	if !known {
		return figures
	}
	const width = 16
	full := int(max(f, 0) * width)
	return fmt.Sprintf("%s%s %d %%\n%s", strings.Repeat("█", full), strings.Repeat("░", width-full), int(max(f, 0)*100), figures)
}

// figures says in one line how far a progress is.
func figures(p keepwatch.Progress) string {
	if parts := p.Figures(); len(parts) > 0 {
		return strings.Join(parts, ", ")
	}
	return "It has just begun."
}
