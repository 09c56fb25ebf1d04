package cpanel

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// send calls a function with a file in a part of a form. The file is streamed, and read
// once; size is its length, -1 where it is not known. Its last byte but the form's end
// is sent only after content has come to its own end without an error, so that a file
// that turns out to be damaged is never taken by the host.
func (c *client) send(ctx context.Context, limit time.Duration, module, function string, fields url.Values, part, filename string, content io.Reader, size int64, into any) error {
	e, ok := endpointOf(UAPI, module, function)
	if !ok || e.Upload == "" {
		return fmt.Errorf("%s::%s takes no upload by the contract", module, function)
	}
	if err := take(ctx, c.long); err != nil {
		return err
	}
	defer func() { <-c.long }()
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	for name, values := range fields {
		for _, v := range values {
			_ = form.WriteField(name, v) // into memory
		}
	}
	_, _ = form.CreateFormFile(part, filename)
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	var whole atomic.Bool
	body := io.MultiReader(bytes.NewReader(head.Bytes()), content, &marked{r: bytes.NewReader([]byte(tail)), whole: &whole})
	made := func(ctx context.Context, base string) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/execute/"+module+"/"+function, body)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", form.FormDataContentType())
		req.ContentLength = -1
		if size >= 0 {
			req.ContentLength = int64(head.Len()) + size + int64(len(tail))
		}
		return req, nil
	}
	answer, err := c.signedIn(ctx, e, limit, made, &whole)
	if err != nil {
		return err
	}
	return readUAPI(module, function, answer, into)
}

// marked notes when it was begun to be read.
type marked struct {
	r     io.Reader
	whole *atomic.Bool
}

func (m *marked) Read(b []byte) (int, error) {
	m.whole.Store(true)
	return m.r.Read(b)
}
