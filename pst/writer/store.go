package writer

import (
	"keepwatch/pst"
)

// write writes what is left of a volume: all that does not belong to one message.
func (w *Writer) write(f *file) error {
	if err := w.writeFolder(f, f.base); err != nil {
		return err
	}
	for _, step := range []func(*file) error{w.writeStore, w.writeSearch, w.writeTables} {
		if err := step(f); err != nil {
			return err
		}
	}
	return f.v.finish()
}

// object writes a property context that is a node of its own.
func (w *Writer) object(f *file, nid pst.NID, b *bag, parent pst.NID) error {
	var p parts
	p.begin(f.v)
	data, sub, err := p.object(&w.heap, b)
	if err != nil {
		return err
	}
	f.v.node(nid, data, sub, parent)
	return nil
}

// tableNode writes a table that is a node of its own; fill gives it its rows.
func (w *Writer) tableNode(f *file, nid pst.NID, lay *layout, fill func(t *table) error) error {
	t := &w.table
	if err := t.begin(f.v, lay); err != nil {
		return err
	}
	if fill != nil {
		if err := fill(t); err != nil {
			return err
		}
	}
	return w.endTable(f, nid, t)
}

func (w *Writer) endTable(f *file, nid pst.NID, t *table) error {
	data, sub, err := t.finish()
	if err != nil {
		return err
	}
	f.v.node(nid, data, sub, 0)
	return nil
}

// properties are those of a folder's property context and of its row alike.
func (d *folder) properties(b *bag) {
	b.reset()
	b.text(pst.PidTagDisplayName, d.name)
	if d.comment != nil {
		b.text(pst.PidTagComment, *d.comment)
	}
	b.number(pst.PidTagContentCount, uint64(uint32(d.count)))
	b.number(pst.PidTagContentUnreadCount, uint64(uint32(d.unread)))
	var sub uint64
	if d.subfolders() {
		sub = 1
	}
	b.number(pst.PidTagSubfolders, sub)
	if d.class != "" {
		b.text(pst.PidTagContainerClass, d.class)
	}
	b.sorted()
}

// subfolders tells whether a folder has any.
func (d *folder) subfolders() bool { return len(d.children) > 0 }

// writeFolder writes the four nodes of a folder, 2.4.4, and those of all below it.
func (w *Writer) writeFolder(f *file, d *folder) error {
	for _, c := range d.children {
		if c == f.spam {
			continue
		}
		if err := w.writeFolder(f, c); err != nil {
			return err
		}
	}
	err := w.tableNode(f, d.nid.As(pst.NodeHierarchy), w.lay.hierarchy, func(t *table) error {
		for _, c := range d.children {
			c.properties(&w.bag)
			if err := t.add(uint32(c.nid), f.version(), w.bag.vals, w.bag.arena); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.folderTable(f, d.nid.As(pst.NodeContents), d.contents, w.lay.contents); err != nil {
		return err
	}
	if err := w.folderTable(f, d.nid.As(pst.NodeFAIContents), d.associated, w.lay.associated); err != nil {
		return err
	}
	d.contents, d.associated = nil, nil
	d.properties(&w.bag)
	return w.object(f, d.nid, &w.bag, d.parent.nid)
}

// folderTable ends a table that grew with its messages, or writes an empty one.
func (w *Writer) folderTable(f *file, nid pst.NID, t *table, lay *layout) error {
	if t == nil {
		return w.tableNode(f, nid, lay, nil)
	}
	if err := w.shelf.ready(t); err != nil {
		return err
	}
	defer w.shelf.release(t)
	defer w.shelf.forget(t)
	return w.endTable(f, nid, t)
}

// writeStore writes the message store, 2.4.3, and the name-to-id map.
func (w *Writer) writeStore(f *file) error {
	b := &w.bag
	b.reset()
	// A version history of one entry: a GUID and a change number, as in Outlook's.
	history := append([]byte{1, 0, 0, 0}, f.key[:]...)
	b.data(pst.PidTagReplVersionHistory, append(history, 1, 0, 0, 0))
	b.number(pst.PidTagReplFlags, 0)
	b.data(pst.PidTagRecordKey, f.key[:])
	b.text(pst.PidTagDisplayName, w.opts.Name)
	// The four folders that are named below are there.
	b.number(pst.PidTagValidFolderMask, 0xC9)
	for _, e := range []struct {
		tag pst.Tag
		nid pst.NID
	}{
		{pst.PidTagIpmSubTreeEntryId, f.top.nid},
		{pst.PidTagIpmWastebasketEntryId, f.deleted.nid},
		{pst.PidTagCommonViewsEntryId, f.views.nid},
		{pst.PidTagFinderEntryId, f.finder.nid},
	} {
		b.data(e.tag, pst.StoreEntryID(f.key, e.nid))
	}
	b.number(pst.PidTagPstHasContents, 1)
	b.number(pst.PidTagPstVersion, 0x000E0011)
	b.number(pst.PidTagPstPassword, 0)
	if err := w.object(f, pst.NIDStore, b, 0); err != nil {
		return err
	}
	return w.object(f, pst.NIDNameMap, f.names.bag(), 0)
}

// writeSearch writes the nodes of searches, 2.4.8: the queues, which are empty, and
// the folder of the spam filter with its criteria and its table. The activity list
// names that folder, as in Outlook's files; scanpst misses it otherwise.
func (w *Writer) writeSearch(f *file) error {
	for _, nid := range []pst.NID{pst.NIDSearchManagement, pst.NIDSearchDomain, f.spam.nid.As(pst.NodeSearchQueue)} {
		f.v.node(nid, 0, 0, 0)
	}
	n := uint32(f.spam.nid)
	active, err := f.v.block([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	if err != nil {
		return err
	}
	f.v.node(pst.NIDSearchActivity, active, 0, 0)
	f.spam.properties(&w.bag)
	if err := w.object(f, f.spam.nid, &w.bag, f.spam.parent.nid); err != nil {
		return err
	}
	w.bag.reset()
	w.bag.number(pst.PidTagSearchCriteriaState, 0)
	if err := w.object(f, f.spam.nid.As(pst.NodeSearchCrit), &w.bag, 0); err != nil {
		return err
	}
	return w.tableNode(f, f.spam.nid.As(pst.NodeSearchTable), w.lay.search, nil)
}

// writeTables writes the templates, 2.7.1, and the tables of the store: the receive
// folder table says that items of any class go into the root folder.
func (w *Writer) writeTables(f *file) error {
	for _, t := range []struct {
		nid pst.NID
		lay *layout
	}{
		{pst.NIDHierarchyTemplate, w.lay.hierarchy},
		{pst.NIDContentsTemplate, w.lay.contents},
		{pst.NIDFAITemplate, w.lay.associated},
		{pst.NIDSearchContents, w.lay.search},
		{pst.NIDOutgoingQueue, w.lay.outgoing},
		{pst.NIDAttachments, w.lay.attachments},
		{pst.NIDRecipients, w.lay.recipients},
		{pst.NIDReplTable, w.lay.repl},
		{pst.NIDTombTable, w.lay.tomb},
		{pst.NIDPurgeTable, w.lay.purge},
	} {
		if err := w.tableNode(f, t.nid, t.lay, nil); err != nil {
			return err
		}
	}
	return w.tableNode(f, pst.NIDReceiveFolders, w.lay.receive, func(t *table) error {
		b := &w.bag
		b.reset()
		b.text(pst.PidTagMessageClass, "")
		b.number(pst.PidTagReceiveFolder, uint64(pst.NIDRoot))
		b.sorted()
		return t.add(1, 2, b.vals, b.arena)
	})
}
