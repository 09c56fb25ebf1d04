package providertest

import (
	"context"
	"errors"
	"testing"

	"keepwatch"
	"keepwatch/providers"
)

// fetch has a provider fetch as the works do: what is to be downloaded first is, and
// nothing of it is left.
func fetch(ctx context.Context, t *testing.T, c Case, j providers.Job, s *Sink) error {
	d, ok := c.Provider.(providers.Downloader)
	if !ok || !d.Downloads(j) {
		return c.Provider.Fetch(ctx, j, s)
	}
	m := &memory{t: t}
	m.into(&j)
	err := d.Download(ctx, j)
	if err == nil {
		m.into(&j)
		err = c.Provider.Fetch(ctx, j, s)
	}
	return errors.Join(err, d.Discard(j.Run))
}

// runDownloaded holds a provider to providers.Downloader: a download can be done again,
// its progress does not go back, Fetch makes an archive of it as often as it is asked to,
// and it is discarded once, or again.
func runDownloaded(t *testing.T, c Case, d providers.Downloader) {
	t.Run("what is downloaded", func(t *testing.T) {
		m := &memory{t: t}
		plan := m.job(c.Source)
		plan.Keep = nil
		if _, err := c.Provider.Plan(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second as after a kill
			j := m.job(c.Source)
			var last keepwatch.Progress
			j.Report = func(p keepwatch.Progress) {
				if p.Bytes < last.Bytes || p.Items < last.Items {
					t.Errorf("progress went back from %+v to %+v", last, p)
				}
				last = p
			}
			if err := d.Download(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
		entries := 0
		for range 2 {
			var s Sink
			if err := c.Provider.Fetch(t.Context(), m.job(c.Source), &s); err != nil {
				t.Fatal(err)
			}
			if len(s.Entries) == 0 || entries > 0 && entries != len(s.Entries) {
				t.Errorf("%d entries, and %d before", len(s.Entries), entries)
			}
			entries = len(s.Entries)
			for _, b := range s.Broken {
				t.Error(b)
			}
		}
		for range 2 {
			if err := d.Discard(1); err != nil {
				t.Errorf("what is not there any more is no error: %v", err)
			}
		}
	})
	t.Run("the download stops", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := &memory{t: t}
		if err := d.Download(ctx, m.job(c.Source)); !errors.Is(err, context.Canceled) {
			t.Errorf("with a cancelled context: %v", err)
		}
		if err := d.Discard(1); err != nil {
			t.Error(err)
		}
	})
}
