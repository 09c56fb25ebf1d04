package pim

import (
	"io"
	"slices"
	"time"
)

// Event is an appointment or a meeting, once or in a series.
//
// Times are moments in the zone of their Location, whose name is that of the zone:
// of the IANA database, of Windows, or what the text called it. One of an event of
// whole days is midnight in its zone.
type Event struct {
	UID      string // of the series; what Outlook made is in hexadecimal digits
	Sequence int
	Subject  string
	Body     string // plain text, with LF
	HTML     string // "" where there is none
	Location string
	URL      string

	Start, End time.Time
	AllDay     bool // whole days: End is the midnight after the last
	Floating   bool // the clock's time wherever one is; Start and End are in UTC

	Busy        Busy
	Importance  Importance
	Sensitivity Sensitivity
	Status      Status
	Response    Response // of the owner of the calendar
	Categories  []string
	Reminder    *time.Duration // before Start; nil for none
	Organizer   *Attendee
	Attendees   []Attendee
	Attachments []Attachment

	Created, Modified time.Time // zero where nobody said

	Rules      []Rule      // when it repeats; Until is UTC, or a date
	Dates      []time.Time // further starts (RDATE)
	Deleted    []time.Time // starts at which it does not take place (EXDATE)
	Exceptions []*Event    // what takes place otherwise: whole events with Original
	Original   time.Time   // of an exception: when it would have started

	// Extra are content lines of iCalendar, and whole parts such as a second
	// VALARM with CRLF between their lines, for which there is no field.
	Extra []string

	// Source is the text of the event in iCalendar, where an item of Outlook
	// cannot say when it repeats. Write attaches it.
	Source []byte
}

// Busy is how the time of an event counts, [MS-OXOCAL] 2.2.1.2.
type Busy int32

// The values of PidLidBusyStatus.
const (
	Free Busy = iota
	Tentative
	Occupied
	OutOfOffice
	Elsewhere
)

// Status is the STATUS of an event.
type Status string

// The statuses of RFC 5545 3.8.1.11. Outlook has only Cancelled; a tentative one is
// Busy: Tentative there.
const (
	Confirmed     Status = "CONFIRMED"
	TentativeYet  Status = "TENTATIVE"
	Cancelled     Status = "CANCELLED"
	StatusUnknown Status = ""
)

// Response is what somebody said to an invitation, [MS-OXOCAL] 2.2.1.11.
type Response int32

// The values of PidLidResponseStatus.
const (
	NoResponse Response = iota
	Organized
	TentativelyAccepted
	Accepted
	Declined
	NotResponded
)

// Role is how somebody takes part.
type Role string

// The roles of RFC 5545 3.2.16, and the two kinds of things that can be invited.
const (
	Required Role = "REQ-PARTICIPANT"
	Optional Role = "OPT-PARTICIPANT"
	Informed Role = "NON-PARTICIPANT" // Optional in an item
	Chair    Role = "CHAIR"           // Required in an item
	Resource Role = "RESOURCE"        // CUTYPE=RESOURCE or ROOM
)

// Attendee is somebody who is invited, or who invites.
type Attendee struct {
	Name   string
	Email  string // or the address as it came, where it is no mailto
	Role   Role
	Status Response
	RSVP   bool
}

// Attachment is what hangs on an item: bytes, or a link.
type Attachment struct {
	Name      string
	MediaType string
	ContentID string
	URL       string // of a link, which has no content
	Open      func() (io.Reader, error)
}

// IsSeries tells whether it repeats.
func (e *Event) IsSeries() bool { return len(e.Rules)+len(e.Dates) > 0 }

// duration is how long it lasts, at least nothing.
func (e *Event) duration() time.Duration { return max(e.End.Sub(e.Start), 0) }

// zone is where its times are counted.
func (e *Event) zone() *time.Location { return e.Start.Location() }

// localDates gives when it happens, as local times carried as UTC, in order, without
// those of Deleted. The iteration may not end.
func (e *Event) localDates(limit int, horizon time.Time) (all []time.Time, cut bool) {
	start := local(e.Start)
	deleted := map[time.Time]bool{}
	for _, t := range e.Deleted {
		deleted[local(t.In(e.zone()))] = true
	}
	add := func(t time.Time) {
		if !deleted[t] {
			all = append(all, t)
		}
	}
	if len(e.Rules) == 0 {
		add(start)
	}
	for _, r := range e.Rules {
		n := 0
		for t := range e.localRule(r).dates(start) {
			if n > limit || t.After(horizon) {
				cut = true
				break
			}
			if !deleted[t] {
				n++
			}
			add(t)
		}
	}
	for _, t := range e.Dates {
		add(local(t.In(e.zone())))
	}
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	if len(all) > limit {
		all, cut = all[:limit], true
	}
	return all, cut
}

// localRule is a rule whose Until is a local time.
func (e *Event) localRule(r Rule) Rule {
	if !r.Until.IsZero() && !r.UntilDate && !e.AllDay && !e.Floating {
		r.Until = local(r.Until.In(e.zone()))
	}
	return r
}
