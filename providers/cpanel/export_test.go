package cpanel

import (
	"context"
	"io"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// Returner puts parts back into one account, as the Provider does.
type Returner struct {
	p      *Provider
	source keepwatch.Source
}

// NewReturner makes one that looks every so often.
func NewReturner(t testing.TB, account keepwatch.Hosting, every time.Duration) Returner {
	t.Helper()
	account.Stall = 200 * every
	return Returner{New(Config{Every: every}), keepwatch.Source{Name: "web", Kind: keepwatch.KindCPanel, Hosting: &account}}
}

// Plan plans.
func (r Returner) Plan(ctx context.Context, sets []providers.Set, parts []string) (keepwatch.ReturnPlan, error) {
	return r.p.PlanReturn(ctx, r.source, sets, keepwatch.ReturnAsk{Parts: parts})
}

// Return puts one item back.
func (r Returner) Return(ctx context.Context, job providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	job.Source = r.source
	return r.p.Return(ctx, job, item, from)
}

// UAPI calls a function as the account.
func (r Returner) UAPI(ctx context.Context, module, function string) error {
	_, h, err := r.p.account(r.source)
	if err != nil {
		return err
	}
	return h.uapi(ctx, module, function, nil, nil)
}

// TakeApart takes a piece out of a full backup.
func TakeApart(in io.Reader, inner string, out io.Writer) error {
	_, err := takeApart(in, inner, "/home/ruthin", out, 0)
	return err
}
