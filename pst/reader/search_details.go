package reader

import (
	"strings"

	"keepwatch/pst"
)

// details looks through the other texts of an item. Those of a mail are its header block
// and names of programs, in which nobody looks for a word, but for its categories and its id.
func (r *search) details(m *Message) (bool, error) {
	class := ""
	if e, ok := m.c.find(pst.PidTagMessageClass.ID()); ok && (e.typ == pst.String || e.typ == pst.String8) {
		p, err := m.c.value(e, m.codepage)
		if class, _ = p.Value.(string); err != nil {
			return false, err
		}
	}
	var first error
	for _, e := range m.c.entries {
		switch e.typ {
		case pst.String, pst.String8, pst.Strings, pst.String8s:
		default:
			continue
		}
		if e.id == pst.PidTagBody.ID() || KindOf(class) == Mail && e.id != pst.PidTagInternetMessageId.ID() && !r.f.isKeywords(e.id) {
			continue
		}
		text, err := r.texts(m, e)
		if err != nil && first == nil {
			first = err
		}
		if text != "" && r.in(text) {
			return true, first
		}
	}
	return false, first
}

// isKeywords tells the id that the file has for categories.
func (f *File) isKeywords(id uint16) bool {
	n, ok := f.namesOf()[id]
	return ok && n.Set == pst.PSPublicStrings && strings.EqualFold(n.Name, "Keywords")
}

// texts is a text, or all of a list, one a line.
func (r *search) texts(m *Message, e entry) (string, error) {
	n, err := m.c.length(e)
	if err != nil {
		return "", err
	}
	if r.b.values -= n; r.b.values < 0 {
		return "", m.c.wrong(e, errValues)
	}
	p, err := m.c.value(e, m.codepage)
	switch v := p.Value.(type) {
	case string:
		return v, err
	case []string:
		return strings.Join(v, "\n"), err
	}
	return "", err
}
