package keepwatch

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keep is a retention policy: how many archives to keep, by rules that each
// walk the archives from the newest to the oldest on their own; an archive stays
// if any rule keeps it. The rules are those of `restic forget`. A count of -1 is
// without limit. The zero policy keeps everything.
type Keep struct {
	Last    int `json:"last,omitempty"`
	Hourly  int `json:"hourly,omitempty"`
	Daily   int `json:"daily,omitempty"`
	Weekly  int `json:"weekly,omitempty"` // ISO weeks, Monday to Sunday
	Monthly int `json:"monthly,omitempty"`
	Yearly  int `json:"yearly,omitempty"`

	// The within rules reach back from the newest archive that counts, so that a
	// source that is no longer backed up loses nothing.
	Within        Span `json:"within,omitzero"`         // every archive
	WithinHourly  Span `json:"within_hourly,omitzero"`  // the newest of each hour
	WithinDaily   Span `json:"within_daily,omitzero"`   // … day
	WithinWeekly  Span `json:"within_weekly,omitzero"`  // … ISO week
	WithinMonthly Span `json:"within_monthly,omitzero"` // … month
	WithinYearly  Span `json:"within_yearly,omitzero"`  // … year
}

// IsZero reports whether there is no rule at all, so that everything is kept.
func (k Keep) IsZero() bool { return k == Keep{} }

// String writes the policy as JSON, "{}" for none. Two policies are the same if it
// is the same.
func (k Keep) String() string {
	data, err := json.Marshal(k)
	if err != nil {
		return "" // cannot be: it holds numbers only
	}
	return string(data)
}

// Rules writes all that decides what is removed, as people confirm it: the policy,
// and the zone whose days and weeks it counts. The zone is written with what it is
// ahead of UTC in winter and in summer, since "Local" means what the system says.
func (k Keep) Rules(loc *time.Location) string {
	winter, summer := time.Date(2026, time.January, 1, 0, 0, 0, 0, loc), time.Date(2026, time.July, 1, 0, 0, 0, 0, loc)
	return fmt.Sprintf("%s in %s (%s, %s)", k, loc, winter.Format("-07:00"), summer.Format("-07:00"))
}

// Span is a length of time by the calendar.
type Span struct{ Years, Months, Days, Hours int }

// IsZero reports whether it is no time at all.
func (s Span) IsZero() bool { return s == Span{} }

// String writes it as ParseSpan reads it: "1y5m7d2h".
func (s Span) String() string {
	var b strings.Builder
	for _, p := range []struct {
		n    int
		unit string
	}{{s.Years, "y"}, {s.Months, "m"}, {s.Days, "d"}, {s.Hours, "h"}} {
		if p.n != 0 {
			fmt.Fprintf(&b, "%d%s", p.n, p.unit)
		}
	}
	if b.Len() == 0 {
		return "0h"
	}
	return b.String()
}

// before gives the instant that lies the span before t.
func (s Span) before(t time.Time) time.Time {
	return t.AddDate(-s.Years, -s.Months, -s.Days).Add(-time.Duration(s.Hours) * time.Hour)
}

// ParseSpan reads years, months, days and hours, each at most once and in this
// order: "1y5m7d2h", "14d".
func ParseSpan(text string) (Span, error) {
	var s Span
	bad := Errorf(KindInvalid, "%q is no span of time. Write years, months, days and hours in this order, such as 1y5m7d2h or 14d.", text)
	rest := text
	for _, u := range []struct {
		unit string
		into *int
	}{{"y", &s.Years}, {"m", &s.Months}, {"d", &s.Days}, {"h", &s.Hours}} {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || !strings.HasPrefix(rest[digits:], u.unit) {
			continue
		}
		n, err := strconv.Atoi(rest[:digits])
		if err != nil || n > 100_000 {
			return Span{}, bad
		}
		*u.into, rest = n, rest[digits+1:]
	}
	if rest != "" || text == "" || s.IsZero() {
		return Span{}, bad
	}
	return s, nil
}

// Decision is what becomes of one archive, and why.
type Decision struct {
	Archive Archive
	Keep    bool
	Reasons []string // plain words, at least one
	BaseOf  string   // Ref of the newest archive that stays and goes on from this one; "": none does
}

// Decide applies the policy to the archives of one source, as of now, and gives
// a decision for each, newest first. Days and weeks are those of loc.
//
// Archives of the same path and parts are a group of their own, as restic groups
// by paths: a newer archive of one database does not stand for the whole account,
// nor one file of a drop folder for another, nor a folder for the one that had its
// name before. So are those that were brought home from a host; their day is the one
// that they are of.
//
// Only verified archives count. Those that are not are kept until a person has
// looked. One whose date lies in the future, made while the clock was wrong, does
// not count either: it would push out every archive that is made from now on.
// Pinned ones stay, and so do the newest verified one of each group and the newest
// that is whole, whatever the rules say.
//
// An archive of changes is of its day as any other. While it stays, so does what it goes
// on from. Where that is lost it does not count: it stands for nothing then.
func (k Keep) Decide(archives []Archive, now time.Time, loc *time.Location) []Decision {
	sorted := slices.Clone(archives)
	slices.SortStableFunc(sorted, func(a, b Archive) int { return b.AsOf().Compare(a.AsOf()) })
	out := make([]Decision, len(sorted))
	groups, chain := map[string][]*Decision{}, chainsOf(archives)
	for i, a := range sorted {
		d := &out[i]
		d.Archive = a
		if a.Pinned != "" {
			d.Reasons = append(d.Reasons, "pinned: "+a.Pinned)
		}
		switch {
		case a.Started.After(now):
			d.Reasons = append(d.Reasons, "its date lies in the future: it does not count, and stays until that day")
		case a.IsVerified() && chain.broken(a) != "":
			d.Reasons = append(d.Reasons, "it holds changes alone, and "+chain.broken(a)+": it does not count, and stays until somebody has looked")
		case a.IsVerified():
			groups[a.groupKey()] = append(groups[a.groupKey()], d)
		case len(a.Verified) == 0:
			d.Reasons = append(d.Reasons, "not verified yet: it does not count, and stays until it is")
		default:
			problem := strings.TrimSuffix(a.Verified[len(a.Verified)-1].Problems[0].Text, ".")
			d.Reasons = append(d.Reasons, "not as it should be ("+problem+"): it does not count, and stays until somebody has looked")
		}
	}
	for _, counted := range groups {
		k.decide(counted, loc)
	}
	hold(out)
	for i := range out {
		out[i].Keep = len(out[i].Reasons) > 0
		if !out[i].Keep {
			out[i].Reasons = []string{"no rule keeps it"}
		}
	}
	return out
}

// decide gives reasons to verified archives of one group, newest first.
func (k Keep) decide(counted []*Decision, loc *time.Location) {
	if k.IsZero() {
		for _, d := range counted {
			d.Reasons = append(d.Reasons, "there is no retention rule: everything is kept")
		}
		return
	}
	for _, r := range k.rules() {
		r.apply(counted, loc)
	}
	if newest := counted[0]; len(newest.Reasons) == 0 {
		newest.Reasons = append(newest.Reasons, "the newest verified archive is never removed")
	}
	whole := slices.IndexFunc(counted, func(d *Decision) bool { return d.Archive.Base == "" })
	if whole >= 0 && len(counted[whole].Reasons) == 0 { // it remembers the most that there was: see Peak
		counted[whole].Reasons = append(counted[whole].Reasons, "the newest verified archive that is whole is never removed")
	}
}

// rule is one line of a policy.
type rule struct {
	name   string // "daily"
	count  int    // counted rules: how many, -1 without limit
	span   Span   // within rules
	bucket func(time.Time) string
	label  func(time.Time) string // the bucket in words
}

func (k Keep) rules() []rule {
	type period struct {
		name   string
		bucket func(time.Time) string
		label  func(time.Time) string
	}
	hour := period{"hourly", func(t time.Time) string { return t.Format("2006-01-02 15") }, func(t time.Time) string { return "the hour " + t.Format("2 January, 15:00") }}
	day := period{"daily", func(t time.Time) string { return t.Format("2006-01-02") }, func(t time.Time) string { return t.Format("2 January") }}
	week := period{"weekly", func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprintf("%04d-%02d", y, w) }, func(t time.Time) string {
		return "the week of " + t.AddDate(0, 0, -(int(t.Weekday())+6)%7).Format("2 January")
	}}
	month := period{"monthly", func(t time.Time) string { return t.Format("2006-01") }, func(t time.Time) string { return t.Format("January 2006") }}
	year := period{"yearly", func(t time.Time) string { return t.Format("2006") }, func(t time.Time) string { return t.Format("2006") }}
	var rules []rule
	add := func(p period, count int, span Span) {
		if count != 0 {
			rules = append(rules, rule{name: p.name, count: count, bucket: p.bucket, label: p.label})
		}
		if !span.IsZero() {
			rules = append(rules, rule{name: p.name, count: -1, span: span, bucket: p.bucket, label: p.label})
		}
	}
	add(period{name: "last"}, k.Last, Span{})
	add(period{name: "within"}, 0, k.Within)
	add(hour, k.Hourly, k.WithinHourly)
	add(day, k.Daily, k.WithinDaily)
	add(week, k.Weekly, k.WithinWeekly)
	add(month, k.Monthly, k.WithinMonthly)
	add(year, k.Yearly, k.WithinYearly)
	return rules
}

// apply gives a reason to every archive that the rule keeps. list is sorted,
// newest first.
func (r rule) apply(list []*Decision, loc *time.Location) {
	var since time.Time
	if !r.span.IsZero() {
		since = r.span.before(list[0].Archive.AsOf().In(loc))
	}
	kept, last := 0, ""
	for i, d := range list {
		t := d.Archive.AsOf().In(loc)
		if !r.span.IsZero() && !t.After(since) {
			return
		}
		key := strconv.Itoa(i)
		if r.bucket != nil {
			key = r.bucket(t)
		}
		full := r.count >= 0 && kept >= r.count
		oldest := i == len(list)-1
		if full || (key == last && (!oldest || !r.span.IsZero())) {
			continue
		}
		kept++
		d.Reasons = append(d.Reasons, r.reason(t, kept, key == last))
		last = key
	}
}

// reason says in words why a rule keeps an archive.
func (r rule) reason(t time.Time, nth int, oldest bool) string {
	of := ""
	if r.count > 0 {
		of = fmt.Sprintf(" %d of %d", nth, r.count)
	}
	switch {
	case r.name == "last":
		return "one of the newest (last" + of + ")"
	case r.name == "within":
		return "within " + r.span.String() + " of the newest"
	case oldest:
		return "the oldest there is (" + r.name + of + ")"
	case !r.span.IsZero():
		return "newest of " + r.label(t) + " (" + r.name + ", within " + r.span.String() + ")"
	}
	return "newest of " + r.label(t) + " (" + r.name + of + ")"
}
