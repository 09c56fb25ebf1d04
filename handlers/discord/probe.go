package discord

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// probeWithin is how long all questions of a check may take together.
const probeWithin = 20 * time.Second

// Probe looks whether all of this would work, for `bot check`: the token, the
// server, the commands, the connections left for today, the public key. It changes
// nothing.
func (f *Frontend) Probe(ctx context.Context) []keepwatch.Probe {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	var app application
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointApplication("@me"), nil, &app); err != nil {
		return []keepwatch.Probe{f.probeToken(err)}
	}
	var me discordgo.User
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointUser("@me"), nil, &me); err != nil {
		return []keepwatch.Probe{f.probeToken(err)}
	}
	list := []keepwatch.Probe{{Name: "Discord", Status: keepwatch.ProbeGood, Text: fmt.Sprintf("the token works: it is %s, application %s", me.Username, app.ID)}}
	list = append(list, f.probeGuild(ctx, app), f.probeCommands(ctx, app), f.probeSessions(ctx), f.probeKey(app))
	return list
}

// probeToken says why Discord did not answer.
func (f *Frontend) probeToken(err error) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Discord", Status: keepwatch.ProbeBad, Text: "Discord does not answer: " + err.Error(), Next: "Look whether this machine reaches discord.com, or what DISCORD_API_URL says."}
	if refusal := refusalOf(err); refusal != nil && refusal.Status == http.StatusUnauthorized {
		p.Text, p.Next = "the token is not accepted", keepwatch.Sentence(badToken(nil))
	}
	return p
}

func (f *Frontend) probeGuild(ctx context.Context, app application) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Discord server", Status: keepwatch.ProbeGood}
	if f.cfg.GuildID == "" {
		var guilds []struct {
			Name string `json:"name"`
		}
		if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointUserGuilds("@me"), nil, &guilds); err != nil {
			p.Status, p.Text = keepwatch.ProbeWarn, "the servers that the bot is in could not be read: "+err.Error()
			return p
		}
		names := make([]string, len(guilds))
		for i, g := range guilds {
			names[i] = g.Name
		}
		p.Text = "the bot is in " + strings.Join(names, ", ")
		if len(guilds) == 0 {
			p.Status, p.Text, p.Next = keepwatch.ProbeBad, "the bot is in no server", "Invite it: "+InviteURL(app.ID)
		}
		return p
	}
	var guild struct {
		Name string `json:"name"`
	}
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointGuild(f.cfg.GuildID), nil, &guild); err != nil {
		p.Status, p.Text = keepwatch.ProbeBad, fmt.Sprintf("the server %s of DISCORD_GUILD_ID is not reached: %v", f.cfg.GuildID, err)
		p.Next = "Look at the number, or invite the bot there: " + InviteURL(app.ID)
		return p
	}
	p.Text = "the bot is in " + guild.Name
	return p
}

func (f *Frontend) probeCommands(ctx context.Context, app application) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Discord commands", Status: keepwatch.ProbeGood}
	address, want, err := f.place(app.ID)
	if err != nil {
		p.Status, p.Text = keepwatch.ProbeBad, err.Error()
		return p
	}
	have, err := f.registered(ctx, address)
	switch {
	case err != nil:
		p.Status, p.Text = keepwatch.ProbeBad, "they could not be read: "+err.Error()
		p.Next = "Invite the bot again, with the scope applications.commands: " + InviteURL(app.ID)
	case !same(have, want):
		p.Status, p.Text, p.Next = keepwatch.ProbeWarn, fmt.Sprintf("%d are registered, and they are not those of this version", len(have)), "Start the bot: it registers them by itself."
	default:
		p.Text = fmt.Sprintf("all %d are registered", len(want))
	}
	return p
}

func (f *Frontend) probeSessions(ctx context.Context) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Discord gateway", Status: keepwatch.ProbeGood}
	var bot discordgo.GatewayBotResponse
	if err := f.rest.call(ctx, http.MethodGet, discordgo.EndpointGatewayBot, nil, &bot); err != nil {
		p.Status, p.Text = keepwatch.ProbeBad, "Discord does not say where it is: "+err.Error()
		return p
	}
	f.mu.Lock()
	rival := f.rival
	f.mu.Unlock()
	limit := bot.SessionStartLimit
	p.Text = fmt.Sprintf("%d of %d connections are left for today", limit.Remaining, limit.Total)
	if !rival.IsZero() {
		p.Status, p.Text = keepwatch.ProbeBad, fmt.Sprintf("a second bot runs with the same token: it answered at %s what this one was asked, so what people ask for may be done twice", rival.UTC().Format("2 Jan 15:04 UTC"))
		p.Next = "Stop one of them, or give it an application and a token of its own; then start this one again."
	} else if limit.Total > 0 && limit.Remaining < limit.Total/10 {
		p.Status, p.Next = keepwatch.ProbeWarn, "Something connects again and again with this token. Is a second bot running, or does this one restart in a loop?"
	}
	return p
}

func (f *Frontend) probeKey(app application) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Discord over HTTP", Status: keepwatch.ProbeOff, Text: "commands come by the gateway"}
	if f.web == nil {
		return p
	}
	p.Status, p.Text = keepwatch.ProbeGood, "the public key is the application's; requests are taken at "+Path+". The gateway is connected too, for mentions and direct messages"
	if !strings.EqualFold(strings.TrimSpace(f.cfg.PublicKey), app.VerifyKey) {
		p.Status, p.Text = keepwatch.ProbeBad, "DISCORD_PUBLIC_KEY is not the key of this application, so every request would be refused"
		p.Next = "Set it to " + app.VerifyKey + "."
	} else if !f.cfg.Listening {
		p.Status, p.Text = keepwatch.ProbeWarn, "DISCORD_PUBLIC_KEY is set, and BOT_LISTEN is not: with an Interactions Endpoint URL in the portal no command arrives"
		p.Next = "Set BOT_LISTEN=127.0.0.1:8080 and have your web server pass " + Path + " on to it; or leave DISCORD_PUBLIC_KEY out, and that field of the portal empty."
	}
	return p
}
