package mailbox

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"keepwatch"
)

func TestSafeName(t *testing.T) {
	for text, want := range map[string]string{
		"Minutes":                          "Minutes",
		"a/b\\c:d*e?f\"g<h>i|j":            "a_b_c_d_e_f_g_h_i_j",
		"../../etc/passwd":                 "_.._.._etc_passwd",
		"..":                               "no name",
		".profile":                         "_.profile",
		"trailing dots... ":                "trailing dots",
		"  two\r\n lines\tand a tab ":      "two lines and a tab",
		"":                                 "no name",
		"///":                              "no name",
		"\x00\x01":                         "no name",
		"CON":                              "_CON",
		"con.txt":                          "_con.txt",
		"nul .eml":                         "_nul .eml",
		"COM1":                             "_COM1",
		"lpt²":                             "_lpt²",
		"COM10":                            "COM10",
		"Console":                          "Console",
		"bad\xff\xfeUTF-8":                 "bad_UTF-8",
		"Ünïcödé 日本語 עברית":                "Ünïcödé 日本語 עברית",
		"invoice\u202efdp.exe":             "invoicefdp.exe",
		"family 👨\u200d👩\u200d👧":           "family 👨\u200d👩\u200d👧",
		"\ufeffbyte order mark\u200b":      "byte order mark",
		strings.Repeat("x", 300):           strings.Repeat("x", 120),
		strings.Repeat("日", 100):           strings.Repeat("日", 40),
		strings.Repeat("e\u0301", 100):     strings.Repeat("e\u0301", 40),
		"x" + strings.Repeat("\u0301", 99): "x" + strings.Repeat("\u0301", 59),
	} {
		got := safeName(text, "no name")
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if len(got) > longestName+1 || !utf8.ValidString(got) {
			t.Errorf("%q: %q is no name for a disk", text, got)
		}
	}
}

func TestItemName(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	at := time.Date(2024, 5, 5, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		item keepwatch.MailItem
		want string
	}{
		{keepwatch.MailItem{Number: 17, At: at, Subject: "Re: Minutes"}, "2024-05-06 Re_ Minutes #17"},
		{keepwatch.MailItem{Number: 1}, "no subject #1"},
		{keepwatch.MailItem{Number: 2, Subject: "aux"}, "_aux #2"},
	} {
		if got := itemName(c.item, zone); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
