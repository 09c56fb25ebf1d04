package mailbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/vault"
)

// Form is how items of a kind are written into files.
type Form struct {
	Ending string // ".eml"
	// Write writes an item. After a *Partial the file is kept; after another error that is
	// of the item it is not, and the item is written as a mail.
	Write func(w io.Writer, item pst.Item) error
}

// Partial says that an item was written without a part of it that cannot be read.
type Partial struct{ Err error }

func (p *Partial) Error() string { return p.Err.Error() }
func (p *Partial) Unwrap() error { return p.Err }

// Extract writes what task.Run.Ask names into the new folder Ask.To: folders as
// folders, items as EML, ICS and VCF files with names that every system takes, and a
// report of what could not be read. The folder has its name only when it is whole, and
// nothing that exists is replaced. Done again after it was cut off, it comes to the
// same end.
func (m *Mailboxes) Extract(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	run := task.Run
	if len(run.Result.Checkpoint) > 0 && m.cfg.Vault.Finished(run) { // killed right behind the last step
		var done keepwatch.Result
		if err := json.Unmarshal(run.Result.Checkpoint, &done); err != nil {
			return run.Result, fmt.Errorf("read what a restore had saved: %w", err)
		}
		return done, nil
	}
	parts, err := m.find(ctx, run.Ask.Archive, run.Ask.Parts)
	if err != nil {
		return run.Result, err
	}
	dir, err := m.cfg.Vault.NewFolder(run)
	if err != nil {
		return run.Result, err
	}
	x := &extraction{m: m, ctx: ctx, ref: run.Ask.Archive, dir: dir, result: run.Result, tell: task.Report}
	x.result.Items, x.result.Bytes, x.result.Notes, x.result.Counts, x.result.Kinds = 0, 0, nil, map[keepwatch.NoteKind]int64{}, map[keepwatch.ItemKind]int64{}
	x.result.Checkpoint = nil
	if run.Result.Plan != nil {
		x.total = run.Result.Plan.Items
	}
	if err := x.all(run, parts); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return run.Result, errors.Join(err, dir.Abort())
	}
	if err := x.save(task); err != nil {
		return run.Result, errors.Join(err, dir.Abort())
	}
	return x.result, dir.Finish()
}

// save makes what was written durable, and then what came of it, so that a kill between
// the two and the last step does not lose it.
func (x *extraction) save(task keepwatch.Task) error {
	if err := x.dir.Sync(); err != nil {
		return err
	}
	data, err := json.Marshal(x.result)
	if err == nil && task.Checkpoint != nil {
		err = task.Checkpoint(data)
	}
	return err
}

// extraction is one under way.
type extraction struct {
	m      *Mailboxes
	ctx    context.Context
	ref    string
	dir    *vault.NewFolder
	report *report
	result keepwatch.Result
	total  int64 // items that were planned
	tell   func(keepwatch.Progress)
}

// all writes every part, and the report.
func (x *extraction) all(run keepwatch.Run, parts []asked) (err error) {
	if x.report, err = newReport(x, run); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.report.close()) }()
	if err := x.m.each(x.ctx, x.ref, parts, x.tell, func(o *opened, parts []asked) error {
		for _, a := range parts {
			if err := x.part(o, a); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return x.report.end(x.result)
}

// part writes one part.
func (x *extraction) part(o *opened, a asked) error {
	at, err := o.resolve(x.ref, a)
	if err != nil {
		return err
	}
	x.report.rescued = x.report.rescued || o.rescued
	if at.number == 0 {
		name := strings.TrimSuffix(path.Base(a.file), path.Ext(a.file))
		if at.folder >= 0 {
			name = o.dir(at.folder).Name()
		}
		_, err := x.folder(x.dir.Root, o, at.folder, name, o.rowsLeft())
		return err
	}
	list, err := o.order(x.ctx, at.folder)
	if err != nil {
		return err
	}
	if at.number > int64(len(list)) {
		return keepwatch.Errorf(keepwatch.KindNotFound, "There is no item %d in %s.", at.number, keepwatch.Printable(a.part))
	}
	return x.item(x.dir.Root, o, list[at.number-1], at.number, keepwatch.MailPart(o.name, o.path(at.folder), at.number))
}

// folder writes a folder and all that is below it, and gives the index behind it.
func (x *extraction) folder(in *os.Root, o *opened, folder int, name string, left *int64) (next int, err error) {
	dir, err := x.mkdir(in, safeName(name, "no name"))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	list, err := o.number(x.ctx, folder, left, func(err error) error { return x.lose(o, folder, err) })
	if err != nil {
		return 0, err
	}
	doubtful, err := o.doubtful(x.ctx)
	if err == nil && doubtful[o.dir(folder).Node()] {
		err = x.note(keepwatch.NoteUnreadable, keepwatch.MailPart(o.name, o.path(folder), 0), "a part of the list of its items may be missing: a checksum in it does not fit")
	}
	if err != nil {
		return 0, err
	}
	for i, n := range list {
		if err := x.item(dir, o, n, int64(i+1), keepwatch.MailPart(o.name, o.path(folder), int64(i+1))); err != nil {
			return 0, err
		}
	}
	for next = folder + 1; next < o.end(folder); {
		if next, err = x.folder(dir, o, next, o.dir(next).Name(), left); err != nil {
			return 0, err
		}
	}
	if folder < 0 {
		err = x.astray(dir, o)
	}
	return next, err
}

// astrayName is the folder for items that lie in none.
const astrayName = "Lost and found"

// astray writes the items that lie in no folder, where there are any.
func (x *extraction) astray(in *os.Root, o *opened) error {
	var dir *os.Root
	number := int64(0)
	err := o.astray(x.ctx, func(n pst.NID, _ pst.Properties) (err error) {
		if dir == nil {
			if dir, err = x.mkdir(in, astrayName); err != nil {
				return err
			}
		}
		number++
		return x.item(dir, o, numbered{node: n}, number, o.name+" ("+astrayName+") #"+strconv.FormatInt(number, 10))
	})
	if dir != nil {
		_ = dir.Close()
	}
	return err
}

// lose notes that a part of a folder's list cannot be read. Another error is given back.
func (x *extraction) lose(o *opened, folder int, err error) error {
	if !tolerable(err) {
		return err
	}
	return x.note(keepwatch.NoteUnreadable, keepwatch.MailPart(o.name, o.path(folder), 0), "a part of the list of its items: "+brief(err))
}

// mkdir makes a folder; where there is one of its name, another one.
func (x *extraction) mkdir(in *os.Root, name string) (*os.Root, error) {
	for n := 1; ; n++ {
		unique := name
		if n > 1 {
			unique += " (" + strconv.Itoa(n) + ")"
		}
		err := in.Mkdir(unique, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, x.dir.Full(x.result.Bytes, err)
		}
		return in.OpenRoot(unique)
	}
}

// item writes one item.
func (x *extraction) item(in *os.Root, o *opened, n numbered, number int64, where string) error {
	if err := context.Cause(x.ctx); err != nil {
		return err
	}
	doubtful, err := o.doubtful(x.ctx)
	if err != nil {
		return err
	}
	msg, err := o.file.Message(n.node)
	if err != nil {
		if !tolerable(err) {
			return err
		}
		text := brief(err)
		if n.at != 0 { // the list of its folder knows the day
			text = "it is of " + time.Unix(0, n.at).In(x.m.cfg.Zone).Format("2 January 2006") + ": " + text
		}
		return x.note(keepwatch.NoteUnreadable, where, text)
	}
	ps, err := msg.Properties()
	if err != nil && !tolerable(err) {
		return err
	}
	item := describe(ps)
	item.Number = number
	var lost []string
	source := salvaged{msg, func(what string, err error) {
		if text := what + ": " + brief(err); len(lost) < 10 {
			lost = append(lost, text)
		}
	}}
	if doubtful[n.node] {
		lost = append(lost, "a checksum in it does not fit, so some of it may not be as it was")
	}
	if err := x.write(in, item, source, where, &lost); err != nil {
		return err
	}
	if err := o.data.fault(); err != nil { // it is of the archive, and not of the item
		return err
	}
	if len(lost) > 0 {
		return x.note(keepwatch.NoteHalf, where, strings.Join(lost, "; "))
	}
	return nil
}

// write writes it in the form of its kind; where that cannot be done, as a mail.
func (x *extraction) write(in *os.Root, item keepwatch.MailItem, source pst.Item, where string, lost *[]string) error {
	known := slices.Clone(*lost)
	mail := x.m.cfg.Forms[keepwatch.ItemMail]
	form, ok := x.m.cfg.Forms[item.Kind]
	if !ok {
		form = mail
	}
	err := x.file(in, item, form, source, lost)
	if unfit, ok := errors.AsType[*unfit](err); ok && form.Ending != mail.Ending {
		*lost = append(known, fmt.Sprintf("it could not be written as %s (%v), so it is a mail", strings.TrimPrefix(form.Ending, "."), unfit.error))
		err = x.file(in, item, mail, source, lost)
	}
	if unfit, ok := errors.AsType[*unfit](err); ok {
		*lost = nil
		return x.note(keepwatch.NoteUnreadable, where, brief(unfit.error))
	}
	if err == nil && form.Ending != mail.Ending && len(*lost) == len(known) && leavesBehind(source) { // as a mail it has them too
		item.Kind = ""
		err = x.file(in, item, mail, source, lost)
	}
	return err
}

// leavesBehind reports whether an item that is no mail has attachments that somebody has
// put there: a vCard or an iCalendar has no place for them. Photos, exceptions of a
// recurrence and the text that an item was made of are none.
func leavesBehind(source pst.Item) bool {
	for a, err := range source.Attachments() {
		if err != nil {
			return false // told of when it was written
		}
		ps, err := a.Properties()
		name := strings.ToLower(ps.Text(pst.PidTagAttachLongFilename))
		switch {
		case err != nil || ps.Bool(pst.PidTagAttachmentHidden) || ps.Bool(pst.PidTagAttachmentContactPhoto) || ps.Int(pst.PidTagAttachmentFlags)&2 != 0:
		case name == "original.vcf" || name == "original.ics":
		default:
			return true
		}
	}
	return false
}

// unfit is an error of an item, and not of a disk.
type unfit struct{ error }

func (u *unfit) Unwrap() error { return u.error }

// file makes the file of an item. It is removed again where the item cannot be written.
func (x *extraction) file(in *os.Root, item keepwatch.MailItem, form Form, source pst.Item, lost *[]string) error {
	f, name, err := x.create(in, itemName(item, x.m.cfg.Zone), form.Ending)
	if err != nil {
		return err
	}
	out := &watched{ctx: x.ctx, w: f}
	buf := bufio.NewWriterSize(out, 64<<10)
	wrong := x.formed(form, buf, source)
	if part, ok := errors.AsType[*Partial](wrong); ok {
		*lost, wrong = append(*lost, brief(part.Err)), nil
	}
	if wrong == nil {
		wrong = buf.Flush()
	}
	err = f.Close()
	switch {
	case out.failed != nil:
		return x.full(out.failed)
	case err != nil:
		return x.full(err)
	case wrong != nil && (tolerable(wrong) || !ofDisk(wrong)):
		return errors.Join(&unfit{wrong}, in.Remove(name))
	case wrong != nil:
		return wrong
	}
	if !item.At.IsZero() {
		_ = in.Chtimes(name, item.At, item.At) // where that cannot be done, it has the time of now
	}
	x.result.Bytes += out.n
	if item.Kind != "" { // else its second file
		x.result.Items++
		x.result.Kinds[item.Kind]++
	}
	x.tell(keepwatch.Progress{Items: x.result.Items, TotalItems: max(x.total, x.result.Items)})
	x.m.cfg.Crash("mailbox.extract.item")
	return nil
}

// formed writes an item. One that breaks our own code does not keep the others from
// being brought out.
func (x *extraction) formed(form Form, w io.Writer, source pst.Item) (err error) {
	defer func() {
		if p := recover(); p != nil {
			x.m.cfg.Log.Error("writing an item of an Outlook data file broke off", "archive", x.ref, "panic", p, "stack", string(debug.Stack()))
			err = errors.New("writing it broke off, through a mistake of Keepwatch's own")
		}
	}()
	return form.Write(w, source)
}

// ofDisk reports whether an error is one of the system.
func ofDisk(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}

// full makes a sentence of an error of the disk that is written to.
func (x *extraction) full(err error) error {
	if cause := context.Cause(x.ctx); cause != nil {
		return cause
	}
	return x.dir.Full(x.result.Bytes, err)
}

// create makes a file that is not there yet.
func (x *extraction) create(in *os.Root, name, ending string) (*os.File, string, error) {
	for n := 1; ; n++ {
		unique := name
		if n > 1 {
			unique += " (" + strconv.Itoa(n) + ")"
		}
		unique += ending
		f, err := in.OpenFile(unique, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, "", x.full(err)
		}
		return f, unique, nil
	}
}

// watched writes to a file, obeys the context and remembers what failed.
type watched struct {
	ctx    context.Context
	w      io.Writer
	n      int64
	failed error
}

func (w *watched) Write(p []byte) (int, error) {
	if err := context.Cause(w.ctx); err != nil {
		w.failed = err
		return 0, err
	}
	n, err := w.w.Write(p)
	w.n += int64(n)
	if err != nil {
		w.failed = err
	}
	return n, err
}

// note keeps what could not be read: the first ones in the result, all in the report.
// The result is shown on a card that a whole channel reads, the report lies beside what
// was restored: names of attachments and subjects of messages in them are there alone.
func (x *extraction) note(kind keepwatch.NoteKind, where, text string) error {
	x.result.Counts[kind]++
	if len(x.result.Notes) < keepwatch.MaxNotes {
		x.result.Notes = append(x.result.Notes, keepwatch.Note{Kind: kind, Path: where, Text: quotations.ReplaceAllString(text, `"…"`)})
	}
	return x.report.loss(kind, where, text)
}

// quotations are what an error repeats of an item.
var quotations = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// brief gives what is wrong in a few words.
func brief(err error) string {
	text := keepwatch.Printable(err.Error())
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
