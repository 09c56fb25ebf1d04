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

// Ahead is how long before they run out the credentials of other applications are
// listed: longer than the first step of the ladder, and short enough to keep a tenant
// with thousands of applications small.
const Ahead = 90 * 24 * time.Hour

// Credential is a secret or a certificate of an application, and when it runs out. It
// holds nothing of the secret itself.
type Credential struct {
	keepwatch.Expiring
	ID  string // the directory's id of it; "" where only the certificate itself was read
	App string // the application's id
	Own bool   // this bot signs in as that application
}

type application struct {
	AppID   string   `json:"appId"`
	Name    string   `json:"displayName"`
	Secrets []secret `json:"passwordCredentials"`
	Keys    []secret `json:"keyCredentials"`
}

// secret is a passwordCredential or a keyCredential. The hint, which is the beginning of
// the secret, is not read.
type secret struct {
	ID   string     `json:"keyId"`
	Name string     `json:"displayName"`
	Ends *time.Time `json:"endDateTime"`

	certificate bool
}

// Credentials gives what runs out: all of the bot's own application, and of others, as
// far as they may be read, what runs out within Ahead or has run out, the soonest first.
// What has run out is left out where the application has another one that is valid, for
// it is a remnant.
func (d *Directory) Credentials(ctx context.Context) ([]Credential, []Lack, error) {
	const fields = "$select=appId,displayName,passwordCredentials,keyCredentials"
	var all []Credential
	err := list(ctx, d, "/applications?"+fields+"&$top=999", func(a application) {
		all = append(all, d.credentials(a, strings.EqualFold(a.AppID, d.cfg.AppID))...)
	})
	lacks, err := lack(err, readApplications, "When the secrets of applications run out, this bot's own too,")
	if err != nil {
		return nil, nil, fmt.Errorf("read the applications: %w", err)
	}
	if ends := d.cfg.Client.CertificateEnds(); !ends.IsZero() && !slices.ContainsFunc(all, func(c Credential) bool { return c.Own && near(c.At, ends) }) {
		own := secret{Ends: &ends, certificate: true}
		all = append(all, d.credential(application{AppID: d.cfg.AppID}, own, true, time.Time{}))
		if len(lacks) > 0 {
			lacks[0].What = "When the secrets of other applications run out"
		}
	}
	slices.SortStableFunc(all, func(a, b Credential) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all, lacks, nil
}

// near reports whether two times are of the same certificate: Entra keeps no fractions.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < 2*time.Second }

func (d *Directory) credentials(a application, own bool) []Credential {
	now := d.cfg.Now()
	for i := range a.Keys {
		a.Keys[i].certificate = true
	}
	var list []secret
	var last time.Time // when the last of them runs out
	for _, s := range slices.Concat(a.Secrets, a.Keys) {
		if s.Ends == nil || slices.ContainsFunc(list, func(o secret) bool { return o.ID == s.ID }) {
			continue
		}
		list = append(list, s)
		if s.Ends.After(last) {
			last = *s.Ends
		}
	}
	var out []Credential
	for _, s := range list {
		over, remnant := !now.Before(*s.Ends), now.Before(last)
		if over && remnant || !own && s.Ends.Sub(now) > Ahead {
			continue
		}
		out = append(out, d.credential(a, s, own, last))
	}
	return out
}

// credential says of one how it is renewed. last is when the last of its application runs
// out.
func (d *Directory) credential(a application, s secret, own bool, last time.Time) Credential {
	kind, what, setting := "secret", "a new secret", "MICROSOFT_CLIENT_SECRET"
	if s.certificate {
		kind, what, setting = "certificate", "a new certificate", "MICROSOFT_CLIENT_CERTIFICATE"
	}
	name := kind
	if s.Name != "" {
		name += " " + keepwatch.Printable(s.Name)
	}
	title := named(a.Name, a.AppID)
	where := "Entra (App registrations, " + title + ", Certificates & secrets)"
	how := "Make " + what + " in " + where + ", put it where the application runs, then remove the old one."
	if own {
		how = "Make " + what + " in " + where + ", set " + setting + ", start Keepwatch again and run a check, then remove the old one."
		title += " (this bot)"
	}
	if last.After(*s.Ends) && d.cfg.Now().Before(last) {
		how = fmt.Sprintf("The application has another one until %s: see that this is the one in use, then remove the old one.", d.date(last))
	}
	return Credential{Expiring: keepwatch.Expiring{Name: name + " of " + title, At: *s.Ends, How: how}, ID: s.ID, App: a.AppID, Own: own}
}
