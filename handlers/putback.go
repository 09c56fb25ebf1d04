package handlers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"keepwatch"
)

// Returns plans what is put back where it came from.
type Returns interface {
	// Plan says what putting parts of archives of one source back into its account
	// does, in order, the oldest archive first. It changes nothing.
	Plan(ctx context.Context, refs []string, ask keepwatch.ReturnAsk) (keepwatch.ReturnPlan, error)
}

// toAccount is the word behind --to that says that parts go back where they came from.
// A folder of that name is ./account.
const toAccount = "account"

// shownNot is how many of the things that cannot be put back a plan names.
const shownNot = 20

// putBack puts parts of archives back into the account that they are of: shown first,
// then confirmed.
func (r *Router) putBack(ctx context.Context, c *call) (keepwatch.Message, error) {
	if c.args.has("overwrite") {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "--overwrite belongs to a restore to a folder. What goes back into an account replaces what is there, as the plan says. Leave it out.")
	}
	refs, parts, err := r.whatToPutBack(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	source, _, _ := strings.Cut(refs[0], "/")
	c.audit.Source = source
	if r.cfg.Duties.Returns == nil {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "This Keepwatch cannot put anything back into an account. Restore to a folder; one that is called account is written ./account.")
	}
	plan, err := r.cfg.Duties.Returns.Plan(ctx, refs, keepwatch.ReturnAsk{Parts: parts})
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(plan.Items) == 0 {
		return nothingToPutBack(source, refs, plan), nil
	}
	before, err := r.putBackBefore(source)
	if err != nil {
		return keepwatch.Message{}, err
	}
	confirms := code(returnShown{plan, before.ID})
	if c.args.one("confirm") == confirms { // never “yes”: nobody has seen what goes into a live account
		return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunRestore, Source: source, Ask: keepwatch.Ask{Archive: refs[0], Parts: parts, Return: plan.Items}})
	}
	_, stamp, _ := strings.Cut(c.args.one("archive"), "/")
	if len(refs) == 1 && (stamp == "" || stamp == "latest") { // nobody has said which archive; the button does, so it is no part of the code
		newer, err := r.newerParts(source, plan.Items)
		if err != nil {
			return keepwatch.Message{}, err
		}
		plan.Mind = append(slices.Clone(plan.Mind), newer...)
	}
	msg := keepwatch.Message{Title: "Put this back into the account of " + source + "? Nothing is put back yet"}
	c.wrongCode(&msg, "put back")
	msg.Blocks = append(msg.Blocks, returnWarnings(&msg, plan)...)
	msg.Blocks = append(msg.Blocks, r.returnTable(plan))
	if slices.ContainsFunc(plan.Items, func(i keepwatch.ReturnItem) bool { return i.Archive != plan.Items[0].Archive }) {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("It goes by the date of what is in the archives, the oldest first, so that the newest has the last word."))
	}
	if code(before.Ask.Return) == code(plan.Items) {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("Run %d was told to put back the same on %s; it is %s. `backup status %d` shows what became of it.", before.ID, r.time(before.Created), r.stateWord(before), before.ID)))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("In the account databases are replaced by what is in the archive, files of the same name are overwritten, and files that have come since stay. A backup of the account as it is now can undo that: make one first."))
	msg.Blocks = append(msg.Blocks, cannotPutBack(plan)...)
	command := Quote(slices.Concat([]string{"backup", "restore"}, refs, parts, []string{"--to", toAccount, "--confirm", confirms})...)
	msg.Buttons = []keepwatch.Button{
		{Label: "Put it back", Style: keepwatch.StyleDanger, Command: command, Form: &keepwatch.Form{
			Title: "Put it back now?", Submit: "Put it back",
			Text: fmt.Sprintf("%s into the account of %s, which is changed as it runs.", keepwatch.FormatCount(int64(len(plan.Items)), "item goes", "items go"), source),
		}},
		{Label: "Back up first", Command: "backup start " + Quote(source)},
	}
	return msg, nil
}

// newerParts says of which items a verified archive of a part alone holds a newer state.
// Where only a source is named, the archive of the whole account is taken, and an older
// database would go over one that was saved since.
func (r *Router) newerParts(source string, items []keepwatch.ReturnItem) ([]string, error) {
	archives, err := r.archives(source)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(archives, func(a, b keepwatch.Archive) int { return b.AsOf().Compare(a.AsOf()) })
	var refs []string
	held := map[string][]keepwatch.ReturnItem{} // by archive
	for _, item := range items {
		i := slices.IndexFunc(archives, func(a keepwatch.Archive) bool {
			return a.IsVerified() && a.AsOf().After(item.At) && holdsPart(a, item.Part)
		})
		if i < 0 {
			continue
		}
		ref := archives[i].Ref()
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
		held[ref] = append(held[ref], item)
	}
	var list []string
	for _, ref := range refs {
		var names, parts []string
		for _, item := range held[ref] {
			names = append(names, item.Name)
			if !slices.Contains(parts, item.Part) {
				parts = append(parts, item.Part)
			}
		}
		list = append(list, fmt.Sprintf("%s is newer, and holds this too: %s. To put that back: `backup restore %s --to %s`",
			ref, strings.Join(names, ", "), Quote(append([]string{ref}, parts...)...), toAccount))
	}
	return list, nil
}

// holdsPart reports whether an archive that was made of parts has one of them. The
// databases of one that was made of all of them are those that were seen inside.
func holdsPart(a keepwatch.Archive, part string) bool {
	if slices.Contains(a.Parts, part) {
		return true
	}
	name, ok := strings.CutPrefix(part, keepwatch.PartDatabase)
	return ok && slices.Contains(a.Parts, keepwatch.PartDatabases) && a.Inside != nil && slices.Contains(a.Inside.Databases, name)
}

// returnShown is what a confirmation is of: a plan, and which restore to the account
// was the last one when it was shown. So the button of a plan that has been carried out
// does nothing any more, whoever presses it.
type returnShown struct {
	Plan  keepwatch.ReturnPlan
	After int64
}

// putBackLooks is in how many of a source's runs the last restore to its account is
// looked for.
const putBackLooks = 100

// putBackBefore gives the last run that put something back into the account of a
// source; its ID is 0 where there is none.
func (r *Router) putBackBefore(source string) (keepwatch.Run, error) {
	runs, err := r.cfg.History.RecentRuns(source, putBackLooks)
	if err != nil {
		return keepwatch.Run{}, err
	}
	var last keepwatch.Run
	for _, run := range runs {
		if run.Source == source && len(run.Ask.Return) > 0 && run.ID > last.ID {
			last = run
		}
	}
	return last, nil
}

// returnWarnings says into what a plan goes, and before all else what may be wrong
// with that.
func returnWarnings(msg *keepwatch.Message, plan keepwatch.ReturnPlan) []keepwatch.Block {
	var blocks []keepwatch.Block
	if len(plan.Mind) > 0 {
		msg.Tone = keepwatch.ToneWarn
		blocks = append(blocks, keepwatch.Text("Look at this first:\n! "+printable(plan.Mind, "\n! ")))
	}
	if into := plan.Items[0].Into; into != "" {
		blocks = append(blocks, keepwatch.Block{Fields: []keepwatch.Field{{Name: "Into the account", Value: keepwatch.Printable(into)}}})
	}
	return blocks
}

// whatToPutBack reads which archives are meant, and which parts of them: a word that
// names a part is one, and every other one an archive.
func (r *Router) whatToPutBack(c *call) (refs, parts []string, err error) {
	for i, word := range append([]string{c.args.one("archive")}, c.args["part"]...) {
		if i > 0 && keepwatch.ValidHostingPart(word) {
			parts = append(parts, word)
			continue
		}
		a, err := r.archive(c, word)
		if i > 0 && keepwatch.KindOf(err) == keepwatch.KindNotFound {
			return nil, nil, keepwatch.Errorf(keepwatch.KindNotFound, "%q is neither an archive nor a part of an account. %s", word, hostingParts)
		}
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(refs, a.Ref()) {
			refs = append(refs, a.Ref())
		}
	}
	return refs, parts, nil
}

// returnTable shows a plan.
func (r *Router) returnTable(plan keepwatch.ReturnPlan) keepwatch.Block {
	table := keepwatch.Table{Head: []string{"", "What", "As it was on", "From", "Size"}}
	for i, item := range plan.Items {
		size := "not known"
		switch {
		case item.Bytes > 0:
			size = keepwatch.FormatBytes(item.Bytes)
		case item.Of > 0:
			size = "part of " + keepwatch.FormatBytes(item.Of)
		}
		table.Rows = append(table.Rows, []string{strconv.Itoa(i + 1), keepwatch.Printable(item.Name), r.time(item.At), item.Archive, size})
	}
	return keepwatch.Block{Table: &table}
}

// cannotPutBack names what is in the archives and stays there, with the reasons.
func cannotPutBack(plan keepwatch.ReturnPlan) []keepwatch.Block {
	if len(plan.Not) == 0 {
		return nil
	}
	lines := slices.Clone(plan.Not[:min(len(plan.Not), shownNot)])
	for i := range lines {
		lines[i] = keepwatch.Printable(lines[i])
	}
	if more := len(plan.Not) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more", keepwatch.FormatCount(int64(more), "")))
	}
	return []keepwatch.Block{keepwatch.Text("This is in the archives and cannot be put back this way:\n" + strings.Join(lines, "\n"))}
}

// nothingToPutBack answers a plan with nothing in it.
func nothingToPutBack(source string, refs []string, plan keepwatch.ReturnPlan) keepwatch.Message {
	msg := keepwatch.Message{Title: "Nothing of that can be put back into the account of " + source, Tone: keepwatch.ToneWarn, Refused: keepwatch.KindConflict, Failed: true}
	if len(plan.Known) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The archives hold: "+namesText(plan.Known)+"."))
	}
	msg.Blocks = append(msg.Blocks, cannotPutBack(plan)...)
	msg.Buttons = []keepwatch.Button{{Label: "Restore to a folder", Command: "backup restore " + Quote(refs[0])}}
	return msg
}

// putBackForm asks what of an archive goes back into the account.
func putBackForm(a keepwatch.Archive) *keepwatch.Form {
	return &keepwatch.Form{
		Title: "Put back into the account", Submit: "Show the plan", Text: "Nothing is changed yet: you see first what would be done. From " + a.Ref() + ".",
		Fields: []keepwatch.FormField{
			{Name: "part", Words: true, Label: "Only these parts", Hint: "home, databases, database:NAME, forwarders, filters, divided by blanks; empty: all that can be", Type: keepwatch.FieldText},
		},
	}
}

// showButtons are what can be done with an archive that is shown.
func (r *Router) showButtons(a keepwatch.Archive, list []keepwatch.Mailbox) []keepwatch.Button {
	ref := Quote(a.Ref())
	buttons := []keepwatch.Button{{Label: "Verify", Command: "backup verify " + ref}, {Label: "Restore", Command: "backup restore " + ref, Form: restoreForm(a)}}
	buttons = append(buttons, foldersButtons(a.Ref(), list)...)
	switch {
	case r.cfg.Duties.Returns == nil:
	case a.Kind == keepwatch.KindCPanel:
		buttons = append(buttons, keepwatch.Button{Label: "Put back into the account", Command: "backup restore " + ref + " --to " + toAccount, Form: putBackForm(a)})
	case a.Kind == keepwatch.KindOutlook:
		buttons = append(buttons, keepwatch.Button{Label: "Restore to the mailbox", Command: "backup restore " + ref + " --to " + toMailbox, Form: mailboxForm(a)})
	}
	return buttons
}
