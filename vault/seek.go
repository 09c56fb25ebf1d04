package vault

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"keepwatch"
)

// A walk that is for some entries only goes past the others in the list of
// contents alone, and reads the tree from where the next one begins: age opens
// every chunk on its own, the seek table says where in it the frame begins, the
// list of contents where in that. None of them is believed: the header there must
// be the one that the list speaks of, and the content is held against its SHA-256
// as ever. Where anything does not fit, the walk begins anew and reads all.

// near is how far ahead in the plain tar a place is read up to, instead of
// beginning to decompress there: that costs about as much.
const near = 4 << 20

// errAnew ends a walk that cannot go on by seeking.
var errAnew = errors.New("vault: the place is not where the list of contents says")

// seeker reads a sealed file at any place.
type seeker struct {
	ctx   context.Context
	path  string
	file  *os.File
	count func(int) // told of every byte read from disk
	disk  *failure  // of reading it for the last opener, or the end of ctx
	r     io.ReaderAt
	table *seekTable
}

// newSeeker opens a sealed file that has a seek table.
func newSeeker(ctx context.Context, path string, ids []age.Identity, count func(int)) (*seeker, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	s := &seeker{ctx: ctx, path: path, file: f, count: count, disk: &failure{}}
	if err := s.open(ids); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

func (s *seeker) open(ids []age.Identity) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	r, size, err := age.DecryptReaderAt(readerAtFunc(s.read), info.Size(), ids...)
	if err != nil {
		return err
	}
	s.r = r
	s.table, err = readSeekTable(r, size)
	return err
}

type readerAtFunc func([]byte, int64) (int, error)

func (f readerAtFunc) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }

// read takes sealed bytes from the disk.
func (s *seeker) read(p []byte, at int64) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		s.disk.set(err)
		return 0, err
	}
	n, err := s.file.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		s.disk.set(err)
	}
	if n > 0 {
		s.count(n)
	}
	return n, err
}

// openAt begins to decompress at a frame. The opener cannot be drained.
func (s *seeker) openAt(p tablePlace) (*opener, error) {
	s.disk = &failure{}
	o := &opener{ctx: s.ctx, disk: s.disk, chunk: chunk / 4} // less is read ahead that nobody wants
	o.decrypted.Store(p.compressed)
	in := io.NewSectionReader(s.r, p.compressed, s.table.begin-p.compressed)
	return o, o.unpack(o.ahead(readerFunc(func(b []byte) (int, error) {
		n, err := in.Read(b[:min(int64(len(b)), nextChunk(o.decrypted.Load())-o.decrypted.Load())])
		o.decrypted.Add(int64(n))
		return n, err
	})))
}

// counting counts what is read of a tree.
type counting struct {
	r io.Reader
	n int64 // where in the plain tar it is
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// passes reports whether an entry of the tree that nobody wants can be gone past
// without reading the tree.
func (w *walker) passes(e listed) bool {
	if !w.seek || e.at == nowhere || w.treeName != "" && e.In != w.treeName {
		return false
	}
	if w.seeker == nil {
		if _, ok := w.f.expect(e.In); !ok || !plainName(e.In) {
			return false
		}
		s, err := newSeeker(w.ctx, filepath.Join(w.f.dir, e.In), w.ids, w.read)
		if err != nil { // an old one, or what a walk through all of it will tell of
			w.seek = false
			return false
		}
		w.seeker, w.treeName, w.opened[e.In] = s, e.In, true
	}
	w.passed = true
	return true
}

// passesPath is passes for an entry of which no more than the path is known, once it is
// known that the tree has a table.
func (w *walker) passesPath(path string) bool {
	if !w.seek || w.seeker == nil || w.want == nil || w.want(keepwatch.Entry{Path: path, Type: keepwatch.EntryFile}) {
		return false
	}
	w.items++
	w.passed = true
	return true
}

// straight visits one entry of the tree, and needs no list of contents for that. It
// reports false where the entry is not found so, and the walk has to do it.
func (w *walker) straight(e listed, visit visitor) (bool, error) {
	w.prepare()
	defer w.closeSeeker()
	defer w.closeTree()
	w.items = 1
	if !w.passes(e) || w.seekTo(e) != nil {
		w.anew()
		return false, nil
	}
	return true, w.one(e, visit)
}

// seekTo brings the tree to an entry behind those that were passed, so that the
// header that comes next is that of the entry.
func (w *walker) seekTo(e listed) error {
	w.passed = false
	if e.at == nowhere || e.In != w.treeName {
		return errAnew
	}
	if w.tree == nil || e.at < w.plain.n || e.at-w.plain.n > near || !w.skipTo(e.at) {
		if err := w.reopen(e.at); err != nil {
			return err
		}
	}
	w.tar, w.header = tar.NewReader(w.plain), nil
	h, err := w.nextHeader()
	if want := header(e.Entry); err != nil || h.Name != want.Name || differs(h, want) != "" {
		return errAnew
	}
	w.header = h
	return nil
}

// skipTo reads on to a place of the plain tar.
func (w *walker) skipTo(at int64) bool {
	_, err := io.CopyBuffer(io.Discard, onlyReader{io.LimitReader(w.plain, at-w.plain.n)}, w.buf)
	return err == nil && w.plain.n == at
}

// reopen begins to read the tree in the frame that holds a place, and reads on to it.
func (w *walker) reopen(at int64) error {
	w.closeTree()
	p, err := w.seeker.table.find(at)
	if err != nil {
		return errAnew
	}
	w.tree, err = w.seeker.openAt(p)
	if err != nil {
		return errAnew
	}
	w.plain = &counting{w.tree, p.plain}
	if !w.skipTo(at) {
		return errAnew
	}
	return nil
}

// anew makes the walk one from the beginning, which reads all of the tree, and
// visits what it had not come to.
func (w *walker) anew() {
	w.closeTree()
	w.closeSeeker()
	w.seek, w.passed, w.visited = false, false, w.items-1
	w.items, w.bytes, w.ahead, w.blind = 0, 0, nil, false
	w.treeName, w.tar, w.header, w.treeLost = "", nil, nil, false
	w.opened = map[string]bool{}
}

func (w *walker) closeSeeker() {
	if w.seeker != nil {
		_ = w.seeker.file.Close()
		w.seeker = nil
	}
}
