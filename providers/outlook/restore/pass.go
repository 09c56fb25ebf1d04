package restore

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// Bounds of the items of an archive that are chosen and whose files have not come yet.
// They come in the order of the index, or nearly: what is chosen is always what comes next.
const (
	mostAhead  = 256
	bytesAhead = 8 << 20
)

// errEnough ends the walk through an archive of which all is read that is wanted.
var errEnough = errors.New("all that is wanted was read")

// pass goes once through an archive and its index, side by side.
type pass struct {
	*errand
	ref  string
	done *lineSet
	next func() (numbered, error, bool)

	ahead map[string][]waiting // by path of the file
	room  int                  // bytes of lines that wait
	ended bool                 // the index
	moved int64                // items that were dealt with
	hands *hands
}

// waiting is an item whose file is to come.
type waiting struct {
	line outlook.Line
	head head
	n    int64
}

// lineSet says which lines of an index were dealt with, in a bit each.
type lineSet struct{ bits []uint64 }

func (l *lineSet) set(n int64) {
	for int(n/64) >= len(l.bits) {
		l.bits = append(l.bits, 0)
	}
	l.bits[n/64] |= 1 << (n % 64)
}

func (l *lineSet) has(n int64) bool {
	return int(n/64) < len(l.bits) && l.bits[n/64]&(1<<(n%64)) != 0
}

// layer puts back what one archive holds. It goes through it once where its files lie in
// the order of the index, and as often as it needs otherwise.
func (e *errand) layer(ctx context.Context, i int) error {
	done := &lineSet{}
	for {
		more, err := e.once(ctx, i, done)
		if err != nil || !more {
			return err
		}
	}
}

// once goes through an archive one time; more says that something is left.
func (e *errand) once(ctx context.Context, i int, done *lineSet) (more bool, err error) {
	next, stop := iter.Pull2(e.from.each(ctx, i, e.later))
	defer stop()
	p := &pass{errand: e, ref: e.from.refs[i], done: done, next: next, ahead: map[string][]waiting{}}
	p.hands = newHands(ctx, e)
	if err = p.fill(ctx); err == nil && len(p.ahead) > 0 {
		err = p.walk(p.hands.ctx)
	}
	err = p.hands.wait(err)
	if err != nil {
		return false, err
	}
	if p.moved == 0 { // what was waited for from the beginning on is not in the archive
		for _, w := range p.waiting() {
			p.settle(w)
			p.count(func(t *tally) {
				t.broken(w.head, keepwatch.Errorf(keepwatch.KindAttention, "%s holds no file %s, which its index names.", p.ref, keepwatch.Printable(w.line.Path)).Because(keepwatch.ErrDamaged))
			})
		}
		return !p.ended, nil
	}
	return len(p.ahead) > 0 || !p.ended, nil
}

// waiting gives what waits, in the order of the index.
func (p *pass) waiting() (list []waiting) {
	for _, same := range p.ahead {
		list = append(list, same...)
	}
	slices.SortFunc(list, func(a, b waiting) int { return int(a.n - b.n) })
	return list
}

func (p *pass) count(do func(*tally)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(&p.tally)
}

// settle says that an item was dealt with.
func (p *pass) settle(w waiting) {
	p.done.set(w.n)
	p.moved++
}

// fill chooses what comes next.
func (p *pass) fill(ctx context.Context) error {
	var fresh []waiting
	for !p.ended && len(p.ahead)+len(fresh) < mostAhead && p.room < bytesAhead {
		h, err, ok := p.next()
		if err != nil {
			return err
		}
		if !ok {
			p.ended = true
			break
		}
		if p.done.has(h.n) || !p.wanted(h.head) {
			continue
		}
		w := waiting{head: h.head, n: h.n}
		if p.marks.isWhole(h.ID) {
			p.done.set(h.n) // it costs nothing, and says nothing of the files
			p.count(func(t *tally) { t.there++; t.restored(h.head, outlook.Restored{}) })
			continue
		}
		if p.marks.before(h.head) && !p.marks.has(h.ID) {
			p.done.set(h.n)
			p.count(func(t *tally) { t.same++; t.say(h.head, "was put there by an earlier restore, and was left as it is") })
			continue
		}
		if p.had.has(h.head) && !p.marks.has(h.ID) {
			p.done.set(h.n)
			p.count(func(t *tally) { t.same++; t.say(h.head, "is there already, and was left as it is now") })
			continue
		}
		if w.line, err = h.line(); err != nil {
			return oddIndex(p.ref, outlook.IndexPath, h.n+1, err)
		}
		w.head.text = nil
		p.room += len(h.text)
		fresh = append(fresh, w)
	}
	present, err := p.present(ctx, fresh)
	if err != nil {
		return err
	}
	for _, w := range fresh {
		if present[w.line.MessageID] {
			p.done.set(w.n)
			p.count(func(t *tally) { t.same++; t.say(w.head, "is in the folder already, and was left as it is") })
			continue
		}
		p.ahead[w.line.Path] = append(p.ahead[w.line.Path], w)
	}
	if len(p.ahead) == 0 {
		p.room = 0
		if !p.ended {
			return p.fill(ctx)
		}
	}
	return nil
}

// present asks which of some mails the folder had before this run.
func (p *pass) present(ctx context.Context, list []waiting) (map[string]bool, error) {
	if !p.held {
		return nil, nil
	}
	var ids []string
	for _, w := range list {
		if !p.marks.has(w.line.ID) && w.line.MessageID != "" && !p.known(w.line.MessageID) {
			ids = append(ids, w.line.MessageID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return p.cfg.Restorer.Holds(ctx, p.item.Mailbox, p.target, ids)
}

// known reports whether this run has put a mail of that Message-ID there.
func (p *pass) known(messageID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ours[p.hash(messageID)]
}

// walk reads the files that are waited for.
func (p *pass) walk(ctx context.Context) error {
	err := errors.ErrUnsupported
	if from, ok := p.from.from.(providers.Walker); ok {
		err = from.WalkEntries(ctx, p.ref, func(path string) bool { return len(p.ahead[path]) > 0 }, func(e keepwatch.Entry, body io.Reader) error {
			return p.visit(ctx, e.Path, body)
		})
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = p.open(ctx)
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// open reads them one by one, from where they cannot be read in one pass.
func (p *pass) open(ctx context.Context) error {
	for len(p.ahead) > 0 {
		path := p.waiting()[0].line.Path
		_, body, err := p.from.from.OpenEntry(ctx, p.ref, path)
		switch {
		case err == nil:
			err = p.visit(ctx, path, body)
			_ = body.Close()
		case isDamage(err):
			err = p.visit(ctx, path, unreadable{err})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unreadable is a file that cannot be read.
type unreadable struct{ err error }

func (f unreadable) Read([]byte) (int, error) { return 0, f.err }

// visit takes the file of an item and has it put back.
func (p *pass) visit(ctx context.Context, path string, body io.Reader) error {
	list := p.ahead[path]
	delete(p.ahead, path)
	c, err := p.take(body, list[0].line.Bytes)
	for _, w := range list {
		p.settle(w)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && isDamage(err):
		p.count(func(t *tally) {
			for _, w := range list {
				t.broken(w.head, err)
			}
		})
	case err != nil:
		return err
	default:
		if err := p.hands.give(list, c); err != nil {
			return err
		}
	}
	if len(p.ahead) < mostAhead/2 {
		p.room = 0
		for _, w := range p.ahead {
			for _, w := range w {
				p.room += len(w.line.Raw)
			}
		}
		if err := p.fill(ctx); err != nil {
			return err
		}
	}
	if len(p.ahead) == 0 && p.ended {
		return errEnough
	}
	return nil
}
