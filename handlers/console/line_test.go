package console

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// at gives a line with the cursor as "|".
func (l *line) String() string { return l.text[:l.at] + "|" + l.text[l.at:] }

func TestLine(t *testing.T) {
	for _, c := range []struct {
		from string
		keys []code
		want string
	}{
		{"ab|c", []code{keyLeft, keyLeft, keyLeft}, "|abc"},
		{"ab|c", []code{keyRight, keyRight}, "abc|"},
		{"a日|", []code{keyBackspace}, "a|"},
		{"e\u0301x|", []code{keyLeft, keyLeft}, "|e\u0301x"},
		{"e\u0301|x", []code{keyBackspace}, "|x"},
		{"|e\u0301x", []code{keyDelete}, "|x"},
		{"👩‍👩‍👧‍👦|", []code{keyBackspace}, "|"},
		{"|", []code{keyBackspace, keyDelete, keyLeft, keyRight, keyKillWord, keyKillNextWord, keyWordLeft, keyWordRight, keyYank}, "|"},
		{"/backup start  |", []code{keyWordLeft}, "/backup |start  "},
		{"/backup| start x", []code{keyWordRight}, "/backup start| x"},
		{"/backup start|", []code{keyKillWord, keyKillWord}, "|"},
		{"/backup start|", []code{keyKillWord, keyHome, keyYank}, "start|/backup "},
		{"one |two three", []code{keyKillNextWord}, "one | three"},
		{"one |two", []code{keyKillBefore}, "|two"},
		{"one |two", []code{keyKillAfter, keyHome, keyLast}, "one |"},
	} {
		text, rest, _ := strings.Cut(c.from, "|")
		l := line{text: text + rest, at: len(text)}
		for _, k := range c.keys {
			if !l.edit(k) {
				t.Errorf("%v is no key of a line", k)
			}
		}
		if l.String() != c.want {
			t.Errorf("%s %v: %s, want %s", c.from, c.keys, l.String(), c.want)
		}
	}
	var l line
	if !l.insert(strings.Repeat("x", maxLine)) || l.insert("x") || len(l.text) != maxLine || l.edit(keyTab) {
		t.Error("a line may be longer than a line may be")
	}
}

func TestLay(t *testing.T) {
	for _, c := range []struct {
		line    string
		columns int
		want    string
	}{
		{"|", 10, "› @0,2"},
		{"abc|", 10, "› abc@0,5"},
		{"abcdefgh|ij", 10, "› abcdefgh/ij@1,0"},
		{"abcdefgh|", 10, "› abcdefgh@0,10"}, // the last column is free: rows are narrower than the terminal
		{"日本|語", 7, "› 日本/語@1,0"},
		{"日本語|", 7, "› 日本/語@1,2"},
		{"a\u202e|b", 10, "› a\\u202eb@0,9"},
		{"abcd\u202e|b", 6, "› abcd/\\u202e/b@2,0"},
		{"日|", 1, "›/ /日@2,2"},
		{"\u0600\u0600\u0600\u0600\u0600\u0600\u0600|", 5, "› \u0600\u0600\u0600/\u0600\u0600\u0600\u0600@1,4"}, // one cluster, by Unicode's rules
	} {
		text, rest, _ := strings.Cut(c.line, "|")
		l := line{text: text + rest, at: len(text)}
		rows, row, col := l.lay(prompt, c.columns)
		got := fmt.Sprintf("%s@%d,%d", strings.Join(rows, "/"), row, col)
		if c.columns > 1 && got != c.want {
			t.Errorf("%s in %d: %s, want %s", c.line, c.columns, got, c.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("日本 e\u0301\u202e👩‍👩‍👧‍👦", []byte{1, 2, 3}, 9)
	f.Fuzz(func(t *testing.T, text string, keys []byte, columns int) {
		columns = 8 + int(uint(columns)%100)
		keys = keys[:min(len(keys), 40)] // enough of pasting back what was cut, which doubles the line
		l := line{}
		l.insert(typeable(strings.ToValidUTF8(text[:min(len(text), 2000)], "")))
		for _, k := range keys {
			l.edit(keyUp + code(k%16))
			rows, row, col := l.lay(prompt, columns)
			if row >= len(rows) || col > columns {
				t.Fatalf("%q: the cursor is at %d,%d of %q", l.String(), row, col, rows)
			}
			for _, r := range rows {
				if width(r) > columns || clean(r) != r {
					t.Fatalf("%q in %d: %q", l.text, columns, r)
				}
			}
		}
	})
}

func TestHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(file, []byte("one\ntwo\none\n\n\xff\nthree\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := openHistory(file)
	for _, l := range []string{"two", "12", "two", "four"} {
		h.add(l)
	}
	for _, got := range [][]string{h.lines, openHistory(file).lines} {
		if diff := cmp.Diff([]string{"one", "three", "two", "four"}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", info.Mode(), err)
	}
	for i := range 2 * maxHistory {
		h.add(fmt.Sprint("line ", i))
	}
	if got := openHistory(file).lines; len(got) != maxHistory || got[0] != fmt.Sprint("line ", maxHistory) {
		t.Errorf("%d lines from %q", len(got), got[0])
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Count(string(data), "\n") != maxHistory {
		t.Errorf("the file has %d lines", strings.Count(string(data), "\n"))
	}
	nowhere := openHistory(filepath.Join(t.TempDir(), "no", "such", "folder"))
	nowhere.add("one") // no reason not to chat
	if len(nowhere.lines) != 1 {
		t.Error("it is forgotten")
	}
}

func TestRecall(t *testing.T) {
	h := &history{lines: []string{"backup start a", "whoami", "backup list"}}
	r, l := recall{at: -1}, line{}
	l.set("ba")
	for _, c := range []struct {
		back bool
		want string
	}{{true, "backup list|"}, {true, "backup start a|"}, {true, "backup start a|"}, {false, "backup list|"}, {false, "ba|"}, {false, "ba|"}, {true, "backup list|"}} {
		if r.step(h, &l, c.back); l.String() != c.want {
			t.Errorf("%v: %s, want %s", c.back, l.String(), c.want)
		}
	}
}
