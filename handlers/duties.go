package handlers

import (
	"context"
	"time"

	"keepwatch"
)

// Duties is what the commands about times and people's duties stand on. A part that
// is nil has its commands answer that it is not there.
type Duties struct {
	Rules         Rules
	Occurrences   Occurrences
	Times         Times
	Authenticator Authenticator
	Dossier       Dossier
	Attestations  Attestations
	Walks         Walks
	Checklists    []keepwatch.Checklist
	Warnings      Warnings
	Servers       Servers
	Returns       Returns
	Record        Record
	// Hours gives when a channel may be disturbed.
	Hours func(channel string) keepwatch.Hours
	// Channels are those of the configuration, by their name there: "default".
	Channels map[string]string
	// Speaks reports whether messages can be posted in a channel: its platform is
	// connected.
	Speaks func(channel string) bool
	// Chart draws a report.
	Chart func(keepwatch.Report) ([]byte, error)
	// Post saves messages and has them sent; nil: none can be.
	Post func(out ...keepwatch.Outgoing) error
	// Said is told what people have said in a checklist, once it is saved, so that
	// nobody is asked for it any more; nil: nobody is told.
	Said func(keepwatch.Attestation)
}

// Rules keeps rules.
type Rules interface {
	RuleLists
	// AddRule checks a rule, works out when it comes due first and saves it. One
	// that can never come due is refused. Where there is a rule of the same Request,
	// that one is given.
	AddRule(rule keepwatch.Rule) (keepwatch.Rule, error)
	// ChangeRule changes one (its time, channel, text, pause); what it comes due
	// next is worked out anew. change may be called more than once.
	ChangeRule(id string, change func(*keepwatch.Rule) error) (keepwatch.Rule, error)
	RemoveRule(id string) error
}

// RuleLists finds rules, of which there may be very many.
type RuleLists interface {
	Rule(id string) (keepwatch.Rule, error)
	// RulesAfter gives those behind one, at most limit: those that have a number, in
	// its order, and then those of the configuration. "" is before all.
	RulesAfter(id string, limit int) ([]keepwatch.Rule, error)
	FixedRules() ([]keepwatch.Rule, error)                 // those of the configuration
	RequestRules(request string) ([]keepwatch.Rule, error) // what a request has made: one, if any
	// RulesLike gives those made by chat that say the same at the same times, in
	// whatever place and zone.
	RulesLike(rule keepwatch.Rule) ([]keepwatch.Rule, error)
}

// Occurrences keeps what came due.
type Occurrences interface {
	OpenLists
	Occurrence(id string) (keepwatch.Occurrence, error)
	Occurrences(rule string, limit int) ([]keepwatch.Occurrence, error) // newest first
	// Answer saves what somebody says to an occurrence, and has its messages edited.
	// An answer that was given already, in the same words, changes nothing.
	Answer(id string, a keepwatch.Answer) (keepwatch.Occurrence, error)
	// FireNow makes an occurrence of a rule now, beside those that are due.
	// request is the ID of the request that asks for it: it makes one, however often
	// it is carried out.
	FireNow(rule, by, request string) (keepwatch.Occurrence, error)
}

// OpenLists finds what came due and is not settled, of which there may be very much.
type OpenLists interface {
	// OpenAfter gives what is open behind one, oldest first, at most limit. "" is
	// before all.
	OpenAfter(id string, limit int) ([]keepwatch.Occurrence, error)
	NewestOpen(limit int) ([]keepwatch.Occurrence, error)
	CountOpen() (int64, error)
	OpenOf(rule string) ([]keepwatch.Occurrence, error) // of one rule, oldest first
	// DigestOccurrences gives what was posted in one message, settled or not.
	DigestOccurrences(id string) ([]keepwatch.Occurrence, error)
}

// Times reads what people write about times.
type Times interface {
	// Parse reads a cron expression or plain words; a KindInvalid error has an
	// example.
	Parse(text string, zone *time.Location, now time.Time) (keepwatch.When, error)
	// Moment reads one moment: "tomorrow 9:00", "in 2 hours", "3 December at 14:00".
	Moment(text string, zone *time.Location, now time.Time) (time.Time, error)
	Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool)
	// Describe says in words when it comes due: "every weekday at 09:00, Europe/London
	// time".
	Describe(when keepwatch.When) string
}

// Authenticator knows the devices that hold somebody's Microsoft Authenticator, and
// what people said of them.
type Authenticator interface {
	// Devices gives all of them, by person. It answers from memory: the message that
	// asks about a device is made within a transaction of the store.
	Devices() ([]keepwatch.DeviceState, error)
	// Attest checks what somebody says and saves it. A date in the future is
	// refused (KindInvalid); one that is older than the one that is known is asked
	// about: a KindConflict error, unless sure is set.
	Attest(a keepwatch.Attestation, sure bool) (keepwatch.DeviceState, error)
	// Custodies gives what is lost with its password, and who said where it is.
	Custodies() ([]keepwatch.CustodyState, error)
	Record(a keepwatch.Attestation) (keepwatch.CustodyState, error)
	// Readiness gives what a lock-out would meet, worst first, and a score from 0 to
	// 100.
	Readiness() (probes []keepwatch.Probe, score int, err error)
}

// Dossier keeps the facts that Microsoft asks for when the dashboard is out of reach.
type Dossier interface {
	Dossier() (keepwatch.Dossier, error)
	// SetDossier saves what somebody filled in; the empty value takes it out.
	SetDossier(field, value, by string) (keepwatch.Dossier, error)
}

// Attestations keeps people's words.
type Attestations interface {
	// Attestations gives those about a subject, newest first, at most limit; "" gives
	// all of them.
	Attestations(subject string, limit int) ([]keepwatch.Attestation, error)
}

// Walks keeps people's ways through checklists.
type Walks interface {
	// StartWalk saves a new walk and gives it its ID. Where the person has one
	// through the same checklist that is not ended, that one is given.
	StartWalk(w keepwatch.Walk) (keepwatch.Walk, error)
	Walk(id string) (keepwatch.Walk, error)
	// ChangeWalk changes one; with att its end is attested in the same transaction.
	ChangeWalk(id string, change func(*keepwatch.Walk) error, att func(keepwatch.Walk) []keepwatch.Attestation) (keepwatch.Walk, error)
	// Walks gives those of a person, newest first; "" of all.
	Walks(person string, limit int) ([]keepwatch.Walk, error)
}

// Warnings tells people of facts.
type Warnings interface {
	// Warnings gives those that hold, the most pressing first.
	Warnings() ([]keepwatch.Warning, error)
	Warning(id string) (keepwatch.Warning, error)
	// AckWarning saves that somebody has seen one; it rests until then. The zero
	// time leaves it to the warning. note is kept with it.
	AckWarning(id, by string, until time.Time, note string) (keepwatch.Warning, error)
}

// Record is what a report looks back on. The order of what it gives does not matter.
type Record interface {
	// OccurrencesSince gives what came due from a moment on, at most limit.
	OccurrencesSince(t time.Time, limit int) ([]keepwatch.Occurrence, error)
	AttestationsSince(t time.Time) ([]keepwatch.Attestation, error)
	// WarningsSince gives those that began or ended from a moment on, or have not ended.
	WarningsSince(t time.Time) ([]keepwatch.Warning, error)
}

// Servers knows what the providers' servers hold.
type Servers interface {
	ServerStates() ([]keepwatch.ServerState, error)
	// LookNow has the server of a source looked at again, where it can be.
	LookNow(ctx context.Context, source string) (keepwatch.ServerState, error)
}
