package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// post is a message as a platform keeps it.
type post struct {
	channel, id, ref, text string
	at                     time.Time
	token                  bool // by the token of a reply
	out                    keepwatch.Outgoing
}

// edit is one change of a message.
type edit struct {
	ref, text string
	at        time.Time
}

// vendor is a platform: what it has taken outlives every process of ours.
type vendor struct {
	mu    sync.Mutex
	posts []post
	edits []edit
}

func (v *vendor) all() []post {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.posts)
}

func (v *vendor) edited() []edit {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.edits)
}

// shows gives what each message in a channel says now, oldest first.
func (v *vendor) shows(channel string) (texts []string) {
	for _, p := range v.all() {
		if p.channel != channel {
			continue
		}
		text := p.text
		for _, e := range v.edited() {
			if e.ref == p.ref {
				text = e.text
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// poster is one process's connection to a vendor.
type poster struct {
	v    *vendor
	dead *atomic.Bool
	now  func() time.Time
	// onPost decides about an attempt: done is whether the vendor takes it,
	// whatever the answer is. onEdit and onFind likewise.
	onPost func(ctx context.Context, out keepwatch.Outgoing) (done bool, err error)
	onEdit func(card keepwatch.Card, msg keepwatch.Message) (done bool, err error)
	onFind func(out keepwatch.Outgoing) error
	// nameless: the vendor gives no reference to what it took.
	nameless bool
	// knowing: the vendor knows each message by our id, and gives the one that it
	// has; nobody looks.
	knowing bool
}

var errDead = errors.New("the process is dead")

func (p *poster) Post(ctx context.Context, out keepwatch.Outgoing) (string, error) {
	if p.dead.Load() {
		return "", errDead
	}
	done, err := true, error(nil)
	if p.onPost != nil {
		done, err = p.onPost(ctx, out)
	}
	token := out.Lane != out.Channel && out.Reply.Alive(p.now())
	p.v.mu.Lock()
	defer p.v.mu.Unlock()
	ref := ""
	had := slices.IndexFunc(p.v.posts, func(there post) bool { return p.knowing && there.id == out.ID })
	if done && had >= 0 {
		ref = p.v.posts[had].ref
	} else if done && !p.dead.Load() {
		ref = fmt.Sprintf("%s/%04d", out.Channel, len(p.v.posts)+1)
		p.v.posts = append(p.v.posts, post{out.Channel, out.ID, ref, out.Message.Title, time.Now(), token, out})
	}
	if err != nil || p.dead.Load() {
		return "", errors.Join(err, ctx.Err())
	}
	if p.nameless {
		return "", nil
	}
	return ref, nil
}

func (p *poster) Edit(_ context.Context, card keepwatch.Card, msg keepwatch.Message) error {
	if p.dead.Load() {
		return errDead
	}
	done, err := true, error(nil)
	if p.onEdit != nil {
		done, err = p.onEdit(card, msg)
	}
	p.v.mu.Lock()
	defer p.v.mu.Unlock()
	if done && !p.dead.Load() {
		p.v.edits = append(p.v.edits, edit{card.Ref, msg.Title, time.Now()})
	}
	return err
}

// Find looks only behind After, as one that pages through a channel does.
func (p *poster) Find(_ context.Context, out keepwatch.Outgoing) (string, bool, error) {
	if p.dead.Load() {
		return "", false, errDead
	}
	if out.Tried.IsZero() {
		return "", false, keepwatch.Errorf(keepwatch.KindInternal, "asked for a message that was never tried")
	}
	if p.onFind != nil {
		if err := p.onFind(out); err != nil {
			return "", false, err
		}
	}
	if p.knowing {
		return "", false, nil
	}
	hidden := out.Reply != nil && out.Reply.Private
	p.v.mu.Lock()
	defer p.v.mu.Unlock()
	for _, post := range p.v.posts {
		if post.id == out.ID && !(post.token && hidden) && post.channel == out.Channel && post.ref > out.After {
			if p.nameless {
				return "", true, nil
			}
			return post.ref, true, nil
		}
	}
	return "", false, nil
}

// mail is one process's connection to the store, which may refuse and may die.
type mail struct {
	*store.Records
	dead   *atomic.Bool
	refuse func(op string) error         // nil: it never does
	looked func(lane string, found bool) // after each look for the next message; nil: nothing
}

func (m *mail) may(op string) error {
	if m.dead.Load() {
		return errDead
	}
	if m.refuse == nil {
		return nil
	}
	return m.refuse(op)
}

func (m *mail) Lanes() ([]string, error) {
	if err := m.may("Lanes"); err != nil {
		return nil, err
	}
	return m.Records.Lanes()
}

func (m *mail) NextMessage(lane string) (keepwatch.Outgoing, bool, error) {
	if err := m.may("NextMessage"); err != nil {
		return keepwatch.Outgoing{}, false, err
	}
	out, found, err := m.Records.NextMessage(lane)
	if m.looked != nil {
		m.looked(lane, found)
	}
	return out, found, err
}

func (m *mail) TryMessage(o keepwatch.Outgoing, at time.Time) (keepwatch.Outgoing, error) {
	if err := m.may("TryMessage"); err != nil {
		return o, err
	}
	return m.Records.TryMessage(o, at)
}

func (m *mail) MessageDelivered(o keepwatch.Outgoing, ref, shown string, final bool) error {
	if err := m.may("MessageDelivered"); err != nil {
		return err
	}
	return m.Records.MessageDelivered(o, ref, shown, final)
}

func (m *mail) RefuseMessage(o keepwatch.Outgoing, why string) (bool, error) {
	if err := m.may("RefuseMessage"); err != nil {
		return false, err
	}
	return m.Records.RefuseMessage(o, why)
}

func (m *mail) LiveCards() ([]keepwatch.Card, error) {
	if err := m.may("LiveCards"); err != nil {
		return nil, err
	}
	return m.Records.LiveCards()
}

func (m *mail) CardShown(c keepwatch.Card, shown string, final bool) error {
	if err := m.may("CardShown"); err != nil {
		return err
	}
	return m.Records.CardShown(c, shown, final)
}

func (m *mail) KeepButtons(buttons []keepwatch.Button) error {
	if err := m.may("KeepButtons"); err != nil {
		return err
	}
	return m.Records.KeepButtons(buttons)
}

// office is what outlives our processes: the state, the platforms, the runs.
type office struct {
	t        *testing.T
	state    *mem.Store
	kept     *store.Records
	vendors  map[string]*vendor
	mu       sync.Mutex
	runs     map[int64]runNow
	showErr  error
	wall     time.Duration // how far the wall clock was set
	log      strings.Builder
	refusals []string // what Refused was told: "channel first"
}

type runNow struct {
	text  string
	state keepwatch.RunState
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, state: mem.New(), vendors: map[string]*vendor{"slack": {}, "discord": {}}, runs: map[int64]runNow{}}
	o.kept = store.NewRecords(o.state, o.now)
	return o
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Round(0).Add(o.wall) // the wall alone
}

func (o *office) set(clock time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wall = clock
}

func (o *office) show(id int64) (keepwatch.Message, keepwatch.RunState, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.showErr != nil {
		return keepwatch.Message{}, "", o.showErr
	}
	r, ok := o.runs[id]
	if !ok {
		return keepwatch.Message{}, "", keepwatch.Errorf(keepwatch.KindNotFound, "There is no run %d.", id)
	}
	form := keepwatch.Button{Label: "Cancel", Command: "backup cancel", Form: &keepwatch.Form{Title: r.text}}
	return keepwatch.Message{Title: r.text, Run: id, Buttons: []keepwatch.Button{form}}, r.state, nil
}

// run sets what a run is now.
func (o *office) run(id int64, text string, state keepwatch.RunState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs[id] = runNow{text, state}
}

// process is one process of ours: an outbox over the state.
type process struct {
	*engine.Outbox
	mail    *mail
	posters map[string]*poster
	dead    atomic.Bool
	mu      sync.Mutex
	crashAt func(point string) bool // nil: never; called by one at a time
}

// boot starts a process. setup may be nil.
func (o *office) boot(setup func(*process, *engine.OutboxConfig)) *process {
	o.t.Helper()
	p := &process{posters: map[string]*poster{}}
	p.mail = &mail{Records: store.NewRecords(o.state, o.now), dead: &p.dead}
	cfg := engine.OutboxConfig{
		Mail: p.mail, Cards: p.mail, Posters: map[string]engine.Poster{}, Show: o.show, Now: o.now, Crash: p.crash,
		Refused: func(out keepwatch.Outgoing, _ string, first bool) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.refusals = append(o.refusals, fmt.Sprintf("%s %v", out.Channel, first))
		},
		Log: slog.New(slog.NewTextHandler(&locked{o: o}, nil)),
	}
	for name, v := range o.vendors {
		p.posters[name] = &poster{v: v, dead: &p.dead, now: o.now}
		cfg.Posters[name] = p.posters[name]
	}
	if setup != nil {
		setup(p, &cfg)
	}
	box, err := engine.NewOutbox(cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	p.Outbox = box
	return p
}

// locked writes the log under the office's lock.
type locked struct{ o *office }

func (l *locked) Write(b []byte) (int, error) {
	l.o.mu.Lock()
	defer l.o.mu.Unlock()
	return l.o.log.Write(b)
}

func (o *office) logged() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

// crash ends the process at a point: nothing that it does afterwards counts.
func (p *process) crash(point string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead.Load() && (p.crashAt == nil || !p.crashAt(point)) {
		return
	}
	p.dead.Store(true)
	runtime.Goexit()
}

// kill ends a process without asking it.
func (p *process) kill() {
	p.dead.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Close(ctx)
}

// start has the process begin, and fails the test where it cannot.
func (p *process) start(t *testing.T) *process {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// say saves messages: "lane text" each; a lane is a channel, or "re:x>channel".
func (o *office) say(messages ...string) []string {
	o.t.Helper()
	var out []keepwatch.Outgoing
	for _, m := range messages {
		lane, text, _ := strings.Cut(m, " ")
		out = append(out, keepwatch.Outgoing{ID: "id-" + text, Lane: lane, Channel: lane, Message: keepwatch.Message{Title: text}, Made: o.now()})
	}
	return o.save(out...)
}

func (o *office) save(out ...keepwatch.Outgoing) []string {
	o.t.Helper()
	lanes, err := o.kept.PostMessages(out)
	if err != nil {
		o.t.Fatal(err)
	}
	return lanes
}

// answer makes a private answer by a token that works for a while.
func (o *office) answer(text, channel string, alive time.Duration) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: "id-" + text, Lane: "re:" + text, Channel: channel, Message: keepwatch.Message{Title: text}, Made: o.now(),
		Reply: &keepwatch.Reply{Token: "t", Private: true, Until: o.now().Add(alive)}}
}

// empty checks that nothing is left to be sent.
func (o *office) empty() {
	o.t.Helper()
	if lanes, err := o.kept.Lanes(); err != nil || len(lanes) != 0 {
		o.t.Errorf("left in the lanes %q, %v", lanes, err)
	}
}

// texts gives what a vendor has got in a channel, in order.
func (o *office) texts(channel string) (texts []string) {
	for _, p := range o.vendors[keepwatch.Platform(channel)].all() {
		if p.channel == channel {
			texts = append(texts, p.text)
		}
	}
	return texts
}

func (o *office) want(channel string, texts ...string) {
	o.t.Helper()
	if got := o.texts(channel); !slices.Equal(got, texts) {
		o.t.Errorf("%s has got %q, want %q", channel, got, texts)
	}
}

func (m *mail) Untold() ([]keepwatch.Outgoing, error) {
	if err := m.may("Untold"); err != nil {
		return nil, err
	}
	return m.Records.Untold()
}

func (m *mail) RefusalTold(o keepwatch.Outgoing) error {
	if err := m.may("RefusalTold"); err != nil {
		return err
	}
	return m.Records.RefusalTold(o)
}

func (m *mail) EditTarget(o keepwatch.Outgoing) (string, string, bool, error) {
	if err := m.may("EditTarget"); err != nil {
		return "", "", false, err
	}
	return m.Records.EditTarget(o)
}

func (m *mail) EditDone(o keepwatch.Outgoing, ref, shown string) error {
	if err := m.may("EditDone"); err != nil {
		return err
	}
	return m.Records.EditDone(o, ref, shown)
}
