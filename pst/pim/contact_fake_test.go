package pim

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
)

// A heldItem is a message that is held in memory: a Sink that takes it, and an Item that
// gives it back, as a file would.
type heldItem struct {
	props      pst.Properties
	recipients []pst.Properties
	attached   []*heldAttachment
	faults     []string // values of another type than their property has
}

type heldAttachment struct {
	props   pst.Properties
	content []byte
	message *heldItem
}

func (h *heldItem) Set(ps ...pst.Property) {
	for _, p := range ps {
		t := p.Tag.Type()
		if p.IsNamed() {
			t = p.Named.Type
			h.props.Set(p.Named, p.Value)
		} else {
			h.props.Set(p.Tag, p.Value)
		}
		if !fits(t, p.Value) {
			h.faults = append(h.faults, fmt.Sprintf("%v %v: a value of the type %T", p.Tag, p.Named, p.Value))
		}
	}
}

// fits tells whether a value is of the Go type of a property's type, and what a file
// can hold.
func fits(t pst.Type, v any) bool {
	switch v := v.(type) {
	case string:
		return t == pst.String && v != "" && !strings.Contains(v, "\x00") && strings.ToValidUTF8(v, "") == v
	case []string:
		return t == pst.Strings && len(v) > 0
	case int16:
		return t == pst.Integer16
	case int32:
		return t == pst.Integer32
	case []int32:
		return t == pst.Integer32s
	case float64:
		return t == pst.Float64
	case bool:
		return t == pst.Boolean
	case []byte:
		return t == pst.Binary
	case [][]byte:
		return t == pst.Binaries
	case time.Time:
		return t == pst.Time && v.Equal(pst.FromFiletime(pst.Filetime(v)))
	}
	return false
}

func (h *heldItem) Recipient(p pst.Properties) { h.recipients = append(h.recipients, p) }

func (h *heldItem) Attach(p pst.Properties, content io.Reader) error {
	var b []byte
	var err error
	if content != nil { // a link has none
		b, err = io.ReadAll(content)
	}
	h.attached = append(h.attached, &heldAttachment{props: p, content: b})
	return err
}

func (h *heldItem) Embed(p pst.Properties, fill func(pst.Sink) error) error {
	m := &heldItem{}
	h.attached = append(h.attached, &heldAttachment{props: p, message: m})
	return fill(m)
}

func (h *heldItem) Properties() (pst.Properties, error) { return h.props, nil }

func (h *heldItem) Recipients() iter.Seq2[pst.Properties, error] {
	return func(yield func(pst.Properties, error) bool) {
		for _, r := range h.recipients {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (h *heldItem) Attachments() iter.Seq2[pst.Attachment, error] {
	return func(yield func(pst.Attachment, error) bool) {
		for _, a := range h.attached {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func (a *heldAttachment) Properties() (pst.Properties, error) { return a.props, nil }

func (a *heldAttachment) Open() (io.Reader, int64, error) {
	if a.message != nil {
		return nil, 0, pst.ErrNoContent
	}
	return bytes.NewReader(a.content), int64(len(a.content)), nil
}

func (a *heldAttachment) Message() (pst.Item, error) {
	if a.message == nil {
		return nil, pst.ErrNoContent
	}
	return a.message, nil
}

// hold writes something into an item, whose values must be of their types.
func hold(t testing.TB, write func(pst.Sink) error) *heldItem {
	t.Helper()
	h := &heldItem{}
	if err := write(h); err != nil {
		t.Fatal(err)
	}
	for _, f := range h.faults {
		t.Error(f)
	}
	return h
}
