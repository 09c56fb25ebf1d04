package discordtest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Config says how a [Server] differs from the ordinary. The zero value will do.
type Config struct {
	Clock             *Clock        // nil: the wall clock
	HeartbeatInterval time.Duration // what hello announces; 41.25 s when zero
	AllowedIntents    int           // privileged intents switched on in the portal; others close with 4014
	AnswerTime        time.Duration // for the first response to an interaction; [AnswerTime] when zero
	NoRateLimits      bool          // no bucket ever runs out (headers stay)
	Spec              *SpecDoc      // when set, every body is held against the vendor's vocabulary
	Logger            *slog.Logger  // where the fake says what it does; nil: nowhere
}

// Server is one fake Discord on a loopback port. All methods may be called from
// any goroutine.
type Server struct {
	cfg     Config
	log     *slog.Logger
	http    *http.Server
	mux     *http.ServeMux
	addr    string
	private ed25519.PrivateKey
	public  ed25519.PublicKey
	client  *http.Client
	ctx     context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever anything changes
	closed   bool
	sequence int64
	token    string
	world    world
	commands registry
	talk     talk
	limits   limits
	faults   faults
	gateway  gateway
	delivery delivery
	calls    []Call
	clients  map[net.Conn]bool // that have a connection to the REST interface
	broken   []string
}

// New starts a server that ends with the test.
func New(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a server that the caller closes.
func Start(cfg Config) (*Server, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the interactions key: %w", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if cfg.HeartbeatInterval == 0 {
		cfg.HeartbeatInterval = 41250 * time.Millisecond
	}
	if cfg.AnswerTime == 0 {
		cfg.AnswerTime = AnswerTime
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		cfg: cfg, log: cfg.Logger, addr: ln.Addr().String(), public: public, private: private,
		client: &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		ctx:    ctx, stop: stop, changed: make(chan struct{}), clients: map[net.Conn]bool{}, token: "MTA." + randomHex(6) + "." + randomHex(14),
	}
	s.talk.init()
	s.limits.init(!cfg.NoRateLimits)
	s.commands.init()
	s.gateway.init(cfg)
	s.makeWorld()
	s.mux = http.NewServeMux()
	s.routes()
	s.http = &http.Server{Handler: s.mux, ConnState: s.connected, ErrorLog: slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug)}
	cfg.Clock.onAdvance(func() { s.mu.Lock(); s.notify(); s.mu.Unlock() })
	s.work.Go(func() { _ = s.http.Serve(ln) }) // it returns when the server is closed
	return s, nil
}

// Close ends every connection and everything that the server started.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.faults.releaseAll()
	for conn := range s.gateway.conns {
		conn.cut()
	}
	s.notify()
	s.mu.Unlock()
	s.stop()
	_ = s.http.Close() // the listener is ours alone: there is nobody to tell
	s.client.CloseIdleConnections()
	s.work.Wait()
}

// URL is the server's root, such as http://127.0.0.1:4011, without a slash.
func (s *Server) URL() string { return "http://" + s.addr }

// APIURL is the base of one version of the interface, such as
// http://127.0.0.1:4011/api/v10, without a slash. Versions are 9 and 10.
func (s *Server) APIURL(version int) string { return s.URL() + "/api/v" + strconv.Itoa(version) }

// GatewayURL is the address that GET /gateway names.
func (s *Server) GatewayURL() string { return "ws://" + s.addr + "/gateway" }

// Token is the bot's token, without the word Bot.
func (s *Server) Token() string { s.mu.Lock(); defer s.mu.Unlock(); return s.token }

// ResetToken replaces the bot's token, as after a leak or a thousand identifies,
// and closes every session with 4004.
func (s *Server) ResetToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resetTokenLocked()
	return s.token
}

func (s *Server) resetTokenLocked() {
	s.token = "MTA." + randomHex(6) + "." + randomHex(14)
	s.gateway.sessions = map[string]*session{}
	for conn := range s.gateway.conns {
		conn.close(closeAuthenticationFailed, "Authentication failed.")
	}
}

// PublicKey is what interactions by HTTP are signed for, in hexadecimal, as the
// developer portal shows it.
func (s *Server) PublicKey() string { return hex.EncodeToString(s.public) }

// Now is the server's time.
func (s *Server) Now() time.Time { return s.cfg.Clock.Now() }

// Wait returns when cond holds, which it asks at once and after every change. The
// error names what was waited for and wraps the context's.
func (s *Server) Wait(ctx context.Context, what string, cond func() bool) error {
	for {
		s.mu.Lock()
		changed, closed := s.changed, s.closed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		if closed {
			return fmt.Errorf("wait for %s: the server is closed", what)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

// Violations are bodies that the vendor's vocabulary does not allow, of requests
// and of answers, when [Config.Spec] is set.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.broken...)
}

// notify wakes all waiters. The caller holds the lock.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// soon wakes the waiters when the time has come, on the wall clock; a Clock wakes them
// itself. The caller holds the lock.
func (s *Server) soon(d time.Duration) {
	if s.cfg.Clock != nil || s.closed {
		return
	}
	s.work.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			s.mu.Lock()
			s.notify()
			s.mu.Unlock()
		case <-s.ctx.Done():
		}
	})
}

// epoch is the first second of 2015, from which snowflakes count.
// https://discord.com/developers/docs/reference#snowflakes
const epoch = 1420070400000

// id makes a snowflake. The caller holds the lock.
func (s *Server) id() string {
	s.sequence++
	return strconv.FormatInt((s.Now().UnixMilli()-epoch)<<22|s.sequence&0x3fffff, 10)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)
}

// stamp writes a time as Discord does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }
