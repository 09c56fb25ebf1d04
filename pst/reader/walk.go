package reader

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"

	"keepwatch/pst"
)

// Walk gives every folder once, parents first. A damaged folder comes beside its
// error; damage that belongs to no folder that can be named (a table of folders that
// breaks off) comes with nil. Neither ends the walk: an error of fn does, and one
// of the file below.
func (f *File) Walk(fn func(d *Folder, err error) error) error {
	return f.walk(f.newBudget(), fn)
}

// errFound ends a walk that has what it looked for.
var errFound = errors.New("found")

// Find gives the folder with a path of names, from below the root folder or from
// below that which Outlook shows as the file ([File.Top]), without regard to upper
// and lower case. It is nil where there is none; an error is one of the file below.
func (f *File) Find(path ...string) (*Folder, error) {
	top, err := f.Top()
	if err != nil && !isDamage(err) {
		return nil, err
	}
	below := top.Path()
	var found *Folder
	err = f.Walk(func(d *Folder, _ error) error {
		if d == nil {
			return nil
		}
		p := d.Path()
		same := func(p []string) bool { return slices.EqualFunc(p, path, strings.EqualFold) }
		if same(p) || len(p) > len(below) && slices.Equal(p[:len(below)], below) && same(p[len(below):]) {
			found = d
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return found, err
}

// budget bounds what a walk does by the size of the file: parts of it that are
// linked from many places are not gone through without an end.
type budget struct {
	rows   int64 // of all tables
	values int64 // bytes of values that are read to be looked through
	seen   map[pst.NID]bool
}

// A row has an entry of 6 bytes at least in an index. Copies that share their
// blocks are legal, so that values may be read several times over.
const (
	bytesOfRow  = 6
	moreRows    = 10_000
	valuesTimes = 8
	moreValues  = 64 << 20
)

func (f *File) newBudget() *budget {
	return &budget{rows: f.size/bytesOfRow + moreRows, values: valuesTimes*f.size + moreValues, seen: map[pst.NID]bool{}}
}

var errRows = &Damage{Text: "the tables of the file list more than it has room for: the same ones are linked from many folders"}

func (b *budget) row() error {
	if b.rows--; b.rows < 0 {
		return errRows
	}
	return nil
}

func (f *File) walk(b *budget, fn func(*Folder, error) error) error {
	root, err := f.Root()
	if err != nil && !isDamage(err) {
		return err
	}
	b.seen[root.nid] = true
	if err := walkBelow(b, root, err, fn); err != nil || f.found == nil {
		return err
	}
	return f.walkLost(b, root, fn)
}

// Lost are, after a Rescue, the uppermost of the folders that cannot be reached from the root
// folder: for whoever goes through [Folder.Folders]. Walk, Search and Summary have
// them at the end, below the root folder. A damaged one comes beside its error.
func (f *File) Lost() iter.Seq2[*Folder, error] {
	return func(yield func(*Folder, error) bool) {
		if f.found == nil {
			return
		}
		lost := func(d *Folder, err error) error {
			if d != nil && d.depth == 1 && !yield(d, err) {
				return errStop
			}
			return nil
		}
		b := f.newBudget()
		root, err := f.Root()
		if err == nil || isDamage(err) {
			b.seen[root.nid] = true
			err = walkBelow(b, root, nil, func(*Folder, error) error { return nil })
		}
		if err == nil {
			err = f.walkLost(b, root, lost)
		}
		if err != nil && err != errStop {
			yield(nil, err)
		}
	}
}

// walkLost gives, after a Rescue, the folders that cannot be reached from the root folder:
// those that no table lists, and those of which only the items know. They come below the
// root folder.
func (f *File) walkLost(b *budget, root *Folder, fn func(*Folder, error) error) error {
	all, err := f.childrenOf()
	if err != nil && !isDamage(err) {
		return err
	}
	lost := map[pst.NID]bool{}
	for _, c := range all {
		for _, n := range []pst.NID{c.parent, c.nid} {
			if t := n.Type(); t == pst.NodeFolder && !b.seen[n] {
				lost[n] = true
			}
		}
	}
	// Those that hang on a lost one come after it, and are given where it lists them.
	below := func(n pst.NID) int {
		if e, ok := f.found.node(n); ok && e.parent != n && lost[e.parent] {
			return 1
		}
		return 0
	}
	order := slices.SortedFunc(maps.Keys(lost), func(a, b pst.NID) int {
		return cmp.Or(cmp.Compare(below(a), below(b)), cmp.Compare(a, b))
	})
	for _, n := range order {
		if b.seen[n] {
			continue
		}
		b.seen[n] = true
		d := &Folder{f: f, nid: n, parent: root, depth: 1}
		err := d.load()
		if err != nil && !isDamage(err) {
			return err
		}
		if d.name == "" {
			d.name = "Lost folder " + n.String()
		}
		if err := walkBelow(b, d, err, fn); err != nil {
			return err
		}
	}
	return nil
}

func walkBelow(b *budget, d *Folder, err error, fn func(*Folder, error) error) error {
	if err := fn(d, err); err != nil {
		return err
	}
	for c, err := range d.Folders() {
		if err != nil && !isDamage(err) {
			return err
		}
		if err := b.row(); err != nil {
			return fn(nil, of(d.nid, err))
		}
		if c != nil && b.seen[c.nid] {
			c, err = nil, &Damage{Node: d.nid, Text: "the folder " + c.nid.String() + " is listed a second time"}
		}
		if c == nil {
			if err := fn(nil, err); err != nil {
				return err
			}
			continue
		}
		b.seen[c.nid] = true
		if err := walkBelow(b, c, err, fn); err != nil {
			return err
		}
	}
	return nil
}

// found is an item as a survey comes across it.
type found struct {
	Row
	hidden bool // it is associated with the folder
}

// survey is a walk that goes through the items too, by the tables, and where these
// are damaged by the node tree.
type survey struct {
	f      *File
	b      *budget
	want   func(pst.Tag) bool // which columns of the tables
	hidden bool               // hidden items too
	folder func(*Folder, error) error
	item   func(*Folder, found, error) error // a found without a Node is a damage of the folder
}

// errSkip leaves out the items of a folder.
var errSkip = errors.New("skip the items")

func (s *survey) run(ctx context.Context) error {
	return s.f.walk(s.b, func(d *Folder, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch err := s.folder(d, err); {
		case err == errSkip || d == nil && err == nil:
			return nil
		case err != nil:
			return err
		}
		if d.IsSearch() {
			return nil
		}
		if err := s.items(ctx, d, d.contents(), pst.NodeMessage); err != nil || !s.hidden {
			return err
		}
		return s.items(ctx, d, d.nid.As(pst.NodeFAIContents), pst.NodeAssociated)
	})
}

func (s *survey) items(ctx context.Context, d *Folder, table pst.NID, typ pst.NodeType) error {
	hidden := typ == pst.NodeAssociated
	last := int64(-1)
	for r, err := range d.rows(table, s.want) {
		if err != nil && !isDamage(err) {
			return err
		}
		if r.Node == 0 && err != nil {
			if err := s.item(d, found{hidden: hidden}, err); err != nil {
				return err
			}
			return s.byParent(ctx, d, last, typ)
		}
		last = int64(r.Node)
		if err := s.b.row(); err != nil {
			return s.item(d, found{hidden: hidden}, of(d.nid, err))
		}
		if err := s.item(d, found{r, hidden}, err); err != nil {
			return err
		}
		if s.b.rows&0xFF == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// byParent goes through the items of a folder behind the last that its table had.
func (s *survey) byParent(ctx context.Context, d *Folder, last int64, typ pst.NodeType) error {
	var stop error
	err := s.f.below(d.nid, last, func(n pst.NID) bool {
		m, err := s.f.Message(n)
		r := Row{Node: n}
		if err == nil {
			r.Properties, err = m.c.properties(m.codepage, func(e entry) bool { return !s.want(pst.NewTag(e.id, e.typ)) })
		}
		if err != nil && !isDamage(err) {
			stop = err
			return false
		}
		if stop = ctx.Err(); stop == nil {
			stop = s.item(d, found{r, typ == pst.NodeAssociated}, err)
		}
		return stop == nil
	}, typ)
	if stop == nil {
		stop = err
	}
	return stop
}
