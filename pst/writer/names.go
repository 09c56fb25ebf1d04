package writer

import (
	"encoding/binary"
	"fmt"
	"strings"

	"keepwatch/pst"
)

// Of the name-to-id map, 2.4.7.
const (
	nameBuckets = 251    // PidTagNameidBucketCount
	firstName   = 0x8000 // the id of the first named property
	maxNames    = 0x1000 // ids go up to 0x8FFF, 2.4.1.2
	guidMapi    = 1      // wGuid of PS_MAPI
	guidPublic  = 2      // wGuid of PS_PUBLIC_STRINGS
	firstGUID   = 3      // wGuid of the first GUID of the GUID stream
)

var errNamesFull = fmt.Errorf("a file holds %d of them", maxNames)

// names is the name-to-id map of one volume.
type names struct {
	ids    map[pst.Named]uint16 // without the type; texts in lower case
	list   []nameEntry
	guids  []pst.GUID
	guidOf map[pst.GUID]uint16
	size   int64 // bytes that they take in the file, or a little more
}

// nameEntry is a name with the spelling in which it came first.
type nameEntry struct {
	key  pst.Named
	name string
	guid uint16 // wGuid
}

// size is how many bytes the name takes: a NAMEID in the list and one in a bucket, a
// GUID, and the text in UTF-16.
func (e *nameEntry) size() int64 { return 40 + 2*int64(len(e.name)) }

// newNames makes the map of a new volume. It begins with two properties that most
// items have, so that no stream of it is ever empty: readers trip over streams of
// length 0.
func newNames() (*names, error) {
	n := &names{
		ids:    map[pst.Named]uint16{},
		guidOf: map[pst.GUID]uint16{{}: 0, pst.PSMapi: guidMapi, pst.PSPublicStrings: guidPublic},
	}
	for _, k := range []pst.Named{pst.PidLidSideEffects, pst.PidNameKeywords} {
		if _, err := n.id(k); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// id gives the id that a named property has in this file, and a new one to a name
// that was not there yet. Two spellings of a text are one name: Outlook takes a
// file with both for damaged.
func (n *names) id(name pst.Named) (uint16, error) {
	name.Type = 0
	if id, ok := n.ids[name]; ok {
		return id, nil
	}
	key := name
	if name.Name != "" {
		key.LID = 0
		// As appendText writes it, so that no two are the same in the file.
		key.Name = strings.ReplaceAll(strings.ToLower(name.Name), "\x00", "\uFFFD")
		if id, ok := n.ids[key]; ok {
			return id, nil
		}
	}
	if len(n.list) == maxNames {
		return 0, fmt.Errorf("the named property %v has no place: %w", name, errNamesFull)
	}
	guid, ok := n.guidOf[name.Set]
	if !ok {
		guid = firstGUID + uint16(len(n.guids))
		n.guids = append(n.guids, name.Set)
		n.guidOf[name.Set] = guid
	}
	spelling := name.Name
	if name.Set == pst.PSInternetHeaders {
		spelling = key.Name // as Outlook has those of headers
	}
	id := uint16(firstName + len(n.list))
	n.ids[key] = id
	n.list = append(n.list, nameEntry{key, spelling, guid})
	n.size += n.list[len(n.list)-1].size()
	return id, nil
}

// cut forgets the names and property sets from the given numbers on: the message
// that needed them was taken back.
func (n *names) cut(count, guids int) {
	for _, e := range n.list[count:] {
		n.size -= e.size()
		delete(n.ids, e.key)
	}
	for _, g := range n.guids[guids:] {
		delete(n.guidOf, g)
	}
	n.list, n.guids = n.list[:count], n.guids[:guids]
}

// bag makes the properties of the node NID_NAME_TO_ID_MAP.
func (n *names) bag() *bag {
	var guids, entries, texts []byte
	for _, g := range n.guids {
		guids = append(guids, g[:]...)
	}
	buckets := make([][]byte, nameBuckets)
	for i, e := range n.list {
		where, hash, kind := e.key.LID, e.key.LID, e.guid<<1
		if e.name != "" {
			kind |= 1
			text := appendText(nil, e.name)
			where, hash = uint32(len(texts)), pst.Checksum(text)
			texts = binary.LittleEndian.AppendUint32(texts, uint32(len(text)))
			texts = append(texts, text...)
			for len(texts)%4 != 0 {
				texts = append(texts, 0)
			}
		}
		entries = appendName(entries, where, kind, i)
		b := &buckets[(hash^uint32(kind))%nameBuckets]
		*b = appendName(*b, hash, kind, i)
	}
	var b bag
	b.number(pst.PidTagNameidBucketCount, nameBuckets)
	b.data(pst.PidTagNameidStreamGuid, guids)
	b.data(pst.PidTagNameidStreamEntry, entries)
	b.data(pst.PidTagNameidStreamString, texts)
	for i, p := range buckets {
		if len(p) > 0 {
			b.data(pst.NewTag(pst.PidTagNameidBucketBase.ID()+uint16(i), pst.Binary), p)
		}
	}
	return &b
}

// appendName appends a NAMEID, 2.4.7.1.
func appendName(b []byte, what uint32, kind uint16, index int) []byte {
	b = binary.LittleEndian.AppendUint32(b, what)
	b = binary.LittleEndian.AppendUint16(b, kind)
	return binary.LittleEndian.AppendUint16(b, uint16(index))
}
