package keepwatch

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mailbox is what was found inside an Outlook data file (PST) when it was backed up.
// All of it goes into the sealed list of contents, because its names are private; what
// a run and an archive's record keep of it is Short.
type Mailbox struct {
	Path    string `json:"path"`              // of the file in the archive
	Name    string `json:"name,omitempty"`    // what Outlook shows it as
	Format  string `json:"format,omitempty"`  // "Unicode", "ANSI"
	Size    int64  `json:"size"`              // of the file, in bytes
	Trouble string `json:"trouble,omitempty"` // why it could not be listed, or not to its end, as a sentence

	Items int64              `json:"items"`           // in all folders; hidden ones, such as views and rules, are none
	Kinds map[ItemKind]int64 `json:"kinds,omitempty"` // the same by kind
	First time.Time          `json:"first,omitzero"`  // date of the oldest mail; of the oldest item where there is no mail
	Last  time.Time          `json:"last,omitzero"`   // likewise of the newest

	// Gone is how many of the items cannot be found in the file: its folders list them, and
	// a part of its index is lost. It is counted where that is damaged.
	Gone int64 `json:"gone,omitempty"`

	// Orphans are items that lie in no folder: no mail program shows them.
	Orphans int64 `json:"orphans,omitempty"`

	Count   int64        `json:"count"`             // of folders
	Folders []MailFolder `json:"folders,omitempty"` // in the order of the file, parents first
	Biggest []MailFolder `json:"biggest,omitempty"` // the few with the most items

	Damage  []MailDamage `json:"damage,omitempty"`  // the first MaxMailDamage parts that cannot be read
	Damaged int64        `json:"damaged,omitempty"` // how many there are
	Check   *MailCheck   `json:"check,omitempty"`   // what a strict look at the whole file found; nil: nobody has looked

	// Headless says that the file came with a damaged header: what is inside was found
	// without it.
	Headless bool `json:"headless,omitempty"`

	// Cut says that it is no whole file, as one that is cut off: nobody has looked for what
	// is left of it, since only a look through all of it finds that.
	Cut bool `json:"cut,omitempty"`

	// More says that this only goes on with the folders of the one before it of the same
	// path: a list of contents has no line that is as long as the folders of a large
	// file.
	More bool `json:"more,omitempty"`
}

// MailFolder is a folder of an Outlook data file.
type MailFolder struct {
	// Path names it in commands: the names from the top of the file down with "/"
	// between them, made unique by MailPaths. "" is the top itself.
	Path  string    `json:"path"`
	Items int64     `json:"items"`
	Gone  int64     `json:"gone,omitempty"` // as of a Mailbox
	First time.Time `json:"first,omitzero"` // likewise
	Last  time.Time `json:"last,omitzero"`
}

// MailDamage is a part of an Outlook data file that cannot be read.
type MailDamage struct {
	Where  string `json:"where,omitempty"` // path of the folder; "": none in particular
	Offset int64  `json:"offset"`          // in the file, in bytes; -1: unknown
	Text   string `json:"text"`            // what is wrong, as a sentence
}

// MailCheck is what a strict check of an Outlook data file found.
type MailCheck struct {
	Findings int64     `json:"findings"`
	Worst    MailWorst `json:"worst,omitempty"`
	Text     string    `json:"text,omitempty"` // the first of the worst ones, for whoever repairs it
	Cut      bool      `json:"cut,omitempty"`  // there were so many that it stopped counting
}

// MailWorst says how bad the worst finding of a check is.
type MailWorst string

// How bad it can be.
const (
	MailSound  MailWorst = ""       // nothing was found
	MailOdd    MailWorst = "odd"    // unlike what Outlook writes; it may not mind
	MailRepair MailWorst = "repair" // Outlook would offer to repair it
	MailRuined MailWorst = "ruined" // parts of it cannot be read
)

// Bounds of what is kept of a Mailbox.
const (
	MaxMailDamage = 20
	MaxMailboxes  = 10 // that a run and an archive's record tell of one by one
	biggestKept   = 5
	mailChunk     = 256 << 10 // bytes of folders in one line of the list of contents, about
)

// ItemKind sorts the items of an Outlook data file.
type ItemKind string

// The kinds of item.
const (
	ItemMail    ItemKind = "mail"
	ItemEvent   ItemKind = "appointment"
	ItemContact ItemKind = "contact"
	ItemTask    ItemKind = "task"
	ItemNote    ItemKind = "note"
	ItemOther   ItemKind = "other"
)

// ItemKinds gives all kinds, in the order in which they are shown.
func ItemKinds() []ItemKind {
	return []ItemKind{ItemMail, ItemEvent, ItemContact, ItemTask, ItemNote, ItemOther}
}

// KindOfClass gives the kind of a message class ([MS-OXCMSG] 2.2.1.3: "IPM.Note"); its
// first parts decide. What came by mail is mail: reports and requests of meetings too.
func KindOfClass(class string) ItemKind {
	class = strings.ToUpper(class) + "."
	for _, c := range []struct {
		prefix string
		kind   ItemKind
	}{
		{"IPM.NOTE.", ItemMail}, {"REPORT.", ItemMail}, {"IPM.SCHEDULE.MEETING.", ItemMail}, {"IPM.TASKREQUEST.", ItemMail}, {"IPM.POST.", ItemMail}, {"IPM.SHARING.", ItemMail},
		{"IPM.APPOINTMENT.", ItemEvent}, {"IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}.", ItemEvent},
		{"IPM.CONTACT.", ItemContact}, {"IPM.DISTLIST.", ItemContact}, {"IPM.TASK.", ItemTask}, {"IPM.STICKYNOTE.", ItemNote},
	} {
		if strings.HasPrefix(class, c.prefix) {
			return c.kind
		}
	}
	if class == "." || class == "IPM." {
		return ItemMail
	}
	return ItemOther
}

// Counted gives so many items of a kind in words: "3 contacts".
func (k ItemKind) Counted(n int64) string {
	if k == ItemOther {
		return FormatCount(n, "other item")
	}
	return FormatCount(n, string(k))
}

// CountKinds gives items by kind in words: "1,200 mails, 20 contacts".
func CountKinds(kinds map[ItemKind]int64) string {
	var words []string
	for _, k := range ItemKinds() {
		if n := kinds[k]; n > 0 {
			words = append(words, k.Counted(n))
		}
	}
	return strings.Join(words, ", ")
}

// Seal gives the lines that a Mailbox becomes in a list of contents: the first with all
// but the folders that do not fit, the others with those.
func (m Mailbox) Seal() []Mailbox {
	folders := m.Folders
	m.Folders = nil
	list := []Mailbox{m}
	room := mailChunk
	for len(folders) > 0 {
		n := 0
		for n < len(folders) && room > 0 {
			room -= 2*len(folders[n].Path) + 120
			n++
		}
		last := &list[len(list)-1]
		last.Folders, folders = folders[:n:n], folders[n:]
		if len(folders) > 0 {
			list, room = append(list, Mailbox{Path: m.Path, More: true}), mailChunk
		}
	}
	return list
}

// UnsealMailboxes puts the lines of a list of contents together again.
func UnsealMailboxes(lines []Mailbox) []Mailbox {
	var list []Mailbox
	for _, m := range lines {
		if n := len(list); m.More && n > 0 && list[n-1].Path == m.Path {
			list[n-1].Folders = append(list[n-1].Folders[:len(list[n-1].Folders):len(list[n-1].Folders)], m.Folders...)
		} else if !m.More {
			list = append(list, m)
		}
	}
	return list
}

// Short gives a Mailbox as a run and an archive's record keep it, and a card shows it:
// without the list of its folders.
func (m Mailbox) Short() Mailbox {
	m.Folders = nil
	m.Damage = m.Damage[:min(len(m.Damage), 3)]
	return m
}

// Sum fills in what follows from the folders: how many there are, and the biggest.
func (m *Mailbox) Sum() {
	m.Count = int64(len(m.Folders))
	m.Biggest = nil
	sorted := slices.Clone(m.Folders)
	slices.SortStableFunc(sorted, func(a, b MailFolder) int { return cmp.Compare(b.Items, a.Items) })
	for _, f := range sorted[:min(len(sorted), biggestKept)] {
		if f.Items > 0 {
			m.Biggest = append(m.Biggest, f)
		}
	}
}

// Hurt reports whether something of it cannot be read.
func (m Mailbox) Hurt() bool { return m.Damaged > 0 || m.Trouble != "" || m.Cut }

// Has reports whether a path in an archive leads into it: "mail.pst/Inbox", or
// "mail.pst/" for all that is in it. inside is what follows the slash.
func (m Mailbox) Has(path string) (inside string, ok bool) { return InsideOf(m.Path, path) }

// InsideOf tells whether a path leads into the file of an archive that is called file,
// and gives what follows the slash.
func InsideOf(file, path string) (inside string, ok bool) {
	return strings.CutPrefix(path, file+"/")
}

// InsideOfAnyCase is InsideOf for people who write mail.pst for Mail.PST; a path that is
// the file itself leads to all that is in it.
func InsideOfAnyCase(file, path string) (inside string, ok bool) {
	for i := 0; i < len(path); i++ {
		if path[i] == '/' && strings.EqualFold(path[:i], file) {
			return path[i+1:], true
		}
	}
	return "", strings.EqualFold(path, file)
}

// NamedMailbox reports whether a name is one that Outlook data files have: archives
// (.pst), and the offline copies that Outlook keeps of an account (.ost).
func NamedMailbox(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".pst" || ext == ".ost"
}

// MailPaths names the folders of a file, so that each can be named in a command: the
// names from the top down with "/" between them. Where that gives a name that there is
// already, in whatever case, because two folders have one name or a name holds a
// slash, or one of an item ("#5"), " (2)" follows, and so on. depths are those of the
// folders, 0 for those right below the top; parents come first. A folder without a name
// is "(no name)".
func MailPaths(depths []int, names []string) []string {
	paths := make([]string, len(names))
	taken := map[string]bool{"": true}
	tries := map[string]int{}
	var above []string // the path at each depth
	for i, name := range names {
		depth := min(max(depths[i], 0), len(above))
		above = above[:depth]
		name = strings.Map(func(c rune) rune {
			if c < 0x20 || c >= 0x7F && c < 0xA0 { // C0 and C1: no command may have one
				return ' '
			}
			return c
		}, strings.ToValidUTF8(name, "\uFFFD"))
		if name = strings.Trim(name, "/ "); name == "" {
			name = "(no name)"
		}
		if depth > 0 {
			name = above[depth-1] + "/" + name
		}
		unique := name
		_, number := CutMailItem(unique) // a folder that is called as an item is
		for low := strings.ToLower(name); taken[strings.ToLower(unique)] || number > 0; number = 0 {
			tries[low]++
			unique = name + " (" + strconv.Itoa(tries[low]+1) + ")"
		}
		taken[strings.ToLower(unique)] = true
		paths[i] = unique
		above = append(above, unique)
	}
	return paths
}

// MailItem is one item of a folder, as it is listed.
type MailItem struct {
	Number  int64 // in its folder, the newest is 1 in an Outlook data file; in the index of a mailbox it is the place there. It is the same at each look, since an archive does not change
	Kind    ItemKind
	At      time.Time // received, or else sent; of anything else when it was made. Zero: unknown
	From    string    // whoever sent it; of a contact nobody
	Subject string
	Bytes   int64  // about
	Broken  string // why it cannot be read, or was not to be had; "": nothing is wrong
}

// MailPage is a part of the list of a folder.
type MailPage struct {
	File   string       // path of the Outlook data file in the archive
	Folder MailFolder   // whose items these are
	Below  []MailFolder // folders in it
	Items  []MailItem
	Total  int64 // items of the folder
	Left   bool  // the file is so damaged that all of it was looked through, and this is what is left
}

// MaxMailHits is how many items a search gives at the most.
const MaxMailHits = 1000

// MailQuery says which items of an Outlook data file are looked for. Each field that is
// set has to fit.
type MailQuery struct {
	Text string    // in subject, sender, recipients, body, names of attachments or details such as the address of a contact, without regard to upper and lower case
	From time.Time // MailItem.At is not before
	To   time.Time // and before; an item without a date fits neither
}

// IsZero reports whether nothing is looked for.
func (q MailQuery) IsZero() bool { return q.Text == "" && q.From.IsZero() && q.To.IsZero() }

// MailHit is an item that was looked for.
type MailHit struct {
	Folder string // path of its folder
	Item   MailItem
	Where  string // the first place that has the text: "subject", "sender", "recipients", "body", "attachments", "details"; "" where none was asked for
}

// MailHits is a part of what a search found.
type MailHits struct {
	File   string // path of the Outlook data file in the archive
	Folder string // path of the folder that was looked through, with all below it
	Hits   []MailHit
	Total  int64 // that were found, the newest first
	Looked int64 // items that were looked through
	Broken int64 // of these, not in whole, since they are damaged
	Of     int64 // items that there are, as far as they were counted
	Many   bool  // it ended at MaxMailHits; there are more
	Late   bool  // it ended because it took too long
}

// MailPart names an item of a folder in a command: "mail.pst/Inbox/#17". Without a
// number it is the folder with all that is below it.
func MailPart(file, folder string, number int64) string {
	part := file + "/" + folder
	if number > 0 {
		if folder != "" {
			part += "/"
		}
		part += fmt.Sprintf("#%d", number)
	}
	return part
}

// CutMailItem takes the number of an item off a part; 0 where there is none.
func CutMailItem(inside string) (folder string, number int64) {
	i := strings.LastIndexByte(inside, '/')
	digits, ok := strings.CutPrefix(inside[i+1:], "#")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || digits[0] == '+' {
		return inside, 0
	}
	return inside[:max(i, 0)], n
}

// MailPlan is what bringing items out of an Outlook data file is going to do.
type MailPlan struct {
	Ref   string             `json:"ref"`
	To    string             `json:"to"` // the folder that is made
	What  []MailChoice       `json:"what"`
	Items int64              `json:"items"`
	Kinds map[ItemKind]int64 `json:"kinds,omitempty"`
	Bytes int64              `json:"bytes"` // that they need on disk, about
	Free  int64              `json:"free"`  // left on To's disk; -1: unknown
	Lost  int64              `json:"lost"`  // of those that were asked for, damaged parts that are known already
}

// MailChoice is one of the parts that are asked for: a folder or an item.
type MailChoice struct {
	Part    string    `json:"part"` // as MailPart gives it
	Items   int64     `json:"items"`
	Folders int64     `json:"folders,omitempty"` // in it and below; 0 of an item
	At      time.Time `json:"at,omitzero"`       // of an item
	Subject string    `json:"subject,omitempty"` // likewise
	From    string    `json:"from,omitempty"`
}

// Sentence says in a line what is inside.
func (m Mailbox) Sentence() string {
	if m.Trouble != "" && m.Items == 0 && m.Count == 0 {
		return "It is an Outlook data file. " + m.Trouble
	}
	text := "an Outlook data file without any item"
	if m.Items == 0 && m.Hurt() {
		return "an Outlook data file in which no item can be found; parts of it are damaged"
	}
	if m.Items > 0 {
		text = "an Outlook data file with " + CountKinds(m.Kinds)
	}
	text += " in " + FormatCount(m.Count, "folder")
	if m.Hurt() {
		text += "; parts of it are damaged"
	}
	return text
}

// Add counts an item that is to be brought out. Its attachments grow by a third as they
// are written into a mail (base64, RFC 2045 6.8), and each file has headers of its own.
func (p *MailPlan) Add(item MailItem) {
	p.Items++
	p.Bytes += item.Bytes + item.Bytes*2/5 + 2048
	p.Kinds[item.Kind]++
}
