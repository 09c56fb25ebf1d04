package providers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// mailbox is a provider that downloads first, piece by piece, and dies where it is told to.
type mailbox struct {
	lab    *lab
	at     string // the point at which the process is killed
	pieces int    // that the server has
	served int    // how many it has sent
	spools map[int64]int
	calls  []string
	jobs   []providers.Job
	errs   map[string]error // what the next call of a step gives; used up by it

	takes    time.Duration // what a piece takes
	discards []int64
	refuses  error                                // what each Discard gives
	plain    bool                                 // nothing is downloaded
	during   func(ctx context.Context, piece int) // called after each piece; nil: nothing
	late     bool                                 // what it goes on from is said by Fetch, and not by Download
	whole    bool                                 // the server has forgotten what was before
}

func newMailbox() *mailbox {
	l := newLab()
	l.mail = &mailbox{lab: l, pieces: 5, spools: map[int64]int{}, errs: map[string]error{}}
	return l.mail
}

func (m *mailbox) called(what string, job providers.Job) error {
	m.calls, m.jobs = append(m.calls, what), append(m.jobs, job)
	err := m.errs[what]
	delete(m.errs, what)
	if job.Source.Name != "mail" {
		err = errors.Join(err, keepwatch.Errorf(keepwatch.KindNotFound, "There is no mailbox %s.", job.Source.Name))
	}
	if len(job.Parts) > 0 && job.Parts[0] != "Inbox" {
		err = errors.Join(err, keepwatch.Errorf(keepwatch.KindNotFound, "There is no folder %s.", job.Parts[0]))
	}
	return err
}

func (m *mailbox) pass(point string) {
	if point == m.at {
		m.at = ""
		panic(die(point))
	}
}

func (m *mailbox) Plan(_ context.Context, job providers.Job) (keepwatch.Plan, error) {
	return keepwatch.Plan{Items: int64(m.pieces), Bytes: 1 << 20}, m.called("plan", job)
}

func (m *mailbox) Downloads(providers.Job) bool { return !m.plain }

func (m *mailbox) Download(ctx context.Context, job providers.Job) error {
	if err := m.called("download", job); err != nil {
		return err
	}
	if !m.late {
		m.say(job)
	}
	if job.Keep != nil {
		if err := job.Keep([]byte(`{"key":"of the spool"}`)); err != nil {
			return err
		}
	}
	job.Report(keepwatch.Progress{Items: int64(m.spools[job.Run])})
	for m.spools[job.Run] < m.pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.served++
		m.spools[job.Run]++
		m.lab.passed += m.takes
		job.Report(keepwatch.Progress{Items: int64(m.spools[job.Run])})
		if m.during != nil {
			m.during(ctx, m.spools[job.Run])
		}
		m.pass(fmt.Sprintf("mail.download.%d", m.spools[job.Run]))
		if err := m.errs["piece"]; err != nil && m.spools[job.Run] == 3 {
			delete(m.errs, "piece")
			return err
		}
	}
	return ctx.Err()
}

// say tells what the archive goes on from.
func (m *mailbox) say(job providers.Job) {
	switch {
	case job.Changes == nil:
	case m.whole:
		job.Changes("")
	case job.Last != nil:
		job.Changes(job.Last.Ref())
	}
}

func (m *mailbox) Fetch(ctx context.Context, job providers.Job, sink providers.Sink) error {
	if err := errors.Join(m.called("fetch", job), ctx.Err()); err != nil {
		return err
	}
	if got := m.spools[job.Run]; !m.plain && got != m.pieces {
		return fmt.Errorf("%d of %d pieces are here", got, m.pieces)
	}
	if m.late || m.whole {
		m.say(job)
	}
	job.Report(keepwatch.Progress{Items: 1})
	return sink.Add(keepwatch.Entry{Path: "Inbox/1.eml", Type: keepwatch.EntryFile, Size: int64(len(m.lab.content))}, strings.NewReader(m.lab.content))
}

func (m *mailbox) Discard(run int64) error {
	m.discards = append(m.discards, run)
	if m.refuses == nil {
		delete(m.spools, run)
	}
	return m.refuses
}

func mailRun(id int64, changes bool) keepwatch.Run {
	run := backupRun(id)
	run.Source, run.Ask.Changes = "mail", changes
	return run
}

// chain makes verified archives of the mailbox: 'w' is whole, 'c' of changes. It gives
// their Refs.
func (l *lab) chain(kinds string) (refs []string) {
	base := ""
	for i, kind := range kinds {
		started := noon.AddDate(0, 0, i-50)
		a := keepwatch.Archive{Source: "mail", Kind: keepwatch.KindOutlook, Stamp: keepwatch.StampOf(started), Started: started, Items: 1, Bytes: 1000, Verified: []keepwatch.Verification{{At: started}}}
		if kind == 'c' {
			a.Base = base
		}
		base = a.Ref()
		l.archives[base], l.inVault[base] = a, true
		refs = append(refs, base)
	}
	return refs
}

// severed names the archives in the vault whose base is not.
func (l *lab) severed() (list []string) {
	for ref, a := range l.archives {
		if a.Base != "" && l.inVault[ref] && !l.inVault[a.Base] {
			list = append(list, ref)
		}
	}
	slices.Sort(list)
	return list
}
