package graphtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// What an id is of.
const (
	kindMessage    = 'm'
	kindContact    = 'c'
	kindEvent      = 'e'
	kindFolder     = 'f'
	kindOccurrence = 'o'
	kindAttachment = 'a'
)

// The prefixes that Outlook's ids have: those that change with a move, those that do
// not, and those of folders.
const (
	prefixMutable   = "AAMk"
	prefixImmutable = "AAkA"
	prefixFolder    = "AQMk"
)

// name is what an id says. Serials are put on the borders of base64's letters and nothing
// hashes them, so that ids differ by the case of one letter as Outlook's do.
type name struct {
	prefix string
	kind   byte
	serial uint32
	moves  uint16 // 0 in an immutable id
	part   uint32 // an attachment's number, an occurrence's day
}

// spell writes an id of the mailbox.
func (b *Mailbox) spell(n name) string {
	raw := append(make([]byte, 0, 60), b.salt...)
	raw = append(raw, n.kind)
	raw = binary.BigEndian.AppendUint16(raw, n.moves)
	raw = binary.BigEndian.AppendUint32(raw, n.part)
	raw = append(raw, 0)
	raw = binary.BigEndian.AppendUint32(raw, n.serial)
	raw = append(raw, 0) // the trailing "A" and "=" or none, as the length has it
	return n.prefix + base64.URLEncoding.EncodeToString(raw)
}

// read reads an id of the mailbox. An id in another case is another one.
func (b *Mailbox) read(id string) (name, bool) {
	if len(id) < 4 {
		return name{}, false
	}
	raw, err := base64.URLEncoding.DecodeString(id[4:])
	at := len(b.salt)
	if err != nil || len(raw) != at+13 || !bytes.Equal(raw[:at], b.salt) {
		return name{}, false
	}
	n := name{
		prefix: id[:4], kind: raw[at], moves: binary.BigEndian.Uint16(raw[at+1:]),
		part: binary.BigEndian.Uint32(raw[at+3:]), serial: binary.BigEndian.Uint32(raw[at+8:]),
	}
	return n, b.spell(n) == id
}

// salt is what all ids of a mailbox have in them.
func salt(user string) []byte {
	h := sha256.Sum256([]byte("mailbox of " + user))
	return append(h[:], h[:10]...)
}

// id is how an item is called now.
func (i *Item) id(immutable bool) string { return i.idAfter(i.moves, immutable) }

func (i *Item) idAfter(moves uint16, immutable bool) string {
	if immutable {
		return i.box.spell(name{prefix: prefixImmutable, kind: i.kind, serial: i.serial})
	}
	return i.box.spell(name{prefix: prefixMutable, kind: i.kind, serial: i.serial, moves: moves + 1})
}

func (i *Item) attachmentID(number int, immutable bool) string {
	n := name{prefix: prefixImmutable, kind: kindAttachment, serial: i.serial, part: uint32(number)}
	if !immutable {
		n.prefix, n.moves = prefixMutable, i.moves+1
	}
	return i.box.spell(n)
}

// find gives the item that an id is of, whichever kind of id it is. An id from before a
// move is nobody's.
func (b *Mailbox) find(id string) *Item {
	n, ok := b.read(id)
	if !ok || int(n.serial) >= len(b.items) {
		return nil
	}
	i := b.items[n.serial]
	if i.gone || i.kind != n.kind || i.id(n.prefix == prefixImmutable) != id {
		return nil
	}
	return i
}

// id is how a folder is called, always.
func (f *Folder) id() string {
	return f.box.spell(name{prefix: prefixFolder, kind: kindFolder, serial: f.serial})
}
