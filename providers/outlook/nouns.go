package outlook

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Kind is what a folder holds.
type Kind string

// The kinds of folder.
const (
	Mail     Kind = "mail"
	Contacts Kind = "contacts"
	Calendar Kind = "calendar"
)

// Folder is one of a mailbox: of mail, of contacts, or a calendar.
type Folder struct {
	ID     string `json:"id"`               // the server's; it stays when the folder is moved or renamed
	Parent string `json:"parent,omitempty"` // ID of the folder that it is in; "": none
	Kind   Kind   `json:"kind"`
	// Path are the names from the top of its kind down to its own, as a person sees them:
	// ["Inbox", "Projects"]. They may hold any characters, also slashes.
	Path []string `json:"path"`
	// WellKnown is the name that is the same in every language: "inbox", "sentitems",
	// "recoverableitemsdeletions" (learn.microsoft.com/graph/api/resources/mailfolder); ""
	// for those that people have made.
	WellKnown   string `json:"well_known,omitempty"`
	Hidden      bool   `json:"hidden,omitempty"`
	Recoverable bool   `json:"recoverable,omitempty"` // it, or one above it, holds what was deleted from "Deleted Items"
	Default     bool   `json:"default,omitempty"`     // the mailbox's own folder of contacts, or calendar
	ReadOnly    bool   `json:"read_only,omitempty"`   // a calendar of others
	Items       int64  `json:"items"`                 // that the server counts in it, without those of folders below; -1: it does not say
	Bytes       int64  `json:"bytes,omitempty"`       // likewise; 0: it does not say
}

// Name is the last name of its path.
func (f Folder) Name() string {
	if len(f.Path) == 0 {
		return ""
	}
	return f.Path[len(f.Path)-1]
}

// Title is its path for people, "Inbox/Projects".
func (f Folder) Title() string { return strings.Join(f.Path, "/") }

// Within reports whether f is folder or lies below it, by names.
func (f Folder) Within(folder Folder) bool {
	return f.Kind == folder.Kind && len(f.Path) >= len(folder.Path) && slices.Equal(f.Path[:len(folder.Path)], folder.Path)
}

// Item is what the server says of a message, a contact or an event. It is a line of the
// index of an archive.
type Item struct {
	ID     string `json:"id"` // immutable within a mailbox; upper and lower case differ
	Folder string `json:"folder"`
	Kind   Kind   `json:"kind"`
	// Change is another text whenever the item is another one (changeKey, else the time of
	// the last change).
	Change string `json:"change,omitempty"`
	// Removed says that it is no longer in the folder: "deleted" or "changed" (moved, or out
	// of the window of a query). All else of what a Server says is empty then but ID, Folder
	// and Kind.
	Removed string `json:"removed,omitempty"`

	Subject    string    `json:"subject,omitempty"` // of a contact its name
	At         time.Time `json:"at,omitzero"`       // when a mail was received, an event begins, a contact was changed
	Sent       time.Time `json:"sent,omitzero"`
	Created    time.Time `json:"created,omitzero"`
	Modified   time.Time `json:"modified,omitzero"`
	From       string    `json:"from,omitempty"`
	MessageID  string    `json:"message_id,omitempty"` // Message-ID with its brackets; the UID of an event
	Size       int64     `json:"size,omitempty"`       // in bytes, as the server counts; 0: it does not say
	Read       bool      `json:"read,omitempty"`
	Draft      bool      `json:"draft,omitempty"`
	Flag       string    `json:"flag,omitempty"`       // "flagged", "complete", or "" for none
	Importance string    `json:"importance,omitempty"` // "low", "high", or "" for normal
	Categories []string  `json:"categories,omitempty"`
	Attached   bool      `json:"attached,omitempty"` // it has attachments
	// Raw is the whole of it as the server's JSON, without the body of a message: what the
	// standard forms have no place for is not lost. It may be nil, and is where it would be
	// longer than 1 MiB.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// Form is the format of a file of the archive, and the end of its name.
type Form string

// The forms: RFC 5322 with MIME, vCard (RFC 2426), iCalendar (RFC 5545).
const (
	EML Form = "eml"
	VCF Form = "vcf"
	ICS Form = "ics"
)

// FormOf is the form of items of a kind.
func FormOf(k Kind) Form {
	switch k {
	case Contacts:
		return VCF
	case Calendar:
		return ICS
	}
	return EML
}

// Position is how far the reading of a folder is.
type Position struct {
	// Next leads to the page that was not read yet; "" at the beginning, and at the end.
	Next string `json:"next,omitempty"`
	// Whole says that a Full reading has ended in this spool, and that what came since were
	// its changes: all that is in the folder is known. A download sets it, no Server.
	Whole bool `json:"whole,omitempty"`
	// State is what a later reading goes on from to see changes only; "" before the end.
	State string `json:"state,omitempty"`
	// Full says that the reading began at the beginning: what it did not list is no longer
	// in the folder. One that goes on from a State lists changes only.
	Full bool `json:"full,omitempty"`
	// Due says that State is what the reading is to begin from, and nothing of it was read:
	// a Position with a State alone could not be told from one that ended.
	Due bool `json:"due,omitempty"`
}

// Ended reports whether all was read.
func (p Position) Ended() bool { return p.State != "" && p.Next == "" && !p.Due }
