package authenticator

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"keepwatch"
)

// maxValue is the longest value of the dossier, in bytes.
const maxValue = 600

// fromYAML is who gave what the configuration gives.
const fromYAML = "keepwatch.yaml"

// Dossier gives what is known: what was filled in here, for the rest what the
// configuration gives, and for what is left what a provider knows. Once it is sealed, it
// has changed too when a key has moved, or when a provider says something else.
func (k *Keeper) Dossier() (keepwatch.Dossier, error) {
	d, err := k.cfg.Records.Dossier()
	if err != nil {
		return d, fmt.Errorf("read the dossier: %w", err)
	}
	if d.Fields = maps.Clone(d.Fields); d.Fields == nil {
		d.Fields = map[string]keepwatch.Entered{}
	}
	for name, value := range k.cfg.Dossier {
		if _, here := d.Fields[name]; !here && value != "" {
			d.Fields[name] = keepwatch.Entered{Value: value, By: fromYAML}
		}
	}
	if _, here := d.Fields["emergency-accounts"]; !here && len(k.cfg.Emergency) > 0 {
		var lines []string
		for _, e := range k.cfg.Emergency {
			where, _, err := k.place(e)
			if err != nil {
				return d, err
			}
			line := e.UPN
			if e.Method != "" {
				line += ", signs in with " + methodWord(e.Method)
			}
			if where != "" {
				line += ", kept: " + where
			}
			lines = append(lines, line)
		}
		d.Fields["emergency-accounts"] = keepwatch.Entered{Value: strings.Join(lines, "; "), By: fromYAML}
	}
	learned, err := k.learn(d.Fields)
	if err != nil {
		return d, err
	}
	if !d.Sealed.IsZero() {
		moved, err := k.moved()
		if err != nil {
			return d, err
		}
		d.Changed = later(later(d.Changed, moved), learned)
	}
	return d, nil
}

// learn adds what a provider knows to fields that are empty, and gives when the last of
// it was learned. Like what the configuration gives, it has no time of its own: nobody
// can take it out here.
func (k *Keeper) learn(fields map[string]keepwatch.Entered) (last time.Time, err error) {
	if k.cfg.Learned == nil {
		return last, nil
	}
	known, err := k.cfg.Learned()
	if err != nil {
		return last, fmt.Errorf("read what is known of the tenant: %w", err)
	}
	for _, f := range keepwatch.DossierFields() {
		e := known[f.Name]
		if _, here := fields[f.Name]; here || e.Value == "" {
			continue
		}
		fields[f.Name] = keepwatch.Entered{Value: e.Value, By: e.By + ", since " + k.date(e.At)} // without At: anySaid
		last = later(last, e.At)
	}
	return last, nil
}

// moved gives when somebody last said of anything under custody that it is elsewhere
// than was said before: a dossier that was sealed earlier leads to the wrong place.
func (k *Keeper) moved() (time.Time, error) {
	var last time.Time
	all, err := k.known()
	for _, c := range all {
		words, err := k.cfg.Records.Attestations(keepwatch.CustodySubject(c.Name), keptWords)
		if err != nil {
			return last, fmt.Errorf("read who said where %s is: %w", c.Name, err)
		}
		for i, a := range words {
			if i+1 == len(words) || words[i+1].Where != a.Where || words[i+1].State != a.State {
				last = later(last, a.Said)
				break
			}
		}
	}
	return last, err
}

// methodWord writes the method of an emergency account for people.
func methodWord(method string) string {
	switch method {
	case "fido2":
		return "a FIDO2 key"
	case "certificate":
		return "a certificate"
	}
	return method
}

// SetDossier saves what somebody filled in. The empty value takes it out; what the
// configuration gives then shows again.
func (k *Keeper) SetDossier(field, value, by string) (keepwatch.Dossier, error) {
	f, err := dossierField(field)
	if err != nil {
		return keepwatch.Dossier{}, err
	}
	value = strings.TrimSpace(value)
	if err := fits(f, value); err != nil {
		return keepwatch.Dossier{}, err
	}
	now := k.cfg.Now().UTC()
	_, err = k.cfg.Records.SaveDossier(func(d *keepwatch.Dossier) error {
		old, here := d.Fields[f.Name]
		if old.Value == value && here == (value != "") {
			return nil // said before, or carried out a second time
		}
		d.Version = 1
		if d.Fields = maps.Clone(d.Fields); d.Fields == nil {
			d.Fields = map[string]keepwatch.Entered{}
		}
		if value == "" {
			delete(d.Fields, f.Name)
		} else {
			d.Fields[f.Name] = keepwatch.Entered{Value: value, By: by, At: now}
		}
		d.Changed = now
		return nil
	})
	if err != nil {
		return keepwatch.Dossier{}, fmt.Errorf("save the dossier: %w", err)
	}
	return k.Dossier()
}

// fits refuses a value that a field cannot have, as far as that can be told.
func fits(f keepwatch.DossierField, value string) error {
	bad := func(why string) error {
		return keepwatch.Errorf(keepwatch.KindInvalid, "%s: %s For example: %s", f.Label, why, f.Example)
	}
	switch {
	case value == "":
		return nil
	case len(value) > maxValue:
		return bad(fmt.Sprintf("that is too long, %d bytes; at most %d are kept.", len(value), maxValue))
	case keepwatch.HoldsSecret(value):
		return bad("there seems to be a password or key in it. The dossier keeps no secret, only where one is recorded, so nothing was saved.")
	case f.Name == "tenant-id" && !tenantID(value):
		return bad("a tenant id has 32 hexadecimal digits in five groups.")
	case f.Name == "tenant-domain" && !initialDomain("x@"+value):
		return bad("it ends with onmicrosoft.com.")
	case f.Name == "email" || f.Name == "billing-email" || f.Name == "administrators":
		if odd, found := oddAddress(value); !found {
			return bad("an address has an @.")
		} else if odd != "" {
			return bad(fmt.Sprintf("%q is no whole address: behind one @ stands a domain with a dot in it.", odd))
		}
	case f.Name == "phone" && !strings.ContainsAny(value, "0123456789"):
		return bad("a number has digits.")
	case f.Name == "phone" && !phoneNumber(value):
		return bad("a number has digits, blanks, +, -, ( and ), and whose it is stands behind a comma.")
	}
	return nil
}

// oddAddress finds what is written as an address in a text and is none; found reports
// whether there is any.
func oddAddress(text string) (odd string, found bool) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t\n()<>", r) }) {
		if !strings.Contains(word, "@") {
			continue
		}
		found = true
		name, host, _ := strings.Cut(strings.TrimRight(word, ".:"), "@")
		labels := strings.Split(host, ".")
		bad := name == "" || len(labels) < 2 || len(labels[len(labels)-1]) < 2
		for _, label := range labels {
			bad = bad || label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") || strings.ContainsAny(label, "@/\\\"'!#$%&*+=?^_`{|}~:[]")
		}
		if bad {
			return word, true
		}
	}
	return "", found
}

// phoneNumber reports whether a text is one: digits, blanks, +, -, ( and ), with an
// extension, and behind a comma whose it is.
func phoneNumber(text string) bool {
	number, whose, _ := strings.Cut(strings.ToLower(text), ",")
	for _, mark := range []string{"extension", "ext.", "ext", "x"} {
		if before, ext, found := strings.Cut(number, mark); found && strings.TrimSpace(ext) != "" {
			number = before + ext
			break
		}
	}
	digits := len(number) - len(strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, number))
	return digits >= 3 && strings.Trim(number, "0123456789 +-()\u00a0") == "" && !keepwatch.LooksSecret(strings.TrimSpace(whose))
}

// tenantID reports whether a text is one.
func tenantID(text string) bool {
	parts := strings.Split(text, "-")
	if len(parts) != 5 {
		return false
	}
	for i, n := range [...]int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(strings.ToLower(parts[i]), "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}

// dossierField finds a field by its name, or says which one was probably meant.
func dossierField(name string) (keepwatch.DossierField, error) {
	var names []string
	for _, f := range keepwatch.DossierFields() {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	if near := nearest(name, names); near != "" {
		return keepwatch.DossierField{}, keepwatch.Errorf(keepwatch.KindNotFound, "The dossier has no field %q. Did you mean %s?", name, near)
	}
	return keepwatch.DossierField{}, keepwatch.Errorf(keepwatch.KindNotFound, "The dossier has no field %q. There are: %s.", name, strings.Join(names, ", "))
}

// missingFields gives the required fields that are empty.
func missingFields(d keepwatch.Dossier) []keepwatch.DossierField {
	var list []keepwatch.DossierField
	for _, f := range keepwatch.DossierFields() {
		if f.Required && d.Fields[f.Name].Value == "" {
			list = append(list, f)
		}
	}
	return list
}

// labels lists fields in words.
func labels(fields []keepwatch.DossierField) string {
	var list []string
	for _, f := range fields {
		list = append(list, f.Label)
	}
	return strings.Join(list, ", ")
}

// RunChanged is told of every saved change of a run: when one has sealed the dossier,
// that is remembered. What counts is when the run began, because what was changed
// after that may not be in it.
func (k *Keeper) RunChanged(run keepwatch.Run) error {
	if run.Source != keepwatch.DossierSource || run.Kind != keepwatch.RunBackup || run.State != keepwatch.RunDone || run.Result.Archive == "" {
		return nil
	}
	_, err := k.cfg.Records.SaveDossier(func(d *keepwatch.Dossier) error {
		if run.Started.After(d.Sealed) {
			d.Version, d.Sealed, d.Archive = 1, run.Started.UTC(), run.Result.Archive
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save that the dossier is sealed: %w", err)
	}
	return nil
}
