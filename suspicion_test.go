package keepwatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// life lets archives of one source be made day by day and pruned after each as a
// backup does, by rules that are confirmed, and gives those that are left. Those
// for which accept says so are said to be right.
func life(keep keepwatch.Keep, days []keepwatch.Archive, accept func(day int) bool) (left []keepwatch.Archive) {
	for i, a := range days {
		a.Source, a.Started = "s", day("2026-11-01 00:00").AddDate(0, 0, i)
		a.Stamp = keepwatch.StampOf(a.Started)
		a.Verified = []keepwatch.Verification{{At: a.Started, Level: keepwatch.LevelOpened}}
		a.Peak = keepwatch.PeakOf(a, left)
		a.Findings = keepwatch.Suspect(a, left)
		if len(a.Findings) > 0 && accept != nil && accept(i) {
			a.Accepted = "Alis"
		}
		left = append(left, a)
		now := a.Started.Add(time.Hour)
		if _, paused := keepwatch.Paused(left, now); paused {
			continue
		}
		var stay []keepwatch.Archive
		for _, d := range keep.Decide(left, now, time.UTC) {
			if d.Keep {
				stay = append(stay, d.Archive)
			}
		}
		left = stay
	}
	return left
}

// TestTheBestCopyOutlivesALoss: whatever is kept, no rule removes the archive that
// holds the most while the newest holds far less and nobody has said that this
// is right; and what is in order, or was said to be, keeps nothing from being removed.
func TestTheBestCopyOutlivesALoss(t *testing.T) {
	const g = int64(1) << 30
	for _, c := range []struct {
		name   string
		last   int
		bytes  []int64
		accept []int // days whose archive is said to be right
		best   int64 // what the largest that is left must hold
		left   int
	}{
		{name: "the first was empty", last: 2, bytes: []int64{0, 75000, 0, 0, 0}, best: 75000, left: 5},
		{name: "one empty was accepted", last: 2, bytes: []int64{g, 0, g, 0, 0, 0}, accept: []int{1}, best: g, left: 5},
		{name: "grown, then lost", last: 2, bytes: []int64{g, 10 * g, g / 2, g / 2, g / 2}, best: 10 * g, left: 5},
		{name: "lost a little each day", last: 1, bytes: []int64{100 * g, 60 * g, 35 * g, 20 * g, 11 * g}, best: 60 * g, left: 4},
		{name: "lost a little each day, two kept", last: 2, bytes: []int64{100 * g, 80 * g, 60 * g, 45 * g, 30 * g}, best: 80 * g, left: 4},
		{name: "the loss was accepted", last: 1, bytes: []int64{100 * g, 40 * g, 39 * g, 38 * g}, accept: []int{1}, best: 38 * g, left: 1},
		{name: "an accepted loss is forgotten for good", last: 1, bytes: []int64{100 * g, 40 * g, 39 * g, 38 * g, 25 * g}, accept: []int{1}, best: 25 * g, left: 1},
		{name: "an accepted loss is the new measure", last: 1, bytes: []int64{100 * g, 40 * g, 39 * g, 15 * g, 15 * g}, accept: []int{1}, best: 39 * g, left: 3},
		{name: "an empty one was accepted, and more follow", last: 1, bytes: []int64{g, 0, 0, 0}, accept: []int{1}, best: 0, left: 1},
		{name: "it came back", last: 2, bytes: []int64{g, 0, g, g}, best: g, left: 2},
		{name: "half of a small one", last: 1, bytes: []int64{4000, 2100, 1500, 700}, best: 700, left: 1},
		{name: "nearly all of a small one, in steps", last: 1, bytes: []int64{4000, 2100, 1500, 700, 150}, best: 700, left: 2},
		{name: "growth", last: 1, bytes: []int64{0, 1, g, 50 * g, 1000 * g}, best: 1000 * g, left: 1},
		{name: "up and down", last: 1, bytes: []int64{10 * g, 8 * g, 9 * g, 6 * g, 10 * g, 7 * g}, best: 7 * g, left: 1},
	} {
		var days []keepwatch.Archive
		for _, b := range c.bytes {
			days = append(days, keepwatch.Archive{Items: 3, Bytes: b})
		}
		left := life(keepwatch.Keep{Last: c.last}, days, func(day int) bool { return slices.Contains(c.accept, day) })
		var best int64
		for _, a := range left {
			best = max(best, a.Bytes)
		}
		if best != c.best || len(left) != c.left {
			t.Errorf("%s: %d archives are left, and the best holds %d; want %d and %d", c.name, len(left), best, c.left, c.best)
		}
	}
}

// TestAPeakIsRemembered: by the archives that are left, until somebody accepts one.
func TestAPeakIsRemembered(t *testing.T) {
	made := func(n int, items, bytes int64, peak keepwatch.Peak) keepwatch.Archive {
		a := at(day("2026-11-01 00:00").AddDate(0, 0, n))
		a.Items, a.Bytes, a.Peak = items, bytes, peak
		return a
	}
	right := func(a keepwatch.Archive) keepwatch.Archive {
		a.Findings, a.Accepted = []keepwatch.Finding{{Rule: "shrunk"}}, "Alis"
		return a
	}
	since := made(3, 0, 0, keepwatch.Peak{}).Started
	a := made(9, 1, 1, keepwatch.Peak{})
	for _, c := range []struct {
		name    string
		a       keepwatch.Archive
		history []keepwatch.Archive
		want    keepwatch.Peak
	}{
		{"nothing before it", a, nil, keepwatch.Peak{}},
		{"the most items and the most bytes", a, []keepwatch.Archive{made(1, 7, 10, keepwatch.Peak{}), made(2, 5, 90, keepwatch.Peak{})}, keepwatch.Peak{Items: 7, Bytes: 90}},
		{"one that is gone", a, []keepwatch.Archive{made(2, 5, 90, keepwatch.Peak{Items: 50, Bytes: 900})}, keepwatch.Peak{Items: 50, Bytes: 900}},
		{"what came before an accepted one", a, []keepwatch.Archive{made(1, 7, 10, keepwatch.Peak{}), right(made(3, 2, 3, keepwatch.Peak{Items: 7, Bytes: 10}))}, keepwatch.Peak{Since: since, Items: 2, Bytes: 3}},
		{"the accepted one is gone", a, []keepwatch.Archive{made(1, 7, 10, keepwatch.Peak{}), made(4, 2, 3, keepwatch.Peak{Since: since, Items: 4, Bytes: 3})}, keepwatch.Peak{Since: since, Items: 4, Bytes: 3}},
		{"made before it was accepted", a, []keepwatch.Archive{right(made(3, 2, 3, keepwatch.Peak{Items: 7, Bytes: 10})), made(4, 2, 4, keepwatch.Peak{Items: 7, Bytes: 10})}, keepwatch.Peak{Since: since, Items: 2, Bytes: 4}},
		{"weighed again, when those before it are gone", made(9, 1, 1, keepwatch.Peak{Since: since, Items: 8, Bytes: 80}), []keepwatch.Archive{made(1, 70, 100, keepwatch.Peak{}), made(4, 2, 3, keepwatch.Peak{Since: since})}, keepwatch.Peak{Since: since, Items: 8, Bytes: 80}},
		{"weighed again, after one before it was accepted", made(9, 1, 1, keepwatch.Peak{Items: 8, Bytes: 80}), []keepwatch.Archive{right(made(3, 2, 3, keepwatch.Peak{}))}, keepwatch.Peak{Since: since, Items: 2, Bytes: 3}},
		{"what came after it", a, []keepwatch.Archive{made(10, 70, 100, keepwatch.Peak{})}, keepwatch.Peak{}},
	} {
		if diff := cmp.Diff(c.want, keepwatch.PeakOf(c.a, c.history)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestPaused(t *testing.T) {
	flagged := func(when string, parts ...string) keepwatch.Archive {
		a := at(day(when))
		a.Parts, a.Findings = parts, []keepwatch.Finding{{Rule: "empty", Text: "nearly empty"}}
		return a
	}
	accepted, damaged := flagged("2026-11-24 03:00"), flagged("2026-11-24 03:00")
	accepted.Accepted, damaged.Verified = "Alis", nil
	part := at(day("2026-11-24 03:00"))
	part.Parts = []string{"db"}
	old := at(day("2026-11-20 03:00"))
	for _, c := range []struct {
		name string
		a    []keepwatch.Archive
		want bool
	}{
		{"none", nil, false},
		{"as usual", []keepwatch.Archive{old}, false},
		{"the newest is suspicious", []keepwatch.Archive{old, flagged("2026-11-24 03:00")}, true},
		{"it was accepted", []keepwatch.Archive{accepted, old}, false},
		{"a good one came after it", []keepwatch.Archive{flagged("2026-11-19 03:00"), old}, false},
		{"only a part came after it", []keepwatch.Archive{part, flagged("2026-11-23 03:00"), old}, true},
		{"one of the future hides nothing", []keepwatch.Archive{at(day("2027-11-24 03:00")), flagged("2026-11-24 03:00"), old}, true},
		{"one of the future does not count", []keepwatch.Archive{flagged("2027-11-24 03:00"), old}, false},
		{"one that is not verified does not count", []keepwatch.Archive{damaged, old}, false},
	} {
		if a, paused := keepwatch.Paused(c.a, day("2026-11-25 00:00")); paused != c.want || (paused && len(a.Findings) == 0) {
			t.Errorf("%s: %v, %v", c.name, paused, a)
		}
	}
}

func TestSuspect(t *testing.T) {
	make := func(n int, items, bytes, unread int64) keepwatch.Archive {
		a := at(day("2026-11-01 00:00").AddDate(0, 0, n))
		a.Items, a.Bytes = items, bytes
		withGaps(&a, unread, 0)
		return a
	}
	var history []keepwatch.Archive
	for i := range 12 {
		history = append(history, make(i, 100+int64(i), 1<<30, 2))
	}
	rules := func(a keepwatch.Archive, history []keepwatch.Archive) string {
		var words []string
		for _, f := range keepwatch.Suspect(a, history) {
			words = append(words, f.Rule)
			if !strings.ContainsAny(f.Text, "0123456789") || f.What != a.Ref() {
				t.Errorf("a finding without its figure or its archive: %+v", f)
			}
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct {
		name    string
		a       keepwatch.Archive
		history []keepwatch.Archive
		want    string
	}{
		{"as usual", make(20, 104, 1<<30, 2), history, ""},
		{"grown", make(20, 9000, 1<<40, 2), history, ""},
		{"somewhat less", make(20, 60, 600<<20, 2), history, ""},
		{"nearly empty", make(20, 104, 10<<20, 2), history, "empty"},
		{"less than half", make(20, 104, 400<<20, 2), history, "shrunk"},
		{"few files", make(20, 40, 1<<30, 2), history, "fewer"},
		{"gone", make(20, 0, 0, 0), history, "empty fewer"},
		{"unreadable", make(20, 104, 1<<30, 60), history, "gaps"},
		{"a history of one", make(20, 0, 0, 0), history[:1], "empty fewer"},
		{"no history yet", make(20, 0, 0, 0), nil, ""},
		{"only what came before", make(0, 0, 0, 0), history, ""},
	} {
		if got := rules(c.a, c.history); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	bad := slices.Clone(history)
	for i := range bad {
		bad[i].Verified = nil
	}
	if got := rules(make(20, 0, 0, 0), bad); got != "" {
		t.Errorf("unverified archives made a history: %q", got)
	}
	accepted := make(12, 40, 100<<20, 2)
	accepted.Findings, accepted.Accepted = []keepwatch.Finding{{Rule: "shrunk"}}, "Alis"
	if got := rules(make(20, 40, 100<<20, 2), append(slices.Clone(history), accepted)); got != "" {
		t.Errorf("what was accepted is suspicious the next time: %q", got)
	}
	other := slices.Clone(history)
	for i := range other {
		other[i].Source = "web"
	}
	if got := rules(make(20, 1, 1<<20, 0), other); got != "" {
		t.Errorf("another source made a history: %q", got)
	}
	part := slices.Clone(history)
	for i := range part {
		part[i].Parts = []string{"db"}
	}
	if got := rules(make(20, 1, 1<<20, 0), part); got != "" {
		t.Errorf("a whole is compared with its parts: %q", got)
	}
	small := []keepwatch.Archive{make(0, 3, 3000, 0), make(1, 3, 3000, 0), make(2, 3, 3000, 0)}
	if got := rules(make(20, 1, 900, 0), small); got != "" {
		t.Errorf("a handful of files is suspicious: %q", got)
	}
}

// TestSmallSourcesAreLookedAtToo: no source is so small that it may become empty
// unnoticed, and one file that was read by half is enough.
func TestSmallSourcesAreLookedAtToo(t *testing.T) {
	archive := func(n int, items, bytes, unread, half int64) keepwatch.Archive {
		a := at(day("2026-11-01 00:00").AddDate(0, 0, n))
		a.Items, a.Bytes = items, bytes
		withGaps(&a, unread, half)
		return a
	}
	for _, c := range []struct {
		name        string
		before, now keepwatch.Archive
		want        string
	}{
		{"five small files are gone", archive(0, 5, 15<<10, 0, 0), archive(1, 0, 0, 0, 0), "empty fewer"},
		{"one byte is gone", archive(0, 1, 1, 0, 0), archive(1, 1, 0, 0, 0), "empty"},
		{"only folders are left", archive(0, 3, 100, 0, 0), archive(1, 2, 0, 0, 0), "empty"},
		{"empty files and folders are gone", archive(0, 3, 0, 0, 0), archive(1, 0, 0, 0, 0), "fewer"},
		{"one of four items is left", archive(0, 4, 100, 0, 0), archive(1, 1, 100, 0, 0), "fewer"},
		{"two of four items are left", archive(0, 4, 100, 0, 0), archive(1, 2, 100, 0, 0), ""},
		{"one of three items is left", archive(0, 3, 100, 0, 0), archive(1, 1, 100, 0, 0), ""},
		{"just under half", archive(0, 1, 4097, 0, 0), archive(1, 1, 2048, 0, 0), "shrunk"},
		{"half", archive(0, 1, 4097, 0, 0), archive(1, 1, 2049, 0, 0), ""},
		{"just under half of too little", archive(0, 1, 4095, 0, 0), archive(1, 1, 2047, 0, 0), ""},
		{"just under a twentieth", archive(0, 1, 39, 0, 0), archive(1, 1, 1, 0, 0), "empty"},
		{"a twentieth", archive(0, 1, 20, 0, 0), archive(1, 1, 1, 0, 0), ""},
		{"it was empty before", archive(0, 0, 0, 0, 0), archive(1, 0, 0, 0, 0), ""},
		{"a small file shrank to nearly nothing", archive(0, 1, 2000, 0, 0), archive(1, 1, 20, 0, 0), "empty"},
		{"half of the only file could be read", archive(0, 1, 10<<30, 0, 0), archive(1, 1, 10<<30, 0, 1), "gaps"},
		{"as half read as before", archive(0, 1, 10<<30, 0, 1), archive(1, 1, 10<<30, 0, 1), ""},
		{"one of a hundred could not be read", archive(0, 100, 1<<30, 0, 0), archive(1, 99, 1<<30, 1, 0), "gaps"},
	} {
		var words []string
		for _, f := range keepwatch.Suspect(c.now, []keepwatch.Archive{c.before}) {
			words = append(words, f.Rule)
			if f.Rule == "empty" && strings.HasPrefix(f.Text, "It is empty: ") != (c.now.Bytes == 0) {
				t.Errorf("%s: %s", c.name, f.Text)
			}
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestAnotherPathIsAnotherHistory: a name that came to mean another folder does
// not make its archives stand for those of the first.
func TestAnotherPathIsAnotherHistory(t *testing.T) {
	of := func(when, path string, bytes int64) keepwatch.Archive {
		a := at(day(when))
		a.Path, a.Items, a.Bytes = path, 10, bytes
		return a
	}
	now := day("2026-11-25 00:00")
	mine := of("2026-11-20 03:00", "/mine/docs", 1<<20)
	unknown := of("2026-11-19 03:00", "", 1<<20)
	others := []keepwatch.Archive{of("2026-11-24 03:00", "/other", 10), of("2026-11-23 03:00", "/other", 10)}
	all := append([]keepwatch.Archive{mine, unknown}, others...)
	if got := kept(keepwatch.Keep{Last: 1}.Decide(all, now, time.UTC)); !cmp.Equal(got, []string{"2026-11-24 03:00", "2026-11-20 03:00", "2026-11-19 03:00"}) {
		t.Errorf("keeps %q", got)
	}
	if found := keepwatch.Suspect(others[0], all); len(found) > 0 {
		t.Errorf("one folder was weighed against another: %v", found)
	}
	mine.Findings = []keepwatch.Finding{{Rule: "empty", Text: "It is empty."}}
	if _, paused := keepwatch.Paused(append([]keepwatch.Archive{mine}, others...), now); !paused {
		t.Error("an archive of another path ended the pause")
	}
}

// withGaps gives an archive the first places that cannot be read, and the first
// files that can be read only in part.
func withGaps(a *keepwatch.Archive, unread, half int64) {
	var notes []keepwatch.Note
	for i := range unread {
		notes = append(notes, keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: fmt.Sprint("u", i)})
	}
	for i := range half {
		notes = append(notes, keepwatch.Note{Kind: keepwatch.NoteHalf, Path: fmt.Sprint("h", i)})
	}
	withNotes(a, notes...)
}

func withNotes(a *keepwatch.Archive, notes ...keepwatch.Note) {
	var gaps keepwatch.Gaps
	a.Counts = map[keepwatch.NoteKind]int64{}
	for _, n := range notes {
		a.Counts[n.Kind]++
		gaps.Add(n)
	}
	a.Gaps = gaps.List()
}

// TestAnOldGapExcusesNoNewOne: what cannot be read is compared place by place,
// with the newest archive of which nothing is left to be said.
func TestAnOldGapExcusesNoNewOne(t *testing.T) {
	shut := func(path string) keepwatch.Note {
		return keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: path, Text: "permission denied"}
	}
	half := func(path, text string) keepwatch.Note {
		return keepwatch.Note{Kind: keepwatch.NoteHalf, Path: path, Text: text}
	}
	info := keepwatch.Note{Kind: keepwatch.NoteExcluded, Path: "cache"}
	for _, c := range []struct {
		name   string
		days   [][]keepwatch.Note
		accept int   // a day whose archive is said to be right
		want   []int // days whose archives have findings
	}{
		{"none", [][]keepwatch.Note{{}, {}}, 0, nil},
		{"the same", [][]keepwatch.Note{{shut("f")}, {shut("f")}, {shut("f")}}, 0, nil},
		{"fewer", [][]keepwatch.Note{{shut("f"), shut("g")}, {shut("g")}}, 0, nil},
		{"the first", [][]keepwatch.Note{{}, {shut("f")}}, 0, []int{1}},
		{"another one", [][]keepwatch.Note{{shut("f")}, {shut("z")}}, 0, []int{1}},
		{"another one, for good", [][]keepwatch.Note{{shut("f")}, {shut("z")}, {shut("z")}, {shut("z")}}, 0, []int{1, 2, 3}},
		{"an accepted one", [][]keepwatch.Note{{shut("f")}, {shut("z")}, {shut("z")}, {shut("z")}}, 1, []int{1}},
		{"one that was closed and opened again", [][]keepwatch.Note{{shut("f")}, {}, {shut("f")}, {shut("f")}}, 0, []int{2, 3}},
		{"another file that is read by half", [][]keepwatch.Note{{half("f", "byte 9")}, {half("z", "byte 9")}}, 0, []int{1}},
		{"the same, by as much", [][]keepwatch.Note{{half("f", "byte 9")}, {half("f", "byte 9")}}, 0, nil},
		{"the same, by less", [][]keepwatch.Note{{half("f", "byte 9")}, {half("f", "byte 1")}}, 0, []int{1}},
		{"half, then nothing", [][]keepwatch.Note{{half("f", "byte 9")}, {shut("f")}}, 0, []int{1}},
		{"another cause", [][]keepwatch.Note{{shut("f")}, {{Kind: keepwatch.NoteUnreadable, Path: "f", Text: "input/output error"}}}, 0, nil},
		{"what is no gap", [][]keepwatch.Note{{}, {info}}, 0, nil},
	} {
		var days []keepwatch.Archive
		for _, notes := range c.days {
			a := keepwatch.Archive{Items: 10, Bytes: 1 << 30}
			withNotes(&a, notes...)
			days = append(days, a)
		}
		var found []int
		for _, a := range life(keepwatch.Keep{}, days, func(day int) bool { return c.accept > 0 && day == c.accept }) {
			if len(a.Findings) > 0 {
				found = append(found, a.Started.Day()-1)
			}
		}
		slices.Sort(found)
		if diff := cmp.Diff(c.want, found); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestGapsThatAreOnlyCounted: after the state was lost nobody knows which they
// were, and a number is no excuse.
func TestGapsThatAreOnlyCounted(t *testing.T) {
	archive := func(n int, unread int64, known bool) keepwatch.Archive {
		a := at(day("2026-11-01 00:00").AddDate(0, 0, n))
		a.Items, a.Bytes = 10, 1000
		if withGaps(&a, unread, 0); !known {
			a.Gaps = nil
		}
		return a
	}
	for _, c := range []struct {
		name        string
		before, now keepwatch.Archive
		want        bool
	}{
		{"both", archive(0, 2, false), archive(1, 2, false), true},
		{"the older one's", archive(0, 2, false), archive(1, 1, true), true},
		{"the newer one's", archive(0, 2, true), archive(1, 1, false), true},
		{"none now", archive(0, 2, false), archive(1, 0, false), false},
	} {
		if got := len(keepwatch.Suspect(c.now, []keepwatch.Archive{c.before})) > 0; got != c.want {
			t.Errorf("%s: found %v", c.name, got)
		}
	}
}

// TestManyGaps: those beyond the most that are told apart are one.
func TestManyGaps(t *testing.T) {
	made := func(n int, odd string) []string {
		var g keepwatch.Gaps
		for i := range n {
			path := fmt.Sprint("f", i)
			if i == n/2 {
				path = odd
			}
			g.Add(keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: path})
		}
		return g.List()
	}
	a, b := made(5000, "a"), made(5000, "b")
	if len(a) != keepwatch.MaxGaps || !slices.Equal(a, made(5000, "a")) || slices.Equal(a, b) || !slices.Equal(a[:len(a)-1], b[:len(b)-1]) {
		t.Errorf("%d gaps; the last is %s and %s", len(a), a[len(a)-1], b[len(b)-1])
	}
	if few := made(3, "c"); len(few) != 3 {
		t.Errorf("%q", few)
	}
}

func TestPruning(t *testing.T) {
	now := day("2026-11-25 00:00")
	old, newer, odd := at(day("2026-11-20 03:00")), at(day("2026-11-21 03:00")), at(day("2026-11-22 03:00"))
	odd.Findings = []keepwatch.Finding{{Rule: "empty", Text: "It is empty."}}
	keep := keepwatch.Keep{Last: 1}
	rules := keep.Rules(time.UTC)
	for _, c := range []struct {
		name      string
		keep      keepwatch.Keep
		confirmed string
		archives  []keepwatch.Archive
		want      keepwatch.Pruning
	}{
		{"by the rules", keep, rules, []keepwatch.Archive{old, newer}, keepwatch.Pruning{Confirmed: true, Remove: []string{old.Ref()}}},
		{"nobody has confirmed them", keep, "", []keepwatch.Archive{old, newer}, keepwatch.Pruning{Remove: []string{old.Ref()}}},
		{"they have changed", keep, keepwatch.Keep{Last: 2}.Rules(time.UTC), []keepwatch.Archive{old}, keepwatch.Pruning{}},
		{"paused", keep, rules, []keepwatch.Archive{old, odd}, keepwatch.Pruning{Confirmed: true, Paused: odd, Remove: []string{old.Ref()}}},
		{"no rules", keepwatch.Keep{}, "", []keepwatch.Archive{old, newer}, keepwatch.Pruning{Confirmed: true}},
	} {
		got := c.keep.Pruning(c.archives, c.confirmed, now, time.UTC)
		if diff := cmp.Diff(c.want, got); diff != "" || got.IsPaused() != (c.name == "paused") {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestSuspectAfterAnUpgrade: archives from before archives knew their path are
// history all the same, so that the first backup after an upgrade is weighed.
func TestSuspectAfterAnUpgrade(t *testing.T) {
	at := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	proved := []keepwatch.Verification{{At: at}}
	old := keepwatch.Archive{Source: "docs", Stamp: "a", Started: at, Items: 30, Bytes: 3 << 20, Verified: proved}
	now := keepwatch.Archive{Source: "docs", Stamp: "b", Path: "/srv/docs", Started: at.Add(24 * time.Hour), Items: 8, Bytes: 1 << 20, Verified: proved}
	if found := keepwatch.Suspect(now, []keepwatch.Archive{old}); len(found) == 0 {
		t.Error("a source that shrank at an upgrade is not noticed")
	}
	old.Path = "/srv/other"
	if found := keepwatch.Suspect(now, []keepwatch.Archive{old}); len(found) != 0 {
		t.Errorf("another path is history: %v", found)
	}
}
