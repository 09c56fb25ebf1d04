package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// Prepares reports whether a job is done by Purview, which makes its export first.
func (p *Maker) Prepares(job providers.Job) bool { return job.Source.Engine == keepwatch.EnginePurview }

// exporter gives the Exporter, or says that there is none.
func (p *Maker) exporter() (outlook.Exporter, error) {
	if p.cfg.Exporter == nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The source asks for the engine %q, and Microsoft 365 is not configured. Set MICROSOFT_TENANT_ID, MICROSOFT_CLIENT_ID and a secret or a certificate, or leave out `engine`.", keepwatch.EnginePurview)
	}
	return p.cfg.Exporter, nil
}

// Request has Purview begin the export. Called again it goes on with what was begun.
func (p *Maker) Request(ctx context.Context, job providers.Job) error {
	e, err := p.exporter()
	if err != nil {
		return err
	}
	k, err := outlook.ReadKept(job)
	if err != nil {
		return err
	}
	return e.Begin(ctx, job.Source.Mailbox, job.Run, k.Export, func(export json.RawMessage) error {
		k.Export = export
		return k.Save(job)
	})
}

// Wait returns when the export is made.
func (p *Maker) Wait(ctx context.Context, job providers.Job) error {
	e, err := p.exporter()
	if err != nil {
		return err
	}
	k, err := outlook.ReadKept(job)
	if err != nil {
		return err
	}
	return e.Wait(ctx, k.Export, job.Report)
}

// Release removes the export, as far as that can be; what cannot be is in the notes.
func (p *Maker) Release(ctx context.Context, job providers.Job) ([]keepwatch.Note, error) {
	e, err := p.exporter()
	if err != nil {
		return nil, err
	}
	k, err := outlook.ReadKept(job)
	if err != nil {
		return nil, err
	}
	return e.Remove(ctx, k.Export)
}

// fetchExport puts the files of an export into the archive, one after the other: each is
// brought onto the disk whole first, since a PST can be checked only then.
func (p *Maker) fetchExport(ctx context.Context, job providers.Job, k outlook.Kept, sink providers.Sink) (err error) {
	e, err := p.exporter()
	if err != nil {
		return err
	}
	list, err := e.Files(ctx, k.Export)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return keepwatch.Errorf(keepwatch.KindAttention, "The export that Purview made has no files. Look at it in the Purview portal; then cancel this run and start the backup again.")
	}
	a := &archiving{p: p, ctx: ctx, job: job, sink: sink, k: k, remarks: remarks{sink: sink}}
	a.inside = keepwatch.Inside{Account: job.Source.Mailbox, Items: map[keepwatch.ItemKind]int64{}}
	largest := int64(0)
	for _, f := range list {
		a.did.TotalBytes += 2 * max(0, f.Size) // it is brought here, and read
		a.did.TotalItems++
		largest = max(largest, f.Size)
	}
	if a.dir, err = p.cfg.Spools.Scratch(job.Run); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(a.dir)) }()
	if err := p.roomFor(largest + elbowRoom); err != nil {
		return err
	}
	taken := newNames()
	for _, f := range list {
		a.did.Items++
		if err := a.exported(e, f, taken.file(f.Name)); err != nil {
			return a.disk(err)
		}
		if f.Incomplete != "" {
			if err := a.info(keepwatch.Printable(f.Name), f.Incomplete); err != nil {
				return err
			}
		}
	}
	if a.holds == 0 { // reports alone would look like a backup of a mailbox, and be none
		return keepwatch.Errorf(keepwatch.KindAttention, "The export that Purview made of %s holds no Outlook data file: nothing of the mailbox is in it. Look at the search in the Purview portal, then cancel this run and start the backup again. Without `engine: purview` Keepwatch reads the mailbox itself, also one that is empty.", job.Source.Mailbox)
	}
	if job.Found != nil {
		job.Found(a.inside)
	}
	return a.remarks.end()
}

// exported brings a file of an export here and puts it into the archive.
func (a *archiving) exported(e outlook.Exporter, f outlook.ExportFile, name string) error {
	path := filepath.Join(a.dir, "export.part")
	if err := a.bring(e, f, path); err != nil {
		return err
	}
	if packed(name) {
		return a.unpack(path, name)
	}
	return a.export(path, name, a.file)
}

// export puts a file that is on the disk into the archive, after a look at one that is an
// Outlook data file.
func (a *archiving) export(path, name string, store storing) error {
	if !keepwatch.NamedMailbox(name) {
		return a.volume(path, name, store)
	}
	a.holds++
	why, err := a.look(path, sound)
	if err != nil {
		return err
	}
	if why != "" { // it is Microsoft's own work, and all that there is
		if err := a.info(name, why); err != nil {
			return err
		}
	}
	return a.volume(path, name, store)
}

// tries is how often an export is read on from where it broke off without a byte more.
const tries = 5

// bring downloads a file, and reads on from where it broke off.
func (a *archiving) bring(e outlook.Exporter, f outlook.ExportFile, path string) (err error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var at int64
	for try := 0; ; {
		n, err := a.readOn(e, f, at, out)
		at += n
		switch {
		case context.Cause(a.ctx) != nil:
			return context.Cause(a.ctx)
		case err == nil && (at == f.Size || f.Size <= 0):
			return nil
		case at > f.Size && f.Size > 0:
			return keepwatch.Errorf(keepwatch.KindAttention, "Purview said that %s has %s, and sends more. Cancel this run and start the backup again.", keepwatch.Printable(f.Name), keepwatch.FormatBytes(f.Size))
		case err == nil:
			err = fmt.Errorf("read %s: %w at byte %d of %d", f.Name, io.ErrUnexpectedEOF, at, f.Size)
		}
		if _, ours := errors.AsType[*writing](err); ours {
			return err
		}
		if try++; n > 0 {
			try = 0
		}
		if try >= tries {
			return err
		}
		a.p.cfg.Log.Warn("the download of an export broke off and is read on", "run", a.job.Run, "file", f.Name, "byte", at, "err", err)
	}
}

// writing is an error of our own disk, which no other try makes good.
type writing struct{ error }

// Unwrap gives the cause.
func (w *writing) Unwrap() error { return w.error }

// readOn reads from a byte to the end, or as far as it comes.
func (a *archiving) readOn(e outlook.Exporter, f outlook.ExportFile, at int64, out io.Writer) (int64, error) {
	r, err := e.Open(a.ctx, a.k.Export, f, at)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	to := &toDisk{w: out}
	n, err := io.Copy(to, &watched{ctx: a.ctx, r: r, moved: a.moved})
	if to.err != nil {
		return n, &writing{to.err}
	}
	return n, err
}

// toDisk keeps the error of writing apart from those of reading.
type toDisk struct {
	w   io.Writer
	err error
}

// Write writes.
func (t *toDisk) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.err = err
	return n, err
}
