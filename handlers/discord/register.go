package discord

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// registerAgain is how long it takes until commands that could not be registered
// are tried again: long, because a person has to do something first.
const registerAgain = 10 * time.Minute

// keepRegistered registers the commands where they differ, again and again until
// it has worked.
func (f *Frontend) keepRegistered(ctx context.Context) {
	for {
		err := f.syncCommands(ctx)
		if ctx.Err() != nil {
			return
		}
		f.setRegistered(err)
		refusal := refusalOf(err)
		switch {
		case err == nil:
			return
		case refusal != nil && refusal.Status == http.StatusUnauthorized:
			return // the gateway says so too, and ends
		}
		f.log.Error("the commands are not registered with Discord", "err", err)
		if !sleep(ctx, registerAgain) {
			return
		}
	}
}

// setRegistered notes for Ready why the commands are not there.
func (f *Frontend) setRegistered(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.register = nil
	if err == nil {
		return
	}
	text := "The commands could not be registered with Discord. The log says why."
	if refusal := refusalOf(err); refusal != nil {
		switch refusal.Code {
		case codeMissingAccess, codeUnknownGuild:
			text = fmt.Sprintf("The bot is not in the server %s of DISCORD_GUILD_ID, or was invited without the scope applications.commands. Invite it with the link that `bot manifest discord` prints.", f.cfg.GuildID)
		}
	}
	f.register = keepwatch.Errorf(keepwatch.KindAttention, "%s", text).Because(err)
}

// registered gives the commands that Discord has at a place.
func (f *Frontend) registered(ctx context.Context, address string) ([]map[string]any, error) {
	var have []*discordgo.ApplicationCommand
	if err := f.rest.patiently(ctx, http.MethodGet, address, nil, &have); err != nil {
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
	if err := f.rest.patiently(ctx, http.MethodGet, discordgo.EndpointApplication("@me"), nil, &app); err != nil {
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
		if err := f.rest.patiently(ctx, http.MethodPut, address, want, nil); err != nil {
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
	if err := f.rest.patiently(ctx, http.MethodPut, address, left, nil); err != nil {
		return fmt.Errorf("take away the commands of all servers: %w", err)
	}
	return nil
}
