package handlers

import (
	"context"
	"fmt"
	"strings"

	"keepwatch"
	"keepwatch/pst"
)

// findOptions are those of a search in an Outlook data file.
func findOptions() []Option {
	return []Option{
		{Name: "find", Type: TypeText, Flag: true, Summary: "in a mailbox: only what has this text (admins)"},
		{Name: "since", Type: TypeTime, Flag: true, Summary: "in a mailbox: only from this day on, such as 2024-03-01"},
		{Name: "until", Type: TypeTime, Flag: true, Summary: "in a mailbox: only up to this day"},
	}
}

// searches reports whether something is looked for in an Outlook data file.
func (c *call) searches() bool {
	return c.args.has("find") || c.args.has("since") || c.args.has("until")
}

// query reads what is looked for.
func (r *Router) query(c *call) (q keepwatch.MailQuery, err error) {
	if q.Text = strings.TrimSpace(c.args.one("find")); strings.TrimSpace(pst.Fold(q.Text)) == "" && c.args.has("find") {
		return q, keepwatch.Errorf(keepwatch.KindInvalid, "--find needs the text that is looked for: --find minutes, or --find \"minutes of March\".")
	}
	if c.args.has("since") {
		if q.From, err = r.instant(c.args.one("since"), false); err != nil {
			return q, err
		}
	}
	if c.args.has("until") {
		if q.To, err = r.instant(c.args.one("until"), true); err != nil {
			return q, err
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, keepwatch.Errorf(keepwatch.KindInvalid, "Nothing lies between them: --until %s is not behind --since %s.", c.args.one("until"), c.args.one("since"))
	}
	return q, nil
}

// queryWords gives the words of a search, as they were typed.
func (c *call) queryWords() (words []string) {
	for _, o := range findOptions() {
		if c.args.has(o.Name) {
			words = append(words, "--"+o.Name, c.args.one(o.Name))
		}
	}
	return words
}

// onlyMailbox gives the Outlook data file of an archive that a search means which names
// none.
func (r *Router) onlyMailbox(ctx context.Context, c *call, a keepwatch.Archive) (string, error) {
	list, _, err := r.mailboxes(ctx, a.Ref(), "")
	switch {
	case err != nil:
		return "", r.noticed(a, err)
	case len(list) == 0 && a.Kind == keepwatch.KindOutlook:
		return "", keepwatch.Errorf(keepwatch.KindNotFound, "%s holds no Outlook data file, and only out of those is what a search finds written to this machine. With --to mailbox all of the archive is looked through, and what is found is put into the mailbox.", a.Ref())
	case len(list) == 0:
		return "", keepwatch.Errorf(keepwatch.KindNotFound, "%s holds no Outlook data file, and only in those text is looked for.", a.Ref())
	case len(list) > 1:
		h := hinted{error: keepwatch.Errorf(keepwatch.KindInvalid, "%s holds %s. Name the one to look into.", a.Ref(), keepwatch.FormatCount(int64(len(list)), "Outlook data file"))}
		for _, m := range list[:min(len(list), fewChoices)] {
			h.buttons = append(h.buttons, keepwatch.Button{Label: short(m.Path, 60), Command: c.cmd.Title() + " " + inWords(a.Ref(), m.Path, c.queryWords()...)})
		}
		return "", h
	}
	return list[0].Path, nil
}

// noLooking is for a Keepwatch that was put together without Mailboxes.
func noLooking() error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "This Keepwatch cannot look into Outlook data files. Restore the whole file.")
}

// showFound lists what a search in an Outlook data file finds, so that each can be taken
// out.
func (r *Router) showFound(ctx context.Context, c *call, a keepwatch.Archive) (keepwatch.Message, error) {
	if c.person.Role < keepwatch.RoleAdmin {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "Whose mail is in a mailbox is for admins to see; your role is %s. Ask %s.", c.person.Role, r.admins(c.req.Account.Platform))
	}
	q, err := r.query(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	from, n, err := c.window()
	if err != nil {
		return keepwatch.Message{}, err
	}
	part := insideWord(c.args.one("inside"))
	if in, err := r.inBox(ctx, a, part); err != nil {
		return keepwatch.Message{}, err
	} else if in {
		return r.findInBox(ctx, c, a, part, q)
	}
	if r.cfg.Mailboxes == nil {
		return keepwatch.Message{}, noLooking()
	}
	if part == "" {
		if part, err = r.onlyMailbox(ctx, c, a); err != nil {
			return keepwatch.Message{}, err
		}
	}
	found, err := r.cfg.Mailboxes.Find(ctx, a.Ref(), part, q, from, n)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	from = max(1, min(from, int(found.Total)))
	part = keepwatch.MailPart(found.File, found.Folder, 0)
	words := inWords(a.Ref(), part, c.queryWords()...)
	buttons, where := c.turn(words, from, n, len(found.Hits), found.Total)
	msg := keepwatch.Message{Title: foundTitle(found) + " in " + keepwatch.Printable(strings.TrimSuffix(part, "/")) + where}
	lines := []string{"Looked for: " + r.sought(q) + ". In " + a.Ref() + ", with all folders below."}
	if cut := cutShort(found); cut != "" {
		msg.Tone = keepwatch.ToneWarn
		lines = append(lines, "! "+cut)
	}
	if found.Broken > 0 {
		lines = append(lines, fmt.Sprintf("! %s damaged, and could not be looked through whole.", keepwatch.FormatCount(found.Broken, "item is", "items are")))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(strings.Join(lines, "\n")))
	if len(found.Hits) > 0 {
		msg.Blocks = append(msg.Blocks, r.foundBlocks(c, a, found)...)
		if !c.req.Local {
			msg.Menus = append(msg.Menus, r.foundMenu(a, found))
		}
	}
	msg.Buttons = buttons
	if found.Total > 0 && !found.Many && !found.Late {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Restore all of these", Command: "backup restore " + words, Form: mailForm(a.Ref(), part)})
	}
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "All folders", Command: "backup show " + inWords(a.Ref(), found.File)})
	return msg, nil
}

func foundTitle(found keepwatch.MailHits) string {
	switch {
	case found.Total == 0 && found.Late:
		return "Nothing was found yet"
	case found.Total == 0:
		return "Nothing was found"
	case found.Many || found.Late:
		return "At least " + keepwatch.FormatCount(found.Total, "item")
	}
	return keepwatch.FormatCount(found.Total, "item")
}

// sought says what was looked for in an Outlook data file.
func (r *Router) sought(q keepwatch.MailQuery) string {
	return r.soughtIn(q, "subject, sender, recipients, body, names of attachments or details")
}

// boxPlaces is where a text is looked for in the mailbox of an archive.
const boxPlaces = "subjects, senders, recipients, text, names of attachments, details such as categories, places and what contacts have, and names of files"

// soughtIn says what was looked for, and where a text was.
func (r *Router) soughtIn(q keepwatch.MailQuery, where string) string {
	const layout = "2 January 2006 15:04"
	var words []string
	if q.Text != "" {
		words = append(words, "the text "+quoted(q.Text)+" in "+where)
	}
	if !q.From.IsZero() {
		words = append(words, "from "+strings.TrimSuffix(q.From.In(r.cfg.Location).Format(layout), " 00:00")+" on")
	}
	if !q.To.IsZero() {
		words = append(words, "up to "+strings.TrimSuffix(q.To.In(r.cfg.Location).Format(layout), " 23:59"))
	}
	return strings.Join(words, ", ")
}

// quoted shows a text that somebody has typed.
func quoted(text string) string {
	if text = short(text, shownSubject); strings.HasPrefix(text, `"`) {
		return text
	}
	return "“" + text + "”"
}

// cutShort says that a search has not found all that there is, and what to do.
func cutShort(found keepwatch.MailHits) string {
	const narrower = "Name a folder, a longer text, or fewer days: --since 2024-01-01 --until 2024-03-31."
	looked := fmt.Sprintf("%s of about %s were looked through", keepwatch.FormatCount(found.Looked, ""), keepwatch.FormatCount(max(found.Of, found.Looked), "item"))
	switch {
	case found.Late:
		return "This is not all: the search was ended because it took too long, when " + looked + ". " + narrower
	case found.Many:
		return "This is not all: the search was ended at " + keepwatch.FormatCount(keepwatch.MaxMailHits, "hit") + ", when " + looked + ". " + narrower
	}
	return ""
}

// foundBlocks is the list of what was found.
func (r *Router) foundBlocks(c *call, a keepwatch.Archive, found keepwatch.MailHits) []keepwatch.Block {
	table := keepwatch.Table{Head: []string{"Item", "When", "From", "Subject", "Found in"}}
	sender, subject := shownSender, shownSubject
	if c.req.Local {
		table.Head = table.Head[:4]
		sender, subject = 18, 34
	}
	for _, hit := range found.Hits {
		row := r.itemRow(hit.Item, sender, subject)
		row[0], row[4] = itemName(hit), hit.Where
		table.Rows = append(table.Rows, row[:len(table.Head)])
	}
	first := keepwatch.MailPart(found.File, found.Hits[0].Folder, found.Hits[0].Item.Number)
	return []keepwatch.Block{{Table: &table}, keepwatch.Text("To take one out:"), keepwatch.Code("/backup restore " + inWords(a.Ref(), first))}
}

// itemName names an item in a list; where the path of its folder is very long, cut.
func itemName(hit keepwatch.MailHit) string {
	number := fmt.Sprintf("#%d", hit.Item.Number)
	if hit.Folder == "" {
		return number
	}
	return short(hit.Folder, shownFolder) + "/" + number
}

// foundMenu leads to each of what was found. A menu has room for a page of it: 15, and
// Discord's for 25.
func (r *Router) foundMenu(a keepwatch.Archive, found keepwatch.MailHits) keepwatch.Menu {
	menu := keepwatch.Menu{Label: "Take out…"}
	for _, hit := range found.Hits[:min(len(found.Hits), 25)] {
		label := short(hit.Item.Subject, 50)
		if !hit.Item.At.IsZero() {
			label = hit.Item.At.In(r.cfg.Location).Format("2 Jan 2006") + " " + label
		}
		label += fmt.Sprintf(" #%d", hit.Item.Number)
		menu.Options = append(menu.Options, keepwatch.Button{Label: label, Command: "backup restore " + inWords(a.Ref(), keepwatch.MailPart(found.File, hit.Folder, hit.Item.Number))})
	}
	return menu
}

// insideFound prepares a restore of what a search finds: parts that are searched, and
// for what.
func (r *Router) insideFound(ctx context.Context, c *call, a keepwatch.Archive, ask *keepwatch.Ask) (q keepwatch.MailQuery, err error) {
	if r.cfg.Mailboxes == nil {
		return q, noLooking()
	}
	if q, err = r.query(c); err != nil || len(ask.Parts) > 0 {
		return q, err
	}
	file, err := r.onlyMailbox(ctx, c, a)
	ask.Parts = []string{file}
	return q, err
}
