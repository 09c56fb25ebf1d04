package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keepwatch/providers/outlook/graphtest"
)

// The stories of mailboxes drive the built program against a fake tenant of Microsoft
// 365, over TLS. Folders are paths such as Inbox/Projects.
//
// Where KEEPWATCH_TEST_SPEED is set before, its clock and that of the program go so many
// times as fast.
//
//	tenant start [PERMISSION…]         make it, with an application that has those (none: all that reads
//	                                   mailboxes); sets the MICROSOFT_ variables and SSL_CERT_FILE
//	tenant user UPN [shared|nobody]    somebody, a shared mailbox, or somebody without one
//	tenant mail UPN FOLDER COUNT [SIZE] so many mails, with an attachment of SIZE bytes
//	tenant message UPN FOLDER SUBJECT [BODY]
//	tenant mime UPN FOLDER FILE        a mail as it is in a file
//	tenant contact UPN NAME ADDRESS, tenant event UPN SUBJECT DAY [weekly]
//	tenant folder UPN FOLDER rename NAME | move FOLDER | delete | make | hide
//	tenant item UPN FOLDER NUMBER delete | trash | move FOLDER | read | change | poison CODE | heal
//	tenant purview COUNT [unlicensed|manager]  exports give a PST as "pst" makes it
//	tenant grant PERMISSION…, tenant revoke PERMISSION…, tenant scope PERMISSION UPN…
//	tenant secret ended | mended       the application's secret has run out, or has a longer life now
//	tenant secret-ends NAME DAYS       a secret of that name runs out in so many days
//	tenant method UPN [DEVICE…]        somebody has Microsoft Authenticator on these devices, and on no other;
//	                                   DEVICE may be NAME=VERSION of the app
//	tenant organisation NAME INITIAL DOMAIN…
//	tenant expire tokens | delta UPN
//	tenant throttle TIMES SECONDS      so many requests are refused
//	tenant fault PATH TIMES STATUS|drop|deny [CODE]  requests whose path has PATH in it
//	tenant heal                        no fault any more
//	tenant hold, tenant go             requests wait; they go on
//	tenant hold COUNT PATH             they wait from the COUNT-th on that has PATH in it
//	tenant held                        waits until that one has come
//	tenant asked COUNT PATH            so many requests had PATH in their path since the last forget; COUNT may be ">N" or "<N"
//	tenant waits PATH                  until a request has PATH in its path, since the last forget
//	tenant forget                      counts begin anew
//	tenant holds UPN FOLDER COUNT      so many items are in that folder
//	tenant same UPN FOLDER UPN FOLDER  the mails of two folders are the same ones, with dates, read state and all; none is a draft
//	tenant exports COUNT CASES         so many exports were begun, and so many cases are left
//	tenant fair [COUNT]                limits were kept, nothing was sent, all was as the metadata has it, and nobody came early,
//	                                   or so many at most: of four at once three are on their way when one is refused
type tenantStage struct {
	*graphtest.Tenant
	app    *graphtest.App
	resume func() // of a hold
	held   <-chan struct{}
	now    func() time.Time // of the program
}

const (
	tenantApp    = "5f0c2a3e-6d1b-4c8f-9a37-0b1c2d3e4f50"
	tenantSecret = "s3cret~of.the-tenant"
)

// readsAll are the permissions that a backup of all parts needs.
var readsAll = []string{"Mail.Read", "Contacts.Read", "Calendars.Read"}

func cmdTenant(ts *testscript.TestScript, neg bool, args []string) {
	play := ts.Value(playKey{}).(*playing)
	if len(args) > 0 && args[0] == "start" {
		play.tenant = openTenant(ts, play.t, args[1:])
		return
	}
	if play.tenant == nil || len(args) == 0 {
		ts.Fatalf("tenant start comes first")
	}
	if args[0] == "mime" && len(args) == 4 {
		args[3] = ts.ReadFile(args[3])
	}
	err := play.tenant.do(args[0], args[1:])
	if (err != nil) != neg {
		ts.Fatalf("tenant %s: %v", strings.Join(args, " "), err)
	}
}

func openTenant(ts *testscript.TestScript, t testing.TB, permissions []string) *tenantStage {
	var o graphtest.Options
	if schema, err := graphtest.ReadSchema("../../../shared/spec/graph-v1.0.csdl"); err == nil {
		o.Schema = schema
	}
	if clock := fastFrom(ts.Getenv("KEEPWATCH_TEST_SPEED")); clock != nil {
		o.Now = clock.Now
	}
	n := graphtest.New(t, o)
	if len(permissions) == 0 {
		permissions = readsAll
	}
	s := &tenantStage{Tenant: n, app: n.AddApp(tenantApp, tenantSecret, nil, permissions...)}
	s.now = func() time.Time { return clockFrom(ts.Getenv("KEEPWATCH_TEST_NOW"))() }
	for name, value := range map[string]string{
		"MICROSOFT_TENANT_ID": n.ID(), "MICROSOFT_CLIENT_ID": tenantApp, "MICROSOFT_CLIENT_SECRET": tenantSecret,
		"MICROSOFT_GRAPH_URL": n.URL + "/v1.0", "MICROSOFT_LOGIN_URL": n.LoginURL, "SSL_CERT_FILE": n.CAFile(),
	} {
		ts.Setenv(name, value)
	}
	return s
}

// arguments are those of a line; one that is not there is "".
type arguments []string

func (w arguments) at(i int) string {
	if i < len(w) {
		return w[i]
	}
	return ""
}

func (w arguments) number(i int) int {
	n, err := strconv.Atoi(w.at(i))
	if err != nil {
		panic(fmt.Sprintf("%q is no number", w.at(i)))
	}
	return n
}

func (s *tenantStage) do(what string, args arguments) error {
	switch what {
	case "user":
		u := graphtest.User{UPN: args.at(0), Purpose: "user", NoMailbox: args.at(1) == "nobody"}
		if args.at(1) == "shared" {
			u.Purpose = "shared"
		}
		s.AddUser(u)
	case "mail":
		s.folder(args).Messages(args.number(2), func(i int) graphtest.Message { return storyMail(i, args) })
	case "message":
		s.folder(args).Message(graphtest.Message{Subject: args.at(2), From: storyFrom, Body: args.at(3), Received: storyDay})
	case "mime":
		s.folder(args).Message(graphtest.Message{Subject: "(as it is in its file)", From: storyFrom, Received: storyDay, MIME: []byte(args.at(2))})
	case "contact":
		given, surname, _ := strings.Cut(args.at(1), " ")
		s.Mailbox(args.at(0)).Contacts().Contact(graphtest.Contact{GivenName: given, Surname: surname, Emails: []graphtest.Address{{Name: args.at(1), Address: args.at(2)}}})
	case "event":
		return s.event(args)
	case "folder":
		return s.changeFolder(args)
	case "item":
		return s.changeItem(args)
	case "grant":
		s.app.Grant(args...)
	case "revoke":
		s.app.Revoke(args...)
		s.ExpireTokens()
	case "scope":
		s.app.Scope(args.at(0), args[1:]...)
	case "secret":
		end := time.Now().Add(-time.Hour)
		if args.at(0) == "mended" {
			end = time.Time{}
		}
		s.app.EndSecret(tenantSecret, end)
		s.ExpireTokens()
	case "purview":
		return s.exports(args)
	case "secret-ends", "method", "organisation":
		s.directory(what, args)
	case "expire":
		if args.at(0) == "tokens" {
			s.ExpireTokens()
		} else {
			s.Mailbox(args.at(1)).ExpireDelta(graphtest.SyncStateNotFound)
		}
	default:
		return s.doFaults(what, args)
	}
	return nil
}

// directory are the commands that change what Entra knows.
func (s *tenantStage) directory(what string, args arguments) {
	switch what {
	case "secret-ends":
		s.app.AddSecret(graphtest.Credential{Name: args.at(0), From: storyDay.AddDate(-1, 0, 0), Ends: s.now().AddDate(0, 0, args.number(1))})
	case "method":
		var methods []graphtest.Method
		for _, device := range args[1:] {
			name, version, _ := strings.Cut(device, "=")
			methods = append(methods, graphtest.Method{Kind: "microsoftAuthenticator", Name: name, Version: version})
		}
		s.SetMethods(args.at(0), methods...)
	case "organisation":
		s.SetOrganisation(graphtest.Organisation{Name: args.at(0), Initial: args.at(1), Domains: args[2:], Mails: []string{"it@contoso.rescue.example"}, Created: storyDay.AddDate(-5, 0, 0)})
	}
}

// doFaults are the commands that make requests go wrong and count them.
func (s *tenantStage) doFaults(what string, args arguments) error {
	switch what {
	case "throttle":
		s.Throttle(args.number(0), time.Duration(args.number(1))*time.Second)
	case "fault":
		f := graphtest.Fault{Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, args.at(0)) }, Times: args.number(1), Code: args.at(3)}
		switch args.at(2) {
		case "drop":
			f.Drop = true
		case "deny":
			f.Deny = true
		default:
			f.Status = args.number(2)
		}
		s.Fail(f)
	case "heal":
		s.Heal()
	case "hold":
		if len(args) == 0 {
			s.resume = s.Hold()
			return nil
		}
		s.held, s.resume = s.HoldFrom(args.number(0), func(r *http.Request) bool { return strings.Contains(r.URL.Path, args.at(1)) })
	case "held":
		select {
		case <-s.held:
		case <-time.After(stageTime):
			return fmt.Errorf("no such request came")
		}
	case "go":
		s.resume()
	case "asked":
		got := s.Count(func(r graphtest.Request) bool { return strings.Contains(r.Path, args.at(1)) })
		if !counts(args.at(0), got) {
			return fmt.Errorf("%d requests for %s", got, args.at(1))
		}
	case "waits":
		for deadline := time.Now().Add(stageTime); s.Count(func(r graphtest.Request) bool { return strings.Contains(r.Path, args.at(0)) }) == 0; {
			if time.Now().After(deadline) {
				return fmt.Errorf("nobody has asked for %s", args.at(0))
			}
			<-time.After(5 * time.Millisecond) // another process asks
		}
	case "forget":
		s.ForgetRequests()
	case "holds":
		if got := len(s.folder(args).Items()); !counts(args.at(2), got) {
			return fmt.Errorf("%d items", got)
		}
	case "same":
		return s.same(args)
	case "exports":
		if begun, left := s.Exports(); begun != args.number(0) || left != args.number(1) {
			return fmt.Errorf("%d exports, %d cases are left", begun, left)
		}
	case "fair":
		if len(args) > 0 {
			return s.fair(args.number(0))
		}
		return s.fair(0)
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// counts compares a number with one that may begin with < or >.
func counts(want string, got int) bool {
	n, err := strconv.Atoi(strings.TrimLeft(want, "<>"))
	switch {
	case err != nil:
		panic(err)
	case strings.HasPrefix(want, ">"):
		return got > n
	case strings.HasPrefix(want, "<"):
		return got < n
	}
	return got == n
}

func (s *tenantStage) folder(args arguments) *graphtest.Folder {
	box := s.Mailbox(args.at(0))
	path := strings.Split(args.at(1), "/")
	switch path[0] {
	case "contacts":
		return box.Contacts(path[1:]...)
	case "calendar":
		return box.Calendar(strings.Join(path[1:], "/"))
	}
	return box.Folder(path...)
}

var (
	storyDay  = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	storyFrom = graphtest.Address{Name: "Bethan", Address: "bethan@contoso.example"}
)

// storyMail is the mail of a number; the same number gives the same mail.
func storyMail(i int, args arguments) graphtest.Message {
	m := graphtest.Message{
		Subject: fmt.Sprintf("%s %d", pstSubjects[i%len(pstSubjects)], i), From: storyFrom, To: []graphtest.Address{{Address: args.at(0)}},
		Received: storyDay.Add(time.Duration(i) * time.Minute), Body: fmt.Sprintf("The text of mail %d.\r\n", i), Read: i%2 == 0,
	}
	if args.at(3) != "" {
		m.Attachments = []graphtest.Attachment{{Name: fmt.Sprintf("report %d.pdf", i), Type: "application/pdf", Size: args.number(3)}}
	}
	return m
}

func (s *tenantStage) event(args arguments) error {
	day, err := time.Parse(time.DateOnly, args.at(2))
	e := graphtest.Event{Subject: args.at(1), Start: day.Add(9 * time.Hour), End: day.Add(10 * time.Hour), Attendees: []graphtest.Attendee{{Address: storyFrom}}}
	if args.at(3) == "weekly" {
		e.Recurrence = &graphtest.Recurrence{Type: "weekly", Days: []time.Weekday{day.Weekday()}, Count: 5}
		e.Deleted = []string{day.AddDate(0, 0, 7).Format(time.DateOnly)}
	}
	s.Mailbox(args.at(0)).Calendar("").Event(e)
	return err
}

func (s *tenantStage) changeFolder(args arguments) error {
	f := s.folder(args)
	switch args.at(2) {
	case "rename":
		f.Rename(args.at(3))
	case "move":
		f.Move(s.folder(arguments{args.at(0), args.at(3)}))
	case "delete":
		f.Delete()
	case "make":
	case "hide":
		f.Hide()
	default:
		return fmt.Errorf("unknown change of a folder")
	}
	return nil
}

func (s *tenantStage) changeItem(args arguments) error {
	items := s.folder(args).Items()
	n := args.number(2)
	if n >= len(items) {
		return fmt.Errorf("there are %d items", len(items))
	}
	switch i := items[n]; args.at(3) {
	case "delete":
		i.Delete()
	case "trash":
		i.Trash()
	case "move":
		i.Move(s.folder(arguments{args.at(0), args.at(4)}))
	case "read":
		i.SetRead(true)
	case "change":
		i.Update(func(m *graphtest.Message) { m.Subject = "Changed: " + m.Subject })
	case "heal":
		i.Poison(graphtest.Poison{})
	case "poison":
		i.Poison(graphtest.Poison{Code: args.at(4)})
	default:
		return fmt.Errorf("unknown change of an item")
	}
	return nil
}
