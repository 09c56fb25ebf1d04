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

// Publish makes an archive of what a run has staged: it writes manifest, sums
// and what is known about it otherwise (its path and findings), syncs everything and renames the folder into place. a gives what the
// manifest says; the result has its Stamp, Sealed, SealedBytes and Recipients
// filled in. Called again for a run that is published already, it gives that
// archive.
func (v *Vault) Publish(run keepwatch.Run, a keepwatch.Archive) (keepwatch.Archive, error) {
	v.publishing.Lock()
	defer v.publishing.Unlock()
	if !keepwatch.ValidName(a.Source) {
		return a, keepwatch.Errorf(keepwatch.KindInvalid, "%q cannot be the name of a source.", a.Source)
	}
	if m, stamp, found := v.published(run.ID, a); found {
		return complete(a, m, stamp), v.settle(a.Source)
	}
	staged := v.staging(run.ID)
	if err := whole(staged, run.Result.Sealed); err != nil {
		return a, keepwatch.Errorf(keepwatch.KindAttention, "What run %d has written is not in the vault as it was left (%v). Cancel the run and start it again.", run.ID, err).Because(err)
	}
	m := v.manifestOf(run, a)
	data, err := m.encode()
	if err != nil {
		return a, fmt.Errorf("write the manifest: %w", err)
	}
	if _, err := decodeManifest(data); err != nil {
		return a, fmt.Errorf("read the new manifest back: %w", err)
	}
	beside, err := recordOf(a).encode()
	if err != nil {
		return a, fmt.Errorf("write the record: %w", err)
	}
	v.crash("vault.publish.before-manifest")
	err = errors.Join(writeSynced(filepath.Join(staged, recordName), beside), writeSynced(filepath.Join(staged, manifestName), data), writeSynced(filepath.Join(staged, sumsName), sums(m, data)), syncDir(staged))
	v.crash("vault.publish.after-manifest")
	if err != nil {
		return a, full("The archive cannot be completed", v.dir, m.SealedBytes, err)
	}
	stamp, err := v.move(staged, a)
	if err != nil {
		return a, full("The archive cannot be put in its place", v.dir, m.SealedBytes, err)
	}
	return complete(a, m, stamp), nil
}

// whole sees that the staged files are there at their full length; that they
// hold what they should was proved before.
func whole(dir string, sealed []keepwatch.SealedFile) error {
	if len(sealed) == 0 {
		return errors.New("nothing was written")
	}
	for _, s := range sealed {
		info, err := os.Lstat(filepath.Join(dir, s.Name))
		if err != nil {
			return err
		}
		if info.Size() != s.Size {
			return fmt.Errorf("%s has %d bytes and should have %d", s.Name, info.Size(), s.Size)
		}
	}
	return nil
}

// complete fills in what the vault knows about an archive.
func complete(a keepwatch.Archive, m manifest, stamp string) keepwatch.Archive {
	a.Stamp, a.Run, a.Sealed, a.Recipients, a.SealedBytes = stamp, m.Run, m.Sealed, m.Recipients, m.SealedBytes
	for i := range a.Findings {
		a.Findings[i].What = a.Ref()
	}
	return a
}

func (v *Vault) manifestOf(run keepwatch.Run, a keepwatch.Archive) manifest {
	m := manifest{
		Format: formatVersion, MadeBy: "keepwatch " + v.version, Source: a.Source, Kind: a.Kind, Parts: len(a.Parts), Base: a.Base, Run: run.ID,
		Started: a.Started.UTC(), Finished: a.Finished.UTC(), Items: a.Items, Bytes: a.Bytes,
		Sealed: run.Result.Sealed, Recipients: v.Recipients(), Counts: a.Counts,
	}
	for _, s := range m.Sealed {
		m.SealedBytes += s.Size
	}
	if n := len(a.Verified); n > 0 {
		p := a.Verified[n-1]
		m.Verified = &manifestProof{At: p.At.UTC(), Level: p.Level, Files: p.Files, Bytes: p.Bytes}
	}
	return m
}

// Published gives the archive that a run has put into its place, and false where
// it has put none.
func (v *Vault) Published(run keepwatch.Run) (ref string, found bool) {
	if !keepwatch.ValidName(run.Source) || run.Started.IsZero() {
		return "", false
	}
	_, stamp, found := v.published(run.ID, keepwatch.Archive{Source: run.Source, Started: run.Started})
	return run.Source + "/" + stamp, found
}

// published looks for the archive that a run has made already.
func (v *Vault) published(run int64, a keepwatch.Archive) (m manifest, stamp string, found bool) {
	names, err := os.ReadDir(filepath.Join(v.dir, a.Source))
	if err != nil {
		return m, "", false // none yet; if it is anything else, the rename says so
	}
	for _, d := range names {
		if !strings.HasPrefix(d.Name(), keepwatch.StampOf(a.Started)) {
			continue
		}
		m, err := readManifest(filepath.Join(v.dir, a.Source, d.Name()))
		if err == nil && m.Run == run && m.Started.Equal(a.Started) {
			return m, d.Name(), true
		}
	}
	return m, "", false
}

// move renames the staging folder to the first free stamp.
func (v *Vault) move(staged string, a keepwatch.Archive) (string, error) {
	parent := filepath.Join(v.dir, a.Source)
	if err := makeDirs(parent); err != nil {
		return "", err
	}
	base := keepwatch.StampOf(a.Started)
	for n := 1; n < 1000; n++ {
		stamp := base
		if n > 1 {
			stamp = fmt.Sprintf("%s-%d", base, n)
		}
		to := filepath.Join(parent, stamp)
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			continue // taken; publishing is locked, and no one else writes here
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
	err := syncDir(filepath.Join(v.dir, source))
	if staging := filepath.Join(v.dir, stagingDir); err == nil {
		if _, statErr := os.Stat(staging); statErr == nil {
			err = syncDir(staging)
		}
	}
	v.crash("vault.publish.after-sync")
	if err != nil {
		return trouble("The archive's place cannot be made durable", err)
	}
	return nil
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
