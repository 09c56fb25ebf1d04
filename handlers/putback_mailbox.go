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

// Words behind --to that say that something goes into a mailbox. Folders of these names
// are ./mailbox and ./original.
const (
	toMailbox  = "mailbox"  // into the mailbox that it is of, in a new folder
	toOriginal = "original" // into the folders of that where it was
)

// intoMailbox tells whether a restore goes into a mailbox, and gives the place for
// keepwatch.ReturnAsk.Into. An address, and the word original, mean a mailbox for its
// archives alone; for others they are folders, as they have always been.
func (r *Router) intoMailbox(c *call) (into string, yes bool, err error) {
	to := c.args.one("to")
	word, folder, below := strings.Cut(to, "/")
	address := strings.Count(word, "@") == 1 && !strings.HasPrefix(word, "~")
	if word != toMailbox && to != toOriginal && to != toAccount && !address {
		return "", false, nil
	}
	a, err := r.archive(c, c.args.one("archive"))
	mail := err == nil && a.Kind == keepwatch.KindOutlook
	switch {
	case err != nil && (word == toMailbox || to == toOriginal || address):
		return "", false, err
	case mail && to == toAccount:
		return "", false, hinted{
			keepwatch.Errorf(keepwatch.KindInvalid, "%s is an archive of a mailbox, and has no hosting account to go back into. It goes into the mailbox with --to mailbox, and to a folder that is called account with --to ./account.", a.Ref()),
			[]keepwatch.Button{{Label: "Into the mailbox", Command: "backup restore " + Quote(a.Ref()) + " --to " + toMailbox}},
		}
	case word == toMailbox && !mail:
		return "", false, keepwatch.Errorf(keepwatch.KindInvalid, "%s is no archive of a mailbox of Microsoft 365, so nothing of it goes back into one. A folder that is called mailbox is written ./mailbox.", a.Ref())
	case !mail:
		return "", false, nil
	case word == toMailbox && below && strings.Trim(folder, "/ ") != "":
		return "/" + folder, true, nil
	case word == toMailbox:
		return "", true, nil
	}
	return to, true, nil
}

// toSomeMailbox reports whether a restore that is confirmed or shown goes into a mailbox.
func toSomeMailbox(items []keepwatch.ReturnItem) bool {
	return len(items) > 0 && items[0].Mailbox != ""
}

// putInMailbox puts items of archives into a mailbox: shown first, then confirmed.
func (r *Router) putInMailbox(ctx context.Context, c *call, into string) (keepwatch.Message, error) {
	if c.args.has("overwrite") {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "--overwrite belongs to a restore to a folder. In a mailbox nothing is ever replaced: --present skip leaves out what is there already, --present copy puts another one beside it.")
	}
	refs, parts, err := r.whatOfMailbox(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	source, _, _ := strings.Cut(refs[0], "/")
	c.audit.Source = source
	if r.cfg.Duties.Returns == nil {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "This Keepwatch cannot put anything into a mailbox. Restore to a folder: --to ./back.")
	}
	q, err := r.query(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	ask := keepwatch.ReturnAsk{Parts: slices.Concat(parts, lookedFor(q)), Into: into, Present: c.args.one("present")}
	plan, err := r.cfg.Duties.Returns.Plan(ctx, refs, ask)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(plan.Items) == 0 {
		return r.nothingForMailbox(source, refs, q, plan), nil
	}
	before, err := r.putBackBefore(source)
	if err != nil {
		return keepwatch.Message{}, err
	}
	confirms := code(returnShown{plan, before.ID})
	if c.args.one("confirm") == confirms { // never “yes”: nobody has seen what goes into a mailbox
		return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunRestore, Source: source, Ask: keepwatch.Ask{Archive: refs[0], Parts: ask.Parts, Return: plan.Items}})
	}
	msg := keepwatch.Message{Title: "Put this into the mailbox " + keepwatch.Printable(plan.Items[0].Mailbox) + "? Nothing is put there yet"}
	c.wrongCode(&msg, "put back")
	if len(plan.Mind) > 0 {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Look at this first:\n! "+printable(plan.Mind, "\n! ")))
	}
	msg.Blocks = append(msg.Blocks, r.mailboxFields(plan, q), foldersTable(plan))
	msg.Blocks = append(msg.Blocks, keepwatch.Text(safeText(plan)))
	if code(before.Ask.Return) == code(plan.Items) {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("Run %d was told to put the same there on %s; it is %s. `backup status %d` shows what became of it.", before.ID, r.time(before.Created), r.stateWord(before), before.ID)))
	}
	msg.Blocks = append(msg.Blocks, cannotPutBack(plan)...)
	items, _ := itemsAndBytes(plan)
	msg.Buttons = []keepwatch.Button{{Label: "Put it there", Style: keepwatch.StylePrimary, Command: c.mailboxCommand(refs, parts, confirms), Form: &keepwatch.Form{
		Title: "Put it there now?", Submit: "Put it there",
		Text: fmt.Sprintf("%s into the mailbox %s. Nothing is sent to anybody, and nothing that is there is changed.", items, plan.Items[0].Mailbox),
	}}}
	return msg, nil
}

// whatOfMailbox reads which archives are meant, and which parts: behind the first word, a
// word that begins with the name of the source and a slash is another archive of it.
func (r *Router) whatOfMailbox(c *call) (refs, parts []string, err error) {
	a, err := r.archive(c, c.args.one("archive"))
	if err != nil {
		return nil, nil, err
	}
	refs = []string{a.Ref()}
	for _, word := range c.args["part"] {
		if !strings.HasPrefix(word, a.Source+"/") {
			parts = append(parts, insideWord(word))
			continue
		}
		more, err := r.archive(c, word)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(refs, more.Ref()) {
			refs = append(refs, more.Ref())
		}
	}
	return refs, parts, nil
}

// lookedFor makes parts of what is looked for.
func lookedFor(q keepwatch.MailQuery) (parts []string) {
	if q.Text != "" {
		parts = append(parts, keepwatch.PartFind+q.Text)
	}
	if !q.From.IsZero() {
		parts = append(parts, keepwatch.PartSince+q.From.Format(time.RFC3339Nano))
	}
	if !q.To.IsZero() {
		parts = append(parts, keepwatch.PartUntil+q.To.Format(time.RFC3339Nano))
	}
	return parts
}

// mailboxCommand is the command that was typed, with a confirmation.
func (c *call) mailboxCommand(refs, parts []string, confirms string) string {
	words := slices.Concat([]string{"backup", "restore"}, refs)
	options := append([]string{"--to", c.args.one("to")}, c.queryWords()...)
	if c.args.has("present") {
		options = append(options, "--present", c.args.one("present"))
	}
	options = append(options, "--confirm", confirms)
	if slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "-") }) { // a name, and no option
		return Quote(slices.Concat(words, options, []string{"--"}, parts)...)
	}
	return Quote(slices.Concat(words, parts, options)...)
}

// itemsAndBytes gives how much a plan is, in words.
func itemsAndBytes(plan keepwatch.ReturnPlan) (items, size string) {
	bytes := int64(0)
	for _, item := range plan.Items {
		bytes += item.Bytes
	}
	return keepwatch.FormatCount(int64(len(plan.Items)), "folder"), keepwatch.FormatBytes(bytes)
}

// mailboxFields says what goes where, and of when it is.
func (r *Router) mailboxFields(plan keepwatch.ReturnPlan, q keepwatch.MailQuery) keepwatch.Block {
	var from []string
	for _, item := range plan.Items {
		for _, ref := range append(slices.Clone(item.With), item.Archive) {
			if !slices.Contains(from, ref) {
				from = append(from, ref)
			}
		}
	}
	slices.Sort(from)
	items, size := itemsAndBytes(plan)
	fields := []keepwatch.Field{
		{Name: "Into the mailbox", Value: keepwatch.Printable(plan.Items[0].Mailbox)},
		{Name: "As it was on", Time: plan.Items[0].At},
		{Name: "From", Value: namesText(from)},
		{Name: "How much", Value: items + ", " + size},
	}
	if !q.IsZero() {
		fields = append(fields, keepwatch.Field{Name: "Looked for", Value: r.soughtIn(q, boxPlaces)}, keepwatch.Field{Name: "Found", Value: keepwatch.FormatCount(plan.Found, "item")})
	}
	return keepwatch.Block{Fields: fields}
}

// foldersTable shows what goes into which folder.
func foldersTable(plan keepwatch.ReturnPlan) keepwatch.Block {
	table := keepwatch.Table{Head: []string{"", "What", "Into the folder", "Size"}}
	for i, item := range plan.Items {
		folder := strings.TrimPrefix(item.Into, item.Mailbox+"/")
		table.Rows = append(table.Rows, []string{strconv.Itoa(i + 1), short(item.Name, shownFolder), short(folder, shownFolder), keepwatch.FormatBytes(item.Bytes)})
	}
	return keepwatch.Block{Table: &table}
}

// safeText says what is not going to happen, which is what people are afraid of.
func safeText(plan keepwatch.ReturnPlan) string {
	text := "Nothing that is in the mailbox now is changed or removed. Nothing is sent: no mail goes out, and nobody is invited to an event. Mails keep their dates, and whether they were read."
	if plan.Items[0].Present == "copy" {
		return text + " What is in the folder already gets another one beside it."
	}
	return text + " What is in the folder already is left out: a mail by its Message-ID, a contact or an event that is still the same one, and what an earlier restore has put there."
}

// nothingForMailbox answers a plan with nothing in it.
func (r *Router) nothingForMailbox(source string, refs []string, q keepwatch.MailQuery, plan keepwatch.ReturnPlan) keepwatch.Message {
	msg := keepwatch.Message{Title: "There is nothing of that to put into the mailbox of " + source, Tone: keepwatch.ToneWarn, Refused: keepwatch.KindConflict, Failed: true}
	if !q.IsZero() {
		msg.Title, msg.Refused = "Nothing was found that could be put into the mailbox", keepwatch.KindNotFound
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Looked for: "+r.soughtIn(q, boxPlaces)+". It is looked for as a whole: fewer words find more, and `/backup show` with the same words and another archive looks there. What attachments hold is not looked through."))
	}
	if len(plan.Mind) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("! "+printable(plan.Mind, "\n! ")))
	}
	if len(plan.Known) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The archive holds: "+namesText(plan.Known)+"."))
	}
	msg.Blocks = append(msg.Blocks, cannotPutBack(plan)...)
	msg.Buttons = []keepwatch.Button{{Label: "Restore to a folder", Command: "backup restore " + Quote(refs[0])}}
	return msg
}

// mailboxForm asks what of an archive goes into its mailbox.
func mailboxForm(a keepwatch.Archive) *keepwatch.Form {
	return &keepwatch.Form{
		Title: "Put into the mailbox", Submit: "Show the plan", Text: "Nothing is changed yet: you see first what would be done. It goes into a new folder of the mailbox. From " + a.Ref() + ".",
		Fields: []keepwatch.FormField{
			{Name: "part", Words: true, Label: "Only these parts", Hint: "mail, contacts, calendar, Inbox/Projects, Inbox/#12, divided by blanks; empty: all of it", Type: keepwatch.FieldText},
			{Name: "find", Flag: true, Label: "Only what has this text", Hint: "in subject, people, text, names of attachments; empty: all", Type: keepwatch.FieldText},
		},
	}
}
