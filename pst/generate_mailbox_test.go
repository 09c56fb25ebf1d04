package pst_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"mime"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
)

// message is one that is made up: its content is known without being held, since
// the same seed gives the same bytes again.
type message struct {
	Folder      []string // below the top
	Class       string   // IPM.Note where it is empty
	ID          string
	Subject     string
	Sent        time.Time
	Received    time.Time
	From        seenPerson
	Recipients  []seenRecipient
	Text        string
	HTML        string
	Attachments []made
	Mailed      bool // it has the header block that it came with
}

// made is an attachment that is made up.
type made struct {
	Name, CID string
	Size      int64
	Seed      uint64
	Inner     *message
}

// seeded gives bytes that belong to a seed.
func seeded(seed uint64, size int64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return io.LimitReader(rand.NewChaCha8(key), size)
}

func (a made) sum() string {
	h := sha256.New()
	io.Copy(h, seeded(a.Seed, a.Size)) // neither can fail
	return hex.EncodeToString(h.Sum(nil))
}

// listed is what each reader ought to say of it.
func (m message) listed() seen {
	it := seen{Folder: strings.Join(m.Folder, "/"), Class: "IPM.Note", ID: m.ID, Subject: m.Subject, Sent: m.Sent, Received: m.Received, From: m.From,
		Recipients: m.Recipients, Text: m.Text, HTML: m.HTML}
	if m.Mailed {
		it.Headers = m.headers()
	}
	if m.Class != "" {
		it.Class = m.Class
	}
	for _, a := range m.Attachments {
		got := seenAttachment{Name: a.Name, CID: a.CID, Size: a.Size}
		if a.Inner != nil {
			inner := a.Inner.listed()
			got.Item, got.Size = &inner, 0
		} else {
			got.SHA256 = a.sum()
		}
		it.Attachments = append(it.Attachments, got)
	}
	return it
}

// fill gives it to a writer as properties.
func (m message) fill(s pst.Sink) error {
	s.Set(pst.P(pst.PidTagMessageClass, m.listedClass()), pst.P(pst.PidTagInternetMessageId, m.ID), pst.P(pst.PidTagSubject, m.Subject),
		pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)), pst.P(pst.PidTagClientSubmitTime, m.Sent), pst.P(pst.PidTagMessageDeliveryTime, m.Received),
		pst.P(pst.PidTagSenderName, m.From.Name), pst.P(pst.PidTagSenderAddressType, "SMTP"), pst.P(pst.PidTagSenderEmailAddress, m.From.Address),
		pst.P(pst.PidTagSenderEntryId, pst.OneOff(m.From.Name, "SMTP", m.From.Address)),
		pst.P(pst.PidTagSentRepresentingName, m.From.Name), pst.P(pst.PidTagSentRepresentingAddressType, "SMTP"),
		pst.P(pst.PidTagSentRepresentingEmailAddress, m.From.Address), pst.P(pst.PidTagSentRepresentingEntryId, pst.OneOff(m.From.Name, "SMTP", m.From.Address)))
	if m.Text != "" {
		s.Set(pst.P(pst.PidTagBody, m.Text), pst.P(pst.PidTagNativeBody, int32(pst.NativeText)))
	}
	if m.HTML != "" {
		s.Set(pst.P(pst.PidTagHtml, []byte(m.HTML)), pst.P(pst.PidTagInternetCodepage, int32(65001)), pst.P(pst.PidTagNativeBody, int32(pst.NativeHTML)))
	}
	if m.Mailed {
		s.Set(pst.P(pst.PidTagTransportMessageHeaders, m.headers()))
	}
	for _, r := range m.Recipients {
		s.Recipient(recipientProperties(r))
	}
	for _, a := range m.Attachments {
		p := pst.Properties{pst.P(pst.PidTagAttachLongFilename, a.Name), pst.P(pst.PidTagDisplayName, a.Name)}
		if a.CID != "" {
			p = append(p, pst.P(pst.PidTagAttachContentId, a.CID), pst.P(pst.PidTagAttachFlags, int32(pst.AttachShownInline)))
		}
		var err error
		if a.Inner != nil {
			err = s.Embed(p, a.Inner.fill)
		} else {
			err = s.Attach(p, seeded(a.Seed, a.Size))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m message) listedClass() string {
	if m.Class == "" {
		return "IPM.Note"
	}
	return m.Class
}

// headers are what a server would have put before the mail. Who is in Bcc is not told.
func (m message) headers() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Message-ID: %s\r\nDate: %s\r\nFrom: %s\r\n", m.ID, m.Sent.Format(time.RFC1123Z), m.From.header())
	if m.Subject != "" {
		fmt.Fprintf(&b, "Subject: %s\r\n", mime.BEncoding.Encode("utf-8", m.Subject))
	}
	for i, name := range []string{"To", "Cc"} {
		kind := int64(pst.RecipientTo + i)
		var list []string
		for _, r := range m.Recipients {
			if r.Type == kind {
				list = append(list, r.Person.header())
			}
		}
		if len(list) > 0 {
			fmt.Fprintf(&b, "%s: %s\r\n", name, strings.Join(list, ",\r\n "))
		}
	}
	return b.String() + "\r\n"
}

func (p seenPerson) header() string {
	return mime.BEncoding.Encode("utf-8", p.Name) + " <" + p.Address + ">"
}

func recipientProperties(r seenRecipient) pst.Properties {
	return pst.Properties{
		pst.P(pst.PidTagRecipientType, int32(r.Type)), pst.P(pst.PidTagObjectType, int32(6)), pst.P(pst.PidTagDisplayType, int32(0)),
		pst.P(pst.PidTagDisplayName, r.Person.Name), pst.P(pst.PidTagAddressType, "SMTP"), pst.P(pst.PidTagEmailAddress, r.Person.Address),
		pst.P(pst.PidTagSearchKey, pst.SearchKey("SMTP", r.Person.Address)), pst.P(pst.PidTagEntryId, pst.OneOff(r.Person.Name, "SMTP", r.Person.Address)),
	}
}

// maker makes messages, the same ones for the same seed.
type maker struct {
	rng *rand.Rand
	n   int
}

func newMaker(seed uint64) *maker { return &maker{rng: rand.New(rand.NewPCG(seed, 6))} }

// firstDay is when the first message was sent.
var firstDay = time.Date(2003, 2, 1, 8, 0, 0, 0, time.UTC)

// message makes one with a subject, a sender, two recipients and a short text.
func (k *maker) message(folder ...string) message {
	k.n++
	s := manyScripts[k.n%len(manyScripts)]
	sent := firstDay.Add(time.Duration(k.n) * 67 * time.Minute).Add(time.Duration(k.rng.IntN(1000)) * time.Millisecond)
	return message{
		Folder: folder, ID: fmt.Sprintf("<%d.%08x@keepwatch.example>", k.n, k.rng.Uint32()), Subject: fmt.Sprintf("%s %d", s.text, k.n),
		Sent: sent, Received: sent.Add(3 * time.Second), From: k.person(), Text: fmt.Sprintf("%s %s\r\n%s\r\n", s.name, s.text, k.words(12)),
		Recipients: []seenRecipient{{pst.RecipientTo, k.person()}, {pst.RecipientCc, k.person()}}, Mailed: k.n%2 == 0,
	}
}

func (k *maker) person() seenPerson {
	n := k.rng.IntN(5000)
	return seenPerson{fmt.Sprintf("%s %d", manyScripts[n%len(manyScripts)].text, n), fmt.Sprintf("person%d@host%d.example", n, n%7)}
}

const plainWords = "backup archive rotates keep seal verify restore folder message calendar contact retention schedule drill date"

func (k *maker) words(n int) string {
	all := strings.Fields(plainWords)
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(all[k.rng.IntN(len(all))])
	}
	return b.String()
}

// text makes one of so many bytes, in lines, of letters that are one byte each.
func (k *maker) text(bytes int) string {
	var b strings.Builder
	for b.Len() < bytes {
		fmt.Fprintf(&b, "%d %s\r\n", b.Len(), k.words(8))
	}
	return b.String()[:bytes]
}

func (k *maker) attachment(size int64) made {
	k.n++
	return made{Name: fmt.Sprintf("%d bytes %d.bin", size, k.n), Size: size, Seed: uint64(k.n)<<20 ^ uint64(size)}
}

// many are so many small messages in so many folders, as they would come from a
// mailbox: the tables of a folder span many blocks.
func many(seed uint64, messages, folders int) iter.Seq[message] {
	return func(yield func(message) bool) {
		k := newMaker(seed)
		for i := range messages {
			if !yield(k.message(fmt.Sprintf("Folder %d", i%folders))) {
				return
			}
		}
	}
}

// TestGenerator: the same seed makes the same, and another something else.
func TestGenerator(t *testing.T) {
	same := func(a, b uint64) bool {
		next, stop := iter.Pull(kinds(b))
		defer stop()
		for m := range kinds(a) {
			o, ok := next()
			if !ok || m.ID != o.ID || m.Text != o.Text {
				return false
			}
		}
		return true
	}
	if !same(1, 1) || same(1, 2) {
		t.Error("a seed does not decide what is made")
	}
	a, _ := io.ReadAll(seeded(7, 9000))
	b, _ := io.ReadAll(seeded(7, 9000))
	if len(a) != 9000 || !bytes.Equal(a, b) {
		t.Error("the content of a seed differs")
	}
}
