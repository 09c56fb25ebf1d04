package slack

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

func TestProbe(t *testing.T) {
	both := func(c *Config) { c.SigningSecret = keepwatch.NewSecret(slacktest.SigningSecret) }
	for name, c := range map[string]struct {
		transport string
		change    func(*Config)
		spoil     func(*world)
		probe     string // the one that is looked at
		status    keepwatch.ProbeStatus
		text      string // in its text or next
	}{
		"a token that works":      {overSocket, nil, nil, "Slack bot token", keepwatch.ProbeGood, "workspace"},
		"an app token that works": {overSocket, nil, nil, "Slack Socket Mode", keepwatch.ProbeGood, "accepted"},
		"both transports":         {overSocket, both, nil, "Slack over HTTP", keepwatch.ProbeOff, "Socket Mode is used"},
		"HTTP that nobody hears":  {overHTTP, nil, nil, "Slack over HTTP", keepwatch.ProbeBad, "BOT_LISTEN"},
		"HTTP":                    {overHTTP, func(c *Config) { c.Listening = true }, nil, "Slack over HTTP", keepwatch.ProbeGood, "/slack/events"},
		"a revoked token":         {overSocket, nil, func(w *world) { w.BreakToken(slacktest.BotToken, "token_revoked") }, "Slack bot token", keepwatch.ProbeBad, "Install it again"},
		"an app token without it": {overSocket, nil, func(w *world) { w.BreakToken(slacktest.AppToken, "missing_scope") }, "Slack Socket Mode", keepwatch.ProbeBad, "connections:write"},
		"a scope that is missing": {overSocket, nil, func(w *world) {
			w.SetScopes("commands", "chat:write", "app_mentions:read", "im:history", "im:write", "groups:history")
		}, "Slack bot token", keepwatch.ProbeWarn, "channels:history"},
		"a scope that is vital":     {overSocket, nil, func(w *world) { w.SetScopes("commands") }, "Slack bot token", keepwatch.ProbeBad, "chat:write"},
		"a group":                   {overSocket, func(c *Config) { c.Groups = []string{"S01"} }, func(w *world) { w.AddGroup(slacktest.Group{ID: "S01", Handle: "ops", Users: []string{slacktest.Alis}}) }, "Slack user group S01", keepwatch.ProbeGood, "1 member"},
		"a group that is not there": {overSocket, func(c *Config) { c.Groups = []string{"S09"} }, nil, "Slack user group S09", keepwatch.ProbeBad, "keepwatch.yaml"},
		"no network":                {overSocket, func(c *Config) { c.APIURL = "http://127.0.0.1:1" }, nil, "Slack bot token", keepwatch.ProbeBad, "Is the network there?"},
	} {
		t.Run(name, func(t *testing.T) {
			w := prepare(t, c.transport, slacktest.Config{}, c.change)
			if c.spoil != nil {
				c.spoil(w)
			}
			for _, p := range w.f.Probe(w.ctx) {
				if p.Name != c.probe {
					continue
				}
				if p.Status != c.status || !strings.Contains(p.Text+" "+p.Next, c.text) {
					t.Errorf("%+v", p)
				}
				return
			}
			t.Errorf("there is no such probe: %+v", w.f.Probe(w.ctx))
		})
	}
}

func TestNew(t *testing.T) {
	token := keepwatch.NewSecret("x")
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"no counter":     {Config{BotToken: token, AppToken: token}, "Counter"},
		"no bot token":   {Config{Counter: newCounter(), AppToken: token}, "SLACK_BOT_TOKEN"},
		"swapped tokens": {Config{Counter: newCounter(), BotToken: keepwatch.NewSecret("xapp-1"), AppToken: keepwatch.NewSecret("xoxb-1")}, "mixed up"},
		"no transport":   {Config{Counter: newCounter(), BotToken: token}, "SLACK_SIGNING_SECRET"},
		"no address":     {Config{Counter: newCounter(), BotToken: token, AppToken: token, APIURL: "slack.com"}, "SLACK_API_URL"},
	} {
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := New(Config{Counter: newCounter(), BotToken: token, AppToken: token})
	if err != nil || f.Handler() != nil {
		t.Errorf("without a signing secret there are no endpoints: %v", err)
	}
}

// TestGroups: a group of the workspace gives its role, from a cache that a
// request does not wait for.
func TestGroups(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := prepare(t, transport, slacktest.Config{}, func(c *Config) { c.Groups = []string{"S01", "S02"} })
		w.AddGroup(slacktest.Group{ID: "S01", Handle: "ops", Users: []string{slacktest.Alis}})
		w.AddGroup(slacktest.Group{ID: "S02", Handle: "all", Users: []string{slacktest.Alis, slacktest.Bram}})
		w.run(t)
		if transport == overSocket {
			if err := w.WaitSockets(w.ctx, sockets); err != nil {
				t.Fatal(err)
			}
		}
		w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status"))
		w.acked(t, w.Command(slacktest.Bram, slacktest.Ops, "/backup", "status"))
		got := w.c.wait(t, 2, 0)
		if a, b := strings.Join(got[0].Request.Groups, " "), strings.Join(got[1].Request.Groups, " "); a != "slack:S01 slack:S02" || b != "slack:S02" {
			t.Errorf("%q %q", a, b)
		}
		asked := len(w.Calls("usergroups.users.list"))
		until := make(chan struct{})
		defer close(until)
		w.Fail(slacktest.Fault{Method: "usergroups.users.list", Times: -1, Until: until})
		begun := time.Now()
		if in := w.f.groups.of(slacktest.Alis); len(in) != 2 || time.Since(begun) > groupsCold/2 {
			t.Errorf("%v after %v", in, time.Since(begun))
		}
		if n := len(w.Calls("usergroups.users.list")); n != asked {
			t.Errorf("a request asked for the group: %d calls", n-asked)
		}
	})
}

// TestGroupsRefused: without the scope nobody has the role, it is said once, and
// requests go on.
func TestGroupsRefused(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Scopes: []string{"commands", "chat:write"}}, func(c *Config) { c.Groups = []string{"S01"} })
	w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status"))
	if got := w.c.wait(t, 1, 0); len(got[0].Request.Groups) != 0 {
		t.Errorf("%v", got[0].Request.Groups)
	}
	w.f.groups.refresh(w.ctx)
	if n := strings.Count(w.log.String(), "cannot be found out"); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// TestGroupEnds: a role that a group gives ends with the group or with the
// permission to read it at once, and with Slack's answers after a while.
func TestGroupEnds(t *testing.T) {
	for name, c := range map[string]struct {
		fault slacktest.Fault
		stays time.Duration // how long the role stays after the last answer
	}{
		"no such group":     {fault: slacktest.Fault{Error: "no_such_subteam"}},
		"no scope":          {fault: slacktest.Fault{Error: "missing_scope"}},
		"something new":     {fault: slacktest.Fault{Error: "not_on_a_monday"}},
		"an internal error": {fault: slacktest.Fault{Error: "internal_error"}, stays: groupsStand},
		"an HTTP error":     {fault: slacktest.Fault{Status: 503}, stays: groupsStand},
		"no answer":         {fault: slacktest.Fault{Cut: true}, stays: groupsStand},
	} {
		t.Run(name, func(t *testing.T) {
			w := prepare(t, overHTTP, slacktest.Config{}, func(c *Config) { c.Groups = []string{"S01"} })
			w.AddGroup(slacktest.Group{ID: "S01", Handle: "ops", Users: []string{slacktest.Alis}})
			now := time.Now()
			w.f.groups.now = func() time.Time { return now }
			w.f.groups.refresh(w.ctx)
			c.fault.Method, c.fault.Times = "usergroups.users.list", -1
			w.Fail(c.fault)
			for after := time.Duration(0); after < 20*time.Minute; after += time.Minute {
				w.f.groups.refresh(w.ctx)
				if in := w.f.groups.of(slacktest.Alis); (len(in) > 0) != (after < c.stays) {
					t.Errorf("after %v: in %v", after, in)
				}
				now = now.Add(time.Minute)
			}
			if n := strings.Count(w.log.String(), countsForNobody); n != 1 {
				t.Errorf("it is logged %d times that the role counts for nobody", n)
			}
			if p := w.f.probeGroups(w.ctx)[0]; p.Status != keepwatch.ProbeBad || !strings.Contains(p.Text, countsForNobody) {
				t.Errorf("%+v", p)
			}
			w.ClearFaults()
			w.f.groups.refresh(w.ctx)
			if in := w.f.groups.of(slacktest.Alis); len(in) != 1 || !strings.Contains(w.log.String(), "it is known again") {
				t.Errorf("mended: in %v", in)
			}
		})
	}
}

// TestGroupsPause: Slack's Retry-After is kept to the second, and nobody loses a
// role by it.
func TestGroupsPause(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, func(c *Config) { c.Groups = []string{"S01"} })
	w.AddGroup(slacktest.Group{ID: "S01", Handle: "ops", Users: []string{slacktest.Alis}})
	w.f.groups.refresh(w.ctx)
	w.Fail(slacktest.Fault{Method: "usergroups.users.list", Times: 1, RetryAfter: 77})
	if wait := w.f.groups.refresh(w.ctx); wait != 77*time.Second || len(w.f.groups.of(slacktest.Alis)) != 1 {
		t.Errorf("%v, in %v", wait, w.f.groups.of(slacktest.Alis))
	}
}
