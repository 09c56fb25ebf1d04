package box

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

const (
	appID  = "11111111-2222-3333-4444-555555555555"
	secret = "s3cret-of-the-app"
	alis   = "alis@contoso.example"
)

var everything = []string{"Mail.Read", "Contacts.Read", "Calendars.Read"}

// hasty is a clock on which every pause is over at once, and time has passed. The timeouts
// of calls (100 s, 2 min) never come.
type hasty struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hasty) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hasty) AfterFunc(d time.Duration, f func()) func() {
	if d == 100*time.Second || d == 2*time.Minute {
		return func() {}
	}
	h.mu.Lock()
	h.now = h.now.Add(d)
	h.mu.Unlock()
	go f()
	return func() {}
}

// world is a tenant with one mailbox, and what reads it.
type world struct {
	t   *testing.T
	n   *graphtest.Tenant
	b   *graphtest.Mailbox
	box *Box
	clk *hasty
	// flying is how many calls may have been under way when others were refused.
	flying int
}

func newWorld(t *testing.T, o graphtest.Options) *world {
	t.Helper()
	w := &world{t: t, clk: &hasty{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}}
	o.Now, o.Schema = w.clk.Now, metadata(t)
	w.n = graphtest.New(t, o)
	w.n.AddApp(appID, secret, nil, everything...)
	w.b = w.n.AddUser(graphtest.User{UPN: alis, Name: "Alis"})
	w.box = w.open(graph.Config{})
	t.Cleanup(func() {
		for _, v := range w.n.Violations() {
			t.Errorf("violation: %s", v)
		}
		for _, r := range w.n.Requests() {
			if o.Schema == nil {
				break
			}
			for _, v := range unknownNames(o.Schema, r) {
				t.Errorf("request: %s", v)
			}
		}
		if n := w.n.HighWater(alis); n > lanes {
			t.Errorf("%d calls at once for one mailbox", n)
		}
		if n := w.n.Early(); n > w.flying {
			t.Errorf("%d calls before a Retry-After was over", n)
		}
	})
	return w
}

func (w *world) open(c graph.Config) *Box {
	w.t.Helper()
	c.Tenant, c.Client, c.Secret = graphtest.DefaultTenant, appID, keepwatch.NewSecret(secret)
	c.GraphURL, c.LoginURL, c.Transport, c.Clock = w.n.URL+"/v1.0", w.n.LoginURL, w.n.Client().Transport, w.clk
	client, err := graph.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := New(Config{Client: client})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// metadata reads Microsoft's type metadata where it is there; in CI it has to be.
func metadata(t *testing.T) *graphtest.Schema {
	t.Helper()
	const path = "../../../../../shared/spec/graph-v1.0.csdl"
	if _, err := os.Stat(path); err == nil {
		s, err := schema(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if os.Getenv("CI") != "" {
		t.Fatal("the type metadata of Microsoft Graph is not there, and CI checks against it")
	}
	return nil
}

// schema reads it once for all tests: nobody changes it.
var schema = func() func(string) (*graphtest.Schema, error) {
	var once sync.Once
	var s *graphtest.Schema
	var err error
	return func(path string) (*graphtest.Schema, error) {
		once.Do(func() { s, err = graphtest.ReadSchema(path) })
		return s, err
	}
}()

func (w *world) folders(wish outlook.Wish) []outlook.Folder {
	w.t.Helper()
	all, err := w.box.Folders(context.Background(), alis, wish)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// folder is the one of a title.
func (w *world) folder(kind outlook.Kind, title string) outlook.Folder {
	w.t.Helper()
	for _, f := range w.folders(outlook.Wish{Kinds: []outlook.Kind{kind}, Hidden: true, Recoverable: true}) {
		if f.Title() == title {
			return f
		}
	}
	w.t.Fatalf("no folder %q", title)
	return outlook.Folder{}
}

// reading is what was read of a folder.
type reading struct {
	items   map[string]outlook.Item
	removed map[string]string
	pages   int
	at      outlook.Position
}

func (w *world) read(f outlook.Folder, from outlook.Position) (reading, error) {
	r := reading{items: map[string]outlook.Item{}, removed: map[string]string{}, at: from}
	for c, err := range w.box.Changes(context.Background(), alis, f, from) {
		if err != nil {
			return r, err
		}
		if r.at.Ended() && r.pages > 0 {
			w.t.Error("a page after the last one")
		}
		for _, it := range c.Items {
			if it.Folder != f.ID || it.Kind != f.Kind {
				w.t.Errorf("an item of %q in %q", it.Folder, f.ID)
			}
			if it.Removed != "" {
				delete(r.items, it.ID)
				r.removed[it.ID] = it.Removed
				continue
			}
			r.items[it.ID] = it
		}
		r.pages++
		r.at = c.Position
	}
	return r, nil
}

func (w *world) whole(f outlook.Folder) reading {
	w.t.Helper()
	r, err := w.read(f, outlook.Position{})
	if err != nil {
		w.t.Fatal(err)
	}
	if !r.at.Ended() || !r.at.Full {
		w.t.Fatalf("the reading ended at %+v", r.at)
	}
	return r
}

// content reads an item of a folder whole.
func (w *world) content(f outlook.Folder, id string) (outlook.Content, string) {
	w.t.Helper()
	c, text, err := w.try(f, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return c, text
}

func (w *world) try(f outlook.Folder, id string) (outlook.Content, string, error) {
	w.t.Helper()
	it, ok := w.whole(f).items[id]
	if !ok {
		w.t.Fatalf("the item is not listed in %q", f.Title())
	}
	return w.bring(it)
}

func (w *world) bring(it outlook.Item) (outlook.Content, string, error) {
	c, err := w.box.Content(context.Background(), alis, it)
	if err != nil {
		return c, "", err
	}
	data, err := io.ReadAll(c.Body)
	return c, string(data), errors.Join(err, c.Body.Close())
}

func letter() graphtest.Message {
	return graphtest.Message{Subject: "Hello", From: graphtest.Address{Name: "Bea", Address: "bea@fabrikam.example"}, To: []graphtest.Address{{Name: "Alis", Address: alis}}, Body: "Good morning.\r\n"}
}
