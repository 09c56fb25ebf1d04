package check

import (
	"fmt"
	"slices"

	"keepwatch/pst"
)

// object is a node or subnode: what LTP structures lie on. It is what findings name.
type object struct {
	*checker
	top   pst.NID // in the node tree
	label string  // of what it is, for sentences
	data  uint32  // as in node
	subs  []subnode
	deep  int   // how many messages it is within
	bulk  int64 // bytes of it and its subnodes
}

// report reports about the object.
func (o *object) report(rule Rule, at int64, format string, args ...any) {
	o.find(rule, at, o.top, "%s: %s", o.label, fmt.Sprintf(format, args...))
}

// sub finds a subnode.
func (o *object) sub(n pst.NID) (subnode, bool) {
	i, ok := slices.BinarySearchFunc(o.subs, n, func(s subnode, k pst.NID) int { return int(int64(s.nid) - int64(k)) })
	if !ok {
		return subnode{}, false
	}
	o.subs[i].used = true
	return o.subs[i], true
}

// unused finds subnodes of values that nothing refers to.
func (o *object) unused() {
	for _, s := range o.subs {
		if !s.used && s.nid.Type() == pst.NodeLTP {
			o.report(RuleValueUnused, 0, "the subnode %v belongs to no property", s.nid)
		}
	}
}

// open makes an object of a node's or subnode's blocks; false where its subnodes cannot be read.
func (c *checker) open(top pst.NID, label string, data, sub uint32) (*object, bool) {
	o := &object{checker: c, top: top, label: label, data: data}
	var ok bool
	o.subs, ok = c.subnodes(sub)
	return o, ok
}
