package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// AnswerTime is what Slack gives an app to acknowledge in
// (docs.slack.dev/interactivity/handling-user-interaction).
const AnswerTime = 3 * time.Second

// What a person sees when an app does not answer.
var (
	// ErrOperationTimeout: the app did not acknowledge within [Config].AnswerTime.
	ErrOperationTimeout = errors.New("operation_timeout")
	// ErrDispatchFailed: there was no socket, no server, or an HTTP error.
	ErrDispatchFailed = errors.New("dispatch_failed")
)

// Attempt is one try to give a payload to the app.
type Attempt struct {
	EnvelopeID string // Socket Mode
	Socket     int    // Socket Mode: the id of the socket, 0 when none was open
	Num        int    // 0 for the first, then the number of the retry
	Reason     string // of a retry
	At         time.Time
	Acked      bool
	Latency    time.Duration // until it was acknowledged
	Late       bool          // acknowledged after more than 3 s
	Status     int           // HTTP
	Err        error         // why it failed
}

// Delivery is something that happened in Slack and that the app is told of.
type Delivery struct {
	Kind        string // slash_commands, interactive, events_api
	Payload     json.RawMessage
	TriggerID   string
	ResponseURL string
	EventID     string

	s       *Server
	opt     options
	user    string // who did it
	channel string // where
	view    *view  // submitted or closed
	accepts bool   // accepts_response_payload
	done    func(*Delivery, json.RawMessage)

	// Guarded by the Server's lock.
	attempts []Attempt
	acked    bool
	err      error // how it ended badly
	reply    json.RawMessage
	noRetry  bool
	wire     *wire // HTTP: what was sent
}

// Stats is what the app's acknowledgements were like.
type Stats struct {
	Acks       int           // that fitted an envelope
	Timeouts   int           // deliveries that were not acknowledged within 3 s
	Dropped    int           // acknowledgements thrown away for 20 KB or more
	Unknown    int           // acknowledgements of no known envelope
	Repeated   int           // acknowledgements of an envelope that had one
	Misused    int           // responses where accepts_response_payload was false
	MaxLatency time.Duration // the slowest that fitted
}

// Stats are counted over all deliveries.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Deliveries are all that were made, in order.
func (s *Server) Deliveries() []*Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

// Attempts are the tries so far.
func (d *Delivery) Attempts() []Attempt {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return slices.Clone(d.attempts)
}

// Acked says whether the app has acknowledged.
func (d *Delivery) Acked() bool {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.acked
}

// Reply is what came with the acknowledgement, nil when nothing did.
func (d *Delivery) Reply() json.RawMessage {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.reply
}

// Wait returns nil when the app has acknowledged, and an error when it has failed
// for the person ([ErrOperationTimeout], [ErrDispatchFailed]), when an event has
// failed at its last retry, when the person cannot do that (no such button), or
// when ctx ends.
func (d *Delivery) Wait(ctx context.Context) error {
	var acked bool
	var failed error
	err := d.s.Wait(ctx, func() bool {
		d.s.mu.Lock()
		defer d.s.mu.Unlock()
		acked, failed = d.acked, d.err
		return acked || failed != nil
	})
	if acked || err != nil {
		return err
	}
	return failed
}

// refuse is a delivery that could not be begun.
func (s *Server) refuse(err error) *Delivery { return &Delivery{s: s, err: err} }

// start makes the first attempt.
func (s *Server) start(d *Delivery, opts []Option) *Delivery {
	d.s = s
	for _, o := range opts {
		o(&d.opt)
	}
	s.mu.Lock()
	s.deliveries = append(s.deliveries, d)
	s.mu.Unlock()
	if d.opt.delay > 0 {
		s.later(d.opt.delay, func() { s.attempt(d, 0, "") })
		return d
	}
	s.attempt(d, 0, "")
	return d
}

// later calls f after wait, unless the Server is closed before.
func (s *Server) later(wait time.Duration, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan(wait, f)
}

// plan is later with the lock held.
func (s *Server) plan(wait time.Duration, f func()) {
	if s.closed {
		return
	}
	s.work.Add(1)
	id := s.id("timer")
	s.timers[id] = s.clock.AfterFunc(wait, func() {
		s.mu.Lock()
		_, due := s.timers[id]
		delete(s.timers, id)
		s.mu.Unlock()
		if due {
			defer s.work.Done()
			f()
		}
	})
}

// stopTimers ends what later has begun. The lock is held.
func (s *Server) stopTimers() {
	for _, stop := range s.timers {
		stop()
		s.work.Done()
	}
	clear(s.timers)
}

// attempt gives the payload to the app once more.
func (s *Server) attempt(d *Delivery, num int, reason string) {
	s.mu.Lock()
	if s.closed || d.acked {
		s.mu.Unlock()
		return
	}
	d.attempts = append(d.attempts, Attempt{Num: num, Reason: reason, At: s.clock.Now()})
	i := len(d.attempts) - 1
	if s.target != "" {
		s.post(d, i)
		s.mu.Unlock()
		return
	}
	c := s.route(d.opt.socket)
	if c == nil {
		s.mu.Unlock()
		s.failed(d, i, ErrDispatchFailed, "connection_failed")
		return
	}
	a := &d.attempts[i]
	a.EnvelopeID, a.Socket = s.id("env-"), c.ID
	s.bySend[a.EnvelopeID] = d
	frame := d.envelope(*a)
	second := c
	if d.opt.twice {
		second = s.route(0)
	}
	s.touch()
	s.mu.Unlock()
	s.later(s.cfg.AnswerTime+1, func() { s.expire(d, i) })
	c.Send(frame)
	if d.opt.twice {
		second.Send(frame)
	}
}

// envelope is the frame around a payload.
func (d *Delivery) envelope(a Attempt) []byte {
	e := map[string]any{"envelope_id": a.EnvelopeID, "type": d.Kind, "accepts_response_payload": d.accepts, "payload": d.Payload}
	if d.Kind == "events_api" {
		e["retry_attempt"], e["retry_reason"] = a.Num, a.Reason
	}
	raw, _ := json.Marshal(e) // the payload was made by Marshal
	return raw
}

// expire ends an attempt that was not acknowledged in time.
func (s *Server) expire(d *Delivery, i int) {
	s.mu.Lock()
	if d.acked || d.attempts[i].Acked || d.attempts[i].Err != nil || s.closed {
		s.mu.Unlock()
		return
	}
	s.stats.Timeouts++
	s.mu.Unlock()
	s.failed(d, i, ErrOperationTimeout, "timeout")
}

// failed notes the end of an attempt and, for an event, plans the next: at once,
// after a minute, after five. Commands and interactions are not repeated.
func (s *Server) failed(d *Delivery, i int, err error, reason string) {
	s.mu.Lock()
	a := &d.attempts[i]
	a.Err = err
	num := a.Num + 1
	last := d.Kind != "events_api" || num > 3 || d.noRetry
	if last {
		d.err = err
	} else { // planned before anybody can see the failure and move the clock
		wait := []time.Duration{0, time.Minute, 5 * time.Minute}[num-1]
		s.plan(wait, func() { s.retry(d, num, reason) })
	}
	s.touch()
	s.mu.Unlock()
}

func (s *Server) retry(d *Delivery, num int, reason string) {
	s.mu.Lock()
	due := len(d.attempts) > 0 && d.attempts[len(d.attempts)-1].Num == num-1
	s.mu.Unlock()
	if due { // Redeliver may have been faster
		s.attempt(d, num, reason)
	}
}

// Redeliver makes Slack repeat the delivery now, whatever became of it before, as
// it does when an acknowledgement is lost on its side. An event gets the next
// retry number; anything else is sent again as it was.
func (d *Delivery) Redeliver() {
	d.s.mu.Lock()
	num, reason := 0, ""
	if d.Kind == "events_api" && len(d.attempts) > 0 {
		num, reason = d.attempts[len(d.attempts)-1].Num+1, "timeout"
	}
	d.acked, d.err = false, nil
	d.s.mu.Unlock()
	d.s.attempt(d, num, reason)
}
