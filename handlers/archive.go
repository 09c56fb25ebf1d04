package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// archiveCommands are those about archives.
func (r *Router) archiveCommands() []Command {
	archive := Option{Name: "archive", Type: TypeArchive, Required: true, Summary: "an archive, or a source for its newest one"}
	confirm := Option{Name: "confirm", Type: TypeText, Flag: true, Summary: "the code of the plan that was shown, or yes"}
	return []Command{
		{
			Group: "backup", Name: "list", Role: keepwatch.RoleViewer, run: r.list,
			Summary: "List archives, the newest first, and how each of them is",
			Options: []Option{{Name: "source", Type: TypeSource, Summary: "only those of this source"}},
		},
		{
			Group: "backup", Name: "show", Role: keepwatch.RoleViewer, run: r.show,
			Summary: "Show all that is known of an archive, or what is inside a mailbox in it",
			Options: append([]Option{
				archive,
				{Name: "inside", Type: TypePart, Summary: "an Outlook data file in it, for its folders; a folder of that, for its items (admins)"},
				{Name: "from", Type: TypeCount, Flag: true, Summary: "begin a long list at this number"},
			}, findOptions()...),
			Examples: []string{"backup show ruthin-web", "backup show ruthin-web/2026-11-23T030000Z", "backup show pst-drop mail.pst", "backup show pst-drop mail.pst/Inbox --from 16", "backup show pst-drop mail.pst --find minutes"},
			shut:     func(words []string) bool { return len(words) > 1 },
		},
		{
			Group: "backup", Name: "verify", Role: keepwatch.RoleOperator, run: r.verify, Card: true,
			Summary: "Read an archive back and prove it", Options: []Option{archive},
			Examples: []string{"backup verify ruthin-web"},
		},
		{
			Group: "backup", Name: "restore", Role: keepwatch.RoleAdmin, run: r.restore,
			Summary: "Restore an archive or parts of it; shown first, then confirmed",
			Options: append([]Option{
				archive,
				{Name: "part", Type: TypePart, Variadic: true, Summary: "only these: files, folders, *.docx; mail.pst/Inbox/#17; --to account, mailbox: parts, archives"},
				{Name: "to", Type: TypePath, Flag: true, Summary: "the folder to restore into; account: the hosting account; mailbox, original, bob@contoso.example"},
				{Name: "overwrite", Type: TypeSwitch, Flag: true, Summary: "replace files that exist there"},
				{Name: "present", Type: TypeText, Flag: true, Summary: "--to mailbox: skip what is there already, or copy it"},
				{Name: "confirm", Type: TypeText, Flag: true, Summary: "the code of the plan that was shown, or yes; --to account: the code"},
			}, findOptions()...),
			Examples: []string{"backup restore ruthin-web --to /tmp/look", "backup restore notes reports/2026 --to ./back", "backup restore pst-drop mail.pst/Inbox/2024 --to ./mails", "backup restore pst-drop mail.pst --find minutes --since 2024-03-01 --to ./mails", "backup restore ruthin-web database:ruthin_wp --to account",
				"backup restore alis-mail Inbox/Projects --to mailbox", "backup restore alis-mail --find minutes --to bob@contoso.example"},
		},
		{
			Group: "backup", Name: "prune", Role: keepwatch.RoleAdmin, run: r.prune,
			Summary: "Remove archives by the retention rules; shown first, then confirmed",
			Options: []Option{
				{Name: "source", Type: TypeSource, Required: true, Summary: "whose archives"},
				{Name: "accept", Type: TypeArchive, Flag: true, Summary: "say that an archive that looks wrong is right"},
				confirm,
			},
			Examples: []string{"backup prune ruthin-web"},
		},
		{
			Group: "backup", Name: "pin", Role: keepwatch.RoleOperator, run: r.pin,
			Summary: "Keep an archive for ever, whatever the retention rules say",
			Options: []Option{
				archive,
				{Name: "reason", Type: TypeText, Variadic: true, Summary: "why"},
				{Name: "off", Type: TypeSwitch, Flag: true, Summary: "no longer; for admins"},
			},
			Examples: []string{"backup pin ruthin-web before the move", "backup pin ruthin-web --off"},
		},
	}
}

func (r *Router) list(_ context.Context, c *call) (keepwatch.Message, error) {
	source := c.args.one("source")
	c.audit.Source = source
	archives, err := r.archives(source)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(archives) == 0 && source != "" {
		return keepwatch.Message{}, r.noArchive(source)
	}
	msg := keepwatch.Message{Title: keepwatch.FormatCount(int64(len(archives)), "archive")}
	if len(archives) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("There is no archive yet."))
		return msg, nil
	}
	table := keepwatch.Table{Head: []string{"Archive", "Of", "When", "Content", "On disk", "State"}}
	broken := keepwatch.BrokenChains(archives)
	for _, a := range archives {
		table.Rows = append(table.Rows, []string{a.Ref(), ofText(a, archives), r.when(c, a.Started),
			contentText(a), keepwatch.FormatBytes(a.SealedBytes), r.remarks(a, broken[a.Ref()])})
	}
	onlyParts(&table, archives)
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	return msg, nil
}

// archives gives those of a source, or all. One that is not in the vault as it
// should be does not count as verified, whatever its record says.
func (r *Router) archives(source string) ([]keepwatch.Archive, error) {
	list, err := r.cfg.History.Archives(source)
	for i, a := range list {
		if gone := r.cfg.Vault.Missing(a); gone != "" {
			list[i] = a.Gone(r.cfg.Now(), gone)
		}
	}
	return list, err
}

// ofText says what an archive is of. Where its source has archives of several
// paths, which count on their own, it says of which.
func ofText(a keepwatch.Archive, archives []keepwatch.Archive) string {
	switch {
	case !moved(a, archives):
		return partsText(a.Parts)
	case a.Path == "":
		return partsText(a.Parts) + " (of what path is not known)"
	}
	return partsText(a.Parts) + " of " + keepwatch.Printable(a.Path)
}

// moved reports whether a source has archives of another path than this one.
func moved(a keepwatch.Archive, archives []keepwatch.Archive) bool {
	return slices.ContainsFunc(archives, func(b keepwatch.Archive) bool { return b.Source == a.Source && b.Path != a.Path })
}

// onlyParts leaves the column "Of" out where all archives are of whole sources,
// and those of a source of one path.
func onlyParts(t *keepwatch.Table, archives []keepwatch.Archive) {
	if slices.ContainsFunc(archives, func(a keepwatch.Archive) bool { return len(a.Parts) > 0 || moved(a, archives) }) {
		return
	}
	t.Head = slices.Delete(t.Head, 1, 2)
	for i := range t.Rows {
		t.Rows[i] = slices.Delete(t.Rows[i], 1, 2)
	}
}

// remarks says in a few words how an archive is. broken is what keeps it from being
// restored whole, as keepwatch.BrokenChain gives it.
func (r *Router) remarks(a keepwatch.Archive, broken string) string {
	words := []string{proofWord(a)}
	if a.Base != "" {
		words = append(words, r.changesOf(a.Base))
	}
	if broken != "" {
		words = append(words, "cannot be restored whole: "+keepwatch.Printable(broken))
	}
	if a.Fetched {
		words = append(words, "brought home; it is of "+r.time(a.AsOf()))
	}
	if a.Pinned != "" {
		words = append(words, "pinned: "+a.Pinned)
	}
	if n := leftOut(a.Counts); n > 0 {
		words = append(words, keepwatch.FormatCount(n, "gap"))
	}
	if len(a.Findings) > 0 && a.Accepted == "" {
		words = append(words, "unlike those before it")
	}
	return strings.Join(words, "; ")
}

// shownFiles is how many names from inside a card shows.
const shownFiles = 12

var errEnough = errors.New("enough was seen")

func (r *Router) show(ctx context.Context, c *call) (keepwatch.Message, error) {
	a, err := r.archive(c, c.args.one("archive"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Source = a.Source
	if c.searches() {
		return r.showFound(ctx, c, a)
	}
	if c.args.one("inside") != "" {
		return r.showInside(ctx, c, a)
	}
	msg := keepwatch.Message{Title: a.Ref(), Tone: keepwatch.ToneGood}
	if !a.IsVerified() {
		msg.Tone = keepwatch.ToneBad
	}
	fields := []keepwatch.Field{
		{Name: "Of", Value: partsText(a.Parts)}, {Name: "Made by", Value: fmt.Sprintf("run %d", a.Run)}, {Name: "Started", Time: a.Started},
		{Name: "Holds", Value: contentText(a)},
		{Name: "On disk", Value: keepwatch.FormatBytes(a.SealedBytes)}, {Name: "Where", Value: r.cfg.Vault.Path(a.Ref())},
		{Name: "Sealed to", Value: shorten(strings.Join(a.Recipients, ", "))},
	}
	if a.Base != "" {
		fields = append(fields, keepwatch.Field{Name: "Holds only", Value: r.changesOf(a.Base)})
	}
	fields = append(fields, r.insideFields(a)...)
	for _, c := range a.Copies {
		value := "read back and compared on " + c.Verified.In(r.cfg.Location).Format("2 January 2006")
		if c.Trouble != "" {
			value = c.Trouble
		}
		fields = append(fields, keepwatch.Field{Name: "Copy", Value: c.Place + ": " + value})
	}
	if a.Pinned != "" {
		fields = append(fields, keepwatch.Field{Name: "Pinned", Value: a.Pinned})
	}
	if v, ok := a.LastVerification(); ok {
		name := "Verified"
		if !v.OK() {
			name, msg.Title = "Last looked at", a.Ref()+" is damaged"
		}
		fields = append(fields, keepwatch.Field{Name: name, Time: v.At})
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields}, keepwatch.Text(proofText(&v)))
	} else {
		msg.Title = a.Ref() + " is not verified yet"
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields}, keepwatch.Text("It was never verified by this Keepwatch, so it does not count yet."))
	}
	if len(a.Findings) > 0 {
		if a.Accepted == "" {
			msg.Blocks = append(msg.Blocks, keepwatch.Text(pausedText(a.Source, a.Findings)))
			msg.Buttons = append(msg.Buttons, acceptButton(a.Source, a.Ref()))
		} else {
			msg.Blocks = append(msg.Blocks, keepwatch.Text("Unlike those before it; "+a.Accepted+" said that this is right."))
		}
	}
	if err := r.chainText(&msg, a); err != nil {
		return keepwatch.Message{}, err
	}
	msg.Blocks = append(msg.Blocks, notes(keepwatch.Result{Notes: a.Notes, Counts: a.Counts})...)
	list, mail := r.mailboxesOf(ctx, a)
	if bad := worse(list); bad != "" && msg.Tone == keepwatch.ToneGood {
		msg.Tone = keepwatch.ToneWarn
		msg.Title += bad
	}
	msg.Blocks = append(append(msg.Blocks, mail...), passwordBlocks(a.Inside, list)...)
	if folders, ok := r.boxFolders(ctx, c, a); ok {
		msg.Blocks = append(msg.Blocks, folders...)
	} else {
		msg.Blocks = append(msg.Blocks, r.inside(ctx, a)...)
	}
	msg.Blocks = append(msg.Blocks, r.openBlocks(a.Ref(), a.Sealed)...)
	msg.Buttons = append(msg.Buttons, r.showButtons(a, list)...)
	return msg, nil
}

// shorten keeps a post-quantum key of 2,000 characters from filling a card.
func shorten(s string) string {
	if len(s) > 140 {
		return s[:120] + "…"
	}
	return s
}

// inside lists the first names from inside an archive.
func (r *Router) inside(ctx context.Context, a keepwatch.Archive) []keepwatch.Block {
	var lines []string
	err := r.cfg.Vault.Contents(ctx, a.Ref(), func(e keepwatch.Entry) error {
		if len(lines) == shownFiles {
			return errEnough
		}
		line := keepwatch.Printable(e.Path)
		switch e.Type {
		case keepwatch.EntryFolder:
			line += "/"
		case keepwatch.EntryLink:
			line += " → " + keepwatch.Printable(e.Link)
		default:
			line += "  " + keepwatch.FormatBytes(e.Size)
		}
		lines = append(lines, line)
		return nil
	}, nil)
	switch {
	case err != nil && !errors.Is(err, errEnough):
		text := keepwatch.Sentence(err)
		if text == "" {
			text = "What is inside could not be read."
		}
		return []keepwatch.Block{keepwatch.Text(text)}
	case len(lines) == 0:
		return []keepwatch.Block{keepwatch.Text("It is empty.")}
	}
	if more := a.Items - int64(len(lines)); more > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more", keepwatch.FormatCount(more, "")))
	}
	return []keepwatch.Block{keepwatch.Text("Inside:"), keepwatch.Code(strings.Join(lines, "\n"))}
}

func (r *Router) verify(ctx context.Context, c *call) (keepwatch.Message, error) {
	a, err := r.archive(c, c.args.one("archive"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunVerify, Source: a.Source, Ask: keepwatch.Ask{Archive: a.Ref()}})
}

// code is a short fingerprint of a plan: what was shown is what is done.
func code(plan any) string {
	data, err := json.Marshal(plan)
	if err != nil {
		return "" // matches nothing
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:4])
}

// wrongCode says that a confirmation was of another plan than the one that there
// is now: nothing was done, and whoever asked for it must not think that it was.
func (c *call) wrongCode(msg *keepwatch.Message, done string) {
	if !c.args.has("confirm") {
		return
	}
	msg.Tone, msg.Failed, msg.Refused = keepwatch.ToneWarn, true, keepwatch.KindConflict
	msg.Title = "Nothing was " + done + ": that is not what was confirmed"
	text := fmt.Sprintf("The code %q belongs to no plan, or what would be done has changed since it was shown. Look again:", c.args.one("confirm"))
	if c.args.one("confirm") == "yes" && done == "put back" {
		text = "“yes” confirms nothing that goes into a live account: only the code of a plan that was shown does. Look at what it would do:"
	} else if c.args.one("confirm") == "yes" {
		text = "“yes” does not confirm rules that nobody has been shown yet. Look at what they do:"
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(text))
}

// confirmed reports whether what was shown is confirmed.
func (c *call) confirmed(plan any) bool {
	given := c.args.one("confirm")
	return given != "" && (given == "yes" || given == code(plan))
}

func (r *Router) pin(_ context.Context, c *call) (keepwatch.Message, error) {
	a, err := r.archive(c, c.args.one("archive"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Source = a.Source
	reason := strings.Join(c.args["reason"], " ")
	if reason == "" {
		reason = "by " + c.person.Name
	}
	title := a.Ref() + " is kept for ever"
	if c.args.has("off") {
		if c.person.Role < keepwatch.RoleAdmin { // the next backup may remove it then, as only admins may
			return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "An archive that is kept for ever may be given up by admins only; your role is %s. Ask an admin.", c.person.Role)
		}
		reason, title = "", a.Ref()+" is kept as long as the retention rules say"
	}
	_, err = r.cfg.History.UpdateArchive(a.Ref(), func(a *keepwatch.Archive) error {
		if a.Removing && reason != "" {
			return keepwatch.Errorf(keepwatch.KindConflict, "%s is being removed by the retention rules at this moment, so it cannot be pinned. `/backup list %s` shows what is left.", a.Ref(), a.Source)
		}
		a.Pinned = reason
		return nil
	})
	if err != nil {
		return keepwatch.Message{}, err
	}
	return keepwatch.Message{Title: title, Tone: keepwatch.ToneGood}, err
}
