package reader

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"keepwatch/pst"
)

// maxDepth is how deep folders are followed. Outlook ends at about 300 levels of
// what it can show; no file needs as many.
const maxDepth = 256

// Folder is a folder of a file. It stays usable where a part of it is damaged.
type Folder struct {
	f      *File
	nid    pst.NID
	parent *Folder
	depth  int
	name   string
	class  string
	count  int
	unread int
}

// Node is its id.
func (d *Folder) Node() pst.NID { return d.nid }

// Name is what people see. That of the root folder is empty.
func (d *Folder) Name() string { return d.name }

// Class is the kind of items in it: IPF.Note, IPF.Contact, IPF.Appointment; empty
// where the folder has none.
func (d *Folder) Class() string { return d.class }

// Count is how many items it says that it has, without those in its subfolders.
func (d *Folder) Count() int { return d.count }

// Unread is how many of them it says that nobody has read.
func (d *Folder) Unread() int { return d.unread }

// IsSearch tells whether it is a search folder: the items that it lists lie in
// others.
func (d *Folder) IsSearch() bool { return d.nid.Type() == pst.NodeSearchFolder }

// Path are the names from below the root folder down to itself.
func (d *Folder) Path() []string {
	var p []string
	for ; d != nil && d.nid != pst.NIDRoot; d = d.parent {
		p = append(p, d.name)
	}
	slices.Reverse(p)
	return p
}

// Properties are all that it has. What can be read comes also beside an error.
func (d *Folder) Properties() (pst.Properties, error) {
	n, err := d.f.node(d.nid)
	if err != nil {
		return nil, err
	}
	c, err := d.f.context(n, d.nid)
	if err != nil {
		return nil, err
	}
	return c.properties(c.codepage(d.f.o.Codepage), nil)
}

// load fills in what the folder says of itself.
func (d *Folder) load() error {
	n, err := d.f.node(d.nid)
	if err != nil {
		return err
	}
	c, err := d.f.context(n, d.nid)
	if err != nil {
		return err
	}
	page := c.codepage(d.f.o.Codepage)
	text := func(t pst.Tag) string {
		e, ok := c.find(t.ID())
		if !ok || e.typ != pst.String && e.typ != pst.String8 {
			return ""
		}
		p, wrong := c.value(e, page)
		if wrong != nil {
			err = wrong
		}
		s, _ := p.Value.(string)
		return s
	}
	d.name, d.class = text(pst.PidTagDisplayName), text(pst.PidTagContainerClass)
	d.count, d.unread = max(0, int(c.number(pst.PidTagContentCount))), max(0, int(c.number(pst.PidTagContentUnreadCount)))
	return err
}

// Store are the properties of the file itself (node 0x21).
func (f *File) Store() (pst.Properties, error) {
	n, err := f.node(pst.NIDStore)
	if err != nil {
		return nil, err
	}
	c, err := f.context(n, pst.NIDStore)
	if err != nil {
		return nil, err
	}
	return c.properties(c.codepage(f.o.Codepage), nil)
}

// Root is the root folder (node 0x122), which lists all others. It comes also
// beside an error that is a *Damage of itself: what lies below it may still be found.
func (f *File) Root() (*Folder, error) { return f.Folder(pst.NIDRoot) }

// Folder is that with an id. It knows of none that it lies in. It comes also beside
// an error that is a *Damage.
func (f *File) Folder(n pst.NID) (*Folder, error) {
	d := &Folder{f: f, nid: n}
	err := d.load()
	if err != nil && !isDamage(err) {
		return nil, err
	}
	return d, err
}

// Top is the folder that Outlook shows as the file, the IPM subtree; the root
// folder where there is none.
func (f *File) Top() (*Folder, error) {
	root, err := f.Root()
	if err != nil && root == nil {
		return nil, err
	}
	n := pst.NIDIPMSubtree
	if ps, err := f.Store(); err == nil || isDamage(err) {
		if b := ps.Bytes(pst.PidTagIpmSubTreeEntryId); len(b) == 24 {
			n = pst.NID(binary.LittleEndian.Uint32(b[20:]))
		}
	}
	if n.Type() != pst.NodeFolder || n == pst.NIDRoot {
		return root, err
	}
	top, err := f.Folder(n)
	if errors.Is(err, errNoNode) {
		return f.Root()
	}
	if top != nil {
		top.parent, top.depth = root, 1
	}
	return top, err
}

// Folders are those right below it. A damaged one comes beside its error; where the
// table of them is damaged, that is told first, and then they come as the node
// tree has them.
func (d *Folder) Folders() iter.Seq2[*Folder, error] {
	return func(yield func(*Folder, error) bool) {
		if d.IsSearch() {
			return
		}
		if d.depth >= maxDepth {
			yield(nil, &Damage{Node: d.nid, Text: "the folders lie deeper in one another than in any real file"})
			return
		}
		goOn := true
		one := func(n pst.NID, t *table, row int) bool {
			c := &Folder{f: d.f, nid: n, parent: d, depth: d.depth + 1}
			err := c.load()
			if isDamage(err) && c.name == "" && t != nil {
				c.name = t.nameOf(row)
			}
			goOn = yield(c, err) && (err == nil || isDamage(err))
			return goOn
		}
		last := int64(-1)
		t, err := d.f.openTable(d.nid.As(pst.NodeHierarchy))
		if err == nil {
			err = t.each(func(n pst.NID, row int) bool {
				last = int64(n)
				return one(n, t, row)
			})
		}
		if err == nil || !goOn || !yield(nil, of(d.nid, err)) || !isDamage(err) {
			return
		}
		// The root folder is its own parent.
		other := func(n pst.NID) bool { return n == d.nid || one(n, nil, 0) }
		if err := d.f.below(d.nid, last, other, pst.NodeFolder, pst.NodeSearchFolder); err != nil {
			yield(nil, err)
		}
	}
}

// nameOf is the name that a row of the table of folders has for one that is damaged itself.
func (t *table) nameOf(row int) string {
	ps, _ := t.properties(row, t.h.t.f.o.Codepage, func(t pst.Tag) bool { return t.ID() == pst.PidTagDisplayName.ID() })
	return ps.Text(pst.PidTagDisplayName) // what is wrong with the row is told by who lists it
}

// listed gives the ids of the rows of a table until yield says false, and the
// last that it gave: where the table breaks off, all up to that were given.
func (f *File) listed(table pst.NID, yield func(pst.NID) bool) (last int64, err error) {
	last = -1
	t, err := f.openTable(table)
	if err != nil {
		return last, err
	}
	return last, t.each(func(id pst.NID, _ int) bool {
		last = int64(id)
		return yield(id)
	})
}

func (f *File) openTable(n pst.NID) (*table, error) {
	e, err := f.node(n)
	if err != nil {
		return nil, err
	}
	return f.table(e, n)
}
