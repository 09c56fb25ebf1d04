package slacktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const maxSockets = 10 // docs.slack.dev, Socket Mode

// maxReply is from where a response in an acknowledgement is dropped without a
// word, with the acknowledgement (seen in slack-go's socketmode).
const maxReply = 20 << 10

// Socket is one Socket Mode connection of the app.
type Socket struct {
	ID   int // 1 for the first
	s    *Server
	conn *websocket.Conn

	write  sync.Mutex
	silent bool // guarded by Server.mu
	gone   chan struct{}
	once   sync.Once
}

func (s *Server) connectionsOpen(*call) (map[string]any, error) {
	ticket := s.id("ticket")
	s.tickets[ticket] = true
	return map[string]any{"url": strings.Replace(s.web.URL, "http", "ws", 1) + "/link/?ticket=" + ticket + "&app_id=" + AppID}, nil
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	known := s.tickets[ticket] && !s.closed
	delete(s.tickets, ticket) // a ticket opens one socket
	s.mu.Unlock()
	if !known {
		http.Error(w, "unknown ticket", http.StatusNotFound)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s.mu.Lock()
	s.opened++
	c := &Socket{ID: s.opened, s: s, conn: conn, gone: make(chan struct{})}
	full, closed := len(s.sockets) >= maxSockets, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		c.Kill()
		return
	case full:
		c.Disconnect("too_many_websockets")
		c.Close()
		return
	}
	c.run()
}

// run greets, joins the others and reads until the socket ends.
func (c *Socket) run() {
	c.conn.SetPingHandler(func(data string) error {
		if c.isSilent() {
			return nil
		}
		return c.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	c.s.mu.Lock()
	hello := map[string]any{"type": "hello", "num_connections": len(c.s.sockets) + 1, "connection_info": map[string]any{"app_id": AppID},
		"debug_info": map[string]any{"host": "applink-slacktest", "build_number": 1, "approximate_connection_time": c.s.cfg.ConnectionTime}}
	c.s.mu.Unlock()
	raw, _ := json.Marshal(hello) // strings and numbers
	c.Send(raw)
	c.s.mu.Lock()
	if c.s.closed {
		c.s.mu.Unlock()
		c.Kill()
		return
	}
	c.s.sockets = append(c.s.sockets, c)
	c.s.work.Add(1)
	c.s.touch()
	c.s.mu.Unlock()
	go c.ping()
	for {
		_, data, err := c.conn.ReadMessage()
		if err != nil {
			c.Kill()
			return
		}
		if !c.isSilent() {
			c.s.acknowledge(data)
		}
	}
}

func (c *Socket) ping() {
	defer c.s.work.Done()
	tick := time.NewTicker(c.s.cfg.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !c.isSilent() {
				_ = c.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink-slacktest"), time.Now().Add(time.Second)) // the reader sees a dead socket
			}
		case <-c.gone:
			return
		}
	}
}

func (c *Socket) isSilent() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.silent
}

// Send writes a frame as it is, whatever is in it.
func (c *Socket) Send(frame []byte) {
	if c.isSilent() {
		return
	}
	c.write.Lock()
	defer c.write.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = c.conn.WriteMessage(websocket.TextMessage, frame) // the reader sees a dead socket
}

// Kill cuts the connection: no disconnect frame, no close frame.
func (c *Socket) Kill() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.conn.Close()
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.s.sockets = slices.DeleteFunc(c.s.sockets, func(o *Socket) bool { return o == c })
		c.s.touch()
	})
}

// Close says goodbye with a close frame and cuts.
func (c *Socket) Close() {
	if !c.isSilent() {
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second)) // cut anyway
	}
	c.Kill()
}

// Silence leaves the connection open but dead: nothing is sent or read any more,
// pings are not answered. Slack still counts it and still sends payloads to it.
func (c *Socket) Silence() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.silent = true
	c.s.touch()
}

// Disconnect sends a disconnect frame: reason "warning" about 10 s before the end,
// then "refresh_requested"; "link_disabled" when Socket Mode was switched off;
// "too_many_websockets". It does not close.
func (c *Socket) Disconnect(reason string) {
	raw, _ := json.Marshal(map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "applink-slacktest"}}) // strings
	c.Send(raw)
}

// Sockets are those that are open, in the order in which they came.
func (s *Server) Sockets() []*Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sockets)
}

// Opened counts all the sockets that were ever opened.
func (s *Server) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Refresh does to all open sockets what Slack does now and then: a warning, 10 s
// later by the clock refresh_requested, and the close.
func (s *Server) Refresh() {
	for _, c := range s.Sockets() {
		c.Disconnect("warning")
		s.later(10*time.Second, func() {
			c.Disconnect("refresh_requested")
			c.Close()
		})
	}
}

// DisableLink does what happens when Socket Mode is switched off: link_disabled on
// all sockets, and they close.
func (s *Server) DisableLink() {
	for _, c := range s.Sockets() {
		c.Disconnect("link_disabled")
		c.Close()
	}
}

// route chooses a socket: each payload goes to one of those open, here in turn; a
// silent one is open for all that Slack knows. The lock is held.
func (s *Server) route(id int) *Socket {
	if id > 0 {
		for _, c := range s.sockets {
			if c.ID == id {
				return c
			}
		}
		return nil
	}
	if len(s.sockets) == 0 {
		return nil
	}
	s.nextSocket++
	return s.sockets[s.nextSocket%len(s.sockets)]
}
