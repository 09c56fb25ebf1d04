package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"keepwatch/providers/outlook"
)

// The index is brought up to date when as much waits for it. What waits is read again by
// an Open after a kill.
const (
	mostWaiting      = 1024
	mostWaitingBytes = 64 << 20
	mostHeldBytes    = 4 << 20 // of what is held in memory of them
)

// entry is what is in a segment and not in the index yet.
type entry struct {
	id, version name
	outcome
	segment *segment // nil: found by an Open
	number  uint32
	end     int64 // of its tail in the segment
}

// Put saves the content of an item.
func (s *spool) Put(item outlook.Item, c outlook.Note, body io.Reader) (n int64, sum string, err error) {
	if item.ID == "" {
		return 0, "", errors.New("an item without an ID")
	}
	return s.append(item, c, "", body)
}

// Miss saves why the content of an item cannot be had. It lies in a segment as a content
// does, so that it need not wait for the index.
func (s *spool) Miss(item outlook.Item, why string) error {
	if item.ID == "" || why == "" {
		return errors.New("an item without an ID, or missed without a reason")
	}
	_, _, err := s.append(item, outlook.Note{}, why, eof{})
	return err
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

func (s *spool) append(item outlook.Item, c outlook.Note, missing string, body io.Reader) (n int64, sum string, err error) {
	if err := s.relieve(); err != nil {
		return 0, "", err
	}
	t := tail{Note: c, Missing: missing}
	id, version := s.keys.item(item), s.keys.version(item)
	t.ID, t.Version = id[:], version[:]
	if missing == "" {
		if t.Item, err = json.Marshal(item); err != nil {
			return 0, "", err
		}
	}
	g, err := s.take()
	if err != nil {
		return 0, "", s.fault(s.dir, err)
	}
	w, sum, err := s.content(g, t, body)
	if err != nil {
		return 0, "", errors.Join(err, s.giveBack(g))
	}
	o := outcome{Segment: g.no, Start: w.start, Bytes: w.bytes, SHA256: sum, Note: c, Missing: missing, Item: t.Item}
	s.mu.Lock()
	if g.cut >= 0 { // another's sync of this segment has failed meanwhile
		s.mu.Unlock()
		return 0, "", errors.Join(s.fault(s.dir, fmt.Errorf("segment %d could not be synced", g.no)), s.giveBack(g))
	}
	s.queue = append(s.queue, entry{id: id, version: version, outcome: o, segment: g, number: g.no, end: w.end})
	s.waiting[version]++
	s.bytes += o.Bytes
	s.held += int64(len(o.Item))
	g.queued++
	g.end = w.end
	s.mu.Unlock()
	s.Crash("spool.put.after-queue")
	return w.bytes, sum, s.giveBack(g)
}

// content writes one behind what a segment has, or takes back what it has written of it.
func (s *spool) content(g *segment, t tail, body io.Reader) (w *writer, sum string, err error) {
	if g.text == nil {
		g.text = make([]byte, frameBytes)
		g.out = make([]byte, 0, frameBytes+4096)
	}
	w = newWriter(s.keys, g, s.Crash)
	defer func() {
		if cap(w.out) <= 2*frameBytes {
			g.out = w.out
		}
		if err == nil {
			return
		}
		if cut := g.file.Truncate(g.end); cut != nil {
			// What is torn stays at its end, where the next Open cuts it off. Nothing may
			// be written behind it.
			s.mu.Lock()
			g.full = true
			s.mu.Unlock()
			s.Log.Warn("what was written of an item could not be taken back", "segment", g.no, "err", cut)
		}
	}()
	for {
		n, read := io.ReadFull(body, g.text)
		if n > 0 {
			if err := w.frame(g.text[:n]); err != nil {
				return w, "", s.fault(s.dir, err)
			}
		}
		if read == io.EOF || read == io.ErrUnexpectedEOF {
			break
		}
		if read != nil {
			return w, "", fmt.Errorf("read an item: %w", read)
		}
	}
	if sum, err = w.finish(t); err != nil {
		return w, "", s.fault(s.dir, err)
	}
	return w, sum, nil
}

// relieve brings the index up to date where enough waits for it. It is done before
// anything is read, so that its failure costs no content; while one does it, others go on
// until twice as much waits.
func (s *spool) relieve() error {
	if err := s.usable(); err != nil {
		return err
	}
	s.mu.Lock()
	n, bytes, held := len(s.queue), s.bytes, s.held
	s.mu.Unlock()
	if n < mostWaiting && bytes < mostWaitingBytes && held < mostHeldBytes {
		return nil
	}
	if n >= 2*mostWaiting || bytes >= 2*mostWaitingBytes || held >= 2*mostHeldBytes {
		return s.flush()
	}
	if !s.flushing.TryLock() {
		return nil
	}
	defer s.flushing.Unlock()
	return s.flushed()
}
