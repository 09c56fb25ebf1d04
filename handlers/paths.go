package handlers

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WordStart gives where the last word of a line that is still being typed begins,
// as Split takes it apart: blanks in quotes or behind a backslash do not end one.
func WordStart(text string) int {
	start, quote, escaped := 0, rune(0), false
	before := rune(0)
	for i, c := range text {
		if !escaped {
			c = plainRune(c)
		}
		inside := apostrophe(c, before) && quote == 0
		before = c
		switch {
		case escaped:
			escaped = false
		case c == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'') && !inside:
			quote = c
		case quote == 0 && unicode.IsSpace(c):
			start = i + utf8.RuneLen(firstRune(text[i:]))
		}
	}
	return start
}

func firstRune(text string) rune {
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

// below makes a relative path begin at a folder, where there is one.
func below(dir, path string) string {
	if dir == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "~") {
		return path
	}
	return filepath.Join(dir, path)
}

// mostPaths is how many names of a folder are looked at for completion.
const mostPaths = 2000

// paths gives what a path that is being typed, in the folder base, may go on as: folders with a slash
// behind them. What is offered is written as the word is, in a quote or with
// backslashes. Names with what a terminal would obey are left to be typed.
func paths(base, word string) []Candidate {
	quoted := strings.HasPrefix(word, `"`)
	typed, ok := unescape(strings.TrimPrefix(word, `"`))
	if !ok {
		return nil
	}
	shown, begun := filepath.Split(typed)
	dir := shown
	if rest, home := strings.CutPrefix(shown, "~/"); home {
		of, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(of, rest)
	}
	if dir == "" {
		dir = "."
	}
	dir = below(base, dir)
	var list []Candidate
	if typed == "~" || typed == "." || typed == ".." {
		list = append(list, Candidate{escape(typed, quoted) + "/", "", false})
	}
	for _, e := range names(dir) {
		name := e.Name()
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(begun, ".")
		if hidden || !strings.HasPrefix(name, begun) || !utf8.ValidString(name) || strings.IndexFunc(name, unprintable) >= 0 {
			continue
		}
		text := escape(shown+name, quoted)
		switch info, err := os.Stat(filepath.Join(dir, name)); {
		case err == nil && info.IsDir():
			list = append(list, Candidate{text + "/", "", false})
		case quoted:
			list = append(list, Candidate{text + `"`, "", true})
		default:
			list = append(list, Candidate{text, "", true})
		}
	}
	return list
}

// names lists a folder, sorted; nothing where it cannot be read.
func names(dir string) []fs.DirEntry {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() { // a named pipe would be waited for
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, _ := f.ReadDir(mostPaths) // as far as it can be read
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list
}

func unprintable(c rune) bool { return !unicode.IsPrint(c) }

// unescape gives what a word without its quotes stands for; false for one that is
// quoted in a way that completion does not go into.
func unescape(word string) (string, bool) {
	var b strings.Builder
	escaped := false
	for _, c := range word {
		switch {
		case escaped:
			b.WriteRune(c)
			escaped = false
		case c == '\\':
			escaped = true
		case plainRune(c) == '"' || plainRune(c) == '\'':
			return "", false
		default:
			b.WriteRune(c)
		}
	}
	return b.String(), true
}

// escape writes a path so that Split reads it as one word: behind an opening quote,
// or with backslashes.
func escape(path string, quoted bool) string {
	var b strings.Builder
	if quoted {
		b.WriteByte('"')
	}
	for _, c := range path {
		special := c == '"' || c == '\\' || plainRune(c) != c || !quoted && (c == '\'' || unicode.IsSpace(c))
		if special {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
