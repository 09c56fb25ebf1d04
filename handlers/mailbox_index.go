package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// MailIndex looks into the indexes of archives of mailboxes (keepwatch.KindOutlook). An
// archive that has none, because Purview has made what is in it, gives
// keepwatch.KindNotFound.
type MailIndex interface {
	// Folders gives its folders; Gone are the items of one that could not be had.
	Folders(ctx context.Context, a keepwatch.Archive) ([]keepwatch.MailFolder, error)
	// Page lists a folder ("Inbox", "mail/Inbox"): at most n items, the newest first, from
	// the one at from on, or the one item that part names ("Inbox/#12"). Numbers are those
	// that a restore takes. Broken of an item says why it could not be had.
	Page(ctx context.Context, a keepwatch.Archive, part string, from, n int) (keepwatch.MailPage, error)
	// Find looks in a folder and below it, in all of them where part is "": into the index,
	// and into the files of the items where that does not say it all. At most n hits are
	// given, the newest first, from the one at from on.
	Find(ctx context.Context, a keepwatch.Archive, part string, q keepwatch.MailQuery, from, n int) (keepwatch.MailHits, error)
}

// shownBoxFolders is how many folders the card of an archive counts one by one.
const shownBoxFolders = 25

// indexed gives what looks into the index of an archive, or nil where it has none.
func (r *Router) indexed(a keepwatch.Archive) MailIndex {
	if a.Kind != keepwatch.KindOutlook {
		return nil
	}
	return r.cfg.Index
}

// foldersOfNewest gives the folders of the newest archive of a mailbox; none where that
// cannot be told while somebody types.
func (r *Router) foldersOfNewest(ctx context.Context, source string) []keepwatch.MailFolder {
	archives, err := r.cfg.History.Archives(source)
	if err != nil || len(archives) == 0 || r.cfg.Index == nil {
		return nil
	}
	newest := slices.MaxFunc(archives, func(a, b keepwatch.Archive) int { return a.Started.Compare(b.Started) })
	ctx, cancel := context.WithTimeout(ctx, partsWithin)
	defer cancel()
	folders, err := r.cfg.Index.Folders(ctx, newest)
	if err != nil {
		return nil
	}
	return folders
}

// boxFolders shows the folders of an archive of a mailbox on its card, the way into them
// below; false where they cannot be told.
func (r *Router) boxFolders(ctx context.Context, c *call, a keepwatch.Archive) ([]keepwatch.Block, bool) {
	index := r.indexed(a)
	if index == nil {
		return nil, false
	}
	folders, err := index.Folders(ctx, a)
	if err != nil || len(folders) == 0 {
		return nil, false
	}
	table := keepwatch.Table{Head: []string{"Folder", "Items"}}
	missing := slices.ContainsFunc(folders, func(f keepwatch.MailFolder) bool { return f.Gone > 0 })
	if missing {
		table.Head = append(table.Head, "Missing")
	}
	empty, more, first := int64(0), int64(0), ""
	for _, f := range folders {
		switch {
		case f.Items == 0:
			empty++
			continue
		case len(table.Rows) == shownBoxFolders:
			more++
			continue
		case first == "":
			first = f.Path
		}
		row := []string{short(f.Path, shownFolder), keepwatch.FormatCount(f.Items, "")}
		if missing {
			row = append(row, "")
			if f.Gone > 0 {
				row[2] = keepwatch.FormatCount(f.Gone, "")
			}
		}
		table.Rows = append(table.Rows, row)
	}
	var blocks []keepwatch.Block
	if len(table.Rows) > 0 {
		head := "Folders:"
		if a.Base != "" {
			head = "Folders, with how many items of each came anew with this archive (a look into one shows all that is in it):"
		}
		blocks = append(blocks, keepwatch.Text(head), keepwatch.Block{Table: &table})
	}
	var rest []string
	if more > 0 {
		rest = append(rest, keepwatch.FormatCount(more, "more folder"))
	}
	if empty > 0 {
		rest = append(rest, keepwatch.FormatCount(empty, "empty folder"))
	}
	if len(rest) > 0 {
		blocks = append(blocks, keepwatch.Text("… and "+strings.Join(rest, ", ")))
	}
	if first != "" && c.person.Role >= keepwatch.RoleAdmin {
		blocks = append(blocks, keepwatch.Text("To see what is in a folder:"), keepwatch.Code("/backup show "+inWords(a.Ref(), first)))
	}
	return blocks, true
}

// inBox reports whether a search means the index of a mailbox: a folder of it, or all of it
// where it has no Outlook data file.
func (r *Router) inBox(ctx context.Context, a keepwatch.Archive, part string) (bool, error) {
	if r.indexed(a) == nil {
		return false, nil
	}
	list, named, err := r.mailboxes(ctx, a.Ref(), part)
	if err != nil {
		return false, r.noticed(a, err)
	}
	if part == "" && len(list) > 0 || part != "" && named.Type == keepwatch.EntryFile {
		return false, nil
	}
	return r.hasIndex(ctx, a), nil
}

// hasIndex reports whether an archive of a mailbox has an index.
func (r *Router) hasIndex(ctx context.Context, a keepwatch.Archive) bool {
	index := r.indexed(a)
	if index == nil {
		return false
	}
	_, err := index.Folders(ctx, a)
	return keepwatch.KindOf(err) != keepwatch.KindNotFound
}

// showBox lists the items of a folder of a mailbox, the newest first, with the numbers by
// which each is restored. Whose mail came from whom is for those alone who may take it out.
func (r *Router) showBox(ctx context.Context, c *call, a keepwatch.Archive, part string) (keepwatch.Message, error) {
	if c.person.Role < keepwatch.RoleAdmin {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "Whose mail is in a folder is for admins to see, who may also take it out; your role is %s. `/backup show %s` shows which folders there are. Ask %s.",
			c.person.Role, Quote(a.Ref()), r.admins(c.req.Account.Platform))
	}
	from, n, err := c.window()
	if err != nil {
		return keepwatch.Message{}, err
	}
	page, err := r.cfg.Index.Page(ctx, a, part, from, n)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	folder := page.Folder.Path
	if _, number := keepwatch.CutMailItem(part); number > 0 && len(page.Items) == 1 && page.Items[0].Number == number {
		return r.showBoxItem(a, folder, page.Items[0]), nil
	}
	from = max(1, min(from, int(page.Total)))
	buttons, where := c.turn(inWords(a.Ref(), folder), from, n, len(page.Items), page.Total)
	msg := keepwatch.Message{Title: keepwatch.Printable(folder) + where}
	much := keepwatch.FormatCount(page.Total, "item")
	if page.Total == 0 {
		much = "No item"
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(much+" in this folder of "+a.Ref()+foldersBelow(page)))
	if len(page.Items) > 0 {
		table := r.boxTable(c, "#")
		for _, item := range page.Items {
			table.Rows = append(table.Rows, r.boxRow(c, fmt.Sprint(item.Number), item)[:len(table.Head)])
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table},
			keepwatch.Text("To put one back into the mailbox, and the whole folder with what is below it:"),
			keepwatch.Code("/backup restore "+inWords(a.Ref(), boxItem(folder, page.Items[0].Number), "--to", toMailbox)+"\n/backup restore "+inWords(a.Ref(), folder, "--to", toMailbox)))
	}
	msg.Buttons = buttons
	if page.Total > 0 || len(page.Below) > 0 {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Restore this folder", Command: "backup restore " + inWords(a.Ref(), folder, "--to", toMailbox)})
	}
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "All folders", Command: "backup show " + Quote(a.Ref())})
	return msg, nil
}

// boxItem names an item of a folder in a command.
func boxItem(folder string, number int64) string { return fmt.Sprintf("%s/#%d", folder, number) }

// boxTable is an empty list of items, the first column of which is called name.
func (r *Router) boxTable(c *call, name string) keepwatch.Table {
	table := keepwatch.Table{Head: []string{name, "When", "From", "Subject", "Size"}}
	if c.req.Local { // a row each, in a terminal of 80 columns
		table.Head = table.Head[:4]
	}
	return table
}

func (r *Router) boxRow(c *call, name string, item keepwatch.MailItem) []string {
	sender, subject := shownSender, shownSubject
	if c.req.Local {
		sender, subject = 18, 34
	}
	missing := item.Broken != ""
	item.Broken = "" // which itemRow takes for damage
	row := r.itemRow(item, sender, subject)
	row[0] = name
	if missing {
		row[3] = strings.TrimSpace("(missing) " + row[3])
	}
	return row
}

// showBoxItem shows one item.
func (r *Router) showBoxItem(a keepwatch.Archive, folder string, item keepwatch.MailItem) keepwatch.Message {
	part := boxItem(folder, item.Number)
	fields := []keepwatch.Field{{Name: "What", Value: item.Kind.Counted(1)}, {Name: "In", Value: a.Ref()}}
	if !item.At.IsZero() {
		fields = append(fields, keepwatch.Field{Name: "When", Value: r.time(item.At)})
	}
	if item.From != "" {
		fields = append(fields, keepwatch.Field{Name: "From", Value: short(item.From, 200)})
	}
	fields = append(fields, keepwatch.Field{Name: "Subject", Value: short(item.Subject, 500)})
	msg := keepwatch.Message{Title: keepwatch.Printable(part)}
	if item.Broken != "" {
		msg.Tone = keepwatch.ToneWarn
		fields = append(fields, keepwatch.Field{Name: "Missing", Value: keepwatch.Printable(item.Broken)})
	} else {
		fields = append(fields, keepwatch.Field{Name: "Size", Value: keepwatch.FormatBytes(item.Bytes)})
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Restore it", Command: "backup restore " + inWords(a.Ref(), part, "--to", toMailbox)})
	}
	msg.Blocks = []keepwatch.Block{{Fields: fields}}
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Its folder", Command: "backup show " + inWords(a.Ref(), folder)})
	return msg
}

// findInBox lists what a search in the index of a mailbox finds.
func (r *Router) findInBox(ctx context.Context, c *call, a keepwatch.Archive, part string, q keepwatch.MailQuery) (keepwatch.Message, error) {
	from, n, err := c.window()
	if err != nil {
		return keepwatch.Message{}, err
	}
	found, err := r.cfg.Index.Find(ctx, a, part, q, from, n)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	from = max(1, min(from, int(found.Total)))
	words, in := Quote(append([]string{a.Ref()}, c.queryWords()...)...), a.Ref()
	if found.Folder != "" {
		words, in = inWords(a.Ref(), found.Folder, c.queryWords()...), keepwatch.Printable(found.Folder)
	}
	buttons, where := c.turn(words, from, n, len(found.Hits), found.Total)
	msg := keepwatch.Message{Title: foundTitle(found) + " in " + in + where}
	lines := []string{"Looked for: " + r.soughtIn(q, boxPlaces) + ". In " + a.Ref() + ", with all folders below."}
	if cut := cutShort(found); cut != "" {
		msg.Tone = keepwatch.ToneWarn
		lines = append(lines, "! "+cut)
	}
	if found.Broken > 0 {
		lines = append(lines, "! "+keepwatch.FormatCount(found.Broken, "item is", "items are")+" damaged, and could not be looked through whole.")
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(strings.Join(lines, "\n")))
	if len(found.Hits) > 0 {
		table := r.boxTable(c, "Item")
		for _, hit := range found.Hits {
			row := r.boxRow(c, keepwatch.Printable(boxItem(hit.Folder, hit.Item.Number)), hit.Item)
			if row = row[:len(table.Head)]; !c.req.Local {
				row[4] = hit.Where
			}
			table.Rows = append(table.Rows, row)
		}
		if !c.req.Local {
			table.Head[4] = "Found in"
		}
		first := boxItem(found.Hits[0].Folder, found.Hits[0].Item.Number)
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table}, keepwatch.Text("To put one back into the mailbox:"), keepwatch.Code("/backup restore "+inWords(a.Ref(), first, "--to", toMailbox)))
	}
	if found.Total > 0 && !found.Many && !found.Late {
		buttons = append(buttons, keepwatch.Button{Label: "Restore all of these", Command: "backup restore " + words + " --to " + toMailbox})
	}
	msg.Buttons = append(buttons, keepwatch.Button{Label: "All folders", Command: "backup show " + Quote(a.Ref())})
	return msg, nil
}
