package cpanel_test

import (
	"errors"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/cpanel/cpaneltest"
)

// TestTwoSourcesOfOneAccount: one backs up all of it at night, another one a database
// every hour. Their calls take turns all the same.
func TestTwoSourcesOfOneAccount(t *testing.T) {
	l := newLab(t, cpaneltest.Config{}) // which fails the test where calls overlap
	l.host.Fault(cpaneltest.Fault{On: "call", Times: -1, Slow: 20 * time.Millisecond})
	other := *l.hosting
	other.Email = "alis@ruthin.example"
	ends := make(chan error, 2)
	for _, source := range []keepwatch.Source{l.job.Source, {Name: "ruthin-db", Kind: keepwatch.KindCPanel, Hosting: &other, Parts: []string{"databases"}}} {
		go func() {
			_, err := l.p.Inspect(t.Context(), source)
			ends <- err
		}()
	}
	if err := errors.Join(<-ends, <-ends); err != nil {
		t.Error(err)
	}
}
