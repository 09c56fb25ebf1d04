package graphtest

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Well-known ids of Microsoft's own applications and of the role Global Administrator.
const (
	GraphAppID          = "00000003-0000-0000-c000-000000000000"
	ExchangeAppID       = "00000002-0000-0ff1-ce00-000000000000"
	GlobalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
)

// directory is what Entra knows of a tenant beside people and mailboxes. The zero value
// is that of a tenant in which nothing was entered.
type directory struct {
	names    map[string]string // display name of an application
	secrets  map[string][]Credential
	certs    map[string][]Credential
	exchange map[string][]string // permissions of Exchange Online that were consented to
	methods  map[string][]Method // by the id of a user
	onPrem   map[string]bool     // users that come from a directory of one's own
	holders  []holder
	eligible []holder            // for a role that they do not hold
	members  map[string][]holder // of groups, by their id
	report   []map[string]any
	premium  bool
	managed  bool // there is Privileged Identity Management
	org      Organisation
}

// Credential is a secret or a certificate of an application, as an administrator sees it.
type Credential struct {
	ID   string // a GUID; default: made of App and Name
	Name string // "": none was given
	Hint string // the first letters of a secret
	From time.Time
	Ends time.Time
	Key  []byte // a certificate
}

// Method is a way in which somebody proves who they are.
type Method struct {
	ID   string // default: made of Kind and Name
	Kind string // "microsoftAuthenticator", "phone", "fido2", "password", "email", "softwareOath", "temporaryAccessPass", "windowsHelloForBusiness", "platformCredential"
	Name string // of the device; the number of a phone, the address of an e-mail
	// Version, Tag: of Authenticator. Model, AAGUID: of a passkey.
	Version, Tag, Model, AAGUID string
	Created                     time.Time
}

// Organisation is what is known of the tenant as a whole.
type Organisation struct {
	Name    string // "": there is nothing entered
	Initial string // "contoso.onmicrosoft.com"
	Domains []string
	Mails   []string // technicalNotificationMails
	Phones  []string
	Created time.Time
	Sold    []Subscription
}

// Subscription is one that the tenant has.
type Subscription struct {
	SKU     string // skuPartNumber
	Total   int
	Used    int
	Status  string // "Enabled"
	Trial   bool
	Partner string // the tenant of whoever sold it; "": Microsoft did
	Renews  time.Time
}

// guidOf makes an id of a name, always the same.
func guidOf(name string) string {
	h := sha256.Sum256([]byte("guid " + name))
	x := hex.EncodeToString(h[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// ServicePrincipal is the object id of an application's service principal.
func ServicePrincipal(app string) string { return guidOf("service principal " + strings.ToLower(app)) }

func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// Called names an application.
func (a *App) Called(name string) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	put(&a.tenant.dir.names, a.id, name)
}

// AddSecret gives an application a secret to list, with which nobody signs in.
func (a *App) AddSecret(c Credential) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	set(&c.ID, guidOf(a.id+" secret "+c.Name))
	put(&a.tenant.dir.secrets, a.id, append(a.tenant.dir.secrets[a.id], c))
}

// AddCertificate gives an application a certificate to list.
func (a *App) AddCertificate(name string, certificate *x509.Certificate) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	c := Credential{ID: guidOf(a.id + " certificate " + name), Name: name, From: certificate.NotBefore, Ends: certificate.NotAfter, Key: certificate.Raw}
	put(&a.tenant.dir.certs, a.id, append(a.tenant.dir.certs[a.id], c))
}

// GrantExchange consents to permissions of Office 365 Exchange Online, which are in no
// token for Graph.
func (a *App) GrantExchange(permissions ...string) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	put(&a.tenant.dir.exchange, a.id, append(a.tenant.dir.exchange[a.id], permissions...))
}

// SetMethods says how somebody can sign in. It takes the place of what was said before.
func (n *Tenant) SetMethods(user string, methods ...Method) {
	n.mu.Lock()
	defer n.mu.Unlock()
	methods = slices.Clone(methods)
	for i := range methods {
		set(&methods[i].ID, guidOf(methods[i].Kind+" "+methods[i].Name))
	}
	if u := n.user(user); u != nil {
		put(&n.dir.methods, u.ID, methods)
	}
}

// FromDirectory says that somebody is synchronised from a directory of one's own.
func (n *Tenant) FromDirectory(user string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.user(user); u != nil {
		put(&n.dir.onPrem, u.ID, true)
	}
}

// Premium gives the tenant Entra ID P1, or takes it.
func (n *Tenant) Premium(has bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir.premium = has
}

// SetOrganisation says what is known of the tenant.
func (n *Tenant) SetOrganisation(o Organisation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir.org = o
}

// RefreshReport makes the report of registrations anew. The vendor does it every few
// hours, and until then it says what was.
func (n *Tenant) RefreshReport() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir.report = nil
	for _, u := range n.users {
		if u.Disabled || u.Purpose != "user" {
			continue
		}
		methods := []any{}
		for _, m := range n.dir.methods[u.ID] {
			if name := registered(m); name != "" {
				methods = append(methods, name)
			}
		}
		admin := slices.ContainsFunc(n.dir.holders, func(h holder) bool { return h.id == u.ID })
		strong := len(methods) > 0
		n.dir.report = append(n.dir.report, map[string]any{
			"id": u.ID, "userPrincipalName": u.UPN, "userDisplayName": u.Name, "isAdmin": admin, "isMfaCapable": strong, "isMfaRegistered": strong,
			"isPasswordlessCapable": slices.Contains(methods, any("fido2SecurityKey")), "isSsprCapable": strong, "isSsprEnabled": true, "isSsprRegistered": strong,
			"isSystemPreferredAuthenticationMethodEnabled": true, "systemPreferredAuthenticationMethods": []any{}, "methodsRegistered": methods,
			"userPreferredMethodForSecondaryAuthentication": "none", "userType": "member", "lastUpdatedDateTime": dated(n.opts.Now()),
		})
	}
}

// registered is what the report calls a method; "": it does not list it.
func registered(m Method) string {
	switch m.Kind {
	case "phone":
		return "mobilePhone"
	case "fido2":
		if m.AAGUID == "90a3ccdf-635c-4729-a248-9b709135078f" || m.AAGUID == "de1e552d-db1d-4423-a619-566b625cdc84" {
			return "passKeyDeviceBoundAuthenticator"
		}
		return "fido2SecurityKey"
	case "microsoftAuthenticator":
		return "microsoftAuthenticatorPush"
	case "softwareOath":
		return "softwareOneTimePasscode"
	case "password", "platformCredential":
		return ""
	}
	return m.Kind
}

func dated(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
