package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"keepwatch"
)

// Free gives the bytes left on the vault's disk.
func (v *Vault) Free() (int64, error) { return free(v.dir) }

// wanted reports whether a path is asked for: all are when no parts are given;
// otherwise a part is a path, a folder with all that is below it, or a pattern
// as in path.Match for the whole path or, without a slash, for its last part.
func wanted(p string, parts []string, used map[string]bool) bool {
	if len(parts) == 0 {
		return true
	}
	hit := false
	for _, part := range parts {
		clean := strings.Trim(path.Clean(filepath.ToSlash(part)), "/")
		is := p == clean || strings.HasPrefix(p, clean+"/") || clean == "."
		if !is {
			name := p
			if !strings.Contains(clean, "/") {
				name = path.Base(p)
			}
			is, _ = path.Match(clean, name)
		}
		if is {
			used[part], hit = true, true
		}
	}
	return hit
}

// PlanExtract says what Extract would do, without writing anything.
func (v *Vault) PlanExtract(ctx context.Context, ref string, ask keepwatch.Ask) (keepwatch.RestorePlan, error) {
	f, err := v.open(ref)
	if err != nil {
		return keepwatch.RestorePlan{}, err
	}
	plan, err := f.Plan(ctx, ask)
	plan.Ref = ref
	return plan, err
}

// maxClashes is how many files that stand in the way are named.
const maxClashes = 20

// Plan says what Extract would do, without writing anything.
func (f *Folder) Plan(ctx context.Context, ask keepwatch.Ask) (keepwatch.RestorePlan, error) {
	plan := keepwatch.RestorePlan{To: ask.To, Free: -1}
	used := map[string]bool{}
	err := f.Contents(ctx, func(e keepwatch.Entry) error {
		if !wanted(e.Path, ask.Parts, used) {
			return nil
		}
		plan.Items++
		plan.Bytes += e.Size
		info, err := os.Lstat(filepath.Join(ask.To, filepath.FromSlash(e.Path)))
		switch {
		case err != nil:
			plan.New++
		case e.Type == keepwatch.EntryFolder && info.IsDir():
			plan.Same++
		case e.Type == keepwatch.EntryFile && info.Mode().IsRegular() && info.Size() == e.Size && info.ModTime().Equal(e.ModTime):
			plan.Same++
		default:
			if plan.Replaced++; len(plan.Clashes) < maxClashes {
				plan.Clashes = append(plan.Clashes, e.Path)
			}
		}
		return nil
	}, nil)
	for _, part := range ask.Parts {
		if !used[part] {
			plan.Missing = append(plan.Missing, part)
		}
	}
	for dir := ask.To; ; dir = filepath.Dir(dir) {
		if n, err := free(dir); err == nil {
			plan.Free = n
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return plan, err
}

// Extract restores an archive of the vault: run.Ask says what, where to, and
// whether files that exist may be replaced.
func (v *Vault) Extract(ctx context.Context, ref string, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Result, error) {
	f, err := v.open(ref)
	if err != nil {
		return run.Result, err
	}
	return f.Extract(ctx, run, report)
}

// Extract restores the archive into run.Ask.To. Nothing is ever written outside
// of it, whatever the archive says, and no file that exists is replaced unless
// run.Ask.Overwrite is set. A destination that does not exist, or is empty,
// appears only when it is whole. Files whose content is not what the list of
// contents says are left out and named in the result's Findings, and the rest
// goes on; the error then says so.
func (f *Folder) Extract(ctx context.Context, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Result, error) {
	result := run.Result
	if len(f.keys.identities) == 0 {
		return result, noKey()
	}
	plan, err := f.Plan(ctx, run.Ask)
	if err != nil {
		return result, err
	}
	if err := refuse(plan, run.Ask.Overwrite); err != nil {
		return result, err
	}
	x := &extraction{ask: run.Ask, used: map[string]bool{}, report: report, total: plan, to: run.Ask.To, id: run.ID}
	if err := x.begin(); err != nil {
		return result, err
	}
	defer x.root.Close()
	w := &walker{f: f, ctx: ctx, count: func(int) {}, problem: x.problem}
	if _, err := w.walk(x.visit); err != nil {
		return result, err
	}
	if err := x.end(); err != nil {
		return result, err
	}
	result.Items, result.Bytes, result.Notes, result.Findings = x.items, x.bytes, x.notes, x.problems
	if len(x.problems) > 0 {
		return result, keepwatch.Errorf(keepwatch.KindAttention, "The archive is damaged: %s What is whole was restored to %s (%s). Restore what is missing from another archive.",
			x.problems[0].Text, x.to, keepwatch.FormatCount(x.items, "item"))
	}
	return result, nil
}

// refuse says why a restore must not begin.
func refuse(plan keepwatch.RestorePlan, overwrite bool) error {
	switch {
	case len(plan.Missing) > 0:
		return keepwatch.Errorf(keepwatch.KindNotFound, "The archive holds no %s. `/backup show` lists what is in it.", strings.Join(plan.Missing, ", "))
	case plan.Replaced > 0 && !overwrite:
		return keepwatch.Errorf(keepwatch.KindConflict, "%s in %s that the archive holds too, and that differ: %s. Restore to another place, or add --overwrite to replace them.",
			existing(plan.Replaced), plan.To, strings.Join(plan.Clashes, ", "))
	case plan.Free >= 0 && plan.Bytes > plan.Free:
		return keepwatch.Errorf(keepwatch.KindAttention, "There is not enough room in %s: %s are needed and %s are free.", plan.To, keepwatch.FormatBytes(plan.Bytes), keepwatch.FormatBytes(plan.Free))
	}
	return nil
}

func existing(n int64) string {
	if n == 1 {
		return "There is 1 item"
	}
	return "There are " + keepwatch.FormatCount(n, "item")
}

// extraction is a restore under way.
type extraction struct {
	ask    keepwatch.Ask
	to     string // the destination
	work   string // where it is written: to, or a folder beside it that is renamed in the end
	id     int64
	root   *os.Root
	used   map[string]bool
	report func(keepwatch.Progress)
	total  keepwatch.RestorePlan

	items, bytes int64
	temp         int64
	notes        []keepwatch.Note
	problems     []keepwatch.Finding
	folders      []keepwatch.Entry // whose modes and times are set last
	links        []keepwatch.Entry // made last, so that nothing is written through them
}

func (x *extraction) problem(p keepwatch.Finding) {
	if len(x.problems) < maxProblems {
		x.problems = append(x.problems, p)
	}
}

func (x *extraction) note(p, format string, args ...any) {
	if len(x.notes) < keepwatch.MaxNotes {
		x.notes = append(x.notes, keepwatch.Note{Kind: keepwatch.NoteInfo, Path: p, Text: fmt.Sprintf(format, args...)})
	}
}

// begin opens the folder that is written to. A new destination is made beside
// its place first; one that is left of a cut-off try of this run is begun anew.
func (x *extraction) begin() error {
	x.work = x.to
	names, err := os.ReadDir(x.to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return trouble("Nothing can be restored to "+x.to, err)
	}
	if len(names) == 0 {
		x.work = fmt.Sprintf("%s.keepwatch-partial-%d", x.to, x.id)
		if err := os.RemoveAll(x.work); err != nil {
			return trouble("Nothing can be restored to "+x.to, err)
		}
	}
	if err := os.MkdirAll(x.work, 0o700); err != nil {
		return trouble("Nothing can be restored to "+x.to, err)
	}
	if x.root, err = os.OpenRoot(x.work); err != nil {
		return trouble("Nothing can be restored to "+x.to, err)
	}
	return nil
}

// visit restores one entry.
func (x *extraction) visit(e keepwatch.Entry, body *content) (func(bool) error, error) {
	if !wanted(e.Path, x.ask.Parts, x.used) {
		return nil, nil
	}
	name := filepath.FromSlash(e.Path)
	if err := x.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, x.wrong(e, err)
	}
	switch e.Type {
	case keepwatch.EntryFolder:
		if err := x.root.MkdirAll(name, 0o755); err != nil {
			return nil, x.wrong(e, err)
		}
		x.folders = append(x.folders, e)
		x.did(e)
		return nil, nil
	case keepwatch.EntryLink:
		x.links = append(x.links, e)
		return nil, nil
	}
	return x.file(e, name, body)
}

// wrong tells of an entry that cannot be restored. A full disk ends the
// restore; anything else is about that entry only.
func (x *extraction) wrong(e keepwatch.Entry, err error) error {
	if t := trouble("The restore to "+x.to+" stopped", err); isFull(err) {
		return t
	}
	x.problem(finding("restore", e.Path, "%q could not be restored: %v.", e.Path, err))
	return nil
}

func (x *extraction) did(e keepwatch.Entry) {
	x.items++
	x.bytes += e.Size
	x.report(keepwatch.Progress{Bytes: x.bytes, TotalBytes: x.total.Bytes, Items: x.items, TotalItems: x.total.Items})
}

// file writes a file under a temporary name; once its content is known to be
// right it gets its own.
func (x *extraction) file(e keepwatch.Entry, name string, body *content) (func(bool) error, error) {
	if info, err := x.root.Lstat(name); err == nil && info.Mode().IsRegular() && info.Size() == e.Size && info.ModTime().Equal(e.ModTime) && !x.ask.Overwrite {
		x.did(e) // it is there already
		return nil, nil
	}
	x.temp++
	temp := filepath.Join(filepath.Dir(name), fmt.Sprintf(".keepwatch-%d-%d", x.id, x.temp))
	_ = x.root.Remove(temp)
	f, err := x.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, x.wrong(e, err)
	}
	_, err = io.Copy(writerFunc(func(p []byte) (int, error) {
		x.report(keepwatch.Progress{Bytes: x.bytes + body.n, TotalBytes: x.total.Bytes, Items: x.items, TotalItems: x.total.Items})
		return f.Write(p)
	}), onlyReader{body})
	err = errors.Join(err, f.Close())
	var writing *fs.PathError
	if err != nil && errors.As(err, &writing) && writing.Op == "write" {
		_ = x.root.Remove(temp)
		return nil, x.wrong(e, err)
	}
	return func(ok bool) error { // an error of reading is told by walk, with ok false
		if !ok {
			return x.root.Remove(temp)
		}
		if err := x.place(e, temp, name); err != nil {
			_ = x.root.Remove(temp)
			return x.wrong(e, err)
		}
		x.did(e)
		return nil
	}, nil
}

// place gives a written file its owner, mode, time and name, in this order: a
// change of owner clears setuid.
func (x *extraction) place(e keepwatch.Entry, temp, name string) error {
	x.own(e, temp)
	err := errors.Join(x.root.Chmod(temp, fileMode(e.Mode)), x.root.Chtimes(temp, time.Time{}, e.ModTime))
	if err != nil {
		return err
	}
	if x.ask.Overwrite {
		return x.root.Rename(temp, name)
	}
	if err := x.root.Link(temp, name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return err
		}
		if _, err := x.root.Lstat(name); err == nil {
			return fs.ErrExist
		}
		return x.root.Rename(temp, name) // a file system without links
	}
	return x.root.Remove(temp)
}

// own gives an entry its owner back where the bot may do that.
func (x *extraction) own(e keepwatch.Entry, name string) {
	if os.Geteuid() == 0 {
		if err := x.root.Lchown(name, e.UID, e.GID); err != nil {
			x.note(e.Path, "its owner could not be set: %v", err)
		}
	}
}

// end makes the links, sets what later writes would have changed, makes all of
// it durable, and gives a new destination its name.
func (x *extraction) end() error {
	for _, e := range x.links {
		name := filepath.FromSlash(e.Path)
		if old, err := x.root.Readlink(name); err == nil && old == e.Link {
			x.did(e)
			continue
		}
		if x.ask.Overwrite {
			_ = x.root.Remove(name)
		}
		if err := x.root.Symlink(e.Link, name); err != nil {
			if err := x.wrong(e, err); err != nil {
				return err
			}
			continue
		}
		x.own(e, name)
		x.did(e)
	}
	for i := len(x.folders) - 1; i >= 0; i-- { // the deepest first
		e := x.folders[i]
		name := filepath.FromSlash(e.Path)
		x.own(e, name)
		if err := errors.Join(x.root.Chmod(name, fileMode(e.Mode)), x.root.Chtimes(name, time.Time{}, e.ModTime)); err != nil {
			x.note(e.Path, "its mode or time could not be set: %v", err)
		}
	}
	if err := syncAll(x.work); err != nil {
		return trouble("What was restored cannot be made durable", err)
	}
	if x.work == x.to {
		return nil
	}
	_ = os.Remove(x.to) // an empty folder
	if err := os.Rename(x.work, x.to); err != nil {
		return trouble("The restored folder "+x.work+" cannot be renamed to "+x.to, err)
	}
	return syncDir(filepath.Dir(x.to))
}

// fileMode makes Go's mode of Unix's.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	if mode&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if mode&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if mode&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}
