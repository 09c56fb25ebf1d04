package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
	_ "time/tzdata" // zones on machines that have none, and newer ones than theirs

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/engine/remind"
	"keepwatch/engine/warn"
	"keepwatch/engine/when"
	"keepwatch/handlers"
	"keepwatch/handlers/chart"
	"keepwatch/handlers/checklists"
	"keepwatch/providers"
	"keepwatch/providers/authenticator"
	"keepwatch/store"
)

// duties are the parts that have to do with times and with people.
type duties struct {
	times     *when.Times
	scheduler *remind.Scheduler
	warnings  *warn.Keeper
	phones    *authenticator.Keeper
	ticker    *engine.Ticker
	lists     []keepwatch.Checklist
	servers   *servers
	tenant    *tenant // nil: Microsoft 365 is not configured
}

// bookOf and warnBook are the records as the scheduler and the warnings see them.
type (
	bookOf   struct{ *store.Records }
	warnBook struct{ *store.Records }
)

// Change satisfies remind.Records.
func (b bookOf) Change(fn func(remind.Change) error) ([]string, error) {
	return b.Records.Change(func(c *store.Change) error { return fn(c) })
}

// Change satisfies warn.Records.
func (b warnBook) Change(fn func(warn.Change) error) ([]string, error) {
	return b.Records.Change(func(c *store.Change) error { return fn(c) })
}

// makeDuties joins them. The router and the desk are made after it, so what asks
// them does so when it is called.
func (a *app) makeDuties() (err error) {
	s, d := a.settings, &a.duties
	d.times = when.New()
	if d.lists, err = s.checklists(); err != nil {
		return err
	}
	d.servers = &servers{records: a.records, sources: a.catalog, inspectors: map[keepwatch.SourceKind]providers.Inspector{keepwatch.KindCPanel: a.hosts}, now: a.now, log: a.log}
	d.scheduler, err = remind.New(remind.Config{
		Records: bookOf{a.records}, Clock: d.times, Hours: a.hours, Location: s.Location,
		Show: func(o keepwatch.Occurrence, r keepwatch.Rule) keepwatch.Message {
			return a.router.OccurrenceMessage(o, r)
		},
		ShowDigest: func(g keepwatch.Digest, list []keepwatch.Occurrence) keepwatch.Message {
			return a.router.DigestMessage(g, list)
		},
		ShowMissed: func(r keepwatch.Rule, missed []keepwatch.Occurrence) keepwatch.Message {
			return a.router.MissedMessage(r, missed)
		},
		Carry: func(ctx context.Context, del keepwatch.Delivery) error {
			_, err := a.desk.Take(ctx, del)
			return err
		},
		Outcome: a.outcome, Send: a.send, Changed: a.dutiesChanged, NewID: handlers.NewID, Now: a.now, Log: a.log, Crash: a.crash,
	})
	if err != nil {
		return err
	}
	if d.tenant, err = a.makeTenant(); err != nil {
		return err
	}
	if d.phones, err = authenticator.New(a.phonesConfig()); err != nil {
		return err
	}
	if _, err = d.phones.Devices(); err != nil { // read here once, because messages about them are made within transactions
		return err
	}
	d.warnings, err = warn.New(warn.Config{
		Facts: a.facts, Records: warnBook{a.records}, Show: handlers.WarningMessage, ShowMany: handlers.WarningsMessage,
		Where: a.whereFirst, Wider: a.whereWider, Open: a.openFrom, Send: a.send, NewID: handlers.NewID, Name: func(channel string) string { return a.router.PlaceName(channel) }, Location: s.Location, Now: a.now, Log: a.log, Crash: a.crash,
	})
	if err != nil {
		return err
	}
	d.ticker, err = engine.NewTicker(engine.TickerConfig{
		Due: a.records.Due, Next: a.records.NextDue, Log: a.log, Now: a.now,
		Tick: map[keepwatch.WakeKind]func(context.Context, []keepwatch.Wake) error{
			keepwatch.WakeRule: d.scheduler.Tick, keepwatch.WakeOccurrence: d.scheduler.Tick, keepwatch.WakeWarning: d.warnings.Tick,
		},
	})
	return err
}

func (a *app) phonesConfig() authenticator.Config {
	s, chain := a.settings, a.chain()
	key := s.shownPath(s.keyPath())
	if len(s.Vault.Recipients) > 0 {
		key = ""
	}
	var learned func() (map[string]keepwatch.Entered, error)
	if t := a.duties.tenant; t != nil {
		learned = t.learned
	}
	return authenticator.Config{
		People: s.People, KeyFile: key, Custodies: s.Custody, Emergency: s.Emergency, Second: s.Second, Dossier: s.Dossier, Learned: learned,
		Records: a.records, Settle: a.duties.scheduler.Settle, Direct: a.direct, Channel: a.home(), Chain: chain[:min(len(chain), remind.MaxChain)],
		Location: s.Location, Now: a.now,
	}
}

// send tells the outbox of lanes that have something to send.
func (a *app) send(lanes ...string) { a.outbox.Send(lanes...) }

// dutiesChanged is called after something about rules or occurrences was saved.
func (a *app) dutiesChanged() {
	a.duties.ticker.Poke()
	a.duties.warnings.Poke()
}

// commandDuties is what the commands stand on.
func (a *app) commandDuties() handlers.Duties {
	d := &a.duties
	return handlers.Duties{
		Rules: d.scheduler, Occurrences: d.scheduler, Times: d.times, Authenticator: d.phones, Dossier: d.phones,
		Attestations: a.records, Walks: a.records, Checklists: d.lists, Warnings: d.warnings, Servers: d.servers, Returns: a.returns, Record: a.records,
		Hours: a.hours, Channels: a.channels(), Speaks: a.speaks, Chart: chart.Render, Post: a.post, Said: a.said,
	}
}

// post saves messages and has them sent.
func (a *app) post(out ...keepwatch.Outgoing) error {
	lanes, err := a.records.PostMessages(out)
	if err == nil {
		a.outbox.Send(lanes...)
	}
	return err
}

// said is told what somebody said in a checklist. That is saved already; where it is
// about something that the bot asks for, it is not asked for again so soon.
func (a *app) said(att keepwatch.Attestation) {
	if keepwatch.SubjectKind(att.Subject) == "custody" {
		if _, err := a.duties.phones.Record(att); err != nil && keepwatch.KindOf(err) != keepwatch.KindNotFound {
			a.log.Warn("what was said in a checklist could not be kept as custody", "subject", att.Subject, "err", err)
		}
	}
	a.duties.warnings.Poke()
}

// checklists gives those that come with Keepwatch and the team's own.
func (s settings) checklists() ([]keepwatch.Checklist, error) {
	lists, err := checklists.Builtin()
	if err != nil {
		return nil, err
	}
	if s.Checklists != "" {
		if _, err := os.Stat(s.Checklists); err != nil {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The folder %s cannot be read (%v); checklists in %s names it.", s.Checklists, errors.Unwrap(err), s.ConfigFile).Because(err)
		}
		own, err := checklists.Load(os.DirFS(s.Checklists))
		if err != nil {
			return nil, err
		}
		lists = checklists.Merge(lists, own)
	}
	return lists, handlers.CheckChecklists(lists)
}

// onDuty reports whether this process keeps the reminders, schedules and warnings. A
// chat beside platforms that are configured does not: nobody could answer what it would
// leave to be posted by the next process that is connected to them, and it would pass
// that on, and find it missed, before anybody has seen it.
func (a *app) onDuty() bool { return a.serving || len(a.settings.platforms()) == 0 }

// startDuties takes up what was left, and watches the clock until ctx ends.
func (a *app) startDuties(ctx context.Context) error {
	fixed, err := a.fixedRules()
	if err != nil {
		return err
	}
	if err := a.duties.scheduler.Sync(fixed); err != nil { // it has kept all that it could
		a.log.Error("not everything that keepwatch.yaml asks for at a time is planned", "err", err)
	}
	a.connected.Go(func() { a.duties.ticker.Run(ctx) })
	a.connected.Go(func() { a.duties.warnings.Run(ctx) })
	a.connected.Go(func() { a.duties.servers.run(ctx, a.duties.warnings.Poke) })
	a.connected.Go(func() { a.duties.tenant.run(ctx, a.duties.warnings.Poke) })
	a.connected.Go(func() {
		if err := a.duties.scheduler.Replan(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("the times of reminders could not be worked out anew; they come due as they were planned", "err", err)
		}
		a.duties.ticker.Poke()
	})
	return nil
}

// fixedRules are those that the configuration makes.
func (a *app) fixedRules() ([]keepwatch.Rule, error) {
	s := a.settings
	rules, err := a.duties.phones.Rules()
	if err != nil {
		return nil, err
	}
	fixed := func(id string, w keepwatch.When, channel, command string) {
		rules = append(rules, keepwatch.Rule{ID: id, Kind: keepwatch.RuleCommand, When: w, Channel: channel, Command: command, By: "keepwatch.yaml", Account: keepwatch.ConfigAccount(), Fixed: true})
	}
	for _, src := range s.Sources {
		if src.Schedule != "" {
			fixed("schedule:"+src.Name, s.When[src.Name], a.atHome(), "backup start "+src.Name)
		}
	}
	if c := s.Channels["reports"]; c != "" {
		fixed("report", keepwatch.When{Cron: "0 9 1 * *", Zone: s.zoneName(), Said: "the first day of each month at 9:00"}, c, "keepwatch report")
	}
	return rules, nil
}

// zoneName gives the name of the bot's zone, as a rule keeps it.
func (c config) zoneName() string { return c.Location.String() }

// outcome finds what came of a try of a command.
func (a *app) outcome(o keepwatch.Occurrence) (remind.Outcome, error) {
	id := remind.RequestID(o.ID, o.Tries)
	if o.Run > 0 { // of this try, and known: nothing need be looked for
		run, err := a.records.Run(o.Run)
		if err == nil && run.Request == id {
			return remind.Outcome{Run: run, Found: true}, nil
		}
		if err != nil && keepwatch.KindOf(err) != keepwatch.KindNotFound {
			return remind.Outcome{}, err
		}
	}
	if run, found, err := a.records.RequestRun(id); err != nil || found {
		return remind.Outcome{Run: run, Found: found}, err
	}
	const looked = 500
	runs, err := a.records.RecentRuns("", looked)
	if err != nil {
		return remind.Outcome{}, err
	}
	if i := slices.IndexFunc(runs, func(r keepwatch.Run) bool { return r.Request == id }); i >= 0 {
		return remind.Outcome{Run: runs[i], Found: true}, nil
	}
	waiting, err := a.records.Deliveries()
	if err != nil {
		return remind.Outcome{}, err
	}
	if slices.ContainsFunc(waiting, func(d keepwatch.Delivery) bool { return d.Request.ID == id }) {
		return remind.Outcome{Pending: true}, nil
	}
	lines, err := a.records.Audits(keepwatch.AuditFilter{Since: o.At.Add(-time.Hour), Limit: 100_000})
	if err != nil {
		return remind.Outcome{}, err
	}
	for _, e := range lines {
		if e.ID == id && e.Outcome != keepwatch.OutcomeStarted {
			done := e.Outcome == keepwatch.OutcomeDone
			out := remind.Outcome{Done: done, Denied: e.Outcome == keepwatch.OutcomeDenied}
			if !done {
				out.Refused = orElse(e.Message, "it failed")
			}
			return out, nil
		}
	}
	return remind.Outcome{}, nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// answered is told what came of a command that was due.
func (a *app) answered(due string, e keepwatch.AuditEntry, _ keepwatch.Message) {
	if e.Run == 0 {
		a.duties.scheduler.Answered(due, e.Outcome, e.Message)
	}
}

// probeDuties looks at the checklists and at where messages are to go. It starts
// nothing.
func (s settings) probeDuties() []keepwatch.Probe {
	var probes []keepwatch.Probe
	if lists, err := s.checklists(); err != nil {
		probes = append(probes, bad("checklists", sentenceOf(err), "Mend that; until then the bot does not start."))
	} else if s.Checklists != "" {
		probes = append(probes, good("checklists", fmt.Sprintf("%d are there, those of %s among them.", len(lists), s.Checklists)))
	}
	if platforms := s.platforms(); len(platforms) > 0 && s.Channels["default"] == "" {
		probes = append(probes, caution("channel default", "None is named, so cards of scheduled backups and warnings go to the escalation channel or to the admins, and into the log where none of them can be reached.", "Name one in keepwatch.yaml, such as channels: {default: "+platforms[0]+":C0123}."))
	}
	for _, name := range []string{"default", "escalation", "reports"} {
		if c := s.Channels[name]; c != "" && !slices.Contains(s.platforms(), keepwatch.Platform(c)) {
			text := "%s belongs to a platform that is not configured, so nothing is posted there."
			if name == "default" && len(s.platforms()) == 0 {
				text = "%s belongs to a platform that is not configured, and no platform is: the terminal stands for it, with its hours."
			}
			probes = append(probes, caution("channel "+name, fmt.Sprintf(text, c), "Set its token in .env, or name another channel."))
		}
	}
	return probes
}
