package authenticator

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"keepwatch"
)

// TestLearned: what Microsoft 365 knows fills only what nobody has written down, and a
// dossier that was sealed before it was known is out of date.
func TestLearned(t *testing.T) {
	at := noon.Add(-dayLong)
	known := map[string]keepwatch.Entered{
		"tenant-id": {Value: "72f988bf-86f1-41af-91ab-2d7cd011db47", By: "Microsoft 365", At: at}, "tenant-domain": {Value: "contoso.onmicrosoft.com", By: "Microsoft 365", At: at.Add(-dayLong)},
		"domains": {Value: "contoso.example", By: "Microsoft 365", At: at}, "no-such-field": {Value: "x", By: "Microsoft 365", At: at}, "partner": {By: "Microsoft 365", At: at},
	}
	d := &desk{dossier: keepwatch.Dossier{Version: 1, Sealed: noon.Add(-10 * dayLong), Changed: noon.Add(-11 * dayLong), Fields: map[string]keepwatch.Entered{
		"domains": {Value: "contoso.cymru", By: "Alis", At: noon.Add(-11 * dayLong)}}}}
	var fails error
	k := keeper(t, d, func(c *Config) {
		c.Dossier = map[string]string{"tenant-domain": "fabrikam.onmicrosoft.com"}
		c.Learned = func() (map[string]keepwatch.Entered, error) { return known, fails }
	})
	got, err := k.Dossier()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]keepwatch.Entered{
		"tenant-id":     {Value: "72f988bf-86f1-41af-91ab-2d7cd011db47", By: "Microsoft 365, since 23 November 2026"},
		"tenant-domain": {Value: "fabrikam.onmicrosoft.com", By: "keepwatch.yaml"},
		"domains":       {Value: "contoso.cymru", By: "Alis", At: noon.Add(-11 * dayLong)},
	} {
		if got.Fields[name] != want {
			t.Errorf("%s is %+v, want %+v", name, got.Fields[name], want)
		}
	}
	if len(got.Fields) != 3 || !got.Changed.Equal(at) || len(d.dossier.Fields) != 1 {
		t.Errorf("%+v; saved are %+v", got, d.dossier.Fields)
	}
	if text, _, err := k.Document(); err != nil || !strings.Contains(text, "72f988bf") {
		t.Errorf("the document has nothing of it: %v", err)
	}
	if _, err := k.SetDossier("tenant-id", "11111111-86f1-41af-91ab-2d7cd011db47", "Olwen"); err != nil {
		t.Fatal(err)
	}
	if got, err = k.Dossier(); err != nil || got.Fields["tenant-id"].By != "Olwen" {
		t.Errorf("what somebody has said does not count: %+v %v", got.Fields, err)
	}
	fails = errors.New("disk")
	if _, err := k.Dossier(); !errors.Is(err, fails) {
		t.Errorf("%v", err)
	}
}

// TestLearnedAloneAsksForNothing: a team that has never said anything of a lock-out is not
// told how ready it is for one because Microsoft 365 has filled in its tenant id. One
// word of a person or of the configuration is enough.
func TestLearnedAloneAsksForNothing(t *testing.T) {
	learned := func(c *Config) {
		c.People, c.Emergency, c.Dossier = nil, nil, nil
		c.Learned = func() (map[string]keepwatch.Entered, error) {
			return map[string]keepwatch.Entered{"tenant-id": {Value: "72f988bf-86f1-41af-91ab-2d7cd011db47", By: "Microsoft 365", At: noon}}, nil
		}
	}
	isReady := func(facts []keepwatch.Fact) bool {
		return slices.ContainsFunc(facts, func(f keepwatch.Fact) bool { return f.Kind == keepwatch.FactReady })
	}
	k := keeper(t, &desk{}, learned)
	probes, _, err := k.Readiness()
	facts, factsErr := k.Facts(noon)
	if err != nil || factsErr != nil || len(probes) != 1 || probes[0].Status != keepwatch.ProbeOff || isReady(facts) {
		t.Errorf("%+v %+v %v %v", probes, facts, err, factsErr)
	}
	if d, err := k.Dossier(); err != nil || len(d.Fields) != 1 {
		t.Errorf("the dossier does not show it: %+v %v", d, err)
	}
	if _, err := k.SetDossier("phone", "+44 1824 700000, Alis", "Alis"); err != nil {
		t.Fatal(err)
	}
	if facts, err := k.Facts(noon); err != nil || !isReady(facts) {
		t.Errorf("%+v %v", facts, err)
	}
	k = keeper(t, &desk{}, learned, func(c *Config) { c.Dossier = map[string]string{"registrar": "Nominet"} })
	if facts, err := k.Facts(noon); err != nil || !isReady(facts) {
		t.Errorf("%+v %v", facts, err)
	}
}
