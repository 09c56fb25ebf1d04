package discord

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/discord/discordtest"
)

const createRoute = "POST /channels/{channel}/messages"

func notice(r *rig, id, text string) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: id, Channel: "discord:" + r.srv.ChannelID(), Message: keepwatch.Message{Title: text, Blocks: []keepwatch.Block{keepwatch.Text("body")}}}
}

// postError gives what a refusal means.
func postError(t *testing.T, err error) *keepwatch.PostError {
	t.Helper()
	var p *keepwatch.PostError
	if !errors.As(err, &p) {
		t.Fatalf("%v is no PostError", err)
	}
	return p
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault discordtest.Fault
		want  keepwatch.Verdict
		after time.Duration
	}{
		{"429", discordtest.Fault{Status: 429, RetryAfter: 2500 * time.Millisecond}, keepwatch.VerdictLater, 2500 * time.Millisecond},
		{"429 global", discordtest.Fault{Status: 429, RetryAfter: 3 * time.Second, Scope: "global"}, keepwatch.VerdictLater, 3 * time.Second},
		{"500", discordtest.Fault{Status: 500}, keepwatch.VerdictUnsure, 0},
		{"502 done", discordtest.Fault{Status: 502, Done: true}, keepwatch.VerdictUnsure, 0},
		{"503 HTML", discordtest.Fault{Status: 503, HTML: true}, keepwatch.VerdictUnsure, 0},
		{"200 HTML", discordtest.Fault{Status: 200, HTML: true}, keepwatch.VerdictUnsure, 0},
		{"cut", discordtest.Fault{Cut: true}, keepwatch.VerdictUnsure, 0},
		{"cut, done", discordtest.Fault{Cut: true, Done: true}, keepwatch.VerdictUnsure, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := assemble(t, nil)
			r.srv.Fail(createRoute, 1, c.fault)
			out := notice(r, "abcdefghijklmnopqrst", "a notice")
			_, err := r.Post(context.Background(), out)
			p := postError(t, err)
			if p.Verdict != c.want || c.after > 0 && (p.After <= c.after-time.Second || p.After > c.after) {
				t.Errorf("%v, after %v: %v", p.Verdict, p.After, err)
			}
			if n := len(r.srv.CallsTo(createRoute)); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
			r.clock.Advance(4 * time.Second)
			if _, err := r.Post(context.Background(), out); err != nil {
				t.Fatal(err)
			}
			if all := r.srv.Messages(r.srv.ChannelID()); len(all) != 1 { // the nonce sees to it
				t.Errorf("there are %d messages", len(all))
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	r := assemble(t, nil)
	archive := r.srv.AddChannel(r.srv.GuildID(), "gone")
	r.srv.DeleteChannel(archive)
	dark := r.srv.AddChannel(r.srv.GuildID(), "dark")
	r.srv.SetPermissions(dark, discordtest.Permissions{})
	mute := r.srv.AddChannel(r.srv.GuildID(), "mute")
	r.srv.SetPermissions(mute, discordtest.Permissions{View: true})
	closed := r.srv.AddUser("bo")
	r.srv.BlockDM(closed)
	for channel, want := range map[string]string{archive: "not there any more", dark: "may not see", mute: "may not write", "@" + closed: "no direct message"} {
		out := notice(r, "abcdefghijklmnopqrst", "a notice")
		out.Channel = "discord:" + channel
		_, err := r.Post(context.Background(), out)
		p := postError(t, err)
		if text := keepwatch.Sentence(p.Err); p.Verdict != keepwatch.VerdictNever || !strings.Contains(text, want) || !strings.Contains(text, channel) {
			t.Errorf("%s: %v %q", channel, p.Verdict, text)
		}
	}
	r.srv.ResetToken()
	_, err := r.Post(context.Background(), notice(r, "abcdefghijklmnopqrst", "a notice"))
	if p := postError(t, err); p.Verdict != keepwatch.VerdictLater || p.After != authLater || !strings.Contains(keepwatch.Sentence(p.Err), "DISCORD_BOT_TOKEN") {
		t.Errorf("without a token: %v after %v: %v", p.Verdict, p.After, err)
	}
	r.setLink(nil)
	if !strings.Contains(keepwatch.Sentence(r.Ready()), "DISCORD_BOT_TOKEN") {
		t.Errorf("Ready: %v", r.Ready())
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	f, err := New(Config{Token: keepwatch.NewSecret("t.t.t"), Counter: newCounter(), APIURL: "http://" + l.Addr().String(), pace: hurried()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Post(context.Background(), keepwatch.Outgoing{ID: "abcdefghijklmnopqrst", Channel: "discord:1234567", Message: keepwatch.Message{Title: "x"}})
	if p := postError(t, err); p.Verdict != keepwatch.VerdictLater {
		t.Errorf("%v: %v", p.Verdict, err)
	}
}

func TestPostEndsWithItsContext(t *testing.T) {
	r := assemble(t, nil)
	hold := r.srv.NewHold()
	defer hold.Release()
	r.srv.Fail(createRoute, 1, discordtest.Fault{Hold: hold})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { _, err := r.Post(ctx, notice(r, "abcdefghijklmnopqrst", "x")); ended <- err }()
	r.until("the call", func() bool { return len(r.srv.CallsTo(createRoute)) == 1 })
	cancel()
	select {
	case err := <-ended:
		if p := postError(t, err); p.Verdict != keepwatch.VerdictUnsure {
			t.Errorf("%v: %v", p.Verdict, err)
		}
	case <-soon(t).Done():
		t.Fatal("Post goes on")
	}
}

// TestRefusedForm: what Discord refuses for the way it looks arrives as text.
func TestRefusedForm(t *testing.T) {
	r := assemble(t, nil)
	refusedOnce := &refuseEmbeds{next: r.rest.session.Client.Transport}
	r.rest.session.Client.Transport = refusedOnce
	out := notice(r, "abcdefghijklmnopqrst", "a notice")
	out.Message.Blocks = append(out.Message.Blocks, keepwatch.Code("age -d"), keepwatch.Block{Table: sources(100)})
	ref, err := r.Post(context.Background(), out)
	if err != nil || !refusedOnce.done {
		t.Fatal(err)
	}
	m, _ := r.srv.Message(ref)
	if len(m.Embeds) > 0 || !strings.Contains(m.Content, "a notice") || !strings.Contains(m.Content, "age -d") || !strings.Contains(m.Content, "no room here") {
		t.Errorf("it says %s", m)
	}
}

func TestReplyWithoutHistory(t *testing.T) {
	r := assemble(t, nil)
	r.rest.session.Client.Transport = refuseReplies{r.rest.session.Client.Transport}
	out := notice(r, "abcdefghijklmnopqrst", "a notice")
	out.Reply = &keepwatch.Reply{To: keepwatch.Account{ID: r.alis}, Thread: "1234567890"}
	if _, err := r.Post(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	if all := r.srv.Messages(r.srv.ChannelID()); len(all) != 1 || len(all[0].Embeds) == 0 {
		t.Errorf("there is %v", all)
	}
}

// TestNoAcknowledgement: Discord did not take the response in time, so the answer
// goes another way, at once.
func TestNoAcknowledgement(t *testing.T) {
	r := start(t, nil)
	r.counter.take = func() error { r.clock.Advance(4 * time.Second); return nil }
	r.counter.answer = says("3 sources")
	i := r.command("backup sources", nil)
	r.until("the answer in the direct messages", func() bool { return len(r.srv.Messages(r.srv.DMChannel(r.alis))) == 1 })
	if i.State() != discordtest.Failed {
		t.Errorf("the interaction is %s", i.State())
	}
}

func TestEditGone(t *testing.T) {
	r := assemble(t, nil)
	out := notice(r, "abcdefghijklmnopqrst", "a notice")
	ref, err := r.Post(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	card := keepwatch.Card{Channel: out.Channel, Ref: ref}
	for range 2 {
		if err := r.Edit(context.Background(), card, samples()["done"]); err != nil {
			t.Fatal(err)
		}
	}
	card.Ref = "1234567890123"
	if p := postError(t, r.Edit(context.Background(), card, samples()["done"])); p.Verdict != keepwatch.VerdictGone {
		t.Errorf("a message that is not there: %v", p)
	}
	card.Ref = ref
	r.srv.SetPermissions(r.srv.ChannelID(), discordtest.Permissions{})
	if p := postError(t, r.Edit(context.Background(), card, samples()["done"])); p.Verdict != keepwatch.VerdictGone {
		t.Errorf("a channel that is closed: %v", p)
	}
	r.srv.SetPermissions(r.srv.ChannelID(), discordtest.AllPermissions())
	r.srv.Fail("PATCH /channels/{channel}/messages/{message}", 1, discordtest.Fault{Status: 429, RetryAfter: 4 * time.Second})
	if p := postError(t, r.Edit(context.Background(), card, samples()["done"])); p.Verdict != keepwatch.VerdictLater || p.After < 3*time.Second {
		t.Errorf("limited: %v after %v", p.Verdict, p.After)
	}
}

func TestFind(t *testing.T) {
	r := assemble(t, nil)
	first := notice(r, "aaaaaaaaaaaaaaaaaaaa", "first")
	after, err := r.Post(context.Background(), first)
	if err != nil {
		t.Fatal(err)
	}
	out := notice(r, "bbbbbbbbbbbbbbbbbbbb", "a notice of *stars*")
	out.Tried, out.After = r.clock.Now(), after
	r.srv.Fail(createRoute, 1, discordtest.Fault{Cut: true, Done: true})
	if _, err := r.Post(context.Background(), out); err == nil {
		t.Fatal("the fault was not met")
	}
	find := func(out keepwatch.Outgoing) (string, bool) {
		t.Helper()
		ref, found, err := r.Find(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		return ref, found
	}
	if _, found := find(out); found {
		t.Error("it looks where the nonce is enough")
	}
	r.clock.Advance(time.Hour)
	all := r.srv.Messages(r.srv.ChannelID())
	if ref, found := find(out); !found || ref != all[1].ID {
		t.Errorf("found %v %s of %v", found, ref, all)
	}
	out.After = ""
	if ref, found := find(out); !found || ref != all[1].ID {
		t.Errorf("without the one before: %v %s", found, ref)
	}
	if _, found := find(withTitle(out, "another one")); found {
		t.Error("it finds what is not there")
	}
	first.Tried = out.Tried.Add(-time.Minute)
	first.After = after
	if _, found := find(first); found {
		t.Error("it finds what came before")
	}
	out.After = after
	r.srv.SetPermissions(r.srv.ChannelID(), discordtest.Permissions{View: true, Send: true})
	for range 2 {
		if _, found := find(out); found {
			t.Error("it finds what it may not read")
		}
	}
	if n := strings.Count(r.log.String(), "history of a Discord channel cannot be read"); n != 1 {
		t.Errorf("it was logged %d times", n)
	}
}

// TestFindCard: the card of a run says something else by now.
func TestFindCard(t *testing.T) {
	r := assemble(t, nil)
	out := keepwatch.Outgoing{ID: "cccccccccccccccccccc", Channel: "discord:" + r.srv.ChannelID(), Run: 42, Message: samples()["running"], Tried: r.clock.Now()}
	ref, err := r.Post(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Hour)
	out.Message = samples()["attention"]
	if got, found, err := r.Find(context.Background(), out); err != nil || !found || got != ref {
		t.Errorf("found %s %v %v", got, found, err)
	}
}

func withTitle(o keepwatch.Outgoing, title string) keepwatch.Outgoing {
	o.ID, o.Message.Title = "dddddddddddddddddddd", title
	return o
}

// TestWithoutTheBotInTheChannel: a slash command works where the bot itself does
// not; the card goes out by the interaction.
func TestWithoutTheBotInTheChannel(t *testing.T) {
	r := start(t, nil)
	dark := r.srv.AddChannel(r.srv.GuildID(), "dark")
	r.srv.SetPermissions(dark, discordtest.Permissions{})
	r.counter.answer = card
	i, err := r.srv.Command(r.alis, dark, "backup sources", nil) // privately answered, with a card beside
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Post(context.Background(), *says("Its card in the channel shows how it goes.")(r.counter.wait(t, 1)[0])); err != nil {
		t.Fatal(err)
	}
	if m := r.reply(i); !m.Ephemeral || !strings.Contains(m.Text(), "Its card in the channel") {
		t.Errorf("the private answer is %s", m)
	}
	r.counter.working.Wait()
	if len(r.counter.errs) > 0 {
		t.Fatalf("%v; %s", r.counter.errs, i.Problem())
	}
	d := r.counter.wait(t, 1)[0]
	d.Reply.Private = false
	if err := r.Edit(context.Background(), keepwatch.Card{Run: 42, Channel: d.Request.Channel, Reply: &d.Reply, Ref: r.counter.posted[0]}, samples()["done"]); err != nil {
		t.Error(err)
	}
	if m, ok := r.srv.Message(r.counter.posted[0]); !ok || !strings.Contains(m.Text(), "is done") {
		t.Errorf("it says %s", m)
	}
}

// TestRefusalWithoutACode: a page of a proxy says nothing about a message for good,
// and must not hold up its channel for ever either.
func TestRefusalWithoutACode(t *testing.T) {
	for status, odd := range map[int]bool{400: true, 403: true, 404: true, 413: true, 408: false, 425: false, 502: false} {
		var p *keepwatch.PostError
		if err := verdict(&apiError{Status: status}, "discord:1"); !errors.As(err, &p) || p.Verdict != keepwatch.VerdictUnsure || p.Odd != odd {
			t.Errorf("HTTP %d: %+v", status, p)
		}
	}
}
