package mail_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// message records what a Sink is given, and is an Item of it.
type message struct {
	props      pst.Properties
	recipients []pst.Properties
	files      []*file
	embedFails error
}

type file struct {
	props   pst.Properties
	content []byte
	message *message
	nothing bool
}

func (m *message) Set(list ...pst.Property) {
	for _, p := range list {
		check(p)
		var k pst.Key = p.Tag
		if p.IsNamed() {
			k = p.Named
		}
		m.props.Set(k, p.Value)
	}
}

// check panics over a value that the writer would refuse.
func check(p pst.Property) {
	ok := true
	switch p.Tag.Type() {
	case pst.String:
		var s string
		s, ok = p.Value.(string)
		ok = ok && valid(s)
	case pst.Strings:
		var l []string
		l, ok = p.Value.([]string)
		ok = ok && !slices.ContainsFunc(l, func(s string) bool { return !valid(s) })
	case pst.Integer32:
		_, ok = p.Value.(int32)
	case pst.Boolean:
		_, ok = p.Value.(bool)
	case pst.Binary:
		_, ok = p.Value.([]byte)
	case pst.Time:
		var t time.Time
		t, ok = p.Value.(time.Time)
		ok = ok && t.Location() == time.UTC && t.Year() > 1600
	default:
		ok = false
	}
	if !ok {
		panic(fmt.Sprintf("%v %v has the value %T %.100q", p.Tag, p.Named, p.Value, fmt.Sprint(p.Value)))
	}
}

func valid(s string) bool {
	return bytes.IndexByte([]byte(s), 0) < 0 && string([]rune(s)) == s
}

func (m *message) Recipient(p pst.Properties) {
	for _, x := range p {
		check(x)
	}
	m.recipients = append(m.recipients, p)
}

func (m *message) Attach(p pst.Properties, content io.Reader) error {
	for _, x := range p {
		check(x)
	}
	f := &file{props: p, nothing: content == nil}
	if content != nil {
		var err error
		if f.content, err = io.ReadAll(content); err != nil {
			return err
		}
	}
	m.files = append(m.files, f)
	return nil
}

func (m *message) Embed(p pst.Properties, fill func(pst.Sink) error) error {
	f := &file{props: p, message: &message{}}
	if m.embedFails != nil {
		return m.embedFails
	}
	if err := fill(f.message); err != nil {
		return err
	}
	m.files = append(m.files, f)
	return nil
}

func (m *message) Properties() (pst.Properties, error) { return m.props, nil }

func (m *message) Recipients() iter.Seq2[pst.Properties, error] {
	return func(yield func(pst.Properties, error) bool) {
		for _, r := range m.recipients {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *message) Attachments() iter.Seq2[pst.Attachment, error] {
	return func(yield func(pst.Attachment, error) bool) {
		for _, f := range m.files {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (f *file) Properties() (pst.Properties, error) { return f.props, nil }

func (f *file) Open() (io.Reader, int64, error) {
	if f.message != nil || f.nothing {
		return nil, 0, pst.ErrNoContent
	}
	return bytes.NewReader(f.content), int64(len(f.content)), nil
}

func (f *file) Message() (pst.Item, error) {
	if f.message == nil {
		return nil, pst.ErrNoContent
	}
	return f.message, nil
}

func (f *file) name() string { return f.props.Text(pst.PidTagAttachLongFilename) }

// take imports a mail from bytes.
func take(data []byte, o mail.Options) (*message, mail.Result, error) {
	m := &message{}
	res, err := mail.Import(m, bytes.NewReader(data), int64(len(data)), o)
	return m, res, err
}

func (m *message) text(k pst.Key) string { return m.props.Text(k) }

// html is the HTML body.
func (m *message) html() []byte { return m.props.Bytes(pst.PidTagHtml) }

func (m *message) people(kind int64) []string {
	var all []string
	for _, r := range m.recipients {
		if r.Int(pst.PidTagRecipientType) == kind {
			all = append(all, r.Text(pst.PidTagDisplayName)+" <"+r.Text(pst.PidTagEmailAddress)+">")
		}
	}
	return all
}
