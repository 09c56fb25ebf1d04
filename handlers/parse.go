package handlers

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"keepwatch"
)

// maxText is the longest command, in bytes.
const maxText = 4000

// typographic is what phones and word processors make of plain characters.
var typographic = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‘", "'", "’", "'", "‚", "'", "\u00a0", " ", "\u2007", " ", "\u202f", " ")

// plainRune gives the plain character that a typographic one stands for, or c.
func plainRune(c rune) rune {
	r, _ := utf8.DecodeRuneInString(typographic.Replace(string(c)))
	return r
}

// Split takes a line apart as a shell does: words between blanks, 'single' and
// "double" quotes, and a backslash before a character that is to be taken as it
// is. Typographic quotes count as plain ones, and a dash at the beginning of a
// word as the two hyphens that a phone made it from; behind a backslash they too
// are what they are. A single quote behind a letter or a digit is an apostrophe:
// people write "don't" far more often than a word that is quoted in part.
func Split(text string) ([]string, error) {
	if len(text) > maxText {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "That is too long for a command: %d bytes, and at most %d are read.", len(text), maxText)
	}
	if !utf8.ValidString(text) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "That is not readable text: it is not valid UTF-8.")
	}
	var words []string
	var word strings.Builder
	inWord := false
	quote, before := rune(0), rune(0)
	escaped := false
	for _, c := range text {
		if !escaped {
			c = plainRune(c)
		}
		inside := apostrophe(c, before) && quote == 0
		before = c
		switch {
		case unicode.IsControl(c) && c != '\t' && c != '\n':
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "There is a control character in the command. Type it again.")
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'') && !inside:
			quote, inWord = c, true
		case quote == 0 && unicode.IsSpace(c):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case !inWord && quote == 0 && (c == '—' || c == '–'):
			word.WriteString("--")
			inWord = true
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	switch {
	case quote != 0:
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "A quote (%c) is opened and not closed. Close it, or put a backslash before it.", quote)
	case escaped:
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The command ends with a backslash. Write two for a real one.")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// apostrophe reports whether a character is one, by what stands before it.
func apostrophe(c, before rune) bool {
	return c == '\'' && (unicode.IsLetter(before) || unicode.IsDigit(before))
}

// Quote makes a line of words that Split takes apart into the same words.
func Quote(words ...string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quoteWord(w))
	}
	return b.String()
}

func quoteWord(w string) string {
	plain := w != "" && strings.IndexFunc(w, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-./:=+,@%*?", c))
	}) < 0
	if plain {
		return w
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range w {
		if c == '"' || c == '\\' || plainRune(c) != c {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	b.WriteByte('"')
	return b.String()
}
