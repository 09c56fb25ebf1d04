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
	"keepwatch/providers/outlook"
)

// archOlder has files of older archives, by "ref/path".
type archOlder map[string]string

func (o archOlder) OpenEntry(_ context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	text, ok := o[ref+"/"+path]
	if !ok {
		return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive %s.", ref)
	}
	return keepwatch.Entry{Path: path}, io.NopCloser(strings.NewReader(text)), nil
}

// archJSON writes JSON lines.
func archJSON(t *testing.T, values ...any) string {
	var b strings.Builder
	for _, v := range values {
		if err := json.NewEncoder(&b).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// archChanges is a mailbox of which two archives are there already.
func archChanges(t *testing.T) (*archWorld, archOlder) {
	s := archSmall()
	s.at["in"] = outlook.Position{State: "later"}
	s.gone["in"] = []outlook.Item{{ID: "X", Folder: "in", Kind: outlook.Mail, Removed: "deleted"}, {ID: "Y", Folder: "in", Kind: outlook.Mail, Removed: "changed"}, {ID: "Z", Folder: "in", Kind: outlook.Mail, Removed: "deleted"}}
	s.gone["proj"] = []outlook.Item{{ID: "Q", Folder: "proj", Kind: outlook.Mail, Removed: "deleted"}} // read from its beginning: what is not listed is gone
	w := newArchWorld(t, s, "pst")
	w.kept.Base = "alis-mail/2"
	older := archOlder{
		"alis-mail/2/" + outlook.StatePath: archJSON(t, outlook.State{Version: 1, Base: "alis-mail/1"}),
		"alis-mail/2/" + outlook.IndexPath: archJSON(t, outlook.Line{Item: outlook.Item{ID: "X", Folder: "in", Subject: "Newer", Kind: outlook.Mail, Raw: json.RawMessage(`{}`)}}, outlook.Line{Item: outlook.Item{ID: "Y", Folder: "other", Subject: "Elsewhere", Kind: outlook.Mail}}),
		"alis-mail/1/" + outlook.StatePath: archJSON(t, outlook.State{Version: 1}),
		"alis-mail/1/" + outlook.IndexPath: archJSON(t, outlook.Line{Item: outlook.Item{ID: "X", Folder: "in", Subject: "Older", Kind: outlook.Mail}}, outlook.Line{Item: outlook.Item{ID: "Y", Folder: "in", Subject: "Moved", Kind: outlook.Mail}}),
	}
	w.cfg.Older = older
	return w, older
}

func TestArchiveOfChangesListsWhatWasRemoved(t *testing.T) {
	w, _ := archChanges(t)
	sink := &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	var got []string
	for _, l := range sink.lines(t, outlook.RemovedPath) {
		got = append(got, l.ID+" "+l.Removed+" "+l.Subject+" "+strings.Join(l.In, "/"))
		if l.Raw != nil {
			t.Errorf("%s has its JSON again", l.ID)
		}
	}
	if want := []string{"X deleted Newer Inbox", "Y changed Moved Inbox", "Z deleted  Inbox"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	var state outlook.State
	if err := json.Unmarshal([]byte(sink.texts[outlook.StatePath]), &state); err != nil {
		t.Fatal(err)
	}
	if s := state.Folders[0]; s.Gone != 3 || s.Whole || state.Base != "alis-mail/2" || !state.Folders[1].Whole {
		t.Errorf("%+v", state)
	}
	if w.base != "alis-mail/2" {
		t.Errorf("it goes on from %q", w.base)
	}
	if name := "alis-mail-changes-2026-11-23.pst"; !slices.Contains(sink.paths(), name) {
		t.Errorf("%q is not among %q", name, sink.paths())
	}
}

func TestArchiveOfChangesWithoutTheOlderOnes(t *testing.T) {
	w, older := archChanges(t)
	delete(older, "alis-mail/1/"+outlook.StatePath)
	sink := &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	if lines := sink.lines(t, outlook.RemovedPath); len(lines) != 3 || lines[0].Subject != "Newer" || lines[1].Subject != "" {
		t.Errorf("%+v", lines)
	}
	if !slices.ContainsFunc(sink.noted(keepwatch.NoteInfo), func(n string) bool {
		return strings.HasSuffix(n, "cannot be read: There is no archive alis-mail/1.")
	}) {
		t.Errorf("%q", sink.noted(keepwatch.NoteInfo))
	}
}

// TestLineFile: what lies on the disk can be read by nobody, and is what comes back.
func TestLineFile(t *testing.T) {
	dir := t.TempDir()
	l, err := newLineFile(dir, "lines")
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if err := l.add(outlook.Line{Item: outlook.Item{ID: "A", Subject: "a secret subject"}}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(r io.Reader, size int64) error {
		text, err := io.ReadAll(r)
		if int64(len(text)) != size || bytes.Count(text, []byte("a secret subject")) != 3000 || text[size-1] != '\n' {
			return errors.New("it is not what was written")
		}
		return err
	}
	if err := l.read(read); err != nil {
		t.Error(err)
	}
	path := filepath.Join(dir, "lines")
	data, err := os.ReadFile(path)
	if err != nil || bytes.Contains(data, []byte("subject")) || int64(len(data)) != l.size {
		t.Errorf("%d bytes on the disk, with the subjects: %v", len(data), err)
	}
	data[len(data)-3] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.read(func(r io.Reader, _ int64) error { _, err := io.Copy(io.Discard, r); return err }); err == nil {
		t.Error("another bit was not seen")
	}
	if err := errors.Join(l.remove(), l.remove()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("it is still there")
	}
}
