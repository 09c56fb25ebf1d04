package discordtest

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one websocket. What is sent waits in a queue, so that nobody waits for the network
// while holding the server's lock. Its fields are guarded by that lock, except the queue.
type conn struct {
	ws      *websocket.Conn
	path    string
	version int
	session *session
	sends   []time.Time
	closing int // the code that we close with
	beat    *time.Timer

	mu    sync.Mutex
	queue []outgoing
	wake  chan struct{}
	done  chan struct{}
	once  sync.Once
}

type outgoing struct {
	raw    []byte
	code   int // a close frame
	reason string
}

const writeTime = 5 * time.Second

func newConn(ws *websocket.Conn, path string) *conn {
	return &conn{ws: ws, path: path, version: 10, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (c *conn) enqueue(o outgoing) {
	c.mu.Lock()
	c.queue = append(c.queue, o)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// send queues a frame; a silent gateway swallows it.
func (c *conn) send(f GatewayFaults, v any) {
	if f.Silent || c.closing != 0 {
		return
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // all that is sent was made of JSON
	}
	c.enqueue(outgoing{raw: raw})
}

// close queues a close frame, after which the connection ends.
func (c *conn) close(code int, reason string) {
	if c.closing != 0 {
		return
	}
	c.closing = code
	c.enqueue(outgoing{code: code, reason: reason})
}

// cut ends the TCP connection without a close frame.
func (c *conn) cut() {
	if c.closing == 0 {
		c.closing = 1006
	}
	c.end()
	_ = c.ws.NetConn().Close() // that is the fault
}

func (c *conn) end() { c.once.Do(func() { close(c.done) }) }

// write sends the queue until the connection ends.
func (c *conn) write() {
	defer func() { _ = c.ws.NetConn().Close() }() // the reader sees the end
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, o := range queue {
			_ = c.ws.SetWriteDeadline(time.Now().Add(writeTime)) // never fails
			if o.code != 0 {
				_ = c.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(o.code, o.reason)) // the other side may be gone
				c.linger()
				return
			}
			if c.ws.WriteMessage(websocket.TextMessage, o.raw) != nil {
				return
			}
		}
	}
}

// linger lets the client read the close frame and answer it before the connection goes.
func (c *conn) linger() {
	timer := time.NewTimer(writeTime)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	}
}

// tooFast counts what the client sends: 120 in 60 seconds.
// https://discord.com/developers/docs/events/gateway#rate-limiting
func (c *conn) tooFast(now time.Time) bool {
	for len(c.sends) > 0 && now.Sub(c.sends[0]) >= time.Minute {
		c.sends = c.sends[1:]
	}
	c.sends = append(c.sends, now)
	return len(c.sends) > sendsPerMinute
}
