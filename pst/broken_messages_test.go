package pst_test

import (
	"keepwatch/pst"
	"keepwatch/pst/check"
)

// first is the first message that the writer makes.
const first pst.NID = 0x200024

// The attachments of the appointment: messages.
const (
	attachment1 pst.NID = 0x80A5
	attachment2 pst.NID = 0x80E5
)

var row = []check.Rule{check.RuleContentsRow}

// subNID changes the NID of an entry of a message's subnodes.
func subNID(message, from, to pst.NID) func(p *patch) {
	return func(p *patch) {
		bid, at := p.subnode(p.sub(message), from)
		p.block(bid, put32(at, uint32(to)))
	}
}

var brokenMessages = []broken{
	{name: "contents row", rule: check.RuleContentsRow, file: list, do: func(p *patch) { p.cell(p.data(0x814E), 0, pst.PidTagMessageFlags, put32(0, 0x401)) }},
	{name: "contents row without the subject", rule: check.RuleContentsRow, file: list, do: func(p *patch) { p.unset(p.data(0x814E), 0, pst.PidTagSubject) }},
	{name: "no search key", rule: check.RuleMessage, file: list, also: row, do: prop(group, 0x300B, put16(0, 0x300C))},
	{name: "no creation time", rule: check.RuleMessage, file: list, also: row, do: prop(group, 0x3007, put16(0, 0x3006))},
	{name: "no status", rule: check.RuleMessageStatus, file: list, do: func(p *patch) { p.unset(p.data(0x814E), 0, pst.PidTagMessageStatus) }},
	{name: "size far off", rule: check.RuleMessageSize, file: list, also: row, do: prop(group, 0x0E08, put32(4, 0x7FFFFFFF))},
	{name: "no recipient table", rule: check.RuleRecipients, file: "few", also: []check.Rule{check.RuleSubnode}, do: subNID(first, pst.NIDRecipients, 0x693)},
	{name: "column of a recipient table", rule: check.RuleColumnMissing, file: "few", do: func(p *patch) {
		data, _ := p.below(first, pst.NIDRecipients)
		p.column(data, pst.PidTagResponsibility, put16(2, 0x0E10))
	}},
	{name: "recipient table under another NID", rule: check.RuleSubnode, file: "few", also: []check.Rule{check.RuleRecipients}, do: subNID(first, pst.NIDRecipients, 0x6B2)},
	{name: "recipient of no type", rule: check.RuleRecipientType, file: "few", do: func(p *patch) {
		data, _ := p.below(first, pst.NIDRecipients)
		p.cell(data, 0, pst.PidTagRecipientType, put32(0, 7))
	}},
	{name: "recipient that is a folder", rule: check.RuleRecipientType, file: "few", do: func(p *patch) {
		data, _ := p.below(first, pst.NIDRecipients)
		p.cell(data, 0, pst.PidTagObjectType, put32(0, 3))
	}},
	{name: "mfHasAttach without attachments", rule: check.RuleHasAttach, file: list, also: row, do: prop(group, 0x0E07, put32(4, 0x11))},
	{name: "attachments without mfHasAttach", rule: check.RuleHasAttach, file: list, also: row, do: prop(appointment, 0x0E07, put32(4, 1))},
	{name: "message within itself", rule: check.RuleDepth, file: list, many: true, do: within(attachment1)},
	{name: "message within itself, and again", rule: check.RuleShared, file: list, many: true, do: func(p *patch) {
		within(attachment1)(p)
		within(attachment2)(p)
	}},
}

// within makes the message in an attachment of the appointment the appointment itself.
func within(attachment pst.NID) func(p *patch) {
	return func(p *patch) {
		_, sub := p.below(appointment, attachment)
		p.block(sub, func(b []byte) {
			for i := range int(le.Uint16(b[2:])) {
				if e := b[8+24*i:]; le.Uint32(e)&0x1F == uint32(pst.NodeMessage) {
					le.PutUint64(e[8:], p.data(appointment))
					le.PutUint64(e[16:], p.sub(appointment))
				}
			}
		})
	}
}

// inAttachment edits the first attachment of the appointment, given its bidData.
func inAttachment(edit func(p *patch, data uint64)) func(p *patch) {
	return func(p *patch) {
		data, _ := p.below(appointment, attachment1)
		edit(p, data)
	}
}

// attachProp edits one of its properties.
func attachProp(id uint16, edit func(b []byte)) func(p *patch) {
	return inAttachment(func(p *patch, data uint64) { p.prop(data, id, edit) })
}

var brokenAttachments = []broken{
	{name: "no attachment table", rule: check.RuleAttachTable, file: list, also: []check.Rule{check.RuleSubnode}, do: subNID(appointment, pst.NIDAttachments, 0x672)},
	{name: "attachment without a row", rule: check.RuleAttachCount, file: list, do: func(p *patch) {
		// Another value becomes an attachment that no row knows.
		subNID(appointment, 0x807F, 0x8085)(p)
		p.prop(p.data(appointment), 0x1009, put32(4, 0))
	}},
	{name: "row without an attachment", rule: check.RuleRowDangling, file: list, also: []check.Rule{check.RuleAttachCount, check.RuleSubnode}, do: subNID(appointment, attachment1, 0x80A6)},
	{name: "attachment property", rule: check.RuleAttachment, file: list, also: []check.Rule{check.RuleAttachRow}, do: attachProp(0x370B, put16(0, 0x370C))},
	{name: "attachment size", rule: check.RuleAttachSize, file: list, also: []check.Rule{check.RuleAttachRow}, do: attachProp(0x0E20, func(b []byte) { b[4]++ })},
	{name: "attachment row", rule: check.RuleAttachRow, file: list, do: func(p *patch) {
		data, _ := p.below(appointment, pst.NIDAttachments)
		p.cell(data, 0, pst.PidTagRenderingPosition, put32(0, 7))
	}},
	{name: "no embedded message", rule: check.RuleEmbedded, file: list, also: []check.Rule{check.RuleAttachSize, check.RuleOrphan}, do: attachProp(0x3701, put16(0, 0x3700))},
	{name: "embedded message of another type", rule: check.RuleEmbedded, file: list, also: []check.Rule{check.RuleNIDs}, do: func(p *patch) {
		_, sub := p.below(appointment, attachment1)
		bid, at := p.subnode(sub, 0x200184)
		p.block(bid, put32(at, 0x200188))
		data, _ := p.below(appointment, attachment1)
		p.value(data, 0x3701, put32(0, 0x200188))
	}},
	{name: "embedded message not there", rule: check.RuleValueNode, file: list, also: []check.Rule{check.RuleAttachSize}, do: inAttachment(func(p *patch, data uint64) {
		p.value(data, 0x3701, put32(0, 0x200144))
	})},
	{name: "embedded message size", rule: check.RuleEmbeddedSize, file: list, also: []check.Rule{check.RuleAttachSize}, do: inAttachment(func(p *patch, data uint64) {
		p.value(data, 0x3701, func(b []byte) { b[4]++ })
	})},
}
