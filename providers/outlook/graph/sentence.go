package graph

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// permissions are the least application permissions by what a path names; the first that
// is in it counts. Those that write have a second name where the bot writes too.
var permissions = []struct{ part, read, write string }{
	{"/mailfolders", "Mail.Read", "Mail.ReadWrite"}, {"/messages", "Mail.Read", "Mail.ReadWrite"},
	{"/contactfolders", "Contacts.Read", "Contacts.ReadWrite"}, {"/contacts", "Contacts.Read", "Contacts.ReadWrite"},
	{"/calendar", "Calendars.Read", "Calendars.ReadWrite"}, {"/events", "Calendars.Read", "Calendars.ReadWrite"},
	{"/attachments", "Mail.Read", "Mail.ReadWrite"},
	{"/admin/exchange/", "MailboxItem.Export.All", "MailboxItem.ImportExport.All"},
	{"/security/cases", "eDiscovery.ReadWrite.All", ""},
	{"/authentication/", "UserAuthenticationMethod.Read.All", ""}, {"/reports/", "AuditLog.Read.All", ""},
	{"/directoryroles", "RoleManagement.Read.Directory", ""}, {"/roleeligibilityschedule", "RoleEligibilitySchedule.Read.Directory", ""},
	{"/roleassignmentschedule", "RoleAssignmentSchedule.Read.Directory", ""}, {"/rolemanagement/", "RoleManagement.Read.Directory", ""}, {"/transitivemembers", "GroupMember.Read.All", ""},
	{"/applications", "Application.Read.All", ""}, {"/serviceprincipals", "Application.Read.All", ""},
	{"/organization", "Organization.Read.All", ""}, {"/directory/subscriptions", "Organization.Read.All", ""}, {"/domains", "Domain.Read.All", ""},
	{"/subscribedskus", "LicenseAssignment.Read.All", ""}, {"/users", "User.Read.All", ""},
}

// Permission names the least application permission for a call, or "" where none is known.
func Permission(method, path string) string {
	path = strings.ToLower(path)
	for _, p := range permissions {
		if strings.Contains(path, p.part) {
			if !reads(method) && p.write != "" {
				return p.write
			}
			return p.read
		}
	}
	return ""
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// say puts a sentence for the person who can act before an error of a call.
func (c *Client) say(mailbox string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	whose := mailbox
	if whose == "" {
		whose = "the tenant"
	}
	if e.SignIn {
		return c.saySignIn(e).Because(e)
	}
	has := func(code string) bool {
		return e.Code == code || strings.Contains("/"+strings.Join(e.Inner, "/")+"/", "/"+code+"/")
	}
	sentence := func(kind keepwatch.Kind, format string, args ...any) error {
		return keepwatch.Errorf(kind, format, args...).Because(e)
	}
	switch kind := e.kind(); {
	case has("MailboxNotEnabledForRESTAPI"), has("MailboxNotSupportedForRESTAPI"):
		return sentence(keepwatch.KindAttention, "%s has no mailbox in Exchange Online: it has no licence for it, or the mailbox is on a server of your own. Give it a licence, or take the source out.", whose)
	case has("Authentication_RequestFromNonPremiumTenantOrB2CTenant"):
		return sentence(keepwatch.KindAttention, "Microsoft 365 gives this report only to tenants with a licence of Entra ID P1 or P2.")
	case has("ErrorQuotaExceeded"), e.Status == http.StatusInsufficientStorage:
		return sentence(keepwatch.KindAttention, "The mailbox %s is full. Make room in it, or restore to another mailbox.", whose)
	case has("ErrorInvalidUser"), has("ErrorNonExistentMailbox"), mailbox != "" && (has("Request_ResourceNotFound") || has("ResourceNotFound")):
		return sentence(keepwatch.KindNotFound, "Microsoft 365 knows no mailbox %s. Check its address in keepwatch.yaml.", whose)
	case kind == ErrDenied:
		return c.sayDenied(whose, mailbox, e)
	case e.passes() && e.RetryAfter > mostWait:
		return sentence(keepwatch.KindTransient, "Microsoft 365 asks for a pause of %s with all calls for %s, which is longer than Keepwatch waits by itself.", keepwatch.FormatDuration(e.RetryAfter.Round(time.Minute)), whose)
	case kind == ErrThrottled:
		return sentence(keepwatch.KindTransient, "Microsoft 365 does not take more calls for %s at present. A run that waits for it goes on later.", whose)
	case e.passes():
		return sentence(keepwatch.KindTransient, "Microsoft 365 does not answer for %s at present. A run that waits for it goes on later.", whose)
	case kind == ErrNotFound:
		return sentence(keepwatch.KindNotFound, "Microsoft 365 does not have what was asked for in %s: it was deleted or moved meanwhile.", whose)
	case kind == ErrExists:
		return sentence(keepwatch.KindConflict, "In %s there is already what was to be made.", whose)
	}
	return err
}

// trouble puts a fault that a call waits for by itself into sentences for the card of a run. Of
// the vendor's texts a code is taken alone, since a message or an address can hold anything.
func (e *Error) trouble() string {
	whose, last := "Microsoft 365", "The last try got no whole answer."
	if e.SignIn {
		whose = "The sign-in of Microsoft 365"
	}
	switch {
	case e.Status == http.StatusTooManyRequests:
		return whose + " takes no more calls at present, does not say for how long, and is tried again."
	case e.Status != 0 && plainCode.MatchString(e.Code) && e.Code != strconv.Itoa(e.Status):
		last = fmt.Sprintf("The last error is %d, %s.", e.Status, e.Code)
	case e.Status != 0:
		last = fmt.Sprintf("The last error is %d.", e.Status)
	case e.Code == codeTimeout:
		last = "The last try got no answer in time."
	case e.unsent && !e.SignIn:
		last = "The last try got no connection."
	}
	return whose + " does not answer properly, and is tried again. " + last
}

// plainCode is how the codes of Graph and Entra look.
var plainCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,59}$`)

func (c *Client) sayDenied(whose, mailbox string, e *Error) error {
	need := Permission(e.Method, e.Path)
	switch {
	case need == "":
		return keepwatch.Errorf(keepwatch.KindAttention, "Microsoft 365 refuses a call for %s to the app registration %s. Check its permissions in Entra (API permissions) and that an administrator has consented.", whose, c.config.Client).Because(e)
	case mailbox == "" || !scoped(need):
		return keepwatch.Errorf(keepwatch.KindAttention, "The app registration %s lacks the application permission %s. Add it in Entra (API permissions, Microsoft Graph) and grant admin consent.", c.config.Client, need).Because(e)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The app registration %s may not use the mailbox %s: it needs the application permission %s, with admin consent in Entra, or the role \"Application %s\" for this mailbox in Exchange Online. A change there takes up to two hours.",
		c.config.Client, mailbox, need, strings.TrimSuffix(need, ".All")).Because(e)
}

// scoped reports whether Exchange Online has a role of its own for a permission, which can
// be given for some mailboxes only (learn.microsoft.com/exchange/permissions-exo/application-rbac).
func scoped(permission string) bool {
	service, _, _ := strings.Cut(permission, ".")
	switch service {
	case "Mail", "Contacts", "Calendars", "MailboxSettings", "MailboxItem":
		return true
	}
	return false
}

// saySignIn explains what Entra says when it gives no token. Codes:
// learn.microsoft.com/entra/identity-platform/reference-error-codes.
func (c *Client) saySignIn(e *Error) *keepwatch.Error {
	attention := func(format string, args ...any) *keepwatch.Error {
		return keepwatch.Errorf(keepwatch.KindAttention, format, args...)
	}
	app, tenant := c.config.Client, c.config.Tenant
	switch e.Code {
	case "AADSTS7000215":
		return attention("Entra does not accept the secret of the app registration %s. MICROSOFT_CLIENT_SECRET must hold the secret's value, not its id.", app)
	case "AADSTS7000222":
		return attention("The secret of the app registration %s has expired. Make a new one in Entra (Certificates & secrets) and set MICROSOFT_CLIENT_SECRET.", app)
	case "AADSTS700027", "AADSTS700024", "AADSTS50012":
		return attention("Entra does not accept the certificate of the app registration %s: it is not registered there, or it has expired, or this machine's clock is wrong. Upload it in Entra (Certificates & secrets).", app)
	case "AADSTS700016":
		return attention("The tenant %s does not know the app registration %s. Check MICROSOFT_TENANT_ID and MICROSOFT_CLIENT_ID.", tenant, app)
	case "AADSTS90002", "AADSTS900023":
		return attention("Entra does not know the tenant %s. Check MICROSOFT_TENANT_ID.", tenant)
	case "AADSTS7000112":
		return attention("The app registration %s is disabled in the tenant %s. Enable it in Entra under Enterprise applications.", app, tenant)
	case "AADSTS53003":
		return attention("A Conditional Access policy of the tenant %s keeps the app registration %s from signing in here. Exclude it, or allow this machine's address.", tenant, app)
	}
	if e.passes() {
		return keepwatch.Errorf(keepwatch.KindTransient, "The sign-in of Microsoft 365 does not answer at present. A run that waits for it goes on later.")
	}
	return attention("Entra gives the app registration %s no token (%s). Check the app registration.", app, e.Code)
}
