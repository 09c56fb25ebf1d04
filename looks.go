package keepwatch

import "strings"

// LooksSecret reports whether a text that says where something is recorded, or what
// happened, gives away the thing itself: an age key, "password is …" with one word
// behind it, a word such as people make passwords of. It is a guess. A name of two
// words ("the safe, blue folder") is never taken for one, so there is always a way to
// say what is meant.
func LooksSecret(text string) bool {
	lower := strings.ToLower(text)
	if strings.Contains(lower, "age-secret-key-") || strings.Contains(lower, "-----begin ") {
		return true
	}
	words := strings.Fields(text)
	if len(words) == 1 {
		return secretAlone(unquoted(words[0]))
	}
	for i, w := range words {
		if w = unquoted(w); secretAmong(w) {
			return true
		}
		if namesSecret(w) && gives(words[i:]) {
			return true
		}
	}
	return false
}

// namesSecret reports whether a word is what people call a secret.
func namesSecret(word string) bool {
	switch strings.ToLower(strings.TrimRight(word, ":=")) {
	case "password", "passwort", "cyfrinair", "passcode", "passphrase", "pin", "pw", "code":
		return true
	}
	return false
}

// gives reports whether what follows the name of a secret, "is" or a colon between
// them, is one word that says nothing about a place; figures need nothing between.
func gives(words []string) bool {
	said, rest := strings.HasSuffix(words[0], ":") || strings.HasSuffix(words[0], "="), words[1:]
	if len(rest) > 0 {
		switch strings.ToLower(rest[0]) {
		case "is", "=", ":", "was", "ist":
			said, rest = true, rest[1:]
		}
	}
	if len(rest) != 1 {
		return false
	}
	word := strings.ToLower(unquoted(rest[0]))
	switch word {
	case "", "recorded", "written", "kept", "saved", "safe", "lost", "unknown", "forgotten", "there", "wrong", "missing", "refused", "old", "expired", "sealed", "known", "fine", "ok", "none", "unset", "changed":
		return false
	}
	c := classesOf(word)
	return said || c.digit >= 4 && c.digit == len(word)
}

// unquoted takes the marks off that stand around a word in a sentence.
func unquoted(word string) string { return strings.Trim(word, "\"'“”‘’`.,;:()[]") }

// secretAlone judges a text that is one word: where something is recorded takes more
// than one as soon as there are figures in it.
func secretAlone(word string) bool {
	c := classesOf(word)
	switch {
	case isPlace(word) || strings.EqualFold(word, "1password"):
		return false
	case c.lower+c.upper == 0: // a PIN or a code
		return c.digit >= 4
	}
	return len(word) >= 6 && (c.digit > 0 || c.other > 0 && c.upper > 0 && c.lower > 0)
}

// secretAmong judges a word among others, which must be stranger than that.
func secretAmong(word string) bool {
	c := classesOf(word)
	if isPlace(word) || strings.EqualFold(word, "1password") {
		return false
	}
	if c.digit > 0 && c.lower+c.upper > 0 && len(word) >= 24 && c.other == 0 {
		return true // a key
	}
	return len(word) >= 8 && c.digit > 0 && c.other > 0 && c.lower > 0 && c.upper > 0
}

type classes struct{ lower, upper, digit, other int }

func classesOf(word string) (c classes) {
	for _, r := range word {
		switch {
		case r >= 'a' && r <= 'z':
			c.lower++
		case r >= 'A' && r <= 'Z':
			c.upper++
		case r >= '0' && r <= '9':
			c.digit++
		case r < 0x80:
			c.other++
		default: // letters of other alphabets
			c.lower++
		}
	}
	return c
}

// isPlace reports whether a word is an address, a path, a date, a file's name, a
// telephone number or a UUID, which have figures and marks in them for other reasons.
func isPlace(word string) bool {
	c := classesOf(word)
	local, host, mail := strings.Cut(word, "@")
	stem, ending, file := word, "", false
	if dot := strings.LastIndexByte(word, '.'); dot > 0 {
		stem, ending, file = word[:dot], word[dot+1:], true
	}
	e := classesOf(ending)
	switch {
	case strings.Contains(word, "://") || strings.HasPrefix(word, "www."):
		return true
	case mail && local != "" && strings.Contains(host, ".") && !strings.ContainsAny(host, "@!?#$%"):
		return true
	case strings.HasPrefix(word, "/") || strings.HasPrefix(word, `\\`) || len(word) > 2 && word[1:3] == `:\`:
		return true
	case c.lower+c.upper == 0 && (strings.HasPrefix(word, "+") || strings.Count(word, "-") == 2 || strings.Count(word, "/") == 2):
		return true
	case file && e.lower+e.upper+e.digit == len(ending) && len(ending) >= 2 && len(ending) <= 5 && e.lower > 0 && e.upper == 0 && !strings.ContainsAny(stem, "!?#$%^&*"):
		return true
	}
	return len(word) == 36 && strings.Count(word, "-") == 4
}
