package authenticator

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/providertest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// prepared is a team that has done everything.
func prepared(t *testing.T) (*desk, *Keeper) {
	t.Helper()
	d := &desk{}
	fields := map[string]keepwatch.Entered{}
	for _, f := range keepwatch.DossierFields() {
		fields[f.Name] = keepwatch.Entered{Value: f.Example, By: "Alis", At: noon.Add(-40 * dayLong)}
	}
	d.dossier = keepwatch.Dossier{Fields: fields, Changed: noon.Add(-40 * dayLong), Sealed: noon.Add(-5 * dayLong), Archive: "dossier/2026-11-19T120000Z"}
	k := keeper(t, d, func(c *Config) {
		c.People[0].Devices[0].GlobalAdmin = true
		c.Second = map[string]string{"Alis": "FIDO2 key", "Olwen": "FIDO2 key"}
		c.Emergency = []EmergencyAccount{
			{Name: "bg1", UPN: "bg1@contoso.onmicrosoft.com", Method: "fido2", Where: "office safe", Tested: noon.Add(-20 * dayLong)},
			{Name: "bg2", UPN: "bg2@contoso.onmicrosoft.com", Method: "certificate", Where: "bank", Tested: noon.Add(-20 * dayLong)},
		}
	})
	for _, c := range k.custodies {
		where := "in the safe of " + c.Name
		if _, err := k.Record(keepwatch.Attestation{ID: c.Name, Subject: keepwatch.CustodySubject(c.Name), By: "Alis", State: keepwatch.AttestedRecorded, Where: where, Said: noon.Add(-10 * dayLong)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{"device/alis-iphone", "device/olwen-s-pixel"} {
		a := said(keepwatch.AttestedOn, "2026-11-20")
		a.Subject, a.ID = subject, subject
		if _, err := k.Attest(a, false); err != nil {
			t.Fatal(err)
		}
	}
	d.words = append(d.words, keepwatch.Attestation{ID: "drill", Subject: "drill/alis", Person: "Alis", State: keepwatch.AttestedDone, Said: noon.Add(-100 * dayLong)})
	return d, k
}

// TestReadinessGoesRed takes one thing away at a time from a team that has everything:
// it is the first thing that is said, and the score falls.
func TestReadinessGoesRed(t *testing.T) {
	if probes, score, err := func() ([]keepwatch.Probe, int, error) { _, k := prepared(t); return k.Readiness() }(); err != nil || score != 100 {
		t.Fatalf("with everything in place: %d, %+v, %v", score, probes, err)
	}
	for _, c := range []struct {
		name  string
		take  func(d *desk, k *Keeper)
		first string
		says  string
		most  int // score
	}{
		{"no emergency account", func(_ *desk, k *Keeper) { k.cfg.Emergency = nil }, "emergency accounts", "no emergency account", 60},
		{"one emergency account", func(_ *desk, k *Keeper) { k.cfg.Emergency = k.cfg.Emergency[:1] }, "emergency accounts", "one emergency account", 87},
		{"not on onmicrosoft", func(_ *desk, k *Keeper) { k.cfg.Emergency[1].UPN = "bg2@contoso.example" }, "emergency accounts", "bg2@contoso.example is not on the tenant's", 90},
		{"no key", func(_ *desk, k *Keeper) { k.cfg.Emergency[1].Method = "authenticator" }, "emergency keys", "bg2@contoso.onmicrosoft.com has no FIDO2 key", 92},
		{"not tested", func(d *desk, _ *Keeper) {
			d.now = noon.Add(85 * dayLong)
			for i, a := range d.words {
				if !strings.HasPrefix(a.Subject, "custody/emergency") {
					d.words[i].Said = d.now
				}
			}
			d.dossier.Sealed = d.now
		}, "emergency accounts tested", "Nobody has signed in with bg1@contoso.onmicrosoft.com and bg2", 91},
		{"one place for both", func(d *desk, _ *Keeper) {
			for i, a := range d.words {
				if strings.HasPrefix(a.Subject, "custody/emergency") {
					d.words[i].Where = "Office safe "
				}
			}
		}, "keys kept apart", "in the same place", 96},
		{"one method only", func(_ *desk, k *Keeper) { delete(k.cfg.Second, "Alis") }, "second method", "Alis can sign in with one phone only", 93},
		{"one administrator", func(_ *desk, k *Keeper) { k.devices[0].device.GlobalAdmin = false }, "global administrators", "Alis is the only person", 95},
		{"a dossier that lacks something", func(d *desk, _ *Keeper) { delete(d.dossier.Fields, "invoices") }, "dossier", "Where the invoices are", 97},
		{"changed after it was sealed", func(d *desk, _ *Keeper) { d.dossier.Changed = noon }, "dossier", "after it was sealed", 98},
		{"sealed long ago", func(d *desk, _ *Keeper) {
			d.dossier.Sealed, d.dossier.Changed = noon.Add(-91*dayLong), noon.Add(-92*dayLong)
			for _, a := range slices.Clone(d.words) { // each key lay there then too
				a.Said = noon.Add(-100 * dayLong)
				d.words = slices.Insert(d.words, 0, a)
			}
		}, "dossier", "more than 90 days ago", 98},
		{"never sealed", func(d *desk, _ *Keeper) { d.dossier.Sealed = time.Time{} }, "dossier", "in no archive yet", 97},
		{"an address inside", func(d *desk, _ *Keeper) {
			d.dossier.Fields["email"] = keepwatch.Entered{Value: "it@mail.contoso.example"}
		}, "contact outside the tenant", "it@mail.contoso.example is on the tenant's own domain contoso.example", 95},
		{"no telephone", func(d *desk, _ *Keeper) {
			d.dossier.Fields["phone"] = keepwatch.Entered{}
		}, "dossier", "Phone that support can ring", 93},
		{"a backup that is off", func(d *desk, k *Keeper) {
			if _, err := k.Attest(said(keepwatch.AttestedOff, ""), false); err != nil {
				panic(err)
			}
		}, "Authenticator backups", "Alis iPhone (no backup)", 97},
		{"a key that is lost", func(d *desk, k *Keeper) {
			if _, err := k.Record(keepwatch.Attestation{ID: "l", Subject: "custody/vault-key", State: keepwatch.AttestedLost}); err != nil {
				panic(err)
			}
			d.dossier.Sealed = noon
		}, "passwords and keys", "vault-key", 99},
		{"no drill", func(d *desk, _ *Keeper) { dropDrill(d) }, "drill", "Nobody has ever tried", 97},
		{"a drill that found something", func(d *desk, _ *Keeper) { problemDrill(d) }, "drill", "the key was not in the safe", 99},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, k := prepared(t)
			c.take(d, k)
			probes, score, err := k.Readiness()
			if err != nil {
				t.Fatal(err)
			}
			if probes[0].Name != c.first || probes[0].Status != keepwatch.ProbeBad && probes[0].Status != keepwatch.ProbeWarn || !strings.Contains(probes[0].Text, c.says) || probes[0].Next == "" || score > c.most {
				t.Errorf("score %d (at most %d), first %+v", score, c.most, probes[0])
			}
		})
	}
}

func dropDrill(d *desk) {
	d.words = slices.DeleteFunc(d.words, func(a keepwatch.Attestation) bool { return a.ID == "drill" })
}

func problemDrill(d *desk) {
	for i := range d.words {
		if d.words[i].ID == "drill" {
			d.words[i].State, d.words[i].Remarks = keepwatch.AttestedProblem, "the key was not in the safe"
		}
	}
}

// TestReadinessFromNothing: a team that begins is told one thing first, and what is
// off is not counted.
func TestReadinessFromNothing(t *testing.T) {
	probes, score, err := keeper(t, &desk{}).Readiness()
	if err != nil || score > 15 || probes[0].Name != "emergency accounts" {
		t.Errorf("%d, %+v, %v", score, probes[0], err)
	}
	probes, score, err = keeper(t, &desk{}, func(c *Config) { c.People, c.KeyFile = nil, "" }).Readiness()
	if err != nil || score != 0 || len(probes) != 1 || probes[0].Status != keepwatch.ProbeOff {
		t.Errorf("%d, %+v, %v", score, probes, err)
	}
}

// TestSecondByChecklist: whoever went through one of the checklists has a second
// method.
func TestSecondByChecklist(t *testing.T) {
	d, k := prepared(t)
	k.cfg.Second = nil
	for _, person := range []string{"Alis", "Olwen"} {
		d.words = append(d.words, keepwatch.Attestation{Subject: keepwatch.ChecklistSubject("authenticator-sms"), Person: person, State: keepwatch.AttestedDone, Said: noon})
	}
	if _, score, err := k.Readiness(); err != nil || score != 100 {
		t.Errorf("%d, %v", score, err)
	}
	d.words[len(d.words)-1].State = keepwatch.AttestedStopped
	if probes, score, err := k.Readiness(); err != nil || score == 100 || probes[0].Name != "second method" {
		t.Errorf("%d, %v", score, err)
	}
}

func TestFacts(t *testing.T) {
	_, k := prepared(t)
	if facts, err := k.Facts(noon); err != nil || len(facts) != 0 {
		t.Fatalf("with everything in place: %+v, %v", facts, err)
	}
	d := &desk{}
	k = keeper(t, d)
	if _, err := k.Attest(said(keepwatch.AttestedOff, ""), false); err != nil {
		t.Fatal(err)
	}
	pixel := said(keepwatch.AttestedOn, "2026-01-02")
	pixel.Subject = "device/olwen-s-pixel"
	if _, err := k.Attest(pixel, false); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Record(keepwatch.Attestation{ID: "l", Subject: "custody/alis-icloud", By: "Alis", State: keepwatch.AttestedLost}); err != nil {
		t.Fatal(err)
	}
	facts, err := k.Facts(noon)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range facts {
		got.WriteString(f.Key + " | " + string(f.Kind) + " | " + f.Tone.String() + " | to " + f.To + " | " + f.Urge + "\n" + f.Title + "\n" + f.Text + "\n")
		for _, b := range f.Buttons {
			got.WriteString("(" + b.Label + " → " + b.Command + ")\n")
			if len(b.Command) > keepwatch.MaxToken-1 {
				t.Errorf("%q is too long for a token", b.Command)
			}
		}
		got.WriteString("\n")
	}
	golden(t, "facts", got.String())
}

// TestDeviceFacts: each standing that needs somebody has a fact of its own words, and
// another Urge.
func TestDeviceFacts(t *testing.T) {
	urges := map[string]bool{}
	for _, c := range []struct {
		word  keepwatch.Attestation
		after time.Duration
		title string
		kind  keepwatch.FactKind
	}{
		{said(keepwatch.AttestedOn, "2026-11-20"), 50 * dayLong, "was not looked at since 24 November 2026", keepwatch.FactStale},
		{said(keepwatch.AttestedOn, "2026-05-20"), 0, "is of 20 May 2026", keepwatch.FactStale},
		{said(keepwatch.AttestedOff, ""), 0, "is off", keepwatch.FactBackupOff},
		{said(keepwatch.AttestedNever, ""), 0, "has never made a backup", keepwatch.FactBackupOff},
		{said(keepwatch.AttestedNotFound, ""), 0, "could not be found", keepwatch.FactBackupOff},
		{said(keepwatch.AttestedNew, ""), 0, "the new phone is not set up yet", keepwatch.FactBackupOff},
	} {
		d := &desk{}
		k := keeper(t, d)
		if _, err := k.Attest(c.word, false); err != nil {
			t.Fatal(err)
		}
		d.now = noon.Add(c.after)
		facts, err := k.Facts(d.now)
		if err != nil || !strings.Contains(facts[0].Title, c.title) || facts[0].Kind != c.kind || facts[0].To != "Alis" || urges[facts[0].Urge] || len(facts[0].Buttons) != 2 {
			t.Errorf("%s: %+v, %v", c.title, facts[0], err)
		}
		urges[facts[0].Urge] = true
	}
	d := &desk{}
	k := keeper(t, d)
	if _, err := k.Attest(said(keepwatch.AttestedOn, "2026-11-20"), false); err != nil {
		t.Fatal(err)
	}
	d.now = noon.Add(35 * dayLong)
	if facts, _ := k.Facts(d.now); facts[0].Key == "device/alis-iphone" {
		t.Errorf("one that is due is asked about and warned of: %+v", facts[0])
	}
}

// TestCustodyStale: a fact comes two weeks after nobody has answered the question.
func TestCustodyStale(t *testing.T) {
	_, k := prepared(t)
	for after, want := range map[time.Duration]bool{183 * dayLong: false, 184 * dayLong: true} {
		s, err := k.custody(k.custodies[0])
		if err != nil {
			t.Fatal(err)
		}
		if f, bad := k.custodyFact(s, noon.Add(after)); bad != want || bad && !strings.HasPrefix(f.Title, "Is this still where it was") {
			t.Errorf("after %s: %v %+v", after, bad, f)
		}
	}
}

func TestSetDossier(t *testing.T) {
	d := &desk{}
	k := keeper(t, d, func(c *Config) { c.Dossier = map[string]string{"partner": "Comstat"} })
	for field, value := range map[string]string{
		"tenant-id": "contoso", "tenant-domain": "contoso.example", "email": "nobody", "phone": "none", "billing-email": "x", "administrators": "Alis", "registrar": "login: x, password is sesame", "partner": strings.Repeat("x", 601),
	} {
		if _, err := k.SetDossier(field, value, "Alis"); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "For example: ") {
			t.Errorf("%s %q: %v", field, value, err)
		}
	}
	if _, err := k.SetDossier("tenantid", "x", "Alis"); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Error(err)
	}
	for _, f := range keepwatch.DossierFields() {
		if len(f.Label) > 45 || f.Why == "" {
			t.Errorf("%+v", f)
		}
		got, err := k.SetDossier(f.Name, f.Example, "Alis")
		if err != nil || got.Fields[f.Name] != (keepwatch.Entered{Value: f.Example, By: "Alis", At: noon}) || !got.Changed.Equal(noon) {
			t.Errorf("%s: %+v, %v", f.Name, got.Fields[f.Name], err)
		}
	}
	d.now = noon.Add(time.Hour)
	if got, err := k.SetDossier("phone", keepwatch.DossierFields()[8].Example, "Olwen"); err != nil || !got.Changed.Equal(noon) {
		t.Errorf("the same value changed it: %+v, %v", got, err)
	}
	got, err := k.SetDossier("partner", "", "Alis")
	if err != nil || got.Fields["partner"] != (keepwatch.Entered{Value: "Comstat", By: fromYAML}) || !got.Changed.Equal(d.now) {
		t.Errorf("%+v, %v", got.Fields["partner"], err)
	}
}

func TestRunChanged(t *testing.T) {
	d := &desk{}
	k := keeper(t, d)
	run := keepwatch.Run{Source: "dossier", Kind: keepwatch.RunBackup, State: keepwatch.RunDone, Started: noon, Result: keepwatch.Result{Archive: "dossier/1"}}
	for name, change := range map[string]func(*keepwatch.Run){
		"another source": func(r *keepwatch.Run) { r.Source = "notes" }, "failed": func(r *keepwatch.Run) { r.State = keepwatch.RunFailed },
		"a verification": func(r *keepwatch.Run) { r.Kind = keepwatch.RunVerify }, "no archive": func(r *keepwatch.Run) { r.Result.Archive = "" },
	} {
		other := run
		change(&other)
		if err := k.RunChanged(other); err != nil || !d.dossier.Sealed.IsZero() {
			t.Errorf("%s: %+v, %v", name, d.dossier, err)
		}
	}
	if err := k.RunChanged(run); err != nil || !d.dossier.Sealed.Equal(noon) || d.dossier.Archive != "dossier/1" {
		t.Errorf("%+v, %v", d.dossier, err)
	}
	run.Started, run.Result.Archive = noon.Add(-time.Hour), "dossier/0"
	if err := k.RunChanged(run); err != nil || d.dossier.Archive != "dossier/1" {
		t.Errorf("an older run counts: %+v, %v", d.dossier, err)
	}
}

// TestDocument holds the dossier to the text that was read as somebody whose phone is
// gone.
func TestDocument(t *testing.T) {
	d, k := prepared(t)
	delete(d.dossier.Fields, "invoices")
	d.dossier.Fields["partner"] = keepwatch.Entered{Value: "Com|stat\n# a heading `x`", By: "Alis"}
	text, data, err := k.Document()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "dossier", text)
	var back struct {
		Fields    map[string]keepwatch.Entered   `json:"fields"`
		Missing   []string                       `json:"missing"`
		Emergency []struct{ UPN, Where string }  `json:"emergency_accounts"`
		Custody   []struct{ Name, Where string } `json:"custody"`
		Devices   []struct{ Person, Standing string }
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Fields["tenant-id"].Value == "" || !slices.Equal(back.Missing, []string{"invoices"}) || len(back.Emergency) != 2 || back.Emergency[0].Where == "" || len(back.Custody) != 5 || len(back.Devices) != 2 || back.Devices[0].Standing != "fresh" {
		t.Errorf("%+v", back)
	}
	if _, _, err := keeper(t, &desk{}).Document(); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("an empty dossier is written: %v", err)
	}
	bare := &desk{dossier: keepwatch.Dossier{Fields: map[string]keepwatch.Entered{"tenant-domain": {Value: "contoso.onmicrosoft.com"}}}}
	text, _, err = keeper(t, bare).Document()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "dossier-bare", text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got, -update writes it anew):\n%s", file, d)
	}
}

func TestProvider(t *testing.T) {
	_, k := prepared(t)
	providertest.Run(t, providertest.Case{
		Provider: NewProvider(k),
		Source:   keepwatch.Source{Name: keepwatch.DossierSource, Kind: keepwatch.KindDossier},
		Missing:  keepwatch.Source{Name: "another", Kind: keepwatch.KindDossier},
	})
	var s providertest.Sink
	job := providers.Job{Source: keepwatch.Source{Name: keepwatch.DossierSource, Kind: keepwatch.KindDossier}, Report: func(keepwatch.Progress) {}}
	if err := NewProvider(k).Fetch(t.Context(), job, &s); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range s.Entries {
		names = append(names, e.Path)
		if e.Mode != 0o600 || e.ModTime.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	if !slices.Equal(names, []string{"devices.md", "dossier.json", "dossier.md"}) || !strings.Contains(s.Contents["devices.md"], "Alis iPhone") {
		t.Errorf("%v\n%s", names, s.Contents["devices.md"])
	}
	empty := NewProvider(keeper(t, &desk{}))
	if _, err := empty.Plan(t.Context(), job); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("an empty dossier is planned: %v", err)
	}
}
