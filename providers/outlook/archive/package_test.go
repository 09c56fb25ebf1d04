package archive

import (
	"archive/zip"
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// archPackage makes a package of an export.
func archPackage(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range files {
			if !yield(name) {
				return
			}
		}
	}) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archPackaged is a world whose export is one package.
func archPackaged(t *testing.T, change func(files map[string][]byte)) (*archWorld, *archExporter) {
	w, e := archExport(t)
	files := map[string][]byte{"Exchange/alis.pst": e.data["Exchange/alis.pst"], "Report.csv": []byte("a,b\n")}
	if change != nil {
		change(files)
	}
	archOnly(e, "PSTs.001.zip", archPackage(t, files))
	return w, e
}

// archOnly makes a file the only one of an export.
func archOnly(e *archExporter, name string, data []byte) {
	e.data, e.files = map[string][]byte{name: data}, []outlook.ExportFile{{Name: name, Size: int64(len(data))}}
}

func TestPackageIsUnpacked(t *testing.T) {
	w, _ := archPackaged(t, func(files map[string][]byte) {
		files["../../etc/passwd"], files[`..\x:evil`], files["Exchange/ALIS.pst"] = []byte("slipped"), []byte("slipped"), []byte("no PST")
	})

	sink := &archSink{}
	w.mustFetch(t, sink)
	want := []string{"PSTs.001/etc/passwd", "PSTs.001/x-evil", "PSTs.001/Exchange/ALIS.pst", "PSTs.001/Exchange/alis (2).pst", "PSTs.001/Report.csv"}
	got := sink.paths()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if len(sink.alone) > 0 {
		t.Errorf("the names of %q are seen beside the archive", sink.alone)
	}
	if notes := sink.noted(keepwatch.NoteInfo); len(notes) != 1 || !strings.Contains(notes[0], "ALIS.pst") {
		t.Errorf("%q", notes)
	}
}

// TestPackageThatIsNone: a page of a proxy, or half a file, is no backup.
func TestPackageThatIsNone(t *testing.T) {
	w, e := archExport(t)
	archOnly(e, "PSTs.001.zip", []byte("<html>Sign in to your account</html>"))
	e.files[0].Size = 0 // it may not say
	err := w.fetch(t.Context(), t, &archSink{})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "PSTs.001.zip") {
		t.Errorf("%v", err)
	}
}

// TestPackageOfAnotherMethodIsKept: what is packed or encrypted as is not known here is
// all that there is, and no retry makes it another one.
func TestPackageOfAnotherMethodIsKept(t *testing.T) {
	for name, change := range map[string]func(h *zip.FileHeader){
		"method 9": func(h *zip.FileHeader) { h.Method = 9 }, "is encrypted": func(h *zip.FileHeader) { h.Flags |= 1 },
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: "alis.pst", CompressedSize64: 4, UncompressedSize64: 9}
		change(h)
		raw, err := z.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Write([]byte("odd!")); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		w, e := archExport(t)
		archOnly(e, "PSTs.001.zip", b.Bytes())
		sink := &archSink{pst: t.TempDir()}
		w.mustFetch(t, sink)
		notes := sink.noted(keepwatch.NoteInfo)
		if got := sink.paths(); !slices.Equal(got, []string{"PSTs.001.zip"}) || len(notes) != 1 || !strings.Contains(notes[0], "nothing in it was checked") || !strings.Contains(notes[0], name) {
			t.Errorf("%q, %q", got, notes)
		}
	}
}

// TestExportWithoutMail: reports alone are no backup of a mailbox.
func TestExportWithoutMail(t *testing.T) {
	w, _ := archPackaged(t, func(files map[string][]byte) { delete(files, "Exchange/alis.pst") })
	err := w.fetch(t.Context(), t, &archSink{})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "no Outlook data file") {
		t.Errorf("%v", err)
	}
}

// TestExportThatIsIncomplete: what Purview says is missing is said by the archive.
func TestExportThatIsIncomplete(t *testing.T) {
	w, e := archExport(t)
	e.files[0].Incomplete = "Purview could not export all of it"
	sink := &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	if notes := sink.noted(keepwatch.NoteInfo); len(notes) != 1 || !strings.Contains(notes[0], "could not export all") {
		t.Errorf("%q", notes)
	}
}

// TestPackageThatIsDamaged: a checksum that does not fit stops the run and says what to do.
func TestPackageThatIsDamaged(t *testing.T) {
	w, e := archPackaged(t, nil)
	name := e.files[0].Name
	e.data[name][len(e.data[name])/3] ^= 1
	err := w.fetch(t.Context(), t, &archSink{})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "cannot be unpacked") {
		t.Errorf("%v", err)
	}
}

func TestPackageNeedsRoom(t *testing.T) {
	w, e := archPackaged(t, func(files map[string][]byte) { files["huge.csv"] = bytes.Repeat([]byte{0}, 64<<20) })
	w.spools.free = int64(len(e.data[e.files[0].Name])) + 8<<20
	err := w.fetch(t.Context(), t, &archSink{})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "room") {
		t.Errorf("%v", err)
	}
	if left, err := filepath.Glob(filepath.Join(w.spools.dir, "*", "*.part")); err != nil || len(left) > 0 {
		t.Errorf("%q is left: %v", left, err)
	}
}
