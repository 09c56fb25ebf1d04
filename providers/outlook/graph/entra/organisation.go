package entra

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Organisation is what Entra knows of the tenant. Fields that may not be read are empty.
type Organisation struct {
	Tenant     string // its id
	Name       string
	Read       bool // the organisation itself could be read
	Created    time.Time
	Initial    string   // the onmicrosoft domain
	Domains    []string // other verified domains
	Unverified []string
	Federated  []string // domains whose sign-in is elsewhere
	Mails      []string // where Microsoft writes about technical matters
	Sold       []Subscription
}

// Subscription is something that the tenant has licences of.
type Subscription struct {
	SKU      string // Microsoft's short name, as on invoices: "SPB"
	ID       string // commerceSubscriptionId; "": not known
	Status   string // "Enabled", "Suspended"…
	Licences int
	Trial    bool
	Partner  string    // the tenant of the partner who sold it; "": Microsoft did, or it is not known
	Renews   time.Time // or ends
}

type organization struct {
	ID       string     `json:"id"`
	Name     string     `json:"displayName"`
	Created  *time.Time `json:"createdDateTime"`
	Mails    []string   `json:"technicalNotificationMails"`
	Verified []struct {
		Name    string `json:"name"`
		Initial bool   `json:"isInitial"`
	} `json:"verifiedDomains"`
}

type domain struct {
	ID       string `json:"id"`
	Initial  bool   `json:"isInitial"`
	Verified bool   `json:"isVerified"`
	SignIn   string `json:"authenticationType"`
}

// Organisation reads the organisation, its domains and its subscriptions.
func (d *Directory) Organisation(ctx context.Context) (Organisation, []Lack, error) {
	var o Organisation
	var lacks []Lack
	for _, step := range []struct {
		read             func(context.Context, *Organisation) error
		permission, what string
	}{
		{d.organization, readOrganisation, "Whom Microsoft writes to about the tenant"},
		{d.domains, readDomains, "Whether a domain of the tenant is not verified, or signs in elsewhere,"},
		{d.subscriptions, readOrganisation, "Which subscriptions there are, and who sold them,"},
	} {
		more, err := lack(step.read(ctx, &o), step.permission, step.what)
		if err != nil {
			return o, lacks, fmt.Errorf("read the organisation: %w", err)
		}
		lacks = append(lacks, more...)
	}
	if slices.ContainsFunc(lacks, func(l Lack) bool { return strings.HasPrefix(l.What, "Which subscriptions") }) {
		if _, err := lack(d.skus(ctx, &o), readLicences, ""); err != nil { // one Lack of them is enough
			return o, lacks, fmt.Errorf("read the licences: %w", err)
		}
	}
	if o.Tenant == "" { // the token tells at least that
		if g, err := d.cfg.Client.Grant(ctx); err == nil {
			o.Tenant = g.Tenant
		}
	}
	slices.Sort(o.Domains)
	o.Domains = slices.Compact(o.Domains)
	slices.SortStableFunc(o.Sold, func(a, b Subscription) int { return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.ID, b.ID)) })
	return o, lacks, nil
}

func (d *Directory) organization(ctx context.Context, o *Organisation) error {
	return list(ctx, d, "/organization?$select=id,displayName,createdDateTime,technicalNotificationMails,verifiedDomains", func(v organization) {
		o.Read, o.Tenant, o.Name, o.Mails = true, v.ID, v.Name, v.Mails
		if v.Created != nil {
			o.Created = *v.Created
		}
		for _, x := range v.Verified {
			if x.Initial {
				o.Initial = x.Name
			} else {
				o.Domains = append(o.Domains, x.Name)
			}
		}
	})
}

func (d *Directory) domains(ctx context.Context, o *Organisation) error {
	return list(ctx, d, "/domains", func(v domain) {
		switch {
		case v.Initial:
			o.Initial = v.ID
		case !v.Verified:
			o.Unverified = append(o.Unverified, v.ID)
		default:
			o.Domains = append(o.Domains, v.ID)
		}
		if v.SignIn == "Federated" {
			o.Federated = append(o.Federated, v.ID)
		}
	})
}

func (d *Directory) subscriptions(ctx context.Context, o *Organisation) error {
	type subscription struct {
		SKU      string     `json:"skuPartNumber"`
		ID       string     `json:"commerceSubscriptionId"`
		Status   string     `json:"status"`
		Licences int        `json:"totalLicenses"`
		Trial    bool       `json:"isTrial"`
		Owner    string     `json:"ownerTenantId"`
		Renews   *time.Time `json:"nextLifecycleDateTime"`
	}
	return list(ctx, d, "/directory/subscriptions", func(v subscription) {
		s := Subscription{SKU: v.SKU, ID: v.ID, Status: v.Status, Licences: v.Licences, Trial: v.Trial}
		if v.Owner != "" && !strings.EqualFold(v.Owner, o.Tenant) {
			s.Partner = v.Owner
		}
		if v.Renews != nil {
			s.Renews = *v.Renews
		}
		o.Sold = append(o.Sold, s)
	})
}

// skus reads the licences, which say less of the subscriptions.
func (d *Directory) skus(ctx context.Context, o *Organisation) error {
	type sku struct {
		SKU    string `json:"skuPartNumber"`
		Status string `json:"capabilityStatus"`
		Units  struct {
			Enabled int `json:"enabled"`
		} `json:"prepaidUnits"`
	}
	return list(ctx, d, "/subscribedSkus", func(v sku) {
		o.Sold = append(o.Sold, Subscription{SKU: v.SKU, Status: v.Status, Licences: v.Units.Enabled})
	})
}

// Findings looks at whom Microsoft writes to, and at domains that sign in elsewhere.
func (o Organisation) Findings() []Finding {
	var out []Finding
	outside := slices.DeleteFunc(slices.Clone(o.Mails), o.inside)
	const next = "Add an address that is read without Microsoft 365: Microsoft 365 admin center, Settings, Org settings, Organization profile, Technical contact."
	switch {
	case !o.Read:
	case len(o.Mails) == 0:
		out = append(out, warn("tenant/mail", probeTenant, "Microsoft knows no technical contact of the tenant, so nobody hears of an outage or of a breach.", next))
	case len(outside) == 0:
		out = append(out, warn("tenant/mail", probeTenant, fmt.Sprintf("Microsoft writes about technical matters to %s only, on the tenant's own domain: nobody can read that in a lock-out.", few(o.Mails)), next))
	default:
		out = append(out, fine("tenant/mail", probeTenant, "Microsoft writes about technical matters to "+few(outside)+" too, which is outside the tenant."))
	}
	if len(o.Federated) > 0 {
		out = append(out, warn("tenant/federated", probeTenant, fmt.Sprintf("Sign-ins of %s are checked by a server outside Entra: while it is away, nobody of that domain gets in.", few(o.Federated)), "Keep Global Administrators on the onmicrosoft.com domain. "+emergencyPage))
	}
	return out
}

// inside reports whether an address is on a domain of the tenant.
func (o Organisation) inside(address string) bool {
	_, host, _ := strings.Cut(strings.ToLower(address), "@")
	return slices.ContainsFunc(append([]string{o.Initial}, o.Domains...), func(own string) bool {
		own = strings.ToLower(own)
		return own != "" && (host == own || strings.HasSuffix(host, "."+own))
	})
}

// few names the first of many.
func few(list []string) string {
	const most = 5
	shown := make([]string, 0, most)
	for _, s := range list[:min(len(list), most)] {
		shown = append(shown, keepwatch.Printable(s))
	}
	text := strings.Join(shown, ", ")
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// mostValue is the longest value of a field of the dossier, in bytes.
const mostValue = 600

// Fields gives what of it the dossier asks for, by the names of [keepwatch.DossierFields].
// Microsoft knows no invoices, no registrar, no DNS host, and no phone that is meant for a
// lock-out: those only a person can say.
func (o Organisation) Fields(admins Administrators) map[string]string {
	var people, later, sold []string // later: who has to take the role first
	for _, a := range admins.List {
		switch {
		case a.Holder != HolderPerson || a.Disabled || a.UPN == "":
		case a.Way.Eligible:
			later = append(later, a.UPN)
		default:
			people = append(people, a.UPN)
		}
	}
	people = append(people, later...)
	partner := ""
	for _, s := range o.Sold {
		sold = append(sold, s.line())
		partner = cmp.Or(partner, s.Partner)
	}
	if partner != "" {
		partner = "sold subscriptions of the tenant; its own tenant is " + partner
	}
	fields := map[string]string{
		"tenant-id": o.Tenant, "tenant-domain": o.Initial, "domains": strings.Join(o.Domains, ", "), "administrators": strings.Join(people, ", "),
		"subscription": strings.Join(sold, "; "), "partner": partner,
	}
	for name, value := range fields {
		value = strings.Join(strings.Fields(keepwatch.Clean(value)), " ")
		if len(value) > mostValue {
			value = strings.ToValidUTF8(value[:mostValue-len("…")], "") + "…"
		}
		if fields[name] = value; value == "" {
			delete(fields, name)
		}
	}
	return fields
}

func (s Subscription) line() string {
	text := fmt.Sprintf("%s, %s", s.SKU, keepwatch.FormatCount(int64(s.Licences), "licence"))
	if s.Trial {
		text += ", trial"
	}
	if s.Status != "" && s.Status != "Enabled" {
		text += ", " + strings.ToLower(s.Status)
	}
	if s.ID != "" {
		text += ", subscription " + s.ID
	}
	if s.Partner != "" {
		text += ", bought from a partner"
	}
	return text
}

// Learn puts what is known now into what was learned before: a value that is as it was
// keeps the time at which it was learned, and one that cannot be read now stays.
func Learn(before map[string]keepwatch.Entered, fields map[string]string, at time.Time) map[string]keepwatch.Entered {
	out := map[string]keepwatch.Entered{}
	for name, e := range before {
		out[name] = e
	}
	for name, value := range fields {
		if out[name].Value != value {
			out[name] = keepwatch.Entered{Value: value, By: "Microsoft 365", At: at.UTC()}
		}
	}
	return out
}
