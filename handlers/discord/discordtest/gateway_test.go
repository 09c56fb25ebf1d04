package discordtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

func beat(seq any) object { return object{"op": opHeartbeat, "d": seq} }

func resumeFrame(s *Server, ready object, seq int) object {
	return object{"op": opResume, "d": object{"token": s.Token(), "session_id": ready["session_id"], "seq": seq}}
}

func resumeURL(ready object) string { url, _ := ready["resume_gateway_url"].(string); return url }

func TestHandshake(t *testing.T) {
	s := serve(t, Config{HeartbeatInterval: 300 * time.Millisecond})
	c := dial(t, s.GatewayURL())
	if d := asObject(c.next(opHello, "")["d"]); d["heartbeat_interval"] != 300.0 {
		t.Errorf("hello is %v", d)
	}
	c.send(beat(nil))
	c.next(opAck, "")
	c.send(identify(s, ordinary))
	ready := c.next(opDispatch, "READY")
	d := asObject(ready["d"])
	if ready["s"] != 1.0 || d["v"] != 10.0 || asObject(d["user"])["id"] != s.BotID() || asObject(d["application"])["id"] != s.ApplicationID() || asObject(array(d["guilds"])[0])["unavailable"] != true {
		t.Errorf("READY is %v", ready)
	}
	g := c.next(opDispatch, "GUILD_CREATE")
	if gd := asObject(g["d"]); g["s"] != 2.0 || len(array(gd["channels"])) != 1 || len(array(gd["members"])) != 2 {
		t.Errorf("GUILD_CREATE is %v", g)
	}
	s.RequestHeartbeat()
	c.next(opHeartbeat, "")
	c.send(beat(2))
	c.next(opAck, "")
	if !s.Connected() {
		t.Error("it is not connected")
	}
}

// TestNoHeartbeat: who sends none is thrown out.
func TestNoHeartbeat(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{HeartbeatInterval: 20 * time.Millisecond})
	c, _ := login(t, s, ordinary)
	c.closed(closeSessionTimedOut)
	if err := s.Wait(within(t), "the note", func() bool { return s.CountGateway("heartbeat missed") == 1 && s.CountGateway("close") == 1 }); err != nil {
		t.Errorf("%v: %+v", err, s.GatewayLog())
	}
}

// TestSilenceLasts: a silent gateway does not close a connection without heartbeats either.
func TestSilenceLasts(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{HeartbeatInterval: 10 * time.Millisecond})
	s.SetGatewayFaults(GatewayFaults{Silent: true})
	dial(t, s.GatewayURL()).silent(2 * heartbeatGrace(0))
}

func TestCloseCodes(t *testing.T) {
	token := func(s *Server, token string) object {
		o := identify(s, ordinary)
		asObject(o["d"])["token"] = token
		return o
	}
	shard := func(s *Server, shard ...int) object {
		o := identify(s, ordinary)
		asObject(o["d"])["shard"] = shard
		return o
	}
	for name, c := range map[string]struct {
		frame func(*Server) any
		code  int
	}{
		"unknown op":        {func(*Server) any { return object{"op": 42} }, 4001},
		"a long frame":      {func(s *Server) any { return token(s, strings.Repeat("x", 4096)) }, 4002},
		"not an object":     {func(*Server) any { return "hello" }, 4002},
		"no intents":        {func(s *Server) any { return object{"op": 2, "d": object{"token": s.Token()}} }, 4002},
		"too early":         {func(*Server) any { return object{"op": 3, "d": object{}} }, 4003},
		"a wrong token":     {func(s *Server) any { return token(s, "wrong") }, 4004},
		"a wrong shard":     {func(s *Server) any { return shard(s, 2, 2) }, 4010},
		"an invalid intent": {func(s *Server) any { return identify(s, 1<<30) }, 4013},
		"a privileged one":  {func(s *Server) any { return identify(s, ordinary|IntentMessageContent) }, 4014},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Config{})
			g := dial(t, s.GatewayURL())
			g.next(opHello, "")
			g.send(c.frame(s))
			g.closed(c.code)
		})
	}
}

func TestCloseCodesOfASession(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock})
	c, ready := login(t, s, ordinary)
	c.send(identify(s, ordinary))
	c.closed(4005)

	c = dial(t, resumeURL(ready))
	c.next(opHello, "")
	c.send(resumeFrame(s, ready, 99))
	c.closed(4007)

	c, _ = login(t, s, ordinary)
	for range sendsPerMinute {
		c.send(beat(1))
	}
	c.closed(4008)

	for code := 4000; code <= 4014; code++ {
		c, _ := login(t, s, ordinary)
		s.CloseGateway(code)
		c.closed(code)
	}
	s.CloseNextIdentify(4011)
	c = dial(t, s.GatewayURL())
	c.next(opHello, "")
	c.send(identify(s, ordinary))
	c.closed(4011)

	c, _ = login(t, s, ordinary)
	s.ResetToken()
	c.closed(4004)

	ws, res, err := websocket.DefaultDialer.Dial(s.GatewayURL()+"?v=8", nil)
	if err != nil {
		t.Fatal(err, res)
	}
	defer func() { _ = ws.Close() }()
	(&socket{t, ws}).closed(4012)

	s.RefuseDials(1, http.StatusServiceUnavailable)
	if _, res, err := websocket.DefaultDialer.Dial(s.GatewayURL(), nil); err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a refused dial: %v %v", res, err)
	}
}

func TestResume(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock})
	alis := s.AddUser("alis")
	c, ready := login(t, s, ordinary)
	s.CutGateway()
	c.closed(1006)
	for n := range 2 {
		if _, err := s.Mention(alis, s.ChannelID(), fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	c = dial(t, resumeURL(ready))
	c.next(opHello, "")
	c.send(resumeFrame(s, ready, 2))
	for n := range 2 {
		if e := c.next(opDispatch, "MESSAGE_CREATE"); e["s"] != float64(3+n) || !strings.HasSuffix(fmt.Sprint(asObject(e["d"])["content"]), fmt.Sprint(n)) {
			t.Errorf("replayed is %v", e)
		}
	}
	c.next(opDispatch, "RESUMED")

	s.Reconnect()
	c.next(opReconnect, "")
	_ = c.ws.NetConn().Close()
	c = dial(t, s.GatewayURL())
	c.next(opHello, "")
	c.send(resumeFrame(s, ready, 4))
	c.next(opDispatch, "RESUMED")
	elsewhere := 0
	for _, e := range s.GatewayLog() {
		if e.Elsewhere {
			elsewhere++
		}
	}
	if elsewhere != 1 || s.CountGateway("resumed") != 2 {
		t.Errorf("the log is %+v", s.GatewayLog())
	}

	s.InvalidateSessions(true)
	if d := c.next(opInvalidSession, "")["d"]; d != true {
		t.Errorf("op 9 says %v", d)
	}
	c.send(resumeFrame(s, ready, 4)) // on the same socket
	c.next(opDispatch, "RESUMED")
}

func TestIdentifyLimits(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock})
	s.SetIdentifyPace(5 * time.Second)
	login(t, s, ordinary)
	c := dial(t, s.GatewayURL())
	c.next(opHello, "")
	c.send(identify(s, ordinary))
	if d := c.next(opInvalidSession, "")["d"]; d != false {
		t.Errorf("op 9 says %v", d)
	}
	clock.Advance(5 * time.Second)
	c.send(identify(s, ordinary))
	c.next(opDispatch, "READY")

	clock.Advance(5 * time.Second)
	s.SetIdentifies(999)
	limit := func() object {
		return asObject(call(t, s, "GET", "/gateway/bot", nil).object()["session_start_limit"])
	}
	if l := limit(); l["remaining"] != 1.0 || l["total"] != 1000.0 {
		t.Errorf("the limit is %v", l)
	}
	login(t, s, ordinary)
	clock.Advance(5 * time.Second)
	old := s.Token()
	c = dial(t, s.GatewayURL())
	c.next(opHello, "")
	c.send(identify(s, ordinary))
	c.closed(4004)
	if s.Token() == old {
		t.Error("after a thousand identifies the token is the same")
	}
	clock.Advance(24 * time.Hour)
	if l := limit(); l["remaining"] != 1000.0 {
		t.Errorf("the next day the limit is %v", l)
	}
}

func TestIntents(t *testing.T) {
	s := serve(t, Config{AllowedIntents: IntentMessageContent | IntentGuildMembers, NoRateLimits: true})
	alis := s.AddUser("alis")
	without, _ := login(t, s, ordinary)
	with, _ := login(t, s, ordinary|IntentMessageContent|IntentGuildMembers)
	deaf, _ := login(t, s, 0)
	act := []func() (Message, error){
		func() (Message, error) { return s.Say(alis, s.ChannelID(), "to all") },
		func() (Message, error) { return s.Mention(alis, s.ChannelID(), "to the bot") },
		func() (Message, error) { return s.DM(alis, "directly") },
	}
	for _, f := range act {
		if _, err := f(); err != nil {
			t.Fatal(err)
		}
	}
	call(t, s, "POST", "/channels/"+s.ChannelID()+"/messages", object{"content": "own", "embeds": []any{object{"title": "T"}}})
	mention := "<@" + s.BotID() + "> to the bot"
	for _, c := range []struct {
		c    *socket
		want []string
	}{{without, []string{"", mention, "directly", "own"}}, {with, []string{"to all", mention, "directly", "own"}}} {
		var got []string
		for range c.want {
			got = append(got, fmt.Sprint(asObject(c.c.next(opDispatch, "MESSAGE_CREATE")["d"])["content"]))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
	s.SetRoles(s.GuildID(), alis, s.AddRole(s.GuildID(), "ops", 0))
	with.next(opDispatch, "GUILD_ROLE_CREATE")
	if d := asObject(with.next(opDispatch, "GUILD_MEMBER_UPDATE")["d"]); len(array(d["roles"])) != 1 {
		t.Errorf("the member is %v", d)
	}
	s.SendEvent("LAST", object{})
	deaf.next(opDispatch, "LAST") // and nothing before
	without.next(opDispatch, "GUILD_ROLE_CREATE")
	without.next(opDispatch, "LAST")
}

func TestWorldEvents(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	c, _ := login(t, s, ordinary)
	a := call(t, s, "POST", "/channels/"+s.ChannelID()+"/messages", object{"content": "x"})
	c.next(opDispatch, "MESSAGE_CREATE")
	call(t, s, "PATCH", "/channels/"+s.ChannelID()+"/messages/"+a.id(), object{"content": "y"})
	c.next(opDispatch, "MESSAGE_UPDATE")
	call(t, s, "DELETE", "/channels/"+s.ChannelID()+"/messages/"+a.id(), nil)
	c.next(opDispatch, "MESSAGE_DELETE")
	g := s.AddGuild("New")
	c.next(opDispatch, "GUILD_CREATE")
	ch := s.AddChannel(g, "new")
	c.next(opDispatch, "CHANNEL_CREATE")
	s.DeleteChannel(ch)
	c.next(opDispatch, "CHANNEL_DELETE")
	s.Kick(g)
	c.next(opDispatch, "GUILD_DELETE")
}
