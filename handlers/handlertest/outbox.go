package handlertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

// Connect joins a front-end to the world: answers go out through it from now on,
// and it runs until the test ends. Stages of platforms call it.
func (w *World) Connect(t testing.TB, front handlers.Frontend) {
	t.Helper()
	w.mu.Lock()
	w.front = front
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- front.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("the front-end ended with: %v", err)
		}
		closing, done := context.WithTimeout(context.Background(), 20*time.Second)
		defer done()
		if err := w.Desk.Close(closing); err != nil {
			t.Error(err)
		}
		w.cancel()
		w.working.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, l := range w.lost {
			t.Error(l)
		}
	})
}

// TakeDelivery satisfies handlers.Mailbox.
func (w *World) TakeDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return false, w.refuse
	}
	if w.seen[d.Key] {
		return false, nil
	}
	w.seen[d.Key] = true
	w.asked[d.Request.ID], w.audit[e.ID] = d, e
	return true, nil
}

// FinishDelivery satisfies handlers.Mailbox.
func (w *World) FinishDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry, out []keepwatch.Outgoing) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.asked, d.Request.ID)
	w.audit[e.ID] = e
	w.changed.Broadcast()
	var lanes []string
	for _, o := range out {
		w.keep(o.Message)
		w.posts++
		o.Seq = int64(w.posts)
		w.queue[o.Lane] = append(w.queue[o.Lane], o)
		if o.Run > 0 {
			w.cards[o.ID] = keepwatch.Card{ID: o.ID, Run: o.Run, Channel: o.Channel, Reply: o.Reply}
		}
		lanes = append(lanes, o.Lane)
	}
	return lanes, nil
}

func (w *World) keep(m keepwatch.Message) {
	for _, b := range m.AllButtons() {
		if token, kept := b.Token(); kept {
			w.kept[token] = b
		}
	}
}

// Deliveries satisfies handlers.Mailbox.
func (w *World) Deliveries() ([]keepwatch.Delivery, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []keepwatch.Delivery
	for _, d := range w.asked {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b keepwatch.Delivery) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// RequestRun satisfies handlers.Mailbox.
func (w *World) RequestRun(request string) (keepwatch.Run, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runs {
		if r.Request == request {
			return r, true, nil
		}
	}
	return keepwatch.Run{}, false, nil
}

// RunCards satisfies handlers.Mailbox.
func (w *World) RunCards(run int64) ([]keepwatch.Card, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []keepwatch.Card
	for _, c := range w.cards {
		if c.Run == run {
			out = append(out, c)
		}
	}
	return out, nil
}

// KeptButton satisfies handlers.Mailbox.
func (w *World) KeptButton(token string) (keepwatch.Button, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.kept[token]
	if !ok {
		return b, keepwatch.Errorf(keepwatch.KindNotFound, "This button is too old.")
	}
	return b, nil
}

// send posts what waits in lanes. A front-end that says "later" is asked again
// after as long as it said; whatever else it refuses fails the test.
func (w *World) send(lanes ...string) {
	for _, lane := range lanes {
		w.working.Go(func() {
			for {
				w.mu.Lock()
				if len(w.queue[lane]) == 0 {
					w.mu.Unlock()
					return
				}
				out := w.queue[lane][0]
				w.queue[lane] = w.queue[lane][1:]
				w.mu.Unlock()
				w.post(out)
			}
		})
	}
}

func (w *World) post(out keepwatch.Outgoing) {
	var final bool
	if out.Run > 0 {
		run, err := w.Run(out.Run)
		if err != nil {
			w.fail("show run %d: %v", out.Run, err)
			return
		}
		out.Message, final = w.Router.RunMessage(run), run.State.Ended()
		w.mu.Lock()
		w.keep(out.Message)
		w.mu.Unlock()
	}
	out.Tried = time.Now().UTC()
	ref, err := w.front.Post(w.stop, out)
	for try := 1; err != nil && later(err) > 0 && try < 5 && w.rest(later(err)); try++ {
		ref, err = w.front.Post(w.stop, out)
	}
	if err != nil {
		w.fail("post %q to %s: %T %v", out.Message.Title, out.Channel, err, err)
		return
	}
	if out.Run == 0 {
		return
	}
	w.mu.Lock()
	w.cards[out.ID] = keepwatch.Card{ID: out.ID, Run: out.Run, Channel: out.Channel, Reply: out.Reply, Ref: ref, Final: final}
	w.mu.Unlock()
	w.editCards(out.Run) // it may have gone on meanwhile
}

// later gives how long a front-end asks to wait before a message is sent again; 0
// where it does not.
func later(err error) time.Duration {
	var p *keepwatch.PostError
	if !errors.As(err, &p) || p.Verdict != keepwatch.VerdictLater {
		return 0
	}
	return max(p.After, 10*time.Millisecond)
}

// rest waits, and reports whether the world still stands.
func (w *World) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.stop.Done():
		return false
	}
}

// editCards brings the cards of a run up to date, one look after the other: an
// older one must not come last.
func (w *World) editCards(id int64) {
	w.editing.Lock()
	defer w.editing.Unlock()
	run, err := w.Run(id)
	if err != nil {
		return
	}
	w.mu.Lock()
	var due []keepwatch.Card
	for key, c := range w.cards {
		if c.Run == id && !c.Final && c.Ref != "" {
			c.Final = run.State.Ended()
			w.cards[key] = c
			due = append(due, c)
		}
	}
	w.mu.Unlock()
	for _, c := range due {
		if err := w.front.Edit(w.stop, c, w.Router.RunMessage(run)); err != nil {
			w.fail("edit the card of run %d in %s: %v", id, c.Channel, err)
		}
	}
}

func (w *World) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop.Err() == nil {
		w.lost = append(w.lost, fmt.Sprintf(format, args...))
	}
}
