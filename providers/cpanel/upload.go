package cpanel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"keepwatch"
)

// send calls a function with a file in a part of a form. The file is streamed, and read
// once; size is its length, -1 where it is not known. The end of the form is sent only
// after content has come to its own end without an error, so that a file that turns out
// to be damaged is never taken by the host. limit (0: none) is for the upload and what
// the host does with it.
//
// WHM cannot hand an upload on to an account (uapi_cpanel takes none), so accounts of
// WHM send it with a session.
func (c *client) send(ctx context.Context, limit time.Duration, module, function string, fields url.Values, part, filename string, content io.Reader, size int64, into any) error {
	e, ok := endpointOf(UAPI, module, function)
	if !ok || e.Upload == "" {
		return fmt.Errorf("%s::%s takes no upload by the contract", module, function)
	}
	if err := e.Check(fields); err != nil {
		return err
	}
	if !matches(e.Upload+"-N", part) {
		return fmt.Errorf("%s: the part %s is not in the contract", e.Name(), part)
	}
	if err := take(ctx, c.long); err != nil {
		return err
	}
	defer func() { <-c.long }()
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	up, err := newUpload(fields, part, filename, content, size, func() { cancel(errIdle) })
	if err != nil {
		return fmt.Errorf("send %s: %w", filename, err)
	}
	defer up.leave()
	made := func(ctx context.Context, base string) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/execute/"+module+"/"+function, up)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", up.kind)
		req.ContentLength = up.length
		return req, nil
	}
	x := exchange{endpoint: e, limit: limit, made: made, whole: &up.whole}
	var answer []byte
	if c.account.WHM != "" || c.account.Token.IsZero() {
		if err := c.freshen(timed); err != nil {
			return err
		}
		answer, err = c.bySession(timed, x)
	} else {
		answer, err = c.byToken(timed, x)
	}
	if broken := up.trouble(); broken != nil { // ours, and the cause of whatever the network made of it
		return fmt.Errorf("send %s: %w", filename, broken)
	}
	if err != nil {
		if errors.Is(context.Cause(timed), errIdle) && ctx.Err() == nil {
			return keepwatch.Errorf(keepwatch.KindTransient, "%s took no byte of %s for two minutes.", c.base.Host, filename).Because(&sentError{arrived: up.whole.Load(), err: errIdle})
		}
		return err
	}
	return c.told(e, fields, readUAPI(module, function, answer, into))
}

// upload is the body of a form with a file in it: a head, the file, and the form's end.
type upload struct {
	kind   string // of the content, with the boundary
	length int64  // -1: not known
	whole  atomic.Bool

	mu         sync.Mutex // held while content is read
	left       bool       // content is the caller's again
	head, tail io.Reader
	content    io.Reader
	size, at   int64
	ended      bool // the content is read, and as long as it should be
	idle       *time.Timer
	broken     atomic.Pointer[error]
}

func newUpload(fields url.Values, part, filename string, content io.Reader, size int64, stuck func()) (*upload, error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	for name, values := range fields {
		for _, v := range values {
			if err := form.WriteField(name, v); err != nil {
				return nil, err
			}
		}
	}
	if _, err := form.CreateFormFile(part, filename); err != nil {
		return nil, err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	u := &upload{
		kind: form.FormDataContentType(), length: -1, head: bytes.NewReader(head.Bytes()), tail: bytes.NewReader([]byte(tail)),
		content: content, size: size, idle: time.AfterFunc(idleTime, stuck),
	}
	u.idle.Stop() // it runs between two reads only, while the network has its turn
	if size >= 0 {
		u.length = int64(head.Len()) + size + int64(len(tail))
	}
	return u, nil
}

// trouble gives what was wrong with the content, if anything was.
func (u *upload) trouble() error {
	if err := u.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// leave ends the reading of content: a host that answers before the end leaves
// net/http reading on after its answer is here.
func (u *upload) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left = true
	u.idle.Stop()
}

// Close does nothing: the content is the caller's.
func (u *upload) Close() error { return nil }

// Read gives the next bytes of the form.
func (u *upload) Read(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.idle.Stop()
	if u.left {
		return 0, errors.New("the upload is over")
	}
	if err := u.trouble(); err != nil {
		return 0, err
	}
	if n, err := u.head.Read(b); err == nil {
		u.idle.Reset(idleTime)
		return n, nil
	}
	for !u.ended {
		n, err := u.content.Read(b)
		u.at += int64(n)
		switch {
		case u.size >= 0 && u.at > u.size:
			err = fmt.Errorf("the file is longer than the %d bytes that were told", u.size)
		case errors.Is(err, io.EOF) && u.size >= 0 && u.at < u.size:
			err = fmt.Errorf("the file has %d bytes and not the %d that were told: %w", u.at, u.size, io.ErrUnexpectedEOF)
		case errors.Is(err, io.EOF):
			u.ended, err = true, nil
		}
		if err != nil {
			u.broken.Store(&err)
			return 0, err
		}
		if n > 0 {
			u.idle.Reset(idleTime)
			return n, nil
		}
	}
	u.whole.Store(true)
	return u.tail.Read(b)
}
