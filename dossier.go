package keepwatch

import "strings"

// DossierSource is the name of the one source of kind KindDossier.
const DossierSource = "dossier"

// DossierField is one thing that the dossier is to know.
type DossierField struct {
	Name     string // for commands: "tenant-id"
	Label    string // at most 45 characters: Discord's limit of a label
	Why      string // what it is good for when nobody can sign in
	Example  string
	Required bool // without it the dossier is not complete
}

// DossierFields gives what a dossier is to know, in the order in which it is needed.
// Microsoft publishes no fixed list of what its support asks for; these are what
// administrators who were locked out report that they were asked
// (learn.microsoft.com/answers, questions 5831735, 5841749, 5862299 and 5812859).
func DossierFields() []DossierField {
	return []DossierField{
		{"tenant-id", "Tenant id", "Support finds the tenant by it. Entra admin center → Overview.", "72f988bf-86f1-41af-91ab-2d7cd011db47", true},
		{"tenant-domain", "The tenant's onmicrosoft domain", "The first thing that support asks for; it never changes.", "contoso.onmicrosoft.com", true},
		{"domains", "Other domains of the tenant", "Control of one of them is proved by a TXT or MX record that Microsoft gives.", "contoso.example, contoso.cymru", true},
		{"administrators", "Sign-in names of the administrators", "Support asks which administrator is locked out, and whether there are others.", "alis@contoso.example, olwen@contoso.example", true},
		{"subscription", "Subscriptions, and how they are bought", "Billing history proves whose tenant it is.", "Microsoft 365 Business Premium, bought from Microsoft", true},
		{"billing-email", "E-mail address of the billing", "Support compares it with what it has; invoices go there.", "accounts@contoso.example", true},
		{"invoices", "Where the invoices are", "Invoices are asked for as proof. They must be in reach without Microsoft 365.", "paper folder “Microsoft” in the office", true},
		{"registration", "Where the company's registration is", "The papers of the business are asked for as proof.", "Companies House 01234567, folder “Company”", true},
		{"phone", "Phone that support can ring", "Support rings back. It must not depend on the tenant.", "+44 1824 700000, Alis", true},
		{"email", "E-mail address outside the tenant", "Mail to the tenant's own domains cannot be read in a lock-out.", "contoso.rescue@mail.example", true},
		{"registrar", "Registrar, and where its login is recorded", "Whoever holds the domain can add the record that Microsoft asks for.", "Nominet member X; login in the safe, blue folder", true},
		{"dns-host", "DNS host, and where its login is recorded", "That is where the TXT record is added.", "the registrar's; login in the safe, blue folder", true},
		{"partner", "Partner or reseller (CSP)", "A partner with delegated rights can open a ticket, and may be able to help itself.", "none; or its name, phone and customer number", false},
		{"emergency-accounts", "Emergency accounts, and where their keys are", "They are what gets you in without support.", "bg1@contoso.onmicrosoft.com: FIDO2 key, office safe", false},
	}
}

// NobodySaid stands for a field that may be left empty: that nothing is written down
// of a partner does not mean that there is none.
const NobodySaid = "nobody has said whether there is one"

// OwnDomain gives the domain of the tenant on which the e-mail address of the dossier
// is, so that nobody can read it in a lock-out, or "". The domains of the
// administrators' names are the tenant's too. Of several addresses one outside is
// enough.
func (d Dossier) OwnDomain() string {
	list := dossierWords(d.Fields["domains"].Value + "," + d.Fields["tenant-domain"].Value)
	for _, name := range dossierWords(d.Fields["administrators"].Value) {
		if _, own, found := strings.Cut(name, "@"); found {
			list = append(list, own)
		}
	}
	inside := ""
	for _, address := range dossierWords(d.Fields["email"].Value) {
		_, domain, found := strings.Cut(address, "@")
		if !found {
			continue
		}
		if inside = within(domain, list); inside == "" {
			return ""
		}
	}
	return inside
}

// within gives which of some domains another one is, or is below of; "": none.
func within(domain string, list []string) string {
	for _, own := range list {
		if own = strings.TrimPrefix(own, "@"); own != "" && (domain == own || strings.HasSuffix(domain, "."+own)) {
			return own
		}
	}
	return ""
}

// dossierWords divides a list at commas, semicolons, brackets and blanks, in small
// letters.
func dossierWords(list string) []string {
	return strings.FieldsFunc(strings.ToLower(list), func(r rune) bool { return strings.ContainsRune(",; \n()<>", r) })
}
