package slack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"keepwatch/handlers"
)

func table(t testing.TB) []handlers.Command {
	t.Helper()
	r, err := handlers.New(handlers.Config{
		Runs: struct{ handlers.Runs }{}, Sources: noSources{}, History: struct{ handlers.History }{}, Audit: struct{ handlers.Audit }{}, Vault: vaultPath{}, Check: noCheck,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Commands()
}

func TestManifest(t *testing.T) {
	for name, c := range map[string]struct {
		url    string
		groups bool
	}{"socket": {"", false}, "http": {"https://bot.example.org/", true}} {
		text, err := Manifest(table(t), c.url, c.groups)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "manifest-"+name, []byte(text))
		var m manifest
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if socket := c.url == ""; m.Settings.Socket != socket || (m.Settings.Events.URL == "") != socket || (m.Settings.Interactivity.URL == "") != socket || !m.Settings.Interactivity.Enabled {
			t.Errorf("%s: %+v", name, m.Settings)
		}
		if n := len(m.Features.Commands); n < 2 || n > maxCommands {
			t.Errorf("%s: %d commands", name, n)
		}
		for _, s := range m.Features.Commands {
			if len(s.Command) > 32 || !strings.HasPrefix(s.Command, "/") || len(s.Description) > maxDescription || s.Description == "" || len(s.UsageHint) > maxUsageHint || s.UsageHint == "" || (s.URL == "") != (c.url == "") {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(m.Features.Bot.Name) > 80 {
			t.Errorf("%s: %+v", name, m.Display)
		}
		var groups bool
		for _, s := range m.OAuth.Scopes.Bot {
			groups = groups || s == "usergroups:read"
		}
		if groups != c.groups {
			t.Errorf("%s: the scopes are %v", name, m.OAuth.Scopes.Bot)
		}
	}
}

// TestManifestLimits: a table that is too long for Slack's fields is cut.
func TestManifestLimits(t *testing.T) {
	var many []handlers.Command
	for i := range 300 {
		many = append(many, handlers.Command{Group: "backup", Name: fmt.Sprintf("command-%d", i), Options: []handlers.Option{{Name: "source"}}})
	}
	many = append(many, handlers.Command{Group: "terminal", Name: "exit", Local: true})
	got := slashCommands(many, "")
	if len(got) != 1 || len(got[0].UsageHint) > maxUsageHint || len(got[0].Description) > maxDescription || !strings.HasSuffix(got[0].UsageHint, "…") {
		t.Errorf("%+v", got)
	}
	for i := range maxCommands + 1 {
		many = append(many, handlers.Command{Group: fmt.Sprintf("group-%d", i), Name: "x"})
	}
	if _, err := Manifest(many, "", false); err == nil {
		t.Error("too many commands are taken")
	}
}

func TestPlainTyped(t *testing.T) {
	for in, want := range map[string]string{
		"start notes": "start notes", "a &lt; b &amp;&amp; c": "a < b && c", "<https://a.example/x?y=1&amp;z>": "https://a.example/x?y=1&z", "<http://a.example|a.example>": "a.example",
		"<#C1|ops> <#C2> <@U1>": "slack:C1 slack:C2 slack:@U1", "<!here>": "<!here>", "a < b": "a < b", "": "",
	} {
		if diff := cmp.Diff(want, plainTyped(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}
