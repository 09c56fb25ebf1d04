package handlers

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"keepwatch"
)

// insideFiles reports whether parts of an archive lead into files that lie in it:
// "mail.pst/Inbox". Either all of them do or none, since files and items are restored
// in different ways.
func (r *Router) insideFiles(ctx context.Context, a keepwatch.Archive, parts []string) (bool, error) {
	asked := map[string]bool{} // whether it leads into a file
	spelt := map[string]bool{} // whether something in the archive is spelt so
	alike := map[string]int{}  // files it leads into but for upper and lower case
	for _, part := range parts {
		if strings.Contains(part, "/") {
			asked[part] = false
		}
	}
	if len(asked) == 0 || r.cfg.Mailboxes == nil {
		return false, nil
	}
	err := r.cfg.Vault.Contents(ctx, a.Ref(), func(e keepwatch.Entry) error {
		for part := range asked {
			_, in := keepwatch.InsideOf(e.Path, part)
			_, like := keepwatch.InsideOfAnyCase(e.Path, part)
			switch {
			case e.Path == part:
				spelt[part] = true
			case e.Type != keepwatch.EntryFile:
			case in:
				asked[part], spelt[part] = true, true
			case like && !strings.EqualFold(e.Path, part) && keepwatch.NamedMailbox(e.Path):
				alike[part]++
			}
		}
		return nil
	}, nil)
	for part, n := range alike {
		if !spelt[part] && n == 1 {
			asked[part] = true
		}
	}
	if err != nil {
		return false, err
	}
	var inside, files []string
	for _, part := range parts {
		if asked[part] {
			inside = append(inside, part)
		} else {
			files = append(files, part)
		}
	}
	if len(inside) > 0 && len(files) > 0 {
		return false, keepwatch.Errorf(keepwatch.KindInvalid, "%s leads into an Outlook data file, and %s does not: items are written as files of their own. Restore them one after the other. A name with blanks stands in quotes.", keepwatch.Printable(inside[0]), keepwatch.Printable(files[0]))
	}
	return len(inside) > 0, nil
}

// bringOut restores folders and items of Outlook data files: shown first, then
// confirmed.
func (r *Router) bringOut(ctx context.Context, c *call, a keepwatch.Archive, ask keepwatch.Ask, q keepwatch.MailQuery) (keepwatch.Message, error) {
	if ask.Overwrite {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "Items of a mailbox always go into a new folder, so there is nothing to overwrite. Leave out --overwrite.")
	}
	plan, err := r.cfg.Mailboxes.Plan(ctx, a.Ref(), ask, q)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	free := plan.Free
	plan.Free = 0 // it changes by itself and is no part of what is confirmed
	if plan.Items == 0 && !q.IsZero() {
		return keepwatch.Message{Title: "Nothing was found that could be restored", Tone: keepwatch.ToneWarn, Refused: keepwatch.KindNotFound, Failed: true,
			Blocks: []keepwatch.Block{keepwatch.Text("Looked for: " + r.sought(q) + ". There is no such item in " + printable(ask.Parts, ", ") + ".")}}, nil
	}
	if plan.Items == 0 {
		return keepwatch.Message{Title: "There is nothing in it to restore", Tone: keepwatch.ToneWarn, Refused: keepwatch.KindConflict, Failed: true,
			Blocks: []keepwatch.Block{keepwatch.Text(printable(ask.Parts, ", ") + ": no item lies in it that could be brought out.")}}, nil
	}
	if free >= 0 && plan.Bytes > free {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindConflict, "There is not enough room in %s: about %s are needed and %s are free.", keepwatch.Printable(filepath.Dir(plan.To)), keepwatch.FormatBytes(plan.Bytes), keepwatch.FormatBytes(free))
	}
	asked := keepwatch.Ask{Archive: a.Ref(), To: plan.To, Inside: true}
	for _, what := range plan.What {
		asked.Parts = append(asked.Parts, what.Part)
	}
	if c.confirmed(plan) {
		return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunRestore, Source: a.Source, Ask: asked})
	}
	msg := keepwatch.Message{Title: "Restore this from " + a.Ref() + "? Nothing is restored yet"}
	c.wrongCode(&msg, "restored")
	msg.Blocks = append(msg.Blocks, r.mailPlanBlocks(a, plan, free)...)
	if !a.IsVerified() {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("This archive is "+strings.TrimSuffix(proofWord(a), ".")+". What is whole in it can still be restored."))
	}
	msg.Buttons = []keepwatch.Button{{Label: "Restore", Style: keepwatch.StylePrimary, Command: restoreCommand(ask, code(plan), c.queryWords()...), Form: &keepwatch.Form{
		Title: "Restore now?", Submit: "Restore",
		Text: fmt.Sprintf("%s from %s go to %s, on the machine that runs Keepwatch.", keepwatch.CountKinds(plan.Kinds), a.Ref(), plan.To),
	}}}
	return msg, nil
}

// shownParts is how many of the parts of a plan are named.
const shownParts = 20

func (r *Router) mailPlanBlocks(a keepwatch.Archive, plan keepwatch.MailPlan, free int64) []keepwatch.Block {
	var lines []string
	for _, what := range plan.What[:min(len(plan.What), shownParts)] {
		line := keepwatch.Printable(what.Part)
		switch {
		case what.Subject != "" || what.From != "" || what.Folders == 0 && what.Items == 1:
			line += ": " + short(what.Subject, shownSubject)
			if what.From != "" {
				line += ", from " + short(what.From, shownSender)
			}
			if !what.At.IsZero() {
				line += ", " + r.time(what.At)
			}
		default:
			line += ": " + keepwatch.FormatCount(what.Items, "item") + " in " + keepwatch.FormatCount(what.Folders, "folder")
		}
		lines = append(lines, line)
	}
	if more := len(plan.What) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more", keepwatch.FormatCount(int64(more), "")))
	}
	fields := []keepwatch.Field{
		{Name: "Backed up", Time: a.AsOf()},
		{Name: "To", Value: plan.To + " (a new folder)"},
		{Name: "How much", Value: keepwatch.CountKinds(plan.Kinds) + ", about " + keepwatch.FormatBytes(plan.Bytes)},
	}
	if free >= 0 {
		fields = append(fields, keepwatch.Field{Name: "Room there", Value: keepwatch.FormatBytes(free)})
	}
	blocks := []keepwatch.Block{keepwatch.Text(strings.Join(lines, "\n")), {Fields: fields},
		keepwatch.Text("Mails become .eml files, appointments and tasks .ics, contacts .vcf: any mail program opens them. The archive stays as it is.")}
	if plan.Lost > 0 {
		blocks = append(blocks, keepwatch.Text(fmt.Sprintf("! %s of the list of what is in there cannot be read. What can be is restored, and a report in the folder names the rest.", keepwatch.FormatCount(plan.Lost, "part"))))
	}
	return blocks
}

// broughtOut fills in the card of a restore of folders and items of a mailbox.
func broughtOut(msg *keepwatch.Message, run keepwatch.Run) {
	res := run.Result
	what := keepwatch.CountKinds(res.Kinds)
	if what == "" {
		what = "Nothing"
	}
	text := fmt.Sprintf("%s (%s) brought out of the archive in %s.", what, keepwatch.FormatBytes(res.Bytes), keepwatch.FormatDuration(stepTime(run, "extract")))
	if leftOut(res.Counts) > 0 {
		msg.Tone = keepwatch.ToneWarn
		msg.Title += ", with gaps"
		msg.Failed = true
		text += " Not all of it could be read, because the Outlook data file is damaged. The file Keepwatch report.txt in the folder names all of it."
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(text),
		keepwatch.Block{Fields: []keepwatch.Field{{Name: "From", Value: res.Archive + ": " + partsText(run.Ask.Parts)}, {Name: "To", Value: run.Ask.To}}})
	msg.Blocks = append(msg.Blocks, notes(res)...)
}
