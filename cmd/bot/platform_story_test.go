package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
	"keepwatch/handlers/slack/slacktest"
)

// The stories of platforms drive the built program through a fake Slack or
// Discord. Alis (an admin), Bram (a viewer) and Cara are people there, Mallory is not
// known:
//
//	slack start [http]             make a Slack, and set what the program needs to reach it
//	slack say alis '/backup start notes' [OPTION=VALUE…]
//	slack dm alis 'backup list'
//	slack mention alis 'backup list'
//	slack see alis TEXT…           wait for a message with all the texts in it
//	slack unseen alis TEXT         there is no such message
//	slack once alis TEXT           there is just one message with the text
//	slack press alis LABEL TEXT…   press a button of the newest message with the texts
//	slack choose alis MENU CHOICE TEXT…
//	slack submit alis [LABEL=VALUE…]
//	slack again alis               deliver the last request of a person once more
//	slack do WHAT [ARG…]           what only this platform does: see do below
//
// and the same with discord. Only Discord takes options apart from the line.
type stage interface {
	say(ctx context.Context, who, text string, options map[string]string) error
	dm(ctx context.Context, who, text string) error
	mention(ctx context.Context, who, text string) error
	messages(who string) []seen
	wait(ctx context.Context, ok func() bool) error
	press(ctx context.Context, who string, on seen, label string) error
	choose(ctx context.Context, who string, on seen, menu, choice string) error
	submit(ctx context.Context, who string, values map[string]string) error
	again(ctx context.Context, who string) error
	do(ctx context.Context, what string, args []string) error
}

// seen is a message as somebody sees it.
type seen struct {
	id, text string
	buttons  []string
}

// stageTime is how long anything in a story may take: a machine that is busy, with
// the race detector on, reads and seals 300 MB in more than a minute.
const stageTime = 150 * time.Second

// playing gives the stage of a story; the fakes of a story that made none are
// not there.
type playing struct {
	t      testing.TB
	stages map[string]stage
}

// playKey is where a story keeps its stages.
type playKey struct{}

// cmdStage carries out a line of a story that begins with "slack" or "discord".
func cmdStage(platform string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if len(args) == 0 {
			ts.Fatalf("%s what?", platform)
		}
		play := ts.Value(playKey{}).(*playing)
		ctx, cancel := context.WithTimeout(context.Background(), stageTime)
		defer cancel()
		if args[0] == "start" {
			play.stages[platform] = openStage(ts, play.t, platform, args[1:])
			return
		}
		s, ok := play.stages[platform]
		if !ok {
			ts.Fatalf("%s is not started", platform)
		}
		err := act(ctx, s, args)
		if (err != nil) != neg {
			ts.Fatalf("%s %s: %v", platform, strings.Join(args, " "), err)
		}
	}
}

func act(ctx context.Context, s stage, args []string) error {
	who, rest := "", args[1:]
	if args[0] != "do" && len(rest) > 0 {
		who, rest = rest[0], rest[1:]
	}
	switch args[0] {
	case "say":
		return s.say(ctx, who, rest[0], pairs(rest[1:]))
	case "dm":
		return s.dm(ctx, who, rest[0])
	case "mention":
		return s.mention(ctx, who, rest[0])
	case "see":
		_, err := find(ctx, s, who, "", rest)
		return err
	case "once":
		n := 0
		for _, m := range s.messages(who) {
			if strings.Contains(m.text, rest[0]) {
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("%d messages have %q", n, rest[0])
		}
		return nil
	case "unseen":
		for _, m := range s.messages(who) {
			if strings.Contains(m.text, rest[0]) {
				return fmt.Errorf("there is %q", m.text)
			}
		}
		return nil
	case "press":
		on, err := find(ctx, s, who, rest[0], rest[1:])
		if err != nil {
			return err
		}
		return s.press(ctx, who, on, rest[0])
	case "choose":
		on, err := find(ctx, s, who, "", rest[2:])
		if err != nil {
			return err
		}
		return s.choose(ctx, who, on, rest[0], rest[1])
	case "submit":
		return s.submit(ctx, who, pairs(rest))
	case "again":
		return s.again(ctx, who)
	case "do":
		return s.do(ctx, rest[0], rest[1:])
	}
	return fmt.Errorf("nobody can %s", args[0])
}

// pairs reads NAME=VALUE.
func pairs(args []string) map[string]string {
	values := map[string]string{}
	for _, v := range args {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	return values
}

// find waits for a message with all the texts, and with a button where one is named,
// newest first.
func find(ctx context.Context, s stage, who, button string, texts []string) (on seen, err error) {
	err = s.wait(ctx, func() bool {
		for _, m := range slices.Backward(s.messages(who)) {
			if button != "" && !slices.Contains(m.buttons, button) {
				continue
			}
			if !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(m.text, t) }) {
				on = m
				return true
			}
		}
		return false
	})
	if err != nil {
		var all []string
		for _, m := range s.messages(who) {
			all = append(all, m.text)
		}
		err = fmt.Errorf("%w; %s sees:\n%s", err, who, strings.Join(all, "\n---\n"))
	}
	return on, err
}

func openStage(ts *testscript.TestScript, t testing.TB, platform string, args []string) stage {
	signed := len(args) > 0 && args[0] == "http"
	if signed { // a port that is free now; the program listens there
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv("BOT_LISTEN", l.Addr().String())
		ts.Check(l.Close())
	}
	if platform == "slack" {
		return openSlack(ts, t, signed)
	}
	return openDiscord(ts, t, signed)
}

type slackStage struct {
	*slacktest.Server
	last map[string]*slacktest.Delivery
}

func openSlack(ts *testscript.TestScript, t testing.TB, signed bool) stage {
	srv := slacktest.New(t, slacktest.Config{})
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
		return s.WaitSockets(ctx, 1)
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

type discordStage struct {
	*discordtest.Server
	users map[string]string
	last  map[string]*discordtest.Interaction
}

func openDiscord(ts *testscript.TestScript, t testing.TB, signed bool) stage {
	srv := discordtest.New(t, discordtest.Config{})
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

// cmdWaitReady waits until /readyz answers with a status and a text: waitready
// 503 TEXT.
func cmdWaitReady(ts *testscript.TestScript, _ bool, args []string) {
	var last string
	for deadline := time.Now().Add(stageTime); time.Now().Before(deadline); {
		resp, err := http.Get("http://" + ts.Getenv("BOT_LISTEN") + "/readyz")
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if last = fmt.Sprintf("%d %s", resp.StatusCode, body); strings.HasPrefix(last, args[0]) && strings.Contains(last, args[1]) {
				return
			}
		}
		<-time.After(20 * time.Millisecond) // another process answers
	}
	ts.Fatalf("/readyz says %q", last)
}
