package cpanel

import (
	"context"
	"errors"

	"keepwatch/providers"
)

// bear does something that asks the host, again and again while that is away, as long
// as Wait bears it. A run that failed because of a short outage would leave what the
// host has made behind, in the account's quota, and the next one would have another one
// made beside it.
func (p *Provider) bear(ctx context.Context, job providers.Job, ask func() error) error {
	began, said := p.now(), ""
	for {
		err := ask()
		if context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		if !isTrouble(err) || errors.Is(err, errChanged) || p.now().Sub(began) >= stall(*job.Source.Hosting) {
			return err
		}
		if now := err.Error(); now != said { // a loop says a trouble once
			said = now
			p.log.Warn("the host does not answer while a backup is brought home", "source", job.Source.Name, "run", job.Run, "err", err)
		}
		if err := pause(ctx, p.every); err != nil {
			return err
		}
	}
}
