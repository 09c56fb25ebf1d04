package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestShorten: what is passed on and what is left out is together what encoding/json reads.
func TestShorten(t *testing.T) {
	for name, one := range map[string]string{
		"plain": "abc ", "escapes": `\n\"\\\/\u00e9`, "pairs": `\ud83d\ude00`, "halves": `\ud83d\ud83d`, "a half and more": `\ud83dx\udc00\n`, "UTF-8": "é漢😀",
		"within characters": "\x80\x81\xbf", "broken characters": "\xe6\xbc\xf0\x9f\x98x", "a half before what goes on": "\\ud83d\x80",
	} {
		long := strings.Repeat(one, 3*pieceOfText/len(one)+7)
		for shift := range 7 {
			doc := fmt.Sprintf(`{"a": "short \" one", "long":"%s%s", "b":{"c":["%s","d\\","%s"]}}`, strings.Repeat("y", shift), long, long, long)
			var want struct {
				A    string
				Long string
				B    struct{ C []string }
			}
			if err := json.Unmarshal([]byte(doc), &want); err != nil {
				t.Fatal(name, err)
			}
			s := Shorten(iotest.HalfReader(strings.NewReader(doc)), 1000, func(n int) string { return fmt.Sprintf("<%d>", n) })
			out, err := io.ReadAll(s)
			if err != nil || string(out) != `{"a": "short \" one", "long":"<0>", "b":{"c":["<1>","d\\","<2>"]}}` {
				t.Fatalf("%s: %q, %v", name, out, err)
			}
			for n, text := range []string{want.Long, want.B.C[0], want.B.C[2]} {
				got, err := io.ReadAll(PluckText(strings.NewReader(doc), 1000, n, s.Texts()[n]))
				if err != nil || string(got) != text || s.Texts()[n].Size != int64(len(text)) {
					t.Fatalf("%s, shifted by %d: %d bytes of the %d of text %d, %v", name, shift, len(got), len(text), n, err)
				}
			}
			if _, err := io.ReadAll(PluckText(strings.NewReader(doc), 1000, 0, Text{})); !errors.Is(err, ErrOtherText) {
				t.Errorf("%s: another text gives %v", name, err)
			}
			if other := strings.Replace(doc, `"y`, `"z`, 1); shift > 0 {
				if _, err := io.ReadAll(PluckText(strings.NewReader(other), 1000, 0, s.Texts()[0])); !errors.Is(err, ErrOtherText) {
					t.Errorf("%s: one that is as long gives %v", name, err)
				}
			}
			if _, err := io.ReadAll(PluckText(strings.NewReader(`{}`), 1000, 0, s.Texts()[0])); !errors.Is(err, ErrOtherText) {
				t.Errorf("%s: no text gives %v", name, err)
			}
		}
	}
}

// TestShortenBroken: a long text that breaks off, or is none, is no end.
func TestShortenBroken(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, bad := range []string{`{"a":"` + long, `{"a":"` + long + "\n" + `"}`, `{"a":"` + long + `\q"}`, `{"a":"` + long + `\u00g0"}`} {
		if _, err := io.ReadAll(Shorten(strings.NewReader(bad), 1000, func(int) string { return "" })); err == nil {
			t.Errorf("%.20q… passes", bad)
		}
	}
	if out, err := io.ReadAll(Shorten(strings.NewReader(`{"a":"b`), 1000, nil)); string(out) != `{"a":"b` || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}
