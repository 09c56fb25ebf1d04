package restore

import (
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// intoOriginal is what keepwatch.ReturnAsk.Into says for the folders where things were.
const intoOriginal = "original"

// What keepwatch.ReturnAsk.Present may say.
const (
	presentSkip = "skip"
	presentCopy = "copy"
)

// place is where things are put back.
type place struct {
	mailbox  string
	path     []string // of the folder that all goes below; empty: none
	original bool     // to the folders where they were
	asked    bool     // somebody has named the folder
}

// placeOf reads where things are to go: "" into a folder of their own in the mailbox own,
// "bob@contoso.example" into one in another, "/Some Folder" or "bob@contoso.example/Some
// Folder" into that folder, "original" to where they were.
func placeOf(own, into string, now time.Time) (place, error) {
	to := place{mailbox: own}
	folder := ""
	switch mailbox, rest, _ := strings.Cut(into, "/"); {
	case into == intoOriginal:
		to.original = true
		return to, nil
	case into == "":
	case strings.Count(mailbox, "@") == 1 && !strings.ContainsAny(mailbox, " \t<>,;") && mailbox[0] != '@' && !strings.HasSuffix(mailbox, "@"):
		to.mailbox, folder = mailbox, rest
		if strings.EqualFold(mailbox, own) {
			to.mailbox = own
		}
	case mailbox == "" && strings.Trim(rest, "/ ") != "":
		folder = rest
	default:
		return to, keepwatch.Errorf(keepwatch.KindInvalid, "%s is neither a mailbox nor a folder of one. Write an address (bob@contoso.example), one with a folder behind it (bob@contoso.example/Some Folder), or the word original.", keepwatch.Printable(into))
	}
	for name := range strings.SplitSeq(folder, "/") {
		if name = strings.TrimSpace(name); name != "" {
			to.path, to.asked = append(to.path, name), true
		}
	}
	if !to.asked {
		to.path = []string{"Restored " + now.Format(time.DateOnly)}
	}
	return to, nil
}

// folder is the path of the folder that the items of one of the archive go into. alone
// says that it is one item, which goes right into a folder that somebody has named.
func (to place) folder(of *folderView, alone bool) []string {
	base := to.path[:len(to.path):len(to.path)]
	switch {
	case to.original:
		return of.Path
	case alone && to.asked && of.Kind != outlook.Calendar:
		return base
	case of.Kind == outlook.Mail:
		return append(base, of.Path...)
	case of.Kind == outlook.Contacts && of.Default:
		return base
	case of.Kind == outlook.Contacts:
		return append(base, of.below...)
	case of.Default || alone && to.asked:
		return []string{strings.Join(base, " ")}
	}
	return []string{strings.Join(base, " ") + " " + of.title} // a calendar lies in no other
}

// title names the place of a folder for people: "bob@contoso.example/Restored 2026-11-23/Inbox".
func (to place) title(path []string) string {
	return to.mailbox + "/" + strings.Join(path, "/")
}

// present is what becomes of mails that are there already. It is "skip" for a new folder
// too: that one is found empty, unless somebody has restored into it before.
func present(ask string) (string, error) {
	switch ask {
	case "", presentSkip:
		return presentSkip, nil
	case presentCopy:
		return presentCopy, nil
	}
	return "", keepwatch.Errorf(keepwatch.KindInvalid, "%s is no way to treat what is there already. Say skip (it stays, and no second one is made) or copy (another one is put beside it).", keepwatch.Printable(ask))
}
