package putback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"keepwatch/providers/outlook/graph"
)

// Sizes of attachments (learn.microsoft.com/graph/outlook-large-attachments): files below
// largeFile go by one POST, others by an upload session, in ranges of 4 MB at most.
const (
	largeFile = 3 << 20
	doubtful  = 3_000_000 // Microsoft says "3 MB" of both ways, which may be fewer bytes
	mostFile  = 150_000_000
	rangeSize = 12 * 320 << 10
)

// goneError says that an upload session is lost, and with it what was read of the content.
type goneError struct{ err error }

func (e *goneError) Error() string { return "the upload session was lost: " + e.err.Error() }

func (e *goneError) Unwrap() error { return e.err }

// attach adds an attachment to an item that has there of them.
func (t target) attach(ctx context.Context, id string, f file, content io.Reader, there int) error {
	if f.item == nil && f.size >= largeFile {
		return t.upload(ctx, id, f, content, there)
	}
	var raw []byte
	if f.item == nil {
		var err error
		if raw, err = io.ReadAll(io.LimitReader(content, largeFile)); err != nil {
			return err
		}
	}
	body, err := json.Marshal(f.json(raw))
	if err != nil {
		return fmt.Errorf("write an attachment: %w", err)
	}
	err = t.once(ctx, func() error {
		return t.r.client.JSON(ctx, t.mailbox, graph.Request{Method: http.MethodPost, URL: t.path(id) + "/attachments", Body: body}, nil)
	}, t.hasMore(ctx, id, there))
	var e *graph.Error
	if errors.As(err, &e) && e.Status == http.StatusRequestEntityTooLarge && f.item == nil && f.size >= doubtful {
		return t.upload(ctx, id, f, bytes.NewReader(raw), there)
	}
	if err != nil {
		return fmt.Errorf("attach %q: %w", f.name, t.say(err))
	}
	return nil
}

// hasMore looks whether an item has one attachment more than before.
func (t target) hasMore(ctx context.Context, id string, there int) func() (bool, error) {
	return func() (bool, error) {
		n, err := t.r.attached(ctx, t.mailbox, t.path(id))
		return n > there, err
	}
}

// uploadSession is microsoft.graph.uploadSession. Of Outlook the ranges are one number,
// where the next range begins ("0-" at first).
type uploadSession struct {
	URL  string   `json:"uploadUrl"`
	Next []string `json:"nextExpectedRanges"`
}

func (s uploadSession) next() (int64, bool) {
	if len(s.Next) == 0 {
		return 0, false
	}
	digits, _, _ := strings.Cut(s.Next[0], "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// upload sends a large file range by range.
func (t target) upload(ctx context.Context, id string, f file, content io.Reader, there int) error {
	item := map[string]any{"attachmentType": "file", "name": f.name, "size": f.size}
	if f.media != "" {
		item["contentType"] = f.media
	}
	if f.contentID != "" {
		item["contentId"], item["isInline"] = f.contentID, f.inline
	}
	body, err := json.Marshal(map[string]any{"AttachmentItem": item})
	if err != nil {
		return fmt.Errorf("write an attachment: %w", err)
	}
	var s uploadSession
	// a session that was begun twice does no harm: the first one ends unused
	call := graph.Request{Method: http.MethodPost, URL: t.path(id) + "/attachments/createUploadSession", Body: body, Again: true}
	if err := t.r.client.JSON(ctx, t.mailbox, call, &s); err != nil {
		return fmt.Errorf("begin the upload of %q: %w", f.name, t.say(err))
	}
	chunk := make([]byte, min(rangeSize, f.size))
	for at := int64(0); at < f.size; {
		n, err := io.ReadFull(content, chunk[:min(int64(len(chunk)), f.size-at)])
		if err != nil {
			return fmt.Errorf("read %q: %w", f.name, err)
		}
		if err := t.sendRange(ctx, id, f, s.URL, chunk[:n], at, there); err != nil {
			return fmt.Errorf("upload %q: %w", f.name, t.say(err))
		}
		at += int64(n)
	}
	return nil
}

// mostRanges is how often a range, or what is left of it, is sent.
const mostRanges = 5

// sendRange sends a range that begins at a byte. After a failure the session is asked how
// far it is, because the answer may be what was lost.
func (t target) sendRange(ctx context.Context, id string, f file, address string, data []byte, at int64, there int) error {
	end := at + int64(len(data))
	for try := 1; ; try++ {
		h := http.Header{"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", at, end-1, f.size)}}
		err := t.r.client.JSON(ctx, t.mailbox, graph.Request{Method: http.MethodPut, URL: address, Anonymous: true, Body: data, Header: h, ContentType: "application/octet-stream"}, nil)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		var s uploadSession
		asked := t.r.client.JSON(ctx, t.mailbox, graph.Request{URL: address, Anonymous: true}, &s)
		next, known := s.next()
		switch {
		case asked == nil && known && next >= end:
			return nil
		case asked == nil && known && next >= at && try < mostRanges:
			data, at = data[next-at:], next
			continue
		case asked == nil && known && next >= at, unclear(asked):
			return err
		}
		if end == f.size { // a session that is complete is gone
			if n, countErr := t.r.attached(ctx, t.mailbox, t.path(id)); countErr != nil || n > there {
				return countErr
			}
		}
		return &goneError{errors.Join(err, asked)}
	}
}
