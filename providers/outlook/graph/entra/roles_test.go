package entra

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

const (
	role  = graphtest.GlobalAdministrator
	bryn  = "bryn@contoso.example"
	cerys = "cerys@contoso.example"
	dylan = "dylan@contoso.example"
)

// newRoles is a tenant in which the role is held in all ways: Alis and bg1 for good, Olwen,
// who has taken it, is eligible, Bryn is in the group Admins and Cerys in one within it,
// and Dylan is in a group that is eligible.
func newRoles(t *testing.T, permissions ...string) *world {
	w := newWorld(t, permissions...)
	for _, upn := range []string{bryn, cerys, dylan} {
		w.n.AddUser(graphtest.User{UPN: upn})
		w.n.SetMethods(upn, graphtest.Method{Kind: "fido2", Name: "key"})
	}
	w.n.Entitle(role, olwen)
	w.n.Activate(role, olwen)
	w.n.SetMembers("Admins", bryn, alis, "group Inner", "device Laptop", "servicePrincipal Robot")
	w.n.SetMembers("Inner", cerys, bryn, "group Admins")
	w.n.AssignOther(role, "group", "Admins")
	w.n.SetMembers("Later", dylan, bryn, "servicePrincipal Idle")
	w.n.Entitle(role, "group Later")
	return w
}

// ways are the people and applications, and how each holds the role.
func (w *world) ways() (list []string, all Administrators, lacks []string) {
	w.t.Helper()
	all, more, err := w.d.Administrators(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all.List {
		if a.Holder == HolderGroup {
			list = append(list, fmt.Sprintf("group %s %s: %d, %t", a.title(), a.Way, a.Members, a.Whole))
			continue
		}
		list = append(list, strings.TrimPrefix(string(a.Holder), "user")+strings.TrimSuffix(a.UPN, "@contoso.example")+" "+a.Way.String())
	}
	for _, l := range more {
		lacks = append(lacks, l.String())
	}
	return list, all, lacks
}

// TestWays: each counts once, by the way that counts most.
func TestWays(t *testing.T) {
	w := newRoles(t, all()...)
	same := func(step string, want ...string) {
		t.Helper()
		got, _, lacks := w.ways()
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || lacks != nil {
			t.Errorf("%s: %v %s", step, lacks, diff)
		}
	}
	groups := []string{"group Admins permanent: 3, true", "group Later eligible: 2, true", "olwen eligible", "servicePrincipal by the group Admins"}
	same("all ways", slices.Concat([]string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "bryn by the group Admins", "cerys by the group Admins", "dylan eligible by the group Later"}, groups)...)
	w.n.Activate(role, dylan) // by the group
	w.n.Activate(role, bryn)  // who has it by a group for good
	same("taken", slices.Concat([]string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "bryn by the group Admins", "cerys by the group Admins", "dylan eligible by the group Later"}, groups)...)
	w.n.Entitle(role, alis) // besides
	w.n.Assign(role, dylan)
	same("for good besides", slices.Concat([]string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "bryn by the group Admins", "cerys by the group Admins", "dylan permanent"}, groups)...)
	_, a, _ := w.ways()
	var text strings.Builder
	for _, line := range texts(a.Findings()) {
		text.WriteString(line + "\n")
	}
	contains(t, text.String(), "warning administrators/many: 6 people are Global Administrators", "alis@contoso.example (permanent)", "bryn@contoso.example (by the group Admins)", "and 2 more",
		"ok administrators/group/", "The group Later lets its members take the role for a while: 2 people are in it.",
		"(by the group Admins) is Global Administrator: whoever has its secret", "warning methods/onphone/"+idOf(a, olwen)+": Everything that olwen@contoso.example (eligible) signs in with")
	w.n.Fail(graphtest.Fault{Match: at("roleAssignmentScheduleInstances"), Status: 404, Times: -1})
	got, _, lacks := w.ways()
	if !slices.Contains(got, "dylan eligible by the group Later") || len(lacks) != 1 || lacks[0] != "Whether those who may take the role Global Administrator hold it for good besides is not known: Microsoft 365 does not give this list here." {
		t.Errorf("%v %v", got, lacks)
	}
}

func idOf(all Administrators, upn string) string {
	return all.List[slices.IndexFunc(all.List, func(a Administrator) bool { return a.UPN == upn })].ID
}

// at matches the calls to what a path ends in.
func at(end string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/"+end) }
}

// TestRolesLack: a permission or a licence that is missing is a line that names it, and
// everything else goes on.
func TestRolesLack(t *testing.T) {
	const later = "Who may take the role Global Administrator for a while is not known: "
	for name, c := range map[string]struct {
		change func(w *world)
		want   []string
		list   []string
		blind  bool
	}{
		"no group may be read": {func(w *world) { w.app.Revoke(readMembers) }, []string{
			"Who is in the group ADMINS, which gives the role Global Administrator, is not known: the application permission GroupMember.Read.All is not granted.",
			"Who is in the group LATER, which gives the role Global Administrator, is not known: the application permission GroupMember.Read.All is not granted."},
			[]string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "olwen eligible", "group ADMINS permanent: 0, false", "group LATER eligible: 0, false"}, false},
		"no licence": {func(w *world) { w.n.Managed(false) }, []string{later + "this takes a licence of Entra ID P2 or Entra ID Governance, which the tenant does not have."},
			[]string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "olwen permanent", "bryn by the group Admins", "cerys by the group Admins", "group Admins permanent: 3, true", "servicePrincipal by the group Admins"}, false},
		"assignments alone": {func(w *world) { w.app.Revoke(readRoles); w.app.Grant("Directory.Read.All") }, []string{later + "the application permission RoleEligibilitySchedule.Read.Directory is not granted."},
			[]string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "olwen permanent", "bryn by the group Admins", "cerys by the group Admins", "group Admins permanent: 3, true", "servicePrincipal by the group Admins"}, true},
		"not who has taken it": {func(w *world) { w.app.Revoke(readRoles); w.app.Grant("Directory.Read.All", readEligible) }, []string{
			"Whether those who may take the role Global Administrator hold it for good besides is not known: the application permission RoleAssignmentSchedule.Read.Directory is not granted."}, nil, false},
		"a cloud without it": {func(w *world) {
			w.n.Fail(graphtest.Fault{Match: at("roleEligibilityScheduleInstances"), Status: 404, Times: -1})
		}, []string{later + "Microsoft 365 does not give this list here."}, nil, true},
		"a group is deleted meanwhile": {func(w *world) {
			w.n.Fail(graphtest.Fault{Match: at("transitiveMembers"), Status: 404, Code: "Request_ResourceNotFound", Times: -1})
		}, nil, []string{"alis permanent", "bg1@contoso.onmicrosoft.com permanent", "olwen eligible", "group Admins permanent: 0, true", "group Later eligible: 0, true"}, false},
		"throttled": {func(w *world) {
			for _, end := range []string{"roleEligibilityScheduleInstances", "roleAssignmentScheduleInstances", "transitiveMembers"} {
				w.n.Fail(graphtest.Fault{Match: at(end), Status: 429, RetryAfter: 3 * time.Second, Times: 2})
			}
		}, nil, nil, false},
	} {
		w := newRoles(t, all()...)
		c.change(w)
		w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
		got, a, lacks := w.ways()
		ids := strings.NewReplacer(graphtest.GroupID("Admins"), "ADMINS", graphtest.GroupID("Later"), "LATER")
		for i := range lacks {
			lacks[i] = ids.Replace(lacks[i])
		}
		for i := range got {
			got[i] = strings.ReplaceAll(ids.Replace(got[i]), "servicePrincipalRobot", "servicePrincipal")
		}
		slices.Sort(got)
		slices.Sort(c.list)
		if diff := cmp.Diff(c.want, lacks); diff != "" || a.Blind != c.blind {
			t.Errorf("%s: blind %t %s", name, a.Blind, diff)
		}
		if diff := cmp.Diff(c.list, got); diff != "" && c.list != nil {
			t.Errorf("%s: %s", name, diff)
		}
		if early := w.n.Early(); early > 0 {
			t.Errorf("%s: %d calls came before their time", name, early)
		}
	}
	w := newRoles(t, all()...)
	for _, end := range []string{"roleEligibilityScheduleInstances", "roleAssignmentScheduleInstances", "transitiveMembers"} {
		w.n.Heal()
		w.n.Fail(graphtest.Fault{Match: at(end), Status: 500, Times: -1})
		if a, _, err := w.d.Administrators(t.Context()); err == nil || a.Read {
			t.Errorf("%s is broken, and that is no failure: %+v", end, a)
		}
	}
}

// TestRolesMany: pages are followed, and what is looked at has a bound.
func TestRolesMany(t *testing.T) {
	w := newRoles(t, all()...)
	var crowd []string
	for i := range 220 {
		crowd = append(crowd, fmt.Sprintf("device D%d", i))
		w.n.Entitle(role, olwen) // again and again
	}
	w.n.SetMembers("Admins", append(crowd, bryn)...)
	w.n.Entitle(role, cerys)
	got, a, lacks := w.ways()
	if !slices.Contains(got, "bryn by the group Admins") || !slices.Contains(got, "cerys eligible") || lacks != nil || a.More {
		t.Errorf("on the third page: %v %v", got, lacks)
	}
	for i := range 120 {
		upn := fmt.Sprintf("p%d@contoso.example", i)
		w.n.AddUser(graphtest.User{UPN: upn})
		crowd = append(crowd, upn)
	}
	w.n.SetMembers("Admins", crowd...)
	got, a, lacks = w.ways()
	text := strings.Join(texts(a.Findings()), "\n")
	people := len(slices.DeleteFunc(slices.Clone(a.List), func(x Administrator) bool { return x.Holder != HolderPerson }))
	if people != mostPeople || !slices.Contains(got, "alis permanent") || len(lacks) != 1 || lacks[0] != "Who else is Global Administrator is not known: more than 100 people are, and no more are looked at." {
		t.Errorf("%d people: %v", people, lacks)
	}
	contains(t, text, "warning administrators/many: More than 100 people are Global Administrators", "warning administrators/group/"+graphtest.GroupID("Admins")+": The group Admins holds the role, and not all who are in it are known here.")
	crowd = nil
	for i := range mostMembers + 10 {
		crowd = append(crowd, fmt.Sprintf("device D%d", i))
	}
	w.n.SetMembers("Admins", append(crowd, bryn)...)
	before := len(w.n.Requests())
	_, _, lacks = w.ways()
	want := []string{"Who else is in the group Admins, which gives the role Global Administrator, is not known: it has more than 1,000 members, and no more are looked at."}
	if diff := cmp.Diff(want, lacks); diff != "" {
		t.Error(diff)
	}
	if n := len(w.n.Requests()) - before; n > 60 {
		t.Errorf("%d requests", n)
	}
	w.n.SetMembers("Admins", bryn)
	for i := range mostGroups + 1 {
		w.n.AssignOther(role, "group", fmt.Sprintf("G%d", i))
	}
	if _, _, lacks = w.ways(); len(lacks) != 1 || lacks[0] != "Who is in 3 more groups, which would give the role Global Administrator too, is not known: more than 20 groups are not looked at." {
		t.Errorf("%v", lacks)
	}
}

// TestRolesOdd: what was not expanded says nothing of its kind, so that a group may be
// taken for a person once; that loses nobody their way.
func TestRolesOdd(t *testing.T) {
	var r, later roster
	r.add(principal{ID: "x"}, principal{ID: "x"}.holder(false), Way{})
	r.add(principal{}, HolderPerson, Way{})
	later.add(principal{ID: "x", Name: "Admins"}, HolderGroup, Way{Eligible: true})
	lacks, err := (&Directory{}).taken(t.Context(), &r, later) // nobody is asked
	r.settle()
	if lacks != nil || err != nil || len(r.all) != 1 || r.all[0].Way != (Way{}) || len(r.ways["x"]) != 1 {
		t.Errorf("%v %v %+v", lacks, err, r)
	}
}

// TestRolesInDoubt: where it may not be read whether those who may take the role hold it for
// good besides, that is a line, and nobody is told that there is no administrator for good.
func TestRolesInDoubt(t *testing.T) {
	w := newWorld(t, all()...)
	w.n.Unassign()
	for _, upn := range []string{"bg1@contoso.onmicrosoft.com", alis} {
		w.n.Assign(role, upn)
		w.n.Entitle(role, upn)
	}
	look := func() (string, []string) {
		t.Helper()
		w.client(graph.Config{Secret: keepwatch.NewSecret(secret1)})
		_, a, lacks := w.ways()
		return strings.Join(texts(a.Findings()), "\n"), lacks
	}
	text, lacks := look()
	contains(t, text, "ok administrators/number: 2 people", "warning emergency/one")
	if lacks != nil {
		t.Error(lacks)
	}
	w.app.Revoke(readRoles)
	w.app.Grant("Directory.Read.All", readEligible)
	text, lacks = look()
	contains(t, text, "ok administrators/number: 2 people")
	if len(lacks) != 1 || strings.Contains(text, "for good") {
		t.Errorf("%v\n%s", lacks, text)
	}
}
