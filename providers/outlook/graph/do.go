package graph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// How often a call is made at most, and what passes between two.
const (
	mostTries  = 8
	firstPause = 3 * time.Second // doubled from one to the next
	mostPause  = 2 * time.Minute
	// mostWait is the longest Retry-After that is waited for within a call. Who is told
	// a longer one comes back later.
	mostWait = 2 * time.Hour
	// longestFence bounds what a proxy, or a clock that is wrong, makes of a Retry-After.
	longestFence = 24 * time.Hour
)

// Do makes one call for a mailbox ("" for what belongs to none) and gives its answer once
// it is one of success (2xx). It waits for its turn, and makes the call again where that
// may help and does no harm: after 429 always, unless it has a Stream, for a refused call
// had no effect; after 502, 503, 504 and a broken connection only where Request says that
// it may arrive twice; once with a new token after 401.
//
// A mailbox is to be named by the same text everywhere: the limits are counted by it.
// Errors are sentences with an *Error in their chain, ErrOtherHost, or the context's.
func (c *Client) Do(ctx context.Context, mailbox string, r Request) (*Response, error) {
	u, err := c.resolve(r)
	if err != nil {
		return nil, err
	}
	log := c.log.With("mailbox", mailbox, "path", u.Path)
	l, last, stale := c.laneOf(mailbox), "", ""
	var t trouble
	defer t.end()
	for try := 1; ; try++ {
		answer, token, err := c.once(ctx, l, r, u, stale)
		if err == nil {
			return answer, nil
		}
		var e *Error
		if !errors.As(err, &e) {
			return nil, err
		}
		if e.Status == http.StatusUnauthorized && !e.SignIn && stale == "" && r.Stream == nil && !r.Anonymous {
			stale = token
			continue
		}
		pause, again := r.again(e, try)
		if !again || beyond(ctx, pause) {
			return nil, c.say(mailbox, e)
		}
		if e.Code != last {
			log.Info("a call to Graph is made again", "status", e.Status, "code", e.Code, "after", pause, "request", e.RequestID)
			last = e.Code
		}
		if err := c.rest(ctx, l, pause, e, &t); err != nil {
			return nil, err
		}
	}
}

// again tells whether a call is made again, and what passes before.
func (r Request) again(e *Error, try int) (time.Duration, bool) {
	refused := e.unsent || e.Status == http.StatusTooManyRequests
	switch {
	case try >= mostTries, !e.passes(), r.Stream != nil, e.RetryAfter > mostWait,
		!refused && !r.repeatable(), r.impatient && e.slow():
		return 0, false
	case e.RetryAfter > 0:
		return e.RetryAfter, true
	}
	return pauseAfter(try), true
}

func pauseAfter(try int) time.Duration {
	return min(firstPause<<min(try-1, 10), mostPause)
}

// once makes a call one time. It gives the token that it used.
func (c *Client) once(ctx context.Context, l *lane, r Request, u *url.URL, stale string) (*Response, string, error) {
	leave, err := c.enter(ctx, l, r.weight, r.length())
	if err != nil {
		return nil, "", err
	}
	token := ""
	if !r.Anonymous {
		of, err := c.tokensOf(r.Scope)
		if err == nil {
			token, err = of.get(ctx, stale)
		}
		if err != nil {
			leave()
			return nil, "", err
		}
	}
	answer, err := c.send(ctx, r, u, token, leave)
	var e *Error
	if errors.As(err, &e) {
		c.raise(l, e)
	}
	if err != nil {
		leave()
		return nil, token, err
	}
	return answer, token, nil
}

// raise puts up a fence where the vendor asks for a pause, and keeps it where it is long.
func (c *Client) raise(l *lane, e *Error) {
	wait := e.RetryAfter
	if e.Status != http.StatusTooManyRequests && e.Status != http.StatusServiceUnavailable {
		return
	}
	if wait == 0 && e.Status == http.StatusTooManyRequests {
		wait = firstPause // some services name none
	}
	if wait = min(wait, longestFence); wait <= 0 {
		return
	}
	if e.whole {
		l = c.app
	}
	l.fence(wait)
	c.keep(l)
}

// send sends a call and reads the head of its answer, or the whole of one of no success.
func (c *Client) send(ctx context.Context, r Request, u *url.URL, token string, leave func()) (*Response, error) {
	id := newID()
	broken := func(code string, err error) error {
		if e := ctx.Err(); e != nil {
			return context.Cause(ctx)
		}
		e := &Error{Code: code, Method: r.method(), Path: u.Path, ClientID: id, Message: short(c.tokens.scrub(err.Error()), 300), cause: c.hush(err)}
		var op *net.OpError
		e.unsent = errors.As(err, &op) && op.Op == "dial"
		return e
	}
	watch, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(watch, r.method(), u.String(), r.body())
	if err != nil {
		cancel(nil)
		return nil, broken(codeBroken, errors.New("the call cannot be put together"))
	}
	if r.Stream != nil {
		request.ContentLength = r.Length
	}
	r.fill(request.Header, id)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	limit := r.Timeout
	if limit == 0 {
		limit = answerTime
	}
	stop := c.clock.AfterFunc(limit, func() { cancel(errTimeout) })
	answer, err := c.config.Transport.RoundTrip(request)
	stop()
	if err != nil {
		late := errors.Is(context.Cause(watch), errTimeout)
		cancel(nil)
		if late {
			return nil, broken(codeTimeout, errTimeout)
		}
		return nil, broken(codeBroken, err)
	}
	b := &body{under: answer.Body, clock: c.clock, cancel: cancel, leave: leave, left: r.Limit, limited: r.Limit > 0, watch: watch, hush: c.hush}
	b.watchIdle()
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return &Response{Status: answer.StatusCode, Header: answer.Header, Body: b, RequestID: short(answer.Header.Get("request-id"), 64)}, nil
	}
	b.limited = false
	e := c.readError(answer.StatusCode, answer.Header, b)
	b.Close()
	e.Method, e.Path, e.ClientID = r.method(), u.Path, id
	if to, err := u.Parse(e.Location); e.Location == "" || err != nil || !sameOrigin(to, c.at.graph) {
		e.Location = ""
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, e
}

// JSON makes a call and reads its answer into into, which may be nil. Without a Limit of
// the request, the answer has the configured bound.
func (c *Client) JSON(ctx context.Context, mailbox string, r Request, into any) error {
	return c.Read(ctx, mailbox, r, func(answer io.Reader) error {
		if into == nil {
			_, err := io.Copy(io.Discard, answer)
			return err
		}
		return json.NewDecoder(answer).Decode(into)
	})
}

// Read makes a call and has its answer read by how, again where the connection breaks within
// the answer, or how cannot read it, and the call may be made twice. An ErrTooLarge of how is
// passed on. The bound is as of JSON.
func (c *Client) Read(ctx context.Context, mailbox string, r Request, how func(io.Reader) error) error {
	if r.Limit == 0 {
		r.Limit = c.config.MostPage
	}
	var t trouble
	defer t.end()
	for try := 1; ; try++ {
		answer, err := c.Do(ctx, mailbox, r)
		if err != nil {
			return err
		}
		b := answer.Body.(*body)
		err = how(b)
		if b.err != nil && !errors.Is(b.err, io.EOF) {
			err = b.err // what the reader made of it says less
		}
		b.Close()
		if err == nil || errors.Is(err, ErrTooLarge) || ctx.Err() != nil {
			return err
		}
		e := &Error{Method: r.method(), Path: pathOf(r.URL), Code: codeBroken, Message: "the answer cannot be read: " + short(c.tokens.scrub(err.Error()), 200), RequestID: answer.RequestID, cause: c.hush(err)}
		if errors.Is(err, errTimeout) {
			e.Code = codeTimeout
		}
		if try >= 4 || !r.repeatable() || r.impatient && e.slow() {
			return c.say(mailbox, e)
		}
		if err := c.rest(ctx, c.laneOf(mailbox), pauseAfter(try), e, &t); err != nil {
			return err
		}
	}
}

// pathOf takes the query off an address.
func pathOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Path
	}
	return ""
}
