package keepwatch

import (
	"strings"
	"time"
)

// strongWord reports whether a word of a sentence is made as passwords are: eight
// characters or more, with three of small letters, capitals, digits and signs among
// them, and not just a name with a number behind it ("Office365", "Server-2024").
func strongWord(word string) bool {
	word = strings.Trim(word, ".,;:?\"'()[]“”„*_`")
	if len(word) < 8 || ordinary(word) {
		return false
	}
	var lower, upper, digit, sign, back, last bool // back: a letter behind a digit
	runes := []rune(word)
	for i, c := range runes {
		number := figure(c)
		switch {
		case strings.ToLower(string(c)) != string(c):
			upper = true
		case letter(c):
			lower = true
		case number:
			digit = true
		case c == '$' && i+1 < len(runes) && figure(runes[i+1]): // US$1500
		case c < 0x80 && !strings.ContainsRune(`-./_'":,;()[]+&\`, c):
			sign = true
		}
		back = back || last && letter(c)
		last = number
	}
	classes := 0
	for _, there := range []bool{lower, upper, digit, sign} {
		if there {
			classes++
		}
	}
	return classes >= 3 && (back || sign)
}

func figure(c rune) bool { return c >= '0' && c <= '9' }

// letter reports whether a character is one of an alphabet with capitals.
func letter(c rune) bool { return strings.ToLower(string(c)) != strings.ToUpper(string(c)) }

// ordinary reports whether a word mixes letters, digits and signs as what leads
// somewhere does, or a date, a product with its version, or a number of a case.
func ordinary(word string) bool {
	if address(word) || uuid(word) || program(word) || hostName(word) || calendarWord(word) {
		return true
	}
	if strings.HasPrefix(word, "<") && strings.ContainsAny(word, ">|") || strings.HasPrefix(word, "~/") { // a chat's mention of somebody
		return true
	}
	if name, host, at := strings.Cut(word, "@"); at && len(name) > 1 && len(host) > 2 && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz") == "" {
		return true // an address whose end was left out
	}
	small := strings.ToLower(word)
	for _, product := range []string{"iphone", "ipad", "ios", "macos", "macbook", "windows", "office365", "microsoft365", "galaxy", "pixel", "1password"} {
		if strings.HasPrefix(small, product) && !strings.ContainsAny(word, "!@#$%^&*?=") {
			return true
		}
	}
	for _, model := range []string{"ultra", "plus", "lite", "mini", "pro", "max"} { // S24Ultra
		if before, found := strings.CutSuffix(small, model); found && len(before) < 5 && strings.Trim(before, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
			return true
		}
	}
	name, number, numbered := strings.Cut(small, "#")
	if numbered && number != "" && strings.Trim(number, "0123456789-") == "" {
		switch name {
		case "", "box", "case", "fall", "invoice", "issue", "locker", "order", "room", "ticket":
			return true
		}
	}
	return false
}

// hostName reports whether a word is written as a name of a host: labels of letters,
// digits and hyphens, the last of them letters alone ("Contoso1.onmicrosoft.com").
func hostName(word string) bool {
	labels := strings.Split(strings.ToLower(word), ".")
	for _, label := range labels {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	end := labels[len(labels)-1]
	return len(labels) > 1 && len(end) > 1 && strings.Trim(end, "abcdefghijklmnopqrstuvwxyz") == ""
}

// calendarWord reports whether a word is a date: 2026-11-20, 20Nov2026.
func calendarWord(word string) bool {
	for _, layout := range []string{time.DateOnly, "2006-1-2", time.RFC3339, "2Jan2006", "2-Jan-2006", "02January2006", "2.1.2006", "2/1/2006", "1/2/2006"} {
		if _, err := time.Parse(layout, word); err == nil {
			return true
		}
	}
	return false
}

// isPassword reports whether the word at i is said to be one: "Sommer-2024 is the
// password", "it has Sommer-2024 as password for Gandi".
func isPassword(words []string, i int) bool {
	word, rest := strings.Trim(words[i], ".,;:?\"'()[]“”„"), words[i+1:]
	if len(rest) < 2 || len(word) < 4 || ordinary(word) || !strings.ContainsFunc(word, func(c rune) bool { return !letter(c) && c != '-' && c != '\'' && c != '’' }) {
		return false
	}
	switch strings.ToLower(rest[0]) {
	case "is", "as", "was", "ist", "als", "war", "=":
		rest = rest[1:]
	default:
		return false
	}
	switch strings.ToLower(rest[0]) {
	case "the", "a", "my", "our", "their", "das", "die", "der", "mein", "unser":
		rest = rest[1:]
	}
	if len(rest) == 0 || !nameOfSecret(strings.Trim(rest[0], `.,;:!?"')`)) {
		return false
	}
	if len(rest) == 1 || strings.TrimRight(rest[0], ".,;:!?)") != rest[0] {
		return true
	}
	switch strings.ToLower(rest[1]) { // and not "1&1 is the password manager"
	case "for", "of", "at", "there", "here", "now", "and", "für", "von", "bei", "dort":
		return true
	}
	return false
}
