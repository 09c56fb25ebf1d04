package restore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

var errLost = keepwatch.Errorf(keepwatch.KindTransient, "The connection broke.")

// exchange is a Restorer that keeps what it is told. Its answers can be lost.
type exchange struct {
	mu      sync.Mutex
	calls   int
	lose    int  // the call whose answer is lost; 0: none
	undone  bool // that call does nothing either
	folders []outlook.Folder
	items   map[string][]fakeItem // by folder ID
	poison  map[string]bool       // Item.IDs that are not taken
	held    int                   // Message-IDs that were asked for
	notes   []string
	failing error // of every Put
	mute    error // of every Present
}

type fakeItem struct {
	id, subject, messageID string
	mark                   outlook.Mark
	whole                  bool
	content                string
}

// call counts a call and reports whether it is carried out, and whether its answer comes.
func (x *exchange) call() (does bool, err error) {
	x.calls++
	if x.calls != x.lose {
		return true, nil
	}
	return !x.undone, errLost
}

func (x *exchange) MakeFolder(_ context.Context, mailbox string, kind outlook.Kind, parent, name string) (outlook.Folder, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	does, err := x.call()
	for _, f := range x.folders {
		if f.Parent == parent && f.Kind == kind && strings.EqualFold(f.Name(), name) {
			f.Items = int64(len(x.items[f.ID]))
			return f, err
		}
	}
	f := outlook.Folder{ID: fmt.Sprintf("%s-%d", mailbox, len(x.folders)), Parent: parent, Kind: kind, Path: []string{name}}
	for _, p := range x.folders {
		if p.ID == parent {
			f.Path = append(slices.Clone(p.Path), name)
		}
	}
	if does {
		x.folders = append(x.folders, f)
	}
	return f, err
}

func (x *exchange) Marked(_ context.Context, _ string, folder outlook.Folder, run int64) iter.Seq2[outlook.Marked, error] {
	return func(yield func(outlook.Marked, error) bool) {
		for _, it := range x.list(folder) {
			if it.mark.Run == run && !yield(outlook.Marked{Mark: it.mark, Restored: outlook.Restored{ID: it.id, Whole: it.whole}}, nil) {
				return
			}
		}
		if err := x.asked(); err != nil {
			yield(outlook.Marked{}, err)
		}
	}
}

func (x *exchange) Known(_ context.Context, _ string, folder outlook.Folder) iter.Seq2[outlook.Mark, error] {
	return func(yield func(outlook.Mark, error) bool) {
		for _, it := range x.list(folder) {
			if it.mark.Run != 0 && it.whole && !yield(it.mark, nil) {
				return
			}
		}
		if err := x.asked(); err != nil {
			yield(outlook.Mark{}, err)
		}
	}
}

func (x *exchange) Present(_ context.Context, _ string, folder outlook.Folder) iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		if err := cmp.Or(x.mute, x.asked()); err != nil {
			yield(outlook.Item{}, err)
			return
		}
		for _, it := range x.list(folder) {
			had := outlook.Item{ID: it.id}
			if folder.Kind == outlook.Calendar && it.mark.Run == 0 { // what is made here has a UID of its own
				had.MessageID = it.messageID
			}
			if !yield(had, nil) {
				return
			}
		}
	}
}

func (x *exchange) list(folder outlook.Folder) []fakeItem {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.items[folder.ID])
}

// asked counts a call that changes nothing.
func (x *exchange) asked() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.call()
	return err
}

func (x *exchange) Holds(_ context.Context, _ string, folder outlook.Folder, ids []string) (map[string]bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.call()
	x.held += len(ids)
	got := map[string]bool{}
	for _, it := range x.items[folder.ID] {
		if slices.Contains(ids, it.messageID) && (it.whole || it.mark.Run == 0) {
			got[it.messageID] = true
		}
	}
	return got, err
}

// Put makes an item in two parts, as one with a large attachment is: a lost answer leaves
// it whole, and every third of them not.
func (x *exchange) Put(ctx context.Context, _ string, folder outlook.Folder, item outlook.Item, mark outlook.Mark, content io.ReaderAt, size int64) (outlook.Restored, error) {
	data, err := io.ReadAll(io.NewSectionReader(content, 0, size))
	if err != nil {
		return outlook.Restored{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if ctx.Err() != nil {
		return outlook.Restored{}, ctx.Err()
	}
	if x.failing != nil {
		return outlook.Restored{}, x.failing
	}
	if x.poison[item.ID] {
		return outlook.Restored{}, fmt.Errorf("it is too large for the mailbox: %w", outlook.ErrPoison)
	}
	does, lost := x.call()
	if !does {
		return outlook.Restored{}, lost
	}
	x.items[folder.ID] = slices.DeleteFunc(x.items[folder.ID], func(it fakeItem) bool { return it.mark == mark && !it.whole })
	it := fakeItem{id: fmt.Sprintf("new-%d", x.calls), subject: item.Subject, messageID: item.MessageID, mark: mark, whole: lost == nil || x.calls%3 > 0, content: string(data)}
	x.items[folder.ID] = append(x.items[folder.ID], it)
	return outlook.Restored{ID: it.id, Whole: it.whole, Notes: x.notes}, lost
}

// in gives what is in a folder: subject and content of each item that is whole, sorted.
func (x *exchange) in(t *testing.T, path string) (list []string) {
	t.Helper()
	for _, f := range x.folders {
		if f.Title() == path {
			for _, it := range x.items[f.ID] {
				list = append(list, fmt.Sprintf("%s=%s", it.subject, it.content))
				if !it.whole {
					t.Errorf("%s of %s is not whole", it.subject, path)
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// archives are in memory, by ref, their files in order.
type archives struct {
	files   map[string][]archived
	shuffle bool // files lie in the opposite order
	single  bool // they can only be opened one by one
	walks   int
}

type archived struct {
	path string
	data []byte
	err  error // at its end
}

func (a *archives) OpenEntry(_ context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	for _, f := range a.files[ref] {
		if f.path == path {
			return keepwatch.Entry{Path: path, Size: int64(len(f.data))}, io.NopCloser(f.body()), nil
		}
	}
	return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "%s holds no %s.", ref, path)
}

func (f archived) body() io.Reader {
	if f.err != nil {
		return io.MultiReader(bytes.NewReader(f.data), unreadable{f.err})
	}
	return bytes.NewReader(f.data)
}

func (a *archives) WalkEntries(ctx context.Context, ref string, want func(string) bool, visit func(keepwatch.Entry, io.Reader) error) error {
	if a.single {
		return errors.ErrUnsupported
	}
	a.walks++
	files := slices.Clone(a.files[ref])
	if a.shuffle {
		slices.Reverse(files)
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !want(f.path) {
			continue
		}
		if err := visit(keepwatch.Entry{Path: f.path}, f.body()); err != nil {
			return err
		}
	}
	return nil
}

// add makes an archive of folders, and items as "id subject" in them. A line of an item
// without a file is "id subject -".
func (a *archives) add(ref string, state outlook.State, lines []outlook.Line, removed ...outlook.Item) providers.Set {
	var files []archived
	var index, gone bytes.Buffer
	for _, l := range lines {
		data, _ := json.Marshal(l)
		index.Write(append(data, '\n'))
		if l.Path != "" {
			files = append(files, archived{path: l.Path, data: []byte(ref[len(ref)-4:] + " " + l.Subject)})
		}
	}
	for _, item := range removed {
		data, _ := json.Marshal(outlook.Line{Item: item})
		gone.Write(append(data, '\n'))
	}
	state.Version, state.Mailbox = 1, "alis@contoso.example"
	data, _ := json.Marshal(state)
	files = append(files, archived{path: outlook.IndexPath, data: index.Bytes()}, archived{path: outlook.StatePath, data: data})
	if gone.Len() > 0 {
		files = append(files, archived{path: outlook.RemovedPath, data: gone.Bytes()})
	}
	if a.files == nil {
		a.files = map[string][]archived{}
	}
	a.files[ref] = files
	at, _ := time.Parse("2006-01-02", ref[len(ref)-10:])
	return providers.Set{Archive: keepwatch.Archive{Source: "alis-mail", Stamp: ref[len("alis-mail/"):], Started: at}, From: a}
}

// line is one of a mail.
func line(folder, id, subject string) outlook.Line {
	return outlook.Line{Item: outlook.Item{ID: id, Folder: folder, Kind: outlook.Mail, Subject: subject, From: "bob@contoso.example", MessageID: "<" + id + "@x>"}, Path: "mail/" + folder + "/" + id + ".eml", Bytes: 10}
}

func folder(id string, kind outlook.Kind, whole bool, path ...string) outlook.FolderState {
	return outlook.FolderState{Folder: outlook.Folder{ID: id, Kind: kind, Path: path}, Whole: whole}
}

// scratches are Spools of which only scratch folders are used.
type scratches struct {
	outlook.Spools
	dir     string
	removed []int64
}

func (s *scratches) Scratch(int64) (string, error) { return s.dir, nil }
func (s *scratches) Remove(run int64) error        { s.removed = append(s.removed, run); return nil }

// bench is a Returner around an exchange.
func bench(t testing.TB, x *exchange) (*Returner, *scratches) {
	if x.items == nil {
		x.items = map[string][]fakeItem{}
	}
	s := &scratches{dir: t.TempDir()}
	p, err := New(outlook.Config{Restorer: x, Spools: s, Now: func() time.Time { return time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

var alis = keepwatch.Source{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example"}

// carry does all steps of a plan, each again and again as the engine does after what is
// worth another try.
func carry(t *testing.T, p *Returner, plan keepwatch.ReturnPlan, from providers.Opener) (logs []keepwatch.ServerLog) {
	t.Helper()
	for _, item := range plan.Items {
		job := providers.Job{Source: alis, Run: 7, Report: func(keepwatch.Progress) {}}
		job.Keep = func(remote json.RawMessage) error { job.Remote = remote; return nil }
		for try := 0; ; try++ {
			log, err := p.Return(t.Context(), job, item, from)
			if err == nil {
				logs = append(logs, log)
				break
			}
			if keepwatch.KindOf(err) != keepwatch.KindTransient || try > 5 {
				t.Fatalf("%s: %v", item.Name, err)
			}
		}
	}
	return logs
}
