package download_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"sort"
	"sync"

	"keepwatch/providers/outlook"
)

// disk holds spools in memory. What was saved survives a kill; after a power cut, only
// what was synced.
type disk struct {
	mu     sync.Mutex
	spools map[int64]*data
	free   int64
	guard  func(call string) // before each call; it may panic
	after  func(call string) // after it has had its effect; likewise
	fault  error             // of each Put
	quick  bool              // nothing is copied for power cuts
	syncs  int
}

// data is one spool.
type data struct {
	key      string
	folders  []outlook.Folder
	at       map[string]outlook.Position
	boxes    map[string]*shelf
	contents map[string]stored // by id and change
	disk     *data             // as of the last Sync
	broken   bool
	retries  int
}

type shelf struct {
	order   []string
	items   map[string]*record
	removed map[string]outlook.Item
	reading int
}

type record struct {
	item    outlook.Item
	missing string
	seen    int
}

type stored struct {
	note outlook.Note
	data []byte
}

func newDisk() *disk { return &disk{spools: map[int64]*data{}, free: 1 << 40} }

func emptyData(key string) *data {
	return &data{key: key, at: map[string]outlook.Position{}, boxes: map[string]*shelf{}, contents: map[string]stored{}}
}

func (d *data) clone() *data {
	c := emptyData(d.key)
	c.folders, c.at, c.contents, c.retries = slices.Clone(d.folders), maps.Clone(d.at), maps.Clone(d.contents), d.retries
	for id, b := range d.boxes {
		n := &shelf{slices.Clone(b.order), map[string]*record{}, maps.Clone(b.removed), b.reading}
		for k, r := range b.items {
			one := *r
			n.items[k] = &one
		}
		c.boxes[id] = n
	}
	return c
}

// powerCut leaves what was synced.
func (d *disk) powerCut() {
	for run, s := range d.spools {
		if s.disk == nil {
			d.spools[run] = emptyData(s.key)
			continue
		}
		d.spools[run] = s.disk.clone()
		d.spools[run].disk = s.disk
	}
}

// enter guards a call and locks; what it gives unlocks.
func (d *disk) enter(call string) func() {
	if d.guard != nil {
		d.guard(call)
	}
	d.mu.Lock()
	return func() {
		d.mu.Unlock()
		if d.after != nil {
			d.after(call)
		}
	}
}

func (d *disk) Open(run int64, key []byte) (outlook.Spool, error) {
	defer d.enter("open")()
	s := d.spools[run]
	if s == nil {
		s = emptyData(string(key))
		d.spools[run] = s
	}
	if s.key != string(key) || s.broken {
		return nil, fmt.Errorf("a test: %w", outlook.ErrLost)
	}
	return &fakeSpool{d, s}, nil
}

func (d *disk) Scratch(int64) (string, error) { return os.TempDir(), nil }

func (d *disk) Remove(run int64) error {
	defer d.enter("remove")()
	delete(d.spools, run)
	return nil
}

func (d *disk) Sweep(func(int64) bool) error { return nil }
func (d *disk) Free() (int64, error)         { return d.free, nil }

type fakeSpool struct {
	d *disk
	s *data
}

func (p *fakeSpool) SetFolders(folders []outlook.Folder) error {
	defer p.d.enter("set folders")()
	p.s.folders = slices.Clone(folders)
	keep := map[string]bool{}
	for _, f := range folders {
		keep[f.ID] = true
		if p.s.boxes[f.ID] == nil {
			p.s.boxes[f.ID] = &shelf{items: map[string]*record{}, removed: map[string]outlook.Item{}}
		}
	}
	maps.DeleteFunc(p.s.boxes, func(id string, _ *shelf) bool { return !keep[id] })
	maps.DeleteFunc(p.s.at, func(id string, _ outlook.Position) bool { return !keep[id] })
	return nil
}

func (p *fakeSpool) Folders() ([]outlook.Folder, error) {
	defer p.d.enter("folders")()
	return slices.Clone(p.s.folders), nil
}

func (p *fakeSpool) Page(folder string, items []outlook.Item, at outlook.Position) error {
	defer p.d.enter("page")()
	b := p.s.boxes[folder]
	if b == nil {
		return errors.New("a page of a folder that was not set")
	}
	for _, item := range items {
		if item.Removed != "" {
			b.take(item.ID)
			if !at.Full {
				b.removed[item.ID] = item
			}
			continue
		}
		delete(b.removed, item.ID)
		r := b.items[item.ID]
		if r == nil {
			b.order = append(b.order, item.ID)
		}
		if r == nil || r.item.Change != item.Change {
			r = &record{item: item}
			b.items[item.ID] = r
		}
		r.seen = b.reading
	}
	p.s.at[folder] = at
	if at.Full && at.Ended() {
		for _, id := range slices.Clone(b.order) {
			if b.items[id].seen != b.reading {
				b.take(id)
			}
		}
	}
	return nil
}

func (b *shelf) take(id string) {
	delete(b.items, id)
	b.order = slices.DeleteFunc(b.order, func(other string) bool { return other == id })
}

func (p *fakeSpool) Position(folder string) (outlook.Position, error) {
	defer p.d.enter("position")()
	return p.s.at[folder], nil
}

func (p *fakeSpool) Restart(folder, from string) error {
	defer p.d.enter("restart")()
	p.s.boxes[folder].reading++
	p.s.at[folder] = outlook.Position{State: from, Due: from != ""}
	return nil
}

func keyOf(item outlook.Item) string { return item.ID + "@" + item.Change }

func (p *fakeSpool) pending(r *record) bool {
	_, here := p.s.contents[keyOf(r.item)]
	return !here && r.missing == ""
}

func (p *fakeSpool) Pending() iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		for _, f := range p.s.folders {
			for i := 0; ; i++ {
				p.d.mu.Lock()
				b := p.s.boxes[f.ID]
				if b == nil || i >= len(b.order) {
					p.d.mu.Unlock()
					break
				}
				r := b.items[b.order[i]]
				item, pending := r.item, p.pending(r)
				p.d.mu.Unlock()
				if pending && !yield(item, nil) {
					return
				}
			}
		}
	}
}

func (p *fakeSpool) Put(item outlook.Item, note outlook.Note, body io.Reader) (int64, string, error) {
	content, err := io.ReadAll(body)
	if err == nil {
		err = p.d.fault
	}
	if err != nil {
		if err == p.d.fault {
			return 0, "", err
		}
		return 0, "", fmt.Errorf("put: %v", err) // what the body says is not in the chain
	}
	defer p.d.enter("put")()
	p.s.contents[keyOf(item)] = stored{note, content}
	sum := sha256.Sum256(content)
	return int64(len(content)), hex.EncodeToString(sum[:]), nil
}

func (p *fakeSpool) Miss(item outlook.Item, why string) error {
	defer p.d.enter("miss")()
	if b := p.s.boxes[item.Folder]; b != nil {
		if r := b.items[item.ID]; r != nil && r.item.Change == item.Change {
			r.missing = why
		}
	}
	return nil
}

func (p *fakeSpool) Retry() error {
	defer p.d.enter("retry")()
	p.s.retries++
	for _, b := range p.s.boxes {
		for _, r := range b.items {
			r.missing = ""
		}
	}
	return nil
}

func (p *fakeSpool) Sync() error {
	defer p.d.enter("sync")()
	if p.d.syncs++; !p.d.quick {
		p.s.disk = p.s.clone()
	}
	return nil
}

func (p *fakeSpool) Records(folder string) iter.Seq2[outlook.Record, error] {
	return func(yield func(outlook.Record, error) bool) {
		p.d.mu.Lock()
		var list []outlook.Record
		for _, id := range p.s.boxes[folder].order {
			r := p.s.boxes[folder].items[id]
			c := p.s.contents[keyOf(r.item)]
			list = append(list, outlook.Record{Item: r.item, Note: c.note, Bytes: int64(len(c.data)), Missing: r.missing, Pending: p.pending(r)})
		}
		p.d.mu.Unlock()
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (p *fakeSpool) Open(r outlook.Record) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(p.s.contents[keyOf(r.Item)].data)), nil
}

func (p *fakeSpool) OpenAt(outlook.Record) (outlook.Reader, error) {
	return nil, errors.New("not here")
}

func (p *fakeSpool) Removed(folder string) iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		for _, item := range p.s.boxes[folder].removed {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (p *fakeSpool) Totals() (t outlook.Totals, err error) {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	for _, b := range p.s.boxes {
		for _, r := range b.items {
			t.Items++
			switch c, here := p.s.contents[keyOf(r.item)]; {
			case here:
				t.Done++
				t.Bytes += int64(len(c.data))
			case r.missing != "":
				t.Missing++
			}
		}
	}
	return t, nil
}

func (p *fakeSpool) Close() error { return nil }

// lines tell what is in a spool.
func (d *data) lines() []string {
	var lines []string
	for _, f := range d.folders {
		lines = append(lines, "folder "+f.Title())
		b := d.boxes[f.ID]
		ids := slices.Clone(b.order)
		sort.Strings(ids)
		for _, id := range ids {
			r := b.items[id]
			line := fmt.Sprintf("%s@%s ", id, r.item.Change)
			switch c, here := d.contents[keyOf(r.item)]; {
			case here:
				line += string(c.data)
			case r.missing != "":
				line += "missing: " + r.missing
			default:
				line += "pending"
			}
			lines = append(lines, line)
		}
	}
	return lines
}
