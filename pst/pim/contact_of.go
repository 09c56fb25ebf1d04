package pim

import (
	"fmt"
	"io"
	"strings"
	"time"

	"keepwatch/pst"
)

const (
	hour   = time.Hour
	minute = time.Minute
)

// maxAttached bounds what is read of an attachment of a contact, in bytes.
const maxAttached = maxLine

// ClassError is what an item is that is not of the kind asked for.
type ClassError struct {
	Want, Class string
}

func (e *ClassError) Error() string {
	return fmt.Sprintf("the item is of the class %q, no %s", shorten(e.Class), e.Want)
}

// classIs tells whether an item is of a class, or of one below it.
func classIs(class, of string) bool {
	class, of = strings.ToUpper(class), strings.ToUpper(of)
	return class == of || strings.HasPrefix(class, of+".")
}

// ContactOf reads an IPM.Contact or IPM.DistList; another item is an *ClassError.
// Attachments other than the photo and the original vCard stay behind.
func ContactOf(it pst.Item) (*Contact, error) {
	ps, err := it.Properties()
	if err != nil {
		return nil, err
	}
	class := ps.Text(pst.PidTagMessageClass)
	c := &Contact{Group: classIs(class, "IPM.DistList")}
	if !c.Group && !classIs(class, "IPM.Contact") {
		return nil, &ClassError{"contact", class}
	}
	for _, t := range contactTexts {
		*t.field(c) = fieldText(ps, t.key)
	}
	c.WorkPage = firstOf(c.WorkPage, fieldText(ps, pst.PidLidHtml))
	c.Notes = noteText(ps)
	c.DisplayName = firstOf(c.DisplayName, tidy(itemSubject(ps)))
	c.Categories = fieldTexts(ps, pst.PidNameKeywords)
	c.Sensitivity = sensitivityOf(ps)
	c.Created, c.Modified = timeOf(ps, pst.PidTagCreationTime), timeOf(ps, pst.PidTagLastModificationTime)
	if c.Group {
		c.DisplayName = firstOf(c.DisplayName, fieldText(ps, pst.PidLidDistributionListName))
		c.Members = membersOf(ps)
	} else {
		c.readPerson(ps)
	}
	c.trimEmails()
	return c, c.readAttachments(it)
}

// readPerson reads what a group has not.
func (c *Contact) readPerson(ps pst.Properties) {
	for i := range phoneKinds {
		if s := fieldText(ps, phoneKinds[i].tag); s != "" {
			c.setPhone(phoneKinds[i].kind, s)
		}
	}
	c.Children = fieldTexts(ps, pst.PidTagChildrensNames)
	c.Languages = listed(fieldText(ps, pst.PidTagLanguage))
	if g := Gender(ps.Int(pst.PidTagGender)); g == GenderFemale || g == GenderMale {
		c.Gender = g
	}
	c.Birthday = readDate(ps, pst.PidTagBirthday, pst.PidLidBirthdayLocal)
	c.Anniversary = readDate(ps, pst.PidTagWeddingAnniversary, pst.PidLidWeddingAnniversaryLocal)
	for i := range c.Emails {
		c.Emails[i] = readEmail(ps, pst.PidLidEmails[i], c.Emails[i].Label)
	}
	c.Home, c.Work, c.Other = readAddress(ps, homeKeys), readAddress(ps, workKeys), readAddress(ps, otherKeys)
	mailing := readAddress(ps, mailingKeys)
	if p := Place(ps.Int(pst.PidLidPostalAddressId)); p >= PlaceHome && p <= PlaceOther && !c.place(p).isEmpty() {
		c.Mailing = p
	} else if c.Work.isEmpty() && !mailing.isEmpty() && mailing != c.Home && mailing != c.Other {
		// Clients older than the properties of the work address know it as
		// the mailing address only.
		c.Work, c.Mailing = mailing, PlaceWork
	}
}

func (c *Contact) setPhone(k PhoneKind, number string) {
	if c.Phones == nil {
		c.Phones = map[PhoneKind]string{}
	}
	c.Phones[k] = number
}

// trimEmails leaves out the labels of addresses that are not there.
func (c *Contact) trimEmails() {
	for i := range c.Emails {
		if c.Emails[i].Address == "" {
			c.Emails[i] = Email{}
		}
	}
}

// readEmail reads one address. One of an Exchange server (EX) is of use only there;
// the SMTP address that stands beside it is taken instead.
func readEmail(ps pst.Properties, k pst.AddressSet, label string) Email {
	e := Email{Name: fieldText(ps, k.DisplayName), Label: label, Type: fieldText(ps, k.AddressType), Address: fieldText(ps, k.EmailAddress)}
	original := fieldText(ps, k.OriginalDisplayName)
	if !strings.EqualFold(e.Type, "SMTP") && strings.Contains(original, "@") && !strings.Contains(e.Address, "@") {
		e.Type, e.Address = "SMTP", original
	}
	e.Type = firstOf(e.Type, "SMTP")
	return e
}

func readAddress(ps pst.Properties, k addressKeys) Address {
	var a Address
	for i, part := range a.parts() {
		*part = fieldText(ps, k.parts[i])
	}
	a.Label = fieldText(ps, k.whole)
	return a.normal()
}

// readDate reads a day: that without conversion if there is one. The other is 11:59
// UTC by the specification, and midnight somewhere by what Outlook has written
// before it; in both cases the day is that of twelve hours later.
func readDate(ps pst.Properties, utc pst.Tag, local pst.Named) Date {
	t := ps.Time(local)
	if t.IsZero() {
		if t = ps.Time(utc); t.IsZero() {
			return Date{}
		}
		t = t.Add(12 * hour)
	}
	if d := dayOf(t.UTC()); d.valid() {
		return d
	}
	return Date{}
}

// readAttachments reads the photo and the original.
func (c *Contact) readAttachments(it pst.Item) error {
	for a, err := range it.Attachments() {
		if err != nil {
			return err
		}
		ps, err := a.Properties()
		if err != nil {
			return err
		}
		var to *[]byte
		switch {
		case ps.Bool(pst.PidTagAttachmentContactPhoto) && c.Photo == nil:
			to = &c.Photo
		case isOriginal(ps, originalName, originalType) && c.Original == nil:
			to = &c.Original
		default:
			continue
		}
		if *to, err = readAttached(a); err != nil {
			return err
		}
	}
	return nil
}

func isOriginal(ps pst.Properties, name, media string) bool {
	return ps.Text(pst.PidTagAttachLongFilename) == name && ps.Text(pst.PidTagAttachMimeTag) == media
}

// readAttached reads an attachment of bounded length. One without content is nil.
func readAttached(a pst.Attachment) ([]byte, error) {
	r, size, err := a.Open()
	if err == pst.ErrNoContent {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if size > maxAttached {
		return nil, fmt.Errorf("an attachment of the contact has %d bytes, more than %d", size, maxAttached)
	}
	b, err := io.ReadAll(io.LimitReader(r, maxAttached))
	if len(b) == 0 {
		b = nil
	}
	return b, err
}

// get gives a value of any type, or none.
func get[T any](ps pst.Properties, k pst.Key) T {
	v, _ := ps.Get(k)
	t, _ := v.(T)
	return t
}

// fieldText is a text of an item that is a field: without space around it.
func fieldText(ps pst.Properties, k pst.Key) string { return tidy(ps.Text(k)) }

// noteText is the body of an item: its space is kept.
func noteText(ps pst.Properties) string { return tidyNote(ps.Text(pst.PidTagBody)) }

// fieldTexts are the texts of a list that are not empty.
func fieldTexts(ps pst.Properties, k pst.Key) []string {
	var all []string
	for _, s := range ps.Texts(k) {
		if s = tidy(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// listed takes apart what is written one after the other in one text.
func listed(s string) []string {
	var all []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' }) {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// itemSubject is the subject without the mark of its prefix, [MS-PST] 2.5.3.1.1.
func itemSubject(ps pst.Properties) string {
	s := ps.Text(pst.PidTagSubject)
	if r := []rune(s); len(r) >= 2 && r[0] == 1 {
		return string(r[2:])
	}
	return s
}

func sensitivityOf(ps pst.Properties) Sensitivity {
	s := Sensitivity(ps.Int(pst.PidTagSensitivity))
	if s < Public || s > Confidential {
		s = Public
	}
	if s == Public && ps.Bool(pst.PidLidPrivate) {
		s = Private
	}
	return s
}

func timeOf(ps pst.Properties, k pst.Key) time.Time {
	if t := ps.Time(k); !t.IsZero() {
		return t.UTC().Truncate(time.Second)
	}
	return time.Time{}
}

// tidy makes a text one that a field can have: valid, without control characters
// but LF and tab, without space around it.
func tidy(s string) string { return strings.TrimSpace(tidyNote(s)) }

func tidyNote(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7F {
			return -1
		}
		return r
	}, fromItem(strings.ToValidUTF8(s, "\uFFFD")))
}
