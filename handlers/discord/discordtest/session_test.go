package discordtest

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// anew demands that a session cannot be resumed, and begins another on the same socket.
func anew(t *testing.T, s *Server, ready object) {
	t.Helper()
	c := dial(t, resumeURL(ready))
	c.next(opHello, "")
	c.send(resumeFrame(s, ready, 2))
	if d := c.next(opInvalidSession, "")["d"]; d != false {
		t.Errorf("op 9 says %v", d)
	}
	c.send(identify(s, ordinary))
	c.next(opDispatch, "READY")
}

// gone waits until the server has seen one connection end.
func gone(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Wait(within(t), "the close", func() bool { return s.CountGateway("close") == 1 }); err != nil {
		t.Fatal(err)
	}
}

func TestNoResume(t *testing.T) {
	clock := noon()
	for name, lose := range map[string]func(*testing.T, *Server, *socket){
		"closed with 1000": func(t *testing.T, s *Server, c *socket) {
			_ = c.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""))
			gone(t, s)
		},
		"closed with 1001": func(t *testing.T, s *Server, c *socket) {
			_ = c.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1001, ""))
			gone(t, s)
		},
		"invalidated": func(t *testing.T, s *Server, c *socket) {
			s.InvalidateSessions(false)
			if d := c.next(opInvalidSession, "")["d"]; d != false {
				t.Errorf("op 9 says %v", d)
			}
		},
		"timed out, 4009":     func(t *testing.T, s *Server, c *socket) { s.CloseGateway(4009); c.closed(4009); gone(t, s) },
		"wrong intents, 4014": func(t *testing.T, s *Server, c *socket) { s.CloseGateway(4014); c.closed(4014); gone(t, s) },
		"a wrong sequence, 4007": func(t *testing.T, s *Server, _ *socket) {
			ready := object{"session_id": sortedKeys(s.gateway.sessions)[0]}
			c := dial(t, s.GatewayURL())
			c.next(opHello, "")
			c.send(resumeFrame(s, ready, 99))
			c.closed(4007)
		},
		"forgotten":     func(t *testing.T, s *Server, c *socket) { s.ForgetSessions(); s.CutGateway(); gone(t, s) },
		"away too long": func(t *testing.T, s *Server, c *socket) { s.CutGateway(); gone(t, s); clock.Advance(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Config{Clock: clock})
			c, ready := login(t, s, ordinary)
			lose(t, s, c)
			anew(t, s, ready)
		})
	}
	t.Run("closed with 4000", func(t *testing.T) { // such a session lives on
		s := serve(t, Config{})
		c, ready := login(t, s, ordinary)
		_ = c.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4000, ""))
		gone(t, s)
		c = dial(t, resumeURL(ready))
		c.next(opHello, "")
		c.send(resumeFrame(s, ready, 2))
		c.next(opDispatch, "RESUMED")
	})
}
