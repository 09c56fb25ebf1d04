package writer

import (
	"fmt"

	"keepwatch/pst"
)

// add writes a message into the current volume, or nothing.
func (w *Writer) add(f *Folder, fill func(pst.Sink) error) error {
	file := w.cur
	before := file.mark()
	m := w.sink(0)
	var data, sub uint64
	kept := false
	defer func() { // also where fill panics
		if kept {
			return
		}
		if err := file.rollback(before); err != nil && w.err == nil {
			w.err = fmt.Errorf("take back a message: %w", err)
		}
	}()
	err := m.run(fill)
	if err == nil {
		data, sub, err = m.finish()
	}
	if err == nil && file.tooFull(f, m, w.opts.VolumeSize) {
		err = errVolumeFull
	}
	if err != nil {
		return err
	}
	t, err := w.tableOf(file, f.here(), m)
	if err != nil {
		return err
	}
	kept = true
	if err := w.enter(file, f.here(), t, m, data, sub); err != nil {
		// Rows are not taken back: a file of which one is missing is no good.
		w.err = fmt.Errorf("write the row of a message: %w", err)
		return w.err
	}
	return nil
}

// tooFull tells whether a message that is written makes the volume larger than it
// may be, with its row and all that is still to come.
func (f *file) tooFull(to *Folder, m *message, most int64) bool {
	row := m.w.lay.contents.weight(m.bag.vals)
	if f.size()+int64(row)+(to.missing(f)+1)*newFolderSize > most {
		return true
	}
	if to.in != f {
		return false
	}
	for _, t := range []*table{to.state.contents, to.state.associated} {
		if t != nil && t.full(row) {
			return true
		}
	}
	return false
}

// hidden tells whether a message is one that people do not see (FAI).
func (m *message) hidden() bool {
	return m.bag.find(pst.PidTagMessageFlags.ID()).num&pst.FlagAssociated != 0
}

// tableOf gives the table that a message is to have its row in, in memory.
func (w *Writer) tableOf(file *file, to *folder, m *message) (*table, error) {
	t, lay := &to.contents, w.lay.contents
	if m.hidden() {
		t, lay = &to.associated, w.lay.associated
	}
	if *t != nil {
		return *t, w.shelf.ready(*t)
	}
	made := &table{}
	if err := w.shelf.ready(made); err != nil {
		return nil, err
	}
	*t = made
	return made, made.begin(file.v, lay)
}

// enter gives a message its node and its row.
func (w *Writer) enter(file *file, to *folder, t *table, m *message, data, sub uint64) error {
	var nid pst.NID
	if m.hidden() {
		file.nextAssociated++
		nid = pst.NewNID(pst.NodeAssociated, file.nextAssociated)
	} else {
		nid = file.messageNode()
		file.messages++
		to.count++
		if m.bag.find(pst.PidTagMessageFlags.ID()).num&pst.FlagRead == 0 {
			to.unread++
		}
	}
	file.used = true
	file.v.node(nid, data, sub, to.nid)
	before := t.waiting()
	err := t.add(uint32(nid), file.version(), m.bag.vals, m.bag.arena)
	file.waiting += t.waiting() - before
	return err
}

// sink gives the empty message of a depth of embedding.
func (w *Writer) sink(depth int) *message {
	for len(w.sinks) <= depth {
		w.sinks = append(w.sinks, &message{w: w, depth: len(w.sinks)})
	}
	m := w.sinks[depth]
	m.begin(w.cur)
	return m
}
