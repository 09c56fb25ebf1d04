package providers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// host is a provider with a server of its own, which makes backups, holds some and
// takes parts back. It does as the contract says, and dies where it is told to.
type host struct {
	lab     *lab
	at      string // the point at which the process is killed
	started int    // how many backups the server was told to make
	files   []string
	told    []string // what the server was told to put back, in order
	ended   map[string]bool
	jobs    []providers.Job
	calls   []string

	errs   map[string]error // what the next call of a step gives; used up by it
	notes  []keepwatch.Note // of Release
	inside keepwatch.Inside
	log    string // of a restore
	alone  bool   // it is tried without a vault
}

func newHost() *host {
	l := newLab()
	h := &host{lab: l, ended: map[string]bool{}, errs: map[string]error{}, inside: keepwatch.Inside{Files: 41, Databases: []string{"ruthin_wp"}}, log: "done"}
	l.host = h
	return h
}

// called notes a call, and gives the error that was laid out for it.
func (h *host) called(what string, job providers.Job) error {
	h.calls, h.jobs = append(h.calls, what), append(h.jobs, job)
	err := h.errs[what]
	delete(h.errs, what)
	return err
}

// pass is a point at which the process may be killed.
func (h *host) pass(point string) {
	if point == h.at {
		h.at = ""
		panic(die(point))
	}
}

func (h *host) Plan(_ context.Context, job providers.Job) (keepwatch.Plan, error) {
	if job.Keep != nil {
		return keepwatch.Plan{}, errors.New("a plan that may keep something")
	}
	return keepwatch.Plan{Items: 1, Bytes: 1 << 20}, errors.Join(known(job), h.called("plan", job))
}

// known says that there is no such account, or no such part of it.
func known(job providers.Job) error {
	if job.Source.Name != "web" {
		return keepwatch.Errorf(keepwatch.KindNotFound, "There is no account %s.", job.Source.Name)
	}
	for _, part := range job.Parts {
		if !keepwatch.ValidHostingPart(part) {
			return keepwatch.Errorf(keepwatch.KindInvalid, "There is no part %s.", part)
		}
	}
	return nil
}

func (h *host) Prepares(job providers.Job) bool { return len(job.Parts) == 0 }

// state is what it keeps of the server.
type state struct {
	Told bool   `json:"told,omitempty"`
	Name string `json:"name,omitempty"`
}

func (h *host) Request(_ context.Context, job providers.Job) error {
	if err := h.called("request", job); err != nil {
		return err
	}
	var s state
	if job.Remote != nil {
		if err := json.Unmarshal(job.Remote, &s); err != nil {
			return err
		}
	}
	h.pass("host.request.begun")
	if !s.Told {
		if err := keep(job, state{Told: true}); err != nil {
			return err
		}
	}
	h.pass("host.request.kept")
	if s.Name == "" && len(h.files) == 0 { // else it was told before the kill
		h.started++
		h.files = append(h.files, fmt.Sprintf("backup-%d.tar.gz", h.started))
	}
	h.pass("host.request.told")
	return keep(job, state{Told: true, Name: h.files[len(h.files)-1]})
}

func keep(job providers.Job, s state) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return job.Keep(data)
}

func (h *host) Wait(ctx context.Context, job providers.Job) error {
	if err := h.called("wait", job); err != nil {
		return err
	}
	if !strings.Contains(string(job.Remote), "backup-") {
		return fmt.Errorf("waits for nothing: %s", job.Remote)
	}
	job.Report(keepwatch.Progress{Bytes: 1, TotalBytes: 2})
	return ctx.Err()
}

func (h *host) Fetch(ctx context.Context, job providers.Job, sink providers.Sink) error {
	if err := errors.Join(h.called("fetch", job), known(job), ctx.Err()); err != nil {
		return err
	}
	if err := sink.Single(keepwatch.Entry{Path: "backup.tar.gz", Type: keepwatch.EntryFile, Size: -1}, strings.NewReader(h.lab.content)); err != nil {
		return err
	}
	job.Found(h.inside)
	return nil
}

func (h *host) Release(_ context.Context, job providers.Job) ([]keepwatch.Note, error) {
	if len(h.lab.inVault) == 0 && !h.alone {
		return nil, errors.New("released before the archive is in its place")
	}
	if err := h.called("release", job); err != nil {
		return nil, err
	}
	h.files = nil
	return h.notes, nil
}

func (h *host) Inspect(context.Context, keepwatch.Source) (keepwatch.ServerState, error) {
	return keepwatch.ServerState{}, nil
}

func (h *host) PlanReturn(_ context.Context, _ keepwatch.Source, sets []providers.Set, ask keepwatch.ReturnAsk) (plan keepwatch.ReturnPlan, err error) {
	for _, s := range sets {
		for _, e := range s.Entries {
			if e.Path == "damaged when it is planned" {
				_, content, err := s.From.OpenEntry(context.Background(), s.Archive.Ref(), e.Path)
				if err == nil {
					_, err = io.Copy(io.Discard, content)
				}
				return plan, err
			}
			if len(ask.Parts) == 0 || slices.Contains(ask.Parts, e.Path) {
				plan.Items = append(plan.Items, keepwatch.ReturnItem{Name: e.Path, Archive: s.Archive.Ref(), At: s.Archive.AsOf(), Path: e.Path, Part: e.Path, Bytes: 10})
			}
		}
	}
	return plan, nil
}

func (h *host) Return(ctx context.Context, job providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	log := keepwatch.ServerLog{Name: item.Name + ".log", Text: h.log}
	if err := h.called("return "+item.Name, job); err != nil {
		return log, err
	}
	told := job.Remote != nil
	if told && !job.Retried {
		if h.ended[item.Name] {
			return log, nil
		}
		return log, keepwatch.Errorf(keepwatch.KindAttention, "Nobody can tell what became of %s.", item.Name)
	}
	if err := keep(job, state{Told: true}); err != nil {
		return keepwatch.ServerLog{}, err
	}
	h.pass("host.return.kept")
	_, content, err := from.OpenEntry(ctx, item.Archive, item.Path)
	if err != nil {
		return keepwatch.ServerLog{}, err
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return keepwatch.ServerLog{}, errors.Join(err, content.Close())
	}
	h.told = append(h.told, item.Archive+" "+item.Name)
	h.ended[item.Name] = true
	h.pass("host.return.told")
	return log, content.Close()
}

// holds puts a verified archive of the account into the vault.
func (l *lab) holds(day int, change func(*keepwatch.Archive), paths ...string) string {
	at := time.Date(2026, 11, day, 3, 0, 0, 0, time.UTC)
	a := keepwatch.Archive{Source: "web", Kind: keepwatch.KindCPanel, Stamp: keepwatch.StampOf(at), Started: at, Verified: []keepwatch.Verification{{At: at}}}
	if change != nil {
		change(&a)
	}
	if l.inside == nil {
		l.inside = map[string][]keepwatch.Entry{}
	}
	for _, p := range paths {
		l.inside[a.Ref()] = append(l.inside[a.Ref()], keepwatch.Entry{Path: p, Type: keepwatch.EntryFile, Size: 10})
	}
	l.archives[a.Ref()], l.inVault[a.Ref()] = a, true
	return a.Ref()
}
