package pim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// read gives all lines of a text and what was wrong with others.
func readLines(t *testing.T, text string) ([]line, []string) {
	t.Helper()
	var lines []line
	var bad []string
	for r := newLineReader(strings.NewReader(text)); ; {
		l, err := r.next()
		var e *LineError
		switch {
		case err == io.EOF:
			return lines, bad
		case errors.As(err, &e):
			bad = append(bad, e.Error())
		case err != nil:
			t.Fatal(err)
		default:
			lines = append(lines, l)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []line
		bad        []string
	}{
		{"plain", "SUMMARY:a\r\n", []line{{Number: 1, Name: "SUMMARY", Value: "a"}}, nil},
		{"byte order mark, LF, no end", "\uFEFFa:1\nb:2", []line{{Number: 1, Name: "A", Value: "1"}, {Number: 2, Name: "B", Value: "2"}}, nil},
		{"lone CR", "a:1\rb:2\r\r\nc:3\r", []line{{Number: 1, Name: "A", Value: "1"}, {Number: 2, Name: "B", Value: "2"}, {Number: 4, Name: "C", Value: "3"}}, nil},
		{"folded", "a:1\r\n 2\r\n\t3\r\nb:4", []line{{Number: 1, Name: "A", Value: "123"}, {Number: 4, Name: "B", Value: "4"}}, nil},
		{"folded within a character", "a:\xc3\r\n \xbc", []line{{Number: 1, Name: "A", Value: "ü"}}, nil},
		{"Windows-1252", "a:gr\xfcn \x80", []line{{Number: 1, Name: "A", Value: "grün €"}}, nil},
		{"UTF-16", "\xff\xfea\x00:\x00\xfc\x00", []line{{Number: 1, Name: "A", Value: "ü"}}, nil},
		{"parameters", `ATTENDEE;CN="Doe; J:r, Jr";X=a,"b,c";Y=^'^^^n^:mailto:x`, []line{{Number: 1, Name: "ATTENDEE", Params: []param{
			{"CN", []string{"Doe; J:r, Jr"}}, {"X", []string{"a", "b,c"}}, {"Y", []string{"\"^\n^"}}}, Value: "mailto:x"}}, nil},
		{"group and bare", "item1.TEL;WORK;QUOTED-PRINTABLE:a=3Db", []line{{Number: 1, Group: "item1", Name: "TEL",
			Params: []param{{"TYPE", []string{"WORK"}}, {"ENCODING", []string{"QUOTED-PRINTABLE"}}}, Value: "a=b"}}, nil},
		{"quoted-printable with soft breaks", "N;CHARSET=iso-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCl=\r\nler=3B=0D=0Ax\r\nb:1", []line{{Number: 1, Name: "N",
			Params: []param{{"CHARSET", []string{"iso-8859-1"}}, {"ENCODING", []string{"QUOTED-PRINTABLE"}}}, Value: "Müller;\r\nx"}, {Number: 3, Name: "B", Value: "1"}}, nil},
		{"Base64 that is not indented", "PHOTO;BASE64:AAAA\r\nBBBB\r\n\r\nEND:VCARD", []line{{Number: 1, Name: "PHOTO",
			Params: []param{{"ENCODING", []string{"BASE64"}}}, Value: "AAAABBBB"}, {Number: 4, Name: "END", Value: "VCARD"}}, nil},
		{"broken ones between others", "a:1\nno colon\nb;X=\"open:2\n:3\nc:4", []line{{Number: 1, Name: "A", Value: "1"}, {Number: 5, Name: "C", Value: "4"}},
			[]string{`line 2: "no colon" has no colon`, "line 3: the parameters of B do not end with a colon", `line 4: "" is no name of a property`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, bad := readLines(t, c.text)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.bad, bad); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEscapes(t *testing.T) {
	if got := unescape(`a\nb\Nc\\d\,e\;f\xg\`); got != "a\nb\nc\\d,e;f\\xg\\" {
		t.Errorf("%q", got)
	}
	for _, s := range []string{"", "a", `C:\new;x,y`, "1\n2\n\n3", `\\n`} {
		if got := unescape(escape(s)); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	if d := cmp.Diff([]string{"a,b", `c\`, "", "d"}, splitText(`a\,b,c\\,,d`, ',')); d != "" {
		t.Error(d)
	}
}

func TestBytesOfBase64(t *testing.T) {
	for value, want := range map[string]string{"YWI=": "ab", "YWI": "ab", " Y W\tI = ": "ab", "-_-_": "\xfb\xff\xbf", "": ""} {
		if got, err := (&line{Value: value}).bytes(); err != nil || string(got) != want {
			t.Errorf("%q: %q %v", value, got, err)
		}
	}
	if _, err := (&line{Number: 7, Name: "PHOTO", Value: "!!"}).bytes(); err == nil || !strings.Contains(err.Error(), "line 7: PHOTO") {
		t.Error(err)
	}
}

func TestFolding(t *testing.T) {
	for n := range 200 {
		var b bytes.Buffer
		w := lineWriter{w: &b}
		value := strings.Repeat("x", n) + strings.Repeat("ü€😀", 60)
		w.text("SUMMARY", value, "X-P", "a:\"^\n", "EMPTY", "")
		if w.err != nil {
			t.Fatal(w.err)
		}
		for _, s := range strings.SplitAfter(b.String(), "\r\n") {
			if len(s) > 77 || !utf8.ValidString(s) {
				t.Fatalf("%d bytes in %q", len(s), s)
			}
		}
		got, _ := readLines(t, b.String())
		want := []line{{Number: 1, Name: "SUMMARY", Params: []param{{"X-P", []string{"a:\"^\n"}}}, Value: value}}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	}
}

func TestControlCharactersCannotBreakALine(t *testing.T) {
	var b bytes.Buffer
	w := lineWriter{w: &b}
	w.line("URL", "http://x\r\nEND:VCALENDAR\x00\x07\xff", "P", "a\rb")
	if got := b.String(); got != "URL;P=ab:http://xEND:VCALENDAR\uFFFD\r\n" {
		t.Errorf("%q", got)
	}
}

func TestComponents(t *testing.T) {
	var bad []string
	r := newLineReader(strings.NewReader("x:1\nBEGIN:A\nx:2\nBEGIN: b \nx:3\nEND:B\nBEGIN:C\nEND:A\nEND:Z\nBEGIN:D\ny:4\n"))
	hear := func(e *LineError) { bad = append(bad, e.Error()) }
	a, err := r.component(hear)
	if err != nil || a.Name != "A" || a.value("X") != "2" || len(a.Subs) != 2 || a.Subs[0].value("X") != "3" || a.Subs[1].Begin != 7 {
		t.Errorf("%+v %v", a, err)
	}
	d, err := r.component(hear)
	if err != nil || d.Name != "D" || d.text("Y") != "4" {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := r.component(hear); err != io.EOF {
		t.Error(err)
	}
	want := []string{"line 1: X lies outside of everything", "line 8: END:A comes while C is open", "line 9: END:Z ends nothing", "line 11: the text ends within D"}
	if diff := cmp.Diff(want, bad); diff != "" {
		t.Error(diff)
	}
	deep := newLineReader(strings.NewReader(strings.Repeat("BEGIN:A\n", maxDepth+1)))
	if _, err := deep.component(hear); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Error(err)
	}
}

// endless gives one line that never ends.
type endless struct{ folded bool }

func (e endless) Read(p []byte) (int, error) {
	s := "a"
	if e.folded {
		s = "\r\n a"
	}
	return copy(p, strings.Repeat(s, len(p)/len(s))), nil
}

func TestEndlessLine(t *testing.T) {
	for _, folded := range []bool{false, true} {
		r := newLineReader(io.MultiReader(strings.NewReader("a:"), endless{folded}))
		r.limit = 1 << 20
		_, err := r.next()
		if !errors.Is(err, errTooLong) || fmt.Sprint(err) != "line 1: the line is too long" {
			t.Error(err)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nN;ENCODING=QUOTED-PRINTABLE:a=\r\nb\r\nEND:VCARD"))
	f.Add([]byte("\xfe\xffa;b=\"c\":d\r e"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newLineReader(bytes.NewReader(data))
		for {
			l, err := r.next()
			var e *LineError
			if errors.As(err, &e) {
				continue
			}
			if err != nil {
				return
			}
			if l.Name == "" || !utf8.ValidString(l.Value) || strings.Contains(l.Value, "\x00") {
				t.Errorf("%+v", l)
			}
		}
	})
}
