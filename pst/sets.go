package pst

// The property sets, [MS-OXPROPS] 1.3.2.
var (
	PSMapi            = GUID{0x28, 0x03, 0x02, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PS_MAPI: named by their tags
	PSPublicStrings   = GUID{0x29, 0x03, 0x02, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PS_PUBLIC_STRINGS
	PSInternetHeaders = GUID{0x86, 0x03, 0x02, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PS_INTERNET_HEADERS
	PSETIDAppointment = GUID{0x02, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PSETID_Appointment
	PSETIDTask        = GUID{0x03, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PSETID_Task
	PSETIDAddress     = GUID{0x04, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PSETID_Address
	PSETIDCommon      = GUID{0x08, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PSETID_Common
	PSETIDNote        = GUID{0x0E, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}                               // PSETID_Note
	PSETIDMeeting     = GUID{0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0x00, 0xAA, 0x00, 0x3F, 0x13, 0x05} // PSETID_Meeting
)

// Named properties that items of every kind have.
var (
	PidNameKeywords          = Named{Set: PSPublicStrings, Name: "Keywords", Type: Strings} // the categories
	PidLidReminderDelta      = Named{Set: PSETIDCommon, LID: 0x8501, Type: Integer32}       // minutes
	PidLidReminderTime       = Named{Set: PSETIDCommon, LID: 0x8502, Type: Time}
	PidLidReminderSet        = Named{Set: PSETIDCommon, LID: 0x8503, Type: Boolean}
	PidLidReminderSignalTime = Named{Set: PSETIDCommon, LID: 0x8560, Type: Time}
	PidLidPrivate            = Named{Set: PSETIDCommon, LID: 0x8506, Type: Boolean}
	PidLidSideEffects        = Named{Set: PSETIDCommon, LID: 0x8510, Type: Integer32}
	PidLidCommonStart        = Named{Set: PSETIDCommon, LID: 0x8516, Type: Time}
	PidLidCommonEnd          = Named{Set: PSETIDCommon, LID: 0x8517, Type: Time}
	PidLidTaskMode           = Named{Set: PSETIDCommon, LID: 0x8518, Type: Integer32}
	PidLidCurrentVersion     = Named{Set: PSETIDCommon, LID: 0x8552, Type: Integer32}
	PidLidCurrentVersionName = Named{Set: PSETIDCommon, LID: 0x8554, Type: String}
)
