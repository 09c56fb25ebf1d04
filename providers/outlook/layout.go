package outlook

import "time"

// Files of an archive beside the items and the PST. Each is JSON, or JSON lines (one
// object a line, UTF-8), so that it can be read without Keepwatch.
const (
	IndexPath   = "index.jsonl"   // a Line for every item, those that cannot be had too
	StatePath   = "state.json"    // a State
	RemovedPath = "removed.jsonl" // of an archive of changes: a Line of every item that is no longer in its folder, or whose folder was deleted
)

// Line is what the index says of one item.
type Line struct {
	Item
	In     []string `json:"in"`               // Folder.Path of its folder
	Path   string   `json:"path,omitempty"`   // of its file in the archive; "": it is missing, or removed
	Bytes  int64    `json:"bytes,omitempty"`  // of that file
	SHA256 string   `json:"sha256,omitempty"` // likewise, lower-case hex
	Note
	Missing string `json:"missing,omitempty"` // why it is not in the archive
}

// State is what an archive says of the mailbox as a whole, and what the next one goes on
// from.
type State struct {
	Version int           `json:"v"` // 1
	Mailbox string        `json:"mailbox"`
	Taken   time.Time     `json:"taken"`          // when the reading of its folders ended
	Base    string        `json:"base,omitempty"` // Ref of the archive that this one goes on from
	Folders []FolderState `json:"folders"`        // those above before those below them
	// Gone are, in an archive of changes, the folders of Base that were deleted since. Their
	// State is empty. Archives that were made before there was this field have none.
	Gone []FolderState `json:"gone,omitempty"`
}

// FolderState is what it says of a folder.
type FolderState struct {
	Folder
	State string `json:"state,omitempty"` // Position.State
	// Whole says that all that is in the folder is in this archive. In one of changes others
	// have only what changed, and what was removed.
	Whole   bool  `json:"whole,omitempty"`
	Kept    int64 `json:"kept"`              // items with a file
	Missing int64 `json:"missing,omitempty"` // items that could not be had
	// Gone are, of an archive of changes, items that were removed: the lines of RemovedPath.
	// Those of a Whole folder are for people; in older archives there are none.
	Gone int64 `json:"gone,omitempty"`
}
