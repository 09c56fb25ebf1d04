package download_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// box is a Server with one mailbox that keeps state: delta tokens of which some are
// forgotten, folders and items that change while they are read, and faults.
type box struct {
	mu      sync.Mutex
	folders []*fold
	seq     int
	page    int // items a page
	lanes   int
	latency time.Duration
	calls   int
	within  int // calls under way
	most    int // of them at once
	asked   map[string]int
	script  map[int]func(*box)            // at which call something happens in the mailbox, once
	fault   func(call string) error       // before each call: "folders", "changes NAME", "content ID"
	guard   func(call string)             // likewise; it may panic
	window  func(ctx context.Context)     // waits until the vendor's limit has room for a call
	ask     func(item outlook.Item)       // each content that is asked for
	body    func(io.Reader) io.ReadCloser // what contents are read from
}

type fold struct {
	outlook.Folder
	items     map[string]*thing
	log       []event
	forgotten int // states before this are too old
}

type event struct {
	seq int
	id  string
}

type thing struct {
	id     string
	change int
	poison string
	ghost  bool // listed, and not there
}

func (t *thing) item(f *fold) outlook.Item {
	return outlook.Item{ID: t.id, Folder: f.ID, Kind: f.Kind, Change: strconv.Itoa(t.change), Subject: "about " + t.id}
}

func (t *thing) text() string { return fmt.Sprintf("this is %s, version %d", t.id, t.change) }

func newBox() *box {
	return &box{page: 4, lanes: 4, asked: map[string]int{}, script: map[int]func(*box){}}
}

// add makes a folder of n items.
func (b *box) add(kind outlook.Kind, id, parent, wellKnown string, n int) *fold {
	f := &fold{Folder: outlook.Folder{ID: id, Parent: parent, Kind: kind, Path: []string{id}, WellKnown: wellKnown}, items: map[string]*thing{}}
	if parent != "" {
		f.Path = append(slices.Clone(b.get(parent).Path), id)
	}
	b.folders = append(b.folders, f)
	for i := range n {
		b.put(f, fmt.Sprintf("%s-%03d", id, i))
	}
	return f
}

func (b *box) get(id string) *fold {
	for _, f := range b.folders {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// put makes an item, or another version of it.
func (b *box) put(f *fold, id string) {
	t := f.items[id]
	if t == nil {
		t = &thing{id: id}
		f.items[id] = t
	}
	t.change++
	b.happened(f, id)
}

func (b *box) happened(f *fold, id string) {
	b.seq++
	f.log = append(f.log, event{b.seq, id})
}

func (b *box) move(id string, from, to *fold) {
	t := from.items[id]
	delete(from.items, id)
	to.items[id] = t
	t.change++
	b.happened(from, id)
	b.happened(to, id)
}

func (b *box) remove(f *fold, id string) {
	delete(f.items, id)
	b.happened(f, id)
}

func (b *box) drop(id string) {
	b.folders = slices.DeleteFunc(b.folders, func(f *fold) bool { return f.ID == id })
}

// call is what every call does first. It returns with b.mu held, where there is no error.
func (b *box) call(ctx context.Context, what string) error {
	if b.guard != nil {
		b.guard(what)
	}
	if b.window != nil {
		b.window(ctx)
	}
	b.mu.Lock()
	b.calls++
	if do := b.script[b.calls]; do != nil {
		delete(b.script, b.calls)
		do(b)
	}
	b.within++
	b.most = max(b.most, b.within)
	b.mu.Unlock()
	if b.latency > 0 {
		select {
		case <-time.After(b.latency):
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	b.within--
	err := context.Cause(ctx)
	if err == nil && b.fault != nil {
		err = b.fault(what)
	}
	if err != nil {
		b.mu.Unlock()
	}
	return err
}

func (b *box) Lanes() int { return b.lanes }

func (b *box) Folders(ctx context.Context, _ string, wish outlook.Wish) ([]outlook.Folder, error) {
	if err := b.call(ctx, "folders"); err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	var list []outlook.Folder
	for _, f := range b.folders {
		if slices.Contains(wish.Kinds, f.Kind) && (!f.Hidden || wish.Hidden) && (!f.Recoverable || wish.Recoverable) {
			one := f.Folder
			one.Items = int64(len(f.items))
			list = append(list, one)
		}
	}
	return list, nil
}

func (b *box) Changes(ctx context.Context, _ string, folder outlook.Folder, from outlook.Position) iter.Seq2[outlook.Changes, error] {
	return func(yield func(outlook.Changes, error) bool) {
		for {
			page, err := b.changes(ctx, folder, from)
			if !yield(page, err) || err != nil || page.Ended() {
				return
			}
			from = page.Position
		}
	}
}

func (b *box) changes(ctx context.Context, folder outlook.Folder, from outlook.Position) (outlook.Changes, error) {
	var c outlook.Changes
	if err := b.call(ctx, "changes "+folder.ID); err != nil {
		return c, err
	}
	defer b.mu.Unlock()
	f := b.get(folder.ID)
	if f == nil {
		return c, keepwatch.Errorf(keepwatch.KindNotFound, "It is not there.").Because(outlook.ErrGone)
	}
	if f.Kind == outlook.Calendar && from.State != "" {
		from = outlook.Position{}
	}
	token := strings.Split(from.Next, "|") // "full", the state it began at, the last id; or "delta", from, to, offset
	switch {
	case from.Next == "" && from.State == "":
		token = []string{"full", strconv.Itoa(b.seq), ""}
	case from.Next == "":
		token = []string{"delta", from.State, strconv.Itoa(b.seq), "0"}
	}
	since, _ := strconv.Atoi(token[1])
	if since < f.forgotten {
		return c, fmt.Errorf("410: %w", outlook.ErrResync)
	}
	if token[0] == "full" {
		return b.full(f, token), nil
	}
	return b.delta(f, token), nil
}

// full gives a page of all that is there, by id. Each page begins with the last item of
// the one before.
func (b *box) full(f *fold, token []string) outlook.Changes {
	c := outlook.Changes{Position: outlook.Position{Full: true}}
	last := token[2]
	for _, id := range slices.Sorted(maps.Keys(f.items)) {
		if id < token[2] {
			continue
		}
		if len(c.Items) > b.page {
			c.Next = "full|" + token[1] + "|" + last
			return c
		}
		c.Items, last = append(c.Items, f.items[id].item(f)), id
	}
	if c.State = token[1]; f.Kind == outlook.Calendar {
		c.State = "whole"
	}
	return c
}

// delta gives a page of what changed.
func (b *box) delta(f *fold, token []string) outlook.Changes {
	var c outlook.Changes
	from, _ := strconv.Atoi(token[1])
	to, _ := strconv.Atoi(token[2])
	offset, _ := strconv.Atoi(token[3])
	var ids []string
	for _, e := range f.log {
		if e.seq > from && e.seq <= to && !slices.Contains(ids, e.id) {
			ids = append(ids, e.id)
		}
	}
	for i := offset; i < len(ids); i++ {
		if len(c.Items) == b.page {
			c.Next = fmt.Sprintf("delta|%d|%d|%d", from, to, i)
			return c
		}
		item := outlook.Item{ID: ids[i], Folder: f.ID, Kind: f.Kind, Removed: "deleted"}
		if t := f.items[ids[i]]; t != nil {
			item = t.item(f)
		}
		c.Items = append(c.Items, item)
	}
	c.State = token[2]
	return c
}

func (b *box) Content(ctx context.Context, _ string, item outlook.Item) (outlook.Content, error) {
	if err := b.call(ctx, "content "+item.ID); err != nil {
		return outlook.Content{}, err
	}
	defer b.mu.Unlock()
	b.asked[item.ID]++
	if b.ask != nil {
		b.ask(item)
	}
	for _, f := range b.folders {
		t := f.items[item.ID]
		switch {
		case t == nil || t.ghost:
			continue
		case t.poison != "":
			return outlook.Content{}, keepwatch.Errorf(keepwatch.KindAttention, "%s", t.poison).Because(outlook.ErrPoison)
		}
		item.Size = int64(len(t.text()))
		body := io.NopCloser(strings.NewReader(t.text()))
		if b.body != nil {
			body = b.body(body)
		}
		return outlook.Content{Form: outlook.FormOf(item.Kind), Item: item, Body: body}, nil
	}
	return outlook.Content{}, keepwatch.Errorf(keepwatch.KindNotFound, "It was deleted.").Because(outlook.ErrGone)
}

// want is what a spool holds after a download of all of it.
func (b *box) want(with func(*fold) bool) []string {
	var lines []string
	for _, f := range b.folders {
		if with != nil && !with(f) {
			continue
		}
		lines = append(lines, "folder "+f.Title())
		for _, id := range slices.Sorted(maps.Keys(f.items)) {
			t := f.items[id]
			line := fmt.Sprintf("%s@%d ", id, t.change)
			switch {
			case t.poison != "":
				line += "missing: " + t.poison
			case t.ghost:
				line += "missing: Microsoft 365 lists it and does not give it"
			default:
				line += t.text()
			}
			lines = append(lines, line)
		}
	}
	return lines
}
