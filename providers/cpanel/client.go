package cpanel

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// client speaks to one host for one account. One call at a time is under way: hosts do
// not take several at once of one account (README of the cPanel provider of Terraform).
// Downloads have no turn, and a call that lasts as long as a restore holds one of its
// own, so that the host can be asked meanwhile how it goes.
type client struct {
	account keepwatch.Hosting
	base    *url.URL // where calls go
	log     *slog.Logger
	now     func() time.Time
	trust   *trust
	again   *http.Client  // reads; a connection serves several
	once    *http.Client  // what must not arrive twice: each on a connection of its own
	lanes                 // of the account
	signing chan struct{} // holds one while somebody signs in

	mu      sync.Mutex
	refused map[string]refusal // by what was refused: "token", "password"
	signed  *session           // the newest, or nil
	codes   codes
	ways    map[string]string // the way by which a kind of file came last
	known   version
	asked   time.Time // when known was
}

// lanes are the turns of an account.
type lanes struct {
	turn chan struct{} // holds one while a call is under way
	long chan struct{} // holds one while a long call or an upload is under way
}

// Times of the connection to a host.
const (
	dialTime = 20 * time.Second
	callTime = 2 * time.Minute // for a whole call
	idleTime = 2 * time.Minute // without a byte, of a download or an upload
)

// newClient makes one. It connects to nothing. Its errors are sentences about the
// configuration.
func newClient(account keepwatch.Hosting, log *slog.Logger, now func() time.Time) (*client, error) {
	base, err := baseOf(account)
	if err != nil {
		return nil, err
	}
	trust, err := newTrust(account, now)
	if err != nil {
		return nil, err
	}
	if account.SFTP != nil {
		if _, err := hostKey(account); err != nil {
			return nil, err
		}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &client{
		account: account, base: base, log: log.With("host", base.Host, "account", account.User), now: now, trust: trust,
		lanes: lanes{turn: make(chan struct{}, 1), long: make(chan struct{}, 1)}, signing: make(chan struct{}, 1),
		refused: map[string]refusal{}, ways: map[string]string{},
	}
	c.again, c.once = httpClient(trust, false), httpClient(trust, true)
	return c, nil
}

// baseOf checks how the host is reached and gives its address without a path.
func baseOf(account keepwatch.Hosting) (*url.URL, error) {
	invalid := func(format string, args ...any) (*url.URL, error) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, format, args...)
	}
	u, err := url.Parse(account.URL)
	if err != nil || u.Hostname() == "" {
		return invalid("The address of a cPanel host in keepwatch.yaml has the form https://host:2083.")
	}
	if u.User != nil {
		return invalid("The address of %s in keepwatch.yaml must have no user or password in it. Write them into user: and token:.", u.Host)
	}
	switch port := u.Port(); {
	case u.Scheme != "https":
		return invalid("%s is not https: a token would be sent in clear text. Use https and port 2083, or 2087 for WHM.", u.Host)
	case port == "2082" || port == "2086" || port == "2095":
		return invalid("Port %s of %s is the clear-text port. Use 2083, or 2087 for WHM.", port, u.Hostname())
	case port == "":
		u.Host = net.JoinHostPort(u.Hostname(), map[bool]string{false: "2083", true: "2087"}[account.WHM != ""])
	}
	switch {
	case account.User == "":
		return invalid("keepwatch.yaml does not name the account on %s. Add user:.", u.Host)
	case account.WHM != "" && account.Token.IsZero():
		return invalid("%s is reached as %s of WHM, and there is no API token of WHM in keepwatch.yaml. Add token:.", u.Host, account.WHM)
	case account.Token.IsZero() && account.Password.IsZero():
		return invalid("There is neither an API token nor a password for %s on %s in keepwatch.yaml. Add token:.", account.User, u.Host)
	}
	return &url.URL{Scheme: "https", Host: u.Host}, nil
}

// httpClient makes a client that follows no redirect, because it leads to a login page.
//
// Go's Transport sends a GET again by itself where a kept connection turns out to be
// closed, though the host may have seen it already. With single each request has its own
// connection, on which that cannot be.
func httpClient(trust *trust, single bool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: dialTime}).DialContext,
			TLSClientConfig:     trust.config(),
			TLSHandshakeTimeout: dialTime, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			DisableKeepAlives:  single,
			DisableCompression: true, // an archive is stored as it came
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// uapi calls a function of UAPI and reads its data into into, which may be nil. An
// answer with status 0 has a *callError in its chain. Accounts of WHM go by
// uapi_cpanel.
func (c *client) uapi(ctx context.Context, module, function string, params url.Values, into any) error {
	return c.uapiTurn(ctx, c.turn, callTime, module, function, params, into)
}

// uapiLong calls a function that lasts as long as what it does, a restore above all.
// Other calls go on meanwhile, and one such call waits for another. After limit (0:
// none) it is given up, whatever the host does.
func (c *client) uapiLong(ctx context.Context, limit time.Duration, module, function string, params url.Values, into any) error {
	return c.uapiTurn(ctx, c.long, limit, module, function, params, into)
}

func (c *client) uapiTurn(ctx context.Context, turn chan struct{}, limit time.Duration, module, function string, params url.Values, into any) error {
	e, ok := endpointOf(UAPI, module, function)
	if !ok {
		return fmt.Errorf("%s::%s is not in the contract", module, function)
	}
	a := ask{endpoint: e, path: "/execute/" + module + "/" + function, form: params, turn: turn, limit: limit}
	if c.account.WHM == "" {
		answer, err := c.call(ctx, a)
		if err != nil {
			return err
		}
		return c.told(e, params, readUAPI(module, function, answer, into))
	}
	a.path = "/json-api/uapi_cpanel"
	a.form = copyOf(params)
	a.form.Set("api.version", "1")
	a.form.Set("cpanel.user", c.account.User)
	a.form.Set("cpanel.module", module)
	a.form.Set("cpanel.function", function)
	answer, err := c.call(ctx, a)
	if err != nil {
		return err
	}
	return c.told(e, params, readUAPIOfWHM(module, function, answer, into))
}

// api2 calls a function of cPanel API 2, for what UAPI has only in newer versions.
func (c *client) api2(ctx context.Context, module, function string, params url.Values, into any) error {
	e, ok := endpointOf(API2, module, function)
	if !ok {
		return fmt.Errorf("%s::%s of API 2 is not in the contract", module, function)
	}
	form := copyOf(params)
	form.Set("cpanel_jsonapi_user", c.account.User)
	form.Set("cpanel_jsonapi_apiversion", "2")
	form.Set("cpanel_jsonapi_module", module)
	form.Set("cpanel_jsonapi_func", function)
	answer, err := c.call(ctx, ask{endpoint: e, path: "/json-api/cpanel", form: form, turn: c.turn, limit: callTime})
	if err != nil {
		return err
	}
	return c.told(e, params, readAPI2(module, function, answer, into))
}

// whm calls a function of WHM API 1. Only accounts that are reached by WHM have it.
func (c *client) whm(ctx context.Context, function string, params url.Values, into any) error {
	e, ok := endpointOf(WHM, "", function)
	if !ok {
		return fmt.Errorf("%s of WHM is not in the contract", function)
	}
	if c.account.WHM == "" {
		return keepwatch.Errorf(keepwatch.KindInvalid, "Only WHM has the function %s, and %s is reached without it. Set whm: in keepwatch.yaml.", function, c.account.User)
	}
	form := copyOf(params)
	form.Set("api.version", "1")
	answer, err := c.call(ctx, ask{endpoint: e, path: "/json-api/" + function, form: form, turn: c.turn, limit: callTime})
	if err != nil {
		return err
	}
	return c.told(e, params, readWHM(function, answer, into))
}

// take waits for a turn.
func take(ctx context.Context, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func copyOf(params url.Values) url.Values {
	form := make(url.Values, len(params)+5)
	for k, v := range params {
		form[strings.Clone(k)] = append([]string(nil), v...)
	}
	return form
}
