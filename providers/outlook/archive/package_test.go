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

func TestPackageThatIsNoneIsKept(t *testing.T) {
	w, e := archExport(t)
	archOnly(e, "PSTs.001.zip", []byte("no zip at all"))
	sink := &archSink{}
	w.mustFetch(t, sink)
	notes := sink.noted(keepwatch.NoteInfo)
	if got := sink.paths(); !slices.Equal(got, []string{"PSTs.001.zip"}) || len(notes) != 1 || !strings.Contains(notes[0], "nothing in it was checked") {
		t.Errorf("%q, %q", got, notes)
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
