package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/when"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

// manyNoon is now: what was due is past, and nothing is due.
var manyNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// manyYAML is the configuration of a bot with very many rules: it has a schedule, a
// device and a key that is somebody else's.
const manyYAML = `
timezone: Europe/London
people:
  - {name: Alis, slack: U0ALIS, role: admin, devices: [{name: Alis iPhone, platform: ios, account: icloud, recheck: 30d}]}
sources:
  - {name: notes, kind: files, path: %s, schedule: "0 3 * * *"}
vault:
  recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
`

// crowd is the data folder of a bot with many rules.
type crowd struct {
	dir, config string
	rules       int
	settings    settings
	process     process
}

// crowdSize is KEEPWATCH_SOAK's 100,000 rules with ten past occurrences each, and a
// tenth of that otherwise.
func crowdSize() (rules, each int) {
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		return 100_000, 10
	}
	return 10_000, 10
}

// newCrowd makes the folder: one rule in a hundred carries out a command, one in ten
// has something open.
func newCrowd(tb testing.TB, rules, each int) *crowd {
	tb.Helper()
	c := &crowd{dir: tb.TempDir(), rules: rules, process: process{Now: func() time.Time { return manyNoon }}}
	notes := filepath.Join(c.dir, "notes")
	c.config = filepath.Join(c.dir, "keepwatch.yaml")
	if err := errors.Join(os.Mkdir(notes, 0o700), os.Mkdir(filepath.Join(c.dir, "data"), 0o700), os.WriteFile(c.config, fmt.Appendf(nil, manyYAML, notes), 0o600)); err != nil {
		tb.Fatal(err)
	}
	var err error
	c.settings, err = loadSettings(c.process, options{Config: c.config, EnvFile: filepath.Join(c.dir, "none.env"), DataDir: filepath.Join(c.dir, "data"), given: map[string]bool{"config": true}})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := bolt.Open(bolt.Config{Path: c.settings.statePath()})
	if err != nil {
		tb.Fatal(err)
	}
	rec, times := store.NewRecords(s, c.process.Now), when.New()
	const batch = 2000 // rules in one transaction
	for from := 0; from < rules; from += batch {
		_, err := rec.Change(func(ch *store.Change) error {
			for i := from; i < min(from+batch, rules); i++ {
				if err := putCrowded(ch, times, i, each); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// putCrowded saves a rule and what came due of it.
func putCrowded(ch *store.Change, times *when.Times, i, each int) error {
	id, err := ch.NewRuleID()
	if err != nil {
		return err
	}
	rule := keepwatch.Rule{
		ID: id, Kind: keepwatch.RuleText, When: keepwatch.When{Cron: fmt.Sprintf("%d %d * * *", i%60, i/60%24), Zone: "Europe/London"}, Channel: fmt.Sprintf("slack:C%d", i%50),
		Text: fmt.Sprintf("Look at tape %d, and say here that you did.", i), By: "Olwen", Made: manyNoon, Request: "request-" + id,
	}
	if i%100 == 99 {
		rule.Kind, rule.Text, rule.Command = keepwatch.RuleCommand, "", "backup start notes"
	}
	due, _ := times.Next(rule.When, manyNoon, "")
	rule.Next, rule.NextWall = due.At, due.Wall
	if err := ch.PutRule(rule); err != nil {
		return err
	}
	for n := range each {
		at := due.At.AddDate(0, 0, -n-1)
		wall := at.Format(keepwatch.WallLayout)
		o := keepwatch.Occurrence{
			ID: keepwatch.OccurrenceID(id, wall), Rule: id, Kind: rule.Kind, At: at, Wall: wall, State: keepwatch.OccurrenceDone, Channel: rule.Channel, Text: rule.Text, Command: rule.Command,
			Posted: 1, Places: []string{rule.Channel}, Log: []keepwatch.Happening{{At: at.Add(time.Hour), By: "Alis", What: "done"}},
		}
		if n == 0 && i%10 == 0 {
			o.State = keepwatch.OccurrencePosted
		}
		if err := ch.PutOccurrence(o); err != nil {
			return err
		}
	}
	return nil
}

// open starts the duties of the bot, as `bot serve` does, without platforms.
func (c *crowd) open(tb testing.TB) (a *app, end func()) {
	tb.Helper()
	log, err := newLog(io.Discard, "", false)
	if err != nil {
		tb.Fatal(err)
	}
	if a, err = openApp(c.process, c.settings, log); err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	end = sync.OnceFunc(func() {
		stop()
		if err := a.close(); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(end)
	if err := a.startDuties(ctx); err != nil {
		tb.Fatal(err)
	}
	return a, end
}
