package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

func (o *office) putWarnings(t *testing.T, list ...keepwatch.Warning) {
	t.Helper()
	o.change(t, func(c *store.Change) error {
		for _, w := range list {
			if err := c.PutWarning(w); err != nil {
				return err
			}
		}
		return nil
	})
}

func warningIDs(list []keepwatch.Warning) (got []string) {
	for _, w := range list {
		got = append(got, w.ID)
	}
	return got
}

func warnings(t *testing.T, o *office) {
	for i := range 12 {
		o.change(t, func(c *store.Change) error {
			id, err := c.NewWarningID()
			return errors.Join(err, c.PutWarning(keepwatch.Warning{ID: id, Fact: keepwatch.Fact{Key: fmt.Sprintf("expiry/%02d", i+1), Title: "title " + id}, First: noon}))
		})
	}
	o.reopen()
	list := must[[]keepwatch.Warning](t)(o.OpenWarnings())
	if len(list) != 12 || list[11].ID != "w12" || list[11].Version != 1 {
		t.Errorf("open: %q", warningIDs(list))
	}
	for i, w := range list[:10] {
		w.Resolved = noon.Add(time.Duration(i) * time.Hour)
		o.putWarnings(t, w)
	}
	same(t, "open", warningIDs(must[[]keepwatch.Warning](t)(o.OpenWarnings())), []string{"w11", "w12"})
	since := func(at time.Time) []string { return warningIDs(must[[]keepwatch.Warning](t)(o.WarningsSince(at))) }
	same(t, "since eight", since(noon.Add(8*time.Hour)), []string{"w11", "w12", "w10", "w9"})
	same(t, "since just after eight", since(noon.Add(8*time.Hour+1)), []string{"w11", "w12", "w10"})
	same(t, "since ever", len(since(time.Time{})), 12)
	for _, id := range []string{"w3", "W3"} {
		if w := must[keepwatch.Warning](t)(o.Warning(id)); w.ID != "w3" || w.Fact.Title != "title w3" {
			t.Errorf("%s: %+v", id, w)
		}
	}
	for _, id := range []string{"w13", "w0", "", "w", "3", "w03", "w-3", "w3/", "w99999999999999999999", "x3", "w 3"} {
		_, err := o.Warning(id)
		wantKind(t, err, keepwatch.KindNotFound, "There is no warning "+id, "/keepwatch warnings")
	}
	for _, w := range []keepwatch.Warning{{ID: "w20"}, {ID: "W20", Fact: keepwatch.Fact{Key: "k"}}, {ID: "", Fact: keepwatch.Fact{Key: "k"}}, {ID: "l1", Fact: keepwatch.Fact{Key: "k"}}, {ID: "w20", Fact: keepwatch.Fact{Key: "a\x00b"}}} {
		if _, err := o.Change(func(c *store.Change) error { return c.PutWarning(w) }); err == nil {
			t.Errorf("%+v was taken", w)
		}
	}
}

// oneWarning: a fact has one at a time, which may be resolved, and may come back.
func oneWarning(t *testing.T, o *office) {
	w := keepwatch.Warning{ID: "w1", Fact: keepwatch.Fact{Key: "rotation/a"}}
	other := keepwatch.Warning{ID: "w2", Fact: keepwatch.Fact{Key: "rotation/a"}}
	of := func(key, want string) {
		t.Helper()
		o.change(t, func(c *store.Change) error {
			w, found, err := c.WarningOf(key)
			if w.ID != want || found != (want != "") {
				t.Errorf("the warning of %s is %q, want %q", key, w.ID, want)
			}
			return err
		})
	}
	refused := func(w keepwatch.Warning) {
		t.Helper()
		if _, err := o.Change(func(c *store.Change) error { return c.PutWarning(w) }); err == nil {
			t.Errorf("a second warning, %s, was taken", w.ID)
		}
	}
	of("rotation/a", "")
	o.putWarnings(t, w)
	w.Told = 1
	o.putWarnings(t, w)
	of("rotation/a", "w1")
	of("rotation", "")
	refused(other)
	w.Resolved = noon
	o.putWarnings(t, w)
	of("rotation/a", "")
	o.putWarnings(t, other)
	of("rotation/a", "w2")
	w.Told = 2 // a late change of the old one does not touch the new one
	o.putWarnings(t, w)
	of("rotation/a", "w2")
	w.Resolved = time.Time{}
	refused(w)
	other.Fact.Key = "rotation/b"
	o.putWarnings(t, other)
	of("rotation/a", "")
	of("rotation/b", "w2")
	o.putWarnings(t, w)
	of("rotation/a", "w1")
	same(t, "resolved and back", warningIDs(must[[]keepwatch.Warning](t)(o.WarningsSince(time.Time{}))), []string{"w1", "w2"})
}

func attestations(t *testing.T, o *office) {
	for i := range 20 {
		subject := []string{"device/alis-iphone", "device/alis", "custody/vault-key"}[i%3]
		a := keepwatch.Attestation{ID: fmt.Sprint("id", i), Subject: subject, By: "Alis", Said: noon.Add(time.Duration(i) * time.Hour), State: keepwatch.AttestedOn}
		if i%2 == 0 {
			o.change(t, func(c *store.Change) error { return c.Attest(a) })
		} else if err := o.Attest(a); err != nil {
			t.Fatal(err)
		}
	}
	got := func(list []keepwatch.Attestation, err error) (got []string) {
		t.Helper()
		for _, a := range must[[]keepwatch.Attestation](t)(list, err) {
			got = append(got, a.ID)
		}
		return got
	}
	o.reopen()
	same(t, "all", len(got(o.Attestations("", 0))), 20)
	same(t, "the newest three", got(o.Attestations("", 3)), []string{"id19", "id18", "id17"})
	same(t, "of a device", got(o.Attestations("device/alis", 3)), []string{"id19", "id16", "id13"})
	same(t, "of another", got(o.Attestations("device/alis-iphone", 0)), []string{"id18", "id15", "id12", "id9", "id6", "id3", "id0"})
	same(t, "of none", got(o.Attestations("device/al", 0)), []string(nil))
	same(t, "of no subject", got(o.Attestations("device", 0)), []string(nil))
	same(t, "since", got(o.AttestationsSince(noon.Add(17*time.Hour))), []string{"id19", "id18", "id17"})
	again := keepwatch.Attestation{ID: "id19", Subject: "device/alis", Said: noon.Add(19 * time.Hour), Remarks: "once more"}
	if err := o.Attest(again); err != nil {
		t.Fatal(err)
	}
	if a := must[[]keepwatch.Attestation](t)(o.Attestations("", 0)); len(a) != 20 || a[0].Remarks != "once more" || a[0].Version != 1 {
		t.Errorf("%d, %+v", len(a), a[0])
	}
	for _, a := range []keepwatch.Attestation{
		{Subject: "device/a", Said: noon}, {ID: "a/b", Subject: "device/a", Said: noon}, {ID: "a", Said: noon}, {ID: "a", Subject: "device", Said: noon},
		{ID: "a", Subject: "device/a/b", Said: noon}, {ID: "a", Subject: "/a", Said: noon}, {ID: "a", Subject: "device/", Said: noon}, {ID: "a", Subject: "device/a", Said: noon.AddDate(9000, 0, 0)},
	} {
		if err := o.Attest(a); err == nil {
			t.Errorf("%+v was taken", a)
		}
	}
}

func walks(t *testing.T, o *office) {
	start := func(person, checklist string) keepwatch.Walk {
		t.Helper()
		return must[keepwatch.Walk](t)(o.StartWalk(keepwatch.Walk{Person: person, Checklist: checklist, Begun: noon}))
	}
	one := start("Alis", "authenticator-ios")
	if one.ID != "l1" || !one.Changed.Equal(noon) || one.Revision != 0 || one.Version != 1 {
		t.Errorf("%+v", one)
	}
	same(t, "begun twice", start("Alis", "authenticator-ios"), one)
	same(t, "others", []string{start("Alis", "authenticator-android").ID, start("Olwen", "authenticator-ios").ID, start("Ali", "authenticator-ios").ID}, []string{"l2", "l3", "l4"})
	crowd(t, 16, func(int) error {
		w, err := o.StartWalk(keepwatch.Walk{Person: "Mair", Checklist: "x"})
		if err == nil && w.ID != "l5" {
			err = errors.New("another walk: " + w.ID)
		}
		return err
	})
	done := must[keepwatch.Walk](t)(o.ChangeWalk("L1", func(w *keepwatch.Walk) error {
		w.At, w.Ended, w.Outcome = 7, noon.Add(time.Hour), keepwatch.AttestedDone
		return nil
	}, func(w keepwatch.Walk) []keepwatch.Attestation {
		return []keepwatch.Attestation{{ID: "a1", Subject: keepwatch.ChecklistSubject(w.Checklist), Person: w.Person, Said: w.Ended, State: w.Outcome}}
	}))
	if done.Revision != 1 || !done.Changed.Equal(o.now()) || done.ID != "l1" {
		t.Errorf("%+v", done)
	}
	o.reopen()
	same(t, "saved", must[keepwatch.Walk](t)(o.Walk("L1")), done)
	if a := must[[]keepwatch.Attestation](t)(o.Attestations("checklist/authenticator-ios", 0)); len(a) != 1 || a[0].State != keepwatch.AttestedDone {
		t.Errorf("%+v", a)
	}
	if again := start("Alis", "authenticator-ios"); again.ID != "l6" {
		t.Errorf("after the end one goes on: %+v", again)
	}
	got := func(list []keepwatch.Walk, err error) (got []string) {
		t.Helper()
		for _, w := range must[[]keepwatch.Walk](t)(list, err) {
			got = append(got, w.ID)
		}
		return got
	}
	same(t, "of Alis", got(o.Walks("Alis", 0)), []string{"l6", "l2", "l1"})
	same(t, "the newest of Alis", got(o.Walks("Alis", 1)), []string{"l6"})
	same(t, "of all", got(o.Walks("", 3)), []string{"l6", "l5", "l4"})
	same(t, "of nobody", got(o.Walks("Al", 0)), []string(nil))
	own := errors.New("own")
	for what, change := range map[string]func(w *keepwatch.Walk) error{
		"an error":    func(w *keepwatch.Walk) error { w.At = 5; return own },
		"another ID":  func(w *keepwatch.Walk) error { w.ID = "l99"; return nil },
		"opened anew": func(w *keepwatch.Walk) error { w.Ended = time.Time{}; return nil },
	} {
		if _, err := o.ChangeWalk("l1", change, func(keepwatch.Walk) []keepwatch.Attestation {
			return []keepwatch.Attestation{{ID: "a2", Subject: "checklist/x", Said: noon}}
		}); err == nil || what == "an error" && !errors.Is(err, own) || what == "opened anew" && keepwatch.KindOf(err) != keepwatch.KindConflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := o.ChangeWalk("l2", func(*keepwatch.Walk) error { return nil }, func(keepwatch.Walk) []keepwatch.Attestation { return []keepwatch.Attestation{{}} }); err == nil {
		t.Error("a word about nothing was taken")
	}
	same(t, "after what failed", must[keepwatch.Walk](t)(o.Walk("l1")), done)
	same(t, "words", len(must[[]keepwatch.Attestation](t)(o.Attestations("", 0))), 1)
	for _, id := range []string{"l99", "", "w1", "1", "l01"} {
		_, err := o.Walk(id)
		wantKind(t, err, keepwatch.KindNotFound, id, "/backup guide")
		_, err = o.ChangeWalk(id, func(*keepwatch.Walk) error { return nil }, nil)
		wantKind(t, err, keepwatch.KindNotFound, id)
	}
}

// oddWalks: a person's name is any text.
func oddWalks(t *testing.T, o *office) {
	names := []string{"Siân Rees", "a/b", "a", "a/", "%2F", "../x", "b\x00", "王", "a b"}
	for i, name := range names {
		w := must[keepwatch.Walk](t)(o.StartWalk(keepwatch.Walk{Person: name, Checklist: "c"}))
		if w.ID != fmt.Sprint("l", i+1) || !w.Begun.Equal(o.now()) {
			t.Errorf("%q: %+v", name, w)
		}
	}
	for i, name := range names {
		if list := must[[]keepwatch.Walk](t)(o.Walks(name, 0)); len(list) != 1 || list[0].ID != fmt.Sprint("l", i+1) || list[0].Person != name {
			t.Errorf("%q: %+v", name, list)
		}
	}
	for _, w := range []keepwatch.Walk{{Checklist: "c"}, {Person: "a"}, {Person: "a", Checklist: "a/b"}, {Person: strings.Repeat("x", 1000), Checklist: "c"}} {
		if _, err := o.StartWalk(w); err == nil {
			t.Errorf("%+v was taken", w)
		}
	}
}

func dossier(t *testing.T, o *office) {
	if d := must[keepwatch.Dossier](t)(o.Dossier()); len(d.Fields) != 0 {
		t.Errorf("%+v", d)
	}
	crowd(t, 16, func(i int) error {
		_, err := o.SaveDossier(func(d *keepwatch.Dossier) error {
			if d.Fields == nil {
				d.Fields = map[string]keepwatch.Entered{}
			}
			d.Fields[fmt.Sprint("field ", i)] = keepwatch.Entered{Value: fmt.Sprint(i), By: "Alis", At: noon}
			return nil
		})
		return err
	})
	own := errors.New("own")
	if _, err := o.SaveDossier(func(d *keepwatch.Dossier) error { clear(d.Fields); return own }); !errors.Is(err, own) {
		t.Error(err)
	}
	o.reopen()
	if d := must[keepwatch.Dossier](t)(o.Dossier()); len(d.Fields) != 16 || d.Fields["field 7"].Value != "7" {
		t.Errorf("%+v", d)
	}
	if kept := must[keepwatch.Tenant](t)(o.Tenant()); kept.ID != "" {
		t.Errorf("%+v", kept)
	}
	crowd(t, 16, func(i int) error {
		_, err := o.ChangeTenant(func(kept *keepwatch.Tenant) {
			kept.ID = "one"
			kept.Changed = append(kept.Changed, keepwatch.SignInNews{Person: fmt.Sprint(i), At: noon})
		})
		return err
	})
	o.reopen()
	if kept := must[keepwatch.Tenant](t)(o.Tenant()); kept.Version != 1 || kept.ID != "one" || len(kept.Changed) != 16 {
		t.Errorf("%+v", kept)
	}
	for _, source := range []string{"web-2", "web", "web"} {
		if err := o.SaveServerState(keepwatch.ServerState{Source: source, Seen: noon, Backups: []keepwatch.ServerBackup{{ID: "b1", At: noon, Size: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	list := must[[]keepwatch.ServerState](t)(o.ServerStates())
	if len(list) != 2 || list[0].Source != "web" || list[1].Backups[0].ID != "b1" || list[0].Version != 1 {
		t.Errorf("%+v", list)
	}
	wantKind(t, o.SaveServerState(keepwatch.ServerState{Source: "a/b"}), keepwatch.KindInvalid, "cannot be the name of a source")
}
