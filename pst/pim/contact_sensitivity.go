package pim

// Importance is [MS-OXCMSG] 2.2.1.11, with the ordinary one as the zero value.
type Importance int32

// The importances.
const (
	Unimportant Importance = iota - 1
	Ordinary
	Important
)

// Sensitivity is [MS-OXCMSG] 2.2.1.13.
type Sensitivity int32

// The values of PidTagSensitivity.
const (
	Public Sensitivity = iota
	Personal
	Private
	Confidential
)
