package pst

// Properties of a store and of folders, [MS-PST] 2.4.3, 2.4.4 and 2.7.3;
// [MS-OXPROPS] for the names.
const (
	PidTagRecordKey                    Tag = 0x0FF90102 // 16 bytes, part of every entry id of the file
	PidTagDisplayName                  Tag = 0x3001001F // of a store, a folder, a recipient or an attachment
	PidTagComment                      Tag = 0x3004001F
	PidTagValidFolderMask              Tag = 0x35DF0003
	PidTagIpmSubTreeEntryId            Tag = 0x35E00102
	PidTagIpmWastebasketEntryId        Tag = 0x35E30102
	PidTagViewsEntryId                 Tag = 0x35E50102
	PidTagCommonViewsEntryId           Tag = 0x35E60102
	PidTagFinderEntryId                Tag = 0x35E70102
	PidTagContentCount                 Tag = 0x36020003 // items of a folder
	PidTagContentUnreadCount           Tag = 0x36030003
	PidTagSubfolders                   Tag = 0x360A000B
	PidTagContainerClass               Tag = 0x3613001F // IPF.Note, IPF.Contact, IPF.Appointment, IPF.Task, IPF.StickyNote
	PidTagPstHiddenCount               Tag = 0x66350003
	PidTagPstHiddenUnread              Tag = 0x66360003
	PidTagPstPassword                  Tag = 0x67FF0003 // a checksum of the password; 0 for none. It keeps nothing secret
	PidTagPstHasContents               Tag = 0x6633000B // PidTagPstBodyHasContents: true in every file of Outlook
	PidTagReplItemid                   Tag = 0x0E300102 // Binary in real files, Integer32 in the text of [MS-PST]
	PidTagReplChangenum                Tag = 0x0E330014
	PidTagReplVersionHistory           Tag = 0x0E340102
	PidTagReplFlags                    Tag = 0x0E380003
	PidTagReplCopiedfromVersionhistory Tag = 0x0E3C0102
	PidTagReplCopiedfromItemid         Tag = 0x0E3D0102
	PidTagSecureSubmitFlags            Tag = 0x65C60003
	PidTagLtpParentNid                 Tag = 0x67F10003
	PidTagLtpRowId                     Tag = 0x67F20003 // the NID of the row's object
	PidTagLtpRowVer                    Tag = 0x67F30003 // unique in a table
)

// Columns of the tables of a blank store of Outlook that no item of ours has, [MS-PST]
// 2.4.4.6.1 and 2.4.8.6.2.1, and those of the receive folder table and the outgoing
// queue, which [MS-PST] does not describe.
const (
	PidTagParentDisplay                         Tag = 0x0E05001F
	PidTagExchangeRemoteHeader                  Tag = 0x0E2A000B
	PidTagOutgoingQueueEntry                    Tag = 0x0E100003 // our name
	PidTagSubmitFlags                           Tag = 0x0E140003
	PidTagReceiveFolder                         Tag = 0x66050003 // our name: the NID of the folder
	PidTagSearchCriteriaState                   Tag = 0x660B0003 // our name: 0 in the criteria of the spam search folder
	PidTagOfflineAddressBookName                Tag = 0x6800001F
	PidTagSendOutlookRecallReport               Tag = 0x6803000B
	PidTagOfflineAddressBookTruncatedProperties Tag = 0x68051003
	PidTagViewDescriptorFolderName              Tag = 0x682F001F // our name
	PidTagViewDescriptorFlags                   Tag = 0x70030003
	PidTagViewDescriptorLinkTo                  Tag = 0x70040102
	PidTagViewDescriptorViewFolder              Tag = 0x70050102
	PidTagViewDescriptorName                    Tag = 0x7006001F
	PidTagViewDescriptorVersion                 Tag = 0x70070003
	PidTagPstVersion                            Tag = 0x66FA0003 // our name: 0x000E0011 in every store of Outlook
)

// The ids of properties of the name-to-id map, [MS-PST] 2.4.7.
const (
	PidTagNameidBucketCount  Tag = 0x00010003 // 251
	PidTagNameidStreamGuid   Tag = 0x00020102
	PidTagNameidStreamEntry  Tag = 0x00030102
	PidTagNameidStreamString Tag = 0x00040102
	PidTagNameidBucketBase   Tag = 0x10000102 // the first of the buckets
)
