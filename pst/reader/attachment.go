package reader

import (
	"io"
	"iter"

	"keepwatch/pst"
)

// Bounds of messages in messages: how deep they are followed, and how many are
// opened below an embedded one, for each 128 bytes of the file (a message has two
// blocks of 64 bytes at least) and a few more.
const (
	maxNested  = 32
	nestedSize = 128
	nestedMore = 1000
)

// Attachment is what hangs on a message. It is a [pst.Attachment].
type Attachment struct {
	m *Message
	n node
	c *props
}

var _ pst.Attachment = (*Attachment)(nil)

// Attachments come in the order of the attachment table; where there is none, or
// it is damaged (which is told first), as the subnodes of the message have them. A
// damaged one comes as nil with its error, and does not stop the next.
func (m *Message) Attachments() iter.Seq2[pst.Attachment, error] {
	return func(yield func(pst.Attachment, error) bool) {
		sub := m.c.h.sub
		goOn := true
		one := func(n node) bool {
			a, err := m.attachment(n)
			if err != nil {
				goOn = yield(nil, err) && isDamage(err)
			} else {
				goOn = yield(a, nil)
			}
			return goOn
		}
		table, ok, err := sub.find(pst.NIDAttachments)
		last := int64(-1)
		if err == nil && ok {
			last, err = m.listedAttachments(table, one, func(err error) bool {
				goOn = yield(nil, err) && isDamage(err)
				return goOn
			})
		}
		if !goOn || ok && err == nil {
			return
		}
		if err != nil && (!yield(nil, of(m.name, err)) || !isDamage(err)) {
			return
		}
		sub.each(func(n node, err error) bool {
			if err != nil {
				yield(nil, of(m.name, err))
				return false
			}
			return int64(n.nid) <= last || n.nid.Type() != pst.NodeAttachment || one(n)
		})
	}
}

func (m *Message) listedAttachments(n node, one func(node) bool, wrong func(error) bool) (last int64, err error) {
	last = -1
	t, err := m.f.table(n, m.name)
	if err != nil {
		return last, err
	}
	return last, t.each(func(id pst.NID, _ int) bool {
		last = int64(id)
		a, ok, err := m.c.h.sub.find(id)
		if err == nil && !ok {
			err = m.c.h.t.bad("the attachment table has %v, and the message does not", id)
		}
		if err != nil {
			return wrong(of(m.name, err))
		}
		return one(a)
	})
}

func (m *Message) attachment(n node) (*Attachment, error) {
	c, err := m.f.context(n, m.name)
	if err != nil {
		return nil, err
	}
	return &Attachment{m: m, n: n, c: c}, nil
}

// content tells the property that Open and Message give.
func content(e entry) bool { return e.id == pst.PidTagAttachDataBinary.ID() }

// Properties are all but the content. Those that can be read come also beside an
// error, which is the first that there was.
func (a *Attachment) Properties() (pst.Properties, error) {
	return a.c.properties(a.m.codepage, content)
}

// Open streams the content.
func (a *Attachment) Open() (io.Reader, int64, error) {
	e, ok := a.c.find(pst.PidTagAttachDataBinary.ID())
	if !ok || a.embedded() {
		return nil, 0, pst.ErrNoContent
	}
	if e.typ != pst.Object {
		return a.c.open(e)
	}
	// An OLE object lies in a subnode of its own.
	n, err := a.object(e)
	if err != nil {
		return nil, 0, err
	}
	t, err := a.m.f.tree(n.data)
	if err != nil {
		return nil, 0, a.c.wrong(e, err)
	}
	return &named{t.reader(), a.c, e}, t.size, nil
}

// embedded tells whether the content is a message: an object that is no OLE object.
// It need not say so, and what says so may be bytes all the same.
func (a *Attachment) embedded() bool {
	e, ok := a.c.find(pst.PidTagAttachDataObject.ID())
	return ok && e.typ == pst.Object && a.c.number(pst.PidTagAttachMethod) != pst.AttachOLE
}

// object finds the subnode that an Object property names.
func (a *Attachment) object(e entry) (node, error) {
	b, err := a.c.raw(e, a.m.f.o.MaxValue)
	if err != nil {
		return node{}, a.c.wrong(e, err)
	}
	v, err := decode(pst.Object, b, 0)
	if err != nil {
		return node{}, a.c.wrong(e, err)
	}
	r := v.(pst.Ref)
	n, ok, err := a.c.h.sub.find(r.Node)
	if err == nil && !ok {
		err = a.c.h.t.bad("the attachment has no subnode %v", r.Node)
	}
	if err != nil {
		return node{}, a.c.wrong(e, err)
	}
	return n, nil
}

// Message opens an embedded message.
func (a *Attachment) Message() (pst.Item, error) {
	m, err := a.Embedded()
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Embedded is Message with its own type.
func (a *Attachment) Embedded() (*Message, error) {
	e, ok := a.c.find(pst.PidTagAttachDataObject.ID())
	if !ok || !a.embedded() {
		return nil, pst.ErrNoContent
	}
	n, err := a.object(e)
	if err != nil {
		return nil, err
	}
	for m := a.m; m != nil; m = m.outer {
		if m.n.data == n.data {
			return nil, a.c.wrong(e, a.c.h.t.bad("the message contains itself"))
		}
	}
	if a.m.outer != nil {
		*a.m.opened++
	}
	if a.m.depth >= maxNested || *a.m.opened > a.m.f.size/nestedSize+nestedMore {
		return nil, a.c.wrong(e, a.c.h.t.bad("more messages lie in one another than in any real file"))
	}
	return a.m.f.message(n, a.m.name, a.m)
}

// Node is its id, which means something only within its message.
func (a *Attachment) Node() pst.NID { return a.n.nid }
