package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
	"keepwatch/handlers/slack/slacktest"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

// post is a message as the platform has it.
type post struct{ channel, text string }

// inbox is a platform with channels, seen from its own side.
type inbox struct {
	env      []string
	channels []string      // "slack:C0OPS"
	posts    func() []post // what people see, in order per channel
}

// inboxes gives the fakes of all platforms, each with many channels.
func inboxes(t *testing.T) map[string]inbox {
	const channels = 10
	sl := slacktest.New(t, slacktest.Config{})
	dc := discordtest.New(t, discordtest.Config{})
	slack := inbox{env: []string{"SLACK_BOT_TOKEN=" + slacktest.BotToken, "SLACK_APP_TOKEN=" + slacktest.AppToken, "SLACK_API_URL=" + sl.APIURL()}}
	disc := inbox{env: []string{"DISCORD_BOT_TOKEN=" + dc.Token(), "DISCORD_API_URL=" + dc.URL(), "DISCORD_GUILD_ID=" + dc.GuildID()}}
	for i := range channels {
		id := fmt.Sprintf("C0KILL%02d", i)
		sl.AddChannel(slacktest.Channel{ID: id, Name: fmt.Sprintf("kill-%02d", i), Members: []string{slacktest.BotUser}})
		slack.channels = append(slack.channels, "slack:"+id)
		disc.channels = append(disc.channels, "discord:"+dc.AddChannel(dc.GuildID(), fmt.Sprintf("kill-%02d", i)))
	}
	slack.posts = func() (out []post) {
		for _, c := range slack.channels {
			for _, m := range sl.Messages(strings.TrimPrefix(c, "slack:")) {
				out = append(out, post{c, m.Plain()})
			}
		}
		return out
	}
	disc.posts = func() (out []post) {
		for _, c := range disc.channels {
			for _, m := range dc.Messages(strings.TrimPrefix(c, "discord:")) {
				out = append(out, post{c, m.Text()})
			}
		}
		return out
	}
	return map[string]inbox{"slack": slack, "discord": disc}
}

// fill saves messages to be posted, n in all, over the channels in turn. from is
// the number of the first.
func (b bench) fill(in inbox, from, n int) {
	b.t.Helper()
	b.withRecords(func(rec *store.Records) error {
		var out []keepwatch.Outgoing
		for i := range n {
			channel := in.channels[i%len(in.channels)]
			out = append(out, keepwatch.Outgoing{ID: handlers.NewID(), Lane: channel, Channel: channel, Made: time.Now().UTC(),
				Message: keepwatch.Message{Title: fmt.Sprintf("Message %05d.", from+i), Blocks: []keepwatch.Block{keepwatch.Text("Re-check the date of your backup.")}}})
		}
		_, err := rec.PostMessages(out)
		return err
	})
}

// waiting counts the messages that the state still holds.
func (b bench) waiting() (n int) {
	b.t.Helper()
	b.withRecords(func(rec *store.Records) error {
		lanes, err := rec.Lanes()
		n = len(lanes)
		return err
	})
	return n
}

// withRecords opens the state, which nobody else has open.
func (b bench) withRecords(fn func(*store.Records) error) {
	b.t.Helper()
	if err := os.MkdirAll(b.data(), 0o700); err != nil {
		b.t.Fatal(err)
	}
	s, err := bolt.Open(bolt.Config{Path: filepath.Join(b.data(), "state.db")})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := fn(store.NewRecords(s, time.Now)); err != nil {
		b.t.Error(err)
	}
	if err := s.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// TestOutboxKilledAtRandom kills the program again and again while messages are
// due: each arrives once, and in order in its channel.
func TestOutboxKilledAtRandom(t *testing.T) {
	kills := 15
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		kills = 200
	}
	for name, in := range inboxes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const batch = 100
			b := newBench(t, 1, 10)
			b.fill(in, 0, batch)
			sent, done := batch, 0
			for done < kills {
				if b.waiting() == 0 {
					b.fill(in, sent, batch)
					sent += batch
				}
				if b.killOnce(in, time.Duration(50+rand.IntN(400))*time.Millisecond) {
					done++
				}
			}
			b.drain(in, sent)
			b.checkPosts(in, sent)
			t.Logf("%d kills, %d messages", done, sent)
		})
	}
}

// killOnce runs the program for a while and kills it.
func (b bench) killOnce(in inbox, after time.Duration) bool {
	b.t.Helper()
	cmd := b.program([]string{"--data-dir", b.data(), "serve"}, in.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if !killed(err) {
		b.t.Fatalf("the program ended by itself: %v\n%s", err, out.String())
	}
	return true
}

// drain runs the program until everything is posted, and stops it in the orderly
// way.
func (b bench) drain(in inbox, want int) {
	b.t.Helper()
	cmd := b.program([]string{"--data-dir", b.data(), "serve"}, in.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond) // another process posts
	defer tick.Stop()
	for len(in.posts()) < want && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.t.Errorf("the program did not stop in order: %v\n%s", err, out.String())
	}
	if n := b.waiting(); n > 0 {
		b.t.Errorf("%d channels still have messages\n%s", n, out.String())
	}
}

// checkPosts holds what people see against what was due.
func (b bench) checkPosts(in inbox, want int) {
	b.t.Helper()
	seen, last := map[string]int{}, map[string]string{}
	for _, p := range in.posts() {
		title, _, _ := strings.Cut(strings.TrimSpace(p.text[max(0, strings.Index(p.text, "Message ")):]), ".")
		seen[title]++
		if cmp.Compare(title, last[p.channel]) <= 0 {
			b.t.Errorf("%s came after %s in %s", title, last[p.channel], p.channel)
		}
		last[p.channel] = title
	}
	var wrong []string
	for i := range want {
		if title := fmt.Sprintf("Message %05d", i); seen[title] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s %d times", title, seen[title]))
		}
	}
	if len(wrong) > 0 || len(seen) != want {
		slices.Sort(wrong)
		b.t.Errorf("%d messages were due and %d arrived: %v", want, len(seen), wrong)
	}
}
