package putback

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// message is a message as Graph takes it, without attachments and mark. What its type has
// no property for, and what is only read there, are extended ones, which count when the
// message is made: PR_MESSAGE_FLAGS says that it is no draft, PR_MESSAGE_DELIVERY_TIME and
// PR_CLIENT_SUBMIT_TIME when it came and went. Further headers cannot be given as
// internetMessageHeaders, which take five of the names X-…; PR_TRANSPORT_MESSAGE_HEADERS
// has all of them.
func message(p pst.Properties, recipients []pst.Properties, draft bool, notes *[]string) map[string]any {
	read := p.Int(pst.PidTagMessageFlags)&pst.FlagRead != 0
	out := map[string]any{
		"subject": mail.Subject(p), "body": body(p, notes), "isRead": read,
		"importance": map[int64]string{0: "low", 2: "high"}[importance(p)],
		"flag":       map[string]string{"flagStatus": map[int64]string{0: "notFlagged", 1: "complete", 2: "flagged"}[p.Int(pst.PidTagFlagStatus)]},
	}
	if out["importance"] == "" {
		out["importance"] = "normal"
	}
	if id := p.Text(pst.PidTagInternetMessageId); id != "" {
		out["internetMessageId"] = id
	}
	if all := p.Texts(pst.PidNameKeywords); len(all) > 0 {
		out["categories"] = all
	}
	if from := person(p.Text(pst.PidTagSentRepresentingName), p.Text(pst.PidTagSentRepresentingEmailAddress)); from != nil {
		out["from"] = from
	}
	if sender := person(p.Text(pst.PidTagSenderName), p.Text(pst.PidTagSenderEmailAddress)); sender != nil {
		out["sender"] = sender
	}
	for kind, field := range map[int64]string{pst.RecipientTo: "toRecipients", pst.RecipientCc: "ccRecipients", pst.RecipientBcc: "bccRecipients"} {
		var all []any
		for _, r := range recipients {
			if x := person(r.Text(pst.PidTagDisplayName), r.Text(pst.PidTagEmailAddress)); x != nil && r.Int(pst.PidTagRecipientType) == kind {
				all = append(all, x)
			}
		}
		if len(all) > 0 {
			out[field] = all
		}
	}
	if all := replyTo(p.Bytes(pst.PidTagReplyRecipientEntries)); len(all) > 0 {
		out["replyTo"] = all
	}
	out["singleValueExtendedProperties"] = properties(p, read, draft, notes)
	return out
}

func importance(p pst.Properties) int64 {
	if _, ok := p.Get(pst.PidTagImportance); !ok {
		return 1
	}
	return p.Int(pst.PidTagImportance)
}

// properties are the extended ones.
func properties(p pst.Properties, read, draft bool, notes *[]string) []property {
	var all []property
	add := func(id, value string) {
		if value != "" {
			all = append(all, property{id, value})
		}
	}
	if !draft {
		flags := 0
		if read {
			flags = pst.FlagRead
		}
		add("Integer 0x0E07", strconv.Itoa(flags))
	}
	add("SystemTime 0x0E06", moment(p.Time(pst.PidTagMessageDeliveryTime)))
	add("SystemTime 0x0039", moment(p.Time(pst.PidTagClientSubmitTime)))
	if n := p.Int(pst.PidTagSensitivity); n != 0 {
		add("Integer 0x0036", strconv.FormatInt(n, 10))
	}
	head := p.Text(pst.PidTagTransportMessageHeaders)
	if len(head) > mostHeader {
		*notes = append(*notes, "its header is longer than 256 kB, and the end of it was left out")
		head = strings.ToValidUTF8(head[:mostHeader], "")
	}
	add("String 0x007D", head)
	add("String 0x1042", p.Text(pst.PidTagInReplyToId))
	add("String 0x1039", p.Text(pst.PidTagInternetReferences))
	add("String 0x0070", p.Text(pst.PidTagConversationTopic))
	add("Binary 0x0071", base64.StdEncoding.EncodeToString(p.Bytes(pst.PidTagConversationIndex)))
	return all
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// person is somebody with an address; nil for one without.
func person(name, address string) any {
	if address == "" && name == "" {
		return nil
	}
	inner := map[string]string{"address": address}
	if name != "" {
		inner["name"] = name
	}
	return map[string]any{"emailAddress": inner}
}

// replyTo reads a FLATENTRYLIST of one-off entries, [MS-OXCDATA] 2.3.3: a count, the bytes
// that follow, and each entry id with its length, at a multiple of four.
func replyTo(b []byte) (all []any) {
	for b = b[min(8, len(b)):]; len(b) >= 4; {
		n := int(min(binary.LittleEndian.Uint32(b), 1<<20))
		b = b[4:]
		if n > len(b) {
			break
		}
		if name, _, address, ok := pst.ParseOneOff(b[:n]); ok {
			all = append(all, person(name, address))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return all
}

// body is the HTML, or the text.
func body(p pst.Properties, notes *[]string) map[string]string {
	html := p.Bytes(pst.PidTagHtml)
	if len(html) == 0 {
		return map[string]string{"contentType": "text", "content": p.Text(pst.PidTagBody)}
	}
	text, ok := decode(html, p.Int(pst.PidTagInternetCodepage))
	if !ok {
		*notes = append(*notes, "some characters of its text could not be read")
	}
	return map[string]string{"contentType": "html", "content": text}
}

// pageNames are the names of code pages of Windows by which golang.org/x/text knows them.
// Source: Code Page Identifiers, Microsoft Learn.
var pageNames = map[int64]string{
	65001: "utf-8", 20127: "windows-1252", 1200: "utf-16le", 1201: "utf-16be", 866: "ibm866", 874: "windows-874", 932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5",
	10000: "macintosh", 10007: "x-mac-cyrillic", 20866: "koi8-r", 21866: "koi8-u", 20932: "euc-jp", 51932: "euc-jp", 50220: "iso-2022-jp", 50221: "iso-2022-jp", 50222: "iso-2022-jp",
	51949: "euc-kr", 54936: "gb18030", 38598: "iso-8859-8-i", 437: "ibm437", 850: "ibm850", 852: "ibm852", 855: "ibm855", 858: "ibm00858",
}

// decode gives a text of a code page; ok is false where some of it could not be read.
func decode(raw []byte, page int64) (string, bool) {
	name := pageNames[page]
	switch {
	case page >= 1250 && page <= 1258:
		name = "windows-" + strconv.FormatInt(page, 10)
	case page >= 28591 && page <= 28606:
		name = "iso-8859-" + strconv.FormatInt(page-28590, 10)
	}
	encoding, err := htmlindex.Get(name)
	if err != nil {
		encoding, err = ianaindex.MIME.Encoding(name)
	}
	if name == "utf-8" || err != nil || encoding == nil {
		return strings.ToValidUTF8(string(raw), "\uFFFD"), utf8.Valid(raw)
	}
	text, err := encoding.NewDecoder().Bytes(raw)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\uFFFD"), false
	}
	return string(text), true
}
