package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// wire is a POST that was made, so that it can be made again byte by byte.
type wire struct {
	url    string
	header http.Header
	body   []byte
}

// UseHTTP delivers from now on as signed POSTs to /slack/commands,
// /slack/interactions and /slack/events below base; UseHTTP("") goes back to
// Socket Mode.
func (s *Server) UseHTTP(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = strings.TrimSuffix(base, "/")
}

// Sign is the v0 signature of a body: docs.slack.dev, "Verifying requests".
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// request makes the POST of an attempt. The lock is held.
func (s *Server) request(d *Delivery, a Attempt) *wire {
	w := &wire{header: http.Header{"User-Agent": {"Slackbot 1.0 (+https://api.slack.com/robots)"}, "Accept": {"application/json,*/*"}}}
	form := "application/x-www-form-urlencoded"
	switch d.Kind {
	case "slash_commands":
		w.url, w.body = s.target+"/slack/commands", []byte(formOf(d.Payload).Encode())
	case "interactive":
		w.url, w.body = s.target+"/slack/interactions", []byte(url.Values{"payload": {string(d.Payload)}}.Encode())
	default:
		w.url, w.body, form = s.target+"/slack/events", d.Payload, "application/json"
	}
	w.header.Set("Content-Type", form)
	if a.Num > 0 {
		w.header.Set("X-Slack-Retry-Num", strconv.Itoa(a.Num))
		w.header.Set("X-Slack-Retry-Reason", a.Reason)
	}
	if !d.opt.noSign {
		ts := strconv.FormatInt(s.clock.Now().Add(-d.opt.age).Unix(), 10)
		w.header.Set("X-Slack-Request-Timestamp", ts)
		w.header.Set("X-Slack-Signature", Sign(SigningSecret, ts, w.body))
		if d.opt.signature != "" {
			w.header.Set("X-Slack-Signature", d.opt.signature)
		}
	}
	if d.opt.tamper {
		w.body = append(bytes.Clone(w.body), ' ') // still the same form or JSON
	}
	return w
}

func formOf(payload json.RawMessage) url.Values {
	var fields map[string]string
	_ = json.Unmarshal(payload, &fields) // made from such a map
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	return form
}

// post sends an attempt in a goroutine. The lock is held.
func (s *Server) post(d *Delivery, i int) {
	d.wire = s.request(d, d.attempts[i])
	n := 1
	if d.opt.twice {
		n = 2
	}
	w := d.wire
	for range n {
		s.work.Add(1)
		go func() {
			defer s.work.Done()
			s.roundTrip(d, i, w)
		}()
	}
	s.touch()
}

// roundTrip makes the POST and judges the answer: 2xx within 3 s by the clock.
func (s *Server) roundTrip(d *Delivery, i int, w *wire) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	stop := s.clock.AfterFunc(s.cfg.AnswerTime+1, func() { cancel(ErrOperationTimeout) })
	defer stop()
	status, body, noRetry, err := s.send(ctx, w)
	if s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	a := &d.attempts[i]
	a.Status = status
	d.noRetry = d.noRetry || noRetry
	if err == nil && status/100 == 2 {
		if !d.accepts {
			body.body = nil // what an answer to an event or a click says goes nowhere
		}
		s.settle(d, a, replyOf(body))
		s.touch()
		s.mu.Unlock()
		return
	}
	reason, failure := "http_error", fmt.Errorf("%w: HTTP status %d", ErrDispatchFailed, status)
	switch {
	case errors.Is(context.Cause(ctx), ErrOperationTimeout):
		s.stats.Timeouts++
		reason, failure = "http_timeout", ErrOperationTimeout
	case err != nil:
		reason, failure = "connection_failed", fmt.Errorf("%w: %w", ErrDispatchFailed, err)
	case status/100 == 3:
		reason = "too_many_redirects"
	}
	s.mu.Unlock()
	s.failed(d, i, failure, reason)
}

type httpReply struct {
	kind string
	body []byte
}

func (s *Server) send(ctx context.Context, w *wire) (status int, reply httpReply, noRetry bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(w.body))
	if err != nil {
		return 0, reply, false, err
	}
	r.Header = w.header.Clone()
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, reply, false, err
	}
	defer resp.Body.Close()
	reply.body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	reply.kind, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return resp.StatusCode, reply, resp.Header.Get("X-Slack-No-Retry") == "1", err
}

// replyOf is what an HTTP answer says: JSON, or plain text that is shown to the
// person who typed the command.
func replyOf(r httpReply) json.RawMessage {
	text := strings.TrimSpace(string(r.body))
	switch {
	case text == "":
		return nil
	case r.kind == "application/json" && json.Valid(r.body):
		return json.RawMessage(text)
	}
	raw, _ := json.Marshal(map[string]string{"text": text}) // strings
	return raw
}

// Replay makes the last POST of a delivery again: the same bytes, signature and
// timestamp, as an attacker would who has recorded it. It returns the HTTP status
// and body of the answer.
func (d *Delivery) Replay(ctx context.Context) (status int, body []byte, err error) {
	d.s.mu.Lock()
	w := d.wire
	d.s.mu.Unlock()
	if w == nil {
		return 0, nil, errors.New("nothing was sent by HTTP yet")
	}
	status, reply, _, err := d.s.send(ctx, w)
	return status, reply.body, err
}

// Challenge makes the url_verification request that Slack makes when the events
// address is saved, and returns what came back. It must be the challenge.
func (s *Server) Challenge(ctx context.Context, challenge string) (status int, body []byte, err error) {
	raw, _ := json.Marshal(map[string]string{"type": "url_verification", "token": "legacy", "challenge": challenge}) // strings
	s.mu.Lock()
	d := &Delivery{Kind: "events_api", Payload: raw}
	w := s.request(d, Attempt{At: time.Time{}})
	s.mu.Unlock()
	status, reply, _, err := s.send(ctx, w)
	return status, reply.body, err
}
