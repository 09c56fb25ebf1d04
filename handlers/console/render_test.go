package console

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// card has one of everything, and texts as hostile as file names can be.
func card() keepwatch.Message {
	return keepwatch.Message{
		Title: "Run 3: backup of notes is done, with gaps", Tone: keepwatch.ToneWarn,
		Blocks: []keepwatch.Block{
			keepwatch.Text("12,034 items (9.0 MiB) read in 3.0 s, 3.0 MiB/s; sealed to 4.0 MiB.\nCould not be read (2):\na\x1b[2J\x1b]0;owned\x07.txt: permission denied\nex\u202egnp.cod: permission denied"),
			keepwatch.Text("日本語のとても長い名前のファイル名.txt, 👩‍👩‍👧‍👦 family, עברית وعربي, ñandú, wordthatisfarlongerthanthelinethatithastofitintobecauseitneverends"),
			{Fields: []keepwatch.Field{{Name: "Archive", Value: "notes/2026-11-24T120000Z"}, {Name: "Started", Time: noon.Add(-3 * time.Minute)}, {Name: "Key", Value: "data/age-identity.txt (keep a copy elsewhere: without it no archive opens)"}}},
			keepwatch.Code("age -d -i data/age-identity.txt data/vault/notes/2026-11-24T120000Z/notes.tar.zst.age | zstd -d | tar x"),
			{Table: &keepwatch.Table{Head: []string{"Archive", "", "Why"}, Rows: [][]string{{"notes/2026-11-24T120000Z", "keep", "one of the newest (last 1 of 2); newest of the week of 23 November (weekly 1 of 4)"}, {"notes/2026-11-01T120000Z", "remove", "no rule keeps it"}}}},
			{Progress: &keepwatch.Progress{Bytes: 3 << 20, TotalBytes: 8 << 20, Since: noon.Add(-3 * time.Second), At: noon}},
		},
		Buttons: []keepwatch.Button{{Label: "Restore", Command: "backup restore notes"}, {Label: "Cancel", Command: "backup cancel 3", Style: keepwatch.StyleDanger}, {Label: "Details", Command: "backup status 3", Style: keepwatch.StylePrimary}},
	}
}

func TestRender(t *testing.T) {
	styles := []style{{}}
	for _, w := range []int{20, 40, 80, 200} {
		styles = append(styles, style{width: w, bar: true}, style{width: w, bar: true, colour: true})
	}
	for _, s := range styles {
		s.loc, s.now = time.UTC, func() time.Time { return noon }
		name := fmt.Sprintf("card-%d", s.width)
		if s.colour {
			name += "-colour"
		}
		lines := s.render(card())
		for _, l := range lines {
			check(t, name, s, l)
		}
		got := strings.Join(lines, "\n") + "\n"
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9]*m")

// check: a line has no control sequence but our colours, and fits; only what is
// to be copied may be longer.
func check(t *testing.T, name string, s style, line string) {
	t.Helper()
	bare := sgr.ReplaceAllString(line, "")
	if clean(bare) != bare {
		t.Errorf("%s: a control character in %q", name, line)
	}
	if !s.colour && bare != line {
		t.Errorf("%s: colour in %q", name, line)
	}
	if s.width > 0 && width(bare) > s.width && !strings.Contains(bare, "age -d") {
		t.Errorf("%s: %d columns: %q", name, width(bare), bare)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("title", "text \x1b[31m", "cell", 20)
	f.Add("\u202e", "👩‍👩‍👧‍👦", "日本語", 9)
	f.Add("\x80\x00", "a cell too wide for its column\x1b", "cell", 20)
	f.Add("\x84"+strings.Repeat("\x1e", 3600)+"緜", "\r", "\x0e", 3) // a word of a thousand rows
	f.Fuzz(func(t *testing.T, title, text, cell string, w int) {
		s := style{width: 8 + (w&0xff+256)%256%120, bar: true, loc: time.UTC, now: func() time.Time { return noon }}
		m := keepwatch.Message{Title: title, Blocks: []keepwatch.Block{keepwatch.Text(text), {Fields: []keepwatch.Field{{Name: cell, Value: text}}}, {Table: &keepwatch.Table{Head: []string{cell, title}, Rows: [][]string{{text, cell}, {cell}}}}}}
		for _, l := range s.render(m) {
			if clean(l) != l {
				t.Errorf("a control character in %q", l)
			}
		}
	})
}

func TestProgressFits(t *testing.T) {
	s := style{}
	p := keepwatch.Progress{Bytes: 3 << 30, TotalBytes: 8 << 30, Since: noon.Add(-90 * time.Second), At: noon}
	for w := 8; w < 120; w++ {
		if got := s.progress(p, w); width(got) > w || !strings.Contains(got, "37 %") {
			t.Errorf("%d columns: %q", w, got)
		}
	}
	if got := s.progress(p, 80); !strings.Contains(got, "34.1 MiB/s") || !strings.Contains(got, "2 min 30 s left") {
		t.Errorf("%q", got)
	}
}

// TestPauseStandsAtTheFoot: whoever follows a run is told until when it waits, in their zone,
// and first of all on a narrow terminal.
func TestPauseStandsAtTheFoot(t *testing.T) {
	zone := time.FixedZone("", 3600)
	s := style{width: 80, loc: zone}
	run := keepwatch.Run{ID: 7, State: keepwatch.RunRunning, Source: "alis-mail", Progress: keepwatch.Progress{Items: 37, TotalItems: 100, Since: noon, At: noon.Add(time.Minute)}}
	card := keepwatch.Message{Blocks: []keepwatch.Block{keepwatch.Text("Downloading the mailbox (step 2 of 6)")}}
	if rows := s.live(run, card, 0); !strings.Contains(rows[1], "37 of 100 items") {
		t.Errorf("%q", rows)
	}
	run.Progress.Pause = keepwatch.Pause{Why: "Microsoft 365 asks\x1b[2J Keepwatch to wait.", Until: noon.Add(16 * time.Minute)}
	if rows := s.live(run, card, 0); rows[1] != "▌  37 %, waits until 13:16:00: Microsoft 365 asks\\x1b[2J Keepwatch to wait." {
		t.Errorf("%q", rows)
	}
	for w := 8; w < 120; w++ {
		if got := s.standing(run.Progress, w); width(got) > w || !strings.Contains(got, "37 %") || w > 32 && !strings.Contains(got, "13:16:00") {
			t.Errorf("%d columns: %q", w, got)
		}
	}
	if got := s.standing(keepwatch.Progress{Pause: run.Progress.Pause}, 0); !strings.HasPrefix(got, "waits until 13:16:00: Micro") {
		t.Errorf("%q", got)
	}
	run.Progress.Pause.Trouble = true
	if got := s.standing(run.Progress, 0); !strings.HasPrefix(got, " 37 %, tried again at 13:16:00: Micro") {
		t.Errorf("%q", got)
	}
}

// TestProgressIsCalm: the bar has one width, whatever the figures beside it are.
func TestProgressIsCalm(t *testing.T) {
	cells := -1
	for done := int64(0); done <= 1000; done += 7 {
		p := keepwatch.Progress{Bytes: done << 20, TotalBytes: 1000 << 20, Since: noon.Add(-9 * time.Second), At: noon}
		got := style{}.progress(p, 79)
		n := strings.Count(got, "█") + strings.Count(got, "░")
		if cells >= 0 && n != cells {
			t.Fatalf("%d cells, and before %d: %q", n, cells, got)
		}
		cells = n
		if width(got) > 79 {
			t.Fatalf("%d columns: %q", width(got), got)
		}
	}
}

func TestTimes(t *testing.T) {
	bardo, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	s := style{loc: bardo, now: func() time.Time { return noon }}
	summer := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{noon, "24 Nov 12:00, just now"},
		{noon.Add(-3*time.Minute - 59*time.Second), "24 Nov 11:56, 3 min ago"},
		{noon.Add(30 * time.Second), "24 Nov 12:00, just now"}, // clocks differ a little
		{noon.Add(45 * time.Second), "24 Nov 12:00, in less than a minute"},
		{noon.Add(2*time.Hour + 5*time.Minute), "24 Nov 14:05, in 2 h 5 min"},
		{summer, "1 Jul 13:00, 146 d ago"},
		{noon.AddDate(-1, 0, 0), "24 Nov 2025 12:00, 365 d ago"},
	} {
		if got := s.value(keepwatch.Field{Time: c.at}); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text          string
		width, indent int
		want          string
	}{
		{"12,034 items (9.0 MiB) read in 3.0 s, 3.0 MiB/s; sealed", 20, 0, "12,034 items|(9.0 MiB) read in|3.0 s, 3.0 MiB/s;|sealed"},
		{"a b", 1, 0, "a|b"},
		{"日本語", 4, 0, "日本|語"},
		{"日本語", 1, 0, "日|本|語"}, // there is no narrower way
		{"e\u0301e\u0301e\u0301", 2, 0, "e\u0301e\u0301|e\u0301"},
		{"title that goes on", 10, 2, "title that|  goes on"},
	} {
		got := strings.Join(style{width: c.width}.wrap(c.text, c.indent), "|")
		if got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		text string
		w    int
		want string
	}{{"short", 5, "short"}, {"longer", 5, "long…"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"日本", 1, "…"}, {"日", 0, ""}} {
		if got := truncate(c.text, c.w); got != c.want {
			t.Errorf("%q in %d: %q", c.text, c.w, got)
		}
	}
}

// TestLiveBeforeTheFirstNews: a run of which only the number is known is not
// shown with a gap where its source will be.
func TestLiveBeforeTheFirstNews(t *testing.T) {
	s := style{width: 60}
	rows := s.live(keepwatch.Run{ID: 2}, keepwatch.Message{}, 0)
	if !strings.Contains(rows[0], "Run 2: Waiting for its turn") {
		t.Errorf("it is shown as %q", rows[0])
	}
}
