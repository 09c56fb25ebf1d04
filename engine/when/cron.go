package when

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"keepwatch"
)

// star is the bit that robfig/cron sets in a field that has a "*" without a step.
const star = uint64(1) << 63

// lastNth is the bit of "#L" among the bits of "#1" to "#5", which are 1 to 5.
const lastNth = 6

// searchYears is how far ahead a date is looked for. The rarest that there are, a
// fifth Monday in February, can be 40 years apart (2072 and 2112).
const searchYears = 48

// schedule is a cron expression that was read. It is not changed.
type schedule struct {
	fields *cron.SpecSchedule // as robfig/cron reads it, less what is only ours
	last   bool               // the day of month has "L"
	nth    [7]uint8           // of each day of the week: bits of "#1" to "#5" and "#L"
	// walk gives the times on every day of the months, where days fits decide; nil
	// where robfig/cron can do it alone.
	walk *cron.SpecSchedule
}

// isCron reports whether words are meant as a cron expression, be it a wrong one.
func isCron(words []string) bool {
	if len(words) == 0 {
		return false
	}
	if strings.HasPrefix(words[0], "@") && len(words[0]) > 1 || hasZonePrefix(words[0]) {
		return true
	}
	stars := false
	for i, w := range words {
		stars = stars || strings.ContainsAny(w, "*?")
		for _, part := range strings.FieldsFunc(w, func(r rune) bool { return strings.ContainsRune("*?/,-#+", r) }) {
			_, month := shortMonth(part)
			_, day := shortWeekday(part)
			// Endings such as those of 15W and 5L, which other crons have, are told apart later.
			ending := strings.Trim(strings.TrimRight(part, "lw"), "0123456789") == ""
			if !ending && (i < 2 || !month && !day) {
				return false
			}
		}
	}
	return stars || len(words) >= 4
}

// hasZonePrefix: robfig/cron v3.0.1 takes a zone in front of the expression, and
// panics where no blank follows (its issues 470 and 554).
func hasZonePrefix(word string) bool {
	return strings.HasPrefix(word, "tz=") || strings.HasPrefix(word, "cron_tz=")
}

// parseCron reads an expression of five fields. What robfig/cron v3.0.1 lets through
// is refused here: steps that are longer than their range ("*/100"), empty parts
// ("1,,2", and "," that never fires), signs. What it refuses is written for it: 7 for
// Sunday, ranges of days over the end of the week.
func parseCron(text string) (*schedule, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && hasZonePrefix(words[0]) {
		return nil, refuse("A time zone is given beside a cron expression, not within it: write %s.", quote("0 9 * * MON-FRI"))
	}
	if len(words) != 5 {
		return nil, refuse("A cron expression has five fields (minute, hour, day of month, month, day of week), and this one has %d: write %s for 09:00 on weekdays.", len(words), quote("0 9 * * MON-FRI"))
	}
	s := &schedule{}
	var plain [5]string
	for i, f := range cronFields() {
		var parts []string
		for part := range strings.SplitSeq(words[i], ",") {
			if ours, err := s.extension(i, part); err != nil {
				return nil, err
			} else if ours {
				continue
			}
			p, err := f.part(part)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
		plain[i] = strings.Join(parts, ",")
	}
	return s, s.read(plain)
}

// read has robfig/cron read the fields, and works out what it cannot.
func (s *schedule) read(plain [5]string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = refuse("The cron expression cannot be read: write %s for 09:00 on weekdays.", quote("0 9 * * MON-FRI")).Because(fmt.Errorf("robfig/cron panicked: %v", p))
		}
	}()
	empty := [5]bool{}
	for i, p := range plain {
		if empty[i] = p == ""; empty[i] {
			plain[i] = "*"
		}
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(strings.Join(plain[:], " "))
	if err != nil {
		return refuse("The cron expression cannot be read: write %s for 09:00 on weekdays.", quote("0 9 * * MON-FRI")).Because(err)
	}
	s.fields = parsed.(*cron.SpecSchedule)
	s.fields.Location = time.UTC // the wall; see the comment of the package
	all := *s.fields
	if empty[2] {
		s.fields.Dom = 0
	}
	if empty[4] {
		s.fields.Dow = 0
	}
	if s.last || s.nth != [7]uint8{} {
		all.Dom, all.Dow = ^uint64(0), ^uint64(0)
		s.walk = &all
	}
	return nil
}

// next gives the first time on the wall after another; zero where there is none.
func (s *schedule) next(wall time.Time) (found time.Time) {
	defer func() {
		if recover() != nil {
			found = time.Time{} // a fault of robfig/cron: it is never due rather than the end of the program
		}
	}()
	if s.walk == nil {
		// robfig/cron gives up after five years, and 29 February can be eight away.
		for from, limit := wall, wall.Year()+searchYears; from.Year() <= limit; {
			if t := s.fields.Next(from); !t.IsZero() {
				return t
			}
			from = time.Date(from.Year()+6, 1, 1, 0, 0, -1, 0, time.UTC)
		}
		return time.Time{}
	}
	day := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
	for limit := wall.Year() + searchYears; day.Year() <= limit; day = day.AddDate(0, 0, 1) {
		if !s.fits(day) {
			continue
		}
		from := wall
		if day.After(wall) {
			from = day.Add(-time.Second)
		}
		if t := s.walk.Next(from); t.Before(day.AddDate(0, 0, 1)) {
			return t
		}
	}
	return time.Time{}
}

// fits reports whether a day is one of the schedule's.
func (s *schedule) fits(t time.Time) bool {
	if s.fields.Month&(1<<t.Month()) == 0 {
		return false
	}
	left := daysIn(t.Year(), t.Month()) - t.Day()
	nth := uint8(1) << ((t.Day()-1)/7 + 1)
	if left < 7 {
		nth |= 1 << lastNth
	}
	dom := s.fields.Dom&(1<<t.Day()) != 0 || s.last && left == 0
	dow := s.fields.Dow&(1<<t.Weekday()) != 0 || s.nth[t.Weekday()]&nth != 0
	if s.fields.Dom&star != 0 || s.fields.Dow&star != 0 {
		return dom && dow
	}
	return dom || dow
}

// descriptor gives the five fields that a name such as @daily stands for.
func descriptor(name string) (string, bool) {
	text, ok := map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
		"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	}[name]
	return text, ok
}

// cronWhen makes a When of a cron expression, or of a name such as @daily or
// "@every 90m".
func (t *Times) cronWhen(words []string) (keepwatch.When, error) {
	text := strings.Join(words, " ")
	if words[0] == "@every" {
		return everyWhen(words[1:])
	}
	if strings.HasPrefix(words[0], "@") {
		fields, ok := descriptor(text)
		if !ok {
			return keepwatch.When{}, refuse("%s is not a name that Keepwatch knows: there are @hourly, @daily, @weekly, @monthly, @yearly and @every. For example %s.", quote(text), quote("@daily"))
		}
		text = fields
	}
	if _, err := t.schedule(strings.ToUpper(text)); err != nil {
		return keepwatch.When{}, err
	}
	return keepwatch.When{Cron: strings.ToUpper(text)}, nil
}

func everyWhen(words []string) (keepwatch.When, error) {
	every, err := time.ParseDuration(strings.Join(words, ""))
	if err != nil {
		return keepwatch.When{}, refuse("After @every comes how long to wait, in hours and minutes: write %s.", quote("@every 1h30m"))
	}
	return keepwatch.When{Every: every}, checkEvery(every)
}
