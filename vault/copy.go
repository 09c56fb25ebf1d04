package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"keepwatch"
)

// copyingDir is where copies are written before they are whole, in the place
// itself, so that the rename stays on one disk.
const copyingDir = ".keepwatch-copying"

// CopyTo puts a copy of an archive into another folder, <place>/<source>/<stamp>:
// written under another name, each file synced, renamed when it is whole, and then
// read back and compared with what the archive is recorded to be. A copy that is
// there already is read back and compared only. place must be there: it is not made,
// because it may be where a disk is not mounted; fresh says that nothing was copied
// there yet, so that it may lack the mark of a vault. Bytes that are not what was
// sealed are never copied: that is keepwatch.ErrDamaged.
func (v *Vault) CopyTo(ctx context.Context, a keepwatch.Archive, place string, fresh bool, report func(keepwatch.Progress)) error {
	if within(v.dir, place) || within(place, v.dir) {
		return keepwatch.Errorf(keepwatch.KindAttention, "The place for copies %s lies in the vault, or the vault in it. A copy belongs on another disk.", place)
	}
	if err := copyPlace(place, fresh); err != nil {
		return err
	}
	if _, _, ok := keepwatch.SplitRef(a.Ref()); !ok || len(a.Sealed) == 0 {
		return fmt.Errorf("copy %q: not an archive that can be copied", a.Ref())
	}
	c := copying{ctx: ctx, a: a, from: v.Path(a.Ref()), to: filepath.Join(place, a.Source, a.Stamp), report: report}
	for _, s := range a.Sealed {
		c.progress.TotalBytes += 2 * s.Size // written, and read back
	}
	if _, err := os.Lstat(c.to); err == nil {
		c.progress.Bytes = c.progress.TotalBytes / 2
		return c.compare()
	}
	tmp := filepath.Join(place, copyingDir, a.Source+"-"+a.Stamp)
	if err := errors.Join(os.RemoveAll(tmp), makeDirs(tmp)); err != nil {
		return trouble("The place for copies "+place+" cannot be written", err)
	}
	if err := c.write(tmp); err != nil {
		if errors.Is(err, keepwatch.ErrDamaged) || context.Cause(ctx) != nil {
			return errors.Join(err, os.RemoveAll(tmp))
		}
		return errors.Join(full("The copy cannot be written", place, c.progress.Bytes, err), os.RemoveAll(tmp))
	}
	v.crash("vault.copy.written")
	parent := filepath.Dir(c.to)
	if err := errors.Join(syncDir(tmp), makeDirs(parent)); err != nil {
		return trouble("The copy cannot be made durable", err)
	}
	if err := os.Rename(tmp, c.to); err != nil {
		return trouble("The copy cannot be put in its place", err)
	}
	v.crash("vault.copy.renamed")
	if err := errors.Join(syncDir(parent), syncDir(filepath.Dir(tmp))); err != nil {
		return trouble("The copy's place cannot be made durable", err)
	}
	return c.compare()
}

// within reports whether a path lies below a folder.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// copyPlace sees that a place is what it was, and marks a fresh one.
func copyPlace(place string, fresh bool) error {
	info, err := os.Stat(place)
	switch {
	case err != nil:
		return keepwatch.Errorf(keepwatch.KindAttention, "The place for copies %s is not there. Mount its disk, or make the folder.", place).Because(err)
	case !info.IsDir():
		return keepwatch.Errorf(keepwatch.KindAttention, "The place for copies %s is no folder.", place)
	case Marked(place):
		return nil
	case !fresh:
		return keepwatch.Errorf(keepwatch.KindAttention, "The place for copies %s is not the one that the copies lie in: its disk is not mounted, or it was moved. Nothing is copied until it is back. Only if they are lost for good: make an empty file %s.", place, filepath.Join(place, MarkName))
	}
	if err := errors.Join(writeSynced(filepath.Join(place, MarkName), nil), syncDir(place)); err != nil {
		return trouble("The place for copies "+place+" cannot be written", err)
	}
	return nil
}

// copying is one copy under way.
type copying struct {
	ctx      context.Context
	a        keepwatch.Archive
	from, to string
	report   func(keepwatch.Progress)
	progress keepwatch.Progress
}

// write copies the files of the archive's folder.
func (c *copying) write(tmp string) error {
	files, err := os.ReadDir(c.from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue // nothing of ours
		}
		got, err := c.file(filepath.Join(c.from, f.Name()), filepath.Join(tmp, f.Name()))
		if err != nil {
			return err
		}
		if want, sealed := c.sealed(f.Name()); sealed && got != want {
			return c.damaged(c.from, f.Name())
		}
	}
	for _, s := range c.a.Sealed {
		if _, err := os.Lstat(filepath.Join(tmp, s.Name)); err != nil {
			return c.damaged(c.from, s.Name)
		}
	}
	return nil
}

// compare reads the copy back.
func (c *copying) compare() error {
	for _, s := range c.a.Sealed {
		got, err := c.file(filepath.Join(c.to, s.Name), "")
		if errors.Is(err, os.ErrNotExist) || err == nil && got != s {
			return c.damaged(c.to, s.Name)
		}
		if err != nil {
			return trouble("The copy "+c.to+" cannot be read back", err)
		}
	}
	if _, err := readManifest(c.to); err != nil {
		return c.damaged(c.to, manifestName)
	}
	return nil
}

func (c *copying) damaged(dir, name string) error {
	if dir == c.from {
		return keepwatch.Errorf(keepwatch.KindAttention, "%s in the vault is not as it was sealed, so it was not copied. Run `/backup verify %s`.", name, c.a.Ref()).Because(keepwatch.ErrDamaged)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The copy %s is not what was sealed: %s differs or is missing. Look at that disk, take the folder away and run the backup again.", dir, name)
}

func (c *copying) sealed(name string) (keepwatch.SealedFile, bool) {
	for _, s := range c.a.Sealed {
		if s.Name == name {
			return s, true
		}
	}
	return keepwatch.SealedFile{}, false
}

// file reads a file and gives what it is, and writes it to another path where one
// is given, synced.
func (c *copying) file(from, to string) (keepwatch.SealedFile, error) {
	in, err := openRegular(from)
	if err != nil {
		return keepwatch.SealedFile{}, err
	}
	defer in.Close()
	sum := sha256.New()
	out := io.Writer(sum)
	var f *os.File
	if to != "" {
		if f, err = os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return keepwatch.SealedFile{}, err
		}
		out = io.MultiWriter(sum, f)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, counted{c, in}, make([]byte, 1<<20))
	if f != nil {
		err = errors.Join(err, f.Sync(), f.Close())
	}
	return keepwatch.SealedFile{Name: filepath.Base(from), Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// counted reads, says how far it is, and stops when the run is to.
type counted struct {
	c  *copying
	in io.Reader
}

func (r counted) Read(p []byte) (int, error) {
	if err := context.Cause(r.c.ctx); err != nil {
		return 0, err
	}
	n, err := r.in.Read(p)
	r.c.progress.Bytes += int64(n)
	r.c.report(r.c.progress)
	return n, err
}
