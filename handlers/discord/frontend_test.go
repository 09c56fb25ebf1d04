package discord

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
)

func TestPrivateAnswer(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = says("3 sources")
	i := r.command("backup sources", nil)
	m := r.reply(i)
	if !m.Ephemeral || !strings.Contains(m.Text(), "3 sources") || m.Labels()[0] != "Again" {
		t.Errorf("the answer is %s", m)
	}
	d := r.counter.wait(t, 1)[0]
	if d.Request.Text != "/backup sources" || d.Request.Account.ID != r.alis || d.Request.Channel != "discord:"+r.srv.ChannelID() || d.Request.Private || !d.Reply.Private || d.Reply.Open || !d.InReply || d.Quiet {
		t.Errorf("taken: %+v", d)
	}
	if len(r.srv.Messages(r.srv.ChannelID())) != 0 {
		t.Error("others see it")
	}
}

func TestClickReplacesWhatOnlyTheAskerSees(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = says("3 sources")
	m := r.reply(r.command("backup sources", nil))
	r.counter.mu.Lock()
	r.counter.answer = says("4 sources")
	r.counter.mu.Unlock()
	if _, err := r.srv.Click(r.alis, m.ID, "Again"); err != nil {
		t.Fatal(err)
	}
	d := r.counter.wait(t, 2)[1]
	if !d.Reply.Replace || d.Request.Text != "/backup sources" {
		t.Errorf("taken: %+v", d)
	}
	r.until("the same message says 4", func() bool {
		now, _ := r.srv.Message(m.ID)
		return strings.Contains(now.Text(), "4 sources")
	})
	if all := r.srv.Ephemerals(r.alis, r.srv.ChannelID()); len(all) != 1 {
		t.Errorf("there are %d messages", len(all))
	}
}

func TestCardOfARun(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = card
	m := r.reply(r.command("backup start", map[string]any{"source": "ruthin-web", "changes": true}))
	if m.Ephemeral || !strings.Contains(m.Text(), "under way") {
		t.Errorf("the card is %s", m)
	}
	d := r.counter.wait(t, 1)[0]
	if d.Request.Text != "/backup start --changes ruthin-web" || !d.Reply.Open {
		t.Errorf("taken: %+v", d)
	}
	r.counter.working.Wait()
	ref := r.counter.posted[0]
	if ref != m.ID {
		t.Fatalf("the reference is %s, and the message %s", ref, m.ID)
	}
	c := keepwatch.Card{Run: 42, Channel: d.Request.Channel, Reply: &d.Reply, Ref: ref}
	edit := func(state string) discordtest.Message {
		t.Helper()
		if err := r.Edit(context.Background(), c, samples()[state]); err != nil {
			t.Fatal(err)
		}
		now, _ := r.srv.Message(ref)
		return now
	}
	if now := edit("attention"); !strings.Contains(now.Text(), "needs attention") || now.Labels()[0] != "Retry" {
		t.Errorf("edited: %s", now)
	}
	before := len(r.srv.CallsTo("PATCH /channels/{channel}/messages/{message}"))
	r.clock.Advance(20 * time.Minute) // the token is over
	if now := edit("cancelled"); !strings.Contains(now.Text(), "was cancelled") || len(now.Labels()) != 0 {
		t.Errorf("edited late: %s", now)
	}
	if n := len(r.srv.CallsTo("PATCH /channels/{channel}/messages/{message}")) - before; n != 1 {
		t.Errorf("the channel was used %d times", n)
	}
}

// TestTokenOverBeforeTime: Discord gives a token up earlier than it says.
func TestTokenOverBeforeTime(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = card
	m := r.reply(r.command("backup start", map[string]any{"source": "x"}))
	d := r.counter.wait(t, 1)[0]
	d.Reply.Until = r.clock.Now().Add(time.Hour) // our clock is wrong
	r.clock.Advance(16 * time.Minute)
	if err := r.Edit(context.Background(), keepwatch.Card{Channel: d.Request.Channel, Reply: &d.Reply, Ref: m.ID}, samples()["done"]); err != nil {
		t.Fatal(err)
	}
	if now, _ := r.srv.Message(m.ID); !strings.Contains(now.Text(), "is done") {
		t.Errorf("it says %s", now)
	}
}

func TestErrorAfterAPublicDeferral(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = says("There is no source named x")
	i := r.command("backup start", map[string]any{"source": "x"})
	r.until("the sentence", func() bool { return len(i.Followups()) == 1 })
	m := i.Followups()[0]
	if !m.Ephemeral || !strings.Contains(m.Text(), "no source") {
		t.Errorf("the answer is %s", m)
	}
	if all := r.srv.Messages(r.srv.ChannelID()); len(all) != 0 {
		t.Errorf("others see %v", all)
	}
}

func TestLateAnswers(t *testing.T) {
	r := start(t, nil)
	i := r.command("backup sources", nil)
	if _, err := i.WaitAcknowledged(soon(t)); err != nil {
		t.Fatal(err)
	}
	d := r.counter.wait(t, 1)[0]
	r.clock.Advance(time.Hour)
	ref, err := r.Post(context.Background(), *says("late")(d))
	if err != nil {
		t.Fatal(err)
	}
	if all := r.srv.Messages(r.srv.DMChannel(r.alis)); len(all) != 1 || all[0].ID != ref {
		t.Errorf("a late private answer is not in the direct messages: %v", all)
	}
	d.Reply.Private = false
	if _, err := r.Post(context.Background(), *says("late")(d)); err != nil {
		t.Fatal(err)
	}
	if all := r.srv.Messages(r.srv.ChannelID()); len(all) != 1 {
		t.Errorf("a late public answer is not in the channel: %v", all)
	}
}

func TestCardBesideAPrivateAnswer(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = card
	i := r.command("backup sources", nil) // whose answer is private
	r.until("the card", func() bool { return len(r.srv.Messages(r.srv.ChannelID())) == 1 })
	if m := r.srv.Messages(r.srv.ChannelID())[0]; !strings.Contains(m.Text(), "under way") || m.Nonce == nil {
		t.Errorf("the card is %s with the nonce %v", m, m.Nonce)
	}
	if s, err := i.WaitAcknowledged(soon(t)); err != nil || s != discordtest.Thinking { // which may come after the card
		t.Errorf("the private answer is %s, %v", s, err)
	}
}

func TestForm(t *testing.T) {
	r := start(t, nil)
	b := keepwatch.Button{Label: "Snooze", Command: "reminder snooze 7", Form: &keepwatch.Form{Title: "Snooze", Text: "Until when? *", Submit: "Snooze", Fields: []keepwatch.FormField{
		{Name: "until", Flag: true, Label: "Until", Type: keepwatch.FieldDate, Required: true},
		{Name: "why", Label: "Why", Words: true, Hint: "for those who ask later"},
		{Name: "who", Flag: true, Label: "Who", Type: keepwatch.FieldChoice, Choices: []string{"Alis", "Bo"}, Value: "Bo"}}}}
	token, kept := b.Token()
	if !kept {
		t.Fatal("a form is not kept")
	}
	r.counter.buttons[token] = b
	r.counter.answer = func(d keepwatch.Delivery) *keepwatch.Outgoing {
		return out(d, keepwatch.Message{Title: "Due", Buttons: []keepwatch.Button{b}})
	}
	m := r.reply(r.command("backup sources", nil))
	i, err := r.srv.Click(r.alis, m.ID, "Snooze")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := i.WaitAcknowledged(soon(t)); err != nil || s != discordtest.ModalUp {
		t.Fatalf("%s %v %s", s, err, i.Problem())
	}
	if n := len(r.counter.wait(t, 1)); n != 1 {
		t.Errorf("opening a form was taken: %d", n)
	}
	form, ok := r.srv.Modal(r.alis)
	if !ok || form.Title != "Snooze" || len(form.Inputs) != 3 {
		t.Fatalf("the form is %+v", form)
	}
	if _, err := r.srv.SubmitModal(r.alis, form, map[string]string{"Until": "2026-12-01", "Why": "on holiday  until then", "Who": "Bo"}); err != nil {
		t.Fatal(err)
	}
	d := r.counter.wait(t, 2)[1]
	if want := `/reminder snooze 7 --until 2026-12-01 on holiday until then --who Bo`; d.Request.Text != want || !d.Reply.Replace {
		t.Errorf("taken: %+v, want %s", d, want)
	}
}

func TestConfirmation(t *testing.T) {
	r := start(t, nil)
	b := keepwatch.Button{Label: "Restore", Command: "backup restore x --confirm 1", Form: &keepwatch.Form{Title: "Restore?", Text: strings.Repeat("It replaces 3 files. ", 400)}}
	token, _ := b.Token()
	r.counter.buttons[token] = b
	r.counter.answer = func(d keepwatch.Delivery) *keepwatch.Outgoing {
		return out(d, keepwatch.Message{Title: "Plan", Buttons: []keepwatch.Button{b}})
	}
	m := r.reply(r.command("backup sources", nil))
	if i, err := r.srv.Click(r.alis, m.ID, "Restore"); err != nil {
		t.Fatal(err)
	} else if s, err := i.WaitAcknowledged(soon(t)); err != nil || s != discordtest.ModalUp {
		t.Fatalf("%s %v %s", s, err, i.Problem())
	}
	form, _ := r.srv.Modal(r.alis)
	if _, err := r.srv.SubmitModal(r.alis, form, nil); err != nil {
		t.Fatal(err)
	}
	if d := r.counter.wait(t, 2)[1]; d.Request.Text != "/backup restore x --confirm 1" {
		t.Errorf("taken: %+v", d)
	}
}

func TestOldButton(t *testing.T) {
	r := start(t, nil)
	b := keepwatch.Button{Label: "Go", Command: "x", Form: &keepwatch.Form{Title: "t"}}
	r.counter.answer = func(d keepwatch.Delivery) *keepwatch.Outgoing {
		return out(d, keepwatch.Message{Title: "Old", Buttons: []keepwatch.Button{b}})
	}
	m := r.reply(r.command("backup sources", nil))
	i, err := r.srv.Click(r.alis, m.ID, "Go")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.reply(i); !got.Ephemeral || !strings.Contains(got.Text(), "too old") {
		t.Errorf("it is answered: %s", got)
	}
}

func TestMenu(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = func(d keepwatch.Delivery) *keepwatch.Outgoing {
		return out(d, keepwatch.Message{Title: "Which?", Menus: []keepwatch.Menu{{Label: "Which source?", Options: []keepwatch.Button{{Label: "notes", Command: "backup start notes"}, {Label: "docs", Command: "backup start docs"}}}}})
	}
	m := r.reply(r.command("backup sources", nil))
	s := m.Selects()[0]
	if _, err := r.srv.Select(r.alis, m.ID, s.CustomID, s.Options[1].Value); err != nil {
		t.Fatal(err)
	}
	if d := r.counter.wait(t, 2)[1]; d.Request.Text != "/backup start docs" {
		t.Errorf("taken: %+v", d)
	}
}

func TestMentionsAndDirectMessages(t *testing.T) {
	r := start(t, nil)
	r.counter.answer = says("hello")
	asked, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "backup status 42")
	if err != nil {
		t.Fatal(err)
	}
	d := r.counter.wait(t, 1)[0]
	if d.Request.Text != "/backup status 42" || d.Reply.Token != "" || d.Reply.Thread != asked.ID || d.Request.Private || d.Reply.Private {
		t.Errorf("taken: %+v", d)
	}
	r.until("the answer", func() bool { return len(r.srv.Messages(r.srv.ChannelID())) == 2 })
	if m := r.srv.Messages(r.srv.ChannelID())[1]; m.ReplyTo != asked.ID || len(m.Pings) > 0 {
		t.Errorf("the answer is no reply, or pings: %+v", m)
	}
	if _, err := r.srv.Say(r.alis, r.srv.ChannelID(), "backup status"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.srv.DM(r.alis, "backup sources"); err != nil {
		t.Fatal(err)
	}
	d = r.counter.wait(t, 2)[1]
	if d.Request.Text != "/backup sources" || !d.Request.Private || d.Reply.Private || d.Reply.Thread != "" {
		t.Errorf("taken: %+v", d)
	}
	r.until("the answer", func() bool { return len(r.srv.Messages(r.srv.DMChannel(r.alis))) == 2 })

	private := *says("for admins")(r.counter.wait(t, 1)[0])
	private.Reply.Private, private.ID = true, "zzzzzzzzzzzzzzzzzzzz"
	if _, err := r.Post(context.Background(), private); err != nil {
		t.Fatal(err)
	}
	if all := r.srv.Messages(r.srv.DMChannel(r.alis)); len(all) != 3 || all[2].ReplyTo != "" {
		t.Errorf("the private answer to a mention is not in the direct messages: %v", all)
	}
}

func TestClosedDirectMessages(t *testing.T) {
	r := start(t, nil)
	r.srv.BlockDM(r.alis)
	if _, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "keepwatch audit"); err != nil {
		t.Fatal(err)
	}
	private := *says("secret")(r.counter.wait(t, 1)[0])
	private.Reply.Private = true
	if _, err := r.Post(context.Background(), private); err != nil {
		t.Fatal(err)
	}
	all := r.srv.Messages(r.srv.ChannelID())
	if m := all[len(all)-1]; len(all) != 2 || strings.Contains(m.Text(), "secret") || !strings.Contains(m.Text(), "direct messages") {
		t.Errorf("there is %v", all)
	}
}

func TestCommandInADirectMessage(t *testing.T) {
	r := start(t, func(_ *discordtest.Config, c *Config) { c.GuildID = "" })
	r.counter.answer = says("hello")
	i, err := r.srv.Command(r.alis, r.srv.DMChannel(r.alis), "backup sources", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.reply(i); m.Ephemeral {
		t.Errorf("the answer is %s", m)
	}
	if d := r.counter.wait(t, 1)[0]; !d.Request.Private || d.Reply.Private {
		t.Errorf("taken: %+v", d)
	}
}

func TestRoles(t *testing.T) {
	r := start(t, func(_ *discordtest.Config, c *Config) { c.Groups = true })
	ops := r.srv.AddRole(r.srv.GuildID(), "ops", 0)
	r.srv.SetRoles(r.srv.GuildID(), r.alis, ops)
	r.command("backup sources", nil)
	r.counter.wait(t, 1)
	for range 2 {
		if _, err := r.srv.DM(r.alis, "backup sources"); err != nil {
			t.Fatal(err)
		}
	}
	for n, d := range r.counter.wait(t, 3) {
		if d := cmp.Diff([]string{"discord:" + ops}, d.Request.Groups); d != "" {
			t.Errorf("request %d (-want +got):\n%s", n, d)
		}
	}
	if n := len(r.srv.CallsTo("GET /guilds/{guild}/members/{user}")); n < 1 || n > 2 {
		t.Errorf("the member was looked up %d times", n)
	}
}

func TestAutocomplete(t *testing.T) {
	r := start(t, nil)
	r.counter.list = fill(60, func(i int) handlers.Candidate {
		return handlers.Candidate{Text: "customer-" + strings.Repeat("x", i), Summary: "cPanel"}
	})
	r.counter.list = append(r.counter.list, handlers.Candidate{Text: "the-web", Summary: "a folder"}, handlers.Candidate{Text: "webmail"})
	got, err := r.srv.Autocomplete(soon(t), r.alis, r.srv.ChannelID(), "backup start", nil, "source", "WEB")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Value != "webmail" || got[1].Name != "the-web · a folder" {
		t.Errorf("choices: %v", got)
	}
	if got, err = r.srv.Autocomplete(soon(t), r.alis, r.srv.ChannelID(), "backup start", nil, "source", ""); err != nil || len(got) != 25 {
		t.Errorf("%d choices, %v", len(got), err)
	}
	r.counter.list = []handlers.Candidate{{Text: "42", Summary: "backup of x"}, {Text: "no-number"}}
	if got, err = r.srv.Autocomplete(soon(t), r.alis, r.srv.ChannelID(), "backup status", nil, "run", "4"); err != nil || len(got) != 1 {
		t.Errorf("choices: %v, %v", got, err)
	}
	if d := cmp.Diff([]string{"/backup start ", "/backup start ", "/backup status "}, r.counter.asked); d != "" {
		t.Errorf("asked (-want +got):\n%s", d)
	}
}
