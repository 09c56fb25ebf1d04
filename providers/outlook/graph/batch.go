package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// MostBatch is how many calls a batch holds.
const MostBatch = 20

// Answer is that of one call of a batch. Err is as of Do, nil with a Status of success.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // JSON as it came; anything else without its base64
	Err    error
}

// batchCall and batchAnswer are the elements of learn.microsoft.com/graph/json-batching.
type batchCall struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// Batch makes up to MostBatch calls in one, and gives their answers in their order. Each
// counts as a call of its own, and Outlook works on four at once, so that a batch has the
// mailbox's lane for itself. A call that is refused for now, as in Do, is waited for and
// made again in the next batch. The error is about the batch as a whole; ErrTooLarge where
// the answers together are longer than the configured bound: make the calls singly then.
//
// URLs are paths below the version. Streams, Limits, Timeouts and Anonymous are not for
// batches.
func (c *Client) Batch(ctx context.Context, mailbox string, calls []Request) ([]Answer, error) {
	if len(calls) > MostBatch {
		return nil, fmt.Errorf("a batch of %d calls: %d are the most", len(calls), MostBatch)
	}
	answers, open := make([]Answer, len(calls)), make([]int, len(calls))
	for i := range calls {
		open[i] = i
	}
	var t trouble
	defer t.end()
	for try := 1; len(open) > 0; try++ {
		if err := c.batch(ctx, mailbox, calls, open, answers); err != nil {
			return nil, err
		}
		var still []int
		var pause time.Duration
		var last *Error // of the call that waits the longest
		for _, i := range open {
			var e *Error
			if !errors.As(answers[i].Err, &e) {
				continue
			}
			if wait, again := calls[i].again(e, try); again && !beyond(ctx, wait) {
				if still = append(still, i); wait > pause {
					pause, last = wait, e
				}
				continue
			}
			answers[i].Err = c.say(mailbox, e)
		}
		if open = still; len(open) > 0 {
			c.log.Info("calls of a batch are made again", "mailbox", mailbox, "calls", len(open), "after", pause)
			if err := c.rest(ctx, c.laneOf(mailbox), pause, last, &t); err != nil {
				return nil, err
			}
		}
	}
	return answers, nil
}

// batch makes those calls that are open and fills in their answers.
func (c *Client) batch(ctx context.Context, mailbox string, calls []Request, open []int, answers []Answer) error {
	again, sent := true, make([]batchCall, 0, len(open))
	for _, i := range open {
		call, err := c.batchCallOf(i, calls[i])
		if err != nil {
			return err
		}
		sent = append(sent, call)
		again = again && calls[i].repeatable()
	}
	body, err := json.Marshal(map[string]any{"requests": sent})
	if err != nil {
		return fmt.Errorf("write a batch: %w", err)
	}
	var got struct {
		Responses []batchAnswer `json:"responses"`
	}
	outer := Request{Method: http.MethodPost, URL: "/$batch", Body: body, Again: again, weight: len(open)}
	if err := c.JSON(ctx, mailbox, outer, &got); err != nil {
		return err
	}
	waiting := map[string]int{}
	for _, i := range open {
		waiting[strconv.Itoa(i)] = i
	}
	l := c.laneOf(mailbox)
	for _, a := range got.Responses {
		i, asked := waiting[a.ID]
		if !asked {
			continue
		}
		delete(waiting, a.ID)
		answers[i] = c.answerOf(calls[i], a)
		var e *Error
		if errors.As(answers[i].Err, &e) {
			c.raise(l, e)
		}
	}
	for _, i := range waiting { // an answer that is missing is no success
		answers[i] = Answer{Err: &Error{Code: codeBroken, Message: "the batch has no answer to it", Method: calls[i].method(), Path: pathOf(calls[i].URL)}}
	}
	return nil
}

func (c *Client) batchCallOf(i int, r Request) (batchCall, error) {
	if _, err := c.resolve(r); err != nil || !strings.HasPrefix(r.URL, "/") || r.Stream != nil || r.Anonymous {
		return batchCall{}, keepwatch.Errorf(keepwatch.KindInternal, "A call of a batch must be a path below the version, with a body in memory.")
	}
	call := batchCall{ID: strconv.Itoa(i), Method: r.method(), URL: r.URL, Headers: map[string]string{}}
	h := http.Header{}
	r.fill(h, newID())
	h.Del("User-Agent")
	h.Del("return-client-request-id")
	for k := range h {
		call.Headers[k] = h.Get(k)
	}
	switch {
	case r.Body == nil:
	case isJSON(h.Get("Content-Type")):
		call.Body = r.Body
	default:
		call.Body, _ = json.Marshal(base64.StdEncoding.EncodeToString(r.Body)) // a string always can be
	}
	return call, nil
}

func (c *Client) answerOf(r Request, a batchAnswer) Answer {
	h := http.Header{}
	for k, v := range a.Headers {
		h.Set(k, v)
	}
	answer := Answer{Status: a.Status, Header: h, Body: a.Body}
	if a.Status < 200 || a.Status > 299 {
		e := c.readError(a.Status, h, bytes.NewReader(a.Body))
		e.Method, e.Path, e.Location = r.method(), pathOf(r.URL), ""
		answer.Body, answer.Err = nil, e
		return answer
	}
	if text := ""; !isJSON(h.Get("Content-Type")) && json.Unmarshal(a.Body, &text) == nil && len(a.Body) > 0 && a.Body[0] == '"' {
		data, err := fromBase64(text)
		if err != nil {
			answer.Err = &Error{Status: 0, Code: codeBroken, Message: "its answer in the batch is no base64", Method: r.method(), Path: pathOf(r.URL)}
		}
		answer.Body = data
	}
	return answer
}

func isJSON(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// fromBase64 takes either alphabet, with and without the filling: the documentation
// speaks of base64url, and services answer with the ordinary one.
func fromBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "").Replace(strings.TrimRight(text, "=\r\n"))
	return base64.RawStdEncoding.DecodeString(text)
}
