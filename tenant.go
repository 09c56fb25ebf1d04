package keepwatch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tenant is what was last seen of the directory of the organisation's Microsoft 365.
// There is no secret in it, and no number or address of anybody.
type Tenant struct {
	Version int    `json:"v"`
	ID      string `json:"id"` // the tenant's: what was seen of another one says nothing of this
	// Looked is when it was last looked at.
	Looked      time.Time          `json:"looked"`
	SignIns     SignIns            `json:"sign_ins"`
	Changed     []SignInNews       `json:"changed,omitempty"` // at most one of each person, oldest first
	Learned     map[string]Entered `json:"learned,omitempty"` // by the names of DossierFields
	Credentials []TenantCredential `json:"credentials,omitempty"`
	Findings    []TenantFinding    `json:"findings,omitempty"`
}

// TenantCredential is a secret or a certificate of an application, and when it runs out.
type TenantCredential struct {
	Expiring
	ID  string `json:"id,omitempty"`  // the directory's id of it
	App string `json:"app"`           // the application's id
	Own bool   `json:"own,omitempty"` // this bot signs in as that application
}

// TenantFinding is something in the directory that would cost time in a lock-out.
type TenantFinding struct {
	Key    string      `json:"key"` // "administrators/one": the same as long as it is the same finding
	Name   string      `json:"name"`
	Status ProbeStatus `json:"status"`
	Text   string      `json:"text"`
	Next   string      `json:"next,omitempty"`
}

// SignInNews is that somebody's Microsoft Authenticator has changed, so that the backup of
// it has to be looked at.
type SignInNews struct {
	Person string    `json:"person"` // by the name of the configuration
	At     time.Time `json:"at"`     // when it was seen, in whole seconds
	What   []string  `json:"what"`   // sentences
	Ask    []string  `json:"ask"`    // the subjects of the devices to be asked about; empty: none is known
	// Asked says that those are asked about.
	Asked bool `json:"asked,omitempty"`
}

// SignInNewsHolds is how long a change of somebody's sign-in is told of where nobody says
// anything about a device: the question is passed on long before.
const SignInNewsHolds = 30 * 24 * time.Hour

// See takes in how people sign in now, and notes whose Microsoft Authenticator has changed
// since the last time. People are those of the configuration. An update of the app is
// nothing that anybody has to look at, and of what is seen for the first time nobody knows
// how it was before.
func (t *Tenant) See(now SignIns, people []Person, at time.Time) {
	at = at.UTC().Truncate(time.Second)
	t.Changed = slices.DeleteFunc(t.Changed, func(n SignInNews) bool { return at.Sub(n.At) >= SignInNewsHolds })
	news := map[string]*SignInNews{}
	for _, c := range t.SignIns.Changes(now) {
		onPhone := c.Method.Kind == SignInAuthenticator || c.Method.Kind == SignInPhonePasskey
		if !onPhone || c.What == SignInUpdated {
			continue
		}
		for _, p := range people {
			if !strings.EqualFold(p.Microsoft, c.Person) {
				continue
			}
			if news[p.Name] == nil {
				news[p.Name] = &SignInNews{Person: p.Name, At: at}
			}
			n := news[p.Name]
			n.What = append(n.What, c.String())
			for _, d := range concerned(p.Devices, c.Method) {
				if subject := DeviceSubject(d); !slices.Contains(n.Ask, subject) {
					n.Ask = append(n.Ask, subject)
				}
			}
		}
	}
	for name, n := range news {
		t.Changed = slices.DeleteFunc(t.Changed, func(old SignInNews) bool { return old.Person == name })
		t.Changed = append(t.Changed, *n)
	}
	slices.SortFunc(t.Changed, func(a, b SignInNews) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Person, b.Person)) })
	t.SignIns = now
}

// concerned gives the devices that a change may be about: the directory and the
// configuration have different names for the same phone, and agree only on what an
// iPhone is.
func concerned(devices []Device, m SignInMethod) []Device {
	name := strings.ToLower(m.Device)
	if !strings.Contains(name, "iphone") && !strings.Contains(name, "ipad") {
		return devices
	}
	apple := slices.DeleteFunc(slices.Clone(devices), func(d Device) bool { return d.Platform != "ios" })
	if len(apple) == 0 {
		return devices
	}
	return apple
}

// SignInFacts gives the changes of people's Authenticator after which nobody has said
// anything about their phones. said gives when something was last said of a device, by its
// subject; the zero time where nothing ever was.
func SignInFacts(t Tenant, now time.Time, loc *time.Location, said func(subject string) time.Time) []Fact {
	var facts []Fact
	for _, n := range t.Changed {
		answered := slices.ContainsFunc(n.Ask, func(subject string) bool { return said(subject).After(n.At) })
		if answered || now.Sub(n.At) >= SignInNewsHolds {
			continue
		}
		f := Fact{
			Key: "sign-in/" + PersonWord(n.Person), Kind: FactStale, Tone: ToneWarn, Urge: n.At.UTC().Format(time.RFC3339),
			Title: fmt.Sprintf("Microsoft Authenticator of %s has changed", Printable(n.Person)),
		}
		f.Text = paragraph("Seen on "+moment(n.At, now, loc)+":", strings.Join(n.What, " "),
			"If "+Printable(n.Person)+" did not do that, somebody else has: take the method away in the Entra admin center, under the user's Authentication methods.")
		if len(n.Ask) == 0 { // nobody is asked, so this goes to the one who knows
			f.To = n.Person
			f.Text = paragraph(f.Text, "On another phone Authenticator makes no backup until it is turned on there. Name the phone in keepwatch.yaml, under the person: devices, and Keepwatch asks about it.")
			f.Buttons = []Button{{Label: "Show me how", Command: "authenticator guide"}}
		} else {
			f.Text = paragraph(f.Text, "On another phone Authenticator makes no backup until it is turned on there, so "+Printable(n.Person)+" is asked which date it shows.")
			for _, subject := range n.Ask[:min(len(n.Ask), 2)] {
				slug := strings.TrimPrefix(subject, "device/")
				f.Buttons = append(f.Buttons, Button{Label: "Say what " + slug + " shows", Command: "authenticator checked " + slug})
			}
		}
		facts = append(facts, f)
	}
	return facts
}
