package slacktest

import (
	"encoding/json"
	"time"
)

// acknowledge takes a frame that the app has sent.
func (s *Server) acknowledge(data []byte) {
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	if json.Unmarshal(data, &ack) != nil || s.bySend[ack.EnvelopeID] == nil {
		s.stats.Unknown++
		return
	}
	if len(data) >= maxReply {
		s.stats.Dropped++
		return
	}
	d := s.bySend[ack.EnvelopeID]
	for i := range d.attempts {
		if a := &d.attempts[i]; a.EnvelopeID == ack.EnvelopeID {
			s.settle(d, a, ack.Payload)
		}
	}
}

// settle notes an acknowledgement and does what its response asks for. The lock is
// held.
func (s *Server) settle(d *Delivery, a *Attempt, reply json.RawMessage) {
	if a.Acked {
		s.stats.Repeated++
		return
	}
	a.Acked, a.Latency = true, s.clock.Now().Sub(a.At)
	a.Late = a.Latency > s.cfg.AnswerTime
	s.stats.Acks++
	s.stats.MaxLatency = max(s.stats.MaxLatency, a.Latency)
	if a.Late && a.Err == nil {
		s.stats.Timeouts++
		a.Err = ErrOperationTimeout
	}
	if d.Kind == "events_api" {
		d.acked = true
		return
	}
	if a.Err != nil { // the person has been told already
		if d.err == nil {
			d.err = a.Err
		}
		return
	}
	d.acked = true
	if len(reply) == 0 || string(reply) == "null" || string(reply) == "{}" {
		reply = nil
	}
	if reply != nil && !d.accepts {
		s.stats.Misused++
		return
	}
	d.reply = reply
	if d.done != nil {
		d.done(d, reply)
	}
}

// Unacknowledged counts what was sent and not acknowledged yet.
func (s *Server) Unacknowledged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.deliveries {
		if !d.acked {
			n++
		}
	}
	return n
}

// SendRaw writes a frame to the next socket: malformed JSON, for instance.
func (s *Server) SendRaw(frame []byte) {
	s.mu.Lock()
	c := s.route(0)
	s.mu.Unlock()
	if c != nil {
		c.Send(frame)
	}
}

// SendEnvelope delivers a payload under any envelope type, also one that no
// client knows. What is not acknowledged times out like a command.
func (s *Server) SendEnvelope(kind string, payload any, opts ...Option) *Delivery {
	raw, err := json.Marshal(payload)
	if err != nil {
		return s.refuse(err)
	}
	return s.start(&Delivery{Kind: kind, Payload: raw}, opts)
}

// Option changes one delivery.
type Option func(*options)

type options struct {
	twice     bool
	delay     time.Duration
	socket    int
	tamper    bool
	signature string
	age       time.Duration
	noSign    bool
}

// Twice sends the same envelope (or the same POST) a second time at once, in
// Socket Mode through the next socket.
func Twice() Option { return func(o *options) { o.twice = true } }

// After sends it only when d has passed on the clock.
func After(d time.Duration) Option { return func(o *options) { o.delay = d } }

// Through sends it through the socket with this id.
func Through(socket int) Option { return func(o *options) { o.socket = socket } }

// TamperedBody changes the body after it was signed (HTTP).
func TamperedBody() Option { return func(o *options) { o.tamper = true } }

// WithSignature sends this instead of the right signature (HTTP).
func WithSignature(signature string) Option {
	return func(o *options) { o.signature = signature }
}

// Unsigned leaves the signature's headers out (HTTP).
func Unsigned() Option { return func(o *options) { o.noSign = true } }

// SignedAgo signs with a timestamp this long before now; a negative age is in the
// future (HTTP).
func SignedAgo(age time.Duration) Option { return func(o *options) { o.age = age } }
