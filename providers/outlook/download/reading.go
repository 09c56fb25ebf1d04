package download

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// mostResyncs is how often a folder is begun anew because the server has forgotten how
// far its reading was.
const mostResyncs = 3

// errYield says that a folder is not read to its end, since there are items to download.
var errYield = errors.New("the folder is read on later")

// read reads a folder on from where its reading is: to its end, or what changed since.
func (p *pool) read(ctx context.Context, f outlook.Folder) error {
	for tries := 0; ; tries++ {
		err := p.readOn(ctx, f)
		if !errors.Is(err, outlook.ErrResync) {
			return err
		}
		if tries == mostResyncs {
			return keepwatch.Errorf(keepwatch.KindTransient, "Microsoft 365 forgets again and again how far the folder %s of %s was read. The run goes on later.", keepwatch.Printable(f.Title()), p.d.job.Source.Mailbox).Because(err)
		}
		p.d.p.cfg.Log.Info("a folder is read from its beginning", "run", p.d.job.Run, "err", err)
		if err := p.anew(ctx, f); err != nil {
			return err
		}
	}
}

// anew begins a folder from its beginning.
func (p *pool) anew(ctx context.Context, f outlook.Folder) error {
	if err := p.mark(ctx, f); err != nil {
		return err
	}
	return p.d.spool.Restart(f.ID, "")
}

// readOn reads pages and saves each with how far it leads.
func (p *pool) readOn(ctx context.Context, f outlook.Folder) error {
	at, err := p.d.spool.Position(f.ID)
	if err != nil {
		return err
	}
	if at.Next == "" && at.State == "" {
		at = outlook.Position{}
	}
	for page, err := range p.d.p.cfg.Server.Changes(ctx, p.d.job.Source.Mailbox, f, at) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if page.Position.Next != "" && page.Position.Next == at.Next && len(page.Items) == 0 {
			return fmt.Errorf("outlook: the next page of a folder of %s is the same one", p.d.job.Source.Mailbox)
		}
		if page.Full && at != (outlook.Position{}) && (at.Ended() || !at.Full) { // a calendar cannot be read otherwise
			if err := p.anew(ctx, f); err != nil {
				return err
			}
			at = outlook.Position{}
		}
		next := page.Position
		next.Full = page.Full || at.Full && !at.Ended()
		next.Whole = at.Whole && !next.Full || next.Full && next.Ended()
		if err := p.d.spool.Page(f.ID, page.Items, next); err != nil {
			return err
		}
		at = next
		if err := p.paged(page, next); err != nil {
			return err
		}
		if at.Ended() {
			return p.compare(ctx, f)
		}
		if p.yields() {
			return errYield
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("outlook: the reading of a folder of %s ends without an end", p.d.job.Source.Mailbox)
}

// paged tells the others that there is a page more.
func (p *pool) paged(page outlook.Changes, at outlook.Position) error {
	p.mu.Lock()
	p.pages++
	if !at.Full && len(page.Items) > 0 {
		p.news = true
		p.left = p.left || slices.ContainsFunc(page.Items, func(it outlook.Item) bool { return it.Removed != "" })
	}
	p.notify()
	p.mu.Unlock()
	return p.d.saved()
}

// yields reports whether somebody else reads folders too, and items wait: then this one
// goes and downloads.
func (p *pool) yields() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reading > 1 && (p.next != nil || p.scanned != p.pages)
}

// digest stands for what is in a folder, in whatever order.
type digest [sha256.Size]byte

// mark remembers what was in a folder before it is read whole once more, to see whether
// that finds anything new. The first reading of a folder need not be compared.
func (p *pool) mark(ctx context.Context, f outlook.Folder) error {
	p.mu.Lock()
	_, is := p.before[f.ID]
	p.mu.Unlock()
	if p.round == 0 || is {
		return nil
	}
	sum, err := p.digest(ctx, f)
	if err == nil {
		p.mu.Lock()
		p.before[f.ID] = sum
		p.mu.Unlock()
	}
	return err
}

// compare looks whether a folder that was read whole once more is another one.
func (p *pool) compare(ctx context.Context, f outlook.Folder) error {
	p.mu.Lock()
	before, marked := p.before[f.ID]
	delete(p.before, f.ID)
	p.mu.Unlock()
	if !marked {
		return nil
	}
	now, err := p.digest(ctx, f)
	if err == nil && now != before {
		p.mu.Lock()
		p.news = true
		p.mu.Unlock()
	}
	return err
}

func (p *pool) digest(ctx context.Context, f outlook.Folder) (digest, error) {
	var all digest
	for r, err := range p.d.spool.Records(f.ID) {
		if err != nil {
			return all, err
		}
		if ctx.Err() != nil { // a folder of a million items takes its time
			return all, context.Cause(ctx)
		}
		one := sha256.Sum256([]byte(r.ID + "\x00" + r.Change))
		for i := range all {
			all[i] ^= one[i]
		}
	}
	return all, nil
}
