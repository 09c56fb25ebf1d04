package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// beside opens the program with a configuration and a token of Slack.
func beside(t *testing.T, yaml string) *app {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "keepwatch.yaml")
	if err := os.WriteFile(file, []byte("timezone: Europe/London\n"+yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := process{Environ: []string{"SLACK_BOT_TOKEN=xoxb-1", "SLACK_APP_TOKEN=xapp-1"}, Out: io.Discard, Err: io.Discard, Now: time.Now}
	s, err := loadSettings(p, options{Config: file, EnvFile: filepath.Join(dir, ".env"), DataDir: filepath.Join(dir, "data"), given: map[string]bool{"config": true}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(p, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// onDuty is beside with the rules of the configuration made what they are. It connects
// to nothing.
func onDuty(t *testing.T, yaml string) (*app, error) {
	t.Helper()
	a := beside(t, yaml)
	fixed, err := a.fixedRules()
	if err != nil {
		t.Fatal(err)
	}
	return a, a.duties.scheduler.Sync(fixed)
}

// TestChatBesidePlatforms: a chat that is opened while nothing is connected to Slack
// keeps no reminders, because nobody could answer them, and says so.
func TestChatBesidePlatforms(t *testing.T) {
	a := beside(t, "channels: {default: slack:C1}\npeople: [{name: Alis, role: admin, slack: U1}]\n"+twoSources)
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	if err := a.connect(ctx); err != nil {
		t.Fatal(err)
	}
	if rules, err := a.records.RulesAfter("", 100); err != nil || len(rules) > 0 {
		t.Errorf("%d rules are kept here, %v", len(rules), err)
	}
	if !strings.Contains(a.welcome(), "Reminders, schedules and warnings rest until") {
		t.Error(a.welcome())
	}
	for text, want := range map[string]string{"here": "The terminal shows nothing by itself", "default": "Not made yet"} {
		msg := a.router.Handle(t.Context(), keepwatch.Request{Text: `/reminder add "every day at 9" ` + text + " Look", Account: a.account, Channel: "terminal", Private: true, Local: true, At: time.Now()})
		if said := msg.Title + fmt.Sprint(msg.Blocks); !strings.Contains(said, want) {
			t.Errorf("%s: %s", text, said)
		}
	}
	stop()
}

const twoSources = `
sources:
  - {name: notes, kind: files, path: notes, schedule: "0 3 * * *"}
  - {name: mail, kind: files, path: mail, schedule: "0 4 * * *"}
`

// TestSchedulesWithoutChannel: what the configuration schedules is carried out,
// whatever it says of channels and people, and it is said where somebody may see it.
func TestSchedulesWithoutChannel(t *testing.T) {
	for name, c := range map[string]struct{ yaml, channel, first string }{
		"nobody and nothing":  {"", "terminal", "terminal"},
		"a default channel":   {"channels: {default: slack:C1}\npeople: [{name: Alis, role: admin, slack: U1}]\n", "slack:C1", "slack:C1"},
		"another platform's":  {"channels: {default: discord:11}\n", "terminal", "terminal"},
		"an escalation alone": {"channels: {escalation: slack:C2}\n", "slack:C2", "slack:C2"},
		"only viewers":        {"people: [{name: Bram, role: viewer, slack: U2}]\n", "terminal", "terminal"},
		"an admin":            {"people: [{name: Alis, role: admin, slack: U1}]\n", "slack:@U1", "slack:@U1"},
		"an admin elsewhere":  {"people: [{name: Alis, role: admin, discord: \"1\"}]\n", "terminal", "terminal"},
		"an admin, escalated": {"channels: {escalation: slack:C2}\npeople: [{name: Alis, role: admin, slack: U1}]\n", "slack:C2", "slack:@U1"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := onDuty(t, c.yaml+twoSources)
			if err != nil {
				t.Fatal("the bot does not start:", err)
			}
			rule, err := a.records.Rule("schedule:mail")
			if err != nil || rule.Channel != c.channel || rule.Next.IsZero() {
				t.Errorf("%+v, %v", rule, err)
			}
			named := a.settings.Channels["default"] != ""
			if told := slices.ContainsFunc(a.settings.probeDuties(), func(p keepwatch.Probe) bool {
				return p.Status == keepwatch.ProbeWarn && p.Name == "channel default" && strings.HasPrefix(p.Text, "None is named")
			}); told == named {
				t.Errorf("the check says so: %v", told)
			}
			if first := a.whereFirst(keepwatch.Fact{}); !slices.Equal(first, []string{c.first}) {
				t.Errorf("a fact is told of in %v", first)
			}
		})
	}
}

// TestManyAdmins: a question goes along as many of them as a rule may name.
func TestManyAdmins(t *testing.T) {
	yaml := "channels: {default: slack:C1, escalation: slack:C2}\npeople:\n"
	for i := range 15 {
		yaml += fmt.Sprintf("  - {name: P%d, role: admin, slack: U%d, devices: [{name: phone %d, platform: ios, account: icloud}]}\n", i, i, i)
	}
	a, err := onDuty(t, yaml+twoSources)
	if err != nil {
		t.Fatal("the bot does not start:", err)
	}
	rule, err := a.records.Rule("check:phone-3")
	if err != nil || len(rule.Chain) == 0 || rule.Chain[0] != "slack:C2" {
		t.Errorf("%+v, %v", rule, err)
	}
}
