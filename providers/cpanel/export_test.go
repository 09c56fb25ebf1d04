package cpanel

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// Returner puts parts back without a Provider around it.
type Returner struct{ r *returner }

// NewReturner makes one that looks every so often.
func NewReturner(t testing.TB, account keepwatch.Hosting, every time.Duration) Returner {
	t.Helper()
	c, err := newClient(account, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return Returner{&returner{host: c, account: account, log: slog.New(slog.DiscardHandler), pace: newPace(time.Now, every, 200*every)}}
}

func (r Returner) Plan(ctx context.Context, sets []providers.Set, parts []string) (keepwatch.ReturnPlan, error) {
	return planReturn(ctx, r.r.account, sets, parts)
}

func (r Returner) Return(ctx context.Context, job providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	return r.r.Return(ctx, job, item, from)
}

// UAPI calls a function as the account.
func (r Returner) UAPI(ctx context.Context, module, function string) error {
	return r.r.host.uapi(ctx, module, function, nil, nil)
}
