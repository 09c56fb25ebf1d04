package writer

import (
	"fmt"
	"math"

	"keepwatch/pst"
)

// maxDepth is how deep messages may be embedded in messages.
const maxDepth = 32

// message is one message while it is written. It is used again for the next of its depth.
type message struct {
	w     *Writer
	file  *file
	depth int // 0 for one of a folder

	bag     bag
	parts   parts
	recips  rows
	attachs rows
	size    int64 // of the recipients and attachments

	row         bag // of one recipient
	attach      bag // of one attachment
	attachParts parts

	turns uint64 // of how many functions it has been the Sink
	awake bool
	err   error // which nothing of this message survives
}

// rows are those of a table that is written when all are known.
type rows struct {
	bag         // of all rows, one behind the other
	ends  []int // where each ends in vals
	ids   []uint32
	extra bool // some value has no column in the usual layout
}

func (r *rows) reset() {
	r.bag.reset()
	r.ends, r.ids, r.extra = r.ends[:0], r.ids[:0], false
}

// of gives the values of a row.
func (r *rows) of(i int) []value {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.vals[from:r.ends[i]]
}

// add takes a row over from a sorted bag.
func (r *rows) add(id uint32, b *bag, keep func(v *value) bool) {
	for i := range b.vals {
		if !keep(&b.vals[i]) {
			continue
		}
		v := b.vals[i]
		if !v.inline() {
			at := len(r.arena)
			r.arena = append(r.arena, b.bytes(&v)...)
			v.at = at
		}
		r.vals = append(r.vals, v)
	}
	r.ends = append(r.ends, len(r.vals))
	r.ids = append(r.ids, id)
}

func (m *message) begin(f *file) {
	m.file, m.err, m.size = f, nil, 0
	m.bag.reset()
	m.parts.begin(f.v)
	m.recips.reset()
	m.attachs.reset()
}

// run lets fill fill the message. What went wrong within counts, also if fill did
// not mind.
func (m *message) run(fill func(pst.Sink) error) error {
	m.turns++
	m.awake = true
	defer func() { m.awake = false }()
	err := fill(&turn{m, m.turns})
	if m.err != nil {
		return m.err
	}
	return err
}

// fail notes the first error.
func (m *message) fail(err error) error {
	if m.err == nil {
		m.err = err
	}
	return m.err
}

// set enters properties into the message.
func (m *message) set(list []pst.Property) {
	for i := range list {
		if m.err != nil {
			return
		}
		m.err = m.file.set(&m.bag, &list[i])
	}
}

// set enters a property into a bag.
func (f *file) set(b *bag, p *pst.Property) error {
	if p.Tag.Type() == pst.Object {
		return fmt.Errorf("the property %s cannot be given: an embedded message is added with Embed", nameOf(p))
	}
	id, err := f.id(p)
	if err != nil {
		return err
	}
	if isComputed(id) {
		return nil
	}
	return b.set(id, p)
}

// isComputed tells whether a property is none that an object has, but one that
// whoever opens a file finds out: the columns of rows, and PidTagHasAttachments.
func isComputed(id uint16) bool {
	switch id {
	case pst.PidTagLtpRowId.ID(), pst.PidTagLtpRowVer.ID(), pst.PidTagLtpParentNid.ID(), pst.PidTagHasAttachments.ID():
		return true
	}
	return false
}

// complete gives a message what every one has, 2.4.5.1.1, and what follows from its
// parts.
func (m *message) complete() {
	b := &m.bag
	if !b.has(pst.PidTagMessageClass) {
		b.text(pst.PidTagMessageClass, "IPM.Note")
	}
	var flags uint64
	if v := b.find(pst.PidTagMessageFlags.ID()); v != nil {
		flags = v.num &^ pst.FlagHasAttach
	}
	if len(m.attachs.ends) > 0 {
		flags |= pst.FlagHasAttach
	}
	b.number(pst.PidTagMessageFlags, flags)
	if !b.has(pst.PidTagMessageStatus) {
		b.number(pst.PidTagMessageStatus, 0)
	}
	if !b.has(pst.PidTagCreationTime) {
		b.number(pst.PidTagCreationTime, pst.Filetime(m.w.opts.Now()))
	}
	if !b.has(pst.PidTagLastModificationTime) {
		b.number(pst.PidTagLastModificationTime, b.find(pst.PidTagCreationTime.ID()).num)
	}
	if !b.has(pst.PidTagSearchKey) {
		key := m.file.searchKey()
		b.data(pst.PidTagSearchKey, key[:])
	}
	m.subject()
	m.display()
	// The size of real files without attachments and recipients is exactly the sum of
	// all values, this one included.
	b.number(pst.PidTagMessageSize, 0)
	b.number(pst.PidTagMessageSize, uint64(min(b.total()+m.size, math.MaxInt32)))
}

// finish writes the message, and gives its data block and its subnodes.
func (m *message) finish() (data, sub uint64, err error) {
	m.complete()
	if err := m.writeRecipients(); err != nil {
		return 0, 0, err
	}
	if len(m.attachs.ends) > 0 {
		if err := m.writeRows(&m.attachs, m.w.lay.attachmentsMore, pst.NIDAttachments); err != nil {
			return 0, 0, err
		}
	}
	return m.parts.object(&m.w.heap, &m.bag)
}

// writeRows writes a table of the message.
func (m *message) writeRows(r *rows, lay *layout, nid pst.NID) error {
	t := &m.w.table
	if err := t.begin(m.file.v, lay); err != nil {
		return err
	}
	for i := range r.ends {
		if err := t.add(r.ids[i], uint32(i+1), r.of(i), r.arena); err != nil {
			return err
		}
	}
	data, sub, err := t.finish()
	if err != nil {
		return err
	}
	m.parts.add(nid, data, sub)
	return nil
}
