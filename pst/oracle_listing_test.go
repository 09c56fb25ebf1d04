package pst_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"keepwatch/pst"
)

// What somebody else's reader says of a file, before we know what it means. The
// helper programs below testdata write one such line of JSON for each item.
type rawItem struct {
	Folder      []string            // names from the root of the file on
	Values      map[string][]byte   // as they lie in the file, by "0037001f"; a named text by its name in lower case, "keywords:101f"
	Recipients  []map[string][]byte // as far as the reader knows them
	Attachments []rawAttachment
}

type rawAttachment struct {
	Values map[string][]byte
	Size   int64
	SHA256 string
	Item   *rawItem // an embedded message
}

// seen is what all readers, and the generator, say of a message in the same words.
type seen struct {
	Folder      string // below the top of the store, joined by "/"
	Class       string
	ID          string // Message-ID: by it the items of two listings are matched
	Subject     string
	Sent        time.Time
	Received    time.Time
	From        seenPerson
	Recipients  []seenRecipient
	Text        string
	HTML        string
	Attachments []seenAttachment
	Headers     string // the header block that the mail came with
}

type seenPerson struct{ Name, Address string }

type seenRecipient struct {
	Type   int64 // pst.RecipientTo and so on
	Person seenPerson
}

type seenAttachment struct {
	Name   string
	CID    string
	Size   int64
	SHA256 string
	Item   *seen // an embedded message; Size and SHA256 are empty then
}

// tagKey is the key of a property in rawItem.Values.
func tagKey(t pst.Tag) string { return fmt.Sprintf("%08x", uint32(t)) }

func rawText(v map[string][]byte, t pst.Tag) string {
	if b, ok := v[tagKey(t)]; ok {
		return strings.TrimSuffix(pst.FromUTF16(b), "\x00")
	}
	return ""
}

func rawInt(v map[string][]byte, t pst.Tag) int64 {
	if b := v[tagKey(t)]; len(b) >= 4 {
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return 0
}

func rawTime(v map[string][]byte, t pst.Tag) time.Time {
	if b := v[tagKey(t)]; len(b) == 8 {
		return pst.FromFiletime(binary.LittleEndian.Uint64(b))
	}
	return time.Time{}
}

// plainSubject drops the mark of the prefix, [MS-PST] 2.5.3.1.1.
func plainSubject(s string) string {
	if r := []rune(s); len(r) >= 2 && r[0] == 1 {
		return string(r[2:])
	}
	return s
}

// listed turns what a reader said into the common words.
func (r rawItem) listed() seen {
	v := r.Values
	it := seen{
		Folder:   strings.Join(r.Folder, "/"),
		Class:    rawText(v, pst.PidTagMessageClass),
		ID:       rawText(v, pst.PidTagInternetMessageId),
		Subject:  plainSubject(rawText(v, pst.PidTagSubject)),
		Sent:     rawTime(v, pst.PidTagClientSubmitTime),
		Received: rawTime(v, pst.PidTagMessageDeliveryTime),
		From:     seenPerson{rawText(v, pst.PidTagSenderName), rawText(v, pst.PidTagSenderEmailAddress)},
		Text:     rawText(v, pst.PidTagBody),
		HTML:     string(v[tagKey(pst.PidTagHtml)]),
		Headers:  rawText(v, pst.PidTagTransportMessageHeaders),
	}
	for _, to := range r.Recipients {
		it.Recipients = append(it.Recipients, seenRecipient{rawInt(to, pst.PidTagRecipientType), seenPerson{rawText(to, pst.PidTagDisplayName), rawText(to, pst.PidTagEmailAddress)}})
	}
	for _, a := range r.Attachments {
		got := seenAttachment{Name: rawText(a.Values, pst.PidTagAttachLongFilename), CID: rawText(a.Values, pst.PidTagAttachContentId), Size: a.Size, SHA256: a.SHA256}
		if a.Item != nil {
			inner := a.Item.listed()
			got.Item, got.Size, got.SHA256 = &inner, 0, ""
		}
		it.Attachments = append(it.Attachments, got)
	}
	return it
}
