package remind_test

import (
	"fmt"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/engine/when"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// fill saves daily rules that come due at 09:00, spread over some channels.
func (w *world) fill(rules, channels int, cron string) {
	w.t.Helper()
	w.kept.twice = false
	for from := 0; from < rules; from += 500 {
		_, err := w.kept.Change(func(c remind.Change) error {
			for i := from; i < min(from+500, rules); i++ {
				r := keepwatch.Rule{ID: fmt.Sprint(i + 1), Kind: keepwatch.RuleText, Text: "look at it", Channel: fmt.Sprint("slack:", i%channels), When: keepwatch.When{Cron: cron, Zone: "Europe/London"},
					Next: at("2026-11-26 09:00"), NextWall: "2026-11-26T09:00"}
				if err := c.PutRule(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// BenchmarkThousandDue is a tick at which 1,000 rules are due.
func BenchmarkThousandDue(b *testing.B) {
	for name, open := range map[string]func() store.Store{"mem": func() store.Store { return mem.New() }, "bolt": func() store.Store { return onDisk(b) }} {
		for _, channels := range []int{50, 1000} {
			b.Run(fmt.Sprintf("%s/%d channels", name, channels), func(b *testing.B) {
				var spent time.Duration
				for b.Loop() {
					b.StopTimer()
					w := newWorldOn(b, open(), when.New(), at("2026-11-26 08:00"))
					w.fill(1000, channels, "0 9 * * *")
					w.now = at("2026-11-26 09:00")
					b.StartTimer()
					begin := time.Now()
					w.tick()
					spent += time.Since(begin)
				}
				b.ReportMetric(1000*float64(b.N)/spent.Seconds(), "enqueued/s")
			})
		}
	}
}

// BenchmarkNothingDue is a look at which nothing is due, however many rules there are.
func BenchmarkNothingDue(b *testing.B) {
	for _, rules := range []int{100, 10000} {
		b.Run(fmt.Sprintf("%d rules", rules), func(b *testing.B) {
			w := newWorldOn(b, onDisk(b), when.New(), at("2026-11-26 08:00"))
			w.fill(rules, 50, "0 9 * * *")
			for b.Loop() {
				w.tick()
				if _, _, err := w.kept.NextDue(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
