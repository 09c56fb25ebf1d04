package discordtest

import (
	"encoding/json"
	"time"
)

// session is what can be resumed.
type session struct {
	id        string
	intents   int
	seq       int64
	events    []event
	conn      *conn // nil while disconnected
	left      time.Time
	forgotten bool // it cannot be resumed
}

type event struct {
	seq  int64
	name string
	data any
}

func (e event) frame() object { return object{"op": opDispatch, "s": e.seq, "t": e.name, "d": e.data} }

func (s *Server) identify(c *conn, d json.RawMessage) {
	var in struct {
		Token      string `json:"token"`
		Intents    *int   `json:"intents"`
		Shard      []int  `json:"shard"`
		Properties object `json:"properties"`
	}
	g := &s.gateway
	now := s.Now()
	if json.Unmarshal(d, &in) != nil || in.Intents == nil || in.Properties == nil {
		c.close(closeDecodeError, "Error while decoding payload.")
		return
	}
	s.note(c, GatewayEvent{What: "identify", Intents: *in.Intents})
	switch {
	case len(g.closeNext) > 0:
		code := g.closeNext[0]
		g.closeNext = g.closeNext[1:]
		c.close(code, closeReason(code))
		return
	case c.session != nil:
		c.close(closeAlreadyAuthenticated, closeReason(closeAlreadyAuthenticated))
		return
	case in.Token != s.token && in.Token != "Bot "+s.token: // Discord takes both
		c.close(closeAuthenticationFailed, closeReason(closeAuthenticationFailed))
		return
	case len(in.Shard) != 0 && (len(in.Shard) != 2 || in.Shard[0] < 0 || in.Shard[0] >= in.Shard[1]):
		c.close(closeInvalidShard, closeReason(closeInvalidShard))
		return
	case *in.Intents < 0 || *in.Intents&^knownIntents != 0:
		c.close(closeInvalidIntents, closeReason(closeInvalidIntents))
		return
	case *in.Intents&privilegedIntents&^g.allowed != 0:
		c.close(closeDisallowedIntents, closeReason(closeDisallowedIntents))
		return
	}
	g.roll(now)
	if g.identifies++; g.identifies > identifiesPerDay {
		s.resetTokenLocked()
		return
	}
	if g.pace > 0 && now.Sub(g.lastID) < g.pace {
		c.send(g.faults, object{"op": opInvalidSession, "t": nil, "s": nil, "d": false})
		return
	}
	g.lastID = now
	if !g.faults.NoReady {
		s.ready(c, *in.Intents, in.Shard)
	}
}

// ready begins a session.
func (s *Server) ready(c *conn, intents int, shard []int) {
	ses := &session{id: randomHex(16), intents: intents, conn: c}
	c.session = ses
	s.gateway.sessions[ses.id] = ses
	guilds := []any{}
	for _, id := range sortedKeys(s.world.guilds) {
		if !s.world.guilds[id].gone {
			guilds = append(guilds, object{"id": id, "unavailable": true})
		}
	}
	data := object{
		"v": c.version, "user": s.meJSON(), "guilds": guilds, "session_id": ses.id, "resume_gateway_url": "ws://" + s.addr + "/resume/" + ses.id[:8],
		"application": object{"id": s.world.app, "flags": 0}, "session_type": "normal", "private_channels": []any{}, "relationships": []any{},
		"presences": []any{}, "guild_join_requests": []any{}, "user_settings": object{}, "_trace": []any{},
	}
	if shard != nil {
		data["shard"] = shard
	}
	s.push(ses, "READY", data)
	if intents&intentGuilds == 0 {
		return
	}
	for _, id := range sortedKeys(s.world.guilds) {
		if g := s.world.guilds[id]; !g.gone {
			s.push(ses, "GUILD_CREATE", s.guildCreate(g))
		}
	}
}

func (s *Server) resume(c *conn, d json.RawMessage) {
	var in struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int64  `json:"seq"`
	}
	if json.Unmarshal(d, &in) != nil {
		c.close(closeDecodeError, closeReason(closeDecodeError))
		return
	}
	ses := s.gateway.sessions[in.Session]
	s.note(c, GatewayEvent{What: "resume", Seq: in.Seq, Elsewhere: ses != nil && c.path != "/resume/"+ses.id[:8] && c.path != "/resume/"+ses.id[:8]+"/"})
	switch {
	case len(s.gateway.closeNext) > 0:
		code := s.gateway.closeNext[0]
		s.gateway.closeNext = s.gateway.closeNext[1:]
		c.close(code, closeReason(code))
		return
	case c.session != nil:
		c.close(closeAlreadyAuthenticated, closeReason(closeAlreadyAuthenticated))
		return
	case in.Token != s.token && in.Token != "Bot "+s.token:
		c.close(closeAuthenticationFailed, closeReason(closeAuthenticationFailed))
		return
	case ses == nil || ses.forgotten || ses.conn == nil && s.Now().Sub(ses.left) > resumeWindow:
		delete(s.gateway.sessions, in.Session)
		c.send(s.gateway.faults, object{"op": opInvalidSession, "t": nil, "s": nil, "d": false})
		return
	case in.Seq > ses.seq:
		delete(s.gateway.sessions, ses.id)
		c.close(closeInvalidSeq, closeReason(closeInvalidSeq))
		return
	}
	if ses.conn != nil {
		ses.conn.cut()
	}
	ses.conn, c.session = c, ses
	for _, e := range ses.events {
		if e.seq > in.Seq {
			c.send(s.gateway.faults, e.frame())
		}
	}
	s.push(ses, "RESUMED", object{"_trace": []any{}})
	s.note(c, GatewayEvent{What: "resumed", Seq: in.Seq})
}

// push gives an event to one session, which keeps it for a resume.
func (s *Server) push(ses *session, name string, data any) {
	ses.seq++
	e := event{ses.seq, name, data}
	if name != "RESUMED" {
		ses.events = append(ses.events, e)
	}
	if ses.conn == nil {
		return
	}
	ses.conn.send(s.gateway.faults, e.frame())
}

// dispatch gives an event to all sessions that asked for it. Intent 0 goes to all.
func (s *Server) dispatch(intent int, _ string, name string, data any) {
	s.dispatchFor(intent, "", name, func(int) object { return asObject(data) })
}

func (s *Server) dispatchFor(intent int, _ string, name string, data func(intents int) object) {
	twice := s.gateway.twice > 0
	if twice {
		s.gateway.twice--
	}
	for _, id := range sortedKeys(s.gateway.sessions) {
		ses := s.gateway.sessions[id]
		if intent != 0 && ses.intents&intent == 0 {
			continue
		}
		s.push(ses, name, data(ses.intents))
		if twice && ses.conn != nil {
			ses.conn.send(s.gateway.faults, ses.events[len(ses.events)-1].frame())
		}
	}
	s.notify()
}
