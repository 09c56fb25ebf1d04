package entra

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

const (
	botID   = "11111111-2222-3333-4444-555555555555"
	payroll = "22222222-2222-3333-4444-555555555555"
	secret1 = "s3cr3t~Value.Of.The.App"
	alis    = "alis@contoso.example"
	olwen   = "olwen@contoso.example"
	bg1     = "bg1@contoso.onmicrosoft.com"
	number  = "+44 7700 900123"
)

// all are the permissions that everything here needs.
func all() []string {
	return []string{"Mail.Read", readApplications, readMethods, readAuthenticator, readReport, readRoles, readUsers, readOrganisation, readDomains, readLicences, readMembers}
}

// hurry is a clock whose pauses pass at once. What limits a call (100 seconds until it is
// answered, two minutes between bytes) never comes.
type hurry struct {
	mu     sync.Mutex
	now    time.Time
	passed time.Duration
}

func (h *hurry) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hurry) add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now, h.passed = h.now.Add(d), h.passed+d
}

func (h *hurry) AfterFunc(d time.Duration, f func()) func() {
	if d != 100*time.Second && d != 2*time.Minute {
		h.add(d)
		f()
	}
	return func() {}
}

type world struct {
	t     *testing.T
	n     *graphtest.Tenant
	app   *graphtest.App
	clock *hurry
	log   *bytes.Buffer
	d     *Directory
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// schema is Microsoft's type metadata, read once, or nil where it is not there, of which
// graphtest's own test tells.
var schema = sync.OnceValue(func() *graphtest.Schema {
	s, err := graphtest.ReadSchema("../../../../../shared/spec/graph-v1.0.csdl")
	if err != nil {
		return nil
	}
	return s
})

// newWorld is a tenant with three people, of whom two are Global Administrators.
func newWorld(t *testing.T, permissions ...string) *world {
	t.Helper()
	w := &world{t: t, clock: &hurry{now: noon}, log: &bytes.Buffer{}}
	w.n = graphtest.New(t, graphtest.Options{Now: w.clock.Now, Schema: schema()})
	w.app = w.n.AddApp(botID, secret1, nil, permissions...)
	w.app.Called("Keepwatch")
	w.app.EndSecret(secret1, noon.AddDate(0, 0, 200))
	for _, upn := range []string{alis, olwen, bg1} {
		w.n.AddUser(graphtest.User{UPN: upn})
	}
	w.n.SetMethods(alis, graphtest.Method{Kind: "password"}, graphtest.Method{Kind: "microsoftAuthenticator", Name: "iPhone 15", Version: "6.8.40"}, graphtest.Method{Kind: "phone", Name: number})
	w.n.SetMethods(olwen, graphtest.Method{Kind: "password"}, graphtest.Method{Kind: "microsoftAuthenticator", Name: "Pixel 8", Version: "6.2411"})
	w.n.SetMethods(bg1, graphtest.Method{Kind: "password"}, graphtest.Method{Kind: "fido2", Name: "safe 1", Model: "YubiKey 5"})
	w.n.Assign(graphtest.GlobalAdministrator, alis)
	w.n.Assign(graphtest.GlobalAdministrator, bg1)
	w.n.SetOrganisation(graphtest.Organisation{
		Name: "Contoso", Initial: "contoso.onmicrosoft.com", Domains: []string{"contoso.example"}, Mails: []string{"it@contoso.example", "rescue@mail.example"},
		Sold: []graphtest.Subscription{{SKU: "SPB", Total: 15, Used: 12, Status: "Enabled"}},
	})
	w.n.Premium(true)
	w.n.Managed(true)
	w.n.RefreshReport()
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	t.Cleanup(func() {
		for _, v := range w.n.Violations() {
			t.Errorf("not as Microsoft's metadata has it: %s", v)
		}
	})
	return w
}

// client makes the client and the directory anew.
func (w *world) client(c graph.Config) {
	w.t.Helper()
	c.Tenant, c.Client, c.GraphURL, c.LoginURL = w.n.ID(), botID, w.n.URL+"/v1.0", w.n.LoginURL
	c.Transport, c.Clock = w.n.Client().Transport, w.clock
	c.Log = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, err := graph.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.d, err = New(Config{Client: client, AppID: botID, Now: w.clock.Now}); err != nil {
		w.t.Fatal(err)
	}
}

// everything asks for all that there is, and gives what it lacks, as lines.
func (w *world) everything() []string {
	w.t.Helper()
	var lines []string
	add := func(name string, lacks []Lack, err error) {
		if err != nil {
			w.t.Errorf("%s: %v", name, err)
		}
		for _, l := range lacks {
			lines = append(lines, name+": "+l.String())
		}
	}
	_, lacks, err := w.d.Credentials(w.t.Context())
	add("credentials", lacks, err)
	_, lacks, err = w.d.SignIns(w.t.Context(), []string{alis, olwen}, keepwatch.SignIns{})
	add("people", lacks, err)
	_, lacks, err = w.d.Report(w.t.Context(), false)
	add("report", lacks, err)
	_, lacks, err = w.d.Administrators(w.t.Context())
	add("administrators", lacks, err)
	_, lacks, err = w.d.Organisation(w.t.Context())
	add("organisation", lacks, err)
	return lines
}

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in:\n%s", word, text)
		}
	}
}
