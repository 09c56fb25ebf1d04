package authenticator

import (
	"testing"

	"keepwatch"
)

// TestPlainFields: what is written down by mistake, and what must not be refused.
func TestPlainFields(t *testing.T) {
	for _, c := range []struct {
		field, value string
		kept         bool
	}{
		{"phone", "Hunter2!x9", false},
		{"phone", "hunter2", false},
		{"phone", "ring 0800 12345", false},
		{"phone", "+44 1824 700000, hunter2", false},
		{"phone", "12", false},
		{"phone", "+44 (0)1824 700-000 ext. 12", true},
		{"phone", "+441824700000x12, Alis", true},
		{"phone", "+44 1824 700000, Alis or Olwen", true},
		{"dns-host", "Cloudflare, login admin / Hunter2!x9", false},
		{"registrar", "Gandi, password Hunter2!x9", false},
		{"registrar", "Sommer-2024 is the password", false},
		{"registrar", "KeePass, entry Registrar", true},
		{"registrar", "Gandi; login in the 1Password vault, room B12", true},
		{"invoices", "https://admin.microsoft.com/#/billoverview/Invoices2x, printed 2026-11-20", true},
		{"emergency-accounts", "bg1@contoso.onmicrosoft.com", true},
		{"email", "alis@gmail", false},
		{"email", "alis1@gmail", false},
		{"email", "@gmail.com", false},
		{"email", "alis@@gmail.com", false},
		{"email", "alis@gmail..com", false},
		{"email", "alis@gmail.c", false},
		{"email", "alis.rescue@gmail.com", true},
		{"email", "alis@gmail.com (Alis), olwen+m365@bücher.example.", true},
		{"billing-email", "accounts@contoso", false},
		{"administrators", "alis@contoso.example, olwen@contoso", false},
		{"administrators", "alis@contoso.example and olwen@contoso.example", true},
		{"tenant-id", "72f988bf-86f1-41af-91ab-2d7cd011db47", true},
	} {
		k := keeper(t, &desk{}, func(*Config) {})
		_, err := k.SetDossier(c.field, c.value, "Alis")
		if kept := err == nil; kept != c.kept || err != nil && keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%s %q: %v", c.field, c.value, err)
		}
	}
	for text, kept := range map[string]bool{
		"Hunter2!x9 in the safe": false, "in the safe, password Hunter2!x9": false,
		"in the safe, blue folder": true, "KeePass, entry Registrar": true, "room B12": true,
	} {
		if err := plainPlace("the key", text); (err == nil) != kept {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, kept := range map[string]bool{
		"the iPhone is too old, password Hunter2!x9": false, "the password is wrong": true, "iPhone 15 with iOS 17.4.1": true,
	} {
		if err := plainRemarks(text); (err == nil) != kept {
			t.Errorf("%q: %v", text, err)
		}
	}
}
