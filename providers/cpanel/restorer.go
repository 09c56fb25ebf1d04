package cpanel

import (
	"context"
	"fmt"

	"keepwatch"
	"keepwatch/providers"
)

var (
	_ providers.Restorer = (*Provider)(nil)
	_ returnHost         = live{}
)

// returner gives who puts parts back into the account of a source.
func (p *Provider) returner(source keepwatch.Source) (*returner, error) {
	a, h, err := p.account(source)
	if err != nil {
		return nil, err
	}
	to, ok := h.(returnHost)
	if !ok {
		return nil, fmt.Errorf("the host of %s takes no uploads", source.Name)
	}
	return &returner{host: to, account: a, log: p.log.With("source", source.Name), pace: newPace(p.now, p.every, stall(a))}, nil
}

// PlanReturn satisfies providers.Restorer. It does not ask the host: what a full backup
// holds is known from when it was brought home, and is read out of it otherwise.
func (p *Provider) PlanReturn(ctx context.Context, source keepwatch.Source, sets []providers.Set, ask keepwatch.ReturnAsk) (keepwatch.ReturnPlan, error) {
	a, _, err := p.account(source)
	if err != nil {
		return keepwatch.ReturnPlan{}, err
	}
	return planReturn(ctx, a, sets, ask.Parts)
}

// Return satisfies providers.Restorer.
func (p *Provider) Return(ctx context.Context, job providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	r, err := p.returner(job.Source)
	if err != nil {
		return keepwatch.ServerLog{}, err
	}
	return r.Return(ctx, job, item, from)
}
