package spool

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	bbolt "go.etcd.io/bbolt"
)

// recover finds again what is in the segments behind what the index states of them, and
// cuts off what is torn there.
func (s *spool) recover() error {
	numbers, err := s.files()
	if err != nil {
		return err
	}
	stated, err := s.stated()
	if err != nil {
		return err
	}
	for no := range stated {
		if !slices.Contains(numbers, no) {
			return lost("segment %d is not there", no)
		}
	}
	for _, no := range numbers {
		s.next = max(s.next, no+1)
		end, err := s.recoverSegment(no, stated[no])
		if err != nil {
			return err
		}
		if end < segmentBytes {
			s.spare = append(s.spare, spare{no, end})
		}
	}
	return nil
}

// stated gives what the index states: the end of each segment.
func (s *spool) stated() (map[uint32]int64, error) {
	ends := map[uint32]int64{}
	err := s.view(func(tx *bbolt.Tx) error {
		t := s.keys.table(tx, tableSegments)
		return t.b.ForEach(func(key, sealed []byte) error {
			data, err := t.unseal(key, sealed)
			if err != nil {
				return err
			}
			no, err := readNumber(key)
			if err != nil {
				return lost("%w", err)
			}
			var end int64
			err = decode(data, &end)
			ends[no] = end
			return err
		})
	})
	return ends, err
}

// recoverSegment gives the end of what is whole in a segment, all of it stated.
func (s *spool) recoverSegment(no uint32, end int64) (int64, error) {
	file, err := os.OpenFile(s.segmentPath(no), os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() < end {
		return 0, lost("segment %d has %d bytes of %d", no, info.Size(), end)
	}
	if info.Size() == end {
		return end, nil
	}
	s.Crash("spool.recover.before-scan")
	for whole := true; whole; {
		var batch []entry
		for len(batch) < mostWaiting && whole {
			var e entry
			if e, whole, err = s.scan(file, no, end, info.Size()); err != nil {
				return 0, err
			}
			if whole {
				batch, end = append(batch, e), e.end
			}
		}
		if len(batch) == 0 {
			break
		}
		if err := errors.Join(file.Sync(), syncDir(s.dir)); err != nil {
			return 0, err
		}
		if err := s.change("recover", func(l *ledger) error { return l.stateAll(batch) }); err != nil {
			return 0, err
		}
		s.Log.Info("contents that were saved last are found again", "segment", no, "contents", len(batch))
	}
	if end == info.Size() {
		return end, nil
	}
	s.Log.Info("what was being saved when the last one ended is cut off", "segment", no, "bytes", info.Size()-end)
	s.Crash("spool.recover.before-cut")
	return end, errors.Join(file.Truncate(end), file.Sync())
}

// scan reads the content at a byte of a segment. It is not whole where anything of it is
// not as it was written.
func (s *spool) scan(file io.ReaderAt, no uint32, start, size int64) (e entry, whole bool, err error) {
	at := stream{keys: s.keys, segment: no, start: start}
	if start+saltBytes > size {
		return e, false, nil
	}
	if _, err := file.ReadAt(at.salt[:], start); err != nil {
		return e, false, err
	}
	hash := sha256.New()
	pos, length, short := start+saltBytes, int64(0), false
	var b []byte
	for index := uint32(0); ; index++ {
		var head [frameHead]byte
		if pos+frameHead > size {
			return e, false, nil
		}
		if _, err := file.ReadAt(head[:], pos); err != nil {
			return e, false, err
		}
		n := binary.BigEndian.Uint32(head[:])
		last := n&lastBit != 0
		n &^= lastBit
		most := uint32(frameBytes)
		if last {
			most = mostTail
		}
		if n > most || !last && short || pos+frameMore+int64(n) > size {
			return e, false, nil
		}
		b = slices.Grow(b[:0], frameMore+int(n))[:frameMore+int(n)]
		if _, err := file.ReadAt(b, pos); err != nil {
			return e, false, err
		}
		text, err := at.open(b, index, last)
		if err != nil {
			return e, false, nil
		}
		pos += int64(len(b))
		if last {
			e, whole = ended(text, length, hex.EncodeToString(hash.Sum(nil)))
			e.Segment, e.Start, e.number, e.end = no, start, no, pos
			return e, whole, nil
		}
		hash.Write(text)
		length += int64(n)
		short = n < frameBytes
	}
}

// ended reads the tail of a content of a length and a sum.
func ended(text []byte, length int64, sum string) (e entry, ok bool) {
	var t tail
	if json.Unmarshal(text, &t) != nil || t.Bytes != length || t.SHA256 != sum || len(t.ID) != len(e.id) || len(t.Version) != len(e.version) {
		return e, false
	}
	copy(e.id[:], t.ID)
	copy(e.version[:], t.Version)
	e.outcome = outcome{Bytes: t.Bytes, SHA256: t.SHA256, Note: t.Note, Missing: t.Missing, Item: t.Item}
	return e, true
}
