package pim

import (
	"encoding/base64"
	"slices"
	"strings"
)

// cardTypes are the types of a line in lower case, without those that say nothing of
// a place: what a number can do, and that an address is one of the internet.
func cardTypes(l *line) []string {
	var all []string
	for _, v := range l.params("TYPE") {
		for t := range strings.SplitSeq(strings.ToLower(v), ",") {
			t = strings.TrimPrefix(strings.TrimSpace(t), "x-")
			if t != "" && !slices.Contains(vagueTypes, t) && !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

var vagueTypes = []string{"pref", "voice", "msg", "video", "text", "internet", "postal", "parcel", "dom", "intl", "bbs", "modem", "n"}

func hasType(l *line, t string) bool {
	for _, v := range l.params("TYPE") {
		for s := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(s), t) {
				return true
			}
		}
	}
	return false
}

// kindOf is what a line is of: its label in lower case without spaces, else its
// types.
func (k *cardReading) kindOf(l *line) (kinds []string, custom bool) {
	label := k.labels[l.Group]
	if l.Group == "" || label == "" {
		return cardTypes(l), false
	}
	small := strings.ToLower(strings.ReplaceAll(label, " ", ""))
	if small == "homepage" || small == "other" || small == "iphone" && l.Name == "TEL" {
		return cardTypes(l), false
	}
	if known, ok := appleLabels[small]; ok {
		return known, false
	}
	return []string{label}, true
}

var appleLabels = map[string][]string{
	"home": {"home"}, "work": {"work"}, "mobile": {"cell"}, "main": {"main"}, "pager": {"pager"}, "assistantphone": {"assistant"},
	"homefax": {"home", "fax"}, "workfax": {"work", "fax"}, "otherfax": {"fax"}, "car": {"car"}, "radio": {"radio"}, "callback": {"callback"},
}

// cardTexts are the properties of a vCard that are one text of a contact. The first
// name is the one that is written. Without one in the table the text is a single
// line, named after what it is in a note.
var cardTexts = []struct {
	names []string
	title string
	field func(*Contact) *string
}{
	{[]string{"FN"}, "Name", func(c *Contact) *string { return &c.DisplayName }},
	{[]string{"SORT-STRING", "X-EVOLUTION-FILE-AS"}, "Sorted as", func(c *Contact) *string { return &c.FileAs }},
	{[]string{"X-INITIALS"}, "Initials", func(c *Contact) *string { return &c.Initials }},
	{[]string{"X-PHONETIC-FIRST-NAME"}, "Spoken first name", func(c *Contact) *string { return &c.GivenPhonetic }},
	{[]string{"X-PHONETIC-LAST-NAME"}, "Spoken last name", func(c *Contact) *string { return &c.SurnamePhonetic }},
	{[]string{"X-PHONETIC-ORG"}, "Spoken organisation", func(c *Contact) *string { return &c.CompanyPhonetic }},
	{[]string{"TITLE"}, "Title", func(c *Contact) *string { return &c.Title }},
	{[]string{"ROLE"}, "Profession", func(c *Contact) *string { return &c.Profession }},
	{[]string{"X-MS-MANAGER", "X-MANAGER", "X-EVOLUTION-MANAGER", "X-KADDRESSBOOK-X-MANAGERSNAME"}, "Manager", func(c *Contact) *string { return &c.Manager }},
	{[]string{"X-MS-ASSISTANT", "X-ASSISTANT", "X-EVOLUTION-ASSISTANT", "X-KADDRESSBOOK-X-ASSISTANTSNAME"}, "Assistant", func(c *Contact) *string { return &c.Assistant }},
	{[]string{"X-MS-SPOUSE", "X-SPOUSE", "X-EVOLUTION-SPOUSE", "X-KADDRESSBOOK-X-SPOUSESNAME"}, "Spouse", func(c *Contact) *string { return &c.Spouse }},
	{[]string{"X-REFERRED-BY"}, "Referred by", func(c *Contact) *string { return &c.ReferredBy }},
	{[]string{"FBURL"}, "Free and busy times", func(c *Contact) *string { return &c.FreeBusy }},
	{[]string{"HOBBY", "X-HOBBIES", "X-HOBBY"}, "Hobby", func(c *Contact) *string { return &c.Hobbies }},
	{[]string{"X-ACCOUNT"}, "Account", func(c *Contact) *string { return &c.Account }},
	{[]string{"X-CUSTOMER-ID"}, "Customer number", func(c *Contact) *string { return &c.CustomerID }},
	{[]string{"X-GOVERNMENT-ID"}, "Government number", func(c *Contact) *string { return &c.GovernmentID }},
	{[]string{"X-ORGANIZATION-ID"}, "Organisation number", func(c *Contact) *string { return &c.OrganizationID }},
	{[]string{"X-BILLING"}, "Billing", func(c *Contact) *string { return &c.BillingInfo }},
	{[]string{"X-USER-FIELD-1"}, "User field 1", func(c *Contact) *string { return &c.UserFields[0] }},
	{[]string{"X-USER-FIELD-2"}, "User field 2", func(c *Contact) *string { return &c.UserFields[1] }},
	{[]string{"X-USER-FIELD-3"}, "User field 3", func(c *Contact) *string { return &c.UserFields[2] }},
	{[]string{"X-USER-FIELD-4"}, "User field 4", func(c *Contact) *string { return &c.UserFields[3] }},
	{[]string{"UID"}, "UID", func(c *Contact) *string { return &c.UID }},
}

// ownWords are properties of the text itself, or part of another line.
var ownWords = []string{"VERSION", "PRODID", "PROFILE", "X-ABLABEL", "X-ABADR", "X-ABSHOWAS", "KIND", "X-ADDRESSBOOKSERVER-KIND", "X-ADDRESSBOOKSERVER-MEMBER-COUNT"}

// groupWords are what a group has a place for, beside cardTexts.
var groupWords = []string{"N", "NICKNAME", "ORG", "NOTE", "CATEGORIES", "CLASS", "X-CLASS", "REV", "CREATED", "MEMBER", "X-ADDRESSBOOKSERVER-MEMBER"}

// forPrograms are properties that say nothing to a person: they are kept in Original
// only.
var forPrograms = []string{"SOURCE", "NAME", "MAILER", "CLIENTPIDMAP", "XML", "X-ABUID", "X-ETAG", "X-ID", "X-MS-OL-DESIGN", "X-MS-CARDPICTURE",
	"X-COUCHDB-APPLICATION-ANNOTATIONS", "X-FC-TAGS", "X-FC-LIST-ID", "X-GENERATOR", "X-IMAGETYPE", "X-IMAGEHASH", "KEY", "LOGO", "SOUND"}

// place puts a line where it belongs.
func (k *cardReading) place(l *line) {
	for i := range cardTexts {
		if t := &cardTexts[i]; slices.Contains(t.names, l.Name) {
			k.setText(t.field(k.c), l.text(), l, t.title)
			return
		}
	}
	if k.c.Group && !slices.Contains(groupWords, l.Name) && !slices.Contains(ownWords, l.Name) && !slices.Contains(forPrograms, l.Name) {
		k.noteLine(l, l.Name)
		return
	}
	switch l.Name {
	case "N":
		k.placeName(l)
	case "NICKNAME":
		k.setText(&k.c.Nickname, strings.Join(nonEmpty(splitText(l.Value, ',')), ", "), l, "Nickname")
	case "ORG":
		k.placeOrganisation(l)
	case "EMAIL":
		k.placeEmail(l)
	case "TEL", "X-MS-TEL":
		k.placePhone(l, false)
	case "ADR":
		k.placeAddress(l)
	case "LABEL":
		k.placeLabel(l)
	case "X-MS-OL-DEFAULT-POSTAL-ADDRESS":
		if p := strings.TrimSpace(l.Value); len(p) == 1 && p >= "1" && p <= "3" {
			k.c.Mailing = Place(p[0] - '0')
		}
	case "URL":
		k.placeURL(l, false)
	case "BDAY":
		k.setDate(&k.c.Birthday, l, "Birthday")
	case "ANNIVERSARY", "X-MS-ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-KADDRESSBOOK-X-ANNIVERSARY":
		k.setDate(&k.c.Anniversary, l, "Anniversary")
	case "CATEGORIES":
		k.placeCategories(l)
	case "NOTE":
		if s := tidyNote(l.text()); tidy(s) != "" {
			k.c.Notes = joined("\n", k.c.Notes, s)
		}
	case "PHOTO":
		k.placePhoto(l)
	default:
		k.placeRare(l)
	}
}

// placeRare goes on where place ends.
func (k *cardReading) placeRare(l *line) {
	switch l.Name {
	case "X-ABDATE":
		if strings.EqualFold(k.labels[l.Group], "Anniversary") {
			k.setDate(&k.c.Anniversary, l, "Anniversary")
			return
		}
		k.noteLine(l, "Date")
	case "X-ABRELATEDNAMES", "RELATED", "X-MS-CHILD":
		k.placeRelated(l)
	case "GENDER", "X-GENDER":
		k.placeGender(l)
	case "LANG":
		k.c.Languages = append(k.c.Languages, listed(tidy(l.text()))...)
	case "CLASS", "X-CLASS":
		k.placeClass(l)
	case "REV":
		k.c.Modified = cardTime(l.Value)
	case "CREATED":
		k.c.Created = cardTime(l.Value)
	case "MEMBER", "X-ADDRESSBOOKSERVER-MEMBER":
		k.members = append(k.members, l)
	case "AGENT":
		if strings.TrimSpace(l.Value) != "" {
			k.noteLine(l, "Agent")
		}
	default:
		k.placeUnknown(l)
	}
}

func (k *cardReading) placeUnknown(l *line) {
	if scheme, ok := imNames[l.Name]; ok {
		value := tidy(l.text())
		if value != "" && scheme != "" && !hasScheme(value) {
			value = scheme + ":" + value
		}
		if value != "" && k.c.IM != "" && k.c.IM != value {
			k.note("Instant messaging", value)
			return
		}
		k.setText(&k.c.IM, value, l, "Instant messaging")
		return
	}
	switch {
	case slices.Contains(ownWords, l.Name) || strings.TrimSpace(l.Value) == "":
	case slices.Contains(forPrograms, l.Name):
		k.keep = true
	default:
		k.noteLine(l, firstOf(rareTitles[l.Name], l.Name))
	}
}

var rareTitles = map[string]string{"GEO": "Position", "TZ": "Time zone", "CALURI": "Calendar", "CALADRURI": "Requests for the calendar"}

// imNames are the properties that hold an address of instant messaging, with the
// scheme that they mean.
var imNames = map[string]string{"IMPP": "", "X-MS-IMADDRESS": "", "X-AIM": "aim", "X-ICQ": "icq", "X-JABBER": "xmpp", "X-MSN": "msnim",
	"X-YAHOO": "ymsgr", "X-SKYPE": "skype", "X-SKYPE-USERNAME": "skype", "X-GTALK": "gtalk", "X-GOOGLE-TALK": "gtalk", "X-QQ": "qq",
	"X-GADUGADU": "gg", "X-GROUPWISE": "groupwise", "X-SIP": "sip"}

// hasScheme tells whether a text begins as a URI does.
func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && scheme != "" && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}

// setText fills a field, and notes a second value.
func (k *cardReading) setText(to *string, value string, l *line, title string) {
	value = tidy(value)
	switch {
	case value == "" || value == *to:
	case *to == "":
		*to = value
	default:
		k.noteLine(l, title)
	}
}

// placePhoto takes a picture that is in the card itself. Where it is a link, or more
// than one, it becomes a note.
func (k *cardReading) placePhoto(l *line) {
	var photo []byte
	value := tidy(l.Value)
	switch {
	case strings.HasPrefix(strings.ToLower(value), "data:"):
		_, data, _ := strings.Cut(unescape(value), ",")
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
		if err == nil {
			photo = b
		}
	case l.has("ENCODING", "B") || l.has("ENCODING", "BASE64"):
		if b, err := l.bytes(); err == nil {
			photo = b
		}
	}
	switch {
	case len(photo) > 0 && k.c.Photo == nil:
		k.c.Photo = photo
	case value != "" && (len(photo) == 0 || string(photo) != string(k.c.Photo)):
		k.noteLine(l, "Photo")
	}
}
