package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"keepwatch"
	"keepwatch/providers"
)

// memory keeps what a provider keeps of its server, as a run does.
type memory struct {
	t      *testing.T
	remote json.RawMessage
}

// job is one that remembers.
func (m *memory) job(s keepwatch.Source) providers.Job {
	j := job(s)
	m.into(&j)
	return j
}

// into has a job remember.
func (m *memory) into(j *providers.Job) {
	j.Remote = m.remote
	j.Keep = func(remote json.RawMessage) error {
		if !json.Valid(remote) {
			m.t.Errorf("what is kept is no JSON: %q", remote)
		}
		m.remote = append(json.RawMessage(nil), remote...)
		return nil
	}
}

// runPrepared holds a provider to providers.Preparer: each step can be done again, and
// one archive comes of it.
func runPrepared(t *testing.T, c Case, p providers.Preparer) {
	t.Run("what the server makes", func(t *testing.T) {
		m := &memory{t: t}
		plan := m.job(c.Source)
		plan.Keep = nil
		if _, err := c.Provider.Plan(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second as after a kill
			if err := p.Request(t.Context(), m.job(c.Source)); err != nil {
				t.Fatal(err)
			}
			if m.remote == nil {
				t.Error("nothing is kept of what the server was told")
			}
		}
		for range 2 {
			if err := p.Wait(t.Context(), m.job(c.Source)); err != nil {
				t.Fatal(err)
			}
		}
		var s Sink
		found := 0
		fetch := m.job(c.Source)
		var last keepwatch.Progress
		fetch.Report = func(p keepwatch.Progress) {
			if p.Bytes < last.Bytes {
				t.Errorf("progress went back from %+v to %+v", last, p)
			}
			last = p
		}
		fetch.Found = func(i keepwatch.Inside) {
			if found++; i.IsZero() {
				t.Error("nothing was seen inside")
			}
		}
		if err := c.Provider.Fetch(t.Context(), fetch, &s); err != nil {
			t.Fatal(err)
		}
		if found != 1 || len(s.Entries) == 0 {
			t.Errorf("%d entries; it was said %d times what is inside", len(s.Entries), found)
		}
		for _, b := range s.Broken {
			t.Error(b)
		}
		for range 2 {
			if _, err := p.Release(t.Context(), m.job(c.Source)); err != nil {
				t.Errorf("what cannot be removed is a note: %v", err)
			}
		}
	})
	t.Run("the wait stops", func(t *testing.T) { waitStops(t, c, p) })
}

// waitStops: the end of its context ends a wait.
func waitStops(t *testing.T, c Case, p providers.Preparer) {
	m := &memory{t: t}
	if err := p.Request(t.Context(), m.job(c.Source)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(ctx, m.job(c.Source)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}
