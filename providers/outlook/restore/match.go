package restore

import (
	"bytes"
	"encoding/json"
	"io"
	"path"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/pim"
)

// inFileName is where a text is that only the name of the file in the archive has.
const inFileName = "file name"

// match looks for texts in one item: each of them has to be somewhere in it.
type match struct {
	left  []string // not found yet; as pst.Fold gives them
	where string   // where the first was found
	all   bool     // nothing but the index has to be looked at
}

func newMatch(texts []string) *match { return &match{left: texts} }

func (m *match) done() bool { return len(m.left) == 0 }

// see looks into a text, and reports whether all was found.
func (m *match) see(where, text string) bool {
	if m.done() || text == "" {
		return m.done()
	}
	text = pst.Fold(text)
	var left []string
	for _, word := range m.left {
		if !strings.Contains(text, word) {
			left = append(left, word)
		} else if m.where == "" {
			m.where = where
		}
	}
	m.left = left
	return m.done()
}

// person is somebody in the JSON of Graph (learn.microsoft.com/graph/api/resources/recipient).
type person struct {
	Email struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

// rawItem is what is looked at of a message or an event as Graph gave it.
type rawItem struct {
	To        []person `json:"toRecipients"`
	Cc        []person `json:"ccRecipients"`
	Bcc       []person `json:"bccRecipients"`
	ReplyTo   []person `json:"replyTo"`
	Attendees []person `json:"attendees"`
	Body      struct {
		Type    string `json:"contentType"`
		Content string `json:"content"`
	} `json:"body"`
	Location  any `json:"location"`
	Locations any `json:"locations"`
}

// index looks at what the index says of an item, and reports whether that is enough.
func (m *match) index(h head, kind outlook.Kind) bool {
	if m.done() || m.see(mail.InSubject, h.Subject) || m.see(mail.InSender, h.From) {
		return true
	}
	var line struct {
		Categories []string        `json:"categories"`
		Raw        json.RawMessage `json:"raw"`
	}
	_ = json.Unmarshal(h.text, &line) // it was read once
	m.all = kind == outlook.Contacts && len(line.Raw) > 0
	if kind == outlook.Contacts {
		var raw any
		_ = json.Unmarshal(line.Raw, &raw)
		m.see(mail.InDetails, texts(raw))
	} else {
		m.raw(line.Raw)
	}
	return m.see(mail.InDetails, strings.Join(append(line.Categories, h.MessageID), "\n")) || m.see(inFileName, path.Base(h.Path))
}

// raw looks into a message or an event. A member of another type than is documented is
// passed over.
func (m *match) raw(data []byte) {
	var raw rawItem
	_ = json.Unmarshal(data, &raw)
	var people strings.Builder
	for _, list := range [][]person{raw.To, raw.Cc, raw.Bcc, raw.ReplyTo, raw.Attendees} {
		for _, p := range list {
			people.WriteString(p.Email.Name + " <" + p.Email.Address + ">\n")
		}
	}
	text := raw.Body.Content
	if strings.EqualFold(raw.Body.Type, "html") {
		text = pst.HTMLText(text)
	}
	_ = m.see(mail.InRecipients, people.String()) || m.see(mail.InBody, text) || m.see(mail.InDetails, texts(raw.Location)) || m.see(mail.InDetails, texts(raw.Locations))
}

// texts gives the texts of a piece of JSON, one a line, without what is for programs: ids,
// dates and what begins with "@".
func texts(v any) string {
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			b.WriteString(v + "\n")
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for name, e := range v {
				if !strings.Contains(name, "@") && !strings.HasSuffix(name, "DateTime") && !strings.HasSuffix(strings.ToLower(name), "id") && name != "changeKey" && !strings.HasSuffix(name, "Type") {
					walk(e)
				}
			}
		}
	}
	walk(v)
	return b.String()
}

// file looks into the file of an item. whole is false where not all of it could be read;
// an error is of the archive.
func (m *match) file(name string, body io.Reader) (whole bool, err error) {
	form, begins := outlook.Form(strings.TrimPrefix(path.Ext(name), ".")), beginsPart
	if form == outlook.VCF || form == outlook.ICS {
		begins = beginsProperty
	}
	data, cut, err := hold(body, begins)
	if err != nil {
		return false, err
	}
	defer func() {
		if recover() != nil { // one that breaks a parser hides no other
			whole, err = false, nil
		}
	}()
	switch form {
	case outlook.VCF:
		return m.cards(data), nil
	case outlook.ICS:
		return m.calendar(data), nil
	}
	whole, err = mail.Look(bytes.NewReader(data), int64(len(data)), m.see)
	return (whole || cut) && err == nil, nil
}

// cards looks into a vCard.
func (m *match) cards(data []byte) bool {
	n := 0
	for c, err := range pim.ReadCards(bytes.NewReader(data)) {
		if err != nil {
			return false
		}
		n++
		list := []string{c.Prefix, c.Given, c.Middle, c.Surname, c.Suffix, c.Nickname, c.DisplayName, c.FileAs, c.GivenPhonetic, c.SurnamePhonetic, c.Company, c.CompanyPhonetic,
			c.Department, c.Title, c.Profession, c.Office, c.Manager, c.Assistant, c.Spouse, c.ReferredBy, c.IM, c.HomePage, c.WorkPage, c.FTP, c.FreeBusy, c.Hobbies, c.Account,
			c.CustomerID, c.GovernmentID, c.OrganizationID, c.BillingInfo, c.Notes}
		for _, e := range c.Emails {
			list = append(list, e.Name, e.Address)
		}
		for _, number := range c.Phones {
			list = append(list, number)
		}
		for _, a := range []pim.Address{c.Home, c.Work, c.Other} {
			list = append(list, a.Street, a.PostalCode+" "+a.City, a.State, a.Country, a.Label)
		}
		for _, member := range c.Members {
			list = append(list, member.Name, member.Address)
		}
		for _, more := range [][]string{c.Children, c.Languages, c.UserFields[:], c.Categories} {
			list = append(list, more...)
		}
		if m.see(mail.InDetails, strings.Join(list, "\n")) {
			return true
		}
	}
	return n > 0
}

// calendar looks into events, their exceptions, and the names of what is attached.
func (m *match) calendar(data []byte) bool {
	cal, err := pim.ReadCalendar(bytes.NewReader(data))
	if err != nil {
		return false
	}
	for _, series := range cal.Events {
		for _, e := range append([]*pim.Event{series}, series.Exceptions...) {
			m.event(e)
		}
	}
	return len(cal.Events) > 0
}

func (m *match) event(e *pim.Event) {
	people := e.Attendees
	if e.Organizer != nil {
		m.see(mail.InSender, e.Organizer.Name+" <"+e.Organizer.Email+">")
	}
	var who, files strings.Builder
	for _, p := range people {
		who.WriteString(p.Name + " <" + p.Email + ">\n")
	}
	for _, a := range e.Attachments {
		files.WriteString(a.Name + "\n" + a.URL + "\n")
	}
	_ = m.see(mail.InSubject, e.Subject) || m.see(mail.InRecipients, who.String()) || m.see(mail.InBody, e.Body) || m.see(mail.InBody, pst.HTMLText(e.HTML)) ||
		m.see(mail.InAttachments, files.String()) || m.see(mail.InDetails, e.Location+"\n"+strings.Join(e.Categories, "\n"))
}
