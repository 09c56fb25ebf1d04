package mailbox

import (
	"errors"
	"io"
	"iter"
	"strings"

	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// salvaged is an item of which everything comes that can be read: what is damaged is
// told to lost and left out, so that a mail with one bad attachment is not lost whole.
type salvaged struct {
	pst.Item
	lost func(what string, err error)
}

// tolerable reports whether an error is of one part of an item alone, and not of the
// disk below the file.
func tolerable(err error) bool {
	_, damaged := errors.AsType[*reader.Damage](err)
	return damaged || errors.Is(err, reader.ErrTooLong)
}

// Properties satisfies pst.Item.
func (s salvaged) Properties() (pst.Properties, error) {
	ps, err := s.Item.Properties()
	if len(ps) > 0 && tolerable(err) {
		s.lost("some of its fields", err)
		err = nil
	}
	return ps, err
}

// Recipients satisfies pst.Item.
func (s salvaged) Recipients() iter.Seq2[pst.Properties, error] {
	return func(yield func(pst.Properties, error) bool) {
		for ps, err := range s.Item.Recipients() {
			if tolerable(err) {
				s.lost("a recipient", err)
				if len(ps) == 0 {
					continue
				}
				err = nil
			}
			if !yield(ps, err) {
				return
			}
		}
	}
}

// Attachments satisfies pst.Item.
func (s salvaged) Attachments() iter.Seq2[pst.Attachment, error] {
	return func(yield func(pst.Attachment, error) bool) {
		for a, err := range s.Item.Attachments() {
			if tolerable(err) {
				s.lost("an attachment", err)
				if a == nil {
					continue
				}
				err = nil
			}
			if err == nil {
				a = salvagedAttachment{a, s.lost}
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// salvagedAttachment is an attachment likewise.
type salvagedAttachment struct {
	pst.Attachment
	lost func(what string, err error)
}

func (a salvagedAttachment) Properties() (pst.Properties, error) {
	ps, err := a.Attachment.Properties()
	if len(ps) > 0 && tolerable(err) {
		a.lost("some fields of an attachment", err)
		err = nil
	}
	return ps, err
}

// Open streams what can be read of it. One of which nothing can is empty, so that its
// name is still there.
func (a salvagedAttachment) Open() (io.Reader, int64, error) {
	r, n, err := a.Attachment.Open()
	if tolerable(err) {
		a.lost("the content of an attachment", err)
		return strings.NewReader(""), 0, nil
	}
	if err != nil {
		return r, n, err
	}
	return &salvagedContent{r, a.lost}, n, nil
}

func (a salvagedAttachment) Message() (pst.Item, error) {
	it, err := a.Attachment.Message()
	if tolerable(err) {
		a.lost("a message that is attached", err)
		return nil, pst.ErrNoContent
	}
	if err != nil {
		return nil, err
	}
	return salvaged{it, a.lost}, nil
}

// salvagedContent ends where what it reads is damaged.
type salvagedContent struct {
	r    io.Reader
	lost func(what string, err error)
}

func (c *salvagedContent) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if tolerable(err) {
		c.lost("the rest of an attachment", err)
		err = io.EOF
	}
	return n, err
}
