package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/engine/when"
	"keepwatch/handlers"
	"keepwatch/store"
)

// duePoints are where the program is killed in turn while things are due; "" is a
// random instant.
func duePoints() []string {
	return []string{"remind.before", "", "remind.saved", "remind.sent", "", "remind.carry", "remind.carried", "warn.computed", "warn.saved", "", "desk.taken", "desk.finished"}
}

// dueRule is a rule of the test, in a form that one counts by hand: it comes due at
// minutes of each hour by the wall of a zone, or once, or each so many minutes.
type dueRule struct {
	name    string // in its text: "r007."
	id      string
	zone    string
	minutes []int
	once    time.Time
	every   time.Duration
	source  string // of a schedule: no text is posted, a run is started
}

// dueRules are 60: 56 texts over all channels but the first, in zones that stand
// apart by less than an hour too, and 4 schedules.
func dueRules(start time.Time) []dueRule {
	zones := []string{"Europe/London", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"}
	var rules []dueRule
	for i := range 60 {
		r := dueRule{name: fmt.Sprintf("r%03d.", i), zone: zones[i%len(zones)], minutes: []int{i % 30, i%30 + 30}}
		switch {
		case i < 4:
			r.source, r.zone, r.minutes = fmt.Sprintf("src%d", i), "Europe/London", []int{5 + i, 35 + i}
			r.id = "schedule:" + r.source
		case i%10 == 4:
			r.once, r.minutes = start.Add(time.Duration(i)*time.Minute), nil
		case i%10 == 7:
			r.every, r.minutes = time.Duration(25+i)*time.Minute, nil
		}
		rules = append(rules, r)
	}
	return rules
}

func (r dueRule) cron() string {
	var minutes []string
	for _, m := range r.minutes {
		minutes = append(minutes, strconv.Itoa(m))
	}
	return strings.Join(minutes, ",") + " * * * *"
}

// walls counts by hand when the rule comes due, in (from, to]: minute by minute, what
// the wall shows, and each of it once though a clock that is put back shows it twice.
func (r dueRule) walls(t *testing.T, from, to time.Time) map[string]bool {
	walls := map[string]bool{}
	switch {
	case !r.once.IsZero():
		if !r.once.After(to) {
			walls[r.once.UTC().Format(keepwatch.WallLayout)] = true
		}
		return walls
	case r.every > 0:
		for at := from.Add(r.every); !at.After(to); at = at.Add(r.every) {
			walls[at.UTC().Format(keepwatch.WallLayout)] = true
		}
		return walls
	}
	zone, err := time.LoadLocation(r.zone)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{} // before the rule was made too
	for at := from.Truncate(time.Minute).Add(-3 * time.Hour); !at.After(to); at = at.Add(time.Minute) {
		wall := at.In(zone).Format(keepwatch.WallLayout)
		if at.After(from) && !shown[wall] && slices.Contains(r.minutes, at.In(zone).Minute()) {
			walls[wall] = true
		}
		shown[wall] = true
	}
	return walls
}

// TestRemindersKilledAtRandom kills the program again and again while reminders and
// schedules come due, and starts it with its clock moved on, or a little back: what
// came due is what one counts by hand, each of it was posted once or, where a later
// one came before the program got to it, is kept as missed; and each backup that came
// due was made by one run. The night is one in which clocks are put back.
func TestRemindersKilledAtRandom(t *testing.T) {
	kills := 12
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		kills = 200
	}
	for name, open := range map[string]func(*testing.T) inbox{"slack": slackInbox, "discord": discordInbox} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDueBench(t, open(t))
			for done := range kills {
				if d.at = d.at.Add(time.Duration(120+rand.IntN(600)) * time.Second); done%5 == 4 {
					d.at = d.at.Add(-time.Duration(600+rand.IntN(240)) * time.Second) // set back
				}
				if point := duePoints()[done%len(duePoints())]; point != "" {
					d.session(fmt.Sprintf("KEEPWATCH_TEST_CRASH=%s#%d", point, 1+rand.IntN(4)), 1200*time.Millisecond)
				} else {
					d.session("KEEPWATCH_TEST_CRASH=", time.Duration(50+rand.IntN(500))*time.Millisecond)
				}
			}
			d.settle()
			d.check(kills)
		})
	}
}

// dueBench is a bench whose program has a clock of its own.
type dueBench struct {
	bench
	in    inbox
	rules []dueRule
	start time.Time
	at    time.Time // what the program's clock shows at its next start
	high  time.Time // the latest that it has shown
}

// newDueBench makes the rules. The program's clock is behind the platforms' all the
// time, so that what they know of times is later than what it asks for.
func newDueBench(t *testing.T, in inbox) *dueBench {
	d := &dueBench{bench: newBench(t, 1, 10), in: in}
	year := time.Now().Add(-72 * time.Hour)
	night := time.Date(year.Year(), time.October, 31, 0, 30, 30, 0, time.UTC)
	night = night.AddDate(0, 0, -int(night.Weekday())) // the last Sunday; London's clock goes back at 01:00 UTC
	if night.After(year) {
		night = time.Date(year.Year()-1, time.October, 31, 0, 30, 30, 0, time.UTC)
		night = night.AddDate(0, 0, -int(night.Weekday()))
	}
	d.start, d.at, d.high = night, night, night
	d.rules = dueRules(night)
	var config bytes.Buffer
	fmt.Fprintf(&config, "timezone: Europe/London\nchannels:\n  default: %q\n", in.channels[0])
	fmt.Fprintf(&config, "credentials:\n  - {name: certificate, expires: %s}\nsources:\n", night.AddDate(0, 0, 5).Format(time.DateOnly)) // something to be warned of
	for i, r := range d.rules {
		if r.source == "" {
			continue
		}
		if err := makeFiles(filepath.Join(d.root, r.source), 2, 100, uint64(i)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&config, "  - {name: %s, kind: files, path: %s, schedule: %q}\n", r.source, r.source, r.cron())
	}
	if err := os.WriteFile(filepath.Join(d.root, "keepwatch.yaml"), config.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for made := false; !made; { // the schedules, and the platform learns of the program
		d.session("KEEPWATCH_TEST_CRASH=", 0)
		d.withRecords(func(rec *store.Records) error {
			_, err := rec.Rule("schedule:src3")
			made = err == nil
			return nil
		})
	}
	d.at = d.start
	d.withRecords(d.addRules)
	return d
}

// addRules makes the rules of texts, as a command does.
func (d *dueBench) addRules(rec *store.Records) error {
	s, err := remind.New(remind.Config{
		Records: bookOf{rec}, Clock: when.New(), NewID: handlers.NewID, Now: func() time.Time { return d.start },
		Show:       func(keepwatch.Occurrence, keepwatch.Rule) keepwatch.Message { return keepwatch.Message{} },
		ShowDigest: func(keepwatch.Digest, []keepwatch.Occurrence) keepwatch.Message { return keepwatch.Message{} },
		ShowMissed: func(keepwatch.Rule, []keepwatch.Occurrence) keepwatch.Message { return keepwatch.Message{} },
	})
	if err != nil {
		return err
	}
	for i := range d.rules {
		r := &d.rules[i]
		if r.source != "" {
			continue
		}
		rule := keepwatch.Rule{Kind: keepwatch.RuleText, Text: r.name + " Look at the backups", By: "Alis", Channel: d.in.channels[1+i%(len(d.in.channels)-1)]}
		switch {
		case !r.once.IsZero():
			rule.When = keepwatch.When{At: r.once, Zone: "UTC"}
		case r.every > 0:
			rule.When = keepwatch.When{Every: r.every, Zone: "UTC"}
		default:
			rule.When = keepwatch.When{Cron: r.cron(), Zone: r.zone}
		}
		if rule, err = s.AddRule(rule); err != nil {
			return err
		}
		r.id = rule.ID
	}
	return nil
}

// session runs the program by its clock until it is killed, at a point or after a
// while; 0: once the platform knows it.
func (d *dueBench) session(crash string, after time.Duration) {
	d.t.Helper()
	began := time.Now()
	over := func() bool { return time.Since(began) > after }
	if after == 0 {
		over = func() bool { return time.Since(began) > 500*time.Millisecond && d.in.ready() }
	}
	in := d.in
	in.env = append(slices.Clone(in.env), "KEEPWATCH_TEST_NOW="+d.at.Format(time.RFC3339Nano))
	d.killed(in, 20*time.Second, over, crash)
	d.carriedOut(in) // before the clock is moved
	d.moved(time.Since(began))
}

func (d *dueBench) moved(by time.Duration) {
	if d.at = d.at.Add(by); d.at.After(d.high) {
		d.high = d.at
	}
}

// settle runs the program on behind the stretch, a minute later each time, until
// nothing is left to be done, and stops it in order each time. Its clock is never set
// back here: what is warned of only from some second of the minute on would be over
// again and again, and each time that is told.
func (d *dueBench) settle() {
	d.t.Helper()
	end := d.high.Truncate(time.Minute)
	for tries := 0; ; tries++ {
		end = end.Add(time.Minute)
		if tries == 0 {
			d.retryCutOff(end)
		}
		cmd := d.program([]string{"--data-dir", d.data(), "serve"}, append(slices.Clone(d.in.env), "KEEPWATCH_TEST_NOW="+end.Format(time.RFC3339))...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			d.t.Fatal(err)
		}
		d.quiet()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			d.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			d.t.Fatalf("the program did not stop in order: %v\n%s", err, out.String())
		}
		d.at, d.high = end, end
		left := d.left(end)
		if left == "" {
			return
		}
		if tries == 40 {
			d.t.Fatalf("it does not settle: %s\n%s", left, out.String())
		}
	}
}

// quiet waits until people see nothing new for a while, or for as long as it may be for
// nothing more to come due: what does so within a minute does at its half.
func (d *dueBench) quiet() {
	began := time.Now()
	last, since := d.in.posts(), began
	tick := time.NewTicker(100 * time.Millisecond) // another process posts
	defer tick.Stop()
	for time.Since(since) < 4*time.Second && time.Since(began) < 20*time.Second {
		<-tick.C
		if posts := d.in.posts(); !slices.Equal(posts, last) {
			last, since = posts, time.Now()
		}
	}
}

// retryCutOff takes up runs as a person does: a step that was cut off so often that it
// may be what stops the bot waits for somebody.
func (d *dueBench) retryCutOff(at time.Time) {
	d.t.Helper()
	for _, run := range d.look().runs {
		if run.State != keepwatch.RunAttention || run.Failure == nil || !strings.Contains(run.Failure.Message, "was cut off") {
			continue
		}
		line := fmt.Sprintf("/backup retry %d", run.ID)
		if out, err := d.command(line, append(slices.Clone(d.in.env), "KEEPWATCH_TEST_NOW="+at.Format(time.RFC3339))...).CombinedOutput(); err != nil {
			d.t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
}

// left says what is still to be done at a time.
func (d *dueBench) left(at time.Time) string {
	d.t.Helper()
	var left []string
	d.withRecords(func(rec *store.Records) error {
		lanes, err := rec.Lanes()
		for _, lane := range lanes {
			o, _, err := rec.NextMessage(lane)
			if err != nil {
				return err
			}
			left = append(left, fmt.Sprintf("%s has messages, first %q (run %d, about %q, an edit: %t, tried %v and last %v)", lane, o.Message.Title, o.Run, o.Topic, o.Edit, o.FirstTried, o.Tried))
		}
		if err != nil {
			return err
		}
		wakes, err := rec.Due(at, 10)
		if len(wakes) > 0 {
			left = append(left, fmt.Sprintf("due: %v", wakes))
		}
		if err != nil {
			return err
		}
		for _, r := range d.rules {
			all, err := rec.Occurrences(r.id, 5)
			if err != nil {
				return err
			}
			for _, o := range all {
				if o.State == keepwatch.OccurrenceRunning || o.State == keepwatch.OccurrenceDue {
					left = append(left, fmt.Sprintf("%s is %s: %+v", o.ID, o.State, o.Log))
				}
			}
		}
		return nil
	})
	return strings.Join(left, "; ")
}

// check holds what came due, what was posted and what was run against each other and
// against the count by hand.
func (d *dueBench) check(kills int) {
	d.t.Helper()
	posted, cards := map[string]int{}, map[string]int{}
	name, card := regexp.MustCompile(`\br\d{3}\.`), regexp.MustCompile(`Run (\d+): backup of`)
	for _, p := range d.in.posts() {
		for n := range maps.Keys(set(name.FindAllString(p.text, -1))) {
			posted[n]++
		}
		for n := range maps.Keys(set(card.FindAllString(p.text, 1))) {
			cards[n]++
		}
	}
	d.checkWarnings()
	total, missed := 0, 0
	d.withRecords(func(rec *store.Records) error {
		runs, err := rec.RecentRuns("", 0)
		if err != nil {
			return err
		}
		started := map[string][]keepwatch.Run{}
		for _, run := range runs {
			started[run.Due] = append(started[run.Due], run)
			if n := cards[fmt.Sprintf("Run %d: backup of", run.ID)]; n != 1 || run.State != keepwatch.RunDone {
				d.t.Errorf("run %d of %s is %s and has %d cards", run.ID, run.Due, run.State, n)
			}
		}
		for _, r := range d.rules {
			all, err := rec.Occurrences(r.id, 100_000)
			if err != nil {
				return err
			}
			total += len(all)
			missed += d.checkRule(r, all, posted[r.name], started)
		}
		return nil
	})
	if missed > total/8 {
		d.t.Errorf("%d of %d were missed", missed, total)
	}
	d.t.Logf("%d kills over %v: %d came due, %d of them missed", kills, d.high.Sub(d.start).Round(time.Minute), total, missed)
}

// checkWarnings sees that each notice of a warning is one message.
func (d *dueBench) checkWarnings() {
	d.t.Helper()
	id, posted := regexp.MustCompile(`Warning: (w\d+)\b`), map[string]int{}
	for _, p := range d.in.posts() {
		if m := id.FindStringSubmatch(p.text); m != nil {
			posted[m[1]]++
		}
	}
	d.withRecords(func(rec *store.Records) error {
		open, err := rec.OpenWarnings()
		if len(open) == 0 {
			d.t.Error("nothing was warned of")
		}
		for _, w := range open {
			if _, over := w.Over(); over {
				continue // its messages name it no longer
			}
			if len(w.Digests) == 0 && posted[w.ID] != w.Told {
				d.t.Errorf("people were told %d times of %s (%s), and there are %d messages", w.Told, w.ID, w.Fact.Title, posted[w.ID])
			}
		}
		return err
	})
}

// checkRule does so for one rule, and gives how many were missed.
func (d *dueBench) checkRule(r dueRule, all []keepwatch.Occurrence, posted int, started map[string][]keepwatch.Run) (missed int) {
	d.t.Helper()
	want := r.walls(d.t, d.start, d.high)
	shown := 0
	for _, o := range all {
		if !want[o.Wall] {
			d.t.Errorf("%s %v came due and should not have, or twice", r.name, o.ID)
		}
		delete(want, o.Wall)
		runs := len(started[o.ID])
		switch {
		case o.State == keepwatch.OccurrenceMissed:
			missed++
			if o.Posted > 0 || runs > 0 {
				d.t.Errorf("%s %s is kept as missed, and was posted or run", r.name, o.ID)
			}
		case r.source != "" && (runs != 1 || o.State != keepwatch.OccurrenceDone || o.Run != started[o.ID][0].ID):
			d.t.Errorf("%s %s has %d runs and is %s: %+v", r.name, o.ID, runs, o.State, o.Log)
		case r.source == "":
			if shown++; o.Posted != 1 {
				d.t.Errorf("%s %s was posted %d times: %+v", r.name, o.ID, o.Posted, o.Log)
			}
		}
	}
	if len(want) > 0 {
		d.t.Errorf("%s (%s, %v, every %v) did not come due at %v", r.name, r.zone, r.minutes, r.every, slices.Sorted(maps.Keys(want)))
	}
	if posted != shown {
		d.t.Errorf("%s was to be posted %d times, and there are %d messages", r.name, shown, posted)
	}
	return missed
}

func set(words []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range words {
		out[w] = true
	}
	return out
}
