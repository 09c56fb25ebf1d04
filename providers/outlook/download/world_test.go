package download_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/download"
)

// world is a mailbox, a disk and a run.
type world struct {
	t       *testing.T
	box     *box
	disk    *disk
	remote  json.RawMessage
	older   archives
	index   map[string]string // of older archives, by ref
	job     providers.Job
	keeping func(kept) // before something is kept
	told    []keepwatch.Progress
}

// kept is what a run keeps, as it lies in the store.
type kept struct {
	Key   []byte           `json:"key"`
	Base  string           `json:"base"`
	Taken time.Time        `json:"taken"`
	Notes []keepwatch.Note `json:"notes"`
	Again bool             `json:"again"`
	Late  int              `json:"late"`
	Gone  []outlook.Folder `json:"gone"`
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, box: newBox(), disk: newDisk(), older: archives{}, index: map[string]string{}}
	w.job = providers.Job{Source: keepwatch.Source{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example"}, Run: 7}
	return w
}

// small fills the mailbox with folders of all kinds.
func (w *world) small() *world {
	b := w.box
	b.add(outlook.Mail, "Inbox", "", "inbox", 11)
	b.add(outlook.Mail, "Projects", "Inbox", "", 7)
	b.add(outlook.Mail, "Sent", "", "sentitems", 9)
	b.add(outlook.Mail, "Empty", "", "", 0)
	b.add(outlook.Contacts, "Contacts", "", "", 5).Default = true
	b.add(outlook.Calendar, "Calendar", "", "", 6).Default = true
	return w
}

func (w *world) provider() *download.Downloader {
	cfg := outlook.Config{Spools: w.disk, Now: time.Now, Older: library{w.older, w.index}}
	if w.box != nil {
		cfg.Server = w.box
	}
	p, err := download.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// download calls Download once, as a process that has just started does.
func (w *world) download(ctx context.Context) error {
	job := w.job
	job.Remote = w.remote
	job.Report = func(p keepwatch.Progress) { w.told = append(w.told, p) }
	job.Keep = func(remote json.RawMessage) error {
		if w.keeping != nil {
			var k kept
			if err := json.Unmarshal(remote, &k); err != nil {
				w.t.Error(err)
			}
			w.keeping(k)
		}
		w.remote = remote
		w.job.Retried = false
		return nil
	}
	return w.provider().Download(ctx, job)
}

func (w *world) must() {
	w.t.Helper()
	if err := w.download(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) kept() kept {
	var k kept
	if err := json.Unmarshal(w.remote, &k); err != nil {
		w.t.Fatal(err)
	}
	return k
}

// same compares what was downloaded with what is in the mailbox.
func (w *world) same(with func(*fold) bool) {
	w.t.Helper()
	if diff := cmp.Diff(w.box.want(with), w.disk.spools[w.job.Run].lines()); diff != "" {
		w.t.Errorf("mailbox and spool (-want +got):\n%s", diff)
	}
	if w.kept().Taken.IsZero() {
		w.t.Error("it is not kept when the folders were read")
	}
}

// archives are the states of older archives, by ref.
type archives map[string]outlook.State

func (a archives) OpenEntry(_ context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	s, found := a[ref]
	if !found || path != outlook.StatePath {
		return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no %s in %s.", path, ref)
	}
	data, err := json.Marshal(s)
	return keepwatch.Entry{}, io.NopCloser(strings.NewReader(string(data))), err
}

// library has archives with their indexes.
type library struct {
	archives
	index map[string]string
}

func (l library) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	if text, found := l.index[ref]; found && path == outlook.IndexPath {
		return keepwatch.Entry{}, io.NopCloser(strings.NewReader(text)), nil
	}
	return l.archives.OpenEntry(ctx, ref, path)
}

// archived makes an older archive of what was downloaded, and a run that goes on from it.
func (w *world) archived(but ...string) {
	s := outlook.State{Version: 1, Mailbox: "Alis@Contoso.example"}
	d := w.disk.spools[w.job.Run]
	var index strings.Builder
	for _, f := range d.folders {
		state := d.at[f.ID].State
		for _, id := range but {
			if id == f.ID {
				state = ""
			}
		}
		fs := outlook.FolderState{Folder: f, State: state}
		for _, id := range d.boxes[f.ID].order {
			r := d.boxes[f.ID].items[id]
			if r.missing != "" {
				fs.Missing++
			}
			line, err := json.Marshal(outlook.Line{Item: r.item, Missing: r.missing})
			if err != nil {
				w.t.Fatal(err)
			}
			index.Write(append(line, '\n'))
		}
		s.Folders = append(s.Folders, fs)
	}
	last := keepwatch.Archive{Source: "alis-mail", Stamp: "2026-11-22T023000Z"}
	w.index[last.Ref()] = index.String()
	w.older[last.Ref()] = s
	w.job.Last, w.job.Changes = &last, func(string) { w.t.Error("Download calls Changes") }
	w.job.Run++
	w.remote = nil
}

var errKilled = errors.New("killed by the test")

// killed calls Download and gives errKilled where that was ended by a panic of the test's.
func (w *world) killed(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if !strings.Contains(fmt.Sprint(v), errKilled.Error()) {
				panic(v)
			}
			err = errKilled
		}
	}()
	return w.download(ctx)
}
