package cpanel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"keepwatch"
)

// answerSize is the most that an answer of a call may take, in bytes.
const answerSize = 32 << 20

// ask is one call of an API.
type ask struct {
	endpoint Endpoint
	path     string
	form     url.Values
	turn     chan struct{}
	limit    time.Duration // 0: none
}

// sentError is trouble on the way to a host or back.
type sentError struct {
	arrived bool // the host may have received what was asked
	err     error
}

func (e *sentError) Error() string { return e.err.Error() }
func (e *sentError) Unwrap() error { return e.err }

// mayHaveArrived reports whether the host may have received, and so may be doing, what a
// call that failed with err asked of it.
func mayHaveArrived(err error) bool {
	var sent *sentError
	return errors.As(err, &sent) && sent.arrived
}

// call asks the host and gives the JSON that it answers. Each error is a sentence.
func (c *client) call(ctx context.Context, a ask) ([]byte, error) {
	if err := a.endpoint.Check(a.form); err != nil {
		return nil, err
	}
	if err := take(ctx, a.turn); err != nil {
		return nil, err
	}
	defer func() { <-a.turn }()
	made := func(ctx context.Context, base string) (*http.Request, error) {
		target, form := base+a.path, a.form.Encode()
		if a.endpoint.verb() == http.MethodGet {
			if form != "" {
				target += "?" + form
			}
			return http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	x := exchange{endpoint: a.endpoint, limit: a.limit, made: made}
	if c.account.Token.IsZero() {
		return c.bySession(ctx, x)
	}
	return c.byToken(ctx, x)
}

// exchange is one request and its answer.
type exchange struct {
	endpoint Endpoint
	limit    time.Duration // 0: none
	made     func(ctx context.Context, base string) (*http.Request, error)
	// whole says, of an upload, that its end was sent; nil for what is small enough to
	// be sent again.
	whole *atomic.Bool
}

// byToken sends a request with the API token. A refusal is remembered.
func (c *client) byToken(ctx context.Context, x exchange) ([]byte, error) {
	if err := c.remembered(byToken); err != nil {
		return nil, err
	}
	answer, err := c.exchange(ctx, x, nil)
	if isLogin(err) {
		err = c.refuse(byToken, err)
	}
	return answer, err
}

// bySession sends a request with a session. Where the host does not know it any more,
// it signs in again, once.
func (c *client) bySession(ctx context.Context, x exchange) ([]byte, error) {
	s, fresh, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.exchange(ctx, x, s)
	if !isLogin(err) {
		return answer, err
	}
	if fresh {
		c.forget(s)
		return nil, c.refuse(byPassword, err)
	}
	if x.whole != nil { // what was streamed cannot be sent a second time
		c.forget(s)
		return nil, keepwatch.Errorf(keepwatch.KindTransient, "The session with %s ended before the upload did. The next try signs in again.", c.base.Host).Because(err)
	}
	if s, err = c.renew(ctx, s); err != nil {
		return nil, err
	}
	if answer, err = c.exchange(ctx, x, s); isLogin(err) {
		c.forget(s)
		err = c.refuse(byPassword, err)
	}
	return answer, err
}

// exchange sends one request, with a session or, where that is nil, with the token, and
// reads the answer.
func (c *client) exchange(ctx context.Context, x exchange, s *session) ([]byte, error) {
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if x.limit > 0 {
		defer time.AfterFunc(x.limit, func() { cancel(errTooLong) }).Stop()
	}
	var wrote atomic.Bool
	timed = httptrace.WithClientTrace(timed, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	base := c.base.String()
	if s != nil {
		base = s.base
	}
	req, err := x.made(timed, base)
	if err != nil {
		return nil, fmt.Errorf("make a request to %s: %w", c.base.Host, withoutAddress(err))
	}
	if err := c.authorize(timed, req, s); err != nil {
		return nil, err
	}
	failed := func(err error) error {
		sent := &wrote
		if x.whole != nil {
			sent = x.whole
		}
		return c.unreachable(ctx, timed, x.endpoint.Name(), sent.Load(), err)
	}
	began := c.now()
	resp, err := c.clientFor(x.endpoint).Do(req)
	if err != nil {
		return nil, failed(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerSize+1))
	c.log.DebugContext(ctx, "asked the host", "function", x.endpoint.Name(), "status", resp.StatusCode, "bytes", len(answer), "took", c.now().Sub(began))
	if err != nil {
		return nil, failed(err)
	}
	if len(answer) > answerSize {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "The answer of %s to %s has no end: more than %s came. Look at whether url: in keepwatch.yaml is the right host.", c.base.Host, x.endpoint.Name(), keepwatch.FormatBytes(answerSize)).
			Because(&sentError{arrived: x.endpoint.Once, err: errors.New("the answer is too long")})
	}
	return answer, c.judge(x.endpoint, resp, answer)
}

// withoutAddress gives the cause of an error of net/http, which quotes the address with
// everything that was asked, and with the key of a session.
func withoutAddress(err error) error {
	var quoted *url.Error
	if errors.As(err, &quoted) {
		return quoted.Err
	}
	return err
}

// clientFor gives the HTTP client that a function is called with.
func (c *client) clientFor(e Endpoint) *http.Client {
	if e.Once {
		return c.once
	}
	return c.again
}

// judge reads what the status line and the first bytes of an answer mean, before
// anything of it is read as JSON.
func (c *client) judge(e Endpoint, resp *http.Response, answer []byte) error {
	refusal := &callError{Module: e.Module, Function: e.Function, Status: resp.StatusCode}
	switch status := resp.StatusCode; {
	case status == http.StatusForbidden && c.account.WHM != "" && isWHMAnswer(answer):
		// WHM took the sign-in, and the token lacks the right for this function.
		refusal.Said = whmReason(answer)
		return keepwatch.Errorf(keepwatch.KindAttention, "WHM on %s does not let %s use %s. Give the token the right for it in WHM under Manage API Tokens.", c.base.Host, c.account.WHM, e.Name()).Because(refusal)
	case status >= 300 && status < 400, status == http.StatusUnauthorized, status == http.StatusForbidden:
		refusal.login = true
		refusal.Said = pageSaid(answer)
		return refusal
	case status == http.StatusNotFound:
		return keepwatch.Errorf(keepwatch.KindAttention, "%s has no %s.", c.base.Host, e.Name()).Because(refusal)
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return keepwatch.Errorf(keepwatch.KindTransient, "%s answered with the HTTP status %d.", c.base.Host, status).
			Because(&sentError{arrived: e.Once && status != http.StatusTooManyRequests, err: refusal})
	case status != http.StatusOK:
		return keepwatch.Errorf(keepwatch.KindAttention, "%s answered %s with the HTTP status %d, which is not expected.", c.base.Host, e.Name(), status).Because(refusal)
	case isHTML(resp.Header, answer):
		refusal.login = true
		refusal.Said = pageSaid(answer)
		return refusal
	}
	return nil
}

// pageSaid gives the one thing that a page in place of an answer may say and that is no
// matter of the sign-in.
func pageSaid(page []byte) []string {
	if bytes.Contains(bytes.ToLower(page), []byte("suspended")) {
		return []string{"The page that came instead speaks of an account that is suspended: ask the host."}
	}
	return nil
}

// isHTML reports whether a page came where something else was asked for.
func isHTML(header http.Header, begin []byte) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(begin, []byte("\xef\xbb\xbf"))), []byte("<"))
}

// told makes a sentence of what an answer says, or of one that cannot be read. form is
// what was sent: none of its secrets comes back in what the host says.
func (c *client) told(e Endpoint, form url.Values, err error) error {
	var refusal *callError
	var odd *dataError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &odd) && !e.Once:
		// It would be the same the next time. Whoever can do without it takes it for
		// something that the host does not say.
		return keepwatch.Errorf(keepwatch.KindAttention, "%s answered %s in a form that Keepwatch does not know. Report it, with the log and the version of cPanel.", c.base.Host, e.Name()).
			Because(&callError{Module: e.Module, Function: e.Function, Status: http.StatusOK, Said: []string{err.Error()}})
	case !errors.As(err, &refusal):
		return keepwatch.Errorf(keepwatch.KindTransient, "The answer of %s to %s cannot be read.", c.base.Host, e.Name()).
			Because(&sentError{arrived: e.Once, err: err})
	}
	if isAbsent(refusal) { // perhaps the host has another version than an hour ago
		c.mu.Lock()
		c.known = nil
		c.mu.Unlock()
	}
	for i, line := range refusal.Said {
		refusal.Said[i] = c.withoutSecrets(line, form)
	}
	said := briefly(strings.Join(refusal.Said, " "))
	switch lower := strings.ToLower(said); {
	case said == "":
		said = "it does not say why."
	case strings.Contains(lower, "feature"):
		said += " Ask the host to switch it on for the account."
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s did not do %s: %s", c.base.Host, e.Name(), said).Because(refusal)
}

// withoutSecrets takes the account's secrets, and those of a form, out of a line.
func (c *client) withoutSecrets(line string, form url.Values) string {
	secrets := []string{c.account.Token.Reveal(), c.account.Password.Reveal(), c.account.OTPSecret.Reveal()}
	for _, name := range []string{"password", "key_passphrase", "pass"} {
		secrets = append(secrets, form[name]...)
	}
	for _, s := range secrets {
		if s != "" {
			line = strings.ReplaceAll(line, s, "<secret>")
		}
	}
	return line
}
