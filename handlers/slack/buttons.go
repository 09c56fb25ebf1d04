package slack

import (
	"fmt"

	"github.com/slack-go/slack"

	"keepwatch"
)

// actions gives the buttons and menus of a message. They come first when room is
// given out: a message whose buttons are missing is a dead end.
func (b *builder) actions(m keepwatch.Message) []slack.Block {
	var elements []slack.BlockElement
	for _, button := range m.Buttons {
		elements = append(elements, b.button(button))
	}
	var blocks []slack.Block
	for len(elements) > 0 {
		n := min(len(elements), maxElements)
		blocks = append(blocks, slack.NewActionBlock("", elements[:n]...))
		elements = elements[n:]
	}
	for _, menu := range m.Menus {
		blocks = append(blocks, b.menu(menu)...)
	}
	if most := b.room / 2; len(blocks) > most {
		for _, left := range blocks[most:] {
			b.choice += choices(left)
		}
		blocks = blocks[:most]
	}
	return blocks
}

// choices counts what may be pressed in an actions block.
func choices(block slack.Block) int {
	n := 0
	for _, e := range block.(*slack.ActionBlock).Elements.ElementSet {
		if s, ok := e.(*slack.SelectBlockElement); ok {
			n += len(s.Options)
			continue
		}
		n++
	}
	return n
}

// id gives an action an id that no other of the message has.
func (b *builder) id() string {
	b.ids++
	return fmt.Sprintf("kw-%d", b.ids)
}

func label(button keepwatch.Button, most int) string {
	text := line(button.Label)
	if text == "" {
		text = line(button.Command)
	}
	if text == "" {
		text = "…"
	}
	return clip(text, most)
}

func (b *builder) button(button keepwatch.Button) slack.BlockElement {
	token, _ := button.Token()
	e := slack.NewButtonBlockElement(b.id(), token, plainText(label(button, maxButton)))
	switch button.Style {
	case keepwatch.StylePrimary:
		e.Style = slack.StylePrimary
	case keepwatch.StyleDanger:
		e.Style = slack.StyleDanger
	}
	return e
}

// menu is a select, or several where there are more options than fit into one.
func (b *builder) menu(menu keepwatch.Menu) []slack.Block {
	options := menu.Options
	var blocks []slack.Block
	for part := 0; len(options) > 0 && part < maxSelects; part++ {
		n := min(len(options), maxOptions)
		name := clip(line(menu.Label), maxHolder-30)
		if name == "" {
			name = "Choose"
		}
		if len(menu.Options) > maxOptions {
			name += fmt.Sprintf(" (%d to %d)", part*maxOptions+1, part*maxOptions+n)
		}
		var set []*slack.OptionBlockObject
		seen := map[string]bool{}
		for _, o := range options[:n] {
			token, _ := o.Token()
			if !seen[token] { // Slack refuses two options of one value
				set = append(set, slack.NewOptionBlockObject(token, plainText(label(o, maxOption)), nil))
			}
			seen[token] = true
		}
		blocks = append(blocks, slack.NewActionBlock("", slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText(name), b.id(), set...)))
		options = options[n:]
	}
	b.choice += len(options)
	return blocks
}
