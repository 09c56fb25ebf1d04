package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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
	host   *hostStage   // nil: there is none
	tenant *tenantStage // likewise
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

// isPicture reports whether data is a PNG of a size that can be read.
func isPicture(data []byte) error {
	cfg, err := png.DecodeConfig(bytes.NewReader(data))
	if err == nil && (cfg.Width < 600 || cfg.Height < 200) {
		err = fmt.Errorf("the picture is of %d by %d", cfg.Width, cfg.Height)
	}
	return err
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
