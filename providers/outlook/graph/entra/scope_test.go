package entra

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

func mailbox(name, address string, parts ...string) keepwatch.Source {
	return keepwatch.Source{Name: name, Kind: keepwatch.KindOutlook, Mailbox: address, Parts: parts}
}

// fresh gives the application exactly these permissions.
func (w *world) fresh(permissions ...string) {
	w.app = w.n.AddApp(botID, secret1, nil, permissions...)
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
}

func needs(list []Need) string {
	var out []string
	for _, n := range list {
		if n.Level > Optional {
			out = append(out, fmt.Sprintf("%s %d %t", n.Permission, n.Level, n.Mailbox))
		}
	}
	return strings.Join(out, ", ")
}

// TestNeeds: what the configured sources need.
func TestNeeds(t *testing.T) {
	for _, c := range []struct {
		sources []keepwatch.Source
		want    string
	}{
		{nil, ""},
		{[]keepwatch.Source{{Name: "notes", Kind: keepwatch.KindFiles}}, ""},
		{[]keepwatch.Source{mailbox("a", alis)}, "Mail.Read 1 true, Contacts.Read 1 true, Calendars.Read 1 true"},
		{[]keepwatch.Source{mailbox("a", alis, "Contacts")}, "Contacts.Read 1 true"},
		{[]keepwatch.Source{mailbox("a", alis, "calendar"), mailbox("b", olwen, "Inbox/Projects")}, "Mail.Read 1 true, Calendars.Read 1 true"},
		{[]keepwatch.Source{{Name: "p", Kind: keepwatch.KindOutlook, Mailbox: alis, Engine: "purview"}}, "eDiscovery.ReadWrite.All 1 false"},
	} {
		if got := needs(Needs(c.sources)); got != c.want {
			t.Errorf("%v: %s, want %s", c.sources, got, c.want)
		}
	}
}

// TestScope: what is consented to, what of it reaches too far, and what is missing.
func TestScope(t *testing.T) {
	w := newWorld(t)
	sources := []keepwatch.Source{mailbox("alis", alis), mailbox("alis-contacts", alis, "contacts"), {Name: "notes", Kind: keepwatch.KindFiles}}
	for _, c := range []struct {
		granted            []string
		unscoped, excess   string
		held, exchangeSeen string
	}{
		{nil, "", "", "", ""},
		{[]string{"Mail.Read", "Contacts.Read", readRoles}, "Contacts.Read Mail.Read", "", "Mail.Read Contacts.Read RoleManagement.Read.Directory", ""},
		{[]string{"Mail.ReadWrite", "Mail.Send", "Directory.Read.All"}, "Mail.ReadWrite Mail.Send", "Directory.Read.All Mail.Send", "Mail.Read Application.Read.All RoleManagement.Read.Directory User.Read.All Organization.Read.All Domain.Read.All", "full_access_as_app"},
		{[]string{readApplications, "Sites.FullControl.All"}, "", "Sites.FullControl.All", "Application.Read.All", "full_access_as_app"},
		{[]string{"User.ReadBasic.All", readLicences}, "", "", "", ""},
	} {
		w.fresh(c.granted...)
		s, err := w.d.Scope(t.Context(), sources)
		if err != nil {
			t.Fatal(err)
		}
		var held []string
		for _, n := range s.Needs {
			if n.Held {
				held = append(held, n.Permission)
			}
		}
		if len(c.exchangeSeen) > 0 && s.Exchange == nil {
			w.app.GrantExchange("full_access_as_app")
			if s, err = w.d.Scope(t.Context(), sources); err != nil {
				t.Fatal(err)
			}
		}
		got := []string{strings.Join(s.Unscoped, " "), strings.Join(s.Excess, " "), strings.Join(held, " "), strings.Join(s.Exchange, " ")}
		if diff := cmp.Diff([]string{c.unscoped, c.excess, c.held, c.exchangeSeen}, got); diff != "" {
			t.Errorf("%v: %s", c.granted, diff)
		}
		if !s.Seen || s.Object != graphtest.ServicePrincipal(botID) || strings.Join(s.Mailboxes, " ") != alis {
			t.Errorf("%+v", s)
		}
	}
	w.fresh()
	w.app.Grant("Mail.Read") // after a token was got
	if s, err := w.d.Scope(t.Context(), sources); err != nil || len(s.Unscoped) != 1 {
		t.Errorf("a consent of a moment ago is not seen: %+v %v", s, err)
	}
}

// opaque is a network in which tokens say nothing of themselves, as Microsoft reserves.
type opaque struct {
	under  http.RoundTripper
	tokens map[string]string // as they are shown → as they are
}

func (o opaque) RoundTrip(r *http.Request) (*http.Response, error) {
	if real, ok := o.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]; ok {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+real)
	}
	answer, err := o.under.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	_, token, found := strings.Cut(string(body), `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if found {
		shown := fmt.Sprintf("opaque-%d", len(o.tokens))
		o.tokens[shown] = token
		body = []byte(strings.ReplaceAll(string(body), token, shown))
	}
	answer.Body, answer.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	answer.Header.Del("Content-Length")
	return answer, err
}

// TestScopeOpaque: where the token cannot be read, the assignments tell; where those may
// not be read either, nothing is claimed.
func TestScopeOpaque(t *testing.T) {
	w := newWorld(t, "Mail.Read", readApplications)
	blind := func() Scope {
		t.Helper()
		client, err := graph.New(graph.Config{Tenant: w.n.ID(), Client: botID, GraphURL: w.n.URL + "/v1.0", LoginURL: w.n.LoginURL, Clock: w.clock,
			Secret: keepwatch.NewSecret(secret1), Transport: opaque{w.n.Client().Transport, map[string]string{}}})
		if err != nil {
			t.Fatal(err)
		}
		if w.d, err = New(Config{Client: client, AppID: botID, Now: w.clock.Now}); err != nil {
			t.Fatal(err)
		}
		s, err := w.d.Scope(t.Context(), []keepwatch.Source{mailbox("alis", alis)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := blind(); !s.Seen || strings.Join(s.Roles, " ") != "Application.Read.All Mail.Read" || s.Object != graphtest.ServicePrincipal(botID) || len(s.Unscoped) != 1 {
		t.Errorf("%+v", s)
	}
	w.app.Revoke(readApplications)
	s := blind()
	if s.Seen || s.Roles != nil || s.Object != "" || s.Unscoped != nil {
		t.Errorf("%+v", s)
	}
	contains(t, strings.Join(s.PowerShell(), "\n"), "-ObjectId OBJECT-ID", "In place of OBJECT-ID: Entra, Enterprise applications")
}

// TestReach: one small call for each permission shows whether a mailbox can be read, and
// by what.
func TestReach(t *testing.T) {
	w := newWorld(t)
	w.n.AddUser(graphtest.User{UPN: "server@contoso.example", NoMailbox: true})
	try := func(source keepwatch.Source) string {
		t.Helper()
		s, err := w.d.Scope(t.Context(), []keepwatch.Source{source})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range w.d.Reach(t.Context(), source, s) {
			out = append(out, fmt.Sprintf("%s %s %t", r.Permission, r.Access, r.Consent))
			if (r.Access == AccessYes) != (r.Err == nil) || r.Err != nil && keepwatch.Sentence(r.Err) == "" {
				t.Errorf("%s: %v", r.Permission, r.Err)
			}
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		granted, scoped []string
		source          keepwatch.Source
		want            string
	}{
		{nil, nil, mailbox("a", alis, "mail"), "Mail.Read denied false"},
		{[]string{"Mail.Read"}, nil, mailbox("a", alis, "mail"), "Mail.Read yes true"},
		{nil, []string{"Mail.Read", "Contacts.Read"}, mailbox("a", alis), "Mail.Read yes false, Contacts.Read yes false, Calendars.Read denied false"},
		{nil, []string{"Calendars.Read"}, mailbox("a", alis, "calendar"), "Calendars.Read yes false"},
		{nil, []string{"Mail.Read"}, mailbox("b", olwen, "mail"), "Mail.Read denied false"},
		{[]string{"Mail.Read"}, nil, mailbox("c", "nobody@contoso.example"), "Mail.Read no mailbox true"},
		{[]string{"Mail.Read"}, nil, mailbox("d", "server@contoso.example"), "Mail.Read no mailbox true"},
		{[]string{"eDiscovery.ReadWrite.All"}, nil, keepwatch.Source{Name: "p", Kind: keepwatch.KindOutlook, Mailbox: alis, Engine: "purview"}, ""},
	} {
		w.fresh(c.granted...)
		for _, p := range c.scoped {
			w.app.Scope(p, alis)
		}
		if got := try(c.source); got != c.want {
			t.Errorf("%v %v %s: %s, want %s", c.granted, c.scoped, c.source.Mailbox, got, c.want)
		}
	}
	w.fresh("Mail.Read")
	w.n.Fail(graphtest.Fault{Times: 1, Status: 503, RetryAfter: 3 * time.Hour, Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "mailFolders") }})
	if got := try(mailbox("a", alis, "mail")); got != "Mail.Read unknown true" {
		t.Error(got)
	}
	for _, r := range w.n.Requests() {
		if strings.Contains(r.Path, "/messages") || strings.HasSuffix(r.Path, "/contacts") || strings.HasSuffix(r.Path, "/events") {
			t.Errorf("an item is read: %s", r.Path)
		}
	}
}

// TestPowerShell: the lines, with the ids in them, as they are typed in.
func TestPowerShell(t *testing.T) {
	s := Scope{App: botID, Object: payroll, Needs: Needs([]keepwatch.Source{mailbox("a", alis, "mail")}), Mailboxes: []string{alis, "o'neill’s$(x)`@contoso.example"}, Unscoped: []string{"Mail.Read"}}
	want := []string{
		"# As an Exchange administrator; the module is ExchangeOnlineManagement.",
		"Connect-ExchangeOnline",
		"# Once. The object id is that of the enterprise application, not of the app registration.",
		"New-ServicePrincipal -AppId " + botID + " -ObjectId " + payroll + " -DisplayName Keepwatch",
		"# Where the scope is there already: Set-ManagementScope -Identity in place of New-ManagementScope -Name.",
		"New-ManagementScope -Name 'Keepwatch mailboxes' -RecipientRestrictionFilter 'PrimarySmtpAddress -eq ''alis@contoso.example'' -or PrimarySmtpAddress -eq ''o''''neill’’s$(x)`@contoso.example'''",
		"New-ManagementRoleAssignment -App " + botID + " -Role 'Application Mail.Read' -CustomResourceScope 'Keepwatch mailboxes'",
		"# It counts after 30 minutes to 2 hours. This shows at once what will: InScope must be True here, and False for a mailbox that is no source.",
		"Test-ServicePrincipalAuthorization -Identity " + botID + " -Resource 'alis@contoso.example' | Format-Table",
		"Test-ServicePrincipalAuthorization -Identity " + botID + " -Resource 'o''neill’’s$(x)`@contoso.example' | Format-Table",
		`# For a restore, give the role "Application Mail.ReadWrite" (Contacts, Calendars) in the same way, and take it away afterwards: Remove-ManagementRoleAssignment.`,
	}
	if diff := cmp.Diff(want, s.PowerShell()); diff != "" {
		t.Error(diff)
	}
	contains(t, strings.Join(s.Withdraw(), "\n"), "Enterprise applications, open the application "+botID, "Revoke the permission (the three dots behind it): Mail.Read.")
	contains(t, strings.Join(s.Portal(true), "\n"), "tick Application.Read.All, UserAuthenticationMethod.Read.All, ", "Grant admin consent")
	if len(s.Portal(false)) != 0 || len((Scope{}).PowerShell()) != 0 || len((Scope{}).Withdraw()) != 0 {
		t.Error("steps where nothing is to be done")
	}
	for i := range 11 {
		s.Mailboxes = append(s.Mailboxes, fmt.Sprintf("m%d@contoso.example", i))
	}
	text := strings.Join(s.PowerShell(), "\n")
	contains(t, text, "New-DistributionGroup -Name keepwatch-mailboxes -Type Security", "Add-DistributionGroupMember -Identity keepwatch-mailboxes -Member 'm10@contoso.example'", `-RecipientRestrictionFilter "MemberOfGroup -eq '$((Get-DistributionGroup keepwatch-mailboxes).DistinguishedName)'"`)
	if strings.Contains(text, "PrimarySmtpAddress") || strings.Count(text, "Test-Service") != 3 {
		t.Error(text)
	}
}

// TestQuote: within single quotes nothing means anything but a quote, of which two are one
// (about_quoting_rules). Where PowerShell is installed it reads back what was quoted.
func TestQuote(t *testing.T) {
	shell, missing := exec.LookPath("pwsh")
	for text, want := range map[string]string{
		"a": "'a'", "it's": "'it''s'", "‘a’‚b‛": "'‘‘a’’‚‚b‛‛'", "$(x) `n \"q\" $env:HOME": "'$(x) `n \"q\" $env:HOME'", "''": "''''''", "": "''",
	} {
		if got := quote(text); got != want {
			t.Errorf("%q is quoted %s, want %s", text, got, want)
		}
		if missing != nil {
			continue
		}
		out, err := exec.Command(shell, "-NoProfile", "-Command", "[Console]::OutputEncoding=[Text.Encoding]::UTF8; [Console]::Write("+quote(text)+")").Output()
		if err != nil || string(out) != text {
			t.Errorf("%q became %q: %v", text, out, err)
		}
	}
}
