package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// registerAgain is how long it takes until commands that Discord refuses are tried
// again: long, because a person has to do something first.
const registerAgain = 10 * time.Minute

// keepRegistered registers the commands where they differ: when the bot starts,
// again and again until it has worked, and when the bot comes to its server.
func (f *Frontend) keepRegistered(ctx context.Context) {
	wait, last := f.pace.least, ""
	for {
		err := f.syncCommands(ctx)
		if ctx.Err() != nil {
			return
		}
		f.setRegistered(err)
		pause := wait
		refusal := refusalOf(err)
		switch {
		case err == nil:
			if last != "" {
				f.log.Info("the commands are registered with Discord now")
			}
			wait, last, pause = f.pace.least, "", time.Duration(math.MaxInt64)
		case refusal != nil && refusal.Status == http.StatusTooManyRequests:
			pause = refusal.RetryAfter
		case refusal != nil && refusal.permanent():
			pause = registerAgain
		default:
			wait = min(2*wait, time.Minute)
		}
		if err != nil && err.Error() != last {
			f.log.Error("the commands are not registered with Discord; it is tried again", "in", pause, "err", err)
			last = err.Error()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-f.newcomer:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// setRegistered notes for Ready why the commands are not there.
func (f *Frontend) setRegistered(err error) {
	var sentence error
	if err != nil {
		text := "The commands could not be registered with Discord (" + err.Error() + "). It is tried again."
		if refusal := refusalOf(err); refusal != nil && (refusal.Code == codeMissingAccess || refusal.Code == codeUnknownGuild) {
			text = fmt.Sprintf("The bot is not in the server %s of DISCORD_GUILD_ID, or was invited without the scope applications.commands. Invite it with this link: %s", f.cfg.GuildID, f.invite())
		}
		sentence = keepwatch.Errorf(keepwatch.KindAttention, "%s", text).Because(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.register = sentence
}

// invite gives the link that lets the bot into a server.
func (f *Frontend) invite() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.app.ID != "" {
		return InviteURL(f.app.ID)
	}
	return InviteURL(ApplicationID(f.cfg.Token))
}

// present notes whether the bot is in the server of DISCORD_GUILD_ID, from what
// the gateway says: the list at the beginning, and who lets it in or throws it out
// (developers/events/gateway-events, "Guild Delete": unavailable is an outage of
// the server, which is not this).
func (f *Frontend) present(name string, data json.RawMessage) {
	var said struct {
		ID          string                `json:"id"`
		Unavailable bool                  `json:"unavailable"`
		Guilds      []struct{ ID string } `json:"guilds"` // of READY
	}
	if err := json.Unmarshal(data, &said); err != nil {
		f.log.Warn("what Discord says of a server could not be read", "event", name, "err", err)
		return
	}
	out := false
	switch name {
	case ready:
		out = !slices.ContainsFunc(said.Guilds, func(g struct{ ID string }) bool { return g.ID == f.cfg.GuildID })
	case guildDelete:
		if said.Unavailable {
			return
		}
		f.log.Warn("the bot was removed from a server of Discord", "server", said.ID)
		out = true
	}
	if f.cfg.GuildID == "" || name != ready && said.ID != f.cfg.GuildID {
		return
	}
	f.mu.Lock()
	was := f.outside
	f.outside = out
	unregistered := f.register != nil
	f.mu.Unlock()
	switch {
	case out && !was:
		f.log.Error("the bot is not in its server of Discord; somebody has to invite it", "server", f.cfg.GuildID, "link", f.invite())
	case !out && (was || unregistered) && name == guildCreate:
		select {
		case f.newcomer <- struct{}{}: // its commands may be gone
		default:
		}
	}
}

// registered gives the commands that Discord has at a place.
func (f *Frontend) registered(ctx context.Context, address string) ([]map[string]any, error) {
	var have []*discordgo.ApplicationCommand
	if err := f.rest.call(ctx, http.MethodGet, address, nil, &have); err != nil {
		return nil, err
	}
	return canonical(have)
}

// place gives where the commands are registered, and what should be there.
func (f *Frontend) place(app string) (address string, want []map[string]any, err error) {
	commands, err := applicationCommands(f.cfg.Counter.Commands(), f.cfg.GuildID == "")
	if err != nil {
		return "", nil, err
	}
	want, err = canonical(commands)
	if f.cfg.GuildID == "" {
		return discordgo.EndpointApplicationGlobalCommands(app), want, err
	}
	return discordgo.EndpointApplicationGuildCommands(app, f.cfg.GuildID), want, err
}

// syncCommands overwrites the commands where Discord has others. Where they are
// registered in one server, ours of before that stand in all servers are taken
// away, or people would see everything twice.
func (f *Frontend) syncCommands(ctx context.Context) error {
	var app application
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointApplication("@me"), nil, &app); err != nil {
		return fmt.Errorf("ask Discord about the application: %w", err)
	}
	f.mu.Lock()
	f.app = app
	f.mu.Unlock()
	address, want, err := f.place(app.ID)
	if err != nil {
		return err
	}
	have, err := f.registered(ctx, address)
	if err != nil {
		return fmt.Errorf("read the commands that are registered: %w", err)
	}
	if !same(have, want) {
		if err := f.rest.call(ctx, http.MethodPut, address, want, nil); err != nil {
			return fmt.Errorf("register the commands: %w", err)
		}
		f.log.Info("the commands were registered with Discord", "commands", len(want), "server", f.cfg.GuildID)
	}
	if f.cfg.GuildID == "" {
		return nil
	}
	return f.clearGlobal(ctx, app.ID, want)
}

// clearGlobal takes away our commands that are registered for all servers.
func (f *Frontend) clearGlobal(ctx context.Context, app string, ours []map[string]any) error {
	address := discordgo.EndpointApplicationGlobalCommands(app)
	have, err := f.registered(ctx, address)
	if err != nil {
		return fmt.Errorf("read the commands of all servers: %w", err)
	}
	left := slices.DeleteFunc(slices.Clone(have), func(h map[string]any) bool {
		return slices.ContainsFunc(ours, func(o map[string]any) bool { return o["name"] == h["name"] })
	})
	if len(left) == len(have) {
		return nil
	}
	if err := f.rest.call(ctx, http.MethodPut, address, left, nil); err != nil {
		return fmt.Errorf("take away the commands of all servers: %w", err)
	}
	return nil
}
