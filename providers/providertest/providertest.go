// Package providertest is the contract of a providers.Provider as a suite. A
// new provider is tested by one call of [Run].
package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers"
)

// Sink is a providers.Sink in memory, which holds what it is given to the
// contract. Fail, when set, is what the next Add gives.
type Sink struct {
	Entries  []keepwatch.Entry
	Contents map[string]string
	Tops     []keepwatch.Entry
	Singles  []string
	Notes    []keepwatch.Note
	Broken   []string // ways in which the provider broke the contract
	Fail     error
}

// Add takes in an entry of the tree.
func (s *Sink) Add(e keepwatch.Entry, content io.Reader) error { return s.take(e, content) }

// Single takes in a file that stands alone. Where its size is not known before, the
// entry is kept with the one that came.
func (s *Sink) Single(e keepwatch.Entry, content io.Reader) error {
	s.Singles = append(s.Singles, e.Path)
	return s.take(e, content)
}

// Top takes in the folder that the tree is of.
func (s *Sink) Top(e keepwatch.Entry) error {
	if e.Path != "." || e.Type != keepwatch.EntryFolder || len(s.Tops)+len(s.Entries) > 0 {
		s.broken("the top folder is %+v, and is told of after %d entries", e, len(s.Tops)+len(s.Entries))
	}
	s.Tops = append(s.Tops, e)
	return s.Fail
}

// Note takes in a note.
func (s *Sink) Note(n keepwatch.Note) error {
	if n.Kind == "" || n.Path == "" && n.Text == "" {
		s.broken("a note that says nothing: %+v", n)
	}
	s.Notes = append(s.Notes, n)
	return nil
}

func (s *Sink) broken(format string, args ...any) {
	s.Broken = append(s.Broken, fmt.Sprintf(format, args...))
}

func (s *Sink) take(e keepwatch.Entry, content io.Reader) error {
	if s.Fail != nil {
		return s.Fail
	}
	if s.Contents == nil {
		s.Contents = map[string]string{}
	}
	if _, twice := s.Contents[e.Path]; twice {
		s.broken("%q comes twice", e.Path)
	}
	if !fs.ValidPath(strings.ToValidUTF8(e.Path, "?")) || e.Path == "." {
		s.broken("%q is no plain relative path", e.Path)
	}
	if e.SHA256 != "" || e.In != "" {
		s.broken("%q comes with what the sink fills in", e.Path)
	}
	s.Contents[e.Path] = ""
	s.Entries = append(s.Entries, e)
	if e.Type != keepwatch.EntryFile {
		if e.Size != 0 {
			s.broken("%q is a %s of %d bytes", e.Path, e.Type, e.Size)
		}
		return nil
	}
	if e.Size >= 0 {
		content = io.LimitReader(content, e.Size)
	} else if e.Size != -1 || !slices.Contains(s.Singles, e.Path) {
		s.broken("%q has a size of %d bytes", e.Path, e.Size)
	}
	var b strings.Builder
	n, err := io.Copy(&b, content)
	s.Contents[e.Path] = b.String()
	if e.Size == -1 {
		s.Entries[len(s.Entries)-1].Size = n
	}
	return err
}

// Case is a provider with a source that it can back up.
type Case struct {
	Provider providers.Provider
	Source   keepwatch.Source // with at least one file in it
	Missing  keepwatch.Source // the same kind, and not there
	Parts    []string         // parts that it has; nil: it has none
}

// job is what the provider is to do, as the works say it.
func job(s keepwatch.Source, parts ...string) providers.Job {
	return providers.Job{Source: s, Parts: parts, Run: 1, Report: func(keepwatch.Progress) {}, Found: func(keepwatch.Inside) {}}
}

// Run holds a provider to the contract. One that is a providers.Preparer for the whole
// source, or a providers.Downloader, is held to that too: what it plans is a guess then.
func Run(t *testing.T, c Case) {
	if p, ok := c.Provider.(providers.Preparer); ok && p.Prepares(job(c.Source)) {
		runPrepared(t, c, p)
	} else if d, ok := c.Provider.(providers.Downloader); ok && d.Downloads(job(c.Source)) {
		runDownloaded(t, c, d)
	} else {
		t.Run("fetch is what was planned", func(t *testing.T) { planned(t, c) })
	}
	t.Run("parts", func(t *testing.T) {
		for _, part := range c.Parts {
			var s Sink
			if err := fetch(t.Context(), t, c, job(c.Source, part), &s); err != nil || len(s.Entries) == 0 {
				t.Errorf("part %q: %d entries, %v", part, len(s.Entries), err)
			}
		}
		var s Sink
		if err := fetch(t.Context(), t, c, job(c.Source, "no such part"), &s); keepwatch.Sentence(err) == "" {
			t.Errorf("a part that is not there: %v", err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		if _, err := c.Provider.Plan(t.Context(), job(c.Missing)); keepwatch.Sentence(err) == "" {
			t.Errorf("planned: %v", err)
		}
		if err := fetch(t.Context(), t, c, job(c.Missing), &Sink{}); keepwatch.Sentence(err) == "" {
			t.Errorf("fetched: %v", err)
		}
	})
	t.Run("stops", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := fetch(ctx, t, c, job(c.Source), &Sink{}); !errors.Is(err, context.Canceled) {
			t.Errorf("with a cancelled context: %v", err)
		}
	})
	t.Run("a sink that fails", func(t *testing.T) {
		full := errors.New("disk full")
		if err := fetch(t.Context(), t, c, job(c.Source), &Sink{Fail: full}); !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
	})
}

// planned: what is fetched is what the plan said.
func planned(t *testing.T, c Case) {
	plan, err := c.Provider.Plan(t.Context(), job(c.Source))
	if err != nil {
		t.Fatal(err)
	}
	var s Sink
	var last keepwatch.Progress
	j := job(c.Source)
	j.Report = func(p keepwatch.Progress) {
		if p.Bytes < last.Bytes || p.Items < last.Items {
			t.Errorf("progress went back from %+v to %+v", last, p)
		}
		last = p
	}
	if err := c.Provider.Fetch(t.Context(), j, &s); err != nil {
		t.Fatal(err)
	}
	var bytes int64
	for _, e := range s.Entries {
		bytes += e.Size
	}
	if plan.Items != int64(len(s.Entries)) || plan.Bytes != bytes || bytes == 0 {
		t.Errorf("planned %+v, fetched %d entries of %d bytes", plan, len(s.Entries), bytes)
	}
	if last.Bytes != bytes || last.Items != int64(len(s.Entries)) {
		t.Errorf("the last progress is %+v of %d bytes", last, bytes)
	}
	for _, b := range s.Broken {
		t.Error(b)
	}
}
