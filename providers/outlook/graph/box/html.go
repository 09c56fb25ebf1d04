package box

import (
	"html"
	"regexp"
	"strings"
)

// What HTML says as text, roughly: for mail programs and calendars that show no HTML. The
// HTML itself is kept beside it.
var (
	unshown  = regexp.MustCompile(`(?is)<!--.*?-->|<(?:head|style|script|title)\b.*?</(?:head|style|script|title)\s*>`)
	blanks   = regexp.MustCompile(`[ \t\r\n\f]+`)
	breaks   = regexp.MustCompile(`(?i)<br\s*/?>|</(?:p|div|li|tr|h[1-6]|table|blockquote)\s*>`)
	anyTag   = regexp.MustCompile(`(?s)<[A-Za-z/!?][^>]*>`)
	endBlank = regexp.MustCompile(` *\n *`)
	gaps     = regexp.MustCompile(`\n{3,}`)
)

func textOf(s string) string {
	s = unshown.ReplaceAllString(s, "")
	s = blanks.ReplaceAllString(s, " ")
	s = breaks.ReplaceAllString(s, "\n")
	s = html.UnescapeString(anyTag.ReplaceAllString(s, ""))
	s = strings.ReplaceAll(s, "\u00a0", " ")
	s = gaps.ReplaceAllString(endBlank.ReplaceAllString(s, "\n"), "\n\n")
	return strings.TrimSpace(s)
}
