package keepwatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const text = "xoxb-do-not-print"
	s := keepwatch.NewSecret(text)
	source := keepwatch.Source{Name: "web", Hosting: &keepwatch.Hosting{Token: s, Password: s, OTPSecret: s, Push: &keepwatch.Push{Password: s, Passphrase: s}}}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("it", "secret", s, "pointer", &s, "in", map[string]any{"s": s}, "source", source)
	plain := slog.New(slog.NewTextHandler(&log, nil))
	plain.Info("it", "secret", s, "source", source)
	js, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": source})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(js) + fmt.Sprint(s, &s, source, []keepwatch.Secret{s}, errors.New(s.String()))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
		all += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s) + fmt.Sprintf(verb, source)
	}
	if strings.Contains(all, text) || strings.Contains(all, fmt.Sprintf("%x", text)) || strings.Contains(all, fmt.Sprintf("%X", text)) {
		t.Errorf("it was printed: %s", all)
	}
	if !s.Equal(keepwatch.NewSecret(text)) || s.Equal(keepwatch.Secret{}) || !keepwatch.NewSecret("").IsZero() {
		t.Error("secrets are not compared by their text")
	}
	if s.Reveal() != text || s.IsZero() || !(keepwatch.Secret{}).IsZero() {
		t.Error("the text itself is lost")
	}
}

func TestErrors(t *testing.T) {
	cause := io.ErrUnexpectedEOF
	e := keepwatch.Errorf(keepwatch.KindAttention, "The disk %s is full.", "/srv").Because(cause)
	wrapped := fmt.Errorf("save run 3: %w", e)
	if !errors.Is(wrapped, cause) || keepwatch.KindOf(wrapped) != keepwatch.KindAttention || keepwatch.Sentence(wrapped) != "The disk /srv is full." {
		t.Errorf("%v", wrapped)
	}
	if keepwatch.KindOf(cause) != keepwatch.KindInternal || keepwatch.Sentence(cause) != "" {
		t.Error("an error that nobody classified must be internal, and have nothing to show")
	}
	if keepwatch.KindOf(fmt.Errorf("x: %w", context.Canceled)) != keepwatch.KindCancelled {
		t.Error("a cancelled context must count as cancelled")
	}
	for k := keepwatch.KindInternal; k <= keepwatch.KindCancelled; k++ {
		b, _ := k.MarshalText()
		var back keepwatch.Kind
		if err := back.UnmarshalText(b); err != nil || back != k {
			t.Errorf("%v comes back as %v", k, back)
		}
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"docs": "docs", "My Documents": "my-documents", "ms-Empty.pst": "ms-empty.pst", "..": "source", "": "source", "Ärger & Co": "rger-co", "-x-": "x",
		strings.Repeat("a", 200): strings.Repeat("a", keepwatch.MaxName-4), ".hidden": "hidden", "日本": "source", "a..b": "a..b",
	} {
		if got := keepwatch.NameFrom(text); got != want || !keepwatch.ValidName(got) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
	for _, bad := range []string{"", ".", "..", "-a", "A", "a/b", "a b", "a\x00", strings.Repeat("a", 64), "é"} {
		if keepwatch.ValidName(bad) {
			t.Errorf("%q is taken for a name", bad)
		}
	}
}

func FuzzSplitRef(f *testing.F) {
	for _, s := range []string{"notes/2026-11-23T030000Z", "notes/2026-11-23T030000Z-2", "../x/2026-11-23T030000Z", "a/2026-13-41T000000Z", "notes/2026-11-23T030000Z-02"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		source, stamp, ok := keepwatch.SplitRef(ref)
		if ok && (source+"/"+stamp != ref || strings.Contains(stamp, "/") || strings.Contains(ref, "..") && !strings.Contains(source, "..") || strings.HasPrefix(source, ".")) {
			t.Errorf("%q is %q and %q", ref, source, stamp)
		}
	})
}

func TestStamps(t *testing.T) {
	for s, want := range map[string]bool{
		"2026-11-23T030000Z": true, "2026-11-23T030000Z-2": true, "2026-11-23T030000Z-999": true, "2026-11-23T030000Z-1": false, "2026-11-23T030000Z-1000": false,
		"2026-11-23T030000Z-02": false, "2026-11-23T030000Z-2x": false, "2026-02-30T030000Z": false, "": false, "2026-11-23T030000Zx": false,
	} {
		if keepwatch.ValidStamp(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestFormats(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 1 << 30: "1.0 GiB", 10 << 40: "10.0 TiB"} {
		if got := keepwatch.FormatBytes(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 1400 * time.Millisecond: "1.4 s", 12 * time.Second: "12 s", 59900 * time.Millisecond: "59 s", time.Minute: "1 min", 200 * time.Second: "3 min 20 s",
		time.Hour: "1 h", time.Hour + 30*time.Second: "1 h", time.Hour + 5*time.Minute: "1 h 5 min", 26 * time.Hour: "1 d 2 h", 24*time.Hour + 5*time.Minute: "1 d", -time.Minute: "-1 min",
	} {
		if got := keepwatch.FormatDuration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	if got := keepwatch.FormatCount(1234567, "file"); got != "1,234,567 files" {
		t.Error(got)
	}
	if got := keepwatch.FormatCount(1, "person", "people") + keepwatch.FormatCount(2, "person", "people") + keepwatch.FormatCount(-1234, ""); got != "1 person2 people-1,234" {
		t.Error(got)
	}
	if got := keepwatch.FormatRate(10<<20, 2*time.Second); got != "5.0 MiB/s" {
		t.Error(got)
	}
}

func TestProgress(t *testing.T) {
	since := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	p := keepwatch.Progress{Bytes: 25, TotalBytes: 100, Since: since, At: since.Add(10 * time.Second)}
	left, ok := p.Left()
	if f, known := p.Fraction(); !known || f != 0.25 || p.Rate() != 2.5 || !ok || left != 30*time.Second {
		t.Errorf("%v %v %v", p.Rate(), left, ok)
	}
	if f, _ := (keepwatch.Progress{Bytes: 200, TotalBytes: 100}).Fraction(); f != 1 {
		t.Errorf("more than all is %v", f)
	}
	if f, known := (keepwatch.Progress{Items: 1, TotalItems: 2}).Fraction(); !known || f != 0.5 {
		t.Errorf("items: %v", f)
	}
	if _, known := (keepwatch.Progress{Bytes: 5}).Fraction(); known {
		t.Error("a fraction without a total")
	}
	if _, ok := (keepwatch.Progress{Bytes: 1, TotalBytes: 100, Since: since, At: since.Add(time.Second)}).Left(); ok {
		t.Error("a time left after a second is a guess")
	}
	if (keepwatch.Progress{Bytes: 5, Since: since, At: since.Add(-time.Hour)}).Rate() != 0 {
		t.Error("a clock set back gives a rate")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 👩‍💻\nline": "plain ü 👩‍💻\nline", "a\x1b[31mb": `a\x1b[31mb`, "a\tb": "a  b", "photo\u202egpj.exe": `photo\u202egpj.exe`,
		"\x9b": `\x9b`, "\u0085": `\x85`, "\xff": `\xff`, "zero\u200bwidth": `zero\u200bwidth`, "\u2028": `\u2028`, "\uFFFD": "\uFFFD", "": "",
	} {
		if got := keepwatch.Clean(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
