package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

// bookSize is how much is kept while times are measured: rules, and what came due of
// each before.
func bookSize() (rules, each int) {
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		return 100_000, 10
	}
	return 10_000, 10
}

// BenchmarkDuties measures what a bot with very many rules and a long past pays: for
// its start, for a tick with nothing due, for one with a thousand due, and for what
// it saves. The state is made once for all of them; KEEPWATCH_SOAK makes it that of
// 100,000 rules and 1,000,000 past occurrences.
func BenchmarkDuties(b *testing.B) {
	rules, each := bookSize()
	path := filepath.Join(b.TempDir(), "state.db")
	begun := time.Now()
	fillBook(b, path, rules, each)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rules and %d past occurrences: %s, made in %v", rules, rules*each, keepwatch.FormatBytes(info.Size()), time.Since(begun).Round(time.Second))
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			s, err := bolt.Open(bolt.Config{Path: path})
			if err != nil {
				b.Fatal(err)
			}
			tick(b, store.NewRecords(s, time.Now), noon, 0)
			b.StopTimer()
			err = s.Close()
			b.StartTimer()
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check alone", func(b *testing.B) {
		for b.Loop() {
			if err := bolt.Check(path); err != nil {
				b.Fatal(err)
			}
		}
	})
	rec := store.NewRecords(open(b, path), time.Now)
	few := filepath.Join(b.TempDir(), "few.db")
	fillBook(b, few, 10, 10)
	for name, rec := range map[string]*store.Records{"of all": rec, "of 10 rules": store.NewRecords(open(b, few), time.Now)} {
		b.Run("tick/nothing due "+name, func(b *testing.B) {
			for b.Loop() {
				tick(b, rec, noon, 0)
			}
		})
	}
	b.Run("tick/1000 due", func(b *testing.B) {
		for b.Loop() {
			tick(b, rec, noon.AddDate(100, 0, 0), 1000)
		}
	})
	b.Run("all rules", func(b *testing.B) {
		for b.Loop() {
			if list, err := rec.RulesAfter("", 0); err != nil || len(list) != rules {
				b.Fatal(len(list), err)
			}
		}
	})
	b.Run("a month's occurrences", func(b *testing.B) {
		for b.Loop() {
			if list, err := rec.OccurrencesSince(noon.AddDate(0, -1, 0), 1000); err != nil || len(list) == 0 {
				b.Fatal(len(list), err)
			}
		}
	})
	b.Run("tidy with nothing old", func(b *testing.B) {
		for b.Loop() {
			if err := rec.Tidy(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, sides := range []int{1, 64} {
		b.Run(fmt.Sprint("put/", sides, " at once"), func(b *testing.B) { putAtOnce(b, rec, sides, 1) })
	}
	b.Run("put/100 a change", func(b *testing.B) { putAtOnce(b, rec, 1, 100) })
}

// noon is now: all that came due is past, and nothing is due.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// fillBook makes a state with rules that come due from tomorrow on, and with what
// came due of each, a day apart.
func fillBook(b *testing.B, path string, rules, each int) {
	s := open(b, path)
	rec := store.NewRecords(s, time.Now)
	const batch = 2000 // rules in one transaction
	for from := 0; from < rules; from += batch {
		_, err := rec.Change(func(c *store.Change) error {
			for i := from; i < min(from+batch, rules); i++ {
				id, err := c.NewRuleID()
				if err != nil {
					return err
				}
				rule := keepwatch.Rule{ID: id, Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *", Zone: "Europe/London"}, Channel: "slack:C0OPS",
					Text: "Look at the tapes, and say here that you did.", By: "Alis", Made: noon, Next: noon.Add(24*time.Hour + time.Duration(i)*time.Second)}
				if err := c.PutRule(rule); err != nil {
					return err
				}
				for n := range each {
					if err := c.PutOccurrence(pastOne(id, noon.AddDate(0, 0, -n-1).Add(time.Duration(i)*time.Millisecond))); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// pastOne makes an occurrence as somebody has answered it.
func pastOne(rule string, at time.Time) keepwatch.Occurrence {
	wall := at.Format(keepwatch.WallLayout)
	return keepwatch.Occurrence{ID: keepwatch.OccurrenceID(rule, wall), Rule: rule, Kind: keepwatch.RuleText, At: at, Wall: wall, State: keepwatch.OccurrenceAcknowledged,
		Channel: "slack:C0OPS", Text: "Look at the tapes, and say here that you did.", Posted: 1, Places: []string{"slack:C0OPS"}, Log: []keepwatch.Happening{{At: at.Add(time.Hour), By: "Alis", What: "done"}}}
}

// tick looks for what is due, as the bot does at least every 30 seconds.
func tick(b *testing.B, rec *store.Records, now time.Time, want int) {
	due, err := rec.Due(now, 1000)
	if err != nil || len(due) != want {
		b.Fatalf("%d are due, %v", len(due), err)
	}
	if next, found, err := rec.NextDue(); err != nil || !found || next.IsZero() {
		b.Fatalf("next is %v, %v, %v", next, found, err)
	}
}

// putAtOnce saves new occurrences from several sides, some in each change.
func putAtOnce(b *testing.B, rec *store.Records, sides, some int) {
	const changes = 512
	var next atomic.Int64
	for b.Loop() {
		var all sync.WaitGroup
		end := next.Load() + changes
		for range sides {
			all.Go(func() {
				for n := next.Add(1); n <= end; n = next.Add(1) {
					if err := putSome(rec, fmt.Sprintf("put:%d-%d", sides, n), some); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(float64(b.N*changes*some)/b.Elapsed().Seconds(), "occurrences/s")
}

// putSome saves new occurrences in one change.
func putSome(rec *store.Records, name string, some int) error {
	_, err := rec.Change(func(c *store.Change) error {
		for i := range some {
			o := pastOne(fmt.Sprintf("%s-%d", name, i), noon)
			o.State, o.Wake = keepwatch.OccurrencePosted, noon.AddDate(1, 0, 0)
			if err := c.PutOccurrence(o); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
