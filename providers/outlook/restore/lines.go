package restore

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"slices"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// maxLine is how long a line of an index may be, in bytes.
const maxLine = 32 << 20

// head is what of a Line is needed to choose it. Its text is the whole Line.
type head struct {
	ID        string    `json:"id"`
	Folder    string    `json:"folder"`
	Change    string    `json:"change"`
	Subject   string    `json:"subject"`
	From      string    `json:"from"`
	At        time.Time `json:"at"`
	MessageID string    `json:"message_id"`
	Path      string    `json:"path"`
	Bytes     int64     `json:"bytes"`
	Missing   string    `json:"missing"`

	text []byte // good until the next one
}

// line gives all of it.
func (h head) line() (outlook.Line, error) {
	var l outlook.Line
	err := json.Unmarshal(h.text, &l)
	return l, err
}

// heads gives the lines of a list of an archive in their order. It ends after an error.
func heads(ctx context.Context, from providers.Opener, ref, path string) iter.Seq2[head, error] {
	return func(yield func(head, error) bool) {
		_, content, err := from.OpenEntry(ctx, ref, path)
		if err != nil {
			yield(head{}, err)
			return
		}
		defer content.Close()
		r := lineReader{in: bufio.NewReaderSize(content, 256<<10)}
		for n := int64(1); ; n++ {
			text, err := r.next()
			if errors.Is(err, io.EOF) && len(text) == 0 {
				return
			}
			var h head
			if err == nil || errors.Is(err, io.EOF) {
				if err = json.Unmarshal(text, &h); err != nil || h.ID == "" {
					err = oddIndex(ref, path, n, err)
				}
			} else if errors.Is(err, errLong) {
				err = oddIndex(ref, path, n, err)
			}
			h.text = text
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

// oddIndex says that a list is not what Keepwatch writes.
func oddIndex(ref, path string, n int64, cause error) error {
	if cause == nil {
		cause = errors.New("an item without an id")
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Line %d of %s in %s is not understood, so nobody can tell what is to be put back. `backup restore %s --to ./FOLDER` gives the files; take another archive to put them back.", n, path, ref, ref).Because(cause)
}

// lineReader gives lines without holding more than the longest.
type lineReader struct {
	in   *bufio.Reader
	long []byte
}

var errLong = errors.New("the line is too long")

// next gives a line, good until the next call; io.EOF comes with the last one, or alone.
func (r *lineReader) next() ([]byte, error) {
	text, err := r.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return trimLine(text), err
	}
	r.long = r.long[:0]
	for errors.Is(err, bufio.ErrBufferFull) {
		if r.long = append(r.long, text...); len(r.long) > maxLine {
			return nil, errLong
		}
		text, err = r.in.ReadSlice('\n')
	}
	r.long = append(r.long, text...)
	return trimLine(r.long), err
}

func trimLine(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	return line
}

// mention says that a later archive has a word about an item: what older ones say of it
// counts no longer. 16 bytes, since there may be a million of them.
type mention struct {
	item  uint64 // hash of its ID and its folder
	layer uint32
}

// mentions are those of some folders, sorted by item and layer once all are known.
type mentions struct {
	seed maphash.Seed
	list []mention
}

func newMentions(room int64) *mentions {
	const most = 1 << 20 // a state may say anything
	return &mentions{seed: maphash.MakeSeed(), list: make([]mention, 0, min(max(room, 0), most))}
}

func (m *mentions) hash(h head) uint64 {
	var w maphash.Hash
	w.SetSeed(m.seed)
	_, _ = w.WriteString(h.Folder)
	_ = w.WriteByte(0)
	_, _ = w.WriteString(h.ID)
	return w.Sum64()
}

func (m *mentions) sort() {
	slices.SortFunc(m.list, func(a, b mention) int {
		return cmp.Or(cmp.Compare(a.item, b.item), cmp.Compare(a.layer, b.layer))
	})
}

// lives reports whether a line of a layer is the newest that is said of its item.
func (m *mentions) lives(h head, layer int) bool {
	item := m.hash(h)
	i, _ := slices.BinarySearchFunc(m.list, item, func(have mention, want uint64) int { return cmp.Compare(have.item, want) })
	for ; i < len(m.list) && m.list[i].item == item; i++ {
		if int(m.list[i].layer) > layer {
			return false
		}
	}
	return true
}

// stack are the archives that folders are put together from, and which folders: for each
// its place in refs of the archive that it begins with.
type stack struct {
	from  providers.Opener
	refs  []string // the oldest first
	first map[string]int
	// among are, for each folder, the places of those that have it, in order; nil: all have.
	// Others may say that it was deleted. Where it is there again and a later one goes on from
	// before that, what was in it was never gone for that one.
	among map[string][]int
}

// has reports whether an archive has a folder.
func (s stack) has(folder string, i int) bool {
	if s.among == nil {
		return true
	}
	_, found := slices.BinarySearch(s.among[folder], i)
	return found
}

// mentions reads what the later archives of a stack say. room is about how much that is.
func (s stack) mentions(ctx context.Context, room int64) (*mentions, error) {
	m := newMentions(room)
	for i := 1; i < len(s.refs); i++ {
		if !s.hasOlder(i) {
			continue
		}
		for _, list := range []string{outlook.IndexPath, outlook.RemovedPath} {
			for h, err := range heads(ctx, s.from, s.refs[i], list) {
				if list == outlook.RemovedPath && keepwatch.KindOf(err) == keepwatch.KindNotFound {
					break // one that is whole has none
				}
				if err != nil {
					return nil, err
				}
				first, ours := s.first[h.Folder]
				// What could not be had does not take the place of an older state that is there.
				if ours && i > first && s.has(h.Folder, i) && (list == outlook.RemovedPath || h.Path != "") {
					m.list = append(m.list, mention{m.hash(h), uint32(i)})
				}
			}
		}
	}
	m.sort()
	return m, nil
}

// hasOlder reports whether a folder begins in an archive before the one at i.
func (s stack) hasOlder(i int) bool {
	for _, first := range s.first {
		if first < i {
			return true
		}
	}
	return false
}

// each gives the items of one archive of the stack that are in their folders still, in the
// order of its index, each with the number of its line.
func (s stack) each(ctx context.Context, layer int, m *mentions) iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		n := int64(-1)
		for h, err := range heads(ctx, s.from, s.refs[layer], outlook.IndexPath) {
			n++
			if err != nil {
				yield(numbered{}, fmt.Errorf("read the index of %s: %w", s.refs[layer], err))
				return
			}
			if first, ours := s.first[h.Folder]; ours && layer >= first && m.lives(h, layer) {
				if !yield(numbered{h, n}, nil) {
					return
				}
			}
		}
	}
}

// numbered is a line with its number in the index, from 0 on.
type numbered struct {
	head
	n int64
}
