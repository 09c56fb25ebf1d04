package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// archSpools is one spool in memory, with a scratch folder on the disk.
type archSpools struct {
	*archSpool
	dir  string
	free int64
}

func (s *archSpools) Open(int64, []byte) (outlook.Spool, error) { return s.archSpool, nil }
func (s *archSpools) Remove(int64) error                        { return nil }
func (s *archSpools) Sweep(func(int64) bool) error              { return nil }
func (s *archSpools) Free() (int64, error)                      { return s.free, nil }
func (s *archSpools) Scratch(run int64) (string, error) {
	dir := filepath.Join(s.dir, fmt.Sprintf("run-%d", run))
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// archItem is an item with its content, which is made when it is asked for.
type archItem struct {
	outlook.Record
	open func() archContent
}

// archContent is a content in memory, or made on the way.
type archContent interface {
	io.Reader
	io.ReaderAt
}

// archSpool has what a test puts into it.
type archSpool struct {
	outlook.Spool // what no archive asks for
	folders       []outlook.Folder
	items         map[string]func(yield func(archItem) bool)
	at            map[string]outlook.Position
	gone          map[string][]outlook.Item
	totals        outlook.Totals
	opened        int // contents that are open
	contents      map[string]func() archContent
}

func newArchSpool(folders ...outlook.Folder) *archSpool {
	return &archSpool{folders: folders, items: map[string]func(func(archItem) bool){}, at: map[string]outlook.Position{}, gone: map[string][]outlook.Item{}, contents: map[string]func() archContent{}}
}

func (s *archSpool) Folders() ([]outlook.Folder, error) { return s.folders, nil }
func (s *archSpool) Position(folder string) (outlook.Position, error) {
	if p, ok := s.at[folder]; ok {
		return p, nil
	}
	return outlook.Position{State: "state of " + folder, Full: true}, nil
}
func (s *archSpool) Removed(folder string) iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		for _, item := range s.gone[folder] {
			if !yield(item, nil) {
				return
			}
		}
	}
}
func (s *archSpool) Totals() (outlook.Totals, error) { return s.totals, nil }
func (s *archSpool) Close() error                    { return nil }

func (s *archSpool) Records(folder string) iter.Seq2[outlook.Record, error] {
	return func(yield func(outlook.Record, error) bool) {
		all := s.items[folder]
		if all == nil {
			return
		}
		all(func(it archItem) bool {
			s.contents[it.ID] = it.open
			defer delete(s.contents, it.ID)
			return yield(it.Record, nil)
		})
	}
}

type archReader struct {
	archContent
	s *archSpool
}

func (r archReader) Close() error { r.s.opened--; return nil }

func (s *archSpool) Open(r outlook.Record) (io.ReadCloser, error) {
	s.opened++
	return archReader{s.contents[r.ID](), s}, nil
}

func (s *archSpool) OpenAt(r outlook.Record) (outlook.Reader, error) {
	s.opened++
	return archReader{s.contents[r.ID](), s}, nil
}

// put adds items to a folder; those with a content are as if they had been downloaded.
func (s *archSpool) put(folder string, items ...archItem) {
	before := s.items[folder]
	s.items[folder] = func(yield func(archItem) bool) {
		if before != nil {
			stopped := false
			before(func(it archItem) bool { stopped = !yield(it); return !stopped })
			if stopped {
				return
			}
		}
		for _, it := range items {
			if !yield(it) {
				return
			}
		}
	}
	for _, it := range items {
		s.totals.Items++
		s.totals.Bytes += it.Bytes
	}
}

// archMade is an item with a content.
func archMade(it outlook.Item, text string) archItem {
	sum := sha256.Sum256([]byte(text))
	return archItem{outlook.Record{Item: it, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}, func() archContent { return strings.NewReader(text) }}
}

// archSink keeps hashes of all, and the content of what is short.
type archSink struct {
	entries []keepwatch.Entry
	names   map[string]bool
	texts   map[string]string
	notes   []keepwatch.Note
	bytes   int64
	alone   []string // what was sealed by itself
	light   bool     // it remembers nothing of single files
	pst     string   // folder that gets PSTs
	before  func(path string)
	loose   bool // as a vault it takes what is shorter or longer, or that a disk cannot read
}

func (s *archSink) Single(e keepwatch.Entry, content io.Reader) error {
	s.alone = append(s.alone, e.Path)
	return s.Add(e, content)
}
func (s *archSink) Top(keepwatch.Entry) error   { return nil }
func (s *archSink) Note(n keepwatch.Note) error { s.notes = append(s.notes, n); return nil }

func (s *archSink) Add(e keepwatch.Entry, content io.Reader) error {
	if s.before != nil {
		s.before(e.Path)
	}
	if s.names == nil {
		s.names, s.texts = map[string]bool{}, map[string]string{}
	}
	if !s.light {
		if fold := foldedName(e.Path); s.names[fold] {
			return fmt.Errorf("%s comes twice", e.Path)
		} else {
			s.names[fold] = true
		}
	}
	if e.Type == keepwatch.EntryFile {
		sum := sha256.New()
		var to io.Writer = sum
		var text bytes.Buffer
		if strings.HasSuffix(e.Path, ".pst") && s.pst != "" {
			f, err := os.Create(filepath.Join(s.pst, e.Path))
			if err != nil {
				return err
			}
			defer f.Close()
			to = io.MultiWriter(sum, f)
		} else if e.Size < 1<<20 && !s.light {
			to = io.MultiWriter(sum, &text)
		}
		n, err := io.Copy(to, content)
		if s.loose && ofDisk(err) {
			return nil
		} else if s.loose {
			return err
		}
		if err != nil {
			return err
		}
		if n != e.Size {
			return fmt.Errorf("%s has %d bytes and not %d", e.Path, n, e.Size)
		}
		s.bytes += n
		e.SHA256 = hex.EncodeToString(sum.Sum(nil))
		if !s.light {
			s.texts[e.Path] = text.String()
		}
	}
	if !s.light {
		s.entries = append(s.entries, e)
	}
	return nil
}

// paths gives the paths of what was stored.
func (s *archSink) paths() []string {
	var list []string
	for _, e := range s.entries {
		list = append(list, e.Path)
	}
	return list
}

// lines reads a file of lines.
func (s *archSink) lines(t *testing.T, path string) []outlook.Line {
	t.Helper()
	var list []outlook.Line
	for dec := json.NewDecoder(strings.NewReader(s.texts[path])); dec.More(); {
		var l outlook.Line
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

// noted gives the notes of a kind.
func (s *archSink) noted(kind keepwatch.NoteKind) []string {
	var list []string
	for _, n := range s.notes {
		if n.Kind == kind {
			list = append(list, n.Path+": "+n.Text)
		}
	}
	return list
}

func archTime(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// archWorld is what a Fetch needs.
type archWorld struct {
	spools *archSpools
	cfg    outlook.Config
	job    providers.Job
	kept   outlook.Kept
	found  keepwatch.Inside
	base   string
}

func newArchWorld(t testing.TB, spool *archSpool, formats ...string) *archWorld {
	w := &archWorld{spools: &archSpools{archSpool: spool, dir: t.TempDir(), free: 1 << 40}}
	w.cfg = outlook.Config{Spools: w.spools, Now: time.Now}
	w.kept = outlook.Kept{Key: make([]byte, 32), Taken: archTime("2026-11-23 03:04")}
	w.job = providers.Job{Source: keepwatch.Source{Name: "alis-mail", Mailbox: "alis@contoso.example", Formats: formats}, Run: 7, Report: func(keepwatch.Progress) {},
		Found: func(i keepwatch.Inside) { w.found = i }, Changes: func(base string) { w.base = base }}
	return w
}

// fetch makes the archive.
func (w *archWorld) fetch(ctx context.Context, t testing.TB, sink *archSink) error {
	t.Helper()
	p, err := New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	job := w.job
	if job.Remote, err = json.Marshal(w.kept); err != nil {
		t.Fatal(err)
	}
	err = p.Fetch(ctx, job, sink)
	if left, _ := os.ReadDir(w.spools.dir); len(left) > 0 {
		t.Errorf("%d files are left on the disk", len(left))
	}
	if w.spools.opened != 0 {
		t.Errorf("%d contents were not closed", w.spools.opened)
	}
	return err
}

// mustFetch makes it and expects no error.
func (w *archWorld) mustFetch(t testing.TB, sink *archSink) {
	t.Helper()
	if err := w.fetch(t.Context(), t, sink); err != nil {
		t.Fatal(err)
	}
}

const (
	archCard  = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Jones;Alis;;;\r\nFN:Alis Jones\r\nEMAIL:alis@contoso.example\r\nEND:VCARD\r\n"
	archEvent = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1@test\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261123T090000Z\r\nDTEND:20261123T100000Z\r\nSUMMARY:Weekly meeting\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)

// archMail is the text of a mail.
func archMail(subject string) string {
	return "From: Alis <alis@contoso.example>\r\nTo: Bob <bob@contoso.example>\r\nSubject: " + subject + "\r\nDate: Mon, 23 Nov 2026 09:30:00 +0000\r\nMessage-ID: <1@contoso.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n"
}
