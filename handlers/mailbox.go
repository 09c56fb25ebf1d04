package handlers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// Mailboxes looks into Outlook data files that lie in archives.
type Mailboxes interface {
	// Page lists a folder of one, as keepwatch.MailPart names it: at most n items, from
	// the number of the first on. Where the part names an item, it is the only one.
	Page(ctx context.Context, ref, part string, from, n int) (keepwatch.MailPage, error)
	// Find looks for items in a folder and below it, the newest first: at most n, from the
	// number of the first on.
	Find(ctx context.Context, ref, part string, q keepwatch.MailQuery, from, n int) (keepwatch.MailHits, error)
	// Plan says what bringing folders and items out does, without writing anything; with
	// a query only what fits that.
	Plan(ctx context.Context, ref string, ask keepwatch.Ask, q keepwatch.MailQuery) (keepwatch.MailPlan, error)
}

// Bounds of what is shown of Outlook data files.
const (
	shownMailboxes = 3  // on a card, one by one
	shownDamage    = 3  // parts of one that are named
	windowChat     = 15 // rows of a list on a platform: a page, as pageRows
	windowTerminal = 40 // rows of a list in the terminal
	shownSubject   = 80 // characters
	shownSender    = 30
	shownFolder    = 100
)

// mailboxBlocks shows Outlook data files on a card: what is inside, the biggest folders,
// and before all else what is wrong with them. more is how many there are in all.
func (r *Router) mailboxBlocks(list []keepwatch.Mailbox, more int64) []keepwatch.Block {
	var blocks []keepwatch.Block
	for _, m := range list[:min(len(list), shownMailboxes)] {
		blocks = append(blocks, keepwatch.Text(r.mailboxText(m)))
	}
	if n := more - int64(min(len(list), shownMailboxes)); n > 0 {
		text := "… and " + keepwatch.FormatCount(n, "more Outlook data file")
		if hurt := hurtBehind(list); hurt != "" {
			text += ". Damaged among them: " + hurt
		}
		blocks = append(blocks, keepwatch.Text(text))
	}
	return blocks
}

// hurtBehind names those that are damaged among the ones that are not shown one by one.
func hurtBehind(list []keepwatch.Mailbox) string {
	var names []string
	for _, m := range list[min(len(list), shownMailboxes):] {
		if m.Hurt() || badly(m.Check) {
			names = append(names, m.Path)
		}
	}
	return printable(names, ", ")
}

// mailboxText shows one on a card.
func (r *Router) mailboxText(m keepwatch.Mailbox) string {
	lines := []string{keepwatch.Printable(m.Path) + ": " + r.mailboxHead(m)}
	lines = append(lines, r.mailboxTrouble(m)...)
	if len(m.Biggest) > 0 {
		var names []string
		for _, f := range m.Biggest {
			much := keepwatch.FormatCount(f.Items, "item")
			if f.Gone > 0 {
				much += ", " + keepwatch.FormatCount(f.Gone, "") + " of them lost"
			}
			names = append(names, fmt.Sprintf("%s (%s)", keepwatch.Printable(folderName(f.Path)), much))
		}
		lines = append(lines, "Biggest folders: "+strings.Join(names, ", "))
	}
	return strings.Join(lines, "\n")
}

// folderName names a folder in a list; the top has no name.
func folderName(path string) string {
	if path == "" {
		return "(at the top)"
	}
	return path
}

// mailboxHead counts what is inside.
func (r *Router) mailboxHead(m keepwatch.Mailbox) string {
	text := "an Outlook data file"
	if m.Format != "" {
		text += " (" + m.Format + ")"
	}
	if m.Trouble != "" && m.Items == 0 && m.Count == 0 {
		return text
	}
	switch {
	case m.Items > 0:
		text += " with " + keepwatch.CountKinds(m.Kinds)
	case m.Hurt() || m.Check != nil && m.Check.Worst == keepwatch.MailRuined:
		return text + " in which no item can be found"
	default:
		text += " without any item"
	}
	text += " in " + keepwatch.FormatCount(m.Count, "folder")
	if days := r.days(m.First, m.Last); days != "" {
		text += ", " + days
	}
	return text
}

// days writes the days from one moment to another.
func (r *Router) days(first, last time.Time) string {
	if first.IsZero() {
		return ""
	}
	const layout = "2 Jan 2006"
	from, to := first.In(r.cfg.Location).Format(layout), last.In(r.cfg.Location).Format(layout)
	if from == to {
		return from
	}
	return from + " to " + to
}

// mailboxTrouble says what is wrong with one, in lines that somebody understands who
// has only this one copy.
func (r *Router) mailboxTrouble(m keepwatch.Mailbox) []string {
	var lines []string
	if m.Trouble != "" {
		lines = append(lines, "! "+m.Trouble)
	}
	if m.Damaged > 0 {
		line := fmt.Sprintf("! Damaged: %s of it cannot be read. It is kept as it came", keepwatch.FormatCount(m.Damaged, "part"))
		if m.Items > 0 {
			line += ", and everything else in it can be taken out"
		}
		lines = append(lines, line+".")
		for _, d := range m.Damage[:min(len(m.Damage), shownDamage)] {
			lines = append(lines, "  "+damageText(d))
		}
		if more := m.Damaged - int64(min(len(m.Damage), shownDamage)); more > 0 {
			lines = append(lines, fmt.Sprintf("  … and %s more", keepwatch.FormatCount(more, "")))
		}
	}
	if m.Gone > 0 {
		lines = append(lines, fmt.Sprintf("! %s that its folders list cannot be found in it, and so not be taken out.", keepwatch.FormatCount(m.Gone, "item")))
	}
	if m.Orphans > 0 {
		lines = append(lines, fmt.Sprintf("%s in no folder, so that Outlook does not show %s. A restore of %s/ as a whole brings %s out too.",
			keepwatch.FormatCount(m.Orphans, "item lies", "items lie"), plural(m.Orphans, "it", "them"), keepwatch.Printable(m.Path), plural(m.Orphans, "it", "them")))
	}
	if text := checkText(m); text != "" {
		lines = append(lines, text)
	}
	if ruined(m) {
		lines = append(lines, whatToDo)
	}
	return lines
}

// whatToDo is for whoever has handed in a damaged file.
const whatToDo = "What to do: if Outlook still shows this mailbox, export it again and hand that in too. If this is the only copy, leave it as it is, and have Outlook's Inbox Repair Tool (scanpst.exe) mend a copy of it."

// ruined reports whether something in it is lost, or will be.
func ruined(m keepwatch.Mailbox) bool {
	return m.Damaged > 0 || m.Cut || m.Check != nil && m.Check.Worst == keepwatch.MailRuined
}

// worse says in a title what is wrong with the Outlook data files of an archive; "" is
// nothing.
func worse(list []keepwatch.Mailbox) string {
	switch {
	case slices.ContainsFunc(list, ruined):
		return ", but a mailbox in it is damaged"
	case slices.ContainsFunc(list, func(m keepwatch.Mailbox) bool { return m.Trouble != "" }):
		return ", but a mailbox in it could not be looked into"
	case slices.ContainsFunc(list, func(m keepwatch.Mailbox) bool { return badly(m.Check) }):
		return ", but a mailbox in it is not quite in order"
	}
	return ""
}

func damageText(d keepwatch.MailDamage) string {
	text := keepwatch.Clean(strings.ReplaceAll(d.Text, "\n", " "))
	if d.Where != "" {
		text = keepwatch.Printable(d.Where) + ": " + text
	}
	if d.Offset >= 0 {
		text += fmt.Sprintf(" (at byte %s)", keepwatch.FormatCount(d.Offset, ""))
	}
	return text
}

// badly reports whether a check found what Outlook would mind.
func badly(c *keepwatch.MailCheck) bool {
	return c != nil && (c.Worst == keepwatch.MailRepair || c.Worst == keepwatch.MailRuined)
}

// checkText says what a strict check found; "" where nobody looked.
func checkText(m keepwatch.Mailbox) string {
	c := m.Check
	if c == nil {
		return ""
	}
	checked := "Its structure was checked"
	if m.Format == "ANSI" { // of Outlook 97 to 2002
		checked += " as far as that is done for this old format"
	}
	how := keepwatch.FormatCount(c.Findings, "finding")
	if c.Cut {
		how = "at least " + how
	}
	switch c.Worst {
	case keepwatch.MailSound:
		return checked + ": nothing is wrong with it."
	case keepwatch.MailOdd:
		return checked + ": nothing that Outlook would mind (" + how + " that " + plural(c.Findings, "is", "are") + " only unusual)."
	case keepwatch.MailRepair:
		return "! " + checked + ": Outlook would offer to repair it (" + how + "). What is listed here can be read all the same. The worst: " + keepwatch.Clean(c.Text)
	}
	return "! " + checked + ": parts of it are broken, and Outlook may not open it before it is repaired (" + how + "). The worst: " + keepwatch.Clean(c.Text)
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// mailboxes gives what was found inside the Outlook data files of an archive when it
// was made, and what else is called by a name, or is a file that a name leads into:
// whether that is in the archive at all. Where nothing is spelt so, it is the one file
// named as an Outlook data file that is but for upper and lower case.
func (r *Router) mailboxes(ctx context.Context, ref, name string) (list []keepwatch.Mailbox, named keepwatch.Entry, err error) {
	var lines []keepwatch.Mailbox
	var alike []keepwatch.Entry
	err = r.cfg.Vault.Contents(ctx, ref, func(e keepwatch.Entry) error {
		if _, below := keepwatch.InsideOf(e.Path, name); e.Path == name || below && e.Type == keepwatch.EntryFile {
			named = e
		} else if _, like := keepwatch.InsideOfAnyCase(e.Path, name); like && e.Type == keepwatch.EntryFile && keepwatch.NamedMailbox(e.Path) && len(alike) < 2 {
			alike = append(alike, e)
		}
		return nil
	}, func(n keepwatch.Note) error {
		if n.Mailbox != nil {
			lines = append(lines, *n.Mailbox)
		}
		return nil
	})
	if named.Path == "" && len(alike) == 1 {
		named = alike[0]
	}
	return keepwatch.UnsealMailboxes(lines), named, err
}

// asSpelt gives a name that leads into a file, or is one, with the file as it is spelt.
func asSpelt(file, name string) string {
	inside, ok := keepwatch.InsideOfAnyCase(file, name)
	switch {
	case !ok:
		return name
	case strings.EqualFold(file, name):
		return file
	}
	return file + "/" + inside
}

// mailboxesOf shows the Outlook data files of an archive on the card of the archive.
func (r *Router) mailboxesOf(ctx context.Context, a keepwatch.Archive) (list []keepwatch.Mailbox, blocks []keepwatch.Block) {
	list = a.Mailboxes
	total := a.Counts[keepwatch.NoteMailbox]
	if total == 0 {
		return nil, nil
	}
	if len(list) == 0 { // the state was lost since it was made; the sealed list has them
		var err error
		if list, _, err = r.mailboxes(ctx, a.Ref(), ""); err != nil {
			return nil, []keepwatch.Block{keepwatch.Text(fmt.Sprintf("It holds %s; what is inside could not be read.", keepwatch.FormatCount(total, "Outlook data file")))}
		}
	}
	return list, r.mailboxBlocks(list, max(total, int64(len(list))))
}

// foldersButtons lead into the Outlook data files of an archive.
func foldersButtons(ref string, list []keepwatch.Mailbox) (buttons []keepwatch.Button) {
	for _, m := range list[:min(len(list), shownMailboxes)] {
		label := "Folders of "
		if m.Cut { // nobody has listed them
			label = "Look into "
		}
		if m.Count > 0 || m.Cut {
			buttons = append(buttons, keepwatch.Button{Label: label + short(m.Path, 40), Command: "backup show " + inWords(ref, m.Path)})
		}
	}
	return buttons
}

// inWords writes an archive and a part of it as the words of a command. A name that
// would be read as an option has "./" before it.
func inWords(ref, part string, options ...string) string {
	if strings.HasPrefix(part, "-") {
		part = "./" + part
	}
	return Quote(append([]string{ref, part}, options...)...)
}

// insideWord gives the name that inWords has written.
func insideWord(part string) string {
	if name, ok := strings.CutPrefix(part, "./"); ok {
		return name
	}
	return part
}

// short cuts a text for a label or a cell, in characters.
func short(text string, most int) string {
	text = keepwatch.Printable(text)
	if runes := []rune(text); len(runes) > most {
		return strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return text
}

// window is the part of a list that is shown: from, counted from 1, and how many.
func (c *call) window() (from, n int, err error) {
	n = windowTerminal
	if !c.req.Local {
		n = windowChat
	}
	if !c.args.has("from") {
		return 1, n, nil
	}
	if from, err = strconv.Atoi(c.args.one("from")); err != nil || from < 1 || from > 1_000_000_000 {
		return 0, 0, keepwatch.Errorf(keepwatch.KindInvalid, "--from needs the number of the first line that is to be shown: --from 16.")
	}
	return from, n, nil
}

// turn gives the buttons that go on in a list, and says which part of it is shown.
func (c *call) turn(words string, from, n, shown int, total int64) (buttons []keepwatch.Button, text string) {
	command := "backup show " + words
	if from > 1 {
		buttons = append(buttons, keepwatch.Button{Label: "Back", Command: fmt.Sprintf("%s --from %d", command, max(1, from-n))})
	}
	if int64(from-1+shown) < total {
		buttons = append(buttons, keepwatch.Button{Label: "More", Command: fmt.Sprintf("%s --from %d", command, from+n)})
	}
	if len(buttons) > 0 && shown > 0 {
		text = fmt.Sprintf(", %s to %s of %s", keepwatch.FormatCount(int64(from), ""), keepwatch.FormatCount(int64(from-1+shown), ""), keepwatch.FormatCount(total, ""))
	}
	return buttons, text
}
