package pst_test

import (
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/writer"
)

// TestVolumes: a mailbox that is too long for one file becomes a set of five. Each is a
// file of its own, and together they hold each message once.
func TestVolumes(t *testing.T) {
	o := fixedOptions()
	o.VolumeSize = 4 << 20
	all := volumeful(30)
	path := filepath.Join(t.TempDir(), "mailbox.pst")
	volumes := createSet(t, path, o, all)
	if len(volumes) != 5 {
		t.Fatalf("%d volumes: %+v", len(volumes), volumes)
	}
	var goPST, readpst, pff []seen
	var messages int64
	for i, v := range volumes {
		info, err := os.Stat(v.Path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != v.Size || v.Size > o.VolumeSize {
			t.Errorf("volume %d has %d bytes, is said to have %d and may have %d", i+1, info.Size(), v.Size, o.VolumeSize)
		}
		sound(t, v.Path, int(v.Messages))
		here := withGoPST(t, v.Path).items(top)
		if int64(len(here)) != v.Messages || v.Messages == 0 {
			t.Errorf("volume %d has %d messages, is said to have %d", i+1, len(here), v.Messages)
		}
		goPST, readpst, pff = append(goPST, here...), append(readpst, withReadpst(t, v.Path).Items...), append(pff, withPypff(t, v.Path).items(top)...)
		messages += v.Messages
	}
	want := listed(all)
	same(t, "go-pst", want, goPST)
	same(t, "readpst", readpstKnows(want), readpst, asReadpst)
	same(t, "pypff", want, pff, asPypff)
	t.Run("pst-extractor", func(t *testing.T) {
		var extractor []seen
		for _, v := range volumes {
			found := withPSTExtractor(t, v.Path)
			counted(t, found)
			extractor = append(extractor, found.items(top)...)
		}
		same(t, "pst-extractor", want, extractor, asPSTExtractor)
	})
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.partial")); err != nil || len(left) > 0 || messages != int64(len(want)) {
		t.Errorf("%v are left over, %v; %d messages", left, err, messages)
	}
}

// volumeful are about 17 MB, in folders that occur in several volumes.
func volumeful(seed uint64) iter.Seq[message] {
	return func(yield func(message) bool) {
		k := newMaker(seed)
		for i := range 160 {
			m := k.message("Inbox", []string{"New", "Old", "Ålesund"}[i%3])
			if i%2 == 0 {
				m.Attachments = []made{k.attachment(200_000)}
			}
			if !yield(m) {
				return
			}
		}
	}
}

// TestRolledBack: a message whose content cannot be read is left out whole, and
// the file around it is as if nobody had tried.
func TestRolledBack(t *testing.T) {
	broken := errors.New("the server hung up")
	path := filepath.Join(t.TempDir(), "mailbox.pst")
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbox{w, map[string]*writer.Folder{}}
	var want []seen
	for m := range firstFew(kinds(40), 90) {
		if err := b.add(m); err != nil {
			t.Fatal(err)
		}
		want = append(want, m.listed())
		d, err := b.folder(m.Folder, "IPF.Note")
		if err != nil {
			t.Fatal(err)
		}
		err = d.Add(func(s pst.Sink) error {
			if err := m.fill(s); err != nil {
				return err
			}
			s.Set(pst.P(pst.PidTagInternetMessageId, "<half@keepwatch.example>"))
			return s.Attach(nil, io.MultiReader(seeded(1, 100_000), failing{broken}))
		})
		if !errors.Is(err, broken) {
			t.Fatalf("the error is %v", err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	everybody(t, path, want)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestUnfinished: a file that was not closed has a name by which nobody takes it for a
// whole one, and no reader takes it either.
func TestUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailbox.pst")
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbox{w, map[string]*writer.Folder{}}
	for m := range many(41, 500, 3) {
		if err := b.add(m); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || !strings.HasSuffix(entries[0].Name(), ".partial") {
		t.Errorf("%v %v", entries, err)
	}
	if data, err := os.ReadFile(path + ".partial"); err != nil {
		t.Error(err)
	} else if h, err := read(data); err == nil {
		t.Errorf("an unfinished file has the header %+v", h)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 0 {
		t.Errorf("after Abort %v are left, %v", entries, err)
	}
}
