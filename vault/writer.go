package vault

import (
	"archive/tar"
	"bytes"
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
	"time"

	"keepwatch"
)

// Writer makes one archive in the staging folder. It is used from one
// goroutine.
type Writer struct {
	v        *Vault
	dir      string
	treeName string

	contents *contentsWriter
	tree     *sealer
	tar      *tar.Writer

	result keepwatch.Result
	names  map[string]bool
	sum    hash.Hash
	buf    []byte
	closed bool
}

// staging gives the folder that a run writes into.
func (v *Vault) staging(run int64) string {
	return filepath.Join(v.dir, stagingDir, fmt.Sprintf("run-%d", run))
}

// Begin makes the staging folder of a run anew and gives a writer for it.
func (v *Vault) Begin(run keepwatch.Run) (*Writer, error) {
	dir := v.staging(run.ID)
	err := os.RemoveAll(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = syncDir(filepath.Dir(dir))
	}
	if err != nil {
		return nil, trouble("The folder "+dir+" cannot be made", err)
	}
	w := &Writer{v: v, dir: dir, treeName: run.Source + ".tar.zst.age", names: map[string]bool{manifestName: true, sumsName: true, contentsName: true},
		sum: sha256.New(), buf: make([]byte, chunk)}
	s, err := newSealer(filepath.Join(dir, contentsName), contentsName, v.keys.recipients, true)
	if err != nil {
		return nil, trouble("The list of contents cannot be written", err)
	}
	w.contents = newContentsWriter(s)
	return w, nil
}

// Add stores one entry in the tree.
func (w *Writer) Add(e keepwatch.Entry, content io.Reader) error {
	if err := validEntry(e); err != nil {
		return err
	}
	if w.tar == nil {
		s, err := newSealer(filepath.Join(w.dir, w.treeName), w.treeName, w.v.keys.recipients, true)
		if err != nil {
			return trouble("The archive cannot be written", err)
		}
		w.tree, w.tar, w.names[w.treeName] = s, tar.NewWriter(s), true
	}
	e.In = w.treeName
	if err := w.tar.WriteHeader(header(e)); err != nil {
		return trouble("The archive cannot be written", err)
	}
	if e.Type == keepwatch.EntryFile {
		sum, err := w.copy(w.tar, e, content)
		if err != nil {
			return err
		}
		e.SHA256 = sum
	}
	return w.list(e)
}

// Single stores one file on its own.
func (w *Writer) Single(e keepwatch.Entry, content io.Reader) error {
	if err := validEntry(e); err != nil {
		return err
	}
	head := make([]byte, 8)
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return unreadable(e, err)
	}
	head = head[:n]
	compressed := isCompressed(head)
	e.In = w.singleName(e.Path, compressed)
	s, err := newSealer(filepath.Join(w.dir, e.In), e.In, w.v.keys.recipients, !compressed)
	if err != nil {
		return trouble("The archive cannot be written", err)
	}
	e.SHA256, err = w.copy(s, e, io.MultiReader(bytes.NewReader(head), content))
	if err := errors.Join(err, s.close()); err != nil {
		return trouble("The archive cannot be written", err)
	}
	w.result.Sealed = append(w.result.Sealed, s.sealed())
	return w.list(e)
}

// singleName gives the name of a sealed single file: its own, with characters
// that a shell or another system might trip over replaced.
func (w *Writer) singleName(path string, compressed bool) string {
	base := strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0xFFFD || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, path[strings.LastIndex(path, "/")+1:])
	for len(base) > 180 {
		base = base[1:]
	}
	base = strings.TrimLeft(strings.ToValidUTF8(base, "_"), ".-")
	if base == "" {
		base = "file"
	}
	ending := ".zst.age"
	if compressed {
		ending = ".age"
	}
	name := base + ending
	for n := 2; w.names[name]; n++ {
		name = fmt.Sprintf("%d-%s%s", n, base, ending)
	}
	w.names[name] = true
	return name
}

// magics are how compressed files begin; compressing those again only costs
// time. gzip RFC 1952, zstd RFC 8878, xz, bzip2, zip APPNOTE, 7z.
var magics = [...]string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "BZh", "PK\x03\x04", "7z\xbc\xaf\x27\x1c"}

func isCompressed(head []byte) bool {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return false
}

// errSource marks an error of reading the source, so that it is not taken for
// one of the disk.
type sourceError struct{ err error }

func (s sourceError) Error() string { return s.err.Error() }
func (s sourceError) Unwrap() error { return s.err }

func unreadable(e keepwatch.Entry, err error) error {
	return fmt.Errorf("read %s: %w", e.Path, sourceError{err})
}

// copy stores exactly e.Size bytes of content and gives their SHA-256. What is
// missing is filled with zeros, what is too much is left out, and both noted.
func (w *Writer) copy(dst io.Writer, e keepwatch.Entry, content io.Reader) (string, error) {
	w.sum.Reset()
	var done int64
	for done < e.Size {
		n, err := content.Read(w.buf[:min(int64(len(w.buf)), e.Size-done)])
		if n > 0 {
			w.sum.Write(w.buf[:n])
			if _, err := dst.Write(w.buf[:n]); err != nil {
				return "", trouble("The archive cannot be written", err)
			}
			done += int64(n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return "", err
		}
		if err != nil {
			if err := w.Note(keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: e.Path, Text: fmt.Sprintf("it could be read up to byte %d (%v); the rest is zeros", done, err)}); err != nil {
				return "", err
			}
			return w.pad(dst, e, done)
		}
	}
	if done < e.Size {
		if err := w.Note(keepwatch.Note{Kind: keepwatch.NoteChanged, Path: e.Path, Text: fmt.Sprintf("it became shorter while it was read (%d of %d bytes); the rest is zeros", done, e.Size)}); err != nil {
			return "", err
		}
		return w.pad(dst, e, done)
	}
	if n, _ := content.Read(w.buf[:1]); n > 0 {
		if err := w.Note(keepwatch.Note{Kind: keepwatch.NoteChanged, Path: e.Path, Text: fmt.Sprintf("it became longer while it was read; its first %d bytes are stored", e.Size)}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

// pad fills an entry up with zeros.
func (w *Writer) pad(dst io.Writer, e keepwatch.Entry, done int64) (string, error) {
	clear(w.buf)
	for done < e.Size {
		b := w.buf[:min(int64(len(w.buf)), e.Size-done)]
		w.sum.Write(b)
		if _, err := dst.Write(b); err != nil {
			return "", trouble("The archive cannot be written", err)
		}
		done += int64(len(b))
	}
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

// list adds an entry to the list of contents.
func (w *Writer) list(e keepwatch.Entry) error {
	w.result.Items++
	w.result.Bytes += e.Size
	if err := w.contents.entry(e); err != nil {
		return trouble("The list of contents cannot be written", err)
	}
	return nil
}

// Note records something worth knowing: every note in the list of contents, the
// first ones in the result, and all of them counted.
func (w *Writer) Note(n keepwatch.Note) error {
	if w.result.Counts == nil {
		w.result.Counts = map[keepwatch.NoteKind]int64{}
	}
	w.result.Counts[n.Kind]++
	if len(w.result.Notes) < keepwatch.MaxNotes {
		w.result.Notes = append(w.result.Notes, n)
	}
	if err := w.contents.note(n); err != nil {
		return trouble("The list of contents cannot be written", err)
	}
	return nil
}

// Close finishes every file, syncs them and the folder, and says what was
// written.
func (w *Writer) Close() (keepwatch.Result, error) {
	w.closed = true
	var err error
	if w.tar != nil {
		err = errors.Join(w.tar.Close(), w.tree.close())
		w.result.Sealed = append([]keepwatch.SealedFile{w.tree.sealed()}, w.result.Sealed...)
	}
	w.v.crash("vault.staging.before-close")
	err = errors.Join(err, w.contents.close())
	w.result.Sealed = append(w.result.Sealed, w.contents.seal.sealed())
	if err = errors.Join(err, syncDir(w.dir)); err != nil {
		return w.result, trouble("The archive cannot be written", err)
	}
	w.v.crash("vault.staging.after-close")
	return w.result, nil
}

// Abort ends the writer and removes what it wrote.
func (w *Writer) Abort() error {
	if !w.closed {
		w.closed = true
		if w.tree != nil {
			_ = w.tree.close() // the archive is not wanted
		}
		_ = w.contents.close()
	}
	return os.RemoveAll(w.dir)
}

// validEntry refuses what could not be restored safely.
func validEntry(e keepwatch.Entry) error {
	if err := validPath(e.Path); err != nil {
		return err
	}
	switch e.Type {
	case keepwatch.EntryFile, keepwatch.EntryFolder, keepwatch.EntryLink:
	default:
		return fmt.Errorf("vault: %q is of type %q", e.Path, e.Type)
	}
	if e.Size < 0 || (e.Type != keepwatch.EntryFile && e.Size != 0) {
		return fmt.Errorf("vault: %q has size %d", e.Path, e.Size)
	}
	return nil
}

// validPath demands a relative path with plain parts.
func validPath(path string) error {
	if path == "" || strings.ContainsRune(path, 0) {
		return fmt.Errorf("vault: %q is no path", path)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("vault: the path %q is not relative and plain", path)
		}
	}
	return nil
}

// header makes the PAX header of an entry.
func header(e keepwatch.Entry) *tar.Header {
	h := &tar.Header{Format: tar.FormatPAX, Name: e.Path, Mode: int64(e.Mode & 0o7777), ModTime: paxTime(e.ModTime), Uid: e.UID, Gid: e.GID, Typeflag: tar.TypeReg, Size: e.Size}
	switch e.Type {
	case keepwatch.EntryFolder:
		h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
	case keepwatch.EntryLink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	}
	return h
}

// paxTime is a time as PAX keeps it; the zero time has none before 1970's range
// of tar and becomes the epoch.
func paxTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0)
	}
	return t
}
