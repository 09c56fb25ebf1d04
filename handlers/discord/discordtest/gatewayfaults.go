package discordtest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// GatewayFaults are ways in which the gateway stops behaving. They hold for the connections that
// are there and those to come, until they are set again.
type GatewayFaults struct {
	NoHello bool // a new connection hears nothing
	NoReady bool // an identify is not answered
	NoAck   bool // heartbeats are not acknowledged
	Silent  bool // nothing is sent at all, and what comes is swallowed; events are kept for a resume
}

// GatewayEvent is something that happened on the gateway.
type GatewayEvent struct {
	At        time.Time
	What      string // connect, identify, resume, resumed, heartbeat, heartbeat missed, close
	Path      string // that was dialled
	Code      int    // of a close; 1006 is a connection that was cut
	Intents   int    // of an identify
	Seq       int64  // of a heartbeat or resume
	Elsewhere bool   // a resume that did not go to the resume_gateway_url of READY
}

func (s *Server) note(c *conn, e GatewayEvent) {
	e.At, e.Path = s.Now(), c.path
	s.gateway.log = append(s.gateway.log, e)
	s.notify()
}

// GatewayLog is all that happened on the gateway, in order.
func (s *Server) GatewayLog() []GatewayEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.gateway.log)
}

// CountGateway is how often something happened on the gateway, such as "identify".
func (s *Server) CountGateway(what string) int {
	n := 0
	for _, e := range s.GatewayLog() {
		if e.What == what {
			n++
		}
	}
	return n
}

// SetGatewayFaults sets the gateway's faults; the zero value ends them.
func (s *Server) SetGatewayFaults(f GatewayFaults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.faults = f
}

// Connected says whether a session is connected and ready.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ses := range s.gateway.sessions {
		if ses.conn != nil {
			return true
		}
	}
	return false
}

// WaitConnected waits until the bot has a session.
func (s *Server) WaitConnected(ctx context.Context) error {
	return s.Wait(ctx, "a session on the gateway", s.Connected)
}

// CutGateway cuts all connections without a close frame. Sessions can be resumed.
func (s *Server) CutGateway() { s.each(func(c *conn) { c.cut() }) }

// CloseGateway closes all connections with a code, 4000 to 4014 or any other.
func (s *Server) CloseGateway(code int) {
	s.each(func(c *conn) { c.close(code, closeReason(code)) })
}

// CloseNextIdentify answers the next identify or resume by closing with a code.
func (s *Server) CloseNextIdentify(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.closeNext = append(s.gateway.closeNext, code)
}

// RefuseDials answers the next n dials to the gateway with an HTTP status instead of a websocket.
func (s *Server) RefuseDials(n, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.gateway.refuse = append(s.gateway.refuse, status)
	}
}

// Reconnect asks all clients to reconnect and resume, operation 7.
func (s *Server) Reconnect() { s.SendRaw(`{"op":7,"d":null,"s":null,"t":null}`) }

// RequestHeartbeat asks all clients for a heartbeat at once, operation 1.
func (s *Server) RequestHeartbeat() { s.SendRaw(`{"op":1,"d":null,"s":null,"t":null}`) }

// InvalidateSessions tells all clients that their session is not valid any more, operation 9. Unless it
// is resumable it is forgotten. The connections stay, and take another identify or resume.
func (s *Server) InvalidateSessions(resumable bool) {
	s.mu.Lock()
	for _, ses := range s.gateway.sessions {
		if ses.conn != nil {
			ses.conn.session, ses.conn, ses.left = nil, nil, s.Now()
		}
		ses.forgotten = ses.forgotten || !resumable
	}
	s.mu.Unlock()
	s.SendRaw(fmt.Sprintf(`{"op":9,"d":%t,"s":null,"t":null}`, resumable))
}

// ForgetSessions makes every resume of what is connected or was fail with operation 9, d false. Who is connected stays so.
func (s *Server) ForgetSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ses := range s.gateway.sessions {
		ses.forgotten = true
	}
}

// SendRaw sends a text frame to all connections as it is: unknown operations, malformed JSON, anything.
func (s *Server) SendRaw(text string) {
	s.each(func(c *conn) {
		if c.closing == 0 {
			c.enqueue(outgoing{raw: []byte(text)})
		}
	})
}

// SendEvent dispatches an event, known or not, to all sessions with the next sequence number.
func (s *Server) SendEvent(name string, data map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch(0, "", name, data)
}

// DuplicateNext sends the next n events twice, with the same sequence number.
func (s *Server) DuplicateNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.twice = n
}

// SetIdentifyPace refuses identifies that come sooner after the last than this, with operation 9. The vendor's
// is 5 s; a server begins with none, so that tests need not wait.
func (s *Server) SetIdentifyPace(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.pace = d
}

// SetIdentifies sets how many of the day's 1000 identifies are used up.
func (s *Server) SetIdentifies(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.roll(s.Now())
	s.gateway.identifies = n
}

func (s *Server) each(f func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.gateway.conns {
		f(c)
	}
	s.notify()
}
