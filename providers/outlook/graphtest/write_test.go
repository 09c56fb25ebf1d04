package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var writers = append([]string{"Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite", "Mail.Send"}, everything...)

// send writes JSON and expects a status and a code.
func (w *world) send(method, path, body string, status int, code string, headers ...string) reply {
	w.t.Helper()
	if body != "" && len(headers) == 0 {
		headers = []string{"Content-Type: application/json"}
	}
	r, err := w.try(method, path, body, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	if r.status != status || r.code() != code {
		w.t.Fatalf("%s %s: %d %q, want %d %q: %s", method, path, r.status, r.code(), status, code, r.raw)
	}
	return r
}

func flags(value string) string {
	return `{"subject":"Old","isRead":true,"toRecipients":[{"emailAddress":{"address":"a@b.example"}}],"singleValueExtendedProperties":[{"id":"SystemTime 0x0E06","value":"2019-03-04T05:06:07Z"}` + value + `]}`
}

// TestDrafts: what is made is a draft unless PR_MESSAGE_FLAGS says otherwise when it is
// made, and what a message says can be changed in drafts only.
func TestDrafts(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t)}, writers...)
	for _, c := range []struct {
		flags       string
		draft, read bool
	}{{"", true, true}, {`,{"id":"Integer 0x0E07","value":"1"}`, false, true}, {`,{"id":"Integer 0x0E07","value":"4"}`, false, true}, {`,{"id":"Integer 0x0E07","value":"9"}`, true, true}} {
		r := w.send("POST", "mailFolders/inbox/messages", flags(c.flags), 201, "")
		if r.body["isDraft"] != c.draft || r.body["isRead"] != c.read || r.text("receivedDateTime") != "2019-03-04T05:06:07Z" {
			t.Errorf("%+v: %s", c, r.raw)
		}
		path := "messages/" + esc(r.text("id"))
		status, code := 403, "ErrorAccessDenied"
		if c.draft {
			status, code = 200, ""
		}
		for _, s := range []string{`{"subject":"New"}`, `{"toRecipients":[]}`, `{"body":{"contentType":"text","content":"x"}}`, `{"internetMessageId":"<x@y>"}`} {
			w.send("PATCH", path, s, status, code)
		}
		w.send("PATCH", path, `{"isRead":false,"categories":["Red"],"singleValueExtendedProperties":[{"id":"Integer 0x0E07","value":"8"}]}`, 200, "")
		if got := w.want(path, 200, ""); got.body["isDraft"] != c.draft || got.body["isRead"] != false {
			t.Errorf("%s", got.raw)
		}
	}
	mime := base64.StdEncoding.EncodeToString([]byte("Subject: By MIME\r\nMessage-ID: <m@x>\r\n\r\nx\r\n"))
	if r := w.send("POST", "mailFolders/inbox/messages", mime, 201, "", "Content-Type: text/plain"); r.body["isDraft"] != true || r.text("subject") != "By MIME" {
		t.Errorf("%s", r.raw)
	}
	w.send("POST", "mailFolders/inbox/messages", "%", 400, "ErrorMimeContentInvalidBase64String", "Content-Type: text/plain")
	header := func(names ...string) string {
		var all []map[string]string
		for _, n := range names {
			all = append(all, map[string]string{"name": n, "value": "v"})
		}
		data, _ := json.Marshal(map[string]any{"internetMessageHeaders": all})
		return string(data)
	}
	w.send("POST", "messages", header("X-a", "x-b", "X-c", "X-d", "X-e"), 201, "")
	w.send("POST", "messages", header("X-a", "X-b", "X-c", "X-d", "X-e", "X-f"), 400, "InvalidInternetMessageHeaderCollection")
	w.send("POST", "messages", header("Received"), 400, "InvalidInternetMessageHeader")
	if bad := w.n.Violations(); len(bad) != 0 || w.n.Sent() != 0 {
		t.Error(bad, w.n.Sent())
	}
	w.send("POST", "messages", `{"urgent":true}`, 201, "")
	if bad := w.n.Violations(); len(bad) != 1 {
		t.Errorf("a wrong request went unseen: %v", bad)
	}
}

// TestUploads: a session takes ranges in their order, without a token, while it lasts.
func TestUploads(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t), Limits: Limits{Upload: 30 << 20}}, writers...)
	id := esc(w.send("POST", "messages", "{}", 201, "").text("id"))
	begin := func(size int, status int, code string) string {
		t.Helper()
		body := fmt.Sprintf(`{"AttachmentItem":{"attachmentType":"file","name":"a.bin","size":%d}}`, size)
		return w.send("POST", "messages/"+id+"/attachments/createUploadSession", body, status, code).text("uploadUrl")
	}
	begin(2_999_999, 400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize")
	begin(151<<20, 400, "ErrorAttachmentSizeLimitExceeded")
	const size = 5_000_000
	data := strings.Repeat("x", size)
	put := func(address string, from, to int, token bool) reply {
		t.Helper()
		r, err := http.NewRequest("PUT", address, strings.NewReader(data[from:to]))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
		if token {
			r.Header.Set("Authorization", "Bearer "+w.token)
		}
		a, err := w.n.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		out := reply{status: a.StatusCode, header: a.Header}
		_ = json.NewDecoder(a.Body).Decode(&out.body) // the last range has no body
		return out
	}
	address := begin(size, 201, "")
	for n, c := range []struct {
		from, to, status int
		token            bool
	}{{0, 3_000_000, 401, true}, {1, 3_000_000, 416, false}, {0, 4_500_000, 413, false}, {0, 3_000_000, 200, false}, {0, 3_000_000, 416, false}, {3_000_000, 5_000_000, 201, false}, {3_000_000, 5_000_000, 404, false}} {
		if r := put(address, c.from, c.to, c.token); r.status != c.status {
			t.Errorf("range %d: %d, want %d: %v", n, r.status, c.status, r.body)
		} else if r.status == 200 && fmt.Sprint(r.body["nextExpectedRanges"]) != "[3000000]" || r.status == 201 && !strings.Contains(r.header.Get("Location"), "/Attachments('") {
			t.Errorf("range %d: %v %v", n, r.body, r.header)
		}
	}
	if all := w.get("messages/" + id + "/attachments?$select=id,size").values(); len(all) != 1 {
		t.Errorf("%d attachments", len(all))
	}
	address = begin(size, 201, "")
	w.clock.add(time.Hour)
	w.token = w.n.Token(appID)
	if r := put(address, 0, 1000, false); r.status != 404 {
		t.Errorf("a session that ended takes a range: %d", r.status)
	}
	for range 10 {
		address = begin(size, 201, "")
		if r := put(address, 0, 3_500_000, false); r.status == 429 {
			return
		}
	}
	t.Error("no limit of upload")
}

// TestAttaching: one call takes less than 3 MB, and items with what is attached to them.
func TestAttaching(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t)}, writers...)
	id := esc(w.send("POST", "messages", "{}", 201, "").text("id"))
	file := func(size int) string {
		return `{"@odata.type":"#microsoft.graph.fileAttachment","name":"a","contentBytes":"` + base64.StdEncoding.EncodeToString(make([]byte, size)) + `"}`
	}
	item := `{"@odata.type":"#microsoft.graph.itemAttachment","name":"i","item":{"@odata.type":"#microsoft.graph.message","subject":"Inner","attachments":[` + file(3) + `]}}`
	w.send("POST", "messages/"+id+"/attachments", file(3<<20-1), 201, "")
	w.send("POST", "messages/"+id+"/attachments", file(3<<20), 413, "RequestEntityTooLarge")
	w.send("POST", "messages/"+id+"/attachments", item, 201, "")
	w.send("POST", "messages", `{"attachments":[`+file(100)+`,`+item+`]}`, 201, "")
	w.send("POST", "messages", `{"attachments":[`+file(3<<20-1)+`]}`, 413, "BadRequest")
	if all := w.get("messages/" + id + "/attachments").values(); len(all) != 2 || all[1]["@odata.type"] != "#microsoft.graph.itemAttachment" {
		t.Errorf("%d attachments", len(all))
	}
	w.box.SetMaxMessage(4_000_000)
	w.send("POST", "messages/"+id+"/attachments", file(1_000_000), 413, "ErrorMessageSizeExceeded")
	w.box.Fill(true)
	w.send("POST", "messages", "{}", 507, "ErrorQuotaExceeded")
	if bad := w.n.Violations(); len(bad) != 0 {
		t.Error(bad)
	}
}

// TestInvitations: who attends is told, of whatever happens.
func TestInvitations(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t)}, writers...)
	plain := `"start":{"dateTime":"2026-11-23T09:00:00","timeZone":"W. Europe Standard Time"},"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"W. Europe Standard Time"}`
	id := esc(w.send("POST", "events", `{"subject":"Alone","transactionId":"t1",`+plain+`}`, 201, "").text("id"))
	w.send("POST", "events", `{"subject":"Alone","transactionId":"t1",`+plain+`}`, 409, "ErrorDuplicateTransactionId")
	w.send("PATCH", "events/"+id, `{"subject":"Still alone"}`, 200, "")
	w.send("DELETE", "events/"+id, "", 204, "")
	if w.n.Sent() != 0 {
		t.Errorf("%d", w.n.Sent())
	}
	id = esc(w.send("POST", "events", `{"attendees":[{"type":"required","emailAddress":{"address":"a@b.example"}}],`+plain+`}`, 201, "").text("id"))
	w.send("PATCH", "events/"+id, `{"subject":"Moved"}`, 200, "")
	w.send("DELETE", "events/"+id, "", 204, "")
	w.send("POST", "sendMail", "{}", 202, "")
	if w.n.Sent() != 4 {
		t.Errorf("%d went out, not 4", w.n.Sent())
	}
	w.send("POST", "events", `{"subject":"x","start":{"dateTime":"2026-11-23T09:00:00","timeZone":"Mars"},"end":{"dateTime":"2026-11-23T09:00:00","timeZone":"UTC"}}`, 400, "TimeZoneNotSupportedException")
	w.send("POST", "events", `{"iCalUId":"x",`+plain+`}`, 400, "ErrorInvalidPropertySet")
	series := w.send("POST", "events", `{"recurrence":{"pattern":{"type":"daily","interval":1},"range":{"type":"numbered","startDate":"2026-11-23","numberOfOccurrences":3}},`+plain+`}`, 201, "")
	view := "events/" + esc(series.text("id")) + "/instances?startDateTime=2026-11-20T00:00:00Z&endDateTime=2026-12-20T00:00:00Z"
	all := w.get(view).values()
	w.send("DELETE", "events/"+esc(all[0]["id"].(string)), "", 204, "")
	w.send("PATCH", "events/"+esc(all[1]["id"].(string)), `{"subject":"Other"}`, 200, "")
	if all = w.get(view).values(); len(all) != 2 || all[0]["subject"] != "Other" || all[0]["type"] != "exception" || all[0]["originalStart"] != "2026-11-24T08:00:00Z" {
		t.Errorf("%v", all)
	}
	if bad := w.n.Violations(); len(bad) != 0 {
		t.Error(bad)
	}
}

// TestMarks: items are found by named properties, whose values are compared without
// regard to case.
func TestMarks(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t)}, writers...)
	const name = "String {00020329-0000-0000-C000-000000000046} Name mark"
	mark := `"singleValueExtendedProperties":[{"id":"` + name + `","value":"7/Ab'"}]`
	plain := `"start":{"dateTime":"2026-11-23T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"UTC"}`
	for path, body := range map[string]string{"mailFolders/inbox/messages": "{" + mark + "}", "contactFolders/contacts/contacts": `{"givenName":"A",` + mark + "}", "calendars/calendar/events": "{" + plain + "," + mark + "}"} {
		w.send("POST", path, body, 201, "")
		w.send("POST", path, strings.NewReplacer(`,"singleValue`, `,"singleValue`, "7/Ab'", "8/x").Replace(body), 201, "")
		for filter, n := range map[string]int{
			"ep/value eq '7/aB'''": 1, "ep/value eq '7/a'": 0, "startswith(ep/value,'7/')": 1, "contains(ep/value,'/')": 2,
		} {
			q := url.Values{"$select": {"id"}, "$filter": {"singleValueExtendedProperties/Any(ep: ep/id eq '" + name + "' and " + filter + ")"}, "$expand": {"singleValueExtendedProperties($filter=id eq '" + name + "')"}}
			all := w.want(path+"?"+q.Encode(), 200, "").values()
			if len(all) != n || n > 0 && all[0]["singleValueExtendedProperties"] == nil {
				t.Errorf("%s, %s: %v", path, filter, all)
			}
		}
		w.want(path+"?$filter="+url.QueryEscape("nonsense eq 1"), 400, "ErrorInvalidUrlQueryFilter")
	}
	if bad := w.n.Violations(); len(bad) != 0 {
		t.Error(bad)
	}
}

// TestWriting: folders of one name are one, and reading is not writing.
func TestWriting(t *testing.T) {
	w := newWorld(t, Options{Schema: metadata(t)}, writers...)
	for path, body := range map[string]string{"mailFolders": `{"displayName":"%s"}`, "contactFolders": `{"displayName":"%s"}`, "calendars": `{"name":"%s"}`} {
		made := w.send("POST", path, fmt.Sprintf(body, "New"), 201, "")
		w.send("POST", path, fmt.Sprintf(body, "nEw"), 409, "ErrorFolderExists")
		if path != "calendars" {
			w.send("POST", path+"/"+esc(made.text("id"))+"/childFolders", fmt.Sprintf(body, "New"), 201, "")
		}
	}
	id := esc(w.send("POST", "contacts", `{"givenName":"A"}`, 201, "").text("id"))
	w.send("PUT", "contacts/"+id+"/photo/$value", "jpeg", 200, "", "Content-Type: image/jpeg")
	if r := w.want("contacts/"+id+"/photo/$value", 200, ""); string(r.raw) != "jpeg" {
		t.Errorf("%s", r.raw)
	}
	w.n.Fail(Fault{Lost: true})
	if _, err := w.try("DELETE", "contacts/"+id, ""); err == nil {
		t.Error("the answer was not lost")
	}
	w.want("contacts/"+id, 404, "ErrorItemNotFound")
	w.n.Fail(Fault{Deny: true, Times: 3})
	if _, err := w.try("POST", "contacts", `{"givenName":"B"}`, "Content-Type: application/json"); err == nil || len(w.box.Contacts().Items()) != 0 {
		t.Error("what was denied had an effect")
	}
	w.n.Heal()
	w.n.AddApp(appID, secret, nil, everything...)
	w.token = w.n.Token(appID)
	for _, path := range []string{"messages", "contacts", "events", "mailFolders", "contactFolders", "calendars"} {
		w.send("POST", path, "{}", 403, "ErrorAccessDenied")
	}
	if bad := w.n.Violations(); len(bad) != 0 {
		t.Error(bad)
	}
}
