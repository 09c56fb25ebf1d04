package graphtest

import (
	"strings"
	"testing"
	"time"
)

// furnish fills a mailbox with one of everything.
func furnish(w *world) (letterItem, event *Item) {
	inner := Message{Subject: "Inner", From: Address{"Cyd", "cyd@fabrikam.example"}, Body: "inside", Attachments: []Attachment{{Name: "n.txt", Type: "text/plain", Content: []byte("n")}}}
	when := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	meeting := Event{
		Subject: "Weekly", Start: when, End: when.Add(time.Hour), Place: "Room 1", Attendees: []Attendee{{Address: Address{"Bea", "bea@fabrikam.example"}, Response: "accepted"}},
		Recurrence: &Recurrence{Type: "weekly", Count: 4}, Deleted: []string{"2026-11-16"}, Exceptions: map[string]Event{"2026-11-09": {Subject: "Moved", Start: when.AddDate(0, 0, 8), End: when.AddDate(0, 0, 8).Add(time.Hour)}},
	}
	person := Contact{GivenName: "Dora", Surname: "Ek", Emails: []Address{{"Dora", "dora@fabrikam.example"}}, Birthday: when, Business: Postal{City: "Oslo"}, BusinessPhones: []string{"+47 1"}}
	inbox := w.box.Folder("inbox")
	m := letter(1)
	m.HTML, m.Body, m.Categories, m.Flag = true, "<p>Hi</p>", []string{"Red"}, "flagged"
	m.Attachments = []Attachment{
		{Name: "a.pdf", Type: "application/pdf", Size: 3000}, {Name: "logo.png", Type: "image/png", Content: []byte{1}, Inline: true, ContentID: "logo@x"},
		{Name: "Inner", Message: &inner}, {Name: "Dora", Contact: &person}, {Name: "Weekly", Event: &meeting}, {Name: "plan.docx", Link: "https://contoso.example/plan"},
	}
	letterItem = inbox.Message(m)
	inbox.Message(Message{Subject: "Invitation", Type: "eventMessageRequest"})
	inbox.Message(Message{Subject: "Yes", Type: "eventMessageResponse", Draft: true})
	w.box.Folder("Projects", "Hidden").Hide()
	w.box.Contacts().Contact(person)
	w.box.Contacts("Friends").Contact(Contact{GivenName: "Eve"})
	event = w.box.Calendar("").Event(meeting)
	w.box.Calendar("").Event(Event{Subject: "Holiday", Start: when.Truncate(24 * time.Hour), End: when.Truncate(24*time.Hour).AddDate(0, 0, 1), AllDay: true, Private: true, OnlineURL: "https://teams.example/1"})
	w.box.Calendar("Team").Event(Event{Subject: "Once", Start: when, End: when.Add(time.Hour), Attachments: []Attachment{{Name: "x", Content: []byte("x")}}})
	return letterItem, event
}

// TestShapes: every answer has the names, types and enumerations of Microsoft's metadata.
func TestShapes(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t)})
	m, e := furnish(w)
	id, event := m.ID(false), e.ID(false)
	const view = "?startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"
	const item = "?$expand=microsoft.graph.itemattachment/item"
	for _, path := range []string{
		"/users", "/users/" + ali, "/users/" + ali + "?$select=id,accountEnabled,userType,assignedLicenses,proxyAddresses,createdDateTime,onPremisesSyncEnabled", "mailboxSettings",
		"mailFolders?includeHiddenFolders=true&$top=100&$count=true", "mailFolders/inbox", "mailFolders/msgfolderroot/childFolders", "mailFolders/delta",
		"messages?$top=50", "mailFolders/inbox/messages?$select=subject,from,internetMessageHeaders,uniqueBody", "mailFolders/inbox/messages/delta",
		"messages/" + id, "messages/" + id + "?$expand=attachments", "messages/" + id + "?$expand=singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E07')", "messages/" + id + "/attachments", "messages/" + id + "/attachments" + item,
		"contactFolders", "contactFolders/delta", "contacts", "contacts/delta", "contactFolders/contacts/childFolders",
		"calendars", "events", "events?$expand=exceptionOccurrences&$select=subject,cancelledOccurrences", "events/" + event + "/instances" + view, "calendarView" + view, "calendarView/delta" + view,
	} {
		r := w.want(strings.ReplaceAll(path, " ", "%20"), 200, "")
		for _, v := range w.n.Violations() {
			t.Errorf("%s: %s", path, v)
		}
		if t.Failed() {
			t.Fatalf("%s", r.raw)
		}
	}
	folder := w.box.Folder("inbox")
	m.Delete()
	w.round("mailFolders/" + esc(folder.ID()) + "/messages/delta")
	for _, a := range w.get("messages/" + folder.Items()[0].ID(false) + "/attachments").values() {
		w.want("messages/"+id+"/attachments/"+a["id"].(string), 200, "")
	}
	if bad := w.n.Violations(); len(bad) != 0 {
		t.Error(bad)
	}
}

func TestShapesCanGoRed(t *testing.T) {
	s := metadata(t)
	for _, c := range []struct{ kind, body, want string }{
		{"mailFolder", `{"id":"1","wellKnownName":"inbox"}`, "has no wellKnownName"},
		{"message", `{"isRead":"yes"}`, "is no Edm.Boolean"},
		{"message", `{"importance":"urgent"}`, "is none of"},
		{"message", `{"receivedDateTime":"23.11.2026"}`, "is no Edm.DateTimeOffset"},
		{"message", `{"toRecipients":{"emailAddress":{}}}`, "a list or not"},
		{"message", `{"toRecipients":[{"emailAddress":{"mail":"x"}}]}`, "has no mail"},
		{"message", `{"categories":null}`, "null is not allowed"},
		{"attachment", `{"contentBytes":"AA=="}`, "has no contentBytes"},
		{"attachment", `{"@odata.type":"#microsoft.graph.fileAttachment","contentBytes":"?"}`, "is no Edm.Binary"},
		{"attachment", `{"@odata.type":"#microsoft.graph.contact"}`, "is no microsoft.graph.attachment"},
		{"event", `{"recurrence":{"range":{"startDate":"2026-11-23T00:00:00Z"}}}`, "is no Edm.Date"},
		{"contact", `{"@odata.what":1}`, "annotation"},
		{"event", `{"reminderMinutesBeforeStart":1.5}`, "is no Edm.Int32"},
	} {
		if got := strings.Join(s.Check(c.kind, []byte(c.body)), "; "); !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.kind, c.body, got, c.want)
		}
	}
	w := newWorld(t, Options{Schema: s})
	w.box.Folder("inbox").Message(Message{Importance: "urgent"})
	w.want("messages", 200, "")
	if len(w.n.Violations()) != 1 {
		t.Errorf("a wrong answer went unseen: %v", w.n.Violations())
	}
}

func TestItems(t *testing.T) {
	w := newWorld(t, Options{})
	m, _ := furnish(w)
	path := "messages/" + m.ID(false)
	if r := w.want(path+"/$value", 200, ""); !strings.Contains(string(r.raw), "message/rfc822") || !strings.Contains(string(r.raw), "Message-ID: <") {
		t.Errorf("%s", r.raw)
	}
	all := w.get(path + "/attachments").values()
	one := path + "/attachments/" + all[2]["id"].(string)
	if w.get(one).body["item"] != nil || w.get(one + "?$expand=microsoft.graph.itemattachment/item").body["item"] == nil {
		t.Error("an attached item is there if it is expanded, and only then")
	}
	for _, c := range []struct {
		code       string
		mime, read int
	}{{MimeConversionFailed, 500, 200}, {CorruptData, 500, 500}, {InvalidRecipients, 400, 400}, {ItemNotFound, 404, 404}, {CannotOpenAttachment, 200, 200}} {
		m.Poison(Poison{Code: c.code})
		if a, b := w.get(path+"/$value"), w.get(path); a.status != c.mime || b.status != c.read || a.status >= 400 && a.code() != c.code {
			t.Errorf("%s: %d %d", c.code, a.status, b.status)
		}
	}
	w.want(path+"/attachments", 400, CannotOpenAttachment)
	m.Poison(Poison{Code: ContentConversion})
	w.want("mailFolders/inbox/messages", 500, "InternalServerError")
	w.want(path+"?$select=nonsense", 500, ContentConversion)
	m.Poison(Poison{})
	w.want(path+"?$select=nonsense", 400, "BadRequest")
	got := w.get("calendarView?startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z").values()
	if len(got) != 4 { // three of the series, one holiday
		t.Errorf("%d events in the view", len(got))
	}
}

func TestPermissions(t *testing.T) {
	w := newWorld(t, Options{}, "Mail.ReadBasic.All")
	i := w.box.Folder("inbox").Message(letter(1))
	if r := w.want("messages/"+i.ID(false), 200, ""); r.body["body"] != nil {
		t.Error("Mail.ReadBasic.All shows a body")
	}
	w.want("messages/"+i.ID(false)+"/$value", 403, "ErrorAccessDenied")
	w.want("contacts", 403, "ErrorAccessDenied")
	w.want("/users", 403, "Authorization_RequestDenied")
	app := w.n.AddApp("scoped", secret, nil)
	app.Scope("Mail.Read", ali)
	w.n.AddUser(User{UPN: "bo@contoso.example"})
	w.n.AddUser(User{UPN: "no@contoso.example", NoMailbox: true})
	w.token = w.n.Token("scoped")
	w.want("messages", 200, "")
	w.want("/users/bo@contoso.example/messages", 403, "ErrorAccessDenied")
	w.want("/users/no@contoso.example/messages", 404, "MailboxNotEnabledForRESTAPI")
	w.want("/users/nobody/messages", 404, "Request_ResourceNotFound")
}
