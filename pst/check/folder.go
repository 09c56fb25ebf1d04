package check

import (
	"fmt"

	"keepwatch/pst"
)

// folder checks a folder with its tables, and what they list.
func (c *checker) folder(n *node) {
	o, ok := c.open(n.nid, fmt.Sprintf("The folder %v", n.nid), n.data, n.sub)
	if !ok {
		return
	}
	p, ok := o.context()
	if !ok {
		return
	}
	at := o.blocks[p.list[0]].ib()
	for _, t := range []pst.Tag{pst.PidTagDisplayName, pst.PidTagContentCount, pst.PidTagContentUnreadCount, pst.PidTagSubfolders} {
		if !p.has(t) {
			o.report(RuleFolder, at, "the property %v is missing", t)
		}
	}
	if n.nid == pst.NIDRoot && n.parent != n.nid {
		o.report(RuleParent, at, "its parent is %v; the root folder is its own", n.parent)
	}
	if n.nid.Type() == pst.NodeSearchFolder {
		// Old Outlook has a search folder 0x723 whose table is no table but a tree.
		if n.nid != oldSearch {
			c.table(n.nid.As(pst.NodeSearchTable), searchColumns, nil)
		}
		return
	}
	f := folderWalk{checker: c, node: n}
	if t, ok := c.table(n.nid.As(pst.NodeHierarchy), hierarchyColumns, f.child); ok {
		if v, ok := p.number(pst.PidTagSubfolders); ok && (v != 0) != (len(t.ids) > 0) {
			o.report(RuleSubfolders, at, "PidTagSubfolders is %d, there are %d", v, len(t.ids))
		}
	}
	if t, ok := c.table(n.nid.As(pst.NodeContents), contentsCore, f.message); ok {
		if v, ok := p.number(pst.PidTagContentCount); ok && int(v) != len(t.ids) {
			o.report(RuleContentCount, at, "PidTagContentCount is %d, the contents table has %d rows", v, len(t.ids))
		}
		if v, ok := p.number(pst.PidTagContentUnreadCount); ok && int(v) != f.unread {
			o.report(RuleUnread, at, "PidTagContentUnreadCount is %d, %d messages are unread", v, f.unread)
		}
	}
	c.table(n.nid.As(pst.NodeFAIContents), faiColumns, f.associated)
}

// oldSearch is a search folder in files of older versions of Outlook.
const oldSearch pst.NID = 0x723

// table checks a table of a folder.
func (c *checker) table(nid pst.NID, cols []pst.Tag, show func(r row)) (*table, bool) {
	n, ok := c.node(nid)
	if !ok {
		c.find(RuleFolderNodes, 0, nid, "The table %v of a folder is not there.", nid)
		return nil, false
	}
	o, ok := c.open(nid, fmt.Sprintf("The table %v", nid), n.data, n.sub)
	if !ok {
		return nil, false
	}
	t, ok := o.table(show)
	if t != nil && !c.over() {
		t.require(cols)
	}
	return t, ok
}

// folderWalk is the check of what a folder lists.
type folderWalk struct {
	*checker
	node   *node
	unread int
}

// listed finds the node that a row lists.
func (f *folderWalk) listed(r row, types ...pst.NodeType) (*node, bool) {
	n, ok := f.checker.node(r.id())
	if !ok {
		r.report(RuleRowDangling, r.at, "the row %v stands for a node that is not there", r.id())
		return nil, false
	}
	fits := false
	for _, t := range types {
		fits = fits || n.nid.Type() == t
	}
	if !fits {
		r.report(RuleRowType, r.at, "the row %v is of the type %#x, which does not belong here", n.nid, n.nid.Type())
		return nil, false
	}
	if n.flags&listed != 0 {
		r.report(RuleListedTwice, r.at, "the row %v is in a table before", n.nid)
		return nil, false
	}
	n.flags |= listed
	if n.parent != f.node.nid {
		r.report(RuleParent, r.at, "the row %v has the parent %v by its node", n.nid, n.parent)
	}
	return n, true
}

// child checks a row of a hierarchy table.
func (f *folderWalk) child(r row) {
	n, ok := f.listed(r, pst.NodeFolder, pst.NodeSearchFolder)
	if !ok {
		return
	}
	o, ok := f.open(n.nid, fmt.Sprintf("The folder %v", n.nid), n.data, n.sub)
	if !ok {
		return
	}
	o.checker = f.quiet() // the folder itself is checked elsewhere
	if p, ok := o.context(); ok {
		r.compare(p, RuleHierarchyRow)
	}
	f.cost(o.checker)
}

// quiet is a checker that keeps its findings to itself.
func (c *checker) quiet() *checker {
	q := *c
	q.rep, q.max = Report{}, 1
	return &q
}

// cost takes over what a quiet checker spent.
func (c *checker) cost(q *checker) { c.work, c.err = q.work, q.err }

// message checks a row of a contents table with its message.
func (f *folderWalk) message(r row) { f.item(r, pst.NodeMessage) }

// associated checks a row of an associated contents table with its message.
func (f *folderWalk) associated(r row) { f.item(r, pst.NodeAssociated) }

func (f *folderWalk) item(r row, kind pst.NodeType) {
	n, ok := f.listed(r, kind)
	if !ok {
		return
	}
	o, ok := f.open(n.nid, fmt.Sprintf("The message %v", n.nid), n.data, n.sub)
	if !ok {
		return
	}
	p, ok := o.message()
	if !ok {
		return
	}
	if v, ok := p.number(pst.PidTagMessageFlags); ok && v&pst.FlagRead == 0 {
		f.unread++
	}
	if _, ok := r.value(pst.PidTagMessageStatus); !ok && !p.has(pst.PidTagMessageStatus) {
		o.report(RuleMessageStatus, r.at, "neither it nor its row has the property %v", pst.PidTagMessageStatus)
	}
	r.compare(p, RuleContentsRow)
}

// kept tells of columns that Outlook fills though the object has no such property: those of replication
// (0E30 to 0E3D), which the text says are not copied, PidTagMessageStatus, which the text wants in the message and
// Outlook keeps in the row, and the conversation id, which it computes.
func kept(t pst.Tag) bool {
	return t.ID() >= 0x0E30 && t.ID() <= 0x0E3D || t == pst.PidTagMessageStatus || t == pst.PidTagConversationId
}

// compare checks that each cell of a row says what the PC says, and that none is left out.
func (r row) compare(p *context, rule Rule) {
	for _, c := range r.cols {
		if c.tag == pst.PidTagLtpRowId || c.tag == pst.PidTagLtpRowVer {
			continue
		}
		if !r.set(c) {
			if v, ok := p.get(c.tag.ID()); ok && v.kind == c.tag.Type() {
				r.report(rule, r.at, "the row %v has no %v, its object has", r.id(), c.tag)
			}
			continue
		}
		v, ok := p.get(c.tag.ID())
		if !ok && kept(c.tag) {
			continue
		}
		if !ok {
			r.report(rule, r.at+int64(c.from), "the row %v has %v, its object has not", r.id(), c.tag)
			continue
		}
		a, ok1 := r.cell(c)
		b, ok2 := p.content(v.kind, v.raw)
		if v.kind != c.tag.Type() || ok1 && ok2 && !same(a, b) {
			r.report(rule, r.at+int64(c.from), "the row %v says %.40x as %v, its object %.40x", r.id(), a, c.tag, b)
		}
	}
}

// orphans finds folders and messages that no table lists, and folders that hang on nothing.
func (c *checker) orphans() {
	for i := range c.nodes {
		n := &c.nodes[i]
		if c.over() {
			return
		}
		if n.flags&listed != 0 || n.nid == pst.NIDRoot {
			continue
		}
		switch n.nid.Type() {
		case pst.NodeFolder, pst.NodeSearchFolder:
			c.find(RuleOrphanFolder, 0, n.nid, "No hierarchy table lists the folder %v.", n.nid)
		case pst.NodeMessage, pst.NodeAssociated:
			c.find(RuleOrphan, 0, n.nid, "No contents table lists the message %v.", n.nid)
			if o, ok := c.open(n.nid, fmt.Sprintf("The message %v", n.nid), n.data, n.sub); ok {
				o.message()
			}
		}
	}
	c.circles()
}

// circles finds folders whose parents never lead to the root folder.
func (c *checker) circles() {
	for i := range c.nodes {
		var path []*node
		n := &c.nodes[i]
		for n.flags&(rooted|lost) == 0 && n.nid.Type() == pst.NodeFolder && n.nid != pst.NIDRoot {
			n.flags |= lost
			path = append(path, n)
			up, ok := c.node(n.parent)
			if !ok {
				break
			}
			n = up
		}
		if n.nid != pst.NIDRoot && n.flags&rooted == 0 {
			if len(path) > 0 && path[0].flags&listed != 0 {
				c.find(RuleCircle, 0, path[0].nid, "The folder %v does not hang on the root folder: its parents lead to %v, and no further.", path[0].nid, n.nid)
			}
			continue
		}
		for _, p := range path {
			p.flags |= rooted
		}
	}
}

// Flags of nodes besides listed.
const (
	rooted = 2 // its parents lead to the root folder
	lost   = 4 // they were looked at
)
