package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
	"keepwatch/handlers/slack/slacktest"
	"keepwatch/store"
)

// post is a message as the platform has it.
type post struct{ channel, text string }

// inbox is a platform with channels, seen from its own side.
type inbox struct {
	env      []string
	channels []string      // "slack:C0OPS"
	posts    func() []post // what people see, in order per channel
	// reply gives a live way of answering somebody in a channel, seen by all.
	reply func(channel string) *keepwatch.Reply
	// settle waits until everything is carried out that programs sent before they were
	// killed. No time is made to pass before: none passes between sending and doing.
	settle func(context.Context) error
	// age makes what the platform remembers older.
	age func(time.Duration)
	// ready waits until the platform knows the program; it is called while one runs.
	ready func() bool
}

const killChannels = 10

func slackInbox(t *testing.T) inbox {
	sl := slacktest.New(t, slacktest.Config{})
	in := inbox{
		env:    []string{"SLACK_BOT_TOKEN=" + slacktest.BotToken, "SLACK_APP_TOKEN=" + slacktest.AppToken, "SLACK_API_URL=" + sl.APIURL()},
		settle: sl.Settle, age: func(time.Duration) {}, ready: func() bool { return true },
		// In a direct message the answer is an ordinary message, whatever came with
		// the request.
		reply: func(string) *keepwatch.Reply {
			return &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Token: sl.APIURL() + "unused", Until: time.Now().Add(25 * time.Minute)}
		},
	}
	for i := range killChannels {
		id := fmt.Sprintf("C0KILL%02d", i)
		sl.AddChannel(slacktest.Channel{ID: id, Name: fmt.Sprintf("kill-%02d", i), Members: []string{slacktest.BotUser}})
		in.channels = append(in.channels, "slack:"+id)
	}
	in.posts = func() (out []post) {
		for _, c := range in.channels {
			for _, m := range sl.Messages(strings.TrimPrefix(c, "slack:")) {
				out = append(out, post{c, m.Plain()})
			}
		}
		return out
	}
	return in
}

func discordInbox(t *testing.T) inbox {
	dc := discordtest.New(t, discordtest.Config{})
	alis := dc.AddUser("alis")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a connection that stays would never settle
	in := inbox{
		env:    []string{"DISCORD_BOT_TOKEN=" + dc.Token(), "DISCORD_API_URL=" + dc.URL(), "DISCORD_GUILD_ID=" + dc.GuildID()},
		settle: dc.Settle, age: dc.Age, ready: func() bool { return len(dc.Commands(dc.GuildID())) > 0 },
		reply: func(channel string) *keepwatch.Reply {
			i, err := dc.Command(alis, strings.TrimPrefix(channel, "discord:"), "backup sources", nil)
			if err != nil {
				t.Fatal(err)
			}
			deferred := bytes.NewReader([]byte(`{"type":5}`)) // as the program that was killed had told Discord
			resp, err := client.Post(dc.APIURL(10)+"/interactions/"+i.ID+"/"+i.Token()+"/callback", "application/json", deferred)
			if err != nil || resp.StatusCode >= 300 {
				t.Fatalf("defer: %v, %+v", err, resp)
			}
			_ = resp.Body.Close()
			return &keepwatch.Reply{To: keepwatch.Account{Platform: "discord", ID: alis}, Token: i.Token(), Asked: i.ID, Open: true, Until: time.Now().Add(14 * time.Minute)}
		},
	}
	for i := range killChannels {
		in.channels = append(in.channels, "discord:"+dc.AddChannel(dc.GuildID(), fmt.Sprintf("kill-%02d", i)))
	}
	in.posts = func() (out []post) {
		for _, c := range in.channels {
			for _, m := range dc.Messages(strings.TrimPrefix(c, "discord:")) {
				if m.Text() != "" { // a deferral that is not answered yet says nothing
					out = append(out, post{c, m.Text()})
				}
			}
		}
		return out
	}
	return in
}

// fill saves messages to be posted, n in all, over the channels in turn. from is
// the number of the first. Among them are the cards of runs that wait for somebody,
// answers by a token that a channel sees, some of them cards too, and reminders that
// are edited once they were answered.
func (b bench) fill(in inbox, from, n int) {
	b.t.Helper()
	b.withRecords(func(rec *store.Records) error {
		var out []keepwatch.Outgoing
		for i := from; i < from+n; i++ {
			channel := in.channels[i%len(in.channels)]
			o := keepwatch.Outgoing{ID: handlers.NewID(), Lane: channel, Channel: channel, Made: time.Now().UTC(),
				Message: keepwatch.Message{Title: fmt.Sprintf("Message m%05d.", i), Blocks: []keepwatch.Block{keepwatch.Text("Re-check the date of your backup.")}}}
			turn := i / len(in.channels) % 4 // so that each channel has each sort
			if turn == 2 && i%2 == 0 {
				o.Reply = in.reply(channel)
				o.Lane = "re:" + o.ID
			}
			if turn == 1 || turn == 2 && i%4 == 0 {
				run, err := rec.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: fmt.Sprintf("m%05d", i), By: "Alis", Where: channel, State: keepwatch.RunAttention,
					Steps: []keepwatch.Step{{Name: "fetch", State: keepwatch.StepPending}}, Failure: &keepwatch.Failure{Step: "fetch", Message: "The disk is full."}})
				if err != nil {
					return err
				}
				o.Run, o.Message = run.ID, keepwatch.Message{}
			}
			due := turn == 3 && i%7 == 0 // few, because Slack takes an edit in 1.2 s
			if due {
				o.Topic, o.Message.Title = fmt.Sprintf("reminder/%d", i), fmt.Sprintf("Message m%05d is due.", i)
			}
			if out = append(out, o); due {
				o.ID, o.Edit, o.Message.Title = handlers.NewID(), true, fmt.Sprintf("Message m%05d is done.", i)
				out = append(out, o)
			}
		}
		_, err := rec.PostMessages(out)
		return err
	})
}

// endRuns ends the runs whose card is posted, or all of them, and counts the cards
// that are to be edited.
func (b bench) endRuns(all bool) (edits int) {
	b.t.Helper()
	b.withRecords(func(rec *store.Records) error {
		cards, err := rec.LiveCards()
		if err != nil {
			return err
		}
		for _, c := range cards {
			if c.Ref == "" && !all {
				continue
			}
			run, err := rec.Run(c.Run)
			if err != nil {
				return err
			}
			run.State, run.CancelledBy, run.Ended = keepwatch.RunCancelled, "Alis", time.Now().UTC()
			if err := rec.SaveRun(run); err != nil {
				return err
			}
			edits++
		}
		return nil
	})
	return edits
}

// carriedOut waits until the platform has done what a program that was killed sent.
func (b bench) carriedOut(in inbox) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	if err := in.settle(ctx); err != nil {
		b.t.Fatal(err)
	}
}

// grow makes what was tried and not confirmed older, here and on the platform:
// nonces are forgotten, and tokens have run out.
func (b bench) grow(in inbox) {
	b.t.Helper()
	const by = 20 * time.Minute
	b.carriedOut(in)
	in.age(by)
	b.withRecords(func(rec *store.Records) error {
		lanes, err := rec.Lanes()
		if err != nil {
			return err
		}
		for _, lane := range lanes {
			o, found, err := rec.NextMessage(lane)
			if err != nil {
				return err
			}
			if !found || o.Tried.IsZero() {
				continue
			}
			o.FirstTried = o.FirstTried.Add(-by)
			if o.Reply != nil {
				o.Reply.Until = o.Reply.Until.Add(-by)
			}
			if _, err := rec.TryMessage(o, o.Tried.Add(-by)); err != nil {
				return err
			}
		}
		return nil
	})
}
