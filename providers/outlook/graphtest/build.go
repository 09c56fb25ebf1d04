package graphtest

import "time"

// Address is somebody's name and address.
type Address struct{ Name, Address string }

// Message is a message. What is left out gets a value that a mailbox would have.
type Message struct {
	Subject    string
	From       Address
	To         []Address
	Cc         []Address
	Bcc        []Address
	ReplyTo    []Address
	Received   time.Time // default 2026-01-01 and the serial's number of minutes
	Sent       time.Time // default a second before Received
	Body       string
	HTML       bool
	Read       bool
	Draft      bool
	Importance string // "normal" (default), "low", "high"
	Flag       string // "notFlagged" (default), "flagged", "complete"
	Categories []string
	// MessageID is the Message-ID with its brackets; default made of the serial.
	MessageID   string
	Headers     [][2]string // further ones, in order
	Attachments []Attachment
	// Type is the derived type: "eventMessage", "eventMessageRequest", "eventMessageResponse"
	// or "" for a message.
	Type string
	// Properties are single-value extended ones, by id as in "Integer 0x0E07".
	Properties map[string]string
	// MIME is what $value answers; nil: it is made of the rest.
	MIME []byte
}

// Attachment is a file, or an item if Message, Contact or Event is set, or a link if Link
// is set.
type Attachment struct {
	Name      string
	Type      string // media type; default application/octet-stream
	Content   []byte
	Size      int // of a file without Content, which is made on demand
	Inline    bool
	ContentID string
	Message   *Message
	Contact   *Contact
	Event     *Event
	Link      string
}

// Contact is a person in an address book.
type Contact struct {
	GivenName, Surname, MiddleName, NickName, Title string
	DisplayName                                     string // default GivenName and Surname
	Company, Department, JobTitle, Office           string
	Emails                                          []Address
	BusinessPhones, HomePhones                      []string
	MobilePhone                                     string
	Business, Home, Other                           Postal
	Birthday                                        time.Time
	Notes                                           string
	Categories                                      []string
	HomePage                                        string
	IM                                              []string
	Children                                        []string
	Spouse, Assistant, Manager, Profession          string
	Photo                                           []byte // JPEG
}

// Postal is an address by post.
type Postal struct{ Street, City, State, PostalCode, Country string }

// Event is an appointment or a meeting, of one time or of many.
type Event struct {
	Subject    string
	Body       string
	HTML       bool
	Start, End time.Time
	// Zone is the Windows name of the zone that it was made in; default "UTC". Times are
	// given in UTC unless the request prefers another one.
	Zone       string
	AllDay     bool
	Place      string
	Organizer  Address // default the owner of the mailbox
	Attendees  []Attendee
	Categories []string
	Importance string // default "normal"
	ShowAs     string // default "busy"
	Private    bool
	Cancelled  bool
	Reminder   int // minutes; 0: none
	UID        string
	Recurrence *Recurrence
	// Exceptions are occurrences that were changed, by the day on which they would start.
	Exceptions map[string]Event
	// Deleted are days, as in 2026-11-23, whose occurrences were taken out.
	Deleted     []string
	Attachments []Attachment
	OnlineURL   string
}

// Attendee is somebody who is invited.
type Attendee struct {
	Address
	Type     string // "required" (default), "optional", "resource"
	Response string // "none" (default), "accepted", "declined", "tentativelyAccepted"
}

// Recurrence is how an event comes again.
type Recurrence struct {
	Type     string // "daily", "weekly", "absoluteMonthly", "absoluteYearly", "relativeMonthly", "relativeYearly"
	Interval int    // default 1
	Days     []time.Weekday
	Index    string    // of a relative type: "first" to "fourth", "last"
	Count    int       // 0: by Until, or without end
	Until    time.Time // zero: by Count
}

// Folder is the folder at a path of names; folders that are not there are made. A first
// name that is a well-known one ("inbox", "recoverableitemsdeletions") is that folder.
func (b *Mailbox) Folder(path ...string) *Folder {
	return b.walk(kindMessage, b.known["msgfolderroot"], path)
}

// Contacts is a folder of contacts: without a path the default one, else one below it.
func (b *Mailbox) Contacts(path ...string) *Folder {
	return b.walk(kindContact, b.known["contacts"], path)
}

// Calendar is the calendar of a name; "" is the default one.
func (b *Mailbox) Calendar(label string) *Folder {
	b.tenant.mu.Lock()
	defer b.tenant.mu.Unlock()
	if label == "" {
		return b.known["calendar"]
	}
	for _, f := range b.folders {
		if f.kind == kindEvent && f.name == label && !f.gone {
			return f
		}
	}
	return b.folder(nil, kindEvent, label, "")
}

func (b *Mailbox) walk(kind byte, at *Folder, path []string) *Folder {
	b.tenant.mu.Lock()
	defer b.tenant.mu.Unlock()
	for n, label := range path {
		if f := b.known[label]; n == 0 && f != nil && f.kind == kind {
			at = f
			continue
		}
		at = at.child(label)
	}
	return at
}

func (f *Folder) child(label string) *Folder {
	for _, c := range f.children {
		if c.name == label && !c.gone {
			return c
		}
	}
	return f.box.folder(f, f.kind, label, "")
}

// Message adds a message.
func (f *Folder) Message(m Message) *Item {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	return f.add(&Item{message: &m})
}

// Messages adds n messages that make writes each time that they are read; it must give
// the same one for the same number.
func (f *Folder) Messages(n int, make func(i int) Message) *Folder {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	all := newItems(n)
	for i := range all {
		all[i].make, all[i].index = make, i
		f.add(&all[i])
	}
	return f
}

func newItems(n int) []Item { return make([]Item, n) }

// Contact adds a contact to a folder of contacts.
func (f *Folder) Contact(c Contact) *Item {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	return f.add(&Item{contact: &c})
}

// Event adds an event to a calendar.
func (f *Folder) Event(e Event) *Item {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	return f.add(&Item{event: &e})
}

// Items are those that are in the folder now, in the order of their coming.
func (f *Folder) Items() []*Item {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	return append([]*Item(nil), f.items...)
}

// ID is the folder's id.
func (f *Folder) ID() string { return f.id() }

// ID is the item's id; one that is not immutable changes with a move.
func (i *Item) ID(immutable bool) string {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	return i.id(immutable)
}

// Content is the message as it is now.
func (i *Item) Content() Message {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	return i.content()
}
