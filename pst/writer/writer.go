package writer

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"keepwatch/pst"
)

// Sizes of volumes in bytes.
const (
	// DefaultVolumeSize is what a volume has at most if nothing else is said.
	DefaultVolumeSize = 10 << 30
	// MaxVolumeSize is where Outlook begins to warn that a file is nearly full
	// (WarnLargeFileSize, 48,640 MB); at 51,200 MB it takes no more (MaxLargeFileSize,
	// Microsoft's knowledge base article 832925).
	MaxVolumeSize = 48640 << 20
	// MinVolumeSize is the least that leaves room for a message.
	MinVolumeSize = 1 << 20
)

// Options of a Writer. The zero value is good.
type Options struct {
	Name       string           // display name of the store; "Outlook data file" if it is empty
	Plain      bool             // the data is not encoded. Outlook encodes it (pst.CryptPermute), which keeps nothing secret
	VolumeSize int64            // bytes that a volume may have; DefaultVolumeSize if it is 0
	Now        func() time.Time // the creation time of messages that have none; time.Now if it is nil
	RecordKey  func() pst.GUID  // makes the id of a volume; random if it is nil
}

// check fills in what is not given.
func (o *Options) check() error {
	if o.Name == "" {
		o.Name = "Outlook data file"
	}
	if o.VolumeSize == 0 {
		o.VolumeSize = DefaultVolumeSize
	}
	if o.VolumeSize < MinVolumeSize || o.VolumeSize > MaxVolumeSize {
		return fmt.Errorf("a volume of %d bytes is not possible: it has at least %d, and at most %d, where Outlook begins to warn that a file is full", o.VolumeSize, int64(MinVolumeSize), int64(MaxVolumeSize))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RecordKey == nil {
		o.RecordKey = func() (g pst.GUID) {
			rand.Read(g[:]) // never fails
			return g
		}
	}
	return nil
}

// Volume is a file that has been written.
type Volume struct {
	Path     string
	Size     int64 // bytes
	Messages int64 // items in its folders, without those embedded in others
}

// ErrEnded is what a Writer says after Close or Abort.
var ErrEnded = errors.New("the Outlook data file is already closed")

// ErrBusy is what a Writer says while a message is being added: the function of one
// message neither adds another nor asks for folders nor ends the file, and neither does
// another goroutine meanwhile.
var ErrBusy = errors.New("the Outlook data file is in use: while a message is added to it, nothing else can be done with it")

// errVolumeFull says that a message does not fit into the volume any more.
var errVolumeFull = errors.New("the volume is full")

// partial is the end of the name of a file that is not whole.
const partial = ".partial"

// Writer writes one file, or more of them if there is too much for one.
type Writer struct {
	busy sync.Mutex // only ever tried
	path string
	opts Options
	lay  *layouts
	cur  *file
	done []ended

	shelf shelf // of the tables of the current volume

	root, deleted *Folder

	// Memory that each object uses in its turn.
	heap  heap
	table table
	bag   bag
	sinks []*message // of each depth of embedding
	buf   []byte     // of contents of attachments

	extra       []pst.Tag // columns of recipients beyond the usual ones, and the layout with them
	extraLayout *layout

	syncFolder func(path string) error // the tests have one that fails

	err error // after which nothing goes on
}

// ended is a volume that only needs its name.
type ended struct {
	partial string
	Volume
}

// Create begins a file at path. Neither that nor path + ".partial" may exist. A
// file that does not end with ".pst" is possible, though Outlook does not open it.
// Where the volume gets too full, the next messages go into volumes beside it:
// mail-2.pst, mail-3.pst and so on beside mail.pst. None of these is overwritten
// either; that mail-2.pst is there is an error at once, that a later one is only when
// it is that one's turn.
func Create(path string, o Options) (*Writer, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	lay, err := newLayouts()
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, opts: o, lay: lay, shelf: shelf{path: path, most: mostAwake}, syncFolder: syncFolder, buf: make([]byte, 8*maxBlock)}
	for _, second := range []string{w.volumePath(2), w.volumePath(2) + partial} {
		if _, err := os.Lstat(second); err == nil {
			return nil, fmt.Errorf("%s exists already, where the second volume of %s would go, and is not overwritten: %w", second, path, os.ErrExist)
		}
	}
	w.root = &Folder{w: w, name: "Top of Outlook data file"}
	w.deleted = w.root.child("Deleted Items", "Deleted Items", "")
	if w.cur, err = w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// Root is "Top of Outlook data file", below which the folders are that people see.
func (w *Writer) Root() *Folder { return w.root }

// Deleted is the folder "Deleted Items", which every file has. Asking Root for a
// folder of that name gives it, too.
func (w *Writer) Deleted() *Folder { return w.deleted }

// volumePath is the path of the nth volume, from 1 on.
func (w *Writer) volumePath(n int) string {
	if n == 1 {
		return w.path
	}
	ext := filepath.Ext(w.path)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(w.path, ext), n, ext)
}

// open begins the next volume.
func (w *Writer) open() (*file, error) {
	path := w.volumePath(len(w.done) + 1)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%s exists already and is not overwritten: %w", path, os.ErrExist)
	}
	f, err := os.OpenFile(path+partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s is left from an attempt that did not end; remove it if nobody writes to it: %w", path+partial, err)
	}
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path+partial, err)
	}
	made, err := newFile(f, path, &w.opts)
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path+partial))
	}
	return made, nil
}

// finish ends the current volume.
func (w *Writer) finish() error {
	if err := w.write(w.cur); err != nil {
		return fmt.Errorf("finish %s: %w", w.cur.path, err)
	}
	info, err := w.cur.f.Stat()
	if err != nil {
		return fmt.Errorf("finish %s: %w", w.cur.path, err)
	}
	f := w.cur
	w.cur = nil
	w.done = append(w.done, ended{f.path + partial, Volume{f.path, info.Size(), f.messages}})
	f.v, f.names = nil, nil // folders that the next volume does not need still know this one
	if err := f.f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", f.path, err)
	}
	return nil
}

// turn ends the current volume and begins the next.
func (w *Writer) turn() error {
	if err := w.finish(); err != nil {
		return err
	}
	next, err := w.open()
	w.cur = next
	return err
}

// Close finishes all volumes, sees that they are on the disk, and gives them their
// names: the first volume at the very end, so that where it is there are all. If it
// fails none is left, and it is no use to call it again.
func (w *Writer) Close() ([]Volume, error) {
	if !w.busy.TryLock() {
		return nil, ErrBusy
	}
	defer w.busy.Unlock()
	err := w.err
	if err == nil && len(w.done) > 0 && w.cur.blank() {
		// The message for which it was begun was too large for any.
		err = errors.Join(w.cur.f.Close(), os.Remove(w.cur.path+partial))
		w.cur = nil
	} else if err == nil {
		err = w.finish()
	}
	if err == nil {
		err = w.shelf.close()
	}
	if err == nil {
		err = w.rename()
	}
	if err != nil {
		return nil, errors.Join(err, w.drop())
	}
	w.err = ErrEnded
	volumes := make([]Volume, len(w.done))
	for i, f := range w.done {
		volumes[i] = f.Volume
	}
	return volumes, nil
}

// rename gives all volumes their names, or none. The first comes last, when the names
// of the others are on the disk: where there is one of that name, there are all.
func (w *Writer) rename() (err error) {
	left := len(w.done)
	for left > 0 && err == nil {
		f := w.done[left-1]
		if _, err = os.Lstat(f.Path); err == nil {
			return errors.Join(fmt.Errorf("%s has come into being meanwhile and is not overwritten: %w", f.Path, os.ErrExist), w.back(left))
		}
		if err = os.Rename(f.partial, f.Path); err != nil {
			return errors.Join(err, w.back(left))
		}
		if left--; left <= 1 {
			err = w.syncFolder(filepath.Dir(w.path))
		}
	}
	if err != nil {
		return errors.Join(err, w.back(left))
	}
	return nil
}

// back takes the names away again from those behind the first so many volumes.
func (w *Writer) back(first int) error {
	var errs []error
	for _, f := range w.done[first:] {
		errs = append(errs, os.Rename(f.Path, f.partial))
	}
	return errors.Join(errs...)
}

// Abort ends without a file: what has been written is removed. After Close it does
// nothing, so that it can be deferred.
func (w *Writer) Abort() error {
	if !w.busy.TryLock() {
		return ErrBusy
	}
	defer w.busy.Unlock()
	if w.err == ErrEnded {
		return nil
	}
	return w.drop()
}

// drop removes all that has no name yet.
func (w *Writer) drop() error {
	if w.err == ErrEnded {
		return nil
	}
	w.err = ErrEnded
	errs := []error{w.shelf.close()}
	if w.cur != nil {
		errs = append(errs, w.cur.f.Close(), os.Remove(w.cur.path+partial))
		w.cur = nil
	}
	for _, f := range w.done {
		if err := os.Remove(f.partial); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
