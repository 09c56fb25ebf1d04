package handlers

import (
	"slices"
	"strings"

	"keepwatch"
)

// authenticatorCommands are those about people's Microsoft Authenticator, and about
// what a team needs when nobody can sign in.
func (r *Router) authenticatorCommands() []Command {
	return []Command{
		{
			Group: "authenticator", Name: "status", Role: keepwatch.RoleViewer, run: r.devices,
			Summary:  "Show how the backups of Microsoft Authenticator stand: yours, or everybody's",
			Options:  []Option{{Name: "person", Type: TypePerson, Summary: "whose phones; operators may see everybody's"}},
			Examples: []string{"authenticator status", "authenticator status Alis"},
		},
		{
			Group: "authenticator", Name: "checked", Role: keepwatch.RoleViewer, run: r.checked, Guarded: true,
			Summary: "Say which date Authenticator shows for the last backup of a phone",
			Options: []Option{
				{Name: "device", Type: TypeDevice, Summary: "the phone; your own, for operators anybody's"},
				{Name: "date", Type: TypeText, Variadic: true, Summary: "2026-11-20, today, yesterday, this week, 20 Nov; or off, never, not found, new phone"},
				{Name: "remarks", Type: TypeText, Flag: true, Summary: "anything worth knowing; never a password"},
				{Name: "sure", Type: TypeSwitch, Flag: true, Summary: "the date is right although an earlier one was seen before"},
			},
			Examples: []string{"authenticator checked alis-iphone today", "authenticator checked alis-iphone 2026-11-20", "authenticator checked alis-iphone off"},
		},
		{
			Group: "authenticator", Name: "custody", Role: keepwatch.RoleViewer, run: r.custody, Private: true, Guarded: true,
			Summary: "Say where a password or key is recorded (never what it is), or show what is known",
			Options: []Option{
				{Name: "thing", Type: TypeCustody, Summary: "what is recorded"},
				{Name: "where", Type: TypeText, Variadic: true, Summary: "where it is recorded, such as: in the safe, blue folder"},
				{Name: "lost", Type: TypeSwitch, Flag: true, Summary: "nobody knows where it is recorded"},
			},
			Examples: []string{"authenticator custody", "authenticator custody vault-key in the safe, blue folder"},
		},
		{
			Group: "authenticator", Name: "dossier", Role: keepwatch.RoleAdmin, run: r.dossier, Guarded: true, Timed: true,
			Summary: "Show, fill in or seal what Microsoft asks for when nobody can sign in",
			Options: []Option{
				{Name: "field", Type: TypeField, Summary: "one thing in it"},
				{Name: "value", Type: TypeText, Variadic: true, Summary: "what it is; never a password"},
				{Name: "clear", Type: TypeSwitch, Flag: true, Summary: "take the value out"},
				{Name: "seal", Type: TypeSwitch, Flag: true, Summary: "seal it into the vault now"},
			},
			Examples: []string{"authenticator dossier", "authenticator dossier tenant-domain contoso.onmicrosoft.com", "authenticator dossier --seal"},
		},
		{
			Group: "authenticator", Name: "ready", Role: keepwatch.RoleAdmin, run: r.ready,
			Summary: "Show how ready the team is for a lock-out, and what would help the most",
		},
	}
}

// notHere says that a part of the program is not set up.
func notHere(what, how string) error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "%s. %s", what, how)
}

// authenticator gives who knows the devices.
func (r *Router) authenticator() (Authenticator, error) {
	if r.cfg.Duties.Authenticator == nil {
		return nil, notHere("No phone with Microsoft Authenticator is known here", "Name them in keepwatch.yaml, under the person: devices.")
	}
	return r.cfg.Duties.Authenticator, nil
}

// seesAll reports whether whoever asks may see, and say something of, what belongs to
// others.
func (c *call) seesAll() bool { return c.person.Role >= keepwatch.RoleOperator }

// slug is the one word that a device is in a command.
func slug(d keepwatch.Device) string { return keepwatch.NameFrom(d.Name) }

// device finds the device that a word names, among those that whoever asks may speak
// for.
func (r *Router) device(c *call, word, rest string) (keepwatch.DeviceState, error) {
	auth, err := r.authenticator()
	if err != nil {
		return keepwatch.DeviceState{}, err
	}
	all, err := auth.Devices()
	if err != nil {
		return keepwatch.DeviceState{}, err
	}
	var names []string
	for _, d := range all {
		switch {
		case !strings.EqualFold(d.Device.Name, word) && slug(d.Device) != keepwatch.NameFrom(word):
		case d.Person != c.person.Name && !c.seesAll():
			return d, keepwatch.Errorf(keepwatch.KindDenied, "%s is %s's. Of other people's phones only operators and admins may say something; yours are shown by `/authenticator status`.", d.Device.Name, d.Person)
		default:
			return d, nil
		}
		if d.Person == c.person.Name || c.seesAll() {
			names = append(names, slug(d.Device))
		}
	}
	if near := nearest(keepwatch.NameFrom(word), names); near != "" {
		if secretIn(rest) {
			rest = "" // a button is kept
		}
		return keepwatch.DeviceState{}, hinted{keepwatch.Errorf(keepwatch.KindNotFound, "There is no phone named %q. Did you mean %s?", word, near),
			[]keepwatch.Button{{Label: "Yes, " + near, Command: strings.TrimSpace("authenticator checked " + near + " " + rest)}}}
	}
	return keepwatch.DeviceState{}, hinted{keepwatch.Errorf(keepwatch.KindNotFound, "There is no phone named %q. `/authenticator status` lists those that there are.", word),
		[]keepwatch.Button{{Label: "Status", Command: "authenticator status"}}}
}

// authenticatorChoices gives what the words of these commands may be, for those who
// may say something of everybody's, or else of what is theirs.
func (r *Router) authenticatorChoices(t OptionType, p keepwatch.Person) ([]Candidate, error) {
	all := p.Role >= keepwatch.RoleOperator
	var list []Candidate
	if t == TypeField {
		for _, f := range keepwatch.DossierFields() {
			list = append(list, Candidate{f.Name, f.Label, true})
		}
		return list, nil
	}
	auth := r.cfg.Duties.Authenticator
	if auth == nil {
		return nil, nil
	}
	if t == TypeDevice {
		devices, err := auth.Devices()
		for _, d := range devices {
			if all || d.Person == p.Name {
				list = append(list, Candidate{slug(d.Device), d.Device.Name + " of " + d.Person, true})
			}
		}
		return list, err
	}
	custodies, err := auth.Custodies()
	for _, s := range custodies {
		if all || s.Custody.Owner == p.Name {
			list = append(list, Candidate{s.Custody.Name, s.Custody.What, true})
		}
	}
	return list, err
}

// own keeps what belongs to a person; all of it for those who see all.
func own(c *call, devices []keepwatch.DeviceState) []keepwatch.DeviceState {
	return slices.DeleteFunc(slices.Clone(devices), func(d keepwatch.DeviceState) bool {
		return !c.seesAll() && d.Person != c.person.Name
	})
}

// guideFor leads to the checklist that sets the backup of a device up.
func guideFor(d keepwatch.Device, label string) keepwatch.Button {
	return keepwatch.Button{Label: label, Command: "authenticator guide " + d.Platform}
}
