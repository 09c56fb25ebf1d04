package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/pim"
)

// Bounds of what is parsed of contacts and events, which are held in memory whole.
const (
	maxParsed  = 16 << 20 // bytes of a text; attachments of a longer calendar are passed over
	maxOddEach = 5        // notes about one item
)

// parse reads an item as what it is, and puts it into the PST where there is one. odd is
// what could not be read, or is not in the PST, as sentences without an end: the file in
// the archive is whole all the same. An error is none of the item.
func (a *archiving) parse(at *place, c *content) (odd []string, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			a.p.cfg.Log.Error("reading an item of a mailbox broke off", "item", c.r.ID, "panic", broken, "stack", string(debug.Stack()))
			odd, err = append(odd, "reading it broke off, through a mistake of Keepwatch's own: it is kept as it came"+a.absent()), c.err
		}
	}()
	switch c.r.Kind {
	case outlook.Contacts:
		odd, err = a.contacts(at, c)
	case outlook.Calendar:
		odd, err = a.events(at, c)
	default:
		odd, err = a.mail(at, c)
	}
	if c.err != nil { // whatever came of it
		return nil, c.err
	}
	return odd[:min(len(odd), maxOddEach)], err
}

// absent is what is said besides of an item that could not be read.
func (a *archiving) absent() string {
	if a.data == nil {
		return ""
	}
	return ", and not in the PST"
}

// put puts an item into the PST. why is what keeps it from there.
func (a *archiving) put(at *place, c *content, fill func(pst.Sink) error) (odd []string, err error) {
	if a.data == nil {
		return nil, nil
	}
	err = a.data.add(at, fill)
	if err == nil || c.err != nil || ofDisk(err) {
		return nil, err
	}
	return []string{"it is not in the PST: " + err.Error()}, nil
}

// mail reads a mail. None is refused (package mail), but one without a header is none.
func (a *archiving) mail(at *place, c *content) ([]string, error) {
	it := c.r.Item
	o := mail.Options{Received: it.At, Created: it.Created, Modified: it.Modified, Read: it.Read, Draft: it.Draft, Flag: flagOf(it.Flag), Categories: it.Categories}
	headed := false
	fill := func(s pst.Sink) error {
		seen := &seeing{Sink: s}
		_, err := mail.Import(seen, c, c.r.Bytes, o)
		headed = seen.headed
		return err
	}
	var odd []string
	var err error
	if a.data == nil {
		err = fill(discard{})
	} else {
		odd, err = a.put(at, c, fill)
	}
	if err == nil && !headed && len(odd) == 0 {
		odd = []string{"it has no header, and could not be read as a mail: it is kept as it came"}
	}
	return odd, err
}

// flagOf is a flag in the words of package mail.
func flagOf(flag string) mail.Flag {
	switch flag {
	case "flagged":
		return mail.Flagged
	case "complete":
		return mail.FlagDone
	}
	return mail.NotFlagged
}

// contacts reads a vCard.
func (a *archiving) contacts(at *place, c *content) (odd []string, err error) {
	if c.r.Bytes > maxParsed {
		return []string{fmt.Sprintf("it has more than %d MB, and was not read as a vCard: it is kept as it came%s", maxParsed>>20, a.absent())}, nil
	}
	found := 0
	for card, err := range pim.ReadCards(c.reader()) {
		if c.err != nil {
			return nil, c.err
		}
		if err != nil {
			odd = append(odd, "a part of it could not be read as a vCard: "+err.Error())
			continue
		}
		found++
		card.Created, card.Modified = since(card.Created, c.r.Created), since(card.Modified, c.r.Modified)
		if len(card.Categories) == 0 {
			card.Categories = c.r.Categories
		}
		more, err := a.put(at, c, card.Write)
		if odd = append(odd, more...); err != nil {
			return odd, err
		}
	}
	if found == 0 {
		odd = append(odd[:0], "it could not be read as a vCard: it is kept as it came"+a.absent())
	}
	return odd, nil
}

// events reads a calendar.
func (a *archiving) events(at *place, c *content) (odd []string, err error) {
	from := c.reader()
	if c.r.Bytes > maxParsed || a.data == nil { // nobody needs what is attached
		from = &unattached{r: bufio.NewReaderSize(from, 64<<10)}
	}
	cal, err := pim.ReadCalendar(from)
	if c.err != nil {
		return nil, c.err
	}
	if err != nil {
		return []string{"it could not be read as a calendar: " + err.Error() + "; it is kept as it came" + a.absent()}, nil
	}
	if c.r.Bytes > maxParsed && a.data != nil {
		odd = append(odd, "what is attached to it is in its file, and too long for the PST")
	}
	if len(cal.Events)+len(cal.Tasks) == 0 {
		odd = append(odd, "it holds no event that could be read: it is kept as it came"+a.absent())
	}
	for _, e := range cal.Events {
		e.Created, e.Modified = since(e.Created, c.r.Created), since(e.Modified, c.r.Modified)
		if len(e.Categories) == 0 {
			e.Categories = c.r.Categories
		}
		more, err := a.put(at, c, e.Write)
		if odd = append(odd, more...); err != nil {
			return odd, err
		}
	}
	for _, t := range cal.Tasks {
		more, err := a.put(at, c, t.Write)
		if odd = append(odd, more...); err != nil {
			return odd, err
		}
	}
	if a.data != nil {
		for _, n := range cal.Notes {
			odd = append(odd, "in the PST: "+n)
		}
	}
	return odd, nil
}

// seeing is a Sink that sees what a message is called and whether it has a header.
type seeing struct {
	pst.Sink
	subject string
	headed  bool
}

// Set gives properties of the message.
func (s *seeing) Set(list ...pst.Property) {
	for _, p := range list {
		switch {
		case p.Is(pst.PidTagSubject):
			s.subject = mail.Subject(pst.Properties{p})
		case p.Is(pst.PidTagTransportMessageHeaders):
			s.headed = true
		}
	}
	s.Sink.Set(list...)
}

// discard is a Sink that keeps nothing, for who only wants to know whether something can
// be read.
type discard struct{}

func (discard) Set(...pst.Property)      {}
func (discard) Recipient(pst.Properties) {}
func (discard) Attach(_ pst.Properties, content io.Reader) error {
	if content == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, content)
	return err
}
func (d discard) Embed(_ pst.Properties, fill func(pst.Sink) error) error { return fill(d) }

// unattached is a calendar without its attachments: lines that begin with ATTACH, and those
// that go on with them (RFC 5545 3.1, 3.8.1.1).
type unattached struct {
	r       *bufio.Reader
	rest    []byte // of what was read and is to be given
	within  bool   // of a line that is longer than what is read at once
	passing bool   // over an attachment
}

// Read reads what is left of it.
func (u *unattached) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		line, err := u.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(line) == 0 {
			return 0, err
		}
		if !u.within && len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
			u.passing = attaches(line)
		}
		u.within = errors.Is(err, bufio.ErrBufferFull)
		if !u.passing {
			u.rest = line
		}
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// attaches reports whether a line is of an attachment.
func attaches(line []byte) bool {
	end := bytes.IndexAny(line, ":;")
	return end > 0 && strings.EqualFold(string(line[:end]), "ATTACH")
}
