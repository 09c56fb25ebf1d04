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
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"keepwatch"
)

// Writer makes one archive in the staging folder. It is used from one
// goroutine. Once a method has given an error the archive cannot be completed,
// and Abort is what is left.
type Writer struct {
	v        *Vault
	dir      string
	treeName string

	contents *contentsWriter
	tree     *sealer
	tar      *tar.Writer
	alone    *sealer // of the single file in hand

	result  keepwatch.Result
	gaps    keepwatch.Gaps
	written int64 // sealed bytes of the files that are finished
	names   map[string]bool
	sum     hash.Hash
	buf     []byte
	broken  error
	closed  bool
}

// staging gives the folder that a run writes into.
func (v *Vault) staging(run int64) string {
	return filepath.Join(v.dir, stagingDir, fmt.Sprintf("run-%d", run))
}

// Begin makes the staging folder of a run anew and gives a writer for it.
func (v *Vault) Begin(run keepwatch.Run) (*Writer, error) {
	if !keepwatch.ValidName(run.Source) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%q cannot be the name of a source.", run.Source)
	}
	dir := v.staging(run.ID)
	err := os.RemoveAll(dir)
	if err == nil {
		err = makeDirs(dir)
	}
	if err != nil {
		return nil, full("The folder "+dir+" cannot be made", v.dir, 0, err)
	}
	v.crash("vault.staging.begun")
	w := &Writer{v: v, dir: dir, treeName: run.Source + ".tar.zst.age", sum: sha256.New(), buf: make([]byte, chunk)}
	w.names = map[string]bool{w.treeName: true, contentsName: true}
	s, err := w.newSealer(contentsName, listFrame)
	if err != nil {
		return nil, full("The list of contents cannot be written", v.dir, 0, err)
	}
	w.contents = newContentsWriter(s)
	if parts := run.Ask.Parts; len(parts) > 0 { // the manifest has their number only
		err = w.contents.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "only these parts were asked for: " + strings.Join(parts, ", ")})
	}
	return w, err
}

func (w *Writer) newSealer(name string, frame int) (*sealer, error) {
	return newSealer(filepath.Join(w.dir, name), name, w.v.keys.recipients, w.v.zstd, frame, w.v.crash)
}

// fail keeps the first error of writing and makes a sentence of it.
func (w *Writer) fail(what string, err error) error {
	if w.broken == nil {
		written := w.written
		for _, s := range []*sealer{w.contents.seal, w.tree, w.alone} {
			if s != nil {
				written += s.written()
			}
		}
		w.broken = full(what, w.v.dir, written, err)
	}
	return w.broken
}

// Add stores one file, folder or link in the archive's tree. content is read to
// its end for a file and ignored otherwise. Where it gives more or less than
// e.Size, the entry is stored with e.Size bytes (cut, or filled with zeros) and
// noted; so is an error that the disk of the source gives (a *fs.PathError or a
// system error number). Any other error of content is returned.
func (w *Writer) Add(e keepwatch.Entry, content io.Reader) error {
	e, err := w.accept(e)
	if err != nil {
		return err
	}
	if w.tar == nil {
		s, err := w.newSealer(w.treeName, frameSize)
		if err != nil {
			return w.fail("The archive cannot be written", err)
		}
		s.addTable()
		w.tree, w.tar = s, tar.NewWriter(s)
	}
	e.In = w.treeName
	if err := w.tar.Flush(); err != nil { // what fills up the block of the entry before
		return w.fail("The archive cannot be written", err)
	}
	at := w.tree.plain
	if err := w.tar.WriteHeader(header(e)); err != nil {
		return w.fail("The archive cannot be written", err)
	}
	if e.Type == keepwatch.EntryFile {
		if e.SHA256, err = w.copy(w.tar, e, content); err != nil {
			return err
		}
	}
	return w.list(listed{e, formTree, at})
}

// Top keeps what the folder itself is like that the tree is of: mode, owner and
// time. It is no item of the archive and not in the tar, where it would change
// the folder that somebody unpacks into.
func (w *Writer) Top(e keepwatch.Entry) error {
	if e.Path != topPath || e.Type != keepwatch.EntryFolder {
		return fmt.Errorf("%q, a %s, is not the top folder", e.Path, e.Type)
	}
	e.Path = "top" // any plain path
	e, err := w.accept(e)
	if err != nil {
		return err
	}
	e.Path = topPath
	if err := w.contents.top(e); err != nil {
		return w.fail("The list of contents cannot be written", err)
	}
	return nil
}

// accept sees that an entry can be stored, and makes it storable: times are
// kept in UTC.
func (w *Writer) accept(e keepwatch.Entry) (keepwatch.Entry, error) {
	if w.broken != nil {
		return e, w.broken
	}
	if err := validEntry(e); err != nil {
		return e, err
	}
	e.SHA256, e.In = "", ""
	e.Mode &= 0o7777
	e.UID, e.GID = max(e.UID, 0), max(e.GID, 0)
	e.ModTime = e.ModTime.UTC()
	if y := e.ModTime.Year(); y < 1 || y > 9999 || e.ModTime.IsZero() {
		if !e.ModTime.IsZero() {
			if err := w.Note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: e.Path, Text: "its time is beyond what an archive can say; it is stored as of 1970"}); err != nil {
				return e, err
			}
		}
		e.ModTime = time.Unix(0, 0).UTC()
	}
	return e, nil
}

// copy stores exactly e.Size bytes of content and gives their SHA-256. What is
// missing is filled with zeros, what is too much is left out, and both noted.
func (w *Writer) copy(dst io.Writer, e keepwatch.Entry, content io.Reader) (string, error) {
	w.sum.Reset()
	var done int64
	for idle := 0; done < e.Size; {
		n, err := content.Read(w.buf[:min(int64(len(w.buf)), e.Size-done)])
		if n > 0 {
			idle = 0
			w.sum.Write(w.buf[:n])
			if _, err := dst.Write(w.buf[:n]); err != nil {
				return "", w.fail("The archive cannot be written", err)
			}
			done += int64(n)
			if done == e.Size {
				break
			}
		}
		if n == 0 && err == nil {
			if idle++; idle > 100 {
				err = io.ErrNoProgress
			}
		}
		if err == nil {
			continue
		}
		note := keepwatch.Note{Kind: keepwatch.NoteHalf, Path: e.Path, Text: fmt.Sprintf("it became shorter while it was read (%d of %d bytes); the rest is zeros", done, e.Size)}
		if !errors.Is(err, io.EOF) {
			if !ofDisk(err) {
				return "", w.abandon(e, err)
			}
			note = keepwatch.Note{Kind: keepwatch.NoteHalf, Path: e.Path, Text: fmt.Sprintf("it could be read up to byte %d (%v); the rest is zeros", done, err)}
		}
		if err := w.Note(note); err != nil {
			return "", err
		}
		return w.pad(dst, e, done)
	}
	if n, err := io.ReadFull(content, w.buf[:1]); n > 0 {
		if err := w.Note(keepwatch.Note{Kind: keepwatch.NoteChanged, Path: e.Path, Text: fmt.Sprintf("it became longer while it was read; its first %d bytes are stored", e.Size)}); err != nil {
			return "", err
		}
	} else if !errors.Is(err, io.EOF) && !ofDisk(err) {
		return "", w.abandon(e, err)
	}
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

// ofDisk reports whether err is what the source's disk says of one file, and
// not a reason to stop.
func ofDisk(err error) bool {
	var number syscall.Errno
	var path *fs.PathError
	stop := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	return !stop && (errors.As(err, &path) || errors.As(err, &number))
}

// abandon gives up the archive because its source cannot be read on.
func (w *Writer) abandon(e keepwatch.Entry, err error) error {
	if w.broken == nil {
		w.broken = fmt.Errorf("read %q: %w", e.Path, err)
	}
	return w.broken
}

// pad fills an entry up with zeros.
func (w *Writer) pad(dst io.Writer, e keepwatch.Entry, done int64) (string, error) {
	clear(w.buf)
	for done < e.Size {
		b := w.buf[:min(int64(len(w.buf)), e.Size-done)]
		w.sum.Write(b)
		if _, err := dst.Write(b); err != nil {
			return "", w.fail("The archive cannot be written", err)
		}
		done += int64(len(b))
	}
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

// list adds an entry to the list of contents.
func (w *Writer) list(e listed) error {
	w.result.Items++
	w.result.Bytes += e.Size
	if err := w.contents.entry(e); err != nil {
		return w.fail("The list of contents cannot be written", err)
	}
	return nil
}

// Note records something worth knowing: every note in the list of contents, the
// first ones in the result, and all of them counted. What is inside an Outlook data
// file, whose folders may be many, is in the result in short.
func (w *Writer) Note(n keepwatch.Note) error {
	if w.broken != nil {
		return w.broken
	}
	if w.result.Counts == nil {
		w.result.Counts = map[keepwatch.NoteKind]int64{}
	}
	if n.Mailbox != nil {
		return w.mailbox(n)
	}
	w.result.Counts[n.Kind]++
	w.gaps.Add(n)
	if len(w.result.Notes) < keepwatch.MaxNotes {
		w.result.Notes = append(w.result.Notes, n)
	}
	if err := w.contents.note(n); err != nil {
		return w.fail("The list of contents cannot be written", err)
	}
	return nil
}

// Close finishes every file, syncs them and the folder, and says what was
// written. After an error only Abort is left.
func (w *Writer) Close() (keepwatch.Result, error) {
	if w.closed || w.broken != nil {
		return w.result, errors.Join(w.broken, w.shut())
	}
	w.closed = true
	var err error
	if w.tar != nil {
		err = errors.Join(w.tar.Close(), w.tree.close())
		w.result.Sealed = append([]keepwatch.SealedFile{w.tree.sealed()}, w.result.Sealed...)
	}
	err = errors.Join(err, w.contents.close())
	w.result.Sealed = append(w.result.Sealed, w.contents.seal.sealed())
	w.v.crash("vault.staging.before-sync")
	if err = errors.Join(err, syncDir(w.dir)); err != nil {
		return w.result, w.fail("The archive cannot be written", err)
	}
	w.v.crash("vault.staging.after-sync")
	w.result.Gaps = w.gaps.List()
	return w.result, nil
}

// shut ends the goroutines and closes the files of an archive that is given up.
func (w *Writer) shut() error {
	if w.closed {
		return nil
	}
	w.closed = true
	if w.tree != nil {
		w.tree.abort()
	}
	w.contents.seal.abort()
	return nil
}

// Abort ends the writer and removes what it wrote.
func (w *Writer) Abort() error {
	_ = w.shut()
	if err := os.RemoveAll(w.dir); err != nil {
		return trouble("What the run has written cannot be removed", err)
	}
	return nil
}

// validEntry refuses what could not be restored safely.
func validEntry(e keepwatch.Entry) error {
	if err := validPath(e.Path); err != nil {
		return err
	}
	switch e.Type {
	case keepwatch.EntryFile, keepwatch.EntryFolder:
	case keepwatch.EntryLink:
		if e.Link == "" || strings.ContainsRune(e.Link, 0) {
			return fmt.Errorf("the link %q has no target that can be stored", e.Path)
		}
	default:
		return fmt.Errorf("%q is of the type %q, which is not stored", e.Path, e.Type)
	}
	if e.Size < 0 || (e.Type != keepwatch.EntryFile && e.Size != 0) {
		return fmt.Errorf("%q has the size %d, which cannot be", e.Path, e.Size)
	}
	return nil
}

// validPath demands a relative path with plain parts.
func validPath(path string) error {
	if path == "" || strings.ContainsRune(path, 0) {
		return fmt.Errorf("%q is no path", path)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("the path %q is not relative and plain", path)
		}
	}
	return nil
}

// header makes the PAX header of an entry.
func header(e keepwatch.Entry) *tar.Header {
	h := &tar.Header{Format: tar.FormatPAX, Name: e.Path, Mode: int64(e.Mode & 0o7777), ModTime: e.ModTime, Uid: e.UID, Gid: e.GID, Typeflag: tar.TypeReg, Size: e.Size}
	switch e.Type {
	case keepwatch.EntryFolder:
		h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
	case keepwatch.EntryLink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	}
	return h
}
