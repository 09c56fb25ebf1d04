package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// archiving is one Fetch: what was downloaded becomes an archive.
type archiving struct {
	p     *Maker
	ctx   context.Context
	job   providers.Job
	sink  providers.Sink
	k     outlook.Kept
	spool outlook.Spool
	dir   string // for files that lie open for a while

	volumeSize int64 // of the PST; 0: as many bytes as suit the mailbox
	most       int   // items of folders whose items are looked for that are held in memory; 0: mostHeld

	index *lineFile
	data  *dataFile // nil: no PST is asked for, or none can be made
	state outlook.State
	spare []byte // of the content in hand, where that is short

	did    keepwatch.Progress
	inside keepwatch.Inside
	holds  int // files of an export that are, or may hold, an Outlook data file
	remarks
}

// Fetch makes the archive of what lies in the spool of the run, or of what Purview has
// exported. It needs nothing from the network for the former, and done again after a kill
// it makes the same archive.
func (p *Maker) Fetch(ctx context.Context, job providers.Job, sink providers.Sink) error {
	k, err := outlook.ReadKept(job)
	if err != nil {
		return fmt.Errorf("read what run %d keeps: %w", job.Run, err)
	}
	if p.Prepares(job) {
		return p.fetchExport(ctx, job, k, sink)
	}
	if len(k.Key) == 0 {
		return keepwatch.Errorf(keepwatch.KindAttention, "Nothing of the mailbox was downloaded in this run. Cancel it and start the backup again.")
	}
	spool, err := p.cfg.Spools.Open(job.Run, k.Key)
	if err != nil {
		return lost(err)
	}
	a := &archiving{p: p, ctx: ctx, job: job, sink: sink, k: k, spool: spool, remarks: remarks{sink: sink}}
	return lost(errors.Join(a.run(), spool.Close()))
}

// lost makes a sentence of what a spool says that cannot be read any more.
func lost(err error) error {
	if !errors.Is(err, outlook.ErrLost) {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "What was downloaded from the mailbox cannot be read any more; the disk of this machine may be failing. Cancel this run and start the backup again: all of it is downloaded anew.").Because(err)
}

// run makes the archive, and leaves nothing open behind.
func (a *archiving) run() (err error) {
	if a.dir, err = a.p.cfg.Spools.Scratch(a.job.Run); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.data.abort(), a.index.remove(), os.RemoveAll(a.dir)) }()
	folders, err := a.spool.Folders()
	if err != nil {
		return err
	}
	if len(folders) == 0 { // Open begins a spool that is not there; an archive of nothing would count as one of the mailbox
		return fmt.Errorf("%w: there is nothing of it", outlook.ErrLost)
	}
	if err := a.begin(); err != nil {
		return err
	}
	t := newTree(folders)
	if err := a.folders(t); err != nil {
		return err
	}
	if err := a.rest(t); err != nil {
		return err
	}
	if err := a.finishData(); err != nil {
		return err
	}
	if err := a.remarks.end(); err != nil {
		return err
	}
	if a.k.Base != "" && a.job.Changes != nil {
		a.job.Changes(a.k.Base)
	}
	if a.job.Found != nil {
		a.job.Found(a.inside)
	}
	return nil
}

// begin sees that there is room and opens what is written on the way.
func (a *archiving) begin() error {
	totals, err := a.spool.Totals()
	if err != nil {
		return err
	}
	a.did.TotalItems, a.did.TotalBytes = totals.Items, totals.Bytes
	a.inside = keepwatch.Inside{Account: a.job.Source.Mailbox, Items: map[keepwatch.ItemKind]int64{}}
	a.state = outlook.State{Version: 1, Mailbox: a.job.Source.Mailbox, Taken: a.taken(), Base: a.k.Base, Folders: []outlook.FolderState{}}
	if err := a.room(totals); err != nil {
		return err
	}
	for _, n := range a.k.Notes {
		if err := a.sink.Note(n); err != nil {
			return err
		}
	}
	if a.index, err = newLineFile(a.dir, outlook.IndexPath); err != nil {
		return a.disk(err)
	}
	if slices.Contains(a.job.Source.Formats, "pst") {
		if a.volumeSize == 0 {
			a.volumeSize = volumeSize(totals)
		}
		a.data, err = newDataFile(a.dir, a.dataName(), a.taken(), a.volumeSize)
	}
	return a.disk(err)
}

// taken is of when the archive is: the same in every attempt.
func (a *archiving) taken() time.Time {
	if !a.k.Taken.IsZero() {
		return a.k.Taken.UTC()
	}
	return a.job.Began.UTC()
}

// What files on the scratch disk take, about: a line of the index, one of the list of what was
// removed, and what a PST has of an item beside its content. Texts double in a PST (UTF-16), and what is attached shrinks by a
// quarter (no base64).
const (
	roomOfLine = 4 << 10
	roomOfGone = 1 << 10
	roomOfItem = 6 << 10
	elbowRoom  = 2 << 20
)

// room refuses what will not fit on the disk where files lie open for a while.
func (a *archiving) room(totals outlook.Totals) error {
	need := totals.Items*roomOfLine + elbowRoom
	for _, f := range a.k.Gone {
		need += max(f.Items, 0) * roomOfGone
	}
	if slices.Contains(a.job.Source.Formats, "pst") {
		need += inPST(totals)
	}
	return a.p.roomFor(need)
}

// inPST is how many bytes a PST of all of it has, about.
func inPST(totals outlook.Totals) int64 {
	return totals.Bytes + totals.Bytes/4 + totals.Items*roomOfItem
}

// roomFor refuses what needs more bytes than are free where spools lie.
func (p *Maker) roomFor(need int64) error {
	free, err := p.cfg.Spools.Free()
	if err != nil {
		return fmt.Errorf("look at the room for the archive of a mailbox: %w", err)
	}
	if free >= need {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "There is not enough room in the data folder to make the archive: about %s are needed there for a while, and %s are free. Free some room, then retry; what was downloaded stays.", keepwatch.FormatBytes(need), keepwatch.FormatBytes(free))
}

// disk makes a sentence of a scratch disk that is full.
func (a *archiving) disk(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The disk with the data folder got full while the archive was made. Free some room, then retry; what was downloaded stays.").Because(err)
}

// folders stores every folder, empty ones too, and what is in it.
func (a *archiving) folders(t *tree) error {
	for _, at := range t.all {
		if err := context.Cause(a.ctx); err != nil {
			return err
		}
		if err := a.add(a.sink.Add, keepwatch.Entry{Path: at.dir, Type: keepwatch.EntryFolder, Mode: 0o700, ModTime: a.taken()}, nil); err != nil {
			return err
		}
		if err := a.data.folder(at); err != nil {
			return a.disk(err)
		}
	}
	for _, at := range t.all {
		if !at.bound {
			continue
		}
		if err := a.folder(at); err != nil {
			return err
		}
		at.names = nil // they are the most that is remembered
	}
	return nil
}

// folder stores what is in one.
func (a *archiving) folder(at *place) error {
	pos, err := a.spool.Position(at.ID)
	if err != nil {
		return err
	}
	if !pos.Ended() { // what was not listed would be missing, and nobody would know
		return fmt.Errorf("%w: the folder %s was not read to its end", outlook.ErrLost, at.Title())
	}
	s := outlook.FolderState{Folder: at.Folder, State: pos.State, Whole: pos.Whole || pos.Full || a.k.Base == ""}
	for r, err := range a.spool.Records(at.ID) {
		if err != nil {
			return err
		}
		if err := context.Cause(a.ctx); err != nil {
			return err
		}
		if err := a.item(at, r, &s); err != nil {
			return err
		}
	}
	a.state.Folders = append(a.state.Folders, s)
	if s.Whole && s.Missing == 0 && s.Items > s.Kept {
		return a.info(at.dir, fmt.Sprintf("the mailbox counted %s in this folder, and %s were there when it was read; people go on working during a backup, and some items are in no list", keepwatch.FormatCount(s.Items, "item"), keepwatch.FormatCount(s.Kept, "")))
	}
	return nil
}

// rest stores the files about the mailbox as a whole.
func (a *archiving) rest(t *tree) error {
	if a.k.Base != "" {
		if err := a.removed(t); err != nil {
			return err
		}
	}
	state, err := json.MarshalIndent(a.state, "", " ")
	if err != nil {
		return err
	}
	if err := a.alone(outlook.StatePath, a.taken(), int64(len(state)), bytes.NewReader(state)); err != nil {
		return err
	}
	return a.lines(outlook.IndexPath, a.index)
}

// lines stores a file of lines and removes it from the disk.
func (a *archiving) lines(path string, l *lineFile) error {
	err := l.read(func(r io.Reader, size int64) error { return a.alone(path, a.taken(), size, r) })
	return a.disk(errors.Join(err, l.remove()))
}

// file stores a file of the tree.
func (a *archiving) file(path string, at time.Time, size int64, content io.Reader) error {
	return a.add(a.sink.Add, entryOf(path, at, size), content)
}

// alone stores a file that is sealed by itself: it is opened without reading what lies
// before it in the tree. Its name is seen beside the archive.
func (a *archiving) alone(path string, at time.Time, size int64, content io.Reader) error {
	return a.add(a.sink.Single, entryOf(path, at, size), content)
}

func entryOf(path string, at time.Time, size int64) keepwatch.Entry {
	return keepwatch.Entry{Path: path, Type: keepwatch.EntryFile, Mode: 0o600, ModTime: at, Size: size}
}

// add stores an entry. An error of content is one of the whole: a sink may otherwise take
// one of a disk for a reason to fill up with zeros.
func (a *archiving) add(store func(keepwatch.Entry, io.Reader) error, e keepwatch.Entry, content io.Reader) error {
	src := &watched{ctx: a.ctx, r: content, moved: a.moved}
	if err := store(e, src); err != nil {
		return err
	}
	if e.Type == keepwatch.EntryFile {
		a.inside.Files++
		a.inside.Bytes += e.Size
	}
	return src.err
}

// moved says how far it is.
func (a *archiving) moved(bytes int64) {
	a.did.Bytes += bytes
	a.did.TotalBytes = max(a.did.TotalBytes, a.did.Bytes)
	a.job.Report(a.did)
}

// watched is a reader that obeys a context, keeps its error and tells how far it is.
type watched struct {
	ctx   context.Context
	r     io.Reader
	moved func(bytes int64)
	err   error
}

// Read reads.
func (w *watched) Read(p []byte) (int, error) {
	if w.err == nil {
		w.err = context.Cause(w.ctx)
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	if n > 0 {
		w.moved(int64(n))
	}
	return n, err
}

// maxRemarks is how many notes about single items there are in one archive: a mailbox of a
// million odd items would make its list of contents long and nobody wiser.
const maxRemarks = 1000

// remarks are notes that are no gaps.
type remarks struct {
	sink  providers.Sink
	made  int64
	among int64 // of those, beyond maxRemarks
}

// info notes something about an item or a folder. The index says the same of the item.
func (r *remarks) info(path, text string) error {
	if r.made++; r.made > maxRemarks {
		r.among++
		return nil
	}
	return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: path, Text: text})
}

// end says how many there were beyond those that are told.
func (r *remarks) end() error {
	if r.among == 0 {
		return nil
	}
	return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: outlook.IndexPath, Text: fmt.Sprintf("%s more about single items and folders are not listed; this file and %s tell of them", keepwatch.FormatCount(r.among, "note"), outlook.StatePath)})
}
