package vault

import (
	"errors"
	"os"
	"path/filepath"
)

// MarkName is an empty file in the vault's folder. Where it is missing, the folder
// may be the place at which a disk is not mounted.
const MarkName = ".keepwatch-vault"

// Marked reports whether a folder is a vault, as far as its mark says.
func Marked(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, MarkName))
	return err == nil
}

// Mark puts the mark into the vault's folder, durably, where there is none.
func (v *Vault) Mark() error {
	if Marked(v.dir) {
		return nil
	}
	if err := errors.Join(writeSynced(filepath.Join(v.dir, MarkName), nil), syncDir(v.dir)); err != nil {
		return trouble("The vault folder "+v.dir+" cannot be written", err)
	}
	return nil
}

// HasAny reports whether the folder of any of these archives lies in a vault
// folder.
func HasAny(dir string, refs []string) bool {
	for _, ref := range refs {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(ref))); err == nil {
			return true
		}
	}
	return false
}
