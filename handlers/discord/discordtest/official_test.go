package discordtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// driver is the small bot of testdata/official, on discord.js.
type driver struct {
	t     *testing.T
	said  chan object
	debug *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// drive starts the bot, and ends it with the test.
func drive(t *testing.T, s *Server, token string) *driver {
	t.Helper()
	programs, packages := Node(t)
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", filepath.Join(programs, "driver.mjs"), packages, s.URL()+"/api", token)
	d := &driver{t: t, said: make(chan object, 100), debug: &lockedBuffer{}}
	cmd.Stderr = d.debug
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var o object
			if json.Unmarshal(lines.Bytes(), &o) == nil {
				d.said <- o
			}
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		timer := time.AfterFunc(5*time.Second, stop)
		<-read
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // its exit tells nothing
		timer.Stop()
		stop()
		if t.Failed() {
			t.Logf("discord.js says:\n%s", d.debug)
		}
	})
	return d
}

// next waits until the bot has said all of these, in any order, and gives the last. It fails at any error that
// the bot reports before.
func (d *driver) next(what ...string) object {
	d.t.Helper()
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	for {
		select {
		case o := <-d.said:
			said := fmt.Sprint(o["what"])
			if said == "error" || said == "refused" {
				d.t.Fatalf("discord.js reports %v while %v is waited for", o, what)
			}
			what = slices.DeleteFunc(what, func(w string) bool { return w == said })
			if len(what) == 0 {
				return o
			}
		case <-timer.C:
			d.t.Fatalf("discord.js does not say %v", what)
		}
	}
}

func officialServer(t *testing.T) *Server {
	t.Helper()
	s := New(t, Config{HeartbeatInterval: time.Second, Spec: vocabulary(t)})
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Error(v)
		}
	})
	return s
}

func TestDiscordJS(t *testing.T) {
	t.Parallel()
	s := officialServer(t)
	alis := s.AddUser("alis")
	d := drive(t, s, s.Token())
	ready := d.next("ready")
	if fmt.Sprint(ready["guilds"], ready["commands"], ready["channels"]) != "[Ops] 1 1" {
		t.Errorf("discord.js sees %v", ready)
	}
	ctx := within(t)

	choices, err := s.Autocomplete(ctx, alis, s.ChannelID(), "backup start", nil, "source", "do")
	if err != nil || len(choices) != 1 || choices[0].Value != "docs" {
		t.Errorf("the choices are %v, %v", choices, err)
	}

	i, err := s.Command(alis, s.ChannelID(), "backup start", map[string]any{"source": "docs", "person": alis})
	if err != nil {
		t.Fatal(err)
	}
	m, err := i.WaitReply(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Started docs.\nRun 1\nAsked by: alis\n[Cancel]"; m.String() != want {
		t.Errorf("the reply is %q, not %q", m, want)
	}
	err = s.Wait(ctx, "the follow-up", func() bool { return len(s.Ephemerals(alis, s.ChannelID())) == 1 })
	if err != nil || s.Ephemerals(alis, s.ChannelID())[0].Content != "Only alis sees this." {
		t.Errorf("alis alone sees %v, %v", s.Ephemerals(alis, s.ChannelID()), err)
	}

	press(t, func() (*Interaction, error) { return s.Select(alis, m.ID, "Pick", "2") }, "Picked 2.")
	press(t, func() (*Interaction, error) { return s.Click(alis, m.ID, "Cancel") }, "Cancelled.")
	if got, _ := s.Message(m.ID); len(got.Labels()) != 0 || len(got.Edits) != 3 {
		t.Errorf("after the click it has the buttons %v and %d edits", got.Labels(), len(got.Edits))
	}

	if i, err = s.Command(alis, s.ChannelID(), "backup restore", nil); err != nil {
		t.Fatal(err)
	}
	if state, err := i.WaitAcknowledged(ctx); err != nil || state != ModalUp {
		t.Fatalf("restore is %s, %v", state, err)
	}
	modal, _ := s.Modal(alis)
	press(t, func() (*Interaction, error) {
		return s.SubmitModal(alis, modal, map[string]string{"Why?": "it is gone"})
	}, "Because it is gone.")
}

func press(t *testing.T, act func() (*Interaction, error), want string) {
	t.Helper()
	i, err := act()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := i.WaitReply(within(t)); err != nil || m.Content != want {
		t.Errorf("the answer is %q, %v, not %q", m, err, want)
	}
}

func TestDiscordJSPosts(t *testing.T) {
	t.Parallel()
	s := officialServer(t)
	alis := s.AddUser("alis")
	d := drive(t, s, s.Token())
	d.next("ready")
	s.Fail("POST /channels/{channel}/messages", 1, Fault{Status: 429, RetryAfter: 200 * time.Millisecond})
	if _, err := s.Mention(alis, s.ChannelID(), "hello"); err != nil {
		t.Fatal(err)
	}
	if p := d.next("posted"); p["ids"].([]any)[0] != p["ids"].([]any)[1] || p["dm"] != false {
		t.Errorf("one nonce was posted as %v", p)
	}
	if _, err := s.DM(alis, "hello"); err != nil {
		t.Fatal(err)
	}
	if p := d.next("posted"); p["dm"] != true {
		t.Errorf("a direct message was posted as %v", p)
	}
	if n := len(s.Messages(s.ChannelID())); n != 2 {
		t.Errorf("%d messages are in the channel", n)
	}
	if m := s.Messages(s.DMChannel(alis))[1]; m.Content != "You said hello" {
		t.Errorf("the answer is %q", m)
	}
	if p := s.Messages(s.DMChannel(alis))[1].Pictures(); len(p) != 1 || string(p[0].Data) != "\x89PNG" || p[0].Description != "a picture" {
		t.Errorf("the picture is %+v", p)
	}
	first := s.CallsTo("POST /channels/{channel}/messages")[:3]
	if first[0].Status != 429 || first[1].At.Sub(first[0].At) < 200*time.Millisecond || first[2].Status != 200 {
		t.Errorf("a 429 was obeyed so: %+v", first)
	}
	if l := s.Limits(); l.Early != 0 || l.Limited != 0 {
		t.Errorf("discord.js came too early: %+v", l)
	}
}

func TestDiscordJSResumes(t *testing.T) {
	t.Parallel()
	s := officialServer(t)
	s.SetRateLimits(false) // discord.js heeds the headers, and would wait
	alis := s.AddUser("alis")
	d := drive(t, s, s.Token())
	d.next("ready")
	for _, interrupt := range []func(){s.CutGateway, s.Reconnect, func() { s.CloseGateway(CloseUnknownError) }, func() { s.InvalidateSessions(true) }} {
		interrupt()
		if _, err := s.Mention(alis, s.ChannelID(), "are you there?"); err != nil {
			t.Fatal(err)
		}
		d.next("resumed", "posted") // what was said meanwhile comes before or after
	}
	if n := s.CountGateway("identify"); n != 1 {
		t.Errorf("%d identifies: %v", n, s.GatewayLog())
	}
	if at := slices.IndexFunc(s.GatewayLog(), func(e GatewayEvent) bool { return e.Elsewhere }); at >= 0 {
		t.Errorf("a resume went elsewhere: %+v", s.GatewayLog()[at])
	}
	s.SendRaw(`{"op":42,"d":null,"s":null,"t":null}`)
	s.SendEvent("SOMETHING_NEW", object{"id": "1"})
	s.SetGatewayFaults(GatewayFaults{NoAck: true})
	err := s.Wait(within(t), "a zombie's close", func() bool { return s.CountGateway("resume") > 4 })
	s.SetGatewayFaults(GatewayFaults{})
	if err != nil {
		t.Fatal(err)
	}
	d.next("resumed")
}

func TestDiscordJSIsRefused(t *testing.T) {
	t.Parallel()
	s := officialServer(t)
	s.CloseNextIdentify(closeAuthenticationFailed)
	d := drive(t, s, s.Token())
	select {
	case o := <-d.said:
		if o["what"] == "ready" {
			t.Errorf("it said %v", o)
		}
	case <-within(t).Done():
		t.Error("it says nothing")
	}
	if n := s.CountGateway("identify"); n != 1 {
		t.Errorf("%d identifies after 4004", n)
	}
}
