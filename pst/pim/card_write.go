package pim

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// productID names who wrote a vCard or an iCalendar.
const productID = "-//pst/pim//EN"

// Card writes the contact as a vCard 3.0 (RFC 2426), which Outlook and all others
// read.
func (c *Contact) Card(w io.Writer) error { return c.card(w, false) }

// Card4 writes it as a vCard 4.0 (RFC 6350).
func (c *Contact) Card4(w io.Writer) error { return c.card(w, true) }

func (c *Contact) card(to io.Writer, v4 bool) error {
	w := &lineWriter{w: to}
	c = c.complete()
	w.line("BEGIN", "VCARD")
	w.line("VERSION", map[bool]string{false: "3.0", true: "4.0"}[v4])
	w.line("PRODID", escape(productID))
	c.cardNames(w, v4)
	if c.Group {
		c.cardGroup(w, v4)
	} else {
		c.cardPerson(w, v4)
	}
	if len(c.Categories) > 0 {
		w.line("CATEGORIES", escapeAll(c.Categories, ","))
	}
	w.text("NOTE", c.Notes)
	// 4.0 has no CLASS any more.
	w.text(map[bool]string{false: "CLASS", true: "X-CLASS"}[v4], map[Sensitivity]string{Personal: "X-PERSONAL", Private: "PRIVATE", Confidential: "CONFIDENTIAL"}[c.Sensitivity])
	if !c.Created.IsZero() {
		w.line("CREATED", c.Created.UTC().Format(stampLayout))
	}
	if !c.Modified.IsZero() {
		w.line("REV", c.Modified.UTC().Format(stampLayout))
	}
	w.line("END", "VCARD")
	return w.err
}

const stampLayout = "20060102T150405Z"

// cardNames writes the names, and what cardTexts has. What can be derived is not
// written.
func (c *Contact) cardNames(w *lineWriter, v4 bool) {
	bare := Contact{Group: c.Group, Prefix: c.Prefix, Given: c.Given, Middle: c.Middle, Surname: c.Surname, Suffix: c.Suffix, Company: c.Company, DisplayName: c.DisplayName}
	derived := bare.complete()
	sorted := ""
	if c.FileAs != derived.FileAs {
		sorted = c.FileAs
	}
	name := escapeAll([]string{c.Surname, c.Given, c.Middle, c.Prefix, c.Suffix}, ";")
	if v4 {
		w.line("N", name, "SORT-AS", sorted)
	} else {
		w.line("N", name)
	}
	w.text("NICKNAME", c.Nickname)
	for i := range cardTexts {
		t, value := &cardTexts[i], *cardTexts[i].field(c)
		switch {
		case t.names[0] == "FN":
			w.line("FN", escape(value))
		case t.names[0] == "SORT-STRING":
			if !v4 {
				w.text("SORT-STRING", sorted)
			}
		case t.names[0] == "X-INITIALS" && value == derived.Initials:
		default:
			w.text(t.names[0], value)
		}
	}
	if c.Company != "" || c.Department != "" {
		w.line("ORG", escapeAll([]string{c.Company, c.Department}, ";"))
	}
}

func escapeAll(parts []string, between string) string {
	all := make([]string, len(parts))
	for i, s := range parts {
		all[i] = escape(s)
	}
	return strings.Join(all, between)
}

func (c *Contact) cardPerson(w *lineWriter, v4 bool) {
	c.cardEmails(w, v4)
	for i := range phoneKinds {
		k := &phoneKinds[i]
		var params []string
		for _, t := range k.types {
			params = append(params, phoneParam(t, v4)...)
		}
		w.text(k.name, c.Phones[k.kind], params...)
	}
	c.cardAddress(w, v4, PlaceHome, "HOME", "")
	c.cardAddress(w, v4, PlaceWork, "WORK", c.Office)
	c.cardAddress(w, v4, PlaceOther, "", "")
	w.text("URL", c.WorkPage, "TYPE", "WORK")
	w.text("URL", c.HomePage, "TYPE", "HOME")
	w.text("URL", c.FTP, "TYPE", "X-FTP")
	if v4 && hasScheme(c.IM) {
		w.text("IMPP", c.IM)
	} else {
		w.text("X-MS-IMADDRESS", c.IM)
	}
	for _, s := range c.Children {
		w.text("X-MS-CHILD", s)
	}
	for _, s := range c.Languages {
		w.text("LANG", s)
	}
	if v4 {
		w.text("GENDER", map[Gender]string{GenderMale: "M", GenderFemale: "F"}[c.Gender])
		cardDay(w, "ANNIVERSARY", c.Anniversary, v4)
	} else {
		w.text("X-GENDER", map[Gender]string{GenderMale: "Male", GenderFemale: "Female"}[c.Gender])
		cardDay(w, "X-MS-ANNIVERSARY", c.Anniversary, v4)
	}
	cardDay(w, "BDAY", c.Birthday, v4)
	c.cardPhoto(w, v4)
}

// phoneParam is a type as a parameter. 4.0 has fewer of them (RFC 6350 6.4.1), and a
// parameter of its own for what is preferred.
func phoneParam(t string, v4 bool) []string {
	switch {
	case v4 && t == "PREF":
		return []string{"PREF", "1"}
	case v4 && (t == "CAR" || t == "ISDN"):
		return []string{"TYPE", "X-" + t}
	}
	return []string{"TYPE", t}
}

// cardEmails writes the addresses. A label that is no type goes the way that Apple
// found.
func (c *Contact) cardEmails(w *lineWriter, v4 bool) {
	for i, e := range c.Emails {
		if e.Address == "" {
			continue
		}
		name, kind, internet := "EMAIL", "", "INTERNET"
		if l := strings.ToLower(e.Label); l == "home" || l == "work" {
			kind = strings.ToUpper(l)
		} else if e.Label != "" {
			name = fmt.Sprintf("item%d.EMAIL", i+1)
		}
		if v4 {
			internet = ""
		}
		cn, of := "", ""
		if e.Name != c.DisplayName {
			cn = e.Name
		}
		if e.Type != "SMTP" {
			of = e.Type
		}
		w.text(name, e.Address, "TYPE", internet, "TYPE", kind, "X-CN", cn, "X-ADDRESS-TYPE", of)
		if name != "EMAIL" {
			w.text(fmt.Sprintf("item%d.X-ABLabel", i+1), e.Label)
		}
	}
}

func (c *Contact) cardAddress(w *lineWriter, v4 bool, p Place, kind, office string) {
	a := *c.place(p)
	pref, pref4, label := "", "", ""
	if c.Mailing == p {
		pref, pref4 = "PREF", ""
	}
	if v4 {
		pref, label = "", a.Label
		if c.Mailing == p {
			pref4 = "1"
		}
	}
	if a.bare() != (Address{}) || office != "" || v4 && label != "" {
		w.line("ADR", escapeAll([]string{a.Box, office, a.Street, a.City, a.State, a.PostalCode, a.Country}, ";"),
			"TYPE", kind, "TYPE", pref, "PREF", pref4, "CC", a.Code, "LABEL", label)
	}
	if !v4 {
		w.text("LABEL", a.Label, "TYPE", kind, "TYPE", pref)
	}
}

// cardDay writes a date. One without a year is a truncated one in 4.0, and a year that
// is marked as none in 3.0.
func cardDay(w *lineWriter, name string, d Date, v4 bool) {
	switch {
	case d.IsZero():
	case d.Year == 0 && v4:
		w.line(name, d.time().Format("--0102"))
	case d.Year == 0:
		w.line(name, d.time().Format(time.DateOnly), "X-APPLE-OMIT-YEAR", fmt.Sprint(noYear))
	case v4:
		w.line(name, d.time().Format("20060102"))
	default:
		w.line(name, d.time().Format(time.DateOnly))
	}
}

func (c *Contact) cardPhoto(w *lineWriter, v4 bool) {
	if len(c.Photo) == 0 {
		return
	}
	data, media := base64.StdEncoding.EncodeToString(c.Photo), http.DetectContentType(c.Photo)
	kind, image := strings.CutPrefix(media, "image/")
	switch {
	case v4:
		w.line("PHOTO", "data:"+media+";base64,"+data)
	case image:
		w.line("PHOTO", data, "ENCODING", "b", "TYPE", strings.ToUpper(kind))
	default:
		w.line("PHOTO", data, "ENCODING", "b")
	}
}

// cardGroup writes what makes a group: KIND of 4.0, and the names that Apple gave to
// the same in 3.0.
func (c *Contact) cardGroup(w *lineWriter, v4 bool) {
	kind, member := "X-ADDRESSBOOKSERVER-KIND", "X-ADDRESSBOOKSERVER-MEMBER"
	if v4 {
		kind, member = "KIND", "MEMBER"
	}
	w.line(kind, "group")
	for _, m := range c.Members {
		cn, of := m.Name, m.Type
		if cn == m.Address {
			cn = ""
		}
		if of == "SMTP" {
			of = ""
		}
		w.text(member, "mailto:"+m.Address, "X-CN", cn, "X-ADDRESS-TYPE", of)
	}
}
