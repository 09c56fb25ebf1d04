package keepwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Departure is a backup on a provider's server, and when it goes.
type Departure struct {
	Backup ServerBackup
	// Run says at which of the host's runs from now on it goes, because it keeps so
	// many: 1 is the next one. 0: it does not go by number.
	Run int
	By  time.Time // when it goes by age; zero: it does not
	// Guess: nobody has said what the host keeps; it is taken to keep as many as it
	// holds.
	Guess bool
	// Home: it was brought home, into an archive that is verified or that our own
	// retention has removed since.
	Home bool
	// Near is the Ref of a whole and verified archive of ours of about the same day,
	// where the backup itself cannot be brought home, because the account does not get
	// at it: with it nothing is lost when the backup goes. "": there is none.
	Near string
}

// Kept reports whether what the backup holds is in a verified archive, as far as
// that can be.
func (d Departure) Kept() bool { return d.Home || d.Near != "" }

// nearBy is how far an archive may be from a backup of which only the day is known, to
// stand for it: the day itself, and a day before and after it.
const nearBy = 36 * time.Hour

// near gives the archive that stands for a backup which cannot be brought home.
func near(source Source, b ServerBackup, archives []Archive) string {
	if b.Path != "" || b.Stays {
		return ""
	}
	for _, a := range archives {
		if a.Source == source.Name && len(a.Parts) == 0 && a.IsVerified() && a.AsOf().Sub(b.At.Add(12*time.Hour)).Abs() <= nearBy {
			return a.Ref()
		}
	}
	return ""
}

// Departures gives the backups that a server holds, in the order in which they go:
// the oldest first. cPanel removes the oldest after a backup that went well, so that
// one more than it keeps may be there (docs.cpanel.net/whm/backup/backup-configuration).
// One that stays goes neither by number nor by age, and does not count among those
// that the host keeps.
func Departures(source Source, state ServerState, archives []Archive) []Departure {
	backups := slices.Clone(state.Backups)
	slices.SortStableFunc(backups, func(a, b ServerBackup) int { return a.At.Compare(b.At) })
	rotated := 0
	for _, b := range backups {
		if !b.Stays {
			rotated++
		}
	}
	keeps, guess := source.Rotation.Keeps, source.Rotation == Rotation{}
	if guess {
		keeps = rotated
	}
	var list []Departure
	before := 0 // of those that are rotated away
	for _, b := range Homes(source.Name, backups, nil, archives) {
		d := Departure{Backup: b, Home: isHome(b, archives), Near: near(source, b, archives)}
		if b.Stays {
			list = append(list, d)
			continue
		}
		d.Guess = guess
		if keeps > 0 {
			d.Run = max(1, keeps-rotated+1+before)
		}
		before++
		if source.Rotation.MaxAge > 0 {
			d.By = b.At.Add(source.Rotation.MaxAge)
		}
		list = append(list, d)
	}
	return list
}

// Homes gives the backups that a server of a source holds, each with the archive that
// it was brought home into: the newest verified one of it, else one that is there and
// damaged, else what was known of it before, since our own retention may have removed
// that archive meanwhile. before is what the server was seen to hold the time before.
func Homes(source string, backups, before []ServerBackup, archives []Archive) []ServerBackup {
	backups = slices.Clone(backups)
	for i, b := range backups {
		for _, old := range before {
			if old.ID == b.ID && b.Home == "" {
				backups[i].Home = old.Home
			}
		}
		var best Archive
		for _, a := range archives {
			if a.Source != source || a.Held == "" || a.Held != b.ID {
				continue
			}
			if best.Held == "" || a.IsVerified() && !best.IsVerified() || a.IsVerified() == best.IsVerified() && a.Started.After(best.Started) {
				best = a
			}
		}
		if best.Held != "" {
			backups[i].Home = best.Ref()
		}
	}
	return backups
}

// Away gives what is to be brought home first of what a server holds: of those that
// were not and that the account gets at, the one that goes next. found is false where
// there is none.
func Away(all []Departure) (next Departure, found bool) {
	i := slices.IndexFunc(all, func(d Departure) bool { return !d.Home && d.Backup.Path != "" })
	if i < 0 {
		return next, false
	}
	return all[i], true
}

// isHome reports whether a backup was brought home. An archive that is no longer
// listed was: it was removed by rules that somebody has confirmed. One that is there
// and damaged holds nothing.
func isHome(b ServerBackup, archives []Archive) bool {
	i := slices.IndexFunc(archives, func(a Archive) bool { return a.Ref() == b.Home })
	return b.Home != "" && (i < 0 || archives[i].IsVerified())
}

// HostNext estimates when a host makes its next backup, from the distances of those
// that it holds: their median after the newest. Zero: that cannot be said, or it is
// late.
func HostNext(state ServerState, now time.Time) time.Time {
	backups := slices.DeleteFunc(slices.Clone(state.Backups), func(b ServerBackup) bool { return b.Stays })
	slices.SortFunc(backups, func(a, b ServerBackup) int { return a.At.Compare(b.At) })
	var gaps []time.Duration
	for i := 1; i < len(backups); i++ {
		gaps = append(gaps, backups[i].At.Sub(backups[i-1].At))
	}
	if len(gaps) == 0 {
		return time.Time{}
	}
	slices.Sort(gaps)
	next := backups[len(backups)-1].At.Add(gaps[len(gaps)/2])
	if !next.After(now) {
		return time.Time{}
	}
	return next
}

// soon reports whether the backup goes at the host's next run, or by a date within
// the longest step of Ladder.
func (d Departure) soon(now time.Time) bool {
	return d.Run == 1 || !d.By.IsZero() && !now.Before(d.By.Add(-horizon()))
}

// When gives the first moment at which the backup may go, where one is known.
// hostNext is the host's next run; zero: unknown.
func (d Departure) When(hostNext time.Time) time.Time {
	if d.Run == 1 && !d.Guess && !hostNext.IsZero() && (d.By.IsZero() || hostNext.Before(d.By)) {
		return hostNext
	}
	return d.By
}

// Says writes when the backup goes: "at the host's next run or by 7 December". One
// whose date has passed and that is there still may go at any time.
func (d Departure) Says(now time.Time, loc *time.Location) string {
	at := ""
	switch {
	case d.Backup.Stays:
		return "only when somebody removes it"
	case !d.By.IsZero() && !d.By.After(now):
		return "at any time now: its date was " + serverDay(d.By, now, loc)
	case d.Run == 1 && d.Guess:
		at = "perhaps at the host's next run"
	case d.Run == 1:
		at = "at the host's next run"
	case d.Run > 1 && d.Guess:
		at = "not at the host's next run"
	case d.Run > 1:
		at = fmt.Sprintf("at the host's %s run from now", ordinal(d.Run))
	}
	switch {
	case d.By.IsZero() && at == "":
		return "not by itself"
	case d.By.IsZero():
		return at
	case at == "":
		return "by " + serverDay(d.By, now, loc)
	}
	return at + " or by " + serverDay(d.By, now, loc)
}

// ordinal writes 2 as "second".
func ordinal(n int) string {
	words := []string{"second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n >= 2 && n-2 < len(words) {
		return words[n-2]
	}
	return fmt.Sprintf("%dth", n)
}

// serverDay writes the date of a backup on a server. cPanel gives dates alone, as
// midnight UTC ("2014-12-02T00:00:00.000Z", UAPI Backup::list_backups): in a zone
// west of Greenwich that is no other day.
func serverDay(t, now time.Time, loc *time.Location) string {
	if t.Equal(t.UTC().Truncate(24 * time.Hour)) {
		loc = time.UTC
	}
	return dayText(t, now, loc)
}

// Day writes the date of the backup.
func (b ServerBackup) Day(now time.Time, loc *time.Location) string { return serverDay(b.At, now, loc) }

// unseen is how long a server may not be looked at before that is a fact.
const unseen = 48 * time.Hour

// RotationFacts gives what the server of a source is going to remove that was not
// brought home: the next one to go that is not, of those that go at the host's next
// run or by a date. hostNext is when the host makes its next backup; zero: that is
// estimated. Nothing, where all that goes is home. A server that could not be looked
// at for two days is another fact.
func RotationFacts(source Source, state ServerState, archives []Archive, hostNext, now time.Time, loc *time.Location) []Fact {
	var facts []Fact
	if state.Trouble != "" && now.Sub(state.Seen) >= unseen {
		facts = append(facts, unseenFact(source, state, now, loc))
	}
	all := slices.DeleteFunc(Departures(source, state, archives), func(d Departure) bool { return d.Backup.Stays })
	i := slices.IndexFunc(all, func(d Departure) bool { return !d.Kept() && d.soon(now) })
	if i < 0 {
		return facts
	}
	if hostNext.IsZero() {
		hostNext = HostNext(state, now)
	}
	d := all[i]
	on := d.Backup.Day(now, loc)
	f := Fact{
		Key: "rotation/" + source.Name, Kind: FactRotation, Tone: ToneWarn, Until: d.When(hostNext), Urge: d.Backup.ID,
		Title: fmt.Sprintf("%s: the backup of %s goes %s", source.Name, on, d.Says(now, loc)),
		Text: paragraph(holds(all, source.Rotation), fmt.Sprintf("The one of %s goes %s, and was not brought home.", on, d.Says(now, loc)),
			othersAway(all[i+1:]), troubleText(state, now, loc), bringHome(source, d.Backup, on)),
		Buttons: rotationButtons(source, d.Backup),
	}
	if f.Urge == "" {
		f.Urge = d.Backup.At.UTC().Format(time.RFC3339)
	}
	if d.Guess { // whichever goes, the fact is that nobody knows
		f.Urge = "unknown"
		f.Title = fmt.Sprintf("%s: the backup of %s may go at the host's next run", source.Name, on)
		f.Text = paragraph(f.Text, "Ask the host what it keeps, and write it into keepwatch.yaml as rotation: {keeps: 2, max_age: 28d}.")
	}
	if !slices.ContainsFunc(archives, func(a Archive) bool { return a.Source == source.Name && a.IsVerified() }) {
		f.Tone = ToneBad // the server's are the only ones
		f.Text = paragraph(f.Text, "There is no verified archive of "+source.Name+" at all, so the host's backups are the only ones.")
	}
	return append(facts, f)
}

// holds says how many backups a host holds and keeps.
func holds(all []Departure, rotation Rotation) string {
	text := fmt.Sprintf("The host holds %s", FormatCount(int64(len(all)), "backup"))
	switch {
	case rotation == Rotation{}:
		return text + "; how many it keeps, and for how long, is not written in keepwatch.yaml."
	case rotation.MaxAge == 0:
		return fmt.Sprintf("%s and keeps %d.", text, rotation.Keeps)
	case rotation.Keeps == 0:
		return fmt.Sprintf("%s and keeps each for %s.", text, FormatDuration(rotation.MaxAge))
	}
	return fmt.Sprintf("%s and keeps %d, each for %s at the most.", text, rotation.Keeps, FormatDuration(rotation.MaxAge))
}

// othersAway says how many of the backups that go later are not home either.
func othersAway(later []Departure) string {
	away := 0
	for _, d := range later {
		if !d.Kept() {
			away++
		}
	}
	switch away {
	case 0:
		return ""
	case 1:
		return "One that goes later was not brought home either."
	}
	return fmt.Sprintf("%d that go later were not brought home either.", away)
}

func troubleText(state ServerState, now time.Time, loc *time.Location) string {
	if state.Trouble == "" {
		return ""
	}
	return paragraph("That is what was seen on "+moment(state.Seen, now, loc)+"; the last look did not work.", sentence(state.Trouble))
}

// bringHome says how what goes is kept: by the bot, where the account gets at it.
func bringHome(source Source, b ServerBackup, on string) string {
	how := "If what it holds matters, download it while it is there and hand it in; where the account does not get at it, ask the host's administrator."
	if b.Path != "" {
		how = fmt.Sprintf("`/backup fetch %s %s` brings it home while it is there, and proves it.", source.Name, fetchWord(b))
	}
	return how + fmt.Sprintf(" A backup that Keepwatch makes now holds what there is now, and not what there was on %s.", on)
}

// fetchWord is a backup's ID as a word of a command.
func fetchWord(b ServerBackup) string {
	if strings.ContainsAny(b.ID, " \t\"'\\") || strings.HasPrefix(b.ID, "-") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(b.ID) + `"`
	}
	return b.ID
}

// FetchButton brings a backup home that a server holds.
func FetchButton(source string, b ServerBackup) Button {
	return Button{Label: "Bring it home", Command: "backup fetch " + source + " " + fetchWord(b), Style: StylePrimary}
}

func rotationButtons(source Source, b ServerBackup) []Button {
	show := Button{Label: "Show the rotation", Command: "backup rotation " + source.Name}
	var list []Button
	if b.Path != "" {
		list = []Button{FetchButton(source.Name, b), show}
	} else {
		show.Style = StylePrimary
		list = []Button{show}
		if source.Kind == KindCPanel {
			list = append(list, Button{Label: "How to download it", Command: "backup guide cpanel-download"})
		}
	}
	return append(list, Button{Label: "Back up now", Command: "backup start " + source.Name})
}

func unseenFact(source Source, state ServerState, now time.Time, loc *time.Location) Fact {
	seen := "was never seen"
	if !state.Seen.IsZero() {
		seen = "was last seen on " + moment(state.Seen, now, loc)
	}
	return Fact{
		Key: "server/" + source.Name, Kind: FactRotation, Tone: ToneWarn,
		Title:   fmt.Sprintf("%s: what the host holds %s", source.Name, seen),
		Text:    paragraph("Since then every look has failed, so nobody knows what it has removed meanwhile.", sentence(state.Trouble)),
		Buttons: []Button{{Label: "Look now", Command: "backup rotation " + source.Name + " --look"}, {Label: "Check all", Command: "keepwatch check"}},
	}
}
