package reader

import (
	"cmp"
	"slices"

	"keepwatch/pst"
)

// child says that the node tree has a folder or a message below a folder.
type child struct{ parent, nid pst.NID }

// childrenOf is every folder and message of the node tree, by parent and id. It
// takes 8 bytes for each, and is made only where a table is damaged, or everything
// is compared.
func (f *File) childrenOf() ([]child, error) {
	f.mu.Lock()
	all := f.children
	f.mu.Unlock()
	if all != nil {
		return all, nil
	}
	all = make([]child, 0, 64)
	var first error
	f.nodes(0, func(n node, err error) bool {
		if err != nil {
			if first == nil {
				first = err
			}
			return isDamage(err)
		}
		switch n.nid.Type() {
		case pst.NodeFolder, pst.NodeSearchFolder, pst.NodeMessage, pst.NodeAssociated:
			all = append(all, child{n.parent, n.nid})
		}
		return true
	})
	if first != nil && !isDamage(first) {
		return nil, first
	}
	slices.SortFunc(all, func(a, b child) int {
		return cmp.Or(cmp.Compare(a.parent, b.parent), cmp.Compare(a.nid, b.nid))
	})
	f.mu.Lock()
	f.children = all
	f.mu.Unlock()
	return all, first
}

// below gives the nodes of some types that have a parent and an id above last. Its
// error is one of the file below: what is damaged in the node tree is told when the
// whole of it is looked at.
func (f *File) below(parent pst.NID, last int64, yield func(pst.NID) bool, types ...pst.NodeType) error {
	all, err := f.childrenOf()
	if err != nil && !isDamage(err) {
		return err
	}
	i, _ := slices.BinarySearchFunc(all, child{parent, pst.NID(max(last, 0))}, func(a, b child) int {
		return cmp.Or(cmp.Compare(a.parent, b.parent), cmp.Compare(a.nid, b.nid))
	})
	for ; i < len(all) && all[i].parent == parent; i++ {
		if n := all[i].nid; int64(n) > last && slices.Contains(types, n.Type()) && !yield(n) {
			return nil
		}
	}
	return nil
}
