package remind_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/engine/when"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/store/mem"
)

// trial is a world in which things go wrong at random, and what is to come of it.
type trial struct {
	*world
	rng             *rand.Rand
	slots           map[string]slot        // by rule
	dues            map[string][]time.Time // of each rule, over the whole trial
	high            time.Time              // up to where what was due has been dealt with
	want            map[string]bool        // occurrences, by rule and moment
	posted          map[string]int         // new messages that show an occurrence, by place and id
	keys            map[string]int         // commands, by key
	taken           map[string]keepwatch.Delivery
	crash           map[string]int
	busy, overtaken int
}

var trialSlots = []slot{
	{minutes: []int{0}, hours: []int{9}, zone: "Europe/London"},
	{minutes: []int{30}, hours: []int{1, 2}, zone: "Europe/London"},
	{minutes: []int{0}, zone: "Asia/Kolkata"},
	{minutes: []int{0}, hours: []int{2, 3}, zone: "Pacific/Auckland"},
	{minutes: []int{30}, hours: []int{2}, zone: "America/New_York"},
	{minutes: []int{0}, hours: []int{9}, zone: "Europe/London"},
	{minutes: []int{0}, hours: []int{9}, zone: "Europe/London"},
}

func newTrial(t *testing.T, kept store.Store, seed uint64) *trial {
	start := at("2026-10-20 00:00")
	p := &trial{world: newWorldOn(t, kept, when.New(), start), rng: rand.New(rand.NewPCG(seed, 3)), slots: map[string]slot{}, dues: map[string][]time.Time{},
		high: start, want: map[string]bool{}, posted: map[string]int{}, keys: map[string]int{}, taken: map[string]keepwatch.Delivery{}, crash: map[string]int{}}
	for i, s := range trialSlots {
		r := keepwatch.Rule{When: s.cron(), Channel: "slack:A", Grace: []time.Duration{0, time.Hour, 6 * time.Hour}[i%3]}
		if i == 1 {
			r.Kind, r.Command, r.Channel = keepwatch.RuleCommand, "backup start notes", "slack:C"
		}
		if i == 0 {
			r.Repeat, r.Times, r.Chain, r.Channel = time.Hour, 2, []string{"slack:E", "slack:F"}, "slack:D"
		}
		r = p.add(r)
		p.slots[r.ID], p.dues[r.ID] = s, s.brute(t, start, start.Add(60*24*time.Hour))
	}
	// The desk takes a delivery once for each key, and knows what came of it.
	p.carry = func(d keepwatch.Delivery) error {
		p.keys[d.Key]++
		p.taken[d.Request.ID] = d
		if p.rng.IntN(5) == 0 {
			return fmt.Errorf("the answer was lost")
		}
		return nil
	}
	p.outcome = func(o keepwatch.Occurrence) (remind.Outcome, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		d, found := p.taken[remind.RequestID(o.ID, o.Tries)]
		switch {
		case !found:
			return remind.Outcome{}, nil
		case p.now.Sub(o.At) < 90*time.Minute: // so that it runs into the next one now and then
			return remind.Outcome{Pending: true}, nil
		}
		return remind.Outcome{Found: true, Run: keepwatch.Run{ID: 1, Due: o.ID, Request: d.Request.ID, State: keepwatch.RunDone}}, nil
	}
	return p
}

// expect works out what a look at a moment has to make: of what a rule has due since
// the last look the newest, where it is not too late.
func (p *trial) expect(now time.Time) {
	if !now.After(p.high) {
		return
	}
	for id, dues := range p.dues {
		newest := time.Time{}
		for _, at := range dues {
			if at.After(p.high) && !at.After(now) {
				newest = at
			}
		}
		rule := p.rule(id)
		grace := rule.Grace
		if grace == 0 {
			grace = keepwatch.DefaultGrace
		}
		if !newest.IsZero() && now.Sub(newest) <= grace {
			p.want[id+" "+newest.Format(time.RFC3339)] = true
		}
	}
	p.high = now
}

// look is a tick that may be killed, doubled or met by others, until one gets through.
func (p *trial) look() {
	p.expect(p.now)
	for {
		passes, kill := 0, p.rng.IntN(12)
		p.crashAt = func(point string) bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			passes++
			if passes == kill {
				p.crash[point]++
			}
			return passes == kill
		}
		if kill == 0 || kill > 6 {
			p.crashAt = nil
		}
		old, _ := p.kept.Due(p.now, 1000)
		lives := p.alive(p.tick)
		if p.rng.IntN(4) == 0 { // a tick that saw the same, and comes late
			lives = p.alive(func() { p.must(p.Tick(context.Background(), old)) }) && lives
		}
		p.crashAt = nil
		if lives {
			break
		}
		p.boot()
	}
	p.collect()
}

func (p *trial) must(err error) {
	if err != nil {
		p.t.Error(err)
	}
}

// together has two processes look at the same time.
func (p *trial) together() {
	p.expect(p.now)
	var all sync.WaitGroup
	first := p.Scheduler
	p.boot()
	for _, s := range []*remind.Scheduler{first, p.Scheduler, first} {
		all.Go(func() {
			wakes, err := p.kept.Due(p.now, 1000)
			p.must(err)
			p.must(s.Tick(context.Background(), wakes))
		})
	}
	all.Wait()
	p.tick()
	p.collect()
}

// collect counts what has been posted.
func (p *trial) collect() {
	p.deliver()
	for channel, all := range p.shown {
		for _, m := range all {
			text, _, _ := strings.Cut(m.text, " |")
			for line := range strings.SplitSeq(strings.TrimPrefix(text, "digest: "), ", ") {
				if id, _, _ := strings.Cut(line, " "); strings.Contains(id, "@") {
					p.posted[channel+" "+id]++
				}
			}
		}
		delete(p.shown, channel)
	}
}

// TestExactlyOnce: whatever happens to the process and to its clock, what is due
// within its grace is enqueued, once, and nothing else is.
func TestExactlyOnce(t *testing.T) {
	seeds, lives := 3, 30*24*time.Hour
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		seeds, lives = 400, 50*24*time.Hour
	}
	crashes := map[string]int{}
	enqueued, busy, overtaken := 0, 0, 0
	for seed := range seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			p := newTrial(t, mem.New(), uint64(seed))
			p.live(lives)
			p.check()
			enqueued += len(p.want)
			busy, overtaken = busy+p.busy, overtaken+p.overtaken
			for point, n := range p.crash {
				crashes[point] += n
			}
		})
	}
	t.Logf("%d enqueued, of which %d met one that still ran and %d were killed and overtaken; killed %v", enqueued, busy, overtaken, crashes)
	for _, point := range []string{"remind.before", "remind.saved", "remind.sent", "remind.carry", "remind.carried"} {
		if crashes[point] == 0 {
			t.Errorf("never killed at %s", point)
		}
	}
}

// live goes on for some time, in which anything may happen.
func (p *trial) live(d time.Duration) {
	end := p.now.Add(d)
	for p.high.Before(end) {
		switch n := p.rng.IntN(40); {
		case n == 0: // away for days
			p.now = p.now.Add(time.Duration(p.rng.IntN(72*60)) * time.Minute)
		case n == 1: // the clock is set back
			p.now = p.now.Add(-time.Duration(p.rng.IntN(48*60)) * time.Minute)
		case n == 2: // and ahead
			p.now = p.now.Add(time.Duration(p.rng.IntN(30*60)) * time.Minute)
		case n < 6:
			p.boot()
		case n < 9:
			p.now = p.now.Add(time.Duration(p.rng.IntN(120)) * time.Minute)
			p.together()
			continue
		default:
			p.now = p.now.Add(time.Duration(1+p.rng.IntN(90)) * time.Minute).Truncate(time.Minute)
		}
		p.look()
	}
	for running := true; running; { // what was handed over is found done
		p.now = p.now.Add(11 * time.Minute)
		p.look()
		open, err := p.OpenAfter("", 1000)
		p.must(err)
		running = slices.ContainsFunc(open, func(o keepwatch.Occurrence) bool { return o.Kind == keepwatch.RuleCommand })
	}
}

// check compares what is kept, and what was posted and carried out, with what was to
// be.
func (p *trial) check() {
	p.t.Helper()
	made := map[string]bool{}
	first := map[string]int{}
	for key, n := range p.posted {
		place, id, _ := strings.Cut(key, " ")
		most := 1
		if place == "slack:D" {
			most = 3
		}
		if n > most {
			p.t.Errorf("%s was posted %d times in %s", id, n, place)
		}
		first[id] += n
	}
	for id := range p.slots {
		all, err := p.Occurrences(id, 0)
		p.must(err)
		for _, o := range all {
			busy := len(o.Log) > 0 && strings.HasPrefix(o.Log[0].What, "not started: ") // the one before runs
			// Killed before it was carried out, and not back before the next one was due.
			overtaken := len(o.Log) > 1 && strings.HasPrefix(o.Log[1].What, "Keepwatch ended before")
			if o.State == keepwatch.OccurrenceMissed && !busy && !overtaken {
				continue
			}
			made[id+" "+o.At.Format(time.RFC3339)] = true
			switch {
			case busy:
				p.busy++
			case overtaken:
				p.overtaken++
				if n := p.keys[remind.DeliveryKey(o.ID, 1)]; n > 0 {
					p.t.Errorf("%s was carried out all the same", o.ID)
				}
			case o.Kind == keepwatch.RuleCommand:
				if p.keys[remind.DeliveryKey(o.ID, 1)] == 0 || o.State != keepwatch.OccurrenceDone || o.Tries != 1 {
					p.t.Errorf("%s was carried out %d times and is %s", o.ID, p.keys[remind.DeliveryKey(o.ID, 1)], o.State)
				}
			case first[o.ID] == 0:
				p.t.Errorf("%s was never posted: %+v", o.ID, o)
			case first[o.ID] != o.Posted+o.Step:
				p.t.Errorf("%s was posted %d times, and says %d and %d", o.ID, first[o.ID], o.Posted, o.Step)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.want)) {
		if !made[key] {
			p.t.Errorf("%s is lost", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(made)) {
		if !p.want[key] {
			p.t.Errorf("%s is not to be", key)
		}
	}
}

// TestExactlyOnceOnDisk is the same, for a while, over the store that is on disk.
func TestExactlyOnceOnDisk(t *testing.T) {
	p := newTrial(t, onDisk(t), 99)
	p.live(4 * 24 * time.Hour)
	p.check()
}

func onDisk(t testing.TB) store.Store {
	t.Helper()
	kept, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	return kept
}
