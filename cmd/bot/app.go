package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/handlers"
	"keepwatch/handlers/web"
	"keepwatch/providers"
	"keepwatch/providers/authenticator"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/files"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/restore"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/vault"
	"keepwatch/vault/mailbox"
)

// app is the program joined together: everything that outlives one request.
type app struct {
	settings settings
	log      *slog.Logger
	now      func() time.Time
	crash    func(string)
	pace     time.Duration // as process.Pace
	clock    graph.Clock   // as process.Microsoft
	exports  func(host string) bool

	state        *bolt.Store
	records      *store.Records
	catalog      *catalog
	key          ownKey
	vault        *vault.Vault
	mail         *mailbox.Mailboxes
	engine       *engine.Engine
	returns      *providers.Returns
	router       *handlers.Router
	desk         *handlers.Desk
	outbox       *engine.Outbox
	platforms    []platform     // those that are configured
	connected    sync.WaitGroup // their connections
	stopping     atomic.Bool    // all has stopped but the outbox
	duties       duties
	hosts        *cpanel.Provider
	mailboxes    *mailboxes
	serving      bool // the platforms are connected to; set before anything is started
	terminal     *terminalPoster
	control      *control
	web          *web.Server // nil: nobody listens
	watching     sync.WaitGroup
	stopWatching context.CancelFunc
	account      keepwatch.Account // whoever sits at the terminal
}

// openApp opens the state, the key and the vault and joins the packages. It
// starts nothing: start does.
func openApp(p process, s settings, log *slog.Logger) (*app, error) {
	a := &app{settings: s, log: log, now: p.Now, crash: p.Crash, pace: p.Pace, clock: p.Microsoft, exports: p.Exports, account: terminalAccount(), hosts: hosting(p, log)}
	if a.crash == nil {
		a.crash = func(string) {}
	}
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "The data folder %s cannot be made: %v.", s.DataDir, errors.Unwrap(err)).Because(err)
	}
	var err error
	if a.state, err = bolt.Open(bolt.Config{Path: s.statePath(), Log: log, Crash: a.crash}); err != nil {
		return nil, err
	}
	if err := a.join(); err != nil {
		return nil, errors.Join(err, a.state.Close())
	}
	return a, nil
}

// join makes everything that stands on the open state.
func (a *app) join() error {
	s := a.settings
	a.records = store.NewRecords(a.state, a.now)
	a.catalog = &catalog{configured: s.Sources, kept: a.records, home: s.Home, check: s.files(a.log).Check}
	var err error
	if a.key, err = prepareKey(s.keyPath(), s.Vault.Dir, s.Vault.Recipients, a.records); err != nil {
		return err
	}
	recipients := s.Vault.Recipients
	if a.key.Recipients != nil {
		recipients = a.key.Recipients
	}
	away := a.placeNow()
	if away != nil {
		a.log.Error("the vault is not where it was", "vault", s.Vault.Dir)
	}
	if a.vault, err = vault.Open(vault.Config{Look: away != nil, Dir: s.Vault.Dir, Recipients: recipients, IdentityFile: s.keyPath(), Own: s.own(), Now: a.now, Crash: a.crash}); err != nil {
		return err
	}
	a.mail = mailbox.New(mailbox.Config{Vault: a.vault, Dir: s.openedPath(), Forms: mailForms(), Zone: s.Location, Now: a.now, Log: a.log, Crash: a.crash})
	if a.mailboxes, err = a.makeMailboxes(); err != nil {
		return err
	}
	a.markVault()
	if err := a.rememberKey(); err != nil {
		return err
	}
	if err := a.makeDuties(); err != nil {
		return err
	}
	if err := a.makeEngine(); err != nil {
		return err
	}
	if err := a.makeRouter(); err != nil {
		return err
	}
	if err := a.makeDesk(); err != nil {
		return err
	}
	a.makeWeb()
	return nil
}

// makeWeb makes what answers over HTTP, where an address is set.
func (a *app) makeWeb() {
	if a.settings.Listen == "" {
		return
	}
	mounts := map[string]http.Handler{}
	for _, p := range a.platforms {
		maps.Copy(mounts, p.mounts)
	}
	a.web = web.New(web.Config{
		Mounts: mounts,
		Ready:  a.ready, Open: a.records.OpenRuns, Version: version(), Log: a.log,
		Archives: func() ([]keepwatch.Archive, error) { return a.records.Archives("") },
	})
}

// ready says why the bot cannot do its work, or nil.
func (a *app) ready() error {
	if err := a.sealable(); err != nil {
		return err
	}
	if _, err := a.records.OpenRuns(); err != nil {
		return err
	}
	return a.platformsReady()
}

func (a *app) makeEngine() error {
	s := a.settings
	cfg := providers.Config{
		Sources: a.catalog,
		Providers: map[keepwatch.SourceKind]providers.Provider{
			keepwatch.KindFiles: s.files(a.log), keepwatch.KindDossier: authenticator.NewProvider(a.duties.phones), keepwatch.KindCPanel: a.hosts, keepwatch.KindOutlook: a.mailboxes,
		},
		Vault:     sealer{a.vault},
		Mailboxes: a.mail,
		Archives:  a.archives(),
		Copies:    s.Vault.Copies,
		Copier:    a.vault,
		Keep:      s.Vault.Keep,
		Location:  s.Location,
		Now:       a.now,
		Log:       a.log,
		Crash:     a.crash,
	}
	works, err := providers.NewWorks(cfg)
	if err != nil {
		return err
	}
	if a.returns, err = providers.NewReturns(cfg); err != nil {
		return err
	}
	joined := map[keepwatch.RunKind]engine.Work{}
	for kind, w := range works {
		joined[kind] = w
	}
	joined[keepwatch.RunBackup] = guarded{joined[keepwatch.RunBackup], a.sealable}
	joined[keepwatch.RunVerify] = guarded{joined[keepwatch.RunVerify], a.placeNow}
	joined[keepwatch.RunPrune] = guarded{joined[keepwatch.RunPrune], a.placeNow}
	a.engine, err = engine.New(engine.Config{
		Records: a.records, Works: joined, Parallel: s.Parallel,
		Log: a.log, Now: a.now, Changed: a.changed, Crash: a.crash,
	})
	return err
}

// sealer makes a vault's writer into the providers' sink.
type sealer struct{ *vault.Vault }

// Begin starts the staging folder of a run.
func (s sealer) Begin(run keepwatch.Run) (providers.Pack, error) { return s.Vault.Begin(run) }

// start takes up what was left and opens the control socket. It gives the runs
// that go on.
func (a *app) start(ctx context.Context) ([]keepwatch.Run, error) {
	if a.placeNow() == nil { // nothing is tidied up in a place that is not the vault
		if err := errors.Join(a.sweep(), a.adopt()); err != nil {
			return nil, err
		}
	}
	if err := a.sweepDownloads(); err != nil {
		return nil, err
	}
	if err := a.mail.Sweep(); err != nil {
		return nil, err
	}
	left, err := a.engine.Resume(ctx)
	if err != nil {
		return nil, err
	}
	a.control, err = listenControl(a.settings.DataDir, auditedBackup{a.state, audit{a.records, a.now}}, a.log, a.serveTerminal)
	if err != nil {
		// the bot works without it; only `bot state backup` needs it
		a.log.Warn("the control socket cannot be opened; `bot state backup` will not work while the bot runs", "err", err)
	}
	if a.web != nil {
		addr, err := a.web.Listen(a.settings.Listen)
		if err != nil {
			return left, err
		}
		a.log.Info("listening", "addr", addr.String())
	}
	a.watch(ctx)
	return left, nil
}

// watch looks after the drop folders, where there are any.
func (a *app) watch(ctx context.Context) {
	if !slices.ContainsFunc(a.settings.Sources, func(s keepwatch.Source) bool { return s.Drop }) {
		return
	}
	w := files.NewWatcher(files.WatchConfig{
		Sources: a.catalog.Sources, Seen: a.records, Now: a.now, Log: a.log, Every: lookEvery(a.settings.Sources),
		Start: func(ctx context.Context, source, part string) (int64, error) {
			run, err := a.engine.Start(ctx, keepwatch.Run{Kind: keepwatch.RunBackup, Source: source, Ask: keepwatch.Ask{Parts: []string{part}}, By: byDrop, Where: source})
			return run.ID, err
		},
	})
	ctx, a.stopWatching = context.WithCancel(ctx)
	a.watching.Go(func() { w.Run(ctx) })
}

// byDrop is who asks for the backup of a dropped file.
const byDrop = "drop folder"

// lookEvery gives how often to look at drop folders: often enough for the one
// that settles soonest.
func lookEvery(sources []keepwatch.Source) time.Duration {
	const most, least = 15 * time.Second, time.Second
	every := most
	for _, s := range sources {
		if s.Drop && s.Settle > 0 {
			every = min(every, max(s.Settle/2, least))
		}
	}
	return every
}

// sweep removes what killed runs have left in the vault.
func (a *app) sweep() error {
	open, err := a.records.OpenRuns()
	if err != nil {
		return err
	}
	removed, err := a.vault.Sweep(func(id int64) bool {
		return slices.ContainsFunc(open, func(r keepwatch.Run) bool { return r.ID == id })
	})
	for _, name := range removed {
		a.log.Info("removed what a cut-off run had left in the vault", "name", name)
	}
	return err
}

// close stops gracefully: runs stay as they are, for the next start.
func (a *app) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if a.stopWatching != nil {
		a.stopWatching()
		a.watching.Wait()
	}
	var err error
	if a.web != nil { // first, so that nothing comes in any more
		err = a.web.Close(ctx)
	}
	err = errors.Join(err, a.disconnect(ctx), a.engine.Close(ctx))
	a.stopping.Store(true) // the last look at the cards of runs that go on later
	err = errors.Join(err, a.outbox.Close(ctx))
	if a.control != nil {
		err = errors.Join(err, a.control.Close())
	}
	return errors.Join(err, a.mail.Close(), a.state.Close())
}

// makeRouter joins the commands to what carries them out.
func (a *app) makeRouter() (err error) {
	s := a.settings
	key := s.keyPath()
	if len(s.Vault.Recipients) > 0 && !a.vault.CanOpen() {
		key = ""
	}
	a.router, err = handlers.New(handlers.Config{
		People: terminalPeople(s.People, a.account), Groups: s.Groups, Runs: a.engine, Sources: a.catalog, History: a.archives(), Audit: a.records,
		Vault: shownVault{a.vault, s}, Mailboxes: a.mail, Index: restore.NewIndex(a.vault, a.now), Check: a.check, Keep: s.Vault.Keep, Location: s.Location,
		KeyFile: s.shownPath(key), RestoreTo: s.restoredPath(), Version: version(), Log: a.log, Now: a.now,
		Duties: a.commandDuties(),
	})
	return err
}

// shownPath gives a path as those who read it would write it: in the terminal as
// somebody in the current folder would, on platforms in full, because the bot's
// current folder means nothing to anybody there.
func (s settings) shownPath(path string) string {
	if len(s.platforms()) > 0 {
		return path
	}
	return relative(path)
}

// shownVault gives paths as they are shown.
type shownVault struct {
	*vault.Vault
	s settings
}

// Path gives the folder of an archive.
func (v shownVault) Path(ref string) string { return v.s.shownPath(v.Vault.Path(ref)) }

// changed is called after each saved change of a run.
func (a *app) changed(run keepwatch.Run) {
	if a.web != nil {
		a.web.Observe(run)
	}
	if run.Kind == keepwatch.RunBackup && run.State == keepwatch.RunDone {
		a.markVault()
	}
	a.outbox.RunChanged(run)
	a.duties.scheduler.RunChanged(run)
	if run.State.Settled() {
		if err := a.duties.phones.RunChanged(run); err != nil {
			a.log.Warn("it could not be kept that the dossier was sealed", "run", run.ID, "err", err)
		}
		a.duties.warnings.Poke()
	}
	if run.State == keepwatch.RunQueued || run.State == keepwatch.RunDone {
		a.announce(run)
	}
	step := ""
	if s := run.Current(); s != nil {
		step = s.Name
	}
	a.log.Info("run", "run", run.ID, "kind", run.Kind, "source", run.Source, "state", run.State, "step", step)
	if run.By == byDrop && run.Failure != nil && (run.State == keepwatch.RunFailed || run.State == keepwatch.RunAttention) {
		a.log.Error("a dropped file was not taken in", "run", run.ID, "source", run.Source, "file", strings.Join(run.Ask.Parts, ", "), "why", run.Failure.Message)
	}
}

// terminalAccount says who sits at the terminal: the operating system's user,
// whatever the environment calls them.
func terminalAccount() keepwatch.Account {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return keepwatch.Account{Platform: "terminal", ID: name, Name: name}
}

// own is what no restore writes to. Restores that are told no other place go to a
// folder of the data folder.
func (s settings) own() vault.Own {
	return vault.Own{Paths: []string{s.DataDir, s.Vault.Dir, s.statePath(), s.keyPath()}, Free: []string{s.restoredPath()}}
}

// hosting gives the provider of hosting accounts.
func hosting(p process, log *slog.Logger) *cpanel.Provider {
	return cpanel.New(cpanel.Config{Log: log, Now: p.Now, Every: p.Pace})
}

// files gives the provider of this machine's files. A nil log is silent.
func (s settings) files(log *slog.Logger) *files.Provider {
	return files.New(files.Config{Avoid: append([]string{s.DataDir, s.Vault.Dir}, s.Vault.Copies...), Keys: []string{s.keyPath(), s.statePath()}, Mail: mailbox.Lister{}, Log: log})
}

func (s settings) restoredPath() string { return filepath.Join(s.DataDir, "restored") }

// openedPath is where an Outlook data file of an archive is unpacked for as long as
// somebody looks into it.
func (s settings) openedPath() string { return filepath.Join(s.DataDir, "opened") }

func (s settings) statePath() string { return filepath.Join(s.DataDir, "state.db") }
func (s settings) keyPath() string   { return filepath.Join(s.DataDir, "age-identity.txt") }
