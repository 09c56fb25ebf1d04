package mail

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"keepwatch/pst"
)

// header writes all fields but those of the content, which comes next.
func (x *exporter) header(d *document) {
	h := parseTransport(d.props.Text(pst.PidTagTransportMessageHeaders))
	written := map[string]bool{}
	made := d.fields(h)
	for _, f := range h.fields {
		if strings.HasPrefix(f.name, "content-") || f.name == "mime-version" {
			continue
		}
		if values, replaced := made[f.name]; replaced {
			if !written[f.name] {
				x.fields(f.raw.name, values)
			}
			written[f.name] = true
			continue
		}
		x.rawField(f)
	}
	for _, name := range fieldOrder {
		if values := made[name.low]; !written[name.low] && len(values) > 0 {
			x.fields(name.shown, values)
		}
	}
	x.line("MIME-Version: 1.0")
}

func (x *exporter) fields(name string, values []string) {
	for _, v := range values {
		x.field(name, v)
	}
}

// fieldOrder are the fields that can be made from properties.
var fieldOrder = []struct{ low, shown string }{
	{"date", "Date"}, {"from", "From"}, {"sender", "Sender"}, {"reply-to", "Reply-To"}, {"to", "To"}, {"cc", "Cc"}, {"bcc", "Bcc"}, {"subject", "Subject"},
	{"message-id", "Message-ID"}, {"in-reply-to", "In-Reply-To"}, {"references", "References"}, {"thread-topic", "Thread-Topic"}, {"thread-index", "Thread-Index"},
	{"importance", "Importance"}, {"sensitivity", "Sensitivity"}, {"keywords", "Keywords"}, {"disposition-notification-to", "Disposition-Notification-To"}}

// transportField is a field of the transport headers with the line that it was.
type transportField struct {
	name  string // in lower case
	value string
	raw   struct{ name, text string }
}

type transport struct{ fields []transportField }

// parseTransport reads PidTagTransportMessageHeaders. Lines that are no fields are
// left out: in a mail they would be the end of the header.
func parseTransport(s string) transport {
	var t transport
	h := header{limit: 2 * maxHeader}
	l := newLines(strings.NewReader(s), int64(len(s)))
	// Exchange begins the text of a report with "Microsoft Mail Internet Headers
	// Version 2.0", which is no field.
	for l.next() && len(l.trimmed()) > 0 && len(h.fields) < maxFields-100 { // the rest is for what is made
		if !h.add(&l) && len(h.fields) > 0 {
			break
		}
	}
	h.done()
	for i := range h.fields {
		f := transportField{name: h.fields[i].name, value: h.fields[i].value}
		at := h.starts[i]
		raw := h.text[at[0]:at[1]]
		f.raw.name = fieldName(raw)
		_, v, _ := bytes.Cut(raw, []byte(":"))
		f.raw.text = string(v)
		t.fields = append(t.fields, f)
	}
	return t
}

func (t transport) get(name string) (string, bool) {
	for _, f := range t.fields {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

func (t transport) addresses(name string) []address {
	var all []string
	for _, f := range t.fields {
		if f.name == name {
			all = append(all, f.value)
		}
	}
	list, _ := addresses(strings.Join(all, ", "))
	return list
}

// fields are those that the message has and the transport headers have not, or have
// otherwise: somebody may have changed the subject in Outlook. nil for a field takes
// it out.
func (d *document) fields(t transport) map[string][]string {
	made := map[string][]string{}
	p := d.props
	subject := clean(Subject(p))
	if v, ok := t.get("subject"); !ok && subject != "" || ok && clip16(clean(words(v)), maxSubject) != clip16(subject, maxSubject) {
		made["subject"] = []string{unstructured(subject)}
	}
	d.date(t, made)
	d.senders(t, made)
	d.recipientFields(t, made)
	for name, tag := range map[string]pst.Tag{"message-id": pst.PidTagInternetMessageId, "in-reply-to": pst.PidTagInReplyToId, "references": pst.PidTagInternetReferences} {
		if v := clean(p.Text(tag)); v != "" {
			if _, ok := t.get(name); !ok {
				made[name] = []string{guard(v)}
			}
		}
	}
	d.marks(t, made)
	if len(t.fields) == 0 {
		if v := p.Bytes(pst.PidTagConversationIndex); len(v) >= 22 {
			made["thread-index"] = []string{base64.StdEncoding.EncodeToString(v)}
		}
		if v := clean(p.Text(pst.PidTagConversationTopic)); v != "" {
			made["thread-topic"] = []string{unstructured(v)}
		}
	}
	return made
}

const dateLayout = "Mon, 02 Jan 2006 15:04:05 -0700"

// dateOf writes a date that could be read as one that everybody can.
func dateOf(s string) string {
	if t, ok := parseDate(s); ok {
		return t.Format(dateLayout)
	}
	return ""
}

func (d *document) date(t transport, made map[string][]string) {
	at := d.props.Time(pst.PidTagClientSubmitTime)
	v, has := t.get("date")
	if at.IsZero() && len(t.fields) == 0 {
		at = d.props.Time(pst.PidTagMessageDeliveryTime)
		if at.IsZero() {
			at = d.props.Time(pst.PidTagCreationTime)
		}
	}
	if at.IsZero() {
		return
	}
	was, ok := parseDate(v)
	if diff := was.Sub(at); !has || !ok || diff > time.Second || diff < -time.Second {
		made["date"] = []string{at.UTC().Format(dateLayout)}
	}
}

func (d *document) marks(t transport, made map[string][]string) {
	p := d.props
	var h header
	for _, f := range t.fields {
		h.fields = append(h.fields, field{f.name, f.value})
	}
	if _, set := p.Get(pst.PidTagImportance); set && int32(p.Int(pst.PidTagImportance)) != importance(&h) {
		if i := p.Int(pst.PidTagImportance); i >= 0 && i <= 2 {
			made["importance"] = []string{[]string{"low", "normal", "high"}[i]}
		}
	}
	if s := p.Int(pst.PidTagSensitivity); s >= 0 && s <= 3 && int32(s) != sensitivity(h.get("sensitivity")) {
		if made["sensitivity"] = nil; s > 0 {
			made["sensitivity"] = []string{[]string{"", "Personal", "Private", "Company-Confidential"}[s]}
		}
	}
	var quoted []string
	for _, c := range p.Texts(pst.PidNameKeywords) {
		if c = strings.ReplaceAll(clean(c), ",", " "); c != "" {
			quoted = append(quoted, c)
		}
	}
	m := importer{head: &h}
	if len(quoted) > 0 && !slices.Equal(m.categories(), p.Texts(pst.PidNameKeywords)) {
		made["keywords"] = []string{unstructured(strings.Join(quoted, ", "))}
	}
	if p.Bool(pst.PidTagReadReceiptRequested) && h.get("disposition-notification-to") == "" {
		a, sender := author(p)
		if a == (address{}) {
			a = sender
		}
		if a.addr != "" {
			made["disposition-notification-to"] = []string{formatAddresses([]address{{addr: a.addr}})}
		}
	}
}
