package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
)

type discordStage struct {
	*discordtest.Server
	users map[string]string
	last  map[string]*discordtest.Interaction
}

func openDiscord(ts *testscript.TestScript, t testing.TB, signed bool) stage {
	srv := discordtest.New(t, discordtest.Config{AnswerTime: storyPatience})
	s := &discordStage{srv, map[string]string{}, map[string]*discordtest.Interaction{}}
	for _, who := range []string{"alis", "bram", "cara", "mallory"} {
		s.users[who] = srv.AddUser(who)
		ts.Setenv(strings.ToUpper(who), s.users[who])
		ts.Setenv("ON_DISCORD_"+strings.ToUpper(who), s.users[who])
	}
	ts.Setenv("DISCORD_BOT_TOKEN", srv.Token())
	ts.Setenv("DISCORD_API_URL", srv.URL())
	ts.Setenv("DISCORD_GUILD_ID", srv.GuildID())
	ts.Setenv("CHANNEL", srv.ChannelID())
	if signed {
		ts.Setenv("DISCORD_PUBLIC_KEY", srv.PublicKey())
	}
	return s
}

func (s *discordStage) sent(ctx context.Context, who string, i *discordtest.Interaction, err error) error {
	if err != nil {
		return err
	}
	s.last[who] = i
	state, err := i.WaitAcknowledged(ctx)
	if err == nil && state == discordtest.Failed {
		err = fmt.Errorf("the interaction failed: %s", i.Problem())
	}
	return err
}

func (s *discordStage) dm(_ context.Context, who, text string) error {
	_, err := s.DM(s.users[who], text)
	return err
}

func (s *discordStage) say(ctx context.Context, who, text string, options map[string]string) error {
	words := strings.Fields(strings.TrimPrefix(text, "/"))
	line, opts := strings.Join(words[:2], " "), map[string]any{}
	for _, c := range handlers.Table() {
		if c.Title() != line || len(words) < 3 {
			continue
		}
		opts[c.Options[0].Name] = strings.Join(words[2:], " ")
		if n, err := strconv.Atoi(words[2]); err == nil && c.Options[0].Type == handlers.TypeRun {
			opts[c.Options[0].Name] = n
		}
	}
	for name, value := range options {
		opts[name] = value
		if on, err := strconv.ParseBool(value); err == nil {
			opts[name] = on
		}
	}
	i, err := s.Command(s.users[who], s.ChannelID(), line, opts)
	return s.sent(ctx, who, i, err)
}

func (s *discordStage) mention(_ context.Context, who, text string) error {
	_, err := s.Mention(s.users[who], s.ChannelID(), text)
	return err
}

func (s *discordStage) messages(who string) (out []seen) {
	all := slices.Concat(s.Messages(s.ChannelID()), s.Ephemerals(s.users[who], s.ChannelID()))
	if dm := s.DMChannel(s.users[who]); dm != "" {
		all = append(all, s.Messages(dm)...)
	}
	slices.SortStableFunc(all, func(a, b discordtest.Message) int { return a.Created.Compare(b.Created) })
	for _, m := range all {
		if m.Author == s.BotID() && !m.Thinking && !m.Deleted {
			out = append(out, seen{m.ID, m.Text(), m.Labels()})
		}
	}
	return out
}

func (s *discordStage) wait(ctx context.Context, ok func() bool) error {
	return s.Wait(ctx, "what the story waits for", ok)
}

func (s *discordStage) press(ctx context.Context, who string, on seen, label string) error {
	i, err := s.Click(s.users[who], on.id, label)
	return s.sent(ctx, who, i, err)
}

func (s *discordStage) choose(ctx context.Context, who string, on seen, menu, choice string) error {
	m, _ := s.Message(on.id)
	for _, sel := range m.Selects() {
		for _, o := range sel.Options {
			if sel.Placeholder == menu && o.Label == choice {
				i, err := s.Select(s.users[who], on.id, menu, o.Value)
				return s.sent(ctx, who, i, err)
			}
		}
	}
	return fmt.Errorf("no menu %q has %q in %v", menu, choice, m.Selects())
}

func (s *discordStage) submit(ctx context.Context, who string, values map[string]string) error {
	var modal discordtest.Modal
	if err := s.wait(ctx, func() (ok bool) { modal, ok = s.Modal(s.users[who]); return ok }); err != nil {
		return err
	}
	i, err := s.SubmitModal(s.users[who], modal, values)
	return s.sent(ctx, who, i, err)
}

func (s *discordStage) again(ctx context.Context, who string) error {
	answer, err := s.Replay(ctx, s.last[who])
	if err == nil && answer.Status >= 400 {
		err = fmt.Errorf("HTTP %d", answer.Status)
	}
	return err
}

func (s *discordStage) do(ctx context.Context, what string, args []string) error {
	switch what {
	case "connected":
		if err := s.WaitConnected(ctx); err != nil {
			return err
		}
		return s.wait(ctx, func() bool { return len(s.Commands(s.GuildID())) > 0 })
	case "listening":
		return s.SetInteractionsURL(ctx, args[0])
	case "cut":
		s.CutGateway()
	case "reconnect":
		s.Reconnect()
	case "double":
		s.DuplicateNext(1)
	case "storm":
		n, err := strconv.Atoi(args[1])
		s.Fail(args[0], n, discordtest.Fault{Status: 429, RetryAfter: 500 * time.Millisecond, Scope: "user"})
		return err
	case "lose":
		n, err := strconv.Atoi(args[1])
		s.Fail(args[0], n, discordtest.Fault{Status: 503, Done: true})
		return err
	case "refuse": // the token is no longer accepted
		s.CloseGateway(4004)
	case "picture":
		for _, m := range s.Messages(s.ChannelID()) {
			for _, f := range m.Pictures() {
				if strings.Contains(m.Text(), args[0]) {
					return isPicture(f.Data)
				}
			}
		}
		return fmt.Errorf("nothing with %q shows a picture", args[0])
	case "quiet": // nobody was pinged by anything that was said
		for _, m := range s.Messages(s.ChannelID()) {
			if m.Author == s.BotID() && len(m.Pings) > 0 {
				return fmt.Errorf("%v was pinged by %q", m.Pings, m.Text())
			}
		}
	case "early":
		if l := s.Limits(); l.Early > 0 {
			return fmt.Errorf("%d calls came before the wait was over", l.Early)
		}
	case "tamper", "old", "unsigned":
		tamper := map[string]discordtest.Tamper{"tamper": discordtest.TamperedBody, "old": discordtest.OldTimestamp, "unsigned": discordtest.Unsigned}[what]
		answer, err := s.Forge(ctx, s.users["alis"], s.ChannelID(), "backup start", map[string]any{"source": "notes"}, tamper)
		if err == nil && answer.Status >= 400 {
			err = fmt.Errorf("HTTP %d", answer.Status)
		}
		return err
	default:
		return fmt.Errorf("Discord cannot %s", what)
	}
	return nil
}
