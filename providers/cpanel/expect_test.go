package cpanel_test

import (
	"fmt"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/cpanel/cpaneltest"
	"keepwatch/providers/providertest"
)

// TestDatabaseIsRemovedMeanwhile: one that goes while the backup is made does not cost
// the rest of it; one that is there and was not packed does.
func TestDatabaseIsRemovedMeanwhile(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	l.account.AddDatabase("ruthin_test", cpaneltest.Statements(3))
	if err := l.p.Request(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	if err := l.p.Wait(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	held := l.account.HomeBackups()
	whole, _ := l.account.File(held[0])
	l.account.AddFile(held[0], cpaneltest.Damage(cpaneltest.NoDatabase, whole))
	err := l.p.Fetch(t.Context(), l.job, &providertest.Sink{})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "missing from the archive, although the host has") {
		t.Fatal(err)
	}
	var name string
	for _, db := range []string{"ruthin_test", "ruthin_wp", "ruthin_shop"} {
		if strings.Contains(keepwatch.Sentence(err), db) {
			name = db
		}
	}
	l.account.DropDatabase(name)
	var s providertest.Sink
	if err := l.p.Fetch(t.Context(), l.job, &s); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(s.Notes); !strings.Contains(text, "may be missing from it: "+name) {
		t.Error(text)
	}
}

// TestNoDatabaseAtAll: a host whose database server is down may name none; that excuses
// no archive without them.
func TestNoDatabaseAtAll(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	if err := l.p.Request(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	if err := l.p.Wait(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	held := l.account.HomeBackups()
	whole, _ := l.account.File(held[0])
	l.account.AddFile(held[0], cpaneltest.Damage(cpaneltest.NoDatabase, whole))
	for _, name := range l.account.Databases() {
		l.account.DropDatabase(name)
	}
	if err := l.p.Fetch(t.Context(), l.job, &providertest.Sink{}); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Error(err)
	}
}
