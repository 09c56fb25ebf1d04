package check

import (
	"maps"
	"slices"
)

// info is what is known of a rule.
type info struct {
	section  string
	severity Severity
}

// realFiles is the section of rules that come from what files of Outlook have in common, and from what
// Outlook and scanpst are known to mend in files of others.
const realFiles = "real files"

// Rules are all rules, in the order of their names.
func Rules() []Rule { return slices.Sorted(maps.Keys(rules)) }

// Section is where a rule comes from: a section of [MS-PST], or "real files".
func (r Rule) Section() string { return rules[r].section }

// Severity is that of all findings of a rule.
func (r Rule) Severity() Severity { return rules[r].severity }

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
	RulePadding: {"2.2.2.7.7.1", Error}, RuleKeyFirst: {"2.2.2.7.7.2", Error}, RuleKeyRange: {"2.2.2.7.7.2", Error}, RuleKeyTwice: {"2.2.2.7.7.1", Error},
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
	RuleHeapGap: {"2.3.1.5", Error}, RuleHeapFill: {"2.3.1.2", Error}, RuleHeapShared: {realFiles, Error}, RuleHeapUnused: {realFiles, Advice}, RuleTreeHead: {"2.3.2.1", Error},
	RuleTreeSizes: {"2.3.2.1", Error}, RuleTreeLevel: {"2.3.2.1", Error}, RuleTreeItem: {"2.3.2.2", Error},
	RuleTreeKey: {"2.3.2.2", Error}, RuleTreeOrder: {"2.3.2.3", Error}, RuleType: {"2.3.3.3", Error},
	RuleBoolean: {"2.3.3.3", Error}, RuleValueItem: {"2.3.3.2", Error}, RuleValueNode: {"2.3.3.2", Error},
	RuleValueUnused: {realFiles, Advice}, RuleValueType: {"2.3.3.2", Error}, RuleValueSize: {"2.3.3.3", Error}, RuleText: {"2.3.3.3", Error},
	RuleList: {"2.3.3.4.2", Error}, RuleTableHead: {"2.3.4.1", Error}, RuleTableIndex: {"2.3.4.1", Error}, RuleTableEnds: {"2.3.4.1", Error},
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
	RuleMessageSize: {"2.4.5.1.1", Advice}, RuleRecipients: {"2.4.5.3", Error}, RuleRecipientType: {"2.4.5.3.1", Error}, RuleSubnode: {realFiles, Error}, RuleHasAttach: {"2.4.6", Error},
	RuleAttachTable: {"2.4.6", Error}, RuleAttachCount: {"2.4.6", Error}, RuleAttachment: {"2.4.6.2.1", Error},
	RuleAttachSize: {"2.4.6.2.1", Error}, RuleAttachRow: {"2.4.6.3", Error}, RuleEmbedded: {"2.4.6.2.2", Error},
	RuleEmbeddedSize: {"2.3.3.5", Error}, RuleDepth: {realFiles, Error},
}
