package entra

import (
	"context"
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

// Administrator holds the role Global Administrator, or may take it.
type Administrator struct {
	ID     string
	UPN    string // sign-in name; "": it may not be read
	Name   string
	Holder Holder
	Way    Way // the one that counts most, where there are several
	// Members is how many people are in a group, at any depth, and Whole says that all of
	// them could be read.
	Members int
	Whole   bool
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

// titled names one with how the role is held, where that is not for good and directly.
func (a Administrator) titled() string {
	if a.Way == (Way{}) {
		return a.title()
	}
	return a.title() + " (" + a.Way.String() + ")"
}

// Administrators are all who hold the role Global Administrator or may take it: each once,
// people with the groups by which they hold it beside them.
type Administrators struct {
	Read  bool // false: they may not be read
	Blind bool // who may take the role for a while could not be read
	Doubt bool // whether those who may take it hold it for good besides could not be read
	More  bool // there are more people than are looked at
	List  []Administrator
}

// Administrators reads the Global Administrators, what sort of account each is, and how
// each can sign in: from the accounts themselves, else from the report of registrations.
func (d *Directory) Administrators(ctx context.Context) (Administrators, []Lack, error) {
	all, lacks, err := d.holders(ctx)
	if err != nil || !all.Read {
		return all, lacks, err
	}
	more, err := d.describe(ctx, all.List)
	if err != nil {
		return all, more, err
	}
	lacks = append(lacks, more...)
	more, err = d.watch(ctx, all.List)
	slices.SortFunc(all.List, func(a, b Administrator) int { return strings.Compare(a.title(), b.title()) })
	return all, append(lacks, more...), err
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
	if slices.ContainsFunc(all, func(a Administrator) bool { return a.Holder == HolderPerson && !a.Seen }) {
		return lacks, nil // the report may have nothing of whoever is eligible only
	}
	return nil, nil
}
