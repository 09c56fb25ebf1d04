package pst

// Properties of a store and of folders, [MS-PST] 2.4.3, 2.4.4 and 2.7.3;
// [MS-OXPROPS] for the names.
const (
	PidTagRecordKey             Tag = 0x0FF90102 // 16 bytes, part of every entry id of the file
	PidTagDisplayName           Tag = 0x3001001F // of a store, a folder, a recipient or an attachment
	PidTagComment               Tag = 0x3004001F
	PidTagValidFolderMask       Tag = 0x35DF0003
	PidTagIpmSubTreeEntryId     Tag = 0x35E00102
	PidTagIpmWastebasketEntryId Tag = 0x35E30102
	PidTagViewsEntryId          Tag = 0x35E50102
	PidTagCommonViewsEntryId    Tag = 0x35E60102
	PidTagFinderEntryId         Tag = 0x35E70102
	PidTagContentCount          Tag = 0x36020003 // items of a folder
	PidTagContentUnreadCount    Tag = 0x36030003
	PidTagSubfolders            Tag = 0x360A000B
	PidTagContainerClass        Tag = 0x3613001F // IPF.Note, IPF.Contact, IPF.Appointment, IPF.Task, IPF.StickyNote
	PidTagPstHiddenCount        Tag = 0x66350003
	PidTagPstHiddenUnread       Tag = 0x66360003
	PidTagPstPassword           Tag = 0x67FF0003 // a checksum of the password; 0 for none. It keeps nothing secret
	PidTagPstHasContents        Tag = 0x6633000B // PidTagPstBodyHasContents: true in every file of Outlook
	PidTagReplItemid            Tag = 0x0E300102 // Binary in real files, Integer32 in the text of [MS-PST]
	PidTagReplChangenum         Tag = 0x0E330014
	PidTagReplVersionHistory    Tag = 0x0E340102
	PidTagReplFlags             Tag = 0x0E380003
	PidTagLtpRowId              Tag = 0x67F20003 // the NID of the row's object
	PidTagLtpRowVer             Tag = 0x67F30003 // unique in a table
)

// The ids of properties of the name-to-id map, [MS-PST] 2.4.7.
const (
	PidTagNameidBucketCount  Tag = 0x00010003 // 251
	PidTagNameidStreamGuid   Tag = 0x00020102
	PidTagNameidStreamEntry  Tag = 0x00030102
	PidTagNameidStreamString Tag = 0x00040102
	PidTagNameidBucketBase   Tag = 0x10000102 // the first of the buckets
)
