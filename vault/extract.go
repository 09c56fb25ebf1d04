package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"keepwatch"
)

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
// run.Ask.Overwrite is set. A destination that does not exist appears only when
// it is whole; in one that exists each file appears only when it is. Files whose
// content is not what the list of contents says are left out and named in the
// result's Findings, and the rest goes on; the error, of KindAttention, then
// says so. Done again after it was cut off, it comes to the same end.
func (f *Folder) Extract(ctx context.Context, run keepwatch.Run, report func(keepwatch.Progress)) (keepwatch.Result, error) {
	result := run.Result
	if report == nil {
		report = func(keepwatch.Progress) {}
	}
	plan, err := f.Plan(ctx, run.Ask)
	if err != nil {
		return result, err
	}
	if err := refuse(plan, run.Ask.Overwrite); err != nil {
		return result, err
	}
	x := &extraction{f: f, ctx: ctx, ask: run.Ask, beside: partialBeside(run), hidden: partial(run), report: report, total: plan, chosen: newSelection(run.Ask.Parts),
		buf: make([]byte, chunk), problems: f.problems, made: map[string]bool{}}
	err = x.begin()
	if err == nil {
		err = x.run()
	}
	if err = errors.Join(err, x.tidy(err)); err != nil {
		return result, err
	}
	result.Items, result.Bytes, result.Notes, result.Findings = x.items, x.bytes, x.notes, x.problems
	return result, x.verdict()
}

// extraction is a restore under way.
type extraction struct {
	f      *Folder
	ctx    context.Context
	ask    keepwatch.Ask
	beside string // where a new destination is made before it has its name
	hidden string // in one that exists, the folder for what is not whole yet
	report func(keepwatch.Progress)
	total  keepwatch.RestorePlan
	chosen *selection
	buf    []byte

	work    string // the folder that is written to: the destination, or a new one beside it
	fresh   bool   // it is a new one
	root    *os.Root
	dir     *os.Root // the folder of the last entry; nil: none
	dirName string

	made map[string]bool // folders that this restore made in one that existed, the topmost of each branch

	seen         int64 // entries that were dealt with, whether or not that went well
	items, bytes int64
	notes        []keepwatch.Note
	problems     []keepwatch.Finding
	lost         int64             // how many could not be read because of damage before them
	links        int64             // how many are to be made
	closed       []keepwatch.Entry // folders whose modes keep us out
}

// partial gives the name that a restore gives to what is not whole yet: one that
// no archive can hold by chance and nobody can guess, since it comes of the
// nanosecond in which the run was made, and the same for each try of the run.
func partial(run keepwatch.Run) string {
	return ".keepwatch-partial-" + hexSum(fmt.Appendf(nil, "%d %d", run.ID, run.Created.UnixNano()))[:16]
}

func partialBeside(run keepwatch.Run) string { return filepath.Clean(run.Ask.To) + partial(run) }

func partialInside(run keepwatch.Run) string { return filepath.Join(run.Ask.To, partial(run)) }

// begin opens the folder that is written to. A new destination is made beside
// its place first; one that is left of a cut-off try of this run is begun anew.
func (x *extraction) begin() error {
	_, err := os.Stat(x.ask.To)
	x.work, x.fresh = x.ask.To, errors.Is(err, fs.ErrNotExist)
	if x.fresh {
		x.work = x.beside
		err = removeAll(x.work)
		if err == nil {
			err = makeDirs(x.work)
		}
	}
	if err == nil {
		x.root, err = os.OpenRoot(x.work)
	}
	if err == nil && !x.fresh {
		err = x.inside()
	}
	if err != nil {
		return full("Nothing can be restored to "+x.ask.To, roomDir(x.ask.To), 0, err)
	}
	x.f.crash("vault.extract.begun")
	return nil
}

// inside makes the folder for files that are not whole yet, in a destination
// that exists. What a cut-off try of this run wrote down there, its folders, is
// taken up.
func (x *extraction) inside() error {
	if err := x.root.MkdirAll(x.insideName(""), 0o700); err != nil {
		return err
	}
	if err := x.root.RemoveAll(x.insideName(tempName)); err != nil {
		return err
	}
	data, err := x.root.ReadFile(x.insideName(madeName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if name, err := strconv.Unquote(strings.TrimSuffix(line, "\n")); err == nil {
			x.made[name] = true
		}
	}
	return nil
}

// Names in that folder: the file in hand, and the list of folders that were
// made, each quoted, one a line.
const (
	tempName = "file"
	madeName = "made"
)

func (x *extraction) insideName(name string) string {
	return filepath.Join(x.hidden, name)
}

// run goes through the archive and then gives the destination its name.
func (x *extraction) run() error {
	w := &walker{f: x.f, ctx: x.ctx, seek: true, mend: true, ids: x.f.keys.opening(x.f.to), tell: x.problem, tick: x.tick, read: x.f.read,
		want: func(e keepwatch.Entry) bool { return x.chosen.has(e.Path) },
		lost: x.lose, done: func() bool { return x.seen == x.total.Items && len(x.ask.Parts) > 0 }}
	if err := w.walk(x.visit); err != nil {
		return err
	}
	if err := x.linksAndFolders(); err != nil {
		return err
	}
	return x.end()
}

// tidy closes what is open and, after an error, removes what is not whole.
func (x *extraction) tidy(failed error) error {
	var err error
	if x.root != nil && !x.fresh {
		err = x.root.RemoveAll(x.insideName(""))
	}
	if x.dir != nil {
		_ = x.dir.Close()
	}
	if x.root != nil {
		_ = x.root.Close()
	}
	if failed != nil && x.fresh {
		err = removeAll(x.work)
	}
	if err != nil && failed == nil {
		return trouble("The restore is done, but its temporary folder cannot be removed", err)
	}
	return nil
}

// removeAll is os.RemoveAll for a tree in which folders may have been given
// modes that keep us out.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// roomDir gives the folder whose disk a destination is on.
func roomDir(to string) string {
	for {
		if _, err := os.Stat(to); err == nil || to == filepath.Dir(to) {
			return to
		}
		to = filepath.Dir(to)
	}
}

func (x *extraction) tick() {
	x.report(keepwatch.Progress{Bytes: x.bytes, TotalBytes: x.total.Bytes, Items: x.items, TotalItems: x.total.Items})
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

// lose counts a file that cannot be read because of damage before it. Folders
// and links are in the list of contents too, so they are not lost.
func (x *extraction) lose(e keepwatch.Entry) error {
	if e.Type != keepwatch.EntryFile {
		_, err := x.visit(e, nil)
		return err
	}
	x.seen++
	x.lost++
	x.problem(finding("lost", e.Path, "%q is lost with it.", e.Path))
	return nil
}

// end makes all of it durable and gives a new destination its name.
func (x *extraction) end() error {
	x.f.crash("vault.extract.before-sync")
	if err := syncAll(x.work); err != nil {
		return full("What was restored cannot be made durable", x.work, x.bytes, err)
	}
	x.f.crash("vault.extract.after-sync")
	if !x.fresh {
		return nil
	}
	if _, err := os.Lstat(x.ask.To); !errors.Is(err, fs.ErrNotExist) {
		return keepwatch.Errorf(keepwatch.KindConflict, "While the restore went on, somebody made %s. Nothing in it was touched. Restore to another place.", x.ask.To)
	}
	if err := x.dressTop(); err != nil {
		return full("What was restored cannot be made durable", x.work, x.bytes, err)
	}
	x.f.crash("vault.extract.before-rename")
	if err := os.Rename(x.work, x.ask.To); err != nil {
		return trouble("The restored folder "+x.work+" cannot be renamed to "+x.ask.To, err)
	}
	x.f.crash("vault.extract.after-rename")
	if err := syncDir(filepath.Dir(x.ask.To)); err != nil {
		return trouble("The name of the restored folder cannot be made durable", err)
	}
	return nil
}

// dressTop gives a new destination the mode, owner and time of the folder that
// was backed up, as the last thing: it may keep us out.
func (x *extraction) dressTop() error {
	if x.f.top == nil {
		return nil
	}
	dir, err := x.root.Open(".")
	if err != nil {
		return err
	}
	if err := x.dress(*x.f.top, x.root, "."); err != nil {
		x.note(topPath, "its mode or time could not be set: %v", err)
	}
	return errors.Join(syncOpen(dir), dir.Close())
}

// verdict says whether all that was asked for was restored as it should be.
func (x *extraction) verdict() error {
	if len(x.problems) == 0 {
		return nil
	}
	first := x.problems[0].Text
	if x.lost > 0 {
		first += " " + keepwatch.FormatCount(x.lost, "file") + " behind that cannot be read."
	}
	if missing := x.total.Items - x.items; missing > 0 {
		return keepwatch.Errorf(keepwatch.KindAttention, "Not everything could be restored: %s %s of %s were restored to %s and are right. Take what is missing from another archive.",
			first, keepwatch.FormatCount(x.items, ""), keepwatch.FormatCount(x.total.Items, "item"), x.ask.To)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Everything that was asked for was restored to %s and is right, but the archive is not as it should be: %s Make a new backup.", x.ask.To, first)
}
