package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"keepwatch"
	"keepwatch/handlers"
)

// sockets is how many connections there are. Slack delivers to any one of them
// (docs.slack.dev/apis/events-api/using-socket-mode): while one is replaced the
// other takes what comes.
const sockets = 2

const (
	atOnce     = 128              // deliveries handled at the same time; more wait in the connection
	pingLimit  = 30 * time.Second // a connection that brings nothing for so long, not even a ping, is dead
	helloLimit = 10 * time.Second // how long Slack may take to say hello
	drainLimit = 30 * time.Second // how long a connection is read after Slack warned that it ends
	frameLimit = 1 << 20          // bytes; Slack's biggest payloads, views, have 250 kB
	answerSize = 20 << 10         // bytes; Slack drops an answer of that size or more without a word
	retryFirst = time.Second      // the pause after a first failure; it doubles up to
	retryLast  = time.Minute
)

// Socket is Socket Mode. It feeds a Conversation.
//
// The connections are held here and not by slack-go's socketmode.Client, which
// loses what this bot must not lose (v0.35.0, measured against a fake):
//   - any "disconnect" frame, a mere warning too, closes its connection at once,
//     and an envelope that is on its way is lost, with two clients as well. Here
//     a warned connection is read on until Slack closes it, while the next one is
//     opened already.
//   - its Ack only puts into a queue, and what it holds is sent on the next
//     connection where this one has died. Here an acknowledgement is written to
//     the connection that brought the envelope, or there is an error.
//   - an envelope of an unknown type, an event without a type of its own, or one
//     block that it cannot decode is never acknowledged (error_bad_message), so
//     that Slack delivers it three times more. Here only what is used is decoded.
//   - it knows four fatal errors, and tries for ever with a token of the wrong
//     kind or one that has expired. Here every such error ends run.
//   - a connection that ends as soon as it stands is opened anew without a pause.
//
// What remains as Slack does it: an acknowledgement can be lost on its way, and
// events then come again, which Counter.Take knows by their key.
type Socket struct {
	talk     *Conversation
	log      *slog.Logger
	api      *slack.Client
	redirect *handlers.Redirect // nil: none
	pace     *pacer
	ping     time.Duration
	retry    time.Duration // the pause after a first failure
	turn     chan struct{}

	mu        sync.Mutex
	connected [sockets]bool
	trouble   string // what stands in the way, where none is connected
	told      string // the last trouble that was logged
}

func newSocket(cfg Config, talk *Conversation, base string, client *http.Client, redirect *handlers.Redirect) *Socket {
	api := slack.New(cfg.BotToken.Reveal(), slack.OptionAppLevelToken(cfg.AppToken.Reveal()), slack.OptionHTTPClient(client), slack.OptionAPIURL(base), slack.OptionLog(silent{}))
	return &Socket{talk: talk, log: cfg.Log, api: api, redirect: redirect, pace: newPacer(cfg.Apart), ping: pingLimit, retry: retryFirst, turn: make(chan struct{}, atOnce)}
}

// run keeps the connections until ctx ends, or gives why Slack refuses them.
func (s *Socket) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	for i := range sockets {
		group.Go(func() {
			if err := s.hold(ctx, i, &group); err != nil {
				stop(err)
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// hold keeps one connection after the other. It gives an error where only a
// person can help.
func (s *Socket) hold(ctx context.Context, i int, group *sync.WaitGroup) error {
	wait := s.retry
	for {
		if err := sleep(ctx, s.pace.pause(i, time.Now())); err != nil {
			return nil
		}
		l, err := s.open(ctx, i)
		if err == nil {
			group.Go(func() { s.read(ctx, l) })
			select {
			case <-l.leaving:
				err = fmt.Errorf("slack: disconnected, %s", l.reason)
			case <-l.gone:
				err = l.err
			case <-ctx.Done():
				return nil
			}
			s.set(i, false)
			if l.left("link_disabled") {
				return keepwatch.Errorf(keepwatch.KindAttention, "Socket Mode was switched off for the app. Switch it on again at api.slack.com/apps, “Socket Mode”, and start Keepwatch again.").Because(err)
			}
			if l.greeted() {
				wait = s.retry
				s.log.Debug("a connection of Slack ends and is replaced", "socket", i, "err", err)
				continue // the pacer keeps it from spinning
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if code := codeOf(err); fatal(code) {
			return tokenFault("SLACK_APP_TOKEN", err)
		}
		s.failed(err)
		pause := wait
		if limited := (*slack.RateLimitedError)(nil); errors.As(err, &limited) {
			pause = max(pause, limited.RetryAfter)
		}
		if sleep(ctx, pause) != nil {
			return nil
		}
		wait = min(2*wait, retryLast)
	}
}

// open asks for an address and connects to it.
func (s *Socket) open(ctx context.Context, i int) (*link, error) {
	_, address, err := s.api.StartSocketModeContext(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("slack: apps.connections.open gives no address")
	}
	if s.redirect != nil {
		u = s.redirect.URL(u)
	}
	// The buffer is bigger than any answer: Slack does not put an answer
	// together that is divided into frames (slack-go, defaultWriteBufferSize).
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 15 * time.Second, WriteBufferSize: 32 << 10}
	conn, resp, err := dialer.DialContext(ctx, u.String(), nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, withoutURL(err) // the address holds a ticket
	}
	return newLink(conn, i, s.ping), nil
}

// read handles what a connection brings until it ends, and lets go of it once
// everything that it brought is acknowledged.
func (s *Socket) read(ctx context.Context, l *link) {
	defer l.close()
	stop := context.AfterFunc(ctx, l.stop)
	defer stop()
	for ctx.Err() == nil {
		frame, err := l.next()
		if err != nil {
			l.end(err)
			return
		}
		var e envelope
		if err := json.Unmarshal(frame, &e); err != nil {
			s.log.Warn("a frame of Slack cannot be read", "err", err)
			if e.ID == "" {
				continue
			}
		}
		switch {
		case e.Type == "hello":
			l.hello()
			s.set(l.i, true)
		case e.Type == "disconnect":
			l.leave(e.Reason)
		case e.ID != "":
			s.handle(ctx, l, e)
		}
	}
}

// handle takes an envelope in and acknowledges it, in a goroutine of its own.
func (s *Socket) handle(ctx context.Context, l *link, e envelope) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	l.work.Go(func() {
		defer func() { <-s.turn }()
		a := s.dispatch(e)
		if a.again {
			return
		}
		if !e.Accepts {
			a.body = nil
		}
		if err := l.ack(e.ID, a.body); err != nil {
			s.log.Warn("an acknowledgement did not reach Slack; an event is delivered again", "type", e.Type, "err", err)
		}
	})
}

// dispatch hands an envelope to the conversation. A panic ends it alone.
func (s *Socket) dispatch(e envelope) (a ack) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("something from Slack broke off", "type", e.Type, "envelope", e.ID, "panic", p, "stack", string(debug.Stack()))
			a = ack{}
			if e.Type == "slash_commands" {
				a.body = say(broke)
			}
		}
	}()
	if e.RetryAttempt > 0 {
		s.log.Info("Slack delivers an event again", "attempt", e.RetryAttempt, "reason", e.RetryReason)
	}
	var err error
	switch e.Type {
	case "slash_commands":
		a, err = s.talk.Command(e.Payload, e.ID)
	case "interactive":
		a, err = s.talk.Interaction(e.Payload, e.ID)
	case "events_api":
		a, err = s.talk.Event(e.Payload, e.ID)
	default:
		s.log.Warn("an envelope of a type that Keepwatch does not know", "type", e.Type, "envelope", e.ID)
	}
	if err != nil {
		s.log.Error("what Slack sent cannot be read; it is acknowledged and left", "type", e.Type, "err", err)
	}
	return a
}

func (s *Socket) set(i int, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected[i] = up
	s.pace.up(i, up)
	if up {
		if s.told != "" {
			s.log.Info("Slack is connected again")
		}
		s.trouble, s.told = "", ""
	}
}

// failed notes why a connection could not be made; only a change is logged.
func (s *Socket) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := "it does not answer"
	if code := codeOf(err); code != "" {
		text = "it answers " + code
	}
	s.trouble = text
	if text != s.told {
		s.told = text
		s.log.Warn("no connection to Slack; it is tried again", "err", err)
	}
}

// ready gives nil while one of the connections stands.
func (s *Socket) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, up := range s.connected {
		if up {
			return nil
		}
	}
	if s.trouble != "" {
		return keepwatch.Errorf(keepwatch.KindTransient, "There is no connection to Slack (%s); it is tried again.", s.trouble)
	}
	return keepwatch.Errorf(keepwatch.KindTransient, "Slack is being connected.")
}
