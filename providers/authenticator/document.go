package authenticator

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// document is all that the dossier says, read once.
type document struct {
	at        time.Time
	dossier   keepwatch.Dossier
	devices   []keepwatch.DeviceState
	custodies []keepwatch.CustodyState
	emergency []emergencyLine
}

// emergencyLine is an emergency account as the JSON of the dossier has it.
type emergencyLine struct {
	UPN    string    `json:"upn"`
	Method string    `json:"method,omitempty"`
	Where  string    `json:"where,omitempty"`
	Tested time.Time `json:"tested,omitzero"`
}

// Document writes the dossier for a person (Markdown: what to do first, then the
// facts) and for programs (JSON). There is no secret in it, only where they are
// recorded.
func (k *Keeper) Document() (markdown string, data []byte, err error) {
	d, err := k.document()
	if err != nil {
		return "", nil, err
	}
	if data, err = d.json(); err != nil {
		return "", nil, fmt.Errorf("write the dossier: %w", err)
	}
	return d.markdown(k.cfg.Location), data, nil
}

// document reads everything. An empty dossier is refused: whoever opened it in need
// would find nothing.
func (k *Keeper) document() (document, error) {
	d := document{at: k.now()}
	var err error
	if d.dossier, err = k.Dossier(); err != nil {
		return d, err
	}
	if len(d.dossier.Fields) == 0 {
		return d, keepwatch.Errorf(keepwatch.KindInvalid, "There is nothing in the dossier yet. Fill it in first: `/authenticator dossier`.")
	}
	if d.devices, err = k.Devices(); err != nil {
		return d, err
	}
	if d.custodies, err = k.Custodies(); err != nil {
		return d, err
	}
	for _, e := range k.cfg.Emergency {
		where, tested, err := k.place(e)
		if err != nil {
			return d, err
		}
		d.emergency = append(d.emergency, emergencyLine{e.UPN, e.Method, where, tested.UTC()})
	}
	return d, nil
}

// value gives a field on one line, or says that it is not known.
func (d document) value(name string) string {
	if v := d.dossier.Fields[name].Value; v != "" {
		return line(v)
	}
	if f, err := dossierField(name); err == nil && !f.Required {
		return "(" + keepwatch.NobodySaid + ")"
	}
	return "(not written down)"
}

// line makes a text one line that no name in it can break out of.
func line(text string) string {
	return strings.NewReplacer("\n", " ", "|", "/", "`", "'").Replace(keepwatch.Clean(text))
}

// markdown writes the document for a person.
func (d document) markdown(zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Locked out of Microsoft 365: what to do now\n\nAs of %s. There is no password in here, only where they are recorded.\n\n", d.at.Format("2 January 2006, 15:04 MST"))
	for i, step := range d.steps() {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step)
	}
	b.WriteString("\n## What Microsoft asks for\n\nMicrosoft publishes no list. This is what others were asked for.\n\n")
	for _, f := range keepwatch.DossierFields() {
		value := d.value(f.Name)
		if f.Name == "emergency-accounts" && len(d.emergency) > 0 {
			value = d.keys() // what was written down once may have moved
		}
		fmt.Fprintf(&b, "- **%s**: %s\n", f.Label, value)
	}
	if missing := missingFields(d.dossier); len(missing) > 0 {
		fmt.Fprintf(&b, "\nStill missing in here: %s.\n", labels(missing))
	}
	if len(d.custodies) > 0 {
		b.WriteString("\n## Where passwords and keys are recorded\n\n")
	}
	for _, s := range d.custodies {
		fmt.Fprintf(&b, "- %s: %s\n", line(s.Custody.What), placeOf(s, zone))
	}
	if len(d.devices) > 0 {
		b.WriteString("\n## Phones that hold Microsoft Authenticator\n\n" + d.table(zone))
	}
	return b.String()
}

// placeOf says where something is, and who said so when.
func placeOf(s keepwatch.CustodyState, zone *time.Location) string {
	switch {
	case s.Last == nil:
		return "nobody has said"
	case s.Last.State == keepwatch.AttestedLost:
		return "lost, said " + line(s.Last.By) + " on " + s.Last.Said.In(zone).Format("2 January 2006")
	}
	return line(s.Last.Where) + " (" + line(s.Last.By) + ", " + s.Last.Said.In(zone).Format("2 January 2006") + ")"
}

// known gives a clause with a field in it, or nothing where the field is empty.
func (d document) known(before, name, after string) string {
	if d.dossier.Fields[name].Value == "" {
		return ""
	}
	return before + d.value(name) + after
}

// keys says which emergency accounts there are, and where their keys are; "": none.
func (d document) keys() string {
	if len(d.emergency) == 0 {
		return d.known("", "emergency-accounts", ".")
	}
	var list []string
	for _, e := range d.emergency {
		where := "nobody has said where its key is"
		if e.Where != "" {
			where = "its key: " + line(e.Where)
		}
		list = append(list, line(e.UPN)+" ("+where+")")
	}
	return strings.Join(list, "; ") + "."
}

// steps gives what to do, in the order in which it is likely to help. What to say to
// the support is from learn.microsoft.com/answers, questions 5831735, 5841749, 5862299
// and 5812859; what a backup brings back from question 5808998.
func (d document) steps() []string {
	list := []string{
		"**Change nothing yet.** Do not remove Authenticator from any phone. A lost or stolen phone may be locked from afar, but do not wipe it, and keep its telephone number. Look whether any computer is still signed in as an administrator, and leave it signed in.",
		"**Still signed in somewhere?** Go to https://mysignins.microsoft.com/security-info there and add a new method: another phone, or a security key. If that works, you are done.",
		"**Try another way.** At the sign-in press “Sign in another way”: text message, security key, second phone.",
		"**Another administrator?** Ask for a Temporary Access Pass, or to be made to register again: Entra admin center → Users → the person → Authentication methods." + d.known(" Administrators: ", "administrators", "."),
	}
	if keys := d.keys(); keys != "" {
		list = append(list, "**Emergency account.** "+keys+" Sign in with one of them, then give yourself a Temporary Access Pass, or have yourself register again: Entra admin center → Users → you → Authentication methods.")
	}
	list = append(list, "**A backup of Authenticator** comes back on the same sort of phone alone: iPhone to iPhone, Android to Android. It brings back the codes of other services. Of a work account it brings back the name only, and that has to be signed in to again: it does not let an administrator in by itself.")
	if partner := d.known("", "partner", "."); partner != "" {
		list = append(list, "**Partner or reseller?** Whoever sold you the licences may have rights to administer the tenant: "+partner)
	}
	return append(list,
		"**Ring Microsoft.** The number of your country is at https://support.microsoft.com/help/4051701 (“Customer service phone numbers”); type that address yourself, because numbers in advertisements are often of swindlers. Say: “Authenticator”; “Office 365 for business”, “for companies”; yes, you are the administrator; no, there is no other one. Ask for a service request to the Data Protection team. It takes days, so begin at once. If nobody takes it, open a ticket from a new trial tenant and name this one in it"+d.known(": ", "tenant-domain", "")+".",
		"**Have this page at hand when they ring back**"+d.known(": ", "phone", "")+". They never ask for a password or a code: if a caller does, hang up."+d.known(" Give them an address that is read without the tenant: ", "email", ".")+" They may have you add a TXT or MX record to prove that the domain is yours."+d.known(" DNS host: ", "dns-host", ".")+d.known(" Registrar: ", "registrar", "."))
}

// table lists the devices.
func (d document) table(zone *time.Location) string {
	var b strings.Builder
	b.WriteString("| person | phone | platform | backup goes to | global administrator | last backup seen | state |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range d.devices {
		admin, seen := "no", "never"
		if s.Device.GlobalAdmin {
			admin = "yes"
		}
		if !s.SeenSaid.IsZero() {
			seen = day(s.Seen) + ", said on " + s.SeenSaid.In(zone).Format("2 January 2006")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", line(s.Person), line(s.Device.Name), s.Device.Platform, s.Device.Account, admin, seen, standingWord(s.Standing))
	}
	return b.String()
}

// json writes the document for programs.
func (d document) json() ([]byte, error) {
	type device struct {
		Person   string             `json:"person"`
		Device   keepwatch.Device   `json:"device"`
		Seen     time.Time          `json:"seen,omitzero"`
		Said     time.Time          `json:"said,omitzero"`
		Standing keepwatch.Standing `json:"standing"`
	}
	type custody struct {
		Name  string    `json:"name"`
		What  string    `json:"what"`
		Where string    `json:"where,omitempty"`
		By    string    `json:"by,omitempty"`
		Said  time.Time `json:"said,omitzero"`
	}
	out := struct {
		Version   int                          `json:"v"`
		At        time.Time                    `json:"at"`
		Fields    map[string]keepwatch.Entered `json:"fields"`
		Missing   []string                     `json:"missing,omitempty"`
		Emergency []emergencyLine              `json:"emergency_accounts,omitempty"`
		Custody   []custody                    `json:"custody,omitempty"`
		Devices   []device                     `json:"devices,omitempty"`
	}{Version: 1, At: d.at.UTC().Truncate(time.Second), Fields: d.dossier.Fields, Emergency: d.emergency}
	for _, f := range missingFields(d.dossier) {
		out.Missing = append(out.Missing, f.Name)
	}
	for _, s := range d.custodies {
		c := custody{Name: s.Custody.Name, What: s.Custody.What}
		if s.Last != nil {
			c.Where, c.By, c.Said = s.Last.Where, s.Last.By, s.Last.Said
		}
		out.Custody = append(out.Custody, c)
	}
	for _, s := range d.devices {
		out.Devices = append(out.Devices, device{s.Person, s.Device, s.Seen, s.SeenSaid, s.Standing})
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return append(data, '\n'), err
}
