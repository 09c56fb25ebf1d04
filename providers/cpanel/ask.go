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
	if err := a.endpoint.missing(a.form); err != nil {
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
	return c.signedIn(ctx, a.endpoint, a.limit, made, nil)
}

// signedIn sends what made makes with the account's sign-in. With a session that the
// host no longer knows it signs in again, once.
func (c *client) signedIn(ctx context.Context, e Endpoint, limit time.Duration, made func(context.Context, string) (*http.Request, error), whole *atomic.Bool) ([]byte, error) {
	if !c.account.Token.IsZero() {
		if err := c.remembered(byToken); err != nil {
			return nil, err
		}
		answer, err := c.exchange(ctx, e, limit, made, nil, whole)
		if isLogin(err) {
			err = c.refuse(byToken, err)
		}
		return answer, err
	}
	s, fresh, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.exchange(ctx, e, limit, made, s, whole)
	if !isLogin(err) {
		return answer, err
	}
	if !fresh && whole == nil { // what was streamed cannot be sent a second time
		if s, err = c.renew(ctx, s); err != nil {
			return nil, err
		}
		if answer, err = c.exchange(ctx, e, limit, made, s, nil); !isLogin(err) {
			return answer, err
		}
	}
	c.forget(s)
	if whole != nil && !fresh {
		return nil, keepwatch.Errorf(keepwatch.KindTransient, "The session with %s ended before the upload. It is made anew with the next try.", c.base.Host).Because(err)
	}
	return nil, c.refuse(byPassword, err)
}

// exchange sends one request and reads the answer.
func (c *client) exchange(ctx context.Context, e Endpoint, limit time.Duration, made func(context.Context, string) (*http.Request, error), s *session, whole *atomic.Bool) ([]byte, error) {
	var wrote atomic.Bool
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if limit > 0 {
		defer time.AfterFunc(limit, func() { cancel(errTooLong) }).Stop()
	}
	timed = httptrace.WithClientTrace(timed, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	base := c.base.String()
	if s != nil {
		base = s.base
	}
	req, err := made(timed, base)
	if err != nil {
		return nil, fmt.Errorf("make a request to %s: %w", c.base.Host, err)
	}
	if err := c.authorize(timed, req, s); err != nil {
		return nil, err
	}
	began := c.now()
	resp, err := c.clientFor(e).Do(req)
	arrived := func() bool {
		if whole != nil {
			return whole.Load()
		}
		return wrote.Load()
	}
	if err != nil {
		return nil, c.unreachable(ctx, timed, e.Name(), arrived(), err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerSize+1))
	c.log.DebugContext(ctx, "asked the host", "function", e.Name(), "status", resp.StatusCode, "bytes", len(answer), "took", c.now().Sub(began))
	if err != nil {
		return nil, c.unreachable(ctx, timed, e.Name(), arrived(), err)
	}
	if len(answer) > answerSize {
		return nil, fmt.Errorf("%s: the answer of %s is longer than %d bytes", e.Name(), c.base.Host, answerSize)
	}
	return answer, c.judge(e, resp, answer)
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
	case status == http.StatusForbidden && e.API == WHM && isWHMAnswer(answer):
		// WHM took the sign-in, and the token lacks the right for this function.
		refusal.Said = whmReason(answer)
		return keepwatch.Errorf(keepwatch.KindAttention, "WHM on %s does not let %s call %s. Give the token the right for it in WHM under Manage API Tokens.", c.base.Host, c.account.WHM, e.Function).Because(refusal)
	case status >= 300 && status < 400, status == http.StatusUnauthorized, status == http.StatusForbidden:
		refusal.login = true
		return refusal
	case status == http.StatusNotFound:
		return refusal
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return keepwatch.Errorf(keepwatch.KindTransient, "%s answered with the HTTP status %d.", c.base.Host, status).
			Because(&sentError{arrived: e.Once && status != http.StatusTooManyRequests, err: refusal})
	case status != http.StatusOK:
		return keepwatch.Errorf(keepwatch.KindAttention, "%s answered %s with the HTTP status %d, which is not expected.", c.base.Host, e.Name(), status).Because(refusal)
	case isHTML(resp.Header, answer):
		refusal.login = true
		return refusal
	}
	return nil
}

// isHTML reports whether a page came where something else was asked for.
func isHTML(header http.Header, begin []byte) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(begin, []byte("\xef\xbb\xbf"))), []byte("<"))
}
