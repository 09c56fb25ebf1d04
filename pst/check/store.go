package check

import (
	"fmt"

	"keepwatch/pst"
)

// messaging checks what the nodes mean, [MS-PST] 2.4.
func (c *checker) messaging() {
	// Each block is looked at once, and those that copies of messages share a few times.
	c.work = 50*int64(len(c.blocks)) + 10_000
	c.mandatory()
	c.nameToID()
	c.store()
	c.activity()
	c.templates()
	c.receive()
	for i := range c.nodes {
		if c.over() {
			return
		}
		c.kind(&c.nodes[i])
	}
	c.orphans()
}

// mandatory are the nodes without which Outlook does not open a file: [MS-PST] 2.7.1, and what all
// real files have. Which folders there must be the store says.
func (c *checker) mandatory() {
	for _, n := range []pst.NID{
		pst.NIDStore, pst.NIDNameMap, pst.NIDRoot, pst.NIDRoot.As(pst.NodeHierarchy), pst.NIDRoot.As(pst.NodeContents),
		pst.NIDRoot.As(pst.NodeFAIContents), pst.NIDSearchManagement, pst.NIDSearchActivity, pst.NIDHierarchyTemplate,
		pst.NIDContentsTemplate, pst.NIDFAITemplate, pst.NIDSearchContents, pst.NIDReceiveFolders, pst.NIDOutgoingQueue,
		pst.NIDAttachments, pst.NIDRecipients,
	} {
		if _, ok := c.node(n); !ok {
			c.find(RuleMandatory, 0, n, "The node %v, which every file has, is not there.", n)
		}
	}
}

// store checks the message store, [MS-PST] 2.4.3.
func (c *checker) store() {
	n, ok := c.node(pst.NIDStore)
	if !ok {
		return
	}
	o, ok := c.open(n.nid, "The message store", n.data, n.sub)
	if !ok {
		return
	}
	p, ok := o.context()
	if !ok {
		return
	}
	at := o.blocks[p.list[0]].ib()
	for _, t := range []pst.Tag{pst.PidTagRecordKey, pst.PidTagDisplayName, pst.PidTagIpmSubTreeEntryId, pst.PidTagIpmWastebasketEntryId, pst.PidTagFinderEntryId} {
		if !p.has(t) {
			o.report(RuleStore, at, "the property %v is missing", t)
		}
	}
	key, ok := p.bytes(pst.PidTagRecordKey)
	if ok && len(key) != 16 {
		o.report(RuleStore, at, "the record key has %d bytes and should have 16", len(key))
	}
	for _, t := range []pst.Tag{pst.PidTagIpmSubTreeEntryId, pst.PidTagIpmWastebasketEntryId, pst.PidTagFinderEntryId, pst.PidTagCommonViewsEntryId, pst.PidTagViewsEntryId} {
		b, ok := p.bytes(t)
		if !ok {
			continue
		}
		if len(b) != 24 || !blank(b[:4]) || !same(b[4:20], key) {
			o.report(RuleEntryID, at, "the entry id %v is %x, which is none of this file", t, b)
			continue
		}
		f := pst.NID(u32(b, 20))
		if _, ok := c.node(f); !ok || f.Type() != pst.NodeFolder && f.Type() != pst.NodeSearchFolder {
			o.report(RuleEntryID, at, "the entry id %v names the folder %v, which is not there", t, f)
		}
	}
}

// activity checks the search activity list, [MS-PST] 2.4.8.4.2: an array of NIDs of search folders.
// Without the entry of a search folder scanpst finds "SAL missing entry".
func (c *checker) activity() {
	n, ok := c.node(pst.NIDSearchActivity)
	if !ok {
		return
	}
	b, ok := c.prefix(n.data, enough)
	if !ok {
		return
	}
	inList := map[pst.NID]bool{}
	for i := 0; i+4 <= len(b); i += 4 {
		f := pst.NID(u32(b, i))
		inList[f] = true
		if _, ok := c.node(f); !ok {
			c.find(RuleActivity, 0, n.nid, "The search activity list names %v, which is not there.", f)
		}
	}
	for _, x := range c.nodes {
		if x.nid == pst.NIDSpamSearch && !inList[x.nid] {
			c.find(RuleActivity, 0, n.nid, "The search activity list lacks the search folder %v.", x.nid)
		}
	}
}

// kind sends a node to its check, by its type.
func (c *checker) kind(n *node) {
	index, t := n.nid.Index(), n.nid.Type()
	switch t {
	case pst.NodeFolder, pst.NodeSearchFolder:
		c.rep.Folders++
		c.reserved(n)
		c.folder(n)
	case pst.NodeMessage, pst.NodeAssociated:
		c.rep.Messages++
		c.reserved(n)
		return
	case pst.NodeHierarchy, pst.NodeContents, pst.NodeFAIContents, pst.NodeSearchTable:
		_, normal := c.node(pst.NewNID(pst.NodeFolder, index))
		_, search := c.node(pst.NewNID(pst.NodeSearchFolder, index))
		if index != pst.NIDHierarchyTemplate.Index() && !normal && !search && index >= firstIndex {
			c.find(RuleOrphanTable, 0, n.nid, "The table %v belongs to no folder.", n.nid)
		}
		fallthrough
	default:
		c.internalNode(n)
		if n.parent != 0 {
			c.find(RuleParent, 0, n.nid, "The node %v has the parent %v and should have none.", n.nid, n.parent)
		}
	}
}

// internalNode checks the form of what Outlook keeps for itself: the criteria of searches, which are
// properties, and three tables that every store of Outlook has and the text does not name.
func (c *checker) internalNode(n *node) {
	t := n.nid.Type()
	table := n.nid == pst.NIDReplTable || n.nid == pst.NIDTombTable || n.nid == pst.NIDPurgeTable
	if !table && t != pst.NodeSearchCrit || n.data == 0 {
		return
	}
	o, ok := c.open(n.nid, fmt.Sprintf("The node %v", n.nid), n.data, n.sub)
	switch {
	case ok && table:
		o.table(nil)
	case ok:
		o.context()
	}
}

// reserved checks that a folder or message has no NID of the range that the format keeps for itself.
func (c *checker) reserved(n *node) {
	if n.nid.Index() < firstIndex && n.nid != pst.NIDRoot && n.nid != pst.NIDSpamSearch && n.nid != oldSearch {
		c.find(RuleReserved, 0, n.nid, "The NID %v is of the range below the index 0x400, which is reserved.", n.nid)
	}
}
