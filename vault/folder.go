package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
)

// Folder is one archive's folder, opened for reading.
type Folder struct {
	dir      string
	ref      string                 // empty: not known
	manifest *manifest              // nil: it cannot be read
	sealed   []keepwatch.SealedFile // what must lie in it, manifest and sums aside; without sums where nothing says them
	keys     keys
	to       []string            // recipients that it was sealed to; empty: not known
	problems []keepwatch.Finding // what was found wrong when it was opened
	crash    func(string)
	read     func(int)        // told of bytes read from disk by whoever takes something out, from any goroutine
	own      Own              // what no restore may write to
	top      *keepwatch.Entry // the folder that the tree is of, once the list of contents was read; nil: not told of
}

// OpenFolder opens an archive by its folder, without a vault: for those who
// have nothing left but the archive and the key. own is what a restore may not
// write to, where that is known; the archive itself is among it.
func OpenFolder(dir, identityFile string, own Own) (*Folder, error) {
	ids, public, err := readIdentities(identityFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no key file %s. Without the key that it was sealed to, an archive cannot be opened. Where the key lies elsewhere, say so: `bot --identity FILE open ARCHIVE_DIR DEST`.", identityFile).Because(err)
	}
	if err != nil {
		return nil, err
	}
	f, err := openFolder(dir, "", keys{identities: ids, own: public, file: identityFile}, func(string) {})
	if err != nil {
		return nil, err
	}
	f.own = Own{Paths: append(slices.Clone(own.Paths), dir, identityFile), Free: own.Free}
	return f, nil
}

// open opens an archive of the vault for reading.
func (v *Vault) open(ref string) (*Folder, error) {
	dir, err := v.folder(ref)
	if err != nil {
		return nil, err
	}
	f, err := openFolder(dir, ref, v.keys, v.crash)
	if err != nil {
		return nil, err
	}
	f.own = v.own
	return f, nil
}

// openFolder reads the manifest. An archive whose manifest is damaged is opened
// all the same: what is sealed needs none.
func openFolder(dir, ref string, k keys, crash func(string)) (*Folder, error) {
	f := &Folder{dir: dir, ref: ref, keys: k, crash: crash, read: func(int) {}}
	if _, err := os.Stat(dir); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive at %s.", dir).Because(err)
		}
		return nil, trouble("The archive "+dir+" cannot be read", err)
	}
	m, err := readManifest(dir)
	if err == nil && misnamed(dir, m) {
		err = errChanged
	}
	if err == nil {
		f.manifest, f.sealed, f.to = &m, m.Sealed, m.Recipients
		return f, nil
	}
	if errors.Is(err, errNewer) && sumOK(dir) {
		return nil, err
	}
	if f.sealed = sealedIn(dir); len(f.sealed) == 0 {
		return nil, keepwatch.Errorf(keepwatch.KindNotFound, "%s is no archive: it has no %s and no sealed files.", dir, manifestName).Because(err)
	}
	f.problems = []keepwatch.Finding{manifestProblem(err)}
	return f, nil
}

// misnamed reports whether a manifest names other files than lie in the folder,
// while the sums name exactly those: then it is the manifest that was changed.
func misnamed(dir string, m manifest) bool {
	data, _ := readSmall(dir, sumsName)
	said := parseSums(data)
	there := map[string]bool{}
	names, _ := os.ReadDir(dir)
	for _, d := range names {
		if d.Name() != sumsName && d.Name() != recordName {
			there[d.Name()] = true
		}
	}
	same := len(m.Sealed)+1 == len(there)
	for _, s := range m.Sealed {
		same = same && there[s.Name]
	}
	for name := range said {
		if !there[name] {
			return false
		}
	}
	return !same && len(said) == len(there)
}

// manifestProblem says what is wrong with a manifest that cannot be used.
func manifestProblem(err error) keepwatch.Finding {
	if errors.Is(err, os.ErrNotExist) {
		return finding("missing", manifestName, "%s is missing.", manifestName)
	}
	return finding("damaged", manifestName, "%s is damaged: %v.", manifestName, err)
}

// sealedIn gives the sealed files of a folder whose manifest says nothing: those
// that lie there, and those that the sums name.
func sealedIn(dir string) []keepwatch.SealedFile {
	names, _ := os.ReadDir(dir)
	data, _ := readSmall(dir, sumsName)
	said := parseSums(data)
	var list []keepwatch.SealedFile
	for _, d := range names {
		if plainName(d.Name()) {
			list = append(list, keepwatch.SealedFile{Name: d.Name(), SHA256: said[d.Name()], Size: -1})
			delete(said, d.Name())
		}
	}
	for name, sum := range said {
		if plainName(name) {
			list = append(list, keepwatch.SealedFile{Name: name, SHA256: sum, Size: -1})
		}
	}
	return list
}

// parseSums reads what it can of SHA256SUMS: sums by name.
func parseSums(data []byte) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(string(data)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if ok && len(sum) == 64 && isHex(sum) {
			said[name] = sum
		}
	}
	return said
}

// sumOK reports whether the manifest is the one that SHA256SUMS has the sum of.
func sumOK(dir string) bool {
	data, err := readSmall(dir, manifestName)
	list, listErr := readSmall(dir, sumsName)
	return err == nil && listErr == nil && parseSums(list)[manifestName] == hexSum(data)
}

// expect gives what is known of a sealed file.
func (f *Folder) expect(name string) (keepwatch.SealedFile, bool) {
	for _, s := range f.sealed {
		if s.Name == name {
			return s, true
		}
	}
	return keepwatch.SealedFile{}, false
}

// differs reports whether a sealed file is not what is known of it.
func (f *Folder) differs(got keepwatch.SealedFile) bool {
	want, ok := f.expect(got.Name)
	return ok && want.SHA256 != "" && want.SHA256 != got.SHA256
}

// Contents calls entry with every entry of the archive and note with every
// note, in their order, from the sealed list. An error of either ends it.
func (f *Folder) Contents(ctx context.Context, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error {
	return f.list(ctx, func(e listed) error { return entry(e.Entry) }, note)
}

func (f *Folder) list(ctx context.Context, entry func(listed) error, note func(keepwatch.Note) error) error {
	return f.listOnly(ctx, nil, entry, note)
}

// listOnly is list without the lines that some bytes are not in; nil: with all.
func (f *Folder) listOnly(ctx context.Context, only []byte, entry func(listed) error, note func(keepwatch.Note) error) error {
	ids := f.keys.opening(f.to)
	if len(ids) == 0 {
		return noKey()
	}
	o, err := openSealed(ctx, filepath.Join(f.dir, contentsName), ids, true, func(int) {}, nil)
	if err == nil {
		defer o.Close()
		list := newContentsReader(o, note)
		list.only = only
		defer func() { f.top = list.top }()
		return readList(list, entry, o)
	}
	if errors.Is(err, os.ErrNotExist) {
		return lostList("is missing", err)
	}
	if o == nil {
		return trouble("The list of contents cannot be read", err)
	}
	defer o.Close()
	if drainErr := o.drain(); drainErr != nil {
		return trouble("The list of contents cannot be read", drainErr)
	}
	got := o.sealed()
	got.Name = contentsName
	if wrong := f.keys.wrongKey(f.to, err); wrong != nil && !f.differs(got) {
		return wrong
	}
	return lostList("is damaged", err)
}

// readList goes through a list of contents.
func readList(list *contentsReader, entry func(listed) error, o *opener) error {
	for {
		e, err := list.next()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case list.refused != nil:
			return list.refused
		case o.disk.get() != nil:
			if err := context.Cause(o.ctx); err != nil {
				return err
			}
			return trouble("The list of contents cannot be read", o.disk.get())
		default:
			return lostList("is damaged", err)
		}
		if err := context.Cause(o.ctx); err != nil {
			return err
		}
		if err := entry(e); err != nil {
			return err
		}
	}
}

// lostList says what can still be done without a list of contents.
func lostList(what string, err error) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "The archive's list of contents, %s, %s, so nothing of it can be checked. Use another archive, or open its other .age files by hand: age -d, then zstd -d for what ends in .zst.age, and tar x for what ends in .tar.zst.age.",
		contentsName, what).Because(errors.Join(keepwatch.ErrDamaged, err))
}

// Contents is Folder.Contents for an archive of the vault.
func (v *Vault) Contents(ctx context.Context, ref string, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error {
	f, err := v.open(ref)
	if err != nil {
		return err
	}
	return f.Contents(ctx, entry, note)
}

func finding(rule, what, format string, args ...any) keepwatch.Finding {
	return keepwatch.Finding{Rule: rule, What: what, Text: fmt.Sprintf(format, args...)}
}
