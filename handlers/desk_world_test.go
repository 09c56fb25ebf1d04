package handlers

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/store"
	"keepwatch/store/mem"
)

var errDead = errors.New("the process is dead")

// hall is what outlives our processes: the state, and the wall clock.
type hall struct {
	t     *testing.T
	state *mem.Store
	kept  *store.Records
	*world
	wall atomic.Int64
}

func newHall(t *testing.T) *hall {
	h := &hall{t: t, state: mem.New(), world: newWorld()}
	h.kept = store.NewRecords(h.state, h.now)
	return h
}

func (h *hall) now() time.Time { return time.Now().Round(0).Add(time.Duration(h.wall.Load())) }

// books is one process's connection to the store, which may refuse and may die.
type books struct {
	*store.Records
	p *shop
}

func (b *books) may(op string) error {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	if b.p.dead {
		return errDead
	}
	if b.p.refuse != nil {
		return b.p.refuse(op)
	}
	return nil
}

func (b *books) TakeDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry) (bool, error) {
	if err := b.may("TakeDelivery"); err != nil {
		return false, err
	}
	return b.Records.TakeDelivery(d, e)
}

func (b *books) FinishDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry, out []keepwatch.Outgoing) ([]string, error) {
	if err := b.may("FinishDelivery"); err != nil {
		return nil, err
	}
	return b.Records.FinishDelivery(d, e, out)
}

func (b *books) Deliveries() ([]keepwatch.Delivery, error) {
	if err := b.may("Deliveries"); err != nil {
		return nil, err
	}
	return b.Records.Deliveries()
}

func (b *books) RequestRun(request string) (keepwatch.Run, bool, error) {
	if err := b.may("RequestRun"); err != nil {
		return keepwatch.Run{}, false, err
	}
	return b.Records.RequestRun(request)
}

func (b *books) CreateRun(run keepwatch.Run) (keepwatch.Run, error) {
	if err := b.may("CreateRun"); err != nil {
		return run, err
	}
	return b.Records.CreateRun(run)
}

func (b *books) SaveRun(run keepwatch.Run) error {
	if err := b.may("SaveRun"); err != nil {
		return err
	}
	return b.Records.SaveRun(run)
}

// labour is what runs do: one step that takes a second.
type labour struct{ done atomic.Int64 }

func (*labour) Steps(context.Context, keepwatch.Run) ([]string, error) { return []string{"fetch"}, nil }

func (l *labour) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	select {
	case <-time.After(time.Second):
		l.done.Add(1)
		return task.Run.Result, nil
	case <-ctx.Done():
		return task.Run.Result, ctx.Err()
	}
}

func (*labour) Resumable(keepwatch.Run, string) bool         { return true }
func (*labour) Discard(context.Context, keepwatch.Run) error { return nil }

// gated has whoever starts a run pass a gate first.
type gated struct {
	*engine.Engine
	gate func(ctx context.Context) error
}

func (g gated) Start(ctx context.Context, run keepwatch.Run) (keepwatch.Run, error) {
	if g.gate != nil {
		if err := g.gate(ctx); err != nil {
			return run, err
		}
	}
	return g.Engine.Start(ctx, run)
}

// shop is one process: a desk over a real engine and real records.
type shop struct {
	*Desk
	engine *engine.Engine
	mu     sync.Mutex
	dead   bool
	lanes  []string                        // what the outbox was told
	crash  func(point string) bool         // nil: never
	refuse func(op string) error           // nil: it never does
	gate   func(ctx context.Context) error // before a run is started; nil: open
	works  map[keepwatch.RunKind]engine.Work
	// answered is told what came of what was due; nil: nobody is.
	answered func(due string, e keepwatch.AuditEntry, msg keepwatch.Message)
}

// open starts a process. setup may be nil.
func (h *hall) open(setup func(*shop)) *shop {
	h.t.Helper()
	p := &shop{works: map[keepwatch.RunKind]engine.Work{keepwatch.RunBackup: &labour{}}}
	if setup != nil {
		setup(p)
	}
	b := &books{store.NewRecords(h.state, h.now), p}
	var err error
	if p.engine, err = engine.New(engine.Config{Records: b, Works: p.works, Now: h.now, Crash: p.pass}); err != nil {
		h.t.Fatal(err)
	}
	if _, err = p.engine.Resume(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	router, err := New(Config{
		People: []keepwatch.Person{
			{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"slack": "U1"}}, {Name: "Olwen", Role: keepwatch.RoleOperator, Accounts: map[string]string{"slack": "U2"}},
		},
		Runs: gated{p.engine, p.gate}, Sources: h.world, History: h.kept, Audit: h.kept, Vault: h.world, Check: func(context.Context) []keepwatch.Probe { return nil },
		Now: h.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	p.Desk, err = NewDesk(DeskConfig{Router: router, Mailbox: b, Now: h.now, Crash: p.pass, Answered: p.answered, Send: func(lanes ...string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lanes = append(p.lanes, lanes...)
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := p.Resume(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return p
}

// told gives which lanes the outbox was told of.
func (p *shop) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lanes)
}

// pass ends the process at a point: nothing that it does afterwards counts.
func (p *shop) pass(point string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead || p.crash != nil && p.crash(point) {
		p.dead = true
		runtime.Goexit()
	}
}

// kill ends a process without asking it.
func (p *shop) kill() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Desk.Close(over)
	_ = p.engine.Close(context.Background())
}

// click makes a delivery of a text by an account of Slack.
func click(key, account, text string) keepwatch.Delivery {
	return keepwatch.Delivery{Key: key, Quiet: true, Request: keepwatch.Request{Text: text, Channel: "slack:A", Account: keepwatch.Account{Platform: "slack", ID: account}},
		Reply: keepwatch.Reply{Token: "t", Until: time.Now().Add(30 * time.Minute), Private: true}}
}

// take hands over a delivery, in a goroutine of its own, because the process may
// end meanwhile. It gives whether it was taken and fresh once that is known.
func (p *shop) take(d keepwatch.Delivery) (fresh, taken bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err := p.Take(context.Background(), d)
		fresh, taken = f, err == nil
	}()
	<-done
	return fresh, taken
}

// waiting gives what is to be posted, lane by lane, and takes it away.
func (h *hall) waiting() (out []keepwatch.Outgoing) {
	h.t.Helper()
	lanes, err := h.kept.Lanes()
	for _, lane := range lanes {
		for err == nil {
			var o keepwatch.Outgoing
			var found bool
			if o, found, err = h.kept.NextMessage(lane); !found || err != nil {
				break
			}
			out = append(out, o)
			err = h.kept.MessageDelivered(o, "", "", false)
		}
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// runs gives all runs.
func (h *hall) allRuns() []keepwatch.Run {
	h.t.Helper()
	runs, err := h.kept.RecentRuns("", 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return runs
}

// outcomes gives how the requests ended, newest first: "outcome text".
func (h *hall) outcomes() (list []string) {
	h.t.Helper()
	lines, err := h.kept.Audits(keepwatch.AuditFilter{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range lines {
		list = append(list, string(e.Outcome)+" "+strings.TrimPrefix(e.Text, "/"))
	}
	return list
}

// none checks that no delivery is left unanswered.
func (h *hall) none() {
	h.t.Helper()
	if left, err := h.kept.Deliveries(); err != nil || len(left) != 0 {
		h.t.Errorf("left unanswered: %+v, %v", left, err)
	}
}
