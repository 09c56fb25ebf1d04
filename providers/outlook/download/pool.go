package download

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"runtime/debug"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// key stands for an item as it is: its ID and Change. It is short, since a mailbox can have
// a million of them; two that are taken for one another only wait for the last round.
type key uint64

func keyOf(item outlook.Item) key {
	h := fnv.New64a()
	_, _ = h.Write([]byte(item.ID + "\x00" + item.Change))
	return key(h.Sum64())
}

// scanEvery is how long a look through the pending items lasts at least, while folders are
// still being read: a look may cost as much as the spool is long.
const scanEvery = time.Second

// outage is how many items in a row may fail as if it were for a while before nothing is
// asked for any more, for each lane.
const outage = 5

// pool has folders read and contents downloaded by as many workers as there are lanes, so
// that the limit of calls is used by whatever there is to do. While there are folders to
// read, one worker at least reads them, and the others download what is listed already;
// where nothing is, they read folders too.
type pool struct {
	d     *download
	round int
	last  bool // what is listed and not there is missing

	mu      sync.Mutex
	wake    chan struct{}    // closed when there may be something to do
	folders []outlook.Folder // to be read
	later   []outlook.Folder // to be read again, after all else
	reading int              // folders that are being read
	pages   int              // saved so far
	scanned int              // those of them that the look through the pending items began after
	scanAt  time.Time
	next    func() (outlook.Item, error, bool) // of that look; nil: there is none
	stop    func()
	busy    map[key]bool      // items that are being downloaded
	passed  bool              // the look has passed by one of them
	streak  int               // items in a row that failed as if it were for a while
	surely  sync.Once         // guards sure
	sure    bool              // the server answers, see isSure
	doubt   bool              // whether the server answers at all is being found out
	before  map[string]digest // of folders that are read whole once more, by ID
	tried   map[string]bool   // folders that have failed as if it were for a while, by ID
	err     error
	cancel  context.CancelFunc

	news bool              // of the folders that were read
	left bool              // something has left a folder meanwhile
	gone map[string]string // titles of folders that are not there, by ID
}

func newPool(d *download, folders []outlook.Folder, round int) *pool {
	return &pool{d: d, round: round, folders: folders, scanned: -1, wake: make(chan struct{}),
		busy: map[key]bool{}, before: map[string]digest{}, tried: map[string]bool{}, gone: map[string]string{}}
}

// run returns when all folders are read and nothing is pending but what d.left holds, or
// with the first error. What panics in a worker panics here, where somebody waits for it.
func (p *pool) run(ctx context.Context) error {
	ctx, p.cancel = context.WithCancel(ctx)
	defer p.cancel()
	var workers sync.WaitGroup
	var broke sync.Once
	var panicked any
	for range max(1, p.d.p.cfg.Server.Lanes()) {
		workers.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					broke.Do(func() { panicked = brokeOff{v, debug.Stack()} })
					p.cancel()
				}
			}()
			p.work(ctx)
		})
	}
	workers.Wait()
	if p.stop != nil {
		p.stop()
	}
	if panicked != nil {
		panic(panicked)
	}
	if p.err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return p.err
}

// brokeOff is what a worker panicked with, and where.
type brokeOff struct {
	value any
	stack []byte
}

func (b brokeOff) String() string { return fmt.Sprintf("%v\n\n%s", b.value, b.stack) }

// task is one thing to do: a folder to be read, or an item to be downloaded.
type task struct {
	folder *outlook.Folder
	item   outlook.Item
}

func (p *pool) work(ctx context.Context) {
	for {
		t, wake := p.take(ctx)
		switch {
		case wake != nil:
			select {
			case <-wake:
			case <-ctx.Done():
				return
			}
		case t == nil:
			return
		case t.folder != nil:
			p.folder(ctx, *t.folder)
		default:
			p.item(ctx, t.item)
		}
	}
}

// take gives something to do; or what to wait for; or neither, at the end.
func (p *pool) take(ctx context.Context) (*task, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil || ctx.Err() != nil {
		return nil, nil
	}
	if p.doubt {
		return nil, p.wake
	}
	if len(p.folders) > 0 && p.reading == 0 {
		return p.takeFolder(&p.folders), nil
	}
	item, found, err := p.pull()
	switch {
	case err != nil:
		p.fail(err)
		return nil, nil
	case found:
		p.busy[keyOf(item)] = true
		return &task{item: item}, nil
	case len(p.folders) > 0:
		return p.takeFolder(&p.folders), nil
	case len(p.later) > 0 && p.reading == 0:
		return p.takeFolder(&p.later), nil
	case p.reading == 0 && len(p.busy) == 0:
		return nil, nil
	}
	return nil, p.wake
}

func (p *pool) takeFolder(from *[]outlook.Folder) *task {
	f := (*from)[0]
	*from = (*from)[1:]
	p.reading++
	return &task{folder: &f}
}

// pull gives the next pending item. When a look through them has come to its end, another
// one begins where something was listed meanwhile.
func (p *pool) pull() (outlook.Item, bool, error) {
	for {
		if p.next == nil && !p.look() {
			return outlook.Item{}, false, nil
		}
		item, err, more := p.next()
		if err != nil {
			return outlook.Item{}, false, err
		}
		if !more {
			p.stop()
			p.next, p.stop = nil, nil
			continue
		}
		k := keyOf(item)
		if p.busy[k] {
			p.passed = true // it is in two folders, and this one may stay pending
			continue
		}
		if _, left := p.d.left[k]; !left {
			return item, true, nil
		}
	}
}

// look begins to look through the pending items, if there may be any.
func (p *pool) look() bool {
	now := p.d.p.cfg.Now()
	if p.scanned == p.pages || p.reading > 0 && p.scanned > 0 && now.Sub(p.scanAt) < scanEvery && !now.Before(p.scanAt) {
		return false
	}
	p.scanned, p.scanAt = p.pages, now
	p.next, p.stop = iter.Pull2(p.d.spool.Pending())
	return true
}

// fail stops all workers with the first error. p.mu is held.
func (p *pool) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.cancel()
}

// notify has those look again who wait for something to do. p.mu is held.
func (p *pool) notify() {
	close(p.wake)
	p.wake = make(chan struct{})
}

// folder reads a folder, or a part of it, and judges what came of that.
func (p *pool) folder(ctx context.Context, f outlook.Folder) {
	err := p.read(ctx, f)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading--
	switch {
	case err == nil:
		p.d.ended = p.d.p.cfg.Now()
	case errors.Is(err, errYield):
		p.folders = append([]outlook.Folder{f}, p.folders...)
	case ctx.Err() != nil:
		p.fail(context.Cause(ctx))
	case errors.Is(err, outlook.ErrGone):
		p.gone[f.ID], p.news = f.Title(), true
	case keepwatch.KindOf(err) == keepwatch.KindTransient && !p.tried[f.ID]:
		p.tried[f.ID] = true
		p.later = append(p.later, f)
	default:
		p.fail(err)
	}
	p.notify()
}
