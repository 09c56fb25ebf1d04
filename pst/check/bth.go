package check

import "bytes"

// tree walks a BTree-on-Heap ([MS-PST] 2.3.2) and gives its records, in order.
func (h *heap) tree(id hid, key, value int, record func(at int64, b []byte)) bool {
	b, at, ok := h.take(id)
	if !ok || len(b) != 8 || b[0] != heapTree {
		h.report(RuleTreeHead, at, "the heap item %#x is no header of a tree", uint32(id))
		return false
	}
	if int(b[1]) != key || int(b[2]) != value {
		h.report(RuleTreeSizes, at+1, "the keys of a tree have %d bytes and its values %d; %d and %d are needed", b[1], b[2], key, value)
		return false
	}
	if b[3] > 8 {
		h.report(RuleTreeLevel, at+3, "a tree has %d levels", b[3])
		return false
	}
	root := hid(u32(b, 4))
	if root == 0 && b[3] != 0 {
		h.report(RuleTreeLevel, at+3, "a tree of nothing has %d levels", b[3])
	}
	if root != 0 {
		w := treeWalk{heap: h, key: key, value: value, record: record, budget: 1 << 22}
		return w.level(root, int(b[3]), nil)
	}
	return true
}

// treeWalk is one walk over a BTree-on-Heap.
type treeWalk struct {
	*heap
	key, value int
	last       []byte
	record     func(at int64, b []byte)
	budget     int // heap items: with 16-bit block numbers no heap has more
}

func (w *treeWalk) level(id hid, level int, from []byte) bool {
	b, at, ok := w.take(id)
	each := w.key + w.value
	if level > 0 {
		each = w.key + 4
	}
	if w.budget--; !ok || len(b) == 0 || len(b)%each != 0 || w.budget < 0 || w.over() {
		w.report(RuleTreeItem, at, "the heap item %#x of a tree has %d bytes, its records have %d", uint32(id), len(b), each)
		return false
	}
	for i := 0; i < len(b); i += each {
		k := b[i : i+w.key]
		if i == 0 && from != nil && !bytes.Equal(k, from) {
			w.report(RuleTreeKey, at, "records from the key %x on are announced, the first is %x", from, k)
			return false
		}
		if level > 0 {
			if !w.level(hid(u32(b, i+w.key)), level-1, k) {
				return false
			}
			continue
		}
		if w.last != nil && order(k, w.last) <= 0 {
			w.report(RuleTreeOrder, at+int64(i), "the key %x of a tree comes after %x", k, w.last)
			return false
		}
		w.last = k
		w.record(at+int64(i), b[i:i+each])
	}
	return true
}

// order compares two little-endian keys.
func order(a, b []byte) int {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return 0
}
