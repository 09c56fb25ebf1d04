package mail

import (
	"io"
	"strings"

	"keepwatch/pst"
)

// Places in a mail, as Look names them.
const (
	InSubject     = "subject"
	InSender      = "sender"
	InRecipients  = "recipients"
	InBody        = "body"
	InAttachments = "attachments" // their names
	InDetails     = "details"     // categories and the Message-ID
)

// Look is for whoever looks for words in a mail: it gives the texts that people remember
// to see, decoded, each with its place, until see returns true. It gives the subject,
// From and Sender, the people in To, Cc, Bcc and Reply-To, the texts that are shown
// (first the plain one, then HTML without its tags), the names of attachments, of a
// message that is attached its subject, and Keywords and Message-ID. Of a text that is
// longer than 4 MiB, as it lies in the mail, it gives the beginning. What attachments hold
// is not looked at. whole is false where something of the mail could not be read, which
// the rest of a long text does not count for; no mail is refused. The errors are those of r.
func Look(r io.ReaderAt, size int64, see func(place, text string) bool) (whole bool, err error) {
	sc, err := scan(r, size)
	if err != nil {
		return false, err
	}
	m := importer{r: r, size: sc.lines.size, res: &Result{}, head: &sc.head, notes: sc.notes}
	cut := map[*part]bool{}
	cutTexts(sc.root, cut)
	pl := &plan{room: 3 * longestLook} // a plain text, which counts twice, and its HTML
	pl.walk(sc.root, nil, true)
	whole = len(sc.head.fields) > 0
	if m.lookHeader(see) {
		return whole && !m.notes.lost, nil
	}
	for _, p := range append([]*part{pl.text, pl.html}, pl.files...) {
		if p == nil || p != pl.text && p != pl.html && !shows(p) {
			continue
		}
		lost := m.notes.lost
		found, err := m.lookBody(p, see)
		if cut[p] { // in the middle of a letter, or of its encoding
			m.notes.lost = lost
		}
		if err != nil || found {
			return whole && !m.notes.lost, err
		}
	}
	for _, p := range pl.files {
		if found, err := m.lookFile(p, see); err != nil || found {
			return whole && !m.notes.lost, err
		}
	}
	see(InDetails, strings.Join(append(m.categories(), m.head.get("message-id")), "\n"))
	return whole && !m.notes.lost, nil
}

// lookHeader gives what stands in the header.
func (m *importer) lookHeader(see func(place, text string) bool) bool {
	if see(InSubject, words(m.head.get("subject"))) {
		return true
	}
	for _, l := range []struct {
		place  string
		fields []string
	}{{InSender, []string{"from", "sender"}}, {InRecipients, []string{"to", "cc", "bcc", "reply-to"}}} {
		var all strings.Builder
		for _, field := range l.fields {
			for _, a := range m.list(field) {
				all.WriteString(a.name + " <" + a.addr + ">\n")
			}
		}
		if see(l.place, all.String()) {
			return true
		}
	}
	return false
}

// longestLook is up to how many bytes of a text are looked at.
const longestLook = 4 << 20

// cutTexts leaves of the texts that are too long the beginning, and says which these are.
func cutTexts(p *part, cut map[*part]bool) {
	for _, k := range p.kids {
		cutTexts(k, cut)
	}
	text := p.top() == "text" || p.top() == "multipart" // this one without its boundary
	if text && !p.multipart() && p.end-p.body > longestLook {
		p.end = p.body + longestLook
		cut[p] = true
	}
}

// shows reports whether a part that is no body is a text that mail programs show below
// the first one, as Apple Mail writes them around a picture.
func shows(p *part) bool {
	return (p.media == "text/plain" || p.media == "text/html") && p.name == "" && (p.disposition == "" || p.disposition == "inline")
}

// lookBody gives a text.
func (m *importer) lookBody(p *part, see func(place, text string) bool) (bool, error) {
	raw, err := m.read(p)
	if err != nil {
		return false, err
	}
	charset := p.charset
	if p.media != "text/html" {
		return see(InBody, m.plain(raw, charset)), nil
	}
	if _, _, ok := lookup(charset); !ok && !isUTF7(charset) {
		charset = metaCharset(raw)
	}
	return see(InBody, pst.HTMLText(m.plain(raw, charset))), nil
}

// lookFile gives what an attachment is called.
func (m *importer) lookFile(p *part, see func(place, text string) bool) (bool, error) {
	text := p.name
	if p.media == "message/rfc822" && identity(p.encoding) {
		sc, err := scan(io.NewSectionReader(m.r, p.body, p.end-p.body), p.end-p.body)
		if err != nil {
			return false, err
		}
		text += "\n" + words(sc.head.get("subject"))
	}
	return text != "" && see(InAttachments, text), nil
}
