package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

// Scope is what the application may do, and what of it is too much or too little.
type Scope struct {
	App    string // the application (client) id
	Object string // the object id of its service principal; "": not known
	// Seen says that what is consented to in Entra could be read. Otherwise only calls show
	// what is allowed.
	Seen bool
	// Roles are the permissions of Graph that are consented to, for the whole tenant.
	Roles []string
	// Exchange are those of Office 365 Exchange Online, which no token for Graph shows; they
	// are read where Application.Read.All is granted.
	Exchange []string
	Needs    []Need
	// Unscoped are the held permissions that reach all mailboxes of the tenant: roles for
	// single mailboxes in Exchange Online add to a consent, and do not narrow it.
	Unscoped []string
	// Excess are held permissions that nothing here needs.
	Excess    []string
	Mailboxes []string // that the sources name, each once
}

// Scope reads what the application may do, and compares it with what the sources of
// mailboxes need. It signs in anew to see what was consented to a moment ago.
func (d *Directory) Scope(ctx context.Context, sources []keepwatch.Source) (Scope, error) {
	s := Scope{App: d.cfg.AppID, Needs: Needs(sources)}
	for _, src := range sources {
		if src.Kind == keepwatch.KindOutlook && !slices.Contains(s.Mailboxes, src.Mailbox) {
			s.Mailboxes = append(s.Mailboxes, src.Mailbox)
		}
	}
	token, err := d.cfg.Client.Grant(ctx)
	switch {
	case err == nil:
		s.Seen, s.Roles, s.Object = true, token.Roles, token.Object
	case !errors.Is(err, graph.ErrOpaque):
		return s, err
	}
	if !s.Seen || holds(s.Roles, readApplications) {
		if err := d.consents(ctx, &s); err != nil {
			return s, err
		}
	}
	s.judge()
	return s, nil
}

// Well-known ids of Microsoft's own applications
// (learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in).
const (
	graphApp    = "00000003-0000-0000-c000-000000000000"
	exchangeApp = "00000002-0000-0ff1-ce00-000000000000"
)

// consents reads the app roles that were assigned to the service principal, by which an
// administrator consents. It leaves s as it is where they may not be read.
func (d *Directory) consents(ctx context.Context, s *Scope) error {
	type assignment struct {
		Role      string `json:"appRoleId"`
		Resource  string `json:"resourceId"`
		Principal string `json:"principalId"`
	}
	var given []assignment
	err := list(ctx, d, "/servicePrincipals(appId='"+url.PathEscape(s.App)+"')/appRoleAssignments?$top=999", func(a assignment) { given = append(given, a) })
	if done, err := unreadable(err); done {
		return err
	}
	for _, resource := range []string{graphApp, exchangeApp} {
		var of struct {
			ID    string `json:"id"`
			Roles []struct {
				ID    string `json:"id"`
				Value string `json:"value"`
			} `json:"appRoles"`
		}
		err := d.get(ctx, "/servicePrincipals(appId='"+resource+"')?$select=id,appRoles", &of)
		if done, err := unreadable(err); done {
			if err != nil {
				return err
			}
			continue // a tenant without Exchange Online does not have its service principal
		}
		var names []string
		for _, a := range given {
			s.Object = a.Principal
			for _, r := range of.Roles {
				if a.Resource == of.ID && a.Role == r.ID && r.Value != "" {
					names = append(names, r.Value)
				}
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		switch {
		case resource == exchangeApp:
			s.Exchange = names
		case !s.Seen:
			s.Roles, s.Seen = names, true
		}
	}
	return nil
}

// unreadable tells whether a call has failed, and with an error that counts.
func unreadable(err error) (failed bool, counts error) {
	if err == nil {
		return false, nil
	}
	if lacks, other := lack(err, readApplications, ""); lacks != nil || missing(other) {
		return true, nil
	}
	return true, fmt.Errorf("read the consents: %w", err)
}

// judge compares what is held with what is needed.
func (s *Scope) judge() {
	known := slices.Concat(restores, also)
	for i := range s.Needs {
		n := &s.Needs[i]
		n.Held = holds(s.Roles, n.Permission)
		known = append(known, n.Permission)
	}
	for _, r := range s.Roles {
		if reachesMailboxes(r) {
			s.Unscoped = append(s.Unscoped, r)
		}
		if !slices.Contains(known, r) {
			s.Excess = append(s.Excess, r)
		}
	}
}

// Access is how a mailbox answered a call that a permission is needed for.
type Access string

// The answers.
const (
	AccessYes     Access = "yes"
	AccessDenied  Access = "denied"
	AccessNone    Access = "no mailbox" // there is none of that address, or it is not in Exchange Online
	AccessUnknown Access = "unknown"    // it could not be asked now
)

// Reach is what one call for a mailbox has shown.
type Reach struct {
	Permission string
	Access     Access
	// Consent says that a consent in Entra gives it. An AccessYes without one comes of a role
	// in Exchange Online.
	Consent bool
	Err     error // of AccessDenied, AccessNone and AccessUnknown: a sentence
}

// probes are the smallest calls that show a permission: an id.
var probes = map[string]string{
	"Mail.Read":      "/mailFolders/inbox?$select=id",
	"Contacts.Read":  "/contactFolders?$top=1&$select=id",
	"Calendars.Read": "/calendar?$select=id",
}

// Reach tries each permission that a source needs on its mailbox, with a call that reads
// no item. That is all that can be seen from here: which other mailboxes a role reaches,
// Exchange Online tells its administrators only (see [Scope.Steps]).
func (d *Directory) Reach(ctx context.Context, source keepwatch.Source, s Scope) []Reach {
	var out []Reach
	for _, n := range Needs([]keepwatch.Source{source}) {
		path, ok := probes[n.Permission]
		if !ok || !n.Mailbox {
			continue
		}
		r := d.try(ctx, source.Mailbox, path)
		r.Permission, r.Consent = n.Permission, holds(s.Roles, n.Permission)
		out = append(out, r)
		if r.Access == AccessNone {
			break
		}
	}
	return out
}

func (d *Directory) try(ctx context.Context, mailbox, path string) Reach {
	var answer struct{}
	err := d.cfg.Client.JSON(ctx, mailbox, graph.Request{URL: "/users/" + url.PathEscape(mailbox) + path}, &answer)
	var e *graph.Error
	switch {
	case err == nil:
		return Reach{Access: AccessYes}
	case errors.As(err, &e) && (slices.Contains([]string{"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"}, e.Code) || missing(err)):
		return Reach{Access: AccessNone, Err: err}
	case errors.As(err, &e) && !e.SignIn && e.Status == http.StatusForbidden:
		return Reach{Access: AccessDenied, Err: err}
	}
	return Reach{Access: AccessUnknown, Err: err}
}
