package slack

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"keepwatch"
	"keepwatch/handlers"
)

// sockets is how many connections there are. Slack delivers to any one of them
// (docs.slack.dev/apis/events-api/using-socket-mode), and slack-go closes one as
// soon as Slack warns that it will be refreshed, before it opens the next: what
// comes in between would be lost with one connection alone.
const sockets = 2

const (
	atOnce     = 128              // deliveries handled at the same time; the next wait in slack-go's channel
	pingLimit  = 30 * time.Second // without a ping of Slack for so long a connection counts as dead
	frameLimit = 1 << 20          // bytes; Slack's biggest payloads, views, have 250 kB
)

// Socket is Socket Mode. It feeds a Conversation.
type Socket struct {
	talk *Conversation
	log  *slog.Logger
	now  func() time.Time
	turn chan struct{}
	make func(i int) *socketmode.Client
	pace *pacer

	mu        sync.Mutex
	connected [sockets]bool
	trouble   string // what stands in the way, where none is connected
	told      string // the last trouble that was logged
}

// newSocket makes the clients' parts. next carries the Web API's requests,
// redirected where they are to be.
func newSocket(cfg Config, talk *Conversation, base string, next http.RoundTripper, redirect *handlers.Redirect) *Socket {
	s := &Socket{talk: talk, log: cfg.Log, now: cfg.Now, turn: make(chan struct{}, atOnce), pace: newPacer(cfg.Apart)}
	s.make = func(i int) *socketmode.Client {
		opening := &http.Client{Transport: opener{pace: s.pace, i: i, next: next, redirect: redirect}, Timeout: cfg.Apart + longestPause + callTimeout}
		api := slack.New(cfg.BotToken.Reveal(), slack.OptionAppLevelToken(cfg.AppToken.Reveal()), slack.OptionHTTPClient(opening), slack.OptionAPIURL(base), slack.OptionLog(silent{}))
		return socketmode.New(api, socketmode.OptionPingInterval(pingLimit), socketmode.OptionReadLimit(frameLimit), socketmode.OptionLog(silent{}),
			// The write buffer is slack-go's: Slack drops an answer that is
			// divided into frames. Its 45 s for a handshake are too long for us.
			socketmode.OptionDialer(&websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 15 * time.Second, WriteBufferSize: 32 << 10}))
	}
	return s
}

// run keeps the connections until ctx ends, or gives why Slack refuses them.
func (s *Socket) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group, work sync.WaitGroup
	for i := range sockets {
		client := s.make(i)
		group.Go(func() {
			err := client.RunContext(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				err = errors.New("the connection ended without a reason")
			}
			stop(tokenFault("SLACK_APP_TOKEN", codeOf(err)).Because(err))
		})
		group.Go(func() { s.listen(ctx, stop, i, client, &work) })
	}
	group.Wait()
	work.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// listen handles what a client tells until ctx ends.
func (s *Socket) listen(ctx context.Context, stop context.CancelCauseFunc, i int, client *socketmode.Client, work *sync.WaitGroup) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-client.Events:
			switch e.Type {
			case socketmode.EventTypeHello:
				s.set(i, true)
			case socketmode.EventTypeConnecting:
				s.set(i, false)
			case socketmode.EventTypeConnectionError:
				// slack-go gives up for four errors only, and tries for ever
				// with a token of the wrong kind or one that has expired.
				if failure, ok := e.Data.(*slack.ConnectionErrorEvent); ok {
					if code := codeOf(failure.ErrorObj); fatal(code) {
						stop(tokenFault("SLACK_APP_TOKEN", code).Because(failure.ErrorObj))
						return
					}
					s.failed(failure.ErrorObj)
				}
			case socketmode.EventTypeErrorWriteFailed:
				s.log.Warn("an acknowledgement did not reach Slack; events are delivered again", "socket", i)
			case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
				if e.Request != nil {
					s.handle(ctx, client, *e.Request, work)
				}
			case socketmode.EventTypeErrorBadMessage:
				// An envelope of an unknown type, an event that slack-go has no
				// type for, or one block in it that it cannot read: it gives
				// the raw message and acknowledges nothing, so Slack would
				// deliver it three times more and count failures.
				if bad, ok := e.Data.(*socketmode.ErrorBadMessage); ok {
					var req socketmode.Request
					if err := json.Unmarshal(bad.Message, &req); err != nil || req.EnvelopeID == "" {
						s.log.Warn("a message of Slack cannot be read", "err", bad.Cause)
						continue
					}
					s.handle(ctx, client, req, work)
				}
			}
		}
	}
}

// handle takes an envelope in and acknowledges it, in a goroutine of its own.
func (s *Socket) handle(ctx context.Context, client *socketmode.Client, req socketmode.Request, work *sync.WaitGroup) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	work.Go(func() {
		defer func() { <-s.turn }()
		a := s.dispatch(req)
		if a.again {
			return
		}
		if !req.AcceptsResponsePayload {
			a.body = nil
		}
		// This only puts it into a queue: where the connection is gone, it is
		// sent on the next one. So an acknowledgement may come late or never,
		// and an event is delivered again; Counter.Take knows it by its key.
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := client.AckCtx(wait, req.EnvelopeID, a.body); err != nil {
			s.log.Error("an envelope of Slack could not be acknowledged", "type", req.Type, "err", err)
		}
	})
}

// dispatch hands an envelope to the conversation. A panic ends it alone: handlers
// of slack-go have no recover, and it would end the process.
func (s *Socket) dispatch(req socketmode.Request) (a ack) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("something from Slack broke off", "type", req.Type, "envelope", req.EnvelopeID, "panic", p, "stack", string(debug.Stack()))
			a = ack{body: say(broke)}
		}
	}()
	if req.RetryAttempt > 0 {
		s.log.Info("Slack delivers an event again", "attempt", req.RetryAttempt, "reason", req.RetryReason)
	}
	var err error
	switch req.Type {
	case socketmode.RequestTypeSlashCommands:
		a, err = s.talk.Command(req.Payload, req.EnvelopeID)
	case socketmode.RequestTypeInteractive:
		a, err = s.talk.Interaction(req.Payload, req.EnvelopeID)
	case socketmode.RequestTypeEventsAPI:
		a, err = s.talk.Event(req.Payload, req.EnvelopeID)
	default:
		s.log.Warn("an envelope of a type that Keepwatch does not know", "type", req.Type, "envelope", req.EnvelopeID)
	}
	if err != nil {
		s.log.Error("what Slack sent cannot be read; it is acknowledged and left", "type", req.Type, "err", err)
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
