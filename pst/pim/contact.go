package pim

import (
	"strings"
	"time"
)

// A Contact is a person, a company or a group, with all that an item of Outlook
// (IPM.Contact, IPM.DistList) has places for ([MS-OXOCNTC]). Texts have LF at the
// end of a line, and no U+0000.
//
// Of a contact that is made from fields, what is empty is filled in when it is
// written: DisplayName, FileAs, Initials, the names of e-mail addresses, Mailing.
type Contact struct {
	Prefix, Given, Middle, Surname, Suffix string // the parts of the name
	Nickname                               string
	DisplayName                            string // the whole name, and the subject of the item
	FileAs                                 string // under which the list shows it
	Initials                               string
	GivenPhonetic, SurnamePhonetic         string // how they are spoken (Yomi)

	Company, CompanyPhonetic, Department, Title, Profession, Office string
	Manager, Assistant, Spouse, ReferredBy                          string
	Children                                                        []string

	Emails  [3]Email
	Phones  map[PhoneKind]string
	Home    Address
	Work    Address
	Other   Address
	Mailing Place // which of the three mail goes to

	IM                                        string // with its scheme (xmpp:…) where that is known
	HomePage, WorkPage, FTP, FreeBusy         string // addresses in the web
	Birthday, Anniversary                     Date
	Gender                                    Gender
	Languages                                 []string
	Hobbies, Account, CustomerID              string
	GovernmentID, OrganizationID, BillingInfo string
	UserFields                                [4]string

	Categories  []string
	Notes       string
	Photo       []byte // as a file: JPEG, PNG or GIF
	Sensitivity Sensitivity
	UID         string // of the vCard
	Created     time.Time
	Modified    time.Time

	Group   bool // a group: it has Members, of the rest only names, Notes, Categories and what stands below them
	Members []Member

	// Original is the text of a vCard that said more than fits. It goes along as
	// an attachment.
	Original []byte
}

// An Email is an e-mail address.
type Email struct {
	Name    string // that is shown for it; DisplayName where it is empty
	Label   string // home, work, or as the person named it; Outlook does not show it
	Type    string // SMTP where it is empty
	Address string
}

// A Member is one address of a group.
type Member struct {
	Name, Type, Address string // Type is SMTP where it is empty
}

// An Address is a postal address.
type Address struct {
	Street     string // one line or several, with the post office box if there is one
	City       string
	State      string // or province, or county
	PostalCode string
	Country    string
	Code       string // of the country: two letters
	Box        string // the post office box
	Label      string // the address as a whole, where it is not what its parts give
}

// A Place is one of the postal addresses. The numbers are those of
// PidLidPostalAddressId.
type Place int

// The places.
const (
	NoPlace Place = iota
	PlaceHome
	PlaceWork
	PlaceOther
)

// Gender has the values of PidTagGender.
type Gender int

// The genders that an item knows.
const (
	NoGender Gender = iota
	GenderFemale
	GenderMale
)

// A Date is a day, without a time and a zone. The year may be unknown: 0.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// noYear is the year that stands for an unknown one, as Apple and Exchange write it:
// a leap year that FILETIME can still hold.
const noYear = 1604

// IsZero tells whether there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// time is midnight of the day, in UTC.
func (d Date) time() time.Time {
	if d.Year == 0 {
		d.Year = noYear
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// dayOf is the day of a time, in that time's zone.
func dayOf(t time.Time) Date {
	y, m, d := t.Date()
	if y == noYear {
		y = 0
	}
	return Date{y, m, d}
}

// valid tells whether an item can hold it.
func (d Date) valid() bool {
	return (d.Year == 0 || d.Year > 1601 && d.Year < 10000) && dayOf(d.time()) == d
}

// isEmpty tells whether nothing is known of it.
func (a Address) isEmpty() bool { return a == Address{} }

// whole is the address in lines, as letters have it: the Label if there is one.
func (a Address) whole() string {
	if a.Label != "" {
		return a.Label
	}
	city := joined(", ", a.City, joined(" ", a.State, a.PostalCode))
	return joined("\n", a.Street, city, a.Country)
}

// normal leaves out a label that says no more than the parts.
func (a Address) normal() Address {
	bare := a
	bare.Label = ""
	if collapse(a.Label) == collapse(bare.whole()) {
		return bare
	}
	return a
}

func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// joined joins the texts that are not empty.
func joined(between string, texts ...string) string {
	var all []string
	for _, s := range texts {
		if s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, between)
}

// place is the address of a place.
func (c *Contact) place(p Place) *Address {
	switch p {
	case PlaceHome:
		return &c.Home
	case PlaceWork:
		return &c.Work
	case PlaceOther:
		return &c.Other
	}
	return nil
}

// complete is the contact with all that can be derived filled in.
func (c *Contact) complete() *Contact {
	full := *c
	full.DisplayName = firstOf(c.DisplayName, joined(" ", c.Prefix, c.Given, c.Middle, c.Surname, c.Suffix),
		c.Company, c.Nickname, c.Emails[0].Address, c.Emails[1].Address, c.Emails[2].Address, firstOf(c.phones()...))
	full.FileAs = firstOf(c.FileAs, c.lastFirst(), c.Company, full.DisplayName)
	if full.Group {
		return &full
	}
	full.Initials = firstOf(c.Initials, c.initials())
	for i, e := range c.Emails {
		full.Emails[i] = Email{}
		if e.Address != "" {
			full.Emails[i] = Email{Name: firstOf(e.Name, full.DisplayName), Label: e.Label, Type: firstOf(e.Type, "SMTP"), Address: e.Address}
		}
	}
	if to := c.place(c.Mailing); to == nil || to.isEmpty() {
		full.Mailing = NoPlace
	}
	for _, p := range []Place{PlaceWork, PlaceHome, PlaceOther} {
		*full.place(p) = c.place(p).normal()
		if full.Mailing == NoPlace && !c.place(p).isEmpty() {
			full.Mailing = p
		}
	}
	return &full
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// lastFirst is "Surname, Given Middle".
func (c *Contact) lastFirst() string {
	return joined(", ", c.Surname, joined(" ", c.Given, c.Middle))
}

// initials are first letters with points, as Outlook makes them: c.n.1.
func (c *Contact) initials() string {
	var b strings.Builder
	for _, s := range []string{c.Given, c.Middle, c.Surname} {
		for _, r := range s {
			b.WriteString(string(r) + ".")
			break
		}
	}
	return b.String()
}

// phones are the numbers, in the order of their kinds.
func (c *Contact) phones() []string {
	var all []string
	for i := range phoneKinds {
		if s := c.Phones[phoneKinds[i].kind]; s != "" {
			all = append(all, s)
		}
	}
	return all
}
