package pim

import (
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch/pst"
)

// A Note is a sticky note: an item of the class IPM.StickyNote ([MS-OXONOTE]), a VJOURNAL,
// a VNOTE. Its text has LF at the end of a line.
type Note struct {
	Text              string // the first line is its title
	Color             NoteColor
	Width, Height     int // pixels; Outlook's usual size where they are 0
	X, Y              int // on the screen, pixels
	Categories        []string
	UID               string
	Created, Modified time.Time

	// Original is the text that said more than fits. It goes along as an attachment.
	Original []byte
}

// NoteColor is the colour of a note's paper.
type NoteColor int

// The colours.
const (
	NoteYellow NoteColor = iota
	NoteBlue
	NoteGreen
	NotePink
	NoteWhite
)

// noteColors are the colours, with the values of PidLidNoteColor ([MS-OXONOTE]
// 2.2.1.1) and names of RFC 7986 5.9.
var noteColors = []struct {
	color NoteColor
	value int32
	name  string
}{{NoteYellow, 3, "yellow"}, {NoteBlue, 0, "blue"}, {NoteGreen, 1, "green"}, {NotePink, 2, "pink"}, {NoteWhite, 4, "white"}}

// The size of a note that has none, in pixels.
const (
	noteWidth  = 200
	noteHeight = 166
)

// title is the first line that is not empty.
func (n *Note) title() string {
	for l := range strings.SplitSeq(n.Text, "\n") {
		if l = strings.TrimSpace(oneLine(l)); l != "" {
			return l
		}
	}
	return ""
}

// Write makes an IPM.StickyNote of it.
func (n *Note) Write(s pst.Sink) error {
	width, height := n.Width, n.Height
	if width <= 0 || height <= 0 {
		width, height = noteWidth, noteHeight
	}
	value := noteColors[0].value
	for _, c := range noteColors {
		if c.color == n.Color {
			value = c.value
		}
	}
	s.Set(pst.P(pst.PidTagMessageClass, "IPM.StickyNote"), pst.P(pst.PidTagIconIndex, pst.IconNote+value),
		pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)), pst.P(pst.PidLidSideEffects, int32(pst.SideEffectCoerceToInbox)),
		pst.P(pst.PidLidNoteColor, value), pst.P(pst.PidLidNoteWidth, int32(width)), pst.P(pst.PidLidNoteHeight, int32(height)),
		pst.P(pst.PidLidNoteX, int32(n.X)), pst.P(pst.PidLidNoteY, int32(n.Y)))
	setText(s, pst.PidTagSubject, n.title())
	setText(s, pst.PidTagConversationTopic, n.title())
	setText(s, calendarUID, n.UID)
	writeItem(s, n.Text, n.Categories, Public, n.Created, n.Modified)
	return attachOriginal(s, todoName, todoType, n.Original)
}

// usualSize leaves out a size that is none, or the usual one.
func (n *Note) usualSize() {
	if n.Width <= 0 || n.Height <= 0 || n.Width == noteWidth && n.Height == noteHeight {
		n.Width, n.Height = 0, 0
	}
}

// NoteOf reads an IPM.StickyNote; another item is an *ClassError. Attachments other
// than the original text stay behind.
func NoteOf(it pst.Item) (*Note, error) {
	ps, err := it.Properties()
	if err != nil {
		return nil, err
	}
	if class := ps.Text(pst.PidTagMessageClass); !classIs(class, "IPM.StickyNote") {
		return nil, &ClassError{"note", class}
	}
	n := &Note{
		Text: firstOf(noteText(ps), tidy(itemSubject(ps))), UID: fieldText(ps, calendarUID), Categories: fieldTexts(ps, pst.PidNameKeywords),
		Width: int(ps.Int(pst.PidLidNoteWidth)), Height: int(ps.Int(pst.PidLidNoteHeight)), X: int(ps.Int(pst.PidLidNoteX)), Y: int(ps.Int(pst.PidLidNoteY)),
		Created: timeOf(ps, pst.PidTagCreationTime), Modified: timeOf(ps, pst.PidTagLastModificationTime),
	}
	for _, c := range noteColors {
		if v, ok := ps.Get(pst.PidLidNoteColor); ok && v == c.value {
			n.Color = c.color
		}
	}
	n.usualSize()
	n.Original, err = originalOf(it, todoName, todoType)
	return n, err
}

// ReadNotes reads the VJOURNALs and VNOTEs of a text, outermost or within a VCALENDAR. An error
// that is a *LineError is of one line; the reading goes on behind it. Any other ends
// it.
func ReadNotes(r io.Reader) iter.Seq2[*Note, error] {
	return func(yield func(*Note, error) bool) {
		eachComponent(r, []string{"VJOURNAL", "VNOTE"}, func(c *component, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return yield(noteOf(c), nil)
		})
	}
}

// ReadTasks reads the VTODOs of a text, as ReadNotes does. Zones of time are those of the program's own
// database.
func ReadTasks(r io.Reader) iter.Seq2[*Task, error] {
	return func(yield func(*Task, error) bool) {
		eachComponent(r, []string{"VTODO"}, func(c *component, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return yield(taskOf(c, plainTime), nil)
		})
	}
}

// eachComponent gives the components of some names, whatever they lie in, until it is
// told to end.
func eachComponent(r io.Reader, names []string, give func(*component, error) bool) {
	reader, more := newLineReader(r), true
	var walk func(c *component)
	walk = func(c *component) {
		if slices.Contains(names, c.Name) {
			more = more && give(c, nil)
			return
		}
		for _, sub := range c.Subs {
			walk(sub)
		}
	}
	for more {
		c, err := reader.component(func(e *LineError) { more = more && give(nil, e) })
		switch {
		case err == io.EOF:
			return
		case err != nil:
			if more {
				give(nil, err)
			}
			return
		}
		walk(c)
	}
}

// noteOf reads a VJOURNAL (RFC 5545) or a VNOTE (IrMC). What a note has no place for goes
// into its text.
func noteOf(comp *component) *Note {
	k := &todoReading{comp: comp, when: plainTime}
	n := &Note{}
	title := ""
	for i := range comp.Lines {
		l := &comp.Lines[i]
		switch l.Name {
		case "SUMMARY":
			title = joined(" ", title, tidy(l.text()))
		case "DESCRIPTION", "BODY":
			n.Text = joined("\n", n.Text, tidyNote(l.text()))
		case "UID", "X-IRMC-LUID":
			n.UID = firstOf(n.UID, tidy(l.text()))
		case "CATEGORIES":
			n.Categories = append(n.Categories, calendarCategories(l)...)
		case "CREATED", "DCREATED":
			n.Created = cardTime(l.Value)
		case "LAST-MODIFIED":
			n.Modified = cardTime(l.Value)
		case "COLOR":
			k.color(n, l)
		case "X-NOTE-SIZE":
			n.Width, n.Height = twoNumbers(l.Value)
		case "X-NOTE-PLACE":
			n.X, n.Y = twoNumbers(l.Value)
		case "DTSTAMP", "SEQUENCE", "VERSION":
		default:
			k.note(l)
		}
	}
	if len(comp.Subs) > 0 {
		k.keep = true
	}
	if first := n.title(); title != "" && first != strings.TrimSpace(oneLine(title)) {
		n.Text = joined("\n", title, n.Text)
	}
	n.usualSize()
	n.Text = k.body(n.Text)
	n.Original = k.original()
	return n
}

func (k *todoReading) color(n *Note, l *line) {
	for _, c := range noteColors {
		if strings.EqualFold(strings.TrimSpace(l.Value), c.name) {
			n.Color = c.color
			return
		}
	}
	k.note(l)
}

// twoNumbers reads "200;166"; what is no number is 0.
func twoNumbers(s string) (int, int) {
	a, b, _ := strings.Cut(s, ";")
	n, _ := strconv.ParseInt(strings.TrimSpace(a), 10, 16)
	m, _ := strconv.ParseInt(strings.TrimSpace(b), 10, 16)
	return int(n), int(m)
}

// Calendar writes the note as an iCalendar object (RFC 5545) with one VJOURNAL.
func (n *Note) Calendar(w io.Writer) error {
	lw := &lineWriter{w: w}
	lw.calendar(func() { lw.journal(n) })
	return lw.err
}

// journal writes the VJOURNAL of a note.
func (w *lineWriter) journal(n *Note) {
	w.line("BEGIN", "VJOURNAL")
	w.line("DTSTAMP", stamp(n.Modified, n.Created))
	w.text("UID", n.UID)
	w.text("SUMMARY", n.title())
	w.text("DESCRIPTION", n.Text)
	for _, c := range noteColors[1:] {
		if c.color == n.Color {
			w.line("COLOR", c.name)
		}
	}
	if n.Width > 0 && n.Height > 0 {
		w.line("X-NOTE-SIZE", strconv.Itoa(n.Width)+";"+strconv.Itoa(n.Height))
	}
	if n.X != 0 || n.Y != 0 {
		w.line("X-NOTE-PLACE", strconv.Itoa(n.X)+";"+strconv.Itoa(n.Y))
	}
	w.common(n.Categories, Public, n.Created, n.Modified)
	w.line("END", "VJOURNAL")
}
