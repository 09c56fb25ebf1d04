package entra

import (
	"fmt"
	"slices"
	"strings"
)

// The names that the PowerShell of Steps gives to what it makes.
const (
	scopeName = "Keepwatch mailboxes"
	groupName = "keepwatch-mailboxes"
	// mostFiltered is how many mailboxes a scope names by their addresses. More are put into
	// a group.
	mostFiltered = 10
)

// Portal gives the steps in Entra for permissions that only a consent gives, as lines;
// none where nothing is missing. optional has those that are merely useful in it.
func (s Scope) Portal(optional bool) []string {
	var names []string
	for _, n := range s.Needs {
		if !n.Mailbox && !n.Held && (n.Level > Optional || optional) {
			names = append(names, n.Permission)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{
		"In Entra (https://entra.microsoft.com), App registrations, All applications, open the application " + s.App + ".",
		"API permissions, Add a permission, Microsoft Graph, Application permissions: tick " + strings.Join(names, ", ") + ", then Add permissions.",
		"Grant admin consent, as a Privileged Role Administrator. It counts within minutes.",
	}
}

// Withdraw gives the steps in Entra that take an unscoped consent back, as lines; none
// where there is none. They come after those of PowerShell: in between, nothing fails.
func (s Scope) Withdraw() []string {
	if len(s.Unscoped) == 0 {
		return nil
	}
	return []string{
		"In Entra (https://entra.microsoft.com), Enterprise applications, open the application " + s.App + ", then Permissions.",
		"Revoke the permission (the three dots behind it): " + strings.Join(s.Unscoped, ", ") + ". Then remove it under App registrations, API permissions, so that nobody consents to it again.",
	}
}

// PowerShell gives the lines that let the application into the mailboxes of the sources
// and into no other, by RBAC for Applications in Exchange Online
// (learn.microsoft.com/exchange/permissions-exo/application-rbac), with the ids filled in;
// none where no source needs it. A line that begins with # explains.
func (s Scope) PowerShell() []string {
	var roles []string
	for _, n := range s.Needs {
		if n.Mailbox {
			roles = append(roles, n.Permission)
		}
	}
	if len(roles) == 0 || len(s.Mailboxes) == 0 {
		return nil
	}
	object := "# Once. The object id is that of the enterprise application, not of the app registration."
	id := s.Object
	if id == "" {
		id = "OBJECT-ID"
		object = "# Once. In place of OBJECT-ID: Entra, Enterprise applications, the application, Object ID. That of the app registration is another one and does not work."
	}
	lines := []string{
		"# As an Exchange administrator; the module is ExchangeOnlineManagement.",
		"Connect-ExchangeOnline",
		object,
		fmt.Sprintf("New-ServicePrincipal -AppId %s -ObjectId %s -DisplayName Keepwatch", s.App, id),
	}
	lines = append(lines, s.scopeLines()...)
	for _, r := range roles {
		lines = append(lines, fmt.Sprintf("New-ManagementRoleAssignment -App %s -Role %s -CustomResourceScope %s", s.App, quote("Application "+r), quote(scopeName)))
	}
	lines = append(lines, "# It counts after 30 minutes to 2 hours. This shows at once what will: InScope must be True here, and False for a mailbox that is no source.")
	for _, m := range s.Mailboxes[:min(len(s.Mailboxes), 3)] {
		lines = append(lines, fmt.Sprintf("Test-ServicePrincipalAuthorization -Identity %s -Resource %s | Format-Table", s.App, quote(m)))
	}
	return append(lines, "# For a restore, give the role \"Application Mail.ReadWrite\" (Contacts, Calendars) in the same way, and take it away afterwards: Remove-ManagementRoleAssignment.")
}

// scopeLines make the management scope, or change it where there is one.
func (s Scope) scopeLines() []string {
	if len(s.Mailboxes) > mostFiltered {
		lines := []string{
			"# A group that nobody sees. Only its direct members count.",
			fmt.Sprintf("New-DistributionGroup -Name %s -Type Security -MemberJoinRestriction Closed", groupName),
			fmt.Sprintf("Set-DistributionGroup -Identity %s -HiddenFromAddressListsEnabled $true", groupName),
		}
		for _, m := range s.Mailboxes {
			lines = append(lines, fmt.Sprintf("Add-DistributionGroupMember -Identity %s -Member %s", groupName, quote(m)))
		}
		return append(lines, fmt.Sprintf(`New-ManagementScope -Name %s -RecipientRestrictionFilter "MemberOfGroup -eq '$((Get-DistributionGroup %s).DistinguishedName)'"`, quote(scopeName), groupName))
	}
	var filter []string
	for _, m := range s.Mailboxes {
		filter = append(filter, "PrimarySmtpAddress -eq '"+strings.ReplaceAll(m, "'", "''")+"'")
	}
	return []string{
		"# Where the scope is there already: Set-ManagementScope -Identity in place of New-ManagementScope -Name.",
		fmt.Sprintf("New-ManagementScope -Name %s -RecipientRestrictionFilter %s", quote(scopeName), quote(strings.Join(filter, " -or "))),
	}
}

// quote writes a text for PowerShell, where nothing in it means anything: single quotes,
// also the curly ones, which PowerShell takes for the same, are doubled
// (learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules).
func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if slices.Contains([]rune("'‘’‚‛"), r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	return "'" + b.String() + "'"
}
