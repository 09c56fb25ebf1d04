package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"keepwatch"
)

// Room sees that a restore may write to a folder that is there or is to be made, and
// gives the bytes left on its disk; -1 where that is unknown.
func (v *Vault) Room(to string) (int64, error) { return roomFor(to, v.own) }

func roomFor(to string, own Own) (int64, error) {
	if !filepath.IsAbs(to) {
		return -1, keepwatch.Errorf(keepwatch.KindInvalid, "Say where to restore to with a whole path: %q is not one.", to)
	}
	if err := own.guard(to).destination(to); err != nil {
		return -1, err
	}
	if err := writable(roomDir(to)); err != nil {
		return -1, trouble("Nothing can be restored to "+to, err)
	}
	return roomAt(to), nil
}

// NewFolder is a folder that a restore makes: it has another name, beside its place,
// until it is whole. DiscardExtract removes what is left of one.
type NewFolder struct {
	*os.Root // what is made in it goes through this, which never leads outside

	to, work string
	crash    func(string)
}

// NewFolder begins the folder run.Ask.To, which must not be there yet. What a try of
// the run before this one has left is begun anew.
func (v *Vault) NewFolder(run keepwatch.Run) (*NewFolder, error) {
	n := &NewFolder{to: filepath.Clean(run.Ask.To), work: partialBeside(run), crash: v.crash}
	if _, err := roomFor(n.to, v.own); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(n.to); !errors.Is(err, fs.ErrNotExist) {
		return nil, n.taken()
	}
	err := removeAll(n.work)
	if err == nil {
		err = makeDirs(n.work)
	}
	if err == nil {
		n.Root, err = os.OpenRoot(n.work)
	}
	if err != nil {
		return nil, full("Nothing can be restored to "+n.to, roomDir(n.to), 0, err)
	}
	v.crash("vault.folder.begun")
	return n, nil
}

func (n *NewFolder) taken() error {
	return keepwatch.Errorf(keepwatch.KindConflict, "%s is there already, and nothing in it was touched. Restore to another place.", keepwatch.Printable(n.to))
}

// Full makes a sentence of an error of writing into it, after so many bytes.
func (n *NewFolder) Full(written int64, err error) error {
	return full("What is restored cannot be written", roomDir(n.to), written, err)
}

// Sync makes all that is in it durable.
func (n *NewFolder) Sync() error {
	if err := syncAll(n.work); err != nil {
		return full("What was restored cannot be made durable", roomDir(n.to), 0, err)
	}
	n.crash("vault.folder.synced")
	return nil
}

// Finish gives it its name, durably, once it is synced.
func (n *NewFolder) Finish() error {
	_ = n.Root.Close()
	if _, err := os.Lstat(n.to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(n.taken(), removeAll(n.work))
	}
	if err := os.Rename(n.work, n.to); err != nil {
		return trouble("The restored folder "+n.work+" cannot be renamed to "+n.to, err)
	}
	n.crash("vault.folder.renamed")
	if err := syncDir(filepath.Dir(n.to)); err != nil {
		return trouble("The name of the restored folder cannot be made durable", err)
	}
	return nil
}

// Abort removes what was made.
func (n *NewFolder) Abort() error {
	_ = n.Root.Close()
	if err := removeAll(n.work); err != nil {
		return trouble("What the restore has written cannot be removed", err)
	}
	return nil
}

// Finished reports whether the folder of a run that had come as far as Sync has its
// name: then nothing is left at the place where it was made.
func (v *Vault) Finished(run keepwatch.Run) bool {
	_, toErr := os.Lstat(run.Ask.To)
	_, workErr := os.Lstat(partialBeside(run))
	return toErr == nil && errors.Is(workErr, fs.ErrNotExist)
}
