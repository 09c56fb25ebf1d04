package keepwatch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// AddTrend puts what was seen of an account's room into its trend: one sample for
// each day (UTC), the newest of it, oldest first, at most MaxTrend. trend itself stays
// as it is.
func AddTrend(trend []Quota, q Quota) []Quota {
	day := func(q Quota) string { return q.At.UTC().Format(time.DateOnly) }
	out := slices.DeleteFunc(slices.Clone(trend), func(old Quota) bool { return day(old) == day(q) && !old.At.After(q.At) })
	if !slices.ContainsFunc(out, func(old Quota) bool { return day(old) == day(q) }) {
		out = append(out, q)
	}
	slices.SortStableFunc(out, func(a, b Quota) int { return a.At.Compare(b.At) })
	return out[max(0, len(out)-MaxTrend):]
}

// How far back a trend is looked at, how many days it takes to be one, and how far
// ahead it is believed.
const (
	trendSpan  = 30 * 24 * time.Hour
	trendDays  = 7
	trendAhead = 30 * 24 * time.Hour
)

// FullAt says when an account has no room left if it grows on as it did in the last 30
// days (the straight line nearest to their samples), and false where that is not
// within 30 days, where it does not grow, or where fewer than 7 days are known.
func FullAt(trend []Quota) (time.Time, bool) {
	if len(trend) == 0 {
		return time.Time{}, false
	}
	last := trend[len(trend)-1]
	free, limited := last.Free()
	since := slices.IndexFunc(trend, func(q Quota) bool { return last.At.Sub(q.At) <= trendSpan })
	trend = trend[since:]
	if !limited || free == 0 || len(trend) < trendDays || last.At.Sub(trend[0].At) < (trendDays-2)*24*time.Hour {
		return time.Time{}, false
	}
	var x, y, xx, xy float64 // days, bytes; from the last sample, so that they stay small
	for _, q := range trend {
		days, bytes := q.At.Sub(last.At).Hours()/24, float64(q.Used-last.Used)
		x, y, xx, xy = x+days, y+bytes, xx+days*days, xy+days*bytes
	}
	n := float64(len(trend))
	perDay := (n*xy - x*y) / (n*xx - x*x)
	days := float64(free) / perDay
	if math.IsNaN(days) || days <= 0 || days > trendAhead.Hours()/24 {
		return time.Time{}, false
	}
	return last.At.Add(time.Duration(days * 24 * float64(time.Hour))), true
}

// ServerFacts gives what is wrong, or is about to be, with the server of a source
// itself, by what was seen of it last: certificates and tokens that run out within
// the longest step of Ladder, what the account may not do that its backups need, and
// too little room for the next full backup, or for anything soon.
func ServerFacts(source Source, state ServerState, archives []Archive, now time.Time, loc *time.Location) []Fact {
	facts := expiringFacts(source, state.Expiring, now, loc)
	if len(state.Lacks) > 0 {
		facts = append(facts, lacksFact(source, state.Lacks))
	}
	if f, ok := roomFact(source, state, archives, now, loc); ok {
		facts = append(facts, f)
	}
	return facts
}

// expiringFacts gives what of a host runs out, the soonest first. Of two with the same
// name the sooner counts.
func expiringFacts(source Source, expiring []Expiring, now time.Time, loc *time.Location) []Fact {
	list := slices.Clone(expiring)
	slices.SortStableFunc(list, func(a, b Expiring) int { return a.At.Compare(b.At) })
	var facts []Fact
	for _, e := range list {
		if e.At.IsZero() || now.Before(e.At.Add(-horizon())) {
			continue
		}
		name := shortName(e.Name)
		key := "host-expiry/" + source.Name + "/" + strings.Join(strings.Fields(strings.ToLower(Printable(e.Name))), "-")
		if slices.ContainsFunc(facts, func(f Fact) bool { return f.Key == key }) {
			continue
		}
		on := dayText(e.At, now, loc)
		f := Fact{
			Key: key, Kind: FactExpiry, Tone: ToneWarn, Until: e.At, Urge: e.At.UTC().Format(time.DateOnly),
			Title:   fmt.Sprintf("%s: %s runs out on %s", source.Name, name, on),
			Text:    paragraph(fmt.Sprintf("It stops working on %s, %s.", on, e.At.In(loc).Format("15:04 MST")), sentence(e.How)),
			Buttons: serverButtons(source),
		}
		if !now.Before(e.At.Add(-Urgent)) {
			f.Tone = ToneBad
		}
		if !now.Before(e.At) {
			f.Title = fmt.Sprintf("%s: %s ran out on %s", source.Name, name, on)
			f.Text = paragraph(fmt.Sprintf("It has not worked since %s, %s.", on, e.At.In(loc).Format("15:04 MST")), sentence(e.How))
		}
		facts = append(facts, f)
	}
	return facts
}

// shortName makes a host's name for something fit into a title, beside the longest
// name of a source.
func shortName(name string) string {
	const most = 46 // bytes
	name = Printable(name)
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most-len("…")], "") + "…"
}

func serverButtons(source Source) []Button {
	return []Button{{Label: "Look now", Command: "backup rotation " + source.Name + " --look"}, {Label: "Check all", Command: "keepwatch check"}}
}

func lacksFact(source Source, lacks []string) Fact {
	sentences := make([]string, len(lacks))
	for i, l := range lacks {
		sentences[i] = sentence(l)
	}
	return Fact{
		Key: "lacks/" + source.Name, Kind: FactLacks, Tone: ToneBad, Urge: strings.Join(lacks, "\n"),
		Title:   source.Name + ": the account may not do all that its backups need",
		Text:    paragraph(sentences...),
		Buttons: serverButtons(source),
	}
}

// roomFact gives that the next full backup, which the host makes in the account itself,
// does not fit there, or else that the account is full soon.
func roomFact(source Source, state ServerState, archives []Archive, now time.Time, loc *time.Location) (Fact, bool) {
	f := Fact{Key: "room/" + source.Name, Kind: FactRoom, Tone: ToneBad, Buttons: serverButtons(source)}
	if state.Quota == nil {
		return f, false
	}
	free, limited := state.Quota.Free()
	if !limited {
		return f, false
	}
	numbers := fmt.Sprintf("Of %s that the account may have, %s are free.", FormatBytes(state.Quota.Limit), FormatBytes(free))
	need, why := fullNeeds(source, *state.Quota, archives)
	at, growing := FullAt(state.Trend)
	switch {
	case free < need:
		f.Urge = "short"
		f.Title = fmt.Sprintf("%s: there is no room for the next full backup", source.Name)
		f.Text = paragraph(numbers, fmt.Sprintf("The next full backup takes about %s of it, %s, and a host's backup that finds no room is cut off.", FormatBytes(need), why),
			leftThere(source, state), "Remove what is not needed there, or ask the host for more room.")
	case growing && at.After(now) && at.Sub(now) <= trendAhead:
		f.Tone, f.Urge, f.Until = ToneWarn, "growing", at.UTC().Truncate(24*time.Hour)
		if !f.Until.After(now) {
			f.Until = at
		}
		// The week and not the day, so that it does not read differently each day.
		monday := at.In(loc).AddDate(0, 0, -(int(at.In(loc).Weekday())+6)%7)
		f.Title = fmt.Sprintf("%s: the account is full in the week of %s if it grows on so", source.Name, dayText(monday, now, loc))
		f.Text = paragraph(numbers, "A full account takes in no mail, and the host can make no backup in it.", leftThere(source, state), "Remove what is not needed there, or ask the host for more room.")
	default:
		return f, false
	}
	return f, true
}

// fullNeeds estimates what the next full backup takes in the account, in bytes, and says
// by what. 0: none is made there.
func fullNeeds(source Source, quota Quota, archives []Archive) (need int64, why string) {
	if len(source.Parts) > 0 { // parts are made while they are downloaded
		return 0, ""
	}
	var newest *Archive
	for i, a := range archives {
		if a.Source == source.Name && len(a.Parts) == 0 && a.IsVerified() && a.Bytes > 0 && (newest == nil || a.Started.After(newest.Started)) {
			newest = &archives[i]
		}
	}
	if newest != nil {
		return newest.Bytes, "as much as the newest archive has"
	}
	return quota.Used / 2, "half of what is in the account, as far as can be told before there is an archive"
}

// leftThere says how much of the room is taken by backups that lie in the account.
func leftThere(source Source, state ServerState) string {
	n, size := 0, int64(0)
	for _, b := range state.Backups {
		if b.Path != "" {
			n, size = n+1, size+b.Size
		}
	}
	if n == 0 || size == 0 {
		return ""
	}
	text := fmt.Sprintf("%s of the room is taken by %s that the host has made there.", FormatBytes(size), FormatCount(int64(n), "backup"))
	if source.Hosting != nil && !source.Hosting.Remove && source.Hosting.Push == nil {
		text += " With remove: true in keepwatch.yaml each goes once our archive of it is verified."
	}
	return text
}
