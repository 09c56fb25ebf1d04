package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// archExporter has files, and breaks off when it is told to.
type archExporter struct {
	files  []outlook.ExportFile
	data   map[string][]byte
	cuts   int // so many times a reading gives a third of what is left, then an error
	opened []int64
	begun  []json.RawMessage
	broken error
}

func (e *archExporter) Begin(_ context.Context, mailbox string, run int64, kept json.RawMessage, keep func(json.RawMessage) error) error {
	e.begun = append(e.begun, kept)
	return keep(json.RawMessage(`{"case":"` + mailbox + `"}`))
}

func (e *archExporter) Wait(ctx context.Context, kept json.RawMessage, _ func(keepwatch.Progress)) error {
	e.begun = append(e.begun, kept)
	return context.Cause(ctx)
}

func (e *archExporter) Files(context.Context, json.RawMessage) ([]outlook.ExportFile, error) {
	return e.files, nil
}

func (e *archExporter) Open(_ context.Context, _ json.RawMessage, f outlook.ExportFile, from int64) (io.ReadCloser, error) {
	if e.opened = append(e.opened, from); e.broken != nil {
		return nil, e.broken
	}
	left := e.data[f.Name][from:]
	if e.cuts > 0 {
		e.cuts--
		return io.NopCloser(io.MultiReader(bytes.NewReader(left[:len(left)/3]), archBroken{})), nil
	}
	return io.NopCloser(bytes.NewReader(left)), nil
}

func (e *archExporter) Remove(_ context.Context, kept json.RawMessage) ([]keepwatch.Note, error) {
	e.begun = append(e.begun, kept)
	return []keepwatch.Note{{Kind: keepwatch.NoteInfo, Text: "the case stays"}}, nil
}

type archBroken struct{}

func (archBroken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// archExport is a world with an export of one PST and a report.
func archExport(t *testing.T) (*archWorld, *archExporter) {
	made, sink := newArchWorld(t, archSmall(), "pst"), &archSink{pst: t.TempDir()}
	made.mustFetch(t, sink)
	data, err := os.ReadFile(filepath.Join(sink.pst, "alis-mail.pst"))
	if err != nil {
		t.Fatal(err)
	}
	e := &archExporter{data: map[string][]byte{"Exchange/alis.pst": data, "Report: all.csv": []byte("a,b\n")}}
	for _, name := range []string{"Exchange/alis.pst", "Report: all.csv"} {
		e.files = append(e.files, outlook.ExportFile{Name: name, Size: int64(len(e.data[name]))})
	}
	w := newArchWorld(t, newArchSpool())
	w.job.Source.Engine = "purview"
	w.cfg.Exporter, w.cfg.Lister = e, &archLister{}
	w.kept = outlook.Kept{Export: json.RawMessage(`{"case":"a"}`)}
	return w, e
}

func TestExportGoesIntoTheArchive(t *testing.T) {
	w, e := archExport(t)
	e.cuts = 2
	sink := &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	if got := sink.paths(); !slices.Equal(got, []string{"Exchange-alis.pst", "Report all.csv"}) {
		t.Errorf("%q", got)
	}
	data := e.data["Exchange/alis.pst"]
	if got, err := os.ReadFile(filepath.Join(sink.pst, "Exchange-alis.pst")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes of %d: %v", len(got), len(data), err)
	}
	third := int64(len(data) / 3)
	if want := []int64{0, third, third + (int64(len(data))-third)/3, 0}; !slices.Equal(e.opened, want) {
		t.Errorf("read from %v, not %v", e.opened, want)
	}
	if len(sink.noted(keepwatch.NoteMailbox)) != 1 || len(sink.noted(keepwatch.NoteInfo)) != 0 || w.found.Files != 2 || w.found.Items[keepwatch.ItemMail] != 6 {
		t.Errorf("%+v; %+v", sink.notes, w.found)
	}
}

func TestExportThatIsNotGoodIsKeptAndNamed(t *testing.T) {
	w, e := archExport(t)
	copy(e.data["Exchange/alis.pst"][0x5000:], "a disk that fails")
	sink := &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	if notes := sink.noted(keepwatch.NoteInfo); len(notes) != 1 || !strings.HasPrefix(notes[0], "Exchange-alis.pst: a check of its format found: ") {
		t.Errorf("%q", notes)
	}
}

func TestExportThatCannotBeHad(t *testing.T) {
	broken := keepwatch.Errorf(keepwatch.KindTransient, "Purview does not answer.")
	for name, c := range map[string]struct {
		change func(w *archWorld, e *archExporter)
		opened int
		kind   keepwatch.Kind
	}{
		"never answers": {func(_ *archWorld, e *archExporter) { e.broken = broken }, tries, keepwatch.KindTransient},
		"sends less":    {func(_ *archWorld, e *archExporter) { e.files[0].Size++ }, tries + 1, keepwatch.KindInternal},
		"sends more":    {func(_ *archWorld, e *archExporter) { e.files[0].Size-- }, 1, keepwatch.KindAttention},
		"has nothing":   {func(_ *archWorld, e *archExporter) { e.files = nil }, 0, keepwatch.KindAttention},
		"has no room":   {func(w *archWorld, _ *archExporter) { w.spools.free = 1 << 20 }, 0, keepwatch.KindAttention},
		"is not there":  {func(w *archWorld, _ *archExporter) { w.cfg.Exporter = nil }, 0, keepwatch.KindInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			w, e := archExport(t)
			c.change(w, e)
			err := w.fetch(t.Context(), t, &archSink{pst: t.TempDir()})
			if err == nil || keepwatch.KindOf(err) != c.kind || len(e.opened) != c.opened {
				t.Errorf("%d readings; it gave %v", len(e.opened), err)
			}
		})
	}
	w, e := archExport(t)
	ctx, cancel := context.WithCancel(t.Context())
	e.broken = errors.New("cut")
	cancel()
	if err := w.fetch(ctx, t, &archSink{}); !errors.Is(err, context.Canceled) || len(e.opened) > 1 {
		t.Errorf("cancelled: %v after %d readings", err, len(e.opened))
	}
}

func TestExportIsPrepared(t *testing.T) {
	w, e := archExport(t)
	p, err := New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	var _ providers.Preparer = p
	var remote json.RawMessage
	job := w.job
	job.Keep = func(r json.RawMessage) error { remote = r; return nil }
	for _, step := range []func(context.Context, providers.Job) error{p.Request, p.Request, p.Wait} {
		job.Remote = remote
		if err := step(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	notes, err := p.Release(t.Context(), job)
	if err != nil || len(notes) != 1 {
		t.Errorf("%v %v", notes, err)
	}
	const export = `{"case":"alis@contoso.example"}`
	if got := string(bytes.Join([][]byte{e.begun[0], e.begun[1], e.begun[2], e.begun[3]}, []byte("|"))); got != "|"+export+"|"+export+"|"+export {
		t.Errorf("it was asked with %s", got)
	}
	if job.Source.Engine = ""; p.Prepares(job) {
		t.Error("a mailbox that Graph reads is not prepared")
	}
}
