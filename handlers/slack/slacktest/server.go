package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Config is how a Server is made; the zero value is a usable one.
type Config struct {
	Clock Clock // default WallClock
	Rates Rates // default: limits enforced, with a burst of 4 messages a channel
	// Scopes are those of the bot token; default AllScopes.
	Scopes []string
	// PingEvery is how often a socket is pinged, by the wall; default 5 s.
	PingEvery time.Duration
	// AnswerTime is what the app has to acknowledge in; default [AnswerTime]. A test
	// that is about something else may give a busy machine more.
	AnswerTime time.Duration
	// ConnectionTime is what hello promises, in seconds; default 3600. The
	// fake closes nothing by it: call [Server.Refresh].
	ConnectionTime int
	// Echo tells the app of its own messages in direct messages, of their edits and
	// deletions, as Slack does for whoever subscribes to message.im: an app that
	// answers itself never stops.
	Echo bool
	// Files is the base of upload addresses, as Slack's are at another host than its
	// API; "": the fake's own.
	Files string
	// Validate, when set, is asked about every blocks payload that arrives, in
	// addition to the fake's own limits. What it says is kept for
	// [Server.SchemaViolations]; the request goes on. New sets it to the schema of
	// Block Kit where that is installed; see [BlockSchema].
	Validate func(blocks json.RawMessage) error
}

// What the fake knows from the start. More is made with AddUser, AddChannel and
// AddGroup.
const (
	TeamID        = "T0TEAM"
	AppID         = "A0APP"
	BotUser       = "U0BOT"
	BotID         = "B0BOT"
	Alis          = "U0ALIS"
	Bram          = "U0BRAM"
	Ops           = "C0OPS"    // public, the bot is in it
	Random        = "C0RANDOM" // public, the bot is not in it
	Secret        = "G0SECRET" // private, the bot is in it
	BotToken      = "xoxb-1000-2000-slacktestbot"
	AppToken      = "xapp-1-A0APP-3000-slacktestapp"
	SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5" // as in Slack's published example
)

// Server is one fake workspace with one app installed. Its methods may be called
// from any goroutine.
type Server struct {
	cfg    Config
	clock  Clock
	web    *httptest.Server
	client *http.Client
	ctx    context.Context
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
	closed  bool
	seq     int
	clients map[net.Conn]bool // that have a connection to the Web API

	world
	tokens     map[string]*token
	calls      []Call
	faults     []*Fault
	limits     limits
	sockets    []*Socket
	tickets    map[string]bool
	nextSocket int
	opened     int
	bySend     map[string]*Delivery // by envelope id
	deliveries []*Delivery
	stats      Stats
	target     string // base URL in HTTP mode
	hooks      map[string]*hook
	triggers   map[string]*trigger
	uploads    map[string]*upload
	slowFiles  int
	schemaBad  []string
	timers     map[string]func() // what stops them
}

// New starts a Server and ends it with the test.
func New(t testing.TB, cfg Config) *Server {
	t.Helper()
	if cfg.Validate == nil {
		cfg.Validate = installedSchema()
	}
	s := Open(cfg)
	t.Cleanup(s.Close)
	return s
}

// Open starts a Server that the caller closes.
func Open(cfg Config) *Server {
	if cfg.Clock == nil {
		cfg.Clock = WallClock{}
	}
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 5 * time.Second
	}
	if cfg.AnswerTime == 0 {
		cfg.AnswerTime = AnswerTime
	}
	if cfg.ConnectionTime == 0 {
		cfg.ConnectionTime = 3600
	}
	if cfg.Scopes == nil {
		cfg.Scopes = AllScopes()
	}
	s := &Server{
		cfg: cfg, clock: cfg.Clock, changed: make(chan struct{}), world: newWorld(), clients: map[net.Conn]bool{},
		tickets: map[string]bool{}, bySend: map[string]*Delivery{}, hooks: map[string]*hook{},
		triggers: map[string]*trigger{}, timers: map[string]func(){}, uploads: map[string]*upload{}, limits: newLimits(cfg.Rates),
		tokens: map[string]*token{
			BotToken: {kind: botToken, scopes: cfg.Scopes}, AppToken: {kind: appToken, scopes: []string{"connections:write"}},
		},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	// Keep-alive would leave idle connections to the app's port behind.
	s.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("/link/", s.serveSocket)
	mux.HandleFunc("/hooks/{id}", s.serveHook)
	mux.HandleFunc("/upload/{id}", s.serveUpload)
	s.web = httptest.NewUnstartedServer(mux) // requests read s.web, so it is there before it starts
	s.web.Config.ConnState = s.connected
	s.web.Start()
	return s
}

// APIURL is the base address of the Web API, with "/api/" at its end.
func (s *Server) APIURL() string { return s.web.URL + "/api/" }

// Close ends sockets, timers and requests, and the listener. Calls that are held
// by a fault are let go.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	sockets := append([]*Socket(nil), s.sockets...)
	s.stopTimers()
	s.mu.Unlock()
	s.stop()
	for _, c := range sockets {
		c.Kill()
	}
	s.web.CloseClientConnections()
	s.web.Close()
	s.work.Wait()
}

// touch tells those who wait that something has changed. The lock is held.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// id makes a name that was not there before. The lock is held.
func (s *Server) id(prefix string) string {
	s.seq++
	return fmt.Sprintf("%s%08d", prefix, s.seq)
}

// Wait returns when cond holds, or with ctx's error. cond may call any method of
// the Server; it is asked again after every change.
func (s *Server) Wait(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the fake Slack: %w", ctx.Err())
		}
	}
}

// WaitMessage returns the first message of the channel that cond takes.
func (s *Server) WaitMessage(ctx context.Context, channel string, cond func(Message) bool) (Message, error) {
	return waitFirst(ctx, s, func() []Message { return s.Messages(channel) }, cond)
}

// WaitEphemeral returns the first message that only this person sees and cond takes.
func (s *Server) WaitEphemeral(ctx context.Context, user, channel string, cond func(Message) bool) (Message, error) {
	return waitFirst(ctx, s, func() []Message { return s.Ephemerals(user, channel) }, cond)
}

// WaitView returns the modal that the person sees once cond takes it.
func (s *Server) WaitView(ctx context.Context, user string, cond func(View) bool) (View, error) {
	return waitFirst(ctx, s, func() []View { return some(s.View(user)) }, cond)
}

// WaitHome returns the person's app home once cond takes it.
func (s *Server) WaitHome(ctx context.Context, user string, cond func(View) bool) (View, error) {
	return waitFirst(ctx, s, func() []View { return some(s.Home(user)) }, cond)
}

// WaitCall returns the first logged call of the method that cond takes; a nil cond
// takes every call.
func (s *Server) WaitCall(ctx context.Context, method string, cond func(Call) bool) (Call, error) {
	return waitFirst(ctx, s, func() []Call { return s.Calls(method) }, cond)
}

// WaitSockets returns when n sockets are open.
func (s *Server) WaitSockets(ctx context.Context, n int) error {
	return s.Wait(ctx, func() bool { return len(s.Sockets()) == n })
}

func some(v View, ok bool) []View {
	if !ok {
		return nil
	}
	return []View{v}
}

func waitFirst[T any](ctx context.Context, s *Server, all func() []T, cond func(T) bool) (found T, err error) {
	err = s.Wait(ctx, func() bool {
		for _, x := range all() {
			if cond == nil || cond(x) {
				found = x
				return true
			}
		}
		return false
	})
	return found, err
}

// Saying takes the messages that show text somewhere, in their blocks or, without
// blocks, in their text. For WaitMessage and WaitEphemeral.
func Saying(text string) func(Message) bool {
	return func(m Message) bool { return strings.Contains(m.Plain(), text) }
}
