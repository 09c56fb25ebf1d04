package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"keepwatch"
)

// in gives the folder for entries below name, made where it is missing.
// Everything goes through os.Root, which never leads outside, not even through
// links that stand there already.
func (x *extraction) in(name string) (*os.Root, error) {
	if x.dir != nil && x.dirName == name {
		return x.dir, nil
	}
	if x.dir != nil {
		_ = x.dir.Close()
		x.dir = nil
	}
	if name != "." {
		if err := x.mkdir(name); err != nil {
			return nil, err
		}
	}
	dir, err := x.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	x.dir, x.dirName = dir, name
	return dir, nil
}

// mkdir makes a folder and those above it. In a destination that exists it
// writes down first which those are, because only they get modes and times, by
// a second try of this run too.
func (x *extraction) mkdir(name string) error {
	if top := x.missing(name); top != "" {
		f, err := x.root.OpenFile(x.insideName(madeName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString(strconv.Quote(top) + "\n")
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		x.made[top] = true
	}
	return x.root.MkdirAll(name, 0o700)
}

// missing gives the topmost folder that has to be made for name, "" where there
// is none, or where this restore made one above it.
func (x *extraction) missing(name string) string {
	if x.ours(name) {
		return ""
	}
	for at, c := range name + string(filepath.Separator) {
		if c != filepath.Separator {
			continue
		}
		if _, err := x.root.Lstat(name[:at]); errors.Is(err, fs.ErrNotExist) {
			return name[:at]
		}
	}
	return ""
}

// ours reports whether this restore made a folder.
func (x *extraction) ours(name string) bool {
	if x.fresh {
		return true
	}
	for name != "." && !x.made[name] {
		name = filepath.Dir(name)
	}
	return name != "."
}

// visit restores one entry. Links are left for later, so that nothing is
// written through them.
func (x *extraction) visit(e keepwatch.Entry, body *content) (func(bool) error, error) {
	x.seen++
	name := filepath.FromSlash(e.Path)
	if x.reserved(name) {
		return nil, x.wrong(e, errReserved)
	}
	switch e.Type {
	case keepwatch.EntryFolder:
		if err := x.mkdir(name); err != nil {
			return nil, x.wrong(e, err)
		}
		x.did(e)
		return nil, nil
	case keepwatch.EntryLink:
		x.links++
		return nil, nil
	}
	return x.file(e, name, body)
}

// errReserved is an entry that would be taken for one of our temporary files,
// and removed with them.
var errReserved = errors.New("it has the name of the folder for what is not whole yet; restore to a new place")

// reserved reports whether a name is one that this restore gives to what is not
// whole yet.
func (x *extraction) reserved(name string) bool {
	return !x.fresh && strings.HasPrefix(name, x.hidden)
}

// wrong tells of an entry that cannot be restored. A full disk ends the
// restore; anything else is about that entry only.
func (x *extraction) wrong(e keepwatch.Entry, err error) error {
	if isFull(err) || errors.Is(err, syscall.EROFS) {
		return full("The restore to "+x.ask.To+" stopped", x.work, x.bytes, err)
	}
	why := err.Error()
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.Is(err, fs.ErrExist):
		why = "something else stands in its place and is left as it is"
	case errors.As(err, &path):
		why = path.Err.Error()
	case errors.As(err, &link):
		why = link.Err.Error()
	}
	x.problem(finding(keepwatch.RuleRestore, e.Path, "%q could not be restored: %s.", e.Path, why))
	return nil
}

func (x *extraction) did(e keepwatch.Entry) {
	x.items++
	x.bytes += e.Size
	x.tick()
}

// file writes a file. In a new destination it is written at its place, and
// removed again if its content is not right; in one that exists it gets its
// name once it is.
func (x *extraction) file(e keepwatch.Entry, name string, body *content) (func(bool) error, error) {
	dir, err := x.in(filepath.Dir(name))
	if err != nil {
		return nil, x.wrong(e, err)
	}
	place, base := dir, filepath.Base(name)
	if !x.fresh {
		if same, err := x.already(e, dir, base); err != nil || same {
			return nil, err
		}
		place, base = x.root, x.insideName(tempName)
		_ = place.Remove(base)
	}
	f, err := place.OpenFile(base, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, x.wrong(e, err)
	}
	err = x.fill(f, body)
	err = errors.Join(err, f.Close())
	if err != nil {
		_ = place.Remove(base)
		return nil, x.wrong(e, err)
	}
	return func(ok bool) error { // an error of reading is told by the walker, with ok false
		if ok {
			err = x.dress(e, place, base)
		}
		if ok && err == nil && !x.fresh {
			x.f.crash("vault.extract.before-place")
			err = x.place(base, dir, filepath.Base(name), name)
			x.f.crash("vault.extract.after-place")
		}
		if !ok || err != nil {
			_ = place.Remove(base)
		}
		if ok && err != nil {
			return x.wrong(e, err)
		}
		if ok {
			x.did(e)
		}
		return nil
	}, nil
}

// fill writes the content. Only errors of writing are returned.
func (x *extraction) fill(f *os.File, body *content) error {
	for {
		n, err := body.Read(x.buf)
		if n > 0 {
			if _, err := f.Write(x.buf[:n]); err != nil {
				return err
			}
			x.report(keepwatch.Progress{Bytes: x.bytes + body.n, TotalBytes: x.total.Bytes, Items: x.items, TotalItems: x.total.Items})
		}
		if err != nil {
			return nil
		}
	}
}

// already reports whether a file stands at its place that is the right one, to
// the last byte, or one that must not be replaced.
func (x *extraction) already(e keepwatch.Entry, dir *os.Root, base string) (bool, error) {
	info, err := dir.Lstat(base)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, x.wrong(e, err)
	}
	if info.Mode().IsRegular() && info.Size() == e.Size && info.ModTime().Equal(e.ModTime) {
		sum, err := sumOf(dir, base, x.buf)
		if err == nil && sum == e.SHA256 {
			x.did(e)
			return true, nil
		}
	}
	if x.ask.Overwrite {
		return false, nil
	}
	return true, x.wrong(e, fs.ErrExist)
}

func sumOf(dir *os.Root, base string, buf []byte) (string, error) {
	f, err := dir.Open(base)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, onlyReader{f}, buf); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// dress gives a file or folder its owner, mode and time, in this order: a
// change of owner clears setuid.
func (x *extraction) dress(e keepwatch.Entry, dir *os.Root, base string) error {
	x.own(e, dir, base)
	return errors.Join(dir.Chmod(base, fileMode(e.Mode)), dir.Chtimes(base, time.Time{}, e.ModTime))
}

// own gives an entry its owner back where the bot may do that.
func (x *extraction) own(e keepwatch.Entry, dir *os.Root, base string) {
	if os.Geteuid() != 0 {
		return
	}
	if err := dir.Lchown(base, e.UID, e.GID); err != nil {
		x.note(e.Path, "its owner could not be set: %v", err)
	}
}

// place moves a file that is whole to its name. Unless told to, it replaces
// nothing, not even what somebody made a moment ago: a link to a name that
// exists fails.
func (x *extraction) place(temp string, dir *os.Root, base, name string) error {
	if x.ask.Overwrite {
		err := x.root.Rename(temp, name)
		if errors.Is(err, syscall.EXDEV) {
			return x.across(temp, dir, base)
		}
		return err
	}
	err := x.root.Link(temp, name)
	switch {
	case err == nil:
		return x.root.Remove(temp)
	case errors.Is(err, fs.ErrExist):
		return err
	case errors.Is(err, syscall.EXDEV):
		return x.across(temp, dir, base)
	}
	if _, statErr := dir.Lstat(base); !errors.Is(statErr, fs.ErrNotExist) {
		return fs.ErrExist
	}
	if renameErr := x.root.Rename(temp, name); renameErr != nil { // a file system without links
		return errors.Join(renameErr, err)
	}
	return nil
}

// across copies a file that is whole into a folder on another disk, under a
// name of its own there first.
func (x *extraction) across(temp string, dir *os.Root, base string) error {
	from, err := x.root.Open(temp)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	near := x.hidden + "-file"
	_ = dir.Remove(near)
	to, err := dir.OpenFile(near, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer dir.Remove(near)
	_, err = io.CopyBuffer(struct{ io.Writer }{to}, onlyReader{from}, x.buf)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	if err := copyDress(info, dir, near); err != nil {
		return err
	}
	if x.ask.Overwrite {
		return errors.Join(dir.Rename(near, base), x.root.Remove(temp))
	}
	return errors.Join(dir.Link(near, base), x.root.Remove(temp))
}

// copyDress gives a copy the mode, owner and time of its original.
func copyDress(info fs.FileInfo, dir *os.Root, base string) error {
	if uid, gid, ok := ownerOf(info); ok && os.Geteuid() == 0 {
		if err := dir.Lchown(base, uid, gid); err != nil {
			return err
		}
	}
	return errors.Join(dir.Chmod(base, info.Mode()), dir.Chtimes(base, time.Time{}, info.ModTime()))
}
