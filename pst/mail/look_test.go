package mail

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"keepwatch/pst"
)

// find gives the place where a mail has a text.
func find(t *testing.T, eml, word string) (place string, whole bool) {
	t.Helper()
	whole, err := Look(strings.NewReader(eml), int64(len(eml)), func(where, text string) bool {
		if strings.Contains(pst.Fold(text), pst.Fold(word)) {
			place = where
		}
		return place != ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return place, whole
}

// TestLook: what people remember of a mail is given decoded, with its place.
func TestLook(t *testing.T) {
	const head = "From: =?utf-8?q?B=C3=A9than?= <b@contoso.example>\r\nSender: desk@contoso.example\r\nTo: Carol <c@contoso.example>\r\nBcc: dave@fabrikam.example\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nMessage-ID: <17@x>\r\nKeywords: Harvest\r\nMIME-Version: 1.0\r\n"
	text := func(typ, encoding, body string) string {
		return head + "Content-Type: " + typ + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + body
	}
	mixed := head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nOpen it in a browser\r\n" +
		"--a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<style>p{color:maroon}</style><p>the <b>pri</b>ce<br>of M=C3=BCsli&nbsp;is 12</p>\r\n--a--\r\n" +
		"--b\r\nContent-Type: application/pdf; name=\"=?utf-8?q?B=C3=BCcher.pdf?=\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("hidden words")) + "\r\n" +
		"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: An older letter\r\n\r\ninner words\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nbelow the picture\r\n--b--\r\n"
	for _, c := range []struct{ eml, word, place string }{
		{mixed, "GRÜSSE", InSubject}, {mixed, "be\u0301than", InSender}, {mixed, "desk@", InSender}, {mixed, "carol", InRecipients}, {mixed, "dave@FABRIKAM", InRecipients},
		{mixed, "price of müsli is 12", InBody}, {mixed, "in a browser", InBody}, {mixed, "below the picture", InBody}, {mixed, "maroon", ""},
		{mixed, "bücher.PDF", InAttachments}, {mixed, "older letter", InAttachments}, {mixed, "hidden words", ""}, {mixed, "inner words", ""},
		{mixed, "harvest", InDetails}, {mixed, "17@x", InDetails},
		{text("text/plain; charset=utf-8", "base64", base64.StdEncoding.EncodeToString([]byte("Der Preis für Äpfel"))), "FÜR äpfel", InBody},
		{text("text/plain; charset=windows-1251", "quoted-printable", "=CF=F0=E8=E2=E5=F2"), "привет", InBody},
		{text("text/plain; charset=iso-2022-jp", "7bit", "\x1b$B$3$s$K$A$O\x1b(B"), "こんにちは", InBody},
		{text("text/html; charset=windows-1252", "8bit", "<p>caf\xe9 cr\xe8me"), "café crème", InBody},
		{text("text/html", "8bit", "<meta charset=koi8-r><p>\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет", InBody},
		{text("text/plain", "quoted-printable", "the of=\r\nfer of\r\nMarch"), "the offer of march", InBody},
	} {
		if place, whole := find(t, c.eml, c.word); place != c.place || !whole {
			t.Errorf("%q was found in %q, want %q; whole: %v", c.word, place, c.place, whole)
		}
	}
}

// TestLookAtBrokenMail: what is there of a broken mail is looked at, and it says that this
// is not all.
func TestLookAtBrokenMail(t *testing.T) {
	for _, c := range []struct{ eml, word, place string }{
		{"Subject: Half\r\nContent-Transfer-Encoding: base64\r\n\r\nVGhlIHByaWNlIG$$$", "the price", InBody},
		{"no header at all, and the price\r\n", "the price", InBody},
		{"", "price", ""},
	} {
		if place, whole := find(t, c.eml, c.word); place != c.place || whole {
			t.Errorf("%q: found in %q, whole: %v", c.eml, place, whole)
		}
	}
	lost := errors.New("the disk is gone")
	if _, err := Look(gone{lost}, 100, func(string, string) bool { return false }); !errors.Is(err, lost) {
		t.Error(err)
	}
}

type gone struct{ err error }

func (g gone) ReadAt([]byte, int64) (int, error) { return 0, g.err }

// TestLookAtLongTexts: of a long text the beginning is looked at, and it hides no other.
func TestLookAtLongTexts(t *testing.T) {
	const mixed = "Subject: long\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
	long := strings.Repeat("wörds\r\n", 1_000_000) // the bound is inside a letter
	base := "Content-Transfer-Encoding: base64\r\n\r\n"
	for name, eml := range map[string]string{
		"alone":  "Subject: long\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nthe offer " + long,
		"html":   "Subject: long\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>the offer " + long + long,
		"base64": "Subject: long\r\n" + base + base64.StdEncoding.EncodeToString([]byte("the offer "+long)),
		"second": mixed + "the offer " + long + "\r\n--b--\r\n",
		"behind": mixed + long + "\r\n--b\r\n\r\nthe offer\r\n--b--\r\n",
		"name":   mixed + long + long + "\r\n--b\r\nContent-Type: application/pdf; name=\"the offer\"\r\n\r\nx\r\n--b--\r\n",
	} {
		if place, whole := find(t, eml, "the offer"); place == "" || !whole {
			t.Errorf("%s: found in %q, whole: %v", name, place, whole)
		}
		if _, whole := find(t, eml, "no such words"); !whole {
			t.Errorf("%s is said to be damaged", name)
		}
	}
}
