package pim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxCard bounds the text of one vCard, in bytes.
const maxCard = 2 * maxLine

// ReadCards reads vCards of the versions 2.1, 3.0 and 4.0, any number of them one
// after the other. Groups come last, since their members may be other cards
// of the text, before or behind them.
//
// Nothing is lost: a line that an item has no place for (a fourth e-mail address, a
// second mobile number, a time zone) goes into Notes in a readable form, below a
// heading, and then Original is the text of the card. The same is so of a line that
// cannot be read. What only programs understand (a layout, a key, a sound) is in
// Original alone.
//
// An error that is a *LineError is of text between cards; the reading goes on behind
// it. Any other ends it. A text without any card gives one error.
func ReadCards(r io.Reader) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		s := &cardSplitter{r: bufio.NewReaderSize(transform.NewReader(r, unicode.BOMOverride(transform.Nop)), 64<<10)}
		known := map[string]Member{}
		var groups []*cardReading
		for n := 0; ; n++ {
			text, number, err := s.next()
			if err == io.EOF {
				if n == 0 {
					yield(nil, fmt.Errorf("the text holds no vCard"))
					return
				}
				break
			}
			if err != nil {
				if _, stray := err.(*LineError); !yield(nil, err) || !stray {
					return
				}
				continue
			}
			k := readCard(text, number)
			if k.c.Group {
				groups = append(groups, k)
				continue
			}
			c := k.finish()
			if c.UID != "" {
				known[memberKey(c.UID)] = Member{Name: c.DisplayName, Type: c.Emails[0].Type, Address: c.Emails[0].Address}
			}
			if !yield(c, nil) {
				return
			}
		}
		for _, k := range groups {
			k.placeMembers(known)
			if !yield(k.finish(), nil) {
				return
			}
		}
	}
}

// memberKey is what a UID is compared by.
func memberKey(uid string) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSpace(uid)), "urn:uuid:")
}

// A cardSplitter cuts a text into cards, each as it is written.
type cardSplitter struct {
	r      *bufio.Reader
	number int    // of the line that was read last
	ahead  []byte // the beginning of a card whose predecessor has no end
}

// next gives a card, and the number of the line where it begins. A card that has no
// end ends where the next one begins.
func (s *cardSplitter) next() ([]byte, int, error) {
	var card []byte
	begin, depth, agent := 0, 0, false
	for {
		l, err := s.line()
		if err == io.EOF && card != nil {
			return card, begin, nil
		}
		if err != nil {
			return nil, 0, err
		}
		word := strings.ToUpper(strings.Join(strings.Fields(string(l[:min(len(l), 100)])), ""))
		switch folded := depth > 0 && (l[0] == ' ' || l[0] == '\t'); {
		case folded:
		case word == "BEGIN:VCARD" && depth > 0 && !agent:
			s.ahead = l
			s.number--
			return card, begin, nil
		case word == "BEGIN:VCARD":
			if depth++; depth == 1 {
				begin = s.number
			}
		case word == "END:VCARD" && depth > 0:
			if depth--; depth == 0 {
				return append(card, l...), begin, nil
			}
		case depth == 0 && word != "":
			return nil, 0, &LineError{s.number, fmt.Sprintf("%q lies outside of every vCard", shorten(strings.TrimSpace(string(l))))}
		}
		if word != "" {
			agent = strings.HasPrefix(word, "AGENT")
		}
		if depth > 0 {
			if card = append(card, l...); len(card) > maxCard {
				return nil, 0, fmt.Errorf("the vCard that begins in line %d has more than %d bytes", begin, maxCard)
			}
		}
	}
}

// line gives a line with its end: CRLF, CRCRLF, LF or a lone CR.
func (s *cardSplitter) line() ([]byte, error) {
	if l := s.ahead; l != nil {
		s.ahead = nil
		s.number++
		return l, nil
	}
	var b []byte
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF && len(b) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		if b = append(b, c); len(b) > maxCard {
			return nil, fmt.Errorf("line %d: %w", s.number+1, errTooLong)
		}
		if c == '\n' {
			break
		}
		if c == '\r' && !s.endGoesOn() {
			break
		}
	}
	s.number++
	return b, nil
}

// endGoesOn tells whether the end of a line that began with a CR has not come yet: LF is
// next, or CR and LF (cards of iOS 5 that went through a program that made
// CRLF of LF twice).
func (s *cardSplitter) endGoesOn() bool {
	next, err := s.r.Peek(2)
	return len(next) > 0 && next[0] == '\n' || err == nil && next[0] == '\r' && next[1] == '\n'
}

// A cardReading is a card on its way to a contact.
type cardReading struct {
	c       *Contact
	text    []byte
	old     bool              // vCard 2.1
	office  bool              // the second part of a work address is the office
	labels  map[string]string // of groups of lines: item1.X-ABLabel
	extra   []string          // for Notes
	keep    bool              // Original is needed
	members []*line
	urls    []*line // without a type, placed last
	dialled []*line // as those
}

// readCard reads the text of one card. What is wrong in it becomes a note.
func readCard(text []byte, number int) *cardReading {
	k := &cardReading{c: &Contact{}, text: text, labels: map[string]string{}}
	comp, err := newLineReader(bytes.NewReader(bytes.ReplaceAll(text, []byte("\r\r\n"), []byte("\r\n")))).component(func(e *LineError) {
		k.note("Line "+fmt.Sprint(number+e.Number-1)+" could not be read", e.Text)
	})
	if err != nil {
		k.note("The vCard could not be read", err.Error())
		return k
	}
	k.old = strings.HasPrefix(comp.value("VERSION"), "2")
	k.office = k.old || strings.Contains(comp.value("PRODID"), "Microsoft") || comp.value("PRODID") == productID
	for i := range comp.Lines {
		switch l := &comp.Lines[i]; {
		case l.Group != "" && l.Name == "X-ABLABEL":
			k.labels[l.Group] = cardLabel(l.text())
		case l.Name == "KIND" || l.Name == "X-ADDRESSBOOKSERVER-KIND":
			k.c.Group = k.c.Group || strings.EqualFold(strings.TrimSpace(l.Value), "group")
		}
	}
	for _, l := range byPreference(comp) {
		k.place(l)
	}
	for _, l := range k.dialled {
		k.placePhone(l, true)
	}
	for _, l := range k.urls {
		k.placeURL(l, true)
	}
	for _, sub := range comp.Subs {
		k.note(sub.Name, firstOf(tidy(sub.text("FN")), "see "+originalName))
	}
	return k
}

// byPreference gives the lines in their order, preferred e-mail addresses before others.
func byPreference(comp *component) []*line {
	var first, rest []*line
	for i := range comp.Lines {
		l := &comp.Lines[i]
		if l.Name == "EMAIL" && preferred(l) {
			first = append(first, l)
		} else {
			rest = append(rest, l)
		}
	}
	return append(first, rest...)
}

func preferred(l *line) bool { return l.param("PREF") == "1" || hasType(l, "pref") }

// cardLabel is a label of a line; Apple marks those that its programs translate:
// _$!<HomePage>!$_.
func cardLabel(s string) string {
	s = tidy(s)
	if inner, ok := strings.CutPrefix(s, "_$!<"); ok {
		if inner, ok = strings.CutSuffix(inner, ">!$_"); ok {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

// finish gives the contact, complete, with what had no place in its notes.
func (k *cardReading) finish() *Contact {
	if len(k.extra) > 0 {
		k.c.Notes = joined("\n\n", strings.TrimRight(k.c.Notes, "\n"), extraHeading+"\n"+strings.Join(k.extra, "\n"))
	}
	if k.keep {
		k.c.Original = k.text
	}
	return k.c.complete()
}

// extraHeading stands above what has no place.
const extraHeading = "Also on the vCard:"

// note keeps what has no place.
func (k *cardReading) note(name, value string) {
	k.keep = true
	if value = tidy(value); len(value) > 4000 || strings.HasPrefix(value, "data:") {
		value = "see " + originalName
	}
	k.extra = append(k.extra, tidy(name)+": "+strings.ReplaceAll(value, "\n", "\n  "))
}

// noteLine keeps a line that has no place, with its label or its types.
func (k *cardReading) noteLine(l *line, name string) {
	value := tidy(strings.Join(nonEmpty(splitText(l.Value, ';')), ", "))
	if value == "" {
		return
	}
	if l.has("ENCODING", "B") || l.has("ENCODING", "BASE64") {
		value = "see " + originalName
	}
	kind := k.labels[l.Group]
	if kind == "" {
		kind = strings.Join(nonEmpty(cardTypes(l)), ", ")
	}
	if kind != "" {
		name += " (" + kind + ")"
	}
	k.note(name, value)
}

func nonEmpty(texts []string) []string {
	var all []string
	for _, s := range texts {
		if s = tidy(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}
