package reader

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"keepwatch/pst"
)

// Orphan is a folder or an item that the tables and the node tree of a file do not
// agree on.
type Orphan struct {
	Node    pst.NID
	Folder  pst.NID // the folder that lists it, or that the node tree has it in
	Missing bool    // a table lists it, and the node tree does not have it; otherwise the other way round
}

// errStop ends a survey without being an error.
var errStop = errors.New("stop")

// Orphans are what no folder lists but the node tree has, and rows without an
// item: what is lost to whoever goes through the folders. [File.Message] and
// [File.Folder] open the former. Damage on the way comes as errors. It takes 16
// bytes of memory for each item.
func (f *File) Orphans() iter.Seq2[Orphan, error] {
	return func(yield func(Orphan, error) bool) {
		c := census{f: f, b: f.newBudget()}
		say := func(err error) error {
			if err != nil && !yield(Orphan{}, err) {
				return errStop
			}
			return nil
		}
		s := survey{f: f, b: c.b, hidden: true,
			want:   func(pst.Tag) bool { return false },
			folder: func(_ *Folder, err error) error { return say(err) },
			item: func(d *Folder, it found, err error) error {
				c.add(d, it)
				return say(err)
			},
		}
		err := s.run(context.Background())
		if err == nil {
			err = c.orphans(func(o Orphan, err error) bool { return yield(o, err) })
		}
		if err != nil && err != errStop {
			yield(Orphan{}, err)
		}
	}
}

// census compares what was listed with what there is.
type census struct {
	f      *File
	b      *budget
	listed []child
}

func (c *census) add(d *Folder, it found) {
	if it.Node != 0 {
		c.listed = append(c.listed, child{d.nid, it.Node})
	}
}

func byNode(a, b child) int { return cmp.Compare(a.nid, b.nid) }

func (c *census) orphans(yield func(Orphan, error) bool) error {
	tree, err := c.f.childrenOf()
	if err != nil {
		if !isDamage(err) {
			return err
		}
		if !yield(Orphan{}, err) {
			return nil
		}
	}
	tree = slices.SortedFunc(slices.Values(tree), byNode)
	slices.SortFunc(c.listed, byNode)
	listed := c.listed
	missing := func(below int64) bool {
		for ; len(listed) > 0 && int64(listed[0].nid) < below; listed = listed[1:] {
			if !yield(Orphan{Node: listed[0].nid, Folder: listed[0].parent, Missing: true}, nil) {
				return false
			}
		}
		return true
	}
	for _, n := range tree {
		if !missing(int64(n.nid)) {
			return nil
		}
		known := c.b.seen[n.nid] || n.nid.Type() == pst.NodeSearchFolder
		for ; len(listed) > 0 && listed[0].nid == n.nid; listed = listed[1:] {
			known = true
		}
		if !known && !yield(Orphan{Node: n.nid, Folder: n.parent}, nil) {
			return nil
		}
	}
	missing(1 << 32)
	return nil
}
