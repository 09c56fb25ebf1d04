package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch"
)

// TestExampleEnv holds .env.example to the table of variables. With
// KEEPWATCH_UPDATE=1 it writes the file anew.
func TestExampleEnv(t *testing.T) {
	const file = "../../.env.example"
	if os.Getenv("KEEPWATCH_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(exampleEnv()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != exampleEnv() {
		t.Error(".env.example is not what the table says; run this test with KEEPWATCH_UPDATE=1")
	}
}

func TestExampleEnvIsReadable(t *testing.T) {
	e := environment{values: map[string]string{}}
	text := strings.ReplaceAll(exampleEnv(), "\n#", "\n")
	var lines []string
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(line, "="); ok && validVariable(name) {
			lines = append(lines, line)
		}
	}
	if problems := e.parseFile(".env", []byte(strings.Join(lines, ""))); len(problems) > 0 {
		t.Error(problems)
	}
	if len(lines) < len(variables()) {
		t.Errorf("only %d lines set something", len(lines))
	}
}

func TestReadEnv(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		file    string
		process []string
		want    map[string]string
		err     []string
	}{
		{name: "plain", file: "A=1\nexport B = two words # a comment\n# C=3\n\nD=\"x\\ny \\\"q\\\"\" # more\nE='$A \\n'\r\nF=\n",
			want: map[string]string{"A": "1", "B": "two words", "D": "x\ny \"q\"", "E": `$A \n`, "F": ""}},
		{name: "the process wins", file: "A=1\n", process: []string{"A=2"}, want: map[string]string{"A": "2"}},
		{name: "no equals sign", file: "A=1\nnonsense\n", err: []string{".env:2: expected NAME=value."}},
		{name: "open quote", file: "A=\"x\n", err: []string{".env:1: the value of A begins with a quote that is not closed."}},
		{name: "behind the quote", file: "A=\"x\" y\n", err: []string{".env:1: the value of A goes on behind its closing quote."}},
		{name: "twice", file: "A=1\nA=2\n", err: []string{".env:2: A is there twice."}},
		{name: "misspelt", file: "SLACK_BOT_TOKN=x\nBOT_FROBNICATE=1\n", err: []string{".env:1: SLACK_BOT_TOKN is not known. Did you mean SLACK_BOT_TOKEN?", ".env:2: BOT_FROBNICATE is not known. The file .env.example lists what there is."}},
		{name: "wrong values", file: "BOT_LISTEN=999\nBOT_STORE=etcd\n", process: []string{"BOT_LOG_LEVEL=loud", "BOT_TIMEZONE=Nowhere"}, err: []string{`BOT_STORE is "etcd"; this version keeps its state in bolt only.`,
			`BOT_LISTEN is "999"; expected an address and a port, such as 127.0.0.1:8080.`, `BOT_LOG_LEVEL is "loud"; expected debug, info, warn or error.`, `BOT_TIMEZONE is "Nowhere"; expected a time zone such as Europe/London.`}},
		{name: "right values", file: "BOT_LISTEN=:8080\nBOT_LOG_LEVEL=warn\nBOT_TIMEZONE=UTC\nBOT_STORE=bolt\n", want: map[string]string{"BOT_LISTEN": ":8080"}},
		{name: "secret from a file", process: []string{"SLACK_BOT_TOKEN_FILE=" + secret}, want: map[string]string{"SLACK_BOT_TOKEN": "from a file"}},
		{name: "both", process: []string{"SLACK_BOT_TOKEN_FILE=" + secret, "SLACK_BOT_TOKEN=x"}, err: []string{"SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set; set one."}},
		{name: "no such file", process: []string{"SLACK_BOT_TOKEN_FILE=" + secret + "x"}, err: []string{"SLACK_BOT_TOKEN_FILE names " + secret + "x, which cannot be read: no such file or directory."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile(".env", []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := readEnv(c.process, ".env", true)
			if got := keepwatch.Sentence(err); got != strings.Join(c.err, "\n") {
				t.Errorf("error %q, want %q", got, c.err)
			}
			for name, want := range c.want {
				if e.values[name] != want {
					t.Errorf("%s is %q, want %q", name, e.values[name], want)
				}
			}
		})
	}
	if e, err := readEnv([]string{"BOT_LISTN=127.0.0.1:8080"}, filepath.Join(dir, "missing"), false); err != nil || len(e.warnings) != 1 || !strings.Contains(e.warnings[0], "Did you mean BOT_LISTEN?") {
		t.Errorf("a misspelt variable of the process: %q %v", e.warnings, err)
	}
	if _, err := readEnv(nil, filepath.Join(dir, "missing"), true); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("a named file that is missing: %v", err)
	}
	if _, err := readEnv(nil, filepath.Join(dir, "missing"), false); err != nil {
		t.Errorf("a default file that is missing: %v", err)
	}
}
