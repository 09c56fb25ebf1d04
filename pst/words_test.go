package pst_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

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
		{"\u202A+44\u202C \u2067555\u2069", "+44 555"}, {"\u200Eof\u200F\u061Cfer", "offer"},
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

// wholeFold is Fold without its short cuts.
func wholeFold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("\u00AD\u200B\u2060\uFEFF\u061C\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069", r):
			return -1
		case r == 'İ' || r == 'ı':
			return 'i'
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
	var b strings.Builder
	blank := false
	for _, r := range norm.NFC.String(cases.Fold().String(s)) {
		if !unicode.IsSpace(r) {
			b.WriteRune(r)
		} else if !blank {
			b.WriteByte(' ')
		}
		blank = unicode.IsSpace(r)
	}
	return b.String()
}

// TestFoldIsTheSameByPieces: the short cuts change nothing, for each letter by itself and
// for letters in any order.
func TestFoldIsTheSameByPieces(t *testing.T) {
	var all []rune
	for r := range rune(0x20000) {
		if !utf8.ValidRune(r) {
			continue
		}
		for _, s := range []string{string(r), "E" + string(r), "É\u0301" + string(r) + "\u0323a"} {
			if got, want := pst.Fold(s), wholeFold(s); got != want {
				t.Fatalf("%q is %q, want %q", s, got, want)
			}
		}
		if r < 0x500 || r >= 0x1E00 && r < 0x2100 || r >= 0x3000 && r < 0x3100 {
			all = append(all, r)
		}
	}
	odd := []string{"e", "E", " ", "\u0301", "\u0323", "\u0307", "I", "\u00ad", "\xff", "\xc3", "ß", "\u1100", "\u1161", "\uac00", "\u11a8", "が", "か\u3099", "abcdefghijklmnopqrst"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range rnd.IntN(40) {
			if rnd.IntN(3) == 0 {
				b.WriteRune(all[rnd.IntN(len(all))])
			} else {
				b.WriteString(odd[rnd.IntN(len(odd))])
			}
		}
		if got, want := pst.Fold(b.String()), wholeFold(b.String()); got != want {
			t.Fatalf("%q is %q, want %q", b.String(), got, want)
		}
	}
}

// TestHTMLText: what a browser shows is there, and what it does not show is not.
func TestHTMLText(t *testing.T) {
	for _, c := range []struct{ html, text string }{
		{"<STYLE>maroon</STYLE>the offer<style>b</style>", "the offer"}, {"<SCRIPT>maroon</Script>the offer<script>b</script>", "the offer"},
		{"<p>I <3 the offer</p>", "i <3 the offer"}, {"<p>if x < 5 the offer", "if x < 5 the offer"}, {"the offer <", "the offer <"},
		{"<!-->the offer<!-- x -->", "the offer"}, {"<!--->the offer<!-- x -->", "the offer"}, {"<!-- maroon -- > maroon --->the offer", "the offer"},
		{"<!--[if !mso]><!-->the offer<!--<![endif]-->", "the offer"},
		{"the of<wbr>f<ins>er</ins>", "the offer"}, {"the<br>of&shy;fer<p", "the offer"},
	} {
		if got := strings.TrimSpace(pst.Fold(pst.HTMLText(c.html))); got != c.text {
			t.Errorf("%q gives %q, want %q", c.html, got, c.text)
		}
	}
}

// BenchmarkFold folds texts of 20 kB.
func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{
		"ascii": "What was agreed on at the last Meeting stands.\r\n", "german": "Grüße aus Köln, wie immer, und für Äpfel.\r\n", "russian": "Цена остаётся прежней, как и было сказано. ",
		"greek": "Η Τιμή παραμένει όπως είπαμε. ", "apart": "Gru\u0308\u00dfe aus Ko\u0308ln, wie immer. ", "accents": "e\u0301",
	} {
		s = strings.Repeat(s, 20_000/len(s))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				pst.Fold(s)
			}
		})
	}
}
