package discord

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
	"keepwatch/handlers"
)

// Path is where the HTTP endpoint for interactions is mounted.
const Path = "/discord/interactions"

// Config is what a Frontend needs. Token and Counter are required.
type Config struct {
	Token     keepwatch.Secret
	Counter   handlers.Counter
	GuildID   string           // the one server that the commands are registered in; "": in all
	PublicKey string           // the application's, in hex: interactions are taken by HTTP too
	APIURL    string           // scheme and host of another address for all traffic; "": Discord's
	Listening bool             // the program listens for HTTP, so that Handler is reached
	Groups    bool             // roles of Discord carry roles of ours, so that they are worth looking up
	Log       *slog.Logger     // nil: silent
	Now       func() time.Time // nil: time.Now

	pace *pace // tests hurry
}

// Frontend is the bot in Discord. Its methods may be called from any goroutine.
type Frontend struct {
	cfg     Config
	to      *url.URL
	rest    *rest
	talk    *Conversation
	gateway *Gateway
	web     *Web
	acks    *acks
	log     *slog.Logger
	now     func() time.Time
	pace    pace
	// newcomer is told when the bot comes to its server.
	newcomer chan struct{}

	mu       sync.Mutex
	app      application       // what is known of ourselves
	dms      map[string]string // account → channel of its direct messages
	link     error             // how the connection is; nil: up
	refused  bool              // the token was refused
	register error             // why the commands are not registered
	rival    time.Time         // when somebody else answered with our token; zero: never
	outside  bool              // the bot is not in the server of GuildID
	warned   map[string]bool   // channels whose history cannot be read, logged once
}

var _ handlers.Frontend = (*Frontend)(nil)

// application is what Discord says of the application behind the token.
type application struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	VerifyKey string `json:"verify_key"`
}

// New makes a front-end. It contacts nobody yet.
func New(cfg Config) (*Frontend, error) {
	if cfg.Token.IsZero() {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "DISCORD_BOT_TOKEN is empty.")
	}
	if cfg.Counter == nil {
		return nil, keepwatch.Errorf(keepwatch.KindInternal, "discord: a Config without a Counter")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.GuildID != "" && !isID(cfg.GuildID) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "DISCORD_GUILD_ID is %q; expected the number of a server (in Discord: Developer Mode on, right-click the server, Copy Server ID).", cfg.GuildID)
	}
	to, err := address(cfg.APIURL)
	if err != nil {
		return nil, err
	}
	f := &Frontend{
		cfg: cfg, to: to, log: cfg.Log, now: cfg.Now, acks: newAcks(), pace: defaultPace(), newcomer: make(chan struct{}, 1), dms: map[string]string{}, warned: map[string]bool{},
		link: keepwatch.Errorf(keepwatch.KindTransient, "The connection to Discord is not up yet."),
	}
	if f.rest, err = newRest(cfg.Token, to, newLimiter(cfg.Now, cfg.Log), cfg.Log, f.tokenRefused); err != nil {
		return nil, err
	}
	f.talk = &Conversation{
		counter: cfg.Counter, acks: f.acks, now: cfg.Now, log: cfg.Log, excuse: f.excuse,
		members: &members{rest: f.rest, guild: cfg.GuildID, on: cfg.Groups, now: cfg.Now, log: cfg.Log, known: map[string]memberRoles{}},
	}
	if cfg.pace != nil {
		f.pace = *cfg.pace
	}
	f.gateway = &Gateway{rest: f.rest, token: cfg.Token, to: to, pace: f.pace, log: cfg.Log, jit: rand.Float64, state: f.setLink, present: f.present, event: f.event}
	if cfg.PublicKey != "" {
		key, err := hex.DecodeString(strings.TrimSpace(cfg.PublicKey))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "DISCORD_PUBLIC_KEY is not a key; expected the 64 hexadecimal digits of the application's page, General Information, Public Key.")
		}
		f.web = &Web{key: key, talk: f.talk, now: cfg.Now, log: cfg.Log}
	}
	return f, nil
}

// address reads DISCORD_API_URL. Its path is not used: the version of the API is
// discordgo's.
func address(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "DISCORD_API_URL is %q; expected an address such as https://discord.example.net.", text)
	}
	return u, nil
}

// Handler gives what answers at [Path]; nil where no public key is configured.
func (f *Frontend) Handler() http.Handler {
	if f.web == nil {
		return nil
	}
	return f.web
}

// Run connects, registers the commands where they differ, and stays connected
// until ctx ends. The gateway is connected where interactions come by HTTP too,
// because mentions and direct messages come by nothing else.
func (f *Frontend) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer f.rest.http.CloseIdleConnections()
	defer beside.Wait()
	defer cancel()
	beside.Go(func() { f.keepRegistered(ctx) })
	err := f.gateway.Run(ctx)
	if err != nil {
		f.setLink(err)
	} else {
		f.setLink(keepwatch.Errorf(keepwatch.KindTransient, "The connection to Discord is closed, because the bot stops."))
	}
	return err
}

// Ready gives nil while requests can arrive.
func (f *Frontend) Ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.link != nil:
		return f.link
	case f.refused:
		return badToken(nil)
	case f.outside:
		return keepwatch.Errorf(keepwatch.KindAttention, "The bot is not in the server %s of DISCORD_GUILD_ID: it was removed, or never invited. Invite it with this link: %s", f.cfg.GuildID, InviteURL(cmp.Or(f.app.ID, ApplicationID(f.cfg.Token))))
	}
	return f.register
}

func (f *Frontend) setLink(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.link = err
}

func (f *Frontend) tokenRefused(refused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = refused
}

// event does what an event of the gateway asks for. Those that nobody asked for
// are left alone.
func (f *Frontend) event(ctx context.Context, e event) {
	switch e.name {
	case interactionCreate:
		var i interaction
		if err := json.Unmarshal(e.data, &i); err != nil {
			f.log.Error("an interaction could not be decoded", "err", err)
			return
		}
		resp, done := f.talk.Interact(ctx, i)
		defer done()
		f.respond(ctx, i, resp)
	case messageCreate:
		var m message
		if err := json.Unmarshal(e.data, &m); err != nil {
			f.log.Error("a message could not be decoded", "err", err)
			return
		}
		if err := f.talk.Read(ctx, m, e.bot); err != nil {
			f.unread(ctx, m, err)
		}
	}
}

// respond sends the first response to an interaction that came by the gateway.
// It is sent again where no answer came: Discord takes one alone, and says so.
func (f *Frontend) respond(ctx context.Context, i interaction, resp response) {
	ctx, cancel := context.WithTimeout(ctx, discordgo.InteractionDeadline)
	defer cancel()
	for {
		first := f.acks.try(i.Token)
		err := f.rest.call(ctx, http.MethodPost, discordgo.EndpointInteractionResponse(i.ID, i.Token), resp, nil)
		refusal := refusalOf(err)
		switch {
		case refusal != nil && refusal.Code == codeAcknowledged:
			if first { // and not by an attempt of ours whose answer was lost
				f.rivalled(i.ID)
			}
			return
		case err == nil:
			return
		case refusal == nil || refusal.permanent() || ctx.Err() != nil:
			f.acks.lose(i.Token)
			f.log.Warn("the response to an interaction did not reach Discord in time; the answer goes another way", "interaction", i.ID, "err", err)
			return
		}
		if !sleep(ctx, max(refusal.RetryAfter, 100*time.Millisecond)) {
			f.acks.lose(i.Token)
			return
		}
	}
}

// rivalled notes that somebody else has answered an interaction. Both bots were
// handed it, and each has a state of its own, so that neither can know what the
// other one does: people have to end one of them.
func (f *Frontend) rivalled(interaction string) {
	f.mu.Lock()
	f.rival = f.now()
	f.mu.Unlock()
	f.log.Error("somebody else has answered an interaction of Discord: a second bot runs with the same token, and what people ask for may be done twice; stop one of them", "interaction", interaction)
}

// unread tells whoever wrote a message that it was not recorded.
func (f *Frontend) unread(ctx context.Context, m message, err error) {
	p := newPayload()
	p.Content = unrecorded(unwrapped(err))
	p.Reference = replyTo(m.ID)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := f.rest.call(ctx, http.MethodPost, discordgo.EndpointChannelMessages(m.ChannelID), p, nil); err != nil {
		f.log.Error("nobody could be told that a request was not recorded", "message", m.ID, "err", err)
	}
}

// self gives what Discord says of the application behind the token, asked once.
func (f *Frontend) self(ctx context.Context) (application, error) {
	f.mu.Lock()
	app := f.app
	f.mu.Unlock()
	if app.ID != "" {
		return app, nil
	}
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointApplication("@me"), nil, &app); err != nil {
		return app, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.app = app
	return app, nil
}
