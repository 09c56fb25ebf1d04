package reader

import (
	"io"
	"iter"
	"slices"

	"keepwatch/pst"
)

// Message is an item: a mail, a contact, an appointment. It is a [pst.Item].
type Message struct {
	f        *File
	n        node
	name     pst.NID // that a damage names: of the outermost message
	c        *props
	codepage int
	outer    *Message // that it hangs on, of an embedded one
	depth    int
	opened   *int64 // how many messages within embedded ones were opened
}

var _ pst.Item = (*Message)(nil)

// Message opens the item with an id.
func (f *File) Message(n pst.NID) (*Message, error) {
	switch n.Type() {
	case pst.NodeMessage, pst.NodeAssociated:
	default:
		return nil, &Damage{Node: n, Text: "this is not the id of a message"}
	}
	e, err := f.node(n)
	if err != nil {
		return nil, err
	}
	return f.message(e, n, nil)
}

func (f *File) message(e node, name pst.NID, outer *Message) (*Message, error) {
	c, err := f.context(e, name)
	if err != nil {
		return nil, err
	}
	m := &Message{f: f, n: e, name: name, c: c, outer: outer, opened: new(int64)}
	page := f.o.Codepage
	if outer != nil {
		page, m.depth, m.opened = outer.codepage, outer.depth+1, outer.opened
	}
	m.codepage = c.codepage(page)
	return m, nil
}

// Node is its id. That of an embedded message means something only within the
// attachment that it is.
func (m *Message) Node() pst.NID { return m.n.nid }

// Parent is the folder that the node tree has it in; 0 of an embedded message.
func (m *Message) Parent() pst.NID { return m.n.parent }

// Properties are all that it has. Those that can be read come also beside an error,
// which is the first that there was.
func (m *Message) Properties() (pst.Properties, error) { return m.c.properties(m.codepage, nil) }

// Some are those of the properties that have one of the keys: nothing is read of the
// others. A key that it does not have is left out.
func (m *Message) Some(keys ...pst.Key) (pst.Properties, error) {
	return m.c.properties(m.codepage, func(e entry) bool {
		return !slices.ContainsFunc(keys, m.f.property(e.id, e.typ).Is)
	})
}

// Open streams the value of one property as it lies in the file, and says how many
// bytes it has: for a body that is ErrTooLong. Where it has no such property it
// gives pst.ErrNoContent.
func (m *Message) Open(t pst.Tag) (io.Reader, int64, error) {
	e, ok := m.c.find(t.ID())
	if !ok {
		return nil, 0, pst.ErrNoContent
	}
	return m.c.open(e)
}

// Recipients are the rows of the recipient table. There is none at all in some files
// of Outlook, against [MS-PST] 2.4.5.3. A damaged row comes beside its error.
func (m *Message) Recipients() iter.Seq2[pst.Properties, error] {
	return func(yield func(pst.Properties, error) bool) {
		n, ok, err := m.c.h.sub.find(pst.NIDRecipients)
		if err != nil {
			yield(nil, of(m.name, err))
			return
		}
		if !ok {
			return
		}
		t, err := m.f.table(n, m.name)
		if err != nil {
			yield(nil, err)
			return
		}
		goOn := true
		err = t.each(func(_ pst.NID, at int) bool {
			ps, err := t.properties(at, m.codepage, rowless)
			goOn = yield(ps, err) && (err == nil || isDamage(err))
			return goOn
		})
		if err != nil && goOn {
			yield(nil, err)
		}
	}
}

// rowless leaves out the two columns that are those of the table and not of what
// it lists.
func rowless(t pst.Tag) bool { return t != pst.PidTagLtpRowId && t != pst.PidTagLtpRowVer }
