package handlers

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
)

func (r *Router) restore(ctx context.Context, c *call) (keepwatch.Message, error) {
	into, mailbox, err := r.intoMailbox(c)
	switch {
	case err != nil:
		return keepwatch.Message{}, err
	case mailbox:
		return r.putInMailbox(ctx, c, into)
	case c.args.has("present"):
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "--present belongs to a restore into a mailbox (--to mailbox), where it says what becomes of mails that are there already. Leave it out.")
	case c.args.one("to") == toAccount && c.searches():
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "--find, --since and --until look into Outlook data files, which are no part of a hosting account. Leave them out, or name a folder: --to ./back.")
	case c.args.one("to") == toAccount:
		return r.putBack(ctx, c)
	}
	return r.restoreToFolder(ctx, c)
}

// restoreToFolder restores to a folder of this machine: shown first, then confirmed.
func (r *Router) restoreToFolder(ctx context.Context, c *call) (keepwatch.Message, error) {
	a, err := r.archive(c, c.args.one("archive"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Source = a.Source
	to := c.args.one("to")
	if to == "" {
		to = filepath.Join(r.cfg.RestoreTo, a.Source, a.Stamp)
	}
	if to, err = filepath.Abs(below(c.req.Dir, to)); err != nil {
		return keepwatch.Message{}, err
	}
	ask := keepwatch.Ask{Archive: a.Ref(), Parts: slices.Clone(c.args["part"]), To: to, Overwrite: c.args.has("overwrite")}
	for i, part := range ask.Parts {
		if strings.HasPrefix(part, "./-") {
			ask.Parts[i] = insideWord(part)
		}
	}
	if c.searches() {
		q, err := r.insideFound(ctx, c, a, &ask)
		if err != nil {
			return keepwatch.Message{}, err
		}
		return r.bringOut(ctx, c, a, ask, q)
	}
	if inside, err := r.insideFiles(ctx, a, ask.Parts); err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	} else if inside {
		return r.bringOut(ctx, c, a, ask, keepwatch.MailQuery{})
	}
	plan, err := r.cfg.Vault.PlanExtract(ctx, a.Ref(), ask)
	if err != nil {
		return keepwatch.Message{}, r.noticed(a, err)
	}
	free := plan.Free
	plan.Free = 0 // it changes by itself and is no part of what is confirmed
	if msg, no := r.cannotRestore(a, plan, ask, free); no {
		return msg, nil
	}
	if c.confirmed(plan) {
		return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunRestore, Source: a.Source, Ask: ask})
	}
	msg := keepwatch.Message{Title: "Restore " + a.Ref() + "? Nothing is restored yet"}
	c.wrongCode(&msg, "restored")
	msg.Blocks = append(msg.Blocks, restoreFields(a, plan, free))
	if err := r.chainText(&msg, a); err != nil {
		return keepwatch.Message{}, err
	}
	if !a.IsVerified() {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("This archive is "+strings.TrimSuffix(proofWord(a), ".")+". What is whole in it can still be restored."))
	}
	msg.Buttons = []keepwatch.Button{{Label: "Restore", Style: keepwatch.StylePrimary, Command: restoreCommand(ask, code(plan)), Form: &keepwatch.Form{
		Title: "Restore now?", Submit: "Restore",
		Text: fmt.Sprintf("%s (%s) from %s go to %s, on the machine that runs Keepwatch.", keepwatch.FormatCount(plan.Items, "item"), keepwatch.FormatBytes(plan.Bytes), a.Ref(), plan.To),
	}}}
	return msg, nil
}

// restoreForm asks where an archive is to be restored, and what of it.
func restoreForm(a keepwatch.Archive) *keepwatch.Form {
	return &keepwatch.Form{
		Title: "Restore", Submit: "Show the plan", Text: "Nothing is written yet: you see first what would be done. From " + a.Ref() + ".",
		Fields: []keepwatch.FormField{
			{Name: "part", Words: true, Label: "Only these parts", Hint: "files, folders or patterns such as *.docx, divided by blanks; empty: all of it", Type: keepwatch.FieldText},
			{Name: "to", Flag: true, Label: "Into this folder of Keepwatch's machine", Hint: "empty: a new folder of its own", Type: keepwatch.FieldText},
		},
	}
}

func restoreCommand(ask keepwatch.Ask, code string, more ...string) string {
	words := []string{"backup", "restore", ask.Archive}
	options := append([]string{"--to", ask.To}, more...)
	if ask.Overwrite {
		options = append(options, "--overwrite")
	}
	if code != "" {
		options = append(options, "--confirm", code)
	}
	if slices.ContainsFunc(ask.Parts, func(p string) bool { return strings.HasPrefix(p, "-") }) { // a name, and no option
		return Quote(slices.Concat(words, options, []string{"--"}, ask.Parts)...)
	}
	return Quote(slices.Concat(words, ask.Parts, options)...)
}

func restoreFields(a keepwatch.Archive, plan keepwatch.RestorePlan, free int64) keepwatch.Block {
	fields := []keepwatch.Field{
		{Name: "Backed up", Time: a.AsOf()},
		{Name: "To", Value: plan.To},
		{Name: "How much", Value: fmt.Sprintf("%s in %s", keepwatch.FormatBytes(plan.Bytes), keepwatch.FormatCount(plan.Items, "item"))},
	}
	if free >= 0 {
		fields = append(fields, keepwatch.Field{Name: "Room there", Value: keepwatch.FormatBytes(free)})
	}
	if plan.Same+plan.Replaced > 0 {
		fields = append(fields, keepwatch.Field{Name: "Of these", Value: fmt.Sprintf("%d new, %d there already and the same, %d replaced", plan.New, plan.Same, plan.Replaced)})
	}
	return keepwatch.Block{Fields: fields}
}

// cannotRestore answers a restore that must not begin.
func (r *Router) cannotRestore(a keepwatch.Archive, plan keepwatch.RestorePlan, ask keepwatch.Ask, free int64) (keepwatch.Message, bool) {
	msg := keepwatch.Message{Title: "That cannot be restored as it stands", Tone: keepwatch.ToneWarn, Refused: keepwatch.KindConflict, Failed: true}
	switch {
	case len(plan.Missing) > 0:
		msg.Refused = keepwatch.KindNotFound
		msg.Blocks = append(msg.Blocks, keepwatch.Text(holdsNo(a, plan.Missing)))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Show what is in it", Command: "backup show " + Quote(ask.Archive)})
	case len(plan.Blocked) > 0:
		msg.Blocks = append(msg.Blocks, keepwatch.Text("In "+plan.To+" something stands in the way that no restore replaces, such as a folder in the place of a file, or a link that leads out of it. Nothing was touched. Move it away, or restore to another folder:"),
			keepwatch.Code(printable(plan.Blocked, "\n")))
	case plan.Replaced > 0 && !ask.Overwrite:
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("In %s there are files that the archive holds too, and that differ (%s). Nothing was touched. Restore to another folder, or replace them:",
			plan.To, keepwatch.FormatCount(plan.Replaced, ""))), keepwatch.Code(printable(plan.Clashes, "\n")))
		ask.Overwrite = true
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Replace them…", Style: keepwatch.StyleDanger, Command: restoreCommand(ask, "")})
	case free >= 0 && plan.Need > free:
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("There is not enough room in %s: %s are needed and %s are free.", plan.To, keepwatch.FormatBytes(plan.Need), keepwatch.FormatBytes(free))))
	default:
		return msg, false
	}
	return msg, true
}
