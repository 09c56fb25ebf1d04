package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord"
	"keepwatch/handlers/slack"
	"keepwatch/store"
)

// platforms names those that are configured.
func (s settings) platforms() []string {
	var names []string
	if s.env.values["SLACK_BOT_TOKEN"] != "" {
		names = append(names, "slack")
	}
	if s.env.values["DISCORD_BOT_TOKEN"] != "" {
		names = append(names, "discord")
	}
	return names
}

// homeFunc answers for a front-end that shows somebody the state of things
// before anything was asked.
type homeFunc func(ctx context.Context, req keepwatch.Request) keepwatch.Message

// makePlatforms makes the front-ends that are configured. They connect to
// nothing yet.
func makePlatforms(s settings, counter handlers.Counter, home homeFunc, log *slog.Logger, now func() time.Time) ([]platform, error) {
	var out []platform
	for _, name := range s.platforms() {
		make := makeSlack
		if name == "discord" {
			make = makeDiscord
		}
		p, err := make(s, counter, home, log, now)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Slack takes about one message a second in a channel, and chat.update about 50
// times a minute in all (docs.slack.dev/apis/web-api/rate-limits: "tier 3").
const (
	slackPace  = time.Second
	slackEdits = 1200 * time.Millisecond
)

func makeSlack(s settings, counter handlers.Counter, home homeFunc, log *slog.Logger, now func() time.Time) (platform, error) {
	env := s.env
	front, err := slack.New(slack.Config{
		BotToken: keepwatch.NewSecret(env.get("SLACK_BOT_TOKEN")), AppToken: keepwatch.NewSecret(env.get("SLACK_APP_TOKEN")),
		SigningSecret: keepwatch.NewSecret(env.get("SLACK_SIGNING_SECRET")), APIURL: env.get("SLACK_API_URL"),
		Counter: counter, Groups: s.groupsOf("slack"), Home: home, Listening: s.Listen != "", Log: log.With("platform", "slack"), Now: now,
	})
	if err != nil {
		return platform{}, err
	}
	p := platform{name: "slack", title: "Slack", front: front, probe: front.Probe, pace: slackPace, edits: slackEdits}
	if h := front.Handler(); h != nil && env.get("SLACK_APP_TOKEN") == "" {
		p.mounts = map[string]http.Handler{"/slack/": h}
	}
	return p, nil
}

// makeDiscord makes the front-end of Discord, which keeps Discord's limits by
// itself: they come with each of its answers.
func makeDiscord(s settings, counter handlers.Counter, _ homeFunc, log *slog.Logger, now func() time.Time) (platform, error) {
	env := s.env
	front, err := discord.New(discord.Config{
		Token: keepwatch.NewSecret(env.get("DISCORD_BOT_TOKEN")), GuildID: env.get("DISCORD_GUILD_ID"), PublicKey: env.get("DISCORD_PUBLIC_KEY"),
		APIURL: env.get("DISCORD_API_URL"), Counter: counter, Groups: len(s.groupsOf("discord")) > 0, Listening: s.Listen != "", Log: log.With("platform", "discord"), Now: now,
	})
	if err != nil {
		return platform{}, err
	}
	p := platform{name: "discord", title: "Discord", front: front, probe: front.Probe}
	if h := front.Handler(); h != nil {
		p.mounts = map[string]http.Handler{discord.Path: h}
	}
	return p, nil
}

// groupsOf gives the ids of a platform's groups that carry a role.
func (s settings) groupsOf(platform string) []string {
	var ids []string
	for _, g := range s.Groups {
		if id, ok := strings.CutPrefix(g.ID, platform+":"); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// nobody is the counter of a front-end that is only looked at.
type nobody struct{ handlers.Counter }

func (nobody) Commands() []handlers.Command { return handlers.Table() }

// probePlatforms asks each platform that is configured whether it would work.
func probePlatforms(ctx context.Context, s settings, now func() time.Time) []keepwatch.Probe {
	platforms, err := makePlatforms(s, nobody{}, nil, slog.New(slog.DiscardHandler), now)
	if err != nil {
		return []keepwatch.Probe{bad("platforms", sentenceOf(err), "Mend it in .env, then check again.")}
	}
	return probesOf(ctx, s, platforms)
}

func probesOf(ctx context.Context, s settings, platforms []platform) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for _, p := range platforms {
		probes = append(probes, p.probe(ctx)...)
	}
	probes = append(probes, probeHalf(s)...)
	if len(platforms) == 0 {
		probes = append(probes, off("platforms", "Neither Slack nor Discord is configured: the bot talks in the terminal.", "docs/slack.md and docs/discord.md say how to connect one."))
	}
	return probes
}

// probeHalf looks for platforms of which something is set, but not the token that
// everything begins with.
func probeHalf(s settings) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for _, p := range []struct{ title, token, prefix string }{{"Slack", "SLACK_BOT_TOKEN", "SLACK_"}, {"Discord", "DISCORD_BOT_TOKEN", "DISCORD_"}} {
		if s.env.values[p.token] != "" {
			continue
		}
		for _, v := range variables() {
			if strings.HasPrefix(v.Name, p.prefix) && s.env.values[v.Name] != "" {
				probes = append(probes, bad(p.title, fmt.Sprintf("%s is set, and %s is not, so Keepwatch does not connect to %s.", v.Name, p.token, p.title), "Set it in .env; or take the other out."))
				break
			}
		}
	}
	return probes
}

// probeConnections looks at the connections of the running bot: first whether
// requests arrive at all.
func (a *app) probeConnections(ctx context.Context) []keepwatch.Probe {
	var probes []keepwatch.Probe
	for _, p := range a.platforms {
		if err := p.front.Ready(); err != nil {
			probes = append(probes, bad(p.title, "Requests do not arrive: "+sentenceOf(err), ""))
		}
	}
	return append(probes, probesOf(ctx, a.settings, a.platforms)...)
}

// stuckAfter is how long a message may wait before the check speaks of it.
const stuckAfter = 10 * time.Minute

// probeMessages looks for messages that could not be posted, and for those that
// wait for too long.
func probeMessages(records *store.Records, now time.Time) []keepwatch.Probe {
	lanes, lanesErr := records.Lanes()
	refused, refusedErr := records.RefusedMessages(1000)
	since, channel, waitErr := records.OldestWaiting()
	if err := errors.Join(lanesErr, refusedErr, waitErr); err != nil {
		return []keepwatch.Probe{bad("messages", "The state cannot be read: "+err.Error()+".", "Look into the log, and at its disk.")}
	}
	var probes []keepwatch.Probe
	if waits := now.Sub(since); !since.IsZero() && waits > stuckAfter {
		probes = append(probes, caution("messages waiting", fmt.Sprintf("A message to %s has waited for %s, and what is to follow it there waits too.", channel, keepwatch.FormatDuration(waits.Truncate(time.Minute))),
			"The log says why; all of them are posted once the platform takes them."))
	}
	if len(refused) > 0 {
		var lines []string
		for _, o := range refused[:min(len(refused), 5)] {
			lines = append(lines, fmt.Sprintf("%s to %s, %s: %s", titleOf(o), o.Channel, o.RefusedAt.UTC().Format("2 Jan 15:04 UTC"), o.Refused))
		}
		probes = append(probes, caution("messages", fmt.Sprintf("%s refused for good; the newest: %s", keepwatch.FormatCount(int64(len(refused)), "message was", "messages were"), strings.Join(lines, " · ")),
			"Let the bot into the channel again, or name another one; the messages are kept for 90 days."))
	}
	switch {
	case len(probes) > 0:
		return probes
	case len(lanes) > 0:
		return []keepwatch.Probe{good("messages", fmt.Sprintf("%s being posted.", keepwatch.FormatCount(int64(len(lanes)), "channel has messages that are", "channels have messages that are")))}
	}
	return []keepwatch.Probe{good("messages", "All were delivered.")}
}

// manifestCommand prints what sets the app up on a platform. Slack's is for
// requests over HTTP where a base address is given, or where the settings have no
// token for Socket Mode but a signing secret.
func manifestCommand(p process, o options, words []string) error {
	name, base := words[0], ""
	if len(words) > 1 {
		base = strings.TrimRight(words[1], "/")
	}
	if u, err := url.Parse(base); base != "" && (err != nil || u.Scheme != "https" || u.Host == "" || name != "slack") {
		return usageError("It is written: bot manifest slack https://bot.example.com, with the address at which Slack reaches the bot, or bot manifest discord")
	}
	s, err := loadSettings(p, o)
	if err != nil {
		return err
	}
	var text string
	switch name {
	case "slack":
		if base == "" && s.env.get("SLACK_APP_TOKEN") == "" && s.env.get("SLACK_SIGNING_SECRET") != "" {
			base = "https://keepwatch.example.com"
			fmt.Fprintln(p.Err, "Put the address at which Slack reaches the bot in place of "+base+", or print this again with it: bot manifest slack https://…")
		}
		text, err = slack.Manifest(handlers.Table(), base, len(s.groupsOf("slack")) > 0)
	case "discord":
		text, err = discord.Manifest(handlers.Table(), discord.ApplicationID(keepwatch.NewSecret(s.env.get("DISCORD_BOT_TOKEN"))), s.env.get("DISCORD_GUILD_ID"))
	default:
		return usageError(fmt.Sprintf("There is no manifest for %q: slack or discord.", name))
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Out, strings.TrimRight(text, "\n"))
	return err
}
