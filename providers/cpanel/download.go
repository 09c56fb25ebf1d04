package cpanel

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// The ways by which a file is downloaded. No document of cPanel's promises any of them:
// whether a token opens the download routes is reported both ways, so each is tried,
// and the one that works is kept.
const (
	wayToken   = "token"
	waySession = "session"
	waySFTP    = "sftp"
)

// body is a download under way.
type body struct {
	io.ReadCloser
	size int64  // of the whole file, -1 where the host does not say
	from int64  // where it begins: 0, or what was asked for
	way  string // "token", "session" or "sftp"
}

// download asks for a file by a download route, such as
// "/download?skipencode=1&file=…" or "/getsqlbackup/x.sql.gz", from a byte on. What
// comes is known to begin as a gzip file does, unless it begins in the middle.
//
// A host that does not give the rest, or gives another than it was asked for, is asked
// for the whole: look at from.
func (c *client) download(ctx context.Context, path string, from int64) (*body, error) {
	route := routeOf(path)
	var tried []error
	transient, absent := false, 0
	ways := c.waysFor(route)
	for _, way := range ways {
		b, err := c.by(ctx, way, path, from)
		if err == nil {
			c.keepWay(route, way)
			return b, nil
		}
		var refusal *callError
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.As(err, new(*sentError)) && !errors.As(err, &refusal), isCertificate(err):
			return nil, err // the network, which is the same for every way
		case keepwatch.KindOf(err) == keepwatch.KindTransient:
			transient = true
		case keepwatch.KindOf(err) == keepwatch.KindNotFound:
			absent++
		}
		tried = append(tried, fmt.Errorf("%s: %w", way, err))
	}
	return nil, c.noWay(route, ways, tried, transient, absent == len(ways) && absent > 0)
}

// noWay makes one sentence of all the ways that were tried.
func (c *client) noWay(route string, ways []string, tried []error, transient, absent bool) error {
	var reasons []string
	for i, err := range tried {
		why := keepwatch.Sentence(err)
		if why == "" {
			why = err.Error()
		}
		how := map[string]string{wayToken: "With the API token", waySession: "With a session", waySFTP: "By SFTP"}[ways[i]]
		reasons = append(reasons, how+": "+strings.TrimSuffix(why, ".")+".")
	}
	all := errors.Join(tried...)
	switch {
	case absent:
		return keepwatch.Errorf(keepwatch.KindNotFound, "%s does not have the file any more, or does not let %s have it.", c.base.Host, c.account.User).Because(all)
	case transient:
		return keepwatch.Errorf(keepwatch.KindTransient, "%s does not give the file just now. %s", c.base.Host, strings.Join(reasons, " ")).Because(all)
	}
	more := "Add password: or sftp: to the source in keepwatch.yaml, or have the host send its backups to you (push:)."
	if route != "/download" {
		more = "Add password: to the source in keepwatch.yaml, or back up the whole account."
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s lets %s not download this (%s). %s %s", c.base.Host, c.account.User, route, strings.Join(reasons, " "), more).Because(all)
}

// routeOf gives what a download route is called: its path's first part.
func routeOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if i := strings.IndexByte(strings.TrimPrefix(path, "/"), '/'); i >= 0 {
		return path[:i+2]
	}
	return path
}

// waysFor gives the ways that a file may come by, that of last time first.
func (c *client) waysFor(route string) []string {
	var ways []string
	if c.account.WHM == "" && !c.account.Token.IsZero() {
		ways = append(ways, wayToken)
	}
	if c.canSession() {
		ways = append(ways, waySession)
	}
	if c.account.SFTP != nil && route == "/download" {
		ways = append(ways, waySFTP)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(ways, c.ways[route]); i > 0 {
		ways = slices.Insert(slices.Delete(ways, i, i+1), 0, c.ways[route])
	}
	return ways
}

func (c *client) keepWay(route, way string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ways[route] != way {
		c.log.Info("found the way by which files are downloaded", "route", route, "way", way)
	}
	c.ways[route] = way
}

// by asks for a file by one way.
func (c *client) by(ctx context.Context, way, path string, from int64) (*body, error) {
	if way == waySFTP {
		return c.bySFTP(ctx, path, from)
	}
	// A refusal of a route is remembered like one of a call, but for that route only:
	// that a token opens no downloads says nothing about calls.
	key := way + " " + routeOf(path)
	if err := c.remembered(key); err != nil {
		return nil, err
	}
	var s *session
	fresh := true
	var err error
	if way == waySession {
		if s, fresh, err = c.session(ctx); err != nil {
			return nil, err
		}
	} else if err := c.remembered(byToken); err != nil {
		return nil, err
	}
	b, err := c.get(ctx, s, path, from)
	if isLogin(err) && !fresh {
		if s, err = c.renew(ctx, s); err != nil {
			return nil, err
		}
		b, err = c.get(ctx, s, path, from)
	}
	if err != nil {
		if isLogin(err) {
			c.remember(key, err)
		}
		return nil, err
	}
	b.way = way
	return b, nil
}

// get asks for a file with a session or, where that is nil, with the token.
func (c *client) get(ctx context.Context, s *session, path string, from int64) (*body, error) {
	resp, r, err := c.open(ctx, s, path, from)
	if err != nil {
		return nil, err
	}
	if from > 0 && resp.StatusCode != http.StatusOK {
		total, ok := restOf(resp, from)
		if ok {
			return &body{ReadCloser: r, size: total, from: from}, nil
		}
		// It is asked for the whole, and not for this part again.
		_ = r.Close()
		c.log.Info("the host answers a range with something else", "status", resp.StatusCode)
		if resp, r, err = c.open(ctx, s, path, 0); err != nil {
			return nil, err
		}
	}
	if resp.StatusCode != http.StatusOK {
		_ = r.Close()
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "it answers with the HTTP status %d.", resp.StatusCode).Because(&callError{Module: "download", Function: routeOf(path), Status: resp.StatusCode})
	}
	if err := looksRight(r.Reader); err != nil {
		if keepwatch.Sentence(err) == "" { // the network's
			err = c.unreachable(ctx, r.ctx, "download", false, err)
		}
		_ = r.Close()
		return nil, err
	}
	return &body{ReadCloser: r, size: resp.ContentLength, from: 0}, nil
}

// open sends the request for a file and judges the answer's head.
func (c *client) open(ctx context.Context, s *session, path string, from int64) (*http.Response, *transfer, error) {
	base := c.base.String()
	if s != nil {
		base = s.base
	}
	timed, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(timed, http.MethodGet, base+path, nil)
	if err != nil {
		cancel(nil)
		return nil, nil, fmt.Errorf("ask for a download: %w", withoutAddress(err))
	}
	req.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	if err := c.authorize(timed, req, s); err != nil {
		cancel(nil)
		return nil, nil, err
	}
	head := time.AfterFunc(idleTime, func() { cancel(errIdle) })
	resp, err := c.again.Do(req)
	head.Stop()
	if err != nil {
		defer cancel(nil)
		return nil, nil, c.unreachable(ctx, timed, "download", false, err)
	}
	c.log.DebugContext(ctx, "asked for a download", "route", routeOf(path), "from", from, "status", resp.StatusCode, "length", resp.ContentLength)
	t := newTransfer(timed, resp.Body, func() { cancel(errIdle) }, func() { cancel(nil) })
	if err := c.judgeDownload(path, resp, t); err != nil {
		_ = t.Close()
		return nil, nil, err
	}
	return resp, t, nil
}

// judgeDownload tells refusals from files.
func (c *client) judgeDownload(path string, resp *http.Response, t *transfer) error {
	refusal := &callError{Module: "download", Function: routeOf(path), Status: resp.StatusCode}
	say := func(kind keepwatch.Kind, format string, args ...any) error {
		return keepwatch.Errorf(kind, format, args...).Because(refusal)
	}
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400, status == http.StatusUnauthorized, status == http.StatusForbidden:
		refusal.login = true
		return say(keepwatch.KindAttention, "it is not authorised (HTTP status %d).", status)
	case status == http.StatusNotFound:
		return say(keepwatch.KindNotFound, "the file is not there.")
	case status >= 500, status == http.StatusTooManyRequests:
		return say(keepwatch.KindTransient, "it answers with the HTTP status %d.", status)
	case status == http.StatusOK:
		begin, _ := t.Peek(512)
		if isHTML(resp.Header, begin) {
			refusal.login = true
			return say(keepwatch.KindAttention, "a page came instead of the file%s.", titleOf(begin))
		}
	}
	return nil
}

// titleOf gives the title of a page, in quotes and brackets.
func titleOf(page []byte) string {
	lower := bytes.ToLower(page)
	i := bytes.Index(lower, []byte("<title>"))
	if i < 0 {
		return ""
	}
	title, _, ok := bytes.Cut(page[i+len("<title>"):], []byte("<"))
	if !ok || len(bytes.TrimSpace(title)) == 0 {
		return ""
	}
	return " (“" + strings.ToValidUTF8(string(bytes.TrimSpace(title)), "�") + "”)"
}

// looksRight looks at the first two bytes: everything that the routes give is
// compressed with gzip (RFC 1952, section 2.3.1).
func looksRight(r *bufio.Reader) error {
	begin, err := r.Peek(2)
	switch {
	case bytes.Equal(begin, []byte{0x1f, 0x8b}):
		return nil
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case len(begin) == 0:
		return keepwatch.Errorf(keepwatch.KindAttention, "what came is empty.")
	}
	more, _ := r.Peek(16)
	return keepwatch.Errorf(keepwatch.KindAttention, "what came is no gzip file: it begins with %q.", more)
}

// restOf reads the Content-Range of an answer (RFC 9110, section 14.4) and gives the
// size of the whole, -1 where it is not told; false where the answer is not the rest
// from there on.
func restOf(resp *http.Response, from int64) (total int64, ok bool) {
	if resp.StatusCode != http.StatusPartialContent {
		return 0, false
	}
	span, whole, ok1 := strings.Cut(strings.TrimPrefix(resp.Header.Get("Content-Range"), "bytes "), "/")
	first, last, ok2 := strings.Cut(span, "-")
	begin, err1 := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	end, err2 := strconv.ParseInt(strings.TrimSpace(last), 10, 64)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || begin != from || end < begin {
		return 0, false
	}
	if resp.ContentLength >= 0 && resp.ContentLength != end-begin+1 {
		return 0, false
	}
	if whole == "*" {
		return -1, true
	}
	total, err := strconv.ParseInt(strings.TrimSpace(whole), 10, 64)
	return total, err == nil && end == total-1
}

// fileOf gives the path that a /download route asks for.
func fileOf(path string) (string, bool) {
	u, err := url.Parse(path)
	if err != nil || u.Path != "/download" {
		return "", false
	}
	file := u.Query().Get("file")
	return file, file != ""
}

// transfer is a download's bytes. Where none comes for idleTime while somebody waits
// for one, the connection counts as cut: a dead peer says nothing for ever.
type transfer struct {
	*bufio.Reader
	ctx  context.Context // ended by stuck
	raw  io.ReadCloser
	idle *time.Timer
	done func()
}

func newTransfer(ctx context.Context, raw io.ReadCloser, stuck, done func()) *transfer {
	t := &transfer{ctx: ctx, raw: raw, done: done, idle: time.AfterFunc(idleTime, stuck)}
	t.idle.Stop()
	t.Reader = bufio.NewReaderSize(timedReader{t}, 256<<10)
	return t
}

// Close ends it.
func (t *transfer) Close() error {
	t.idle.Stop()
	err := t.raw.Close()
	t.done()
	return err
}

type timedReader struct{ t *transfer }

func (r timedReader) Read(b []byte) (int, error) {
	r.t.idle.Reset(idleTime)
	n, err := r.t.raw.Read(b)
	r.t.idle.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(r.t.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}
