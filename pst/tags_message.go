package pst

// Properties of messages, recipients and attachments, [MS-PST] 2.4.5 and 2.4.6;
// [MS-OXPROPS] for the names, [MS-OXCMSG], [MS-OXOMSG] and [MS-OXOCAL] for
// what they mean.
const (
	PidTagMessageClass                      Tag = 0x001A001F // IPM.Note, IPM.Contact, IPM.Appointment and so on
	PidTagImportance                        Tag = 0x00170003 // 0 low, 1 normal, 2 high
	PidTagPriority                          Tag = 0x00260003 // -1 non-urgent, 0 normal, 1 urgent
	PidTagSensitivity                       Tag = 0x00360003 // 0 none, 1 personal, 2 private, 3 confidential
	PidTagReadReceiptRequested              Tag = 0x0029000B
	PidTagOriginatorDeliveryReportRequested Tag = 0x0023000B
	PidTagSubject                           Tag = 0x0037001F // may begin with U+0001 and the length of its prefix plus 1, [MS-PST] 2.5.3.1.1
	PidTagSubjectPrefix                     Tag = 0x003D001F
	PidTagNormalizedSubject                 Tag = 0x0E1D001F
	PidTagClientSubmitTime                  Tag = 0x00390040 // sent
	PidTagSentRepresentingSearchKey         Tag = 0x003B0102
	PidTagSentRepresentingEntryId           Tag = 0x00410102
	PidTagSentRepresentingName              Tag = 0x0042001F
	PidTagSentRepresentingAddressType       Tag = 0x0064001F
	PidTagSentRepresentingEmailAddress      Tag = 0x0065001F
	PidTagSentRepresentingSmtpAddress       Tag = 0x5D02001F
	PidTagReceivedByName                    Tag = 0x0040001F
	PidTagReplyRecipientEntries             Tag = 0x004F0102 // FLATENTRYLIST
	PidTagReplyRecipientNames               Tag = 0x0050001F
	PidTagMessageToMe                       Tag = 0x0057000B
	PidTagMessageCcMe                       Tag = 0x0058000B
	PidTagConversationTopic                 Tag = 0x0070001F
	PidTagConversationIndex                 Tag = 0x00710102 // 22 bytes and 5 for each answer, [MS-OXOMSG] 2.2.1.3
	PidTagConversationId                    Tag = 0x30130102 // 16 bytes
	PidTagConversationIndexTracking         Tag = 0x3016000B // the GUID of the index is the conversation, [MS-PST] 5.4
	PidTagTransportMessageHeaders           Tag = 0x007D001F // the header block of the mail
	PidTagSenderEntryId                     Tag = 0x0C190102
	PidTagSenderName                        Tag = 0x0C1A001F
	PidTagSenderSearchKey                   Tag = 0x0C1D0102
	PidTagSenderAddressType                 Tag = 0x0C1E001F
	PidTagSenderEmailAddress                Tag = 0x0C1F001F
	PidTagSenderSmtpAddress                 Tag = 0x5D01001F
	PidTagDisplayBcc                        Tag = 0x0E02001F // names, joined by "; "
	PidTagDisplayCc                         Tag = 0x0E03001F
	PidTagDisplayTo                         Tag = 0x0E04001F
	PidTagMessageDeliveryTime               Tag = 0x0E060040 // received
	PidTagMessageFlags                      Tag = 0x0E070003 // see FlagRead and the others
	PidTagMessageSize                       Tag = 0x0E080003 // bytes; advisory
	PidTagMessageStatus                     Tag = 0x0E170003
	PidTagHasAttachments                    Tag = 0x0E1B000B // computed by clients from MessageFlags
	PidTagInternetArticleNumber             Tag = 0x0E230003
	PidTagBody                              Tag = 0x1000001F // plain text
	PidTagRtfCompressed                     Tag = 0x10090102 // [MS-OXRTFCP]
	PidTagRtfInSync                         Tag = 0x0E1F000B // the RTF and the text are one, [MS-OXCMSG] 2.2.1.56.5
	PidTagHtml                              Tag = 0x10130102 // bytes in the code page of PidTagInternetCodepage
	PidTagNativeBody                        Tag = 0x10160003 // 1 text, 2 RTF, 3 HTML; [MS-OXCMSG] 2.2.1.56.2
	PidTagInternetMessageId                 Tag = 0x1035001F // with its angle brackets
	PidTagInternetReferences                Tag = 0x1039001F
	PidTagInReplyToId                       Tag = 0x1042001F
	PidTagIconIndex                         Tag = 0x10800003
	PidTagLastVerbExecuted                  Tag = 0x10810003 // 102 replied, 103 replied to all, 104 forwarded
	PidTagLastVerbExecutionTime             Tag = 0x10820040
	PidTagFlagStatus                        Tag = 0x10900003 // 1 done, 2 flagged
	PidTagFollowupIcon                      Tag = 0x10950003
	PidTagItemTemporaryFlags                Tag = 0x10970003
	PidTagCreationTime                      Tag = 0x30070040
	PidTagLastModificationTime              Tag = 0x30080040
	PidTagSearchKey                         Tag = 0x300B0102 // 16 bytes of a message, an address of a recipient
	PidTagMessageLocaleId                   Tag = 0x3FF10003
	PidTagInternetCodepage                  Tag = 0x3FDE0003 // of PidTagHtml; 65001 is UTF-8
	PidTagMessageCodepage                   Tag = 0x3FFD0003 // of 8-bit texts
	PidTagRecipientType                     Tag = 0x0C150003 // 1 To, 2 Cc, 3 Bcc
	PidTagResponsibility                    Tag = 0x0E0F000B
	PidTagObjectType                        Tag = 0x0FFE0003 // 6 for a person
	PidTagEntryId                           Tag = 0x0FFF0102
	PidTagAddressType                       Tag = 0x3002001F // SMTP
	PidTagEmailAddress                      Tag = 0x3003001F
	PidTagDisplayType                       Tag = 0x39000003 // 0 for a person
	PidTagAddressBookDisplayNamePrintable   Tag = 0x39FF001F
	PidTagSmtpAddress                       Tag = 0x39FE001F
	PidTagSendRichInfo                      Tag = 0x3A40000B
	PidTagRecipientFlags                    Tag = 0x5FFD0003
	PidTagRecipientTrackStatus              Tag = 0x5FFF0003
	PidTagAttachSize                        Tag = 0x0E200003 // bytes of all values of the attachment
	PidTagAttachNumber                      Tag = 0x0E210003
	PidTagAttachDataBinary                  Tag = 0x37010102 // the content by value
	PidTagAttachDataObject                  Tag = 0x3701000D // an embedded message
	PidTagAttachEncoding                    Tag = 0x37020102
	PidTagAttachExtension                   Tag = 0x3703001F // with the dot
	PidTagAttachFilename                    Tag = 0x3704001F // 8.3
	PidTagAttachMethod                      Tag = 0x37050003 // see AttachByValue and the others
	PidTagAttachLongFilename                Tag = 0x3707001F
	PidTagAttachPathname                    Tag = 0x3708001F
	PidTagAttachRendering                   Tag = 0x37090102
	PidTagRenderingPosition                 Tag = 0x370B0003 // -1 for none
	PidTagAttachLongPathname                Tag = 0x370D001F // the address of a link
	PidTagAttachMimeTag                     Tag = 0x370E001F // the media type
	PidTagAttachTag                         Tag = 0x370A0102
	PidTagAttachAdditionalInformation       Tag = 0x370F0102
	PidTagAttachContentBase                 Tag = 0x3711001F
	PidTagAttachContentId                   Tag = 0x3712001F // without angle brackets
	PidTagAttachContentLocation             Tag = 0x3713001F
	PidTagAttachFlags                       Tag = 0x37140003 // 4: shown within the HTML body
	PidTagAttachmentLinkId                  Tag = 0x7FFA0003
	PidTagExceptionStartTime                Tag = 0x7FFB0040
	PidTagExceptionEndTime                  Tag = 0x7FFC0040
	PidTagAttachmentFlags                   Tag = 0x7FFD0003 // 2: an exception of a recurrence
	PidTagAttachmentHidden                  Tag = 0x7FFE000B
	PidTagAttachmentContactPhoto            Tag = 0x7FFF000B
	PidTagExceptionReplaceTime              Tag = 0x7FF90040
)

// Bits of PidTagMessageFlags, [MS-OXCMSG] 2.2.1.6.
const (
	FlagRead        = 0x01
	FlagUnmodified  = 0x02
	FlagSubmitted   = 0x04
	FlagUnsent      = 0x08
	FlagHasAttach   = 0x10
	FlagFromMe      = 0x20
	FlagAssociated  = 0x40
	FlagResend      = 0x80
	FlagEverRead    = 0x0400
	FlagFromOutside = 0x2000 // mfInternet
)

// Values of PidTagRecipientType, [MS-OXOMSG] 2.2.3.1.
const (
	RecipientOriginator = 0
	RecipientTo         = 1
	RecipientCc         = 2
	RecipientBcc        = 3
)

// Values of PidTagAttachMethod, [MS-OXCMSG] 2.2.2.9.
const (
	AttachNone        = 0
	AttachByValue     = 1 // afByValue
	AttachByLink      = 2 // afByReference
	AttachEmbedded    = 5 // afEmbeddedMessage
	AttachOLE         = 6 // afStorage
	AttachByWebLink   = 7 // afByWebReference
	RenderNowhere     = -1
	AttachShownInline = 4 // PidTagAttachFlags: attRenderedInBody
)

// Values of PidTagNativeBody, [MS-OXCMSG] 2.2.1.56.2.
const (
	NativeText = 1
	NativeRTF  = 2
	NativeHTML = 3
)

// Named properties of mails.
var (
	PidLidFlagRequest  = Named{Set: PSETIDCommon, LID: 0x8530, Type: String}               // what a follow-up flag says, [MS-OXOFLAG] 2.2.1.9
	PidNameContentType = Named{Set: PSInternetHeaders, Name: "Content-Type", Type: String} // of an encrypted mail, [MS-OXOSMIME] 2.1.3.2.1
)
