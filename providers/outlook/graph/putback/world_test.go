package putback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/putback"
	"keepwatch/providers/outlook/graphtest"
)

const (
	app    = "6f5d4a3b-0000-4000-8000-000000000002"
	secret = "s3cr3t~Value.Of.The.App"
	ali    = "ali@contoso.example"
)

var everything = []string{"Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite"}

// hasty is a clock in which pauses are over at once; what guards a call stays.
type hasty struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (h *hasty) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *hasty) AfterFunc(d time.Duration, f func()) func() {
	if d >= 90*time.Second {
		t := time.AfterFunc(d, f)
		return func() { t.Stop() }
	}
	h.pass(d)
	go f()
	return func() {}
}

func (h *hasty) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

// wire is the network, of which a test can cut one call.
type wire struct {
	under http.RoundTripper
	host  string

	mu    sync.Mutex
	calls int
	cut   int  // the call that fails; 0: none
	done  bool // it has its effect, and the answer is lost
	kill  func()
}

var errCut = errors.New("the connection was cut")

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != w.host {
		return w.under.RoundTrip(r)
	}
	w.mu.Lock()
	w.calls++
	hit := w.calls == w.cut
	done, kill := w.done, w.kill
	w.mu.Unlock()
	if !hit {
		return w.under.RoundTrip(r)
	}
	if done {
		if a, err := w.under.RoundTrip(r); err == nil {
			_, _ = io.Copy(io.Discard, a.Body) // it is lost
			a.Body.Close()
		}
	} else if r.Body != nil {
		r.Body.Close()
	}
	if kill != nil {
		kill()
	}
	return nil, errCut
}

func (w *wire) cutAt(n int, done bool, kill func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.cut, w.done, w.kill = 0, n, done, kill
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

type world struct {
	t     *testing.T
	n     *graphtest.Tenant
	box   *graphtest.Mailbox
	wire  *wire
	clock *hasty
	r     *putback.Restorer
}

func newWorld(t *testing.T, permissions ...string) *world {
	t.Helper()
	if permissions == nil {
		permissions = everything
	}
	w := &world{t: t, clock: &hasty{}}
	w.n = graphtest.New(t, graphtest.Options{Now: w.clock.Now, Schema: metadata(t)})
	w.n.AddApp(app, secret, nil, permissions...)
	w.box = w.n.AddUser(graphtest.User{UPN: ali, Name: "Ali"})
	u, err := url.Parse(w.n.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.wire = &wire{under: w.n.Client().Transport, host: u.Host}
	w.restart()
	t.Cleanup(func() {
		for _, v := range w.n.Violations() {
			t.Error(v)
		}
		if w.n.Sent() != 0 {
			t.Errorf("%d mails or invitations went out", w.n.Sent())
		}
	})
	return w
}

// restart makes a new process.
func (w *world) restart() {
	w.t.Helper()
	c, err := graph.New(graph.Config{
		Tenant: w.n.ID(), Client: app, Secret: keepwatch.NewSecret(secret), GraphURL: w.n.URL + "/v1.0", LoginURL: w.n.LoginURL, Transport: w.wire, Clock: w.clock,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.r, err = putback.New(putback.Config{Client: c, Pause: func(ctx context.Context, d time.Duration) error { w.clock.pass(d); return context.Cause(ctx) }})
	if err != nil {
		w.t.Fatal(err)
	}
}

const metadataPath = "../../../../../shared/spec/graph-v1.0.csdl"

// readMetadata reads it once: it is long, and nobody changes what was read.
var readMetadata = sync.OnceValues(func() (*graphtest.Schema, error) { return graphtest.ReadSchema(metadataPath) })

// metadata reads Microsoft's type metadata where it is there; in CI it has to be.
func metadata(t *testing.T) *graphtest.Schema {
	t.Helper()
	if _, err := os.Stat(metadataPath); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the type metadata of Microsoft Graph is not there, and CI checks against it")
		}
		return nil
	}
	s, err := readMetadata()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) folder(kind outlook.Kind, name string) outlook.Folder {
	w.t.Helper()
	f, err := w.r.MakeFolder(w.t.Context(), ali, kind, "", name)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) put(f outlook.Folder, item outlook.Item, content []byte) outlook.Restored {
	w.t.Helper()
	done, err := w.tryPut(w.t.Context(), f, item, content)
	if err != nil {
		w.t.Fatal(err)
	}
	if !done.Whole || done.ID == "" {
		w.t.Fatalf("%+v", done)
	}
	return done
}

func (w *world) tryPut(ctx context.Context, f outlook.Folder, item outlook.Item, content []byte) (outlook.Restored, error) {
	return w.r.Put(ctx, ali, f, item, outlook.Mark{Run: 7, Item: item.ID}, bytes.NewReader(content), int64(len(content)))
}

// marked gives what has marks of a run, by Mark.Item.
func (w *world) marked(f outlook.Folder, run int64) map[string]outlook.Restored {
	w.t.Helper()
	all := map[string]outlook.Restored{}
	for x, err := range w.r.Marked(w.t.Context(), ali, f, run) {
		if err != nil {
			w.t.Fatal(err)
		}
		all[x.Item] = x.Restored
	}
	return all
}

// inside gives the items of a folder of the fake.
func (w *world) inside(f outlook.Folder) []*graphtest.Item {
	switch f.Kind {
	case outlook.Contacts:
		return w.box.Contacts(f.Path...).Items()
	case outlook.Calendar:
		return w.box.Calendar(f.Name()).Items()
	}
	return w.box.Folder(f.Path...).Items()
}

// get asks the fake as any program would.
func (w *world) get(path string) []byte {
	w.t.Helper()
	r, err := http.NewRequest("GET", w.n.URL+"/v1.0/users/"+ali+"/"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.n.Token(app))
	r.Header.Set("Prefer", `IdType="ImmutableId"`)
	a, err := w.n.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Body.Close()
	data, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != 200 {
		w.t.Fatalf("GET %s: %d %v %s", path, a.StatusCode, err, data)
	}
	return data
}

func (w *world) json(path string) map[string]any {
	w.t.Helper()
	var out map[string]any
	if err := json.Unmarshal(w.get(path), &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func lines(all ...string) []byte { return []byte(strings.Join(all, "\r\n") + "\r\n") }

var when = time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
