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

	"keepwatch/handlers/slack/slacktest"
)

// storyPatience is what the platforms of a story give a busy machine to acknowledge. That it
// is done in their three seconds is measured, and held by the tests of the front-ends.
const storyPatience = 20 * time.Second

type slackStage struct {
	*slacktest.Server
	last map[string]*slacktest.Delivery
}

func openSlack(ts *testscript.TestScript, t testing.TB, signed bool) stage {
	srv := slacktest.New(t, slacktest.Config{AnswerTime: storyPatience})
	ts.Setenv("SLACK_BOT_TOKEN", slacktest.BotToken)
	ts.Setenv("SLACK_API_URL", srv.APIURL())
	if signed {
		ts.Setenv("SLACK_SIGNING_SECRET", slacktest.SigningSecret)
		srv.UseHTTP("http://" + ts.Getenv("BOT_LISTEN"))
	} else {
		ts.Setenv("SLACK_APP_TOKEN", slacktest.AppToken)
	}
	srv.AddUser(slacktest.User{ID: "U0MALLORY", Name: "mallory"})
	srv.AddUser(slacktest.User{ID: "U0CARA", Name: "cara"})
	ts.Setenv("ALIS", slacktest.Alis)
	ts.Setenv("ON_SLACK_ALIS", slacktest.Alis)
	ts.Setenv("BRAM", slacktest.Bram)
	ts.Setenv("CARA", "U0CARA")
	return &slackStage{srv, map[string]*slacktest.Delivery{}}
}

func slackUser(who string) string {
	return map[string]string{"alis": slacktest.Alis, "bram": slacktest.Bram, "mallory": "U0MALLORY", "cara": "U0CARA"}[who]
}

func (s *slackStage) sent(ctx context.Context, who string, d *slacktest.Delivery) error {
	s.last[who] = d
	return d.Wait(ctx)
}

func (s *slackStage) dm(ctx context.Context, who, text string) error {
	return s.sent(ctx, who, s.DM(slackUser(who), text))
}

func (s *slackStage) say(ctx context.Context, who, text string, _ map[string]string) error {
	group, rest, _ := strings.Cut(text, " ")
	return s.sent(ctx, who, s.Command(slackUser(who), slacktest.Ops, group, rest))
}

func (s *slackStage) mention(ctx context.Context, who, text string) error {
	return s.sent(ctx, who, s.Mention(slackUser(who), slacktest.Ops, text))
}

func (s *slackStage) raw(who string) []slacktest.Message {
	user := slackUser(who)
	all := slices.Concat(s.Messages(slacktest.Ops), s.Messages(slacktest.DirectID(user)), s.Ephemerals(user, slacktest.Ops))
	slices.SortStableFunc(all, func(a, b slacktest.Message) int { return a.Posted.Compare(b.Posted) })
	return slices.DeleteFunc(all, func(m slacktest.Message) bool { return m.User != slacktest.BotUser })
}

func (s *slackStage) messages(who string) (out []seen) {
	for _, m := range s.raw(who) {
		one := seen{id: m.TS, text: m.Plain()}
		for _, b := range m.Buttons() {
			one.buttons = append(one.buttons, b.Label)
		}
		out = append(out, one)
	}
	return out
}

func (s *slackStage) wait(ctx context.Context, ok func() bool) error { return s.Wait(ctx, ok) }

func (s *slackStage) press(ctx context.Context, who string, on seen, label string) error {
	for _, m := range s.raw(who) {
		if m.TS == on.id {
			return s.sent(ctx, who, s.Click(slackUser(who), m, label))
		}
	}
	return fmt.Errorf("the message is gone")
}

func (s *slackStage) choose(ctx context.Context, who string, on seen, menu, choice string) error {
	for _, m := range s.raw(who) {
		if m.TS == on.id {
			return s.sent(ctx, who, s.Select(slackUser(who), m, menu, choice))
		}
	}
	return fmt.Errorf("the message is gone")
}

func (s *slackStage) submit(ctx context.Context, who string, values map[string]string) error {
	if _, err := s.WaitView(ctx, slackUser(who), func(slacktest.View) bool { return true }); err != nil {
		return err
	}
	filled := map[string]any{}
	for label, v := range values {
		filled[label] = v
	}
	return s.sent(ctx, who, s.Submit(slackUser(who), filled))
}

func (s *slackStage) again(ctx context.Context, who string) error {
	d := s.last[who]
	before := len(d.Attempts())
	d.Redeliver()
	return s.Wait(ctx, func() bool { return len(d.Attempts()) > before })
}

func (s *slackStage) do(ctx context.Context, what string, args []string) error {
	switch what {
	case "connected":
		return s.Wait(ctx, func() bool { return len(s.Sockets()) > 0 }) // on a slow machine the second stands already
	case "listening":
		return s.Wait(ctx, func() bool { return s.challenge(ctx) == nil })
	case "refresh":
		s.Refresh()
	case "cut":
		for _, c := range s.Sockets() {
			c.Kill()
		}
	case "storm": // the next calls are told to come later
		n, err := strconv.Atoi(args[1])
		s.Fail(slacktest.Fault{Method: args[0], Times: n, RetryAfter: 1})
		return err
	case "lose": // the next calls are carried out, and their answers lost
		n, err := strconv.Atoi(args[1])
		s.Fail(slacktest.Fault{Method: args[0], Times: n, Status: 503, Done: true})
		return err
	case "revoke":
		s.BreakToken(slacktest.BotToken, "token_revoked")
	case "archive":
		s.AddChannel(slacktest.Channel{ID: slacktest.Ops, Name: "ops", Archived: true})
	case "replay", "tamper", "old", "unsigned":
		return s.attack(ctx, what)
	case "picture":
		for _, m := range s.Messages(slacktest.Ops) {
			for _, id := range m.Images() {
				if f, ok := s.Uploaded(id); ok && strings.Contains(m.Plain(), args[0]) {
					return isPicture(f.Content)
				}
			}
		}
		return fmt.Errorf("nothing with %q shows a picture", args[0])
	case "quiet": // nobody was pinged by anything that was said
		for _, m := range s.Messages(slacktest.Ops) {
			if p := m.Pings(); m.User == slacktest.BotUser && len(p) > 0 {
				return fmt.Errorf("%v was pinged by %q", p, m.Plain())
			}
		}
	case "early":
		for _, v := range s.Violations() {
			if v.Early {
				return fmt.Errorf("a call came before the wait was over: %+v", v)
			}
		}
	default:
		return fmt.Errorf("Slack cannot %s", what)
	}
	return nil
}

func (s *slackStage) challenge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, _, err := s.Challenge(ctx, "abc")
	return err
}

// attack delivers Alis's last command as somebody would who has recorded it; nil
// where it was let in.
func (s *slackStage) attack(ctx context.Context, how string) error {
	if how == "replay" {
		status, _, err := s.last["alis"].Replay(ctx)
		if err == nil && status != 200 {
			err = fmt.Errorf("HTTP %d", status)
		}
		return err
	}
	option := map[string]slacktest.Option{"tamper": slacktest.TamperedBody(), "old": slacktest.SignedAgo(10 * time.Minute), "unsigned": slacktest.Unsigned()}[how]
	return s.Command(slacktest.Alis, slacktest.Ops, "/backup", "start notes", option).Wait(ctx)
}
