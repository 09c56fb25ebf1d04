package graphtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	appID  = "11111111-2222-3333-4444-555555555555"
	secret = "s3cret-of-the-app"
	ali    = "ali@contoso.example"
)

// everything is all that the fake asks for.
var everything = []string{"Mail.Read", "Contacts.Read", "Calendars.Read", "MailboxSettings.Read", "User.Read.All"}

// ticker is a clock that a test moves.
type ticker struct {
	mu  sync.Mutex
	now time.Time
}

func (k *ticker) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *ticker) add(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
}

// world is a tenant with one person and a client.
type world struct {
	t     *testing.T
	n     *Tenant
	box   *Mailbox
	clock *ticker
	token string
}

func newWorld(t *testing.T, o Options, permissions ...string) *world {
	t.Helper()
	clock := &ticker{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	o.Now = clock.Now
	n := New(t, o)
	if permissions == nil {
		permissions = everything
	}
	n.AddApp(appID, secret, nil, permissions...)
	box := n.AddUser(User{UPN: ali, Name: "Ali"})
	return &world{t: t, n: n, box: box, clock: clock, token: n.Token(appID)}
}

type reply struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (r reply) values() []map[string]any {
	all, _ := r.body["value"].([]any)
	out := []map[string]any{}
	for _, v := range all {
		out = append(out, v.(map[string]any))
	}
	return out
}

func (r reply) text(key string) string { s, _ := r.body[key].(string); return s }

// try asks; a path without a scheme is below the mailbox of Ali. An error is that of the
// connection.
func (w *world) try(method, path, body string, headers ...string) (reply, error) {
	w.t.Helper()
	if !strings.HasPrefix(path, "http") {
		if !strings.HasPrefix(path, "/") {
			path = "/users/" + ali + "/" + path
		}
		path = w.n.URL + "/v1.0" + path
	}
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Add(k, v)
	}
	resp, err := w.n.Client().Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	out := reply{status: resp.StatusCode, header: resp.Header, raw: data}
	_ = json.Unmarshal(data, &out.body) // what is not JSON is looked at as bytes
	return out, err
}

func (w *world) get(path string, headers ...string) reply {
	w.t.Helper()
	r, err := w.try("GET", path, "", headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// want asks and expects a status and a code of an error.
func (w *world) want(path string, status int, code string, headers ...string) reply {
	w.t.Helper()
	r := w.get(path, headers...)
	if r.status != status || r.code() != code {
		w.t.Fatalf("GET %s: %d %q, want %d %q: %s", path, r.status, r.code(), status, code, r.raw)
	}
	return r
}

// round follows a delta query to its deltaLink.
func (w *world) round(path string, headers ...string) (all []map[string]any, next string, pages int) {
	w.t.Helper()
	for pages = 1; ; pages++ {
		r := w.want(path, 200, "", headers...)
		all = append(all, r.values()...)
		if next = r.text("@odata.deltaLink"); next != "" {
			return all, next, pages
		}
		if path = r.text("@odata.nextLink"); path == "" {
			w.t.Fatalf("neither a nextLink nor a deltaLink: %s", r.raw)
		}
	}
}

const immutable = `Prefer: IdType="ImmutableId"`

// metadata reads Microsoft's type metadata where it is there; in CI it has to be.
func metadata(t *testing.T) *Schema {
	t.Helper()
	const path = "../../../../shared/spec/graph-v1.0.csdl"
	if _, err := os.Stat(path); err == nil {
		s, err := ReadSchema(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if os.Getenv("CI") != "" {
		t.Fatal("the type metadata of Microsoft Graph is not there, and CI checks against it")
	}
	t.Skip("the type metadata of Microsoft Graph is not there")
	return nil
}

func esc(id string) string { return url.PathEscape(id) }

func letter(i int) Message {
	return Message{Subject: fmt.Sprintf("Letter %d", i), From: Address{"Bea", "bea@fabrikam.example"}, To: []Address{{"Ali", ali}}, Body: "Hello.\r\n", Read: i%2 == 0}
}
