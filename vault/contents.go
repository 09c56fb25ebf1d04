package vault

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"keepwatch"
)

// line is one line of the list of contents: an entry, or a note. Where a path
// or a link is not valid UTF-8, which JSON cannot carry, its bytes stand in
// base64 beside the readable form.
type line struct {
	*keepwatch.Entry
	RawPath []byte          `json:"raw_path,omitempty"`
	RawLink []byte          `json:"raw_link,omitempty"`
	Note    *keepwatch.Note `json:"note,omitempty"`
}

// contentsWriter writes the list of contents.
type contentsWriter struct {
	seal *sealer
	buf  *bufio.Writer
	enc  *json.Encoder
}

func newContentsWriter(s *sealer) *contentsWriter {
	b := bufio.NewWriterSize(s, 32<<10)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return &contentsWriter{seal: s, buf: b, enc: enc}
}

func (c *contentsWriter) entry(e keepwatch.Entry) error {
	l := line{Entry: &e}
	if !utf8.ValidString(e.Path) {
		l.RawPath = []byte(e.Path)
	}
	if !utf8.ValidString(e.Link) {
		l.RawLink = []byte(e.Link)
	}
	return c.enc.Encode(l)
}

func (c *contentsWriter) note(n keepwatch.Note) error { return c.enc.Encode(line{Note: &n}) }

func (c *contentsWriter) close() error {
	return errors.Join(c.buf.Flush(), c.seal.close())
}

// contentsReader reads the list of contents.
type contentsReader struct {
	r    *bufio.Reader
	note func(keepwatch.Note) error
	at   int64
}

// maxLine bounds a line of the list: a path is at most a few KiB.
const maxLine = 1 << 20

func newContentsReader(r io.Reader, note func(keepwatch.Note) error) *contentsReader {
	if note == nil {
		note = func(keepwatch.Note) error { return nil }
	}
	return &contentsReader{r: bufio.NewReaderSize(r, 64<<10), note: note}
}

// next gives the next entry, or io.EOF. Notes on the way go to note.
func (c *contentsReader) next() (keepwatch.Entry, error) {
	for {
		data, err := c.read()
		if err != nil {
			return keepwatch.Entry{}, err
		}
		c.at++
		var l line
		dec := json.NewDecoder(bytes.NewReader(data))
		if err := dec.Decode(&l); err != nil {
			return keepwatch.Entry{}, fmt.Errorf("line %d of the list of contents: %w", c.at, err)
		}
		if l.Note != nil {
			if err := c.note(*l.Note); err != nil {
				return keepwatch.Entry{}, err
			}
			continue
		}
		if l.Entry == nil {
			return keepwatch.Entry{}, fmt.Errorf("line %d of the list of contents is neither an entry nor a note", c.at)
		}
		if l.RawPath != nil {
			l.Path = string(l.RawPath)
		}
		if l.RawLink != nil {
			l.Link = string(l.RawLink)
		}
		if err := validEntry(*l.Entry); err != nil {
			return keepwatch.Entry{}, fmt.Errorf("line %d of the list of contents: %w", c.at, err)
		}
		return *l.Entry, nil
	}
}

// read gives one line, without its end.
func (c *contentsReader) read() ([]byte, error) {
	var long []byte
	for {
		part, err := c.r.ReadSlice('\n')
		switch {
		case err == nil && long == nil:
			return part[:len(part)-1], nil
		case err == nil:
			return append(long, part[:len(part)-1]...), nil
		case errors.Is(err, io.EOF) && len(long)+len(part) > 0:
			return nil, fmt.Errorf("the list of contents ends in the middle of line %d", c.at+1)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
		if long = append(long, part...); len(long) > maxLine {
			return nil, fmt.Errorf("line %d of the list of contents is too long", c.at+1)
		}
	}
}
