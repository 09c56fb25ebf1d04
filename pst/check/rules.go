package check

// Rule names what a file breaks.
type Rule string

// RuleNone is no rule.
const RuleNone Rule = ""

// The header, [MS-PST] 2.2.2.6 and 2.2.2.5.
const (
	RuleMagic          Rule = "magic"                 // it does not begin with !BDN
	RuleShort          Rule = "too short"             // it ends within its header
	RuleMagicClient    Rule = "client magic"          // wMagicClient is not SM
	RuleVersion        Rule = "version"               // wVer is none that is checked
	RuleVersionClient  Rule = "client version"        // wVerClient is not 19
	RulePlatform       Rule = "platform"              // bPlatformCreate or bPlatformAccess is not 1
	RuleHeaderCRC      Rule = "header checksum"       // dwCRCPartial or dwCRCFull
	RuleHeaderReserved Rule = "header reserved bytes" // they are not zero
	RuleHeaderMaps     Rule = "header maps"           // rgbFM or rgbFP is not all 0xFF
	RuleSentinel       Rule = "sentinel"              // bSentinel is not 0x80
	RuleCrypt          Rule = "crypt method"          // bCryptMethod is none that is known
	RuleEOF            Rule = "end of file"           // ibFileEof is not the size of the file
	RuleLength         Rule = "length of file"        // not 0x4400 and whole regions of 253,952 bytes
	RuleLastAMap       Rule = "last AMap"             // ibAMapLast is wrong
	RuleAMapFree       Rule = "free bytes"            // cbAMapFree is not what the AMaps say
	RulePMapFree       Rule = "free bytes of PMaps"   // cbPMapFree is not what the PMaps say: 0 in files of Outlook from 2010 on
	RulePMapUsed       Rule = "page in use but free"  // a PMap keeps a page free that is in use
	RuleMapsValid      Rule = "maps valid"            // fAMapValid is not 2
	RuleNextP          Rule = "next page BID"         // bidNextP is not above the BID of each page
	RuleNextB          Rule = "next block BID"        // bidNextB is not above the BID of each block
	RuleNIDs           Rule = "last NIDs"             // rgnid is below a NID
)

// Pages, [MS-PST] 2.2.2.7.
const (
	RuleAMap        Rule = "AMap missing"
	RulePMap        Rule = "PMap missing"
	RuleFMap        Rule = "FMap missing"
	RuleFPMap       Rule = "FPMap missing"
	RuleMapSig      Rule = "map signature" // it is not 0
	RuleMapBID      Rule = "map BID"       // it is not the offset
	RuleMapCRC      Rule = "map checksum"
	RuleUsedFree    Rule = "used but free" // an AMap marks as free what is in use
	RuleFreeUsed    Rule = "free but used" // an AMap marks as used what nothing uses
	RuleOverlap     Rule = "overlap"       // blocks or pages lie on one another
	RuleFMapByte    Rule = "FMap byte"
	RuleFPMapBit    Rule = "FPMap bit"
	RuleDList       Rule = "density list"   // it names an AMap that is not there
	RulePageAlign   Rule = "page alignment" // a page is not at a multiple of 512 ("Page has misaligned or zero ib")
	RulePageTwice   Rule = "page twice"     // a cycle, or two parents
	RulePageMissing Rule = "page missing"   // outside the file
	RulePageType    Rule = "page type"
	RulePageRepeat  Rule = "page type repeat"
	RulePageBID     Rule = "page BID" // not that of the reference
	RulePageSig     Rule = "page signature"
	RulePageCRC     Rule = "page checksum"
	RulePageLevel   Rule = "page level"         // cLevel is not one below the parent's
	RulePageEntry   Rule = "page entry size"    // cbEnt
	RulePageMax     Rule = "page entry maximum" // cEntMax
	RulePageCount   Rule = "page entry count"   // cEnt
	RuleKeyFirst    Rule = "first key"          // btkey is not the first key of the child
	RuleKeyRange    Rule = "key range"          // a key belongs below another page
	RuleKeyTwice    Rule = "key twice"
	RuleKeyOrder    Rule = "key order"
)

// Blocks, [MS-PST] 2.2.2.8, and the entries of the trees.
const (
	RuleBIDBit          Rule = "BID reserved bit"   // bit 0 of a BID is set; scanpst drops the block
	RuleBlockSize       Rule = "block size"         // none, or too many bytes
	RuleBlockAlign      Rule = "block alignment"    // not at a multiple of 64
	RuleBlockPlace      Rule = "block place"        // outside the data section
	RuleBlockCrosses    Rule = "block crosses AMap" // it reaches into the next region
	RuleBlockMissing    Rule = "block missing"      // a reference to a block that is not in the tree
	RuleBlockCB         Rule = "block byte count"   // cb of trailer and entry differ
	RuleBlockBID        Rule = "block BID"          // bid of trailer and entry differ
	RuleBlockSig        Rule = "block signature"
	RuleBlockCRC        Rule = "block checksum" // over cb encoded bytes
	RuleUnreferenced    Rule = "block unreferenced"
	RuleCRef            Rule = "reference count" // not references + 1
	RuleInternal        Rule = "internal block"  // of no known type
	RuleInternalEncoded Rule = "internal block encoded"
	RuleBlockKind       Rule = "block kind"            // a subnode block where data belong, and the like
	RuleXCount          Rule = "XBLOCK entries"        // cEnt
	RuleNotFull         Rule = "block not full"        // within a data tree
	RuleTotal           Rule = "data tree length"      // lcbTotal
	RuleSLCount         Rule = "subnode block entries" // cEnt
	RuleSLOrder         Rule = "subnode order"
	RuleSIKey           Rule = "subnode block key" // not the first of the child
	RuleNodeWide        Rule = "NID width"         // bits above 32 are set
	RuleShared          Rule = "shared too often"  // no real file is like that; the check is given up
)

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
	RuleValueType     Rule = "value subnode type" // that subnode is not of the type 0x1F
	RuleValueSize     Rule = "value size"
	RuleText          Rule = "text"                // no whole UTF-16
	RuleList          Rule = "list of values"      // count and offsets
	RuleTableHead     Rule = "table head"          // TCINFO
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

// info is what is known of a rule.
type info struct {
	section  string
	severity Severity
}

// realFiles is the section of rules that come from what files of Outlook have in common, and from what
// Outlook and scanpst are known to mend in files of others.
const realFiles = "real files"

// rules says where each rule comes from.
var rules = map[Rule]info{
	RuleMagic: {"2.2.2.6", Error}, RuleShort: {"2.2.2.6", Error}, RuleMagicClient: {"2.2.2.6", Error},
	RuleVersion: {"2.2.2.6", Error}, RuleVersionClient: {"2.2.2.6", Error}, RulePlatform: {"2.2.2.6", Error},
	RuleHeaderCRC: {"2.2.2.6", Error}, RuleHeaderReserved: {"2.2.2.6", Error}, RuleHeaderMaps: {"2.2.2.6", Error},
	RuleSentinel: {"2.2.2.6", Error}, RuleCrypt: {"2.2.2.6", Error}, RuleEOF: {"2.2.2.5", Error},
	RuleLength: {"2.6.1.1.2", Error}, RuleLastAMap: {"2.2.2.5", Error}, RuleAMapFree: {"2.2.2.5", Error},
	RulePMapFree: {"2.2.2.5", Error}, RuleMapsValid: {"2.2.2.5", Error}, RuleNextP: {"2.2.2.6", Error},
	RuleNextB: {"2.2.2.6", Error}, RuleNIDs: {"2.2.2.6", Error},

	RuleAMap: {"2.2.2.7.2", Error}, RulePMap: {"2.2.2.7.3", Error}, RuleFMap: {"2.2.2.7.5", Error}, RuleFPMap: {"2.2.2.7.6", Error},
	RuleMapSig: {"2.2.2.7.1", Error}, RuleMapBID: {"2.2.2.7.1", Error}, RuleMapCRC: {"2.2.2.7.1", Error},
	RuleUsedFree: {"2.2.2.7.2", Error}, RuleFreeUsed: {"2.2.2.7.2", Error}, RuleOverlap: {"2.6.1.1.1", Error},
	RuleFMapByte: {"2.2.2.7.5", Advice}, RuleFPMapBit: {"2.2.2.7.6", Advice},
	RuleDList: {"2.2.2.7.4", Error}, RulePMapUsed: {"2.2.2.7.3", Error},
	RulePageAlign: {"2.2.2.7", Error}, RulePageTwice: {"2.2.2.7.7", Error}, RulePageMissing: {"2.2.2.7.7", Error},
	RulePageType: {"2.2.2.7.1", Error}, RulePageRepeat: {"2.2.2.7.1", Error}, RulePageBID: {"2.2.2.7.1", Error},
	RulePageSig: {"2.2.2.7.1", Error}, RulePageCRC: {"2.2.2.7.1", Error}, RulePageLevel: {"2.2.2.7.7.1", Error},
	RulePageEntry: {"2.2.2.7.7.1", Error}, RulePageMax: {"2.2.2.7.7.1", Error}, RulePageCount: {"2.2.2.7.7.1", Error},
	RuleKeyFirst: {"2.2.2.7.7.2", Error}, RuleKeyRange: {"2.2.2.7.7.2", Error}, RuleKeyTwice: {"2.2.2.7.7.1", Error},
	RuleKeyOrder: {"2.2.2.7.7.1", Error},

	RuleBIDBit: {"2.2.2.2", Error}, RuleBlockSize: {"2.2.2.8", Error}, RuleBlockAlign: {"2.2.2.8", Error},
	RuleBlockPlace: {"2.2.2.7.7.3", Error}, RuleBlockCrosses: {"2.6.1.1.1", Error}, RuleBlockMissing: {"2.2.2.7.7.3", Error},
	RuleBlockCB: {"2.2.2.8.1", Error}, RuleBlockBID: {"2.2.2.8.1", Error}, RuleBlockSig: {"2.2.2.8.1", Error},
	RuleBlockCRC: {"2.2.2.8.1", Error}, RuleUnreferenced: {"2.2.2.7.7.3.1", Error}, RuleCRef: {"2.2.2.7.7.3.1", Error},
	RuleInternal: {"2.2.2.8.3", Error}, RuleInternalEncoded: {"2.2.2.8.3.1.1", Error}, RuleBlockKind: {"2.2.2.8.3", Error},
	RuleXCount: {"2.2.2.8.3.2.1", Error}, RuleNotFull: {"2.2.2.8.3.2", Error}, RuleTotal: {"2.2.2.8.3.2.1", Error},
	RuleSLCount: {"2.2.2.8.3.3.1.2", Error}, RuleSLOrder: {"2.2.2.8.3.3", Error}, RuleSIKey: {"2.2.2.8.3.3.2.1", Error},
	RuleNodeWide: {"2.2.2.7.7.4", Error}, RuleShared: {realFiles, Error},

	RuleHeapMissing: {"2.3.1", Error}, RuleHeapSig: {"2.3.1.2", Error}, RuleHeapClient: {"2.3.1.2", Error},
	RuleHeapAlign: {"2.3.1.5", Error}, RuleHeapMap: {"2.3.1.5", Error}, RuleHeapCount: {"2.3.1.5", Error},
	RuleHeapItems: {"2.3.1.5", Error}, RuleHeapItemSize: {"2.3.3.3", Error}, RuleHeapFree: {"2.3.1.5", Error},
	RuleHeapGap: {"2.3.1.5", Error}, RuleHeapFill: {"2.3.1.2", Error}, RuleTreeHead: {"2.3.2.1", Error},
	RuleTreeSizes: {"2.3.2.1", Error}, RuleTreeLevel: {"2.3.2.1", Error}, RuleTreeItem: {"2.3.2.2", Error},
	RuleTreeKey: {"2.3.2.2", Error}, RuleTreeOrder: {"2.3.2.3", Error}, RuleType: {"2.3.3.3", Error},
	RuleBoolean: {"2.3.3.3", Error}, RuleValueItem: {"2.3.3.2", Error}, RuleValueNode: {"2.3.3.2", Error},
	RuleValueType: {"2.3.3.2", Error}, RuleValueSize: {"2.3.3.3", Error}, RuleText: {"2.3.3.3", Error},
	RuleList: {"2.3.3.4.2", Error}, RuleTableHead: {"2.3.4.1", Error}, RuleTableEnds: {"2.3.4.1", Error},
	RuleTableBits: {"2.3.4.4.1", Error}, RuleTableFirst: {"2.3.4.4.1", Error}, RuleColumnOrder: {"2.3.4.1", Error},
	RuleColumnSize: {"2.3.4.2", Error}, RuleColumnPlace: {"2.3.4.4.1", Error}, RuleColumnOverlap: {"2.3.4.4.1", Error},
	RuleColumnBit: {"2.3.4.4.1", Error}, RuleColumnMissing: {"2.4.4", Error}, RuleColumnType: {"2.4.4", Error},
	RuleMatrix: {"2.3.4.1", Error}, RuleRowCount: {"2.3.4.4", Error}, RuleRowIndex: {"2.3.4.3", Error},
	RuleRowID: {"2.3.4.4.1", Error}, RuleRowVer: {realFiles, Error}, RuleRowBits: {"2.3.4.4.1", Error},
	RuleNameStream: {"2.4.7", Error}, RuleNameBuckets: {"2.4.7.5", Error}, RuleNameGUID: {"2.4.7.2", Error},
	RuleNameIndex: {"2.4.7.1", Error}, RuleNameString: {"2.4.7.4", Error}, RuleNameTwice: {"2.4.7.5", Error},
	RuleNameBucket: {"2.4.7.5", Error}, RuleNameHash: {"2.4.7.5", Error}, RuleNameUnknown: {"2.4.2.2", Error},
	RuleMandatory: {"2.7.1", Error}, RuleReserved: {realFiles, Error}, RuleParent: {"2.2.2.7.7.4.1", Error},
	RuleStore: {"2.4.3.1", Error}, RuleEntryID: {"2.4.3.2", Error}, RuleActivity: {"2.4.8.4.2", Error},
	RuleReceive: {realFiles, Error}, RuleTemplateRows: {"2.4.4.9", Error}, RuleFolder: {"2.4.4.1.1", Error},
	RuleFolderNodes: {"2.4.4", Error}, RuleSubfolders: {"2.4.4.1.1", Error}, RuleContentCount: {"2.4.4.1.1", Error},
	RuleUnread: {"2.4.4.1.1", Error}, RuleHierarchyRow: {"2.4.4.3", Error}, RuleContentsRow: {"2.4.4.3", Error},
	RuleRowDangling: {"2.4.4.5.2", Error}, RuleRowType: {"2.2.2.1", Error}, RuleListedTwice: {"2.4.5.2", Error},
	RuleOrphan: {"2.4.4.5.2", Error}, RuleOrphanFolder: {"2.4.4.4.2", Error}, RuleOrphanTable: {"2.4.4", Error},
	RuleCircle: {"2.4.4.1.2", Error}, RuleMessage: {"2.4.5.1.1", Error}, RuleMessageStatus: {"2.4.5.1.1", Error},
	RuleMessageSize: {"2.4.5.1.1", Advice}, RuleRecipients: {"2.4.5.3", Error}, RuleHasAttach: {"2.4.6", Error},
	RuleAttachTable: {"2.4.6", Error}, RuleAttachCount: {"2.4.6", Error}, RuleAttachment: {"2.4.6.2.1", Error},
	RuleAttachSize: {"2.4.6.2.1", Error}, RuleAttachRow: {"2.4.6.3", Error}, RuleEmbedded: {"2.4.6.2.2", Error},
	RuleEmbeddedSize: {"2.3.3.5", Error}, RuleDepth: {realFiles, Error},
}
