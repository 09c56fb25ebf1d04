package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/archive"
	"keepwatch/providers/outlook/download"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/box"
	"keepwatch/providers/outlook/graph/entra"
	"keepwatch/providers/outlook/graph/purview"
	"keepwatch/providers/outlook/graph/putback"
	"keepwatch/providers/outlook/restore"
	"keepwatch/providers/outlook/spool"
	"keepwatch/vault/mailbox"
)

// mailboxes backs up mailboxes of Microsoft 365 and puts what is in them back.
type mailboxes struct {
	*download.Downloader
	*archive.Maker
	*restore.Returner
	spools outlook.Spools
	client *graph.Client // nil: Microsoft 365 is not configured
}

var (
	_ providers.Provider   = (*mailboxes)(nil)
	_ providers.Downloader = (*mailboxes)(nil)
	_ providers.Preparer   = (*mailboxes)(nil)
	_ providers.Restorer   = (*mailboxes)(nil)
)

// graphClient gives the client of Microsoft 365, or nil where that is not configured. It
// makes no call. fences nil: long pauses are not kept; clock nil: the system's.
func (s settings) graphClient(log *slog.Logger, fences graph.Fences, clock graph.Clock) (*graph.Client, error) {
	cfg, ok := s.env.microsoft(log)
	if !ok {
		return nil, nil
	}
	cfg.Fences, cfg.Clock = fences, clock
	return graph.New(cfg)
}

// makeMailboxes joins what backs up mailboxes. It makes no call.
func (a *app) makeMailboxes() (*mailboxes, error) {
	s := a.settings
	m := &mailboxes{spools: spool.New(spool.Config{Dir: s.spoolPath(), Log: a.log, Crash: a.crash})}
	cfg := outlook.Config{Spools: m.spools, Older: a.vault, Lister: mailbox.Lister{}, Zone: s.Location, Now: a.now, Log: a.log, Crash: a.crash}
	var err error
	if m.client, err = s.graphClient(a.log, a.records, a.clock); err != nil {
		return nil, err
	}
	if m.client != nil {
		server, err := box.New(box.Config{Client: m.client})
		if err != nil {
			return nil, err
		}
		cfg.Server, cfg.Exporter = server, purview.New(purview.Config{Client: m.client, Every: a.pace, Host: a.exports})
		if cfg.Restorer, err = putback.New(putback.Config{Client: m.client}); err != nil {
			return nil, err
		}
	}
	var errs [3]error
	m.Downloader, errs[0] = download.New(cfg)
	m.Maker, errs[1] = archive.New(cfg)
	m.Returner, errs[2] = restore.New(cfg)
	return m, errors.Join(errs[:]...)
}

// sweepDownloads removes what was downloaded for runs that are over, wherever the vault is:
// it lies in the data folder. What cannot be removed keeps nobody from starting.
func (a *app) sweepDownloads() error {
	open, err := a.records.OpenRuns()
	if err != nil {
		return err
	}
	err = a.mailboxes.spools.Sweep(func(id int64) bool {
		return slices.ContainsFunc(open, func(r keepwatch.Run) bool { return r.ID == id })
	})
	if err != nil {
		a.log.Error("what was downloaded for runs that are over could not be removed, and takes up room", "err", err)
	}
	return nil
}

// spoolPath is where mailboxes lie, encrypted, until their archives are in their places.
func (s settings) spoolPath() string { return filepath.Join(s.DataDir, "download") }

// probeMicrosoft looks at Microsoft 365 for one check, which ends with ctx. The prober is nil where
// it is not configured. fences nil: what pauses were asked for before is not known.
func (s settings) probeMicrosoft(ctx context.Context, fences graph.Fences, now func() time.Time) (prober, []keepwatch.Probe) {
	const name = "Microsoft 365"
	client, err := s.graphClient(nil, fences, nil)
	if err != nil {
		return nil, []keepwatch.Probe{bad(name, keepwatch.Sentence(err), "")}
	}
	if client == nil {
		return nil, nil
	}
	d, err := s.directory(client, now)
	if err != nil {
		return nil, []keepwatch.Probe{bad(name, keepwatch.Sentence(err), "")}
	}
	m := newMicrosoftProbes(ctx, d, s.Sources, s.People, now())
	m.wide = s.Scope == scopeTenant
	return m, m.tenant(ctx)
}

// directory gives what Entra knows.
func (s settings) directory(client *graph.Client, now func() time.Time) (*entra.Directory, error) {
	return entra.New(entra.Config{Client: client, AppID: s.env.values["MICROSOFT_CLIENT_ID"], Now: now, Location: s.Location})
}
