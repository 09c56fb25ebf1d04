package cpanel

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"keepwatch"
)

// What a sign-in is made by.
const (
	byToken    = "token"
	byPassword = "password"
)

// refusedFor is how long a host is not asked again after it did not take a sign-in:
// cPanel's cPHulk locks an account out after several.
const refusedFor = 15 * time.Minute

// refusal is a sign-in that a host did not take.
type refusal struct {
	err   error
	until time.Time
}

// isLogin reports whether err is a sign-in that was not taken, before it was
// remembered.
func isLogin(err error) bool {
	var e *callError
	return errors.As(err, &e) && e.login
}

// remembered gives the refusal of a sign-in while it lasts, so that the host is not
// asked.
func (c *client) remembered(by string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.refused[by]
	if !ok {
		return nil
	}
	if c.now().Before(r.until) {
		return r.err
	}
	delete(c.refused, by)
	return nil
}

// refuse remembers that the host did not take a sign-in, and says so.
func (c *client) refuse(by string, cause error) error {
	a, host := c.account, c.base.Host
	const rest = "Until then it is not tried again for 15 minutes, so that the host does not lock the account."
	var err *keepwatch.Error
	switch {
	case by == byToken && a.WHM != "":
		err = keepwatch.Errorf(keepwatch.KindAttention, "%s did not take the API token of WHM's user %s. Look whether whm: in keepwatch.yaml is right, and in WHM under Manage API Tokens whether the token exists, has not run out and may be used from this address. Put a new one where the old one stands (.env), and start the bot again. %s", host, a.WHM, rest)
	case by == byToken:
		name := ""
		if a.TokenName != "" {
			name = " " + a.TokenName
		}
		err = keepwatch.Errorf(keepwatch.KindAttention, "%s did not take the API token%s of %s. Look whether user: in keepwatch.yaml is right, and in cPanel under Manage API Tokens whether the token exists and has not run out. Put a new one where the old one stands (.env), and start the bot again. %s", host, name, a.User, rest)
	case a.WHM != "":
		err = keepwatch.Errorf(keepwatch.KindAttention, "%s did not take the session of %s that WHM had made. Look whether the account is suspended, and whether sessions are bound to an address, and start the bot again. %s", host, a.User, rest)
	default:
		err = keepwatch.Errorf(keepwatch.KindAttention, "%s did not take the password of %s%s. Sign in with it in a browser, correct it where it stands (.env), and start the bot again. %s", host, a.User,
			map[bool]string{false: " with its one-time code", true: ""}[a.OTPSecret.IsZero()], rest)
	}
	var said *callError
	if errors.As(cause, &said) && said.Module != "login" && len(said.Said) > 0 {
		err.Message += " " + briefly(said.Said[0])
	}
	err = err.Because(cause)
	c.remember(by, err)
	return err
}

// remember keeps a refusal, so that the host is not asked the same again at once.
func (c *client) remember(what string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[what] = refusal{err: err, until: c.now().Add(refusedFor)}
}

var (
	// errTooLong ends a call whose time is over.
	errTooLong = errors.New("the host took too long")
	// errIdle ends a transfer on which nothing came or went for too long.
	errIdle = errors.New("no byte for minutes")
)

// unreachable makes a sentence of an error of the network. ctx is the caller's, timed
// the one with our own limits.
func (c *client) unreachable(ctx, timed context.Context, what string, arrived bool, err error) error {
	if ctx.Err() != nil {
		return &sentError{arrived: arrived, err: context.Cause(ctx)}
	}
	err = withoutAddress(err)
	if trouble, ok := certificateTrouble(c.base.Host, err); ok {
		return trouble
	}
	cause := err
	if ours := context.Cause(timed); ours != nil {
		cause = errors.Join(ours, err)
	}
	sent := &sentError{arrived: arrived, err: cause}
	host := c.base.Host
	var unknown *net.DNSError
	var slow net.Error
	transient := func(format string, args ...any) error {
		return keepwatch.Errorf(keepwatch.KindTransient, format, args...).Because(sent)
	}
	switch {
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return transient("There is no host of the name %s, as far as this machine can tell. Check url: in keepwatch.yaml, and this machine's name servers.", c.base.Hostname())
	case errors.Is(err, syscall.ECONNREFUSED):
		return transient("%s takes no connection. Check the port in keepwatch.yaml, and ask the host whether its firewall lets this machine in.", host)
	case errors.Is(cause, errTooLong), errors.Is(cause, errIdle), errors.As(err, &slow) && slow.Timeout():
		return transient("%s did not answer in time (%s).", host, what)
	}
	return transient("The connection to %s broke (%s).", host, what)
}
