package authenticator

import (
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// global gives the people who are global administrators, by what their devices say.
func global(devices []keepwatch.DeviceState) []string {
	var names []string
	for _, d := range devices {
		if d.Device.GlobalAdmin && !slices.Contains(names, d.Person) {
			names = append(names, d.Person)
		}
	}
	return names
}

// administrators sees that there is more than one.
func administrators(devices []keepwatch.DeviceState, emergency int) aspect {
	const name, weight = "global administrators", 12
	admins := global(devices)
	switch {
	case len(admins) >= 2:
		return good(name, weight, strings.Join(admins, ", ")+": if one is locked out, another lets them in.")
	case len(admins) == 0:
		return poor(name, weight, 0, "No device is marked as a global administrator's.", "Set global_admin: true in keepwatch.yaml for the phones of those who are.")
	case emergency > 0:
		return poor(name, weight, 0.5, admins[0]+" is the only person who is global administrator.", "Make a second one, so that an everyday lock-out does not need the emergency account.")
	}
	return none(name, weight, admins[0]+" is the only global administrator. Nobody can let a sole administrator back in but Microsoft's Data Protection team, by telephone (learn.microsoft.com/answers, question 5831735).", "Make a second one.")
}

// secondChecklists are those at whose end somebody has another way to sign in.
func secondChecklists() []string { return []string{"authenticator-sms", "authenticator-second-device"} }

// second sees that each global administrator has more than one phone, or another
// method.
func (k *Keeper) second(devices []keepwatch.DeviceState) (aspect, error) {
	const name, weight = "second method", 16
	var lacking []string
	admins := global(devices)
	for _, person := range admins {
		has, err := k.hasSecond(person, devices)
		if err != nil {
			return aspect{}, err
		}
		if !has {
			lacking = append(lacking, person)
		}
	}
	switch {
	case len(admins) == 0:
		return aspect{probe: keepwatch.Probe{Name: name, Status: keepwatch.ProbeOff, Text: "No global administrator is known."}}, nil
	case len(lacking) == 0:
		return good(name, weight, "Every global administrator has a second phone or method."), nil
	}
	a := none(name, weight, strings.Join(lacking, " and ")+" can sign in with one phone only. A backup of Authenticator brings back the name of a work account and not the sign-in (learn.microsoft.com/answers, question 5808998).",
		"Add a FIDO2 key or a second phone at mysignins.microsoft.com/security-info: `/authenticator guide second-device`.")
	a.credit = 1 - float64(len(lacking))/float64(len(admins))
	return a, nil
}

// hasSecond reports whether a person has another way to sign in.
func (k *Keeper) hasSecond(person string, devices []keepwatch.DeviceState) (bool, error) {
	phones := 0
	for _, d := range devices {
		if d.Person == person && d.Standing != keepwatch.StandingReplaced {
			phones++
		}
	}
	if phones >= 2 || k.cfg.Second[person] != "" {
		return true, nil
	}
	for _, id := range secondChecklists() {
		words, err := k.cfg.Records.Attestations(keepwatch.ChecklistSubject(id), keptWords)
		if err != nil {
			return false, fmt.Errorf("read who went through %s: %w", id, err)
		}
		if slices.ContainsFunc(words, func(a keepwatch.Attestation) bool {
			return a.Person == person && a.State == keepwatch.AttestedDone
		}) {
			return true, nil
		}
	}
	return false, nil
}

// backups sees that what is known of the phones is fresh.
func backups(devices []keepwatch.DeviceState) aspect {
	const name, weight = "Authenticator backups", 8
	var odd []string
	worst := false
	for _, d := range devices {
		if !d.Standing.InTime() {
			odd = append(odd, fmt.Sprintf("%s (%s)", d.Device.Name, standingWord(d.Standing)))
			worst = worst || d.Device.GlobalAdmin
		}
	}
	switch {
	case len(devices) == 0:
		return aspect{probe: keepwatch.Probe{Name: name, Status: keepwatch.ProbeOff, Text: "No phone is known."}}
	case len(odd) == 0:
		return good(name, weight, "The backup of every phone was seen in time.")
	}
	a := poor(name, weight, 1-float64(len(odd))/float64(len(devices)), strings.Join(odd, ", ")+".", "`/authenticator status` says what to do for each.")
	if worst {
		a.probe.Status = keepwatch.ProbeBad
	}
	return a
}

// standingWord says a standing in words.
func standingWord(s keepwatch.Standing) string {
	switch s {
	case keepwatch.StandingNever:
		return "never looked at"
	case keepwatch.StandingOff:
		return "no backup"
	case keepwatch.StandingStale:
		return "not looked at for too long"
	case keepwatch.StandingOld:
		return "the backup is old"
	case keepwatch.StandingReplaced:
		return "replaced, not set up again"
	}
	return string(s)
}

// inCustody sees that somebody has said where everything is that is lost with its
// password.
func (k *Keeper) inCustody() (aspect, error) {
	const name, weight = "passwords and keys", 6
	states, err := k.Custodies()
	if err != nil {
		return aspect{}, err
	}
	var odd []string
	key := false
	for _, s := range states {
		if s.Last == nil || s.Last.State != keepwatch.AttestedRecorded || s.Next.IsZero() {
			odd, key = append(odd, s.Custody.Name), key || s.Custody.Name == VaultKey
		}
	}
	switch {
	case len(states) == 0:
		return aspect{probe: keepwatch.Probe{Name: name, Status: keepwatch.ProbeOff, Text: "Nothing is under custody."}}, nil
	case len(odd) == 0:
		return good(name, weight, "Somebody has said where each is recorded."), nil
	}
	a := poor(name, weight, 1-float64(len(odd))/float64(len(states)), "Nobody has said of late where these are recorded: "+strings.Join(odd, ", ")+".", "Say where with `/authenticator custody`.")
	if key {
		a.probe.Status = keepwatch.ProbeBad
	}
	return a, nil
}

// drill sees that somebody has tried it.
func (k *Keeper) drill() (aspect, error) {
	const name, weight = "drill", 4
	var last keepwatch.Attestation
	for _, p := range k.cfg.People {
		words, err := k.cfg.Records.Attestations(keepwatch.DrillSubject(p.Name), keptWords)
		if err != nil {
			return aspect{}, fmt.Errorf("read the drills of %s: %w", p.Name, err)
		}
		for _, a := range words {
			if a.State != keepwatch.AttestedStopped && a.Said.After(last.Said) {
				last = a
			}
		}
	}
	const next = "Walk through a lock-out once: `/authenticator drill`."
	switch {
	case last.Said.IsZero():
		return poor(name, weight, 0, "Nobody has ever tried what happens when a phone is gone.", next), nil
	case k.now().Sub(last.Said) > drilledWithin:
		return poor(name, weight, 0.3, "The last drill was on "+k.date(last.Said)+", more than 180 days ago.", next), nil
	case last.State == keepwatch.AttestedProblem:
		return poor(name, weight, 0.6, "The drill of "+k.date(last.Said)+" found something missing: "+ended(last.Remarks), "Put it right, then drill again."), nil
	}
	return good(name, weight, "The last drill, on "+k.date(last.Said)+", went through."), nil
}

// ended gives what somebody wrote as the end of a sentence.
func ended(text string) string {
	if text = strings.TrimSpace(text); text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// sealed sees that the dossier is complete, and in the vault as it is now.
func (k *Keeper) sealed(d keepwatch.Dossier) aspect {
	const name, weight = "dossier", 8
	missing := missingFields(d)
	required := 0
	for _, f := range keepwatch.DossierFields() {
		if f.Required {
			required++
		}
	}
	share := 1 - float64(len(missing))/float64(required)
	switch {
	case len(missing) == required:
		return none(name, weight, "Nothing is written down of what Microsoft's support asks for when the dashboard is out of reach.", "Begin with `/authenticator dossier`.")
	case len(missing) > 0:
		return poor(name, weight, share/2, "The dossier lacks: "+labels(missing)+".", "Fill it in: `/authenticator dossier`.")
	case d.Sealed.IsZero():
		return poor(name, weight, 0.6, "The dossier is complete, and lies in no archive yet.", "`/authenticator dossier --seal`, then print it or keep the opened copy where it can be read without this machine.")
	case d.Changed.After(d.Sealed):
		return poor(name, weight, 0.7, "The dossier, or where a key in it lies, was changed on "+k.date(d.Changed)+", after it was sealed.", "`/authenticator dossier --seal`")
	case k.now().Sub(d.Sealed) > sealedWithin:
		return poor(name, weight, 0.7, "The dossier was sealed on "+k.date(d.Sealed)+", more than 90 days ago.", "Look through it, then `/authenticator dossier --seal`")
	}
	return good(name, weight, "Complete, and sealed on "+k.date(d.Sealed)+".")
}

// outside sees that support can reach somebody although the tenant cannot be.
func outside(d keepwatch.Dossier) aspect {
	const name, weight = "contact outside the tenant", 6
	phone, email := d.Fields["phone"].Value, d.Fields["email"].Value
	const next = "Fill in `/authenticator dossier phone` and `/authenticator dossier email`: an address that is read without Microsoft 365."
	if inside := d.OwnDomain(); inside != "" {
		return none(name, weight, email+" is on the tenant's own domain "+inside+": nobody can read it in a lock-out.", next)
	}
	switch {
	case phone == "" && email == "":
		return none(name, weight, "No telephone number and no e-mail address outside the tenant is known.", next)
	case phone == "" || email == "":
		return poor(name, weight, 0.5, "Of telephone number and e-mail address outside the tenant only one is known.", next)
	}
	return good(name, weight, "Support can reach "+phone+" and "+email+".")
}
