package entra

import (
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// Finding is what a lock-out would meet: a line of a check, with a name that stays.
type Finding struct {
	Key string // "administrators/one": the same as long as it is the same finding
	keepwatch.Probe
}

const (
	probeAdmins = "Global Administrators"
	probeTenant = "tenant"

	emergencyPage = "Microsoft says: two or more accounts of the cloud alone, on the onmicrosoft.com domain, Global Administrator for good, each with a FIDO2 key in a safe of its own (Manage emergency access admin accounts)."
)

// Findings checks the Global Administrators against what Microsoft says of emergency
// access (learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access).
// What could not be read is not judged.
func (all Administrators) Findings() []Finding {
	if !all.Read {
		return nil
	}
	people := slices.DeleteFunc(slices.Clone(all.List), func(a Administrator) bool { return a.Holder != HolderPerson || a.Disabled })
	standing := slices.DeleteFunc(slices.Clone(people), func(a Administrator) bool { return a.Way.Eligible })
	out := append(all.number(people, standing), all.others()...)
	if !all.Doubt {
		out = append(out, emergencyFindings(standing, len(standing) < len(people))...)
	}
	return append(out, methodFindings(people)...)
}

func bad(key, name, text, next string) Finding {
	return Finding{key, keepwatch.Probe{Name: name, Status: keepwatch.ProbeBad, Text: text, Next: next}}
}

func warn(key, name, text, next string) Finding {
	return Finding{key, keepwatch.Probe{Name: name, Status: keepwatch.ProbeWarn, Text: text, Next: next}}
}

func fine(key, name, text string) Finding {
	return Finding{key, keepwatch.Probe{Name: name, Status: keepwatch.ProbeGood, Text: text}}
}

// titles names some administrators: all of a few, else the first of them. How each holds
// the role is said where it is not the same for all.
func titles(list []Administrator) string {
	const most = 4
	plain := !slices.ContainsFunc(list, func(a Administrator) bool { return a.Way != Way{} })
	var names []string
	for _, a := range list[:min(len(list), most)] {
		if name := a.title(); plain {
			names = append(names, name)
		} else {
			names = append(names, name+" ("+a.Way.String()+")")
		}
	}
	if more := len(list) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// number looks at how many people there are: all, and of them those for good.
func (all Administrators) number(people, standing []Administrator) []Finding {
	unread := func(eligible bool) bool {
		return slices.ContainsFunc(all.List, func(a Administrator) bool {
			return a.Holder == HolderGroup && !a.Whole && a.Way.Eligible == eligible
		})
	}
	later := slices.DeleteFunc(slices.Clone(people), func(a Administrator) bool { return !a.Way.Eligible })
	const second, take = "Make a second one, in Entra under Roles & admins. " + emergencyPage, "can only take the role for a while, which needs Privileged Identity Management to work, and may need somebody's approval"
	switch n := len(people); {
	case len(standing) == 0 && unread(false):
		return nil // others says that they are in a group
	case n == 0:
		return []Finding{bad("administrators/none", probeAdmins, "No person is Global Administrator for good, so nobody may be able to let others in again.", "Give the role to two people for good. "+emergencyPage)}
	case len(standing) == 0 && !all.Doubt:
		return []Finding{bad("administrators/none", probeAdmins, fmt.Sprintf("No person is Global Administrator for good, so nobody may be able to let others in again: %s %s.", titles(later), take), "Give the role to two people for good. "+emergencyPage)}
	case n == 1 && !unread(false) && !unread(true):
		only := "is the only Global Administrator"
		if all.Blind {
			only = "is the only Global Administrator that is seen here"
		}
		return []Finding{bad("administrators/one", probeAdmins, fmt.Sprintf("%s %s: without that account only Microsoft's support lets anybody in again, which takes days.", people[0].titled(), only), second)}
	case len(standing) == 1 && !unread(false) && !all.Doubt:
		text := fmt.Sprintf("%s is the only Global Administrator for good.", standing[0].titled())
		if len(later) > 0 {
			text = fmt.Sprintf("%s is the only Global Administrator for good: %s %s.", standing[0].titled(), titles(later), take)
		}
		return []Finding{warn("administrators/standing", probeAdmins, text, second)}
	case n >= 5:
		count := keepwatch.FormatCount(int64(n), "person", "people")
		if all.More {
			count = "More than " + count
		}
		return []Finding{warn("administrators/many", probeAdmins, fmt.Sprintf("%s are Global Administrators, and whoever takes over one of them has everything: %s.", count, titles(people)), "Microsoft recommends fewer than five. Give lesser roles where those are enough.")}
	}
	return []Finding{fine("administrators/number", probeAdmins, fmt.Sprintf("%s can administer everything: %s.", keepwatch.FormatCount(int64(len(people)), "person", "people"), titles(people)))}
}

// others looks at holders that are no people.
func (all Administrators) others() []Finding {
	var out []Finding
	for _, a := range all.List {
		gives := "holds the role"
		if a.Way.Eligible {
			gives = "lets its members take the role for a while"
		}
		switch {
		case a.Holder == HolderGroup && a.Whole:
			in := keepwatch.FormatCount(int64(a.Members), "person is", "people are") + " in it"
			out = append(out, fine("administrators/group/"+a.ID, probeAdmins, fmt.Sprintf("The group %s %s: %s.", a.title(), gives, in)))
		case a.Holder == HolderGroup:
			out = append(out, warn("administrators/group/"+a.ID, probeAdmins, fmt.Sprintf("The group %s %s, and not all who are in it are known here.", a.title(), gives), "Give emergency accounts the role directly: whoever owns the group can take them out of it."))
		case a.Holder == HolderApplication:
			out = append(out, bad("administrators/application/"+a.ID, probeAdmins, fmt.Sprintf("The application %s is Global Administrator: whoever has its secret has the whole tenant, without a second factor.", a.titled()), "Take the role from it, and grant it only the permissions that it needs."))
		}
	}
	return out
}

// emergencyFindings looks for accounts that stand when everything else falls, among those
// who are Global Administrators for good; later says that others may become it for a while.
func emergencyFindings(people []Administrator, later bool) []Finding {
	known := slices.DeleteFunc(slices.Clone(people), func(a Administrator) bool { return !a.Known })
	if len(known) < len(people) || len(people) == 0 {
		return nil
	}
	alone := slices.DeleteFunc(known, func(a Administrator) bool { return !a.CloudOnly || a.Guest || !initial(a.UPN) })
	var out []Finding
	none, only := "No Global Administrator is", "Only %s is"
	if later {
		none, only = "No Global Administrator for good is", "Of the Global Administrators for good only %s is"
	}
	switch len(alone) {
	case 0:
		out = append(out, bad("emergency/none", "emergency accounts", none+" an account of the cloud alone on the tenant's onmicrosoft.com domain: all fall with your domain, or with the directory that they come from.", "Make two. "+emergencyPage))
	case 1:
		out = append(out, warn("emergency/one", "emergency accounts", fmt.Sprintf(only+" an account of the cloud alone on the tenant's onmicrosoft.com domain: if its key is lost there is no other.", alone[0].titled()), "Make a second one. "+emergencyPage))
	default:
		out = append(out, fine("emergency/number", "emergency accounts", fmt.Sprintf("%s are accounts of the cloud alone, on the tenant's onmicrosoft.com domain.", titles(alone))))
	}
	for _, a := range alone {
		if a.Way.Group != "" {
			out = append(out, warn("emergency/group/"+a.ID, "emergency accounts", fmt.Sprintf("%s holds the role by the group %s alone: whoever owns the group can take it out of it.", a.title(), a.Way.Group), "Give it the role directly, for good."))
		}
		if !a.Seen || a.has(keepwatch.SignInKey) {
			continue
		}
		text := fmt.Sprintf("%s has no FIDO2 security key that Entra knows of.", a.titled())
		if a.has(keepwatch.SignInPhonePasskey) {
			text = fmt.Sprintf("The passkey of %s is in Authenticator on somebody's phone: it is lost with that phone, and no backup brings it back.", a.titled())
		}
		out = append(out, bad("emergency/key/"+a.ID, "emergency accounts", text, "Register a FIDO2 key for it and put the key into a safe. The sign-in needs a second factor, for emergency accounts too (Planning for mandatory multifactor authentication). If it signs in with a certificate, which is not seen here, acknowledge this."))
	}
	return out
}

// initial reports whether a name is on the domain that Microsoft gave the tenant.
func initial(name string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(name), "@")
	return strings.HasSuffix(domain, ".onmicrosoft.com") || strings.HasSuffix(domain, ".onmicrosoft.us") || strings.HasSuffix(domain, ".partner.onmschina.cn")
}

// methodFindings looks at how each can sign in.
func methodFindings(people []Administrator) []Finding {
	var out []Finding
	for _, a := range people {
		methods := slices.DeleteFunc(slices.Clone(a.Methods), func(k keepwatch.SignInKind) bool { return k == keepwatch.SignInPass || k == keepwatch.SignInEmail })
		weak := func(k keepwatch.SignInKind) bool { return k == keepwatch.SignInPhone }
		switch {
		case !a.Seen:
		case len(methods) == 0:
			out = append(out, bad("methods/none/"+a.ID, probeAdmins, fmt.Sprintf("%s has no second factor, and Microsoft asks administrators for one.", a.titled()), "Register one now, at https://mysignins.microsoft.com/security-info, before it is asked for."))
		case !slices.ContainsFunc(methods, func(k keepwatch.SignInKind) bool { return !weak(k) }):
			out = append(out, bad("methods/phone/"+a.ID, probeAdmins, fmt.Sprintf("%s signs in with a phone number alone: whoever takes the number over (SIM swap) is let in, and whoever loses it is locked out.", a.titled()), "Register a FIDO2 key or Authenticator for it, at https://mysignins.microsoft.com/security-info, and then remove the number."))
		case !slices.ContainsFunc(methods, func(k keepwatch.SignInKind) bool { return !k.OnPhone() }):
			out = append(out, warn("methods/onphone/"+a.ID, probeAdmins, fmt.Sprintf("Everything that %s signs in with is on a phone. A backup of Authenticator brings back the name of a work account and not the sign-in.", a.titled()), "Register a FIDO2 key as well, and keep it apart from the phone."))
		}
	}
	return out
}
