package vault

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"keepwatch"
)

// TestGapsAreToldApart: as an archive is written, and again as it is read back,
// since the state may have been lost in between; and no word of them lies
// unsealed beside it.
func TestGapsAreToldApart(t *testing.T) {
	v := newVault(t)
	w, err := v.Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, file("a", "aaa"))
	notes := []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: "salaries", Text: "permission denied"}, {Kind: keepwatch.NoteInfo, Path: "b"}, {Kind: keepwatch.NoteHalf, Path: "mail.pst", Text: "up to byte 9"}}
	var want keepwatch.Gaps
	for _, n := range notes {
		want.Add(n)
		if err := w.Note(n); err != nil {
			t.Fatal(err)
		}
	}
	run := newRun(1)
	if run.Result, err = w.Close(); err != nil || len(run.Result.Gaps) != 2 || !slices.Equal(run.Result.Gaps, want.List()) {
		t.Fatalf("%v, %q, want %q", err, run.Result.Gaps, want.List())
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if p := verify(t, v, a.Ref()); !p.OK() || !slices.Equal(p.Gaps, want.List()) {
		t.Errorf("read back: %q, want %q", p.Gaps, want.List())
	}
	for _, name := range []string{manifestName, recordName} {
		data, err := readSmall(filepath.Join(v.dir, a.Source, a.Stamp), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, gap := range want.List() {
			if bytes.Contains(data, []byte(gap)) {
				t.Errorf("%s tells of %s", name, gap)
			}
		}
	}
}
