package download

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
func (d *download) states(ctx context.Context) (map[string]string, error) {
	if d.base != nil || d.kept.Base == "" {
		return d.base, nil
	}
	d.base = map[string]string{}
	if d.p.cfg.Older == nil {
		return d.base, nil
	}
	s, err := readState(ctx, d.p.cfg.Older, d.kept.Base)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		d.p.cfg.Log.Warn("the state of an archive cannot be read any more; folders are read whole", "run", d.job.Run, "archive", d.kept.Base, "err", err)
	}
	for _, f := range s.Folders {
		if f.State != "" {
			d.base[f.ID] = f.State
		}
	}
	return d.base, nil
}
