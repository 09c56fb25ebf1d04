package cpanel

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// body is a download under way.
type body struct {
	io.ReadCloser
	size int64  // of the whole file, -1 where the host does not say
	from int64  // where it begins: 0, or what was asked for
	way  string // "token", "session" or "sftp"
}

// download asks for a file by a download route, such as
// "/download?skipencode=1&file=…", from a byte on.
func (c *client) download(ctx context.Context, path string, from int64) (*body, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String()+path, nil)
	if err != nil {
		return nil, err
	}
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	if err := c.authorize(ctx, req, nil); err != nil {
		return nil, err
	}
	resp, err := c.again.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, ctx, "download", false, err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("download: %w", &callError{Status: resp.StatusCode})
	}
	r := bufio.NewReaderSize(resp.Body, 64<<10)
	return &body{ReadCloser: struct {
		io.Reader
		io.Closer
	}{r, resp.Body}, size: resp.ContentLength, way: byToken}, nil
}

// stream is a reader of a whole file.
type stream struct{ *body }

// stream gives a reader of a whole file. known is its size, -1 where it is not known.
func (c *client) stream(ctx context.Context, path string, known int64) (*stream, error) {
	b, err := c.download(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	return &stream{b}, nil
}
