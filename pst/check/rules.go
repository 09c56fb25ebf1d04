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
	RulePMapFree       Rule = "free bytes of PMaps"   // cbPMapFree is not what the PMaps say: 0 in those of newer versions of Outlook
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
	RulePadding     Rule = "padding"            // of pages and subnode blocks; real files have anything in that of entries
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
