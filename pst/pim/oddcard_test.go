package pim

import (
	"testing"

	"golang.org/x/text/encoding/japanese"
)

func only(t *testing.T, text []byte) *Contact {
	t.Helper()
	all := readAll(t, text)
	if len(all) != 1 {
		t.Fatalf("%d contacts", len(all))
	}
	return all[0]
}

// Telephones of Japan write Shift_JIS as it is, whose second byte may be a backslash.
func TestCardInItsCharset(t *testing.T) {
	raw, err := japanese.ShiftJIS.NewEncoder().String("表;ソニア")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SHIFT_JIS", "shift_jis;X=1", "\"Shift_JIS\""} {
		c := only(t, card("VERSION:2.1", "N;CHARSET="+name+":"+raw, "TEL;CELL:1"))
		if c.Surname != "表" || c.Given != "ソニア" {
			t.Errorf("%s: %q, %q", name, c.Surname, c.Given)
		}
	}
}

// Bytes of no charset can be told from one another.
func TestCardOfNoCharset(t *testing.T) {
	seen := map[string]bool{}
	for b := 0x80; b <= 0xFF; b++ {
		c := only(t, card("VERSION:2.1", "N:x"+string([]byte{byte(b)})+"x"))
		if seen[c.Surname] || c.Surname == "x\uFFFDx" {
			t.Errorf("%02X is %q", b, c.Surname)
		}
		seen[c.Surname] = true
	}
}

// Google writes the address as a whole behind its country.
func TestAddressOfGoogle(t *testing.T) {
	c := only(t, card("VERSION:3.0", "FN:A", "N:;A;;;", `ADR;TYPE=HOME:;;Foo 1;Bar;;12345;Germany;Foo 1\n12345 Bar\nGermany`))
	want := Address{Street: "Foo 1", City: "Bar", PostalCode: "12345", Country: "Germany", Label: "Foo 1\n12345 Bar\nGermany"}
	if c.Home != want || c.Notes != "" {
		t.Errorf("%+v, %q", c.Home, c.Notes)
	}
}
