package authenticator

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// VaultKey is the name of the custody of the bot's own key.
const VaultKey = "vault-key"

// allCustodies gives what is lost with its password: the key of the vault, the
// accounts that the devices are backed up to, the keys of the emergency accounts,
// and what the configuration names.
func (k *Keeper) allCustodies() []keepwatch.Custody {
	var list []keepwatch.Custody
	if k.cfg.KeyFile != "" {
		list = append(list, keepwatch.Custody{Name: VaultKey, What: "a copy of the key to all archives (" + filepath.Base(k.cfg.KeyFile) + ")"})
	}
	for _, e := range k.cfg.Emergency {
		list = append(list, keepwatch.Custody{Name: keepwatch.NameFrom("emergency-" + e.Name), What: "the key of the emergency account " + e.UPN, Recheck: askTest})
	}
	type account struct{ person, kind string }
	phones := map[account][]string{}
	var order []account
	for _, o := range k.devices {
		a := account{o.person.Name, o.device.Account}
		if a.kind != "icloud" && a.kind != "microsoft" {
			continue
		}
		if phones[a] == nil {
			order = append(order, a)
		}
		phones[a] = append(phones[a], o.device.Name)
	}
	for _, a := range order {
		what := "the password of the personal Microsoft account"
		if a.kind == "icloud" {
			what = "the password of the Apple Account (iCloud)"
		}
		list = append(list, keepwatch.Custody{Name: keepwatch.NameFrom(keepwatch.PersonWord(a.person) + "-" + a.kind), Owner: a.person, What: what + " that backs up " + strings.Join(phones[a], " and ")})
	}
	list = append(list, k.cfg.Custodies...)
	for i := range list {
		if list[i].Recheck <= 0 {
			list[i].Recheck = askCustody
		}
	}
	return list
}

// known gives all that is asked about: what follows from the configuration, and the
// passwords of Outlook data files of which somebody has said, at the end of the
// checklist of the export, where they are recorded.
func (k *Keeper) known() ([]keepwatch.Custody, error) {
	list := slices.Clone(k.custodies)
	for _, p := range k.cfg.People {
		name := keepwatch.NameFrom(keepwatch.PersonWord(p.Name) + "-pst")
		if slices.ContainsFunc(list, func(c keepwatch.Custody) bool { return c.Name == name }) {
			continue
		}
		words, err := k.cfg.Records.Attestations(keepwatch.CustodySubject(name), 1)
		if err != nil {
			return nil, fmt.Errorf("read who said where %s is: %w", name, err)
		}
		if len(words) > 0 {
			list = append(list, keepwatch.Custody{Name: name, What: "the password of the Outlook data file (PST) of " + p.Name, Owner: p.Name, Recheck: askCustody})
		}
	}
	return list, nil
}

// Custodies gives what is lost with its password, and who said where it is.
func (k *Keeper) Custodies() ([]keepwatch.CustodyState, error) {
	all, err := k.known()
	if err != nil {
		return nil, err
	}
	var list []keepwatch.CustodyState
	for _, c := range all {
		s, err := k.custody(c)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// custody says how one of them stands. It is read anew, because checklists attest
// custody too.
func (k *Keeper) custody(c keepwatch.Custody) (keepwatch.CustodyState, error) {
	s := keepwatch.CustodyState{Custody: c}
	words, err := k.cfg.Records.Attestations(keepwatch.CustodySubject(c.Name), 1)
	if err != nil {
		return s, fmt.Errorf("read who said where %s is: %w", c.Name, err)
	}
	if len(words) > 0 {
		s.Last = &words[0]
		if next := nextCustody(c, words[0]); next.After(k.now()) {
			s.Next = next
		}
	}
	return s, nil
}

// nextCustody says when something is asked for again after a word about it.
func nextCustody(c keepwatch.Custody, a keepwatch.Attestation) time.Time {
	if a.State != keepwatch.AttestedRecorded {
		return a.Said.Add(askAgain)
	}
	return a.Said.Add(c.Recheck)
}

// Record saves where somebody says that something is recorded, or that nobody knows
// (AttestedLost). What looks like the secret itself is refused. The same word (by its
// ID, or said again within a minute) is saved once.
func (k *Keeper) Record(a keepwatch.Attestation) (keepwatch.CustodyState, error) {
	k.saying.Lock()
	defer k.saying.Unlock()
	c, err := k.findCustody(a.Subject)
	if err != nil {
		return keepwatch.CustodyState{}, err
	}
	switch a.State {
	case keepwatch.AttestedRecorded:
		if err := plainPlace(c.What, a.Where); err != nil {
			return keepwatch.CustodyState{}, err
		}
	case keepwatch.AttestedLost:
		a.Where = ""
	default:
		return keepwatch.CustodyState{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q is nothing that can be said of it. Say where it is recorded, or that it is lost.", string(a.State))
	}
	if err := plainRemarks(a.Remarks); err != nil {
		return keepwatch.CustodyState{}, err
	}
	if a.Said.IsZero() {
		a.Said = k.cfg.Now()
	}
	a.Version, a.Person, a.Said, a.Seen = 1, c.Owner, a.Said.UTC(), time.Time{}
	known, err := k.cfg.Records.Attestations(a.Subject, keptWords)
	if err != nil {
		return keepwatch.CustodyState{}, fmt.Errorf("read who said where %s is: %w", c.Name, err)
	}
	if again := saidBefore(known, a); again >= 0 {
		a = known[again]
	} else if err := k.cfg.Records.Attest(a); err != nil {
		return keepwatch.CustodyState{}, fmt.Errorf("save where %s is: %w", c.Name, err)
	}
	if err := k.cfg.Settle(a.Subject, a.By, saidOf(a), nextCustody(c, a)); err != nil {
		return keepwatch.CustodyState{}, fmt.Errorf("settle the question about %s: %w", c.Name, err)
	}
	return k.custody(c)
}

// findCustody gives what a subject names, or says which one was probably meant.
func (k *Keeper) findCustody(subject string) (keepwatch.Custody, error) {
	all, err := k.known()
	if err != nil {
		return keepwatch.Custody{}, err
	}
	var names []string
	for _, c := range all {
		if keepwatch.CustodySubject(c.Name) == subject {
			return c, nil
		}
		names = append(names, c.Name)
	}
	word := strings.TrimPrefix(subject, "custody/")
	if near := nearest(word, names); near != "" {
		return keepwatch.Custody{}, keepwatch.Errorf(keepwatch.KindNotFound, "Nothing named %q is asked about. Did you mean %s?", word, near)
	}
	return keepwatch.Custody{}, keepwatch.Errorf(keepwatch.KindNotFound, "Nothing named %q is asked about. `/authenticator custody` lists what is.", word)
}
