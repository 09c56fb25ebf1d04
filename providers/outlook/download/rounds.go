package download

import (
	"context"
	"slices"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// mostRounds bounds how often the changes of a mailbox are read after it was read once: a
// busy one never stands still.
const mostRounds = 5

// rounds reads the folders until a reading finds nothing new. An item that is moved while
// the folders are read one after the other may be missing from all of them, or be in two:
// only a reading in which nothing has moved is one of a moment.
func (d *download) rounds(ctx context.Context) error {
	d.left = map[key]struct{}{}
	var gone map[string]string
	for round := 0; ; round++ {
		folders, other, err := d.settle(ctx)
		if err != nil {
			return err
		}
		if round == 0 {
			if err := d.fits(folders); err != nil {
				return err
			}
			if folders, err = d.unread(folders); err != nil {
				return err
			}
		}
		pool := newPool(d, folders, round)
		if err := pool.run(ctx); err != nil {
			return err
		}
		if err := d.spool.Sync(); err != nil {
			return err
		}
		d.p.cfg.Crash("outlook.download.round")
		d.p.cfg.Log.DebugContext(ctx, "the folders were read", "run", d.job.Run, "round", round, "news", pool.news || other)
		if round == mostRounds && pool.left { // where it went to may have been read before
			d.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "the mailbox never stood still while it was read: what was moved from one folder into another in the last moments may be in the next backup only"})
		}
		if gone = pool.gone; round == mostRounds || round > 0 && !pool.news && !other {
			break
		}
	}
	if err := d.goneFolders(ctx, gone); err != nil {
		return err
	}
	if err := d.deletedSince(ctx); err != nil {
		return err
	}
	return d.rest(ctx)
}

// unread gives the folders whose reading was not ended yet. Those that were read have their
// turn in the next round.
func (d *download) unread(folders []outlook.Folder) ([]outlook.Folder, error) {
	var list []outlook.Folder
	for _, f := range folders {
		at, err := d.spool.Position(f.ID)
		if err != nil {
			return nil, err
		}
		if !at.Ended() {
			list = append(list, f)
		}
	}
	return list, nil
}

// settle asks for the folders as they are now and saves which of them are downloaded:
// those that the parts name, and those that were before, whatever they are called by now.
// other says that they are not the same ones under the same names.
func (d *download) settle(ctx context.Context) (folders []outlook.Folder, other bool, err error) {
	mailbox := d.job.Source.Mailbox
	all, err := d.p.cfg.Server.Folders(ctx, mailbox, WishOf(d.job.Parts))
	if err != nil {
		return nil, false, err
	}
	before, err := d.spool.Folders()
	if err != nil {
		return nil, false, err
	}
	folders, missing := choose(d.parts, newTree(all), idsOf(before))
	if len(before) == 0 { // later a folder that is named may have been renamed or deleted
		if err := refuse(mailbox, folders, missing, all); err != nil {
			return nil, false, err
		}
	}
	if err := d.noteDeleted(before, folders); err != nil {
		return nil, false, err
	}
	d.seen = idsOf(all)
	if err := d.spool.SetFolders(folders); err != nil {
		return nil, false, err
	}
	d.listed, _ = sizeOf(folders)
	d.whole = d.kept.Base == ""
	return folders, !sameFolders(before, folders), d.goOn(ctx, folders)
}

// goOn begins folders that were not begun from their state in the older archive.
func (d *download) goOn(ctx context.Context, folders []outlook.Folder) error {
	if d.kept.Base == "" {
		return nil
	}
	var begin []outlook.Folder
	for _, f := range folders {
		at, err := d.spool.Position(f.ID)
		if err != nil {
			return err
		}
		if at != (outlook.Position{}) {
			continue
		}
		states, err := d.states(ctx)
		if err != nil {
			return err
		}
		if states[f.ID].State != "" {
			begin = append(begin, f)
		}
	}
	begin, err := d.missed(ctx, begin)
	if err != nil {
		return err
	}
	return d.restart(ctx, begin)
}

// restart begins folders from their states in the older archive.
func (d *download) restart(ctx context.Context, folders []outlook.Folder) error {
	for _, f := range folders {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := d.spool.Restart(f.ID, d.base[f.ID].State); err != nil {
			return err
		}
	}
	return nil
}

// noteDeleted keeps the names of folders that are in the mailbox no longer, before they
// are forgotten.
func (d *download) noteDeleted(before, now []outlook.Folder) error {
	is := idsOf(now)
	notes := len(d.kept.Notes)
	for _, f := range before {
		if !is[f.ID] {
			d.note(keepwatch.Note{Kind: keepwatch.NoteVanished, Path: string(f.Kind) + "/" + f.Title(), Text: "the folder was deleted while the mailbox was read"})
		}
	}
	if len(d.kept.Notes) == notes {
		return nil
	}
	return d.keep()
}

// idsOf gives the IDs of folders.
func idsOf(folders []outlook.Folder) map[string]bool {
	ids := make(map[string]bool, len(folders))
	for _, f := range folders {
		ids[f.ID] = true
	}
	return ids
}

// sameFolders reports whether folders are the same ones with the same names.
func sameFolders(a, b []outlook.Folder) bool {
	return slices.EqualFunc(a, b, func(x, y outlook.Folder) bool { return x.ID == y.ID && slices.Equal(x.Path, y.Path) })
}

// fits refuses a download that the disk has no room for.
func (d *download) fits(folders []outlook.Folder) error {
	if !d.whole {
		return nil
	}
	t, err := d.spool.Totals()
	if err != nil {
		return err
	}
	_, bytes := sizeOf(folders)
	return d.p.room(d.job.Source, bytes, t.Bytes)
}

// goneFolders sees that folders which the server did not give in the last round are
// deleted, and reads those that are there in their place: what was moved into one that
// nobody has read would be in no archive.
func (d *download) goneFolders(ctx context.Context, gone map[string]string) error {
	for range mostRounds {
		if len(gone) == 0 {
			return nil
		}
		folders, _, err := d.settle(ctx)
		if err != nil {
			return err
		}
		for _, f := range folders {
			if _, is := gone[f.ID]; is {
				return keepwatch.Errorf(keepwatch.KindTransient, "Microsoft 365 lists the folder %s of %s and says that it is not there. The run goes on later.", keepwatch.Printable(f.Title()), d.job.Source.Mailbox).Because(outlook.ErrGone)
			}
		}
		if folders, err = d.unread(folders); err != nil {
			return err
		}
		pool := newPool(d, folders, mostRounds)
		if err := pool.run(ctx); err != nil {
			return err
		}
		gone = pool.gone
	}
	return keepwatch.Errorf(keepwatch.KindTransient, "The folders of %s are made and deleted faster than they can be read. The run goes on later.", d.job.Source.Mailbox)
}

// patience is after how many ends of a download at which all was here, but single items
// that the server did not give at the time, those count as missing.
const patience = 2

// rest tries once more what could not be had. What is listed still, and not there, is
// missing. What fails as if it were for a while is an error, so that the run goes on
// later; but one item must not keep a mailbox from ever being backed up.
func (d *download) rest(ctx context.Context) error {
	if len(d.left) == 0 {
		return nil
	}
	d.left = map[key]struct{}{}
	pool := newPool(d, nil, mostRounds)
	pool.last = true
	if err := pool.run(ctx); err != nil {
		return err
	}
	if len(d.left) == 0 {
		return nil
	}
	d.kept.Late++
	if err := d.keep(); err != nil {
		return err
	}
	return d.why
}
