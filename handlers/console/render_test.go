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
	for _, s := range []style{{}, {width: 20, bar: true}, {width: 40, bar: true}, {width: 80, bar: true, colour: true}, {width: 80, bar: true}, {width: 200, bar: true}} {
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
	if strings.ContainsFunc(bare, hidden) {
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
	f.Fuzz(func(t *testing.T, title, text, cell string, w int) {
		s := style{width: 8 + (w&0xff+256)%256%120, bar: true, loc: time.UTC, now: func() time.Time { return noon }}
		m := keepwatch.Message{Title: title, Blocks: []keepwatch.Block{keepwatch.Text(text), {Fields: []keepwatch.Field{{Name: cell, Value: text}}}, {Table: &keepwatch.Table{Head: []string{cell, title}, Rows: [][]string{{text, cell}, {cell}}}}}}
		for _, l := range s.render(m) {
			if strings.ContainsFunc(l, hidden) {
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
