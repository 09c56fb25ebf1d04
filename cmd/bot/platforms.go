package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/engine/remind"
	"keepwatch/handlers"
)

// platform is a front-end as the program sees it.
type platform struct {
	name   string // "slack"
	title  string // "Slack"
	front  handlers.Frontend
	probe  func(ctx context.Context) []keepwatch.Probe
	mounts map[string]http.Handler // paths that it answers over HTTP
	pace   time.Duration           // the least time between two messages in one channel
	edits  time.Duration           // likewise between two edits
}

// makeDesk joins what platforms hand over to what carries it out and posts the
// answers.
func (a *app) makeDesk() (err error) {
	a.desk, err = handlers.NewDesk(handlers.DeskConfig{
		Router: a.router, Mailbox: a.records, Send: a.send, Answered: a.answered,
		Log: a.log, Now: a.now, Crash: a.crash,
	})
	if err != nil {
		return err
	}
	if a.platforms, err = makePlatforms(a.settings, a.desk, a.router.Handle, a.log, a.now); err != nil {
		return err
	}
	a.terminal = &terminalPoster{log: a.log, logs: func() bool { return a.serving }}
	posters, pace, edits := map[string]engine.Poster{"terminal": a.terminal}, map[string]time.Duration{}, map[string]time.Duration{}
	for _, p := range a.platforms {
		posters[p.name], pace[p.name], edits[p.name] = p.front, p.pace, p.edits
	}
	a.outbox, err = engine.NewOutbox(engine.OutboxConfig{
		Mail: a.records, Cards: a.records, Posters: posters, Show: a.show, Pace: pace, Edits: edits,
		Away:    func(platform string) bool { return !a.serving && platform != "terminal" && a.speaks(platform+":") },
		Refused: a.refused, Log: a.log, Now: a.now, Crash: a.crash,
	})
	return err
}

// show gives the card of a run as it is now.
func (a *app) show(id int64) (keepwatch.Message, keepwatch.RunState, error) {
	run, err := a.engine.Run(id)
	if err != nil {
		return keepwatch.Message{}, "", err
	}
	msg := a.router.RunMessage(run)
	if a.stopping.Load() && !run.State.Settled() {
		msg = stopped(msg)
	}
	return msg, run.State, nil
}

// stopped is the card of a run that goes on at the next start.
func stopped(msg keepwatch.Message) keepwatch.Message {
	return keepwatch.Message{Title: strings.Replace(msg.Title, " is under way", " waits", 1) + ": Keepwatch was stopped", Tone: keepwatch.ToneWarn, Run: msg.Run, Blocks: []keepwatch.Block{
		keepwatch.Text("What is finished stays finished; the run goes on when Keepwatch is started again."),
	}}
}

// connect starts what keeps the outbox going, and the front-ends where they are
// served. They run until ctx ends; the outbox until close.
func (a *app) connect(ctx context.Context) error {
	if err := a.outbox.Start(); err != nil {
		return err
	}
	if err := a.desk.Resume(ctx); err != nil {
		return err
	}
	if a.onDuty() {
		if err := a.startDuties(ctx); err != nil {
			return err
		}
	}
	open, err := a.records.OpenRuns()
	if err != nil {
		return err
	}
	for _, run := range open {
		a.announce(run)
	}
	for _, p := range a.platforms {
		if !a.serving {
			break
		}
		a.connected.Go(func() {
			if err := p.front.Run(ctx); err != nil {
				a.log.Error("the connection to "+p.title+" ended, and is not tried again before the next start; all else goes on", "err", err)
			}
		})
	}
	a.connected.Go(func() { a.tidy(ctx) })
	if a.serving {
		a.connected.Go(func() { a.watchReady(ctx) })
	}
	return nil
}

// readyEvery is how often the connections are looked at, so that the log tells of
// one that is down however quiet the platform is about it.
const readyEvery = 10 * time.Second

// watchReady logs each change of what keeps a platform's requests from arriving.
func (a *app) watchReady(ctx context.Context) {
	ticker := time.NewTicker(readyEvery)
	defer ticker.Stop()
	down := map[string]string{}
	for first := true; ; first = false {
		for _, p := range a.platforms {
			text := ""
			if err := p.front.Ready(); err != nil {
				text = sentenceOf(err)
			}
			switch {
			case first || text == down[p.name]: // it is just connecting
			case text == "":
				a.log.Info("requests arrive again", "platform", p.name)
			default:
				a.log.Error("requests do not arrive, or are not answered", "platform", p.name, "why", text)
			}
			if !first {
				down[p.name] = text
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// tidyEvery is how often the state is rid of what is no longer needed.
const tidyEvery = time.Hour

func (a *app) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		if err := a.records.Tidy(); err != nil && ctx.Err() == nil {
			a.log.Error("the state could not be tidied", "err", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// announce posts the card of a run that nobody asked for in a channel where things are
// said that concern nobody alone, and of a scheduled one that has gone well where it
// belongs, unless it is there.
func (a *app) announce(run keepwatch.Run) {
	channel := a.home()
	switch {
	case run.Due != "" && run.State == keepwatch.RunDone && run.Request != remind.RequestID(run.Due, 1):
		channel = run.Where // it was tried again, of which nothing was said yet
	case run.By != byDrop || run.State == keepwatch.RunDone:
		return
	}
	if channel == "" || !a.speaks(channel) {
		return
	}
	lanes, err := a.records.PostCard(keepwatch.Outgoing{ID: handlers.NewID(), Lane: channel, Channel: channel, Run: run.ID, Made: a.now().UTC()})
	if err != nil {
		a.log.Error("the card of a run could not be saved", "run", run.ID, "err", err)
		return
	}
	a.outbox.Send(lanes...)
}

// speaks reports whether a channel belongs to a platform that is configured.
func (a *app) speaks(channel string) bool {
	return slices.Contains(a.settings.platforms(), keepwatch.Platform(channel)) || channel == "terminal" && len(a.settings.platforms()) == 0
}

// refused tells the default channel and the admins that a channel refuses
// messages. Once is enough while it goes on, and a notice about a notice is none.
func (a *app) refused(out keepwatch.Outgoing, why string, first bool) {
	if out.Notice || !first || out.Reply != nil && out.Reply.Private {
		return
	}
	msg := keepwatch.Message{
		Title: "A message could not be posted", Tone: keepwatch.ToneBad,
		Blocks: []keepwatch.Block{
			keepwatch.Text(why),
			{Fields: []keepwatch.Field{{Name: "Channel", Value: out.Channel}, {Name: "Message", Value: titleOf(out)}, {Name: "Asked for", Time: out.Made}}},
			keepwatch.Text("The message is kept. More that are refused in this channel are kept too, without another notice:"), keepwatch.Code("/keepwatch check"),
		},
	}
	var outs []keepwatch.Outgoing
	for _, channel := range a.noticeChannels(out) {
		outs = append(outs, keepwatch.Outgoing{ID: handlers.NewID(), Lane: channel, Channel: channel, Message: msg, Notice: true, Made: a.now().UTC()})
		if out.Run > 0 { // its card, which goes on there: nobody is to miss how it ends
			outs = append(outs, keepwatch.Outgoing{ID: handlers.NewID(), Lane: channel, Channel: channel, Run: out.Run, Notice: true, Made: a.now().UTC()})
		}
	}
	lanes, err := a.records.PostMessages(outs)
	if err != nil {
		a.log.Error("the notice of a refused message could not be saved", "err", err)
		return
	}
	a.outbox.Send(lanes...)
}

func titleOf(out keepwatch.Outgoing) string {
	if out.Message.Title == "" {
		return "an answer"
	}
	return out.Message.Title
}

// noticeChannels gives where people hear of a message that its channel refuses:
// the default channel, whoever asked, and each admin directly.
func (a *app) noticeChannels(out keepwatch.Outgoing) []string {
	var to []string
	if c := a.settings.Channels["default"]; c != "" && c != out.Channel && a.speaks(c) {
		to = append(to, c)
	}
	if out.Reply != nil && out.Reply.To.ID != "" {
		to = append(to, out.Reply.To.Platform+":@"+out.Reply.To.ID)
	}
	for _, p := range a.settings.People {
		if p.Role != keepwatch.RoleAdmin {
			continue
		}
		for _, platform := range a.platforms {
			if id := p.Accounts[platform.name]; id != "" {
				if direct := platform.name + ":@" + id; !slices.Contains(to, direct) {
					to = append(to, direct)
				}
				break
			}
		}
	}
	return to
}

// disconnect waits until the front-ends have ended and what was asked for is
// answered, for as long as ctx allows.
func (a *app) disconnect(ctx context.Context) error {
	ended := make(chan struct{})
	go func() { a.connected.Wait(); close(ended) }()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = fmt.Errorf("a connection did not end in time: %w", ctx.Err())
	}
	return errors.Join(err, a.desk.Close(ctx))
}

// platformsReady gives why a front-end cannot take requests, or nil.
func (a *app) platformsReady() error {
	var errs []error
	for _, p := range a.platforms {
		if err := p.front.Ready(); err != nil {
			errs = append(errs, keepwatch.Errorf(keepwatch.KindAttention, "%s: %s", p.title, sentenceOf(err)).Because(err))
		}
	}
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	var lines []string
	for _, err := range errs {
		lines = append(lines, keepwatch.Sentence(err))
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s", strings.Join(lines, "\n")).Because(errors.Join(errs...))
}

func sentenceOf(err error) string {
	if text := keepwatch.Sentence(err); text != "" {
		return text
	}
	return err.Error()
}

// serve runs the bot without a terminal, until ctx ends.
func serve(ctx context.Context, p process, o options) (err error) {
	s, err := loadSettings(p, o)
	if err != nil {
		return err
	}
	log, err := newLog(p.Err, s.LogLevel, false)
	if err != nil {
		return err
	}
	for _, w := range s.warnings() {
		log.Warn(w)
	}
	a, err := openApp(p, s, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer func() { stop(); err = errors.Join(err, a.close()) }()
	a.serving = true
	if _, err := a.start(ctx); err != nil {
		return err
	}
	if err := a.connect(ctx); err != nil {
		return err
	}
	a.sayWhatIsServed(log)
	<-ctx.Done()
	return nil
}

// sayWhatIsServed writes one line that tells whoever started the bot what it
// does now.
func (a *app) sayWhatIsServed(log *slog.Logger) {
	var names []string
	for _, p := range a.platforms {
		names = append(names, p.title)
	}
	if a.key.Made {
		log.Warn("this is the first start: the key to all archives was made; keep a copy elsewhere, or they can never be opened", "key", a.settings.keyPath())
	}
	log.Info("Keepwatch runs; stop it with Ctrl-C or SIGTERM", "version", version(), "platforms", names, "sources", len(a.settings.Sources), "data", a.settings.DataDir)
}
