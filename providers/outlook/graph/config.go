package graph

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// Addresses of the global cloud; national clouds have others.
const (
	DefaultGraphURL = "https://graph.microsoft.com/v1.0"
	DefaultLoginURL = "https://login.microsoftonline.com"
)

// Config says which application reads which tenant. Either Secret or Certificate is set.
type Config struct {
	Tenant string // its id (a GUID) or one of its domains
	Client string // the application's id

	Secret keepwatch.Secret
	// Certificate holds the certificate and its private key: PEM, or the path of a file
	// with PEM or PFX. A PFX that is encrypted in the newer way (AES) cannot be read.
	Certificate         keepwatch.Secret
	CertificatePassword keepwatch.Secret // of a PFX

	GraphURL string // with the version; "": DefaultGraphURL
	LoginURL string // "": DefaultLoginURL

	InFlight int   // calls of the application at a time; 0: 16
	PageSize int   // the page size asked for at first; 0: 200
	MostPage int64 // bytes of an answer that is held in memory; 0: 8 MiB

	Fences    Fences            // where long pauses are kept over restarts; nil: nowhere
	Clock     Clock             // nil: the system's
	Transport http.RoundTripper // nil: one with the times of this package
	Log       *slog.Logger      // nil: silent
}

// Clock gives the time and wakes up.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once, after d; the function that it returns stops that.
	AfterFunc(d time.Duration, f func()) (stop func())
}

// wallClock is the system's.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// Limits and times of the client.
const (
	mailboxInFlight = 4    // of Outlook, per application and mailbox
	mailboxCalls    = 9600 // in callsWindow; Outlook allows 10,000, and counts refused ones
	callsWindow     = 10 * time.Minute
	mailboxUpload   = 140 << 20 // bytes in uploadWindow; Outlook allows 150 MB
	uploadWindow    = 5 * time.Minute

	defaultInFlight = 16
	defaultPage     = 200
	smallestPage    = 5
	largestPage     = 1000 // documented for $top of messages
	defaultMostPage = 8 << 20
	smallPage       = 1 << 20   // bytes of a page that may be held beside others
	longestQuick    = 16 << 20  // bytes of a page with its long texts, where a smaller one can be asked for
	longestPage     = 512 << 20 // where none can

	dialTime   = 20 * time.Second
	answerTime = 100 * time.Second // until the head of an answer is there
	idleTime   = 2 * time.Minute   // without a byte of its body
)

// Validate checks the configuration without any call. Its error is a sentence.
func (c Config) Validate() error {
	_, err := c.checked()
	return err
}

// origins are the two places that the client talks to.
type origins struct{ graph, login *url.URL }

func (c Config) checked() (origins, error) {
	invalid := func(format string, args ...any) (origins, error) {
		return origins{}, keepwatch.Errorf(keepwatch.KindInvalid, format, args...)
	}
	switch {
	case !tenantName(c.Tenant):
		return invalid("MICROSOFT_TENANT_ID must be the tenant's id (8-4-4-4-12 hexadecimal digits) or one of its domains. Entra shows it under Overview.")
	case !tenantName(c.Client):
		return invalid("MICROSOFT_CLIENT_ID must be the application (client) id that Entra shows in the app registration under Overview.")
	case c.Secret.IsZero() && c.Certificate.IsZero():
		return invalid("There is neither a secret nor a certificate for the app registration %s. Set MICROSOFT_CLIENT_SECRET or MICROSOFT_CLIENT_CERTIFICATE.", c.Client)
	case !c.Secret.IsZero() && !c.Certificate.IsZero():
		return invalid("Both MICROSOFT_CLIENT_SECRET and MICROSOFT_CLIENT_CERTIFICATE are set. Set one of them; the certificate is the safer one.")
	case c.InFlight < 0 || c.PageSize < 0 || c.PageSize > largestPage || c.MostPage < 0:
		return invalid("The limits of the Graph client must not be negative, and a page has %d items at most.", largestPage)
	}
	graph, err := originOf("MICROSOFT_GRAPH_URL", or(c.GraphURL, DefaultGraphURL))
	if err != nil {
		return origins{}, err
	}
	login, err := originOf("MICROSOFT_LOGIN_URL", or(c.LoginURL, DefaultLoginURL))
	if err != nil {
		return origins{}, err
	}
	return origins{graph, login}, nil
}

// tenantName reports whether a text is an id or a domain and fits into a path.
func tenantName(s string) bool {
	return s != "" && len(s) <= 255 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" && strings.Trim(s, ".-") != ""
}

// originOf reads an address. Clear text is allowed only within this machine.
func originOf(name, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s must be an address of the form https://host/path without a user and a query.", name)
	}
	u.Scheme, u.Host, u.Path = strings.ToLower(u.Scheme), strings.ToLower(u.Host), strings.TrimRight(u.Path, "/")
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u)) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s is not https: secrets would be sent in clear text.", name)
	}
	return u, nil
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback() || u.Hostname() == "localhost"
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Client calls Graph as one application in one tenant. It is for use by many at once.
type Client struct {
	config Config
	at     origins
	clock  Clock
	log    *slog.Logger
	tokens *tokens
	app    *lane
	large  *lane // of one place, see Large

	recalled sync.Once // the fence of app

	mu    sync.Mutex
	lanes map[string]*lane
	other map[string]*tokens // by scope
}

// New makes a client. It makes no network call; a certificate given as a path is read.
// Its errors are sentences about the configuration.
func New(c Config) (*Client, error) {
	at, err := c.checked()
	if err != nil {
		return nil, err
	}
	if c.Clock == nil {
		c.Clock = wallClock{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if c.InFlight == 0 {
		c.InFlight = defaultInFlight
	}
	if c.PageSize == 0 {
		c.PageSize = defaultPage
	}
	if c.MostPage == 0 {
		c.MostPage = defaultMostPage
	}
	t, err := newTokens(c, at)
	if err != nil {
		return nil, err
	}
	client := &Client{config: c, at: at, clock: c.Clock, log: c.Log.With("tenant", c.Tenant, "app", c.Client), tokens: t,
		app: newLane(c.Clock, max(c.InFlight, mailboxInFlight)), large: newLane(c.Clock, 1), lanes: map[string]*lane{}, other: map[string]*tokens{}}
	client.app.name = client.nameOf()
	return client, nil
}

// newTransport makes the client's own. RoundTrip follows no redirect, so that the token
// goes nowhere else.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTime}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: dialTime, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: defaultInFlight, IdleConnTimeout: time.Minute,
	}
}

// tokensOf gives the keeper of the tokens for a scope; "" is Graph's.
func (c *Client) tokensOf(scope string) (*tokens, error) {
	if scope == "" {
		return c.tokens, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.other[scope]
	if t == nil {
		var err error
		if t, err = newTokens(c.config, c.at); err != nil {
			return nil, err
		}
		t.scope = scope
		c.other[scope] = t
	}
	return t, nil
}

// laneOf gives the lane of a mailbox; "" has one too, for calls that are of none. What was
// kept of a fence stands again.
func (c *Client) laneOf(mailbox string) *lane {
	c.recalled.Do(func() { c.recall(c.app) })
	key := strings.ToLower(mailbox)
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[key]
	if l == nil {
		l = newLane(c.clock, mailboxInFlight)
		l.calls, l.upload, l.name = newWindow(mailboxCalls, callsWindow), newWindow(mailboxUpload, uploadWindow), c.nameOf(key)
		c.recall(l)
		c.lanes[key] = l
	}
	return l
}
