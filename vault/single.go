package vault

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"keepwatch"
)

// Single stores one file as it comes, sealed under its own name: compressed,
// with a seek table behind, unless it is compressed already. An e.Size of -1 says that nobody knows it before
// content ends; then no error of content but io.EOF is an end, those of a disk
// included, because nobody could say how much is missing.
func (w *Writer) Single(e keepwatch.Entry, content io.Reader) error {
	open := e.Size == -1
	if open {
		e.Size = 0
	}
	e, err := w.accept(e)
	if err != nil {
		return err
	}
	if e.Type != keepwatch.EntryFile {
		return fmt.Errorf("%q is a %s and cannot be sealed on its own", e.Path, e.Type)
	}
	begin := int64(magicSize)
	if !open {
		begin = min(begin, e.Size)
	}
	head := make([]byte, begin)
	n, err := fill(content, head)
	if err != nil {
		content = errorReader{err}
	}
	head = head[:n]
	form, frame := formZstd, frameSize
	if isCompressed(head) {
		form, frame = formPlain, 0
	}
	e.In = w.singleName(e.Path, form)
	s, err := w.newSealer(e.In, frame)
	if err != nil {
		return w.fail("The archive cannot be written", err)
	}
	s.addTable()
	w.alone = s
	if content = io.MultiReader(bytes.NewReader(head), content); open {
		e.SHA256, e.Size, err = w.copyAll(s, e, content)
	} else {
		e.SHA256, err = w.copy(s, e, content)
	}
	if err != nil {
		s.abort()
		return err
	}
	if err := s.close(); err != nil {
		return w.fail("The archive cannot be written", err)
	}
	sealed := s.sealed()
	w.alone = nil
	w.written += sealed.Size
	w.result.Sealed = append(w.result.Sealed, sealed)
	return w.list(listed{e, form, nowhere})
}

// copyAll stores content to its end and gives its SHA-256 and its size.
func (w *Writer) copyAll(dst io.Writer, e keepwatch.Entry, content io.Reader) (sum string, size int64, err error) {
	w.sum.Reset()
	for {
		n, err := fill(content, w.buf)
		w.sum.Write(w.buf[:n])
		if _, err := dst.Write(w.buf[:n]); err != nil {
			return "", 0, w.fail("The archive cannot be written", err)
		}
		size += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return hex.EncodeToString(w.sum.Sum(nil)), size, nil
		case err != nil:
			return "", 0, w.abandon(e, err)
		}
	}
}

// errorReader gives an error that was met before, io.EOF among them.
type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// longestName bounds the part of a sealed file's name that comes from the file:
// file systems allow 255 bytes, and endings and a number are added.
const longestName = 180

// singleName gives the name of a sealed single file: its own, with characters
// that a shell or another system might trip over replaced.
func (w *Writer) singleName(path, form string) string {
	base := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == 0xFFFD || strings.ContainsRune("/\\:*?\"<>|", r) {
			return '_'
		}
		return r
	}, path[strings.LastIndex(path, "/")+1:])
	if cut := len(base) - longestName; cut > 0 {
		base = base[cut:] // the end has the extension
	}
	base = strings.TrimLeft(strings.TrimSpace(strings.ToValidUTF8(base, "_")), ".-_ ")
	if base == "" {
		base = "file"
	}
	ending := ".zst.age"
	if form == formPlain {
		ending = ".age"
	}
	name := base + ending
	for n := 2; w.names[strings.ToLower(name)]; n++ { // some file systems do not tell case apart
		name = fmt.Sprintf("%d-%s%s", n, base, ending)
	}
	w.names[strings.ToLower(name)] = true
	return name
}

// magicSize is how much of a file's beginning its magic takes at the most.
const magicSize = 6

// magics are how compressed files begin; compressing those again only costs
// time. gzip RFC 1952, zstd RFC 8878, xz, bzip2, zip APPNOTE 4.3.7, 7z.
var magics = [...]string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "BZh", "PK\x03\x04", "7z\xbc\xaf\x27\x1c"}

func isCompressed(head []byte) bool {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return false
}
