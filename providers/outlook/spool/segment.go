package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	segmentBytes  = 64 << 20 // where one is full; the last content may go beyond it
	segmentSuffix = ".seg"
)

// segment is one that is being written to, by one goroutine at a time.
type segment struct {
	no   uint32
	file *os.File
	end  int64 // of what is whole
	text []byte
	out  []byte

	// Guarded by spool.mu.
	queued int   // entries of it that are not in the index
	full   bool  // nobody writes to it any more
	cut    int64 // where a sync failed, the end of what is surely on disk; -1: none failed
	held   bool  // somebody writes to it
}

// spare is a segment that an earlier process has left with room in it.
type spare struct {
	no  uint32
	end int64
}

func (s *spool) segmentPath(no uint32) string {
	return filepath.Join(s.dir, fmt.Sprintf("%06d%s", no, segmentSuffix))
}

// files gives the numbers of the segments that are there.
func (s *spool) files() (numbers []uint32, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if digits, ok := strings.CutSuffix(e.Name(), segmentSuffix); ok {
			no, err := strconv.ParseUint(digits, 10, 32)
			if err != nil || s.segmentPath(uint32(no)) != filepath.Join(s.dir, e.Name()) {
				return nil, lost("%s is not ours", e.Name())
			}
			numbers = append(numbers, uint32(no))
		}
	}
	return numbers, nil
}

// take gives a segment to write to. There are as many open as goroutines write at once.
func (s *spool) take() (*segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		g := s.idle[n-1]
		s.idle = s.idle[:n-1]
		g.held = true
		return g, nil
	}
	g := &segment{cut: -1, held: true}
	if n := len(s.spare); n > 0 {
		g.no, g.end = s.spare[n-1].no, s.spare[n-1].end
		file, err := os.OpenFile(s.segmentPath(g.no), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		s.spare, g.file = s.spare[:n-1], file
		return g, nil
	}
	file, err := os.OpenFile(s.segmentPath(s.next), os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	g.no, g.file = s.next, file
	s.next++
	s.made = true
	return g, nil
}

// giveBack ends the writing to a segment.
func (s *spool) giveBack(g *segment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.held = false
	if g.cut >= 0 {
		return s.discard(g)
	}
	g.full = g.full || g.end >= segmentBytes
	switch {
	case !g.full:
		s.idle = append(s.idle, g)
	case g.queued == 0:
		return g.file.Close()
	}
	return nil
}

// discard cuts off what could not be brought to the disk: a later sync would not say so
// again, although it may not be there. It is called with mu held.
func (s *spool) discard(g *segment) error {
	return errors.Join(g.file.Truncate(g.cut), g.file.Close())
}
