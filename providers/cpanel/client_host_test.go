package cpanel_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

// variants are the manners that live hosts have.
func variants() map[string]cpaneltest.Config {
	return map[string]cpaneltest.Config{
		"flat":             {},
		"wrapped and old":  {Wrapped: true, Version: "11.110.0.30"},
		"loose":            {Loose: true},
		"loose and of old": {Loose: true, Wrapped: true, Version: "11.86.0.40"},
	}
}

const secretOTP = "JBSWY3DPEHPK3PXP"

// hosted is a host with an account in which there is something.
func hosted(t *testing.T, cfg cpaneltest.Config) (*cpaneltest.Host, *cpaneltest.Account, []byte) {
	t.Helper()
	h := cpaneltest.New(t, cfg)
	a := h.AddAccount("ruthin")
	a.AddDatabase("ruthin_wp", "CREATE TABLE t (a int);\n")
	archive := make([]byte, 300_000)
	for i := range archive {
		archive[i] = byte(rand.Uint32())
	}
	copy(archive, []byte{0x1f, 0x8b})
	a.AddFile("backup-1.2.2026_03-04-05_ruthin.tar.gz", archive)
	t.Cleanup(func() {
		for _, v := range h.Violations() {
			t.Error(v)
		}
	})
	return h, a, archive
}

// ways are the forms in which an account can be reached.
func ways(h *cpaneltest.Host, a *cpaneltest.Account) map[string]keepwatch.Hosting {
	base := keepwatch.Hosting{URL: h.URL(), User: "ruthin", Fingerprint: h.Fingerprint()}
	token, password, whm, authority := base, base, base, base
	token.Token = keepwatch.NewSecret(a.Token())
	password.Password = keepwatch.NewSecret("pw-ruthin")
	whm.URL, whm.WHM, whm.Token = h.WHMURL(), "root", keepwatch.NewSecret(h.WHMToken("root"))
	authority.Fingerprint, authority.CA, authority.Token = "", h.CAFile(), token.Token
	return map[string]keepwatch.Hosting{"token": token, "password": password, "WHM": whm, "own authority": authority}
}

// connect makes a client, in whose log no secret may be.
func connect(t *testing.T, account keepwatch.Hosting) cpanel.Client {
	t.Helper()
	var mu sync.Mutex
	var log bytes.Buffer
	c, err := cpanel.NewClient(account, slog.New(slog.NewTextHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, s := range []keepwatch.Secret{account.Token, account.Password, account.OTPSecret} {
			if !s.IsZero() && strings.Contains(log.String(), s.Reveal()) {
				t.Error("a secret is in the log")
			}
		}
	})
	return c
}

type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func briefly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func asking(name string) string {
	return "/download?skipencode=1&file=" + url.QueryEscape("/home/ruthin/"+name)
}

// TestClientOnAHost calls, downloads and uploads in each manner of a host, by each form
// of an account.
func TestClientOnAHost(t *testing.T) {
	for manner, cfg := range variants() {
		t.Run(manner, func(t *testing.T) {
			h, a, archive := hosted(t, cfg)
			for way, account := range ways(h, a) {
				t.Run(way, func(t *testing.T) { callAll(t, connect(t, account), account, archive, cfg.Version) })
			}
			if n := h.Overlaps(); n > 0 {
				t.Errorf("%d calls of one account at a time", n)
			}
			if got := a.Database("ruthin_wp"); !strings.Contains(got, "put back") {
				t.Errorf("the database is %q", got)
			}
		})
	}
}

func callAll(t *testing.T, c cpanel.Client, account keepwatch.Hosting, archive []byte, version string) {
	t.Helper()
	ctx := briefly(t)
	major, err := c.Major(ctx)
	if want := map[string]int{"": 136, "11.110.0.30": 110, "11.86.0.40": 86}[version]; err != nil || major != want {
		t.Errorf("version %d, %v, want %d", major, err, want)
	}
	data, err := c.Ask(ctx, cpanel.UAPI, "Fileman", "list_files", url.Values{"dir": {"/home/ruthin"}})
	if err != nil || !strings.Contains(string(data), "backup-1.2.2026_03-04-05_ruthin.tar.gz") {
		t.Errorf("list_files: %s, %v", data, err)
	}
	if _, err = c.Ask(ctx, cpanel.UAPI, "BackupInfo", "progress", nil); cpanel.IsAbsent(err) != (major < 136) {
		t.Errorf("BackupInfo on %d: %v", major, err)
	}
	if _, err = c.Ask(ctx, cpanel.API2, "Backups", "listfullbackups", nil); err != nil {
		t.Errorf("API 2: %v", err)
	}
	if account.WHM != "" {
		if _, err = c.Ask(ctx, cpanel.WHM, "", "backup_set_list_combined", nil); err != nil {
			t.Errorf("WHM: %v", err)
		}
	}
	got, _, err := c.Stream(ctx, asking("backup-1.2.2026_03-04-05_ruthin.tar.gz"), int64(len(archive)))
	if err != nil || !bytes.Equal(got, archive) {
		t.Errorf("%d bytes of %d, %v", len(got), len(archive), err)
	}
	dump, _, err := c.Stream(ctx, "/getsqlbackup/ruthin_wp.sql.gz", -1)
	if err != nil || len(dump) == 0 {
		t.Errorf("the dump: %d bytes, %v", len(dump), err)
	}
	restored := gzipText(t, "-- put back\nCREATE TABLE t (a int);\n-- Dump completed\n")
	if err := c.Send(ctx, "Backup", "restore_databases", url.Values{"timeout": {"0"}, "verbose": {"1"}}, "file", "ruthin_wp.sql.gz", bytes.NewReader(restored), int64(len(restored))); err != nil && major >= 84 {
		t.Errorf("restore: %v", err)
	}
}

// TestClosedDownloads: a session where tokens open no downloads, also with one-time
// codes, and one sentence where nothing does.
func TestClosedDownloads(t *testing.T) {
	h, a, archive := hosted(t, cpaneltest.Config{})
	a.SetOTP(secretOTP)
	h.TokenDownloads(false)
	account := ways(h, a)["token"]
	account.Password, account.OTPSecret = keepwatch.NewSecret("pw-ruthin"), keepwatch.NewSecret(secretOTP)
	c, path := connect(t, account), asking("backup-1.2.2026_03-04-05_ruthin.tar.gz")
	for range 3 {
		got, way, err := c.Stream(briefly(t), path, int64(len(archive)))
		if err != nil || way != "session" || !bytes.Equal(got, archive) {
			t.Errorf("%d bytes by %s, %v", len(got), way, err)
		}
	}
	if n := len(h.CallsTo("/login")); n != 1 {
		t.Errorf("%d sign-ins", n)
	}
	account.Password = keepwatch.Secret{}
	_, _, err := connect(t, account).Stream(briefly(t), path, int64(len(archive)))
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "With the API token: a page came instead of the file") {
		t.Errorf("%v", err)
	}
}

// TestCutOnAHost: cuts at random offsets, over TLS, in each manner of a range.
func TestCutOnAHost(t *testing.T) {
	for name, fault := range map[string]cpaneltest.Fault{"206": {}, "200": {NoRange: true}, "wrong range": {WrongRange: true}} {
		t.Run(name, func(t *testing.T) {
			h, a, archive := hosted(t, cpaneltest.Config{})
			fault.On = "/download"
			times := 15
			if name == "206" {
				times = 40
			}
			// A cut is so many bytes after the start of an answer: of the rest, or of the whole.
			at := make([]int64, times)
			for i := range at {
				at[i] = 2 + rand.Int64N(int64(len(archive))-2)
			}
			slices.Sort(at)
			for i, n := range at {
				f := fault
				f.Cut = n
				if name == "206" && i > 0 {
					f.Cut = max(n-at[i-1], 1)
				}
				h.Fault(f)
			}
			got, _, err := connect(t, ways(h, a)["token"]).Stream(briefly(t), asking("backup-1.2.2026_03-04-05_ruthin.tar.gz"), int64(len(archive)))
			if err != nil || !bytes.Equal(got, archive) {
				t.Fatalf("%d bytes of %d, equal %v, %v", len(got), len(archive), bytes.Equal(got, archive), err)
			}
			if n := len(h.CallsTo("/download")); n < times/2 {
				t.Errorf("%d requests: it was hardly cut", n)
			}
		})
	}
}

// TestRefusedOnAHost: whatever form a refusal has, the host hears of the token once.
func TestRefusedOnAHost(t *testing.T) {
	for _, status := range []int{200, 401, 403, 302} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			h, a, _ := hosted(t, cpaneltest.Config{})
			h.Fault(cpaneltest.Fault{Refuse: status, Times: -1})
			c := connect(t, ways(h, a)["token"])
			for range 4 {
				if _, err := c.Ask(briefly(t), cpanel.UAPI, "Tokens", "list", nil); !cpanel.IsRefused(err) {
					t.Errorf("%v", err)
				}
			}
			if n := len(h.Calls()); n != 1 {
				t.Errorf("the host was asked %d times", n)
			}
		})
	}
}

// TestStartIsNotDoubled: an answer that is lost does not start a second backup.
func TestStartIsNotDoubled(t *testing.T) {
	h, a, _ := hosted(t, cpaneltest.Config{})
	c := connect(t, ways(h, a)["token"])
	if _, err := c.Ask(briefly(t), cpanel.UAPI, "Quota", "get_quota_info", nil); err != nil { // so that a connection is kept
		t.Fatal(err)
	}
	h.Fault(cpaneltest.Fault{On: "Backup::fullbackup_to_homedir", Lose: true})
	_, err := c.Ask(briefly(t), cpanel.UAPI, "Backup", "fullbackup_to_homedir", nil)
	if keepwatch.KindOf(err) != keepwatch.KindTransient || !cpanel.MayHaveArrived(err) {
		t.Errorf("%v", err)
	}
	h.Settle()
	if n := len(h.CallsTo("Backup::fullbackup_to_homedir")); n != 1 || len(a.HomeBackups()) != 2 {
		t.Errorf("%d starts, %v", n, a.HomeBackups())
	}
}

// TestCertificateRenewed: another certificate than the pinned one gets nothing.
func TestCertificateRenewed(t *testing.T) {
	h, a, _ := hosted(t, cpaneltest.Config{})
	c := connect(t, ways(h, a)["token"])
	if _, err := c.Ask(briefly(t), cpanel.UAPI, "Tokens", "list", nil); err != nil {
		t.Fatal(err)
	}
	if err := h.RenewCertificate(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	before := len(h.Calls())
	_, err := c.Ask(briefly(t), cpanel.UAPI, "Tokens", "list", nil)
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), h.Fingerprint()) {
		t.Errorf("%v", err)
	}
	if len(h.Calls()) != before {
		t.Error("something was sent")
	}
}

func gzipText(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
