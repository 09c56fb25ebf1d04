package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook/graphtest"
)

// mailboxMemory is how much the program may take for any mailbox, in MiB.
const mailboxMemory = 128

// mailboxLoads are the mailboxes whose memory is measured, with what is poisonous in them.
// mails is how many short ones there are, large how many MiB the largest attachments have.
func mailboxLoads(mails, large int) map[string]func(b *graphtest.Mailbox) {
	big := []graphtest.Attachment{{Name: "film.mp4", Type: "video/mp4", Size: large << 20}}
	letter := graphtest.Message{Subject: "A film", From: storyFrom, Received: storyDay, Body: "Here it is.\r\n", Attachments: big}
	return map[string]func(b *graphtest.Mailbox){
		fmt.Sprintf("%d mails", mails): func(b *graphtest.Mailbox) {
			for f := range 20 {
				b.Folder("inbox", fmt.Sprintf("Folder %d", f)).Messages(mails/20, loadMail)
			}
		},
		fmt.Sprintf("%d MiB in a mail", large): func(b *graphtest.Mailbox) { b.Folder("inbox").Message(letter) },
		fmt.Sprintf("%d MiB in a mail that is rebuilt", large): func(b *graphtest.Mailbox) {
			b.Folder("inbox").Message(letter).Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
		},
		fmt.Sprintf("%d MiB in an event", large): func(b *graphtest.Mailbox) {
			b.Calendar("").Event(loadEvent(large<<20, 1))
		},
		"11 MiB in an event": func(b *graphtest.Mailbox) {
			b.Calendar("").Event(loadEvent(11<<20, 1))
		},
		"11 times 1 MiB in an event": func(b *graphtest.Mailbox) {
			b.Calendar("").Event(loadEvent(1<<20, 11))
		},
		"500 folders": func(b *graphtest.Mailbox) {
			for f := range 500 {
				b.Folder("inbox", fmt.Sprintf("Folder %d", f)).Messages(2, loadMail)
			}
		},
	}
}

// loadEvent is an event with files of so many bytes.
func loadEvent(size, files int) graphtest.Event {
	e := graphtest.Event{Subject: "A plan", Start: storyDay, End: storyDay.Add(time.Hour)}
	for i := range files {
		e.Attachments = append(e.Attachments, graphtest.Attachment{Name: fmt.Sprintf("plan %d.pdf", i), Type: "application/pdf", Size: size})
	}
	return e
}

// loadMail is a mail of 5 kB.
func loadMail(i int) graphtest.Message {
	m := paceMail(i)
	m.Body = strings.Repeat("What is in it does not matter, but it takes its room.\r\n", 90)
	return m
}

// BenchmarkMailboxMemory is the most memory that the system gave the whole program
// (`bot -c '/backup start …'`, VmHWM) for a mailbox of a fake tenant on loopback, over TLS:
// downloaded, archived with and without a PST, sealed, read back and compared. With more calls
// than Microsoft takes in 10 minutes the program's clock of calls is hurried.
// With KEEPWATCH_SOAK there are 100,000 short mails (else 2,000) and attachments of 150 MiB
// (else 40). KEEPWATCH_BENCH_MAILS is another number of mails.
func BenchmarkMailboxMemory(b *testing.B) {
	mails, large := 2000, 40
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		mails, large = 100_000, 150
	}
	if n, err := strconv.Atoi(os.Getenv("KEEPWATCH_BENCH_MAILS")); err == nil {
		mails = n
	}
	hurry := ""
	if mails > paceCalls*9/10 {
		hurry = "40"
	}
	for name, fill := range mailboxLoads(mails, large) {
		for _, formats := range []string{"eml", "eml, pst"} {
			b.Run(name+" as "+formats, func(b *testing.B) {
				n := graphtest.New(b, graphtest.Options{Limits: graphtest.Limits{Requests: 1 << 30}})
				n.AddApp(tenantApp, tenantSecret, nil, readsAll...)
				fill(n.AddUser(graphtest.User{UPN: paceOwner}))
				benchMailbox(b, n, formats, hurry)
			})
		}
	}
}

// benchMailbox backs up the mailbox by the program, in a process of its own. It gives the most
// memory of its own that the program took, in MiB.
func benchMailbox(b *testing.B, n *graphtest.Tenant, formats, hurry string) float64 {
	exe, err := exec.LookPath("bot")
	if err != nil {
		b.Fatal(err)
	}
	most, whole := 0.0, 0.0
	for b.Loop() {
		root := b.TempDir()
		yaml := fmt.Sprintf("sources:\n  - {name: alis-mail, kind: outlook, mailbox: %s, formats: [%s]}\n", paceOwner, formats)
		if err := os.WriteFile(filepath.Join(root, "keepwatch.yaml"), []byte(yaml), 0o600); err != nil {
			b.Fatal(err)
		}
		cmd := exec.CommandContext(b.Context(), exe, "-c", "/backup start alis-mail", "--data-dir", "data")
		cmd.Dir, cmd.Env = root, append(os.Environ(), "NO_COLOR=1", "TZ=UTC", "HOME="+root, "KEEPWATCH_TEST_PEAK="+filepath.Join(root, "peak"), "KEEPWATCH_TEST_SPEED="+hurry,
			"MICROSOFT_TENANT_ID="+n.ID(), "MICROSOFT_CLIENT_ID="+tenantApp, "MICROSOFT_CLIENT_SECRET="+tenantSecret,
			"MICROSOFT_GRAPH_URL="+n.URL+"/v1.0", "MICROSOFT_LOGIN_URL="+n.LoginURL, "SSL_CERT_FILE="+n.CAFile())
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		own := watchOwn(cmd.Process.Pid)
		err := cmd.Wait()
		most = max(most, own())
		if err != nil || !strings.Contains(out.String(), "backup of alis-mail is done") {
			b.Fatalf("%v: %s", err, out.String())
		}
		if testing.Verbose() {
			b.Logf("%s", out.String())
		}
		peak, err := peakOf(filepath.Join(root, "peak"))
		if err != nil {
			b.Fatal(err)
		}
		whole = max(whole, peak)
		if err := os.RemoveAll(root); err != nil {
			b.Fatal(err)
		}
	}
	if most > mailboxMemory {
		b.Errorf("%.1f MiB of memory, of %d", most, mailboxMemory)
	}
	b.ReportMetric(most, "peak-MiB")
	b.ReportMetric(whole, "with-files-MiB")
	return most
}

// watchOwn looks at a process until the function that it gives is called, which gives the
// most of its own memory that was seen, in MiB: RssAnon, without pages of files that are
// mapped (the index of what was downloaded), which the system takes back whenever it needs
// them. Linux alone tells.
func watchOwn(pid int) func() float64 {
	stop, seen := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				seen <- most
				return
			case <-tick.C:
				status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may be over
				if _, text, found := bytes.Cut(status, []byte("RssAnon:")); found {
					kib, _ := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
					most = max(most, kib/1024)
				}
			}
		}
	}()
	return func() float64 { close(stop); return <-seen }
}
