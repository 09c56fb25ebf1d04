package keepwatch

import "strings"

// Parts of a mailbox that have names of their own. Any other word is a folder: of mail, or
// of what the word before its first slash says ("calendar/Team").
const (
	PartMail        = "mail"        // all folders of mail that mail programs show
	PartContacts    = "contacts"    // all folders of contacts
	PartCalendar    = "calendar"    // all calendars; "calendars" is the same
	PartHidden      = "hidden"      // the folders of mail that mail programs do not show
	PartRecoverable = "recoverable" // what was deleted from "Deleted Items" and is kept for a while
)

// maxMailboxPart is the longest name of a part of a mailbox, in bytes: a path of folders.
const maxMailboxPart = 2000

// ValidMailboxPart reports whether text may be a part of a mailbox. Whether it has such a
// folder, only a look at it tells.
func ValidMailboxPart(text string) bool {
	control := func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
	return len(text) <= maxMailboxPart && strings.ToValidUTF8(text, "") == text && !strings.ContainsFunc(text, control) && strings.Trim(text, "/ ") != ""
}
