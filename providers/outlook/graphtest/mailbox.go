package graphtest

import (
	"slices"
	"strings"
	"time"
)

// Mailbox is somebody's.
type Mailbox struct {
	tenant     *Tenant
	user       *User
	salt       []byte
	items      []*Item   // by serial
	folders    []*Folder // by serial
	known      map[string]*Folder
	tree       []change // of mail folders
	books      []change // of contact folders
	generation int      // of delta tokens
	expired    Expiry   // how those of older generations are refused
	full       bool     // nothing more goes in
	maxMessage int      // bytes; 0: no limit
}

// Folder is a folder of mail or of contacts, or a calendar.
type Folder struct {
	box      *Mailbox
	kind     byte // of what is in it
	serial   uint32
	name     string
	parent   *Folder
	children []*Folder
	known    string // well-known name
	hidden   bool
	gone     bool
	search   bool    // a search folder
	owner    Address // of a calendar of somebody else
	items    []*Item
	log      []change
	newest   int // in the log of folders
}

// Item is a message, a contact or an event.
type Item struct {
	box     *Mailbox
	at      *Folder
	kind    byte
	gone    bool
	moves   uint16
	serial  uint32
	index   int
	newest  int // its last change in the folder's log
	version int
	make    func(int) Message
	message *Message
	contact *Contact
	event   *Event
	poison  *Poison
	marks   map[string]string // extended properties of a contact or an event
	deal    string            // transactionId of an event
	created time.Time
	changed time.Time
}

// change is an entry of the log that delta queries read: of a folder or of an item.
type change struct {
	item   *Item
	folder *Folder
	what   changeKind
	moves  uint16 // when it was removed
	reason string // of a removal
}

type changeKind byte

const (
	created changeKind = iota
	updated
	removed
)

// english and german are the names of folders by their well-known names. They are in
// the language of the mailbox, which is why a client must not know them.
var (
	english = [][2]string{
		{"inbox", "Inbox"}, {"drafts", "Drafts"}, {"sentitems", "Sent Items"}, {"deleteditems", "Deleted Items"}, {"junkemail", "Junk Email"},
		{"archive", "Archive"}, {"outbox", "Outbox"}, {"conversationhistory", "Conversation History"},
	}
	german = map[string]string{
		"inbox": "Posteingang", "drafts": "Entwürfe", "sentitems": "Gesendete Elemente", "deleteditems": "Gelöschte Elemente", "junkemail": "Junk-E-Mail",
		"archive": "Archiv", "outbox": "Postausgang", "conversationhistory": "Aufgezeichnete Unterhaltungen", "contacts": "Kontakte", "calendar": "Kalender",
	}
)

func newMailbox(n *Tenant, u *User) *Mailbox {
	b := &Mailbox{tenant: n, user: u, salt: salt(u.ID), known: map[string]*Folder{}}
	root := b.folder(nil, kindMessage, "Top of Information Store", "msgfolderroot")
	for _, k := range english {
		b.folder(root, kindMessage, b.local(k[0], k[1]), k[0])
	}
	dump := b.folder(nil, kindMessage, "Recoverable Items", "recoverableitemsroot")
	for _, k := range [][2]string{{"recoverableitemsdeletions", "Deletions"}, {"recoverableitemspurges", "Purges"}, {"recoverableitemsversions", "Versions"}} {
		b.folder(dump, kindMessage, k[1], k[0]).hidden = true
	}
	b.folder(nil, kindContact, b.local("contacts", "Contacts"), "contacts")
	b.folder(nil, kindEvent, b.local("calendar", "Calendar"), "calendar")
	return b
}

func (b *Mailbox) local(known, name string) string {
	if g := german[known]; g != "" && strings.HasPrefix(b.user.Language, "de") {
		return g
	}
	return name
}

// folder makes a folder; the lock is held.
func (b *Mailbox) folder(parent *Folder, kind byte, label, known string) *Folder {
	f := &Folder{box: b, kind: kind, serial: uint32(len(b.folders)), name: label, parent: parent, known: known}
	b.folders = append(b.folders, f)
	if parent != nil {
		parent.children = append(parent.children, f)
	}
	if known != "" {
		b.known[known] = f
	}
	b.note(f, created)
	return f
}

// note writes down that a folder has changed. What is in no tree (a calendar, the roots)
// is in no delta.
func (b *Mailbox) note(f *Folder, what changeKind) {
	log := &b.tree
	if f.kind == kindContact {
		log = &b.books
	}
	if f.kind == kindEvent || f.parent == nil {
		return
	}
	f.newest = len(*log)
	*log = append(*log, change{folder: f, what: what, reason: "deleted"})
}

// findFolder finds a folder by id or well-known name.
func (b *Mailbox) findFolder(id string, kind byte) *Folder {
	if f := b.known[strings.ToLower(id)]; f != nil && f.kind == kind {
		return f
	}
	n, ok := b.read(id)
	if !ok || n.kind != kindFolder || n.prefix != prefixFolder || int(n.serial) >= len(b.folders) {
		return nil
	}
	if f := b.folders[n.serial]; !f.gone && f.kind == kind {
		return f
	}
	return nil
}

// add puts an item into a folder; the lock is held.
func (f *Folder) add(i *Item) *Item {
	b := f.box
	i.box, i.kind, i.serial, i.created = b, f.kind, uint32(len(b.items)), b.tenant.opts.Now()
	i.changed = i.created
	b.items = append(b.items, i)
	f.take(i, created)
	return i
}

func (f *Folder) take(i *Item, what changeKind) {
	i.at, i.newest = f, len(f.log)
	f.items = append(f.items, i)
	f.log = append(f.log, change{item: i, what: what})
}

func (f *Folder) give(i *Item, reason string) {
	if at := slices.Index(f.items, i); at >= 0 {
		f.items = slices.Delete(f.items, at, at+1)
	}
	if f.kind == i.kind { // else it lies among the deleted ones, and in no list
		f.log = append(f.log, change{item: i, what: removed, moves: i.moves, reason: reason})
	}
}

func (i *Item) touch(show bool) {
	i.version++
	i.changed = i.box.tenant.opts.Now()
	if show && i.at.kind == i.kind {
		i.newest = len(i.at.log)
		i.at.log = append(i.at.log, change{item: i, what: updated})
	}
}

// content is the message that an item is.
func (i *Item) content() Message {
	if i.message != nil {
		return *i.message
	}
	return i.make(i.index)
}
