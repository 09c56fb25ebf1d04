package authenticator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Within which time what protects from a lock-out has to be shown to work.
const (
	testedWithin  = 90 * 24 * time.Hour // Microsoft, "Manage emergency access admin accounts": validate at least every 90 days
	sealedWithin  = 90 * 24 * time.Hour
	drilledWithin = 180 * 24 * time.Hour
)

// aspect is one thing that readiness is made of.
type aspect struct {
	probe keepwatch.Probe
	// weight is how much of a lock-out it prevents or shortens, of about 100 in all:
	// an account that gets in without support outweighs papers for the support.
	weight int
	credit float64 // how much of it is there, 0 to 1
}

// Readiness gives what a lock-out would meet, what costs the most first, and a score
// from 0 to 100. Where nobody has named or said anything there is one probe that is off:
// what a provider has learned for the dossier alone is no wish to hear of a lock-out.
func (k *Keeper) Readiness() ([]keepwatch.Probe, int, error) {
	devices, err := k.Devices()
	if err != nil {
		return nil, 0, err
	}
	dossier, err := k.Dossier()
	if err != nil {
		return nil, 0, err
	}
	if len(devices) == 0 && !anySaid(dossier) && len(k.cfg.Emergency) == 0 {
		return []keepwatch.Probe{{Name: "lock-out", Status: keepwatch.ProbeOff, Text: "No device, dossier or emergency account is known.",
			Next: "Name the phones that hold Microsoft Authenticator in keepwatch.yaml, under the person: devices."}}, 0, nil
	}
	emergency, err := k.emergency()
	if err != nil {
		return nil, 0, err
	}
	second, err := k.second(devices)
	if err != nil {
		return nil, 0, err
	}
	custody, err := k.inCustody()
	if err != nil {
		return nil, 0, err
	}
	drill, err := k.drill()
	if err != nil {
		return nil, 0, err
	}
	all := append(emergency, second, administrators(devices, len(k.cfg.Emergency)), k.sealed(dossier), outside(dossier), backups(devices), custody, drill)
	probes, score := weigh(all)
	return probes, score, nil
}

// anySaid reports whether anything in a dossier is of people or of the configuration.
func anySaid(d keepwatch.Dossier) bool {
	for _, e := range d.Fields {
		if e.By == fromYAML || !e.At.IsZero() {
			return true
		}
	}
	return false
}

// weigh sorts by what is missing the most, and adds up.
func weigh(all []aspect) ([]keepwatch.Probe, int) {
	slices.SortStableFunc(all, func(a, b aspect) int {
		return cmp.Compare(float64(b.weight)*(1-b.credit), float64(a.weight)*(1-a.credit))
	})
	var probes []keepwatch.Probe
	got, sum := 0.0, 0
	for _, a := range all {
		probes = append(probes, a.probe)
		if a.probe.Status != keepwatch.ProbeOff {
			got, sum = got+a.credit*float64(a.weight), sum+a.weight
		}
	}
	if sum == 0 {
		return probes, 0
	}
	return probes, int(100 * got / float64(sum)) // 100 only where nothing is missing
}

// good, poor and none make an aspect that is there, half there, or missing.
func good(name string, weight int, text string) aspect {
	return aspect{keepwatch.Probe{Name: name, Status: keepwatch.ProbeGood, Text: text}, weight, 1}
}

func poor(name string, weight int, credit float64, text, next string) aspect {
	return aspect{keepwatch.Probe{Name: name, Status: keepwatch.ProbeWarn, Text: text, Next: next}, weight, credit}
}

func none(name string, weight int, text, next string) aspect {
	return aspect{keepwatch.Probe{Name: name, Status: keepwatch.ProbeBad, Text: text, Next: next}, weight, 0}
}

// emergency looks at the emergency accounts. What Microsoft says of them is on the
// page "Manage emergency access admin accounts" (security-emergency-access), and that
// they too need a second factor on "Planning for mandatory multifactor
// authentication" (concept-mandatory-multifactor-authentication).
func (k *Keeper) emergency() ([]aspect, error) {
	accounts := k.cfg.Emergency
	const number, methods, apart, tested = 22, 9, 4, 9
	const says = "Microsoft says: two or more, cloud-only, on the onmicrosoft.com domain, with the role Global Administrator active for good (Manage emergency access admin accounts)."
	if len(accounts) == 0 {
		return []aspect{none("emergency accounts", number+methods+apart+tested, "There is no emergency account.",
			says+" Make two in the Entra admin center, give each a FIDO2 key, and name them in keepwatch.yaml: emergency_accounts.")}, nil
	}
	first := good("emergency accounts", number, keepwatch.FormatCount(int64(k.distinct()), "emergency account")+", on the tenant's own onmicrosoft domain.")
	if odd := k.accounts(func(e EmergencyAccount) bool { return !initialDomain(e.UPN) }); len(odd) > 0 {
		first = poor("emergency accounts", number, 0.5, strings.Join(odd, " and ")+" is not on the tenant's onmicrosoft.com domain, so it falls with the domain or the directory that it comes from.", says)
	}
	if k.distinct() == 1 {
		first = poor("emergency accounts", number, 0.4, "There is one emergency account: if its key is lost or broken there is no other.", says+" Make a second one.")
	}
	second := good("emergency keys", methods, "Each signs in with a FIDO2 key or a certificate.")
	if odd := k.accounts(func(e EmergencyAccount) bool { return e.Method != "fido2" && e.Method != "certificate" }); len(odd) > 0 {
		second = none("emergency keys", methods, strings.Join(odd, " and ")+" has no FIDO2 key and no certificate.",
			"Emergency accounts need a second factor as well since October 2024 (Planning for mandatory multifactor authentication), and it should be another one than the administrators' own: register a FIDO2 key, then set method: fido2.")
	}
	third, err := k.apart(apart)
	if err != nil {
		return nil, err
	}
	fourth, err := k.tested(tested)
	return []aspect{first, second, third, fourth}, err
}

// distinct counts the emergency accounts; one that is named twice is one.
func (k *Keeper) distinct() int {
	names := map[string]bool{}
	for _, e := range k.cfg.Emergency {
		names[strings.ToLower(strings.TrimSpace(e.UPN))] = true
	}
	return len(names)
}

// accounts gives the names of the emergency accounts that something is true of.
func (k *Keeper) accounts(is func(EmergencyAccount) bool) []string {
	var names []string
	for _, e := range k.cfg.Emergency {
		if is(e) {
			names = append(names, e.UPN)
		}
	}
	return names
}

// place gives where an emergency account's key is, and when somebody last signed in
// with it: by the configuration, or by what was said since.
func (k *Keeper) place(e EmergencyAccount) (where string, tested time.Time, err error) {
	words, err := k.cfg.Records.Attestations(keepwatch.CustodySubject("emergency-"+e.Name), 1)
	if err != nil {
		return "", tested, fmt.Errorf("read what was said of %s: %w", e.UPN, err)
	}
	if len(words) == 0 {
		return e.Where, e.Tested, nil
	}
	if words[0].State != keepwatch.AttestedRecorded {
		return "", e.Tested, nil
	}
	if e.Tested.After(k.now()) { // a slip in keepwatch.yaml
		e.Tested = time.Time{}
	}
	return words[0].Where, later(e.Tested, words[0].Said), nil
}

// apart sees that the keys of the emergency accounts are known to lie in different
// places.
func (k *Keeper) apart(weight int) (aspect, error) {
	const name = "keys kept apart"
	const next = "Keep each in a safe of its own, in another building (Manage emergency access admin accounts), and say where with `/authenticator custody`."
	at := map[string]string{}
	for _, e := range k.cfg.Emergency {
		where, _, err := k.place(e)
		key := strings.ToLower(strings.TrimSpace(where))
		switch {
		case err != nil:
			return aspect{}, err
		case key == "":
			return poor(name, weight, 0, "Nobody has said where the key of "+e.UPN+" is kept.", next), nil
		case at[key] != "":
			return poor(name, weight, 0, fmt.Sprintf("The keys of %s and %s are kept in the same place, so one fire takes both.", at[key], e.UPN), next), nil
		}
		at[key] = e.UPN
	}
	if len(at) < 2 {
		return poor(name, weight, 0, "There is one key only.", "Make a second emergency account, and keep its key elsewhere."), nil
	}
	return good(name, weight, "The keys are kept in different places."), nil
}

// tested sees that somebody has signed in with each of them of late.
func (k *Keeper) tested(weight int) (aspect, error) {
	const name = "emergency accounts tested"
	var late []string
	for _, e := range k.cfg.Emergency {
		_, tested, err := k.place(e)
		if err != nil {
			return aspect{}, err
		}
		if tested.IsZero() || tested.After(k.now()) || k.now().Sub(tested) > testedWithin {
			late = append(late, e.UPN)
		}
	}
	if len(late) == 0 {
		return good(name, weight, "Within 90 days each was signed in with, or somebody was asked to and said where its key is."), nil
	}
	return poor(name, weight, 1-float64(len(late))/float64(len(k.cfg.Emergency)), "Nobody has signed in with "+strings.Join(late, " and ")+" for 90 days, as far as is known.",
		"Microsoft says to check them at least every 90 days, and when people come or go (Manage emergency access admin accounts). Sign in once, then say where the key is with `/authenticator custody`."), nil
}

// initialDomain reports whether a name is on a domain that Microsoft gave the tenant.
func initialDomain(name string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(name), "@")
	return strings.Contains("."+domain, ".onmicrosoft.") || strings.HasSuffix(domain, ".partner.onmschina.cn")
}
