package restore

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// endless is an archive with many items that are made as they are read.
type endless struct {
	state string
	n     int
}

func (e *endless) OpenEntry(_ context.Context, _, path string) (keepwatch.Entry, io.ReadCloser, error) {
	switch path {
	case outlook.StatePath:
		return keepwatch.Entry{}, io.NopCloser(strings.NewReader(e.state)), nil
	case outlook.RemovedPath:
		return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "None.")
	}
	r, w := io.Pipe()
	go func() {
		for i := range e.n {
			if _, err := fmt.Fprintf(w, `{"id":"AAMkAGI2TG93AAA%07d","folder":"in","kind":"mail","subject":"Subject %d","from":"bob@contoso.example","at":"2026-03-02T09:00:00Z","message_id":"<%d@x>","path":"mail/in/%d.eml","bytes":10,"raw":{"categories":[],"toRecipients":[{"emailAddress":{"address":"alis@contoso.example"}}]}}`+"\n", i, i, i, i); err != nil {
				return
			}
		}
		_ = w.Close()
	}()
	return keepwatch.Entry{}, r, nil
}

func (e *endless) WalkEntries(_ context.Context, _ string, want func(string) bool, visit func(keepwatch.Entry, io.Reader) error) error {
	for i := range e.n {
		path := fmt.Sprintf("mail/in/%d.eml", i)
		if !want(path) {
			continue
		}
		if err := visit(keepwatch.Entry{Path: path}, strings.NewReader("a mail\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// emptyHand takes everything and keeps nothing.
type emptyHand struct{ outlook.Restorer }

func (emptyHand) MakeFolder(_ context.Context, _ string, kind outlook.Kind, _, name string) (outlook.Folder, error) {
	return outlook.Folder{ID: name, Kind: kind}, nil
}
func (emptyHand) Marked(context.Context, string, outlook.Folder, int64) iter.Seq2[outlook.Marked, error] {
	return func(func(outlook.Marked, error) bool) {}
}
func (emptyHand) Known(context.Context, string, outlook.Folder) iter.Seq2[outlook.Mark, error] {
	return func(func(outlook.Mark, error) bool) {}
}
func (emptyHand) Present(context.Context, string, outlook.Folder) iter.Seq2[outlook.Item, error] {
	return func(func(outlook.Item, error) bool) {}
}
func (emptyHand) Put(context.Context, string, outlook.Folder, outlook.Item, outlook.Mark, io.ReaderAt, int64) (outlook.Restored, error) {
	return outlook.Restored{Whole: true}, nil
}

// many gives a whole archive and one of changes, in which every item comes again.
func many(n int) (*endless, []providers.Set) {
	e := &endless{n: n, state: fmt.Sprintf(`{"v":1,"folders":[{"id":"in","kind":"mail","path":["Inbox"],"whole":true,"kept":%d}]}`, n)}
	changed := &endless{n: n, state: fmt.Sprintf(`{"v":1,"folders":[{"id":"in","kind":"mail","path":["Inbox"],"kept":%d}]}`, n)}
	return e, []providers.Set{
		{Archive: keepwatch.Archive{Source: "alis-mail", Stamp: "1", Started: time.Unix(1, 0)}, From: e},
		{Archive: keepwatch.Archive{Source: "alis-mail", Stamp: "2", Started: time.Unix(2, 0)}, From: changed},
	}
}

// TestReturnMemory: what later archives say of older items takes 16 bytes an item.
func TestReturnMemory(t *testing.T) {
	const n = 50_000
	e, _ := many(n)
	s := stack{from: e, refs: []string{"alis-mail/1", "alis-mail/2"}, first: map[string]int{"in": 0}}
	m, err := s.mentions(t.Context(), n)
	if err != nil || len(m.list) != n || 16*cap(m.list) > 24*n {
		t.Errorf("%d mentions with room for %d, %v", len(m.list), cap(m.list), err)
	}
	for h, err := range s.each(t.Context(), 0, m) {
		t.Fatalf("%+v %v of the older archive, and all of it changed since", h.head, err)
	}
}

// BenchmarkReturn plans and puts back a million items of a folder, all of which are in an
// archive of changes again, and reports the most memory that was in use.
func BenchmarkReturn(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		e, sets := many(n)
		p, _ := bench(b, &exchange{})
		p.cfg.Restorer = emptyHand{}
		var most runtime.MemStats
		look := func() {
			var now runtime.MemStats
			if runtime.ReadMemStats(&now); now.HeapInuse > most.HeapInuse {
				most = now
			}
		}
		plan, err := p.PlanReturn(b.Context(), alis, []providers.Set{{Archive: sets[0].Archive, From: both{e, sets[1].From}}, sets[1]}, keepwatch.ReturnAsk{})
		if err != nil || len(plan.Items) != 1 {
			b.Fatal(plan, err)
		}
		look()
		seen := 0
		job := providers.Job{Source: alis, Run: 7, Report: func(keepwatch.Progress) {
			if seen++; seen%10_000 == 0 {
				look()
			}
		}}
		log, err := p.Return(b.Context(), job, plan.Items[0], e)
		if err != nil || !strings.HasPrefix(log.Text, "1,000,000 mails put") {
			b.Fatal(log, err)
		}
		b.ReportMetric(float64(most.HeapInuse)/(1<<20), "MiB-in-use")
	}
}

// both has the whole archive and the one of changes.
type both struct {
	*endless
	changed providers.Opener
}

func (o both) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	if ref == "alis-mail/2" {
		return o.changed.OpenEntry(ctx, ref, path)
	}
	return o.endless.OpenEntry(ctx, ref, path)
}

// crowd is an exchange that takes nothing before so many have come at once.
type crowd struct {
	*exchange
	come  sync.WaitGroup
	first atomic.Int64
}

func (c *crowd) Put(ctx context.Context, mailbox string, folder outlook.Folder, item outlook.Item, mark outlook.Mark, content io.ReaderAt, size int64) (outlook.Restored, error) {
	if c.first.Add(1) <= crowded {
		c.come.Done()
	}
	c.come.Wait()
	return c.exchange.Put(ctx, mailbox, folder, item, mark, content, size)
}

const crowded = 3

func (c *crowd) Lanes() int { return crowded }

// TestReturnAtOnce: as many are put back at once as the mailbox takes; with fewer the
// crowd would wait for ever, which synctest calls a deadlock.
func TestReturnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, a := &exchange{}, &archives{}
		p, _ := bench(t, x)
		c := &crowd{exchange: x}
		c.come.Add(crowded)
		p.cfg.Restorer = c
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{home(a)}, keepwatch.ReturnAsk{Parts: []string{"Inbox"}})
		if err != nil {
			t.Fatal(err)
		}
		carry(t, p, plan, a)
	})
}
