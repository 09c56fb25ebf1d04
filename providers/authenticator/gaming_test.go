package authenticator

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// TestPressedTwice: two presses of one button are two requests, and one word. What is
// said again later, or by somebody else, is another one.
func TestPressedTwice(t *testing.T) {
	d := &desk{}
	k := keeper(t, d)
	say := func(id, by string, after time.Duration) {
		t.Helper()
		d.now = noon.Add(after)
		a := said(keepwatch.AttestedOn, "2026-11-20")
		a.ID, a.By = id, by
		if _, err := k.Attest(a, false); err != nil {
			t.Fatal(err)
		}
	}
	say("r1", "Alis", 0)
	say("r2", "Alis", 2*time.Second)
	if len(d.words) != 1 || len(d.settled) != 2 {
		t.Errorf("pressed twice: %d words, %d settled", len(d.words), len(d.settled))
	}
	say("r3", "Olwen", 3*time.Second)
	say("r4", "Olwen", time.Hour)
	if len(d.words) != 3 {
		t.Errorf("%d words", len(d.words))
	}
	d.words, d.now = nil, noon
	for i, id := range []string{"c1", "c2", "c3"} {
		d.now = noon.Add([]time.Duration{0, time.Second, time.Hour}[i])
		if _, err := k.Record(keepwatch.Attestation{ID: id, Subject: "custody/vault-key", By: "Alis", State: keepwatch.AttestedRecorded, Where: "in the safe"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.words) != 2 {
		t.Errorf("%d words about the key", len(d.words))
	}
}

// TestReadinessCannotBeGamed: what is written down and cannot be so counts for nothing.
func TestReadinessCannotBeGamed(t *testing.T) {
	for name, c := range map[string]struct {
		take        func(d *desk, k *Keeper)
		first, says string
	}{
		"one account under two names": {func(_ *desk, k *Keeper) { k.cfg.Emergency[1].UPN = "BG1@contoso.onmicrosoft.com" }, "emergency accounts", "one emergency account"},
		"tested in the future": {func(d *desk, k *Keeper) {
			for i := range k.cfg.Emergency {
				k.cfg.Emergency[i].Tested = noon.AddDate(5, 0, 0)
			}
			for i, a := range d.words {
				if strings.HasPrefix(a.Subject, "custody/emergency") {
					d.words[i].Said = noon.Add(-100 * dayLong)
				}
			}
		}, "emergency accounts tested", "Nobody has signed in"},
		"a contact on an administrator's domain": {func(d *desk, _ *Keeper) {
			d.dossier.Fields["domains"] = keepwatch.Entered{Value: "none"}
			d.dossier.Fields["email"] = keepwatch.Entered{Value: "rescue@contoso.example"}
		}, "contact outside the tenant", "contoso.example"},
	} {
		t.Run(name, func(t *testing.T) {
			d, k := prepared(t)
			c.take(d, k)
			probes, score, err := k.Readiness()
			if err != nil || score == 100 || probes[0].Name != c.first || !strings.Contains(probes[0].Text, c.says) {
				t.Errorf("%d, %+v, %v", score, probes[0], err)
			}
		})
	}
}

// TestNobodySaysThatTheySignedIn: where a key is, is what was said, and no more.
func TestNobodySaysThatTheySignedIn(t *testing.T) {
	_, k := prepared(t)
	probes, _, err := k.Readiness()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range probes {
		if strings.Contains(p.Text, "Somebody has signed in") {
			t.Errorf("nobody has said so: %s", p.Text)
		}
	}
}

// TestSealedBeforeAKeyMoved: the sealed dossier says where the keys are. Once one lies
// elsewhere it leads to the wrong place, so it is to be sealed again.
func TestSealedBeforeAKeyMoved(t *testing.T) {
	d, k := prepared(t)
	again := keepwatch.Attestation{ID: "still", Subject: "custody/emergency-bg1", By: "Alis", State: keepwatch.AttestedRecorded, Where: "in the safe of emergency-bg1"}
	if _, err := k.Record(again); err != nil {
		t.Fatal(err)
	}
	if _, score, err := k.Readiness(); err != nil || score != 100 {
		t.Errorf("the key is where it was: %d, %v", score, err)
	}
	again.ID, again.Where = "moved", "at the bank, box 7"
	if _, err := k.Record(again); err != nil {
		t.Fatal(err)
	}
	probes, score, err := k.Readiness()
	if err != nil || score == 100 || probes[0].Name != "dossier" || !strings.Contains(probes[0].Text, "after it was sealed") {
		t.Errorf("%d, %+v, %v", score, probes[0], err)
	}
	if got, err := k.Dossier(); err != nil || !got.Changed.Equal(noon) {
		t.Errorf("%+v, %v", got, err)
	}
	if !d.dossier.Changed.Before(noon) {
		t.Error("what is reckoned is saved")
	}
}

// TestSecretInTheConfiguration: a password in keepwatch.yaml would be sealed into the
// dossier, and shown in chat.
func TestSecretInTheConfiguration(t *testing.T) {
	for field, value := range map[string]string{"registrar": "Nominet, password is hunter2", "tenant-id": "contoso", "email": "nobody"} {
		cfg := config(&desk{now: noon})
		cfg.Dossier = map[string]string{field: value}
		if _, err := New(cfg); keepwatch.KindOf(err) != keepwatch.KindInvalid || strings.Contains(keepwatch.Sentence(err), "hunter2") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestFactsOfALockOut: what a lock-out would meet, and on which path the key of all
// archives lies, is for an admin and not for a channel.
func TestFactsOfALockOut(t *testing.T) {
	facts, err := keeper(t, &desk{}).Facts(noon)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range facts {
		if f.Kind == keepwatch.FactReady || f.Key == "custody/vault-key" {
			seen++
			if f.To != "Alis" {
				t.Errorf("%s is for %q", f.Key, f.To)
			}
		}
		if strings.Contains(f.Title, "data/") {
			t.Errorf("a title says where the key lies: %s", f.Title)
		}
		if f.Key == "custody/vault-key" && !strings.Contains(f.Text, "data/age-identity.txt") {
			t.Errorf("nothing says which file is to be copied: %s", f.Text)
		}
	}
	if seen != 2 {
		t.Errorf("%+v", facts)
	}
}

// TestOnePlaceForEachKey: whoever reads the dossier in need is not led to two places
// for one key, the one that was written down once and the one where it lies now.
func TestOnePlaceForEachKey(t *testing.T) {
	d, k := prepared(t)
	d.dossier.Fields["emergency-accounts"] = keepwatch.Entered{Value: "bg1@contoso.onmicrosoft.com: FIDO2 key, in the old office", By: "Alis"}
	text, _, err := k.Document()
	if err != nil || strings.Contains(text, "the old office") || strings.Count(text, "its key: in the safe of emergency-bg1") != 2 {
		t.Errorf("%v\n%s", err, text)
	}
	if !strings.Contains(text, "never ask for a password") {
		t.Error("nothing warns of callers who are not Microsoft")
	}
}
