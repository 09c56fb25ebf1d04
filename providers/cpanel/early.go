package cpanel

import (
	"context"
	"errors"

	"keepwatch"
	"keepwatch/providers"
)

// A host before 136 does not say when a backup is complete, and a writer that has much
// to read, on a host that has much to do, may rest for minutes. What was taken in such a
// rest ends in the middle, as what the quota has cut off does. So it is waited for once
// more, for as long as a stall is, and taken again, before a person hears of it.

// errOpen says that a file that ends in the middle may still be written: nobody says
// that it is complete.
var errOpen = errors.New("it may still be written")

// onlyCut reports whether all that is wrong with an archive is that it ends too soon.
func (v verdict) onlyCut() bool { return len(v.problems) == 1 && v.problems[0].Rule == "cut" }

// early gives the error about an archive that is not whole; where it may have been taken
// too early, one that has it taken again.
func early(job providers.Job, r *remote, err error, open bool) error {
	if !open || r.Early != 0 {
		return err
	}
	r.Early = 1
	if keep := r.keep(job); keep != nil {
		return keep
	}
	return keepwatch.Errorf(keepwatch.KindTransient, "%s ends in the middle, and nobody says that it is complete: it may still be written. It is waited for and taken again.", r.Name).Because(err)
}

// settled waits for what was taken too early.
func (p *Provider) settled(ctx context.Context, job providers.Job, r *remote) error {
	if r.Early != 1 {
		return nil
	}
	if err := p.wait(ctx, job, r); err != nil {
		return err
	}
	r.Early = 2
	return r.keep(job)
}
