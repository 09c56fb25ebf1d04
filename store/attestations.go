package store

import (
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Keys: attest/<time>/<id> holds a person's word; said/<subject>/<time>/<id> lists it
// under what it is about. It is history, and stays.

// timed is what an attestation is called in both.
func timed(a keepwatch.Attestation) string { return a.Said.UTC().Format(auditTime) + "/" + a.ID }

// validSubject keeps a subject out of the keys that could be taken for another one:
// a kind and a name, such as "device/alis-iphone".
func validSubject(subject string) error {
	kind, name, _ := strings.Cut(subject, "/")
	if validID("kind of subject", kind) != nil || validID("subject", name) != nil {
		return fmt.Errorf("store: %q cannot be what somebody speaks of", subject)
	}
	return nil
}

// attest saves a person's word. One of the same ID and time is the same word.
func attest(tx Tx, a keepwatch.Attestation) error {
	if err := validID("word", a.ID); err != nil {
		return err
	}
	if err := validSubject(a.Subject); err != nil {
		return err
	}
	if err := sortable(a.Said); err != nil {
		return err
	}
	if err := tx.Put("said/"+a.Subject+"/"+timed(a), nothing); err != nil {
		return err
	}
	a.Version = version
	return put(tx, "attest/"+timed(a), a)
}

// Attest saves a person's word.
func (r *Records) Attest(a keepwatch.Attestation) error {
	return r.store.Update(func(tx Tx) error { return attest(tx, a) })
}

// Attestations gives what was said about a subject, "" for all, newest first, at most
// limit where it is above 0.
func (r *Records) Attestations(subject string, limit int) ([]keepwatch.Attestation, error) {
	if subject == "" {
		return all[keepwatch.Attestation](r.store, Range{Prefix: "attest/", Reverse: true}, limit)
	}
	if validSubject(subject) != nil {
		return nil, nil // nothing was ever saved about it
	}
	prefix := "said/" + subject + "/"
	var list []keepwatch.Attestation
	err := r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: prefix, Reverse: true}, func(key string, _ []byte) error {
			var a keepwatch.Attestation
			if found, err := get(rd, "attest/"+key[len(prefix):], &a); err != nil || !found {
				return err
			}
			if list = append(list, a); limit > 0 && len(list) >= limit {
				return ErrStop
			}
			return nil
		})
	})
	return list, err
}

// AttestationsSince gives what was said at a time or after it, newest first.
func (r *Records) AttestationsSince(t time.Time) ([]keepwatch.Attestation, error) {
	return all[keepwatch.Attestation](r.store, Range{Prefix: "attest/", From: timeKey("attest/", t), Reverse: true}, 0)
}

// Dossier gives what Microsoft asks for when the dashboard is out of reach; an empty
// one where nothing was saved.
func (r *Records) Dossier() (d keepwatch.Dossier, err error) {
	err = r.store.View(func(rd Reader) error {
		_, err := get(rd, dossierKey, &d)
		return err
	})
	return d, err
}

const dossierKey = "dossier/microsoft"

// SaveDossier changes the dossier in one transaction and gives it as it is then.
// change may run more than once.
func (r *Records) SaveDossier(change func(*keepwatch.Dossier) error) (keepwatch.Dossier, error) {
	var out keepwatch.Dossier
	err := r.store.Update(func(tx Tx) error {
		var d keepwatch.Dossier
		if _, err := get(tx, dossierKey, &d); err != nil {
			return err
		}
		if err := change(&d); err != nil {
			return err
		}
		d.Version = version
		out = d
		return put(tx, dossierKey, d)
	})
	if err != nil {
		return keepwatch.Dossier{}, err
	}
	return out, nil
}

// ServerStates gives what the providers' servers were last seen to hold, by source.
func (r *Records) ServerStates() ([]keepwatch.ServerState, error) {
	return all[keepwatch.ServerState](r.store, Range{Prefix: "server/"}, 0)
}

// SaveServerState saves what a server was seen to hold, over what was seen before.
func (r *Records) SaveServerState(s keepwatch.ServerState) error {
	if err := validSource(s.Source); err != nil {
		return err
	}
	s.Version = version
	return r.store.Update(func(tx Tx) error { return put(tx, "server/"+s.Source, s) })
}

const tenantKey = "tenant/microsoft"

// Tenant gives what was last seen of the directory of Microsoft 365; an empty one where
// nobody has looked.
func (r *Records) Tenant() (t keepwatch.Tenant, err error) {
	err = r.store.View(func(rd Reader) error {
		_, err := get(rd, tenantKey, &t)
		return err
	})
	return t, err
}

// ChangeTenant changes it in one transaction, and gives it as it is then. change may run
// more than once.
func (r *Records) ChangeTenant(change func(*keepwatch.Tenant)) (keepwatch.Tenant, error) {
	var out keepwatch.Tenant
	err := r.store.Update(func(tx Tx) error {
		var t keepwatch.Tenant
		if _, err := get(tx, tenantKey, &t); err != nil {
			return err
		}
		change(&t)
		t.Version, out = version, t
		return put(tx, tenantKey, t)
	})
	return out, err
}
