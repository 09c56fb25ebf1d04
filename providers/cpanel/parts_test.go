package cpanel_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/cpanel/cpaneltest"
	"keepwatch/providers/providertest"
)

func TestParts(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  []string
		notes string
	}{
		{parts: []string{"home"}, want: []string{"home/backup-ruthin.example-11-26-2026.tar.gz"}},
		{parts: []string{"databases"}, want: []string{"databases/ruthin_shop.sql.gz", "databases/ruthin_wp.sql.gz"}},
		{parts: []string{"database:ruthin_wp"}, want: []string{"databases/ruthin_wp.sql.gz"}},
		{parts: []string{"forwarders"}, want: []string{"forwarders/aliases-ruthin.example.gz", "forwarders/aliases-shop.ruthin.example.gz"}},
		{parts: []string{"filters"}, want: []string{"filters/filter-ruthin.example.gz", "filters/filter-shop.ruthin.example.gz"}},
		{parts: []string{"home", "databases", "database:ruthin_wp", "forwarders", "filters"}, want: []string{
			"databases/ruthin_shop.sql.gz", "databases/ruthin_wp.sql.gz", "filters/filter-ruthin.example.gz", "filters/filter-shop.ruthin.example.gz",
			"forwarders/aliases-ruthin.example.gz", "forwarders/aliases-shop.ruthin.example.gz", "home/backup-ruthin.example-11-26-2026.tar.gz",
		}},
	} {
		t.Run(strings.Join(c.parts, " "), func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{})
			l.job.Parts = c.parts
			if l.p.Prepares(l.job) {
				t.Error("the host is to make it first")
			}
			var s providertest.Sink
			if err := l.p.Fetch(t.Context(), l.job, &s); err != nil {
				t.Fatal(err)
			}
			slices.Sort(s.Singles)
			if d := cmp.Diff(c.want, s.Singles); d != "" {
				t.Error(d)
			}
			for path, content := range s.Contents {
				if !strings.HasPrefix(content, "\x1f\x8b") {
					t.Errorf("%s begins with %.10q", path, content)
				}
			}
			if len(l.inside) != 1 || len(s.Broken) > 0 {
				t.Errorf("%+v %q", l.inside, s.Broken)
			}
			if last := l.report[len(l.report)-1]; last.Items != int64(len(c.want)) || last.Bytes == 0 {
				t.Errorf("%+v", last)
			}
		})
	}
}

// TestPartsGoWrong: what was asked for by name must be there, whole.
func TestPartsGoWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []string
		fault cpaneltest.Fault
		host  func(l *lab)
		want  string
		kind  keepwatch.Kind
	}{
		{name: "an error in the dump after the 200", parts: []string{"databases"}, fault: cpaneltest.Fault{On: "/getsqlbackup", DatabaseError: "mysqldump: Got error: 2013: Lost connection to MySQL server during query", Skip: 1}, want: "ruthin_wp", kind: keepwatch.KindAttention},
		{name: "in the compressed stream", parts: []string{"database:ruthin_wp"}, fault: cpaneltest.Fault{On: "/getsqlbackup", DatabaseError: "Error dumping database", Raw: true}, want: "ruthin_wp", kind: keepwatch.KindAttention},
		{name: "one is not given out", parts: []string{"home", "databases"}, fault: cpaneltest.Fault{On: "/getsqlbackup", Status: 404}, want: "does not give out the database ruthin_shop", kind: keepwatch.KindAttention},
		{name: "the host fails", parts: []string{"databases"}, fault: cpaneltest.Fault{On: "/getsqlbackup", Status: 500}, want: "500", kind: keepwatch.KindTransient},
		{name: "it is cut", parts: []string{"home"}, fault: cpaneltest.Fault{On: "/getbackup", Cut: 100}, kind: keepwatch.KindTransient},
		{name: "downloads are closed", parts: []string{"home"}, host: func(l *lab) { l.host.TokenDownloads(false) }, want: "push:", kind: keepwatch.KindAttention},
		{name: "the feature is off", parts: []string{"home"}, host: func(l *lab) { l.account.SetFeature("backup", false) }, want: "turned the feature Backup off", kind: keepwatch.KindAttention},
		{name: "the token is revoked", parts: []string{"home"}, host: func(l *lab) { l.account.RevokeTokens() }, want: "token", kind: keepwatch.KindAttention},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{})
			if c.host != nil {
				c.host(l)
			} else {
				l.host.Fault(c.fault)
			}
			l.job.Parts = c.parts
			err := l.p.Fetch(t.Context(), l.job, &providertest.Sink{})
			if keepwatch.KindOf(err) != c.kind || !strings.Contains(keepwatch.Sentence(err), c.want) || len(l.inside) > 0 {
				t.Errorf("%v (%v)", err, keepwatch.KindOf(err))
			}
		})
	}
}

func TestPush(t *testing.T) {
	for _, way := range []string{"ftp", "scp", "key"} {
		t.Run(way, func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{})
			dir := t.TempDir()
			receiver := l.host.Receiver("receiver.example", dir)
			receiver.User, receiver.Password = "drop", "pass"
			l.hosting.Push = &keepwatch.Push{Way: "ftp", Host: "receiver.example", User: "drop", Password: keepwatch.NewSecret("pass"), Directory: "in", Folder: filepath.Join(dir, "in")}
			switch way {
			case "scp":
				l.hosting.Push.Way = "scp"
			case "key":
				l.hosting.Push.Way, l.hosting.Push.Key, l.hosting.Push.Passphrase = "scp", "k1", keepwatch.NewSecret("phrase")
			}
			if _, err := l.p.Plan(t.Context(), l.job); err != nil {
				t.Fatal(err)
			}
			if err := l.p.Request(t.Context(), l.job); keepwatch.KindOf(err) != keepwatch.KindAttention {
				t.Errorf("without the folder: %v", err)
			}
			if err := os.Mkdir(l.hosting.Push.Folder, 0o755); err != nil {
				t.Fatal(err)
			}
			old := filepath.Join(l.hosting.Push.Folder, "backup-11.1.2026_00-00-00_ruthin.tar.gz")
			if err := os.WriteFile(old, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			var s providertest.Sink
			if err := l.full(&s); err != nil {
				t.Fatal(err)
			}
			held := l.account.HomeBackups()
			if len(s.Singles) != 1 || len(held) != 0 || len(l.inside[0].Databases) != 2 {
				t.Errorf("%q %q %+v", s.Singles, held, l.inside)
			}
			if b, err := os.ReadFile(filepath.Join(l.hosting.Push.Folder, s.Singles[0])); err != nil || string(b) != s.Contents[s.Singles[0]] {
				t.Errorf("what came is not what arrived: %v", err)
			}
			if notes := l.release(); len(notes) != 1 || !strings.Contains(notes[0].Text, "Keepwatch removes nothing there") {
				t.Errorf("%v", notes)
			}
		})
	}
}

func TestPushGoesWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault cpaneltest.Fault
		host  string
		want  string
	}{
		{name: "the receiver is not known", host: "nobody.example", want: "nothing has arrived in"},
		{name: "it stalls", host: "receiver.example", fault: cpaneltest.Fault{On: "Backup::fullbackup_to_ftp", StallAt: 1000}, want: "ends in the middle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, cpaneltest.Config{})
			dir := t.TempDir()
			l.host.Receiver("receiver.example", dir)
			if c.fault.On != "" {
				l.host.Fault(c.fault)
			}
			l.hosting.Stall = 400 * time.Millisecond
			l.hosting.Push = &keepwatch.Push{Way: "ftp", Host: c.host, User: "drop", Password: keepwatch.NewSecret("pass"), Folder: dir}
			err := l.full(&providertest.Sink{})
			if keepwatch.KindOf(err) == keepwatch.KindTransient { // it is waited for once more
				err = l.p.Fetch(t.Context(), l.job, &providertest.Sink{})
			}
			if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), c.want) {
				t.Error(err)
			}
			if strings.Contains(keepwatch.Sentence(err), "pass") && !strings.Contains(keepwatch.Sentence(err), "password") {
				t.Error("a secret is in the sentence")
			}
		})
	}
}

// TestPushedLink: a link in place of what arrived is not followed.
func TestPushedLink(t *testing.T) {
	l := newLab(t, cpaneltest.Config{})
	dir := t.TempDir()
	l.host.Receiver("receiver.example", dir)
	l.hosting.Push = &keepwatch.Push{Way: "ftp", Host: "receiver.example", User: "drop", Password: keepwatch.NewSecret("pass"), Folder: dir}
	if err := l.p.Request(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	if err := l.p.Wait(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "backup-*"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if err := os.Rename(found[0], filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", found[0]); err != nil {
		t.Fatal(err)
	}
	if err := l.p.Fetch(t.Context(), l.job, &providertest.Sink{}); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(err.Error(), "no ordinary file") {
		t.Error(err)
	}
}
