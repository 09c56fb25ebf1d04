package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graph/entra"
	"keepwatch/providers/outlook/graphtest"
)

// pausing is a clock whose pauses pass at once.
type pausing struct {
	mu  sync.Mutex
	now time.Time
}

func (p *pausing) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *pausing) AfterFunc(d time.Duration, f func()) func() {
	if d < time.Minute { // a pause, and no limit of a call
		p.mu.Lock()
		p.now = p.now.Add(d)
		p.mu.Unlock()
		f()
	}
	return func() {}
}

// checkedTenant is a tenant, and what a check says of it.
type checkedTenant struct {
	t       *testing.T
	n       *graphtest.Tenant
	clock   *pausing
	sources []keepwatch.Source
	people  []keepwatch.Person
	wide    bool
}

const checkedApp = "11111111-2222-3333-4444-555555555555"

func newCheckedTenant(t *testing.T) *checkedTenant {
	c := &checkedTenant{t: t, clock: &pausing{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}}
	c.n = graphtest.New(t, graphtest.Options{Now: c.clock.Now})
	for _, upn := range []string{"alis@contoso.example", "olwen@contoso.example", "bg1@contoso.onmicrosoft.com"} {
		c.n.AddUser(graphtest.User{UPN: upn})
	}
	c.sources = []keepwatch.Source{
		{Name: "notes", Kind: keepwatch.KindFiles}, {Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example", Parts: []string{"mail"}},
		{Name: "olwen-mail", Kind: keepwatch.KindOutlook, Mailbox: "olwen@contoso.example", Parts: []string{"mail"}},
	}
	c.n.SetMethods("alis@contoso.example", graphtest.Method{Kind: "phone", Name: "+44 1"})
	c.n.SetMethods("bg1@contoso.onmicrosoft.com", graphtest.Method{Kind: "fido2"})
	c.n.Assign(graphtest.GlobalAdministrator, "alis@contoso.example")
	c.n.Assign(graphtest.GlobalAdministrator, "bg1@contoso.onmicrosoft.com")
	c.n.SetOrganisation(graphtest.Organisation{Initial: "contoso.onmicrosoft.com", Domains: []string{"contoso.example"}, Mails: []string{"it@contoso.example"}})
	return c
}

// app gives the application these permissions, and roles in Exchange Online for Alis.
func (c *checkedTenant) app(permissions []string, roles ...string) *graphtest.App {
	a := c.n.AddApp(checkedApp, "secret", nil, permissions...)
	a.EndSecret("secret", c.clock.Now().AddDate(0, 0, 30))
	for _, r := range roles {
		a.Scope(r, "alis@contoso.example")
	}
	return a
}

func (c *checkedTenant) check() string {
	c.t.Helper()
	client, err := graph.New(graph.Config{Tenant: c.n.ID(), Client: checkedApp, Secret: keepwatch.NewSecret("secret"), GraphURL: c.n.URL + "/v1.0", LoginURL: c.n.LoginURL, Transport: c.n.Client().Transport, Clock: c.clock})
	if err != nil {
		c.t.Fatal(err)
	}
	d, err := entra.New(entra.Config{Client: client, AppID: checkedApp, Now: c.clock.Now})
	if err != nil {
		c.t.Fatal(err)
	}
	p := newMicrosoftProbes(c.t.Context(), d, c.sources, c.people, c.clock.Now())
	p.wide = c.wide
	look := map[keepwatch.SourceKind]prober{keepwatch.KindOutlook: p}
	tenant := p.tenant(c.t.Context())
	var servers []keepwatch.Probe
	for _, probes := range probeServers(c.t.Context(), look, c.sources) {
		servers = append(servers, probes...)
	}
	return probesText(append(tenant, servers...))
}

// says looks for words in what a check said; those with a ! must not be there.
func (c *checkedTenant) says(text string, words ...string) {
	c.t.Helper()
	for _, w := range words {
		not, unwanted := strings.CutPrefix(w, "!")
		if strings.Contains(text, not) == unwanted {
			c.t.Errorf("%q in it: %t\n%s", not, unwanted, text)
		}
	}
}

// TestProbeMicrosoftUnscoped: a consent that reaches every mailbox is told of, with the
// lines that narrow it, and everything that is merely useful is a line and no problem.
func TestProbeMicrosoftUnscoped(t *testing.T) {
	c := newCheckedTenant(t)
	c.app([]string{"Mail.Read"})
	text := c.check()
	c.says(text,
		"ok Microsoft 365: The application "+checkedApp+" signs in. Consented to for the whole tenant: Mail.Read. → ",
		"warning scope: Mail.Read is consented to in Entra, so the application reaches ALL mailboxes of the tenant, not only alis@contoso.example, olwen@contoso.example. Roles in Exchange Online for single mailboxes add to a consent and do not narrow it.",
		"off PowerShell: New-ServicePrincipal -AppId "+checkedApp+" -ObjectId "+graphtest.ServicePrincipal(checkedApp)+" -DisplayName Keepwatch",
		"off then in Entra: Revoke the permission (the three dots behind it): Mail.Read.",
		"off permission: Application.Read.All is not granted. It serves to warn before secrets and certificates of applications run out.",
		"off in Entra: API permissions, Add a permission, Microsoft Graph, Application permissions: tick Application.Read.All, ",
		"ok source alis-mail: alis@contoso.example can be read, by consent in Entra: Mail.Read. → ",
		"!problem ", "!MailboxSettings", "!is not known: the application permission")
	if n := c.n.Logins(); n > 2 {
		t.Errorf("one check signs in %d times", n)
	}
}

// TestProbeMicrosoftWide: where the team says that every mailbox is meant, that is a fact
// and no warning; what nobody has said stays one.
func TestProbeMicrosoftWide(t *testing.T) {
	c := newCheckedTenant(t)
	c.wide = true
	a := c.app([]string{"Mail.Read"})
	c.says(c.check(),
		"ok scope: Mail.Read is consented to in Entra, so the application reaches ALL mailboxes of the tenant. keepwatch.yaml says that this is meant (microsoft: scope: tenant).",
		"!warning scope", "!PowerShell", "!then in Entra", "!no consent does that")
	a.Grant("Mail.ReadWrite", "Mail.Send")
	a.GrantExchange("full_access_as_app")
	a.Grant("Application.Read.All")
	c.n.ExpireTokens()
	c.says(c.check(), "ok scope: Mail.Read, Mail.ReadWrite, Mail.Send are consented to", "warning scope: With Mail.ReadWrite whoever", "warning scope: The application holds more than anything here needs: Mail.Send.", "warning scope: full_access_as_app")
	c.app(nil, "Mail.Read")
	c.says(c.check(), "off scope: keepwatch.yaml says that the application may read every mailbox of the tenant (microsoft: scope: tenant), and no consent does that.", "ok scope: Mailboxes are read by roles",
		"problem source olwen-mail", "→ Consent to it in Entra", "!PowerShell")
}

// TestProbeMicrosoftScoped: a role in Exchange Online opens one mailbox; the other one is
// a problem of its source, and the lines that open it are there.
func TestProbeMicrosoftScoped(t *testing.T) {
	c := newCheckedTenant(t)
	c.app(nil, "Mail.Read")
	text := c.check()
	c.says(text,
		"ok Microsoft 365: The application "+checkedApp+" signs in, and nothing is consented to for the whole tenant.",
		"ok scope: Mailboxes are read by roles in Exchange Online, and no consent reaches further. Which other mailboxes those roles reach cannot be seen from here; this shows it: Test-ServicePrincipalAuthorization -Identity "+checkedApp,
		"ok source alis-mail: alis@contoso.example can be read, by a role in Exchange Online: Mail.Read.",
		"problem source olwen-mail: The app registration "+checkedApp+" may not use the mailbox olwen@contoso.example: it needs the application permission Mail.Read, with admin consent in Entra, or the role \"Application Mail.Read\" for this mailbox",
		"→ The lines under PowerShell give it for the configured mailboxes and no other.",
		"off PowerShell: Connect-ExchangeOnline", "!ALL mailboxes", "!then in Entra")
	c.sources = c.sources[:2]
	c.says(c.check(), "!PowerShell", "!problem ", "ok source alis-mail")
	c.app([]string{"Mail.ReadBasic.All"}, "Mail.Read")
	c.says(c.check(), "warning source alis-mail: Mail of alis@contoso.example can be listed. Whether its text may be read too cannot be told without reading one")
	c.sources[1].Mailbox = "nobody@contoso.example"
	c.says(c.check(), "problem source alis-mail: Microsoft 365 ")
}

// TestProbeMicrosoftTenant: what runs out, what is too much, and what a lock-out would
// meet.
func TestProbeMicrosoftTenant(t *testing.T) {
	c := newCheckedTenant(t)
	everything := []string{"Application.Read.All", "UserAuthenticationMethod.Read.All", "RoleManagement.Read.Directory", "User.Read.All", "AuditLog.Read.All", "Organization.Read.All", "Domain.Read.All"}
	a := c.app(append(everything, "Mail.ReadWrite", "Mail.Send"))
	a.Called("Keepwatch")
	a.GrantExchange("full_access_as_app")
	c.says(c.check(),
		"warning credentials: The secret sign-in of Keepwatch (this bot) runs out on 24 December 2026. → Make a new secret in Entra (App registrations, Keepwatch, Certificates & secrets), set MICROSOFT_CLIENT_SECRET",
		"problem Global Administrators: alis@contoso.example signs in with a phone number alone",
		"warning emergency accounts: Only bg1@contoso.onmicrosoft.com is an account of the cloud alone",
		"warning tenant: Microsoft writes about technical matters to it@contoso.example only, on the tenant's own domain: nobody can read that in a lock-out. → Add an address",
		"warning scope: With Mail.ReadWrite whoever has the application's secret can change and delete what is in every mailbox. → Only a restore needs it",
		"warning scope: The application holds more than anything here needs: Mail.Send.",
		"warning scope: full_access_as_app of Office 365 Exchange Online is consented to",
		"off second factors: Who has registered a second factor is not known: Microsoft gives this report only to tenants with a licence of Entra ID P1 or P2.",
		"!off permission", "!not granted")
	c.n.Premium(true)
	c.n.RefreshReport()
	c.says(c.check(), "warning second factors: 2 of 3 people can use a second factor, by the report of 24 November, 12:00 UTC. Not: olwen@contoso.example.")
	c.sources = append(c.sources, keepwatch.Source{Name: "p", Kind: keepwatch.KindOutlook, Mailbox: "olwen@contoso.example", Engine: "purview"})
	c.says(c.check(), "problem permission: eDiscovery.ReadWrite.All is not granted. It is needed to have Purview make exports, and to fetch them. → Do what stands under “in Entra”.", "off in Entra: API permissions, Add a permission, Microsoft Graph, Application permissions: tick eDiscovery.ReadWrite.All, then",
		"ok source p: Purview makes the exports of olwen@contoso.example.")
	a.EndSecret("secret", c.clock.Now())
	c.says(c.check(), "problem Microsoft 365: The secret of the app registration "+checkedApp+" has expired.", "problem source alis-mail: It was not looked at, because the sign-in to Microsoft 365 does not work.")
}

// TestProbeMicrosoftAdministrators: who may become administrator, and who is one by a
// group, is told of by name; a licence or a permission that is missing is a line.
func TestProbeMicrosoftAdministrators(t *testing.T) {
	c := newCheckedTenant(t)
	c.n.Unassign()
	c.n.Assign(graphtest.GlobalAdministrator, "bg1@contoso.onmicrosoft.com")
	c.n.Entitle(graphtest.GlobalAdministrator, "olwen@contoso.example")
	c.n.SetMembers("Admins", "alis@contoso.example")
	c.n.AssignOther(graphtest.GlobalAdministrator, "group", "Admins")
	a := c.app([]string{"Mail.Read", "RoleManagement.Read.Directory", "User.Read.All"})
	c.says(c.check(),
		"off tenant: Who may take the role Global Administrator for a while is not known: this takes a licence of Entra ID P2 or Entra ID Governance, which the tenant does not have.",
		"off tenant: Who is in the group "+graphtest.GroupID("Admins")+", which gives the role Global Administrator, is not known: the application permission GroupMember.Read.All is not granted.",
		"!olwen@contoso.example (", "warning emergency accounts: Only bg1@")
	c.n.Managed(true)
	a.Grant("GroupMember.Read.All")
	c.n.ExpireTokens()
	c.says(c.check(), "ok Global Administrators: 3 people can administer everything: alis@contoso.example (by the group Admins), bg1@contoso.onmicrosoft.com (permanent) and olwen@contoso.example (eligible).",
		"ok Global Administrators: The group Admins holds the role: 1 person is in it.", "!off tenant: Who", "!holds more than anything here needs")
}

// TestProbeMicrosoftPeople: whether a change of people's Authenticator is seen, and who is
// not known there.
func TestProbeMicrosoftPeople(t *testing.T) {
	c := newCheckedTenant(t)
	a := c.app([]string{"Mail.Read", "Application.Read.All"})
	c.says(c.check(), "!sign-in of people")
	c.people = []keepwatch.Person{{Name: "Alis", Microsoft: "alis@contoso.example"}, {Name: "Bram", Microsoft: "bram@contoso.example"}, {Name: "Cara"}}
	c.says(c.check(), "off permission: UserAuthenticationMethod.Read.All is not granted.", "!is noticed for", "!problem ")
	a.Grant("UserAuthMethod-MicrosoftAuthApp.Read.All")
	c.n.ExpireTokens()
	c.says(c.check(), "ok sign-in of people: A change of Microsoft Authenticator is noticed for 1 of 2 people with a sign-in name in keepwatch.yaml.",
		"warning sign-in of people: How bram@contoso.example can sign in is not known: Microsoft 365 knows nobody of that name; check it in keepwatch.yaml.", "!problem ")
}
