package handlers

import (
	"slices"
	"strings"
	"testing"

	"keepwatch"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                   nil,
		"  backup   start\tnotes ":           {"backup", "start", "notes"},
		`backup start "My Documents" 'a b'`:  {"backup", "start", "My Documents", "a b"},
		`a\ b c\"d "e\"f" '\x'`:              {"a b", `c"d`, `e"f`, `\x`},
		`"" ''`:                              {"", ""},
		`don't "it's" the 90's Olwen’s 'a'b`: {"don't", "it's", "the", "90's", "Olwen's", "ab"},
		`--to="a b"`:                         {"--to=a b"},
		"backup restore x —to “My Folder”":   {"backup", "restore", "x", "--to", "My Folder"},
		"–yes a—b":                           {"--yes", "a—b"},
		"it\u00a0is":                         {"it", "is"},
	} {
		got, err := Split(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q gives %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`"open`, `'open`, `end\`, "a\x00b", "a\x1b[31mb", "\xff", strings.Repeat("x", maxText+1)} {
		if got, err := Split(text); keepwatch.KindOf(err) != keepwatch.KindInvalid || keepwatch.Sentence(err) == "" {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{`backup start "a b" --to='x'`, "—to “x”", `a\`, "'", "…"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := Split(text)
		if err != nil {
			return
		}
		line := Quote(words...)
		if len(line) > maxText {
			return
		}
		again, err := Split(line)
		if err != nil || !slices.Equal(words, again) {
			t.Errorf("%q is %q, quoted %q, read again %q, %v", text, words, line, again, err)
		}
	})
}

// TestQuote: names that a phone could not have typed so, as they lie on a disk, are
// the same after they went through a button.
func TestQuote(t *testing.T) {
	for _, word := range []string{"d’Alis", "the “good” one", "— draft", "a\u00a0b", `back\slash`, "tab\there", "«x»", "plain", ""} {
		if got, err := Split(Quote(word)); err != nil || len(got) != 1 || got[0] != word {
			t.Errorf("%q became %q, %v", word, got, err)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"start", "status", "restore", "list"}
	for typed, want := range map[string]string{"strat": "start", "stauts": "status", "resore": "restore", "lst": "list", "completely": "", "x": ""} {
		if got := nearest(typed, words); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestBind(t *testing.T) {
	cmd := Command{Group: "backup", Name: "restore", Options: []Option{
		{Name: "archive", Required: true}, {Name: "part", Variadic: true}, {Name: "to", Type: TypePath, Flag: true}, {Name: "overwrite", Type: TypeSwitch, Flag: true},
	}}
	got, missing, err := cmd.bind([]string{"notes", "--to", "x", "a", "--overwrite", "b", "--", "--to"})
	if err != nil || missing != nil || got.one("archive") != "notes" || !slices.Equal(got["part"], []string{"a", "b", "--to"}) || got.one("to") != "x" || !got.has("overwrite") {
		t.Errorf("%v %v %v", got, missing, err)
	}
	if _, missing, err := cmd.bind([]string{"--to=x"}); err != nil || missing == nil || missing.Name != "archive" {
		t.Errorf("%v %v", missing, err)
	}
	for _, c := range []struct{ words, want string }{
		{"notes --ot x", "Did you mean --to?"}, {"notes --to", "needs a value"}, {"notes --overwrite=yes", "takes no value"},
	} {
		if _, _, err := cmd.bind(strings.Fields(c.words)); !strings.Contains(keepwatch.Sentence(err), c.want) {
			t.Errorf("%s: %v", c.words, err)
		}
	}
	two := Command{Group: "g", Name: "n", Options: []Option{{Name: "one"}}}
	if _, _, err := two.bind([]string{"a", "b"}); !strings.Contains(keepwatch.Sentence(err), `"b" is one word too many`) {
		t.Errorf("%v", err)
	}
}
