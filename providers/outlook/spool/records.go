package spool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"

	bbolt "go.etcd.io/bbolt"

	"keepwatch/providers/outlook"
)

// Records are read in as many, or as many bytes, at once: one who reads the index for long
// makes its file grow, and what was read is in memory.
const (
	mostRecords     = 64
	mostRecordBytes = 256 << 10
)

// Records gives the items of a folder.
func (s *spool) Records(folder string) iter.Seq2[outlook.Record, error] {
	return func(yield func(outlook.Record, error) bool) {
		r := reading{s: s, folder: folder}
		for !r.ended {
			records, err := r.some()
			if err != nil {
				yield(outlook.Record{}, err)
				return
			}
			for _, one := range records {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// reading goes through the items of a folder.
type reading struct {
	s      *spool
	folder string
	begun  []byte // the state of the folder at the beginning, as it was sealed
	after  uint64
	all    counts
	ended  bool
}

func (r *reading) some() (records []outlook.Record, err error) {
	if err := r.s.flush(); err != nil {
		return nil, err
	}
	return records, r.s.view(func(tx *bbolt.Tx) error {
		records = nil
		k := r.s.keys
		no, st, err := k.known(tx, r.folder)
		if err != nil {
			return err
		}
		now := k.table(tx, tableStates).b.Get(number(no))
		if r.begun == nil {
			r.begun = bytes.Clone(now)
		}
		t := k.table(tx, tableItems, no)
		c := t.b.Cursor()
		size := 0
		for key, sealed := c.Seek(long(r.after + 1)); key != nil; key, sealed = c.Next() {
			if len(records) == mostRecords || size > mostRecordBytes {
				return nil
			}
			one, o, live, err := k.record(tx, t, st, key, sealed)
			if err != nil {
				return err
			}
			r.after = binary.BigEndian.Uint64(key)
			if live {
				records, size = append(records, one), size+len(sealed)
				add(&r.all, o.counts(), 1)
			}
		}
		r.ended = true
		want := st.Now
		add(&want, st.Old, 1)
		if bytes.Equal(r.begun, now) && r.all != want {
			return lost("a folder has %+v and should have %+v", r.all, want)
		}
		return nil
	})
}

// record reads an item of a folder with what became of it.
func (k *keys) record(tx *bbolt.Tx, t table, st *state, key, sealed []byte) (r outlook.Record, o *outcome, live bool, err error) {
	data, err := t.unseal(key, sealed)
	if err != nil {
		return r, nil, false, err
	}
	at, item, err := readItemRow(data)
	if err != nil || !st.live(at) {
		return r, nil, false, err
	}
	if o, err = k.outcome(tx, at.version); err != nil {
		return r, nil, false, err
	}
	if err := decode(item, &r.Item); err != nil {
		return r, nil, false, err
	}
	switch {
	case o == nil:
		r.Pending = true
	case o.Missing != "":
		r.Missing = o.Missing
	default:
		if o.Item != nil {
			folder := r.Folder
			r.Item = outlook.Item{}
			if err := decode(o.Item, &r.Item); err != nil {
				return r, nil, false, err
			}
			r.Folder = folder
		}
		r.Note, r.Bytes, r.SHA256 = o.Note, o.Bytes, o.SHA256
		r.Place = fmt.Sprintf("%d.%d", o.Segment, o.Start)
	}
	return r, o, true, nil
}

// Pending gives the items without a content.
func (s *spool) Pending() iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		folders, err := s.sound()
		if err != nil {
			yield(outlook.Item{}, err)
			return
		}
		for _, no := range folders {
			for after := uint64(0); ; {
				item, seq, err := s.pending(no, after)
				if err != nil {
					yield(outlook.Item{}, err)
					return
				}
				if seq == 0 {
					break
				}
				if !yield(item, nil) {
					return
				}
				after = seq
			}
		}
	}
}

// sound gives the numbers of the folders in order, and sees that as many items are pending
// in each as there should be: one that is not found would be a hole in the archive.
func (s *spool) sound() (folders []uint32, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		order, err := s.keys.listed(tx)
		if err != nil {
			return err
		}
		for _, f := range order {
			st, err := s.keys.state(tx, f.Number)
			if err != nil {
				return err
			}
			t := s.keys.table(tx, tablePending, f.Number)
			if st == nil || t.b == nil {
				return lost("a folder has no state")
			}
			n := int64(0)
			for c, key := cursor(t.b); key != nil; key, _ = c.Next() {
				n++
			}
			if n != st.Pending {
				return lost("%d items are pending and not %d", n, st.Pending)
			}
			folders = append(folders, f.Number)
		}
		return nil
	})
	return folders, err
}

func cursor(b *bbolt.Bucket) (*bbolt.Cursor, []byte) {
	c := b.Cursor()
	key, _ := c.First()
	return c, key
}

// pending gives the first item of a folder behind a place that is pending, and its place; 0
// if there is none. What is in a segment only is not pending: it may come into the index
// between a look there and a look at what waits, so both are done again then.
func (s *spool) pending(no uint32, after uint64) (item outlook.Item, seq uint64, err error) {
	for {
		flushes := s.flushes.Load()
		item, seq = outlook.Item{}, 0
		err = s.view(func(tx *bbolt.Tx) error {
			st, err := s.keys.state(tx, no)
			t := s.keys.table(tx, tablePending, no)
			if err != nil || st == nil || t.b == nil {
				return err
			}
			items := s.keys.table(tx, tableItems, no)
			c := t.b.Cursor()
			for key, _ := c.Seek(long(after + 1)); key != nil; key, _ = c.Next() {
				r, o, live, err := s.keys.record(tx, items, st, key, items.b.Get(key))
				if err != nil {
					return err
				}
				if live && o != nil {
					return lost("an item is pending and has a content")
				}
				if live && !s.waits(s.keys.version(r.Item)) {
					item, seq = r.Item, binary.BigEndian.Uint64(key)
					return nil
				}
			}
			return nil
		})
		if err != nil || s.flushes.Load() == flushes {
			return item, seq, err
		}
	}
}
