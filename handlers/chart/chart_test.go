package chart

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"keepwatch"
	"keepwatch/handlers"
)

// TestGolden: the pictures are as they were when somebody looked at them. Rasterizers
// differ a little between machines, so a few pixels may.
func TestGolden(t *testing.T) {
	for name, r := range samples(t) {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", name+".png")
			if os.Getenv("KEEPWATCH_UPDATE") != "" {
				data, err := Render(r)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) > keepwatch.MaxFile/2 {
				t.Errorf("it has %d bytes", len(want))
			}
			p := made(t, r)
			apart(t, p)
			told(t, p, handlers.ReportMessage(r))
			if n := differs(t, p.straight(), decoded(t, want)); n > 200 {
				t.Errorf("%d pixels differ from %s; look at it, and KEEPWATCH_UPDATE=1 writes it anew", n, file)
			}
		})
	}
}

// differs counts the pixels that are plainly not the same.
func differs(t *testing.T, x, y *image.NRGBA) (n int) {
	t.Helper()
	if x.Bounds() != y.Bounds() {
		t.Fatalf("it is %v large and was %v", x.Bounds(), y.Bounds())
	}
	for i := 0; i < len(x.Pix); i += 4 {
		if [4]byte(x.Pix[i:]) == [4]byte(y.Pix[i:]) {
			continue
		}
		far := 0
		for j := range 4 {
			far = max(far, int(x.Pix[i+j])-int(y.Pix[i+j]), int(y.Pix[i+j])-int(x.Pix[i+j]))
		}
		if far > 40 {
			n++
		}
	}
	return n
}

// made draws a report without writing it as a PNG, which takes long under the race
// detector.
func made(t *testing.T, r keepwatch.Report) *page {
	t.Helper()
	p, err := render(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decoded(t *testing.T, data []byte) *image.NRGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, is := img.(*image.NRGBA)
	if !is {
		t.Fatalf("it is a %T", img)
	}
	return out
}

// TestGoldenSees: the comparison notices one day that is another.
func TestGoldenSees(t *testing.T) {
	r := samples(t)["full"]
	before := made(t, r).straight()
	r.Sources[2].Calendar[3] = keepwatch.DayPartly
	if n := differs(t, before, made(t, r).straight()); n <= 200 {
		t.Errorf("only %d pixels differ", n)
	}
}

// TestSame: the same report gives the same bytes, also from several goroutines.
func TestSame(t *testing.T) {
	r := samples(t)["empty"]
	first, err := Render(r)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if again, err := Render(r); err != nil || !bytes.Equal(again, first) {
				t.Errorf("another picture, or %v", err)
			}
		})
	}
	wg.Wait()
}

// TestNothingOverlaps: texts keep out of each other's way and within the card, however
// long they are, and none is too small for a phone.
func TestNothingOverlaps(t *testing.T) {
	worst := november(t)
	for _, name := range []string{strings.Repeat("w", keepwatch.MaxName), strings.Repeat("m", 40), "i"} {
		worst.source(name, "gggggggggggggggggggggggggg", 1_098_000_000_000_000)
	}
	worst.people()
	report := keepwatch.NewReport(worst.in)
	report.Days = keepwatch.DayCounts{Good: 12_345, Partly: 12_345, Failed: 12_345, Missed: 12_345}
	report.Due = keepwatch.DueCounts{Due: 1_234_567, Done: 1_234_567}
	foreign := report
	foreign.Sources = append([]keepwatch.SourceReport{}, report.Sources...)
	foreign.Sources[0].Name = "👩‍👩‍👧‍👦 עברית \u202egnp.exe \x1b[31m 日本語\n\nñandú"
	apart(t, made(t, report))
	apart(t, made(t, foreign))
}

// apart holds the texts of a picture to their places.
func apart(t *testing.T, p *page) {
	t.Helper()
	room := image.Rect(margin, margin/2, width-margin/2, p.Bounds().Dy()-margin/2)
	for i, a := range p.placed {
		if !a.at.In(room) {
			t.Errorf("%q stands at %v, outside of the card", a.text, a.at)
		}
		if a.at.Dy() < 26 {
			t.Errorf("%q is too small", a.text)
		}
		for _, b := range p.placed[:i] {
			if a.at.Overlaps(b.at) {
				t.Errorf("%q and %q overlap: %v, %v", a.text, b.text, a.at, b.at)
			}
		}
		if bar := image.Rect(barsAt, 0, barsAt+barsFit, 1<<20); a.at.Min.X == margin && a.at.Dy() == sizeName+sizeName/4 && a.at.Overlaps(bar) {
			t.Errorf("%q runs into the sizes", a.text)
		}
	}
}

// told: every figure of a picture stands in the text of its report.
func told(t *testing.T, p *page, msg keepwatch.Message) {
	t.Helper()
	figure := regexp.MustCompile(`\d[\d,.]*( (KiB|MiB|GiB|TiB|d ago|h ago|good|partly|failed|missed|of \d[\d,.]*|Nov( 2026)?))?`)
	text := msg.Title
	for _, b := range msg.Blocks {
		text += "\n" + b.Text
		for _, f := range b.Fields {
			text += "\n" + f.Name + ": " + f.Value
		}
		if b.Table != nil {
			for _, row := range b.Table.Rows {
				text += "\n" + strings.Join(row, " | ")
			}
		}
	}
	for _, at := range p.placed {
		if strings.HasSuffix(at.text, " Nov") || strings.HasPrefix(at.text, "and ") {
			continue // the dates above the calendar; how many have no row
		}
		for _, f := range figure.FindAllString(at.text, -1) {
			if f = strings.TrimRight(f, ".,"); !strings.Contains(text, f) && !strings.HasPrefix(f, "0 ") {
				t.Errorf("%q of %q is not in the text:\n%s", f, at.text, text)
			}
		}
	}
}

// TestForeign: what the font lacks is a box, and nothing hides or turns.
func TestForeign(t *testing.T) {
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"ruthin-web": "ruthin-web", "ñandú Ωμέγα Привет": "ñandú Ωμέγα Привет", "日本": "□□", "👩‍👩‍👧": "□□□", "a\u202eb": `a\u202eb`, "a\x1b[31m": `a\x1b[31m`, " a\n b ": "a b",
	} {
		if got := f.shown(bold, text); got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

// TestFarStretches: a stretch that is no month has its picture too.
func TestFarStretches(t *testing.T) {
	s := november(t)
	s.source("ruthin-web", "ggggg", 5)
	for _, days := range []int{1, 7, 92, 366} {
		in := s.in
		in.To = in.From.AddDate(0, 0, days)
		if _, err := render(keepwatch.NewReport(in)); err != nil {
			t.Errorf("%d days: %v", days, err)
		}
	}
	if _, err := Render(keepwatch.Report{Location: s.in.Location}); err != nil {
		t.Error(err)
	}
}
