package entra

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

func texts(list []Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, string(f.Status)+" "+f.Key+": "+f.Text)
	}
	return out
}

// TestAdministrators: who they are, what sort of account each is, and how each signs in.
func TestAdministrators(t *testing.T) {
	w := newWorld(t, all()...)
	w.n.FromDirectory(alis)
	w.n.AssignOther(graphtest.GlobalAdministrator, "group", "Admins")
	w.n.AssignOther(graphtest.GlobalAdministrator, "servicePrincipal", "Robot")
	read := func() []string {
		t.Helper()
		a, _, err := w.d.Administrators(t.Context())
		if err != nil || !a.Read {
			t.Fatalf("%+v %v", a, err)
		}
		var out []string
		for _, x := range a.List {
			out = append(out, fmt.Sprintf("%s %s known %t, off %t, cloud %t, %v", x.Holder, x.UPN, x.Known, x.Disabled, x.CloudOnly, x.Methods))
		}
		return out
	}
	group, robot := "group  known false, off false, cloud false, []", "servicePrincipal  known false, off false, cloud false, []"
	same := func(want ...string) {
		t.Helper()
		got := strings.Join(read(), "\n")
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("%q is not in:\n%s", line, got)
			}
		}
		if n := strings.Count(got, "\n") + 1; n != len(want) {
			t.Errorf("%d administrators:\n%s", n, got)
		}
	}
	same(group, robot, "user alis@contoso.example known true, off false, cloud false, [phone number Microsoft Authenticator]", "user bg1@contoso.onmicrosoft.com known true, off false, cloud true, [FIDO2 security key]")
	w.n.Fail(graphtest.Fault{Status: 501, Code: "NotImplemented"}) // a cloud without the newer call
	same(group, robot, "user alis@", "user bg1@")
	w.app.Revoke(readUsers, readMethods) // the report tells the names and the methods
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	same(group, robot, "user alis@contoso.example known false, off false, cloud false, [Microsoft Authenticator phone number]", "user bg1@contoso.onmicrosoft.com known false, off false, cloud false, [FIDO2 security key]")
	w.app.Grant("User.ReadBasic.All")
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	_, lacks, err := w.d.Administrators(t.Context())
	if err != nil || len(lacks) != 1 || lacks[0].Permission != readUsers {
		t.Errorf("%v %v", lacks, err)
	}
}

// TestFindings: what a lock-out would meet.
func TestFindings(t *testing.T) {
	const phone, key, app, passkey, codes = keepwatch.SignInPhone, keepwatch.SignInKey, keepwatch.SignInAuthenticator, keepwatch.SignInPhonePasskey, keepwatch.SignInCodes
	person := func(upn string, methods ...keepwatch.SignInKind) Administrator {
		return Administrator{ID: upn[:2], UPN: upn, Holder: HolderPerson, Known: true, CloudOnly: true, Seen: true, Methods: methods}
	}
	one, two := person("e1@contoso.onmicrosoft.com", key), person("e2@contoso.onmicrosoft.com", key, app)
	with := func(a Administrator, change func(*Administrator)) Administrator { change(&a); return a }
	later := func(a *Administrator) { a.Way = Way{Eligible: true} }
	number := "ok administrators/number: 2 people can administer everything: e1@contoso.onmicrosoft.com and e2@contoso.onmicrosoft.com."
	cloud := "ok emergency/number: e1@contoso.onmicrosoft.com and e2@contoso.onmicrosoft.com are accounts of the cloud alone, on the tenant's onmicrosoft.com domain."
	for name, c := range map[string]struct {
		list []Administrator
		want []string
	}{
		"in order": {[]Administrator{one, two}, []string{number, cloud}},
		"none":     {nil, []string{"problem administrators/none: No person is Global Administrator for good, so nobody may be able to let others in again."}},
		"one": {[]Administrator{one}, []string{
			"problem administrators/one: e1@contoso.onmicrosoft.com is the only Global Administrator: without that account only Microsoft's support lets anybody in again, which takes days.",
			"warning emergency/one: Only e1@contoso.onmicrosoft.com is an account of the cloud alone on the tenant's onmicrosoft.com domain: if its key is lost there is no other."}},
		"one, the other is disabled": {[]Administrator{one, with(two, func(a *Administrator) { a.Disabled = true })}, []string{"problem administrators/one", "warning emergency/one"}},
		"a group only":               {[]Administrator{{ID: "g", Name: "Admins", Holder: HolderGroup}}, []string{"warning administrators/group/g: The group Admins holds the role, and not all who are in it are known here."}},
		"a group that is read": {[]Administrator{one, two, with(person("al@contoso.example", key), func(a *Administrator) { a.Way = Way{Group: "Admins"} }), {ID: "g", Name: "Admins", Holder: HolderGroup, Members: 1, Whole: true}}, []string{
			"ok administrators/number: 3 people can administer everything: e1@contoso.onmicrosoft.com (permanent), e2@contoso.onmicrosoft.com (permanent) and al@contoso.example (by the group Admins).",
			"ok administrators/group/g: The group Admins holds the role: 1 person is in it.", cloud}},
		"emergency by a group": {[]Administrator{one, with(two, func(a *Administrator) { a.Way = Way{Group: "Admins"} })}, []string{"ok administrators/number", "ok emergency/number",
			"warning emergency/group/e2: e2@contoso.onmicrosoft.com holds the role by the group Admins alone: whoever owns the group can take it out of it."}},
		"eligible only": {[]Administrator{with(one, later), with(two, func(a *Administrator) { a.Way = Way{Eligible: true, Group: "Admins"} })}, []string{
			"problem administrators/none: No person is Global Administrator for good, so nobody may be able to let others in again: e1@contoso.onmicrosoft.com (eligible) and e2@contoso.onmicrosoft.com (eligible by the group Admins) can only take the role for a while, which needs Privileged Identity Management to work, and may need somebody's approval."}},
		"one for good": {[]Administrator{one, with(two, later)}, []string{
			"warning administrators/standing: e1@contoso.onmicrosoft.com is the only Global Administrator for good: e2@contoso.onmicrosoft.com (eligible) can only take the role",
			"warning emergency/one: Of the Global Administrators for good only e1@contoso.onmicrosoft.com is an account of the cloud alone"}},
		"one for good, and a group that may take it": {[]Administrator{one, {ID: "g", Name: "Admins", Holder: HolderGroup, Way: Way{Eligible: true}}}, []string{
			"warning administrators/standing: e1@contoso.onmicrosoft.com is the only Global Administrator for good.",
			"warning administrators/group/g: The group Admins lets its members take the role for a while, and not all who are in it are known here.", "warning emergency/one"}},
		"eligible with a phone":   {[]Administrator{one, two, with(person("al@contoso.example", phone), later)}, []string{"ok administrators/number", cloud, "problem methods/phone/al: al@contoso.example (eligible) signs in with a phone number alone"}},
		"an application":          {[]Administrator{one, two, {ID: "r", Name: "Robot\n", Holder: HolderApplication}}, []string{number, `problem administrators/application/r: The application "Robot\n" is Global Administrator: whoever has its secret has the whole tenant, without a second factor.`, cloud}},
		"many":                    {[]Administrator{one, two, one, two, one}, []string{"warning administrators/many: 5 people are Global Administrators, and whoever takes over one of them has everything: ", "ok emergency/number: "}},
		"on the company's domain": {[]Administrator{person("a1@contoso.example", key), person("a2@contoso.example", key)}, []string{"ok administrators/number", "problem emergency/none: No Global Administrator is an account of the cloud alone on the tenant's onmicrosoft.com domain: all fall with your domain, or with the directory that they come from."}},
		"synchronised":            {[]Administrator{one, with(two, func(a *Administrator) { a.CloudOnly = false })}, []string{number, "warning emergency/one: Only e1@"}},
		"what cannot be read":     {[]Administrator{one, with(two, func(a *Administrator) { a.Known, a.Seen, a.Methods = false, false, nil })}, []string{number}},
		"no key": {[]Administrator{one, person("e2@contoso.onmicrosoft.com", app, keepwatch.SignInWindows)}, []string{number, cloud,
			"problem emergency/key/e2: e2@contoso.onmicrosoft.com has no FIDO2 security key that Entra knows of."}},
		"a passkey on a phone": {[]Administrator{one, person("e2@contoso.onmicrosoft.com", passkey)}, []string{number, cloud,
			"problem emergency/key/e2: The passkey of e2@contoso.onmicrosoft.com is in Authenticator on somebody's phone: it is lost with that phone, and no backup brings it back.",
			"warning methods/onphone/e2: Everything that e2@contoso.onmicrosoft.com signs in with is on a phone. A backup of Authenticator brings back the name of a work account and not the sign-in."}},
		"a phone number only": {[]Administrator{one, two, person("al@contoso.example", phone, keepwatch.SignInEmail)}, []string{"ok administrators/number", cloud,
			"problem methods/phone/al: al@contoso.example signs in with a phone number alone: whoever takes the number over (SIM swap) is let in, and whoever loses it is locked out."}},
		"nothing": {[]Administrator{one, two, person("al@contoso.example", keepwatch.SignInPass)}, []string{"ok administrators/number", cloud,
			"problem methods/none/al: al@contoso.example has no second factor, and Microsoft asks administrators for one."}},
		"all on a phone": {[]Administrator{one, two, person("al@contoso.example", app, codes, phone)}, []string{"ok administrators/number", cloud, "warning methods/onphone/al"}},
	} {
		got := texts(Administrators{Read: true, List: c.list}.Findings())
		if len(got) != len(c.want) {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got))
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], c.want[i]) {
				t.Errorf("%s: %s", name, cmp.Diff(c.want[i], got[i]))
			}
		}
	}
	blind := Administrators{Read: true, Blind: true, List: []Administrator{one}}
	contains(t, blind.Findings()[0].Text, "e1@contoso.onmicrosoft.com is the only Global Administrator that is seen here: without that account")
	if got := (Administrators{}).Findings(); got != nil {
		t.Errorf("what was not read is judged: %v", got)
	}
}

// TestOrganisation: what the dossier takes from it, and whom Microsoft writes to.
func TestOrganisation(t *testing.T) {
	w := newWorld(t, all()...)
	admins, _, err := w.d.Administrators(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := func() Organisation {
		t.Helper()
		o, _, err := w.d.Organisation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := read()
	fields := o.Fields(admins)
	subscription := fields["subscription"]
	delete(fields, "subscription")
	want := map[string]string{"tenant-id": w.n.ID(), "tenant-domain": "contoso.onmicrosoft.com", "domains": "contoso.example", "administrators": "alis@contoso.example, bg1@contoso.onmicrosoft.com"}
	if diff := cmp.Diff(want, fields); diff != "" || !strings.HasPrefix(subscription, "SPB, 15 licences, subscription ") {
		t.Errorf("%s %s", subscription, diff)
	}
	for _, f := range keepwatch.DossierFields() {
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("the dossier has no such fields: %v", want)
	}
	for _, c := range []struct {
		mails []string
		want  string
	}{
		{[]string{"it@contoso.example", "rescue@mail.example"}, "ok tenant/mail: Microsoft writes about technical matters to rescue@mail.example too, which is outside the tenant."},
		{[]string{"it@Contoso.example", "it@uk.contoso.example", "a@contoso.onmicrosoft.com"}, "warning tenant/mail: Microsoft writes about technical matters to it@Contoso.example, it@uk.contoso.example, a@contoso.onmicrosoft.com only, on the tenant's own domain: nobody can read that in a lock-out."},
		{nil, "warning tenant/mail: Microsoft knows no technical contact of the tenant, so nobody hears of an outage or of a breach."},
	} {
		w.n.SetOrganisation(graphtest.Organisation{Initial: "contoso.onmicrosoft.com", Domains: []string{"contoso.example"}, Mails: c.mails, Sold: []graphtest.Subscription{{SKU: "SPB", Total: 1, Status: "Suspended", Trial: true, Partner: payroll}}})
		if diff := cmp.Diff([]string{c.want}, texts(read().Findings())); diff != "" {
			t.Error(diff)
		}
	}
	fields = read().Fields(Administrators{})
	if !strings.HasPrefix(fields["subscription"], "SPB, 1 licence, trial, suspended, subscription ") || !strings.HasSuffix(fields["subscription"], ", bought from a partner") || !strings.Contains(fields["partner"], payroll) || fields["administrators"] != "" {
		t.Errorf("%v", fields)
	}
	w.app.Revoke(readOrganisation, readDomains)
	w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
	if fields = read().Fields(Administrators{}); fields["tenant-id"] != w.n.ID() || fields["subscription"] != "SPB, 1 licence, suspended" || len(read().Findings()) != 0 {
		t.Errorf("by the token and the licences alone: %v", fields)
	}
	long := Organisation{Domains: []string{strings.Repeat("ä", 400)}, Tenant: "a\x1bb", Federated: []string{"contoso.example"}}
	crowd := Administrators{}
	for n := range 40 { // in the order of their names, the one for good among them
		crowd.List = append(crowd.List, Administrator{UPN: fmt.Sprintf("a%02d@contoso.example", n), Holder: HolderPerson, Way: Way{Eligible: n != 35}})
	}
	if got := long.Fields(crowd)["administrators"]; !strings.HasPrefix(got, "a35@contoso.example, a00@contoso.example, a01@") {
		t.Errorf("whoever is administrator for good is not told first: %s", got)
	}
	if f := long.Fields(Administrators{}); len(f["domains"]) > mostValue || strings.Contains(f["tenant-id"], "\x1b") || len(long.Findings()) != 1 {
		t.Errorf("%v", f)
	}
}

// TestLearn: what stays as it was keeps its time; what cannot be read now stays.
func TestLearn(t *testing.T) {
	first := Learn(nil, map[string]string{"tenant-id": "1", "domains": "a.example"}, noon)
	later := noon.AddDate(0, 0, 1)
	got := Learn(first, map[string]string{"domains": "a.example, b.example", "partner": "x"}, later)
	want := map[string]keepwatch.Entered{"tenant-id": {Value: "1", By: "Microsoft 365", At: noon}, "domains": {Value: "a.example, b.example", By: "Microsoft 365", At: later}, "partner": {Value: "x", By: "Microsoft 365", At: later}}
	if diff := cmp.Diff(want, got); diff != "" || len(first) != 2 {
		t.Error(diff)
	}
	if diff := cmp.Diff(got, Learn(got, map[string]string{"domains": "a.example, b.example"}, later.AddDate(0, 0, 1))); diff != "" {
		t.Error(diff)
	}
}
