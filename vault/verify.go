package vault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
)

// maxProblems bounds how many problems of one archive are kept: a wrecked one
// has as many as it has files.
const maxProblems = 20

// proof is a verification under way.
type proof struct {
	v      keepwatch.Verification
	total  int64
	report func(keepwatch.Progress)
}

func (p *proof) problem(f keepwatch.Finding) {
	if len(p.v.Problems) < maxProblems && !slices.Contains(p.v.Problems, f) {
		p.v.Problems = append(p.v.Problems, f)
	}
}

func (p *proof) count(n int) {
	p.v.Sealed += int64(n)
	p.report(keepwatch.Progress{Bytes: p.v.Sealed, TotalBytes: p.total, Items: p.v.Files})
}

// Verify reads an archive back from where it lies: hashes every sealed file,
// opens and unpacks it in a stream, and compares every file in it with the
// sealed list of contents. What is wrong is in the Problems; an error means that
// it could not be carried out at all (stopped, wrong key, disk).
func (v *Vault) Verify(ctx context.Context, ref string, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	dir, err := v.folder(ref)
	if err != nil {
		return keepwatch.Verification{}, err
	}
	start := v.now()
	result, err := verifyFolder(ctx, dir, v.keys, ref, report)
	result.At, result.Took = start.UTC(), max(0, v.now().Sub(start))
	return result, err
}

// Verify is Vault.Verify for an archive's folder. At and Took are left zero.
func (f *Folder) Verify(ctx context.Context, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	return verifyFolder(ctx, f.dir, f.keys, "", report)
}

// VerifyStaged proves what a run has written into its staging folder, before it
// is published. The sealed files are those of run.Result.Sealed.
func (v *Vault) VerifyStaged(ctx context.Context, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	f := &Folder{dir: v.staging(run.ID), sealed: run.Result.Sealed, keys: v.keys, to: v.keys.recipientNames}
	if _, err := os.Stat(f.dir); err != nil {
		return keepwatch.Verification{}, keepwatch.Errorf(keepwatch.KindAttention, "What run %d has written is gone from the vault (%s). Cancel the run and start it again.", run.ID, f.dir).Because(err)
	}
	start := v.now()
	p := &proof{report: report}
	err := f.prove(ctx, p)
	p.v.At, p.v.Took = start.UTC(), max(0, v.now().Sub(start))
	return p.v, err
}

// verifyFolder proves the folder as a whole, and then what is in it.
func verifyFolder(ctx context.Context, dir string, k keys, ref string, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	p := &proof{report: report}
	if _, err := os.Stat(dir); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			p.problem(finding("missing", ref, "The folder %s is gone.", dir))
			return p.v, nil
		}
		return p.v, trouble("The archive cannot be read", err)
	}
	m, data, err := readManifest(dir)
	if err != nil {
		if keepwatch.Sentence(err) != "" {
			return p.v, err
		}
		rule := "damaged"
		if errors.Is(err, os.ErrNotExist) {
			rule, err = "missing", errors.New("it is missing")
		}
		p.problem(finding(rule, manifestName, "%s is damaged: %v.", manifestName, err))
		sealedByName(dir, &m)
	} else {
		p.outside(dir, m, data, ref)
	}
	f := &Folder{dir: dir, sealed: m.Sealed, keys: k, to: m.Recipients}
	return p.v, f.prove(ctx, p)
}

// sealedByName takes what SHA256SUMS says in the place of a damaged manifest, so
// that the sealed files are looked at all the same.
func sealedByName(dir string, m *manifest) {
	data, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		info, err := os.Stat(filepath.Join(dir, filepath.Base(name)))
		if ok && err == nil && name != manifestName && name == filepath.Base(name) {
			m.Sealed = append(m.Sealed, keepwatch.SealedFile{Name: name, SHA256: sum, Size: info.Size()})
		}
	}
}

// outside compares what can be seen without opening anything.
func (p *proof) outside(dir string, m manifest, data []byte, ref string) {
	if source, _, ok := keepwatch.SplitRef(ref); ok && source != m.Source {
		p.problem(finding("content", manifestName, "%s is that of another source, %s.", manifestName, m.Source))
	}
	got, err := os.ReadFile(filepath.Join(dir, sumsName))
	switch {
	case errors.Is(err, os.ErrNotExist):
		p.problem(finding("missing", sumsName, "%s is missing.", sumsName))
	case err != nil:
		p.problem(finding("unreadable", sumsName, "%s cannot be read: %v.", sumsName, err))
	case !bytes.Equal(got, sums(m, data)):
		p.problem(blame(m, data, got))
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		p.problem(finding("unreadable", dir, "The folder cannot be read: %v.", err))
	}
	for _, d := range names {
		known := d.Name() == manifestName || d.Name() == sumsName ||
			slices.ContainsFunc(m.Sealed, func(s keepwatch.SealedFile) bool { return s.Name == d.Name() })
		if !known {
			p.problem(finding("stranger", d.Name(), "%s does not belong to the archive.", d.Name()))
		}
	}
}

// blame says which of manifest and sums was changed: where the sums differ only
// in the manifest's own line, it is the manifest.
func blame(m manifest, data, got []byte) keepwatch.Finding {
	want := strings.Split(string(sums(m, data)), "\n")
	have := strings.Split(string(got), "\n")
	if len(want) == len(have) {
		only := true
		for i := range want {
			same := want[i] == have[i]
			hexes := len(have[i]) == len(want[i]) && strings.HasSuffix(have[i], "  "+manifestName) && isHex(have[i][:64])
			only = only && (same || hexes)
		}
		if only {
			return finding("hash", manifestName, "%s or its line in %s is not as it was written: they do not belong together.", manifestName, sumsName)
		}
	}
	return finding("hash", sumsName, "%s is not as it was written.", sumsName)
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// prove hashes every sealed file and, where there is a key, opens them.
func (f *Folder) prove(ctx context.Context, p *proof) error {
	p.v.Level = keepwatch.LevelSealed
	for _, s := range f.sealed {
		p.total += s.Size
	}
	w := &walker{f: f, ctx: ctx, count: p.count, problem: p.problem}
	broken := false
	if len(f.keys.identities) > 0 {
		p.v.Level = keepwatch.LevelOpened
		var err error
		broken, err = w.walk(func(e keepwatch.Entry, body *content) (func(bool) error, error) {
			return func(ok bool) error {
				if ok {
					p.v.Files++
					p.v.Bytes += e.Size
				}
				return nil
			}, nil
		})
		if err != nil {
			return err
		}
	}
	for _, s := range f.sealed {
		if w.opened[s.Name] {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if len(f.keys.identities) > 0 && !broken {
			p.problem(finding("stranger", s.Name, "%s is not in the list of contents.", s.Name))
		}
		f.hashOnly(ctx, s, p)
	}
	p.report(keepwatch.Progress{Bytes: p.v.Sealed, TotalBytes: p.total, Items: p.v.Files})
	return context.Cause(ctx)
}

// hashOnly compares the bytes of a sealed file that is not opened.
func (f *Folder) hashOnly(ctx context.Context, s keepwatch.SealedFile, p *proof) {
	o, err := openSealed(filepath.Join(f.dir, s.Name), nil, false, p.count)
	if err != nil {
		rule := "unreadable"
		if errors.Is(err, os.ErrNotExist) {
			rule, err = "missing", errors.New("it is missing")
		}
		p.problem(finding(rule, s.Name, "%s cannot be read: %v.", s.Name, err))
		return
	}
	defer o.Close()
	if err := o.drain(); err != nil {
		p.problem(finding("unreadable", s.Name, "%s cannot be read from the disk: %v.", s.Name, err))
	} else if bad, is := o.compare(s); is {
		p.problem(bad)
	}
}
