package mailbox

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keepwatch"
)

// longestName is how many bytes of a name come from a folder or a subject. File
// systems allow 255 bytes (ext4, NTFS counts 255 UTF-16 units), a date, a number and an
// ending are added, and some programs stop at 260 characters of a whole path.
const longestName = 120

// reserved are the names of devices of Windows, which no file may have there, with any
// ending (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true, "conin$": true, "conout$": true,
}

// isReserved reports whether a name is one of a device of Windows.
func isReserved(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	base = strings.TrimRight(base, " ")
	if reserved[base] {
		return true
	}
	port, ok := strings.CutPrefix(base, "com")
	if !ok {
		port, ok = strings.CutPrefix(base, "lpt")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}

// safeName makes the name of a file or a folder out of any text: letters of every
// script stay; what a file system, a shell or an eye could trip over does not. empty
// stands for a text of which nothing is left.
func safeName(text, empty string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case c == utf8.RuneError, strings.ContainsRune(`/\:*?"<>|`, c):
			return '_'
		case unicode.IsSpace(c) || unicode.IsControl(c):
			return ' '
		case c == '\u200d' || c == '\u200c': // joiners: scripts and emoji need them
			return c
		case !unicode.IsPrint(c): // marks that turn the direction of text, among others
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, "_"))
	text = cutName(strings.Join(strings.Fields(text), " "), longestName)
	text = strings.TrimRight(text, ". ") // Windows drops these
	if strings.HasPrefix(text, ".") {    // hidden on Unix, and ".." is no name at all
		text = "_" + text
	}
	if strings.Trim(text, "_ \u200c\u200d") == "" {
		return empty
	}
	if isReserved(text) {
		text = "_" + text
	}
	return text
}

// cutName cuts a text to so many bytes, between two characters as an eye sees them.
func cutName(text string, most int) string {
	if len(text) <= most {
		return text
	}
	at := most
	for at > 0 && (!utf8.RuneStart(text[at]) || joins(text[at:])) {
		at--
	}
	if at == 0 { // nothing but marks
		for at = most; !utf8.RuneStart(text[at]); at-- {
		}
	}
	return text[:at]
}

// joins reports whether a text begins with a character that belongs to the one before.
func joins(text string) bool {
	c, _ := utf8.DecodeRuneInString(text)
	return unicode.In(c, unicode.Mn, unicode.Me, unicode.Mc) || c == '\u200d' || c == '\u200c' || c == '\ufe0f'
}

// itemName gives the name of the file of an item, without its ending: the day, the
// subject, and its number in the folder, so that no two are the same and each can be
// found again in the list of the folder: "2024-05-06 Minutes #17".
func itemName(item keepwatch.MailItem, zone *time.Location) string {
	name := safeName(item.Subject, "no subject") + " #" + strconv.FormatInt(item.Number, 10)
	if !item.At.IsZero() {
		name = item.At.In(zone).Format("2006-01-02") + " " + name
	}
	if isReserved(name) { // "CON #1"; a subject that is one is no name then
		name = "_" + name
	}
	return name
}
