package pst

import "fmt"

// NID is the id of a node, [MS-PST] 2.2.2.1: its type in the lower five bits, an
// index in the rest.
type NID uint32

// NodeType is the lower five bits of a NID.
type NodeType uint8

// The types of nodes, [MS-PST] 2.2.2.1.
const (
	NodeHID          NodeType = 0x00 // a heap item, not a node
	NodeInternal     NodeType = 0x01
	NodeFolder       NodeType = 0x02
	NodeSearchFolder NodeType = 0x03
	NodeMessage      NodeType = 0x04
	NodeAttachment   NodeType = 0x05
	NodeSearchQueue  NodeType = 0x06
	NodeSearchCrit   NodeType = 0x07
	NodeAssociated   NodeType = 0x08 // a folder associated information (FAI) message
	NodeContentIndex NodeType = 0x0A
	NodeReceive      NodeType = 0x0B
	NodeOutgoing     NodeType = 0x0C
	NodeHierarchy    NodeType = 0x0D
	NodeContents     NodeType = 0x0E
	NodeFAIContents  NodeType = 0x0F
	NodeSearchTable  NodeType = 0x10
	NodeAttachTable  NodeType = 0x11
	NodeRecipTable   NodeType = 0x12
	NodeSearchIndex  NodeType = 0x13
	NodeLTP          NodeType = 0x1F
)

// NewNID joins a type and an index.
func NewNID(t NodeType, index uint32) NID { return NID(index<<5 | uint32(t)) }

// Type is the lower five bits.
func (n NID) Type() NodeType { return NodeType(n & 0x1F) }

// Index is the rest.
func (n NID) Index() uint32 { return uint32(n >> 5) }

// As is the node of another type with the same index: the contents table of a
// folder, for instance.
func (n NID) As(t NodeType) NID { return NewNID(t, n.Index()) }

func (n NID) String() string { return fmt.Sprintf("0x%X", uint32(n)) }

// The nodes that every file has, [MS-PST] 2.4.1 and 2.7.1, and what real files of
// Outlook have besides.
const (
	NIDStore             NID = 0x21
	NIDNameMap           NID = 0x61
	NIDNormalTemplate    NID = 0xA1
	NIDSearchTemplate    NID = 0xC1
	NIDRoot              NID = 0x122
	NIDSearchManagement  NID = 0x1E1 // NID_SEARCH_MANAGEMENT_QUEUE
	NIDSearchActivity    NID = 0x201 // NID_SEARCH_ACTIVITY_LIST
	NIDSearchDomain      NID = 0x261 // NID_SEARCH_DOMAIN_OBJECT
	NIDHierarchyTemplate NID = 0x60D
	NIDContentsTemplate  NID = 0x60E
	NIDFAITemplate       NID = 0x60F
	NIDSearchContents    NID = 0x610
	NIDReceiveFolders    NID = 0x62B
	NIDOutgoingQueue     NID = 0x64C
	NIDAttachments       NID = 0x671 // the template, and the table below each message
	NIDRecipients        NID = 0x692 // the template, and the table below each message
	NIDReplTable         NID = 0x6B6 // this and the next two are in every store of Outlook; [MS-PST] does not name them
	NIDTombTable         NID = 0x6D7
	NIDPurgeTable        NID = 0x6F8
	NIDSpamSearch        NID = 0x2223
	NIDIPMSubtree        NID = 0x8022
	NIDSearchRoot        NID = 0x8042
	NIDDeletedItems      NID = 0x8062
	NIDCommonViews       NID = 0x8082
)
