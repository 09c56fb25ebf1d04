package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"keepwatch"
)

// Publish makes an archive of what a run has staged: it writes manifest and
// sums, syncs everything and renames the folder into place. a gives what the
// manifest says; the result has its Stamp, Sealed, SealedBytes and Recipients
// filled in. Called again for a run that is published already, it gives that
// archive.
func (v *Vault) Publish(run keepwatch.Run, a keepwatch.Archive) (keepwatch.Archive, error) {
	v.publishing.Lock()
	defer v.publishing.Unlock()
	if stamp, found, err := v.published(run.ID, a); err != nil || found {
		return v.complete(a, run, stamp), err
	}
	staged := v.staging(run.ID)
	a = v.complete(a, run, "")
	data, err := manifestOf(a).encode()
	if err != nil {
		return a, fmt.Errorf("write the manifest: %w", err)
	}
	m, err := decodeManifest(data)
	if err != nil {
		return a, fmt.Errorf("read the new manifest back: %w", err)
	}
	v.crash("vault.publish.before-manifest")
	err = errors.Join(writeSynced(filepath.Join(staged, manifestName), data), writeSynced(filepath.Join(staged, sumsName), sums(m, data)), syncDir(staged))
	if err != nil {
		return a, trouble("The archive cannot be completed", err)
	}
	stamp, err := v.move(staged, a)
	if err != nil {
		return a, trouble("The archive cannot be put in its place", err)
	}
	a.Stamp = stamp
	return a, nil
}

// complete fills in what the vault knows about an archive.
func (v *Vault) complete(a keepwatch.Archive, run keepwatch.Run, stamp string) keepwatch.Archive {
	a.Stamp, a.Run, a.Sealed, a.Recipients, a.SealedBytes = stamp, run.ID, run.Result.Sealed, v.keys.recipientNames, 0
	for _, s := range a.Sealed {
		a.SealedBytes += s.Size
	}
	return a
}

func manifestOf(a keepwatch.Archive) manifest {
	m := manifest{
		Format: formatVersion, Source: a.Source, Kind: a.Kind, Parts: len(a.Parts), Run: a.Run,
		Started: a.Started.UTC(), Finished: a.Finished.UTC(), Items: a.Items, Bytes: a.Bytes,
		SealedBytes: a.SealedBytes, Sealed: a.Sealed, Recipients: a.Recipients, Counts: a.Counts,
	}
	if n := len(a.Verified); n > 0 {
		p := a.Verified[n-1]
		m.Verified = &manifestProof{At: p.At.UTC(), Level: p.Level, Files: p.Files, Bytes: p.Bytes}
	}
	return m
}

// published looks for the archive that a run has made already.
func (v *Vault) published(run int64, a keepwatch.Archive) (stamp string, found bool, err error) {
	names, err := os.ReadDir(filepath.Join(v.dir, a.Source))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, trouble("The vault folder of "+a.Source+" cannot be read", err)
	}
	for _, d := range names {
		if !strings.HasPrefix(d.Name(), keepwatch.StampOf(a.Started)) {
			continue
		}
		m, _, err := readManifest(filepath.Join(v.dir, a.Source, d.Name()))
		if err == nil && m.Run == run && m.Started.Equal(a.Started) {
			return d.Name(), true, v.settle(a.Source)
		}
	}
	return "", false, nil
}

// move renames the staging folder to the first free stamp.
func (v *Vault) move(staged string, a keepwatch.Archive) (string, error) {
	parent := filepath.Join(v.dir, a.Source)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	base := keepwatch.StampOf(a.Started)
	for n := 1; n < 1000; n++ {
		stamp := base
		if n > 1 {
			stamp = fmt.Sprintf("%s-%d", base, n)
		}
		to := filepath.Join(parent, stamp)
		if _, err := os.Lstat(to); err == nil {
			continue // publishing is locked and no one else writes here
		}
		v.crash("vault.publish.before-rename")
		if err := os.Rename(staged, to); err != nil {
			return "", err
		}
		v.crash("vault.publish.after-rename")
		return stamp, v.settle(a.Source)
	}
	return "", fmt.Errorf("a thousand archives have the name %s", base)
}

// settle makes the rename into a source's folder durable.
func (v *Vault) settle(source string) error {
	err := errors.Join(syncDir(filepath.Join(v.dir, source)), syncDir(v.dir))
	if staging := filepath.Join(v.dir, stagingDir); err == nil {
		if _, statErr := os.Stat(staging); statErr == nil {
			err = syncDir(staging)
		}
	}
	v.crash("vault.publish.after-sync")
	return err
}

// writeSynced writes a small file and syncs it.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// Remove takes an archive out of the vault: its folder is renamed into the
// trash, durably, and then deleted. One that is not there is no error.
func (v *Vault) Remove(ref string) error {
	dir, err := v.folder(ref)
	if err != nil {
		return err
	}
	trash := filepath.Join(v.dir, trashDir)
	if err := os.MkdirAll(trash, 0o700); err != nil {
		return trouble("The archive "+ref+" cannot be removed", err)
	}
	to := filepath.Join(trash, strings.ReplaceAll(ref, "/", "_"))
	v.crash("vault.remove.before-rename")
	err = os.Rename(dir, to)
	if errors.Is(err, fs.ErrExist) { // a leftover of the same name
		err = errors.Join(os.RemoveAll(to), os.Rename(dir, to))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return trouble("The archive "+ref+" cannot be removed", err)
	}
	v.crash("vault.remove.after-rename")
	if err == nil {
		if err := errors.Join(syncDir(filepath.Dir(dir)), syncDir(trash)); err != nil {
			return trouble("The archive "+ref+" cannot be removed", err)
		}
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
// names what it removed.
func (v *Vault) Sweep(live func(run int64) bool) ([]string, error) {
	var removed []string
	for _, sub := range []string{stagingDir, trashDir} {
		names, err := os.ReadDir(filepath.Join(v.dir, sub))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, trouble("The vault cannot be tidied", err)
		}
		for _, d := range names {
			var run int64
			if _, err := fmt.Sscanf(d.Name(), "run-%d", &run); sub == stagingDir && err == nil && live(run) {
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
