package writer

import (
	"math"
	"slices"

	"keepwatch/pst"
)

// recipient adds a row to the recipient table.
func (m *message) recipient(p pst.Properties) {
	b := &m.row
	b.reset()
	for i := range p {
		if m.err != nil {
			return
		}
		m.err = m.file.set(b, &p[i])
	}
	if m.err != nil {
		return
	}
	completeRecipient(b, p)
	b.sorted()
	lay := m.w.lay.recipients
	m.recips.add(uint32(len(m.recips.ends)+1), b, func(v *value) bool {
		if !lay.has(v.tag()) {
			m.recips.extra = true
		}
		return true
	})
	m.size += b.total()
}

func completeRecipient(b *bag, p pst.Properties) {
	for _, d := range []struct {
		tag pst.Tag
		num uint64
	}{{pst.PidTagRecipientType, pst.RecipientTo}, {pst.PidTagObjectType, 6}, {pst.PidTagDisplayType, 0}} {
		if !b.has(d.tag) {
			b.number(d.tag, d.num)
		}
	}
	address := p.Text(pst.PidTagEmailAddress)
	if address == "" {
		address = p.Text(pst.PidTagSmtpAddress)
	}
	name := p.Text(pst.PidTagDisplayName)
	if name == "" {
		name = address
		b.text(pst.PidTagDisplayName, name)
	}
	if address == "" {
		return
	}
	kind := p.Text(pst.PidTagAddressType)
	if kind == "" {
		kind = "SMTP"
		b.text(pst.PidTagAddressType, kind)
	}
	if !b.has(pst.PidTagEmailAddress) {
		b.text(pst.PidTagEmailAddress, address)
	}
	if !b.has(pst.PidTagSearchKey) {
		b.data(pst.PidTagSearchKey, pst.SearchKey(kind, address))
	}
	if !b.has(pst.PidTagEntryId) {
		b.data(pst.PidTagEntryId, pst.OneOff(name, kind, address))
	}
}

// has tells whether a table has a column.
func (l *layout) has(t pst.Tag) bool {
	_, ok := slices.BinarySearchFunc(l.columns, t, func(c column, t pst.Tag) int { return int(int64(c.tag) - int64(t)) })
	return ok
}

// writeRecipients writes the recipient table, which every message has, 2.4.5.3:
// the strictest readers refuse one without. It has the columns of the template and
// behind them those that these recipients have besides.
func (m *message) writeRecipients() error {
	w, lay := m.w, m.w.lay.recipients
	if m.recips.extra {
		var extra []pst.Tag
		for i := range m.recips.vals {
			t := m.recips.vals[i].tag()
			if at, there := slices.BinarySearch(extra, t); !there && !lay.has(t) {
				extra = slices.Insert(extra, at, t)
			}
		}
		if !slices.Equal(extra, w.extra) || w.extraLayout == nil {
			made, err := newLayout(slices.Concat(recipientColumns, extra))
			if err != nil {
				return err
			}
			w.extra, w.extraLayout = extra, made
		}
		lay = w.extraLayout
	}
	return m.writeRows(&m.recips, lay, pst.NIDRecipients)
}

// display sets the lists of the names of recipients, as far as they are not given.
func (m *message) display() {
	if len(m.recips.ends) == 0 {
		return
	}
	for _, d := range []struct {
		kind uint64
		tag  pst.Tag
	}{{pst.RecipientTo, pst.PidTagDisplayTo}, {pst.RecipientCc, pst.PidTagDisplayCc}, {pst.RecipientBcc, pst.PidTagDisplayBcc}} {
		if m.bag.has(d.tag) {
			continue
		}
		at := len(m.bag.arena)
		for i := range m.recips.ends {
			vals := m.recips.of(i)
			kind, name := findIn(vals, pst.PidTagRecipientType), findIn(vals, pst.PidTagDisplayName)
			if kind == nil || kind.num != d.kind || name == nil || name.typ != pst.String {
				continue
			}
			if len(m.bag.arena) > at {
				m.bag.arena = append(m.bag.arena, ';', 0, ' ', 0)
			}
			m.bag.arena = append(m.bag.arena, m.recips.bytes(name)...)
		}
		n := min(len(m.bag.arena)-at, math.MaxInt32)
		m.bag.put(value{id: d.tag.ID(), typ: pst.String, at: at, n: uint32(n)})
	}
}

func findIn(vals []value, t pst.Tag) *value {
	for i := range vals {
		if vals[i].id == t.ID() {
			return &vals[i]
		}
	}
	return nil
}
