package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook/graphtest"
)

// BenchmarkLargestMailbox is the whole life of a mailbox with as many items as anybody has:
// a first backup with EML and PST, a verification of it, one mail put back as a file, a backup of
// the changes, a look into a folder, and one mail put back into the mailbox. Each command is a process of its own,
// beside a fake tenant on loopback, over TLS, which answers as fast as it can; the program's
// clock of calls is hurried. Half of the mails lie in one folder.
//
// With KEEPWATCH_SOAK there are 1,000,000 items (else 500), which needs about 15 GB of disk.
// KEEPWATCH_BENCH_MAILS is another number. With -v it logs each command's memory and what lies
// on the disk.
func BenchmarkLargestMailbox(b *testing.B) {
	items := 500
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		items = 1_000_000
	}
	if n, err := strconv.Atoi(os.Getenv("KEEPWATCH_BENCH_MAILS")); err == nil {
		items = n
	}
	n := graphtest.New(b, graphtest.Options{Limits: graphtest.Limits{Requests: 1 << 30}})
	n.AddApp(tenantApp, tenantSecret, nil, append([]string{"Mail.ReadWrite"}, readsAll...)...)
	box := n.AddUser(graphtest.User{UPN: paceOwner})
	fillLargest(box, items)
	exe, err := exec.LookPath("bot")
	if err != nil {
		b.Fatal(err)
	}
	for round := 0; b.Loop(); round++ {
		l := &largest{b: b, tenant: n, exe: exe, root: b.TempDir(), items: items}
		yaml := fmt.Sprintf("sources:\n  - {name: alis-mail, kind: outlook, mailbox: %s, formats: [eml, pst]}\n", paceOwner)
		if err := os.WriteFile(filepath.Join(l.root, "keepwatch.yaml"), []byte(yaml), 0o600); err != nil {
			b.Fatal(err)
		}
		l.step("first", "backup of alis-mail is done", "/backup start alis-mail")
		l.step("verify", "compared with the sealed list", "/backup verify alis-mail")
		l.step("restore-file", "is done", `/backup restore alis-mail "mail/Inbox/2026-11-20 0900 Mail 30.eml" --to ./back`, "1")
		changeLargest(box, items, round)
		l.step("changes", "what changed in alis-mail is done", "/backup start alis-mail --changes")
		l.step("show", "All folders:", "/backup show alis-mail Inbox")
		back := fmt.Sprintf("Back %d", round)
		l.step("restore-mailbox", "is done", fmt.Sprintf(`/backup restore alis-mail "Inbox/#17" --to "mailbox/%s"`, back), "1")
		if got := len(box.Folder(back).Items()); got != 1 {
			b.Fatalf("%d mails were put back into the mailbox, and not one", got)
		}
		if err := os.RemoveAll(l.root); err != nil {
			b.Fatal(err)
		}
	}
}

// largeFolders is how many folders share the mails that are not in the Inbox.
const largeFolders = 50

// fillLargest puts so many items into a mailbox: a thousandth of them contacts, and another
// one events.
func fillLargest(box *graphtest.Mailbox, items int) {
	people := items / 1000
	mails := items - 2*people
	mail := func(i int) graphtest.Message {
		m := paceMail(i)
		m.Received = storyDay.Add(-time.Duration(i) * time.Minute)
		return m
	}
	for f := range largeFolders {
		box.Folder("inbox", fmt.Sprintf("Folder %d", f)).Messages(mails/2/largeFolders, mail)
	}
	box.Folder("inbox").Messages(mails-mails/2/largeFolders*largeFolders, mail)
	for i := range people {
		box.Contacts().Contact(graphtest.Contact{GivenName: "Bethan", Surname: fmt.Sprintf("Morris %d", i)})
		at := storyDay.Add(time.Duration(i) * time.Hour)
		box.Calendar("").Event(graphtest.Event{Subject: fmt.Sprintf("Meeting %d", i), Start: at, End: at.Add(time.Hour)})
	}
}

// changeLargest deletes a folder, and one mail in a thousand; as many come.
func changeLargest(box *graphtest.Mailbox, items, round int) {
	box.Folder("inbox", fmt.Sprintf("Folder %d", round%largeFolders)).Delete()
	some := max(1, items/1000)
	for _, i := range box.Folder("inbox").Items()[:some] {
		i.Delete()
	}
	box.Folder("inbox").Messages(some, paceMail)
}

// largest runs commands in one folder, each as a process.
type largest struct {
	b         *testing.B
	tenant    *graphtest.Tenant
	exe, root string
	items     int
}

// step runs a command, with lines of a dialogue where it asks, and measures it.
func (l *largest) step(name, want, line string, answers ...string) {
	l.b.Helper()
	hurry := ""
	if l.items > paceCalls*9/10 {
		hurry = "120"
	}
	peak := filepath.Join(l.root, "peak")
	args := []string{"-c", line, "--data-dir", "data"}
	if len(answers) > 0 {
		args = []string{"--data-dir", "data"}
	}
	cmd := exec.CommandContext(l.b.Context(), l.exe, args...)
	cmd.Stdin = strings.NewReader(strings.Join(append([]string{line}, answers...), "\n") + "\n")
	n := l.tenant
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "NO_COLOR=1", "TZ=UTC", "HOME="+l.root, "KEEPWATCH_TEST_PEAK="+peak, "KEEPWATCH_TEST_SPEED="+hurry,
		"MICROSOFT_TENANT_ID="+n.ID(), "MICROSOFT_CLIENT_ID="+tenantApp, "MICROSOFT_CLIENT_SECRET="+tenantSecret,
		"MICROSOFT_GRAPH_URL="+n.URL+"/v1.0", "MICROSOFT_LOGIN_URL="+n.LoginURL, "SSL_CERT_FILE="+n.CAFile())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	n.ForgetRequests()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		l.b.Fatal(err)
	}
	own, disk := watchOwn(cmd.Process.Pid), watchDisk(filepath.Join(l.root, "data", "download"))
	err := cmd.Wait()
	took, most, spool := time.Since(began), own(), disk()
	if err != nil || !strings.Contains(out.String(), want) {
		l.b.Fatalf("%s: %v: %s", name, err, out.String())
	}
	whole, err := peakOf(peak)
	if err != nil {
		l.b.Fatal(err)
	}
	calls := n.Count(func(graphtest.Request) bool { return true })
	l.b.Logf("%s: %.1f s, %d calls, %.1f MiB own, %.1f MiB with files, %.0f MB of spool, %.0f MB of archives", name, took.Seconds(), calls, most, whole,
		float64(spool)/1e6, float64(sizeOnDisk(filepath.Join(l.root, "data", "vault")))/1e6)
	if most > mailboxMemory {
		l.b.Errorf("%s took %.1f MiB of memory, of %d", name, most, mailboxMemory)
	}
	l.b.ReportMetric(took.Seconds(), name+"-s")
	l.b.ReportMetric(most, name+"-MiB")
}

// watchDisk looks at a folder until the function that it gives is called, which gives the
// most bytes that it took on the disk.
func watchDisk(dir string) func() int64 {
	stop, seen := make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			most = max(most, sizeOnDisk(dir))
			select {
			case <-stop:
				tick.Stop()
				seen <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 { close(stop); return <-seen }
}

// sizeOnDisk is how many bytes the files below a folder have; what goes meanwhile has none.
func sizeOnDisk(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it went
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
