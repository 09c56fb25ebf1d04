package entra

import (
	"slices"
	"strings"

	"keepwatch"
)

// Level is how much a permission is needed.
type Level uint8

// The levels.
const (
	Optional Level = iota // something more is known with it
	Required              // a configured backup fails without it
)

// Need is an application permission of Graph, and what it is needed for.
type Need struct {
	Permission string
	For        string // "to back up mail"
	Level      Level
	// Mailbox says that Exchange Online can give it for some mailboxes only, as the role
	// "Application …".
	Mailbox bool
	Held    bool // it is consented to in Entra, for the whole tenant
}

// Needs gives what the sources of mailboxes need, in the order of their urgency, and what
// else helps. Held is false in all of them.
func Needs(sources []keepwatch.Source) []Need {
	parts := map[string]bool{}
	purview := false
	for _, s := range sources {
		if s.Kind != keepwatch.KindOutlook {
			continue
		}
		if s.Engine == keepwatch.EnginePurview {
			purview = true
			continue
		}
		for _, p := range partsOf(s) {
			parts[p] = true
		}
	}
	var needs []Need
	add := func(when bool, level Level, mailbox bool, permission, what string) {
		if when {
			needs = append(needs, Need{Permission: permission, For: what, Level: level, Mailbox: mailbox})
		}
	}
	add(parts["mail"], Required, true, "Mail.Read", "to back up mail")
	add(parts["contacts"], Required, true, "Contacts.Read", "to back up contacts")
	add(parts["calendar"], Required, true, "Calendars.Read", "to back up calendars")
	add(purview, Required, false, "eDiscovery.ReadWrite.All", "to have Purview make exports, and to fetch them")
	for _, o := range [][2]string{
		{readApplications, "to warn before secrets and certificates of applications run out"},
		{readMethods, "to notice when somebody's Authenticator or another sign-in method changes"},
		{readRoles, "to know the Global Administrators"},
		{readUsers, "to know which Global Administrators are accounts of the cloud alone"},
		{readReport, "to read the report of registrations (with a licence of Entra ID P1)"},
		{readOrganisation, "to fill in the dossier: organisation and subscriptions"},
		{readDomains, "to fill in the dossier: domains"},
	} {
		add(true, Optional, false, o[0], o[1])
	}
	return needs
}

// partsOf gives what of a mailbox is backed up: "mail", "contacts", "calendar". Parts that
// are none of these words name folders of mail.
func partsOf(s keepwatch.Source) []string {
	if len(s.Parts) == 0 {
		return []string{"mail", "contacts", "calendar"}
	}
	var out []string
	for _, p := range s.Parts {
		switch word := strings.ToLower(p); word {
		case "contacts", "calendar":
			out = append(out, word)
		default:
			out = append(out, "mail")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wider are the permissions that hold another one, and more. Application.ReadWrite.OwnedBy
// lists all applications too (learn.microsoft.com/graph/permissions-reference).
var wider = map[string][]string{
	"Mail.Read": {"Mail.ReadWrite"}, "Contacts.Read": {"Contacts.ReadWrite"}, "Calendars.Read": {"Calendars.ReadWrite"},
	readApplications: {"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.Read.All", "Directory.ReadWrite.All"},
	readMethods:      {"UserAuthenticationMethod.ReadWrite.All"}, readRoles: {"RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	readUsers: {"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}, readOrganisation: {"Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	readDomains: {"Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
}

// holds reports whether one of some permissions is a permission, or holds it.
func holds(roles []string, permission string) bool {
	return slices.Contains(roles, permission) || slices.ContainsFunc(wider[permission], func(w string) bool { return slices.Contains(roles, w) })
}

// restores are permissions that only a restore needs.
var restores = []string{"Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite"}

// also are permissions that do no harm and are used where they are.
var also = []string{readAuthenticator, readLicences, readMembers, readEligible, readStanding, "Mail.ReadBasic.All", "Mail.ReadBasic", "User.ReadBasic.All", "MailboxItem.Export.All", "MailboxFolder.Read.All", "MailboxItem.Read.All"}

// reachesMailboxes reports whether a consent to a permission opens every mailbox of the
// tenant.
func reachesMailboxes(permission string) bool {
	service, _, _ := strings.Cut(permission, ".")
	switch service {
	case "Mail", "Mail-Advanced", "Contacts", "Calendars", "MailboxSettings", "MailboxItem", "MailboxFolder":
		return true
	}
	return false
}
