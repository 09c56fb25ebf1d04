package storetest

import (
	"fmt"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

func audits(t *testing.T, w world) {
	// one a minute from noon: Alis and Bo in turn, every third about mail
	for i := range 30 {
		e := keepwatch.AuditEntry{ID: fmt.Sprint(i), At: noon.Add(time.Duration(i) * time.Minute), Person: []string{"Alis", "Bo"}[i%2], Source: "notes", Outcome: keepwatch.OutcomeStarted}
		if i%3 == 0 {
			e.Source = "mail"
		}
		if err := w.BeginAudit(e); err != nil {
			t.Fatal(err)
		}
		if i == 29 {
			break // cut off
		}
		e.Outcome, e.Duration = keepwatch.OutcomeDone, time.Second
		if err := w.EndAudit(e); err != nil {
			t.Fatal(err)
		}
	}
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	for _, c := range []struct {
		filter keepwatch.AuditFilter
		want   []string
	}{
		{keepwatch.AuditFilter{Limit: 3}, []string{"29", "28", "27"}},
		{keepwatch.AuditFilter{Person: "Alis", Limit: 2}, []string{"28", "26"}},
		{keepwatch.AuditFilter{Source: "mail", Since: at(20)}, []string{"27", "24", "21"}},
		{keepwatch.AuditFilter{Source: "mail", Person: "Bo", Until: at(15)}, []string{"15", "9", "3"}},
		{keepwatch.AuditFilter{Since: at(3), Until: at(5)}, []string{"5", "4", "3"}},
		{keepwatch.AuditFilter{Since: at(3).In(time.FixedZone("", -5*3600)), Until: at(4)}, []string{"4", "3"}},
		{keepwatch.AuditFilter{Since: at(100)}, nil},
		{keepwatch.AuditFilter{Until: noon.Add(-1)}, nil},
		{keepwatch.AuditFilter{Person: "Nobody"}, nil},
	} {
		list, err := w.Audits(c.filter)
		var got []string
		for _, e := range list {
			got = append(got, e.ID)
		}
		if err != nil {
			t.Error(err)
		}
		same(t, fmt.Sprintf("%+v", c.filter), got, c.want)
	}
	newest := must[[]keepwatch.AuditEntry](t)(w.Audits(keepwatch.AuditFilter{Limit: 2}))
	if newest[0].Outcome != keepwatch.OutcomeStarted || newest[1].Outcome != keepwatch.OutcomeDone || newest[1].Duration != time.Second {
		t.Errorf("the lines are %+v", newest)
	}
	onlyTheTimeRange(t, w, at)
}

// onlyTheTimeRange counts what a look-up reads.
func onlyTheTimeRange(t *testing.T, w world, at func(int) time.Time) {
	for _, c := range []struct {
		filter keepwatch.AuditFilter
		most   int
	}{
		{keepwatch.AuditFilter{Limit: 3}, 3},
		{keepwatch.AuditFilter{Person: "Nobody", Since: at(10), Until: at(14)}, 5},
		{keepwatch.AuditFilter{Source: "mail", Since: at(27)}, 3},
	} {
		counted := &counting{Store: w.Store}
		if _, err := store.NewRecords(counted, time.Now).Audits(c.filter); err != nil {
			t.Error(err)
		}
		if counted.read == 0 || counted.read > c.most {
			t.Errorf("%+v read %d lines, want at most %d", c.filter, counted.read, c.most)
		}
	}
}

// counting counts the records that scans hand out.
type counting struct {
	store.Store
	read int
}

func (c *counting) View(fn func(store.Reader) error) error {
	return c.Store.View(func(r store.Reader) error { return fn(countingReader{r, c}) })
}

type countingReader struct {
	store.Reader
	c *counting
}

func (r countingReader) Scan(in store.Range, fn func(string, []byte) error) error {
	return r.Reader.Scan(in, func(key string, value []byte) error { r.c.read++; return fn(key, value) })
}
