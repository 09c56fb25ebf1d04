package warn

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keepwatch"
)

// thousand are facts that hold all at once.
func thousand(time.Time) (facts []keepwatch.Fact) {
	for i := range 1000 {
		facts = append(facts, keepwatch.Fact{Key: fmt.Sprintf("rotation/source-%d", i), Kind: keepwatch.FactMissed, Title: fmt.Sprintf("source-%d needs somebody", i), Text: "It was missed.", Tone: keepwatch.ToneWarn})
	}
	return facts
}

// BenchmarkThousandFacts is a review of 1,000 facts: when all are new, when they are as
// they were, and when all are over.
func BenchmarkThousandFacts(b *testing.B) {
	spent := map[string]time.Duration{}
	steps := []struct {
		name  string
		facts func(time.Time) []keepwatch.Fact
	}{{"new", thousand}, {"as-before", thousand}, {"over", func(time.Time) []keepwatch.Fact { return nil }}}
	for b.Loop() {
		w := newWorld(b, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
		for _, step := range steps {
			w.facts = step.facts
			begun := time.Now()
			if err := w.keeper.Review(context.Background()); err != nil {
				b.Fatal(err)
			}
			spent[step.name] += time.Since(begun)
		}
	}
	for _, step := range steps {
		b.ReportMetric(float64(spent[step.name].Milliseconds())/float64(b.N), "ms-"+step.name)
	}
}
