package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/vault"
)

// mailed is the program beside a fake tenant with one mailbox.
type mailed struct {
	bench
	tenant *graphtest.Tenant
	env    []string
}

const mailedUser = "alis@contoso.example"

// newMailed makes it with n mails in three folders, and clocks that go speed times as fast.
func newMailed(t *testing.T, n, speed int) mailed {
	t.Helper()
	tenant := graphtest.New(t, graphtest.Options{Now: newFastClock(speed).Now})
	tenant.AddApp(tenantApp, tenantSecret, nil, readsAll...)
	box := tenant.AddUser(graphtest.User{UPN: mailedUser})
	mail := func(i int) graphtest.Message { return storyMail(i, arguments{mailedUser}) }
	box.Folder("inbox").Messages(n/2, mail)
	box.Folder("inbox", "Projects").Messages(n/4, mail)
	box.Folder("archive").Messages(n-n/2-n/4, mail)
	m := mailed{bench: newBench(t, 1, 10), tenant: tenant, env: []string{
		"MICROSOFT_TENANT_ID=" + tenant.ID(), "MICROSOFT_CLIENT_ID=" + tenantApp, "MICROSOFT_CLIENT_SECRET=" + tenantSecret,
		"MICROSOFT_GRAPH_URL=" + tenant.URL + "/v1.0", "MICROSOFT_LOGIN_URL=" + tenant.LoginURL, "SSL_CERT_FILE=" + tenant.CAFile(),
		fmt.Sprintf("KEEPWATCH_TEST_SPEED=%d", speed),
	}}
	yaml := "sources:\n  - {name: alis-mail, kind: outlook, mailbox: " + mailedUser + ", parts: [mail], formats: [eml, pst]}\n"
	if err := os.WriteFile(filepath.Join(m.root, "keepwatch.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m mailed) bot(line string, env ...string) *exec.Cmd {
	return m.command(line, append(slices.Clone(m.env), env...)...)
}

func isContent(path string) bool { return strings.HasSuffix(path, "/$value") }

// killAfter runs a line and kills it while the count-th content from now on is asked for.
// It reports whether there was one.
func (m mailed) killAfter(line string, count int) bool {
	m.t.Helper()
	reached, release := m.tenant.HoldFrom(count, func(r *http.Request) bool { return isContent(r.URL.Path) })
	defer release()
	var out bytes.Buffer
	cmd := m.bot(line)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	select {
	case <-reached:
		if err := cmd.Process.Kill(); err != nil {
			m.t.Fatal(err)
		}
		if err := <-over; !killed(err) {
			m.t.Fatalf("not killed: %v\n%s", err, out.Bytes())
		}
		return true
	case err := <-over:
		if err != nil {
			m.t.Fatalf("%v\n%s", err, out.Bytes())
		}
		return false
	}
}

// fetched is how many contents were given, and how many of them once more than needed.
func (m mailed) fetched() (all, twice int) {
	seen := map[string]bool{}
	for _, r := range m.tenant.Requests() {
		if !isContent(r.Path) || r.Status != http.StatusOK {
			continue
		}
		all++
		if seen[r.Path] {
			twice++
		}
		seen[r.Path] = true
	}
	return all, twice
}

// TestMailboxKilledAtRandom kills the download of a mailbox at random instants, and what
// comes after it at a named one, until it is done: no content is fetched twice but those
// that were on their way, each is in the archive once, and as many in the PST. With
// KEEPWATCH_SOAK it is a mailbox of 100,000 mails and twenty kills.
func TestMailboxKilledAtRandom(t *testing.T) {
	n, kills, speed := 2_000, 5, 1
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		n, kills, speed = 100_000, 20, 40
	} else {
		t.Parallel()
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 7))
	m := newMailed(t, n, speed)
	line, done := "/backup start alis-mail", 0
	for range kills - 1 {
		count := 1 + random.IntN(2*n/kills)
		if done+count > n-10 { // the rest is for what comes after the download
			break
		}
		if !m.killAfter(line, count) {
			t.Fatal("it was over before it was killed")
		}
		all, twice := m.fetched()
		done, line = all-twice, "/backup status"
	}
	m.killAt(line, "outlook.download.over")
	before, _ := m.fetched()
	m.killAt("/backup status", []string{"engine.fetch.begun", "outlook.fetch.pst-made", "engine.seal.begun"}[random.IntN(3)])
	if out, err := m.bot("/backup status").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all, twice := m.fetched()
	t.Logf("%d contents were fetched, %d of them twice, in %v", all, twice, kills)
	if all != before {
		t.Errorf("%d contents were fetched after the download was over", all-before)
	}
	if all-twice != n || twice > 4*(kills-1) {
		t.Errorf("of %d contents %d were fetched, and %d once more; %d at most were on their way", n, all-twice, twice, 4*(kills-1))
	}
	m.wantWhole(n)
	for _, bad := range m.tenant.Violations() {
		t.Error(bad)
	}
}

// killAt runs a line until it is killed at a point.
func (m mailed) killAt(line, point string) {
	m.t.Helper()
	out, err := m.bot(line, "KEEPWATCH_TEST_CRASH="+point).CombinedOutput()
	if !killed(err) {
		m.t.Fatalf("not killed at %s: %v\n%s", point, err, out)
	}
}

// wantWhole sees that there is one archive, verified, with n mails, each once and with a
// file, and that the PST holds as many.
func (m mailed) wantWhole(n int) {
	m.t.Helper()
	a := m.look()
	if len(a.runs) != 1 || a.runs[0].State != keepwatch.RunDone {
		m.t.Fatalf("%+v", a.runs)
	}
	m.wantArchives(a, 1)
	m.checkPromises(a, "the mailbox")
	v, err := vault.Open(vault.Config{Dir: filepath.Join(m.data(), "vault"), IdentityFile: filepath.Join(m.data(), "age-identity.txt")})
	if err != nil {
		m.t.Fatal(err)
	}
	_, index, err := v.OpenEntry(m.t.Context(), a.archives[0].Ref(), outlook.IndexPath)
	if err != nil {
		m.t.Fatal(err)
	}
	defer index.Close()
	ids, paths := map[string]bool{}, map[string]bool{}
	for dec := json.NewDecoder(index); ; {
		var l outlook.Line
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			m.t.Fatal(err)
		}
		ids[l.ID], paths[l.Path] = true, true
		if l.Missing != "" || l.Path == "" || l.Bytes == 0 {
			m.t.Fatalf("%+v", l)
		}
	}
	if len(ids) != n || len(paths) != n {
		m.t.Errorf("the index has %d mails in %d files, want %d", len(ids), len(paths), n)
	}
	out, err := m.bot("/backup show alis-mail").CombinedOutput()
	if want := keepwatch.FormatCount(int64(n), "mail"); err != nil || !strings.Contains(string(out), "an Outlook data file (Unicode) with "+want+" in ") {
		m.t.Errorf("%v: the PST does not hold %s\n%s", err, want, out)
	}
}
