package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph/entra"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// toldBy is a directory that says what a test has it say.
type toldBy struct {
	credentials []entra.Credential
	methods     []keepwatch.SignInMethod
	organised   entra.Organisation
	errs        map[string]error // by what is asked
	asked       atomic.Int32
}

func (d *toldBy) Credentials(context.Context) ([]entra.Credential, []entra.Lack, error) {
	return d.credentials, nil, d.errs["credentials"]
}

func (d *toldBy) Administrators(context.Context) (entra.Administrators, []entra.Lack, error) {
	return entra.Administrators{}, []entra.Lack{{What: "Who", Why: "it is not granted"}}, d.errs["administrators"]
}

func (d *toldBy) Organisation(context.Context) (entra.Organisation, []entra.Lack, error) {
	return d.organised, nil, d.errs["organisation"]
}

func (d *toldBy) SignIns(_ context.Context, people []string, before keepwatch.SignIns) (keepwatch.SignIns, []entra.Lack, error) {
	d.asked.Add(1)
	if err := d.errs["sign-ins"]; err != nil {
		return before, nil, err
	}
	return keepwatch.SignIns{Version: 1, People: map[string]keepwatch.SignInsSeen{people[0]: {Methods: d.methods}}}, nil, nil
}

// watchedTenant is a tenant, and who was asked about what.
type watchedTenant struct {
	*tenant
	told  *toldBy
	at    time.Time
	asked []string
}

func newWatchedTenant() *watchedTenant {
	w := &watchedTenant{told: &toldBy{errs: map[string]error{}}, at: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.at }
	w.told.organised = entra.Organisation{Tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47", Read: true, Initial: "contoso.onmicrosoft.com", Domains: []string{"contoso.example"}, Mails: []string{"it@rescue.example"}}
	w.told.methods = []keepwatch.SignInMethod{{ID: "1", Kind: keepwatch.SignInAuthenticator, Device: "iPhone 13"}}
	w.told.credentials = []entra.Credential{{Expiring: keepwatch.Expiring{Name: "secret nightly", At: w.at.AddDate(0, 0, 20), How: "Make a new one."}, ID: "s", App: "a"}}
	w.tenant = &tenant{
		id: "one", directory: w.told, records: store.NewRecords(mem.New(), now), now: now, log: slog.New(slog.DiscardHandler), crash: func(string) {},
		people: []keepwatch.Person{{Name: "Alis", Microsoft: "alis@contoso.example", Devices: []keepwatch.Device{{Name: "Alis iPhone", Platform: "ios"}}}, {Name: "Bram"}},
		ask:    func(subject string, _ time.Time) error { w.asked = append(w.asked, subject); return nil },
	}
	return w
}

// newPhone is what Entra says from now on.
func (w *watchedTenant) newPhone() {
	w.at = w.at.Add(24 * time.Hour)
	w.told.methods = []keepwatch.SignInMethod{{ID: "2", Kind: keepwatch.SignInAuthenticator, Device: "iPhone 17"}}
}

func (w *watchedTenant) keys(t *testing.T) (keys []string) {
	t.Helper()
	facts, err := w.facts(nil, w.at, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		keys = append(keys, f.Key)
	}
	return keys
}

// TestTenantLook: what was seen is there without Entra, what cannot be asked stays as it
// was, and what was seen of another tenant does not count.
func TestTenantLook(t *testing.T) {
	w := newWatchedTenant()
	if keys := w.keys(t); keys != nil {
		t.Errorf("before any look there is %v", keys)
	}
	if err := w.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	expiring := []string{"entra-expiry/a/s"}
	if keys := w.keys(t); !slices.Equal(keys, expiring) || w.asked != nil {
		t.Errorf("%v, asked %v", keys, w.asked)
	}
	first := w.at
	away := errors.New("away")
	w.told.errs = map[string]error{"credentials": away, "administrators": away, "sign-ins": away}
	w.newPhone()
	if err := w.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if known, err := w.learned(); err != nil || known["tenant-domain"].Value != "contoso.onmicrosoft.com" || !known["tenant-domain"].At.Equal(first) {
		t.Errorf("%+v %v", known, err)
	}
	if keys := w.keys(t); !slices.Equal(keys, expiring) || w.asked != nil {
		t.Errorf("%v, asked %v", keys, w.asked)
	}
	w.told.errs, w.told.credentials = nil, nil // the secret was replaced
	for range 2 {
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if keys := w.keys(t); !slices.Equal(keys, []string{"sign-in/alis"}) || !slices.Equal(w.asked, []string{"device/alis-iphone"}) {
		t.Errorf("%v, asked %v", keys, w.asked)
	}
	w.id = "two"
	if known, err := w.learned(); err != nil || len(known) != 0 || w.keys(t) != nil {
		t.Errorf("%+v %v", known, err)
	}
	w.newPhone()
	if err := w.look(t.Context()); err != nil || w.keys(t) != nil || len(w.asked) != 1 {
		t.Errorf("%v %v %v", err, w.keys(t), w.asked)
	}
}

// TestTenantKilled: wherever the process ends, the person is asked at the next look, and
// the question is the same one.
func TestTenantKilled(t *testing.T) {
	for _, point := range []string{"tenant.saved", "tenant.asked"} {
		w := newWatchedTenant()
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		var since []time.Time
		w.ask = func(_ string, at time.Time) error { since = append(since, at); return nil }
		w.newPhone()
		changed := w.at
		w.crash = func(p string) {
			if p == point {
				panic(p)
			}
		}
		func() {
			defer func() { _ = recover() }()
			_ = w.look(t.Context())
			t.Errorf("%s was not passed", point)
		}()
		w.crash = func(string) {}
		w.at = w.at.Add(time.Hour)
		for range 2 {
			if err := w.look(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]int{"tenant.saved": 1, "tenant.asked": 2}[point] // AskAgain passes over the second
		if len(since) != want || slices.ContainsFunc(since, func(at time.Time) bool { return !at.Equal(changed) }) {
			t.Errorf("%s: asked since %v", point, since)
		}
	}
}

// TestTenantStopped: a look that a shutdown cuts off leaves everything as it was.
func TestTenantStopped(t *testing.T) {
	w := newWatchedTenant()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.look(ctx); err != nil {
		t.Fatal(err)
	}
	if kept, err := w.records.Tenant(); err != nil || !kept.Looked.IsZero() {
		t.Errorf("%+v %v", kept, err)
	}
	var nobody *tenant
	nobody.run(ctx, func() { t.Error("Microsoft 365 is not configured") })
}

// TestTenantEveryDay: it looks at once, and then once a day; another start within an hour
// waits, and asks people at once whom the one before has not asked.
func TestTenantEveryDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatchedTenant()
		w.now = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		var told atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(ctx, func() { told.Add(1) })
		}()
		synctest.Wait()
		if w.told.asked.Load() != 1 || told.Load() != 1 {
			t.Errorf("asked %d times at the start, told %d times", w.told.asked.Load(), told.Load())
		}
		time.Sleep(3*24*time.Hour + time.Minute)
		synctest.Wait()
		if w.told.asked.Load() != 4 || told.Load() != 4 {
			t.Errorf("asked %d times in three days, told %d times", w.told.asked.Load(), told.Load())
		}
		cancel()
		<-done
		if _, err := w.records.ChangeTenant(func(kept *keepwatch.Tenant) {
			kept.Changed = []keepwatch.SignInNews{{Person: "Alis", At: time.Now(), Ask: []string{"device/alis-iphone"}}}
		}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		done = make(chan struct{})
		go func() {
			defer close(done)
			w.run(ctx, func() {})
		}()
		synctest.Wait()
		if w.told.asked.Load() != 4 || len(w.asked) != 1 {
			t.Errorf("Entra was asked %d times, people %v", w.told.asked.Load(), w.asked)
		}
		time.Sleep(restTenant)
		synctest.Wait()
		if w.told.asked.Load() != 5 || len(w.asked) != 1 {
			t.Errorf("after an hour Entra was asked %d times, people %v", w.told.asked.Load(), w.asked)
		}
		cancel()
		<-done
	})
}
