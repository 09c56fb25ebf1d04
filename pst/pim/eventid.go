package pim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"keepwatch/pst"
)

// objectIDHead begins each PidLidGlobalObjectId, [MS-OXOCAL] 2.2.1.27.
var objectIDHead = []byte{0x04, 0, 0, 0, 0x82, 0, 0xE0, 0, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08}

// foreignUID begins the data of one that holds a UID of somebody else ("vCal-Uid"
// and a 1), [MS-OXCICAL] 2.1.3.1.1.20.26.
var foreignUID = []byte("vCal-Uid\x01\x00\x00\x00")

// objectIDs gives PidLidGlobalObjectId and PidLidCleanGlobalObjectId. Both differ
// only of an exception, the first of which has the date that it replaces.
func (e *Event) objectIDs() (id, cleaned []byte) {
	cleaned = e.cleanID()
	id = bytes.Clone(cleaned)
	if !e.Original.IsZero() {
		t := e.Original
		id[16], id[17], id[18], id[19] = byte(t.Year()>>8), byte(t.Year()), byte(t.Month()), byte(t.Day())
	}
	return id, cleaned
}

func (e *Event) cleanID() []byte {
	if b, err := hex.DecodeString(e.UID); err == nil && len(b) >= 40 && bytes.HasPrefix(b, objectIDHead) {
		copy(b[16:20], []byte{0, 0, 0, 0})
		return b
	}
	created := uint64(0)
	var data []byte
	if e.UID != "" {
		data = append(append(bytes.Clone(foreignUID), e.UID...), 0)
	} else { // the same event gets the same id each time
		sum := sha256.Sum256([]byte(e.Subject + "\x00" + e.Start.UTC().Format(time.RFC3339) + e.End.UTC().Format(time.RFC3339) + e.Location))
		data, created = sum[:16], pst.Filetime(e.Created)
	}
	b := append(bytes.Clone(objectIDHead), 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, created)
	b = append(b, make([]byte, 8)...)
	return appendSized(b, data)
}

// uidOf is the UID that an object id stands for, or "".
func uidOf(id []byte) string {
	if len(id) < 40 || !bytes.HasPrefix(id, objectIDHead) {
		if len(id) > 0 && len(id) < 1000 {
			return strings.ToUpper(hex.EncodeToString(id))
		}
		return ""
	}
	if s, ok := bytes.CutPrefix(id[40:], foreignUID); ok {
		s, _, _ = bytes.Cut(s, []byte{0})
		return clean(string(s))
	}
	b := bytes.Clone(id)
	copy(b[16:20], []byte{0, 0, 0, 0})
	return strings.ToUpper(hex.EncodeToString(b))
}
