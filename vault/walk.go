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
	"strings"

	"keepwatch"
)

// Folder is one archive's folder, opened for reading.
type Folder struct {
	dir    string
	sealed []keepwatch.SealedFile // what must lie in it, manifest and sums aside
	keys   keys
	to     []string // recipients that it was sealed to
}

// OpenFolder opens an archive by its folder, without a vault: for those who
// have nothing left but the archive and the key.
func OpenFolder(dir, identityFile string) (*Folder, error) {
	ids, _, err := readIdentities(identityFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no key file %s. Without the key that it was sealed to, an archive cannot be opened.", identityFile).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return openFolder(dir, keys{identities: ids, file: identityFile})
}

func openFolder(dir string, k keys) (*Folder, error) {
	m, _, err := readManifest(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, keepwatch.Errorf(keepwatch.KindNotFound, "%s is no archive: it has no %s.", dir, manifestName).Because(err)
	}
	if err != nil {
		if keepwatch.Sentence(err) != "" {
			return nil, err
		}
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "The %s in %s is damaged (%v). The sealed files may still be whole: see `sha256sum -c %s`.", manifestName, dir, err, sumsName).Because(err)
	}
	return &Folder{dir: dir, sealed: m.Sealed, keys: k, to: m.Recipients}, nil
}

// expect gives what is known of a sealed file.
func (f *Folder) expect(name string) (keepwatch.SealedFile, bool) {
	for _, s := range f.sealed {
		if s.Name == name {
			return s, true
		}
	}
	return keepwatch.SealedFile{}, false
}

func isZstd(name string) bool { return strings.HasSuffix(name, ".zst.age") }
func isTree(name string) bool { return strings.HasSuffix(name, ".tar.zst.age") }

// content is the content of one entry while it is walked. Reading it to its end
// hashes it.
type content struct {
	r   io.Reader
	sum hash.Hash
	n   int64
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// matches reads what is left and compares it with what the entry says.
func (c *content) matches(e keepwatch.Entry, buf []byte) error {
	if _, err := io.CopyBuffer(io.Discard, onlyReader{c}, buf); err != nil {
		return err
	}
	if got := hex.EncodeToString(c.sum.Sum(nil)); c.n != e.Size || got != e.SHA256 {
		return errContent
	}
	return nil
}

type onlyReader struct{ io.Reader }

var errContent = errors.New("its content is not what the list of contents says")

// walker goes through an archive in the order of its list of contents, with the
// tree and the single files in step. Its memory does not grow with the archive.
type walker struct {
	f       *Folder
	ctx     context.Context
	count   func(int)                  // told of bytes read from disk
	problem func(p keepwatch.Finding)  // told of what is wrong
	note    func(keepwatch.Note) error // told of notes; nil
	buf     []byte

	tree     *opener
	treeName string
	tar      *tar.Reader
	opened   map[string]bool
}

func finding(rule, what, format string, args ...any) keepwatch.Finding {
	return keepwatch.Finding{Rule: rule, What: what, Text: fmt.Sprintf(format, args...)}
}

// walk calls visit with every entry. For a file, body gives its content; what
// visit leaves unread is read by walk, and compared. after is told whether the
// content was as the list says. An error ends the walk; what is merely wrong
// with the archive goes to w.problem, and damaged reports whether it kept the
// walk from going on.
func (w *walker) walk(visit func(e keepwatch.Entry, body *content) (after func(ok bool) error, err error)) (damaged bool, err error) {
	w.buf, w.opened = make([]byte, chunk), map[string]bool{contentsName: true}
	defer w.closeTree()
	list, err := w.open(contentsName)
	if err != nil || list == nil {
		return true, err
	}
	defer list.Close()
	entries := newContentsReader(list, w.note)
	for {
		if err := context.Cause(w.ctx); err != nil {
			return false, err
		}
		e, err := entries.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			w.problem(finding("damaged", contentsName, "%s cannot be read: %v.", contentsName, err))
			list.skipRest()
			w.finish(list, contentsName)
			return true, w.finishTree(true)
		}
		if stop, err := w.one(e, visit); err != nil || stop {
			list.skipRest()
			w.finish(list, contentsName)
			return true, errors.Join(err, w.finishTree(true))
		}
	}
	w.finish(list, contentsName)
	return false, w.finishTree(false)
}

// one walks one entry. stop means that the walk cannot go on.
func (w *walker) one(e keepwatch.Entry, visit func(keepwatch.Entry, *content) (func(bool) error, error)) (stop bool, err error) {
	var src io.Reader
	var single *opener
	switch {
	case isTree(e.In) && (w.tar == nil || w.treeName == e.In):
		if src, err = w.nextInTree(e); err != nil || src == nil {
			return true, err
		}
	default:
		if e.Type != keepwatch.EntryFile || w.opened[e.In] {
			w.problem(finding("damaged", contentsName, "%s says that %q lies in %q, which cannot be.", contentsName, e.Path, e.In))
			return true, nil
		}
		if single, err = w.open(e.In); err != nil {
			return true, err
		}
		if single == nil {
			return false, nil // named already; the others may be whole
		}
		defer single.Close()
		src = single
	}
	if e.Type != keepwatch.EntryFile {
		_, err := visit(e, nil)
		return false, err
	}
	body := &content{r: src, sum: sha256.New()}
	after, err := visit(e, body)
	if err != nil {
		return true, err
	}
	bad := body.matches(e, w.buf)
	if bad != nil {
		w.problem(finding("content", e.Path, "%q in %s is damaged: %v.", e.Path, e.In, bad))
	}
	if single != nil {
		w.finish(single, e.In)
	}
	if after != nil {
		err = after(bad == nil)
	}
	return bad != nil && !errors.Is(bad, errContent) && single == nil, err
}

// open opens a sealed file. nil without an error means that it cannot be, and
// that the problem has been told.
func (w *walker) open(name string) (*opener, error) {
	w.opened[name] = true
	if _, ok := w.f.expect(name); !ok {
		w.problem(finding("missing", name, "The manifest does not name %s, which the list of contents needs.", name))
		return nil, nil
	}
	o, err := openSealed(filepath.Join(w.f.dir, name), w.f.keys.identities, isZstd(name), w.count)
	if err == nil {
		return o, nil
	}
	if errors.Is(err, os.ErrNotExist) {
		w.problem(finding("missing", name, "%s is missing.", name))
		return nil, nil
	}
	if o == nil {
		return nil, trouble(name+" cannot be read", err)
	}
	defer o.Close()
	if wrong := w.f.keys.wrongKey(w.f.to, err); wrong != nil {
		if w.hashOK(o, name) {
			return nil, wrong
		}
		return nil, nil
	}
	w.problem(finding("damaged", name, "%s cannot be opened: %v.", name, err))
	w.hashOK(o, name)
	return nil, nil
}

// hashOK reads a sealed file that could not be opened to its end and tells what
// is wrong with its bytes.
func (w *walker) hashOK(o *opener, name string) bool {
	o.plain = nil
	err := o.drain()
	want, _ := w.f.expect(name)
	p, bad := o.compare(want)
	switch {
	case err != nil:
		w.problem(finding("unreadable", name, "%s cannot be read from the disk: %v.", name, err))
	case bad:
		w.problem(p)
	}
	return err == nil && !bad
}

// finish reads a sealed file to its true end and compares its hash.
func (w *walker) finish(o *opener, name string) {
	err := o.drain()
	want, _ := w.f.expect(name)
	if p, bad := o.compare(want); bad {
		w.problem(p)
	} else if err != nil {
		w.problem(finding("damaged", name, "%s cannot be read to its end: %v.", name, err))
	}
}

// nextInTree gives the content of the next entry of the tree, which must be e.
func (w *walker) nextInTree(e keepwatch.Entry) (io.Reader, error) {
	if w.tar == nil {
		o, err := w.open(e.In)
		if err != nil || o == nil {
			return nil, err
		}
		w.tree, w.treeName, w.tar = o, e.In, tar.NewReader(o)
	}
	h, err := w.tar.Next()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it ends too early")
		}
		w.problem(finding("damaged", e.In, "%s cannot be read at %q: %v.", e.In, e.Path, err))
		return nil, nil
	}
	if what := differs(h, e); what != "" {
		w.problem(finding("content", e.Path, "In %s the %s of %q is not what the list of contents says.", e.In, what, e.Path))
		return nil, nil
	}
	return w.tar, nil
}

// differs names the first way in which a tar header is not what an entry says.
func differs(h *tar.Header, e keepwatch.Entry) string {
	want := header(e)
	switch {
	case h.Name != want.Name:
		return "name"
	case h.Typeflag != want.Typeflag:
		return "type"
	case h.Size != want.Size:
		return "size"
	case h.Linkname != want.Linkname:
		return "target"
	case h.Mode != want.Mode:
		return "mode"
	case !h.ModTime.Equal(want.ModTime):
		return "time"
	case h.Uid != want.Uid || h.Gid != want.Gid:
		return "owner"
	}
	return ""
}

// finishTree sees that the tree ends where the list does, and compares its
// hash. A tree whose walk broke off is only hashed.
func (w *walker) finishTree(broken bool) error {
	if w.tree == nil {
		return nil
	}
	if !broken {
		if h, err := w.tar.Next(); err == nil {
			w.problem(finding("content", h.Name, "%s holds %q, which is not in the list of contents.", w.treeName, h.Name))
		} else if !errors.Is(err, io.EOF) {
			w.problem(finding("damaged", w.treeName, "%s cannot be read to its end: %v.", w.treeName, err))
		}
	}
	if broken {
		w.tree.skipRest()
	}
	w.finish(w.tree, w.treeName)
	w.closeTree()
	return nil
}

func (w *walker) closeTree() {
	if w.tree != nil {
		_ = w.tree.Close()
		w.tree = nil
	}
}

// Contents calls entry with every entry of the archive and note with every
// note, in their order, from the sealed list.
func (f *Folder) Contents(ctx context.Context, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error {
	if len(f.keys.identities) == 0 {
		return noKey()
	}
	o, err := openSealed(filepath.Join(f.dir, contentsName), f.keys.identities, true, func(int) {})
	if err != nil {
		if o != nil {
			_ = o.Close()
		}
		if wrong := f.keys.wrongKey(f.to, err); wrong != nil {
			return wrong
		}
		return trouble("The list of contents cannot be opened", err)
	}
	defer o.Close()
	list := newContentsReader(o, note)
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		e, err := list.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return trouble("The list of contents is damaged", err)
		}
		if err := entry(e); err != nil {
			return err
		}
	}
}

func noKey() error {
	return keepwatch.Errorf(keepwatch.KindAttention, "The bot holds no key that opens archives: only recipients are configured. Use `bot open` with the key where it is kept.")
}

// Contents is Folder.Contents for an archive of the vault.
func (v *Vault) Contents(ctx context.Context, ref string, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error {
	f, err := v.open(ref)
	if err != nil {
		return err
	}
	return f.Contents(ctx, entry, note)
}

// open opens an archive of the vault for reading.
func (v *Vault) open(ref string) (*Folder, error) {
	dir, err := v.folder(ref)
	if err != nil {
		return nil, err
	}
	return openFolder(dir, v.keys)
}
