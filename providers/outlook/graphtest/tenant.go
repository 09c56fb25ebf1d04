package graphtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options is how a Tenant is made; the zero value is a usable one.
type Options struct {
	// ID is the tenant's, a GUID; default [DefaultTenant].
	ID string
	// Now is the clock of limits and tokens; default time.Now.
	Now func() time.Time
	// Latency is how long each request to Graph takes before it is answered.
	Latency time.Duration
	// Sleep waits for Latency; default by the wall, until the request ends.
	Sleep func(ctx context.Context, d time.Duration)
	// TokenLife is how long an access token lasts; default 3,599 seconds.
	TokenLife time.Duration
	// Plain serves Graph over http. The token endpoint is always https, because azidentity
	// refuses everything else.
	Plain bool
	// Gentle leaves out the replays of delta queries.
	Gentle bool
	// HideReadChanges keeps changes of the read state alone out of delta queries.
	HideReadChanges bool
	// DeltaPage is the page of a delta query that asks for none; default 10.
	DeltaPage int
	// MaxDeltaPage is the largest page of a delta query; default 1,000.
	MaxDeltaPage int
	// LargePage is the largest page of full messages that does not time out; default 500,
	// negative: none does.
	LargePage int
	// SessionLife is how long an upload session lasts from its last range on; default 1 h.
	SessionLife time.Duration
	// Limits are those of throttling.
	Limits Limits
	// Schema checks every answer.
	Schema *Schema
}

// DefaultTenant is the id of a tenant that was given none.
const DefaultTenant = "8a1c7f52-0b6d-4d3e-9a55-2f6f0c1d7e10"

// Tenant is a fake tenant. Its methods may be called from any goroutine.
type Tenant struct {
	// URL is where Graph listens, without a slash and without the version at its end.
	URL string
	// LoginURL is the authority host, without a slash at its end.
	LoginURL string

	t     testing.TB
	opts  Options
	graph *httptest.Server
	login *httptest.Server
	key   *rsa.PrivateKey // signs access tokens
	ca    string

	mu         sync.Mutex
	apps       map[string]*App
	users      []*User
	boxes      map[string]*Mailbox // by the id of the user
	tokens     map[string]*token
	assertions map[string]bool // jti that were seen
	seq        int
	logins     int // tokens that the endpoint has issued
	slow       int // pages that were too large
	dir        directory
	sent       int // mails and invitations
	sessions   map[string]*session

	purview purview
	meter   meter
	faults  faults
	log     requestLog
	bad     []string
}

// New starts a Tenant and ends it with the test.
func New(t testing.TB, o Options) *Tenant {
	t.Helper()
	o.fill()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	n := &Tenant{
		t: t, opts: o, key: key, apps: map[string]*App{}, boxes: map[string]*Mailbox{},
		tokens: map[string]*token{}, assertions: map[string]bool{}, sessions: map[string]*session{}, meter: newMeter(o.Limits),
	}
	n.graph = httptest.NewUnstartedServer(http.HandlerFunc(n.serveGraph))
	if o.Plain {
		n.graph.Start()
	} else {
		n.graph.StartTLS()
	}
	n.login = httptest.NewTLSServer(http.HandlerFunc(n.serveLogin))
	n.URL, n.LoginURL = n.graph.URL, n.login.URL
	n.ca = filepath.Join(t.TempDir(), "graphtest-ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.login.Certificate().Raw})
	if err := os.WriteFile(n.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.close)
	return n
}

func (o *Options) fill() {
	if o.ID == "" {
		o.ID = DefaultTenant
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.TokenLife == 0 {
		o.TokenLife = 3599 * time.Second
	}
	if o.SessionLife == 0 {
		o.SessionLife = time.Hour
	}
	if o.DeltaPage == 0 {
		o.DeltaPage = 10
	}
	if o.MaxDeltaPage == 0 {
		o.MaxDeltaPage = 1000
	}
	if o.LargePage == 0 {
		o.LargePage = 500
	}
	o.Limits.fill()
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (n *Tenant) close() {
	n.faults.release()
	for _, s := range []*httptest.Server{n.graph, n.login} {
		s.CloseClientConnections()
		s.Close()
	}
}

// ID is the tenant's id.
func (n *Tenant) ID() string { return n.opts.ID }

// CAFile is a PEM file with the certificate of both endpoints, for SSL_CERT_FILE.
func (n *Tenant) CAFile() string { return n.ca }

// Client trusts the certificate of both endpoints. Its connections end with the tenant.
func (n *Tenant) Client() *http.Client { return n.login.Client() }

// App is an application of the tenant.
type App struct {
	tenant      *Tenant
	id          string
	secrets     map[string]time.Time // when each ends
	certs       []*x509.Certificate
	permissions map[string]bool
	scoped      map[string][]string // permission → ids of people, by RBAC for Applications
}

// AddApp registers an application with a secret ("": none), a certificate (nil: none)
// and the application permissions that an administrator has consented to, as in
// "Mail.Read".
func (n *Tenant) AddApp(id, secret string, certificate *x509.Certificate, permissions ...string) *App {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := &App{tenant: n, id: id, secrets: map[string]time.Time{}, permissions: map[string]bool{}, scoped: map[string][]string{}}
	if secret != "" {
		a.secrets[secret] = time.Time{}
	}
	if certificate != nil {
		a.certs = append(a.certs, certificate)
	}
	for _, p := range permissions {
		a.permissions[p] = true
	}
	n.apps[strings.ToLower(id)] = a
	return a
}

// EndSecret lets a secret end at a time. The zero time is never.
func (a *App) EndSecret(secret string, at time.Time) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	a.secrets[secret] = at
}

// Grant consents to permissions. Tokens that were issued before do not have them.
func (a *App) Grant(permissions ...string) { a.set(true, permissions) }

// Revoke takes permissions back. Tokens that were issued before keep them.
func (a *App) Revoke(permissions ...string) { a.set(false, permissions) }

func (a *App) set(to bool, permissions []string) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	for _, p := range permissions {
		if to {
			a.permissions[p] = true
		} else {
			delete(a.permissions, p)
		}
	}
}

// Scope grants a permission for some people's mailboxes only, as RBAC for Applications in
// Exchange Online does: it is in no token, and a consent in Entra goes further.
func (a *App) Scope(permission string, people ...string) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	for _, p := range people {
		if u := a.tenant.user(p); u != nil {
			a.scoped[permission] = append(a.scoped[permission], u.ID)
		}
	}
}

// User is somebody, or a shared mailbox.
type User struct {
	ID      string // a GUID; default: made of UPN
	UPN     string // userPrincipalName
	Mail    string // default UPN
	Name    string // displayName; default what is before the @
	Purpose string // "user" (default), "shared", "room"...
	// Language names the folders and is in the mailbox's settings; "en-US" (default) and
	// "de-DE" have names of folders.
	Language string
	TimeZone string // Windows name; default "UTC"
	// NoMailbox is somebody whose mailbox is elsewhere or not licensed.
	NoMailbox bool
	Disabled  bool
}

// AddUser adds somebody with an empty mailbox.
func (n *Tenant) AddUser(u User) *Mailbox {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u.ID == "" {
		h := sha256.Sum256([]byte(u.UPN))
		x := hex.EncodeToString(h[:16])
		u.ID = x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
	}
	if u.Mail == "" {
		u.Mail = u.UPN
	}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.UPN, "@")
	}
	if u.Purpose == "" {
		u.Purpose = "user"
	}
	if u.Language == "" {
		u.Language = "en-US"
	}
	if u.TimeZone == "" {
		u.TimeZone = "UTC"
	}
	n.users = append(n.users, &u)
	b := newMailbox(n, &u)
	n.boxes[u.ID] = b
	return b
}

// Mailbox is that of a person, by id or userPrincipalName. It ends the test if there is
// none.
func (n *Tenant) Mailbox(user string) *Mailbox {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	u := n.user(user)
	if u == nil {
		n.t.Fatalf("graphtest: nobody is called %q", user)
		return nil
	}
	return n.boxes[u.ID]
}

// user finds somebody; the lock is held. Graph takes the userPrincipalName in any case.
func (n *Tenant) user(id string) *User {
	for _, u := range n.users {
		if strings.EqualFold(u.ID, id) || strings.EqualFold(u.UPN, id) {
			return u
		}
	}
	return nil
}

// Violations are answers that were not as the metadata has them, and mistakes of the
// client that Graph would not have noticed.
func (n *Tenant) Violations() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.bad...)
}
