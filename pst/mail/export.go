package mail

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"keepwatch/pst"
)

// Export writes a message as a mail: RFC 5322 with MIME, lines that end with CR LF,
// nothing but ASCII, with two exceptions: an address or id that is not ASCII itself (RFC 6532), and what a
// clear-signed mail has inside, which is written as it lies in the file. The header is that of the transport, where the
// message still agrees with it, and is built from the properties otherwise; its
// Content fields are always made new. Attachments are streamed. A message that is no
// mail has its texts, attachments and, where it has no text, its most important fields.
func Export(w io.Writer, it pst.Item) error {
	bw := bufio.NewWriterSize(w, 32<<10)
	x := exporter{w: bw}
	if err := x.message(it); err != nil {
		return err
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	return nil
}

// exporter writes one message. bufio.Writer keeps the first error and gives it with
// Flush, so that the writing of lines needs no look at it.
type exporter struct {
	w     *bufio.Writer
	depth int
}

// file is an attachment and what is known of it without its content.
type file struct {
	attachment pst.Attachment
	props      pst.Properties
	message    pst.Item // of an embedded one
	inline     bool     // shown by the HTML body
}

// document is a message that is being written.
type document struct {
	props      pst.Properties
	recipients []pst.Properties
	files      []file
	text       string
	hasText    bool
	html       []byte
	page       int32
	rtf        []byte // a body in RTF that has no other form
}

func (x *exporter) message(it pst.Item) error {
	if x.depth > maxDepth*4 {
		return errors.New("messages lie too deep in one another")
	}
	d, err := gather(it)
	if err != nil {
		return err
	}
	x.header(d)
	switch class := strings.ToUpper(d.props.Text(pst.PidTagMessageClass)); {
	case strings.HasSuffix(class, ".SMIME.MULTIPARTSIGNED") && len(d.files) == 1 && d.files[0].message == nil:
		return x.verbatim(d.files[0])
	case strings.HasSuffix(class, ".SMIME") && len(d.files) == 1 && d.files[0].message == nil:
		return x.opaque(d)
	}
	return x.mixed(d)
}

// gather reads all of a message but the content of its attachments.
func gather(it pst.Item) (*document, error) {
	d := &document{}
	var err error
	if d.props, err = it.Properties(); err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	for r, err := range it.Recipients() {
		if err != nil {
			return nil, fmt.Errorf("read the recipients: %w", err)
		}
		d.recipients = append(d.recipients, r)
	}
	for a, err := range it.Attachments() {
		if err != nil {
			return nil, fmt.Errorf("read the attachments: %w", err)
		}
		f := file{attachment: a}
		if f.props, err = a.Properties(); err != nil {
			return nil, fmt.Errorf("read an attachment: %w", err)
		}
		if f.props.Int(pst.PidTagAttachMethod) == pst.AttachEmbedded {
			if f.message, err = a.Message(); err != nil && !errors.Is(err, pst.ErrNoContent) {
				return nil, fmt.Errorf("read the embedded message %q: %w", f.props.Text(pst.PidTagDisplayName), err)
			}
		}
		d.files = append(d.files, f)
	}
	d.bodies()
	shown := cids(string(d.html))
	for i := range d.files {
		f := &d.files[i]
		id := f.props.Text(pst.PidTagAttachContentId)
		f.inline = f.message == nil && len(d.html) > 0 && id != "" &&
			(f.props.Int(pst.PidTagAttachFlags)&pst.AttachShownInline != 0 || shown[id])
	}
	return d, nil
}

// bodies finds the texts of the message.
func (d *document) bodies() {
	d.text, d.hasText = d.props.Text(pst.PidTagBody), d.props.Text(pst.PidTagBody) != ""
	d.html, d.page = d.props.Bytes(pst.PidTagHtml), int32(d.props.Int(pst.PidTagInternetCodepage))
	if s := d.props.Text(pst.PidTagHtml); s != "" { // PtypString, as some writers have it
		d.html, d.page = []byte(s), utf8Page
	}
	if packed := d.props.Bytes(pst.PidTagRtfCompressed); len(packed) > 0 && len(d.html) == 0 {
		if rtf, err := decompressRTF(packed); err == nil {
			d.fromRTF(rtf)
		}
	}
	if !d.hasText && len(d.html) == 0 && len(d.rtf) == 0 && !isMail(d.props) {
		d.text = fieldsText(d.props)
		d.hasText = d.text != ""
	}
}

// fromRTF takes HTML or text out of a body in RTF; what is neither is kept as RTF,
// with its text where the message has none.
func (d *document) fromRTF(rtf []byte) {
	switch text, html := readRTF(rtf); {
	case html:
		d.html, d.page = []byte(text), utf8Page
	case strings.TrimSpace(text) == "": // Outlook writes an empty one with contacts, for instance
	default:
		if !d.hasText {
			d.text, d.hasText = text, text != ""
		}
		if !plainRTF(rtf) {
			d.rtf = rtf
		}
	}
}

func isMail(p pst.Properties) bool {
	class := strings.ToUpper(p.Text(pst.PidTagMessageClass))
	return class == "" || class == "IPM.NOTE" || strings.HasPrefix(class, "IPM.NOTE.") || strings.HasPrefix(class, "REPORT.")
}

// labels are what is told of an item that is no mail and has no text.
var labels = []struct {
	label string
	key   pst.Key
}{
	{"Name", pst.PidTagDisplayName}, {"Company", pst.Tag(0x3A16001F)}, {"Title", pst.Tag(0x3A17001F)}, {"Business telephone", pst.Tag(0x3A08001F)},
	{"Mobile telephone", pst.Tag(0x3A1C001F)}, {"Home telephone", pst.Tag(0x3A09001F)},
	{"E-mail", pst.Named{Set: pst.PSETIDAddress, LID: 0x8083, Type: pst.String}},
	{"Start", pst.Named{Set: pst.PSETIDAppointment, LID: 0x820D, Type: pst.Time}}, {"End", pst.Named{Set: pst.PSETIDAppointment, LID: 0x820E, Type: pst.Time}},
	{"Location", pst.Named{Set: pst.PSETIDAppointment, LID: 0x8208, Type: pst.String}},
	{"Start date", pst.Named{Set: pst.PSETIDTask, LID: 0x8104, Type: pst.Time}}, {"Due date", pst.Named{Set: pst.PSETIDTask, LID: 0x8105, Type: pst.Time}},
}

// fieldsText is the text of an item that is no mail and has none.
func fieldsText(p pst.Properties) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\n", clean(p.Text(pst.PidTagMessageClass)))
	for _, l := range labels {
		v := clean(p.Text(l.key))
		if t := p.Time(l.key); !t.IsZero() {
			v = t.UTC().Format("2006-01-02 15:04 MST")
		}
		if v != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", l.label, v)
		}
	}
	return b.String()
}

// line writes one line.
func (x *exporter) line(s string) {
	x.w.WriteString(s)
	x.w.WriteString("\r\n")
}

// boundary makes a boundary that nobody can have put into a message: it is random.
func boundary() string {
	var b [15]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return "=_" + hex.EncodeToString(b[:])
}
