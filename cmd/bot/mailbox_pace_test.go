package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/download"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/box"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/providers/outlook/spool"
	"keepwatch/vault/mailbox"
)

// What Microsoft lets an application ask of a mailbox
// (learn.microsoft.com/graph/throttling-limits#outlook-service-limits).
const (
	paceCalls   = 10_000 // in paceWindow
	paceAtOnce  = 4
	paceWindow  = 10 * time.Minute
	paceLatency = 100 * time.Millisecond
	paceLeast   = 0.9 // of what is allowed is to be used
	paceOwner   = "alis@contoso.example"
)

// paced is a mailbox that answers within this process, in the time of a synctest bubble:
// each call takes paceLatency, and all that is reckoned here takes none. So the figures are
// of how the calls are ordered, and of no machine.
type paced struct {
	*graphtest.Tenant
	box    *graphtest.Mailbox
	client *graph.Client
	cfg    outlook.Config
}

func newPaced(tb testing.TB, n *graphtest.Tenant, dir string) *paced {
	tb.Helper()
	p := &paced{Tenant: n, box: n.AddUser(graphtest.User{UPN: paceOwner})}
	n.AddApp(tenantApp, tenantSecret, nil, append([]string{"Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite"}, readsAll...)...)
	var err error
	p.client, err = graph.New(graph.Config{
		Tenant: n.ID(), Client: tenantApp, Secret: keepwatch.NewSecret(tenantSecret),
		GraphURL: n.URL + "/v1.0", LoginURL: n.LoginURL, Transport: n.Transport(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	server, err := box.New(box.Config{Client: p.client})
	if err != nil {
		tb.Fatal(err)
	}
	p.cfg = outlook.Config{Server: server, Spools: spool.New(spool.Config{Dir: filepath.Join(dir, "download")}), Lister: mailbox.Lister{}, Now: time.Now, Zone: time.UTC}
	return p
}

// job is a run that reads all of the mailbox.
func (p *paced) job() providers.Job {
	return providers.Job{
		Run: 1, Source: keepwatch.Source{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: paceOwner, Formats: []string{"eml"}},
		Parts: []string{"mail", "contacts", "calendar"}, Began: time.Now(), Report: func(keepwatch.Progress) {},
		Keep: func(json.RawMessage) error { return nil },
	}
}

// download reads all of it.
func (p *paced) download(ctx context.Context) error {
	d, err := download.New(p.cfg)
	if err != nil {
		return err
	}
	return d.Download(ctx, p.job())
}

// use is what was made of the limits.
type use struct {
	calls   int
	took    time.Duration
	least   int // calls in any window between the first call and the last
	most    int // calls in any window
	refused int
}

// used looks at the calls that the mailbox got.
func (p *paced) used() (u use) {
	var times []time.Time
	for _, r := range p.Requests() {
		if r.User == "" {
			continue
		}
		times = append(times, r.Time)
		if r.Status == 429 {
			u.refused++
		}
	}
	u.calls, u.least = len(times), len(times)
	if len(times) == 0 {
		return u
	}
	u.took = times[len(times)-1].Sub(times[0]) + paceLatency
	end := 0
	for i, from := range times {
		for end < len(times) && times[end].Before(from.Add(paceWindow)) {
			end++
		}
		u.most = max(u.most, end-i)
		if end < len(times) {
			u.least = min(u.least, end-i)
		}
	}
	return u
}

// share is which part of what is allowed was used: of so many calls in a window, or, where
// all is over before that is full, of so many at once.
func (u use) share() float64 {
	if u.took > paceWindow {
		return float64(u.least) / paceCalls
	}
	return float64(u.calls) / (float64(paceAtOnce) * float64(u.took) / float64(paceLatency))
}

// check logs and judges it.
func (p *paced) check(tb testing.TB, items int) {
	tb.Helper()
	u := p.used()
	tb.Logf("%d items, %d calls (%.3f each) in %v: %d to %d in any 10 minutes, %.1f %% of what is allowed", items, u.calls, float64(u.calls)/float64(items), u.took.Round(time.Second), u.least, u.most, 100*u.share())
	if u.share() < paceLeast {
		tb.Errorf("less than %.0f %% of what is allowed is used", 100*paceLeast)
	}
	if u.refused > 0 || u.most > paceCalls || p.HighWater(paceOwner) > paceAtOnce || p.Early() > 0 {
		tb.Errorf("%d calls were refused, %d were at once", u.refused, p.HighWater(paceOwner))
	}
}

// paceShapes are mailboxes of different kinds.
var paceShapes = map[string]func(b *graphtest.Mailbox) int{
	"longer than the window": func(b *graphtest.Mailbox) int {
		for f := range 20 {
			b.Folder("inbox", fmt.Sprintf("Folder %d", f)).Messages(700, paceMail)
		}
		return 20 * 700
	},
	"one folder": func(b *graphtest.Mailbox) int { b.Folder("inbox").Messages(3000, paceMail); return 3000 },
	"many folders": func(b *graphtest.Mailbox) int {
		for f := range 500 {
			b.Folder("inbox", fmt.Sprintf("Folder %d", f)).Messages(4, paceMail)
		}
		return 500 * 4
	},
	"people and days": func(b *graphtest.Mailbox) int {
		for i := range 1500 {
			b.Contacts().Contact(graphtest.Contact{GivenName: "Bethan", Surname: fmt.Sprintf("Morris %d", i), Photo: []byte("\xff\xd8\xff\xe0 a photo \xff\xd9")})
			at := storyDay.Add(time.Duration(i) * time.Hour)
			b.Calendar("").Event(graphtest.Event{Subject: fmt.Sprintf("Meeting %d", i), Start: at, End: at.Add(time.Hour)})
		}
		return 3000
	},
}

// paceMail is a short mail.
func paceMail(i int) graphtest.Message {
	return graphtest.Message{Subject: fmt.Sprintf("Mail %d", i), From: storyFrom, Received: storyDay.Add(time.Duration(i) * time.Minute), Body: "A short text.\r\n"}
}

// TestMailboxPace: a backup uses at least nine tenths of what Microsoft allows, and never
// more than all of it.
func TestMailboxPace(t *testing.T) {
	for name, fill := range paceShapes {
		t.Run(name, func(t *testing.T) {
			n, dir := graphtest.New(t, graphtest.Options{Latency: paceLatency}), t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				p := newPaced(t, n, dir)
				items := fill(p.box)
				if err := p.download(t.Context()); err != nil {
					t.Fatal(err)
				}
				p.check(t, items)
			})
		})
	}
}
