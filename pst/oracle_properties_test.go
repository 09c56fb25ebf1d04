package pst_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
)

// rawKey is the key under which a reader's values have a property, "" where that reader
// does not resolve names.
func rawKey(p pst.Property, names bool) string {
	switch {
	case !p.IsNamed():
		return tagKey(p.Tag)
	case !names:
		return ""
	case p.Named.Name != "":
		return fmt.Sprintf("%s:%04x", strings.ToLower(p.Named.Name), uint16(p.Named.Type))
	}
	return fmt.Sprintf("%04x%04x", p.Named.LID, uint16(p.Named.Type))
}

// rawValue is a value as it lies in a file, [MS-PST] 2.3.3.4, as the test understands it.
func rawValue(v any) []byte {
	le := binary.LittleEndian
	switch v := v.(type) {
	case string:
		return pst.AppendUTF16(nil, v)
	case []byte:
		return v
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	case int16:
		return le.AppendUint16(nil, uint16(v))
	case int32:
		return le.AppendUint32(nil, uint32(v))
	case int64:
		return le.AppendUint64(nil, uint64(v))
	case float64:
		return le.AppendUint64(nil, math.Float64bits(v))
	case time.Time:
		return le.AppendUint64(nil, pst.Filetime(v))
	case pst.GUID:
		return v[:]
	case []int32:
		return rawList(v, true)
	case []string:
		return rawList(v, false)
	case [][]byte:
		return rawList(v, false)
	}
	panic(fmt.Sprintf("a value of the type %T", v))
}

// rawList is a list: values of one length beside one another, or a count and the
// places where each begins.
func rawList[T any](all []T, flat bool) []byte {
	var heads, data []byte
	if !flat {
		heads = binary.LittleEndian.AppendUint32(nil, uint32(len(all)))
	}
	for _, v := range all {
		if !flat {
			heads = binary.LittleEndian.AppendUint32(heads, uint32(4+4*len(all)+len(data)))
		}
		data = append(data, rawValue(v)...)
	}
	return append(heads, data...)
}

// What the writer computes, or gives the form that Outlook has: those are held against what was
// given elsewhere.
var computed = []pst.Tag{pst.PidTagMessageFlags, pst.PidTagMessageSize, pst.PidTagSubject, pst.PidTagHasAttachments,
	pst.PidTagSubjectPrefix, pst.PidTagNormalizedSubject, pst.PidTagDisplayTo, pst.PidTagDisplayCc, pst.PidTagDisplayBcc}

// sameProperties holds all that an item was given against all that a reader found.
func sameProperties(t testing.TB, reader string, want *keptItem, got rawItem, names bool) {
	t.Helper()
	what := want.Properties.Text(pst.PidTagInternetMessageId)
	for _, p := range want.Properties {
		key := rawKey(p, names)
		if key == "" || !p.IsNamed() && slices.Contains(computed, p.Tag) {
			continue
		}
		value := rawValue(p.Value)
		if found := got.Values[key]; !sameBytes(found, value) {
			t.Errorf("%s: %s: %v %v (%s) is % x, not % x (%v)", reader, what, p.Tag, p.Named, key, cut(found), cut(value), p.Value)
		}
	}
	if len(got.Attachments) != len(want.Attachments) {
		t.Errorf("%s: %s has %d attachments, not %d", reader, what, len(got.Attachments), len(want.Attachments))
		return
	}
	for i, a := range want.Attachments {
		found := got.Attachments[i]
		if a.Item != nil && found.Item != nil {
			sameProperties(t, reader, a.Item, *found.Item, names)
		} else if (a.Item == nil) != (found.Item == nil) || a.Item == nil && (a.Size != found.Size || a.SHA256 != found.SHA256) {
			t.Errorf("%s: attachment %d of %s: %+v, not %+v", reader, i, what, found, a)
		}
	}
}

// sameBytes: a short value may lie in four bytes, and a text may end with a zero.
func sameBytes(found, want []byte) bool {
	if len(found) > len(want) {
		return bytes.HasPrefix(found, want) && len(bytes.Trim(found[len(want):], "\x00")) == 0
	}
	return bytes.Equal(found, want)
}

func cut(b []byte) []byte { return b[:min(len(b), 64)] }

// rawByID are the items of a listing by their Message-ID, which the tests give to contacts
// and events too.
func rawByID(l listing) map[string]rawItem {
	m := map[string]rawItem{}
	for _, it := range l.Items {
		if id := rawText(it.Values, pst.PidTagInternetMessageId); id != "" {
			m[id] = it
		}
	}
	return m
}

// TestRawValue: the encoding of lists, by an example.
func TestRawValue(t *testing.T) {
	if got, want := rawValue([]string{"a", ""}), []byte{2, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 'a', 0}; !bytes.Equal(got, want) {
		t.Errorf("% x", got)
	}
	if got := rawValue([]int32{1, -1}); !bytes.Equal(got, []byte{1, 0, 0, 0, 255, 255, 255, 255}) {
		t.Errorf("% x", got)
	}
}
