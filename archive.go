package keepwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Archive is what a backup run produced: one folder in the vault. The record in
// the store is told the whole truth about it, private names in Notes included;
// the manifest beside the sealed files holds no name from inside.
type Archive struct {
	Version int        `json:"v"`
	Source  string     `json:"source"`
	Stamp   string     `json:"stamp"` // name of its folder, StampOf(Started), with "-2" and so on where two fell into one second
	Kind    SourceKind `json:"kind"`
	Parts   []string   `json:"parts,omitempty"`
	Path    string     `json:"path,omitempty"` // of a files source: what it is of
	Run     int64      `json:"run"`            // the run that made it
	// Fetched says that the provider's server had made it by itself, and that somebody
	// had it brought home.
	Fetched bool `json:"fetched,omitempty"`
	// Adopted says that it was found in the vault with nobody's word about it:
	// whether it is unlike its history is worked out when it is verified.
	Adopted bool `json:"adopted,omitempty"`
	// Base is the Ref of the archive that this one goes on from: it holds what changed
	// since then alone. "": it is whole.
	Base string `json:"base,omitempty"`

	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`

	Items       int64        `json:"items"`        // files, folders and links inside
	Bytes       int64        `json:"bytes"`        // of content, before compression
	SealedBytes int64        `json:"sealed_bytes"` // as it lies on disk
	Sealed      []SealedFile `json:"sealed"`
	Recipients  []string     `json:"recipients,omitempty"` // age public keys that it was sealed to

	Notes  []Note             `json:"notes,omitempty"`
	Counts map[NoteKind]int64 `json:"counts,omitempty"`
	Inside *Inside            `json:"inside,omitempty"` // of one that is stored as one file
	// Mailboxes are the first MaxMailboxes Outlook data files in it, in short.
	Mailboxes []Mailbox `json:"mailboxes,omitempty"`

	Held string `json:"held,omitempty"` // ID of the ServerBackup that it is a copy of: one that was brought home, or that our own run had made

	Verified []Verification `json:"verified,omitempty"` // newest last; the first is from the run that made it
	Pinned   string         `json:"pinned,omitempty"`   // why it is kept for ever; empty: not pinned
	Removing bool           `json:"removing,omitempty"` // its removal has begun: where its folder is gone, it is meant to be
	Gaps     []string       `json:"gaps,omitempty"`     // what could not be read, or only in part, as Gaps.List gives it

	// Peak is the most that those before it have held, as it was known when it was made.
	Peak     Peak      `json:"peak,omitzero"`
	Findings []Finding `json:"findings,omitempty"` // ways in which it is unlike its history
	// Accepted says who looked at the findings and said that they are right.
	Accepted   string    `json:"accepted,omitempty"`
	AcceptedAt time.Time `json:"accepted_at,omitzero"`
	Copies     []Copy    `json:"copies,omitempty"` // where else it lies
	// Revision counts the changes of what is written beside the archive too, so
	// that a state which is older than that is noticed.
	Revision int64 `json:"revision,omitempty"`
	// Unread says that what is written beside it cannot be understood. It may say
	// that the archive is pinned, so it is, until a person pins it or ends that.
	Unread bool `json:"unread,omitempty"`
}

// Copy is another place where an archive lies.
type Copy struct {
	Place string    `json:"place"` // as in the configuration: an absolute folder
	At    time.Time `json:"at"`    // when it was made
	// Verified is when its files were last read back from there and their SHA-256
	// compared; a copy counts from then on.
	Verified time.Time `json:"verified,omitzero"`
	Trouble  string    `json:"trouble,omitempty"` // why it does not count now, as a sentence
}

// SealedFile is one file of an archive's folder, as it lies on disk.
type SealedFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // lower-case hex
}

// AsOf gives the moment at which things were as the archive holds them: when its run
// began, or, of a backup that the provider's server had made before that, when that
// was. What is the newest is a matter of this, and not of when it was brought home.
func (a Archive) AsOf() time.Time {
	if a.Inside != nil && !a.Inside.Made.IsZero() && a.Inside.Made.Before(a.Started) {
		return a.Inside.Made
	}
	return a.Started
}

// Ref gives the archive's name in commands: "ruthin-web/2026-11-23T030000Z".
func (a Archive) Ref() string { return a.Source + "/" + a.Stamp }

// StampLayout is how an archive's folder is named after its start, in UTC.
const StampLayout = "2006-01-02T150405Z"

// StampOf gives the folder name for a start.
func StampOf(t time.Time) string { return t.UTC().Format(StampLayout) }

// SplitRef takes a Ref apart. It reports false for anything that is not a
// source's name, a slash and a stamp, so that what it accepts is safe as a path.
func SplitRef(ref string) (source, stamp string, ok bool) {
	source, stamp, ok = strings.Cut(ref, "/")
	if !ok || !ValidName(source) || !ValidStamp(stamp) {
		return "", "", false
	}
	return source, stamp, true
}

// ValidStamp reports whether s is a stamp as StampOf gives it, or one with a
// number from 2 to 999 behind it.
func ValidStamp(s string) bool {
	if len(s) < len(StampLayout) {
		return false
	}
	if _, err := time.Parse(StampLayout, s[:len(StampLayout)]); err != nil {
		return false
	}
	rest := s[len(StampLayout):]
	if rest == "" {
		return true
	}
	var n int
	if _, err := fmt.Sscanf(rest, "-%d", &n); err != nil || n < 2 || n > 999 {
		return false
	}
	return rest == fmt.Sprintf("-%d", n)
}

// groupKey is the same for archives of the same thing: of one source, one path
// and the same parts, in whatever order they were asked for. The path is in it
// because a name may come to mean another one, by a line in the configuration;
// archives whose path nobody knows stand for none whose path is known. Those that were
// brought home are a group of their own: one that is of a month ago must neither push
// out what we have made since, nor be removed at once because that is newer.
func (a Archive) groupKey() string {
	parts := slices.Clone(a.Parts)
	slices.Sort(parts)
	return fmt.Sprintf("%q %q %q %t", a.Source, a.Path, slices.Compact(parts), a.Fetched)
}

// LastLike gives the newest verified archive of the same path and parts that is whole and
// was not brought home, and false where there is none.
func LastLike(source Source, parts []string, archives []Archive) (last Archive, found bool) {
	like := Archive{Source: source.Name, Path: source.Path, Parts: parts}.groupKey()
	for _, a := range archives {
		if a.groupKey() == like && a.Base == "" && a.IsVerified() && (!found || a.AsOf().After(last.AsOf())) {
			last, found = a, true
		}
	}
	return last, found
}

// IsVerified reports whether the newest verification found nothing wrong. Only
// such archives count.
func (a Archive) IsVerified() bool {
	n := len(a.Verified)
	return n > 0 && a.Verified[n-1].OK()
}

// Gone gives the archive as one that does not count, because a look at its
// folder found something missing. It says so as a verification would, and
// nothing else may be concluded from it.
func (a Archive) Gone(at time.Time, text string) Archive {
	a.Verified = append(slices.Clone(a.Verified), Verification{At: at, Level: LevelSealed, Problems: []Finding{{Rule: "missing", What: a.Ref(), Text: text}}})
	return a
}

// keptProofs is how many verifications an archive's record keeps.
const keptProofs = 20

// Add appends what was found about the archive: the first verification is kept,
// and the newest ones.
func (a *Archive) Add(v Verification) {
	a.Verified = append(slices.Clone(a.Verified), v)
	if n := len(a.Verified); n > keptProofs {
		a.Verified = append(a.Verified[:1:1], a.Verified[n-keptProofs+1:]...)
	}
}

// LastVerification gives the newest verification, and false where there is none.
func (a Archive) LastVerification() (Verification, bool) {
	if len(a.Verified) == 0 {
		return Verification{}, false
	}
	return a.Verified[len(a.Verified)-1], true
}

// Verification is what was proved about an archive, and when.
type Verification struct {
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`
	Level    Level         `json:"level"`
	Files    int64         `json:"files"`  // entries whose SHA-256 was compared with the list of contents
	Bytes    int64         `json:"bytes"`  // of content that was read back
	Sealed   int64         `json:"sealed"` // bytes read from disk
	Problems []Finding     `json:"problems,omitempty"`
	// Gaps are those that the list of contents tells of, as Gaps.List gives them.
	// They go into the archive's record, and not with each verification.
	Gaps []string `json:"-"`
}

// OK reports whether nothing was found wrong.
func (v Verification) OK() bool { return len(v.Problems) == 0 }

// Level says how far a verification could go.
type Level string

const (
	// LevelOpened: read back from where it lies, hashed, decrypted, unpacked,
	// and every file compared with the sealed list of contents.
	LevelOpened Level = "opened"
	// LevelSealed: the sealed files were read back and hashed, but not
	// opened, because the bot holds no key for them.
	LevelSealed Level = "sealed"
)

// Finding is something wrong or suspicious, in words that name the thing.
type Finding struct {
	Rule string `json:"rule"` // a short fixed word, for tests and metrics: "hash", "missing", "shrunk"
	What string `json:"what"` // the file or archive that it is about
	Text string `json:"text"` // a sentence with the figures
}

// RuleRestore is the Rule of a finding of a restore that is about the place that
// was restored to, and not about the archive.
const RuleRestore = "restore"

// NoteKind sorts what is worth knowing about a backup that went through.
type NoteKind string

// The kinds of note.
const (
	NoteUnreadable NoteKind = "unreadable" // left out: could not be opened or read
	NoteHalf       NoteKind = "half read"  // could be read only in part; it is stored at its full length, with zeros for the rest
	NoteChanged    NoteKind = "changed"    // changed while it was read; what was read is in the archive
	NoteVanished   NoteKind = "vanished"   // was listed, then gone
	NoteSpecial    NoteKind = "special"    // left out: a socket, device or named pipe
	NoteSparse     NoteKind = "sparse"     // has holes; stored at its full length
	NoteHardLink   NoteKind = "hard link"  // has other names too; stored as a file of its own
	NoteExcluded   NoteKind = "excluded"   // left out: by the configuration, or the bot's own data
	NoteMount      NoteKind = "mount"      // another file system begins here
	NoteMailbox    NoteKind = "mailbox"    // an Outlook data file, and what is inside
	NoteInfo       NoteKind = "info"       // anything else
)

// MaxNotes is how many notes a run and an archive's record keep word for word.
// All of them are in the archive's sealed list of contents, and counted.
const MaxNotes = 50

// Note is one thing worth knowing about a backup that went through.
type Note struct {
	Kind NoteKind `json:"kind"`
	Path string   `json:"path,omitempty"`
	Text string   `json:"text,omitempty"`
	// Mailbox is what was found inside an Outlook data file, of a NoteMailbox. It is in
	// the sealed list of contents; a run and a record keep it in Mailboxes.
	Mailbox *Mailbox `json:"mailbox,omitempty"`
}

// EntryType is what an entry of an archive is.
type EntryType string

// The types of entry. Nothing else is stored.
const (
	EntryFile   EntryType = "file"
	EntryFolder EntryType = "folder"
	EntryLink   EntryType = "symlink"
)

// Entry is one line of an archive's list of contents, and what a provider hands
// over for one file, folder or link.
type Entry struct {
	Path    string    `json:"path"` // relative, "/" between parts, no ".." and no "." parts
	Type    EntryType `json:"type"`
	Size    int64     `json:"size,omitempty"`   // bytes; of a file
	Mode    uint32    `json:"mode"`             // permission bits with setuid, setgid and sticky as in Unix: 0o7777
	ModTime time.Time `json:"mtime"`            // to the nanosecond
	Link    string    `json:"link,omitempty"`   // where a symlink points to
	SHA256  string    `json:"sha256,omitempty"` // of a file's content, lower-case hex; filled in while it is stored
	UID     int       `json:"uid,omitempty"`
	GID     int       `json:"gid,omitempty"`
	In      string    `json:"in,omitempty"` // name of the sealed file that holds it; filled in while it is stored
}

// RestorePlan is what a restore is going to do, in figures.
type RestorePlan struct {
	Ref      string   `json:"ref"`
	To       string   `json:"to"`
	Items    int64    `json:"items"`
	Bytes    int64    `json:"bytes"`
	Need     int64    `json:"need"`              // bytes that are to be written, which leaves out what is there already
	New      int64    `json:"new"`               // files that do not exist in To yet
	Same     int64    `json:"same"`              // files that exist with the same size and time
	Replaced int64    `json:"replaced"`          // files that exist and differ
	Clashes  []string `json:"clashes,omitempty"` // the first 20 that exist and differ
	Blocked  []string `json:"blocked,omitempty"` // the first 20 that something stands in the way of that no restore replaces: a folder in a file's place, a file in a folder's, a link that leads outside
	Missing  []string `json:"missing,omitempty"` // parts that were asked for and are not in the archive
	Free     int64    `json:"free"`              // bytes left on To's disk; -1: unknown
}
