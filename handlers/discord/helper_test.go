package discord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
)

// hurried is a pace for tests.
func hurried() *pace {
	return &pace{
		dial: 10 * time.Second, hello: 10 * time.Second, ready: 10 * time.Second, write: 5 * time.Second, slack: 200 * time.Millisecond,
		least: 5 * time.Millisecond, most: 50 * time.Millisecond, stable: time.Minute, identify: time.Millisecond, invalid: time.Millisecond,
	}
}

// table is a table of commands with an option of each sort.
func table() []handlers.Command {
	return []handlers.Command{
		{Group: "backup", Name: "start", Summary: "Start a backup", Options: []handlers.Option{
			{Name: "source", Type: handlers.TypeSource, Required: true, Summary: "what to back up"},
			{Name: "part", Type: handlers.TypePart, Variadic: true, Summary: "only these parts"},
			{Name: "changes", Type: handlers.TypeSwitch, Flag: true, Summary: "only what changed"}}},
		{Group: "backup", Name: "status", Summary: "Show what runs", Options: []handlers.Option{{Name: "run", Type: handlers.TypeRun, Summary: "the number of a run"}}},
		{Group: "backup", Name: "sources", Summary: "List what can be backed up"},
		{Group: "backup", Name: "cancel", Summary: "Stop a run", Options: []handlers.Option{
			{Name: "run", Type: handlers.TypeRun, Required: true, Summary: "the number of a run"},
			{Name: "reason", Type: handlers.TypeText, Variadic: true, Summary: "why"}}},
		{Group: "backup", Name: "restore", Summary: "Restore an archive", Options: []handlers.Option{
			{Name: "part", Type: handlers.TypePart, Summary: "an option before the one that is required"},
			{Name: "archive", Type: handlers.TypeArchive, Required: true, Summary: "an archive"},
			{Name: "to", Type: handlers.TypePath, Flag: true, Summary: "the folder to restore into"}}},
		{Group: "keepwatch", Name: "help", InPlace: true, Summary: "Show what you may do here", Options: []handlers.Option{{Name: "command", Type: handlers.TypeCommand, Variadic: true, Summary: "a command"}}},
		{Group: "keepwatch", Name: "audit", Summary: "Who asked for what", Role: keepwatch.RoleAdmin, Options: []handlers.Option{{Name: "limit", Type: handlers.TypeCount, Flag: true, Summary: "at most so many"}}},
		{Group: "keepwatch", Name: "exit", Local: true},
	}
}

// counter is a desk for tests. What it is handed it answers as the test says, by
// the front-end's Post, at once and beside the acknowledgement.
type counter struct {
	mu      sync.Mutex
	taken   []keepwatch.Delivery
	keys    map[string]bool
	changed chan struct{}
	answer  func(keepwatch.Delivery) *keepwatch.Outgoing // nil: no answer
	take    func() error                                 // before a delivery is saved; nil: goes well
	buttons map[string]keepwatch.Button
	list    []handlers.Candidate
	asked   []string // of Complete
	front   *Frontend
	posted  []string // references
	errs    []error
	working sync.WaitGroup
}

func newCounter() *counter {
	return &counter{keys: map[string]bool{}, changed: make(chan struct{}), buttons: map[string]keepwatch.Button{}}
}

func (c *counter) Take(_ context.Context, d keepwatch.Delivery) (bool, error) {
	if c.take != nil {
		if err := c.take(); err != nil {
			return false, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys[d.Key] {
		return false, nil
	}
	c.keys[d.Key] = true
	d.Reply.To = d.Request.Account
	c.taken = append(c.taken, d)
	c.tell()
	if c.answer != nil {
		if out := c.answer(d); out != nil {
			c.working.Go(func() { c.post(*out) })
		}
	}
	return true, nil
}

// tell wakes whoever waits for a change; c.mu is held.
func (c *counter) tell() { close(c.changed); c.changed = make(chan struct{}) }

// post does what an outbox does: it tries later where it is told to.
func (c *counter) post(out keepwatch.Outgoing) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		ref, err := c.front.Post(ctx, out)
		var refusal *keepwatch.PostError
		if errors.As(err, &refusal) && refusal.Verdict == keepwatch.VerdictLater && refusal.After < 2*time.Second && ctx.Err() == nil {
			sleep(ctx, refusal.After)
			continue
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.posted = append(c.posted, ref)
		if err != nil {
			c.errs = append(c.errs, err)
		}
		c.tell()
		return
	}
}

func (c *counter) Complete(_ context.Context, req keepwatch.Request, cursor int) []handlers.Candidate {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, req.Text[:cursor])
	return c.list
}

func (c *counter) Button(token string) (keepwatch.Button, error) {
	if command, ok := strings.CutPrefix(token, "="); ok {
		return keepwatch.Button{Command: command}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.buttons[token]
	if !ok {
		return b, keepwatch.Errorf(keepwatch.KindNotFound, "This button is too old. Type the command instead.")
	}
	return b, nil
}

func (c *counter) Commands() []handlers.Command { return table() }

// wait waits until n deliveries were taken, and gives them.
func (c *counter) wait(t *testing.T, n int) []keepwatch.Delivery {
	t.Helper()
	ctx := soon(t)
	for {
		c.mu.Lock()
		taken, changed := append([]keepwatch.Delivery{}, c.taken...), c.changed
		c.mu.Unlock()
		if len(taken) >= n {
			return taken
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%d deliveries were taken, and %d are waited for", len(taken), n)
		}
	}
}

// soon is a context that ends long after what a test waits for, on a machine that
// has much else to do.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// rig is a front-end that is connected to a fake Discord.
type rig struct {
	*Frontend
	t       *testing.T
	srv     *discordtest.Server
	counter *counter
	clock   *discordtest.Clock
	alis    string
	log     *bytes.Buffer
	ended   chan error
	stop    context.CancelFunc
}

// locked is a log that several goroutines write.
type locked struct {
	mu  sync.Mutex
	buf *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// vocabulary gives Discord's published document, which every body of every test
// is held against where its package is installed; TestVocabulary says so where it
// is not.
func vocabulary(t *testing.T) *discordtest.SpecDoc {
	t.Helper()
	doc, err := specOnce()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

var specOnce = sync.OnceValues(func() (*discordtest.SpecDoc, error) {
	const official = "discordtest/testdata/official"
	packages := official
	if dir := os.Getenv("KEEPWATCH_NODE"); dir != "" {
		packages = filepath.Join(dir, "discord")
	}
	if _, err := os.Stat(filepath.Join(packages, "node_modules")); err != nil {
		return nil, nil
	}
	return discordtest.LoadSpec(official, packages)
})

// start makes a rig; change alters the configuration of both before.
func start(t *testing.T, change func(*discordtest.Config, *Config)) *rig {
	t.Helper()
	r := assemble(t, change)
	r.run()
	if err := r.srv.WaitConnected(soon(t)); err != nil {
		t.Fatal(err)
	}
	r.until("the commands are registered", func() bool {
		return len(r.srv.Commands(r.cfg.GuildID)) > 0 && r.Ready() == nil
	})
	return r
}

// assemble makes a rig that does not run yet.
func assemble(t *testing.T, change func(*discordtest.Config, *Config)) *rig {
	t.Helper()
	t.Parallel() // most of what they do is waiting
	clock := discordtest.NewClock(time.Now())
	dc := discordtest.Config{Clock: clock, NoRateLimits: true, Spec: vocabulary(t)}
	c := newCounter()
	log := &locked{buf: &bytes.Buffer{}}
	cfg := Config{Counter: c, Now: clock.Now, pace: hurried(), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	cfg.GuildID = "-"
	if change != nil {
		change(&dc, &cfg)
	}
	srv := discordtest.New(t, dc)
	cfg.Token, cfg.APIURL = keepwatch.NewSecret(srv.Token()), srv.APIURL(10)
	if cfg.GuildID == "-" {
		cfg.GuildID = srv.GuildID()
	}
	if cfg.PublicKey != "" {
		cfg.PublicKey = srv.PublicKey()
	}
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.front = f
	r := &rig{Frontend: f, t: t, srv: srv, counter: c, clock: clock, alis: srv.AddUser("alis"), log: log.buf, ended: make(chan error, 1)}
	t.Cleanup(func() {
		c.working.Wait()
		for _, v := range srv.Violations() {
			t.Errorf("Discord's vocabulary: %s", v)
		}
		log.mu.Lock()
		defer log.mu.Unlock()
		text := log.buf.String()
		if strings.Contains(text, srv.Token()) {
			t.Error("the bot's token is in the log")
		}
		for _, d := range c.taken {
			if d.Reply.Token != "" && strings.Contains(text, d.Reply.Token) {
				t.Error("the token of an interaction is in the log")
			}
		}
		if t.Failed() {
			t.Log(text)
		}
	})
	return r
}

// run starts Run, which ends with the test.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	done := make(chan struct{})
	go func() { r.ended <- r.Run(ctx); close(done) }()
	r.t.Cleanup(func() { cancel(); <-done })
}

// until waits for the fake to look right.
func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	ctx := soon(r.t)
	for !cond() { // what is waited for may be on our side of the wire, which the fake does not see
		if !sleep(ctx, 2*time.Millisecond) {
			r.t.Fatalf("waited for: %s; there is %v", what, r.srv.Messages(r.srv.ChannelID()))
		}
	}
}

// command runs a slash command.
func (r *rig) command(line string, opts map[string]any) *discordtest.Interaction {
	r.t.Helper()
	i, err := r.srv.Command(r.alis, r.srv.ChannelID(), line, opts)
	if err != nil {
		r.t.Fatal(err)
	}
	return i
}

func (r *rig) reply(i *discordtest.Interaction) discordtest.Message {
	r.t.Helper()
	m, err := i.WaitReply(soon(r.t))
	if err != nil {
		r.t.Fatalf("%v %s", err, i.Problem())
	}
	return m
}

// out makes an answer to a delivery, as the desk does.
func out(d keepwatch.Delivery, m keepwatch.Message) *keepwatch.Outgoing {
	reply := d.Reply
	reply.To = d.Request.Account
	o := keepwatch.Outgoing{ID: fmt.Sprintf("%.20s", "id"+strings.NewReplacer(":", "", "discord", "", "interaction", "", "message", "").Replace(d.Key)+"aaaaaaaaaaaaaaaaaaaa"), Channel: d.Request.Channel, Reply: &reply, Message: m, Run: m.Run}
	if m.Run > 0 && reply.Open {
		o.Reply.Private = false
	} else if m.Run > 0 {
		o.Reply.Private, o.Reply.Replace = false, false
	}
	return &o
}

func says(text string) func(keepwatch.Delivery) *keepwatch.Outgoing {
	return func(d keepwatch.Delivery) *keepwatch.Outgoing {
		return out(d, keepwatch.Message{Title: text, Blocks: []keepwatch.Block{keepwatch.Text("more")}, Buttons: []keepwatch.Button{{Label: "Again", Command: "backup sources"}}})
	}
}

// card answers with the card of run 42.
func card(d keepwatch.Delivery) *keepwatch.Outgoing { return out(d, samples()["running"]) }
