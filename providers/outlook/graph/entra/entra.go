// Package entra asks Microsoft Entra, through Graph, what helps before and in a lock-out:
// when secrets and certificates run out, how people can sign in, who the Global
// Administrators are, what is known of the tenant, and what the application itself may do.
//
// It only reads. Each thing needs an application permission of its own, and none of them
// is needed: what may not be read is a [Lack], which is a sentence and not an error. What
// was seen before is kept by the caller; nothing is remembered here.
//
// Sources: learn.microsoft.com/graph/api/resources/application,
// /authenticationmethods-overview, /userregistrationdetails, /unifiedroleassignment,
// /unifiedroleeligibilityscheduleinstance, /unifiedroleassignmentscheduleinstance,
// /organization, /companysubscription; for scopes
// learn.microsoft.com/exchange/permissions-exo/application-rbac.
package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

// The application permissions of Graph that are used here, each the least for its call.
const (
	readApplications  = "Application.Read.All"
	readMethods       = "UserAuthenticationMethod.Read.All"
	readAuthenticator = "UserAuthMethod-MicrosoftAuthApp.Read.All"
	readReport        = "AuditLog.Read.All"
	readRoles         = "RoleManagement.Read.Directory"
	readEligible      = "RoleEligibilitySchedule.Read.Directory" // readRoles opens it too
	readStanding      = "RoleAssignmentSchedule.Read.Directory"  // readRoles opens it too
	readMembers       = "GroupMember.Read.All"
	readUsers         = "User.Read.All"
	readOrganisation  = "Organization.Read.All"
	readDomains       = "Domain.Read.All"
	readLicences      = "LicenseAssignment.Read.All"
)

// Config is what a Directory works with. All of it is required, except for Location.
type Config struct {
	Client   *graph.Client
	AppID    string // the application (client) id
	Now      func() time.Time
	Location *time.Location // of dates in sentences; nil: UTC
}

// Directory asks the Entra of one tenant. Its methods may be called from any goroutine.
type Directory struct{ cfg Config }

// New makes one. It makes no network call.
func New(cfg Config) (*Directory, error) {
	if cfg.Client == nil || cfg.AppID == "" || cfg.Now == nil {
		return nil, errors.New("entra: a Config that lacks one of its parts")
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	return &Directory{cfg}, nil
}

// Lack is something that cannot be known here.
type Lack struct {
	Permission string // the application permission that would open it; "": no permission does
	What       string // "When secrets of other applications run out"
	Why        string // "the permission … is not granted"
}

// String is the sentence.
func (l Lack) String() string { return l.What + " is not known: " + l.Why + "." }

// lack makes a Lack of a refusal, and gives back every other error. permission is what
// the call needs.
func lack(err error, permission, what string) ([]Lack, error) {
	var e *graph.Error
	switch {
	case err == nil:
		return nil, nil
	case unlicensed(err):
		return []Lack{{What: what, Why: "Microsoft gives this report only to tenants with a licence of Entra ID P1 or P2"}}, nil
	case unmanaged(err):
		return []Lack{{What: what, Why: "this takes a licence of Entra ID P2 or Entra ID Governance, which the tenant does not have"}}, nil
	case errors.As(err, &e) && !e.SignIn && e.Status == http.StatusForbidden:
		return []Lack{{Permission: permission, What: what, Why: "the application permission " + permission + " is not granted"}}, nil
	}
	return nil, err
}

// unlicensed reports whether a call was refused because the tenant has no licence for it.
func unlicensed(err error) bool {
	return coded(err, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
}

// unmanaged reports whether a call was refused because the tenant has no licence for
// Privileged Identity Management. People have seen it as a 400.
func unmanaged(err error) bool { return coded(err, "AadPremiumLicenseRequired") }

func coded(err error, code string) bool {
	var e *graph.Error
	return errors.As(err, &e) && (e.Code == code || strings.Contains(strings.Join(e.Inner, "/"), code))
}

func missing(err error) bool { return errors.Is(err, graph.ErrNotFound) }

// get reads one object.
func (d *Directory) get(ctx context.Context, path string, into any) error {
	return d.cfg.Client.JSON(ctx, "", graph.Request{URL: path}, into)
}

// list reads a list, object by object.
func list[T any](ctx context.Context, d *Directory, path string, each func(T)) error {
	return listWhile(ctx, d, path, func(v T) bool { each(v); return true })
}

// listWhile is list, as long as each says that it wants more.
func listWhile[T any](ctx context.Context, d *Directory, path string, each func(T) bool) error {
	for page, err := range d.cfg.Client.Pages(ctx, "", path) {
		if err != nil {
			return err
		}
		for _, raw := range page.Items {
			var v T
			if err := json.Unmarshal(raw, &v); err != nil {
				return fmt.Errorf("read %s: %w", path, err)
			}
			if !each(v) {
				return nil
			}
		}
	}
	return nil
}

// date writes a day for a sentence.
func (d *Directory) date(t time.Time) string { return t.In(d.cfg.Location).Format("2 January 2006") }

// named gives a name from the directory as it may be shown, or another where it is empty.
func named(name, otherwise string) string {
	if strings.TrimSpace(name) == "" {
		return otherwise
	}
	return keepwatch.Printable(name)
}
