package discord

import (
	"fmt"
	"strings"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// The first character of a custom_id says what it is on; the second one counts,
// because no two in a message may be the same. The rest is the token.
const (
	onButton  = 'b'
	onSelect  = 's'
	onOption  = 'o'
	onForm    = 'm'
	idPrefix  = 2
	idCounter = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// customID stands for a button. A token has at most keepwatch.MaxToken bytes, so
// that it fits.
func customID(kind byte, n int, token string) string {
	return string([]byte{kind, idCounter[n%len(idCounter)]}) + token
}

// tokenOf gives the token behind a custom_id or the value of an option.
func tokenOf(id string) (string, bool) {
	if len(id) <= idPrefix || !strings.ContainsRune(string([]byte{onButton, onSelect, onOption, onForm}), rune(id[0])) {
		return "", false
	}
	return id[idPrefix:], true
}

// components makes the rows of buttons and menus, and sentences about what has
// no room in them: five rows, of five buttons or one menu of 25 options each.
func components(m keepwatch.Message) (rows []discordgo.MessageComponent, said []string) {
	rows = []discordgo.MessageComponent{}
	buttons, menus := m.Buttons, m.Menus
	forButtons := min((len(buttons)+maxRowButtons-1)/maxRowButtons, maxRows)
	if len(menus) > 0 {
		forButtons = min(forButtons, maxRows-1)
	}
	if more := len(buttons) - forButtons*maxRowButtons; more > 0 { // the rest becomes a menu
		keep := (forButtons - 1) * maxRowButtons
		menus = append([]keepwatch.Menu{{Label: "More", Options: buttons[keep:]}}, menus...)
		buttons = buttons[:keep]
	}
	n := 0
	for len(buttons) > 0 {
		var row discordgo.ActionsRow
		for _, b := range buttons[:min(len(buttons), maxRowButtons)] {
			row.Components = append(row.Components, button(b, n))
			n++
		}
		buttons = buttons[len(row.Components):]
		rows = append(rows, row)
	}
	for _, menu := range menus {
		left := menu.Options
		for part := 0; len(left) > 0 && len(rows) < maxRows; part++ {
			some := left[:min(len(left), maxOptions)]
			left = left[len(some):]
			label := menu.Label
			if len(menu.Options) > maxOptions {
				at := part*maxOptions + 1
				label = fmt.Sprintf("%s (%d–%d of %d)", cut(label, 100), at, at+len(some)-1, len(menu.Options))
			}
			rows = append(rows, discordgo.ActionsRow{Components: []discordgo.MessageComponent{selectMenu(label, some, len(rows))}})
		}
		if len(left) > 0 {
			said = append(said, fmt.Sprintf("%s of “%s” have no room here. Type the command with the name.", keepwatch.FormatCount(int64(len(left)), "more choice"), escape(cut(menu.Label, 100))))
		}
	}
	return rows, said
}

func button(b keepwatch.Button, n int) discordgo.Button {
	token, _ := b.Token()
	styles := map[keepwatch.Style]discordgo.ButtonStyle{keepwatch.StylePrimary: discordgo.PrimaryButton, keepwatch.StyleDanger: discordgo.DangerButton}
	style, ok := styles[b.Style]
	if !ok {
		style = discordgo.SecondaryButton
	}
	return discordgo.Button{Label: label(b.Label, maxLabel), Style: style, CustomID: customID(onButton, n, token)}
}

func selectMenu(name string, options []keepwatch.Button, n int) discordgo.SelectMenu {
	menu := discordgo.SelectMenu{MenuType: discordgo.StringSelectMenu, CustomID: string([]byte{onSelect, idCounter[n]}), Placeholder: label(name, maxPlaceholder), MaxValues: 1}
	for i, o := range options {
		token, _ := o.Token()
		menu.Options = append(menu.Options, discordgo.SelectMenuOption{Label: label(o.Label, maxOption), Value: customID(onOption, i, token)})
	}
	return menu
}

// label makes a text for where Discord shows plain text and demands some.
func label(s string, n int) string {
	s = strings.Join(strings.Fields(keepwatch.Clean(s)), " ")
	if s == "" {
		s = "–"
	}
	return cut(s, n)
}
