package keepwatch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestTenantSees: what has changed between two looks, whom it concerns, and about which of
// their phones they are asked.
func TestTenantSees(t *testing.T) {
	at := time.Date(2026, 11, 26, 9, 0, 0, 500, time.UTC)
	app := func(id, device string) keepwatch.SignInMethod {
		return keepwatch.SignInMethod{ID: id, Kind: keepwatch.SignInAuthenticator, Device: device}
	}
	key := keepwatch.SignInMethod{ID: "k", Kind: keepwatch.SignInKey, Device: "YubiKey 5"}
	passkey := keepwatch.SignInMethod{ID: "q", Kind: keepwatch.SignInPhonePasskey, Device: "iPhone"}
	newer := app("1", "iPhone")
	newer.Version = "6.9"
	people := []keepwatch.Person{
		{Name: "Alis", Microsoft: "Alis@X.example", Devices: []keepwatch.Device{{Name: "Alis iPhone", Platform: "ios"}, {Name: "Alis spare", Platform: "android"}}},
		{Name: "Olwen", Microsoft: "olwen@x.example"}, {Name: "Bram"},
	}
	seen := func(alis, olwen []keepwatch.SignInMethod) keepwatch.SignIns {
		return keepwatch.SignIns{Version: 1, People: map[string]keepwatch.SignInsSeen{"alis@x.example": {Methods: alis, Whole: true}, "olwen@x.example": {Methods: olwen, Whole: true}}}
	}
	type methods = []keepwatch.SignInMethod
	both := "device/alis-iphone device/alis-spare"
	for name, c := range map[string]struct {
		before, after keepwatch.SignIns
		want          map[string]string // person → what is asked about
	}{
		"the first look":    {keepwatch.SignIns{}, seen(methods{app("1", "iPhone")}, nil), map[string]string{}},
		"an update":         {seen(methods{app("1", "iPhone")}, nil), seen(methods{newer}, nil), map[string]string{}},
		"a key":             {seen(methods{key}, nil), seen(nil, methods{key}), map[string]string{}},
		"another iPhone":    {seen(methods{app("1", "iPhone 12")}, nil), seen(methods{app("2", "iPhone 17")}, nil), map[string]string{"Alis": "device/alis-iphone"}},
		"from iOS to Pixel": {seen(methods{app("1", "iPhone 12")}, nil), seen(methods{app("2", "Pixel")}, nil), map[string]string{"Alis": both}},
		"a name":            {seen(methods{app("1", "Pixel 8")}, nil), seen(methods{app("1", "Pixel 9")}, nil), map[string]string{"Alis": both}},
		"a passkey":         {seen(methods{passkey}, nil), seen(nil, nil), map[string]string{"Alis": "device/alis-iphone"}},
		"nothing to ask of": {seen(nil, nil), seen(nil, methods{app("1", "Pixel")}), map[string]string{"Olwen": ""}},
		"two people":        {seen(nil, nil), seen(methods{app("1", "iPhone")}, methods{app("2", "Pixel")}), map[string]string{"Alis": "device/alis-iphone", "Olwen": ""}},
	} {
		kept := keepwatch.Tenant{SignIns: c.before}
		kept.See(c.after, people, at)
		got := map[string]string{}
		for _, n := range kept.Changed {
			got[n.Person] = strings.Join(n.Ask, " ")
			if !n.At.Equal(at.Truncate(time.Second)) || len(n.What) == 0 || n.Asked {
				t.Errorf("%s: %+v", name, n)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		again := kept
		if again.See(c.after, people, at.Add(time.Hour)); cmp.Diff(kept, again) != "" {
			t.Errorf("%s: what was seen already counts twice: %s", name, cmp.Diff(kept, again))
		}
		if again.See(c.after, people, at.Add(keepwatch.SignInNewsHolds+time.Second)); len(again.Changed) != 0 {
			t.Errorf("%s: %+v is kept for ever", name, again.Changed)
		}
	}
}

// TestSignInFacts: a change is told of until somebody has said something of one of the
// phones since then, or for thirty days; somebody who is asked nothing hears of it alone.
func TestSignInFacts(t *testing.T) {
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	kept := keepwatch.Tenant{Changed: []keepwatch.SignInNews{
		{Person: "Alis", At: at, What: []string{"It is another phone."}, Ask: []string{"device/a", "device/b", "device/c"}},
		{Person: "Olwen", At: at, What: []string{"It was removed."}},
	}}
	for name, c := range map[string]struct {
		after time.Duration
		said  map[string]time.Duration // after the change
		want  string
	}{
		"nothing said":       {time.Hour, nil, "sign-in/alis→ sign-in/olwen→Olwen"},
		"said before":        {time.Hour, map[string]time.Duration{"device/a": -time.Minute}, "sign-in/alis→ sign-in/olwen→Olwen"},
		"said since":         {time.Hour, map[string]time.Duration{"device/c": time.Minute}, "sign-in/olwen→Olwen"},
		"a month has passed": {keepwatch.SignInNewsHolds, nil, ""},
	} {
		var got []string
		facts := keepwatch.SignInFacts(kept, at.Add(c.after), time.UTC, func(subject string) time.Time {
			if d, ok := c.said[subject]; ok {
				return at.Add(d)
			}
			return time.Time{}
		})
		for _, f := range facts {
			got = append(got, f.Key+"→"+f.To)
			if len(f.Buttons) == 0 || len(f.Buttons) > 2 || !strings.Contains(f.Text, "26 November, 09:00: It ") || f.Title == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
