package handlers

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCompletePaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	for _, name := range []string{"docs/2026", "docs/2025", "My Files/d’Alis", ".hidden", "evil\x1b[31m"} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"draft.txt", "My Files/a b.txt", "My Files/don't"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := newWorld().router(t)
	for _, c := range []struct{ text, who, want string }{
		{"/backup start ./d", "terminal:alis", "./docs/|./draft.txt "},
		{"/backup start ./docs/", "terminal:alis", "./docs/2025/|./docs/2026/"},
		{"/backup start .", "terminal:alis", "./|.hidden/"},
		{"/backup start ./", "terminal:alis", `./My\ Files/|./docs/|./draft.txt `},
		{"/backup start ./.", "terminal:alis", "./.hidden/"},
		{"/backup start ~/do", "terminal:alis", "~/docs/"},
		{"/backup start " + dir + "/do", "terminal:alis", dir + "/docs/"},
		{`/backup start ./My\ Files/`, "terminal:alis", `./My\ Files/a\ b.txt |./My\ Files/don\'t |./My\ Files/d\’Alis/`},
		{`/backup start "./My Files/d`, "terminal:alis", `"./My Files/don't" |"./My Files/d\’Alis/`},
		{"/backup start n", "terminal:alis", "notes "},
		{"/backup show ./doc", "terminal:alis", "./docs/"},
		{"/backup restore notes --to do", "terminal:alis", "docs/"},
		{"/backup restore notes --to ", "terminal:alis", `My\ Files/|docs/|draft.txt `},
		{"/backup start ./d", "slack:U1", ""},
		{"/backup restore notes --to do", "slack:U1", ""},
		{"/backup start ./nothing/x", "terminal:alis", ""},
		{"/backup start './d", "terminal:alis", ""},
	} {
		var got []string
		for _, f := range r.Complete(t.Context(), ask(c.text, c.who), len(c.text)) {
			if f.Space {
				f.Text += " "
			}
			got = append(got, f.Text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s completes to %q, want %q", c.text, got, c.want)
		}
	}
}

// TestCompletedPathsAreReadBack: what completion writes, Split takes for the name.
func TestCompletedPathsAreReadBack(t *testing.T) {
	for _, name := range []string{"plain", "a b", "don't", `say "hi"`, `back\slash`, "d’Alis", "—dash", "a\u00a0b", "ü"} {
		for _, quoted := range []bool{false, true} {
			line := "backup start " + escape("./"+name, quoted)
			if quoted {
				line += `"`
			}
			words, err := Split(line)
			if err != nil || !slices.Equal(words, []string{"backup", "start", "./" + name}) {
				t.Errorf("%q is %q, read as %q, %v", name, line, words, err)
			}
			if got := line[WordStart(line):]; got != line[len("backup start "):] {
				t.Errorf("the last word of %q is %q", line, got)
			}
		}
	}
}
