package pim

import (
	"bytes"
	"net/http"
	"strings"

	"keepwatch/pst"
)

// The names of the attachments of a contact.
const (
	photoName    = "ContactPicture.jpg" // [MS-OXOCNTC] 2.2.1.8.3, whatever the picture is
	originalName = "original.vcf"
	originalType = "text/vcard"
)

// Write makes an IPM.Contact of it, or an IPM.DistList of a group. What can be derived
// is filled in; see [Contact].
func (c *Contact) Write(s pst.Sink) error {
	c = c.complete()
	c.writeCommon(s)
	if c.Group {
		c.writeGroup(s)
		return c.writeAttachments(s)
	}
	s.Set(pst.P(pst.PidTagMessageClass, "IPM.Contact"), pst.P(pst.PidTagIconIndex, int32(pst.IconContact)),
		pst.P(pst.PidLidFileUnderId, c.fileUnderID()),
		pst.P(pst.PidLidFileUnderList, []int32{pst.FileUnderLastFirst, pst.FileUnderFirstLastSuffix, pst.FileUnderCompany,
			pst.FileUnderLastFirstCompany, pst.FileUnderCompanyLastFirst}),
		pst.P(pst.PidLidContactCharacterSet, int32(pst.CharacterSetWestern)),
		pst.P(pst.PidLidHasPicture, len(c.Photo) > 0))
	setText(s, pst.PidLidHtml, c.WorkPage)
	for i := range phoneKinds {
		setText(s, phoneKinds[i].tag, c.Phones[phoneKinds[i].kind])
	}
	setTexts(s, pst.PidTagChildrensNames, c.Children)
	setText(s, pst.PidTagLanguage, strings.Join(c.Languages, ", "))
	if c.Gender != NoGender {
		s.Set(pst.P(pst.PidTagGender, int16(c.Gender)))
	}
	writeDate(s, pst.PidTagBirthday, pst.PidLidBirthdayLocal, c.Birthday)
	writeDate(s, pst.PidTagWeddingAnniversary, pst.PidLidWeddingAnniversaryLocal, c.Anniversary)
	c.writeEmails(s)
	c.writeAddresses(s)
	return c.writeAttachments(s)
}

// writeCommon sets what contacts and groups have.
func (c *Contact) writeCommon(s pst.Sink) {
	for _, t := range contactTexts {
		setText(s, t.key, *t.field(c))
	}
	if c.Notes != "" {
		s.Set(pst.P(pst.PidTagNativeBody, int32(pst.NativeText)))
	}
	setText(s, pst.PidTagSubject, oneLine(c.DisplayName))
	setText(s, pst.PidTagConversationTopic, oneLine(c.DisplayName))
	s.Set(pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)),
		pst.P(pst.PidLidSideEffects, int32(pst.SideEffectCoerceToInbox)),
		pst.P(pst.PidTagSensitivity, int32(c.Sensitivity)), pst.P(pst.PidLidPrivate, c.Sensitivity == Private))
	setTexts(s, pst.PidNameKeywords, c.Categories)
	if !c.Created.IsZero() {
		s.Set(pst.P(pst.PidTagCreationTime, c.Created.UTC()))
	}
	if !c.Modified.IsZero() {
		s.Set(pst.P(pst.PidTagLastModificationTime, c.Modified.UTC()))
	}
}

// setText sets a text as items have it, with CRLF, and none where there is none.
func setText(s pst.Sink, k pst.Key, text string) {
	if text != "" {
		s.Set(pst.P(k, toItem(text)))
	}
}

func setTexts(s pst.Sink, k pst.Key, texts []string) {
	if len(texts) > 0 {
		all := make([]string, len(texts))
		for i := range texts {
			all[i] = toItem(texts[i])
		}
		s.Set(pst.P(k, all))
	}
}

// toItem makes the ends of lines those of items, fromItem those of the structs.
func toItem(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(fromItem(s), "\x00", ""), "\n", "\r\n")
}

func fromItem(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// oneLine is a text for a subject.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' }), " ")
}

// fileUnderID finds how FileAs follows from the names, so that Outlook carries it along
// when they change, [MS-OXOCNTC] 2.2.1.1.12.
func (c *Contact) fileUnderID() int32 {
	last := c.lastFirst()
	for _, way := range []struct {
		id   int32
		text string
	}{
		{pst.FileUnderLastFirst, last},
		{pst.FileUnderFirstLastSuffix, joined(" ", c.Given, c.Middle, c.Surname, c.Suffix)},
		{pst.FileUnderCompany, c.Company},
		{pst.FileUnderLastFirstCompany, joined("\n", last, c.Company)},
		{pst.FileUnderCompanyLastFirst, joined("\n", c.Company, last)},
		{pst.FileUnderLastFirstSuffix, joined(" ", c.Surname, c.Given, c.Middle, c.Suffix)},
		{pst.FileUnderDisplayName, c.DisplayName},
	} {
		if way.text == c.FileAs {
			return way.id
		}
	}
	return pst.FileUnderByUser
}

// writeDate sets a day in both ways that Outlook wants it: at 11:59 UTC, so that it is
// the same day in every zone ([MS-OXOCNTC] 2.2.1.5.1), and at 0:00 without any
// conversion (2.2.1.5.2).
func writeDate(s pst.Sink, utc pst.Tag, local pst.Named, d Date) {
	if !d.IsZero() && d.valid() {
		t := d.time()
		s.Set(pst.P(utc, t.Add(11*hour+59*minute)), pst.P(local, t))
	}
}

// writeEmails sets the e-mail addresses and the fax numbers that are addresses too,
// and says which there are.
func (c *Contact) writeEmails(s pst.Sink) {
	var list []int32
	bits := int32(0)
	have := func(i int) {
		list = append(list, int32(i))
		bits |= 1 << i
	}
	for i, e := range c.Emails {
		if e.Address == "" {
			continue
		}
		have(i)
		k := pst.PidLidEmails[i]
		s.Set(pst.P(k.DisplayName, e.Name), pst.P(k.AddressType, e.Type), pst.P(k.EmailAddress, e.Address),
			pst.P(k.OriginalDisplayName, e.Address), pst.P(k.OriginalEntryID, pst.OneOff(e.Name, e.Type, e.Address)))
	}
	for i, kind := range []PhoneKind{FaxWork, FaxHome, FaxPrimary} {
		number := c.Phones[kind]
		if number == "" {
			continue
		}
		have(3 + i)
		k := pst.PidLidFaxes[i]
		address := c.DisplayName + "@" + number
		s.Set(pst.P(k.AddressType, "FAX"), pst.P(k.EmailAddress, address), pst.P(k.OriginalDisplayName, oneLine(c.DisplayName)),
			pst.P(k.OriginalEntryID, pst.OneOff(c.DisplayName, "FAX", address)))
	}
	if bits != 0 {
		s.Set(pst.P(pst.PidLidAddressBookProviderEmailList, list))
	}
	s.Set(pst.P(pst.PidLidAddressBookProviderArrayType, bits))
}

func (c *Contact) writeAddresses(s pst.Sink) {
	writeAddress(s, homeKeys, c.Home)
	writeAddress(s, workKeys, c.Work)
	writeAddress(s, otherKeys, c.Other)
	if c.Mailing != NoPlace {
		writeAddress(s, mailingKeys, *c.place(c.Mailing))
		s.Set(pst.P(pst.PidLidPostalAddressId, int32(c.Mailing)))
	}
}

func writeAddress(s pst.Sink, k addressKeys, a Address) {
	for i, part := range a.parts() {
		setText(s, k.parts[i], *part)
	}
	setText(s, k.whole, a.whole())
}

// writeAttachments hangs on the photo and the text that the contact came from.
func (c *Contact) writeAttachments(s pst.Sink) error {
	if len(c.Photo) > 0 && !c.Group {
		err := s.Attach(pst.Properties{pst.P(pst.PidTagAttachmentContactPhoto, true),
			pst.P(pst.PidTagDisplayName, photoName), pst.P(pst.PidTagAttachFilename, photoName), pst.P(pst.PidTagAttachLongFilename, photoName),
			pst.P(pst.PidTagAttachExtension, ".jpg"), pst.P(pst.PidTagAttachMimeTag, http.DetectContentType(c.Photo)),
			pst.P(pst.PidTagAttachFlags, int32(0))}, bytes.NewReader(c.Photo))
		if err != nil {
			return err
		}
	}
	return attachOriginal(s, originalName, originalType, c.Original)
}

// attachOriginal hangs on the text that an item was made from, if there is one.
func attachOriginal(s pst.Sink, name, media string, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	return s.Attach(pst.Properties{pst.P(pst.PidTagDisplayName, name), pst.P(pst.PidTagAttachFilename, name),
		pst.P(pst.PidTagAttachLongFilename, name), pst.P(pst.PidTagAttachExtension, name[strings.LastIndexByte(name, '.'):]),
		pst.P(pst.PidTagAttachMimeTag, media)}, bytes.NewReader(text))
}
