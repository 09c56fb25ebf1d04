package cpanel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
	"keepwatch/providers/providertest"
)

// lab is a hosting account on a fake host over real TLS, and a run that backs it up.
type lab struct {
	t       *testing.T
	host    *cpaneltest.Host
	account *cpaneltest.Account
	hosting *keepwatch.Hosting
	p       *cpanel.Provider
	job     providers.Job
	inside  []keepwatch.Inside
	report  []keepwatch.Progress
	two     bool // programs are about the account
}

const quick = 10 * time.Millisecond

// ticking is a server's clock that goes on by a second at each look, so that no two
// backups have one name.
func ticking() func() time.Time {
	var looks atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(looks.Add(1)) * time.Second) }
}

// newLab makes one with two databases, forwarders and filters.
func newLab(t *testing.T, cfg cpaneltest.Config) *lab {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = ticking()
	}
	h := cpaneltest.New(t, cfg)
	a := h.AddAccount("ruthin")
	a.AddDomain("shop.ruthin.example")
	a.AddFile("public_html/wp-config.php", []byte("<?php // secret"))
	for _, name := range []string{"ruthin_wp", "ruthin_shop"} {
		var b bytes.Buffer
		if err := cpaneltest.MysqlDump(&b, name, 200, cpaneltest.DumpOpts{}); err != nil {
			t.Fatal(err)
		}
		a.AddDatabase(name, b.String())
	}
	a.AddForwarder("ruthin.example", "info@ruthin.example", "alis@ruthin.example")
	a.AddFilter("ruthin.example", "if $header_subject: contains spam then finish endif")
	l := &lab{t: t, host: h, account: a}
	l.hosting = &keepwatch.Hosting{URL: h.URL(), User: "ruthin", Token: keepwatch.NewSecret(a.Token()), Fingerprint: h.Fingerprint(), Stall: 2 * time.Second}
	l.p = cpanel.New(cpanel.Config{Every: quick})
	l.job = l.run(7)
	t.Cleanup(func() {
		for _, v := range h.Violations() {
			t.Error(v)
		}
		if n := h.Overlaps(); n > 0 && !l.two {
			t.Errorf("%d calls of one account at once", n)
		}
	})
	return l
}

// run is the job of one run, which keeps what the provider keeps.
func (l *lab) run(id int64) providers.Job {
	l.job = providers.Job{
		Source: keepwatch.Source{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: l.hosting}, Run: id, Began: time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC),
		Report: func(p keepwatch.Progress) { l.report = append(l.report, p) },
		Found:  func(i keepwatch.Inside) { l.inside = append(l.inside, i) },
		Keep:   func(b json.RawMessage) error { l.job.Remote = bytes.Clone(b); return nil },
	}
	return l.job
}

// full makes a full backup step by step, as a run does.
func (l *lab) full(sink providers.Sink) error {
	l.t.Helper()
	if _, err := l.p.Plan(l.t.Context(), l.job); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if err := l.p.Request(l.t.Context(), l.job); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if err := l.p.Wait(l.t.Context(), l.job); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	if err := l.p.Fetch(l.t.Context(), l.job, sink); err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	return nil
}

// release ends a run.
func (l *lab) release() []keepwatch.Note {
	l.t.Helper()
	notes, err := l.p.Release(l.t.Context(), l.job)
	if err != nil {
		l.t.Fatal(err)
	}
	return notes
}

func (l *lab) asked(function string) int { return len(l.host.CallsTo(function)) }

// hostsOfAllManners are hosts in all their manners.
func hostsOfAllManners() map[string]cpaneltest.Config {
	return map[string]cpaneltest.Config{
		"136":               {Version: "11.136.0.4"},
		"136 wrapped":       {Version: "11.136.0.4", Wrapped: true},
		"136 loose":         {Version: "11.136.0.4", Loose: true},
		"110":               {Version: "11.110.0.30"},
		"110 wrapped loose": {Version: "11.110.0.30", Wrapped: true, Loose: true},
	}
}

func TestContract(t *testing.T) {
	for name, cfg := range hostsOfAllManners() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, cfg)
			missing := *l.hosting
			missing.User = "nobody"
			providertest.Run(t, providertest.Case{
				Provider: l.p, Source: l.job.Source,
				Missing: keepwatch.Source{Name: "missing", Kind: keepwatch.KindCPanel, Hosting: &missing},
				Parts:   []string{"home", "databases", "database:ruthin_wp", "forwarders", "filters"},
			})
		})
	}
}

func TestFull(t *testing.T) {
	for name, cfg := range hostsOfAllManners() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, cfg)
			l.hosting.Remove = true
			var s providertest.Sink
			if err := l.full(&s); err != nil {
				t.Fatal(err)
			}
			held := l.account.HomeBackups()
			if len(held) != 1 || len(s.Singles) != 1 || s.Singles[0] != held[0] || len(s.Broken) > 0 {
				t.Fatalf("held %q, fetched %q %q", held, s.Singles, s.Broken)
			}
			want, _ := l.account.File(held[0])
			if s.Contents[held[0]] != string(want) {
				t.Error("what came is not what is there")
			}
			in := l.inside[0]
			if len(in.Databases) != 2 || len(in.Domains) != 2 || in.Files == 0 || in.Name != held[0] || !in.Made.IsZero() {
				t.Errorf("%+v", in)
			}
			if notes := l.release(); len(notes) != 0 || len(l.account.HomeBackups()) != 0 {
				t.Errorf("%v, and %q stay", notes, l.account.HomeBackups())
			}
			if notes := l.release(); len(notes) != 0 {
				t.Errorf("a second time: %v", notes)
			}
			if n := l.asked("Backup::fullbackup_to_homedir"); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestHeldIsBroughtHome(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	var b bytes.Buffer
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	if err := cpaneltest.WriteArchive(&b, cpaneltest.ArchiveSpec{User: "ruthin", Files: map[string][]byte{"a": []byte("b")}}, at); err != nil {
		t.Fatal(err)
	}
	name := cpaneltest.BackupName("ruthin", at)
	l.account.AddFile(name, b.Bytes())
	l.account.AddManagedBackup(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	l.job.Held = name
	if l.p.Prepares(l.job) {
		t.Error("the host is to make it")
	}
	plan, err := l.p.Plan(t.Context(), l.job)
	if err != nil || plan.Bytes != int64(b.Len()) || plan.Items != 1 {
		t.Errorf("%+v %v", plan, err)
	}
	var s providertest.Sink
	l.job.Last = &keepwatch.Archive{Stamp: "later", Started: at.AddDate(0, 0, 3), Inside: &keepwatch.Inside{Databases: []string{"ruthin_new"}}}
	if err := l.p.Fetch(t.Context(), l.job, &s); err != nil || s.Contents[name] != b.String() || l.inside[0].Name != name || l.inside[0].Made.IsZero() || l.inside[0].Account != "ruthin at 127.0.0.1" {
		t.Errorf("%v %+v", err, l.inside)
	}
	for _, n := range s.Notes {
		if strings.Contains(n.Text, "ruthin_new") {
			t.Errorf("what came later is missed: %s", n.Text)
		}
	}
	if len(l.account.HomeBackups()) != 1 || l.asked("Backup::fullbackup_to_homedir") != 0 {
		t.Error("it was removed, or another one made")
	}
	for held, want := range map[string]string{
		"2026-11-24":                             "only its administrator gets at",
		"backup-1.1.2026_00-00-00_ruthin.tar.gz": "What is there: " + name,
		"../../etc/passwd":                       "What is there: " + name,
	} {
		l.job.Held = held
		if _, err := l.p.Plan(t.Context(), l.job); !strings.Contains(keepwatch.Sentence(err), want) {
			t.Errorf("%s: %v", held, err)
		}
	}
}

// TestByWHM: an account whose host is asked with a token of WHM.
func TestByWHM(t *testing.T) {
	for name, cfg := range hostsOfAllManners() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, cfg)
			l.hosting.URL, l.hosting.WHM, l.hosting.Token = l.host.WHMURL(), "root", keepwatch.NewSecret(l.host.WHMToken("root"))
			l.hosting.Remove = true
			l.account.AddManagedBackup(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
			state, err := l.p.Inspect(t.Context(), l.job.Source)
			if err != nil || len(state.Backups) != 1 || state.Backups[0].ID != "2026-11-24" || state.Backups[0].Stays {
				t.Errorf("%+v %v", state, err)
			}
			var s providertest.Sink
			if err := l.full(&s); err != nil {
				t.Fatal(err)
			}
			if notes := l.release(); len(notes) != 0 || len(l.account.HomeBackups()) != 0 {
				t.Errorf("%v, %q", notes, l.account.HomeBackups())
			}
			l.run(8)
			l.job.Parts = []string{"databases", "home"}
			if err := l.p.Fetch(t.Context(), l.job, &providertest.Sink{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLookOverTLS: what is seen of a host, and what a check says of it.
func TestLookOverTLS(t *testing.T) {
	for name, cfg := range hostsOfAllManners() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, cfg)
			end := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
			l.hosting.Token, l.hosting.TokenName = keepwatch.NewSecret(l.account.NewToken("kw", end)), "kw"
			l.account.SetQuota(200<<20, 1<<30)
			l.account.SetCertificate("ruthin.example", end)
			l.account.AddManagedBackup(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
			if err := l.full(&providertest.Sink{}); err != nil {
				t.Fatal(err)
			}
			state, err := l.p.Inspect(t.Context(), l.job.Source)
			if err != nil {
				t.Fatal(err)
			}
			if len(state.Backups) != 2 || state.Quota == nil || state.Quota.Limit != 1<<30 || len(state.Lacks) != 0 || !strings.HasPrefix(state.Software, "cPanel 11.1") {
				t.Errorf("%+v", state)
			}
			ends := map[string]time.Time{}
			for _, e := range state.Expiring {
				ends[e.Name] = e.At
			}
			if !ends["API token kw"].Equal(end) || len(ends) < 2 {
				t.Errorf("%v", ends)
			}
			for _, p := range l.p.Probes(t.Context(), l.job.Source) {
				if p.Status != keepwatch.ProbeGood {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

// again.
// asked for nothing more.
// record.
