package check

// Heaps, [MS-PST] 2.3.1, and trees on heaps, 2.3.2.
const (
	RuleHeapMissing  Rule = "heap missing"          // no data where a heap belongs
	RuleHeapSig      Rule = "heap signature"        // not 0xEC
	RuleHeapClient   Rule = "heap client signature" // another kind of heap
	RuleHeapAlign    Rule = "heap map alignment"    // ibHnpm is odd
	RuleHeapMap      Rule = "heap map place"        // ibHnpm lies outside the block
	RuleHeapCount    Rule = "heap item count"       // more than 2,047, or than fit
	RuleHeapItems    Rule = "heap items"            // they do not begin one behind the other
	RuleHeapItemSize Rule = "heap item size"        // more than 3,580 bytes
	RuleHeapFree     Rule = "heap free count"       // cFree is not how many are empty
	RuleHeapGap      Rule = "heap gap"              // more than 1 byte between the last item and the map: "last alloc doesn't point to front of page map"
	RuleHeapFill     Rule = "heap fill level"
	RuleHeapShared   Rule = "heap item shared"  // two values lie in it: what changes one changes the other
	RuleHeapUnused   Rule = "heap item unused"  // nothing refers to it
	RuleTreeHead     Rule = "tree header"       // BTHHEADER
	RuleTreeSizes    Rule = "tree record sizes" // cbKey, cbEnt
	RuleTreeLevel    Rule = "tree levels"       // bIdxLevels
	RuleTreeItem     Rule = "tree item"         // missing, or no whole records
	RuleTreeKey      Rule = "tree key"          // not the first of the level below
	RuleTreeOrder    Rule = "tree order"
)

// Properties, [MS-PST] 2.3.3, and tables, 2.3.4.
const (
	RuleType          Rule = "property type"      // none that is known
	RuleBoolean       Rule = "boolean"            // neither 0 nor 1
	RuleValueItem     Rule = "value heap item"    // a value lies in an item that is not there
	RuleValueNode     Rule = "value subnode"      // a value lies in a subnode that is not there
	RuleValueUnused   Rule = "value unused"       // a subnode of the type 0x1F that no property has
	RuleValueType     Rule = "value subnode type" // that subnode is not of the type 0x1F
	RuleValueSize     Rule = "value size"
	RuleText          Rule = "text"                // no whole UTF-16
	RuleList          Rule = "list of values"      // count and offsets
	RuleTableHead     Rule = "table head"          // TCINFO
	RuleTableIndex    Rule = "table hidIndex"      // deprecated: 0
	RuleTableEnds     Rule = "table row ends"      // rgib does not go up
	RuleTableBits     Rule = "table bitmap size"   // not a bit for each column
	RuleTableFirst    Rule = "table first columns" // LtpRowId and LtpRowVer
	RuleColumnOrder   Rule = "column order"
	RuleColumnSize    Rule = "column size"  // cbData
	RuleColumnPlace   Rule = "column place" // ibData is outside its group
	RuleColumnOverlap Rule = "column overlap"
	RuleColumnBit     Rule = "column bit"     // iBit
	RuleColumnMissing Rule = "column missing" // of those that all real files have
	RuleColumnType    Rule = "column type"    // other than in all real files
	RuleMatrix        Rule = "row matrix"     // it is not there
	RuleRowCount      Rule = "row count"      // index and matrix differ; rows across blocks ("bad row count")
	RuleRowIndex      Rule = "row index"      // it names a row that is not there
	RuleRowID         Rule = "row id"         // LtpRowId is not that of the index
	RuleRowVer        Rule = "row version"    // LtpRowVer is there twice
	RuleRowBits       Rule = "row bits"       // of no column
)

// The name-to-id map, [MS-PST] 2.4.7.
const (
	RuleNameStream  Rule = "name streams"      // missing or empty
	RuleNameBuckets Rule = "name bucket count" // not 251
	RuleNameGUID    Rule = "name property set"
	RuleNameIndex   Rule = "name index" // wPropIdx does not count up
	RuleNameString  Rule = "name string"
	RuleNameTwice   Rule = "name twice"  // without regard to case: scanpst crashes
	RuleNameBucket  Rule = "name bucket" // an entry is not where it is looked for
	RuleNameHash    Rule = "name hash"
	RuleNameUnknown Rule = "name unknown" // a property from 0x8000 on that is not in the map
)

// Messaging, [MS-PST] 2.4 and 2.7.
const (
	RuleMandatory     Rule = "mandatory node"
	RuleReserved      Rule = "reserved NID" // of a folder or message: Outlook calls the file malformed
	RuleParent        Rule = "parent"       // nidParent
	RuleStore         Rule = "store property"
	RuleEntryID       Rule = "entry id"
	RuleActivity      Rule = "search activity" // 0x201: "SAL missing entry"
	RuleReceive       Rule = "receive folder"
	RuleTemplateRows  Rule = "template rows"
	RuleFolder        Rule = "folder property"
	RuleFolderNodes   Rule = "folder nodes"  // one of the four is missing
	RuleSubfolders    Rule = "subfolders"    // PidTagSubfolders
	RuleContentCount  Rule = "content count" // PidTagContentCount
	RuleUnread        Rule = "unread count"  // PidTagContentUnreadCount
	RuleHierarchyRow  Rule = "hierarchy row" // other than the folder's PC
	RuleContentsRow   Rule = "contents row"  // other than the message's PC
	RuleRowDangling   Rule = "row without object"
	RuleRowType       Rule = "row type" // such as a message of the type 4 in an associated contents table
	RuleListedTwice   Rule = "listed twice"
	RuleOrphan        Rule = "message not listed"
	RuleOrphanFolder  Rule = "folder not listed"
	RuleOrphanTable   Rule = "table without folder"
	RuleCircle        Rule = "folder circle"
	RuleMessage       Rule = "message property" // 001A 0E07 0E08 3007 3008 300B
	RuleMessageStatus Rule = "message status"   // 0E17
	RuleMessageSize   Rule = "message size"     // 0E08 is far off
	RuleRecipients    Rule = "recipient table"  // missing
	RuleRecipientType Rule = "recipient type"   // 0C15
	RuleSubnode       Rule = "message subnode"  // none that a message has
	RuleHasAttach     Rule = "mfHasAttach"
	RuleAttachTable   Rule = "attachment table" // missing
	RuleAttachCount   Rule = "attachment count"
	RuleAttachment    Rule = "attachment property"
	RuleAttachSize    Rule = "attachment size" // 0E20
	RuleAttachRow     Rule = "attachment row"
	RuleEmbedded      Rule = "embedded message"
	RuleEmbeddedSize  Rule = "embedded message size"
	RuleDepth         Rule = "messages too deep"
)
