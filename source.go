package keepwatch

import (
	"path"
	"slices"
	"strings"
	"time"
)

// SourceKind is the word after "kind:" in the YAML.
type SourceKind string

// The kinds of source that the configuration knows.
const (
	KindFiles   SourceKind = "files"   // a folder, a single file or PST, or a drop folder on this machine
	KindCPanel  SourceKind = "cpanel"  // a hosting account
	KindOutlook SourceKind = "outlook" // a Microsoft 365 mailbox
)

// KindDossier is what is written down for a lock-out: see Dossier. The
// configuration does not take it, because there is one and the program makes it.
const KindDossier SourceKind = "dossier"

// EnginePurview is the Source.Engine of a mailbox that Microsoft Purview exports.
const EnginePurview = "purview"

// Source is something that needs a backup. It comes from keepwatch.yaml, or is
// made from a path given in the terminal (AdHoc), and is never changed by a run.
type Source struct {
	Name string     `json:"name"`
	Kind SourceKind `json:"kind"`

	// Path is the folder or file of a files source, absolute.
	Path string `json:"path,omitempty"`
	// Drop says that Path is a drop folder: each file that appears in it and
	// stops growing for Settle is taken in by a run of its own.
	Drop   bool          `json:"drop,omitempty"`
	Settle time.Duration `json:"settle,omitempty"`
	// Exclude are patterns of paths below Path that are left out, with "/"
	// between parts; one without "/" matches a base name anywhere.
	Exclude []string `json:"exclude,omitempty"`

	// Hosting is how a cPanel account is reached; nil for other kinds.
	Hosting *Hosting `json:"-"`
	// Rotation is what the host says that it keeps of its own backups.
	Rotation Rotation `json:"rotation,omitzero"`

	// Mailbox, Formats ("eml", "pst") and Engine ("", "graph" or "purview") belong to an
	// Outlook mailbox.
	Mailbox string   `json:"mailbox,omitempty"`
	Formats []string `json:"formats,omitempty"`
	Engine  string   `json:"engine,omitempty"`

	Parts    []string `json:"parts,omitempty"`
	Schedule string   `json:"schedule,omitempty"` // cron expression; empty: only when asked
	AdHoc    bool     `json:"ad_hoc,omitempty"`   // made from a path in the terminal, kept in the store
}

// Excludes reports whether a pattern leaves out what lies at rel below Path: its
// last part alone is compared with a pattern without a slash, the whole path
// otherwise.
func (s Source) Excludes(rel string) bool {
	return slices.ContainsFunc(s.Exclude, func(pattern string) bool {
		pattern = strings.Trim(pattern, "/")
		against := rel
		if !strings.Contains(pattern, "/") {
			against = path.Base(rel)
		}
		hit, _ := path.Match(pattern, against)
		return hit
	})
}

// Rotation says how many backups a host keeps and for how long. Zero: unknown.
type Rotation struct {
	Keeps  int           `json:"keeps,omitempty"`
	MaxAge time.Duration `json:"max_age,omitempty"`
}

// MaxName is the longest name of a source, in bytes. Names are folder names in
// the vault and words in chat.
const MaxName = 63

// ValidName reports whether name may name a source: 1 to MaxName of a-z, 0-9,
// ".", "_" and "-", beginning with a letter or a digit.
func ValidName(name string) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case (c == '.' || c == '_' || c == '-') && i > 0:
		default:
			return false
		}
	}
	return true
}

// NameFrom makes a valid name out of any text, such as the last part of a path:
// lower case, every run of other characters one "-". Text without a letter or a
// digit gives "source".
func NameFrom(text string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(c)
		case (c == '.' || c == '_') && b.Len() > 0 && !gap:
			b.WriteRune(c)
		default:
			gap = true
		}
		if b.Len() >= MaxName-4 { // room for a "-2" that makes it unique
			break
		}
	}
	name := strings.TrimRight(b.String(), "._-")
	if name == "" {
		return "source"
	}
	return name
}

// DropTry is what is remembered of a try to take in a file of a drop folder, until
// that has gone well: to be tried again when something about it has changed, or
// after a while.
type DropTry struct {
	Path    string    // below the drop folder, with "/" between parts; any bytes
	Size    int64     // of the file as it was then
	ModTime time.Time // likewise
	Changed time.Time // when its name, owner or mode last changed; zero: the system does not say
	Mode    uint32
	Run     int64 // the run that was begun for it; 0: it was refused before there was one
	Tries   int   // of the file as it is, this one included
	At      time.Time
}
