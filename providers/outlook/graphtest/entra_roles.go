package graphtest

import (
	"regexp"
	"slices"
	"strings"
)

// holder is who holds a role, or may take it, or is in a group.
type holder struct {
	role, id, kind, name string // kind: "user", "group", "servicePrincipal", "device"
	taken                bool   // it was activated, for a while
}

// Assign gives somebody a role for good.
func (n *Tenant) Assign(role, user string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.user(user); u != nil {
		n.dir.holders = append(n.dir.holders, holder{role: role, id: u.ID, kind: "user"})
	}
}

// AssignOther gives a role to a "group" or a "servicePrincipal" of a name.
func (n *Tenant) AssignOther(role, kind, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h, _ := n.named(kind + " " + name)
	h.role = role
	n.dir.holders = append(n.dir.holders, h)
}

// Unassign takes all roles from everybody.
func (n *Tenant) Unassign() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir.holders, n.dir.eligible = nil, nil
}

// Managed gives the tenant Entra ID P2, and with it Privileged Identity Management, or
// takes it.
func (n *Tenant) Managed(has bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir.managed = has
}

// Entitle lets somebody, or with "group NAME" a group, take a role for a while.
func (n *Tenant) Entitle(role, who string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, ok := n.named(who); ok {
		h.role = role
		n.dir.eligible = append(n.dir.eligible, h)
	}
}

// Activate has somebody take a role for a while.
func (n *Tenant) Activate(role, user string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.user(user); u != nil {
		n.dir.holders = append(n.dir.holders, holder{role: role, id: u.ID, kind: "user", taken: true})
	}
}

// SetMembers says who is in a group, by its name: people by theirs, and "group NAME",
// "servicePrincipal NAME", "device NAME".
func (n *Tenant) SetMembers(group string, members ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := []holder{}
	for _, m := range members {
		if h, ok := n.named(m); ok {
			list = append(list, h)
		}
	}
	put(&n.dir.members, guidOf("group "+group), list)
}

// named finds somebody, or makes up what is no person.
func (n *Tenant) named(who string) (holder, bool) {
	if kind, name, other := strings.Cut(who, " "); other {
		h := holder{id: guidOf(who), kind: kind, name: name}
		if _, known := n.dir.members[h.id]; kind == "group" && !known {
			put(&n.dir.members, h.id, nil)
		}
		return h, true
	}
	u := n.user(who)
	if u == nil {
		return holder{}, false
	}
	return holder{id: u.ID, kind: "user"}, true
}

// roleFilter is the one filter that is taken of assignments.
var roleFilter = regexp.MustCompile(`^roleDefinitionId eq '([^']*)'$`)

// ofRole lists those who hold the role of the filter, by what render makes of each.
func (c *call) ofRole(shape string, all []holder, render func(h holder, v map[string]any)) answer {
	m := roleFilter.FindStringSubmatch(c.q.filter)
	if m == nil {
		return fail(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
	}
	var list []map[string]any
	for _, h := range all {
		if !strings.EqualFold(h.role, m[1]) {
			continue
		}
		v := map[string]any{"id": guidOf(shape + h.role + h.id), "principalId": h.id, "roleDefinitionId": h.role, "directoryScopeId": "/"}
		render(h, v)
		if c.q.expand == "principal" {
			v["principal"] = c.principal(h)
		}
		list = append(list, v)
	}
	return c.objects(shape, list)
}

func (c *call) roleAssignments() answer {
	if no, ok := c.allowed("RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory", "Directory.Read.All"); !ok {
		return no
	}
	return c.ofRole("unifiedRoleAssignment", c.n.dir.holders, func(holder, map[string]any) {})
}

// unmanaged refuses what only Privileged Identity Management has. People have seen this
// code with this status.
func (c *call) unmanaged() (answer, bool) {
	return fail(400, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."), !c.n.dir.managed
}

// roleEligible lists who may take a role
// (learn.microsoft.com/graph/api/rbacapplication-list-roleeligibilityscheduleinstances).
func (c *call) roleEligible() answer {
	if no, ok := c.allowed("RoleEligibilitySchedule.Read.Directory", "RoleEligibilitySchedule.ReadWrite.Directory", "RoleManagement.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"); !ok {
		return no
	}
	if no, bad := c.unmanaged(); bad {
		return no
	}
	return c.ofRole("unifiedRoleEligibilityScheduleInstance", c.n.dir.eligible, func(h holder, v map[string]any) {
		v["appScopeId"], v["memberType"], v["roleEligibilityScheduleId"] = nil, "Direct", guidOf("eligible "+h.id)
		v["startDateTime"], v["endDateTime"] = "2026-01-01T00:00:00Z", nil
	})
}

// roleActive lists who holds a role now, and whether they have taken it
// (learn.microsoft.com/graph/api/rbacapplication-list-roleassignmentscheduleinstances).
func (c *call) roleActive() answer {
	if no, ok := c.allowed("RoleAssignmentSchedule.Read.Directory", "RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"); !ok {
		return no
	}
	if no, bad := c.unmanaged(); bad {
		return no
	}
	return c.ofRole("unifiedRoleAssignmentScheduleInstance", c.n.dir.holders, func(h holder, v map[string]any) {
		v["appScopeId"], v["memberType"], v["roleAssignmentScheduleId"], v["roleAssignmentOriginId"] = nil, "Direct", guidOf("active "+h.id), guidOf("origin "+h.id)
		v["startDateTime"], v["endDateTime"], v["assignmentType"] = "2026-01-01T00:00:00Z", nil, "Assigned"
		if h.taken {
			v["endDateTime"], v["assignmentType"] = dated(c.n.opts.Now().AddDate(0, 0, 1)), "Activated"
		}
	})
}

// groupMembers lists who is in a group at any depth, groups within it too, each once
// (learn.microsoft.com/graph/api/group-list-transitivemembers).
func (c *call) groupMembers(group string) answer {
	if no, ok := c.allowed("GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	if _, ok := c.n.dir.members[group]; !ok {
		return missingObject(group)
	}
	var all []map[string]any
	seen := []string{group}
	for next := []string{group}; len(next) > 0; next = next[1:] {
		for _, m := range c.n.dir.members[next[0]] {
			if slices.Contains(seen, m.id) {
				continue
			}
			seen = append(seen, m.id)
			all = append(all, c.principal(m))
			if m.kind == "group" {
				next = append(next, m.id)
			}
		}
	}
	return c.objects("directoryObject", all)
}

// principal is who holds a role. Of those that the application may not read only the id
// and the type are told (learn.microsoft.com/graph/permissions-overview, "Limited
// information returned for inaccessible member objects").
func (c *call) principal(h holder) map[string]any {
	v := map[string]any{"@odata.type": "#microsoft.graph." + h.kind, "id": h.id, "displayName": nil}
	u := c.n.user(h.id)
	if _, ok := c.allowed("User.ReadBasic.All", "User.Read.All", "Directory.Read.All"); ok && u != nil {
		v["displayName"], v["userPrincipalName"], v["mail"] = u.Name, u.UPN, u.Mail
	}
	if _, ok := c.allowed("Directory.Read.All"); ok && u == nil {
		v["displayName"] = h.name
	}
	if _, ok := c.allowed("GroupMember.Read.All", "Group.Read.All"); ok && h.kind == "group" {
		v["displayName"] = h.name
	}
	return v
}

// roleMembers lists who holds a role, as the older call does.
func (c *call) roleMembers(role string, rest []string) answer {
	if no, ok := c.allowed("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All"); !ok {
		return no
	}
	if len(rest) == 0 {
		return c.object("directoryRole", map[string]any{"id": guidOf("role " + role), "roleTemplateId": role, "displayName": "Global Administrator", "description": nil})
	}
	if len(rest) != 1 || !strings.EqualFold(rest[0], "members") {
		return c.noSegment(rest[0])
	}
	var all []map[string]any
	for _, h := range c.n.dir.holders {
		if strings.EqualFold(h.role, role) {
			all = append(all, c.principal(h))
		}
	}
	return c.objects("directoryObject", all)
}

// GroupID is the object id of a group.
func GroupID(name string) string { return guidOf("group " + name) }
