package cpanel_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
	"keepwatch/providers/providertest"
)

// TestDamages: each is told, and nothing is kept.
func TestDamages(t *testing.T) {
	var whole bytes.Buffer
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Domains: []string{"ruthin.example"}, Files: map[string][]byte{"public_html/index.html": []byte("hello"), "mail/inbox": bytes.Repeat([]byte("mail"), 5000)}, Databases: map[string]string{"ruthin_shop": cpaneltest.Statements(100), "ruthin_wp": cpaneltest.Statements(300)}}
	at := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	if err := cpaneltest.WriteArchive(&whole, spec, at); err != nil {
		t.Fatal(err)
	}
	name := cpaneltest.BackupName("ruthin", at)
	texts := map[string]string{}
	for _, kind := range append(cpaneltest.Damages(), "") {
		t.Run(kind, func(t *testing.T) {
			content := whole.Bytes()
			if kind != "" {
				content = cpaneltest.Damage(kind, content)
			}
			l := newLab(t, cpaneltest.Config{})
			l.job.Held = name
			l.account.AddFile(name, content)
			found := len(l.inside)
			var s providertest.Sink
			err := l.p.Fetch(t.Context(), l.job, &s)
			notes := fmt.Sprint(s.Notes)
			switch kind {
			case "":
				if err != nil || len(l.inside) != found+1 {
					t.Errorf("a whole one: %v", err)
				}
			case cpaneltest.NoDatabase: // nobody knows what there was then
				if err != nil || len(l.inside[found].Databases) != 1 {
					t.Errorf("%v %+v", err, l.inside)
				}
			default:
				if err == nil && len(s.Notes) == 0 {
					t.Error("nothing is said")
				}
				if err != nil && (keepwatch.KindOf(err) != keepwatch.KindAttention || len(l.inside) != found) {
					t.Errorf("%v", err)
				}
				text := keepwatch.Sentence(err) + notes
				if other, twice := texts[text]; twice && kind != cpaneltest.WrongCRC { // which is what a flipped bit comes to
					t.Errorf("it is said of %s too: %s", other, text)
				}
				texts[text] = kind
			}
		})
	}
}

// TestTroubleOfTheHost: what goes wrong while the host makes it.
func TestTroubleOfTheHost(t *testing.T) {
	for _, version := range []string{"11.136.0.4", "11.110.0.30"} {
		for _, c := range []struct {
			name  string
			fault cpaneltest.Fault
			want  []string // one of them is in the sentence
		}{
			{"never", cpaneltest.Fault{Never: true}, []string{"no file has appeared"}},
			{"stall", cpaneltest.Fault{StallAt: 2000}, []string{"has not grown for", "ends in the middle", "cut"}},
			{"vanish", cpaneltest.Fault{VanishAt: 2000}, []string{"has vanished", "no file has appeared"}},
			{"full", cpaneltest.Fault{FullAt: 2000}, []string{"quota or the disk was full", "was filled while"}},
			{"timeout", cpaneltest.Fault{Timeout: 2000}, []string{"counts it as dead", "has not grown for", "ends in the middle"}},
		} {
			t.Run(version+" "+c.name, func(t *testing.T) {
				t.Parallel()
				l := newLab(t, cpaneltest.Config{Version: version})
				l.account.SetQuota(1<<20, 100<<20)
				l.hosting.Stall = 600 * time.Millisecond
				c.fault.On = "Backup::fullbackup_to_homedir"
				l.host.Fault(c.fault)
				err := l.full(&providertest.Sink{})
				text := keepwatch.Sentence(err)
				ok := false
				for _, w := range c.want {
					ok = ok || strings.Contains(text, w)
				}
				if !ok || keepwatch.KindOf(err) != keepwatch.KindAttention || len(l.inside) > 0 {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func TestCutsOnTheWay(t *testing.T) {
	for name, fault := range map[string]cpaneltest.Fault{
		"with ranges":    {On: "/download", Cut: 3000, Times: 5},
		"without ranges": {On: "/download", Cut: 9000, Times: 3, NoRange: true},
		"wrong ranges":   {On: "/download", Cut: 3000, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{})
			l.account.AddFile("large.bin", bytes.Repeat([]byte("0123456789abcdef"), 1000))
			l.host.Fault(fault)
			if name == "wrong ranges" {
				l.host.Fault(cpaneltest.Fault{On: "/download", WrongRange: true, Times: 2})
			}
			var s providertest.Sink
			if err := l.full(&s); err != nil {
				t.Fatal(err)
			}
			held := l.account.HomeBackups()
			if want, _ := l.account.File(held[0]); s.Contents[held[0]] != string(want) {
				t.Error("what came is not what is there")
			}
		})
	}
}

func TestAnswerOfTheRequestIsLost(t *testing.T) {
	for name, fault := range map[string]cpaneltest.Fault{"done": {Lose: true}, "not done": {Drop: true}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{})
			fault.On = "Backup::fullbackup_to_homedir"
			l.host.Fault(fault)
			err := l.p.Request(t.Context(), l.job)
			for range 3 {
				if keepwatch.KindOf(err) == keepwatch.KindTransient {
					err = l.p.Request(t.Context(), l.job)
				}
			}
			if err := errors.Join(err, l.p.Wait(t.Context(), l.job), l.p.Fetch(t.Context(), l.job, &providertest.Sink{})); err != nil {
				t.Fatal(err)
			}
			if n := len(l.account.HomeBackups()); n != 1 {
				t.Errorf("%d backups were made", n)
			}
		})
	}
}

// TestHostIsUpgradedBetween: what an old host began is waited for as a new one has it.
func TestHostIsUpgradedBetween(t *testing.T) {
	l := newLab(t, cpaneltest.Config{Version: "11.110.0.30"})
	if err := l.p.Request(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	l.host.Upgrade("11.136.0.4")
	if err := errors.Join(l.p.Wait(t.Context(), l.job), l.p.Fetch(t.Context(), l.job, &providertest.Sink{})); err != nil {
		t.Fatal(err)
	}
	if l.asked("BackupInfo::list") == 0 {
		t.Error("the new way was not taken")
	}
}

func TestTwoBotsOnOneAccount(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	l.hosting.Remove, l.two = true, true
	other := &lab{t: t, host: l.host, account: l.account, hosting: l.hosting, p: cpanel.New(cpanel.Config{Every: quick})}
	other.run(9)
	ends := make(chan error, 2)
	for _, x := range []*lab{l, other} {
		go func() {
			var s providertest.Sink
			err := x.full(&s)
			for range 5 { // as the engine does it
				if keepwatch.KindOf(err) == keepwatch.KindTransient {
					s = providertest.Sink{}
					err = x.p.Fetch(t.Context(), x.job, &s)
				}
			}
			if err == nil {
				_, err = x.p.Release(t.Context(), x.job)
			}
			ends <- err
		}()
	}
	if err := errors.Join(<-ends, <-ends); err != nil {
		t.Fatal(err)
	}
	if len(l.inside) != 1 || len(other.inside) != 1 {
		t.Errorf("%+v %+v", l.inside, other.inside)
	}
}

// failing is a sink whose disk is full after some bytes.
type failing struct{ providertest.Sink }

var errDisk = errors.New("disk full")

func (f *failing) Single(_ keepwatch.Entry, content io.Reader) error {
	if _, err := io.CopyN(io.Discard, content, 100); err != nil {
		return err
	}
	return errDisk
}

func TestSinkFailsInTheMiddle(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	if err := l.full(&failing{}); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

// TestTokenIsRefused: the host is asked once, since it locks out who asks again and
func TestTokenIsRefused(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	l.account.RevokeTokens()
	for range 5 {
		if _, err := l.p.Plan(t.Context(), l.job); keepwatch.KindOf(err) != keepwatch.KindAttention || strings.Contains(err.Error(), l.hosting.Token.Reveal()) {
			t.Error(err)
		}
	}
	probes := l.p.Probes(t.Context(), l.job.Source)
	if last := probes[len(probes)-1]; last.Status != keepwatch.ProbeBad {
		t.Errorf("%+v", probes)
	}
	if n := l.host.Refused(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestFetchIsKilled: done again from its beginning, it gives the same, and the host is
func TestFetchIsKilled(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	if err := l.full(&failing{}); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	l.p = cpanel.New(cpanel.Config{Every: quick}) // another program
	var s providertest.Sink
	if err := errors.Join(l.p.Request(t.Context(), l.job), l.p.Wait(t.Context(), l.job), l.p.Fetch(t.Context(), l.job, &s)); err != nil {
		t.Fatal(err)
	}
	if n := l.asked("Backup::fullbackup_to_homedir"); n != 1 || len(s.Singles) != 1 {
		t.Errorf("asked %d times, fetched %q", n, s.Singles)
	}
}

// TestLessThanBefore: what the archive before had and this one has not is named in the
func TestLessThanBefore(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	l.job.Last = &keepwatch.Archive{Stamp: "2026-11-25T030000Z", Inside: &keepwatch.Inside{Databases: []string{"ruthin_old", "ruthin_wp"}}}
	var s providertest.Sink
	if err := l.full(&s); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(s.Notes); !strings.Contains(text, "ruthin_old") || strings.Contains(text, "ruthin_wp") {
		t.Error(text)
	}
}

// TestSuspended: the account itself gets a page in place of every answer; WHM says why.
func TestSuspended(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	l.account.Suspend(true)
	if _, err := l.p.Plan(t.Context(), l.job); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "speaks of an account that is suspended") {
		t.Error(err)
	}
	l.hosting.URL, l.hosting.WHM, l.hosting.Token = l.host.WHMURL(), "root", keepwatch.NewSecret(l.host.WHMToken("root"))
	if _, err := l.p.Plan(t.Context(), l.job); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "is suspended at its host") {
		t.Error(err)
	}
}

// TestSecondBackupOfADay: a host that names backups by the day writes the second of a
// day over the first.
func TestSecondBackupOfADay(t *testing.T) {
	more := make([]byte, 64<<10)
	_, _ = rand.Read(more) // crypto/rand never fails
	for _, version := range []string{"11.136.0.4", "11.110.0.30"} {
		t.Run(version, func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{Version: version, OddNames: true})
			var first, second providertest.Sink
			if err := l.full(&first); err != nil {
				t.Fatal(err)
			}
			l.account.AddFile("public_html/new.bin", more)
			l.job = l.run(8)
			if err := l.full(&second); err != nil {
				t.Fatal(err)
			}
			if l.asked("Backup::fullbackup_to_homedir") != 2 || len(l.account.HomeBackups()) != 1 || second.Entries[0].Size < first.Entries[0].Size+60<<10 {
				t.Errorf("%d asked, %q, %+v then %+v", l.asked("Backup::fullbackup_to_homedir"), l.account.HomeBackups(), first.Entries, second.Entries)
			}
		})
	}
}
