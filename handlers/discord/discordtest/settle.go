package discordtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
)

// Settle returns once everything is carried out that programs have sent which have
// ended: when a program is killed, its last requests are still in a socket or being
// worked on. Without it time that is made to pass ([Server.Age], or the clock of the
// next program) passes between sending and doing, which takes Discord no minutes.
// Called while no program runs: it waits until nobody has a connection to the REST
// interface any more. The error wraps the context's.
func (s *Server) Settle(ctx context.Context) error {
	// Connections are accepted in the order in which they came: behind this one
	// there is none that the server has not seen yet.
	last, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("wait for what was sent: %w", err)
	}
	err = s.Wait(ctx, "the last connection", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.clients {
			if c.RemoteAddr().String() == last.LocalAddr().String() {
				return true
			}
		}
		return false
	})
	_ = last.Close() // nothing was written
	if err != nil {
		return err
	}
	return s.Wait(ctx, "the end of all connections", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.clients) == 0
	})
}

// connected keeps who has a connection. One is closed when its requests are worked
// off; a gateway's is no longer HTTP's.
func (s *Server) connected(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.clients[c] = true
	case http.StateHijacked, http.StateClosed:
		delete(s.clients, c)
	default:
		return
	}
	s.notify()
}
