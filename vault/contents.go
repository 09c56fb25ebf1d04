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

// Forms in which a file lies in the archive.
const (
	formTree  = ""      // in the tree
	formZstd  = "zstd"  // on its own, compressed
	formPlain = "plain" // on its own, as it came
)

// listed is an entry of the list of contents, and how it lies in the archive.
type listed struct {
	keepwatch.Entry
	form string
	at   int64 // of one in the tree: where in the plain tar its first header begins; nowhere: it is not told
}

// nowhere is the place of what lies on its own, and of all that older versions listed.
const nowhere = -1

// line is one line of the list of contents, as the package comment describes it.
type line struct {
	*keepwatch.Entry
	RawPath []byte          `json:"raw_path,omitempty"`
	RawLink []byte          `json:"raw_link,omitempty"`
	Form    string          `json:"form,omitempty"`
	At      *int64          `json:"at,omitempty"`
	Note    *keepwatch.Note `json:"note,omitempty"`

	Top *keepwatch.Entry `json:"top,omitempty"` // the folder that the tree is of
}

// topPath is the path of the top folder.
const topPath = "."

// raw gives the bytes of a text that JSON cannot carry, and nil for others.
func raw(text string) []byte {
	if utf8.ValidString(text) {
		return nil
	}
	return []byte(text)
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

func (c *contentsWriter) entry(e listed) error {
	l := line{Entry: &e.Entry, RawPath: raw(e.Path), RawLink: raw(e.Link), Form: e.form}
	if e.at != nowhere {
		l.At = &e.at
	}
	return c.enc.Encode(l)
}

func (c *contentsWriter) note(n keepwatch.Note) error {
	return c.enc.Encode(line{Note: &n, RawPath: raw(n.Path)})
}

func (c *contentsWriter) top(e keepwatch.Entry) error { return c.enc.Encode(line{Top: &e}) }

func (c *contentsWriter) close() error {
	return errors.Join(c.buf.Flush(), c.seal.close())
}

// contentsReader reads the list of contents.
type contentsReader struct {
	r    *bufio.Reader
	note func(keepwatch.Note) error
	at   int64
	only []byte            // lines that this is not in are passed over unread; nil: none are
	pass func(string) bool // asked for each path that is seen at once, whether its line is passed over too; nil: none is
	top  *keepwatch.Entry  // the top folder, once it was met; nil: not told of
	// refused is the error of note that ended the reading, so that it is not
	// taken for damage.
	refused error
}

// maxLine bounds a line of the list: a path is a few KiB at the most.
const maxLine = 1 << 20

func newContentsReader(r io.Reader, note func(keepwatch.Note) error) *contentsReader {
	if note == nil {
		note = func(keepwatch.Note) error { return nil }
	}
	return &contentsReader{r: bufio.NewReaderSize(r, 64<<10), note: note}
}

// next gives the next entry, or io.EOF. Notes on the way go to note.
func (c *contentsReader) next() (listed, error) {
	for {
		data, err := c.read()
		if err != nil {
			return listed{}, err
		}
		c.at++
		if c.only != nil && !bytes.Contains(data, c.only) {
			continue
		}
		if path := pathOf(data); c.pass != nil && path != nil && c.pass(string(path)) {
			continue
		}
		e, note, top, err := decodeLine(data)
		if err != nil {
			return listed{}, fmt.Errorf("line %d of the list of contents: %w", c.at, err)
		}
		if top != nil {
			c.top = top
			continue
		}
		if note == nil {
			return e, nil
		}
		if c.refused = c.note(*note); c.refused != nil {
			return listed{}, c.refused
		}
	}
}

// pathOf gives the path in a line of the list as it is written here, where that can be
// seen without decoding the line, which costs many times as much; else nil.
func pathOf(data []byte) []byte {
	rest, ok := bytes.CutPrefix(data, []byte(`{"path":"`))
	path, _, end := bytes.Cut(rest, []byte(`"`))
	if !ok || !end || bytes.IndexByte(path, '\\') >= 0 || bytes.Contains(data, []byte(`"raw_path":`)) {
		return nil
	}
	return path
}

// decodeLine reads one line: an entry, a note, or the top folder.
func decodeLine(data []byte) (listed, *keepwatch.Note, *keepwatch.Entry, error) {
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		return listed{}, nil, nil, err
	}
	switch {
	case l.Top != nil && (l.Top.Path != topPath || l.Top.Type != keepwatch.EntryFolder || l.Top.Size != 0):
		return listed{}, nil, nil, fmt.Errorf("the top folder is %q, a %s", l.Top.Path, l.Top.Type)
	case l.Top != nil:
		return listed{}, nil, l.Top, nil
	case l.Note != nil:
		if l.RawPath != nil {
			l.Note.Path = string(l.RawPath)
			if l.Note.Mailbox != nil {
				l.Note.Mailbox.Path = l.Note.Path
			}
		}
		return listed{}, l.Note, nil, nil
	case l.Entry == nil:
		return listed{}, nil, nil, errors.New("it is neither an entry nor a note")
	}
	e := listed{*l.Entry, l.Form, nowhere}
	if l.At != nil && *l.At >= 0 && e.form == formTree { // a place that cannot be is none
		e.at = *l.At
	}
	if l.RawPath != nil {
		e.Path = string(l.RawPath)
	}
	if l.RawLink != nil {
		e.Link = string(l.RawLink)
	}
	if e.form != formTree && e.form != formZstd && e.form != formPlain || e.form != formTree && e.Type != keepwatch.EntryFile {
		return listed{}, nil, nil, fmt.Errorf("%q has the form %q", e.Path, e.form)
	}
	return e, nil, nil, validEntry(e.Entry)
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
