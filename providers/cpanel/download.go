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
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// body is a download under way.
type body struct {
	io.ReadCloser
	size int64  // of the whole file, -1 where the host does not say
	from int64  // where it begins: 0, or what was asked for
	way  string // "token", "session" or "sftp"
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
	limit := idleOf(routeOf(path))
	head := time.AfterFunc(limit, func() { cancel(errIdle) })
	resp, err := c.again.Do(req)
	head.Stop()
	if err != nil {
		defer cancel(nil)
		return nil, nil, c.unreachable(ctx, timed, "download", false, err)
	}
	c.log.DebugContext(ctx, "asked for a download", "route", routeOf(path), "from", from, "status", resp.StatusCode, "length", resp.ContentLength)
	t := newTransfer(timed, resp.Body, func() { cancel(errIdle) }, func() { cancel(nil) })
	t.limit = limit
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
		// No more than what is there already: a host that makes the file now may take
		// its time for the next bytes.
		_, _ = t.Peek(1)
		begin, _ := t.Peek(min(t.Buffered(), 512))
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

// errNoGzip is the cause where what came by a download route is another file than the
// routes give, and no page either.
var errNoGzip = errors.New("no gzip file")

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
		return keepwatch.Errorf(keepwatch.KindAttention, "what came is empty.").Because(errNoGzip)
	}
	more, _ := r.Peek(16)
	return keepwatch.Errorf(keepwatch.KindAttention, "what came is no gzip file: it begins with %q.", more).Because(errNoGzip)
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

// routeOf gives what a download route is called: its path's first part.
func routeOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if i := strings.IndexByte(strings.TrimPrefix(path, "/"), '/'); i >= 0 {
		return path[:i+2]
	}
	return path
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
