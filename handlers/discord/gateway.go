package discord

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

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"

	"keepwatch"
	"keepwatch/handlers"
)

// intents is what the gateway is asked for. Message content is not among it: a
// mention of the bot and a direct message have their text without it.
func intents() discordgo.Intent {
	return discordgo.IntentGuilds | discordgo.IntentGuildMessages | discordgo.IntentDirectMessages
}

// pace is how long things take at the most, and how far they are apart.
type pace struct {
	dial, hello, ready, write time.Duration
	slack                     time.Duration // beyond two heartbeats, until a silent gateway is given up
	least, most               time.Duration // between attempts to connect
	stable                    time.Duration // a connection that lasted this long was a good one
	identify                  time.Duration // between two identifies: Discord allows one in 5 s
	invalid                   time.Duration // at least, after op 9; up to five times as long
}

func defaultPace() pace {
	return pace{
		dial: 10 * time.Second, hello: 20 * time.Second, ready: 30 * time.Second, write: 10 * time.Second, slack: 10 * time.Second,
		least: 500 * time.Millisecond, most: 2 * time.Minute, stable: time.Minute, identify: 5 * time.Second, invalid: time.Second,
	}
}

// scarce is how many sessions may be left for the day before they are spread over
// the time until there are new ones. Who uses up all of them has the bot's token
// reset by Discord.
const scarce = 100

// eventsAtOnce is how many events are worked on at the same time; the next one
// waits, and the gateway with it.
const eventsAtOnce = 64

// Gateway is the transport of the websocket connection. It supervises itself:
// discordgo's Session hangs in Open and Close on a silent gateway, holds its lock
// while it sleeps in Close, closes with 1000 on every fault (which gives up the
// session), and keeps session id and number to itself.
type Gateway struct {
	rest  *rest
	token keepwatch.Secret
	to    *url.URL // nil: where Discord says
	pace  pace
	log   *slog.Logger
	jit   func() float64
	state func(error) // told how the connection is
	// present is told what Discord says of the servers that the bot is in.
	present func(name string, data json.RawMessage)
	event   func(context.Context, event) // what to do about an event; runs beside others

	bot        string // the bot's user id, from READY
	last       resumable
	faults     int // connections in a row that did not last
	identified time.Time
	garbledAt  int64 // the number after which something garbled came before; -1: none
}

// The events that matter here (developers/events/gateway-events).
const (
	ready             = "READY"
	resumed           = "RESUMED"
	guildCreate       = "GUILD_CREATE"
	guildDelete       = "GUILD_DELETE"
	interactionCreate = "INTERACTION_CREATE"
	messageCreate     = "MESSAGE_CREATE"
)

// event is a dispatch that somebody may want to know of.
type event struct {
	name string
	data json.RawMessage
	bot  string // the bot's user id
}

// Run stays connected until ctx ends; then it gives nil. It gives an error where
// only a person can help.
func (g *Gateway) Run(ctx context.Context) error {
	g.garbledAt = -1
	turns := make(chan struct{}, eventsAtOnce)
	var working sync.WaitGroup
	defer working.Wait()
	wait := g.pace.least
	for {
		began := time.Now()
		err := g.connect(ctx, turns, &working)
		if ctx.Err() != nil {
			return nil
		}
		if end := fatal(err); end != nil {
			return end
		}
		var refusal *apiError
		if errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized {
			return badToken(err)
		}
		g.state(keepwatch.Errorf(keepwatch.KindTransient, "The connection to Discord was lost; it is being made again.").Because(err))
		g.log.Info("the connection to Discord ended", "err", err, "resume", g.last.id != "")
		if time.Since(began) > g.pace.stable {
			wait, g.faults = g.pace.least, 0
		}
		g.afterFault(err)
		pause := time.Duration(float64(wait) * (0.5 + g.jit()/2))
		if errors.Is(err, errInvalid) {
			pause = max(pause, time.Duration(float64(g.pace.invalid)*(1+4*g.jit()))) // 1 to 5 s, developers/events/gateway
		}
		if !sleep(ctx, pause) {
			return nil
		}
		wait = min(2*wait, g.pace.most)
	}
}

// afterFault decides whether the session can be resumed.
func (g *Gateway) afterFault(err error) {
	g.faults++
	switch {
	case g.faults%6 == 0: // it does not go on; begin anew
		g.last = resumable{}
	case g.faults%3 == 0:
		g.last.address = "" // the address may be gone, and the general one not
	case errors.Is(err, errInvalid), forgotten(err):
		g.last = resumable{}
	case errors.Is(err, errGarbled):
		// Resuming brings again what was lost; where it is garbled again, it is
		// given up.
		if g.garbledAt == g.last.seq {
			g.last = resumable{}
			g.garbledAt = -1
		} else {
			g.garbledAt = g.last.seq
		}
	}
}

// connect makes one connection and serves it to its end.
func (g *Gateway) connect(ctx context.Context, turns chan struct{}, working *sync.WaitGroup) error {
	address := g.last.address
	if g.last.id == "" || address == "" {
		var err error
		if address, err = g.admission(ctx); err != nil {
			return err
		}
	}
	ws, err := g.dial(ctx, address)
	if err != nil {
		if g.last.id != "" { // the resume address may have gone: find the general one next time
			g.last.address = ""
		}
		return err
	}
	c := &connection{ws: ws, token: g.token, pace: g.pace, log: g.log, jit: g.jit}
	err = c.serve(ctx, g.last, func(f frame) {
		switch f.Name {
		case ready:
			g.ready(f.Data)
			g.present(f.Name, f.Data)
		case guildCreate, guildDelete:
			g.present(f.Name, f.Data)
		case resumed:
			g.state(nil)
			g.log.Info("connected to Discord again, where it ended")
		}
		g.last.seq = c.seq.Load()
		if f.Name != interactionCreate && f.Name != messageCreate {
			return
		}
		bot := g.bot
		turns <- struct{}{}
		working.Go(func() {
			defer func() { <-turns }()
			g.dispatch(ctx, event{f.Name, f.Data, bot})
		})
	})
	code := closeResumable
	if ctx.Err() != nil { // we stop for good
		code = websocket.CloseNormalClosure
	}
	c.close(code)
	return err
}

// ready notes the session. discordgo's Ready has no resume_gateway_url, and its
// Session resumes at the general address.
func (g *Gateway) ready(data json.RawMessage) {
	var r struct {
		Session string          `json:"session_id"`
		Resume  string          `json:"resume_gateway_url"`
		User    *discordgo.User `json:"user"`
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Session == "" {
		g.log.Warn("Discord's READY could not be read, so this session cannot be resumed", "err", err)
	}
	g.last = resumable{id: r.Session, address: r.Resume}
	g.state(nil)
	if r.User != nil {
		g.bot = r.User.ID
	}
	g.log.Info("connected to Discord", "user", g.bot)
}

// dispatch hands an event on. A panic is the end of this event alone: discordgo's
// handlers have no recover, and take the process with them.
func (g *Gateway) dispatch(ctx context.Context, e event) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("an event of Discord broke off", "event", e.name, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	g.event(context.WithoutCancel(ctx), e) // what has arrived is finished, also while the bot stops
}

// admission asks where to connect, and waits until a new session may begin.
func (g *Gateway) admission(ctx context.Context) (string, error) {
	var bot struct {
		URL   string `json:"url"`
		Limit struct {
			Total      int   `json:"total"`
			Remaining  int   `json:"remaining"`
			ResetAfter int64 `json:"reset_after"` // milliseconds
		} `json:"session_start_limit"`
	}
	if err := g.rest.call(ctx, http.MethodGet, discordgo.EndpointGatewayBot, nil, &bot); err != nil {
		var refusal *apiError
		if errors.As(err, &refusal) && refusal.Status == http.StatusTooManyRequests {
			sleep(ctx, refusal.RetryAfter)
		}
		return "", fmt.Errorf("ask where Discord's gateway is: %w", err)
	}
	if g.last.id != "" {
		return bot.URL, nil // resuming is not counted
	}
	pause := time.Until(g.identified.Add(g.pace.identify))
	if reset := time.Duration(bot.Limit.ResetAfter) * time.Millisecond; bot.Limit.Total > 0 && bot.Limit.Remaining < min(scarce, bot.Limit.Total/10) {
		pause = max(pause, reset/time.Duration(bot.Limit.Remaining+1))
		g.state(keepwatch.Errorf(keepwatch.KindTransient, "Discord allows this bot %d more connections until %s, because it connected too often. It is waiting for its turn. Is the same token in use elsewhere?",
			bot.Limit.Remaining, time.Now().Add(reset).UTC().Format("15:04 UTC")))
		g.log.Warn("Discord's connections for the day are nearly used up", "left", bot.Limit.Remaining, "wait", pause)
	}
	if !sleep(ctx, max(pause, 0)) {
		return "", ctx.Err()
	}
	g.identified = time.Now()
	return bot.URL, nil
}

// dial connects to an address that Discord named.
func (g *Gateway) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("discord named %q as its gateway", address)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery = url.Values{"v": {discordgo.APIVersion}, "encoding": {"json"}}.Encode()
	if g.to != nil {
		u = handlers.Redirect{To: g.to}.URL(u)
	}
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: g.pace.dial}
	ctx, cancel := context.WithTimeout(ctx, g.pace.dial)
	defer cancel()
	ws, resp, err := dialer.DialContext(ctx, u.String(), nil)
	if resp != nil && resp.Body != nil && err != nil {
		resp.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to Discord's gateway at %s: %w", u.Host, err)
	}
	return ws, nil
}
