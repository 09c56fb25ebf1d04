package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
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

// person reads somebody from the properties of a message or a recipient. The address
// of Exchange (a distinguished name) is no address of mail.
func person(p pst.Properties, name, kind, addr, smtp pst.Tag, entry []byte) address {
	a := address{name: clean(p.Text(name)), addr: clean(p.Text(smtp))}
	if a.addr == "" && !strings.EqualFold(p.Text(kind), "EX") {
		a.addr = clean(p.Text(addr))
	}
	if _, k, one, ok := pst.ParseOneOff(entry); a.addr == "" && ok && strings.EqualFold(k, "SMTP") {
		a.addr = clean(one)
	}
	if strings.EqualFold(a.addr, "unknown") && !strings.Contains(a.addr, "@") { // what Outlook has for nobody
		return address{}
	}
	return a
}

// author is who wrote a message, and who sent it.
func author(p pst.Properties) (from, sender address) {
	from = person(p, pst.PidTagSentRepresentingName, pst.PidTagSentRepresentingAddressType, pst.PidTagSentRepresentingEmailAddress,
		pst.PidTagSentRepresentingSmtpAddress, p.Bytes(pst.PidTagSentRepresentingEntryId))
	sender = person(p, pst.PidTagSenderName, pst.PidTagSenderAddressType, pst.PidTagSenderEmailAddress, pst.PidTagSenderSmtpAddress, p.Bytes(pst.PidTagSenderEntryId))
	return from, sender
}

func (d *document) senders(t transport, made map[string][]string) {
	p := d.props
	from, sender := author(p)
	if from == (address{}) {
		from = sender
	}
	was := t.addresses("from")
	if len(was) == 0 {
		was = t.addresses("sender")
	}
	if from != (address{}) && (len(was) == 0 || from.addr != "" && !strings.EqualFold(was[0].addr, from.addr)) {
		made["from"] = []string{formatAddresses([]address{from})}
	}
	if _, has := t.get("sender"); !has && sender.addr != "" && !strings.EqualFold(sender.addr, from.addr) && (made["from"] != nil || len(was) <= 1) {
		made["sender"] = []string{formatAddresses([]address{sender})}
	}
	if reply := readFlatEntries(p.Bytes(pst.PidTagReplyRecipientEntries)); len(reply) > 0 {
		if _, has := t.get("reply-to"); !has {
			made["reply-to"] = []string{formatAddresses(reply)}
		}
	}
}

// recipientFields makes To, Cc and Bcc where the recipients of the message are not
// those of the header. Where one has no address of mail they cannot be compared, and the
// header is believed.
func (d *document) recipientFields(t transport, made map[string][]string) {
	for kind, name := range map[int64]string{pst.RecipientTo: "to", pst.RecipientCc: "cc", pst.RecipientBcc: "bcc"} {
		var list []address
		sure := true
		for _, r := range d.recipients {
			if r.Int(pst.PidTagRecipientType)&0xF != kind {
				continue
			}
			a := person(r, pst.PidTagDisplayName, pst.PidTagAddressType, pst.PidTagEmailAddress, pst.PidTagSmtpAddress, r.Bytes(pst.PidTagEntryId))
			if a != (address{}) {
				list = append(list, a)
			}
			sure = sure && a.addr != ""
		}
		_, has := t.get(name)
		if has && (!sure || same(t.addresses(name), list)) || !has && len(list) == 0 {
			continue
		}
		if len(list) == 0 {
			made[name] = nil
			continue
		}
		made[name] = []string{formatAddresses(list)}
	}
}

// same tells whether two lists have the same addresses.
func same(a, b []address) bool {
	set := func(l []address) map[string]int {
		m := map[string]int{}
		for _, x := range l {
			k := strings.ToLower(x.addr)
			if k == "" {
				k = "\x00" + x.name
			}
			m[k]++
		}
		return m
	}
	return maps.Equal(set(a), set(b))
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

// addressFields are those in which encoded words must not take an address in.
var addressFields = map[string]bool{"from": true, "to": true, "cc": true, "bcc": true, "sender": true, "reply-to": true, "resent-from": true, "resent-to": true, "resent-cc": true, "return-path": true}

// idFields are those in which there are no encoded words.
var idFields = map[string]bool{"message-id": true, "in-reply-to": true, "references": true}

// maxRewritten is how much is kept of a field that has to be written new. Only
// rubbish is longer.
const maxRewritten = 60_000

// rawField writes a field as it came, where it is safe: ASCII, lines of at most 998
// characters. Another one is written new.
func (x *exporter) rawField(f transportField) {
	text := strings.TrimRight(f.raw.text, "\r\n")
	safe := true
	length := len(f.raw.name) + 1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			length = 0
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n', c == '\t':
		case c < ' ' || c > '~':
			safe = false
		}
		if length++; length > 998 {
			safe = false
		}
	}
	for l := range strings.SplitSeq(text, "\n") { // an empty line would end the header
		safe = safe && (strings.TrimSpace(l) != "" || l == text)
	}
	// An encoded line end is no danger here, but to programs that decode it: Python
	// refuses to read the whole field.
	safe = safe && !(strings.Contains(text, "=?") && strings.ContainsFunc(words(f.value), control))
	switch {
	case safe:
		x.line(f.raw.name + ":" + crlf(text))
	case addressFields[f.name]:
		list, _ := addresses(f.value)
		x.field(f.raw.name, formatAddresses(list))
	case f.name == "date" && dateOf(f.value) != "":
		x.field(f.raw.name, dateOf(f.value))
	case idFields[f.name]:
		x.field(f.raw.name, clip(clean(readText(f.value)), maxRewritten))
	default:
		x.field(f.raw.name, unstructured(clip(clean(words(f.value)), maxRewritten)))
	}
}

// field writes a field, folded at spaces to lines of at most 78 characters where
// there are any, and always to at most 998 (RFC 5322 2.1.1).
func (x *exporter) field(name, value string) {
	line := name + ":"
	blank := true // nothing of the value is in the line yet
	for w := range strings.SplitSeq(guard(value), " ") {
		for {
			if !blank && w != "" && len(line)+1+len(w) > 78 {
				x.line(line)
				line = ""
			}
			if len(w) <= maxWord {
				break
			}
			piece := clip(w, maxWord)
			x.line(line + " " + piece)
			line, w, blank = "", w[len(piece):], true
		}
		line += " " + w
		blank = blank && w == ""
	}
	if line != "" {
		x.line(line)
	}
}

// maxWord is how much without a space may stand in a line.
const maxWord = 900

// guard takes out what no header may have, control characters above all. It is the
// last guard: values are encoded before, but for addresses and ids that are not ASCII
// themselves (RFC 6532).
func guard(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case control(r):
			return -1
		}
		return r
	}, s)
}

// unstructured encodes a text where it has to be (RFC 2047).
func unstructured(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && !strings.Contains(s, "=?") && !strings.Contains(s, "  ") && longest(s) < 900 {
		return s
	}
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 { // mime leaves ASCII as it is
		var out []string
		for s != "" {
			piece := clip(s, 45)
			out, s = append(out, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(piece))+"?="), s[len(piece):]
		}
		return strings.Join(out, " ")
	}
	return mime.BEncoding.Encode("utf-8", s)
}

func longest(s string) int {
	n := 0
	for w := range strings.SplitSeq(s, " ") {
		n = max(n, len(w))
	}
	return n
}

// formatAddresses makes a list. A name that is no plain text is quoted or encoded, and
// an address never ends its angle brackets.
func formatAddresses(list []address) string {
	out := make([]string, 0, len(list))
	for _, a := range list {
		name, addr := clean(a.name), strings.Map(noAngles, clean(a.addr))
		switch {
		case addr == "" && name == "":
			continue
		case addr == "":
			out = append(out, phrase(name)+" <>")
		case name == "" || name == addr:
			out = append(out, "<"+addr+">")
		default:
			out = append(out, phrase(name)+" <"+addr+">")
		}
	}
	return strings.Join(out, ", ")
}

// phrase writes a name: an encoded word where it is not ASCII, in quotes otherwise.
func phrase(s string) string {
	if e := unstructured(s); e != s {
		return e
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// param writes a value with one parameter: in quotes, or by RFC 2231 where it is not
// ASCII or too long for a line.
func param(value, name, v string) string {
	v = clean(v)
	if len(v) <= 60 && strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && !strings.Contains(v, "=?") {
		return value + "; " + name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	var out strings.Builder
	out.WriteString(value)
	escaped := "utf-8''"
	for _, c := range []byte(v) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '_' {
			escaped += string(rune(c))
		} else {
			escaped += fmt.Sprintf("%%%02X", c)
		}
	}
	if len(escaped) <= 60 {
		return value + "; " + name + "*=" + escaped
	}
	for i := 0; escaped != ""; i++ {
		n := min(60, len(escaped))
		for k := 1; k <= 2 && n < len(escaped); k++ { // no escape is cut
			if escaped[n-k] == '%' {
				n -= k
				break
			}
		}
		fmt.Fprintf(&out, "; %s*%d*=%s", name, i, escaped[:n])
		escaped = escaped[n:]
	}
	return out.String()
}
