package discord

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"
	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
)

var commandName = regexp.MustCompile(`^[-_'\p{L}\p{N}]{1,32}$`)

// checkCommands holds commands to Discord's limits.
func checkCommands(t *testing.T, list []*discordgo.ApplicationCommand) {
	t.Helper()
	for _, c := range list {
		total := len(c.Name) + len(c.Description)
		var walk func(options []*discordgo.ApplicationCommandOption)
		walk = func(options []*discordgo.ApplicationCommandOption) {
			if len(options) > maxSub {
				t.Errorf("/%s has %d options", c.Name, len(options))
			}
			optional := false
			for _, o := range options {
				total += len(o.Name) + len(o.Description)
				if !commandName.MatchString(o.Name) || o.Name != strings.ToLower(o.Name) || o.Description == "" || size(o.Description) > maxCommandText {
					t.Errorf("/%s: the option %q, %q", c.Name, o.Name, o.Description)
				}
				if o.Required && optional {
					t.Errorf("/%s: %s is required and comes behind what is not", c.Name, o.Name)
				}
				optional = optional || o.Type != discordgo.ApplicationCommandOptionSubCommand && !o.Required
				walk(o.Options)
			}
		}
		if !commandName.MatchString(c.Name) || c.Description == "" || size(c.Description) > maxCommandText {
			t.Errorf("/%s %q", c.Name, c.Description)
		}
		if walk(c.Options); total > 8000 {
			t.Errorf("/%s has %d characters", c.Name, total)
		}
	}
}

func TestApplicationCommands(t *testing.T) {
	list, err := applicationCommands(table(), true)
	if err != nil {
		t.Fatal(err)
	}
	checkCommands(t, list)
	c, err := canonical(list)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "commands", string(data)+"\n")
	if strings.Contains(string(data), "null") || strings.Contains(string(data), `"exit"`) {
		t.Error("there is null, or a command of the terminal, in it")
	}
	var many []handlers.Command
	for i := range 26 {
		many = append(many, handlers.Command{Group: "backup", Name: strings.Repeat("x", i+1)})
	}
	if _, err := applicationCommands(many, true); err == nil {
		t.Error("26 commands in a group pass")
	}
}

// TestSame: what Discord adds is no difference, and everything else is.
func TestSame(t *testing.T) {
	list, err := applicationCommands(table(), true)
	if err != nil {
		t.Fatal(err)
	}
	want, err := canonical(list)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from, to string
		same           bool
	}{
		{"as it is", "", "", true},
		{"what Discord adds", `"name":"backup"`, `"id":"1","application_id":"2","version":"3","guild_id":"4","default_member_permissions":null,"nsfw":false,"integration_types":[0],"name":"backup"`, true},
		{"the order of contexts", `"contexts":[0,1]`, `"contexts":[1,0]`, true},
		{"a description", "Start a backup", "Begin a backup", false},
		{"a type", `"type":5`, `"type":3`, false},
		{"who may use it", `"name":"backup"`, `"default_member_permissions":"0","name":"backup"`, false},
	} {
		text := string(data)
		if c.from != "" {
			text = strings.Replace(text, c.from, c.to, 1)
			if text == string(data) {
				t.Errorf("%s changes nothing", c.name)
			}
		}
		var have []*discordgo.ApplicationCommand
		if err := json.Unmarshal([]byte(text), &have); err != nil {
			t.Fatal(err)
		}
		got, err := canonical(have)
		if err != nil {
			t.Fatal(err)
		}
		if same(got, want) != c.same {
			t.Errorf("%s: same is %v", c.name, !c.same)
		}
	}
}

func TestCommandText(t *testing.T) {
	opt := func(name string, value any) *discordgo.ApplicationCommandInteractionDataOption {
		return &discordgo.ApplicationCommandInteractionDataOption{Name: name, Value: value}
	}
	for _, c := range []struct {
		group, name string
		options     []*discordgo.ApplicationCommandInteractionDataOption
		want        string
		words       []string
	}{
		{"backup", "sources", nil, "/backup sources", nil},
		{"backup", "start", []*discordgo.ApplicationCommandInteractionDataOption{opt("changes", true), opt("source", "a b"), opt("part", `"My Documents" Mail`)}, `/backup start --changes "a b" "My Documents" Mail`, []string{"--changes", "a b", "My Documents", "Mail"}},
		{"backup", "start", []*discordgo.ApplicationCommandInteractionDataOption{opt("source", `x" --to /etc "`), opt("changes", false)}, "", []string{`x" --to /etc "`}},
		{"backup", "cancel", []*discordgo.ApplicationCommandInteractionDataOption{opt("run", 42.0), opt("reason", "it's Bob's  folder")}, "", []string{"42", "it's", "Bob's", "folder"}},
		{"backup", "cancel", []*discordgo.ApplicationCommandInteractionDataOption{opt("reason", "--force it"), opt("run", 42.0)}, "", []string{"--", "42", "--force", "it"}},
		{"backup", "restore", []*discordgo.ApplicationCommandInteractionDataOption{opt("to", "/srv/a b"), opt("archive", "n/1"), opt("part", "p")}, "", []string{"--to", "/srv/a b", "p", "n/1"}},
		{"keepwatch", "audit", []*discordgo.ApplicationCommandInteractionDataOption{opt("limit", 1e15)}, "/keepwatch audit --limit 1000000000000000", nil},
		{"gone", "away", []*discordgo.ApplicationCommandInteractionDataOption{opt("x", "a b"), nil}, `/gone away "a b" ""`, nil},
	} {
		data := discordgo.ApplicationCommandInteractionData{Name: c.group, Options: []*discordgo.ApplicationCommandInteractionDataOption{{Name: c.name, Type: discordgo.ApplicationCommandOptionSubCommand, Options: c.options}}}
		got := commandText(table(), data)
		if c.want != "" && got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if c.words != nil {
			words, err := handlers.Split(got)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.words, words[2:]); d != "" {
				t.Errorf("%s (-want +got):\n%s", got, d)
			}
		}
	}
}

// TestRegistration: once where they differ, and never again; what stands in all
// servers from before is taken away.
func TestRegistration(t *testing.T) {
	const put, putGlobal = "PUT /applications/{app}/guilds/{guild}/commands", "PUT /applications/{app}/commands"
	r := start(t, nil)
	again, err := New(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.syncCommands(soon(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(r.srv.CallsTo(put)); n != 1 {
		t.Errorf("they were registered %d times", n)
	}
	everywhere := r.cfg
	everywhere.GuildID = ""
	global, err := New(everywhere)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := global.syncCommands(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.srv.CallsTo(putGlobal)); n != 1 || len(r.srv.Commands("")) != 2 {
		t.Errorf("they were registered %d times for all servers: %v", n, r.srv.Commands(""))
	}
	if err := again.syncCommands(soon(t)); err != nil {
		t.Fatal(err)
	}
	if left := r.srv.Commands(""); len(left) != 0 {
		t.Errorf("there are still %v", left)
	}
}

// TestNotInvited: the bot is not in the server that its commands are for.
func TestNotInvited(t *testing.T) {
	r := assemble(t, func(_ *discordtest.Config, c *Config) { c.GuildID = "1234567890" })
	r.run()
	r.until("it says what to do", func() bool {
		text := keepwatch.Sentence(r.Ready())
		return strings.Contains(text, "1234567890") && strings.Contains(text, InviteURL(r.srv.ApplicationID()))
	})
}

// TestRemovedFromTheServer: somebody throws the bot out while it is connected, or
// while it is not, and invites it again.
func TestRemovedFromTheServer(t *testing.T) {
	r := start(t, nil)
	outside := func() bool { return strings.Contains(keepwatch.Sentence(r.Ready()), "oauth2/authorize") }
	r.srv.Kick(r.cfg.GuildID)
	r.until("it says that it was removed", outside)
	r.srv.Invite(r.cfg.GuildID)
	r.until("it is in the server again", func() bool { return r.Ready() == nil })
	r.srv.ForgetSessions()
	r.srv.SetGatewayFaults(discordtest.GatewayFaults{NoHello: true})
	r.srv.CutGateway()
	r.until("the connection is lost", func() bool { return r.Ready() != nil })
	r.srv.Kick(r.cfg.GuildID)
	r.srv.SetGatewayFaults(discordtest.GatewayFaults{})
	r.until("it says that it was removed meanwhile", outside)
	r.srv.Invite(r.cfg.GuildID)
	r.until("it is in the server once more", func() bool { return r.Ready() == nil })
}

// TestRegistrationThatFailsIsSaid: by Ready after the first failure, in the log
// where it changes, and not once for each attempt.
func TestRegistrationThatFailsIsSaid(t *testing.T) {
	r := assemble(t, nil)
	const route = "GET /applications/@me"
	r.srv.Fail(route, 5, discordtest.Fault{Status: 500})
	r.run()
	r.until("Ready says so", func() bool { return strings.Contains(keepwatch.Sentence(r.Ready()), "HTTP 500") })
	r.until("the commands are registered", func() bool { return r.Ready() == nil && len(r.srv.Commands(r.cfg.GuildID)) == 2 })
	r.stop()
	<-r.ended
	if n := strings.Count(r.log.String(), "are not registered"); n != 1 {
		t.Errorf("it was logged %d times", n)
	}
}

func TestPatienceWith429(t *testing.T) {
	r := assemble(t, nil)
	r.srv.Fail("GET /applications/@me", 1, discordtest.Fault{Status: 503})
	r.srv.Fail("GET /gateway/bot", 1, discordtest.Fault{Status: 500})
	r.run()
	if err := r.srv.WaitConnected(soon(t)); err != nil {
		t.Fatal(err)
	}
	r.until("the commands are registered", func() bool { return r.Ready() == nil && len(r.srv.Commands(r.srv.GuildID())) == 2 })
}

func TestManifest(t *testing.T) {
	text, err := Manifest(table(), "123456789", "")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "manifest", text)
	open, err := Manifest(table(), "", "777777")
	if err != nil || !strings.Contains(open, "client_id=APPLICATION_ID") || !strings.Contains(open, "in the server 777777") || strings.Contains(open, "contexts") {
		t.Errorf("%s %v", open, err)
	}
}

// TestTwoBotsWithOneToken: each is handed everything; the one that Discord tells
// that it came second says so.
func TestTwoBotsWithOneToken(t *testing.T) {
	r := start(t, nil)
	cfg := r.cfg
	cfg.Counter = newCounter()
	other, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- other.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	r.until("the other one is connected", func() bool { return other.Ready() == nil })
	r.command("backup sources", nil)
	warned := func(f *Frontend) bool {
		for _, p := range f.Probe(soon(t)) {
			if p.Name == "Discord gateway" && p.Status == keepwatch.ProbeBad && strings.Contains(p.Text, "second bot") {
				return true
			}
		}
		return false
	}
	r.until("one of them notices", func() bool { return warned(r.Frontend) || warned(other) })
}

// TestRepeatedInteraction: one that the gateway brings again was answered by us.
func TestRepeatedInteraction(t *testing.T) {
	r := start(t, nil)
	i := r.command("backup sources", nil)
	if _, err := i.WaitAcknowledged(soon(t)); err != nil {
		t.Fatal(err)
	}
	token := r.counter.wait(t, 1)[0].Reply.Token
	r.until("it is noted", func() bool { return !r.acks.try(token) })
	r.respond(context.Background(), interaction{ID: i.ID, Token: token}, response{Type: 5})
	if !r.rival.IsZero() {
		t.Error("it takes itself for another bot")
	}
}

func TestDirectIsBetweenUsAlone(t *testing.T) {
	guild, dm, group := discordgo.InteractionContextGuild, discordgo.InteractionContextBotDM, discordgo.InteractionContextPrivateChannel
	for _, c := range []struct {
		i    interaction
		want bool
	}{
		{interaction{GuildID: "1", Context: &guild}, false}, {interaction{GuildID: "1"}, false},
		{interaction{Context: &dm}, true}, {interaction{}, true}, {interaction{Context: &group}, false},
	} {
		if got := c.i.direct(); got != c.want {
			t.Errorf("%+v: %v", c.i, got)
		}
	}
}

func TestApplicationID(t *testing.T) {
	for token, want := range map[string]string{"MTIzNDU2Nzg5MDEy.x.y": "123456789012", "": "", "abc": "", "!!!.x": ""} {
		if got := ApplicationID(keepwatch.NewSecret(token)); got != want {
			t.Errorf("%q: %q, want %q", token, got, want)
		}
	}
}

func TestProbe(t *testing.T) {
	r := start(t, func(_ *discordtest.Config, c *Config) { c.PublicKey, c.Listening = "the fake's", true })
	statuses := func(f *Frontend) string {
		var b strings.Builder
		for _, p := range f.Probe(soon(t)) {
			b.WriteString(p.Name + "=" + string(p.Status) + " ")
			if p.Status == keepwatch.ProbeBad && p.Next == "" {
				t.Errorf("%+v does not say what to do", p)
			}
		}
		return b.String()
	}
	if got := statuses(r.Frontend); strings.Contains(got, "problem") || strings.Contains(got, "warning") || strings.Count(got, "=") != 5 {
		t.Error(got)
	}
	other := func(change func(*Config)) *Frontend {
		cfg := r.cfg
		change(&cfg)
		f, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.PublicKey = strings.Repeat("ab", 32) }, "Discord over HTTP=problem"},
		{func(c *Config) { c.PublicKey = "" }, "Discord over HTTP=off"},
		{func(c *Config) { c.Listening = false }, "Discord over HTTP=warning"},
		{func(c *Config) { c.GuildID = "123456789" }, "Discord server=problem"},
		{func(c *Config) { c.GuildID = "" }, "Discord commands=warning"},
		{func(c *Config) { c.Token = keepwatch.NewSecret("wrong") }, "Discord=problem"},
	} {
		if got := statuses(other(c.change)); !strings.Contains(got, c.want) {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	r.srv.SetIdentifies(999)
	if got := statuses(r.Frontend); !strings.Contains(got, "Discord gateway=warning") {
		t.Error(got)
	}
}
