package spool

import (
	"bytes"
	"encoding/json"

	bbolt "go.etcd.io/bbolt"

	"keepwatch/providers/outlook"
)

// counts are those of some items.
type counts = outlook.Totals

func add(a *counts, b counts, sign int64) {
	a.Items += sign * b.Items
	a.Done += sign * b.Done
	a.Missing += sign * b.Missing
	a.Bytes += sign * b.Bytes
}

// state is what the index keeps of a folder beside its items.
//
// Each Full reading is a generation, and an item has that of the reading which listed it
// last. The end of a Full reading makes Least that generation, and so takes out what it did
// not list in one step, however much that is: items of older generations are there no
// longer, and nobody reads their rows.
type state struct {
	Position outlook.Position
	Gen      uint32 // the generation that is, or was, read
	Least    uint32 // the oldest generation that is in the folder
	Seq      uint64 // the last place in the order of coming that was given
	Now, Old counts // of the items of this generation, and of those of older ones
	Items    int64  // rows in tableItems
	Pending  int64  // rows in tablePending
}

func (s *state) live(r row) bool { return r.gen >= s.Least }

// outcome is what became of a version of an item: a content, or why there is none.
type outcome struct {
	Segment uint32 `json:"g,omitempty"`
	Start   int64  `json:"o,omitempty"`
	Bytes   int64  `json:"n,omitempty"`
	SHA256  string `json:"h,omitempty"`
	outlook.Note
	Missing string          `json:"m,omitempty"` // "": there is a content
	Item    json.RawMessage `json:"i,omitempty"` // where it says more than the listing
}

func (o *outcome) counts() counts {
	switch {
	case o == nil:
		return counts{Items: 1}
	case o.Missing != "":
		return counts{Items: 1, Missing: 1}
	}
	return counts{Items: 1, Done: 1, Bytes: o.Bytes}
}

// ledger changes the index within one transaction and keeps its counters right.
type ledger struct {
	tx     *bbolt.Tx
	keys   *keys
	total  counts
	states map[uint32]*state // those that were used; nil: there is no such folder
}

func newLedger(tx *bbolt.Tx, k *keys) (*ledger, error) {
	l := &ledger{tx: tx, keys: k, states: map[uint32]*state{}}
	found, err := l.table(tableMeta).read(total, &l.total)
	if err == nil && !found {
		err = lost("the index has no totals")
	}
	return l, err
}

func (l *ledger) table(name string, folder ...uint32) table {
	return l.keys.table(l.tx, name, folder...)
}

// close writes the counters.
func (l *ledger) close() error {
	for no, s := range l.states {
		if s != nil {
			if err := l.table(tableStates).write(number(no), s); err != nil {
				return err
			}
		}
	}
	return l.table(tableMeta).write(total, l.total)
}

// state gives that of a folder, nil where it was forgotten.
func (l *ledger) state(no uint32) (*state, error) {
	s, known := l.states[no]
	if known {
		return s, nil
	}
	s, err := l.keys.state(l.tx, no)
	if err == nil {
		l.states[no] = s
	}
	return s, err
}

func (k *keys) state(tx *bbolt.Tx, no uint32) (*state, error) {
	s := &state{}
	found, err := k.table(tx, tableStates).read(number(no), s)
	if err != nil || !found {
		return nil, err
	}
	return s, nil
}

func (k *keys) outcome(tx *bbolt.Tx, version name) (*outcome, error) {
	o := &outcome{}
	found, err := k.table(tx, tableVersions).read(version[:], o)
	if err != nil || !found {
		return nil, err
	}
	return o, nil
}

// count adds what an item counts, or takes it away.
func (l *ledger) count(s *state, r row, o *outcome, sign int64) {
	of := &s.Now
	if r.gen != s.Gen {
		of = &s.Old
	}
	add(of, o.counts(), sign)
	add(&l.total, o.counts(), sign)
}

// await makes an item pending, or not.
func (l *ledger) await(no uint32, s *state, seq uint64, pending bool) error {
	t := l.table(tablePending, no)
	switch is := t.has(long(seq)); {
	case is == pending:
		return nil
	case pending:
		s.Pending++
		return t.put(long(seq), nil)
	}
	s.Pending--
	return t.delete(long(seq))
}

// find gives an item of a folder. One of an older generation that is in the folder no
// longer is taken out altogether.
func (l *ledger) find(no uint32, s *state, item name) (r row, found bool, err error) {
	data, err := l.table(tableIDs).get(idKey(item, no))
	if err != nil || data == nil {
		return r, false, err
	}
	if r, err = readRow(data); err != nil || s.live(r) {
		return r, err == nil, err
	}
	return row{}, false, l.drop(no, s, item, r)
}

// drop removes the rows of an item.
func (l *ledger) drop(no uint32, s *state, item name, r row) error {
	if err := l.await(no, s, r.seq, false); err != nil {
		return err
	}
	if err := l.table(tableItems, no).delete(long(r.seq)); err != nil {
		return err
	}
	s.Items--
	return l.table(tableIDs).delete(idKey(item, no))
}

// took is where an item of a version is: a folder, and its row there.
type took struct {
	no uint32
	s  *state
	r  row
}

// everywhere gives each folder that has a version of an item.
func (l *ledger) everywhere(item, version name) (all []took, err error) {
	t := l.table(tableIDs)
	c := t.b.Cursor()
	for key, sealed := c.Seek(item[:]); key != nil && bytes.HasPrefix(key, item[:]); key, sealed = c.Next() {
		data, err := t.unseal(key, sealed)
		if err != nil {
			return nil, err
		}
		r, err := readRow(data)
		if err != nil {
			return nil, err
		}
		no, err := readNumber(key[len(item):])
		if err != nil {
			return nil, lost("%w", err)
		}
		s, err := l.state(no)
		if err != nil {
			return nil, err
		}
		if s != nil && s.live(r) && r.version == version {
			all = append(all, took{no, s, r})
		}
	}
	return all, nil
}
