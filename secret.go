package keepwatch

import (
	"fmt"
	"log/slog"
	"strings"
)

// Secret holds a token, password or key that must not be printed. Every way of
// formatting, logging or encoding it gives "<secret>"; only Reveal gives the
// text, at the one place that sends it.
//
// The text is behind a pointer, because fmt calls no method of what lies below a
// value that a verb does not suit (%d of a struct): it prints the address then.
type Secret struct{ text *string }

const redacted = "<secret>"

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal gives the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is nothing in it.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether two secrets are the same text; == does not.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

func (s Secret) String() string   { return redacted }
func (s Secret) GoString() string { return redacted }

// Format answers every fmt verb alike, %x and %q included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText keeps it out of JSON, YAML and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps it out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// HoldsSecret reports whether a text plainly has a secret in it: a private key, a
// token, something random and long, a word made as passwords are, or "the password
// is …". It is for texts that are kept or shown, so that what somebody wrote by mistake
// is neither. Nothing can tell every secret; it is meant to let no ordinary sentence
// fall.
func HoldsSecret(text string) bool {
	upper := strings.ToUpper(text)
	for _, mark := range []string{"AGE-SECRET-KEY-", "-----BEGIN "} {
		if strings.Contains(upper, mark) {
			return true
		}
	}
	words := strings.Fields(text)
	for i, word := range words {
		if namesSecret(words, i) || isPassword(words, i) || strongWord(word) || randomWord(strings.Trim(word, `.,;:!?"'()[]`)) {
			return true
		}
		if i > 0 && nameOfSecret(words[i-1]) && secretAfter(words[i:]) {
			return true
		}
	}
	return inGroups(words)
}

// inGroups reports whether there is a key among words that is written in groups of
// the same length, as Microsoft's Security info shows the key of a code generator, and
// BitLocker its recovery key.
func inGroups(words []string) bool {
	alike, mixed, digits := 0, 0, 0
	for i, w := range words {
		letters, figures := strings.Trim(strings.ToLower(w), "0123456789") != "", strings.ContainsAny(w, "0123456789")
		if len(w) < 4 || len(w) > 6 || strings.Trim(strings.ToLower(w), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			alike, mixed, digits = 0, 0, 0
			continue
		}
		if alike > 0 && len(w) != len(words[i-1]) {
			alike, mixed, digits = 0, 0, 0
		}
		alike++
		if letters && figures {
			mixed++
		} else if figures {
			digits++
		}
		if alike >= 4 && mixed >= 2 || digits >= 6 && len(w) == 6 {
			return true
		}
	}
	return false
}

// LooksSecret reports whether an answer to "where is it recorded?" is rather the
// secret itself: it holds one, or is a single word that mixes letters with digits or
// signs as passwords do, or is a number alone. Two words that name a place pass.
func LooksSecret(text string) bool {
	words := strings.Fields(text)
	if HoldsSecret(text) {
		return true
	}
	if len(words) == 0 {
		return false
	}
	if strings.Trim(strings.Join(words, ""), "0123456789-./ ") == "" {
		return len(strings.Join(words, "")) >= 4 // a PIN, a recovery key
	}
	word := strings.TrimRight(words[0], ".,;")
	if uuid(word) {
		return false
	}
	return len(words) == 1 && len(word) >= 6 && !address(word) && !program(word) && changes(word) > 0
}

// namesSecret reports whether the word at i says what a secret is, and not where:
// "password is hunter2", "PIN: 4711", but not "the password is in the safe".
func namesSecret(words []string, i int) bool {
	name, value, joined := cutSign(strings.ToLower(words[i]))
	if !nameOfSecret(name) {
		return false
	}
	rest := words[i+1:]
	if joined && value != "" {
		return !leadsOn(value)
	}
	if !joined && len(rest) > 0 && (strings.EqualFold(rest[0], "is") || strings.EqualFold(rest[0], "ist") || rest[0] == "=" || rest[0] == ":") {
		joined, rest = true, rest[1:]
	}
	if !joined || len(rest) == 0 {
		return false
	}
	next := strings.ToLower(strings.Trim(rest[0], `.,;:"'`))
	ends := len(rest) == 1 || strings.TrimRight(rest[0], ".,;:!?") != rest[0]
	return !leadsOn(next) && !(ends && next == "correct") // and not "correct horse battery staple"
}

// nameOfSecret reports whether a word is what secrets are called.
func nameOfSecret(word string) bool {
	switch strings.Trim(strings.ToLower(word), `"'(`) {
	case "password", "passwort", "passwd", "passphrase", "pwd", "pw", "pin", "passcode":
		return true
	}
	return false
}

// secretAfter reports whether the words behind "password" or "PIN" begin with it:
// "PIN 4711", "password hunter2", but not "password Office365 folder".
func secretAfter(words []string) bool {
	word := strings.TrimRight(words[0], ".,;")
	if calendarWord(word) || hostName(word) {
		return false
	}
	if strings.Trim(word, "0123456789-") == "" {
		return len(word) >= 4
	}
	n := changes(word)
	return len(word) >= 6 && !address(word) && !program(word) && (n > 1 || n == 1 && len(words) == 1)
}

// cutSign takes "password:x" or "password=x" apart.
func cutSign(word string) (name, value string, found bool) {
	if at := strings.IndexAny(word, ":="); at >= 0 {
		return word[:at], word[at+1:], true
	}
	return word, "", false
}

// leadsOn reports whether a word after "the password is" leads on to a place, or to
// what became of it.
func leadsOn(word string) bool {
	switch word {
	case "a", "also", "an", "at", "behind", "below", "beside", "both", "by", "filed", "for", "held", "here", "in", "inside", "kept", "known", "locked", "lost", "my", "near", "not", "noted", "on", "only", "our", "printed", "recorded", "safe",
		"saved", "sealed", "see", "still", "stored", "the", "there", "under", "unknown", "where", "with", "written":
		return true
	case "accepted", "always", "asked", "being", "blocked", "changed", "different", "empty", "expired", "forgotten", "gone", "incorrect", "invalid", "missing", "needed", "never", "new", "no", "nowhere", "old", "refused", "rejected",
		"required", "reset", "right", "same", "too", "wanted", "weak", "working", "wrong", "falsch", "im", "vergessen":
		return true
	}
	return false
}

// randomWord reports whether a word is long and changes between letters and digits
// as only something random does. Addresses and the ids of Microsoft's tenants and
// subscriptions, which are no secret, are none.
func randomWord(word string) bool {
	if at := strings.Index(word, "://"); at >= 0 { // https://name:password@host
		host, _, _ := strings.Cut(word[at+3:], "/")
		return strings.Contains(host, "@") && strings.Contains(host, ":")
	}
	if len(word) < 16 || address(word) || uuid(word) || calendarWord(word) {
		return false
	}
	if strings.Trim(word, "0123456789-") == "" {
		return len(word) >= 40 // a recovery key of 48 digits
	}
	return !strings.ContainsAny(word, `/\`) && changes(word) >= 4 && strings.ContainsAny(word, "0123456789")
}

// address reports whether a word leads somewhere: e-mail, web, path.
func address(word string) bool {
	name, host, at := strings.Cut(word, "@")
	dotted := strings.Contains(host, ".") && !strings.HasSuffix(host, ".")
	return at && name != "" && dotted || strings.Contains(word, "://") || strings.HasPrefix(word, "/") || strings.HasPrefix(word, `\\`) || len(word) > 2 && word[1:3] == `:\`
}

// program reports whether a word is a password manager or a place whose name mixes
// classes, as passwords do.
func program(word string) bool {
	switch strings.ToLower(word) {
	case "1password", "keepass", "keepassx", "keepassxc", "keepass2android", "lastpass", "nordpass", "passbolt", "pass", "dashlane", "roboform", "icloud",
		"onedrive", "sharepoint", "onenote", "passwordsafe":
		return true
	}
	return false
}

// uuid reports whether a word is one: 8-4-4-4-12 hexadecimal digits.
func uuid(word string) bool {
	parts := strings.Split(word, "-")
	if len(parts) != 5 {
		return false
	}
	for i, n := range [...]int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(strings.ToLower(parts[i]), "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}

// changes counts how often a word changes between lower case, upper case, digits
// and signs. A capital before small letters is no change, and neither is a hyphen
// or apostrophe between letters ("Blaenau-Ffestiniog").
func changes(word string) int {
	const lower, upper, digit, sign = 1, 2, 3, 4
	class := func(c byte) int {
		switch {
		case c >= 'a' && c <= 'z' || c >= 0x80: // a letter of another alphabet counts as a small one
			return lower
		case c >= 'A' && c <= 'Z':
			return upper
		case c >= '0' && c <= '9':
			return digit
		}
		return sign
	}
	n, before := 0, 0
	for i := range len(word) {
		c := class(word[i])
		if (word[i] == '-' || word[i] == '\'' || word[i] == '.') && i > 0 && i+1 < len(word) && class(word[i+1]) <= upper {
			before = 0
			continue
		}
		if before != 0 && c != before && !(before == upper && c == lower) {
			n++
		}
		before = c
	}
	return n
}
