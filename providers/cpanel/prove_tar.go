package cpanel

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math"
	"path"
	"strings"

	"keepwatch"
)

// Bounds of what is remembered of an archive, so that one that was made to do harm
// does not fill the memory.
const (
	mostNames = 10_000  // databases, domains: more than any account has
	longest   = 255     // of a name that is remembered, in bytes
	mostSmall = 1 << 20 // of a small file that is read, in bytes
	mostOdd   = 10      // names that are shown as examples
)

// tarEnd is how the walk through a tar archive ended.
type tarEnd struct {
	entries int64
	bytes   int64  // of all files
	last    string // the last name that was read
	err     error  // why it stopped; nil: it came to an end
	unended bool   // it ended without the two blocks of zeros that a tar archive ends with
	after   int64  // bytes behind that end, from the first that is not zero
	outside int64  // names that are absolute or lead out of the archive by ".."
	example string // one of those
}

// entry is one member of a tar archive, without its content.
type entry struct {
	name   string // cleaned, without a slash at its beginning or end
	kind   byte   // tar.TypeReg, tar.TypeDir and so on
	size   int64
	sparse bool // has holes: content would give them as zeros, maybe without end
}

// isFile reports whether an entry is a file, also one of several names of it.
func (e entry) isFile() bool { return e.kind == tar.TypeReg || e.kind == tar.TypeLink || e.sparse }

// walkTar reads a tar archive to its end. visit sees each entry; what it does not read
// of content is passed over. Names are never followed anywhere.
func walkTar(r io.Reader, visit func(e entry, content io.Reader)) (end tarEnd) {
	src := &ending{r: r}
	tr := tar.NewReader(src)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			// archive/tar gives io.EOF where the end marker is missing too, in whole
			// or by half; only where the bytes ended it has met no marker.
			end.unended = src.ended
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			end.err = err
			return end
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e := entryOf(h)
		if end.count(h.Name, e) {
			visit(e, tr)
		}
	}
	if !end.unended {
		end.after, end.err = behind(r)
	}
	return end
}

// entryOf takes over what matters of a header.
func entryOf(h *tar.Header) entry {
	e := entry{name: strings.TrimLeft(path.Clean(h.Name), "/"), kind: h.Typeflag, size: h.Size, sparse: h.Typeflag == tar.TypeGNUSparse}
	for key := range h.PAXRecords {
		e.sparse = e.sparse || strings.HasPrefix(key, "GNU.sparse.")
	}
	return e
}

// count takes an entry into the figures. It reports false where the name leads out of
// the archive: then the entry stands for nothing that is looked for.
func (t *tarEnd) count(name string, e entry) bool {
	t.entries++
	t.last = e.name
	if e.kind == tar.TypeReg && !e.sparse && e.size > 0 {
		t.bytes += min(e.size, math.MaxInt64-t.bytes)
	}
	if !strings.HasPrefix(name, "/") && !hasUp(name) {
		return true
	}
	if t.outside++; t.example == "" {
		t.example = name
	}
	return false
}

// hasUp reports whether a name has a part that is "..".
func hasUp(name string) bool {
	if !strings.Contains(name, "..") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

// behind reads what follows the end of a tar archive, which is zeros up to a full
// record, and counts from the first byte that is not.
func behind(r io.Reader) (after int64, err error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		b := buf[:n]
		if after == 0 {
			b = bytes.TrimLeft(b, "\x00")
		}
		after += int64(len(b))
		if err == io.EOF {
			return after, nil
		}
		if err != nil {
			return after, err
		}
	}
}

// ending remembers whether its reader has come to its end.
type ending struct {
	r     io.Reader
	ended bool
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err == io.EOF {
		if n > 0 {
			return n, nil // the end comes with the next call, if anybody makes it
		}
		e.ended = true
	}
	return n, err
}

// odd reports whether the walk met something that is no tar archive before it came to
// the end of the bytes, or behind the mark that closes one.
func (t tarEnd) odd() bool {
	return t.err != nil && !errors.Is(t.err, io.ErrUnexpectedEOF) || t.after > 0
}

// broken says what is wrong with a tar archive that could be unpacked to the end, and
// reports false where it is in order. what is what it is a part of; rule is of the
// finding.
func (t tarEnd) broken(v *verdict, what, name string) bool {
	where := "at its very beginning"
	if t.entries > 0 {
		where = "after " + keepwatch.FormatCount(t.entries, "entry", "entries") + ", the last of which is " + show(t.last)
	}
	const again = " The host packed it like that: the program that writes the backup was stopped, mostly because the account's quota, its time or the disk had run out. Make room and start a new backup."
	switch {
	case errors.Is(t.err, io.ErrUnexpectedEOF):
		v.problem("unfinished", what, "%s ends in the middle of a file, %s, although its compression is in order.%s", name, where, again)
	case t.err != nil:
		v.problem("tar", what, "%s is damaged inside: %s, there is something that is no tar archive, although its checksum is right. The host packed it like that. Start a new backup, and ask the host if it is so again.", name, where)
	case t.entries == 0:
		v.problem("unfinished", what, "%s holds nothing at all.%s", name, again)
	case t.unended:
		v.problem("unfinished", what, "%s has no end: it stops %s, and the mark that closes a tar archive is missing, although its compression is in order.%s", name, where, again)
	default:
		return false
	}
	return true
}

// oddities adds what is wrong with names, and what follows the end.
func (t tarEnd) oddities(v *verdict, what, name string) {
	if t.outside > 0 {
		v.problem("path", what, "%s has %s of entries that are absolute or lead out of it: %s. cPanel writes none of that kind, and unpacking it could overwrite files elsewhere. Ask the host who made it, and start a new backup.",
			name, keepwatch.FormatCount(t.outside, "name"), show(t.example))
	}
	if t.after > 0 {
		v.note("%s has %s behind the mark that closes it. Programs that unpack it do not see them.", name, keepwatch.FormatBytes(t.after))
	}
}

// readSmall gives the content of a small file, at most mostSmall bytes of it, and
// nothing of one that has holes.
func readSmall(e entry, content io.Reader) []byte {
	if e.sparse || e.kind != tar.TypeReg {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(content, min(mostSmall, max(e.size, 0)))) // the walk meets the error again
	return b
}
