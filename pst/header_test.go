package pst_test

import (
	"bytes"
	"errors"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
)

func read(data []byte) (pst.Header, error) {
	return pst.ReadHeader(bytes.NewReader(data), int64(len(data)))
}

func TestRealFiles(t *testing.T) {
	for name, want := range map[string]pst.Header{
		"ms-Empty.pst":              {Format: pst.Unicode, Version: 23, Crypt: pst.CryptPermute, Size: 271360, MapsValid: true},
		"java-libpst-dist-list.pst": {Format: pst.Unicode, Version: 23, Crypt: pst.CryptPermute, Size: 271360, MapsValid: true},
		"go-pst-32-bit-ansi.pst":    {Format: pst.ANSI, Version: 14, Crypt: pst.CryptPermute, Size: 65536, MapsValid: true},
	} {
		got, err := read(psttest.Outlook(t, name))
		if err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", name, got, err, want)
		}
	}
}

func TestBrokenHeaders(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  pst.Rule
		spoil func([]byte) []byte
	}{
		{"empty", pst.RuleMagic, func([]byte) []byte { return nil }},
		{"text", pst.RuleMagic, func([]byte) []byte { return []byte("I am only text") }},
		{"cut in the header", pst.RuleShort, func(b []byte) []byte { return b[:300] }},
		{"client magic", pst.RuleClient, func(b []byte) []byte { b[8] = 'X'; return b }},
		{"version", pst.RuleVersion, func(b []byte) []byte { b[10] = 99; return b }},
		{"flipped bit", pst.RuleCRC, func(b []byte) []byte { b[190] ^= 1; return b }},
		{"flipped bit behind the partial checksum", pst.RuleCRC, func(b []byte) []byte { b[520] ^= 1; return b }},
		{"cut", pst.RuleTruncated, func(b []byte) []byte { return b[:len(b)-1] }},
	} {
		data := c.spoil(bytes.Clone(psttest.Outlook(t, "ms-Empty.pst")))
		_, err := read(data)
		var h *pst.HeaderError
		if !errors.As(err, &h) || h.Rule != c.rule || h.Text == "" {
			t.Errorf("%s: %v, want the rule %q", c.name, err, c.rule)
		}
	}
}

func TestLongerFile(t *testing.T) {
	h, err := read(append(bytes.Clone(psttest.Outlook(t, "ms-Empty.pst")), 1, 2, 3))
	if err != nil || h.Excess != 3 {
		t.Errorf("%+v %v", h, err)
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte("!BDN"))
	f.Add(bytes.Repeat([]byte("!BDN....SM\x17\x00"), 60))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := read(data)
		if err == nil && (h.Size > int64(len(data)) || h.Size < 0 || h.Format == "") {
			t.Errorf("%+v for %d bytes", h, len(data))
		}
	})
}
