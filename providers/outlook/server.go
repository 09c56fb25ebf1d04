package outlook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"keepwatch"
)

// What a Server says about items and folders, for errors.Is.
var (
	// ErrGone: the item or the folder is not there any more.
	ErrGone = errors.New("it is no longer in the mailbox")
	// ErrResync: the server has forgotten the state; the folder is to be read from its beginning.
	ErrResync = errors.New("the state of the folder is too old")
	// ErrPoison: the item is there and cannot be had, not even rebuilt. The error's text says
	// why, for the list of what is missing.
	// Of Put: the mailbox takes this item in no form, and others it does take.
	ErrPoison = errors.New("the item cannot be had")
)

// Wish says which folders are to be listed.
type Wish struct {
	Kinds       []Kind
	Hidden      bool // folders of mail that mail programs do not show
	Recoverable bool // what was deleted from "Deleted Items" and is kept for a while
}

// Changes is one page of what is in a folder, or of what changed there. An item may come
// again, in the same page or a later one; the last one counts.
type Changes struct {
	Items []Item
	Position
}

// Content is an item in the standard form of its kind.
type Content struct {
	Form Form
	Body io.ReadCloser // must be closed; it holds one of the mailbox's few connections
	// Item is that which was asked for, completed where the listing did not say all: Raw,
	// Size, and the exceptions of a series.
	Item Item
	// Rebuilt says why it is not the server's own text but was made of its single parts; ""
	// for the forms that are always made so (VCF, ICS).
	Rebuilt string
	// Notes say what of the item is not in it, as sentences without an end.
	Notes []string
}

// Server reads mailboxes. Its errors are sentences for the person who can act, with one of
// the errors above in their chain where that is so. mailbox is an address.
type Server interface {
	// Folders gives the folders of a mailbox, those above before those below them.
	Folders(ctx context.Context, mailbox string, wish Wish) ([]Folder, error)
	// Changes reads a folder page by page: from its beginning with the zero Position, on with
	// the Next of a page that was read, or what changed since a State. The last page has a
	// State. It ends after the first error.
	Changes(ctx context.Context, mailbox string, folder Folder, from Position) iter.Seq2[Changes, error]
	// Content gives one item.
	Content(ctx context.Context, mailbox string, item Item) (Content, error)
	// Lanes is how many calls for one mailbox may be made at once.
	Lanes() int
}

// Mark is written into everything that is restored, so that it is found again by whoever
// restores the same thing after having been cut off.
type Mark struct {
	Run  int64  `json:"run"`
	Item string `json:"item"` // Item.ID of the archive
	// State tells states of the same item apart, in a few characters without a slash; it may
	// be empty.
	State string `json:"state,omitempty"`
}

// Restorer writes into mailboxes. A Server may be one. Nothing that it writes is sent to
// anybody.
type Restorer interface {
	// MakeFolder gives the folder of a name in another one (parent "" for the top of the
	// kind), and makes it if it is not there.
	MakeFolder(ctx context.Context, mailbox string, kind Kind, parent, name string) (Folder, error)
	// Marked gives the items of a folder that have marks of a run: the id that each has now,
	// and whether all of it is there. One may come twice; the last one counts. It ends after
	// the first error.
	Marked(ctx context.Context, mailbox string, folder Folder, run int64) iter.Seq2[Marked, error]
	// Known gives the marks of all that is in a folder and whole, of whatever run, and changes
	// nothing there. One may come twice. It ends after the first error.
	Known(ctx context.Context, mailbox string, folder Folder) iter.Seq2[Mark, error]
	// Put writes an item with its mark. Mail keeps its dates, read state and headers and is no
	// draft; an event invites nobody. Called again for what Marked gave as not whole, it
	// first removes that. content is the item's file of the archive, of size bytes.
	Put(ctx context.Context, mailbox string, folder Folder, item Item, mark Mark, content io.ReaderAt, size int64) (Restored, error)
	// Present gives what is in a folder of contacts or a calendar now, whoever has put it
	// there, for whoever skips that: of each item its ID, and of an event its UID as MessageID;
	// all else is empty. One may come twice. It ends after the first error.
	Present(ctx context.Context, mailbox string, folder Folder) iter.Seq2[Item, error]
	// Holds tells which of the messages a folder of mail has, by Item.MessageID, for whoever
	// skips those. One that Put has left in part is not held. There may be far too many of them
	// to list.
	Holds(ctx context.Context, mailbox string, folder Folder, messageIDs []string) (map[string]bool, error)
}

// Marked is an item that is in a mailbox and has a mark.
type Marked struct {
	Mark
	Restored
}

// Restored is an item that was put into a mailbox.
type Restored struct {
	ID    string
	Whole bool
	Notes []string // what of it could not be put back, as sentences without an end
}

// Exporter has Microsoft Purview make a PST of a mailbox. kept is what it has kept of an
// export, which keep saves before anything goes on; both are of the Job.
type Exporter interface {
	// Begin makes the case, the search and the export, each once.
	Begin(ctx context.Context, mailbox string, run int64, kept json.RawMessage, keep func(json.RawMessage) error) error
	// Wait returns when it is made.
	Wait(ctx context.Context, kept json.RawMessage, report func(keepwatch.Progress)) error
	// Files are what was made.
	Files(ctx context.Context, kept json.RawMessage) ([]ExportFile, error)
	// Open reads one of them from a byte on.
	Open(ctx context.Context, kept json.RawMessage, file ExportFile, from int64) (io.ReadCloser, error)
	// Remove removes the export, as far as that can be; it says what stays.
	Remove(ctx context.Context, kept json.RawMessage) ([]keepwatch.Note, error)
}

// ExportFile is a file of an export.
type ExportFile struct {
	Name string
	Size int64 // bytes
	URL  string
	// Incomplete says why the export may lack something, as a sentence without an end; ""
	// for one that is complete. One file of an export says it.
	Incomplete string
}
