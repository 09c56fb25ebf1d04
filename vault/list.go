package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"keepwatch"
)

// archive makes the record of an archive out of its manifest.
func (m manifest) archive(stamp string) keepwatch.Archive {
	return keepwatch.Archive{
		Version: 1, Source: m.Source, Stamp: stamp, Kind: m.Kind, Run: m.Run, Base: m.Base, Parts: unnamed(m.Parts, stamp),
		Started: m.Started, Finished: m.Finished, Items: m.Items, Bytes: m.Bytes,
		SealedBytes: m.SealedBytes, Sealed: m.Sealed, Recipients: m.Recipients, Counts: m.Counts,
	}
}

// unnamed stands for parts whose names only the sealed list of contents has, so
// that an archive of parts is taken neither for a whole one nor for one of the
// same parts as another: retention would weigh them against each other.
func unnamed(n int, stamp string) []string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("part %d of %s (its name is sealed)", i+1, stamp))
	}
	return parts
}

// List gives the archives that lie in the vault, from their manifests and the
// records beside them; Adopted are those that have no record, or one that cannot
// be understood, which are pinned. A folder whose manifest cannot be read is left out: Verify says what is wrong with it.
func (v *Vault) List() ([]keepwatch.Archive, error) { return list(v.dir) }

// SealedTo gives the keys that the newest archive in a vault folder was sealed
// to, and whether there is any archive: before a key is made, which would be
// another one. A folder that is not there is an empty vault.
func SealedTo(dir string) (recipients []string, any bool, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	archives, err := list(dir)
	var newest keepwatch.Archive
	for _, a := range archives {
		if !a.Started.Before(newest.Started) {
			newest = a
		}
	}
	return newest.Recipients, len(archives) > 0, err
}

func list(dir string) ([]keepwatch.Archive, error) {
	var list []keepwatch.Archive
	sources, err := os.ReadDir(dir)
	if err != nil {
		return nil, trouble("The vault folder "+dir+" cannot be read", err)
	}
	for _, s := range sources {
		if !s.IsDir() || !keepwatch.ValidName(s.Name()) {
			continue
		}
		stamps, err := os.ReadDir(filepath.Join(dir, s.Name()))
		if err != nil {
			return nil, trouble("The vault folder of "+s.Name()+" cannot be read", err)
		}
		for _, st := range stamps {
			at := filepath.Join(dir, s.Name(), st.Name())
			m, err := readManifest(at)
			if err != nil || m.Source != s.Name() || !keepwatch.ValidStamp(st.Name()) {
				continue
			}
			a := m.archive(st.Name())
			r, err := readRecord(at)
			switch a.Adopted = err != nil; {
			case err == nil:
				r.into(&a)
			case !errors.Is(err, fs.ErrNotExist):
				unread(&a)
			}
			list = append(list, a)
		}
	}
	return list, nil
}

// Missing looks whether all of an archive lies where it should, each file at its
// full length, and says in a sentence what does not; "" means that nothing is
// missing. It reads no file: whether they hold what they should, Verify says.
func (v *Vault) Missing(a keepwatch.Archive) string {
	dir, err := v.folder(a.Ref())
	if err != nil {
		return keepwatch.Sentence(err)
	}
	if _, err := os.Stat(dir); err != nil {
		return "Its folder " + dir + " is not there."
	}
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err != nil {
		return "Its " + manifestName + " is not there."
	}
	for _, s := range a.Sealed {
		info, err := os.Lstat(filepath.Join(dir, s.Name))
		switch {
		case err != nil:
			return "Its file " + s.Name + " is not there."
		case info.Size() != s.Size:
			return fmt.Sprintf("Its file %s has %s and should have %s.", s.Name, keepwatch.FormatCount(info.Size(), "byte"), keepwatch.FormatCount(s.Size, "byte"))
		}
	}
	return ""
}
