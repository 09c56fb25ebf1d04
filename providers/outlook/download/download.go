package download

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// keySize is the length of the key of a spool, in bytes.
const keySize = 32

// How often a download saves and tells how far it is.
const (
	syncEvery   = 5 * time.Second
	reportEvery = time.Second
)

// Downloads reports whether a job is read item by item. What Purview exports is not.
func (p *Downloader) Downloads(job providers.Job) bool {
	return job.Source.Engine != keepwatch.EnginePurview
}

// Download reads the folders of a mailbox and brings every item into the run's spool, or
// says in it why it cannot be had. It goes on where it stopped.
func (p *Downloader) Download(ctx context.Context, job providers.Job) error {
	if p.cfg.Server == nil {
		return notConfigured(job.Source.Mailbox)
	}
	k, err := outlook.ReadKept(job)
	if err != nil {
		return err
	}
	d := &download{p: p, job: job, parts: readParts(job.Parts), kept: k}
	err = d.once(ctx, false)
	if errors.Is(err, outlook.ErrLost) {
		p.cfg.Log.Warn("what was downloaded cannot be read; the download begins anew", "run", job.Run, "err", err)
		err = d.once(ctx, true)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, outlook.ErrLost):
		return keepwatch.Errorf(keepwatch.KindAttention, "What was downloaded of %s cannot be read back, twice over. The disk of this machine may be failing. See to it, then retry.", job.Source.Mailbox).Because(err)
	}
	return err
}

// Discard removes the spool of a run.
func (p *Downloader) Discard(run int64) error { return p.cfg.Spools.Remove(run) }

// download is one call of Download.
type download struct {
	p        *Downloader
	job      providers.Job
	parts    []part
	kept     outlook.Kept
	base     map[string]outlook.FolderState // of folders in the archive that it goes on from; nil: not read yet
	baseless error                          // why there are none of these
	spool    outlook.Spool

	whole  bool             // everything is read, and not what changed alone
	listed int64            // items that the server counts in the folders
	seen   map[string]bool  // IDs of all folders that the server listed the last time, also of those that no part names
	ended  time.Time        // when the last reading of a folder ended
	left   map[key]struct{} // items that could not be had when they were asked for
	why    error            // of the last of them that failed as if it were for a while
	good   outlook.Item     // one that could be had; without an ID: none could yet

	mu       sync.Mutex // of what follows, and of Job.Report
	synced   time.Time
	reported time.Time
}

// once begins or goes on. anew: what there is of it is lost.
func (d *download) once(ctx context.Context, anew bool) (err error) {
	if err := d.prepare(ctx, anew); err != nil {
		return err
	}
	d.p.cfg.Crash("outlook.download.kept")
	if d.spool, err = d.p.cfg.Spools.Open(d.job.Run, d.kept.Key); err != nil {
		return err
	}
	defer func() {
		if closed := d.spool.Close(); err == nil {
			err = closed
		}
	}()
	if complete, err := d.complete(); complete || err != nil {
		return err
	}
	if err := d.tryAgain(); err != nil {
		return err
	}
	err = d.rounds(ctx)
	if saved := d.spool.Sync(); err == nil { // also of what is here where it stops
		err = saved
	}
	if err != nil {
		return err
	}
	d.whole = false // what was found counts now
	if err := d.tell(); err != nil {
		return err
	}
	d.p.cfg.Crash("outlook.download.over")
	d.kept.Taken = d.ended
	if d.ended.IsZero() { // all folders were deleted meanwhile
		d.kept.Taken = d.p.cfg.Now()
	}
	return d.keep()
}

// prepare sees that the key is kept before anything is encrypted with it, and what the run
// goes on from before anything is read.
func (d *download) prepare(ctx context.Context, anew bool) error {
	begun := len(d.kept.Key) > 0
	if begun && !anew && !d.job.Retried {
		return nil
	}
	if !begun {
		ref, why, err := d.p.base(ctx, d.job)
		if err != nil {
			return err
		}
		d.kept.Base = ref
		if why != "" {
			d.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "all was read, and not what changed alone: " + why})
		}
	}
	if !begun || anew {
		d.kept.Key = make([]byte, keySize)
		rand.Read(d.kept.Key) // it never fails
		d.kept.Taken, d.kept.Again, d.kept.Late = time.Time{}, false, 0
	}
	if begun && d.job.Retried {
		d.kept.Again, d.kept.Late = true, 0
	}
	if err := d.keep(); err != nil {
		return err
	}
	if anew {
		return d.p.cfg.Spools.Remove(d.job.Run)
	}
	return nil
}

// keep saves what the run keeps.
func (d *download) keep() error {
	if d.job.Keep == nil {
		return errors.New("outlook: a download without Job.Keep")
	}
	return d.kept.Save(d.job)
}

// note is saved with the next keep. There are no more of them than a run would tell.
func (d *download) note(n keepwatch.Note) {
	if len(d.kept.Notes) < keepwatch.MaxNotes && !slices.Contains(d.kept.Notes, n) {
		d.kept.Notes = append(d.kept.Notes, n)
	}
}

// complete reports whether a call before this one came to the end.
func (d *download) complete() (bool, error) {
	if d.kept.Taken.IsZero() || d.kept.Again {
		return false, nil
	}
	folders, err := d.spool.Folders()
	if err != nil || len(folders) == 0 {
		return false, err
	}
	for _, err := range d.spool.Pending() {
		return false, err
	}
	return true, nil
}

// tryAgain makes pending what was missed before a person asked for another try.
func (d *download) tryAgain() error {
	if !d.kept.Again {
		return nil
	}
	if err := d.spool.Retry(); err != nil {
		return err
	}
	if err := d.spool.Sync(); err != nil {
		return err
	}
	d.kept.Again = false
	return d.keep()
}

// saved is called after something was saved in the spool: it sees now and then that it is
// on disk, and tells how far the download is.
func (d *download) saved() error {
	if !d.mu.TryLock() { // somebody else is at it
		return nil
	}
	defer d.mu.Unlock()
	now := d.p.cfg.Now()
	if d.synced.IsZero() {
		d.synced = now
	}
	if now.Sub(d.synced) >= syncEvery || now.Before(d.synced) {
		if err := d.spool.Sync(); err != nil {
			return err
		}
		d.synced = d.p.cfg.Now()
	}
	if now.Sub(d.reported) >= reportEvery || now.Before(d.reported) {
		d.reported = now
		return d.tell()
	}
	return nil
}

// tell gives no total of bytes: the vendor counts calls, so that items tell how long it
// still takes.
func (d *download) tell() error {
	t, err := d.spool.Totals()
	if err != nil {
		return err
	}
	pr := keepwatch.Progress{Items: t.Done + t.Missing, Bytes: t.Bytes, TotalItems: t.Items}
	if d.whole {
		pr.TotalItems = max(t.Items, d.listed)
	}
	d.job.Report(pr)
	return nil
}

// sentenceOf gives why an item cannot be had, for the list of those.
func sentenceOf(err error) string {
	if text := keepwatch.Sentence(err); text != "" {
		return text
	}
	return strings.TrimSpace(err.Error())
}
