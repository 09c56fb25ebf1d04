package when

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

// examples end a refusal that knows nothing nearer.
const examples = `for example "every weekday at 9", "first Monday of the month 10:00", "on 3 December at 14:00" or "in 2 hours"`

func refuse(format string, args ...any) *keepwatch.Error {
	return keepwatch.Errorf(keepwatch.KindInvalid, format, args...)
}

// twoWays refuses what can be read two ways, with an example of each reading. In all
// refusals, what stands in quotes after "write" or "example" can be written so.
func twoWays(said, first, firstExample, second, secondExample string) error {
	return refuse("%s can be read two ways: %s, or %s. For the first write %s, for the second write %s.",
		quote(said), first, second, quote(firstExample), quote(secondExample))
}

// quote puts what somebody wrote into quotes, shortened where it is long.
func quote(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return `"` + strings.ReplaceAll(text, `"`, `'`) + `"`
}

// clean makes one line of single blanks of what somebody wrote.
func clean(text string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
}

// clockText, dayText and dateText write times as Parse reads them.
func clockText(h, m int) string { return fmt.Sprintf("%02d:%02d", h, m) }

func dayText(m time.Month, d int) string { return strconv.Itoa(d) + " " + m.String() }

func dateText(t time.Time) string { return dayText(t.Month(), t.Day()) + " " + strconv.Itoa(t.Year()) }

// ordinalText writes 1 as "1st".
func ordinalText(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// countText writes a number with its unit.
func countText(n int, u unit) string {
	if n == 1 {
		return "1 " + u.String()
	}
	return strconv.Itoa(n) + " " + u.String() + "s"
}
