package restore

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// defaultWithin is how long a search may take: somebody waits for the answer. It is that of
// a search in an Outlook data file.
const defaultWithin = time.Minute

// finder looks for items, and remembers what it found last: of a list that is turned page
// by page, and of a plan that is confirmed, the archives are read once.
type finder struct {
	now    func() time.Time
	within time.Duration

	mu   sync.Mutex
	last *found
}

func newFinder(now func() time.Time) *finder { return &finder{now: now, within: defaultWithin} }

// found is what a search gives.
type found struct {
	key  string
	list []foundItem        // the newest first
	hits keepwatch.MailHits // without those
}

type foundItem struct {
	keepwatch.MailHit
	folder string // its ID: folders are made anew for each look at an archive
}

// question is what a search looks for, and where.
type question struct {
	from    providers.Opener
	view    *view
	folders []*folderView
	single  map[*folderView]map[int64]bool // of such a folder only these items
	search  search
}

func (q question) key() string {
	var layers, folders []string
	for _, l := range q.view.layers {
		layers = append(layers, l.ref)
	}
	for _, f := range q.folders {
		folders = append(folders, fmt.Sprint(f.ID, q.single[f]))
	}
	return fmt.Sprintf("%q %q %q %d %d", layers, folders, q.search.Texts, q.search.Since.UnixNano(), q.search.Until.UnixNano())
}

// find looks for items: first in the indexes; then, once and in order, in the files of
// those of which the index does not say it all. again says that a list is gone on with, so
// that what was found before is taken even if it is not all. It holds 8 bytes of each item
// that is read, one item at a time, and what is found; where several texts are looked for,
// also what is left of them for the items of which the index has some.
func (x *finder) find(ctx context.Context, q question, again bool) (*found, error) {
	key := q.key()
	x.mu.Lock()
	last := x.last
	x.mu.Unlock()
	if last != nil && last.key == key && (again || !last.hits.Late) {
		return last, nil
	}
	end := x.now().Add(x.within)
	l := &looking{question: q, found: &found{key: key}, more: func() bool { return x.now().Before(end) }, seed: maphash.MakeSeed()}
	var err error
	if l.read, err = readingOf(ctx, q.from, q.view, q.folders); err != nil {
		return nil, err
	}
	n := len(q.view.layers)
	l.unread, l.begun, l.fits = make([][]uint64, n), make([]map[uint64]match, n), make([]map[uint64]string, n)
	if err := l.indexes(ctx); err != nil {
		return nil, err
	}
	for layer := range l.unread {
		if err := l.files(ctx, layer); err != nil {
			return nil, err
		}
	}
	if err := l.collect(ctx); err != nil {
		return nil, err
	}
	l.newest()
	l.hits.Total = int64(len(l.list))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last = l.found
	return l.found, nil
}

// looking is a search on its way.
type looking struct {
	question
	*found
	read   *reading
	more   func() bool // there is time
	seed   maphash.Seed
	unread [][]uint64          // of each archive, hashes of the paths of files that are to be read; sorted
	begun  []map[uint64]match  // of several texts, what the index does not have of those files
	fits   []map[uint64]string // of each archive, those that have the text, with the place
	inside int                 // how many these are
}

// asked reports whether an item is among those that are looked through.
func (l *looking) asked(h head, f *folderView, number int64) bool {
	only, some := l.single[f]
	return (!some || only[number]) && l.search.when(h)
}

// indexes looks at what the indexes say.
func (l *looking) indexes(ctx context.Context) error {
	err := l.read.each(ctx, func(layer int, h head, f *folderView, number int64) {
		l.hits.Of++
		if l.hits.Of%256 == 0 && !l.more() {
			l.hits.Late = true
		}
		if l.hits.Late {
			return
		}
		if !l.asked(h, f, number) {
			l.hits.Looked++
			return
		}
		m := newMatch(l.search.Texts)
		switch {
		case m.index(h, f.Kind):
			l.add(h, f, number, m.where)
			l.hits.Looked++
		case h.Path == "" || m.all: // what is not there has no file, and the index says all of a contact
			l.hits.Looked++
		default:
			l.unread[layer] = append(l.unread[layer], l.hash(h.Path))
			if len(m.left) < len(l.search.Texts) {
				l.begin(layer, h.Path, *m)
			}
		}
	})
	for _, list := range l.unread {
		slices.Sort(list)
	}
	return err
}

// begin remembers that the index has some of the texts.
func (l *looking) begin(layer int, path string, m match) {
	if l.begun[layer] == nil {
		l.begun[layer] = map[uint64]match{}
	}
	l.begun[layer][l.hash(path)] = m
}

func (l *looking) hash(path string) uint64 { return maphash.String(l.seed, path) }

// add keeps an item that fits: of too many the newest.
func (l *looking) add(h head, f *folderView, number int64, where string) {
	l.list = append(l.list, foundItem{keepwatch.MailHit{Folder: f.title, Item: itemOf(h, f, number), Where: where}, f.ID})
	if len(l.list) >= 2*keepwatch.MaxMailHits {
		l.newest()
	}
}

func (l *looking) newest() {
	slices.SortStableFunc(l.list, func(a, b foundItem) int { return b.Item.At.Compare(a.Item.At) })
	if len(l.list) > keepwatch.MaxMailHits {
		l.list, l.hits.Many = l.list[:keepwatch.MaxMailHits], true
	}
}

// files reads the files of an archive that are still to be read.
func (l *looking) files(ctx context.Context, layer int) error {
	list, ref := l.unread[layer], l.view.layers[layer].ref
	if len(list) == 0 || l.hits.Late || l.hits.Many || len(l.list) > keepwatch.MaxMailHits {
		return nil
	}
	l.fits[layer] = map[uint64]string{}
	seen := int64(0)
	visit := func(path string, body io.Reader) error {
		if l.hits.Late = !l.more(); l.hits.Late || len(l.list)+l.inside > keepwatch.MaxMailHits {
			return errEnough
		}
		l.hits.Looked++
		seen++
		m := newMatch(l.search.Texts)
		if begun, is := l.begun[layer][l.hash(path)]; is {
			m = &begun
		}
		whole, err := m.file(path, body)
		if err != nil && !isDamage(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if m.done() {
			l.fits[layer][l.hash(path)] = m.where
			l.inside++
		} else if err != nil || !whole {
			l.hits.Broken++
		}
		return nil
	}
	want := func(path string) bool {
		_, is := slices.BinarySearch(list, l.hash(path))
		return is
	}
	err := errors.ErrUnsupported
	if from, ok := l.from.(providers.Walker); ok {
		err = from.WalkEntries(ctx, ref, want, func(e keepwatch.Entry, body io.Reader) error { return visit(e.Path, body) })
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = l.open(ctx, layer, visit)
	}
	if errors.Is(err, errEnough) {
		l.hits.Many = !l.hits.Late
		return nil
	}
	if missing := int64(len(slices.Compact(list))) - seen; err == nil && missing > 0 { // named by the index, and not there
		l.hits.Looked += missing
		l.hits.Broken += missing
	}
	if err != nil {
		return fmt.Errorf("look into %s: %w", ref, err)
	}
	return nil
}

// open reads files one by one, from where they cannot be read in one pass.
func (l *looking) open(ctx context.Context, layer int, visit func(string, io.Reader) error) error {
	for h, err := range l.read.stack.each(ctx, layer, l.read.later) {
		if err != nil {
			return err
		}
		if _, is := slices.BinarySearch(l.unread[layer], l.hash(h.Path)); !is || h.Path == "" {
			continue
		}
		_, body, err := l.from.OpenEntry(ctx, l.view.layers[layer].ref, h.Path)
		switch {
		case err == nil:
			err = visit(h.Path, body)
			_ = body.Close()
		case isDamage(err):
			err = visit(h.Path, unreadable{err})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// collect finds out of which items the files are that fit.
func (l *looking) collect(ctx context.Context) error {
	if l.inside == 0 {
		return nil
	}
	return l.read.each(ctx, func(layer int, h head, f *folderView, number int64) {
		if h.Path == "" || l.fits[layer] == nil {
			return
		}
		where, fits := l.fits[layer][l.hash(h.Path)]
		if !fits || !l.asked(h, f, number) {
			return
		}
		if _, unread := slices.BinarySearch(l.unread[layer], l.hash(h.Path)); unread && !newMatch(l.search.Texts).index(h, f.Kind) {
			l.add(h, f, number, where)
		}
	})
}
