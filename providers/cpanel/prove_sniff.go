package cpanel

import (
	"bytes"
	"encoding/json"
	"html"
	"strings"
	"unicode"

	"keepwatch"
)

// signature is how another kind of file begins.
type signature struct{ begins, name string }

// signatures are of what may lie under an archive's name by mistake.
func signatures() []signature {
	return []signature{
		{"PK\x03\x04", "a ZIP archive"},
		{"\x28\xb5\x2f\xfd", "a file that zstd has packed"},
		{"\xfd7zXZ\x00", "a file that xz has packed"},
		{"BZh", "a file that bzip2 has packed"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
		{"age-encryption.org/", "a file that age has encrypted"},
		{"%PDF-", "a PDF document"},
		{"\x7fELF", "a program"},
	}
}

// whatItIs says what came in place of a gzip file, by its first bytes.
func whatItIs(head []byte, zeros bool) (rule, text string) {
	text = bytesText(head)
	if zeros {
		return "zeros", "is nothing but zeros: its room was reserved and never written. Look at the account's quota, remove it at the host and start a new backup."
	}
	if isPage(head) {
		return "page", "is no archive but a web page" + titled(text) + ". The host refused the download and showed a page instead: mostly a login page, because the token or password does not count for downloads, or an error of the host. Look at the sign-in with bot check, and bring it home again."
	}
	if said, ok := answerText(head); ok {
		return "page", "is no archive but an answer of the host in JSON" + said + ". Look at what it says and at the account's rights, and bring it home again."
	}
	if len(head) >= 512 && string(head[257:262]) == "ustar" {
		return "format", "is a tar archive that is not compressed, so that it has no checksum either, and nobody can tell whether its content is as it was. Look at what lies under that name at the host, and start a new backup."
	}
	for _, s := range signatures() {
		if strings.HasPrefix(string(head), s.begins) {
			return "format", "is no archive that gzip has packed but " + s.name + ". Look at what lies under that name at the host, and start a new backup."
		}
	}
	return "format", "is no archive that gzip has packed: it begins with " + quoteBytes(head) + ". Either it is another file, or its first bytes were damaged. Look at what lies under that name at the host, and start a new backup."
}

// bytesText gives the first bytes of a file as text.
func bytesText(head []byte) string {
	return strings.ToValidUTF8(strings.TrimPrefix(string(head), "\ufeff"), "\ufffd")
}

// isPage reports whether text is a web page.
func isPage(head []byte) bool {
	text := strings.ToLower(bytesText(head[:min(len(head), 2<<10)]))
	text = strings.TrimSpace(text)
	for strings.HasPrefix(text, "<!--") { // a comment may stand before everything
		_, after, ok := strings.Cut(text, "-->")
		if !ok {
			return true
		}
		text = strings.TrimSpace(after)
	}
	for _, begins := range []string{"<!doctype html", "<html", "<head", "<body", "<title", "<script", "<meta", "<div"} {
		if strings.HasPrefix(text, begins) {
			return true
		}
	}
	return strings.HasPrefix(text, "<?xml") && strings.Contains(text, "<html")
}

// titled gives the title of a web page as the end of a sentence, or nothing.
func titled(page string) string {
	lower := strings.ToLower(page)
	if len(lower) != len(page) { // letters whose small form is longer
		lower = page
	}
	_, after, ok := cutAt(page, lower, "<title")
	if !ok {
		return ""
	}
	_, after, ok = strings.Cut(after, ">")
	if !ok {
		return ""
	}
	title, _, _ := strings.Cut(after, "<")
	if title = show(html.UnescapeString(title)); title == "" {
		return ""
	}
	return " with the title “" + title + "”"
}

// cutAt cuts text where its lower-case form has what.
func cutAt(text, lower, what string) (before, after string, ok bool) {
	i := strings.Index(lower, what)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(what):], true
}

// answerText reports whether what came is an answer in JSON, and gives what it says.
func answerText(head []byte) (said string, ok bool) {
	head = bytes.TrimSpace(head)
	if len(head) == 0 || head[0] != '{' || !json.Valid(head) {
		return "", false
	}
	var answer struct {
		Errors []string `json:"errors"`
		Error  string   `json:"error"`
		Result struct {
			Errors []string `json:"errors"`
		} `json:"result"`
	}
	_ = json.Unmarshal(head, &answer) // of another shape: it says nothing that we know
	words := append(append(answer.Errors, answer.Result.Errors...), answer.Error)
	if text := show(strings.Join(words, " ")); text != "" {
		return ", which says “" + text + "”", true
	}
	return "", true
}

// shown is how much of a text of others is shown, in characters.
const shown = 160

// show makes a text of others fit for a sentence: one line, no control characters, not
// too long.
func show(text string) string {
	if len(text) > 8*shown {
		text = text[:8*shown]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > shown {
		text = string(runes[:shown]) + "…"
	}
	return text
}

// showAll joins names for a sentence: the first ten, and how many more there are.
func showAll(names []string) string {
	const most = 10
	var list []string
	for _, n := range names[:min(len(names), most)] {
		list = append(list, show(n))
	}
	text := strings.Join(list, ", ")
	if more := len(names) - most; more > 0 {
		text += " and " + keepwatch.FormatCount(int64(more), "") + " more"
	}
	return text
}

// quoteBytes shows the first bytes of something: as text where they are text, and as
// hexadecimal numbers where not.
func quoteBytes(b []byte) string {
	b = b[:min(len(b), 60)]
	text := 0
	for _, r := range string(b) {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar || unicode.IsSpace(r) {
			text++
		}
	}
	if n := len([]rune(string(b))); n > 0 && text == n {
		return "“" + show(string(b)) + "”"
	}
	const digits = "0123456789abcdef"
	var out strings.Builder
	for i, c := range b[:min(len(b), 8)] {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteByte(digits[c>>4])
		out.WriteByte(digits[c&15])
	}
	return "the bytes " + out.String()
}
