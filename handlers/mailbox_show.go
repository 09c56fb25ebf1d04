package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// showInside shows what is inside a file of an archive: the folders of an Outlook data
// file, or the items of one of them.
func (r *Router) showInside(ctx context.Context, c *call, a keepwatch.Archive) (keepwatch.Message, error) {
	inside := insideWord(c.args.one("inside"))
	list, named, err := r.mailboxes(ctx, a.Ref(), inside)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	if named.Type == keepwatch.EntryFile {
		inside = asSpelt(named.Path, inside)
	}
	if i := slices.IndexFunc(list, func(m keepwatch.Mailbox) bool { return m.Path == strings.TrimSuffix(inside, "/") }); i >= 0 && len(list[i].Folders) > 0 {
		return r.showFolders(c, a, list[i])
	}
	switch {
	case named.Type != keepwatch.EntryFile && r.hasIndex(ctx, a):
		return r.showBox(ctx, c, a, inside)
	case named.Path == "":
		return keepwatch.Message{}, hinted{keepwatch.Errorf(keepwatch.KindNotFound, "%s", holdsNo(a, []string{inside})), []keepwatch.Button{{Label: "Show what is in it", Command: "backup show " + Quote(a.Ref())}}}
	case named.Type != keepwatch.EntryFile:
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is a %s in the archive. Only what is inside Outlook data files is shown like this; `backup restore` brings out anything.", keepwatch.Printable(inside), named.Type)
	case r.cfg.Mailboxes == nil:
		return keepwatch.Message{}, noLooking()
	}
	return r.showItems(ctx, c, a, named.Path, inside)
}

// noticed keeps that an archive was found damaged: it must not count any more, whoever
// found it.
func (r *Router) noticed(a keepwatch.Archive, err error) error {
	if !errors.Is(err, keepwatch.ErrDamaged) {
		return err
	}
	_, saveErr := r.cfg.History.UpdateArchive(a.Ref(), func(a *keepwatch.Archive) error {
		a.Add(keepwatch.Verification{At: r.cfg.Now().UTC(), Level: keepwatch.LevelOpened, Problems: []keepwatch.Finding{{Rule: "damaged", What: a.Ref(), Text: keepwatch.Sentence(err)}}})
		return nil
	})
	return errors.Join(err, saveErr)
}

// showFolders lists the folders of an Outlook data file, as they were when it was
// backed up.
func (r *Router) showFolders(c *call, a keepwatch.Archive, m keepwatch.Mailbox) (keepwatch.Message, error) {
	from, n, err := c.window()
	if err != nil {
		return keepwatch.Message{}, err
	}
	total := int64(len(m.Folders))
	from = min(from, len(m.Folders))
	shown := m.Folders[from-1 : min(from-1+n, len(m.Folders))]
	buttons, where := c.turn(inWords(a.Ref(), m.Path), from, n, len(shown), total)
	msg := keepwatch.Message{Title: keepwatch.Printable(m.Path) + " in " + a.Ref() + where}
	if worse([]keepwatch.Mailbox{m}) != "" {
		msg.Tone = keepwatch.ToneWarn
	}
	fields := []keepwatch.Field{{Name: "Holds", Value: r.mailboxHead(m)}, {Name: "File", Value: keepwatch.FormatBytes(m.Size)}}
	if m.Name != "" {
		fields = append(fields, keepwatch.Field{Name: "Called in Outlook", Value: keepwatch.Printable(m.Name)})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	if trouble := r.mailboxTrouble(m); len(trouble) > 0 && from == 1 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(strings.Join(trouble, "\n")))
	}
	table := keepwatch.Table{Head: []string{"Folder", "Items", "From", "To"}}
	if m.Gone > 0 {
		table.Head = append(table.Head, "Lost")
	}
	for _, f := range shown {
		row := []string{short(folderName(f.Path), shownFolder), keepwatch.FormatCount(f.Items, ""), "", ""}
		if !f.First.IsZero() {
			row[2], row[3] = r.days(f.First, f.First), r.days(f.Last, f.Last)
		}
		if m.Gone > 0 {
			lost := ""
			if f.Gone > 0 {
				lost = keepwatch.FormatCount(f.Gone, "")
			}
			row = append(row, lost)
		}
		table.Rows = append(table.Rows, row)
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	first := m.Folders[0].Path
	if len(m.Biggest) > 0 {
		first = m.Biggest[0].Path
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("To see what is in a folder, and to take it out (for admins):"),
		keepwatch.Code("/backup show "+inWords(a.Ref(), keepwatch.MailPart(m.Path, first, 0))+"\n/backup restore "+inWords(a.Ref(), keepwatch.MailPart(m.Path, first, 0))))
	msg.Buttons = append(msg.Buttons, buttons...)
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Restore…", Command: "backup restore " + inWords(a.Ref(), keepwatch.MailPart(m.Path, "", 0)), Form: mailForm(a.Ref(), m.Path)})
	if c.person.Role >= keepwatch.RoleAdmin {
		menu := keepwatch.Menu{Label: "What is in…"}
		for _, f := range shown {
			if f.Items > 0 && len(menu.Options) < 25 { // Discord's limit of a menu
				menu.Options = append(menu.Options, keepwatch.Button{Label: short(folderName(f.Path), 60), Command: "backup show " + inWords(a.Ref(), keepwatch.MailPart(m.Path, f.Path, 0))})
			}
		}
		if len(menu.Options) > 0 && !c.req.Local {
			msg.Menus = append(msg.Menus, menu)
		}
	}
	return msg, nil
}

// mailForm asks what of an Outlook data file is to be brought out.
func mailForm(ref, file string) *keepwatch.Form {
	return &keepwatch.Form{
		Title: "Restore from a mailbox", Submit: "Show the plan", Text: "Nothing is written yet: you see first what would be done with " + short(file, 60) + " from " + ref + ".",
		Fields: []keepwatch.FormField{
			{Name: "to", Flag: true, Label: "Into this folder of Keepwatch's machine", Hint: "empty: a new folder of its own", Type: keepwatch.FieldText},
		},
	}
}

// showItems lists the items of a folder, or shows one of them. Whose mail came from
// whom is for those alone who may take it out.
func (r *Router) showItems(ctx context.Context, c *call, a keepwatch.Archive, file, part string) (keepwatch.Message, error) {
	if c.person.Role < keepwatch.RoleAdmin {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "Whose mail is in a folder is for admins to see, who may also take it out; your role is %s. `/backup show %s` shows which folders there are. Ask %s.",
			c.person.Role, inWords(a.Ref(), file), r.admins(c.req.Account.Platform))
	}
	from, n, err := c.window()
	if err != nil {
		return keepwatch.Message{}, err
	}
	page, err := r.cfg.Mailboxes.Page(ctx, a.Ref(), part, from, n)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	folder := keepwatch.MailPart(page.File, page.Folder.Path, 0)
	if _, number := keepwatch.CutMailItem(part); number > 0 && len(page.Items) == 1 && page.Items[0].Number == number {
		return r.showItem(a, page), nil
	}
	if len(page.Items) > 0 {
		from = int(page.Items[0].Number)
	}
	buttons, where := c.turn(inWords(a.Ref(), folder), from, n, len(page.Items), page.Total)
	msg := keepwatch.Message{Title: keepwatch.Printable(strings.TrimSuffix(folder, "/")) + where}
	much := keepwatch.FormatCount(page.Total, "item")
	if page.Total == 0 {
		much = "No item"
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(much+" in this folder of "+a.Ref()+foldersBelow(page)))
	if page.Left {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The file is damaged where it says what is where, or cut off. All of it was looked through: this is what is left, and not all of it may be."))
	}
	if len(page.Items) > 0 {
		table := keepwatch.Table{Head: []string{"#", "When", "From", "Subject", "Size"}}
		sender, subject := shownSender, shownSubject
		if c.req.Local { // a row each, in a terminal of 80 columns
			table.Head = table.Head[:4]
			sender, subject = 18, 34
		}
		for _, item := range page.Items {
			table.Rows = append(table.Rows, r.itemRow(item, sender, subject)[:len(table.Head)])
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table},
			keepwatch.Text("To take one out, and the whole folder with what is below it:"),
			keepwatch.Code("/backup restore "+inWords(a.Ref(), keepwatch.MailPart(page.File, page.Folder.Path, page.Items[0].Number))+"\n/backup restore "+inWords(a.Ref(), folder)))
	}
	msg.Buttons = buttons
	if page.Total > 0 || len(page.Below) > 0 {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Restore this folder", Command: "backup restore " + inWords(a.Ref(), folder), Form: mailForm(a.Ref(), folder)})
	}
	if page.Folder.Path != "" { // else it is where one is
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "All folders", Command: "backup show " + inWords(a.Ref(), page.File)})
	}
	return msg, nil
}

// foldersBelow names the folders in a folder.
func foldersBelow(page keepwatch.MailPage) string {
	list := page.Below
	if len(list) == 0 {
		return "."
	}
	var names []string
	for _, f := range list { // a name may have a slash in it
		names = append(names, strings.TrimPrefix(strings.TrimPrefix(f.Path, page.Folder.Path), "/"))
	}
	return ", and " + keepwatch.FormatCount(int64(len(list)), "folder") + " below it: " + namesText(names) + "."
}

func (r *Router) itemRow(item keepwatch.MailItem, sender, subject int) []string {
	row := []string{fmt.Sprint(item.Number), "", short(item.From, sender), short(item.Subject, subject), ""}
	if !item.At.IsZero() {
		row[1] = r.time(item.At)
	}
	if item.Bytes > 0 {
		row[4] = keepwatch.FormatBytes(item.Bytes)
	}
	if item.Kind != keepwatch.ItemMail && row[2] == "" {
		row[2] = "(" + string(item.Kind) + ")"
	}
	if item.Broken != "" {
		row[3] = strings.TrimSpace("(damaged) " + row[3])
	}
	return row
}

// showItem shows one item.
func (r *Router) showItem(a keepwatch.Archive, page keepwatch.MailPage) keepwatch.Message {
	item := page.Items[0]
	part := keepwatch.MailPart(page.File, page.Folder.Path, item.Number)
	fields := []keepwatch.Field{{Name: "What", Value: item.Kind.Counted(1)}, {Name: "In", Value: a.Ref()}}
	if !item.At.IsZero() {
		fields = append(fields, keepwatch.Field{Name: "When", Value: r.time(item.At)})
	}
	if item.From != "" {
		fields = append(fields, keepwatch.Field{Name: "From", Value: short(item.From, 200)})
	}
	fields = append(fields, keepwatch.Field{Name: "Subject", Value: short(item.Subject, 500)})
	if item.Bytes > 0 {
		fields = append(fields, keepwatch.Field{Name: "Size", Value: keepwatch.FormatBytes(item.Bytes)})
	}
	return keepwatch.Message{Title: keepwatch.Printable(part), Blocks: []keepwatch.Block{{Fields: fields}}, Buttons: []keepwatch.Button{
		{Label: "Restore it", Command: "backup restore " + inWords(a.Ref(), part), Form: mailForm(a.Ref(), part)},
		{Label: "Its folder", Command: "backup show " + inWords(a.Ref(), keepwatch.MailPart(page.File, page.Folder.Path, 0))},
	}}
}
