package discordtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// Operations of the gateway, https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway.
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opPresence       = 3
	opVoiceState     = 4
	opResume         = 6
	opReconnect      = 7
	opRequestMembers = 8
	opInvalidSession = 9
	opHello          = 10
	opAck            = 11
)

// Close codes of the gateway.
const (
	CloseUnknownError         = 4000
	closeUnknownOpcode        = 4001
	closeDecodeError          = 4002
	closeNotAuthenticated     = 4003
	closeAuthenticationFailed = 4004
	closeAlreadyAuthenticated = 4005
	closeInvalidSeq           = 4007
	closeRateLimited          = 4008
	closeSessionTimedOut      = 4009
	closeInvalidShard         = 4010
	closeInvalidVersion       = 4012
	closeInvalidIntents       = 4013
	closeDisallowedIntents    = 4014
)

// Intents that the fake heeds, https://discord.com/developers/docs/events/gateway#gateway-intents.
const (
	intentGuilds         = 1 << 0
	intentGuildMembers   = 1 << 1 // privileged
	intentPresences      = 1 << 8 // privileged
	intentGuildMessages  = 1 << 9
	intentDirectMessages = 1 << 12
	IntentMessageContent = 1 << 15 // privileged
	IntentGuildMembers   = intentGuildMembers
	privilegedIntents    = intentGuildMembers | intentPresences | IntentMessageContent
	knownIntents         = 1<<22 - 1 | 1<<24 | 1<<25
)

const (
	identifiesPerDay = 1000
	sendsPerMinute   = 120
	maxFrame         = 4096 // of what a client sends
	resumeWindow     = 5 * time.Minute
)

type gateway struct {
	interval   time.Duration
	allowed    int
	conns      map[*conn]bool
	sessions   map[string]*session
	identifies int
	day        time.Time // when the count begins again
	faults     GatewayFaults
	closeNext  []int
	refuse     []int
	pace       time.Duration
	lastID     time.Time
	twice      int
	log        []GatewayEvent
}

func (g *gateway) init(cfg Config) {
	g.interval, g.allowed = cfg.HeartbeatInterval, cfg.AllowedIntents
	g.conns, g.sessions = map[*conn]bool{}, map[string]*session{}
}

// roll begins the day anew when it is over.
func (g *gateway) roll(now time.Time) {
	if !g.day.After(now) {
		g.day, g.identifies = now.Add(24*time.Hour), 0
	}
}

// serveGateway is one websocket from dial to close.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var refuse int
	if q := s.gateway.refuse; len(q) > 0 {
		refuse, s.gateway.refuse = q[0], q[1:]
	}
	s.mu.Unlock()
	if refuse != 0 {
		http.Error(w, http.StatusText(refuse), refuse)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.log.Debug("a dial to the gateway was no websocket", "err", err)
		return
	}
	c := newConn(ws, r.URL.Path)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = ws.Close() // the server ends
		return
	}
	s.work.Add(1)
	defer s.work.Done()
	s.gateway.conns[c] = true
	s.work.Go(c.write)
	s.note(c, GatewayEvent{What: "connect"})
	q := r.URL.Query()
	if q.Get("v") == "9" {
		c.version = 9
	}
	switch v := q.Get("v"); {
	case v != "" && v != "9" && v != "10":
		c.close(closeInvalidVersion, "Invalid API version")
	case q.Get("encoding") != "" && q.Get("encoding") != "json" || q.Get("compress") != "":
		c.close(closeDecodeError, "This fake speaks JSON without compression only.")
	case !s.gateway.faults.NoHello:
		c.send(s.gateway.faults, object{"op": opHello, "t": nil, "s": nil, "d": object{"heartbeat_interval": s.gateway.interval.Milliseconds()}})
	}
	c.beat = time.AfterFunc(heartbeatGrace(s.gateway.interval), func() { s.heartless(c) })
	s.mu.Unlock()
	s.read(c)
}

// heartbeatGrace is how long a connection may be without a heartbeat; never so short that a busy
// machine would be taken for a dead client.
func heartbeatGrace(interval time.Duration) time.Duration {
	return max(2*interval+interval/2, 500*time.Millisecond)
}

// heartless ends a connection whose client has stopped sending heartbeats.
func (s *Server) heartless(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway.conns[c] && !s.gateway.faults.Silent { // a silent gateway does not even close
		s.note(c, GatewayEvent{What: "heartbeat missed"})
		c.close(closeSessionTimedOut, "Session timed out.")
	}
}

// read takes what the client sends until the connection ends.
func (s *Server) read(c *conn) {
	c.ws.SetReadLimit(1 << 20) // what is over the vendor's limit is read and closed with 4002
	for {
		_, raw, err := c.ws.ReadMessage()
		s.mu.Lock()
		if err != nil {
			s.hangUp(c, err)
			s.mu.Unlock()
			return
		}
		s.take(c, raw)
		s.mu.Unlock()
	}
}

// hangUp is the end of a connection. A client that closes with 1000 or 1001 gives its session up.
// https://discord.com/developers/docs/events/gateway#initiating-a-disconnect
func (s *Server) hangUp(c *conn, err error) {
	code := 1006
	if closed, is := err.(*websocket.CloseError); is {
		code = closed.Code
	}
	if c.closing != 0 {
		code = c.closing // ours
	}
	s.note(c, GatewayEvent{What: "close", Code: code})
	delete(s.gateway.conns, c)
	c.beat.Stop()
	if ses := c.session; ses != nil && ses.conn == c {
		ses.conn, ses.left = nil, s.Now()
		if endsSession(code, c.closing != 0) {
			delete(s.gateway.sessions, ses.id)
		}
	}
	c.end()
	s.notify()
}

// endsSession says whether a close code ends the session, too: of the client's 1000 and 1001, of ours
// those after which the vendor asks for a new session or for no return.
func endsSession(code int, ours bool) bool {
	if !ours {
		return code == 1000 || code == 1001
	}
	switch code {
	case closeAuthenticationFailed, closeInvalidSeq, closeSessionTimedOut:
		return true
	}
	return code >= closeInvalidShard && code <= closeDisallowedIntents
}

type frame struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
}

// take handles one frame of the client.
func (s *Server) take(c *conn, raw []byte) {
	if s.gateway.faults.Silent || c.closing != 0 {
		return
	}
	if c.tooFast(s.Now()) {
		c.close(closeRateLimited, "Rate limited.")
		return
	}
	var f frame
	if len(raw) > maxFrame || json.Unmarshal(raw, &f) != nil {
		c.close(closeDecodeError, "Error while decoding payload.")
		return
	}
	switch f.Op {
	case opHeartbeat:
		s.heartbeat(c, f.D)
	case opIdentify:
		s.identify(c, f.D)
	case opResume:
		s.resume(c, f.D)
	case opPresence, opVoiceState, opRequestMembers, 14, 31:
		if c.session == nil {
			c.close(closeNotAuthenticated, "Not authenticated.")
		}
	default:
		c.close(closeUnknownOpcode, "Unknown opcode.")
	}
}

func (s *Server) heartbeat(c *conn, d json.RawMessage) {
	var seq int64
	_ = json.Unmarshal(d, &seq) // null before the first event
	s.note(c, GatewayEvent{What: "heartbeat", Seq: seq})
	c.beat.Reset(heartbeatGrace(s.gateway.interval))
	if !s.gateway.faults.NoAck {
		c.send(s.gateway.faults, object{"op": opAck, "t": nil, "s": nil, "d": nil})
	}
}

func closeReason(code int) string {
	switch code {
	case closeUnknownOpcode:
		return "Unknown opcode."
	case closeDecodeError:
		return "Error while decoding payload."
	case closeNotAuthenticated:
		return "Not authenticated."
	case closeAuthenticationFailed:
		return "Authentication failed."
	case closeAlreadyAuthenticated:
		return "Already authenticated."
	case closeInvalidSeq:
		return "Invalid seq."
	case closeRateLimited:
		return "Rate limited."
	case closeSessionTimedOut:
		return "Session timed out."
	case closeInvalidShard:
		return "Invalid shard."
	case closeInvalidVersion:
		return "Invalid API version."
	case closeInvalidIntents:
		return "Invalid intent(s)."
	case closeDisallowedIntents:
		return "Disallowed intent(s)."
	}
	return fmt.Sprintf("Closed with %d.", code)
}
