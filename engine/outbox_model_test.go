package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// FuzzOutbox sends messages through processes that are killed, over a platform
// and a store that fail at random and a clock that is set, and compares what came
// of it with a model: each message arrives once or is kept apart, in the order of
// its lane, each card shows how its run ended, and each message of a topic what it was
// last edited to. The seed is the whole input; an
// ordinary test run takes the seeds named here.
func FuzzOutbox(f *testing.F) {
	for seed := range uint64(25) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, seed)
			for range 3 + m.rng.IntN(5) {
				m.live()
			}
			last := m.boot(nil)
			last.start(t)
			m.end()
			time.Sleep(10 * time.Minute)
			m.check()
			last.kill()
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	})
}

// model is an office with a random fate, and what it expects.
type model struct {
	*office
	seed  uint64
	mu    sync.Mutex // guards rng: goroutines take turns in an order that nobody fixes
	rng   *rand.Rand
	saved []keepwatch.Outgoing
	ended map[int64]bool
}

func newModel(t *testing.T, seed uint64) *model {
	return &model{office: newOffice(t), seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), ended: map[int64]bool{}}
}

// roll gives a number below n.
func (m *model) roll(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.IntN(n)
}

// live is the life of one process: it starts, is handed messages, and ends, mostly
// by a kill at a random instant or at a named point.
func (m *model) live() {
	m.set(time.Duration(m.roll(200)-100) * time.Hour)
	p := m.boot(m.fate)
	if err := p.Start(); err != nil { // the store refuses: the bot does not start, and somebody starts it again
		p.kill()
		return
	}
	for range 3 + m.roll(5) {
		p.Send(m.write()...)
		m.move(p)
		time.Sleep(time.Duration(m.roll(5000)) * time.Millisecond)
	}
	if m.roll(4) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = p.Close(ctx)
	}
	p.kill()
}

// fate decides what goes wrong in a process.
func (m *model) fate(p *process, c *engine.OutboxConfig) {
	c.Pace = map[string]time.Duration{"slack": time.Second}
	p.crashAt = func(string) bool { return m.roll(60) == 0 }
	p.mail.refuse = func(string) error {
		if m.roll(15) == 0 {
			return errors.New("the disk is full")
		}
		return nil
	}
	for _, poster := range p.posters {
		poster.onFind = func(keepwatch.Outgoing) error {
			return []error{nil, nil, nil, later(time.Second), errors.New("EOF")}[m.roll(5)]
		}
		poster.onPost = func(ctx context.Context, _ keepwatch.Outgoing) (bool, error) {
			m.dawdle(ctx)
			switch n := m.roll(20); {
			case n < 12:
				return true, nil
			case n == 12:
				return false, verdict([]keepwatch.Verdict{keepwatch.VerdictNever, keepwatch.VerdictGone}[m.roll(2)])
			case n < 15:
				return false, later(time.Duration(m.roll(10)) * time.Second)
			default:
				return m.roll(2) == 0, []error{verdict(keepwatch.VerdictUnsure), errors.New("EOF")}[m.roll(2)]
			}
		}
		poster.onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) {
			switch n := m.roll(10); {
			case n < 7:
				return true, nil
			case n == 7:
				return false, later(time.Duration(m.roll(10)) * time.Second)
			default:
				return m.roll(2) == 0, errors.New("EOF")
			}
		}
	}
}

func (m *model) dawdle(ctx context.Context) {
	wait := time.Duration(m.roll(3)*m.roll(1000)) * time.Millisecond
	if wait == 0 { // timers that are over at once break the race detector in a bubble (golang/go#78156)
		return
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// write saves a few messages, answers and cards.
func (m *model) write() []string {
	var out []keepwatch.Outgoing
	for range 1 + m.roll(4) {
		n := len(m.saved) + len(out)
		channel := []string{"slack:A", "slack:B", "discord:1"}[m.roll(3)]
		o := keepwatch.Outgoing{ID: fmt.Sprint("id", n), Lane: channel, Channel: channel, Message: keepwatch.Message{Title: fmt.Sprint(n)}, Made: m.now()}
		switch m.roll(9) {
		case 6:
			o.Topic = fmt.Sprint("topic", m.roll(2))
		case 7, 8:
			o.Topic, o.Edit = fmt.Sprint("topic", m.roll(2)), true
		case 0:
			o = m.answer(fmt.Sprint(n), channel, time.Duration(m.roll(60))*time.Second)
		case 1:
			run := int64(n + 1)
			m.run(run, "begins", keepwatch.RunRunning)
			o.Run, o.Message = run, keepwatch.Message{}
			o.Reply = &keepwatch.Reply{Token: "t", Until: m.now().Add(time.Minute)}
			if m.roll(2) == 0 { // the answer itself, which everybody sees
				o.Lane = "re:" + o.ID
			}
		}
		out = append(out, o)
	}
	m.saved = append(m.saved, out...)
	return m.save(out...)
}

// move moves the runs on, and ends some.
func (m *model) move(p *process) {
	for _, o := range m.saved {
		if o.Run == 0 || m.ended[o.Run] {
			continue
		}
		if m.ended[o.Run] = m.roll(3) == 0; m.ended[o.Run] {
			m.run(o.Run, "ended", keepwatch.RunDone)
		} else {
			m.run(o.Run, fmt.Sprint("half ", m.roll(100)), keepwatch.RunRunning)
		}
		if m.roll(2) == 0 {
			p.RunChanged(keepwatch.Run{})
		}
	}
}

// end ends every run.
func (m *model) end() {
	for _, o := range m.saved {
		if o.Run > 0 && !m.ended[o.Run] {
			m.run(o.Run, "ended", keepwatch.RunDone)
		}
	}
}

// check compares what arrived with what was saved.
func (m *model) check() {
	m.t.Helper()
	m.empty()
	m.noneLive()
	refused, err := m.kept.RefusedMessages(0)
	if err != nil {
		m.t.Fatal(err)
	}
	apart := map[string]int{}
	for _, o := range refused {
		apart[o.ID]++
	}
	arrived, ref, last := map[string]int{}, map[string]string{}, map[string]int64{}
	for _, v := range m.vendors {
		for _, p := range v.all() {
			arrived[p.id]++
			ref[p.id] = p.ref
			if p.out.Seq < last[p.out.Lane] {
				m.t.Errorf("%s came after a later one of %s", p.text, p.out.Lane)
			}
			last[p.out.Lane] = p.out.Seq
		}
	}
	m.checkTopics(apart, ref)
	for _, o := range m.saved {
		if o.Edit {
			if n := arrived[o.ID] + apart[o.ID]; n != 0 {
				m.t.Errorf("the edit %s was posted or put apart %d times", o.ID, n)
			}
			continue
		}
		byToken := o.Reply != nil && o.Reply.Private && o.Lane != o.Channel
		if n := arrived[o.ID] + apart[o.ID]; n != 1 && !(byToken && n > 1) {
			m.t.Errorf("%s in %s arrived %d times, and was put apart %d times", o.ID, o.Lane, arrived[o.ID], apart[o.ID])
		}
		if o.Run > 0 && apart[o.ID] == 0 {
			if text := m.says(o.Channel, ref[o.ID]); text != "ended" {
				m.t.Errorf("the card of run %d in %s says %q", o.Run, o.Channel, text)
			}
		}
	}
}

// checkTopics holds what the messages of topics say against their last edits: of
// those that came between one message of a topic and the next in its channel.
func (m *model) checkTopics(apart map[string]int, ref map[string]string) {
	m.t.Helper()
	newest, want := map[string]string{}, map[string]string{}
	for _, o := range m.saved { // in the order of each lane
		at := o.Channel + " " + o.Topic
		switch {
		case o.Topic == "":
		case o.Edit && newest[at] != "":
			want[newest[at]] = o.Message.Title
		case !o.Edit && apart[o.ID] == 0:
			newest[at] = ref[o.ID]
			want[ref[o.ID]] = o.Message.Title
		}
	}
	for ref, text := range want {
		channel, _, _ := strings.Cut(ref, "/")
		if got := m.says(channel, ref); got != text {
			m.t.Errorf("the message %s says %q, and was edited to %q", ref, got, text)
		}
	}
}

// says gives what a message says now.
func (m *model) says(channel, ref string) (text string) {
	v := m.vendors[keepwatch.Platform(channel)]
	for _, p := range v.all() {
		if p.ref == ref {
			text = p.text
		}
	}
	for _, e := range v.edited() {
		if e.ref == ref {
			text = e.text
		}
	}
	return text
}
