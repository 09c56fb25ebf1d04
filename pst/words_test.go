package pst_test

import (
	"strings"
	"testing"

	"keepwatch/pst"
)

// TestFold: what is the same text to people is the same when it is looked for.
func TestFold(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"MINUTES", "minutes"}, {"ÜBUNG", "übung"},
		{"\u00dcbung", "u\u0308bung"}, // composed, and not
		{"Straße", "STRASSE"}, {"STRA\u1E9EE", "strasse"},
		{"İstanbul", "istanbul"}, {"I\u0307stanbul", "ISTANBUL"}, {"ISPARTA", "ısparta"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"the\r\n  offer", "The Offer"}, {"the\u00a0offer", "the offer"}, {"of\u00adfer", "offer"}, {"\uFEFFa\u200Bb", "ab"},
		{"bad \xff byte", "BAD \uFFFD BYTE"},
	} {
		if a, b := pst.Fold(c.a), pst.Fold(c.b); a != b {
			t.Errorf("%q is %q, and %q is %q", c.a, a, c.b, b)
		}
	}
	for _, c := range []struct{ text, word string }{{"re: the Offer", "offers"}, {"resume", "résumé"}} {
		if strings.Contains(pst.Fold(c.text), pst.Fold(c.word)) {
			t.Errorf("%q was found in %q", c.word, c.text)
		}
	}
}
