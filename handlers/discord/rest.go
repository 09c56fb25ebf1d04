package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
	"keepwatch/handlers"
)

// Limits of one call to Discord.
const (
	callTimeout = 15 * time.Second
	maxAnswer   = 16 << 20 // bytes that are read of an answer
	maxError    = 64 << 10 // bytes that are read of a refusal
)

// apiError is a refusal by Discord, or a call that did not come through.
type apiError struct {
	Status     int           // of HTTP; 0: there was no answer
	Code       int           // of Discord's JSON; 0: it is none (HTML from a proxy)
	Message    string        // what Discord says
	RetryAfter time.Duration // 429: how long to wait
	Scope      string        // 429: "user", "global" or "shared"
	Unsent     bool          // nothing of the request was written: the connection could not be made, or the limiter held it back
	Cause      error         // where there was no answer
}

func (e *apiError) Error() string {
	switch {
	case e.Status == 0 && e.Cause != nil:
		return "discord: " + e.Cause.Error()
	case e.Code != 0:
		return fmt.Sprintf("discord: HTTP %d, code %d: %s", e.Status, e.Code, e.Message)
	}
	return fmt.Sprintf("discord: HTTP %d %s", e.Status, e.Message)
}

func (e *apiError) Unwrap() error { return e.Cause }

// rest calls Discord's REST API, for one bot.
type rest struct {
	session *discordgo.Session
	http    *http.Transport
	limits  *limiter
	log     *slog.Logger
	refused func(bool) // told whether the token was refused
}

// newRest makes the client. Calls go through discordgo's Session, whose HTTP
// client is ours: discordgo's own addresses are global variables, computed when
// the program starts, so another address is set by rewriting requests.
func newRest(token keepwatch.Secret, to *url.URL, limits *limiter, log *slog.Logger, refused func(bool)) (*rest, error) {
	session, err := discordgo.New("Bot " + token.Reveal())
	if err != nil {
		return nil, fmt.Errorf("make a Discord session: %w", err)
	}
	// Its defaults repeat a call after a 502 three times, which may post twice,
	// and sleep through a 429 for as long as it takes, whatever the context says.
	session.MaxRestRetries = 0
	session.ShouldRetryOnRateLimit = false
	session.StateEnabled = false
	r := &rest{session: session, limits: limits, log: log, refused: refused}
	r.http = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout, ExpectContinueTimeout: time.Second,
		IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 64, // as many as the outbox sends at once, where HTTP/2 does not share one
	}
	var next http.RoundTripper = r.http
	if to != nil {
		next = handlers.Redirect{To: to, Next: next}
	}
	session.Client = &http.Client{
		Transport:     &transport{next: next, limits: limits, refused: refused},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r, nil
}

// call sends one request and decodes the answer into out, where that is not nil.
// Every error is an *apiError.
func (r *rest) call(ctx context.Context, method, address string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var data []byte
	kind := "application/json"
	if in != nil {
		var err error
		if data, kind, err = body(in); err != nil {
			return &apiError{Unsent: true, Cause: fmt.Errorf("encode a request: %w", err)}
		}
	}
	// discordgo's RateLimiter keeps a bucket for every address for ever, so that
	// each interaction leaks one; its buckets lock out other calls and sleep
	// without looking at the context. A bucket of our own for each call takes
	// all that out of the way; the limits are kept in limit.go.
	bucket := &discordgo.Bucket{Remaining: 1}
	bucket.Lock()
	answer, err := r.session.RequestWithLockedBucket(method, address, kind, data, bucket, 0, discordgo.WithContext(ctx))
	if err != nil {
		return callError(ctx, err)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &apiError{Cause: fmt.Errorf("decode the answer to %s: %w", method, err)}
	}
	return nil
}

// callError makes an *apiError of what a call gave. A *url.Error is taken apart,
// because it prints the address, and addresses hold the tokens of interactions.
func callError(ctx context.Context, err error) error {
	var refusal *apiError
	if errors.As(err, &refusal) {
		return refusal
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return &apiError{Cause: err}
}

// permanent reports whether asking again would give the same answer.
func (e *apiError) permanent() bool {
	return e.Status >= 400 && e.Status < 500 && e.Status != http.StatusTooManyRequests && e.Status != http.StatusRequestTimeout
}

// sleep waits, and reports false where ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// transport is what discordgo's calls go through. Unlike other RoundTrippers it
// gives an error for every answer that is a refusal: discordgo gives some of
// them as plain text, fails on a 429 that is not JSON (Cloudflare's), and its
// RESTError holds the request with the bot's token.
type transport struct {
	next    http.RoundTripper
	limits  *limiter
	refused func(bool)
}

// RoundTrip satisfies http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	route := routeOf(req.Method, req.URL.Path)
	if err := t.limits.wait(req.Context(), route); err != nil {
		return nil, err
	}
	connected := false
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }}
	resp, err := t.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, &apiError{Unsent: !connected, Cause: err}
	}
	refusal := t.judge(route, resp)
	// discordgo reads these and would sleep by them, or panic on a global limit.
	for _, h := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Reset-After", "X-RateLimit-Bucket", "X-RateLimit-Global", "X-RateLimit-Scope", "Retry-After"} {
		resp.Header.Del(h)
	}
	if refusal != nil {
		resp.Body.Close()
		return nil, refusal
	}
	resp.Body = limitedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// judge notes what an answer says about limits, and makes an error of a refusal.
func (t *transport) judge(route route, resp *http.Response) error {
	if resp.StatusCode < 300 {
		t.limits.observe(route, resp.Header, nil)
		if route.bot {
			t.refused(false)
		}
		return nil
	}
	refusal := &apiError{Status: resp.StatusCode, Message: http.StatusText(resp.StatusCode)}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxError)) // a body that breaks off is a refusal all the same
	var said struct {
		Code       int             `json:"code"`
		Message    string          `json:"message"`
		RetryAfter float64         `json:"retry_after"`
		Global     bool            `json:"global"`
		Errors     json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &said) == nil {
		refusal.Code, refusal.Message = said.Code, said.Message
		if len(said.Errors) > 0 {
			refusal.Message += " " + string(said.Errors)
		}
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		refusal.RetryAfter = retryAfter(said.RetryAfter, resp.Header)
		refusal.Scope = resp.Header.Get("X-RateLimit-Scope")
		if said.Global || resp.Header.Get("X-RateLimit-Global") != "" {
			refusal.Scope = "global"
		}
	}
	t.limits.observe(route, resp.Header, refusal)
	if route.bot && resp.StatusCode == http.StatusUnauthorized && refusal.Code != codeInvalidWebhookToken {
		t.refused(true)
	}
	return refusal
}

type limitedBody struct {
	io.Reader
	io.Closer
}
