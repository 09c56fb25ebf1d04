package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/putback"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/providers/outlook/restore"
	"keepwatch/providers/outlook/spool"
)

const (
	jointApp    = "6f5d4a3b-0000-4000-8000-000000000002"
	jointSecret = "s3cr3t~Value.Of.The.App"
	jointBox    = "ali@contoso.example"
	jointRef    = "ali/2026-11-20T100000Z"
)

// jointClock lets every pause pass at once; what guards a call stays.
type jointClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *jointClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *jointClock) AfterFunc(d time.Duration, f func()) func() {
	if d >= 90*time.Second {
		t := time.AfterFunc(d, f)
		return func() { t.Stop() }
	}
	c.pass(d)
	go f()
	return func() {}
}

func (c *jointClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// jointWire is the network, on which something happens at one call.
type jointWire struct {
	under http.RoundTripper
	host  string

	mu    sync.Mutex
	calls int
	at    int
	what  trouble
}

// trouble is what happens at a call: before it is sent, after it had its effect, and
// whether its answer is lost.
type trouble struct {
	before       func(r *http.Request)
	after        func()
	unsent, lost bool
}

var errJointCut = errors.New("the connection was cut")

func (w *jointWire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != w.host {
		return w.under.RoundTrip(r)
	}
	w.mu.Lock()
	w.calls++
	hit, what := w.calls == w.at, w.what
	w.mu.Unlock()
	if !hit {
		return w.under.RoundTrip(r)
	}
	if what.before != nil {
		what.before(r)
	}
	if what.unsent {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, errJointCut
	}
	a, err := w.under.RoundTrip(r)
	if err == nil && what.lost {
		_, _ = io.Copy(io.Discard, a.Body)
		a.Body.Close()
		err = errJointCut
	}
	if what.after != nil {
		what.after()
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (w *jointWire) arm(at int, what trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.at, w.what = 0, at, what
}

func (w *jointWire) reached() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at > 0 && w.calls >= w.at
}

// jointArchive is an archive in memory, by the paths of its files.
type jointArchive map[string][]byte

func (a jointArchive) OpenEntry(_ context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	data, there := a[path]
	if !there {
		return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "%s holds no %s.", ref, path)
	}
	return keepwatch.Entry{Path: path, Size: int64(len(data))}, io.NopCloser(bytes.NewReader(data)), nil
}

// jointBytes are bytes that are not the same twice.
func jointBytes(n int) []byte {
	out, x := make([]byte, n), uint32(n)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}

func jointLines(all ...string) []byte { return []byte(strings.Join(all, "\r\n") + "\r\n") }

// jointMail is a mail of a Message-ID with a file of so many bytes.
func jointMail(subject, id string, size int) []byte {
	return jointLines("From: bea@fabrikam.example", "To: ali@contoso.example", "Bcc: eve@fabrikam.example", "Subject: "+subject, "Date: Mon, 4 Mar 2019 05:05:00 +0000", "Message-ID: <"+id+"@fabrikam.example>",
		"Disposition-Notification-To: bea@fabrikam.example", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain", "", "Hello.",
		"--b", "Content-Type: application/x-a; name=a.bin", "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString(jointBytes(size)), "--b--")
}

// newJointArchive holds two mails of one Message-ID, one with a file that takes an upload
// session, a contact with a picture, and a meeting that repeats and was moved once; and a
// contact of the id still and an event of the UID "party" that are in their folders.
func newJointArchive(t *testing.T, still string) jointArchive {
	t.Helper()
	a := jointArchive{}
	when := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
	var index bytes.Buffer
	add := func(kind outlook.Kind, folder, id, messageID string, content []byte) {
		path := fmt.Sprintf("%s/%s.%s", folder, id, outlook.FormOf(kind))
		a[path] = content
		line, err := json.Marshal(outlook.Line{Item: outlook.Item{ID: id, Folder: folder, Kind: kind, Subject: id, At: when, MessageID: messageID, Read: id == "small"}, Path: path, Bytes: int64(len(content))})
		if err != nil {
			t.Fatal(err)
		}
		index.Write(append(line, '\n'))
	}
	add(outlook.Mail, "in", "small", "<one@fabrikam.example>", jointMail("small", "one", 20))
	add(outlook.Mail, "in", "large", "<two@fabrikam.example>", jointMail("large", "two", 3_200_000))
	add(outlook.Mail, "in", "twin", "<one@fabrikam.example>", jointMail("twin", "one", 30))
	add(outlook.Contacts, "people", "dora", "", jointLines("BEGIN:VCARD", "VERSION:3.0", "N:Ek;Dora;;;", "FN:Dora Ek", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==", "END:VCARD"))
	add(outlook.Calendar, "days", "weekly", "s", jointLines("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:s", "SUMMARY:Weekly", "DTSTART;TZID=Europe/Berlin:20261019T090000", "DTEND;TZID=Europe/Berlin:20261019T100000",
		"RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20261026T090000", "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVsbG8=", "ORGANIZER:mailto:ali@contoso.example", "ATTENDEE;RSVP=TRUE:mailto:bea@fabrikam.example", "END:VEVENT",
		"BEGIN:VEVENT", "UID:s", "SUMMARY:Moved", "RECURRENCE-ID;TZID=Europe/Berlin:20261102T090000", "DTSTART;TZID=Europe/Berlin:20261103T110000", "DTEND;TZID=Europe/Berlin:20261103T120000", "ATTENDEE;RSVP=TRUE:mailto:bea@fabrikam.example", "END:VEVENT", "END:VCALENDAR"))
	add(outlook.Contacts, "people", still, "", jointLines("BEGIN:VCARD", "VERSION:3.0", "N:Still;Bea;;;", "FN:Bea Still", "END:VCARD"))
	add(outlook.Calendar, "days", "party", "party", jointLines("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:party", "SUMMARY:Party", "DTSTART:20261020T170000Z", "DTEND:20261020T180000Z", "END:VEVENT", "END:VCALENDAR"))
	state, err := json.Marshal(outlook.State{Version: 1, Mailbox: jointBox, Folders: []outlook.FolderState{
		{Folder: outlook.Folder{ID: "in", Kind: outlook.Mail, Path: []string{"Inbox"}}, Whole: true},
		{Folder: outlook.Folder{ID: "people", Kind: outlook.Contacts, Path: []string{"Contacts"}, Default: true}, Whole: true},
		{Folder: outlook.Folder{ID: "days", Kind: outlook.Calendar, Path: []string{"Calendar"}, Default: true}, Whole: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	a[outlook.IndexPath], a[outlook.StatePath] = index.Bytes(), state
	return a
}

// joint is a tenant, and what puts an archive back there.
type joint struct {
	t       *testing.T
	tenant  *graphtest.Tenant
	box     *graphtest.Mailbox
	wire    *jointWire
	clock   *jointClock
	archive jointArchive
	still   *graphtest.Item // a contact
}

func newJoint(t *testing.T) *joint {
	t.Helper()
	j := &joint{t: t, clock: &jointClock{}}
	j.tenant = graphtest.New(t, graphtest.Options{Now: j.clock.Now})
	j.tenant.AddApp(jointApp, jointSecret, nil, "Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite")
	j.box = j.tenant.AddUser(graphtest.User{UPN: jointBox, Name: "Ali"})
	j.still = j.box.Contacts().Contact(graphtest.Contact{GivenName: "Bea", Surname: "Still"})
	j.archive = newJointArchive(t, j.still.ID(true))
	at, err := url.Parse(j.tenant.URL)
	if err != nil {
		t.Fatal(err)
	}
	j.wire = &jointWire{under: j.tenant.Client().Transport, host: at.Host}
	return j
}

// process is what a process that has just begun has.
func (j *joint) process() *restore.Returner {
	j.t.Helper()
	c, err := graph.New(graph.Config{Tenant: j.tenant.ID(), Client: jointApp, Secret: keepwatch.NewSecret(jointSecret), GraphURL: j.tenant.URL + "/v1.0", LoginURL: j.tenant.LoginURL, Transport: j.wire, Clock: j.clock})
	if err != nil {
		j.t.Fatal(err)
	}
	w, err := putback.New(putback.Config{Client: c, Pause: func(ctx context.Context, d time.Duration) error { j.clock.pass(d); return context.Cause(ctx) }})
	if err != nil {
		j.t.Fatal(err)
	}
	r, err := restore.New(outlook.Config{Restorer: w, Spools: spool.New(spool.Config{Dir: j.t.TempDir()}), Now: j.clock.Now})
	if err != nil {
		j.t.Fatal(err)
	}
	return r
}

var jointSource = keepwatch.Source{Name: "ali", Kind: keepwatch.KindOutlook, Mailbox: jointBox}

// plan is one that puts all of it into a folder.
func (j *joint) plan(folder string) keepwatch.ReturnPlan {
	j.t.Helper()
	set := providers.Set{Archive: keepwatch.Archive{Source: "ali", Stamp: jointRef[len("ali/"):]}, From: j.archive}
	plan, err := j.process().PlanReturn(j.t.Context(), jointSource, []providers.Set{set}, keepwatch.ReturnAsk{Into: "/" + folder})
	if err != nil || len(plan.Items) != 3 {
		j.t.Fatalf("%+v %v", plan, err)
	}
	return plan
}

// carry does the steps of a plan. A step is done again in the same process after what is
// worth another try, as the engine does.
func (j *joint) carry(ctx context.Context, plan keepwatch.ReturnPlan, run int64) error {
	p := j.process()
	for _, item := range plan.Items {
		for try := 1; ; try++ {
			log, err := p.Return(ctx, providers.Job{Source: jointSource, Run: run, Report: func(keepwatch.Progress) {}, Keep: func(json.RawMessage) error { return nil }}, item, j.archive)
			if err == nil {
				still := strings.HasPrefix(log.Heed, "1 contact was in the folder already") || strings.HasPrefix(log.Heed, "1 event was in the folder already")
				if strings.Contains(log.Heed, "not put back") || strings.Contains(log.Heed, "already") && !still {
					return fmt.Errorf("%s: %s", item.Name, log.Text)
				}
				break
			}
			if keepwatch.KindOf(err) != keepwatch.KindTransient || try == 4 || ctx.Err() != nil {
				return fmt.Errorf("%s: %w", item.Name, err)
			}
		}
	}
	return nil
}

// folderOf gives the folder that a call is about.
func (j *joint) folderOf(r *http.Request, folder string) *graphtest.Folder {
	switch {
	case strings.Contains(r.URL.Path, "/contact"):
		return j.box.Contacts(folder)
	case strings.Contains(r.URL.Path, "/calendars"), strings.Contains(r.URL.Path, "/events"):
		return j.box.Calendar(folder)
	}
	return j.box.Folder(folder)
}

// look says what is wrong with what is in a folder after all was put there.
func (j *joint) look(folder string) error {
	var mails []string
	for _, i := range j.box.Folder(folder, "Inbox").Items() {
		m := i.Content()
		if len(m.Attachments) != 1 {
			return fmt.Errorf("%s has %d files", m.Subject, len(m.Attachments))
		}
		flags, _ := i.Property("Integer 0x0E07")
		mails = append(mails, fmt.Sprintf("%s %d %s", m.Subject, len(m.Attachments[0].Content), flags))
	}
	slices.Sort(mails)
	if want := []string{"large 3200000 0", "small 20 1", "twin 30 0"}; !slices.Equal(mails, want) {
		return fmt.Errorf("the mails are %q", mails)
	}
	people, days := j.box.Contacts(folder).Items(), j.box.Calendar(folder).Items()
	slices.SortFunc(people, func(a, b *graphtest.Item) int { return strings.Compare(a.Person().Surname, b.Person().Surname) })
	if len(people) != 2 || len(people[0].Person().Photo) != 10 || people[1].Person().Surname != "Still" {
		return fmt.Errorf("%d contacts", len(people))
	}
	slices.SortFunc(days, func(a, b *graphtest.Item) int { return strings.Compare(a.Meeting().Subject, b.Meeting().Subject) })
	if len(days) != 2 || days[0].Meeting().Subject != "Party" {
		return fmt.Errorf("%d events", len(days))
	}
	e := days[1].Meeting()
	if len(e.Attendees) > 0 || len(e.Attachments) != 1 || len(e.Deleted) != 1 || e.Exceptions["2026-11-02"].Subject != "Moved" {
		return fmt.Errorf("the event is %+v", e)
	}
	return nil
}

// TestPutBackCutOffAtEachCall puts an archive into a mailbox with trouble at each of the
// calls that this takes, and again until it is done, as a run is done again: all of it is
// there once in the end, nothing is lost, and nothing went out to anybody.
func TestPutBackCutOffAtEachCall(t *testing.T) {
	for name, make := range map[string]func(j *joint, folder string, kill func()) trouble{
		"killed before": func(_ *joint, _ string, kill func()) trouble {
			return trouble{before: func(*http.Request) { kill() }, unsent: true}
		},
		"killed after": func(_ *joint, _ string, kill func()) trouble { return trouble{after: kill, lost: true} },
		"throttled": func(j *joint, _ string, _ func()) trouble {
			return trouble{before: func(*http.Request) { j.tenant.Throttle(2, time.Second) }}
		},
		"uploads lost": func(j *joint, _ string, _ func()) trouble {
			return trouble{before: func(*http.Request) { j.tenant.ExpireUploads() }}
		},
		"mailbox full": func(j *joint, _ string, _ func()) trouble {
			return trouble{before: func(*http.Request) { j.box.Fill(true) }}
		},
		"folder removed": func(j *joint, folder string, _ func()) trouble {
			return trouble{before: func(r *http.Request) { j.folderOf(r, folder).Delete() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoint(t)
			n := int64(1)
			for ; j.once(name, n, make); n++ {
			}
			if n < 15 {
				t.Errorf("it takes %d calls only", n)
			}
			if sent := j.tenant.Sent(); sent != 0 {
				t.Errorf("%d mails or invitations went out", sent)
			}
		})
	}
}

// once puts it back with trouble at the n-th call, and reports whether there was one.
func (j *joint) once(name string, n int64, make func(*joint, string, func()) trouble) bool {
	j.t.Helper()
	folder := fmt.Sprint("Back ", n)
	ctx, kill := context.WithCancel(j.t.Context())
	defer kill()
	plan := j.plan(folder)
	j.still.Move(j.box.Contacts(folder)) // once it was removed with a folder, it is put there
	j.box.Calendar(folder).Event(graphtest.Event{Subject: "Party", UID: "party", Start: time.Date(2026, 10, 20, 17, 0, 0, 0, time.UTC), End: time.Date(2026, 10, 20, 18, 0, 0, 0, time.UTC)})
	j.wire.arm(int(n), make(j, folder, kill))
	err := j.carry(ctx, plan, n)
	hit := j.wire.reached()
	j.wire.arm(0, trouble{})
	j.box.Fill(false)
	if err != nil && (name == "mailbox full" && keepwatch.KindOf(err) == keepwatch.KindAttention || strings.HasPrefix(name, "killed")) {
		err = j.carry(j.t.Context(), plan, n)
	}
	if err != nil {
		j.t.Errorf("call %d: %v", n, err)
		return hit
	}
	if err := j.look(folder); err != nil {
		j.t.Errorf("call %d: %v", n, err)
	}
	return hit
}
