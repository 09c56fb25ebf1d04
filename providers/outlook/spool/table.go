package spool

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	bbolt "go.etcd.io/bbolt"
)

// The tables of the index. Keys are numbers and names, big-endian; values are sealed, each
// for its own key.
const (
	tableMeta     = "meta"     // "total" → total
	tableOrder    = "order"    // place in the list of folders → listed
	tableNumbers  = "numbers"  // name of a folder → its number, which no other folder ever gets
	tableStates   = "states"   // number of a folder → state
	tableIDs      = "ids"      // name of an item, number of a folder → row
	tableItems    = "items"    // number of a folder: its place in the order of coming → generation, version, the item's JSON
	tablePending  = "pending"  // number of a folder: place → nothing
	tableRemoved  = "removed"  // number of a folder: name of an item → the item's JSON
	tableVersions = "versions" // name of a version → what became of it, outcome
	tableMissed   = "missed"   // name of a version that was missed → name of its item
	tableSegments = "segments" // number of a segment → the end of what is stated of it in here
)

var (
	tables = []string{tableMeta, tableOrder, tableNumbers, tableStates, tableIDs, tableItems, tablePending, tableRemoved, tableVersions, tableMissed, tableSegments}
	total  = []byte("total")
)

// table is a bucket whose values are sealed. Without a bucket it is empty.
type table struct {
	keys *keys
	b    *bbolt.Bucket
	path []byte
}

// table gives one. With the number of a folder it is that folder's part.
func (k *keys) table(tx *bbolt.Tx, name string, folder ...uint32) table {
	t := table{keys: k, b: tx.Bucket([]byte(name)), path: append([]byte(name), 0)}
	for _, no := range folder {
		key := number(no)
		t.b, t.path = t.b.Bucket(key), append(t.path, key...)
		if t.b != nil && name != tableRemoved {
			t.b.FillPercent = 0.95 // rows come in order
		}
	}
	return t
}

// place is what a value is sealed for.
func (t table) place(key []byte) []byte {
	return append(append(make([]byte, 0, len(t.path)+len(key)), t.path...), key...)
}

// get gives a value, nil if there is none.
func (t table) get(key []byte) ([]byte, error) {
	if t.b == nil {
		return nil, nil
	}
	sealed := t.b.Get(key)
	if sealed == nil {
		return nil, nil
	}
	return t.unseal(key, sealed)
}

// unseal gives the value of a row that a cursor has come to.
func (t table) unseal(key, sealed []byte) ([]byte, error) {
	plain, err := t.keys.open(t.place(key), sealed)
	if plain == nil && err == nil {
		plain = []byte{}
	}
	return plain, err
}

func (t table) has(key []byte) bool { return t.b != nil && t.b.Get(key) != nil }

func (t table) put(key, value []byte) error {
	return t.b.Put(key, t.keys.seal(t.place(key), value))
}

func (t table) delete(key []byte) error { return t.b.Delete(key) }

// read reads a JSON value; found is false if there is none.
func (t table) read(key []byte, into any) (found bool, err error) {
	data, err := t.get(key)
	if err != nil || data == nil {
		return false, err
	}
	return true, decode(data, into)
}

func (t table) write(key []byte, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return t.put(key, data)
}

func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return lost("a row of the index: %w", err)
	}
	return nil
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func long(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// row is what tableIDs says of an item in a folder.
type row struct {
	seq     uint64 // its place in the order of coming
	gen     uint32 // the generation of the reading that listed it last
	version name
}

const rowBytes = 8 + 4 + len(name{})

func (r row) bytes() []byte {
	b := binary.BigEndian.AppendUint64(nil, r.seq)
	return append(binary.BigEndian.AppendUint32(b, r.gen), r.version[:]...)
}

func readRow(b []byte) (r row, err error) {
	if len(b) != rowBytes {
		return r, lost("a row of %d bytes", len(b))
	}
	r.seq, r.gen = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	copy(r.version[:], b[12:])
	return r, nil
}

// itemRow is what tableItems says: an item, and what tableIDs says of it too.
func itemRow(r row, item []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, r.gen)
	return append(append(b, r.version[:]...), item...)
}

func readItemRow(b []byte) (r row, item []byte, err error) {
	const head = 4 + len(name{})
	if len(b) < head {
		return r, nil, lost("an item of %d bytes", len(b))
	}
	r.gen = binary.BigEndian.Uint32(b)
	copy(r.version[:], b[4:])
	return r, b[head:], nil
}

// idKey is the key of an item in a folder.
func idKey(item name, folder uint32) []byte { return append(item[:], number(folder)...) }

func readNumber(b []byte) (uint32, error) {
	if len(b) != 4 {
		return 0, fmt.Errorf("a number of %d bytes", len(b))
	}
	return binary.BigEndian.Uint32(b), nil
}
