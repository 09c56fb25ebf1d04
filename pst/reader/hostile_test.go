package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// maxItems ends a walk that gives more than any of these small files can have.
const maxItems = 1 << 20

// everything goes through all that a file has and counts it. Damage is counted too;
// any other error is given back.
func everything(f *reader.File) (items, damages int, err error) {
	w := walker{f: f}
	err = w.all()
	for range f.Orphans() {
		w.items++
	}
	for _, err := range f.Search(reader.Query{Text: "no such text"}) {
		w.keep(err)
	}
	s, wrong := f.Summary(context.Background(), reader.SummaryOptions{Deep: true})
	if wrong != nil {
		w.keep(wrong)
	} else if len(s.Damage) > 100 {
		w.err = errors.New("more damage than was asked for")
	}
	return w.items, w.damages, errors.Join(err, w.err)
}

func second[T any](_ T, err error) error { return err }

type walker struct {
	f              *reader.File
	items, damages int
	err            error
	tell           func(error) // each damage, if it is not nil
}

// all goes through store, folders, messages and what hangs on them.
func (w *walker) all() error {
	w.keep(second(w.f.Store()))
	w.keep(second(w.f.Names()))
	w.keep(second(w.f.Top()))
	err := w.f.Walk(func(d *reader.Folder, err error) error {
		w.keep(err)
		if d == nil {
			return w.err
		}
		w.keep(second(d.Properties()))
		for _, err := range d.Rows() {
			w.keep(err)
			w.items++
		}
		w.messages(d.Messages())
		w.messages(d.Associated())
		return w.err
	})
	return errors.Join(err, w.err)
}

func (w *walker) keep(err error) {
	if err == nil {
		return
	}
	w.damages++
	if w.tell != nil {
		w.tell(err)
	}
	var d *reader.Damage
	if !errors.As(err, &d) && w.err == nil {
		w.err = fmt.Errorf("not a damage: %w", err)
	}
	if w.damages > maxItems {
		w.err = errors.New("the walk does not end")
	}
}

func (w *walker) messages(all iter.Seq2[*reader.Message, error]) {
	for m, err := range all {
		if w.keep(err); m != nil {
			w.message(m)
		}
	}
}

func (w *walker) message(m pst.Item) {
	if w.items++; w.items > maxItems {
		w.err = errors.New("the walk does not end")
		return
	}
	w.keep(second(m.Properties()))
	for _, err := range m.Recipients() {
		w.keep(err)
	}
	for a, err := range m.Attachments() {
		if w.keep(err); a == nil {
			continue
		}
		w.keep(second(a.Properties()))
		r, size, err := a.Open()
		if err == nil {
			n, err := io.Copy(io.Discard, r)
			if w.keep(err); err == nil && n != size {
				w.err = fmt.Errorf("an attachment of %d bytes gives %d", size, n)
			}
		} else if !errors.Is(err, pst.ErrNoContent) {
			w.keep(err)
		}
		if in, err := a.Message(); err == nil {
			w.message(in)
		} else if !errors.Is(err, pst.ErrNoContent) {
			w.keep(err)
		}
	}
}

// repair sets the checksums of the page or block that a mutation lies in, so that
// it is not found out before anything is parsed.
type part struct {
	off, n  int // bytes, with the trailer
	trailer int
}

// parts finds the pages and blocks of a file by their trailers: each that proves
// itself by checksum and signature.
func parts(data []byte, ansi bool) []part {
	trailer := 16
	if ansi {
		trailer = 12
	}
	var out []part
	for end := 64; end <= len(data); end += 64 {
		t := data[end-trailer : end]
		bid, crc := trailerOf(t)
		if t[0] == t[1] && t[0]&0xFE == 0x80 && end%512 == 0 && pst.Checksum(data[end-512:end-trailer]) == crc {
			out = append(out, part{end - 512, 512, trailer})
			continue
		}
		cb := int(le(t, 2))
		n := (cb + trailer + 63) &^ 63
		if cb > 0 && n <= 8192 && n <= end && pst.Signature(uint64(end-n), bid) == uint16(le(t[2:], 2)) && pst.Checksum(data[end-n:end-n+cb]) == crc {
			out = append(out, part{end - n, n, trailer})
		}
	}
	return out
}

// trailerOf gives id and checksum from a trailer, whose order differs.
func trailerOf(t []byte) (bid uint64, crc uint32) {
	if len(t) == 12 {
		return le(t[4:], 4), uint32(le(t[8:], 4))
	}
	return le(t[8:], 8), uint32(le(t[4:], 4))
}

func le(b []byte, n int) uint64 {
	v := uint64(0)
	for i := range n {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

func put(b []byte, v uint32) { b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24) }

// mend makes the checksum of a part fit.
func (p part) mend(data []byte, page bool) {
	b := data[p.off : p.off+p.n]
	t := b[p.n-p.trailer:]
	at := 4
	if p.trailer == 12 {
		at = 8
	}
	cb := int(le(t, 2))
	if page {
		cb = p.n - p.trailer
	}
	if cb <= p.n-p.trailer {
		put(t[at:], pst.Checksum(b[:cb]))
	}
}

func (p part) page(data []byte) bool {
	t := data[p.off+p.n-p.trailer:]
	return p.n == 512 && t[0] == t[1] && t[0]&0xFE == 0x80
}

// plain makes a file that is not encoded out of one that is permuted: the
// mutations then change what is parsed, and not its encoding.
func plain(data []byte, ansi bool) []byte { return recoded(data, ansi, pst.CryptNone) }

// recoded makes a file of another encoding out of one that is permuted.
func recoded(data []byte, ansi bool, to pst.Crypt) []byte {
	data = bytes.Clone(data)
	for _, p := range parts(data, ansi) {
		t := data[p.off+p.n-p.trailer : p.off+p.n]
		bid, _ := trailerOf(t)
		if !p.page(data) && bid&2 == 0 {
			b := data[p.off : p.off+int(le(t, 2))]
			pst.CryptPermute.Decode(b, bid)
			to.Encode(b, bid)
			p.mend(data, false)
		}
	}
	if ansi {
		data[461] = byte(to)
	} else {
		data[513] = byte(to)
		put(data[524:], pst.Checksum(data[8:8+516]))
	}
	put(data[4:], pst.Checksum(data[8:8+471]))
	return data
}

// TestMutated: whatever byte of a page or block is changed, with a checksum that
// fits all the same, the walk ends, tells only damage, and does not fall over.
func TestMutated(t *testing.T) {
	for name, rounds := range map[string]int{"java-libpst-dist-list.pst": 1, "go-pst-32-bit-ansi.pst": 5} {
		if os.Getenv("KEEPWATCH_LONG") != "" {
			rounds *= 100
		}
		ansi := name == "go-pst-32-bit-ansi.pst"
		whole := plain(psttest.Outlook(t, name), ansi)
		if items, damages, err := everything(open(t, whole)); err != nil || damages > 0 || items == 0 {
			t.Fatalf("%s: %d items, %d damages, %v", name, items, damages, err)
		}
		rnd := rand.New(rand.NewPCG(1, uint64(len(whole))))
		all := parts(whole, ansi)
		found := 0
		for _, p := range all {
			for range rounds {
				data := bytes.Clone(whole)
				page := p.page(data)
				for range 1 + rnd.IntN(3) {
					at := p.off + rnd.IntN(p.n)
					data[at] = [...]byte{0, 1, 0xFF, byte(rnd.Uint32()), data[at] + 1, data[at] ^ 0x80}[rnd.IntN(6)]
				}
				p.mend(data, page)
				f, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 1 << 20})
				if err != nil {
					t.Fatal(err)
				}
				_, damages, err := everything(f)
				if err != nil {
					t.Errorf("%s, part at %#x: %v", name, p.off, err)
				}
				if damages > 0 {
					found++
				}
			}
		}
		if len(all) < 30 || found < 10 {
			t.Errorf("%s: %d parts, %d mutations were found", name, len(all), found)
		}
	}
}

// TestEveryPartIsProved: a byte that is changed in a page or block, without its
// checksum, is always found.
func TestEveryPartIsProved(t *testing.T) {
	for _, name := range []string{"java-libpst-dist-list.pst", "go-pst-32-bit-ansi.pst"} {
		whole := psttest.Outlook(t, name)
		clean := deep(t, whole)
		if len(clean.Damage) > 0 {
			t.Fatalf("%s: %v", name, clean.Damage)
		}
		used, found := 0, 0
		for _, p := range parts(whole, clean.Header.Format == pst.ANSI) {
			data := bytes.Clone(whole)
			data[p.off+1] ^= 0x10
			used++
			for _, d := range deep(t, data).Damage {
				if d.Offset == int64(p.off) {
					found++
					break
				}
			}
		}
		// Pages and blocks that were given back still lie in the file.
		if found < 25 || found < used/2 {
			t.Errorf("%s: of %d parts %d are proved", name, used, found)
		}
		t.Logf("%s: of %d parts, with those that are in use no more, %d are proved", name, used, found)
	}
}

func deep(t *testing.T, data []byte) *reader.Summary {
	t.Helper()
	s, err := open(t, data).Summary(context.Background(), reader.SummaryOptions{Deep: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzBytes: anything that can be opened can be gone through.
func FuzzBytes(f *testing.F) {
	f.Add(mailbox(false).bytes())
	f.Add(mailbox(true).bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 1 << 20})
		if err != nil {
			return
		}
		if _, _, err := everything(r); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRescue: what is left of anything can be gone through.
func FuzzRescue(f *testing.F) {
	f.Add(mailbox(false).bytes())
	f.Add(mailbox(true).bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := reader.Rescue(t.Context(), bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 1 << 20}); err == nil {
			if _, _, err := everything(r); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, reader.ErrNothing) && !errors.Is(err, reader.ErrUnsupported) {
			t.Error(err)
		}
	})
}

// TestRescueMutated: whatever is changed in pages and blocks, with checksums that fit or
// without, and with no header, what is left can be gone through.
func TestRescueMutated(t *testing.T) {
	for _, name := range []string{"java-libpst-dist-list.pst", "go-pst-32-bit-ansi.pst"} {
		whole := plain(psttest.Outlook(t, name), name == "go-pst-32-bit-ansi.pst")
		rnd := rand.New(rand.NewPCG(3, 4))
		all := parts(whole, name == "go-pst-32-bit-ansi.pst")
		for round := range 60 {
			data := bytes.Clone(whole)
			if round%2 == 0 {
				clear(data[:564])
			}
			for range 1 + rnd.IntN(40) {
				p := all[rnd.IntN(len(all))]
				page := p.page(data)
				data[p.off+rnd.IntN(p.n)] = byte(rnd.Uint32())
				if rnd.IntN(2) == 0 {
					p.mend(data, page)
				}
			}
			f, err := reader.Rescue(t.Context(), bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if items, _, err := everything(f); err != nil || items == 0 {
				t.Errorf("%s, round %d: %d items, %v", name, round, items, err)
			}
		}
	}
}
