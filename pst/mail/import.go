package mail

import (
	"fmt"
	"io"
	"strings"
	"time"

	"keepwatch/pst"
)

// Options is what the server knows of a mail and the mail itself does not hold. The
// zero value is an unread mail that was received when its headers say.
type Options struct {
	Received   time.Time // when it came; zero: the first Received header, or else the Date
	Created    time.Time // when the store got it; zero: nothing is said
	Modified   time.Time // zero: nothing is said
	Read       bool
	Draft      bool // not sent yet
	Flag       Flag
	Categories []string // joined with those of a Keywords header
	LastVerb   int32    // PidTagLastVerbExecuted: 102 replied, 103 replied to all, 104 forwarded; 0 is none
}

// Flag is the follow-up flag of a mail, with the values of PidTagFlagStatus.
type Flag int32

// The flags. See [MS-OXOFLAG] 2.2.1.1.
const (
	NotFlagged Flag = 0
	FlagDone   Flag = 1
	Flagged    Flag = 2
)

// Whole is a Sink that takes a message within the mail as it came, instead of its parts.
type Whole interface {
	pst.Sink

	// EmbedMail is called in the place of Embed, with the properties of the attachment and
	// the message as it lies in the mail. It may be read until the mail's reader is closed.
	EmbedMail(p pst.Properties, message *io.SectionReader) error
}

// Result is what was made of a mail.
type Result struct {
	Class       string   // IPM.Note, or one of S/MIME
	Recipients  int      // rows of the recipient table
	Attachments int      // by value, inline ones and the mail as it came among them
	Inline      int      // of those, how many the HTML body shows
	Embedded    int      // messages in the mail, on all levels
	Raw         bool     // the mail as it came was attached, to it or to a message in it
	Notes       []string // what was out of order, in sentences without an end
}

// Messages in messages deeper than this are attached as files.
const maxDepth = 8

// Import gives a mail, RFC 5322 with MIME, to a Sink. Whatever is wrong with the mail
// is no error: it is kept, and Result says what was out of order (see the package
// comment). The errors are those of r and of the Sink. r is read at least twice, and
// Import may be called again with it. A size that is more than what r has is cut.
func Import(s pst.Sink, r io.ReaderAt, size int64, o Options) (Result, error) {
	var res Result
	sc, err := scan(r, size)
	if err != nil {
		return res, err
	}
	m := importer{sink: s, r: r, size: sc.lines.size, o: o, res: &res, room: maxBodies}
	if err := m.run(sc); err != nil {
		return res, err
	}
	res.Notes = m.notes.list
	return res, nil
}

// importer makes one message. One that lies in another has an importer of its own
// with the same Result.
type importer struct {
	sink     pst.Sink
	r        io.ReaderAt
	size     int64
	o        Options
	res      *Result
	depth    int
	room     int64 // for bodies
	notes    notes
	head     *header
	sent     time.Time // zero where the mail does not say it
	hasBody  bool
	html     string          // the HTML body, as it came
	cids     map[string]bool // the parts that it shows
	searches int
	unnamed  int // attachments that got a name here
}

func (m *importer) run(sc *scanner) error {
	m.head, m.notes = &sc.head, sc.notes
	if len(sc.head.fields) == 0 && m.size > 0 {
		m.notes.lose("there is no header")
	}
	pl := choose(sc.root, m.room)
	m.room = pl.room // for those that lie in it
	if pl.long {
		m.notes.add("a text is too long for a body, and is attached")
	}
	if m.depth == 0 {
		m.res.Class = pl.class
	}
	m.sink.Set(pst.P(pst.PidTagMessageClass, pl.class))
	m.sent = m.sentTime()
	m.transport()
	m.subject()
	m.senders()
	m.recipients()
	m.times()
	m.marks()
	if err := m.bodies(pl); err != nil {
		return err
	}
	if err := m.files(pl); err != nil {
		return err
	}
	return m.whole(pl)
}

// transport keeps the header as a text, PidTagTransportMessageHeaders.
func (m *importer) transport() {
	text := strings.TrimRight(m.head.readable(), "\r\n")
	if text == "" {
		return
	}
	s := strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "\r\r\n", "\r\n")
	if strings.Contains(s, "\n") { // a CR alone ends no line there
		s = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", " "), "\n", "\r\n")
	}
	s = crlf(s)
	m.sink.Set(pst.P(pst.PidTagTransportMessageHeaders, s+"\r\n\r\n"))
}

// whole attaches the mail as it came where something of it would be lost otherwise,
// and says so: in the name of the attachment, and in the body where there is none.
func (m *importer) whole(pl *plan) error {
	if m.size == 0 {
		m.notes.add("the mail is empty")
		m.sink.Set(pst.P(pst.PidTagBody, "The mail is empty: it has neither a header nor a body."), pst.P(pst.PidTagNativeBody, int32(pst.NativeText)))
		return nil
	}
	if !m.notes.lost && !pl.signed {
		return nil
	}
	name := "original message (signed).eml"
	if m.notes.lost {
		name = "original message (not all of it could be read).eml"
		if !m.hasBody {
			m.sink.Set(pst.P(pst.PidTagNativeBody, int32(pst.NativeText)), pst.P(pst.PidTagBody,
				fmt.Sprintf("This mail could not be read completely: %s. The whole mail, as it came, is the attachment \u201C%s\u201D.", strings.Join(m.notes.list, "; "), name)))
		}
	}
	if pl.signed {
		m.notes.add("the mail is signed, and is attached as it came so that the signature stays good")
	}
	m.res.Raw = true
	m.res.Attachments++
	return m.attach(fileProperties(name, "application/octet-stream"), io.NewSectionReader(m.r, 0, m.size))
}

func (m *importer) attach(p pst.Properties, r io.Reader) error {
	if err := m.sink.Attach(p, r); err != nil {
		return fmt.Errorf("attach %q: %w", p.Text(pst.PidTagAttachLongFilename), err)
	}
	return nil
}
