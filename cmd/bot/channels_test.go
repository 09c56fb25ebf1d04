package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

// TestTerminalStandsForDefault: where somebody tries Keepwatch in the terminal with the
// configuration of their team, the terminal is the default channel in everything.
func TestTerminalStandsForDefault(t *testing.T) {
	const (
		alis   = "people: [{name: Alis, role: admin, slack: U1, quiet: 20:00-07:00}]\n"
		ops    = "channels: {default: slack:C1}\n"
		closed = "hours: [{channels: [default], quiet: 19:00-08:00}]\n"
	)
	evening := time.Date(2026, 11, 26, 19, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		yaml   string
		tokens []string
		open   string // from when on the terminal may be disturbed
		refuse bool   // the default channel
	}{
		"hours of the default channel": {alis + ops + closed, nil, "27 08:00", false},
		"hours of the only person":     {strings.Replace(alis, "20:00", "19:00", 1) + ops, nil, "27 07:00", false},
		"hours of whoever sits there": {"people: [{name: Alis, role: admin, slack: U1}, {name: Bram, role: admin, terminal: " + terminalAccount().ID + ", quiet: 19:00-06:00}]\n" + ops,
			nil, "27 06:00", false},
		"of two nobody is known": {"people: [{name: Alis, role: admin, slack: U1, quiet: 19:00-06:00}, {name: Bram, role: admin, slack: U2, quiet: 19:00-06:00}]\n" + ops, nil, "26 19:30", false},
		"beside a platform":      {strings.Replace(alis, "20:00", "19:00", 1) + "channels: {default: discord:11}\n", []string{"SLACK_BOT_TOKEN=xoxb-1", "SLACK_APP_TOKEN=xapp-1"}, "26 19:30", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "keepwatch.yaml")
			if err := os.WriteFile(file, []byte("timezone: Europe/London\n"+c.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			p := process{Environ: c.tokens, Out: io.Discard, Err: io.Discard, Now: func() time.Time { return evening }}
			s, err := loadSettings(p, options{Config: file, EnvFile: filepath.Join(dir, "none"), DataDir: filepath.Join(dir, "data"), given: map[string]bool{"config": true}})
			if err != nil {
				t.Fatal(err)
			}
			a, err := openApp(p, s, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := a.close(); err != nil {
					t.Error(err)
				}
			}()
			if got := a.openFrom("terminal", evening).In(s.Location).Format("2 15:04"); got != c.open {
				t.Errorf("the terminal may be disturbed from %s on", got)
			}
			msg := a.router.Handle(t.Context(), keepwatch.Request{ID: handlers.NewID(), Text: `/reminder add "every weekday at 9" default --confirm yes Look at it`, Account: a.account, Channel: "terminal", Private: true, Local: true, At: evening})
			if msg.Failed != c.refuse {
				t.Errorf("a reminder in the default channel: %+v", msg)
			}
			if rule, err := a.records.Rule("1"); !c.refuse && (err != nil || rule.Channel != "terminal") {
				t.Errorf("%+v, %v", rule, err)
			}
			if got := strings.Contains(probesText(s.probeDuties()), "the terminal stands for it"); got == c.refuse {
				t.Errorf("the check says so: %v", got)
			}
		})
	}
}
