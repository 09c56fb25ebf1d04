package slack

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"

	"keepwatch"
)

// escaper and unescaper are made once: a Replacer is costly to make.
var (
	escaper   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// escape makes a text mean nothing in mrkdwn: the three characters that begin
// mentions, links and entities are replaced, as
// docs.slack.dev/messaging/formatting-message-text ("Escaping text") says.
func escape(text string) string { return escaper.Replace(text) }

// unescape undoes escape, for what people typed.
func unescape(text string) string { return unescaper.Replace(text) }

// length gives what a text counts for in a limit: its UTF-16 units, escaped.
func length(text string) int {
	n := 0
	for _, c := range text {
		n += units(c)
	}
	return n
}

// fits reports whether a text is at most n long; it reads no more than it must.
func fits(text string, n int) bool {
	for _, c := range text {
		if n -= units(c); n < 0 {
			return false
		}
	}
	return true
}

// head gives the beginning of a text that is far too long for anything here, so
// that no more work is done on the rest.
func head(text string) string {
	const most = 16 * maxMessage
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func units(c rune) int {
	switch {
	case c == '&':
		return len("&amp;")
	case c == '<' || c == '>':
		return len("&lt;")
	case c > 0xffff:
		return 2
	}
	return 1
}

// cut divides a text so that its head is at most n long, between characters as
// people see them, and where it can at the end of a line or of a word.
func cut(text string, n int) (head, tail string) {
	if fits(text, n) {
		return text, ""
	}
	end, blank, line, used := 0, 0, 0, 0
	g := uniseg.NewGraphemes(text)
	for g.Next() {
		cluster := g.Str()
		if used += length(cluster); used > n {
			break
		}
		_, end = g.Positions()
		switch cluster {
		case " ":
			blank = end
		case "\n":
			line = end
		}
	}
	switch {
	case line > end/2:
		end = line
	case blank > end/2:
		end = blank
	case end == 0: // one character that is longer than the limit, by accents on accents
		used = 0
		for i, c := range text {
			if used += units(c); used > n {
				break
			}
			end = i + len(string(c))
		}
	}
	return text[:end], text[end:]
}

// clip shortens a text to at most n; what is left out is marked.
func clip(text string, n int) string {
	if fits(text, n) {
		return text
	}
	head, _ := cut(text, n-1)
	return strings.TrimRightFunc(head, unicode.IsSpace) + "…"
}

// clean is what a person may be shown of a text: nothing in it hides, and it is
// valid UTF-8. Ends of lines stay.
func clean(text string) string { return keepwatch.Clean(head(text)) }

// line is clean for what must stay in one line.
func line(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(clean(text), "\n", " "))
}

// blankText reports whether nothing of a text would be seen; Slack refuses
// elements with such a text.
func blankText(text string) bool { return strings.TrimSpace(text) == "" }

// utc writes an instant for those whose client does not know better.
func utc(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") + " UTC" }

// date writes an instant that Slack shows in the reader's own zone
// (docs.slack.dev/messaging/formatting-message-text, "Date formatting").
func date(t time.Time) string {
	if t.Unix() <= 0 || t.Year() > 9999 {
		return escape(utc(t))
	}
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), escape(utc(t)))
}
