package download

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// maxState is the longest state of a mailbox that is read, in bytes. One of ten thousand
// folders is a tenth of that.
const maxState = 64 << 20

// readState reads what an archive says of its mailbox.
func readState(ctx context.Context, from providers.Opener, ref string) (outlook.State, error) {
	var s outlook.State
	_, content, err := from.OpenEntry(ctx, ref, outlook.StatePath)
	if err != nil {
		return s, err
	}
	data, err := io.ReadAll(io.LimitReader(content, maxState+1))
	if err == nil && len(data) > maxState {
		err = fmt.Errorf("the state of %s is longer than %d bytes", ref, maxState)
	}
	if closed := content.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return outlook.State{}, err
	}
	if s.Version != 1 {
		return outlook.State{}, fmt.Errorf("the state of %s has the version %d", ref, s.Version)
	}
	return s, nil
}

// base says which archive a job goes on from, "" for none, and where changes alone were
// asked for, why not. An error means that it was stopped.
func (p *Downloader) base(ctx context.Context, job providers.Job) (ref, why string, err error) {
	switch {
	case job.Changes == nil:
		return "", "", nil
	case job.Last == nil:
		return "", "there is no verified archive of the same parts to go on from", nil
	case p.cfg.Older == nil:
		return "", "older archives cannot be opened here", nil
	}
	ref = job.Last.Ref()
	s, err := readState(ctx, p.cfg.Older, ref)
	switch {
	case ctx.Err() != nil:
		return "", "", context.Cause(ctx)
	case err != nil:
		p.cfg.Log.Warn("the state of an archive cannot be read; the mailbox is read whole", "run", job.Run, "archive", ref, "err", err)
		return "", strings.TrimSpace("the archive " + ref + " does not tell how far it came. " + keepwatch.Sentence(err)), nil
	case !strings.EqualFold(s.Mailbox, job.Source.Mailbox):
		return "", "the archive " + ref + " is of another mailbox", nil
	}
	return ref, "", nil
}

// states gives the state of each folder of the archive that a run goes on from, by ID.
// Where that can no longer be had, folders that were not begun are read whole.
func (d *download) states(ctx context.Context) (map[string]outlook.FolderState, error) {
	if d.base != nil || d.kept.Base == "" {
		return d.base, nil
	}
	d.base = map[string]outlook.FolderState{}
	if d.p.cfg.Older == nil {
		d.baseless = keepwatch.Errorf(keepwatch.KindAttention, "Older archives cannot be opened here.")
		return d.base, nil
	}
	s, err := readState(ctx, d.p.cfg.Older, d.kept.Base)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		d.baseless = err
		d.p.cfg.Log.Warn("the state of an archive cannot be read any more; folders are read whole", "run", d.job.Run, "archive", d.kept.Base, "err", err)
	}
	for _, f := range s.Folders {
		if f.State != "" {
			d.base[f.ID] = f
		}
	}
	return d.base, nil
}

// What is noted of folders of the older archive when those of the mailbox are known. It is
// noted anew where that is done again.
const (
	noteElsewhere = "the folder is in the archive that this one goes on from, and is no longer where the parts of this backup say"
	noteUnsure    = "which folders were deleted since the archive that this one goes on from is not known, since that cannot be read any more: "
)

// deletedSince keeps which folders the older archive has and the mailbox does not any more:
// no list of what was removed tells of what was in them. One that is there and that no part
// names any more is noted, and no more: nothing was removed from it.
func (d *download) deletedSince(ctx context.Context) error {
	d.kept.Notes = slices.DeleteFunc(d.kept.Notes, func(n keepwatch.Note) bool {
		return n.Text == noteElsewhere || strings.HasPrefix(n.Text, noteUnsure)
	})
	states, err := d.states(ctx)
	if err != nil {
		return err
	}
	if d.baseless != nil { // what was known before a stop still is; it is kept with the end
		d.kept.Gone = slices.DeleteFunc(d.kept.Gone, func(f outlook.Folder) bool { return d.seen[f.ID] })
		d.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Text: noteUnsure + whyUnread(d.baseless)})
		return nil
	}
	d.kept.Gone = nil
	if len(states) == 0 {
		return nil
	}
	taken, err := d.spool.Folders()
	if err != nil {
		return err
	}
	left := maps.Clone(states)
	for _, f := range taken {
		delete(left, f.ID)
	}
	if err := d.lookAgain(ctx, left); err != nil {
		return err
	}
	kinds := WishOf(d.job.Parts).Kinds
	order := slices.SortedFunc(maps.Values(left), func(a, b outlook.FolderState) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Path, b.Path), cmp.Compare(a.ID, b.ID))
	})
	for _, f := range order {
		if !d.seen[f.ID] && slices.Contains(kinds, f.Kind) { // others were not listed at all
			d.kept.Gone = append(d.kept.Gone, f.Folder)
			continue
		}
		d.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: string(f.Kind) + "/" + f.Title(), Text: noteElsewhere})
	}
	return d.keep()
}

// whyUnread says why an older archive cannot be read.
func whyUnread(err error) string {
	if text := keepwatch.Sentence(err); text != "" {
		return text
	}
	return "What it says is not understood."
}

// lookAgain has the server list the folders once more where one of the older archive is
// missing, hidden ones too: it may be hidden since.
func (d *download) lookAgain(ctx context.Context, left map[string]outlook.FolderState) error {
	wish := WishOf(d.job.Parts)
	missing := map[outlook.Kind]bool{}
	for _, f := range left {
		missing[f.Kind] = missing[f.Kind] || !d.seen[f.ID]
	}
	wish.Hidden, wish.Kinds = true, slices.DeleteFunc(wish.Kinds, func(k outlook.Kind) bool { return !missing[k] })
	if len(wish.Kinds) == 0 {
		return nil
	}
	all, err := d.p.cfg.Server.Folders(ctx, d.job.Source.Mailbox, wish)
	for _, f := range all {
		d.seen[f.ID] = true
	}
	return err
}

// missed has tried again what the older archive could not have: no server tells of it as a
// change, so that it would be missing from then on. It gives the folders that can go on;
// where the archive does not say what it misses, the others are read whole.
func (d *download) missed(ctx context.Context, folders []outlook.Folder) ([]outlook.Folder, error) {
	wanted := map[string]*page{}
	for _, f := range folders {
		if d.base[f.ID].Missing > 0 {
			wanted[f.ID] = &page{left: d.base[f.ID].Missing}
		}
	}
	if len(wanted) == 0 {
		return folders, nil
	}
	err := d.eachMissing(ctx, func(item outlook.Item) error {
		p := wanted[item.Folder]
		if p == nil {
			return nil
		}
		p.left--
		if p.items = append(p.items, item); len(p.items) < mostMissed {
			return nil
		}
		return d.listMissed(item.Folder, p)
	})
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, errSpool):
		return nil, err
	case err != nil:
		d.p.cfg.Log.Warn("what an archive misses cannot be read; folders are read whole", "run", d.job.Run, "archive", d.kept.Base, "err", err)
	}
	var able []outlook.Folder
	for _, f := range folders {
		if p := wanted[f.ID]; p != nil {
			if saved := d.listMissed(f.ID, p); saved != nil {
				return nil, saved
			}
			if err != nil || p.left != 0 {
				if again := d.spool.Restart(f.ID, ""); again != nil { // what a reading does not list is gone
					return nil, again
				}
				continue
			}
		}
		able = append(able, f)
	}
	return able, nil
}

// mostMissed is how many missing items are put into the spool at once.
const mostMissed = 200

// page is items of a folder that are missing in the older archive.
type page struct {
	items []outlook.Item
	left  int64 // how many are to come
}

// errSpool says that it is not the older archive that failed.
var errSpool = errors.New("what is missing in an archive could not be put into the spool")

// listMissed lists items as if the server had, before the reading of their folder begins:
// cut off, all is done again.
func (d *download) listMissed(folder string, p *page) error {
	if len(p.items) == 0 {
		return nil
	}
	err := d.spool.Page(folder, p.items, outlook.Position{})
	p.items = p.items[:0]
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	return nil
}

// eachMissing reads what the index of the older archive says of items that are missing
// there.
func (d *download) eachMissing(ctx context.Context, do func(outlook.Item) error) error {
	_, content, err := d.p.cfg.Older.OpenEntry(ctx, d.kept.Base, outlook.IndexPath)
	if err != nil {
		return err
	}
	defer content.Close()
	for dec := json.NewDecoder(bufio.NewReaderSize(&body{ctx: ctx, from: content}, 64<<10)); ; {
		var line outlook.Line
		switch err := dec.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Missing == "" || line.ID == "":
			continue
		}
		if err := do(line.Item); err != nil {
			return err
		}
	}
}
