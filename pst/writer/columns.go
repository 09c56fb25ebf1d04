package writer

import "keepwatch/pst"

// The columns of the tables of a blank store, in the order of their bits. They are
// those that Outlook writes, which differ from the text of [MS-PST] in some: there
// PidTagReplItemid is Integer32 and PidTagContainerClass is Binary.

var hierarchyColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagDisplayName, pst.PidTagContentCount,
	pst.PidTagContentUnreadCount, pst.PidTagSubfolders, pst.PidTagReplItemid, pst.PidTagReplChangenum,
	pst.PidTagReplVersionHistory, pst.PidTagReplFlags, pst.PidTagContainerClass, pst.PidTagPstHiddenCount,
	pst.PidTagPstHiddenUnread,
}

var contentsColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagMessageStatus, pst.PidTagMessageClass,
	pst.PidTagMessageFlags, pst.PidTagImportance, pst.PidTagSentRepresentingName, pst.PidTagSubject,
	pst.PidTagMessageDeliveryTime, pst.PidTagClientSubmitTime, pst.PidTagMessageSize, pst.PidTagDisplayTo,
	pst.PidTagDisplayCc, pst.PidTagMessageToMe, pst.PidTagMessageCcMe, pst.PidTagSensitivity,
	pst.PidTagItemTemporaryFlags, pst.PidTagConversationTopic, pst.PidTagConversationIndex,
	pst.PidTagConversationId, pst.PidTagSecureSubmitFlags, pst.PidTagLastModificationTime,
	pst.PidTagReplItemid, pst.PidTagReplChangenum, pst.PidTagReplVersionHistory,
	pst.PidTagReplCopiedfromItemid, pst.PidTagReplCopiedfromVersionhistory, pst.PidTagReplFlags,
}

var associatedColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagMessageStatus, pst.PidTagMessageClass,
	pst.PidTagMessageFlags, pst.PidTagDisplayName, pst.PidTagViewDescriptorFlags,
	pst.PidTagViewDescriptorLinkTo, pst.PidTagViewDescriptorViewFolder, pst.PidTagViewDescriptorName,
	pst.PidTagViewDescriptorVersion, pst.PidTagOfflineAddressBookName, pst.PidTagSendOutlookRecallReport,
	pst.PidTagOfflineAddressBookTruncatedProperties, pst.PidTagViewDescriptorFolderName,
}

var searchColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagLtpParentNid, pst.PidTagParentDisplay,
	pst.PidTagMessageStatus, pst.PidTagMessageClass, pst.PidTagMessageFlags, pst.PidTagImportance,
	pst.PidTagSentRepresentingName, pst.PidTagSubject, pst.PidTagMessageDeliveryTime, pst.PidTagMessageSize,
	pst.PidTagDisplayTo, pst.PidTagDisplayCc, pst.PidTagMessageToMe, pst.PidTagMessageCcMe,
	pst.PidTagSensitivity, pst.PidTagExchangeRemoteHeader, pst.PidTagLastModificationTime,
}

var receiveColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagReceiveFolder, pst.PidTagMessageClass,
}

var outgoingColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagSubmitFlags, pst.PidTagOutgoingQueueEntry,
	pst.PidTagClientSubmitTime,
}

var attachmentColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagRenderingPosition, pst.PidTagAttachSize,
	pst.PidTagAttachMethod, pst.PidTagAttachFilename,
}

var recipientColumns = []pst.Tag{
	pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagResponsibility, pst.PidTagAddressType,
	pst.PidTagEmailAddress, pst.PidTagEntryId, pst.PidTagDisplayName, pst.PidTagRecipientType,
	pst.PidTagSearchKey, pst.PidTagRecordKey, pst.PidTagObjectType, pst.PidTagDisplayType,
	pst.PidTagSendRichInfo, pst.PidTagAddressBookDisplayNamePrintable,
}

// replColumns, tombColumns and purgeColumns are those of three tables that
// [MS-PST] does not name and that every store of Outlook has: 0x6B6, 0x6D7 and 0x6F8.
var (
	replColumns = []pst.Tag{
		pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagReplChangenum, pst.NewTag(0x0E37, pst.Binary),
		pst.PidTagReplFlags,
	}
	tombColumns = []pst.Tag{
		pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.NewTag(0x0E3E, pst.Binary), pst.NewTag(0x0E31, pst.Binary),
		pst.PidTagReplItemid, pst.PidTagReplFlags, pst.PidTagReplVersionHistory, pst.PidTagReplChangenum,
		pst.PidTagMessageClass,
	}
	purgeColumns = []pst.Tag{
		pst.PidTagLtpRowId, pst.PidTagLtpRowVer, pst.PidTagCreationTime, pst.PidTagReplChangenum,
	}
)

// moreAttachmentColumns are what Outlook adds to the attachment table of a message,
// in its order.
var moreAttachmentColumns = []pst.Tag{
	pst.PidTagAttachTag, pst.PidTagAttachLongPathname, pst.PidTagAttachPathname, pst.PidTagAttachLongFilename,
	pst.PidTagAttachExtension, pst.PidTagDisplayName, pst.PidTagAttachAdditionalInformation,
	pst.PidTagAttachContentBase, pst.PidTagAttachContentLocation, pst.PidTagAttachContentId,
	pst.PidTagAttachMimeTag, pst.PidTagAttachmentFlags, pst.PidTagExceptionStartTime,
	pst.PidTagExceptionEndTime, pst.PidTagAttachmentLinkId, pst.PidTagAttachmentHidden,
	pst.PidTagAttachmentContactPhoto, pst.PidTagExceptionReplaceTime, pst.PidTagAttachFlags,
}

// layouts are those of all tables.
type layouts struct {
	hierarchy, contents, associated, search, receive, outgoing  *layout
	attachments, recipients, repl, tomb, purge, attachmentsMore *layout
}

// newLayouts makes them.
func newLayouts() (*layouts, error) {
	l := &layouts{}
	for _, t := range []struct {
		to   **layout
		tags []pst.Tag
	}{
		{&l.hierarchy, hierarchyColumns},
		{&l.contents, contentsColumns},
		{&l.associated, associatedColumns},
		{&l.search, searchColumns},
		{&l.receive, receiveColumns},
		{&l.outgoing, outgoingColumns},
		{&l.attachments, attachmentColumns},
		{&l.recipients, recipientColumns},
		{&l.repl, replColumns},
		{&l.tomb, tombColumns},
		{&l.purge, purgeColumns},
		{&l.attachmentsMore, append(attachmentColumns[:len(attachmentColumns):len(attachmentColumns)], moreAttachmentColumns...)},
	} {
		made, err := newLayout(t.tags)
		if err != nil {
			return nil, err
		}
		*t.to = made
	}
	return l, nil
}
