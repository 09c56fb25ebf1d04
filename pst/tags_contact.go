package pst

// Properties of contacts, [MS-OXOCNTC] 2.2.1, and where nothing else is said
// [MS-OXOABK] 2.2.4; [MS-OXPROPS] for the numbers. Those that the real contact of the samples
// has were compared with it.
const (
	PidTagAccount                                    Tag = 0x3A00001F
	PidTagCallbackTelephoneNumber                    Tag = 0x3A02001F
	PidTagGeneration                                 Tag = 0x3A05001F // the suffix of a name: Jr., III
	PidTagGivenName                                  Tag = 0x3A06001F
	PidTagGovernmentIdNumber                         Tag = 0x3A07001F
	PidTagBusinessTelephoneNumber                    Tag = 0x3A08001F
	PidTagHomeTelephoneNumber                        Tag = 0x3A09001F
	PidTagInitials                                   Tag = 0x3A0A001F
	PidTagLanguage                                   Tag = 0x3A0C001F
	PidTagLocation                                   Tag = 0x3A0D001F
	PidTagOrganizationalIdNumber                     Tag = 0x3A10001F
	PidTagSurname                                    Tag = 0x3A11001F
	PidTagPostalAddress                              Tag = 0x3A15001F // the mailing address as a whole
	PidTagCompanyName                                Tag = 0x3A16001F
	PidTagTitle                                      Tag = 0x3A17001F
	PidTagDepartmentName                             Tag = 0x3A18001F
	PidTagOfficeLocation                             Tag = 0x3A19001F
	PidTagPrimaryTelephoneNumber                     Tag = 0x3A1A001F
	PidTagBusiness2TelephoneNumber                   Tag = 0x3A1B001F
	PidTagMobileTelephoneNumber                      Tag = 0x3A1C001F
	PidTagRadioTelephoneNumber                       Tag = 0x3A1D001F
	PidTagCarTelephoneNumber                         Tag = 0x3A1E001F
	PidTagOtherTelephoneNumber                       Tag = 0x3A1F001F
	PidTagPagerTelephoneNumber                       Tag = 0x3A21001F
	PidTagPrimaryFaxNumber                           Tag = 0x3A23001F
	PidTagBusinessFaxNumber                          Tag = 0x3A24001F
	PidTagHomeFaxNumber                              Tag = 0x3A25001F
	PidTagCountry                                    Tag = 0x3A26001F // this and the next five: the mailing address
	PidTagLocality                                   Tag = 0x3A27001F
	PidTagStateOrProvince                            Tag = 0x3A28001F
	PidTagStreetAddress                              Tag = 0x3A29001F
	PidTagPostalCode                                 Tag = 0x3A2A001F
	PidTagPostOfficeBox                              Tag = 0x3A2B001F
	PidTagTelexNumber                                Tag = 0x3A2C001F
	PidTagIsdnNumber                                 Tag = 0x3A2D001F
	PidTagAssistantTelephoneNumber                   Tag = 0x3A2E001F
	PidTagHome2TelephoneNumber                       Tag = 0x3A2F001F
	PidTagAssistant                                  Tag = 0x3A30001F
	PidTagWeddingAnniversary                         Tag = 0x3A410040 // the day at 11:59 UTC, 2.2.1.5.4
	PidTagBirthday                                   Tag = 0x3A420040 // the day at 11:59 UTC, 2.2.1.5.1
	PidTagHobbies                                    Tag = 0x3A43001F
	PidTagMiddleName                                 Tag = 0x3A44001F
	PidTagDisplayNamePrefix                          Tag = 0x3A45001F
	PidTagProfession                                 Tag = 0x3A46001F
	PidTagReferredByName                             Tag = 0x3A47001F
	PidTagSpouseName                                 Tag = 0x3A48001F
	PidTagComputerNetworkName                        Tag = 0x3A49001F
	PidTagCustomerId                                 Tag = 0x3A4A001F
	PidTagTelecommunicationsDeviceForDeafPhoneNumber Tag = 0x3A4B001F // PidTagTelecommunicationsDeviceForDeafTelephoneNumber
	PidTagFtpSite                                    Tag = 0x3A4C001F
	PidTagGender                                     Tag = 0x3A4D0002 // 0 not said, 1 female, 2 male
	PidTagManagerName                                Tag = 0x3A4E001F
	PidTagNickname                                   Tag = 0x3A4F001F
	PidTagPersonalHomePage                           Tag = 0x3A50001F
	PidTagBusinessHomePage                           Tag = 0x3A51001F
	PidTagCompanyMainTelephoneNumber                 Tag = 0x3A57001F
	PidTagChildrensNames                             Tag = 0x3A58101F
	PidTagHomeAddressCity                            Tag = 0x3A59001F
	PidTagHomeAddressCountry                         Tag = 0x3A5A001F
	PidTagHomeAddressPostalCode                      Tag = 0x3A5B001F
	PidTagHomeAddressStateOrProvince                 Tag = 0x3A5C001F
	PidTagHomeAddressStreet                          Tag = 0x3A5D001F
	PidTagHomeAddressPostOfficeBox                   Tag = 0x3A5E001F
	PidTagOtherAddressCity                           Tag = 0x3A5F001F
	PidTagOtherAddressCountry                        Tag = 0x3A60001F
	PidTagOtherAddressPostalCode                     Tag = 0x3A61001F
	PidTagOtherAddressStateOrProvince                Tag = 0x3A62001F
	PidTagOtherAddressStreet                         Tag = 0x3A63001F
	PidTagOtherAddressPostOfficeBox                  Tag = 0x3A64001F
)

// Values of PidTagIconIndex of what lies in folders of people, tasks and notes: of the
// real items, and [MS-OXOTASK] 2.2.2.1, [MS-OXONOTE] 2.2.2.2.
const (
	IconContact  = 0x200
	IconDistList = 0x202
	IconTask     = 0x500
	IconNote     = 0x300 // and the colour
)

// Values of PidLidFileUnderId, [MS-OXOCNTC] 2.2.1.1.12: how PidLidFileUnder is made.
const (
	FileUnderNothing          = 0x0000
	FileUnderDisplayName      = 0x3001
	FileUnderGivenName        = 0x3A06
	FileUnderSurname          = 0x3A11
	FileUnderCompany          = 0x3A16
	FileUnderLastFirst        = 0x8017 // Surname, Given Middle
	FileUnderCompanyLastFirst = 0x8018 // the company, and that in a second line
	FileUnderLastFirstCompany = 0x8019
	FileUnderLastFirstSuffix  = 0x8036 // Surname Given Middle Suffix
	FileUnderFirstLastSuffix  = 0x8037 // Given Middle Surname Suffix
	FileUnderByUser           = -1     // 0xFFFFFFFF: it stays as it is
	CharacterSetWestern       = 0x100  // PidLidContactCharacterSet
	PostalAddressHome         = 1      // PidLidPostalAddressId, 2.2.1.3.9
	PostalAddressWork         = 2
	PostalAddressOther        = 3
)

// Bits of PidLidSideEffects, [MS-OXCMSG] 2.2.1.16: what a client has to do first.
const (
	SideEffectOpenToDelete  = 0x0001
	SideEffectCoerceToInbox = 0x0010 // to move or copy into a folder of mail; all that the real contact has
	SideEffectOpenToCopy    = 0x0020
	SideEffectOpenToMove    = 0x0040
	SideEffectOpenForMenu   = 0x0100
)

// Named properties of contacts, [MS-OXOCNTC] 2.2.1.
var (
	PidLidFileUnder                    = address(0x8005, String)
	PidLidFileUnderId                  = address(0x8006, Integer32)
	PidLidHasPicture                   = address(0x8015, Boolean)
	PidLidHomeAddress                  = address(0x801A, String) // as a whole, as the next two
	PidLidWorkAddress                  = address(0x801B, String)
	PidLidOtherAddress                 = address(0x801C, String)
	PidLidPostalAddressId              = address(0x8022, Integer32)
	PidLidContactCharacterSet          = address(0x8023, Integer32)
	PidLidAutoLog                      = address(0x8025, Boolean)
	PidLidFileUnderList                = address(0x8026, Integer32s)
	PidLidAddressBookProviderEmailList = address(0x8028, Integer32s) // which of the addresses there are: 0 to 2 e-mails, 3 to 5 business, home and primary fax
	PidLidAddressBookProviderArrayType = address(0x8029, Integer32)  // the same as bits
	PidLidHtml                         = address(0x802B, String)     // the business web page
	PidLidYomiFirstName                = address(0x802C, String)
	PidLidYomiLastName                 = address(0x802D, String)
	PidLidYomiCompanyName              = address(0x802E, String)
	PidLidWorkAddressStreet            = address(0x8045, String)
	PidLidWorkAddressCity              = address(0x8046, String)
	PidLidWorkAddressState             = address(0x8047, String)
	PidLidWorkAddressPostalCode        = address(0x8048, String)
	PidLidWorkAddressCountry           = address(0x8049, String)
	PidLidWorkAddressPostOfficeBox     = address(0x804A, String)
	PidLidContactUserField1            = address(0x804F, String)
	PidLidContactUserField2            = address(0x8050, String)
	PidLidContactUserField3            = address(0x8051, String)
	PidLidContactUserField4            = address(0x8052, String)
	PidLidInstantMessagingAddress      = address(0x8062, String)
	PidLidFreeBusyLocation             = address(0x80D8, String)
	PidLidHomeAddressCountryCode       = address(0x80DA, String)
	PidLidWorkAddressCountryCode       = address(0x80DB, String)
	PidLidOtherAddressCountryCode      = address(0x80DC, String)
	PidLidAddressCountryCode           = address(0x80DD, String)
	PidLidBirthdayLocal                = address(0x80DE, Time) // the day at 0:00, without conversion, 2.2.1.5.2
	PidLidWeddingAnniversaryLocal      = address(0x80DF, Time)
	PidLidBilling                      = Named{Set: PSETIDCommon, LID: 0x8535, Type: String}
)

// Named properties of groups (personal distribution lists), [MS-OXOCNTC] 2.2.2.
var (
	PidLidDistributionListChecksum      = address(0x804C, Integer32) // Checksum of the members, one after the other
	PidLidDistributionListName          = address(0x8053, String)
	PidLidDistributionListOneOffMembers = address(0x8054, Binaries)
	PidLidDistributionListMembers       = address(0x8055, Binaries)
	PidLidDistributionListStream        = address(0x8064, Binary) // instead of the others where they would be 15,000 bytes or longer
)

// An AddressSet is the five properties of one electronic address of a contact.
type AddressSet struct {
	DisplayName         Named
	AddressType         Named
	EmailAddress        Named
	OriginalDisplayName Named
	OriginalEntryID     Named
}

// The electronic addresses that a contact has places for, [MS-OXOCNTC] 2.2.1.2:
// e-mails 1 to 3, and as addresses of the type FAX the business, the home and the
// primary fax. The latter have no display name.
var (
	PidLidEmails = [3]AddressSet{addressSet(0x8080), addressSet(0x8090), addressSet(0x80A0)}
	PidLidFaxes  = [3]AddressSet{addressSet(0x80B0), addressSet(0x80C0), addressSet(0x80D0)}
)

// Named properties of tasks, [MS-OXOTASK] 2.2.2.2.
var (
	PidLidTaskStatus          = task(0x8101, Integer32) // see TaskNotStarted and the others
	PidLidPercentComplete     = task(0x8102, Float64)   // 0 to 1
	PidLidTeamTask            = task(0x8103, Boolean)
	PidLidTaskStartDate       = task(0x8104, Time) // midnight of the user, without conversion
	PidLidTaskDueDate         = task(0x8105, Time) // as that
	PidLidTaskResetReminder   = task(0x8107, Boolean)
	PidLidTaskAccepted        = task(0x8108, Boolean)
	PidLidTaskDeadOccurrence  = task(0x8109, Boolean)
	PidLidTaskDateCompleted   = task(0x810F, Time)      // midnight of the user, in UTC
	PidLidTaskActualEffort    = task(0x8110, Integer32) // minutes
	PidLidTaskEstimatedEffort = task(0x8111, Integer32) // minutes
	PidLidTaskVersion         = task(0x8112, Integer32)
	PidLidTaskState           = task(0x8113, Integer32) // 1: not assigned
	PidLidTaskLastUpdate      = task(0x8115, Time)
	PidLidTaskRecurrence      = task(0x8116, Binary)
	PidLidTaskComplete        = task(0x811C, Boolean)
	PidLidTaskFCreator        = task(0x811E, Boolean)
	PidLidTaskOwner           = task(0x811F, String)
	PidLidTaskAssigner        = task(0x8121, String)
	PidLidTaskOrdinal         = task(0x8123, Integer32)
	PidLidTaskNoCompute       = task(0x8124, Boolean)
	PidLidTaskFRecurring      = task(0x8126, Boolean)
	PidLidTaskRole            = task(0x8127, String)
	PidLidTaskOwnership       = task(0x8129, Integer32) // 0: not assigned
	PidLidTaskAcceptanceState = task(0x812A, Integer32)
	PidLidTaskFFixOffline     = task(0x812C, Boolean)
)

// Values of PidLidTaskStatus, [MS-OXOTASK] 2.2.2.2.2.
const (
	TaskNotStarted = 0
	TaskInProgress = 1
	TaskComplete   = 2
	TaskWaiting    = 3
	TaskDeferred   = 4
)

// Named properties of sticky notes, [MS-OXONOTE] 2.2.1: the colour (blue, green,
// pink, yellow, white), and size and place on the screen in pixels.
var (
	PidLidNoteColor  = note(0x8B00)
	PidLidNoteWidth  = note(0x8B02)
	PidLidNoteHeight = note(0x8B03)
	PidLidNoteX      = note(0x8B04)
	PidLidNoteY      = note(0x8B05)
)

func address(lid uint32, t Type) Named { return Named{Set: PSETIDAddress, LID: lid, Type: t} }
func task(lid uint32, t Type) Named    { return Named{Set: PSETIDTask, LID: lid, Type: t} }
func note(lid uint32) Named            { return Named{Set: PSETIDNote, LID: lid, Type: Integer32} }

func addressSet(lid uint32) AddressSet {
	return AddressSet{
		DisplayName: address(lid, String), AddressType: address(lid+2, String), EmailAddress: address(lid+3, String),
		OriginalDisplayName: address(lid+4, String), OriginalEntryID: address(lid+5, Binary),
	}
}
