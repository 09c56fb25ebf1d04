package authenticator_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/engine/when"
	"keepwatch/handlers"
	"keepwatch/providers/authenticator"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/store/mem"
)

// What cmd/bot joins fits.
var (
	_ authenticator.Records  = (*store.Records)(nil)
	_ handlers.Authenticator = (*authenticator.Keeper)(nil)
	_ handlers.Dossier       = (*authenticator.Keeper)(nil)
)

// records joins the store and the scheduler as cmd/bot does.
type records struct{ *store.Records }

func (r records) Change(fn func(remind.Change) error) ([]string, error) {
	return r.Records.Change(func(c *store.Change) error { return fn(c) })
}

// office is a Keeper with a real store and scheduler, and a clock that the test sets.
type office struct {
	t      *testing.T
	kept   *store.Records
	sched  *remind.Scheduler
	keeper *authenticator.Keeper
	now    time.Time
	ids    int
}

func open(t *testing.T, s store.Store) *office {
	t.Helper()
	o := &office{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return o.now }
	o.kept = store.NewRecords(s, clock)
	var err error
	o.keeper, err = authenticator.New(authenticator.Config{
		People:  []keepwatch.Person{{Name: "Alis", Role: keepwatch.RoleAdmin, Devices: []keepwatch.Device{{Name: "Alis iPhone", Platform: "ios", Account: "none", GlobalAdmin: true}}}},
		KeyFile: "data/age-identity.txt", Records: o.kept, Now: clock, Direct: func(keepwatch.Person) string { return "slack:@U1" },
		Settle: func(ask, by, what string, next time.Time) error { return o.sched.Settle(ask, by, what, next) },
	})
	if err != nil {
		t.Fatal(err)
	}
	o.sched, err = remind.New(remind.Config{
		Records: records{o.kept}, Clock: when.New(), Now: clock,
		Show: func(occ keepwatch.Occurrence, _ keepwatch.Rule) keepwatch.Message { // within the transaction, as handlers' is
			devices, err := o.keeper.Devices()
			return keepwatch.Message{Title: fmt.Sprint(occ.Text, " ", devices, err)}
		},
		ShowDigest: func(keepwatch.Digest, []keepwatch.Occurrence) keepwatch.Message { return keepwatch.Message{} },
		ShowMissed: func(keepwatch.Rule, []keepwatch.Occurrence) keepwatch.Message { return keepwatch.Message{} },
		NewID:      func() string { o.ids++; return fmt.Sprintf("%020d", o.ids) },
	})
	if err != nil {
		t.Fatal(err)
	}
	o.start()
	return o
}

// start is what the program does when it starts.
func (o *office) start() {
	o.t.Helper()
	rules, err := o.keeper.Rules()
	if err == nil {
		err = o.sched.Sync(rules)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// later lets time pass, and looks once what is due.
func (o *office) later(d time.Duration) {
	o.t.Helper()
	o.now = o.now.Add(d)
	wakes, err := o.kept.Due(o.now, 100)
	if err == nil {
		err = o.sched.Tick(o.t.Context(), wakes)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) attest(id string, state keepwatch.Attested, seen time.Time) {
	o.t.Helper()
	if _, err := o.keeper.Attest(keepwatch.Attestation{ID: id, Subject: "device/alis-iphone", By: "Alis", Said: o.now, State: state, Seen: seen}, false); err != nil {
		o.t.Fatal(err)
	}
}

// asked gives what is open, by its subject.
func (o *office) asked() []string {
	o.t.Helper()
	list, err := o.sched.OpenAfter("", 0)
	if err != nil {
		o.t.Fatal(err)
	}
	var subjects []string
	for _, occ := range list {
		subjects = append(subjects, occ.Ask)
	}
	slices.Sort(subjects)
	return subjects
}

// TestJoined goes through two months of a phone with the store and the scheduler that
// the program has: asked at once, settled by an answer, asked again when that is due,
// and the day after "off".
func TestJoined(t *testing.T) {
	file, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}()
	for name, s := range map[string]store.Store{"mem": mem.New(), "bolt": file} {
		t.Run(name, func(t *testing.T) {
			o := open(t, s)
			expect := func(when string, want ...string) {
				t.Helper()
				if got := o.asked(); !slices.Equal(got, want) {
					t.Fatalf("%s: %v is asked, want %v", when, got, want)
				}
			}
			o.later(0)
			expect("at once", "device/alis-iphone")
			o.later(15 * time.Minute)
			expect("on the first day", "custody/vault-key", "device/alis-iphone")
			o.now = o.now.Add(time.Hour)
			for range 2 { // the second time carried out again
				o.attest("req1", keepwatch.AttestedOn, o.now.AddDate(0, 0, -4))
			}
			expect("after the answer", "custody/vault-key")
			if _, err := o.keeper.Record(keepwatch.Attestation{ID: "req2", Subject: "custody/vault-key", By: "Alis", Said: o.now, State: keepwatch.AttestedRecorded, Where: "in the safe"}); err != nil {
				t.Fatal(err)
			}
			expect("after both")
			if words, err := o.kept.Attestations("device/alis-iphone", 0); err != nil || len(words) != 1 {
				t.Errorf("%+v, %v", words, err)
			}
			o.start() // again: the rules say the same
			o.later(30*24*time.Hour - time.Second)
			expect("a second before it is due")
			o.later(time.Second)
			expect("when it is due", "device/alis-iphone")
			o.attest("req3", keepwatch.AttestedOff, time.Time{})
			expect("after off")
			o.later(24 * time.Hour)
			expect("the day after off", "device/alis-iphone")
			if _, err := o.keeper.SetDossier("phone", "+44 1824 700000", "Alis"); err != nil {
				t.Fatal(err)
			}
			if d, err := o.keeper.Dossier(); err != nil || d.Fields["phone"].By != "Alis" {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}
