package writer

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
)

// blank gives a store of ours without anything in it.
func blank(t testing.TB) *parsed {
	t.Helper()
	w, path := create(t, options())
	closed(t, w)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data)
}

// TestBlankNodes: a blank store of ours has the nodes of one of Outlook, with the
// same parents, apart from those of its search index, which are better left out.
func TestBlankNodes(t *testing.T) {
	real, ours := parse(t, psttest.Outlook(t, "ms-Empty.pst")), blank(t)
	for _, nid := range []pst.NID{0xC01, 0xE01, 0xE41, 0xEC1, 0xEE1, 0xF01, 0xF21} {
		delete(real.nodes, nid)
	}
	form := func(p *parsed) map[pst.NID]node {
		out := map[pst.NID]node{}
		for nid, n := range p.nodes {
			out[nid] = node{data: min(n.data, 1), parent: n.parent}
		}
		return out
	}
	if d := cmp.Diff(form(real), form(ours), cmp.AllowUnexported(node{})); d != "" {
		t.Errorf("nodes, Outlook's (-) and ours (+):\n%s", d)
	}
}

// TestBlankBytes: these nodes are byte for byte those of Outlook.
func TestBlankBytes(t *testing.T) {
	real, ours := parse(t, psttest.Outlook(t, "ms-Empty.pst")), blank(t)
	for _, nid := range []pst.NID{
		pst.NIDRoot, pst.NIDRoot.As(pst.NodeContents), pst.NIDSearchActivity,
		pst.NIDHierarchyTemplate, pst.NIDContentsTemplate, pst.NIDFAITemplate, pst.NIDSearchContents,
		pst.NIDReceiveFolders, pst.NIDOutgoingQueue, pst.NIDAttachments, pst.NIDRecipients,
		pst.NIDReplTable, pst.NIDTombTable, pst.NIDPurgeTable,
		pst.NIDSpamSearch, pst.NIDSpamSearch.As(pst.NodeSearchCrit), pst.NIDSpamSearch.As(pst.NodeSearchTable),
		pst.NIDIPMSubtree, pst.NIDSearchRoot, pst.NIDSearchRoot.As(pst.NodeContents),
		pst.NIDSearchRoot.As(pst.NodeFAIContents), pst.NIDIPMSubtree.As(pst.NodeFAIContents),
		pst.NIDDeletedItems, pst.NIDDeletedItems.As(pst.NodeHierarchy),
		pst.NIDDeletedItems.As(pst.NodeContents), pst.NIDDeletedItems.As(pst.NodeFAIContents),
		pst.NIDCommonViews, pst.NIDCommonViews.As(pst.NodeHierarchy), pst.NIDCommonViews.As(pst.NodeContents),
	} {
		want, got := real.blocks[real.nodes[nid].data], ours.blocks[ours.nodes[nid].data]
		if len(want) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%v:\n%x, Outlook has\n%x", nid, got, want)
		}
	}
}

// TestBlankRows: the hierarchy tables of a blank store list what Outlook's list.
func TestBlankRows(t *testing.T) {
	real, ours := parse(t, psttest.Outlook(t, "ms-Empty.pst")), blank(t)
	for _, nid := range []pst.NID{pst.NIDRoot, pst.NIDIPMSubtree} {
		nid = nid.As(pst.NodeHierarchy)
		want, got := real.rows(t, real.nodes[nid]), ours.rows(t, ours.nodes[nid])
		for _, r := range slices.Concat(want, got) {
			delete(r.cells, pst.PidTagLtpRowVer)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(row{})); d != "" {
			t.Errorf("%v, Outlook's (-) and ours (+):\n%s", nid, d)
		}
	}
}

// TestBlankStore: the message store has what Outlook's has, with ids of its own.
func TestBlankStore(t *testing.T) {
	real, ours := parse(t, psttest.Outlook(t, "ms-Empty.pst")), blank(t)
	want, got := real.values(t, real.nodes[pst.NIDStore]), ours.values(t, ours.nodes[pst.NIDStore])
	theirs, key := want[pst.PidTagRecordKey], got[pst.PidTagRecordKey]
	for tag, v := range want {
		want[tag] = bytes.ReplaceAll(v, theirs, key)
	}
	delete(want, 0x66FC0003) // which means nothing that is known, and differs from file to file
	for _, own := range []pst.Tag{pst.PidTagDisplayName, pst.PidTagReplVersionHistory} {
		if len(got[own]) == 0 {
			t.Errorf("%v is missing", own)
		}
		delete(want, own)
		delete(got, own)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Outlook's (-) and ours (+):\n%s", d)
	}
}

// TestNameMap: from the names of Outlook's map ours makes the same buckets and
// streams.
func TestNameMap(t *testing.T) {
	real := parse(t, psttest.Outlook(t, "ms-Empty.pst"))
	want := real.values(t, real.nodes[pst.NIDNameMap])
	guids, entries, texts := want[pst.PidTagNameidStreamGuid], want[pst.PidTagNameidStreamEntry], want[pst.PidTagNameidStreamString]
	n := &names{ids: map[pst.Named]uint16{}, guidOf: map[pst.GUID]uint16{pst.PSMapi: guidMapi, pst.PSPublicStrings: guidPublic}}
	le := binary.LittleEndian
	for i, e := range slices.Collect(slices.Chunk(entries, 8)) {
		var name pst.Named
		switch g := le.Uint16(e[4:]) >> 1; g {
		case guidMapi:
			name.Set = pst.PSMapi
		case guidPublic:
			name.Set = pst.PSPublicStrings
		default:
			name.Set = pst.GUID(guids[16*(g-firstGUID):])
		}
		if le.Uint16(e[4:])&1 == 0 {
			name.LID = le.Uint32(e)
		} else {
			at := le.Uint32(e)
			length := le.Uint32(texts[at:])
			name.Name = pst.FromUTF16(texts[at+4 : at+4+length])
			for end := at + 4 + length; end%4 != 0; end++ {
				texts[end] = 0 // Outlook leaves there what was in its memory
			}
		}
		if id, err := n.id(name); err != nil || id != uint16(0x8000+i) {
			t.Fatalf("%v: %#x %v", name, id, err)
		}
	}
	b := n.bag()
	got := map[pst.Tag][]byte{}
	for i := range b.vals {
		v := &b.vals[i]
		if v.inline() {
			got[v.tag()] = binary.LittleEndian.AppendUint32(nil, uint32(v.num))
		} else {
			got[v.tag()] = b.bytes(v)
		}
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); d != "" {
		t.Errorf("properties:\n%s", d)
	}
	for tag := range want {
		if !bytes.Equal(want[tag], got[tag]) {
			t.Errorf("%v: %x, Outlook has %x", tag, got[tag], want[tag])
		}
	}
}

// TestLayouts: the layouts of larger tables follow from the order of their columns,
// too.
func TestLayouts(t *testing.T) {
	for _, name := range []string{"ms-Empty.pst", "java-libpst-dist-list.pst"} {
		p := parse(t, psttest.Outlook(t, name))
		n := 0
		for nid, at := range p.nodes {
			blocks := p.leaves(at.data)
			if len(blocks) == 0 || len(blocks[0]) < 12 || blocks[0][2] != 0xEC || blocks[0][3] != heapTable {
				continue
			}
			info := slices.Clone(item(blocks, binary.LittleEndian.Uint32(blocks[0][4:])))
			columns := slices.Collect(slices.Chunk(info[22:], 8))
			tags := make([]pst.Tag, len(columns))
			for _, c := range columns {
				tags[c[7]] = pst.Tag(binary.LittleEndian.Uint32(c))
			}
			l, err := newLayout(tags)
			if err != nil {
				t.Fatal(err)
			}
			copy(info[10:], l.info[10:22]) // where the index and the rows are
			if !bytes.Equal(l.info, info) {
				t.Errorf("%s %v:\n%x, Outlook has\n%x", name, nid, l.info, info)
			}
			n++
		}
		if n < 20 {
			t.Errorf("%s: only %d tables", name, n)
		}
	}
}
