package keepwatch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestSignInChanges: what has changed between two looks, in sentences.
func TestSignInChanges(t *testing.T) {
	app := func(id, device, version string) keepwatch.SignInMethod {
		return keepwatch.SignInMethod{ID: id, Kind: keepwatch.SignInAuthenticator, Device: device, Version: version}
	}
	key := keepwatch.SignInMethod{ID: "k", Kind: keepwatch.SignInKey, Device: "YubiKey 5"}
	phone := keepwatch.SignInMethod{ID: "p", Kind: keepwatch.SignInPhone}
	seen := func(people map[string][]keepwatch.SignInMethod) keepwatch.SignIns {
		all := keepwatch.SignIns{People: map[string]keepwatch.SignInsSeen{}}
		for name, methods := range people {
			all.People[name] = keepwatch.SignInsSeen{Methods: methods, Whole: true}
		}
		return all
	}
	type people = map[string][]keepwatch.SignInMethod
	for name, c := range map[string]struct {
		before, after people
		want          []string
	}{
		"nothing":         {people{"a@x": {app("1", "iPhone", "6.8"), key}}, people{"a@x": {key, app("1", "iPhone", "6.8")}}, nil},
		"the first look":  {nil, people{"a@x": {key}}, nil},
		"not seen now":    {people{"a@x": {key}}, people{}, nil},
		"added":           {people{"a@x": {}}, people{"a@x": {app("1", "iPhone 15", "")}}, []string{"a@x has a new way to sign in: Microsoft Authenticator on iPhone 15."}},
		"removed":         {people{"a@x": {key, phone}}, people{"a@x": {}}, []string{"a@x can no longer sign in with the FIDO2 security key YubiKey 5: it was removed.", "a@x can no longer sign in with a phone number: it was removed."}},
		"another device":  {people{"a@x": {app("1", "iPhone 12", "6.8")}}, people{"a@x": {app("1", "iPhone 15", "6.9")}}, []string{"What was Microsoft Authenticator on iPhone 12 is now Microsoft Authenticator on iPhone 15, for a@x."}},
		"another version": {people{"a@x": {app("1", "Pixel", "")}}, people{"a@x": {app("1", "Pixel", "6.9")}}, []string{"Microsoft Authenticator on Pixel of a@x is now version 6.9; it was unknown."}},
		"registered anew": {people{"a@x": {app("1", "Pixel", "6.8")}}, people{"a@x": {app("2", "pixel", "6.8")}}, []string{"a@x has registered Microsoft Authenticator on pixel anew."}},
		"a new phone":     {people{"a@x": {app("1", "Pixel", "6.8")}}, people{"a@x": {app("2", "iPhone", "6.8")}}, []string{"a@x has a new way to sign in: Microsoft Authenticator on iPhone.", "a@x can no longer sign in with Microsoft Authenticator on Pixel: it was removed."}},
		"two of a name":   {people{"a@x": {app("1", "Pixel", ""), app("2", "Pixel", "")}}, people{"a@x": {app("3", "Pixel", "")}}, []string{"a@x can no longer sign in with Microsoft Authenticator on Pixel: it was removed.", "a@x has registered Microsoft Authenticator on Pixel anew."}},
		"no name":         {people{"a@x": {phone}}, people{"a@x": {{ID: "q", Kind: keepwatch.SignInPhone}}}, []string{"a@x has a new way to sign in: a phone number.", "a@x can no longer sign in with a phone number: it was removed."}},
		"two people":      {people{"b@x": {}, "a@x": {}}, people{"b@x": {key}, "a@x": {key}}, []string{"a@x has a new way to sign in: the FIDO2 security key YubiKey 5.", "b@x has a new way to sign in: the FIDO2 security key YubiKey 5."}},
	} {
		var got []string
		for _, change := range seen(c.before).Changes(seen(c.after)) {
			got = append(got, change.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// Once the application may see more, or less, nobody has registered or lost anything.
	narrow := keepwatch.SignIns{People: map[string]keepwatch.SignInsSeen{"a@x": {Methods: []keepwatch.SignInMethod{app("1", "Pixel", "6.8")}}}}
	whole := seen(people{"a@x": {app("1", "Pixel", "6.9"), key, phone}})
	for _, got := range [][]keepwatch.SignInChange{narrow.Changes(whole), whole.Changes(narrow)} {
		if len(got) != 1 || got[0].What != keepwatch.SignInUpdated {
			t.Errorf("%+v", got)
		}
	}
}
