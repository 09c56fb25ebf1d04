package outlook

import (
	"errors"
	"io"
	"iter"
)

// ErrLost: what a spool held cannot be read any more (a disk that fails, another key). The
// download is to begin anew.
var ErrLost = errors.New("what was downloaded cannot be read")

// Spools keeps the spools of runs on this machine. What lies there is encrypted with a key
// that the run keeps, so that it is worth nothing once that is gone.
type Spools interface {
	// Open opens the spool of a run, or begins it. key are 32 bytes. ErrLost: there is one,
	// and it cannot be read.
	Open(run int64, key []byte) (Spool, error)
	// Scratch gives an empty folder of a run for a file that has to lie open for a while (a
	// PST that is being written). It goes with the spool.
	Scratch(run int64) (string, error)
	// Remove removes the spool of a run with its scratch folder, if it has one.
	Remove(run int64) error
	// Sweep removes those of runs that keep does not know, and the scratch folders of all.
	// Nobody may be using one meanwhile.
	Sweep(keep func(run int64) bool) error
	// Free is how many bytes are free where they lie.
	Free() (int64, error)
}

// Spool is what was downloaded in a run. It is killed at any instant: what was saved is
// there afterwards, and what was being written is not, or as if it had never been begun.
// Several goroutines may use it; each item is written by one of them.
type Spool interface {
	// SetFolders saves which folders are downloaded, in order, with all that is known of them.
	// Those that are not among them any more are forgotten with their items.
	SetFolders(folders []Folder) error
	Folders() ([]Folder, error)

	// Page saves a page of a folder and how far its reading is, in one step. An item of a
	// known ID and another Change takes the place of the older one, whose content then counts
	// no longer; a Removed one takes it out of the folder. When a Full reading ends, what it
	// has not listed is taken out. With the zero Position it lists items before the reading
	// of the folder begins.
	Page(folder string, items []Item, at Position) error
	// Position is how far the reading of a folder is; the zero one if it has not begun.
	Position(folder string) (Position, error)
	// Restart begins the reading of a folder anew, from State from ("" for a Full one): its
	// Position is {State: from, Due: true} then, or the zero one. Items and contents stay;
	// those that come again with the same Change are not pending.
	Restart(folder, from string) error

	// Pending gives the items without a content, in the order of their folders and of their
	// coming, as they are when it comes to them. Put and Miss may be called meanwhile.
	Pending() iter.Seq2[Item, error]
	// Put saves the content of an item: body to its end. It returns after that is in the
	// spool, and Sync after it is on disk. The content counts for every item of the same ID
	// and Change, in whatever folder. Where the item is another one meanwhile, that stays
	// pending. What item says more than the listing did (Content.Item) is in its Records. n
	// is the length of body, sum its SHA-256 in lower-case hex.
	Put(item Item, c Note, body io.Reader) (n int64, sum string, err error)
	// Miss saves why the content of an item cannot be had: it is pending no longer.
	Miss(item Item, why string) error
	// Retry makes pending again what was missed.
	Retry() error
	// Sync sees that all that was saved is on disk.
	Sync() error

	// Records gives the items of a folder in the order of their coming.
	Records(folder string) iter.Seq2[Record, error]
	// Open reads the content of a record. ErrLost: it is not what was written.
	Open(r Record) (io.ReadCloser, error)
	// OpenAt reads it here and there, for whoever has to read it twice.
	OpenAt(r Record) (Reader, error)
	// Removed gives what was taken out of a folder by a reading that was not Full, always in
	// the same order. It ends after the first error.
	Removed(folder string) iter.Seq2[Item, error]

	// Totals says how far the download is.
	Totals() (Totals, error)
	Close() error
}

// Reader is a content that is read here and there.
type Reader interface {
	io.ReaderAt
	io.Closer
}

// Note is what is kept of how a content was had.
type Note struct {
	Rebuilt string   `json:"rebuilt,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Record is an item with what became of it.
type Record struct {
	Item
	Note
	Bytes   int64  `json:"bytes,omitempty"`   // of its content
	SHA256  string `json:"sha256,omitempty"`  // of its content, lower-case hex
	Missing string `json:"missing,omitempty"` // why there is none
	// Pending says that nobody has tried yet.
	Pending bool `json:"pending,omitempty"`
	// Place is where the spool has it; "" without a content.
	Place string `json:"-"`
}

// Totals are numbers of items and bytes of contents, of all folders: what is in two of them
// counts twice.
type Totals struct {
	Items, Done, Missing int64
	Bytes                int64
}
