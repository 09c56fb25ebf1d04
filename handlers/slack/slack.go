// Package slack is the front-end for Slack, on slack-go: its Web API and its types
// of Block Kit. The connections of Socket Mode are held here; [Socket] says why.
//
// How requests arrive and what is made of them are two types. A transport
// verifies and decodes: [Socket] is Socket Mode, [Web] is signed HTTP. Both hand
// what came to a [Conversation], which saves it through handlers.Counter and says
// how Slack is to be acknowledged. Answers take another way: they come to
// Frontend.Post from the outbox, rendered by render, a pure function.
package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
	"keepwatch/handlers"
)

// Config is what a Frontend needs. BotToken and Counter are required, and one of
// AppToken and SigningSecret.
type Config struct {
	BotToken      keepwatch.Secret // xoxb-…
	AppToken      keepwatch.Secret // xapp-…, for Socket Mode; where it is set, Socket Mode is used
	SigningSecret keepwatch.Secret // for requests over HTTP
	APIURL        string           // another address of the API, for proxies and tests; "": Slack's
	Counter       handlers.Counter
	// Groups are the ids of the user groups that carry a role ("S0123"). Who is
	// in them is asked for only where there are any.
	Groups []string
	// Home answers the requests that the app home is made of; handlers.Router's
	// Handle does. nil: the home stays empty.
	Home func(ctx context.Context, req keepwatch.Request) keepwatch.Message
	// Listening says that the endpoints are served over HTTP, for Probe.
	Listening bool
	Log       *slog.Logger     // nil: silent
	Now       func() time.Time // nil: time.Now
	// Apart is the least time between the starts of the two sockets, so that Slack
	// does not refresh both together; 0: 15 s.
	Apart time.Duration
}

// defaultAPI is where Slack's Web API is.
const defaultAPI = "https://slack.com/api/"

// Frontend is Slack. It satisfies handlers.Frontend.
type Frontend struct {
	cfg     Config
	api     *slack.Client
	http    *http.Client // for the Web API and response_url
	base    string       // of the API, ends in "/"
	talk    *Conversation
	groups  *groups
	uses    *uses
	uploads uploads
	socket  *Socket // nil without an AppToken
	web     *Web    // nil without a SigningSecret
	retry   time.Duration
	every   time.Duration // watchEvery
	carry   time.Duration // carryTime
	began   time.Time     // this process; monotonic

	directs *directs

	mu      sync.Mutex
	ended   error           // why Run gave up
	fault   error           // why requests cannot arrive or be answered just now
	greeted bool            // the bot's token was accepted
	warned  map[string]bool // what was logged once
	unsure  map[string]bool // messages that were tried and are not settled, and whether they may have come by response_url
}

// New makes a Frontend. It does not connect.
func New(cfg Config) (*Frontend, error) {
	switch {
	case cfg.Counter == nil:
		return nil, errors.New("slack: a Config without a Counter")
	case cfg.BotToken.IsZero():
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "Slack needs SLACK_BOT_TOKEN, the token that begins with xoxb-. The page “OAuth & Permissions” of the app shows it.")
	case cfg.AppToken.IsZero() && cfg.SigningSecret.IsZero():
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "Slack needs SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP, beside SLACK_BOT_TOKEN.")
	}
	if strings.HasPrefix(cfg.BotToken.Reveal(), "xapp-") || strings.HasPrefix(cfg.AppToken.Reveal(), "xoxb-") {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are mixed up: the first begins with xoxb-, the second with xapp-.")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Apart <= 0 {
		cfg.Apart = 15 * time.Second
	}
	base := defaultAPI
	transport := http.RoundTripper(newTransport())
	var redirect *handlers.Redirect
	if cfg.APIURL != "" {
		to, err := url.Parse(cfg.APIURL)
		if err != nil || to.Host == "" || (to.Scheme != "http" && to.Scheme != "https") {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "SLACK_API_URL must be an address such as https://slack.com/api/, and it is %q.", cfg.APIURL)
		}
		base = strings.TrimSuffix(to.String(), "/") + "/"
		redirect = &handlers.Redirect{To: to, Next: transport}
		transport = redirect
	}
	f := &Frontend{cfg: cfg, base: base, directs: newDirects(), warned: map[string]bool{}, unsure: map[string]bool{}, retry: retryFirst, every: watchEvery, carry: carryTime, began: time.Now()}
	// slack-go has no timeout of its own. A redirect is not followed: a 307 would
	// send a form with the token in it once more, to wherever it points.
	f.http = &http.Client{Transport: newFence(transport), Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f.api = slack.New(cfg.BotToken.Reveal(), slack.OptionHTTPClient(f.http), slack.OptionAPIURL(base), slack.OptionLog(silent{}))
	f.groups = newGroups(f.api, cfg)
	f.uses = newUses(cfg.Now)
	f.talk = &Conversation{counter: cfg.Counter, desk: f, groups: f.groups, directs: f.directs, log: cfg.Log, now: cfg.Now, patience: patience, end: endLimit}
	if !cfg.AppToken.IsZero() {
		f.socket = newSocket(cfg, f.talk, base, f.http, redirect)
	}
	if !cfg.SigningSecret.IsZero() {
		f.web = &Web{secret: cfg.SigningSecret, talk: f.talk, log: cfg.Log, now: cfg.Now}
	}
	return f, nil
}

// callTimeout is how long a call of the Web API may take.
const callTimeout = 20 * time.Second

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone() // a copy: nothing global is changed
	t.TLSHandshakeTimeout = 10 * time.Second
	t.ResponseHeaderTimeout = 15 * time.Second
	// As many as the outbox sends at once, all to one host: a connection that is
	// not kept is made anew for the next answer, with a handshake of TLS.
	t.MaxIdleConnsPerHost = 64
	return t
}

// silent keeps slack-go from writing to stderr.
type silent struct{}

func (silent) Output(int, string) error { return nil }

// Handler answers /slack/commands, /slack/interactions and /slack/events; nil
// where there is no signing secret.
func (f *Frontend) Handler() http.Handler {
	if f.web == nil {
		return nil
	}
	return f.web
}

// Run connects and stays connected until ctx ends. It gives an error where Slack
// refuses a token.
func (f *Frontend) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer f.talk.wait()
	if err := f.greet(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return f.end(err)
	}
	var side sync.WaitGroup
	side.Go(func() { f.groups.run(ctx) })
	side.Go(func() { f.watch(ctx) })
	defer side.Wait()
	defer cancel()
	if f.socket == nil {
		<-ctx.Done()
		return nil
	}
	if err := f.socket.run(ctx); err != nil && ctx.Err() == nil {
		return f.end(err)
	}
	return nil
}

// end notes why Run gives up.
func (f *Frontend) end(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = err
	return err
}

// greet asks who the bot is, again and again until there is an answer.
func (f *Frontend) greet(ctx context.Context) error {
	said := "" // the last fault that was logged
	for wait := f.retry; ; wait = min(2*wait, retryLast) {
		who, err := f.api.AuthTestContext(ctx)
		if err == nil {
			f.talk.setSelf(who.UserID)
			f.cfg.Log.Info("Slack knows the bot", "team", who.Team, "bot", who.User)
			f.mu.Lock()
			f.greeted, f.fault = true, nil
			f.mu.Unlock()
			return nil
		}
		if code := codeOf(err); fatal(code) {
			return tokenFault("SLACK_BOT_TOKEN", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause, fault := wait, keepwatch.Errorf(keepwatch.KindTransient, "Slack cannot be reached yet, and is tried again. Is the network there?")
		limited, status := (*slack.RateLimitedError)(nil), slack.StatusCodeError{}
		switch code := codeOf(err); {
		case errors.As(err, &limited):
			pause, fault = limited.RetryAfter, keepwatch.Errorf(keepwatch.KindTransient, "Slack asks Keepwatch to wait before it connects (ratelimited).")
		case code != "":
			fault = keepwatch.Errorf(keepwatch.KindTransient, "Slack does not take the token in SLACK_BOT_TOKEN just now (%s); it is tried again. If it stays so, look for the word at docs.slack.dev/reference/methods/auth.test.", code)
		case errors.As(err, &status):
			fault = keepwatch.Errorf(keepwatch.KindTransient, "Slack, or something on the way to it, answers HTTP %d; it is tried again.", status.Code)
		}
		if fault.Message != said {
			said = fault.Message
			f.cfg.Log.Warn("Slack does not answer yet; it is tried again", "err", withoutURL(err))
		}
		f.setFault(fault.Because(err))
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// Ready gives nil while requests can arrive and be answered.
func (f *Frontend) Ready() error {
	f.mu.Lock()
	ended, fault, greeted := f.ended, f.fault, f.greeted
	f.mu.Unlock()
	switch {
	case ended != nil:
		return ended
	case fault != nil:
		return fault
	case !greeted:
		return keepwatch.Errorf(keepwatch.KindTransient, "Slack is being connected.")
	case f.socket != nil:
		return f.socket.ready()
	}
	return nil
}

func (f *Frontend) setFault(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = err
}

// once logs a warning the first time that its key comes up.
func (f *Frontend) once(key, text string, args ...any) {
	f.mu.Lock()
	seen := f.warned[key]
	f.warned[key] = true
	f.mu.Unlock()
	if !seen {
		f.cfg.Log.Warn(text, args...)
	}
}
