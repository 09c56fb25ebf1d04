package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// maxSpare is up to how many bytes of a content are held in memory, so that they are read
// once; what is longer is streamed.
const maxSpare = 1 << 20

// item stores an item, with its line in the index.
func (a *archiving) item(at *place, r outlook.Record, s *outlook.FolderState) error {
	name := at.dir + "/" + at.names.item(r.Item, a.p.cfg.Zone)
	line := outlook.Line{Item: r.Item, In: at.Path, Note: r.Note}
	a.did.Items++
	if r.Pending {
		r.Missing = "it was not downloaded"
	}
	if r.Missing != "" {
		s.Missing++
		line.Missing = r.Missing
		if err := a.sink.Note(keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: name, Text: r.Missing}); err != nil {
			return err
		}
		a.job.Report(a.did)
		return a.disk(a.index.add(line))
	}
	s.Kept++
	a.inside.Items[itemKind(r.Kind)]++
	c := &content{a: a, r: r}
	defer c.close()
	if err := c.store(name); err != nil {
		return err
	}
	odd, err := a.parse(at, c)
	if err != nil {
		return a.disk(err)
	}
	line.Path, line.Bytes, line.SHA256 = name, r.Bytes, r.SHA256
	line.Notes = append(line.Notes[:len(line.Notes):len(line.Notes)], odd...)
	if text := remark(line.Note); text != "" {
		if err := a.info(name, text); err != nil {
			return err
		}
	}
	return a.disk(a.index.add(line))
}

// remark is what is said of an item that is not in the archive just as it is in the
// mailbox.
func remark(n outlook.Note) string {
	var all []string
	if n.Rebuilt != "" {
		all = append(all, "it was put together from its parts: "+n.Rebuilt)
	}
	return strings.Join(append(all, n.Notes...), "; ")
}

// itemKind is the kind of an item in the root's words.
func itemKind(k outlook.Kind) keepwatch.ItemKind {
	switch k {
	case outlook.Contacts:
		return keepwatch.ItemContact
	case outlook.Calendar:
		return keepwatch.ItemEvent
	}
	return keepwatch.ItemMail
}

// content is that of an item, as the spool has it. It is an io.ReaderAt for whoever reads
// it more than once.
type content struct {
	a     *archiving
	r     outlook.Record
	short []byte // all of it; nil: it is long
	at    outlook.Reader
	err   error // of reading, which is no fault of the item
}

// store puts it into the archive and compares it with what was downloaded.
func (c *content) store(name string) error {
	src, err := c.a.spool.Open(c.r)
	if err != nil {
		return err
	}
	defer src.Close()
	sum := sha256.New()
	read := &counted{r: io.TeeReader(src, sum)}
	var from io.Reader = read
	if c.r.Bytes <= maxSpare {
		if c.short, err = c.hold(read); err != nil {
			return err
		}
		if err := c.same(read.n, sum.Sum(nil)); err != nil { // before anybody gets it
			return err
		}
		from = bytes.NewReader(c.short)
	}
	date := dateOf(c.r.Item)
	if !writable(date) {
		date = c.a.taken()
	}
	if err := c.a.file(name, date, c.r.Bytes, from); err != nil {
		return err
	}
	if c.short == nil {
		return c.same(read.n, sum.Sum(nil))
	}
	return nil
}

// hold reads a short one whole, into memory that the next one uses again.
func (c *content) hold(r io.Reader) ([]byte, error) {
	if c.a.spare == nil {
		c.a.spare = make([]byte, maxSpare+1)
	}
	n, err := io.ReadFull(r, c.a.spare[:c.r.Bytes+1]) // one more: it may be longer
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && err != nil {
		return nil, err
	}
	return c.a.spare[:n:n], nil
}

// same says whether what was read is what was downloaded.
func (c *content) same(n int64, sum []byte) error {
	if n == c.r.Bytes && hex.EncodeToString(sum) == c.r.SHA256 {
		return nil
	}
	return fmt.Errorf("%w: an item of %d bytes has %d, or its SHA-256 is another one", outlook.ErrLost, c.r.Bytes, n)
}

// ReadAt reads here and there. It keeps its error, which is none of the item.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	if c.err == nil {
		c.err = context.Cause(c.a.ctx)
	}
	if c.err == nil && c.short == nil && c.at == nil {
		c.at, c.err = c.a.spool.OpenAt(c.r)
	}
	if c.err != nil {
		return 0, c.err
	}
	if c.short != nil {
		return bytes.NewReader(c.short).ReadAt(p, off)
	}
	n, err := c.at.ReadAt(p, off)
	if err != nil && err != io.EOF {
		c.err = err
	}
	c.a.job.Report(c.a.did)
	return n, err
}

// reader reads all of it.
func (c *content) reader() io.Reader { return io.NewSectionReader(c, 0, c.r.Bytes) }

func (c *content) close() {
	if c.at != nil {
		_ = c.at.Close() // it was only read
	}
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

// Read reads.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// since is the time of an item in a PST: the one that is there, or that of the item.
func since(there, of time.Time) time.Time {
	if there.IsZero() {
		return of
	}
	return there
}
