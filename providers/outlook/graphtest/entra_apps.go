package graphtest

import (
	"crypto/sha1" // customKeyIdentifier is the thumbprint, which is SHA-1
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

func (c *call) applications() answer {
	if no, ok := c.allowed("Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(c.n.apps)) {
		all = append(all, c.registration(c.n.apps[id]))
	}
	return c.objects("application", all)
}

func (c *call) application(id string, rest []string) answer {
	a := c.n.apps[strings.ToLower(id)]
	if no, ok := c.allowed("Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	switch {
	case a == nil:
		return missingObject(id)
	case len(rest) > 0:
		return c.noSegment(rest[0])
	}
	return c.object("application", c.registration(a))
}

func (c *call) registration(a *App) map[string]any {
	dir := &c.n.dir
	secrets := slices.Clone(dir.secrets[a.id])
	for _, value := range slices.Sorted(maps.Keys(a.secrets)) {
		if end := a.secrets[value]; !end.IsZero() { // one that never ends is a convenience of tests
			secrets = append(secrets, Credential{ID: guidOf(a.id + value), Name: "sign-in", Hint: value[:min(3, len(value))], Ends: end})
		}
	}
	certs := slices.Clone(dir.certs[a.id])
	for _, x := range a.certs {
		certs = append(certs, Credential{ID: guidOf(a.id + string(x.Raw)), Name: x.Subject.String(), From: x.NotBefore, Ends: x.NotAfter, Key: x.Raw})
	}
	passwords, keys := []any{}, []any{}
	for _, s := range secrets {
		passwords = append(passwords, map[string]any{"keyId": s.ID, "displayName": orNull(s.Name), "hint": orNull(s.Hint), "startDateTime": dated(s.From), "endDateTime": dated(s.Ends), "secretText": nil, "customKeyIdentifier": nil})
	}
	for _, k := range certs {
		thumb := sha1.Sum(k.Key)
		key := map[string]any{
			"keyId": k.ID, "displayName": orNull(k.Name), "startDateTime": dated(k.From), "endDateTime": dated(k.Ends), "type": "AsymmetricX509Cert", "usage": "Verify",
			"customKeyIdentifier": base64.StdEncoding.EncodeToString(thumb[:]), "key": nil,
		}
		if c.wants("keyCredentials") {
			key["key"] = base64.StdEncoding.EncodeToString(k.Key)
		}
		keys = append(keys, key)
	}
	return map[string]any{
		"id": guidOf("application " + strings.ToLower(a.id)), "appId": a.id, "displayName": c.appName(a), "createdDateTime": "2025-01-01T00:00:00Z", "signInAudience": "AzureADMyOrg",
		"passwordCredentials": passwords, "keyCredentials": keys, "appRoles": []any{}, "tags": []any{}, "identifierUris": []any{},
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (c *call) appName(a *App) string {
	if name := c.n.dir.names[a.id]; name != "" {
		return name
	}
	return "Application " + a.id
}

// servicePrincipal is that of an application, or of Graph or Exchange Online, whose roles
// are the permissions.
func (c *call) servicePrincipal(id string, rest []string) answer {
	if no, ok := c.allowed("Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	a, own := c.n.apps[strings.ToLower(id)], id == GraphAppID || id == ExchangeAppID
	if a == nil && !own {
		return missingObject(id)
	}
	roles := []any{}
	for _, p := range c.permissionsOf(id) {
		roles = append(roles, map[string]any{"id": guidOf("role " + p), "value": p, "displayName": p, "description": p, "isEnabled": true, "allowedMemberTypes": []any{"Application"}, "origin": "Application"})
	}
	switch {
	case len(rest) == 1 && strings.EqualFold(rest[0], "appRoles"):
		return answer{body: map[string]any{"@odata.context": c.n.URL + "/v1.0/$metadata#servicePrincipals('" + id + "')/appRoles", "value": roles}, shape: "appRole", many: true}
	case len(rest) == 1 && strings.EqualFold(rest[0], "appRoleAssignments") && a != nil:
		return c.objects("appRoleAssignment", c.assignments(a))
	case len(rest) > 0:
		return c.noSegment(rest[0])
	}
	name := map[string]string{GraphAppID: "Microsoft Graph", ExchangeAppID: "Office 365 Exchange Online"}[id]
	if a != nil {
		name = c.appName(a)
	}
	return c.object("servicePrincipal", map[string]any{
		"id": ServicePrincipal(id), "appId": id, "displayName": name, "accountEnabled": true, "servicePrincipalType": "Application", "appRoles": roles,
		"passwordCredentials": []any{}, "keyCredentials": []any{}, "appRoleAssignmentRequired": false,
	})
}

// permissionsOf are all that a resource has: those that anybody in the tenant was given.
func (c *call) permissionsOf(resource string) []string {
	all := map[string]bool{}
	for _, a := range c.n.apps {
		if resource == GraphAppID {
			maps.Copy(all, a.permissions)
		}
		for _, p := range c.n.dir.exchange[a.id] {
			if resource == ExchangeAppID {
				all[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (c *call) assignments(a *App) []map[string]any {
	var out []map[string]any
	add := func(resource, name string, permissions []string) {
		for _, p := range permissions {
			out = append(out, map[string]any{
				"id": guidOf("assignment " + a.id + p), "appRoleId": guidOf("role " + p), "createdDateTime": "2025-01-01T00:00:00Z", "principalId": ServicePrincipal(a.id), "principalType": "ServicePrincipal",
				"principalDisplayName": c.appName(a), "resourceId": ServicePrincipal(resource), "resourceDisplayName": name,
			})
		}
	}
	add(GraphAppID, "Microsoft Graph", slices.Sorted(maps.Keys(a.permissions)))
	add(ExchangeAppID, "Office 365 Exchange Online", c.n.dir.exchange[a.id])
	return out
}
