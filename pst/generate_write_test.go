package pst_test

import (
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/writer"
)

// fixedOptions are options that make the same file each time.
func fixedOptions() writer.Options {
	return writer.Options{
		Name:      "Keepwatch",
		Now:       func() time.Time { return firstDay },
		RecordKey: func() pst.GUID { return pst.GUID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16} },
	}
}

// top is the name of the folder below which all of it lies, as Outlook calls it.
const top = "Top of Outlook data file"

// mailbox is a writer with the folders that it has been asked for.
type mailbox struct {
	*writer.Writer
	folders map[string]*writer.Folder
}

// folder gives the one with that path, which is made with those above it.
func (b *mailbox) folder(path []string, class string) (*writer.Folder, error) {
	if len(path) == 0 {
		return b.Root(), nil
	}
	key := strings.Join(path, "\x00")
	if d := b.folders[key]; d != nil {
		return d, nil
	}
	above, err := b.folder(path[:len(path)-1], class)
	if err != nil {
		return nil, err
	}
	d, err := above.Folder(path[len(path)-1], class)
	b.folders[key] = d
	return d, err
}

func (b *mailbox) add(m message) error {
	d, err := b.folder(m.Folder, "IPF.Note")
	if err != nil {
		return err
	}
	return d.Add(m.fill)
}

// createSet writes messages into a file, or into a set of them.
func createSet(t testing.TB, path string, o writer.Options, all iter.Seq[message]) []writer.Volume {
	t.Helper()
	w, err := writer.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbox{w, map[string]*writer.Folder{}}
	for m := range all {
		if err := b.add(m); err != nil {
			t.Fatalf("%v %s: %v", m.Folder, m.ID, err)
		}
	}
	volumes, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return volumes
}

// createOne is create where all must fit into one file, whose path it gives.
func createOne(t testing.TB, o writer.Options, all iter.Seq[message]) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mailbox.pst")
	if volumes := createSet(t, path, o, all); len(volumes) != 1 || volumes[0].Path != path {
		t.Fatalf("the volumes are %+v", volumes)
	}
	return path
}

// listed are all that were made.
func listed(all iter.Seq[message]) []seen {
	var list []seen
	for m := range all {
		list = append(list, m.listed())
	}
	return list
}

// soak leaves a long test out unless it is asked for.
func soak(t testing.TB) {
	t.Helper()
	if os.Getenv("KEEPWATCH_SOAK") == "" {
		t.Skip("a long one: KEEPWATCH_SOAK=1 runs it")
	}
}
