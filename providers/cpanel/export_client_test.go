package cpanel

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
	"time"

	"keepwatch"
)

// Client is the client, for tests outside of the package.
type Client struct{ c *client }

// NewClient makes one.
func NewClient(account keepwatch.Hosting, log *slog.Logger) (Client, error) {
	c, err := newClient(account, log, time.Now)
	return Client{c}, err
}

// Close ends the connections that are kept.
func (c Client) Close() { c.c.again.CloseIdleConnections() }

// Ask calls a function of any API and gives its data.
func (c Client) Ask(ctx context.Context, api API, module, function string, params url.Values) (data json.RawMessage, err error) {
	switch api {
	case UAPI:
		err = c.c.uapi(ctx, module, function, params, &data)
	case API2:
		err = c.c.api2(ctx, module, function, params, &data)
	default:
		err = c.c.whm(ctx, function, params, &data)
	}
	return data, err
}

// Send uploads a file.
func (c Client) Send(ctx context.Context, module, function string, fields url.Values, part, name string, r io.Reader, size int64) error {
	return c.c.send(ctx, time.Minute, module, function, fields, part, name, r, size, nil)
}

// Stream reads a whole file without waiting after cuts, and says by which way.
func (c Client) Stream(ctx context.Context, path string, known int64) (b []byte, way string, err error) {
	s, err := c.c.stream(ctx, path, known)
	if err != nil {
		return nil, "", err
	}
	defer s.Close()
	s.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	b, err = io.ReadAll(s)
	return b, s.way, err
}

// Major gives the major version of the host.
func (c Client) Major(ctx context.Context) (int, error) {
	v, err := c.c.version(ctx)
	if len(v) < 2 {
		return 0, err
	}
	return v[1], err
}

// IsAbsent, IsRefused and MayHaveArrived sort errors.
func IsAbsent(err error) bool       { return isAbsent(err) }
func IsRefused(err error) bool      { return isRefused(err) }
func MayHaveArrived(err error) bool { return mayHaveArrived(err) }
