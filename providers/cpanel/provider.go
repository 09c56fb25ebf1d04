package cpanel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// Config is what the provider needs.
type Config struct {
	Log *slog.Logger     // nil: silent
	Now func() time.Time // nil: the system's clock
	// Every is how often a backup that the host makes is looked at. 0: 10 seconds.
	Every time.Duration
}

// Provider backs up hosting accounts. It satisfies providers.Provider,
// providers.Preparer and providers.Inspector. It keeps a connection for each source.
// The calls of one account take turns, also where several sources are of it.
type Provider struct {
	log   *slog.Logger
	now   func() time.Time
	every time.Duration
	dial  func(account keepwatch.Hosting) (host, error) // tests put another host there

	mu    sync.Mutex
	hosts map[string]keptHost // by the source's name
	lanes map[string]lanes    // by the host's name and the account
}

// keptHost is the host of a source, as long as the source is as it was.
type keptHost struct {
	account keepwatch.Hosting
	host    host
}

// The compiler says here what is missing of a contract.
var (
	_ providers.Provider  = (*Provider)(nil)
	_ providers.Preparer  = (*Provider)(nil)
	_ providers.Inspector = (*Provider)(nil)
)

const (
	lookEvery    = 10 * time.Second
	defaultStall = 30 * time.Minute
)

// New makes one. It connects to nothing.
func New(cfg Config) *Provider {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Every <= 0 {
		cfg.Every = lookEvery
	}
	p := &Provider{log: cfg.Log, now: cfg.Now, every: cfg.Every, hosts: map[string]keptHost{}, lanes: map[string]lanes{}}
	p.dial = func(account keepwatch.Hosting) (host, error) {
		c, err := newClient(account, cfg.Log, cfg.Now)
		if err != nil {
			return nil, err
		}
		c.lanes = p.lanesOf(c)
		return live{c}, nil
	}
	return p
}

// lanesOf gives the turns of a client's account, which all that speak for it share,
// by whichever port. The caller holds p.mu.
func (p *Provider) lanesOf(c *client) lanes {
	key := strings.ToLower(c.base.Hostname()) + " " + c.account.User
	if _, ok := p.lanes[key]; !ok {
		p.lanes[key] = c.lanes
	}
	return p.lanes[key]
}

// host is what the provider needs of a client, so that tests can be one.
type host interface {
	uapi(ctx context.Context, module, function string, params url.Values, into any) error
	api2(ctx context.Context, module, function string, params url.Values, into any) error
	whm(ctx context.Context, function string, params url.Values, into any) error
	version(ctx context.Context) (version, error)
	lastCertificate() (notAfter time.Time, fingerprint string, ok bool)
	// read gives the whole of a file by a download route, over cuts; known is its
	// size, or -1.
	read(ctx context.Context, path string, known int64) (io.ReadCloser, error)
	// probe gives the first bytes of a file, and by which way they came.
	probe(ctx context.Context, path string) (way string, err error)
}

// live is a client as a host.
type live struct{ *client }

func (l live) read(ctx context.Context, path string, known int64) (io.ReadCloser, error) {
	return l.stream(ctx, path, known)
}

func (l live) probe(ctx context.Context, path string) (string, error) {
	b, err := l.download(ctx, path, 0)
	if err != nil {
		return "", err
	}
	return b.way, b.Close()
}

// account gives the hosting account of a source and its host.
func (p *Provider) account(source keepwatch.Source) (keepwatch.Hosting, host, error) {
	if source.Hosting == nil {
		return keepwatch.Hosting{}, nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s says nothing of how its host is reached. Give it url:, user: and token: in keepwatch.yaml.", source.Name)
	}
	a := *source.Hosting
	p.mu.Lock()
	defer p.mu.Unlock()
	if k, ok := p.hosts[source.Name]; ok && reflect.DeepEqual(k.account, a) {
		return a, k.host, nil
	}
	h, err := p.dial(a)
	if err != nil {
		return a, nil, err
	}
	p.hosts[source.Name] = keptHost{a, h}
	return a, h, nil
}

// stall is how long a backup may not grow.
func stall(a keepwatch.Hosting) time.Duration {
	if a.Stall > 0 {
		return a.Stall
	}
	return defaultStall
}

// parts gives what a job asks for: what the run was asked, else what the source says.
func parts(job providers.Job) []string {
	if len(job.Parts) > 0 {
		return job.Parts
	}
	return job.Source.Parts
}

// Prepares reports whether the host has to make the backup first: a full one, that is;
// the parts are made while they are downloaded.
func (p *Provider) Prepares(job providers.Job) bool {
	return job.Held == "" && len(parts(job)) == 0
}

// Fetch brings home what the job is about and proves it on the way.
func (p *Provider) Fetch(ctx context.Context, job providers.Job, sink providers.Sink) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	a, h, err := p.account(job.Source)
	if err != nil {
		return err
	}
	switch {
	case job.Held != "":
		return p.fetchHeld(ctx, job, a, h, sink)
	case !p.Prepares(job):
		return p.fetchParts(ctx, job, a, h, sink)
	}
	r, err := readRemote(job)
	if err != nil {
		return err
	}
	if r.Name == "" { // nobody asked for it yet, or what was waited for is gone
		if err := p.request(ctx, job, &r); err != nil {
			return err
		}
		if err := p.wait(ctx, job, &r); err != nil {
			return err
		}
	}
	if r.Push {
		return p.fetchPushed(ctx, job, a, h, &r, sink)
	}
	return p.fetchFull(ctx, job, a, h, &r, sink)
}

// refusedCall reports whether a call says nothing because the host does not
// have or allow it, and not because of the connection or the sign-in.
func refusedCall(err error) bool {
	var call *callError
	return isAbsent(err) || errors.As(err, &call) && !isRefused(err) && keepwatch.KindOf(err) != keepwatch.KindTransient
}
