package graphtest

import "slices"

// Move puts an item into another folder: another id unless it is an immutable one, and a
// removal in the delta of the folder that it leaves.
func (i *Item) Move(to *Folder) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	i.move(to)
}

func (i *Item) move(to *Folder) {
	if i.gone {
		return
	}
	i.at.give(i, "changed")
	i.moves++
	i.version++
	if to.kind != i.kind {
		i.at = to
		return
	}
	to.take(i, created)
}

// Trash moves an item to the deleted ones. A contact or an event there is in no list here,
// and its immutable id still finds it (learn.microsoft.com/graph/outlook-immutable-id: "that
// immutable ID will NOT change if the item is moved to a different folder in the mailbox").
// How Exchange lists one among the messages of that folder is not documented.
func (i *Item) Trash() { i.Move(i.box.known["deleteditems"]) }

// Delete deletes an item for good.
func (i *Item) Delete() {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	i.delete()
}

func (i *Item) delete() {
	if !i.gone {
		i.at.give(i, "deleted")
		i.gone = true
	}
}

// Update changes a message.
func (i *Item) Update(change func(m *Message)) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	m := i.content()
	change(&m)
	i.message = &m
	i.touch(true)
}

// SetRead changes the read state alone, which delta queries of the vendor do not always
// show.
func (i *Item) SetRead(read bool) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	m := i.content()
	m.Read = read
	i.message = &m
	i.touch(!i.box.tenant.opts.HideReadChanges)
}

// UpdateContact changes a contact.
func (i *Item) UpdateContact(change func(c *Contact)) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	change(i.contact)
	i.touch(true)
}

// UpdateEvent changes an event.
func (i *Item) UpdateEvent(change func(e *Event)) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	change(i.event)
	i.touch(true)
}

// Rename gives a folder another name; its id stays.
func (f *Folder) Rename(label string) {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	f.name = label
	f.box.note(f, updated)
}

// Hide makes a folder a hidden one.
func (f *Folder) Hide() *Folder {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	f.hidden = true
	f.box.note(f, updated)
	return f
}

// Move puts a folder with all that is in it below another one. Ids stay.
func (f *Folder) Move(to *Folder) {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	f.leave()
	f.parent = to
	to.children = append(to.children, f)
	f.box.note(f, updated)
}

// Delete deletes a folder for good, with all that is in it.
func (f *Folder) Delete() {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	f.leave()
	f.end()
}

func (f *Folder) leave() {
	if f.parent != nil {
		f.parent.children = slices.DeleteFunc(f.parent.children, func(c *Folder) bool { return c == f })
	}
}

func (f *Folder) end() {
	f.gone = true
	f.box.note(f, removed)
	for _, i := range f.items {
		i.gone = true
	}
	f.items = nil
	for _, c := range f.children {
		c.end()
	}
}
