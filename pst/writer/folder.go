package writer

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"keepwatch/pst"
)

// maxName is the length of a folder's name in UTF-16, as in Outlook.
const maxName = 255

// Folder is a folder of the mailbox that is being written. It is in every volume
// that has a message of it or of a folder below it; empty ones are in the volume
// that was being written when they were asked for.
type Folder struct {
	w           *Writer
	parent      *Folder
	name, class string
	children    map[string]*Folder // by their names as they were asked for, in lower case
	taken       map[string]bool    // the names that the children have, in lower case

	state *folder // in the volume
	in    *file
}

// folder is a folder in one volume.
type folder struct {
	nid         pst.NID
	parent      *folder
	children    []*folder
	name, class string
	comment     *string

	contents, associated *table // nil as long as they have no row
	count, unread        int32
}

// Folder gives the child of that name, and makes it if it is not there. Upper and
// lower case are the same. The class, such as IPF.Note, IPF.Contact,
// IPF.Appointment, IPF.Task or IPF.StickyNote, counts when it is made; an empty one
// is left out.
//
// Any characters may be in a name, also slashes. Control characters become spaces,
// spaces at the ends go, and a name has at most 255 characters in UTF-16. If two
// children would have the same name after that, the later one gets a number behind
// it. A name of which nothing is left is an error.
func (f *Folder) Folder(name, class string) (*Folder, error) {
	if !f.w.busy.TryLock() {
		return nil, ErrBusy
	}
	defer f.w.busy.Unlock()
	if f.w.err != nil {
		return nil, f.w.err
	}
	c := f.children[strings.ToLower(name)]
	if c == nil {
		shown := cleanName(name, maxName)
		if shown == "" {
			return nil, errors.New("a folder needs a name")
		}
		for n := 2; f.taken[strings.ToLower(shown)]; n++ {
			end := fmt.Sprintf(" (%d)", n)
			shown = cleanName(name, maxName-len(end)) + end
		}
		if utf16Len(class) > maxName {
			return nil, fmt.Errorf("the class of a folder has %d characters; %d is the most", utf16Len(class), maxName)
		}
		if err := f.w.roomBelow(f); err != nil {
			return nil, err
		}
		c = f.child(name, shown, class)
		c.here()
	}
	return c, nil
}

// child makes a child.
func (f *Folder) child(key, name, class string) *Folder {
	if f.children == nil {
		f.children, f.taken = map[string]*Folder{}, map[string]bool{}
	}
	c := &Folder{w: f.w, parent: f, name: name, class: class}
	f.children[strings.ToLower(key)] = c
	f.taken[strings.ToLower(name)] = true
	return c
}

// roomBelow sees that the current volume has room for a child, and for the parents that
// it would need there.
func (w *Writer) roomBelow(f *Folder) error {
	tooFull := func() bool { return w.cur.size()+(f.missing(w.cur)+1)*newFolderSize > w.opts.VolumeSize }
	if !tooFull() {
		return nil
	}
	if !w.cur.blank() {
		if w.err = w.turn(); w.err != nil {
			return w.err
		}
	}
	if tooFull() {
		return fmt.Errorf("the folder lies too deep for a volume of %d bytes", w.opts.VolumeSize)
	}
	return nil
}

// missing is how many folders here would make.
func (f *Folder) missing(file *file) (n int64) {
	for ; f != f.w.root && f != f.w.deleted && f.in != file; f = f.parent {
		n++
	}
	return n
}

// utf16Len is the length of a text in UTF-16.
func utf16Len(s string) (n int) {
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// cleanName makes a name that a folder can have, with at most max UTF-16 units.
func cleanName(name string, most int) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	name = strings.TrimSpace(name)
	n := 0
	for i, r := range name {
		if n += utf16.RuneLen(r); n > most {
			return strings.TrimSpace(name[:i])
		}
	}
	return name
}

// here gives the folder in the current volume, and makes it with its parents where
// it is not there.
func (f *Folder) here() *folder {
	file := f.w.cur
	if f.in == file {
		return f.state
	}
	f.in = file
	switch f {
	case f.w.root:
		f.state = file.top
	case f.w.deleted:
		f.state = file.deleted
	default:
		f.state = file.folder(f.parent.here(), f.name, f.class)
	}
	return f.state
}

// Add writes one message, an item of any class, into the folder. One of which
// PidTagMessageFlags has FlagAssociated is hidden (FAI).
//
// fill gives the message to the Sink. If it returns an error, or if anything of
// the message cannot be written, nothing of it stays; the error is returned, and
// the next message can be added. fill runs twice if the volume gets full: what was
// written is taken back, and comes again in the next volume. The Sink is good until
// fill returns; until then the Writer says ErrBusy to all else. A message that is
// larger than a volume is an error.
func (f *Folder) Add(fill func(pst.Sink) error) error {
	w := f.w
	if !w.busy.TryLock() {
		return ErrBusy
	}
	defer w.busy.Unlock()
	if w.err != nil {
		return w.err
	}
	err := w.add(f, fill)
	if !isFull(err) {
		return err
	}
	if !w.cur.blank() {
		if w.err = w.turn(); w.err != nil {
			return w.err
		}
		err = w.add(f, fill)
	}
	if err != errVolumeFull {
		return err
	}
	return fmt.Errorf("the message does not fit into a volume of %d bytes", w.opts.VolumeSize)
}

// isFull tells whether a message may find in the next volume what this one has no more.
func isFull(err error) bool { return err == errVolumeFull || errors.Is(err, errNamesFull) }
