package spool_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// model does in memory and as plainly as can be what a spool is said to do.
type model struct {
	Folders  []outlook.Folder
	In       map[string]*modelFolder
	Contents map[string]modelContent // by version
	Missed   map[string]string       // why, by version
}

type modelFolder struct {
	At      outlook.Position
	Items   []outlook.Item
	Listed  map[string]bool // by the Full reading
	Removed map[string]outlook.Item
}

type modelContent struct {
	Body []byte
	Note outlook.Note
	Item outlook.Item
}

func newModel() *model {
	return &model{In: map[string]*modelFolder{}, Contents: map[string]modelContent{}, Missed: map[string]string{}}
}

func version(i outlook.Item) string { return i.ID + "\x00" + i.Change }

func (m *model) SetFolders(folders []outlook.Folder) {
	m.Folders = slices.Clone(folders)
	old := m.In
	m.In = map[string]*modelFolder{}
	for _, f := range folders {
		m.In[f.ID] = old[f.ID]
		if old[f.ID] == nil {
			m.In[f.ID] = &modelFolder{Listed: map[string]bool{}, Removed: map[string]outlook.Item{}}
		}
	}
}

func (m *model) Page(folder string, items []outlook.Item, at outlook.Position) {
	f := m.In[folder]
	if at.Full && f.At != (outlook.Position{}) && !f.At.Full {
		clear(f.Listed)
	}
	for _, i := range items {
		i.Folder = folder
		place := slices.IndexFunc(f.Items, func(o outlook.Item) bool { return o.ID == i.ID })
		switch {
		case i.Removed != "":
			if place >= 0 {
				f.Items = slices.Delete(f.Items, place, place+1)
			}
			delete(f.Listed, i.ID)
			if !at.Full {
				f.Removed[i.ID] = i
			}
			continue
		case place >= 0:
			f.Items[place] = i
		default:
			f.Items = append(f.Items, i)
		}
		f.Listed[i.ID] = true
		delete(f.Removed, i.ID)
	}
	if at.Full && at.Ended() {
		f.Items = slices.DeleteFunc(f.Items, func(i outlook.Item) bool { return !f.Listed[i.ID] })
	}
	f.At = at
}

func (m *model) Restart(folder, from string) {
	f := m.In[folder]
	f.At = outlook.Position{State: from, Due: true}
	if from == "" {
		f.At = outlook.Position{}
		clear(f.Listed)
	}
}

func (m *model) Put(i outlook.Item, note outlook.Note, body []byte) {
	if _, is := m.Contents[version(i)]; !is {
		m.Contents[version(i)] = modelContent{body, note, i}
	}
	delete(m.Missed, version(i))
}

func (m *model) Miss(i outlook.Item, why string) {
	_, done := m.Contents[version(i)]
	if _, is := m.Missed[version(i)]; !is && !done {
		m.Missed[version(i)] = why
	}
}

func (m *model) Retry() { clear(m.Missed) }

// seen is all that a spool lets be seen.
type seen struct {
	Folders []outlook.Folder
	At      map[string]outlook.Position
	Records map[string][]outlook.Record
	Removed map[string][]outlook.Item
	Pending []outlook.Item
	Totals  outlook.Totals
}

func (s seen) String() string {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		panic(err)
	}
	return string(data)
}

func newSeen() seen {
	return seen{At: map[string]outlook.Position{}, Records: map[string][]outlook.Record{}, Removed: map[string][]outlook.Item{}}
}

func (m *model) see() seen {
	s := newSeen()
	s.Folders = m.Folders
	for _, folder := range m.Folders {
		f := m.In[folder.ID]
		s.At[folder.ID] = f.At
		for _, id := range slices.Sorted(maps.Keys(f.Removed)) {
			s.Removed[folder.ID] = append(s.Removed[folder.ID], f.Removed[id])
		}
		for _, i := range f.Items {
			r := outlook.Record{Item: i}
			s.Totals.Items++
			if c, is := m.Contents[version(i)]; is {
				sum := sha256.Sum256(c.Body)
				r.Item, r.Note, r.Bytes, r.SHA256 = c.Item, c.Note, int64(len(c.Body)), hex.EncodeToString(sum[:])
				r.Folder = folder.ID
				s.Totals.Done++
				s.Totals.Bytes += r.Bytes
			} else if why, is := m.Missed[version(i)]; is {
				r.Missing = why
				s.Totals.Missing++
			} else {
				r.Pending = true
				s.Pending = append(s.Pending, i)
			}
			s.Records[folder.ID] = append(s.Records[folder.ID], r)
		}
	}
	return s
}

// see reads all of a spool, contents too, which are compared with those of m: by their
// version, so that another state of the spool is judged as well.
func see(sp outlook.Spool, m *model) (s seen, err error) {
	s = newSeen()
	if s.Folders, err = sp.Folders(); err != nil {
		return s, err
	}
	for _, f := range s.Folders {
		if s.At[f.ID], err = sp.Position(f.ID); err != nil {
			return s, err
		}
		for item, err := range sp.Removed(f.ID) {
			if err != nil {
				return s, err
			}
			s.Removed[f.ID] = append(s.Removed[f.ID], item)
		}
		slices.SortFunc(s.Removed[f.ID], func(a, b outlook.Item) int { return cmp.Compare(a.ID, b.ID) })
		for r, err := range sp.Records(f.ID) {
			if err != nil {
				return s, err
			}
			if r.Place != "" {
				if err := compare(sp, r, m.Contents[version(r.Item)].Body); err != nil {
					return s, err
				}
			}
			r.Place = ""
			s.Records[f.ID] = append(s.Records[f.ID], r)
		}
	}
	for i, err := range sp.Pending() {
		if err != nil {
			return s, err
		}
		s.Pending = append(s.Pending, i)
	}
	s.Totals, err = sp.Totals()
	return s, err
}

var errWrong = errors.New("wrong data")

// compare reads a content in both ways.
func compare(sp outlook.Spool, r outlook.Record, want []byte) error {
	rc, err := sp.Open(r)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(rc)
	if err := errors.Join(err, rc.Close()); err != nil {
		return err
	}
	at, err := sp.OpenAt(r)
	if err != nil {
		return err
	}
	here, err := io.ReadAll(io.NewSectionReader(at, 0, r.Bytes))
	if err := errors.Join(err, at.Close()); err != nil {
		return err
	}
	if string(got) != string(want) || string(here) != string(want) {
		return fmt.Errorf("%w: %d and %d bytes of %d of %s", errWrong, len(got), len(here), len(want), r.ID)
	}
	return nil
}

func check(t *testing.T, sp outlook.Spool, m *model, when string) {
	t.Helper()
	got, err := see(sp, m)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if got, want := got.String(), m.see().String(); got != want {
		t.Fatalf("%s: it is\n%s\nand should be\n%s", when, got, want)
	}
}

func key(n byte) []byte { return []byte(strings.Repeat(string(rune('a'+n)), 32)) }

func open(t testing.TB, cfg spool.Config) outlook.Spool {
	t.Helper()
	sp, err := spool.New(cfg).Open(1, key(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sp.Close() })
	return sp
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put saves a content and compares what is said of it.
func put(t testing.TB, sp outlook.Spool, i outlook.Item, note outlook.Note, body []byte) {
	t.Helper()
	n, sum, err := sp.Put(i, note, strings.NewReader(string(body)))
	must(t, err)
	if want := sha256.Sum256(body); n != int64(len(body)) || sum != hex.EncodeToString(want[:]) {
		t.Fatalf("%s has %d bytes, sum %s", i.ID, n, sum)
	}
}

func item(id, change string) outlook.Item {
	return outlook.Item{ID: id, Kind: outlook.Mail, Change: change, Subject: "Subject of " + id, Raw: json.RawMessage(`{"id":"` + id + `"}`)}
}

func folder(id string) outlook.Folder {
	return outlook.Folder{ID: id, Kind: outlook.Mail, Path: []string{"Folder " + id}}
}
