package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

// globalAdministrator is the template of that role, the same in every tenant
// (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

// Administrator holds the role Global Administrator.
type Administrator struct {
	ID     string
	UPN    string // sign-in name; "": it may not be read
	Name   string
	Holder Holder
	// Known says that the next three could be read.
	Known     bool
	Disabled  bool
	CloudOnly bool // not synchronised from a directory of one's own
	Guest     bool
	// Seen says that Methods are known; At is of when they are.
	Seen    bool
	At      time.Time
	Methods []keepwatch.SignInKind
}

// Holder is what sort of thing holds a role.
type Holder string

// The sorts.
const (
	HolderPerson      Holder = "user"
	HolderGroup       Holder = "group"
	HolderApplication Holder = "servicePrincipal"
)

// title names an administrator in a sentence.
func (a Administrator) title() string {
	if a.UPN != "" {
		return keepwatch.Printable(a.UPN)
	}
	return named(a.Name, a.ID)
}

// has reports whether one of the methods is of a kind.
func (a Administrator) has(kind ...keepwatch.SignInKind) bool {
	return slices.ContainsFunc(a.Methods, func(k keepwatch.SignInKind) bool { return slices.Contains(kind, k) })
}

// Administrators are all who hold the role Global Administrator for good. Who may take it
// for a while (Privileged Identity Management) is not among them.
type Administrators struct {
	Read bool // false: they may not be read
	List []Administrator
}

type principal struct {
	Type string `json:"@odata.type"`
	ID   string `json:"id"`
	UPN  string `json:"userPrincipalName"`
	Name string `json:"displayName"`
}

func (p principal) administrator() Administrator {
	holder := Holder(strings.TrimPrefix(p.Type, "#microsoft.graph."))
	if holder != HolderGroup && holder != HolderApplication {
		holder = HolderPerson
	}
	return Administrator{ID: p.ID, UPN: p.UPN, Name: p.Name, Holder: holder}
}

// Administrators reads the Global Administrators, what sort of account each is, and how
// each can sign in: from the accounts themselves, else from the report of registrations.
func (d *Directory) Administrators(ctx context.Context) (Administrators, []Lack, error) {
	var all Administrators
	holders, err := d.holders(ctx)
	lacks, err := lack(err, readRoles, "Who the Global Administrators are")
	if err != nil || lacks != nil {
		return all, lacks, err
	}
	all.Read, all.List = true, holders
	more, err := d.describe(ctx, all.List)
	if err != nil {
		return all, more, err
	}
	lacks = append(lacks, more...)
	more, err = d.watch(ctx, all.List)
	slices.SortFunc(all.List, func(a, b Administrator) int { return strings.Compare(a.title(), b.title()) })
	return all, append(lacks, more...), err
}

// holders asks for the assignments of the role, or for its members where a cloud does not
// have those.
func (d *Directory) holders(ctx context.Context) ([]Administrator, error) {
	var all []Administrator
	add := func(p principal) {
		if p.ID != "" && !slices.ContainsFunc(all, func(a Administrator) bool { return a.ID == p.ID }) {
			all = append(all, p.administrator())
		}
	}
	type assignment struct {
		Holder    string    `json:"principalId"`
		Principal principal `json:"principal"`
	}
	err := list(ctx, d, "/roleManagement/directory/roleAssignments?$filter=roleDefinitionId%20eq%20'"+globalAdministrator+"'&$expand=principal", func(a assignment) {
		if a.Principal.ID == "" { // it was not expanded
			a.Principal.ID = a.Holder
		}
		add(a.Principal)
	})
	var e *graph.Error
	if errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound || e.Status == http.StatusNotImplemented) {
		all = nil
		err = list(ctx, d, "/directoryRoles(roleTemplateId='"+globalAdministrator+"')/members", add)
	}
	if err != nil {
		return nil, fmt.Errorf("read the Global Administrators: %w", err)
	}
	return all, nil
}

// describe fills in what sort of account each is.
func (d *Directory) describe(ctx context.Context, all []Administrator) ([]Lack, error) {
	for i := range all {
		a := &all[i]
		if a.Holder != HolderPerson {
			continue
		}
		var u struct {
			UPN     string `json:"userPrincipalName"`
			Name    string `json:"displayName"`
			Enabled *bool  `json:"accountEnabled"`
			Synced  *bool  `json:"onPremisesSyncEnabled"`
			Type    string `json:"userType"`
		}
		err := d.get(ctx, "/users/"+url.PathEscape(a.ID)+"?$select=id,userPrincipalName,displayName,accountEnabled,onPremisesSyncEnabled,userType", &u)
		const what = "Whether Global Administrators are accounts of the cloud alone"
		switch lacks, err := lack(err, readUsers, what); {
		case missing(err): // deleted meanwhile
		case err != nil:
			return nil, fmt.Errorf("read a Global Administrator: %w", err)
		case lacks != nil:
			return lacks, nil
		case u.Enabled == nil: // who may read only the basics is told nothing
			a.UPN, a.Name = u.UPN, u.Name
			return lack(&graph.Error{Status: http.StatusForbidden}, readUsers, what)
		default:
			a.UPN, a.Name, a.Known = u.UPN, u.Name, true
			a.Disabled, a.CloudOnly, a.Guest = !*u.Enabled, u.Synced == nil || !*u.Synced, u.Type == "Guest"
		}
	}
	return nil, nil
}

// watch fills in how each can sign in.
func (d *Directory) watch(ctx context.Context, all []Administrator) ([]Lack, error) {
	var lacks []Lack
	for i := range all {
		a := &all[i]
		if a.Holder != HolderPerson {
			continue
		}
		seen, err := d.methods(ctx, a.ID, false)
		if missing(err) {
			continue
		}
		lacks, err = lack(err, readMethods, "How Global Administrators can sign in")
		if err != nil {
			return nil, fmt.Errorf("read how a Global Administrator signs in: %w", err)
		}
		if lacks != nil {
			break
		}
		a.Seen, a.At = true, seen.At
		for _, m := range seen.Methods {
			a.Methods = append(a.Methods, m.Kind)
		}
	}
	if lacks == nil {
		return nil, nil
	}
	report, more, err := d.Report(ctx, true)
	if err != nil || more != nil {
		return append(lacks, more...), err
	}
	for i := range all {
		at := slices.IndexFunc(report.Admins, func(r Registration) bool { return r.ID == all[i].ID })
		if at < 0 {
			continue
		}
		r := report.Admins[at]
		all[i].Seen, all[i].At, all[i].Methods = true, r.At, r.Methods
		if all[i].UPN == "" {
			all[i].UPN = r.UPN
		}
	}
	return nil, nil
}
