package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"keepwatch"
)

// Remove takes an archive out of the vault: its folder is renamed into the
// trash, durably, and then deleted. One that is not there is no error.
func (v *Vault) Remove(ref string) error {
	dir, err := v.folder(ref)
	if err != nil {
		return err
	}
	trash := filepath.Join(v.dir, trashDir)
	to := filepath.Join(trash, strings.ReplaceAll(ref, "/", "_"))
	if _, err := os.Lstat(dir); err == nil {
		err := makeDirs(trash)
		if err == nil {
			err = os.RemoveAll(to) // a leftover of the same name
		}
		v.crash("vault.remove.before-rename")
		if err == nil {
			err = os.Rename(dir, to)
		}
		v.crash("vault.remove.after-rename")
		if err = errors.Join(err, syncDir(filepath.Dir(dir))); err != nil {
			return trouble("The archive "+ref+" cannot be removed", err)
		}
		v.crash("vault.remove.after-sync")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return trouble("The archive "+ref+" cannot be removed", err)
	}
	if err := os.RemoveAll(to); err != nil {
		return trouble("The archive "+ref+" was taken out of the vault, but its files could not be deleted", err)
	}
	v.crash("vault.remove.after-delete")
	return nil
}

// Discard removes what a run has staged.
func (v *Vault) Discard(run int64) error {
	if err := os.RemoveAll(v.staging(run)); err != nil {
		return trouble("What the run has written cannot be removed", err)
	}
	return nil
}

// Sweep removes what no living run owns: staging folders and the trash. It
// names what it removed, as paths in the vault.
func (v *Vault) Sweep(live func(run int64) bool) ([]string, error) {
	var removed []string
	for _, sub := range []string{stagingDir, trashDir} {
		names, err := os.ReadDir(filepath.Join(v.dir, sub))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, trouble("The vault cannot be tidied", err)
		}
		for _, d := range names {
			number, ok := strings.CutPrefix(d.Name(), "run-")
			run, err := strconv.ParseInt(number, 10, 64)
			if sub == stagingDir && ok && err == nil && live(run) {
				continue
			}
			if err := os.RemoveAll(filepath.Join(v.dir, sub, d.Name())); err != nil {
				return removed, trouble("The vault cannot be tidied", err)
			}
			removed = append(removed, sub+"/"+d.Name())
		}
	}
	return removed, nil
}

// DiscardExtract removes what a restore that did not finish has left beside or
// inside its destination. Nothing that was there before it is touched.
func (v *Vault) DiscardExtract(run keepwatch.Run) error {
	for _, dir := range []string{partialBeside(run), partialInside(run)} {
		if err := removeAll(dir); err != nil {
			return trouble("What the restore has written cannot be removed", err)
		}
	}
	return nil
}
