package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"keepwatch/store"
	"keepwatch/store/bolt"
)

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

// killPoints are where the program is killed in turn; "" is a random instant.
func killPoints() []string {
	return []string{"outbox.posted", "outbox.posted", "outbox.card.edited", "outbox.posted", "outbox.posted", "outbox.topic.edited", "outbox.tried", "", "outbox.delivered"}
}

// TestOutboxKilledAtRandom kills the program again and again while messages are
// due: each arrives once, and in order in its channel; each card shows how its run
// ended, and each reminder that it was answered. Most kills are at the points around a send, because a random instant
// hardly meets one; after every other of them so much time passes that the platform
// has forgotten what it knew of the message.
func TestOutboxKilledAtRandom(t *testing.T) {
	kills, batch := 12, 20
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		kills, batch = 200, 100
	}
	for name, open := range map[string]func(*testing.T) inbox{"slack": slackInbox, "discord": discordInbox} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := open(t)
			b := newBench(t, 1, 10)
			b.killWhen(in, in.ready)
			sent, edited := 0, 0
			for done := 0; done < kills; done++ {
				if b.waiting() < 8 {
					b.fill(in, sent, batch)
					sent += batch
				}
				point := killPoints()[done%len(killPoints())]
				if point == "outbox.card.edited" && b.endRuns(false) == 0 {
					point = "outbox.posted"
				} else if point == "outbox.card.edited" {
					edited++
				}
				if point == "" {
					b.killAfter(in, time.Duration(50+rand.IntN(400))*time.Millisecond)
				} else {
					nth := 1 + rand.IntN(3)
					if point == "outbox.card.edited" {
						nth = 1
					}
					b.killAt(in, fmt.Sprintf("%s#%d", point, nth))
				}
				if done%2 == 0 {
					b.grow(in)
				}
			}
			for tries := 0; edited == 0; tries++ {
				if tries == 20 {
					t.Fatal("no card is posted that could be edited")
				}
				b.killAfter(in, time.Second)
				if b.endRuns(false) > 0 {
					b.killAt(in, "outbox.card.edited#1")
					edited++
				}
			}
			b.endRuns(true)
			b.drain(in, sent)
			b.checkPosts(in, sent)
			t.Logf("%d kills, %d of them at edits, %d messages", kills, edited, sent)
		})
	}
}

// killAt runs the program until it dies at a point. Where what is left was found
// on the platform, the point may not be passed: then it is killed all the same.
func (b bench) killAt(in inbox, point string) {
	b.t.Helper()
	over := time.Now().Add(1500 * time.Millisecond)
	b.killed(in, 20*time.Second, func() bool { return time.Now().After(over) }, "KEEPWATCH_TEST_CRASH="+point)
}

// killAfter runs the program for a while, and kills it.
func (b bench) killAfter(in inbox, d time.Duration) {
	b.t.Helper()
	over := time.Now().Add(d)
	b.killWhen(in, func() bool { return time.Now().After(over) })
}

// killWhen runs the program, and kills it when something has come to pass.
func (b bench) killWhen(in inbox, cond func() bool) {
	b.t.Helper()
	b.killed(in, 20*time.Second, cond)
}

// killed runs the program until it is killed: by itself, or when cond says so.
func (b bench) killed(in inbox, within time.Duration, cond func() bool, env ...string) {
	b.t.Helper()
	cmd := b.program([]string{"--data-dir", b.data(), "serve"}, append(env, in.env...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	late := time.NewTimer(within)
	defer late.Stop()
	tick := time.NewTicker(10 * time.Millisecond) // another process works
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if !killed(err) {
				b.t.Fatalf("the program ended by itself: %v\n%s", err, out.String())
			}
			return
		case <-tick.C:
			if cond != nil && cond() {
				_ = cmd.Process.Kill()
				cond = nil
			}
		case <-late.C:
			_ = cmd.Process.Kill()
			<-ended
			b.t.Fatalf("it was not killed in time (%q)\n%s", env, out.String())
		}
	}
}

// drain runs the program until everything is posted, and stops it in the orderly
// way. A message that stands there twice hides no other one.
func (b bench) drain(in inbox, want int) {
	b.t.Helper()
	number := regexp.MustCompile(postName)
	cmd := b.program([]string{"--data-dir", b.data(), "serve"}, in.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	// A channel of Slack takes a message a second, and whatever a kill left unsure
	// another three; most of the last batch may wait in one channel.
	ctx, cancel := context.WithTimeout(b.t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond) // another process posts
	defer tick.Stop()
	left := func() string {
		names, twice, open := map[string]bool{}, []string{}, 0
		for _, p := range in.posts() {
			name := number.FindString(p.text)
			if names[name] {
				twice = append(twice, name+" in "+p.channel)
			}
			names[name] = true
			if strings.Contains(p.text, "needs attention") || strings.Contains(p.text, "is due.") {
				open++
			}
		}
		if len(names) >= want && open == 0 {
			return ""
		}
		return fmt.Sprintf("%d of %d messages are posted, %d are still to be edited, and these stand there once more: %v", len(names), want, open, twice)
	}
	for left() != "" && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if what := left(); what != "" {
		b.t.Errorf("it was not done in time: %s", what)
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

// postName is what a message is known by, such as "m00042".
const postName = `\bm\d{5}\b`

// checkPosts holds what people see against what was due.
func (b bench) checkPosts(in inbox, want int) {
	b.t.Helper()
	number := regexp.MustCompile(postName)
	seen, last := map[string]int{}, map[string]string{}
	for _, p := range in.posts() {
		name := number.FindString(p.text)
		seen[name]++
		if strings.Contains(p.text, "backup of") && !strings.Contains(p.text, "was cancelled") {
			b.t.Errorf("a card does not show how its run ended: %s", p.text)
		}
		if strings.Contains(p.text, "is due.") {
			b.t.Errorf("a reminder does not show that it was answered: %s", p.text)
		}
		var i int
		if _, err := fmt.Sscanf(name, "m%d", &i); err != nil {
			b.t.Errorf("nobody sent %q", p.text)
		}
		if i/len(in.channels)%4 == 2 && i%2 == 0 {
			continue // an answer is in no order with others
		}
		if name == last[p.channel] {
			b.t.Errorf("%s stands twice in %s, right behind each other: %q", name, p.channel, p.text)
		} else if name < last[p.channel] {
			b.t.Errorf("%s came after %s in %s", name, last[p.channel], p.channel)
		}
		last[p.channel] = name
	}
	var wrong []string
	for i := range want {
		if name := fmt.Sprintf("m%05d", i); seen[name] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s %d times", name, seen[name]))
		}
	}
	if len(wrong) > 0 || len(seen) != want {
		slices.Sort(wrong)
		b.t.Errorf("%d messages were due and %d arrived: %v", want, len(seen), wrong)
	}
}
