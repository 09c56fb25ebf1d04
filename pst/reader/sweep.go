package reader

import "context"

// maxNamed is for how many damaged blocks it is looked up to which node they belong.
const maxNamed = 10_000

// Sweep reads every page of the two B-trees and every block of the file once, and
// gives each damage to fn; where that is of a block, then with the node that it
// belongs to, if one does. An error of fn ends it and is returned.
func (f *File) Sweep(ctx context.Context, fn func(*Damage) error) error {
	var stop error
	broken := map[uint64]*Damage{}
	var buf []byte
	n := 0
	f.bids(func(bid uint64, err error) bool {
		if n++; n&0xFF == 0 && ctx.Err() != nil {
			stop = ctx.Err()
			return false
		}
		if err == nil {
			var b []byte
			if b, err = f.readBlock(bid, buf, true); err == nil {
				buf = b
			}
		}
		d, ok := asDamage(err)
		switch {
		case ok && bid != 0 && len(broken) < maxNamed:
			broken[bid] = d
		case ok:
			stop = fn(d)
		default:
			stop = err
		}
		return stop == nil
	})
	if stop == nil {
		stop = f.blame(ctx, broken, fn)
	}
	if stop == nil {
		for _, d := range broken {
			if stop = fn(d); stop != nil {
				break
			}
		}
	}
	return stop
}

// bids gives the id of every block, in their order.
func (f *File) bids(yield func(bid uint64, err error) bool) {
	if f.found != nil {
		for _, b := range f.found.blocks {
			if !yield(b.bid, nil) {
				return
			}
		}
		return
	}
	f.each(f.bbt, blockPage, 0, func(e []byte, err error) bool {
		if err != nil {
			return yield(0, err)
		}
		return yield(f.l.get(e)&^1, nil)
	})
}

// blame finds the nodes that damaged blocks belong to, tells them, and takes them out
// of broken. It goes through the node tree too.
func (f *File) blame(ctx context.Context, broken map[uint64]*Damage, fn func(*Damage) error) error {
	var stop error
	left := f.size / 64 // blocks to look at: as many as the file has
	f.nodes(0, func(n node, err error) bool {
		switch d, ok := asDamage(err); {
		case ok:
			stop = fn(d)
		case err != nil:
			stop = err
		case ctx.Err() != nil:
			stop = ctx.Err()
		case len(broken) > 0 && left > 0:
			f.blocksOf(n, 0, &left, func(bid uint64) {
				if d, ok := broken[bid&^1]; ok && stop == nil {
					delete(broken, bid&^1)
					c := *d
					c.Node = n.nid
					stop = fn(&c)
				}
			})
		}
		return stop == nil
	})
	return stop
}

// blocksOf gives the ids of the blocks of a node and of its subnodes.
func (f *File) blocksOf(n node, depth int, left *int64, yield func(bid uint64)) {
	if *left--; *left < 0 || depth > maxNested {
		return
	}
	yield(n.data)
	if n.data != 0 && internal(n.data) {
		if t, err := f.tree(n.data); err == nil {
			f.blocksOfTree(t, left, yield)
		}
	}
	if n.sub == 0 {
		return
	}
	yield(n.sub)
	s := subs{f, n.sub}
	if l, err := s.list(n.sub); err == nil && l.level == 1 {
		for i := range l.n {
			yield(f.l.get(l.entry(i)[f.l.word:]))
		}
	}
	s.each(func(c node, err error) bool {
		if err == nil {
			f.blocksOf(c, depth+1, left, yield)
		}
		return *left > 0
	})
}

func (f *File) blocksOfTree(t *tree, left *int64, yield func(bid uint64)) {
	for _, x := range t.x {
		yield(x)
	}
	for i := 0; *left > 0; i++ {
		*left--
		bid, ok, err := t.bid(i)
		if err != nil || !ok {
			return
		}
		yield(bid)
	}
}
