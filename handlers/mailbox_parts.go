package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// mailboxParts says what the parts of a mailbox are called.
const mailboxParts = "Parts are mail, contacts, calendar, hidden and recoverable, or a folder with those below it: Inbox, Inbox/Projects, calendar/Team."

// usualFolders are those that every mailbox has, in English.
var usualFolders = []string{"Inbox", "Drafts", "Sent Items", "Deleted Items", "Junk Email", "Archive"}

// checkMailParts refuses parts that no mailbox has, and words that are a slip of the pen for
// one that each has. Whether there is a folder of that name is looked at when it begins.
func (r *Router) checkMailParts(source keepwatch.Source, parts []string) error {
	if source.Engine == keepwatch.EnginePurview && len(parts) > 0 {
		return hinted{
			keepwatch.Errorf(keepwatch.KindInvalid, "%s is exported by Microsoft Purview, which takes the whole mailbox: leave the parts out.", source.Name),
			[]keepwatch.Button{{Label: "Yes, all of it", Command: "backup start " + Quote(source.Name), Style: keepwatch.StylePrimary}},
		}
	}
	for _, part := range parts {
		if !keepwatch.ValidMailboxPart(part) {
			return keepwatch.Errorf(keepwatch.KindInvalid, "%q is no part of a mailbox. %s", keepwatch.Printable(part), mailboxParts)
		}
		if near := slip(part); near != "" {
			return hinted{
				keepwatch.Errorf(keepwatch.KindInvalid, "%q is no part that every mailbox has. %s A folder that is really called so is named with its kind: mail/%s.", keepwatch.Printable(part), mailboxParts, keepwatch.Printable(part)),
				[]keepwatch.Button{{Label: "Yes, " + near, Command: "backup start " + Quote(source.Name, near), Style: keepwatch.StylePrimary}},
			}
		}
	}
	return nil
}

// slip gives the part that a word is one letter away from, or two letters that stand the
// wrong way round; "" where it is one, or none is so near. A folder may have any name, so
// that what is further away is believed.
func slip(part string) string {
	word := strings.ToLower(part)
	if strings.Contains(word, "/") || len(word) < 4 || word == "calendars" {
		return ""
	}
	names := append(kindsOfPart(), usualFolders...)
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, word) }) {
		return ""
	}
	for _, n := range names {
		if distance(word, strings.ToLower(n)) == 1 {
			return n
		}
	}
	return ""
}

func kindsOfPart() []string {
	return []string{keepwatch.PartMail, keepwatch.PartContacts, keepwatch.PartCalendar, keepwatch.PartHidden, keepwatch.PartRecoverable}
}

// partsOfMailbox gives what may be named as a part of a mailbox: the folders are those of
// its newest archive.
func (r *Router) partsOfMailbox(ctx context.Context, source string) []Candidate {
	list := []Candidate{
		{keepwatch.PartMail, "all folders of mail", true}, {keepwatch.PartContacts, "all folders of contacts", true}, {keepwatch.PartCalendar, "all calendars", true},
		{keepwatch.PartHidden, "folders that mail programs do not show", true}, {keepwatch.PartRecoverable, "what was deleted from Deleted Items, and is kept for a while", true},
	}
	folders := r.foldersOfNewest(ctx, source)
	for _, f := range folders {
		if len(list) < mostParts && keepwatch.ValidMailboxPart(f.Path) {
			list = append(list, Candidate{f.Path, keepwatch.FormatCount(f.Items, "item") + " when it was last backed up", true})
		}
	}
	if len(folders) == 0 {
		for _, name := range usualFolders {
			list = append(list, Candidate{name, "this folder and those below it", true})
		}
	}
	return list
}

// holdsMail reports whether something is the inside of a mailbox.
func holdsMail(i *keepwatch.Inside) bool { return i != nil && len(i.Items) > 0 }

// mailText counts what is in an archive of a mailbox: "43 mails, 1 contact (970.7 KiB)".
func mailText(i keepwatch.Inside) string {
	text := keepwatch.CountKinds(i.Items)
	if text == "" {
		text = "no item"
	}
	if i.Bytes > 0 {
		text += " (" + keepwatch.FormatBytes(i.Bytes) + ")"
	}
	return text
}

// contentText says how much an archive holds.
func contentText(a keepwatch.Archive) string {
	if holdsMail(a.Inside) {
		return mailText(*a.Inside)
	}
	return fmt.Sprintf("%s in %s", keepwatch.FormatBytes(a.Bytes), keepwatch.FormatCount(a.Items, "item"))
}

// passwordBlocks answers, on the card of a mailbox that was made a PST of, who can open that.
// A password of a PST is a checksum in the file (PidTagPstPassword), which programs pass over.
func passwordBlocks(inside *keepwatch.Inside, list []keepwatch.Mailbox) []keepwatch.Block {
	if !holdsMail(inside) || len(list) == 0 {
		return nil
	}
	return []keepwatch.Block{keepwatch.Text("The PST has no password, because such a password keeps nobody out. What protects it is the seal of the archive: without the key nobody opens it.")}
}
