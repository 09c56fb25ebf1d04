package entra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

// Way is how a role is held. The zero value is for good, and directly.
type Way struct {
	Eligible bool   // it may be taken for a while (Privileged Identity Management)
	Group    string // the name of the group that gives it, as it may be shown; "": none
}

// String puts it into words: "eligible by the group Admins".
func (w Way) String() string {
	switch {
	case w.Group == "" && !w.Eligible:
		return "permanent"
	case w.Group == "":
		return "eligible"
	case w.Eligible:
		return "eligible by the group " + w.Group
	}
	return "by the group " + w.Group
}

// rank is lower for a way that counts more.
func (w Way) rank() (n int) {
	if w.Eligible {
		n = 2
	}
	if w.Group != "" {
		n++
	}
	return n
}

// What is looked at of very many: each person takes two calls, and a check waits for them.
const (
	mostPeople  = 100
	mostGroups  = 20
	mostMembers = 1000 // of a group, devices and groups within it too
)

// principal is a directoryObject. Of what the application may not read only the id and the
// type are told.
type principal struct {
	Type string `json:"@odata.type"`
	ID   string `json:"id"`
	UPN  string `json:"userPrincipalName"`
	Name string `json:"displayName"`
}

// holder is what sort of thing it is. "" is nothing that acts: a device, a contact, and a
// group within a group, whose members are told in its place.
func (p principal) holder(member bool) Holder {
	switch h := Holder(strings.TrimPrefix(p.Type, "#microsoft.graph.")); {
	case h == HolderGroup && !member, h == HolderApplication:
		return h
	case member && h != HolderPerson:
		return ""
	}
	return HolderPerson
}

// held is that somebody is assigned a role, or eligible for it.
type held struct {
	Holder    string    `json:"principalId"`
	Principal principal `json:"principal"`
}

func (h held) principal() principal {
	if h.Principal.ID == "" { // it was not expanded
		h.Principal.ID = h.Holder
	}
	return h.Principal
}

// roster is who was found to hold the role, each once, and in which ways.
type roster struct {
	all  []Administrator
	ways map[string][]Way // by id
	more bool             // people were left out
}

// add takes in somebody, and how they hold the role. Where there is no room for them it
// gives false.
func (r *roster) add(p principal, holder Holder, way Way) bool {
	if p.ID == "" || holder == "" {
		return true
	}
	at := slices.IndexFunc(r.all, func(a Administrator) bool { return a.ID == p.ID })
	switch {
	case at >= 0:
		r.all[at].UPN, r.all[at].Name = cmp.Or(r.all[at].UPN, p.UPN), cmp.Or(r.all[at].Name, p.Name)
	case holder == HolderPerson && r.people() >= mostPeople:
		r.more = true
		return false
	default:
		r.all = append(r.all, Administrator{ID: p.ID, UPN: p.UPN, Name: p.Name, Holder: holder})
	}
	if r.ways == nil {
		r.ways = map[string][]Way{}
	}
	if !slices.Contains(r.ways[p.ID], way) {
		r.ways[p.ID] = append(r.ways[p.ID], way)
	}
	return true
}

// settle gives each the way that counts most.
func (r *roster) settle() {
	for i := range r.all {
		if ways := r.ways[r.all[i].ID]; len(ways) > 0 {
			r.all[i].Way = slices.MinFunc(ways, func(a, b Way) int { return a.rank() - b.rank() })
		}
	}
}

func (r *roster) people() (n int) {
	for _, a := range r.all {
		if a.Holder == HolderPerson {
			n++
		}
	}
	return n
}

// holders reads who holds the role, who may take it, and who is in the groups of both.
// Whoever has taken it for now is among those who are assigned, and among those who may
// take it: that is not for good.
func (d *Directory) holders(ctx context.Context) (Administrators, []Lack, error) {
	assigned, err := d.assigned(ctx)
	lacks, err := lack(err, readRoles, "Who the Global Administrators are")
	if err != nil || lacks != nil {
		return Administrators{}, lacks, err
	}
	eligible, lacks, blind, err := d.eligible(ctx)
	if err != nil {
		return Administrators{}, nil, err
	}
	var r roster
	for _, p := range assigned {
		r.add(p, p.holder(false), Way{})
	}
	later := roster{} // who may take it, directly or by a group
	for _, p := range eligible {
		if h := p.holder(false); h != HolderApplication { // only people take a role
			later.add(p, h, Way{Eligible: true})
		}
	}
	groups, more, err := d.members(ctx, &r, &later)
	if err != nil {
		return Administrators{}, nil, err
	}
	lacks = append(lacks, more...)
	more, err = d.taken(ctx, &r, later)
	if err != nil {
		return Administrators{}, nil, err
	}
	doubt := len(more) > 0
	lacks = append(lacks, more...)
	for _, a := range later.all {
		for _, way := range later.ways[a.ID] {
			if a.Holder == HolderPerson {
				r.add(principal{ID: a.ID, UPN: a.UPN, Name: a.Name}, a.Holder, way)
			}
		}
	}
	r.settle()
	if r.more = r.more || later.more; r.more {
		lacks = append(lacks, Lack{What: "Who else is Global Administrator", Why: fmt.Sprintf("more than %d people are, and no more are looked at", mostPeople)})
	}
	people := slices.DeleteFunc(r.all, func(a Administrator) bool { return a.Holder == HolderGroup })
	return Administrators{Read: true, Blind: blind, Doubt: doubt, More: r.more, List: append(people, groups...)}, lacks, nil
}

const ofTheRole = "?$filter=roleDefinitionId%20eq%20'" + globalAdministrator + "'"

// assigned asks for the assignments of the role, or for its members where a cloud does not
// have those.
func (d *Directory) assigned(ctx context.Context) ([]principal, error) {
	var all []principal
	err := list(ctx, d, "/roleManagement/directory/roleAssignments"+ofTheRole+"&$expand=principal", func(h held) { all = append(all, h.principal()) })
	if unknownHere(err) {
		all = nil
		err = list(ctx, d, "/directoryRoles(roleTemplateId='"+globalAdministrator+"')/members", func(p principal) { all = append(all, p) })
	}
	if err != nil {
		return nil, fmt.Errorf("read the Global Administrators: %w", err)
	}
	return all, nil
}

// unknownHere reports whether a cloud does not know a call.
func unknownHere(err error) bool {
	var e *graph.Error
	return errors.As(err, &e) && !e.SignIn && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound || e.Status == http.StatusNotImplemented)
}

// eligible asks who may take the role for a while. blind says that there may be some who
// could not be read: without a licence there are none.
func (d *Directory) eligible(ctx context.Context) (all []principal, lacks []Lack, blind bool, err error) {
	err = list(ctx, d, "/roleManagement/directory/roleEligibilityScheduleInstances"+ofTheRole+"&$expand=principal", func(h held) { all = append(all, h.principal()) })
	lacks, other := managed(err, readEligible, "Who may take the role Global Administrator for a while")
	switch {
	case other != nil:
		return nil, nil, false, fmt.Errorf("read who is eligible for Global Administrator: %w", other)
	case lacks != nil:
		return nil, lacks, !unmanaged(err), nil
	}
	return all, nil, false, nil
}

// managed is lack for a list of Privileged Identity Management, which a cloud may not have.
func managed(err error, permission, what string) ([]Lack, error) {
	lacks, err := lack(err, permission, what)
	if unknownHere(err) {
		return []Lack{{What: what, Why: "Microsoft 365 does not give this list here"}}, nil
	}
	return lacks, err
}

// members reads who is in the groups, at any depth, and gives the groups. What acts in a
// group may be an application: a list of people alone, which Graph has too, would hide it,
// and comes of an index that is behind (learn.microsoft.com/graph/api/group-list-transitivemembers).
func (d *Directory) members(ctx context.Context, r, later *roster) (groups []Administrator, lacks []Lack, err error) {
	past := 0
	for _, into := range []*roster{r, later} {
		for _, g := range into.all {
			if g.Holder != HolderGroup || slices.ContainsFunc(groups, func(a Administrator) bool { return a.ID == g.ID }) {
				continue
			}
			g.Way.Eligible = into == later
			what := "Who is in the group " + g.title() + ", which gives the role Global Administrator,"
			if len(groups) >= mostGroups {
				past++
				groups = append(groups, g)
				continue
			}
			refused, err := lack(d.inGroup(ctx, &g, into), readMembers, what)
			if err != nil {
				return nil, nil, fmt.Errorf("read a group of Global Administrators: %w", err)
			}
			if groups = append(groups, g); refused == nil && !g.Whole && !into.more {
				refused = []Lack{{What: "Who else" + strings.TrimPrefix(what, "Who"), Why: "it has more than " + keepwatch.FormatCount(mostMembers, "member") + ", and no more are looked at"}}
			}
			lacks = append(lacks, refused...)
		}
	}
	if past > 0 {
		lacks = append(lacks, Lack{What: fmt.Sprintf("Who is in %s, which would give the role Global Administrator too,", keepwatch.FormatCount(int64(past), "more group")), Why: fmt.Sprintf("more than %d groups are not looked at", mostGroups)})
	}
	return groups, lacks, nil
}

// inGroup reads who is in one group.
func (d *Directory) inGroup(ctx context.Context, g *Administrator, into *roster) error {
	way := Way{Eligible: g.Way.Eligible, Group: g.title()}
	whole, seen, people := true, 0, map[string]bool{}
	err := listWhile(ctx, d, "/groups/"+url.PathEscape(g.ID)+"/transitiveMembers", func(p principal) bool {
		holder := p.holder(true)
		if seen++; seen > mostMembers {
			whole = false
		} else if holder == HolderPerson || holder == HolderApplication && !way.Eligible {
			whole = into.add(p, holder, way)
		}
		if whole && holder == HolderPerson {
			people[p.ID] = true
		}
		return whole
	})
	if err != nil && !missing(err) { // it may be deleted meanwhile
		return err
	}
	g.Members, g.Whole = len(people), whole
	return nil
}

// taken finds out who is assigned the role and may take it as well. Most of them have
// taken it for now; the others hold it for good besides.
func (d *Directory) taken(ctx context.Context, r *roster, later roster) ([]Lack, error) {
	var both []string
	for _, a := range later.all {
		if a.Holder == HolderPerson && slices.Contains(r.ways[a.ID], Way{}) {
			both = append(both, a.ID)
		}
	}
	if len(both) == 0 {
		return nil, nil
	}
	type instance struct {
		Holder string  `json:"principalId"`
		Type   string  `json:"assignmentType"` // "Assigned", "Activated"
		Ends   *string `json:"endDateTime"`
	}
	standing := map[string]bool{}
	err := list(ctx, d, "/roleManagement/directory/roleAssignmentScheduleInstances"+ofTheRole, func(i instance) {
		if i.Type == "Assigned" && i.Ends == nil {
			standing[i.Holder] = true
		}
	})
	lacks, err := managed(err, readStanding, "Whether those who may take the role Global Administrator hold it for good besides")
	if err != nil {
		return nil, fmt.Errorf("read who holds the role Global Administrator for good: %w", err)
	}
	for _, id := range both {
		if !standing[id] {
			r.ways[id] = slices.DeleteFunc(r.ways[id], func(w Way) bool { return w == Way{} })
		}
	}
	return lacks, nil
}
