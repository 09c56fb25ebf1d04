package discord

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/discord/discordtest"
)

// lively has heartbeats often enough for tests of them, and little patience.
func lively(dc *discordtest.Config, c *Config) {
	dc.HeartbeatInterval = 200 * time.Millisecond
	c.pace.hello, c.pace.ready = 500*time.Millisecond, time.Second
}

// alive reports that a command is answered.
func (r *rig) alive() {
	r.t.Helper()
	r.counter.mu.Lock()
	r.counter.answer = says("alive")
	r.counter.mu.Unlock()
	if m := r.reply(r.command("backup sources", nil)); !strings.Contains(m.Text(), "alive") {
		r.t.Errorf("the answer is %s", m)
	}
}

// TestReconnect: whatever happens to the connection, it comes back, by resuming
// where Discord allows it, and nothing that was said meanwhile is lost.
func TestReconnect(t *testing.T) {
	for _, c := range []struct {
		name   string
		break_ func(*discordtest.Server)
		resume bool
	}{
		{"cut", func(s *discordtest.Server) { s.CutGateway() }, true},
		{"op 7", func(s *discordtest.Server) { s.Reconnect() }, true},
		{"op 9, resumable", func(s *discordtest.Server) { s.InvalidateSessions(true) }, true},
		{"op 9", func(s *discordtest.Server) { s.InvalidateSessions(false) }, false},
		{"close 4000", func(s *discordtest.Server) { s.CloseGateway(4000) }, true},
		{"close 4007", func(s *discordtest.Server) { s.CloseGateway(4007) }, false},
		{"close 4009", func(s *discordtest.Server) { s.CloseGateway(4009) }, false},
		{"garbled", func(s *discordtest.Server) { s.SendRaw(`{"op":0,`) }, true},
		{"forgotten", func(s *discordtest.Server) { s.ForgetSessions(); s.CutGateway() }, false},
		{"dials refused", func(s *discordtest.Server) { s.RefuseDials(2, 503); s.CutGateway() }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil)
			before := r.srv.CountGateway("identify")
			c.break_(r.srv)
			r.until("another connection", func() bool {
				return r.srv.CountGateway("resumed") == 1 || r.srv.CountGateway("identify") > before
			})
			if err := r.srv.WaitConnected(soon(t)); err != nil {
				t.Fatal(err)
			}
			r.until("ready again", func() bool { return r.Ready() == nil })
			if resumed := r.srv.CountGateway("resumed") > 0; resumed != c.resume {
				t.Errorf("resumed: %v, log %v", resumed, r.srv.GatewayLog())
			}
			for _, e := range r.srv.GatewayLog() {
				if e.What == "close" && (e.Code == 1000 || e.Code == 1001) {
					t.Errorf("it closed with %d, which gives the session up", e.Code)
				}
				if e.Elsewhere && c.name != "dials refused" {
					t.Error("it resumed at the general address")
				}
			}
			r.alive()
			if _, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "backup status"); err != nil {
				t.Fatal(err)
			}
			r.counter.wait(t, 2)
		})
	}
}

func TestWhatIsSaidWhileTheConnectionIsCutArrives(t *testing.T) {
	r := start(t, nil)
	r.srv.RefuseDials(1, 502)
	r.srv.CutGateway()
	if _, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "backup status"); err != nil {
		t.Fatal(err)
	}
	if d := r.counter.wait(t, 1)[0]; d.Request.Text != "/backup status" {
		t.Errorf("taken: %+v", d)
	}
	r.srv.DuplicateNext(1)
	if _, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "backup sources"); err != nil {
		t.Fatal(err)
	}
	r.counter.wait(t, 2)
	r.alive()
	if n := len(r.counter.wait(t, 3)); n != 3 {
		t.Errorf("%d were taken", n)
	}
}

// TestDeadConnections: each silence is noticed within an interval or two.
func TestDeadConnections(t *testing.T) {
	for name, faults := range map[string]discordtest.GatewayFaults{"no acknowledgement": {NoAck: true}, "silence": {Silent: true}} {
		t.Run(name, func(t *testing.T) {
			r := start(t, lively)
			r.srv.SetGatewayFaults(faults)
			began := time.Now()
			r.until("the connection is given up", func() bool { return r.Ready() != nil })
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v to notice", took)
			}
			r.srv.SetGatewayFaults(discordtest.GatewayFaults{})
			r.until("ready again", func() bool { return r.Ready() == nil })
			r.alive()
		})
	}
	for name, faults := range map[string]discordtest.GatewayFaults{"no hello": {NoHello: true}, "no ready": {NoReady: true}} {
		t.Run(name, func(t *testing.T) {
			r := assemble(t, lively)
			r.srv.SetGatewayFaults(faults)
			r.run()
			r.until("a second attempt", func() bool { return r.srv.CountGateway("connect") >= 2 })
			if r.Ready() == nil {
				t.Error("it is ready without a connection")
			}
			r.srv.SetGatewayFaults(discordtest.GatewayFaults{})
			if err := r.srv.WaitConnected(soon(t)); err != nil {
				t.Fatal(err)
			}
			r.until("the commands", func() bool { return r.Ready() == nil })
			r.alive()
		})
	}
}

func TestFatalCloseCodes(t *testing.T) {
	for code, want := range map[int]string{4004: "token", 4010: "sharding", 4011: "sharding", 4012: "newer Keepwatch", 4013: "newer Keepwatch", 4014: "Developer Portal"} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r := start(t, nil)
			r.srv.CloseGateway(code)
			var err error
			select {
			case err = <-r.ended:
			case <-soon(t).Done():
				t.Fatal("Run goes on")
			}
			r.ended <- err // for the cleanup of others
			if !strings.Contains(keepwatch.Sentence(err), want) || r.Ready() == nil || keepwatch.Sentence(r.Ready()) != keepwatch.Sentence(err) {
				t.Errorf("Run gives %v, Ready %v", err, r.Ready())
			}
			if n := r.srv.CountGateway("connect"); n != 1 {
				t.Errorf("it connected %d times", n)
			}
		})
	}
}

func TestWrongToken(t *testing.T) {
	r := assemble(t, nil)
	r.srv.ResetToken()
	r.run()
	select {
	case err := <-r.ended:
		r.ended <- err
		if !strings.Contains(keepwatch.Sentence(err), "DISCORD_BOT_TOKEN") {
			t.Errorf("Run gives %v", err)
		}
	case <-soon(t).Done():
		t.Fatal("Run goes on")
	}
	if got := keepwatch.Sentence(r.Ready()); !strings.Contains(got, "DISCORD_BOT_TOKEN") {
		t.Errorf("Ready: %s", got)
	}
}

func TestConnectionsUsedUp(t *testing.T) {
	r := assemble(t, nil)
	r.srv.SetIdentifies(1000)
	r.run()
	r.until("it says what it waits for", func() bool { return strings.Contains(keepwatch.Sentence(r.Ready()), "connected too often") })
	if n := r.srv.CountGateway("connect"); n != 0 {
		t.Errorf("it connected %d times", n)
	}
}

func TestStopClosesForGood(t *testing.T) {
	r := start(t, nil)
	r.stop()
	select {
	case err := <-r.ended:
		r.ended <- err
		if err != nil {
			t.Errorf("Run gives %v", err)
		}
	case <-soon(t).Done():
		t.Fatal("Run goes on")
	}
	r.until("the connection is closed", func() bool { return r.srv.CountGateway("close") == 1 })
	for _, e := range r.srv.GatewayLog() {
		if e.What == "close" && e.Code != 1000 {
			t.Errorf("it closed with %d", e.Code)
		}
	}
	if r.Ready() == nil {
		t.Error("it is ready after its end")
	}
}

func TestHeartbeatWhenAsked(t *testing.T) {
	r := start(t, nil)
	before := r.srv.CountGateway("heartbeat")
	r.srv.RequestHeartbeat()
	r.until("a heartbeat", func() bool { return r.srv.CountGateway("heartbeat") > before })
	r.srv.SendRaw(`{"op":99,"d":null}`)
	r.srv.SendEvent("SOMETHING_NEW", map[string]any{"id": 1})
	r.alive()
	if n := r.srv.CountGateway("connect"); n != 1 {
		t.Errorf("it connected %d times", n)
	}
}

// TestPanic: what breaks off ends alone.
func TestPanic(t *testing.T) {
	r := start(t, nil)
	broken := true
	r.counter.take = func() error {
		if broken {
			broken = false
			panic("a bug")
		}
		return nil
	}
	i := r.command("backup sources", nil)
	if m := r.reply(i); !m.Ephemeral || !strings.Contains(m.Text(), "nothing was done") {
		t.Errorf("it is answered: %s", m)
	}
	r.alive()
}

func TestNotRecorded(t *testing.T) {
	r := start(t, nil)
	full := keepwatch.Errorf(keepwatch.KindConflict, "Keepwatch is stopping and takes nothing new.")
	r.counter.take = func() error { return full }
	if m := r.reply(r.command("backup start", map[string]any{"source": "x"})); !m.Ephemeral || !strings.Contains(m.Text(), "could not be recorded") || !strings.Contains(m.Text(), "is stopping") {
		t.Errorf("it is answered: %s", m)
	}
	if _, err := r.srv.Mention(r.alis, r.srv.ChannelID(), "backup status"); err != nil {
		t.Fatal(err)
	}
	r.until("the sentence", func() bool {
		all := r.srv.Messages(r.srv.ChannelID())
		return len(all) == 2 && strings.Contains(all[1].Text(), "could not be recorded")
	})
}

// TestSlowRecording: Discord is told that the command arrived before it gives up,
// and whoever asked is told the truth afterwards.
func TestSlowRecording(t *testing.T) {
	for want, err := range map[string]error{"could not be recorded": errors.New("disk full"), "3 sources": nil} {
		t.Run(want, func(t *testing.T) {
			r := start(t, nil)
			hold := make(chan struct{})
			r.counter.take = func() error {
				<-hold
				return err
			}
			r.counter.answer = says("3 sources")
			i := r.command("backup sources", nil)
			if state, err := i.WaitAcknowledged(soon(t)); err != nil || state != discordtest.Thinking {
				t.Fatalf("%s %v", state, err)
			}
			close(hold)
			if m := r.reply(i); !strings.Contains(m.Text(), want) {
				t.Errorf("it is answered: %s", m)
			}
		})
	}
}
