package pst

// Properties of appointments and meetings, [MS-OXOCAL] 2.2; the numbers are those of
// [MS-OXPROPS].
var (
	PidLidSendMeetingAsIcal                         = Named{Set: PSETIDAppointment, LID: 0x8200, Type: Boolean}
	PidLidAppointmentSequence                       = Named{Set: PSETIDAppointment, LID: 0x8201, Type: Integer32}
	PidLidBusyStatus                                = Named{Set: PSETIDAppointment, LID: 0x8205, Type: Integer32} // 0 free, 1 tentative, 2 busy, 3 out of office, 4 elsewhere
	PidLidFExceptionalBody                          = Named{Set: PSETIDAppointment, LID: 0x8206, Type: Boolean}
	PidLidAppointmentAuxiliaryFlags                 = Named{Set: PSETIDAppointment, LID: 0x8207, Type: Integer32}
	PidLidLocation                                  = Named{Set: PSETIDAppointment, LID: 0x8208, Type: String}
	PidLidAppointmentStartWhole                     = Named{Set: PSETIDAppointment, LID: 0x820D, Type: Time}
	PidLidAppointmentEndWhole                       = Named{Set: PSETIDAppointment, LID: 0x820E, Type: Time}
	PidLidAppointmentDuration                       = Named{Set: PSETIDAppointment, LID: 0x8213, Type: Integer32} // minutes
	PidLidAppointmentColor                          = Named{Set: PSETIDAppointment, LID: 0x8214, Type: Integer32}
	PidLidAppointmentSubType                        = Named{Set: PSETIDAppointment, LID: 0x8215, Type: Boolean} // whole days
	PidLidAppointmentRecur                          = Named{Set: PSETIDAppointment, LID: 0x8216, Type: Binary}
	PidLidAppointmentStateFlags                     = Named{Set: PSETIDAppointment, LID: 0x8217, Type: Integer32} // see StateMeeting and the others
	PidLidResponseStatus                            = Named{Set: PSETIDAppointment, LID: 0x8218, Type: Integer32}
	PidLidRecurring                                 = Named{Set: PSETIDAppointment, LID: 0x8223, Type: Boolean}
	PidLidIntendedBusyStatus                        = Named{Set: PSETIDAppointment, LID: 0x8224, Type: Integer32}
	PidLidExceptionReplaceTime                      = Named{Set: PSETIDAppointment, LID: 0x8228, Type: Time}
	PidLidFInvited                                  = Named{Set: PSETIDAppointment, LID: 0x8229, Type: Boolean}
	PidLidRecurrenceType                            = Named{Set: PSETIDAppointment, LID: 0x8231, Type: Integer32} // 0 none, 1 daily to 4 yearly
	PidLidRecurrencePattern                         = Named{Set: PSETIDAppointment, LID: 0x8232, Type: String}
	PidLidTimeZoneStruct                            = Named{Set: PSETIDAppointment, LID: 0x8233, Type: Binary}
	PidLidTimeZoneDescription                       = Named{Set: PSETIDAppointment, LID: 0x8234, Type: String}
	PidLidClipStart                                 = Named{Set: PSETIDAppointment, LID: 0x8235, Type: Time}
	PidLidClipEnd                                   = Named{Set: PSETIDAppointment, LID: 0x8236, Type: Time}
	PidLidAllAttendeesString                        = Named{Set: PSETIDAppointment, LID: 0x8238, Type: String}
	PidLidToAttendeesString                         = Named{Set: PSETIDAppointment, LID: 0x823B, Type: String}
	PidLidCcAttendeesString                         = Named{Set: PSETIDAppointment, LID: 0x823C, Type: String}
	PidLidAppointmentCounterProposal                = Named{Set: PSETIDAppointment, LID: 0x8257, Type: Boolean}
	PidLidAppointmentNotAllowPropose                = Named{Set: PSETIDAppointment, LID: 0x825A, Type: Boolean}
	PidLidAppointmentTimeZoneDefinitionStartDisplay = Named{Set: PSETIDAppointment, LID: 0x825E, Type: Binary}
	PidLidAppointmentTimeZoneDefinitionEndDisplay   = Named{Set: PSETIDAppointment, LID: 0x825F, Type: Binary}
	PidLidAppointmentTimeZoneDefinitionRecur        = Named{Set: PSETIDAppointment, LID: 0x8260, Type: Binary}

	PidLidWhere               = Named{Set: PSETIDMeeting, LID: 0x0002, Type: String}
	PidLidGlobalObjectId      = Named{Set: PSETIDMeeting, LID: 0x0003, Type: Binary}
	PidLidIsRecurring         = Named{Set: PSETIDMeeting, LID: 0x0005, Type: Boolean}
	PidLidIsException         = Named{Set: PSETIDMeeting, LID: 0x000A, Type: Boolean}
	PidLidCleanGlobalObjectId = Named{Set: PSETIDMeeting, LID: 0x0023, Type: Binary}

	PidLidAgingDontAgeMe = Named{Set: PSETIDCommon, LID: 0x850E, Type: Boolean}
	PidLidSmartNoAttach  = Named{Set: PSETIDCommon, LID: 0x8514, Type: Boolean}

	// PidNameCalendarLines is of this library: content lines of iCalendar for which
	// Outlook has no property. Outlook keeps such properties and does not show them.
	PidNameCalendarLines = Named{Set: PSPublicStrings, Name: "urn:ietf:rfc:5545:lines", Type: Strings}
)

// Properties by tag that appointments have besides those of all messages.
const (
	PidTagStartDate         Tag = 0x00600040
	PidTagEndDate           Tag = 0x00610040
	PidTagResponseRequested Tag = 0x0063000B
	PidTagReplyRequested    Tag = 0x0C17000B
)

// Bits of PidLidAppointmentStateFlags, [MS-OXOCAL] 2.2.1.10.
const (
	StateMeeting  = 1
	StateReceived = 2
	StateCanceled = 4
)

// Bits of PidTagRecipientFlags, [MS-OXOCAL] 2.2.4.10.1.
const (
	RecipientSendable  = 1
	RecipientOrganizer = 2
)

// Classes of appointments, and of the messages that exceptions of a series are.
const (
	ClassAppointment = "IPM.Appointment"
	ClassException   = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}"
)
