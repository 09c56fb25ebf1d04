package slack

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// envelope is a frame of Socket Mode
// (docs.slack.dev/apis/events-api/using-socket-mode).
type envelope struct {
	Type         string          `json:"type"`
	Reason       string          `json:"reason"` // of a disconnect
	ID           string          `json:"envelope_id"`
	Payload      json.RawMessage `json:"payload"`
	Accepts      bool            `json:"accepts_response_payload"`
	RetryAttempt int             `json:"retry_attempt"`
	RetryReason  string          `json:"retry_reason"`
}

// link is one connection of Socket Mode.
type link struct {
	conn *websocket.Conn
	i    int // which of the sockets it is
	ping time.Duration
	work sync.WaitGroup // envelopes that it brought

	leaving  chan struct{} // closed when Slack says that it will end
	gone     chan struct{} // closed when it has ended, for the reason err
	err      error
	reason   string // of the disconnect, set before leaving is closed
	open     atomic.Bool
	draining bool // only the reader uses it

	dead    sync.Mutex // over the time at which the connection counts as dead
	stopped bool       // that time has come, and is not put off any more

	write sync.Mutex
}

func newLink(conn *websocket.Conn, i int, ping time.Duration) *link {
	l := &link{conn: conn, i: i, ping: ping, leaving: make(chan struct{}), gone: make(chan struct{})}
	conn.SetReadLimit(frameLimit)
	l.readUntil(helloLimit)
	conn.SetPingHandler(func(data string) error {
		l.alive()
		// A pong that cannot be written is no reason to stop reading.
		_ = conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(5*time.Second))
		return nil
	})
	return l
}

// alive puts off the time at which the connection counts as dead.
func (l *link) alive() {
	if l.open.Load() && !l.draining {
		l.readUntil(l.ping)
	}
}

// readUntil has the connection count as dead after a time, unless it is stopped.
func (l *link) readUntil(d time.Duration) {
	l.dead.Lock()
	defer l.dead.Unlock()
	if !l.stopped {
		_ = l.conn.SetReadDeadline(time.Now().Add(d))
	}
}

// stop ends the reading, now. A ping that comes in meanwhile does not put it off
// again.
func (l *link) stop() {
	l.dead.Lock()
	defer l.dead.Unlock()
	l.stopped = true
	_ = l.conn.SetReadDeadline(time.Now())
}

// next gives the next frame.
func (l *link) next() ([]byte, error) {
	_, frame, err := l.conn.ReadMessage()
	if err == nil {
		l.alive()
	}
	return frame, err
}

func (l *link) hello() {
	l.open.Store(true)
	l.alive()
}

// greeted reports whether Slack said hello.
func (l *link) greeted() bool { return l.open.Load() }

// leave notes that Slack will end the connection. It is read on meanwhile.
func (l *link) leave(reason string) {
	if l.draining {
		return
	}
	l.draining = true
	l.reason = reason
	l.readUntil(drainLimit)
	close(l.leaving)
}

// left reports whether Slack said that it ends the connection for that reason.
func (l *link) left(reason string) bool {
	select {
	case <-l.leaving:
		return l.reason == reason
	default:
		return false
	}
}

func (l *link) end(err error) {
	l.err = err
	close(l.gone)
}

// close waits until everything is acknowledged, as far as that can be, and then
// closes the connection.
func (l *link) close() {
	l.work.Wait()
	_ = l.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	_ = l.conn.Close()
}

// ack acknowledges an envelope, with an answer where there is one.
func (l *link) ack(id string, body any) error {
	data, err := json.Marshal(struct {
		ID   string `json:"envelope_id"`
		Body any    `json:"payload,omitempty"`
	}{id, body})
	if err != nil {
		return fmt.Errorf("write an acknowledgement: %w", err)
	}
	if len(data) >= answerSize {
		return l.ack(id, nil)
	}
	l.write.Lock()
	defer l.write.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	if err := l.conn.WriteMessage(websocket.TextMessage, data); err != nil {
		return fmt.Errorf("send an acknowledgement: %w", err)
	}
	return nil
}
