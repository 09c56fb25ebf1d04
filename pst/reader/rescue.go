package reader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"keepwatch/pst"
)

// ErrNothing is what Rescue says of a file in which there is no node: either it is no
// Outlook data file, or nothing of it can be saved.
var ErrNothing = errors.New("there is nothing in it that an Outlook data file has")

// Rescue opens a file for whoever wants out of it what is left. Open believes the header
// and goes down from the root pages: where one of them is damaged, all is lost. Rescue
// reads the whole file once, and knows pages and blocks by their own trailers:
//
//   - the header may be damaged, or overwritten, or that of a longer file
//   - nodes below a damaged page of the node tree come from the newest copy of their page,
//     of which Outlook leaves old ones behind: they may be a little older, or deleted
//   - blocks are found where they lie, with or without the block tree
//   - a block of which the checksum alone does not fit is used all the same: a text with a
//     wrong letter is better than none. [File.Sweep] tells them
//
// [File.Wrong] says what had to be done without. Rescue takes 24 bytes of memory for each
// block of the file and 40 for each node. Its error is one that is ErrNothing,
// ErrUnsupported or of ctx, or one of r.
func Rescue(ctx context.Context, r io.ReaderAt, size int64, o Options) (*File, error) {
	o.Truncated = true
	f, err := Open(r, size, o)
	if errors.Is(err, ErrUnsupported) {
		return nil, err
	}
	if err == nil {
		return f, f.rescue(ctx)
	}
	broken, ok := errors.AsType[*pst.HeaderError](err)
	if !ok {
		return nil, err
	}
	for _, format := range guesses(r) {
		f := newFile(r, size, o, pst.Header{Format: format, Size: size})
		if f.headless(); f.wrong == nil {
			f.wrong = []*Damage{{Text: broken.Text, Err: broken}}
		}
		if err = f.rescue(ctx); !errors.Is(err, ErrNothing) {
			return f, err
		}
	}
	return nil, err
}

// guesses are the formats that a file may have whose header cannot be believed: what it
// says first.
func guesses(r io.ReaderAt) []pst.Format {
	var b [12]byte
	n, _ := r.ReadAt(b[:], 0)
	if v := binary.LittleEndian.Uint16(b[10:]); n == len(b) && (v == 14 || v == 15) {
		return []pst.Format{pst.ANSI, pst.Unicode}
	}
	return []pst.Format{pst.Unicode, pst.ANSI}
}

// headless takes from a header that is damaged what may still be good: the roots, which
// are proven as each page is.
func (f *File) headless() {
	b := make([]byte, 4*f.l.word)
	if f.readAt(b, f.rootsAt()) == nil {
		f.nbt, f.bbt = f.l.ref(b), f.l.ref(b[2*f.l.word:])
	}
	at := int64(513)
	if f.header.Format == pst.ANSI {
		at = 461
	}
	if f.readAt(b[:1], at) == nil {
		f.header.Crypt = pst.Crypt(b[0])
	}
}

// rescue makes the index.
func (f *File) rescue(ctx context.Context) error {
	s := scan{f: f}
	headless := len(f.wrong) > 0
	blocksWhole, nodesWhole := true, true
	var failed error
	blame := func(whole *bool, err error) bool {
		*whole = false
		d, ok := asDamage(err)
		if !ok {
			failed = err
		} else if len(f.wrong) < maxWrong {
			f.wrong = append(f.wrong, d)
		}
		return ok
	}
	f.each(f.bbt, blockPage, 0, func(e []byte, err error) bool {
		if err == nil {
			at := f.l.ref(e)
			s.blocks = append(s.blocks, place{at.bid &^ 1, at.ib, binary.LittleEndian.Uint16(e[2*f.l.word:])})
			return ctx.Err() == nil
		}
		return blame(&blocksWhole, err)
	})
	f.nodes(0, func(n node, err error) bool {
		if err == nil {
			s.nodes = append(s.nodes, aged{n, ^uint64(0)})
			return ctx.Err() == nil
		}
		return blame(&nodesWhole, err)
	})
	if failed != nil {
		return failed
	}
	if headless && len(s.blocks)+len(s.nodes) == 0 {
		f.wrong = f.wrong[:1] // the roots were those of no header
	}
	if s.whole = nodesWhole && len(s.nodes) > 0; !s.whole || !blocksWhole || len(s.blocks) == 0 {
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	found := &index{nodes: s.choose(), blocks: s.places()}
	if len(found.nodes) == 0 || len(found.blocks) == 0 {
		return ErrNothing
	}
	f.found = found
	f.guessCrypt()
	return ctx.Err()
}

// Intact tells whether every page of the two trees of a file can be read: where one
// cannot, Rescue may find more than there is without it. It reads these pages alone. Its
// error is one of ctx, or one of the file below.
func (f *File) Intact(ctx context.Context) (bool, error) {
	var wrong error
	see := func(err error) bool {
		if wrong = err; wrong == nil {
			wrong = ctx.Err()
		}
		return wrong == nil
	}
	f.each(f.bbt, blockPage, 0, func(_ []byte, err error) bool { return see(err) })
	if wrong == nil {
		f.each(f.nbt, nodePage, 0, func(_ []byte, err error) bool { return see(err) })
	}
	if isDamage(wrong) {
		return false, nil
	}
	return wrong == nil, wrong
}

// maxWrong is how much of what is wrong with the trees is kept.
const maxWrong = 1000

// Wrong is what Rescue had to do without: the header, pages of the trees. It is empty
// after Open, and where all was whole.
func (f *File) Wrong() []*Damage { return slices.Clone(f.wrong) }

// guessCrypt finds out how the data are encoded, from the signatures of heaps, where the
// header does not say what fits.
func (f *File) guessCrypt() {
	said := f.header.Crypt
	best, most := said, 0
	for _, c := range []pst.Crypt{said, pst.CryptPermute, pst.CryptNone, pst.CryptCyclic} {
		f.header.Crypt = c
		f.blocks = cache[uint64, []byte]{max: maxBlocks}
		hits := 0
		for i, n := range f.found.nodes {
			if i >= 200 {
				break
			}
			if n.data == 0 || internal(n.data) {
				continue
			}
			if b, err := f.block(n.data); err == nil && len(b) >= 12 && b[2] == 0xEC {
				hits++
			}
		}
		if hits > most {
			best, most = c, hits
		}
	}
	if f.header.Crypt = best; best != said {
		f.wrong = append(f.wrong, &Damage{Text: fmt.Sprintf("the header says that the data are %v; they are %v", said, best)})
	}
	f.blocks = cache[uint64, []byte]{max: maxBlocks}
}
