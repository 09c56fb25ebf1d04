package vault

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"keepwatch"
)

// maxProblems bounds how many problems of one archive are kept: a wrecked one
// has as many as it has files.
const maxProblems = 20

// proof is a verification under way.
type proof struct {
	v      keepwatch.Verification
	total  int64
	read   atomic.Int64 // bytes read from disk
	report func(keepwatch.Progress)
	got    map[string]keepwatch.SealedFile // the sealed files as they were read
}

func (p *proof) problem(f keepwatch.Finding) {
	if len(p.v.Problems) < maxProblems && !slices.Contains(p.v.Problems, f) {
		p.v.Problems = append(p.v.Problems, f)
	}
}

func (p *proof) tick() {
	p.report(keepwatch.Progress{Bytes: p.read.Load(), TotalBytes: p.total, Items: p.v.Files})
}

// Verify reads an archive back from where it lies: hashes every sealed file,
// opens and unpacks it in a stream, and compares every file in it with the
// sealed list of contents. What is wrong is in the Problems; an error means that
// it could not be carried out at all (stopped, wrong key).
func (v *Vault) Verify(ctx context.Context, ref string, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	dir, err := v.folder(ref)
	if err != nil {
		return keepwatch.Verification{}, err
	}
	f, err := openFolder(dir, ref, v.keys, v.crash)
	if keepwatch.KindOf(err) == keepwatch.KindNotFound && err != nil {
		return keepwatch.Verification{At: v.now().UTC(), Level: keepwatch.LevelSealed,
			Problems: []keepwatch.Finding{finding("missing", ref, "%s", keepwatch.Sentence(err))}}, nil
	}
	if err != nil {
		return keepwatch.Verification{}, err
	}
	return f.timed(ctx, v.now, report, f.verify)
}

// Verify is Vault.Verify for an archive's folder.
func (f *Folder) Verify(ctx context.Context, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	return f.timed(ctx, time.Now, report, f.verify)
}

// VerifyStaged proves what a run has written into its staging folder, before it
// is published. The sealed files are those of run.Result.Sealed.
func (v *Vault) VerifyStaged(ctx context.Context, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Verification, error) {
	f := &Folder{dir: v.staging(run.ID), sealed: run.Result.Sealed, keys: v.keys, to: v.keys.recipientNames, crash: v.crash}
	if _, err := os.Stat(f.dir); err != nil {
		return keepwatch.Verification{}, keepwatch.Errorf(keepwatch.KindAttention, "What run %d has written is gone from the vault (%s). Cancel the run and start it again.", run.ID, f.dir).Because(err)
	}
	return f.timed(ctx, v.now, report, func(ctx context.Context, p *proof) error {
		f.strangers(p, manifestName, sumsName, recordName) // left by a publishing that was cut off
		if err := f.prove(ctx, p); err != nil {
			return err
		}
		for _, want := range f.sealed {
			if got, ok := p.got[want.Name]; ok && got != want {
				p.problem(changed(got, want.SHA256, want.Size))
			}
		}
		return nil
	})
}

// timed carries out a verification and says when and how long. A nil report is
// allowed.
func (f *Folder) timed(ctx context.Context, now func() time.Time, report func(keepwatch.Progress), verify func(context.Context, *proof) error) (keepwatch.Verification, error) {
	if report == nil {
		report = func(keepwatch.Progress) {}
	}
	start := now()
	p := &proof{report: report}
	err := verify(ctx, p)
	if err == nil {
		err = context.Cause(ctx)
	}
	p.v.At, p.v.Took, p.v.Sealed = start.UTC(), max(0, now().Sub(start)), p.read.Load()
	return p.v, err
}

// verify proves the folder as a whole and what is in it.
func (f *Folder) verify(ctx context.Context, p *proof) error {
	for _, problem := range f.problems {
		p.problem(problem)
	}
	f.strangers(p, manifestName, sumsName, recordName)
	f.record(p)
	if err := f.prove(ctx, p); err != nil {
		return err
	}
	manifestData, _ := readSmall(f.dir, manifestName) // that it cannot be read is told already
	sumsData, err := readSmall(f.dir, sumsName)
	if err != nil {
		p.problem(cannotRead(sumsName, err))
	}
	j := judge{f: f, p: p, manifest: manifestData, sums: sumsData, said: parseSums(sumsData), sumsGone: err != nil}
	j.judge()
	return nil
}

// strangers tells of what does not belong into the folder.
func (f *Folder) strangers(p *proof, known ...string) {
	names, err := os.ReadDir(f.dir)
	if err != nil {
		p.problem(finding("unreadable", f.dir, "The folder %s cannot be read: %v.", f.dir, err))
	}
	for _, d := range names {
		if _, ok := f.expect(d.Name()); !ok && !slices.Contains(known, d.Name()) {
			p.problem(finding("stranger", d.Name(), "%q does not belong to the archive.", d.Name()))
		}
	}
}

// prove reads every sealed file and, where there is a key, opens them.
func (f *Folder) prove(ctx context.Context, p *proof) error {
	p.v.Level = keepwatch.LevelSealed
	for _, s := range f.sealed {
		p.total += max(s.Size, 0)
	}
	w := &walker{f: f, ctx: ctx, ids: f.keys.opening(f.to), check: true, tell: p.problem, tick: p.tick, read: func(n int) { p.read.Add(int64(n)) }, got: map[string]keepwatch.SealedFile{}}
	p.got = w.got
	var gaps keepwatch.Gaps
	mail := headers{bad: map[string]string{}, head: make([]byte, longestHeader), p: p}
	w.note = func(n keepwatch.Note) error {
		gaps.Add(n)
		mail.note(n)
		return nil
	}
	if len(w.ids) > 0 {
		p.v.Level = keepwatch.LevelOpened
		err := w.walk(func(e keepwatch.Entry, body *content) (func(bool) error, error) {
			mail.look(e, body)
			return func(ok bool) error {
				if ok {
					p.v.Files++
					p.v.Bytes += e.Size
				}
				p.tick()
				return nil
			}, nil
		})
		if err != nil {
			return err
		}
		f.compareCounts(w, p)
		p.v.Gaps = gaps.List()
	}
	for _, s := range f.sealed {
		if w.opened[s.Name] {
			continue
		}
		if len(w.ids) > 0 && !w.blind {
			p.problem(finding("stranger", s.Name, "%s is not in the list of contents.", s.Name))
		}
		if err := w.hashOnly(s.Name); err != nil {
			return err
		}
	}
	p.tick()
	return nil
}

// compareCounts compares what the list of contents holds with what the manifest
// says.
func (f *Folder) compareCounts(w *walker, p *proof) {
	m := f.manifest
	if m != nil && !w.blind && (m.Items != w.items || m.Bytes != w.bytes) {
		p.problem(finding("content", manifestName, "%s says %s and %s, and the list of contents %s and %s: they do not belong together.", manifestName,
			keepwatch.FormatCount(m.Items, "item"), keepwatch.FormatCount(m.Bytes, "byte"), keepwatch.FormatCount(w.items, "item"), keepwatch.FormatCount(w.bytes, "byte")))
	}
}

// hashOnly reads a sealed file that is not opened.
func (w *walker) hashOnly(name string) error {
	o, err := openSealed(w.ctx, filepath.Join(w.f.dir, name), nil, false, w.read, nil)
	if err != nil {
		w.problem(cannotRead(name, err))
		return context.Cause(w.ctx)
	}
	defer o.Close()
	w.finish(o, name)
	return context.Cause(w.ctx)
}

// changed says how a sealed file is not what was written. A size below zero is
// not known.
func changed(got keepwatch.SealedFile, sum string, size int64) keepwatch.Finding {
	if size >= 0 && got.Size != size {
		return finding("size", got.Name, "%s is not as it was written: it has %s and should have %s.", got.Name, keepwatch.FormatCount(got.Size, "byte"), keepwatch.FormatCount(size, "byte"))
	}
	return finding("hash", got.Name, "%s is not as it was written: its SHA-256 is %s and should be %s.", got.Name, got.SHA256, sum)
}
