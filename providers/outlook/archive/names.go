package archive

import (
	"crypto/sha256"
	"encoding/base32"
	"hash/fnv"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"keepwatch/providers/outlook"
)

// Lengths in bytes, so that what an archive holds can be unpacked anywhere: most file
// systems take 255 bytes for a name, macOS 1,024 for a path.
const (
	maxName = 120 // of a name, with its end
	maxDir  = 600 // of the path of a folder
)

// device reports whether a name is one that Windows keeps for itself, whatever its end
// (learn.microsoft.com/windows/win32/fileio/naming-a-file).
func device(stem string) bool {
	stem = strings.ToUpper(stem)
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, ok := strings.CutPrefix(stem, "COM")
	if !ok {
		port, ok = strings.CutPrefix(stem, "LPT")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.Contains("0123456789¹²³", port)
}

// safeName makes a name that every file system takes, of at most so many bytes: in NFC,
// without the characters that Windows refuses, without those that nobody sees, and not
// beginning or ending with a dot or a space. "" is what is left of nothing.
func safeName(name string, most int) string {
	if len(name) > 8*maxName { // more is never left, and a subject may be a megabyte
		name = cut(name, 8*maxName)
	}
	name = norm.NFC.String(strings.ToValidUTF8(name, "\uFFFD"))
	name = strings.ReplaceAll(name, ": ", " ") // "Re: Offer"
	name = strings.Map(plainRune, name)
	name = cut(strings.Trim(strings.Join(strings.Fields(name), " "), ". "), most)
	name = strings.TrimRight(name, ". ")
	stem, _, _ := strings.Cut(name, ".")
	if stem = strings.TrimRight(stem, " "); device(stem) {
		name = cut(stem+"_"+name[len(stem):], most)
	}
	return name
}

// plainRune gives what stands for a character in a name, or -1 for nothing.
func plainRune(r rune) rune {
	switch r {
	case '/', '\\', '|', ':':
		return '-'
	case '<', '>', '?', '*':
		return '_'
	case '"':
		return '\''
	case '\u200C', '\u200D': // they belong to letters of some scripts, and to pictures
		return r
	}
	switch {
	case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // among them those that turn the direction of what follows
		return -1
	}
	return r
}

// cut shortens a text to so many bytes, at the end of a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// foldedName is what two names have in common that some file system takes for one.
func foldedName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) { // HFS+ does not see them
			return -1
		}
		return r
	}, norm.NFKC.String(cases.Fold().String(norm.NFKD.String(name))))
}

// names are those that are taken in one folder of the archive. It remembers eight bytes of
// each: two names may look like the same to it, which only costs one of them its beauty,
// but never does one that is taken look free.
type names struct{ taken map[uint64]struct{} }

func newNames() *names { return &names{map[uint64]struct{}{}} }

// take reports whether a name was free, and takes it.
func (n *names) take(name string) bool {
	h := fnv.New64a()
	h.Write([]byte(foldedName(name)))
	_, taken := n.taken[h.Sum64()]
	n.taken[h.Sum64()] = struct{}{}
	return !taken
}

// item gives the name of the file of an item: its date, its subject, and where that is
// taken already a few characters that are made of its ID. In the same order of items it is
// always the same, however often the archive is made.
func (n *names) item(it outlook.Item, zone *time.Location) string {
	end := "." + string(outlook.FormOf(it.Kind))
	stem := itemStem(it, zone, maxName-len(end))
	if n.take(stem + end) {
		return stem + end
	}
	sum := sha256.Sum256([]byte(it.ID))
	code := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
	for try := 1; ; try++ {
		mark := " (" + code[:min(4*try, len(code))] + ")"
		if 4*try > len(code) { // an ID that comes twice
			mark = numbered(try)
		}
		name := itemStem(it, zone, maxName-len(end)-len(mark)) + mark + end
		if n.take(name) {
			return name
		}
	}
}

// file gives the name of any other file; its end is not looked at.
func (n *names) file(name string) string {
	made := safeName(name, maxName)
	if made == "" {
		made = "no name"
	}
	end := path.Ext(made)
	stem := strings.TrimSuffix(made, end)
	for try := 2; !n.take(made); try++ {
		made = stem + numbered(try) + end
	}
	return made
}

// folder gives the name of a folder among those that are taken already.
func (n *names) folder(name string, most int) string {
	made := safeName(name, most)
	if made == "" {
		made = "no name"
	}
	for try := 2; !n.take(made); try++ {
		mark := numbered(try)
		stem := safeName(name, most-len(mark))
		if stem == "" {
			stem = "no name"
		}
		made = stem + mark
	}
	return made
}

// itemStem is the name of an item without its end, of at most so many bytes.
func itemStem(it outlook.Item, zone *time.Location, most int) string {
	date := ""
	if at := dateOf(it); writable(at.In(zone)) {
		switch it.Kind {
		case outlook.Mail:
			date = at.In(zone).Format("2006-01-02 1504")
		case outlook.Calendar:
			date = at.In(zone).Format("2006-01-02")
		}
	}
	subject := it.Subject
	if safeName(subject, most) == "" {
		subject = "no subject"
		if it.Kind == outlook.Contacts {
			subject = "no name"
		}
	}
	return safeName(date+" "+subject, most)
}

// dateOf is the date of an item: what a person looks for it by. It is zero where the
// server gave none.
func dateOf(it outlook.Item) time.Time {
	for _, t := range []time.Time{it.At, it.Sent, it.Modified, it.Created} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// writable reports whether a time is one and has a year of four digits.
func writable(t time.Time) bool { return !t.IsZero() && t.Year() >= 1 && t.Year() <= 9999 }

// numbered is the end of a name that is there already.
func numbered(n int) string { return " (" + strconv.Itoa(n) + ")" }
