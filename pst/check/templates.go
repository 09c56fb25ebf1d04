package check

import "keepwatch/pst"

// What columns a table has. The text of [MS-PST] 2.4.4 to 2.4.6 and real files differ: these are what
// all real files have. 0E30 is Binary in them and not Integer32, 3613 is String and not
// Binary. Outlook adds columns, never takes one away.
var (
	hierarchyColumns = []pst.Tag{0x0E300102, 0x0E330014, 0x0E340102, 0x0E380003, 0x3001001F, 0x36020003, 0x36030003,
		0x360A000B, 0x3613001F, 0x66350003, 0x66360003}
	contentsColumns = []pst.Tag{0x00170003, 0x001A001F, 0x00360003, 0x0037001F, 0x00390040, 0x0042001F, 0x0057000B, 0x0058000B,
		0x0070001F, 0x00710102, 0x0E03001F, 0x0E04001F, 0x0E060040, 0x0E070003, 0x0E080003, 0x0E170003, 0x0E300102, 0x0E330014,
		0x0E340102, 0x0E380003, 0x0E3C0102, 0x0E3D0102, 0x10970003, 0x30080040, 0x65C60003}
	// The contents tables of folders that old Outlook made lack the columns of replication and the time of the last change.
	contentsCore = []pst.Tag{0x00170003, 0x001A001F, 0x00360003, 0x0037001F, 0x00390040, 0x0042001F, 0x0057000B, 0x0058000B,
		0x0070001F, 0x00710102, 0x0E03001F, 0x0E04001F, 0x0E060040, 0x0E070003, 0x0E080003, 0x0E170003, 0x10970003, 0x65C60003}
	faiColumns = []pst.Tag{0x001A001F, 0x0E070003, 0x0E170003, 0x3001001F, 0x6800001F, 0x6803000B, 0x68051003,
		0x70030003, 0x70040102, 0x70050102, 0x7006001F, 0x70070003}
	searchColumns = []pst.Tag{0x00170003, 0x001A001F, 0x00360003, 0x0037001F, 0x0042001F, 0x0057000B, 0x0058000B, 0x0E03001F,
		0x0E04001F, 0x0E05001F, 0x0E060040, 0x0E070003, 0x0E080003, 0x0E170003, 0x0E2A000B, 0x30080040, 0x67F10003}
	attachColumns = []pst.Tag{0x0E200003, 0x3704001F, 0x37050003, 0x370B0003}
	recipColumns  = []pst.Tag{0x0C150003, 0x0E0F000B, 0x0FF90102, 0x0FFE0003, 0x0FFF0102, 0x3001001F, 0x3002001F, 0x3003001F,
		0x300B0102, 0x39000003, 0x39FF001F, 0x3A40000B}
	receiveColumns  = []pst.Tag{0x001A001F, 0x66050003}
	outgoingColumns = []pst.Tag{0x00390040, 0x0E100003, 0x0E140003}
)

// require checks that a table has the columns that such tables have, with their types.
func (t *table) require(want []pst.Tag) {
	at := t.blocks[t.list[0]].ib()
	for _, tag := range want {
		if _, ok := t.column(tag); ok {
			continue
		}
		rule, text := RuleColumnMissing, "the column %v is missing"
		for _, c := range t.cols {
			if c.tag.ID() == tag.ID() {
				rule, text = RuleColumnType, "the column %v has another type"
			}
		}
		t.report(rule, at, text, tag)
	}
}

// templates checks the tables from which Outlook makes those of new folders and messages.
func (c *checker) templates() {
	for _, x := range []struct {
		nid  pst.NID
		name string
		cols []pst.Tag
	}{
		{pst.NIDHierarchyTemplate, "The template of hierarchy tables", hierarchyColumns},
		{pst.NIDContentsTemplate, "The template of contents tables", contentsColumns},
		{pst.NIDFAITemplate, "The template of associated contents tables", faiColumns},
		{pst.NIDSearchContents, "The template of search contents tables", searchColumns},
		{pst.NIDAttachments, "The template of attachment tables", attachColumns},
		{pst.NIDRecipients, "The template of recipient tables", recipColumns},
		{pst.NIDOutgoingQueue, "The outgoing queue", outgoingColumns},
	} {
		n, ok := c.node(x.nid)
		if !ok {
			continue
		}
		o, ok := c.open(x.nid, x.name, n.data, n.sub)
		if !ok {
			continue
		}
		t, ok := o.table(nil)
		if !ok {
			continue
		}
		t.require(x.cols)
		if len(t.ids) > 0 && x.nid != pst.NIDOutgoingQueue {
			o.report(RuleTemplateRows, o.blocks[t.list[0]].ib(), "it has %d rows and should have none", len(t.ids))
		}
	}
}

// receive checks the receive folder table: one row says where what has no class of its own goes.
func (c *checker) receive() {
	n, ok := c.node(pst.NIDReceiveFolders)
	if !ok {
		return
	}
	o, ok := c.open(n.nid, "The receive folder table", n.data, n.sub)
	if !ok {
		return
	}
	rest := false
	t, ok := o.table(func(r row) {
		class, ok := r.value(pst.PidTagMessageClass)
		rest = rest || ok && len(class) == 0
		if b, ok := r.value(0x66050003); ok {
			if _, ok := c.node(pst.NID(u32(b, 0))); !ok {
				o.report(RuleReceive, r.at, "it names the folder %v, which is not there", pst.NID(u32(b, 0)))
			}
		}
	})
	if !ok {
		return
	}
	t.require(receiveColumns)
	if !rest {
		o.report(RuleReceive, o.blocks[t.list[0]].ib(), "it has no row for the class that is empty")
	}
}
