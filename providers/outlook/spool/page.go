package spool

import (
	"bytes"
	"encoding/json"
	"iter"

	bbolt "go.etcd.io/bbolt"

	"keepwatch/providers/outlook"
)

// Page saves a page of a folder and how far its reading is.
func (s *spool) Page(folder string, items []outlook.Item, at outlook.Position) error {
	return s.change("page", func(l *ledger) error {
		no, st, err := l.known(folder)
		if err != nil {
			return err
		}
		if before := st.Position; at.Full && before != (outlook.Position{}) && !before.Full {
			st.next() // a Full reading takes the place of one that was not
		}
		for _, item := range items {
			item.Folder = folder
			if item.Removed != "" {
				err = l.takeOut(no, st, item, !at.Full)
			} else {
				err = l.list(no, st, item)
			}
			if err != nil {
				return err
			}
		}
		if at.Full && at.Ended() {
			add(&l.total, st.Old, -1)
			st.Old, st.Least = counts{}, st.Gen
		}
		st.Position = at
		return nil
	})
}

// list saves an item that is in a folder.
func (l *ledger) list(no uint32, s *state, item outlook.Item) error {
	data, err := json.Marshal(item)
	if err != nil {
		return err
	}
	n := l.keys.item(item)
	r, found, err := l.find(no, s, n)
	if err != nil {
		return err
	}
	if found {
		o, err := l.keys.outcome(l.tx, r.version)
		if err != nil {
			return err
		}
		l.count(s, r, o, -1)
	} else {
		s.Seq++
		s.Items++
		r.seq = s.Seq
	}
	r.gen, r.version = s.Gen, l.keys.version(item)
	o, err := l.keys.outcome(l.tx, r.version)
	if err != nil {
		return err
	}
	l.count(s, r, o, 1)
	if err := l.await(no, s, r.seq, o == nil); err != nil {
		return err
	}
	if err := l.table(tableItems, no).put(long(r.seq), itemRow(r, data)); err != nil {
		return err
	}
	if err := l.table(tableRemoved, no).delete(n[:]); err != nil {
		return err
	}
	return l.table(tableIDs).put(idKey(n, no), r.bytes())
}

// takeOut saves that an item is not in a folder any more.
func (l *ledger) takeOut(no uint32, s *state, item outlook.Item, note bool) error {
	n := l.keys.item(item)
	r, found, err := l.find(no, s, n)
	if err != nil {
		return err
	}
	if found {
		o, err := l.keys.outcome(l.tx, r.version)
		if err != nil {
			return err
		}
		l.count(s, r, o, -1)
		if err := l.drop(no, s, n, r); err != nil {
			return err
		}
	}
	if !note {
		return nil
	}
	return l.table(tableRemoved, no).write(n[:], item)
}

// removedBatch is how many removed items are read in one transaction, so that none stays
// open while somebody works on them.
const removedBatch = 256

// Removed gives what was taken out of a folder by a reading that was not Full. It stays
// until the item is listed again.
func (s *spool) Removed(folder string) iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		for from := []byte(nil); ; {
			items, next, err := s.removedFrom(folder, from)
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if err != nil {
				yield(outlook.Item{}, err)
			}
			if err != nil || next == nil {
				return
			}
			from = next
		}
	}
}

// removedFrom reads some of them from a key on, and says where the next ones begin; nil:
// there are none.
func (s *spool) removedFrom(folder string, from []byte) (items []outlook.Item, next []byte, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		no, _, err := s.keys.known(tx, folder)
		if err != nil {
			return err
		}
		t := s.keys.table(tx, tableRemoved, no)
		c := t.b.Cursor()
		for key, sealed := c.Seek(from); key != nil; key, sealed = c.Next() {
			if len(items) == removedBatch {
				next = bytes.Clone(key)
				return nil
			}
			data, err := t.unseal(key, sealed)
			if err != nil {
				return err
			}
			var item outlook.Item
			if err := decode(data, &item); err != nil {
				return err
			}
			items = append(items, item)
		}
		return nil
	})
	return items, next, err
}
