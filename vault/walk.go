package vault

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"keepwatch"
)

// content is the content of one entry while it is walked. Reading it hashes it.
type content struct {
	r    io.Reader
	sum  hash.Hash
	n    int64
	err  error // of reading, io.EOF aside
	tick func()
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	c.tick()
	return n, err
}

// matches reads what is left and reports whether all of it is what the entry
// says. An error is one of reading.
func (c *content) matches(e keepwatch.Entry, buf []byte) (bool, error) {
	for c.err == nil {
		if _, err := c.Read(buf); errors.Is(err, io.EOF) {
			break
		}
	}
	return c.is(e), c.err
}

// is reports whether what was read by now is what the entry says.
func (c *content) is(e keepwatch.Entry) bool {
	return c.n == e.Size && hex.EncodeToString(c.sum.Sum(nil)) == e.SHA256
}

type onlyReader struct{ io.Reader }

// visitor is called with every entry. For a file, body gives its content; what
// it leaves unread is read by the walker, and compared. after is told whether
// the content was as the list says. An error ends the walk.
type visitor func(e keepwatch.Entry, body *content) (after func(ok bool) error, err error)

// walker goes through an archive in the order of its list of contents, with the
// tree and the single files in step. Its memory does not grow with the archive.
type walker struct {
	f    *Folder
	ctx  context.Context
	ids  []age.Identity
	tell func(p keepwatch.Finding)   // told of what is wrong; it must not block
	note func(keepwatch.Note) error  // told of notes; nil: nobody is
	want func(keepwatch.Entry) bool  // what is visited; nil: everything
	lost func(keepwatch.Entry) error // told of what cannot be read because of damage before it; nil: nobody is
	tick func()                      // called often, from the walking goroutine
	read func(n int)                 // told of bytes read from disk, from any goroutine
	done func() bool                 // ends the walk early; nil: never

	check bool // places and seek table are held against what is there; with mend or seek it says nothing
	seek  bool // what nobody wants is not read, where the archive has a seek table

	buf    []byte
	list   *contentsReader
	ahead  *aheadEntry // what comes after the entry in hand, where it was looked at
	blind  bool        // the list of contents could not be read to its end
	items  int64       // entries in the list
	bytes  int64       // content of those
	got    map[string]keepwatch.SealedFile
	opened map[string]bool

	seeker  *seeker // of the tree; nil: nothing was passed yet
	passed  bool    // the tree is not read up to the entries that came last
	visited int64   // entries that were dealt with before the walk began anew

	tree     *opener
	treeName string
	watch    *frameWatch // what the tree is held against; nil: nothing
	plain    *counting   // the plain tar
	begun    int64       // where in that the header began that was read last
	tar      *tar.Reader
	header   *tar.Header // read from the tree and not yet used
	treeLost bool        // the tree cannot be read on

	mend     bool      // after damage in the tree, look for what can be read behind it
	behind   *salvager // reads what is behind it
	resumeAt int64     // the number of the entry from which the tree can be read again; 0: none
}

type aheadEntry struct {
	listed
	err error
}

// problem tells of what is wrong, unless that is only that ctx has ended.
func (w *walker) problem(p keepwatch.Finding) {
	if w.ctx.Err() == nil {
		w.tell(p)
	}
}

// walk calls visit with every entry. An error means that the walk was ended
// (by visit, note or ctx) or that the key is the wrong one; what is wrong with
// the archive goes to w.problem.
func (w *walker) walk(visit visitor) error {
	w.prepare()
	defer w.closeSeeker()
	defer w.closeTree()
	err := w.through(visit)
	if errors.Is(err, errAnew) && w.ctx.Err() == nil {
		w.anew()
		err = w.through(visit)
	}
	if cause := context.Cause(w.ctx); cause != nil && (err == nil || errors.Is(err, errAnew)) {
		return cause
	}
	return err
}

// through goes once through the list of contents. errAnew: it has to be done again,
// without seeking.
func (w *walker) through(visit visitor) error {
	list, err := w.open(contentsName, true, nil)
	if err != nil || list == nil {
		w.blind = true
		return err
	}
	defer list.Close()
	w.list = newContentsReader(list, w.note)
	w.list.pass = w.passesPath
	early := false
	for !early {
		if err := context.Cause(w.ctx); err != nil {
			return err
		}
		e, err := w.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if w.list.refused != nil {
				return w.list.refused
			}
			w.damaged(list, contentsName, "", err)
			w.blind = true
			break
		}
		w.items++
		w.bytes += e.Size
		if err := w.one(e, visit); err != nil {
			return err
		}
		early = w.done != nil && w.done()
	}
	if !early {
		w.endTree()
		w.finish(list, contentsName)
	}
	return nil
}

// prepare makes what every walk needs.
func (w *walker) prepare() {
	w.buf, w.opened = make([]byte, chunk), map[string]bool{}
	if w.got == nil {
		w.got = map[string]keepwatch.SealedFile{}
	}
}

// next gives the next entry of the list of contents.
func (w *walker) next() (listed, error) {
	if a := w.ahead; a != nil {
		w.ahead = nil
		return a.listed, a.err
	}
	return w.list.next()
}

// one walks one entry.
func (w *walker) one(e listed, visit visitor) error {
	wanted := w.items > w.visited && (w.want == nil || w.want(e.Entry))
	if e.form != formTree {
		return w.single(e, wanted, visit)
	}
	if !wanted && w.passes(e) {
		return nil
	}
	if w.passed {
		if err := w.seekTo(e); err != nil {
			return err
		}
	}
	if !w.toEntry(e) {
		if wanted {
			return w.lose(e)
		}
		return nil
	}
	if !wanted {
		return nil
	}
	if e.Type != keepwatch.EntryFile {
		_, err := visit(e.Entry, nil)
		return err
	}
	ok, readErr, err := w.visit(e.Entry, w.tar, visit)
	if readErr != nil {
		w.loseTree(e.Path, readErr, w.items+1)
	} else if !ok {
		w.problem(finding("content", e.Path, "%q in %s is damaged: its content is not what the list of contents says.", e.Path, e.In))
	}
	return err
}

// lose tells of a wanted entry that cannot be read, unless that is only that ctx has
// ended: nobody may take that for damage.
func (w *walker) lose(e listed) error {
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	if w.lost == nil {
		return nil
	}
	return w.lost(e.Entry)
}

// visit hands a file to the visitor. readErr is one of reading the archive.
func (w *walker) visit(e keepwatch.Entry, src io.Reader, visit visitor) (ok bool, readErr, err error) {
	body := &content{r: src, sum: sha256.New(), tick: w.tick}
	after, err := visit(e, body)
	if err != nil {
		return false, nil, err
	}
	ok, readErr = body.matches(e, w.buf)
	if after != nil {
		err = after(ok && readErr == nil)
	}
	return ok, readErr, err
}

// single walks a file that lies on its own.
func (w *walker) single(e listed, wanted bool, visit visitor) error {
	if w.opened[e.In] || e.In == w.treeName {
		w.problem(finding("damaged", contentsName, "%s says that %q lies in %q, which holds something else.", contentsName, e.Path, e.In))
		return nil
	}
	if !wanted {
		return nil
	}
	var watch *frameWatch
	if w.check && e.form == formZstd {
		watch = newFrameWatch()
	}
	o, err := w.open(e.In, e.form == formZstd, watch)
	if err != nil {
		return err
	}
	if o == nil {
		return w.lose(e) // named already; the others may be whole
	}
	defer o.Close()
	plain := &counting{r: o}
	ok, readErr, err := w.visit(e.Entry, plain, visit)
	if readErr != nil {
		w.damaged(o, e.In, e.Path, readErr)
	} else if !ok {
		w.problem(finding("content", e.Path, "%q in %s is damaged: its content is not what the list of contents says.", e.Path, e.In))
	}
	if readErr == nil && err == nil {
		w.checkTable(watch, e.In, plain.n)
	}
	w.finish(o, e.In)
	return err
}

// open opens a sealed file. nil without an error means that it cannot be, and
// that the problem has been told. watch is as for openSealed.
func (w *walker) open(name string, compressed bool, watch *frameWatch) (*opener, error) {
	w.opened[name] = true
	if _, ok := w.f.expect(name); !ok || !plainName(name) {
		w.problem(finding("missing", name, "%q, which the list of contents names, is not among the archive's files.", name))
		return nil, nil
	}
	o, err := openSealed(w.ctx, filepath.Join(w.f.dir, name), w.ids, compressed, w.read, watch)
	if err == nil {
		return o, nil
	}
	if o == nil {
		w.problem(cannotRead(name, err))
		return nil, nil
	}
	defer o.Close()
	w.finish(o, name)
	if wrong := w.f.keys.wrongKey(w.f.to, err); wrong != nil {
		if got, ok := w.got[name]; ok && !w.f.differs(got) {
			return nil, wrong
		}
	}
	w.damaged(o, name, "", err)
	return nil, nil
}

// cannotRead says that a sealed file cannot be read at all.
func cannotRead(name string, err error) keepwatch.Finding {
	if errors.Is(err, os.ErrNotExist) {
		return finding("missing", name, "%s is missing.", name)
	}
	return finding("unreadable", name, "%s cannot be read: %v.", name, err)
}

// damaged tells that a sealed file cannot be read on, and where.
func (w *walker) damaged(o *opener, name, at string, err error) {
	rule, what := "damaged", "is damaged"
	if disk := o.disk.get(); disk != nil {
		rule, what, err = "unreadable", "cannot be read from the disk", disk
	}
	if at != "" {
		what += fmt.Sprintf(" at %q", at)
	}
	w.problem(finding(rule, name, "%s %s: %v.", name, what, err))
}

// finish reads a sealed file to its true end and keeps its hash.
func (w *walker) finish(o *opener, name string) {
	if err := o.drain(); err != nil {
		w.damaged(o, name, "", err)
		return
	}
	got := o.sealed()
	got.Name = name
	w.got[name] = got
	w.tick()
}
