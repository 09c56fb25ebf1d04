package main

import (
	"path/filepath"
	"slices"

	"keepwatch"
	"keepwatch/vault"
)

// unplaced says that the vault folder is not the one that the archives were put
// into, as when its disk is not mounted: nil where it is, or where there are none.
// One without a mark that holds some of them is from before there were marks.
func unplaced(dir string, archives []keepwatch.Archive) error {
	if len(archives) == 0 || vault.Marked(dir) {
		return nil
	}
	refs := make([]string, len(archives))
	for i, a := range archives {
		refs[i] = a.Ref()
	}
	if vault.HasAny(dir, refs) {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindAttention,
		"The vault folder %s is not the one that the archives lie in: its disk is not mounted, or it was moved. Nothing is backed up, verified or pruned until it is back. Only if they are lost for good, or are to stay elsewhere: make the folder, and an empty file %s in it.", dir, filepath.Join(dir, vault.MarkName))
}

// placeNow says why nothing may be put into the vault at this moment, or nil: its
// disk may go while the bot runs.
func (a *app) placeNow() error {
	if vault.Marked(a.settings.Vault.Dir) {
		return nil
	}
	archives, err := a.records.Archives("")
	if err != nil {
		return err
	}
	return unplaced(a.settings.Vault.Dir, archives)
}

// markVault marks the vault as what it is once an archive lies in it. An empty
// folder is not marked: it may be the place at which the disk is not mounted yet.
func (a *app) markVault() {
	dir := a.settings.Vault.Dir
	if vault.Marked(dir) {
		return
	}
	archives, err := a.records.Archives("")
	if err == nil && slices.ContainsFunc(archives, func(x keepwatch.Archive) bool { return vault.HasAny(dir, []string{x.Ref()}) }) {
		err = a.vault.Mark()
	}
	if err != nil {
		a.log.Warn("the vault cannot be marked as what it is; the next backup tries again", "err", err)
	}
}

// sealable says why no backup may be made at this moment, or nil.
func (a *app) sealable() error {
	if err := a.keyNow(); err != nil {
		return err
	}
	return a.placeNow()
}
