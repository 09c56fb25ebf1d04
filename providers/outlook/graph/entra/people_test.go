package entra

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

// look takes a snapshot and gives what has changed since the last one, in sentences.
func (w *world) look(before keepwatch.SignIns, people ...string) (keepwatch.SignIns, []string, []Lack) {
	w.t.Helper()
	now, lacks, err := w.d.SignIns(w.t.Context(), people, before)
	if err != nil {
		w.t.Fatal(err)
	}
	var changes []string
	for _, c := range before.Changes(now) {
		changes = append(changes, c.String())
	}
	return now, changes, lacks
}

// TestSignIns: from one look to the next people change phones, apps are updated, keys are
// added and removed.
func TestSignIns(t *testing.T) {
	w := newWorld(t, all()...)
	app := graphtest.Method{ID: "a1", Kind: "microsoftAuthenticator", Name: "iPhone 15", Version: "6.8.40", Created: noon.Add(-time.Hour)}
	w.n.SetMethods(alis, graphtest.Method{Kind: "password"}, app)
	seen, changes, lacks := w.look(keepwatch.SignIns{}, strings.ToUpper(alis), olwen, "nobody@contoso.example")
	if len(changes) != 0 || len(lacks) != 1 || lacks[0].String() != "How nobody@contoso.example can sign in is not known: Microsoft 365 knows nobody of that name; check it in keepwatch.yaml." {
		t.Errorf("%v %v", changes, lacks)
	}
	want := keepwatch.SignInsSeen{At: noon, Whole: true, Methods: []keepwatch.SignInMethod{{ID: "a1", Kind: keepwatch.SignInAuthenticator, Device: "iPhone 15", Version: "6.8.40", Created: noon.Add(-time.Hour)}}}
	got := seen.People[alis]
	got.At = noon // pauses pass on the clock
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, step := range []struct {
		do   func()
		want []string
	}{
		{func() {}, nil},
		{func() { app.Version = "6.8.41"; w.n.SetMethods(alis, app) }, []string{"Microsoft Authenticator on iPhone 15 of alis@contoso.example is now version 6.8.41; it was 6.8.40."}},
		{func() { w.n.SetMethods(alis, app, graphtest.Method{Kind: "fido2", Name: "blue", Model: "YubiKey 5"}) }, []string{"alis@contoso.example has a new way to sign in: the FIDO2 security key blue."}},
		{func() {
			w.n.SetMethods(alis, app, graphtest.Method{Kind: "fido2", AAGUID: "90a3ccdf-635c-4729-a248-9b709135078f", Model: "Authenticator on iOS"})
		}, []string{"alis@contoso.example has a new way to sign in: the passkey in Authenticator, Authenticator on iOS.", "alis@contoso.example can no longer sign in with the FIDO2 security key blue: it was removed."}},
		{func() { app.ID = "a2"; w.n.SetMethods(alis, app); w.n.SetMethods(olwen) }, []string{
			"alis@contoso.example can no longer sign in with the passkey in Authenticator, Authenticator on iOS: it was removed.", "alis@contoso.example has registered Microsoft Authenticator on iPhone 15 anew.",
			"olwen@contoso.example can no longer sign in with Microsoft Authenticator on Pixel 8: it was removed."}},
		{func() { app.Name = "iPhone 17"; w.n.SetMethods(alis, app) }, []string{"What was Microsoft Authenticator on iPhone 15 is now Microsoft Authenticator on iPhone 17, for alis@contoso.example."}},
	} {
		step.do()
		seen, changes, _ = w.look(seen, alis, olwen)
		if diff := cmp.Diff(step.want, changes); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSignInsNarrower: with the permission for Authenticator alone its changes are still
// seen, and nobody is said to have lost the rest. What cannot be read at all stays.
func TestSignInsNarrower(t *testing.T) {
	w := newWorld(t, all()...)
	seen, _, _ := w.look(keepwatch.SignIns{}, alis, olwen)
	w.app.Revoke(readMethods)
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	w.n.SetMethods(alis, graphtest.Method{Kind: "microsoftAuthenticator", Name: "iPhone 15", Version: "7.0"})
	narrow, changes, lacks := w.look(seen, alis, olwen)
	if len(changes) != 1 || !strings.Contains(changes[0], "is now version 7.0") || len(lacks) != 1 || narrow.People[alis].Whole || len(narrow.People[olwen].Methods) != 1 {
		t.Errorf("%v %v %+v", changes, lacks, narrow)
	}
	w.app.Revoke(readAuthenticator)
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	w.n.ForgetRequests()
	blind, changes, lacks := w.look(narrow, alis, olwen)
	if len(changes) != 0 || len(lacks) != 1 || cmp.Diff(narrow, blind) != "" {
		t.Errorf("%v %v %s", changes, lacks, cmp.Diff(narrow, blind))
	}
	if n := len(w.n.Requests()); n != 2 {
		t.Errorf("%d calls were made although none is allowed", n)
	}
	w.app.Grant(readMethods)
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	if _, changes, _ := w.look(blind, alis, olwen); len(changes) != 0 {
		t.Errorf("who may see more, sees what was always there: %v", changes)
	}
	w.n.Fail(graphtest.Fault{Times: -1, Status: 500, Code: "InternalServerError"})
	if now, _, err := w.d.SignIns(t.Context(), []string{alis}, seen); err == nil || cmp.Diff(seen.People[alis], now.People[alis]) != "" {
		t.Errorf("what was seen is lost by a failure: %v", err)
	}
}

// TestReport: what the report says, hours late, of everybody and of administrators.
func TestReport(t *testing.T) {
	w := newWorld(t, all()...)
	for _, upn := range []string{"none1@contoso.example", "none2@contoso.example"} {
		w.n.AddUser(graphtest.User{UPN: upn})
	}
	w.n.AddUser(graphtest.User{UPN: "off@contoso.example", Disabled: true})
	made := w.clock.Now()
	w.n.RefreshReport()
	w.clock.add(5 * time.Hour)
	w.n.SetMethods(bg1) // the report does not know yet
	r, lacks, err := w.d.Report(t.Context(), false)
	if err != nil || lacks != nil || r.People != 5 || r.Capable != 3 || !r.At.Equal(made.Truncate(time.Second)) || strings.Join(r.Without, " ") != "none1@contoso.example none2@contoso.example" {
		t.Errorf("%+v %v %v", r, lacks, err)
	}
	r, _, err = w.d.Report(t.Context(), true)
	if err != nil || r.People != 2 || len(r.Admins) != 2 || cmp.Diff(r.Admins[1].Methods, []keepwatch.SignInKind{keepwatch.SignInKey}) != "" || len(r.Admins[0].Methods) != 2 {
		t.Errorf("%+v %v", r, err)
	}
	w.n.Fail(graphtest.Fault{Times: 1, Status: 400, Code: "BadRequest", Text: "Filter not supported."})
	if r, _, err = w.d.Report(t.Context(), true); err != nil || len(r.Admins) != 2 || r.People != 5 {
		t.Errorf("without the filter: %+v %v", r, err)
	}
}
