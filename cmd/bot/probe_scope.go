package main

import (
	"fmt"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook/graph/entra"
)

// probeScope tells what the application may do in the tenant, what of it is too much or
// too little, and the steps that are missing. tried are the calls for all mailboxes; wide
// says that a consent for all mailboxes of the tenant is meant.
func probeScope(s entra.Scope, tried []entra.Reach, wide bool) []keepwatch.Probe {
	const name = "Microsoft 365"
	var probes []keepwatch.Probe
	switch {
	case !s.Seen:
		probes = append(probes, caution(name, "The sign-in works. What is consented to for the application "+s.App+" cannot be read, so that only calls show what it may do.", "Entra shows it: Enterprise applications, the application, Permissions."))
	case len(s.Roles) == 0:
		probes = append(probes, good(name, "The application "+s.App+" signs in, and nothing is consented to for the whole tenant."))
	default:
		probes = append(probes, good(name, "The application "+s.App+" signs in. Consented to for the whole tenant: "+strings.Join(s.Roles, ", ")+"."))
	}
	probes = append(probes, tooLittle(s)...)
	probes = append(probes, tooMuch(s, wide)...)
	denied := slices.ContainsFunc(tried, func(r entra.Reach) bool { return r.Access == entra.AccessDenied })
	byRole := slices.ContainsFunc(tried, func(r entra.Reach) bool { return r.Access == entra.AccessYes && !r.Consent })
	if byRole && len(s.Unscoped) == 0 {
		probes = append(probes, good("scope", fmt.Sprintf("Mailboxes are read by roles in Exchange Online, and no consent reaches further. Which other mailboxes those roles reach cannot be seen from here; this shows it: Test-ServicePrincipalAuthorization -Identity %s -Resource MAILBOX", s.App)))
	}
	if wide && s.Seen && len(s.Unscoped) == 0 {
		probes = append(probes, off("scope", "keepwatch.yaml says that the application may read every mailbox of the tenant (microsoft: scope: tenant), and no consent does that. Take the setting out, so that one which does is warned of.", ""))
	}
	if !wide && (denied || len(s.Unscoped) > 0) {
		for _, line := range s.PowerShell() {
			probes = append(probes, off("PowerShell", line, ""))
		}
		for _, line := range s.Withdraw() {
			probes = append(probes, off("then in Entra", line, ""))
		}
	}
	return probes
}

// tooLittle tells which permissions are missing that only a consent gives, and what for.
func tooLittle(s entra.Scope) []keepwatch.Probe {
	if !s.Seen {
		return nil
	}
	var probes []keepwatch.Probe
	for _, n := range s.Needs {
		switch {
		case n.Mailbox || n.Held: // a role in Exchange Online may give what is for mailboxes: their sources tell
		case n.Level == entra.Optional:
			probes = append(probes, off("permission", n.Permission+" is not granted. It serves "+n.For+".", ""))
		default:
			probes = append(probes, bad("permission", n.Permission+" is not granted. It is needed "+n.For+".", "Do what stands under “in Entra”."))
		}
	}
	required := slices.ContainsFunc(probes, func(p keepwatch.Probe) bool { return p.Status == keepwatch.ProbeBad })
	for _, line := range s.Portal(!required) {
		probes = append(probes, off("in Entra", line, ""))
	}
	return probes
}

// tooMuch tells which consents reach further than anybody may have meant.
func tooMuch(s entra.Scope, wide bool) []keepwatch.Probe {
	var probes []keepwatch.Probe
	switch {
	case len(s.Unscoped) == 0:
	case wide:
		probes = append(probes, good("scope", fmt.Sprintf("%s %s consented to in Entra, so the application reaches ALL mailboxes of the tenant. keepwatch.yaml says that this is meant (microsoft: scope: tenant).", strings.Join(s.Unscoped, ", "), are(len(s.Unscoped)))))
	default:
		only := ""
		if len(s.Mailboxes) > 0 {
			only = ", not only " + few(s.Mailboxes)
		}
		probes = append(probes, caution("scope", fmt.Sprintf("%s %s consented to in Entra, so the application reaches ALL mailboxes of the tenant%s. Roles in Exchange Online for single mailboxes add to a consent and do not narrow it. (An older application access policy may; that cannot be seen from here.)", strings.Join(s.Unscoped, ", "), are(len(s.Unscoped)), only),
			"Give the roles first, by the lines under PowerShell; when Test-ServicePrincipalAuthorization shows them, take the consent back in Entra. If all mailboxes are meant, say so in keepwatch.yaml: microsoft: {scope: tenant}."))
	}
	if writes := slices.DeleteFunc(slices.Clone(s.Unscoped), func(p string) bool { return !strings.HasSuffix(p, ".ReadWrite") }); len(writes) > 0 {
		probes = append(probes, caution("scope", fmt.Sprintf("With %s whoever has the application's secret can change and delete what is in every mailbox.", strings.Join(writes, ", ")), "Only a restore needs it: grant it before one, and take it back afterwards."))
	}
	for _, p := range s.Exchange {
		if p == "full_access_as_app" {
			probes = append(probes, caution("scope", "full_access_as_app of Office 365 Exchange Online is consented to: it opens every mailbox of the tenant entirely, past any role, and Keepwatch does not use it.", "Take it back in Entra: Enterprise applications, the application, Permissions."))
		}
	}
	if len(s.Excess) > 0 {
		probes = append(probes, caution("scope", "The application holds more than anything here needs: "+strings.Join(s.Excess, ", ")+".", "If nothing else signs in as this application, take it back in Entra: Enterprise applications, the application, Permissions."))
	}
	return probes
}
