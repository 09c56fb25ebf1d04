package bolt_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

// BenchmarkDeliveries takes and finishes requests as the desk does, from several
// sides at once; each is on disk when it is taken and again when it is answered.
func BenchmarkDeliveries(b *testing.B) {
	for _, sides := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(sides), func(b *testing.B) {
			rec := store.NewRecords(open(b, filepath.Join(b.TempDir(), "state.db")), time.Now)
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range sides {
				all.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						if err := deliver(rec, fmt.Sprint("id", n)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// deliver takes one request and finishes it with one answer.
func deliver(rec *store.Records, id string) error {
	now := time.Now()
	req := keepwatch.Request{ID: id, Text: "/backup status", At: now, Channel: "slack:C0OPS", Account: keepwatch.Account{Platform: "slack", ID: "U1", Name: "Alis"}}
	entry := keepwatch.AuditEntry{ID: id, At: now, Person: "Alis", Account: req.Account, Channel: req.Channel, Text: req.Text, Outcome: keepwatch.OutcomeStarted}
	d := keepwatch.Delivery{Key: id, Request: req, Reply: keepwatch.Reply{Token: "https://hooks.example/1", Until: now.Add(time.Hour), Private: true}}
	if _, err := rec.TakeDelivery(d, entry); err != nil {
		return err
	}
	entry.Outcome = keepwatch.OutcomeDone
	answer := keepwatch.Outgoing{ID: id, Lane: "re:" + id, Channel: req.Channel, Reply: &d.Reply, Message: keepwatch.Message{Title: "Nothing is running"}, Made: now}
	_, err := rec.FinishDelivery(d, entry, []keepwatch.Outgoing{answer})
	return err
}
