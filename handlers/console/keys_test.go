package console

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func names(keys []key) []string {
	var out []string
	for _, k := range keys {
		out = append(out, fmt.Sprint(k.code)+k.text)
	}
	return out
}

func key1(c code) []key { return []key{{code: c}} }

func TestDecoder(t *testing.T) {
	for in, want := range map[string][]key{
		"abc":                                {{keyText, "abc"}},
		"日本":                                 {{keyText, "日本"}},
		"a\r":                                {{keyText, "a"}, {code: keyEnter}},
		"\x03":                               key1(keyInterrupt),
		"\x7f":                               key1(keyBackspace),
		"\x1b[A":                             key1(keyUp),
		"\x1bOB":                             key1(keyDown),
		"\x1b[1~":                            key1(keyHome), // screen, tmux
		"\x1b[4~":                            key1(keyLast),
		"\x1b[H":                             key1(keyHome),
		"\x1b[3~":                            key1(keyDelete),
		"\x1b[1;5D":                          key1(keyWordLeft), // Control
		"\x1b[1;3C":                          key1(keyWordRight),
		"\x1b[1;2C":                          key1(keyRight), // Shift
		"\x1bf":                              key1(keyWordRight),
		"\x1b\x7f":                           key1(keyKillWord),
		"\x1b[Z":                             key1(keyBackTab),
		"\x1b[15~x":                          {{keyText, "x"}}, // F5 does nothing
		"\x1b[38;2;1;2;3mx":                  {{keyText, "x"}},
		"\x1b\x1b[A":                         {{code: keyEscape}, {code: keyUp}},
		"\x1b[1\x01":                         key1(keyHome),    // a sequence that breaks off
		"\x00\x1e\xc2\x9b\xffx":              {{keyText, "x"}}, // controls and broken UTF-8 are no text
		"a\x1b[200~b\r\x1b[2J\x07\x1b[201~c": {{keyText, "a"}, {keyPaste, "b\r\x1b[2J\x07"}, {keyText, "c"}},
		"\x1b[200~\x1b[201~":                 {{keyPaste, ""}},
	} {
		var d decoder
		if diff := cmp.Diff(names(want), names(d.feed([]byte(in)))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
		if d.waiting() {
			t.Errorf("%q: %q is left over", in, d.buf)
		}
		var slow decoder // the same, a byte at a time
		var got []key
		for i := range len(in) {
			for _, k := range slow.feed([]byte{in[i]}) {
				got = join(got, k)
			}
		}
		if diff := cmp.Diff(names(want), names(got)); diff != "" {
			t.Errorf("%q byte by byte (-want +got):\n%s", in, diff)
		}
	}
}

func TestDecoderPause(t *testing.T) {
	for in, want := range map[string][]key{"\x1b": key1(keyEscape), "\x1b[": nil, "\x1b[1;": nil, "\xe6\x97": nil, "x": nil} {
		var d decoder
		d.feed([]byte(in))
		if diff := cmp.Diff(names(want), names(d.pause())); diff != "" || d.waiting() {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
		if got := d.feed([]byte("y")); len(got) != 1 || got[0].text != "y" {
			t.Errorf("%q: what follows is %v", in, got)
		}
	}
}

func TestLongPaste(t *testing.T) {
	var d decoder
	var keys []key
	for _, part := range []string{"\x1b[200~", strings.Repeat("x", 1<<20), "\x1b[201", "~y"} {
		keys = append(keys, d.feed([]byte(part))...)
	}
	if len(keys) != 2 || len(keys[0].text) <= maxLine || len(keys[0].text) > maxLine+1 || keys[1].text != "y" {
		t.Errorf("%d keys", len(keys))
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("a\x1b[200~b\x1b[201~\x1b[A\x1b"), 3)
	f.Add([]byte("\x1b\x1b[\x1bO\xe6"), 1)
	f.Fuzz(func(t *testing.T, in []byte, at int) {
		var d decoder
		at = int(uint(at) % uint(len(in)+1))
		keys := append(d.feed(in[:at]), d.feed(in[at:])...)
		keys = append(keys, d.pause()...)
		if d.waiting() {
			t.Errorf("%q is left over after a pause", d.buf)
		}
		for _, k := range keys {
			if !utf8.ValidString(k.text) || k.code == keyNone {
				t.Errorf("%v", k)
			}
			if k.code == keyText && typeable(k.text) != k.text {
				t.Errorf("%q was typed", k.text)
			}
		}
	})
}
