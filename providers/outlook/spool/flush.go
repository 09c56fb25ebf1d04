package spool

import (
	"encoding/json"
	"errors"

	"keepwatch/providers/outlook"
)

// flush brings all that waits to the disk and into the index.
func (s *spool) flush() error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	return s.flushed()
}

// flushed is flush with the lock held: the segments are synced, then the index states what
// is in them, so that it never states what a power cut can take.
func (s *spool) flushed() error {
	s.mu.Lock()
	batch, made := s.queue, s.made
	s.made = false
	s.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	s.Crash("spool.flush.before-sync")
	if made {
		if err := syncDir(s.dir); err != nil {
			s.mu.Lock()
			s.made = true
			s.mu.Unlock()
			return s.fault(s.dir, err)
		}
	}
	synced := map[*segment]bool{}
	for _, e := range batch {
		if synced[e.segment] {
			continue
		}
		synced[e.segment] = true
		if err := e.segment.file.Sync(); err != nil {
			s.unsynced(e.segment)
			return s.fault(s.dir, err)
		}
	}
	if err := s.change("flush", func(l *ledger) error { return l.stateAll(batch) }); err != nil {
		return err
	}
	return s.settled(len(batch))
}

// settled takes what is in the index now from the queue.
func (s *spool) settled(n int) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		err = errors.Join(err, s.leave(&s.queue[i]))
	}
	s.queue = append([]entry(nil), s.queue[n:]...)
	s.flushes.Add(1)
	return err
}

// leave is called with mu held for what is taken from the queue.
func (s *spool) leave(e *entry) error {
	if s.waiting[e.version]--; s.waiting[e.version] == 0 {
		delete(s.waiting, e.version)
	}
	s.bytes, s.held = s.bytes-e.Bytes, s.held-int64(len(e.Item))
	g := e.segment
	g.queued--
	if g.queued == 0 && g.full && !g.held && g.cut < 0 {
		return g.file.Close()
	}
	return nil
}

// unsynced gives up what waits of a segment whose sync has failed: it may be lost, and a
// second sync would not say so. Its items are pending again.
func (s *spool) unsynced(g *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := make([]entry, 0, len(s.queue))
	for i := range s.queue {
		e := &s.queue[i]
		if e.segment != g {
			rest = append(rest, *e)
			continue
		}
		if g.cut < 0 || e.Start < g.cut {
			g.cut = e.Start
		}
		s.waiting[e.version]--
		if s.waiting[e.version] == 0 {
			delete(s.waiting, e.version)
		}
		s.bytes, s.held = s.bytes-e.Bytes, s.held-int64(len(e.Item))
		g.queued--
	}
	s.queue = rest
	for i, idle := range s.idle {
		if idle == g {
			s.idle = append(s.idle[:i:i], s.idle[i+1:]...)
			break
		}
	}
	s.flushes.Add(1)
	if !g.held {
		s.Log.Warn("a segment that could not be synced is left", "segment", g.no, "err", s.discard(g))
	}
}

// stateAll states entries in the index.
func (l *ledger) stateAll(batch []entry) error {
	ends := map[uint32]int64{}
	for i := range batch {
		e := &batch[i]
		ends[e.number] = max(ends[e.number], e.end)
		if err := l.become(e); err != nil {
			return err
		}
	}
	for no, end := range ends {
		if err := l.table(tableSegments).write(number(no), end); err != nil {
			return err
		}
	}
	return nil
}

// become states what became of a version, for every item of it. The first content stays,
// and takes the place of a reason why there was none, so that the order in which an Open
// finds them does not matter.
func (l *ledger) become(e *entry) error {
	before, err := l.keys.outcome(l.tx, e.version)
	if err != nil {
		return err
	}
	if before != nil && (before.Missing == "" || e.Missing != "") {
		return nil
	}
	all, err := l.everywhere(e.id, e.version)
	if err != nil {
		return err
	}
	o := e.outcome
	if o.Missing == "" {
		if o.Item, err = l.more(all, o.Item); err != nil {
			return err
		}
	}
	missed := l.table(tableMissed)
	if o.Missing != "" {
		o.Segment, o.Start, o.SHA256 = 0, 0, ""
		err = missed.put(e.version[:], e.id[:])
	} else {
		err = missed.delete(e.version[:])
	}
	if err != nil {
		return err
	}
	for _, at := range all {
		l.count(at.s, at.r, before, -1)
		l.count(at.s, at.r, &o, 1)
		if err := l.await(at.no, at.s, at.r.seq, false); err != nil {
			return err
		}
	}
	return l.table(tableVersions).write(e.version[:], o)
}

// more gives what an item was put with, unless the listing said the same: then nil, so that
// it does not lie there twice.
func (l *ledger) more(all []took, item json.RawMessage) (json.RawMessage, error) {
	if len(all) == 0 {
		return item, nil
	}
	for _, at := range all {
		data, err := l.table(tableItems, at.no).get(long(at.r.seq))
		if err != nil {
			return nil, err
		}
		_, known, err := readItemRow(data)
		if err != nil {
			return nil, err
		}
		same, err := equal(known, item)
		if err != nil || !same {
			return item, err
		}
	}
	return nil, nil
}

// equal compares two items, whatever their folders.
func equal(a, b json.RawMessage) (bool, error) {
	if string(a) == string(b) {
		return true, nil
	}
	var one, other outlook.Item
	if err := errors.Join(decode(a, &one), decode(b, &other)); err != nil {
		return false, err
	}
	one.Folder = other.Folder
	x, err := json.Marshal(one)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(other)
	return string(x) == string(y), err
}

// Retry makes pending again what was missed, some at a time.
func (s *spool) Retry() error {
	if err := s.flush(); err != nil {
		return err
	}
	for more := true; more; {
		err := s.change("retry", func(l *ledger) (err error) {
			more, err = l.retry(mostWaiting)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) retry(most int) (more bool, err error) {
	type missed struct{ version, id name }
	var some []missed
	t := l.table(tableMissed)
	c := t.b.Cursor()
	for key, sealed := c.First(); key != nil && len(some) < most; key, sealed = c.Next() {
		id, err := t.unseal(key, sealed)
		if err != nil {
			return false, err
		}
		var m missed
		copy(m.version[:], key)
		copy(m.id[:], id)
		some = append(some, m)
	}
	for _, m := range some {
		if err := l.again(m.id, m.version); err != nil {
			return false, err
		}
	}
	return len(some) == most, nil
}

// again makes a version pending.
func (l *ledger) again(id, version name) error {
	before, err := l.keys.outcome(l.tx, version)
	if err != nil {
		return err
	}
	all, err := l.everywhere(id, version)
	if err != nil {
		return err
	}
	for _, at := range all {
		l.count(at.s, at.r, before, -1)
		l.count(at.s, at.r, nil, 1)
		if err := l.await(at.no, at.s, at.r.seq, true); err != nil {
			return err
		}
	}
	return errors.Join(l.table(tableMissed).delete(version[:]), l.table(tableVersions).delete(version[:]))
}

// waits reports whether a version is in a segment and not in the index yet.
func (s *spool) waits(version name) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting[version] > 0
}
