package entra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

// TestPermissions takes away one permission after the other: each is told of as a
// sentence, nothing fails, and nothing else is lost.
func TestPermissions(t *testing.T) {
	const no = " is not granted."
	for taken, want := range map[string][]string{
		"":               nil,
		readApplications: {"credentials: When the secrets of applications run out, this bot's own too, is not known: the application permission Application.Read.All" + no},
		readMethods: {
			"people: How people can sign in beside Microsoft Authenticator is not known: the application permission UserAuthenticationMethod.Read.All" + no,
		}, // of administrators the report tells
		readAuthenticator: nil, // the wider one is there
		readReport:        {"report: Who has registered a second factor is not known: the application permission AuditLog.Read.All" + no},
		readRoles:         {"administrators: Who the Global Administrators are is not known: the application permission RoleManagement.Read.Directory" + no},
		readUsers:         {"administrators: Whether Global Administrators are accounts of the cloud alone is not known: the application permission User.Read.All" + no},
		readOrganisation: {
			"organisation: Whom Microsoft writes to about the tenant is not known: the application permission Organization.Read.All" + no,
			"organisation: Which subscriptions there are, and who sold them, is not known: the application permission Organization.Read.All" + no,
		},
		readDomains:  {"organisation: Whether a domain of the tenant is not verified, or signs in elsewhere, is not known: the application permission Domain.Read.All" + no},
		readLicences: nil, // Organization.Read.All says more
	} {
		t.Run(taken, func(t *testing.T) {
			w := newWorld(t, slices.DeleteFunc(all(), func(p string) bool { return p == taken })...)
			if diff := cmp.Diff(want, w.everything()); diff != "" {
				t.Error(diff)
			}
		})
	}
	w := newWorld(t)
	if got := w.everything(); len(got) != 7 {
		t.Errorf("with nothing granted these are lacking:\n%s", strings.Join(got, "\n"))
	}
}

// TestFailures: what is no matter of permissions is an error and no Lack.
func TestFailures(t *testing.T) {
	w := newWorld(t, all()...)
	ask := func() []error {
		_, _, a := w.d.Credentials(t.Context())
		_, _, b := w.d.SignIns(t.Context(), []string{alis}, keepwatch.SignIns{})
		_, _, c := w.d.Report(t.Context(), true)
		_, _, e := w.d.Administrators(t.Context())
		_, _, f := w.d.Organisation(t.Context())
		_, g := w.d.Scope(t.Context(), nil)
		return []error{a, b, c, e, f, g}
	}
	w.n.Fail(graphtest.Fault{Times: -1, Status: 500, Code: "InternalServerError"})
	for i, err := range ask() {
		if err == nil {
			t.Errorf("%d: a broken Graph is no failure", i)
		}
	}
	w.n.Heal()
	w.app.EndSecret(secret1, noon) // the token is old, too
	w.clock.add(2 * time.Hour)
	for i, err := range ask() {
		if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "has expired") {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestThrottled: the report may be asked for five times in ten seconds, and more is
// waited for.
func TestThrottled(t *testing.T) {
	w := newWorld(t, all()...)
	began := w.clock.passed
	for range 12 {
		r, lacks, err := w.d.Report(t.Context(), false)
		if err != nil || lacks != nil || r.People != 3 {
			t.Fatalf("%+v %v %v", r, lacks, err)
		}
	}
	if passed := w.clock.passed - began; passed < 20*time.Second || passed > time.Minute {
		t.Errorf("12 reports took %v", passed)
	}
	if early := w.n.Early(); early > 0 {
		t.Errorf("%d calls came before their time", early)
	}
	w.n.Throttle(3, 5*time.Second)
	if lines := w.everything(); lines != nil {
		t.Errorf("%v", lines)
	}
}

// TestUnlicensed: without P1 there is no report, and administrators are asked one by one.
func TestUnlicensed(t *testing.T) {
	w := newWorld(t, all()...)
	w.n.Premium(false)
	want := []string{"report: Who has registered a second factor is not known: Microsoft gives this report only to tenants with a licence of Entra ID P1 or P2."}
	if diff := cmp.Diff(want, w.everything()); diff != "" {
		t.Error(diff)
	}
	a, _, err := w.d.Administrators(t.Context())
	if err != nil || len(a.List) != 2 || !a.List[0].Seen || !a.List[1].Seen {
		t.Errorf("%+v %v", a, err)
	}
	w.app.Revoke(readMethods)
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	a, lacks, err := w.d.Administrators(t.Context())
	if err != nil || len(lacks) != 2 || a.List[0].Seen || len(a.Findings()) != 2 {
		t.Errorf("%+v %v %v", a.Findings(), lacks, err)
	}
}

// TestNothingPrivate: no secret, no hint of one and no telephone number is in the log, in
// what is told, or in an error.
func TestNothingPrivate(t *testing.T) {
	w := newWorld(t, all()...)
	w.n.AddApp(payroll, "", nil).AddSecret(graphtest.Credential{Name: "old", Hint: "hNt", Ends: noon.AddDate(0, 0, 3)})
	var said strings.Builder
	note := func(v any, lacks []Lack, err error) {
		t.Helper()
		if err != nil && !errors.Is(err, graph.ErrThrottled) {
			for e := err; e != nil; e = errors.Unwrap(e) {
				said.WriteString(e.Error())
			}
		}
		fmt.Fprintf(&said, "%+v", v)
		for _, l := range lacks {
			said.WriteString(l.String())
		}
	}
	for range 2 {
		c, l, err := w.d.Credentials(t.Context())
		note(c, l, err)
		s, l, err := w.d.SignIns(t.Context(), []string{alis, "no@contoso.example"}, keepwatch.SignIns{})
		note(s, l, err)
		a, l, err := w.d.Administrators(t.Context())
		note(a, l, err)
		sc, err := w.d.Scope(t.Context(), nil)
		note(sc, nil, err)
		w.n.Fail(graphtest.Fault{Times: -1, Status: 500, Code: "InternalServerError", Text: secret1})
	}
	said.WriteString(w.log.String())
	contains(t, said.String(), "iPhone 15", "secret old of", "knows nobody")
	for _, word := range []string{secret1, "hNt", number, "7700", "eyJ"} {
		if strings.Contains(said.String(), word) {
			t.Errorf("%q is told:\n%s", word, said.String())
		}
	}
}

// TestLackIsNoSignIn: an application that may not sign in at all has failed, and does not
// merely lack something.
func TestLackIsNoSignIn(t *testing.T) {
	refused := &graph.Error{Status: 403, Code: "Authorization_RequestDenied"}
	if lacks, err := lack(refused, readRoles, "x"); err != nil || len(lacks) != 1 || lacks[0].Permission != readRoles {
		t.Errorf("%v %v", lacks, err)
	}
	refused.SignIn = true
	if lacks, err := lack(refused, readRoles, "x"); err == nil || lacks != nil {
		t.Errorf("%v %v", lacks, err)
	}
}
