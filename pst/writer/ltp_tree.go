package writer

import (
	"encoding/binary"
)

// treeHead is the first item of every heap that we make: the header of its BTH.
const treeHead hid = 1 << 5

// tree writes a BTH, 2.3.2, of n records of key and ent bytes, which put writes in
// the order of their keys, and its header into the item treeHead.
func (h *heap) tree(key, ent, n int, put func(to []byte, i int)) error {
	if n == 0 {
		h.treeHeader(key, ent, 0, 0)
		return nil
	}
	size := key + ent
	level, err := h.treeLevel(key, size, n, put)
	if err != nil {
		return err
	}
	depth := 0
	for len(level) > 1 {
		below := level
		level, err = h.treeLevel(key, key+4, len(below), func(to []byte, i int) {
			copy(to, below[i].key[:key])
			binary.LittleEndian.PutUint32(to[key:], uint32(below[i].id))
		})
		if err != nil {
			return err
		}
		depth++
	}
	h.treeHeader(key, ent, depth, level[0].id)
	return nil
}

// treeItem is one item of a level: where it is, and its first key.
type treeItem struct {
	id  hid
	key [4]byte
}

// treeLevel writes records of size bytes into as many items as they need.
func (h *heap) treeLevel(key, size, n int, put func(to []byte, i int)) ([]treeItem, error) {
	most := maxAlloc / size
	items := make([]treeItem, 0, (n+most-1)/most)
	for from := 0; from < n; from += most {
		count := min(most, n-from)
		id, to, err := h.room(count * size)
		if err != nil {
			return nil, err
		}
		for i := range count {
			put(to[i*size:(i+1)*size], from+i)
		}
		item := treeItem{id: id}
		copy(item.key[:], to[:key])
		items = append(items, item)
	}
	return items, nil
}

// treeHeader fills the BTHHEADER, 2.3.2.1.
func (h *heap) treeHeader(key, ent, depth int, root hid) {
	to := h.fixed(treeHead)
	to[0], to[1], to[2], to[3] = heapTree, byte(key), byte(ent), byte(depth)
	binary.LittleEndian.PutUint32(to[4:], uint32(root))
}
