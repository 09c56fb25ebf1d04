package reader

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"keepwatch/pst"
)

// Query says what is looked for. Each field that is set has to fit.
type Query struct {
	Text   string    // in one of the places that Field has, compared by pst.Fold
	Folder pst.NID   // this folder and those below it; 0 for all
	Class  string    // the message class, or its beginning up to a dot: IPM.Note
	From   time.Time // received, or else sent, or else changed, not before
	To     time.Time // and before
}

// Field is where a text was found.
type Field string

// The places that are looked through, in this order. A body of RTF alone, without
// text or HTML, is not looked through.
const (
	InSubject     Field = "subject"
	InSender      Field = "sender"
	InRecipients  Field = "recipients"
	InBody        Field = "body"
	InAttachments Field = "attachments" // their names
	InDetails     Field = "details"     // addresses, telephones, company of a contact; place of an appointment; categories and Message-ID of any item
)

// Hit is an item that fits.
type Hit struct {
	Folder     *Folder
	Node       pst.NID
	Properties pst.Properties // what the table of the folder has: subject, sender, dates, size
	Where      Field          // the first place that has the text; empty where none was asked for
}

// Search goes through the folders and gives what fits as it finds it. The tables are
// asked first, and an item is opened only where they do not decide. Damage
// comes as an error, with the Hit's Folder and Node where they are known, and ends
// nothing.
func (f *File) Search(q Query) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		r := search{f: f, q: q, text: pst.Fold(q.Text), b: f.newBudget()}
		inside := map[pst.NID]bool{}
		s := survey{f: f, b: r.b, want: searched}
		s.folder = func(d *Folder, err error) error {
			if err != nil && !yield(Hit{Folder: d}, err) {
				return errStop
			}
			if d == nil {
				return nil
			}
			inside[d.nid] = q.Folder == 0 || q.Folder == d.nid || d.parent != nil && inside[d.parent.nid]
			if !inside[d.nid] {
				return errSkip
			}
			return nil
		}
		s.item = func(d *Folder, it found, err error) error {
			h := Hit{Folder: d, Node: it.Node, Properties: it.Properties}
			if err != nil && !yield(h, err) {
				return errStop
			}
			if it.Node == 0 {
				return nil
			}
			where, fits, err := r.fits(it)
			if err != nil && !isDamage(err) {
				return err
			}
			if h.Where = where; err != nil && !yield(h, err) || fits && !yield(h, nil) {
				return errStop
			}
			return nil
		}
		if err := s.run(context.Background()); err != nil && err != errStop {
			yield(Hit{}, err)
		}
	}
}

// Matcher is a search for those who list items themselves: it gives what tells of one
// whether it fits, and where. ps is what the table of the folder has of the item; Folder
// of the Query is not looked at. Damage comes as an error beside what was found all the
// same. It is for one goroutine and one search: what it reads of bodies is bounded by
// the size of the file.
func (f *File) Matcher(q Query) func(n pst.NID, ps pst.Properties) (Field, bool, error) {
	r := search{f: f, q: q, text: pst.Fold(q.Text), b: f.newBudget()}
	return func(n pst.NID, ps pst.Properties) (Field, bool, error) {
		return r.fits(found{Row: Row{Node: n, Properties: ps}})
	}
}

// The columns that a search asks for, besides those of a summary.
var searchColumns = []pst.Tag{
	pst.PidTagSubject, pst.PidTagNormalizedSubject, pst.PidTagConversationTopic, pst.PidTagSenderName, pst.PidTagSentRepresentingName,
	pst.PidTagDisplayTo, pst.PidTagDisplayCc, pst.PidTagDisplayBcc,
}

func searched(t pst.Tag) bool {
	for _, c := range searchColumns {
		if c.ID() == t.ID() {
			return true
		}
	}
	return summed(t)
}

type search struct {
	f    *File
	q    Query
	text string // as pst.Fold gives it
	b    *budget
}

func (r *search) in(s string) bool { return strings.Contains(pst.Fold(s), r.text) }

// any tells whether one of the properties that are texts has what is looked for.
func (r *search) any(ps pst.Properties, tags ...pst.Tag) bool {
	for _, t := range tags {
		if s := ps.Text(t); s != "" && r.in(s) {
			return true
		}
	}
	return false
}

// fits tells whether an item fits, and where.
func (r *search) fits(it found) (Field, bool, error) {
	ps := it.Properties
	if c := r.q.Class; c != "" {
		rest, ok := strings.CutPrefix(strings.ToLower(ps.Text(pst.PidTagMessageClass)), strings.ToLower(c))
		if !ok || rest != "" && rest[0] != '.' {
			return "", false, nil
		}
	}
	at := dateOf(ps)
	if !r.q.From.IsZero() && at.Before(r.q.From) || !r.q.To.IsZero() && !at.Before(r.q.To) {
		return "", false, nil
	}
	switch {
	case r.text == "":
		return "", true, nil
	case r.any(ps, pst.PidTagSubject, pst.PidTagNormalizedSubject):
		return InSubject, true, nil
	case r.any(ps, pst.PidTagSenderName, pst.PidTagSentRepresentingName):
		return InSender, true, nil
	case r.any(ps, pst.PidTagDisplayTo, pst.PidTagDisplayCc, pst.PidTagDisplayBcc):
		return InRecipients, true, nil
	}
	m, err := r.f.Message(it.Node)
	if err != nil {
		return "", false, err
	}
	return r.inside(m)
}

// The properties of an item that are looked through when it is opened.
var (
	subjectTags = []pst.Tag{pst.PidTagSubject, pst.PidTagNormalizedSubject, pst.PidTagDisplayName}
	senderTags  = []pst.Tag{pst.PidTagSenderName, pst.PidTagSenderEmailAddress, pst.PidTagSentRepresentingName, pst.PidTagSentRepresentingEmailAddress}
	personTags  = []pst.Tag{pst.PidTagDisplayName, pst.PidTagEmailAddress, pst.PidTagSmtpAddress}
	fileTags    = []pst.Tag{pst.PidTagAttachLongFilename, pst.PidTagAttachFilename, pst.PidTagDisplayName}
)

// inside looks through an item. What is damaged in it is told beside what was found
// elsewhere.
func (r *search) inside(m *Message) (Field, bool, error) {
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	wanted := func(tags []pst.Tag) pst.Properties {
		ps, err := m.c.properties(m.codepage, func(e entry) bool {
			for _, t := range tags {
				if t.ID() == e.id {
					return false
				}
			}
			return true
		})
		keep(err)
		return ps
	}
	if r.any(wanted(subjectTags), subjectTags...) {
		return InSubject, true, first
	}
	if r.any(wanted(senderTags), senderTags...) {
		return InSender, true, first
	}
	for ps, err := range m.Recipients() {
		keep(err)
		if r.any(ps, personTags...) {
			return InRecipients, true, first
		}
	}
	body, err := r.body(m)
	keep(err)
	if r.in(body) {
		return InBody, true, first
	}
	for a, err := range m.Attachments() {
		if keep(err); a == nil {
			continue
		}
		ps, err := a.Properties()
		if keep(err); r.any(ps, fileTags...) {
			return InAttachments, true, first
		}
	}
	found, err := r.details(m)
	keep(err)
	if found {
		return InDetails, true, first
	}
	return "", false, first
}

var errValues = errors.New("the bodies that were looked through are far longer than the file: the same ones are linked from many messages")

// body is the text of an item, from HTML where there is no other.
func (r *search) body(m *Message) (string, error) {
	e, ok := m.c.find(pst.PidTagBody.ID())
	isHTML := !ok
	if isHTML {
		if e, ok = m.c.find(pst.PidTagHtml.ID()); !ok {
			return "", nil
		}
	}
	n, err := m.c.length(e)
	if err != nil {
		return "", err
	}
	if r.b.values -= n; r.b.values < 0 {
		return "", m.c.wrong(e, errValues)
	}
	p, err := m.c.value(e, m.codepage)
	if err != nil {
		return "", err
	}
	switch v := p.Value.(type) {
	case string:
		if isHTML {
			v = pst.HTMLText(v)
		}
		return v, nil
	case []byte:
		page := int(m.c.number(pst.PidTagInternetCodepage))
		if page == 0 {
			page = m.codepage
		}
		return pst.HTMLText(codepageText(v, page)), nil
	}
	return "", nil
}
