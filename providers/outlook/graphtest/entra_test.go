package graphtest

import (
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// directoryReads are the directory's lists, and the least permission that opens each.
var directoryReads = map[string]string{
	"/applications": "Application.Read.All",
	"/applications?$select=id,appId,displayName,passwordCredentials,keyCredentials":                                                              "Application.Read.All",
	"/applications(appId='" + appID + "')":                                                                                                       "Application.Read.All",
	"/servicePrincipals(appId='" + appID + "')":                                                                                                  "Application.Read.All",
	"/servicePrincipals(appId='" + appID + "')/appRoleAssignments":                                                                               "Application.Read.All",
	"/servicePrincipals(appId='" + GraphAppID + "')/appRoles":                                                                                    "Application.Read.All",
	"/servicePrincipals(appId='" + GraphAppID + "')?$select=id,appRoles":                                                                         "Application.Read.All",
	"/users/" + ali + "/authentication/methods":                                                                                                  "UserAuthenticationMethod.Read.All",
	"/users/" + ali + "/authentication/microsoftAuthenticatorMethods":                                                                            "UserAuthMethod-MicrosoftAuthApp.Read.All",
	"/users/" + ali + "/authentication/phoneMethods":                                                                                             "UserAuthMethod-Phone.Read.All",
	"/users/" + ali + "/authentication/fido2Methods":                                                                                             "UserAuthMethod-Passkey.Read.All",
	"/reports/authenticationMethods/userRegistrationDetails":                                                                                     "AuditLog.Read.All",
	"/roleManagement/directory/roleAssignments?$filter=roleDefinitionId%20eq%20'" + GlobalAdministrator + "'&$expand=principal":                  "RoleManagement.Read.Directory",
	"/directoryRoles(roleTemplateId='" + GlobalAdministrator + "')":                                                                              "RoleManagement.Read.Directory",
	"/directoryRoles(roleTemplateId='" + GlobalAdministrator + "')/members":                                                                      "RoleManagement.Read.Directory",
	"/roleManagement/directory/roleEligibilityScheduleInstances?$filter=roleDefinitionId%20eq%20'" + GlobalAdministrator + "'&$expand=principal": "RoleEligibilitySchedule.Read.Directory",
	"/roleManagement/directory/roleAssignmentScheduleInstances?$filter=roleDefinitionId%20eq%20'" + GlobalAdministrator + "'":                    "RoleAssignmentSchedule.Read.Directory",
	"/groups/" + guidOf("group Admins") + "/transitiveMembers":                                                                                   "GroupMember.Read.All",
	"/organization": "Organization.Read.All", "/directory/subscriptions": "Organization.Read.All", "/domains": "Domain.Read.All", "/subscribedSkus": "LicenseAssignment.Read.All",
}

// directed is a tenant with something in each of its lists.
func directed(t *testing.T, o Options, permissions ...string) *world {
	w := newWorld(t, o, permissions...)
	app := w.n.AddApp(appID, secret, &x509.Certificate{Raw: []byte("certificate"), SerialNumber: big.NewInt(1), NotAfter: w.clock.Now().Add(time.Hour)}, permissions...)
	app.Called("Keepwatch")
	app.EndSecret(secret, w.clock.Now().Add(48*time.Hour))
	app.AddSecret(Credential{Name: "old", Hint: "a1b", Ends: w.clock.Now().Add(-time.Hour)})
	app.AddCertificate("signing", &x509.Certificate{Raw: []byte("other"), NotAfter: w.clock.Now()})
	app.GrantExchange("full_access_as_app")
	var methods []Method
	for _, m := range methodTypes {
		methods = append(methods, Method{Kind: m.kind, Name: "one", Version: "6.8.40", Created: w.clock.Now()})
	}
	w.n.SetMethods(ali, methods...)
	w.n.Assign(GlobalAdministrator, ali)
	w.n.AssignOther(GlobalAdministrator, "group", "Admins")
	w.n.AssignOther(GlobalAdministrator, "servicePrincipal", "Robot")
	w.n.SetMembers("Admins", ali, "group Inner", "device Laptop", "servicePrincipal Robot")
	w.n.SetMembers("Inner", ali, "group Admins")
	w.n.Entitle(GlobalAdministrator, ali)
	w.n.Entitle(GlobalAdministrator, "group Admins")
	w.n.Activate(GlobalAdministrator, ali)
	w.n.Managed(true)
	w.n.SetOrganisation(Organisation{Name: "Contoso", Initial: "contoso.onmicrosoft.com", Domains: []string{"contoso.example"}, Mails: []string{"it@contoso.example"}, Phones: []string{"+44 1"},
		Sold: []Subscription{{SKU: "SPB", Total: 5, Used: 4, Status: "Enabled", Renews: w.clock.Now()}}})
	w.n.Premium(true)
	w.n.RefreshReport()
	w.token = w.n.Token(appID)
	return w
}

func TestDirectoryShapes(t *testing.T) {
	var all []string
	for _, p := range directoryReads {
		all = append(all, p)
	}
	w := directed(t, Options{Schema: metadata(t)}, append(all, "User.Read.All")...)
	for path := range directoryReads {
		r := w.want(path, 200, "")
		if _, single := r.body["id"]; !single && len(r.values()) == 0 {
			t.Errorf("%s is empty: %s", path, r.raw)
		}
		if bad := w.n.Violations(); len(bad) > 0 {
			t.Fatalf("%s: %v\n%s", path, bad, r.raw)
		}
	}
}

// TestDirectoryPermissions: a list is open with its permission, and closed with all
// others together.
func TestDirectoryPermissions(t *testing.T) {
	for path, need := range directoryReads {
		var others []string
		for _, other := range directoryReads {
			also := strings.Contains(path, "/authentication/") && other == "UserAuthenticationMethod.Read.All" || path == "/subscribedSkus" && other == "Organization.Read.All" ||
				strings.Contains(path, "ScheduleInstances") && other == "RoleManagement.Read.Directory" // which opens them too
			if other != need && !also {
				others = append(others, other)
			}
		}
		w := directed(t, Options{}, others...)
		w.want(path, 403, "Authorization_RequestDenied")
		w.n.AddApp(appID, secret, nil, need)
		w.token = w.n.Token(appID)
		w.want(path, 200, "")
	}
}

func TestDirectoryLists(t *testing.T) {
	w := directed(t, Options{}, "Application.Read.All", "AuditLog.Read.All", "RoleManagement.Read.Directory")
	for i := range 250 {
		w.n.AddApp(guidOf(string(rune('a'+i))), "", nil)
	}
	seen, path := 0, "/applications?$select=id,keyCredentials"
	for path != "" {
		r := w.want(path, 200, "")
		seen += len(r.values())
		path = strings.TrimPrefix(r.text("@odata.nextLink"), w.n.URL+"/v1.0")
	}
	if seen != 251 {
		t.Errorf("%d applications", seen)
	}
	keys := func(path string) any {
		return w.get(path).body["keyCredentials"].([]any)[0].(map[string]any)["key"]
	}
	if keys("/applications(appId='"+appID+"')") != nil || keys("/applications(appId='"+appID+"')?$select=keyCredentials") == nil {
		t.Error("a key is there if it is selected, and only then")
	}
	w.want("/applications(appId='nobody')", 404, "Request_ResourceNotFound")
	if who := w.get("/roleManagement/directory/roleAssignments?$filter=roleDefinitionId%20eq%20'" + GlobalAdministrator + "'&$expand=principal").values()[0]["principal"].(map[string]any); who["userPrincipalName"] != nil || who["id"] == "" {
		t.Errorf("without User.Read.All a principal shows %v", who)
	}
}

// TestRegistrations: the report needs a licence, is hours behind, and may be asked for
// five times in ten seconds.
func TestRegistrations(t *testing.T) {
	w := directed(t, Options{}, "AuditLog.Read.All")
	const report = "/reports/authenticationMethods/userRegistrationDetails?$filter=isAdmin%20eq%20true"
	const unlicensed = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
	methods := func() []any { return w.want(report, 200, "").values()[0]["methodsRegistered"].([]any) }
	before := methods()
	w.n.SetMethods(ali)
	if after := methods(); len(before) == 0 || len(after) != len(before) || slices.Contains(after, any("password")) {
		t.Error("the report is made anew every few hours, not at once")
	}
	w.n.RefreshReport()
	if len(methods()) != 0 {
		t.Error("the report was not made anew")
	}
	w.n.Premium(false)
	w.want(report, 403, unlicensed)
	w.want(report, 403, unlicensed)
	if r := w.want(report, 429, "TooManyRequests"); r.header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	w.clock.add(11 * time.Second)
	w.want(report, 403, unlicensed)
}

// TestRoles: Privileged Identity Management needs a licence and says who has taken a role;
// a group gives all that is in it, each once, page by page.
func TestRoles(t *testing.T) {
	w := directed(t, Options{}, "RoleManagement.Read.Directory", "GroupMember.Read.All")
	const pim, filter = "/roleManagement/directory/role", "?$filter=roleDefinitionId%20eq%20'" + GlobalAdministrator + "'"
	types := func() (list []string) {
		for _, v := range w.want(pim+"AssignmentScheduleInstances"+filter, 200, "").values() {
			list = append(list, v["assignmentType"].(string))
		}
		return list
	}
	if got := types(); !slices.Equal(got, []string{"Assigned", "Assigned", "Assigned", "Activated"}) {
		t.Errorf("%v", got)
	}
	w.want(pim+"EligibilityScheduleInstances", 400, "Request_UnsupportedQuery")
	w.n.Managed(false)
	w.want(pim+"EligibilityScheduleInstances"+filter, 400, "AadPremiumLicenseRequired")
	w.want(pim+"AssignmentScheduleInstances"+filter, 400, "AadPremiumLicenseRequired")
	w.want(pim+"Assignments"+filter, 200, "")
	w.want("/groups/nobody/transitiveMembers", 404, "Request_ResourceNotFound")
	inner := []string{"group Admins", ali}
	for i := range 150 {
		inner = append(inner, "device D"+guidOf(string(rune('a'+i))))
	}
	w.n.SetMembers("Inner", inner...)
	seen, path := 0, "/groups/"+GroupID("Admins")+"/transitiveMembers"
	for path != "" {
		r := w.want(path, 200, "")
		seen += len(r.values())
		path = strings.TrimPrefix(r.text("@odata.nextLink"), w.n.URL+"/v1.0")
	}
	if seen != 154 { // Ali, Inner, Laptop, Robot, and the devices
		t.Errorf("%d members", seen)
	}
	w.n.Throttle(1, time.Second)
	w.want("/groups/"+GroupID("Admins")+"/transitiveMembers", 429, "ApplicationThrottled")
}
