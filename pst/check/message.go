package check

import (
	"fmt"

	"keepwatch/pst"
)

// deepest is how many messages may lie within one another. Outlook opens no more than a few.
const deepest = 50

// message checks a message, [MS-PST] 2.4.5, with all that hangs on it.
func (o *object) message() (*context, bool) {
	p, ok := o.context()
	if !ok {
		return nil, false
	}
	at := o.blocks[p.list[0]].ib()
	want := []pst.Tag{pst.PidTagMessageClass, pst.PidTagMessageFlags, pst.PidTagMessageSize, pst.PidTagCreationTime,
		pst.PidTagLastModificationTime, pst.PidTagSearchKey}
	for _, t := range want {
		if !p.has(t) {
			o.report(RuleMessage, at, "the property %v is missing", t)
		}
	}
	o.weigh()
	o.strangers()
	o.recipients(p, at)
	o.attachments(p, at)
	o.size(p, at)
	return p, true
}

// recipients checks the recipient table. Outlook leaves it out of items that have no
// recipients, though the text says that it must be there.
func (o *object) recipients(p *context, at int64) {
	s, ok := o.sub(pst.NIDRecipients)
	if !ok {
		to, _ := p.bytes(pst.PidTagDisplayTo)
		cc, _ := p.bytes(pst.PidTagDisplayCc)
		bcc, _ := p.bytes(pst.PidTagDisplayBcc)
		if len(to)+len(cc)+len(bcc) > 0 {
			o.report(RuleRecipients, at, "it is to somebody, and has no recipient table")
		}
		return
	}
	r, ok := o.open(o.top, o.label+", its recipient table", s.data, s.sub)
	if !ok {
		return
	}
	if t, _ := r.table(recipientType); t != nil {
		t.require(recipColumns)
	}
}

// recipientType checks what sort of recipient a row has: the originator or To, Cc or Bcc, with the
// two flags of a message that is sent again ([MS-OXOMSG] 2.2.3.1).
func recipientType(r row) {
	b, ok := r.value(pst.PidTagRecipientType)
	if !ok {
		r.report(RuleRecipientType, r.at, "the row %v has no %v", r.id(), pst.PidTagRecipientType)
	} else if v := u32(b, 0); v&^0x90000000 > 3 {
		r.report(RuleRecipientType, r.at, "the row %v has the recipient type %#x", r.id(), v)
	}
	// A person or a list ([MS-OXCMSG]: MAPI_MAILUSER, MAPI_DISTLIST).
	if b, ok := r.value(pst.PidTagObjectType); ok && u32(b, 0) != 6 && u32(b, 0) != 8 {
		r.report(RuleRecipientType, r.at, "the row %v has the object type %d, which no recipient has", r.id(), u32(b, 0))
	}
}

// strangers finds subnodes that a message has not: a table under another NID is a table that is lost.
func (o *object) strangers() {
	for _, s := range o.subs {
		known := s.nid == pst.NIDRecipients || s.nid == pst.NIDAttachments || s.nid == pst.NIDReplTable
		switch s.nid.Type() {
		case pst.NodeInternal, pst.NodeAttachment, pst.NodeLTP:
			known = true
		}
		if !known {
			o.report(RuleSubnode, 0, "the subnode %v is none that a message has", s.nid)
		}
	}
}

// attachments checks the attachment table and the attachments.
func (o *object) attachments(p *context, at int64) {
	count := 0
	for _, s := range o.subs {
		if s.nid.Type() == pst.NodeAttachment {
			count++
		}
	}
	if v, ok := p.number(pst.PidTagMessageFlags); ok && (v&pst.FlagHasAttach != 0) != (count > 0) {
		o.report(RuleHasAttach, at, "mfHasAttach is %v, there are %d attachments", v&pst.FlagHasAttach != 0, count)
	}
	s, ok := o.sub(pst.NIDAttachments)
	if !ok {
		if count > 0 {
			o.report(RuleAttachTable, at, "it has %d attachments and no attachment table", count)
		}
		return
	}
	a, ok := o.open(o.top, o.label+", its attachment table", s.data, s.sub)
	if !ok {
		return
	}
	t, ok := a.table(func(r row) { o.attachment(r) })
	if t == nil {
		return
	}
	t.require(attachColumns)
	if ok && len(t.ids) != count {
		o.report(RuleAttachCount, at, "the attachment table has %d rows, there are %d attachments", len(t.ids), count)
	}
}

// attachment checks an attachment, [MS-PST] 2.4.6.2.
func (o *object) attachment(r row) {
	s, ok := o.sub(r.id())
	if !ok || s.nid.Type() != pst.NodeAttachment {
		r.report(RuleRowDangling, r.at, "the row %v stands for an attachment that is not there", r.id())
		return
	}
	a, ok := o.open(o.top, fmt.Sprintf("%s, its attachment %v", o.label, s.nid), s.data, s.sub)
	if !ok {
		return
	}
	a.deep = o.deep
	a.weigh()
	p, ok := a.context()
	if !ok {
		return
	}
	at := o.blocks[p.list[0]].ib()
	for _, t := range []pst.Tag{pst.PidTagAttachSize, pst.PidTagAttachMethod, pst.PidTagRenderingPosition} {
		if !p.has(t) {
			a.report(RuleAttachment, at, "the property %v is missing", t)
		}
	}
	if v, ok := p.number(pst.PidTagAttachSize); ok && int64(v) != p.sum {
		a.report(RuleAttachSize, at, "PidTagAttachSize is %d, its values have %d bytes", v, p.sum)
	}
	r.compare(p, RuleAttachRow)
	if v, ok := p.number(pst.PidTagAttachMethod); ok && v == pst.AttachEmbedded {
		a.embedded(p, at)
	}
	o.bulk += a.bulk
}

// embedded checks a message that is an attachment.
func (a *object) embedded(p *context, at int64) {
	b, ok := p.bytes(pst.PidTagAttachDataObject)
	if !ok || len(b) != 8 {
		a.report(RuleEmbedded, at, "it should be a message, and has none")
		return
	}
	s, ok := a.sub(pst.NID(u32(b, 0)))
	if !ok {
		return // reported with the property
	}
	if s.nid.Type() != pst.NodeMessage {
		a.report(RuleEmbedded, at, "the message in it has the NID %v, which is of another type", s.nid)
	}
	m, ok := a.open(a.top, fmt.Sprintf("%s, the message %v in it", a.label, s.nid), s.data, s.sub)
	if !ok {
		return
	}
	if m.deep = a.deep + 1; m.deep > deepest {
		a.report(RuleDepth, at, "more than %d messages lie within one another: it was not checked", deepest)
		return
	}
	q, ok := m.message()
	if !ok {
		return
	}
	a.bulk += m.bulk
	if v, ok := q.number(pst.PidTagMessageSize); ok && v != u32(b, 4) {
		m.report(RuleEmbeddedSize, at, "its attachment says %d bytes, its PidTagMessageSize %d", u32(b, 4), v)
	}
}

// size checks PidTagMessageSize. Outlook computes it anew, and real files follow no formula that is
// known, so that only what is far off is told.
func (o *object) size(p *context, at int64) {
	if v, ok := p.number(pst.PidTagMessageSize); ok && (int64(v) > 4*o.bulk+8192 || int64(v) < o.bulk/4-8192) {
		o.report(RuleMessageSize, at, "PidTagMessageSize is %d, it has about %d bytes", v, o.bulk)
	}
}

// weigh adds up the bytes of an object and its subnodes.
func (o *object) weigh() {
	o.bulk, _ = o.length(o.data)
	for _, s := range o.subs {
		n, _ := o.length(s.data)
		o.bulk += n
	}
}
