package cpanel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// download asks for a file by a download route, such as
// "/download?skipencode=1&file=…" or "/getsqlbackup/x.sql.gz", from a byte on. What
// comes is known to begin as a gzip file does, unless it begins in the middle.
//
// A host that does not give the rest, or gives another than it was asked for, is asked
// for the whole: look at from.
func (c *client) download(ctx context.Context, path string, from int64) (*body, error) {
	route := routeOf(path)
	ways, kept := c.waysFor(route)
	var tried []error
	transient, absent := false, true
	for _, way := range ways {
		b, err := c.by(ctx, way, path, from)
		if err == nil {
			c.keepWay(route, way)
			return b, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if isNetwork(err) { // which is the same for every way
			return nil, err
		}
		tried = append(tried, fmt.Errorf("%s: %w", way, err))
		kind := keepwatch.KindOf(err)
		transient = transient || kind == keepwatch.KindTransient
		absent = absent && kind == keepwatch.KindNotFound
		if way == kept && kind != keepwatch.KindAttention {
			break // the way is open, and the trouble another
		}
	}
	return nil, c.noWay(route, ways, tried, transient, absent && len(tried) > 0)
}

// isNetwork reports whether err is about the connection to the host, or its
// certificate, and not an answer of it.
func isNetwork(err error) bool {
	var sent *sentError
	var refusal *callError
	return errors.As(err, &sent) && !errors.As(err, &refusal) || isCertificate(err)
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
	switch {
	case route == "/download" && errors.Is(all, errNoGzip): // the way may be right, and the file wrong
		more = "If other backups come this way, this file is damaged at the host: look at it in cPanel under File Manager, and remove it there. Otherwise add password: or sftp: to the source in keepwatch.yaml, or have the host send its backups to you (push:)."
	case route != "/download":
		more = "Add password: to the source in keepwatch.yaml, or back up the whole account."
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s does not let %s download this (%s). %s %s", c.base.Host, c.account.User, route, strings.Join(reasons, " "), more).Because(all)
}

// waysFor gives the ways that a file may come by, that of last time first; kept is that
// one, or "".
func (c *client) waysFor(route string) (ways []string, kept string) {
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
	i := slices.Index(ways, c.ways[route])
	if i < 0 {
		return ways, ""
	}
	kept = ways[i]
	return slices.Insert(slices.Delete(ways, i, i+1), 0, kept), kept
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
