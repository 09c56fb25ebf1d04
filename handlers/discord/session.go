package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"keepwatch"
)

// Opcodes of the gateway (developers/topics/opcodes-and-status-codes).
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// maxFrame is the largest event that is read, in bytes: a server with thousands
// of channels makes large ones.
const maxFrame = 32 << 20

// Why a connection ended, where Discord did not close it.
var (
	errReconnect = errors.New("discord asked for a new connection")
	errResumable = errors.New("discord found the session invalid, and lets it be resumed")
	errInvalid   = errors.New("discord found the session invalid")
	errNoAck     = errors.New("a heartbeat was not acknowledged: the connection is dead")
	errGarbled   = errors.New("discord sent something that is no JSON")
)

// frame is one message of the gateway.
type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
	Seq  int64           `json:"s"`
	Name string          `json:"t"`
}

// resumable is what a new connection needs to go on where the last one ended.
type resumable struct {
	id      string // empty: there is no session
	address string // where it is resumed
	seq     int64
}

// connection is one websocket connection to the gateway, from hello to its end.
type connection struct {
	ws    *websocket.Conn
	token keepwatch.Secret
	pace  pace
	log   *slog.Logger
	jit   func() float64 // 0 to 1

	writing sync.Mutex
	seq     atomic.Int64
	acked   atomic.Bool
	dead    atomic.Bool // closed because a heartbeat was not acknowledged
}

// serve greets, identifies or resumes, and reads until the connection ends. Each
// dispatch is handed to event in order. It always gives an error.
func (c *connection) serve(ctx context.Context, from resumable, event func(frame)) error {
	c.ws.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancel(ctx)
	var beats sync.WaitGroup
	defer beats.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.ws.NetConn().SetReadDeadline(time.Unix(1, 0)) }) // wakes a read
	defer stop()
	hello, err := c.hello()
	if err != nil {
		return err
	}
	interval := time.Duration(hello * float64(time.Millisecond))
	c.seq.Store(from.seq)
	c.acked.Store(true)
	if err := c.greet(from); err != nil {
		return err
	}
	beats.Go(func() { c.beat(ctx, interval) })
	begin := time.Now().Add(c.pace.ready)
	began := false
	for {
		// discordgo reads without a deadline, and hangs on a silent gateway for
		// ever. Something must come within every interval: acknowledgements do.
		until := time.Now().Add(2*interval + c.pace.slack)
		if !began && until.After(begin) {
			until = begin
		}
		f, err := c.read(ctx, until)
		if err != nil {
			return err
		}
		if f.Op == opDispatch && (f.Name == ready || f.Name == resumed) {
			began = true
		}
		if err := c.handle(f, event); err != nil {
			return err
		}
	}
}

// hello waits for the first message, and gives the interval of heartbeats in
// milliseconds.
func (c *connection) hello() (float64, error) {
	f, err := c.read(context.Background(), time.Now().Add(c.pace.hello))
	if err != nil {
		return 0, fmt.Errorf("wait for discord's hello: %w", err)
	}
	var hello struct {
		Interval float64 `json:"heartbeat_interval"`
	}
	if f.Op != opHello || json.Unmarshal(f.Data, &hello) != nil || hello.Interval < 10 || hello.Interval > 600_000 {
		return 0, fmt.Errorf("discord began with op %d and not with a hello", f.Op)
	}
	return hello.Interval, nil
}

// greet identifies, or resumes a session.
func (c *connection) greet(from resumable) error {
	if from.id != "" {
		return c.send(opResume, map[string]any{"token": c.token.Reveal(), "session_id": from.id, "seq": from.seq})
	}
	return c.send(opIdentify, map[string]any{
		"token": c.token.Reveal(), "intents": int(intents()), "large_threshold": 50,
		"properties": map[string]string{"os": runtime.GOOS, "browser": "keepwatch", "device": "keepwatch"},
	})
}

// handle does what one message asks for.
func (c *connection) handle(f frame, event func(frame)) error {
	switch f.Op {
	case opDispatch:
		if f.Seq > 0 {
			c.seq.Store(f.Seq)
		}
		event(f)
	case opHeartbeat:
		return c.send(opHeartbeat, c.lastSeq())
	case opHeartbeatAck:
		c.acked.Store(true)
	case opReconnect:
		return errReconnect
	case opInvalidSession:
		// discordgo identifies on the same socket at once, with the old number.
		// Here the connection ends, and the next one does what fits.
		if string(f.Data) == "true" {
			return errResumable
		}
		return errInvalid
	default:
		c.log.Debug("Discord's gateway sent something unknown, which was left alone", "op", f.Op)
	}
	return nil
}

// beat sends a heartbeat each interval, the first one somewhere within it. One
// that was not acknowledged by the next means that the connection is dead:
// discordgo waits for five of them.
func (c *connection) beat(ctx context.Context, interval time.Duration) {
	for wait := time.Duration(float64(interval) * c.jit()); ; wait = interval {
		if !sleep(ctx, wait) {
			return
		}
		if !c.acked.Swap(false) {
			c.dead.Store(true)
			_ = c.ws.NetConn().SetReadDeadline(time.Unix(1, 0))
			return
		}
		if err := c.send(opHeartbeat, c.lastSeq()); err != nil {
			_ = c.ws.NetConn().SetReadDeadline(time.Unix(1, 0))
			return
		}
	}
}

// lastSeq is null before the first dispatch.
func (c *connection) lastSeq() any {
	if seq := c.seq.Load(); seq > 0 {
		return seq
	}
	return nil
}

// read gives the next message.
func (c *connection) read(ctx context.Context, until time.Time) (frame, error) {
	if err := c.ws.SetReadDeadline(until); err != nil {
		return frame{}, fmt.Errorf("read from the gateway: %w", err)
	}
	if ctx.Err() != nil || c.dead.Load() { // it ended between the two
		_ = c.ws.NetConn().SetReadDeadline(time.Unix(1, 0))
	}
	_, data, err := c.ws.ReadMessage()
	switch {
	case ctx.Err() != nil:
		return frame{}, ctx.Err()
	case c.dead.Load():
		return frame{}, errNoAck
	case err != nil:
		return frame{}, fmt.Errorf("read from the gateway: %w", err)
	}
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		return frame{}, fmt.Errorf("%w: %w", errGarbled, err)
	}
	return f, nil
}

// send writes one message, with a deadline.
func (c *connection) send(op int, data any) error {
	text, err := json.Marshal(map[string]any{"op": op, "d": data})
	if err != nil {
		return fmt.Errorf("encode for the gateway: %w", err)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.pace.write)); err != nil {
		return fmt.Errorf("write to the gateway: %w", err)
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, text); err != nil {
		return fmt.Errorf("write to the gateway: %w", err)
	}
	return nil
}

// close ends the connection. Only where the bot stops for good is the session
// given up with it.
func (c *connection) close(code int) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(c.pace.write)) // it may be closed already
	_ = c.ws.Close()
}
