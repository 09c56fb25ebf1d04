package keepwatch

import (
	"strings"
	"time"
)

// When says when a rule comes due. One of Cron, Every and At is set.
type When struct {
	// Cron is an expression of five fields (minute, hour, day of month, month,
	// day of week) by the wall clock of Zone. Beyond plain cron the day of month
	// may be "L", the last one, and the day of week "MON#1", the first Monday of a
	// month, or "FRI#L", the last Friday.
	Cron string `json:"cron,omitempty"`
	// Every is a distance of time, whatever clocks show.
	Every time.Duration `json:"every,omitempty"`
	At    time.Time     `json:"at,omitzero"`    // once
	Zone  string        `json:"zone,omitempty"` // of Cron: an IANA name such as Europe/London
	Said  string        `json:"said,omitempty"` // the words that it was made from
}

// Due is one moment at which a rule comes due.
type Due struct {
	At time.Time // the moment
	// Wall is what the clock on the wall shows for it, in the zone of the rule, as
	// WallLayout: 2026-03-29T01:30 where a skipped hour made it 02:00. A rule comes
	// due once for the same Wall.
	Wall string
}

// WallLayout is how Due.Wall is written.
const WallLayout = "2006-01-02T15:04"

// RuleKind is what happens when a rule comes due.
type RuleKind string

// The kinds of rule.
const (
	RuleText    RuleKind = "text"    // Text is posted
	RuleCommand RuleKind = "command" // Command is carried out with the rights of whoever made the rule
	RuleAsk     RuleKind = "ask"     // somebody is asked for something that only a person can see: Ask
)

// Rule is something that comes due again and again, or once.
type Rule struct {
	Version int      `json:"v"`
	ID      string   `json:"id"` // a number; of one that the program makes itself a name, such as "schedule:ruthin-web"
	Kind    RuleKind `json:"kind"`
	When    When     `json:"when"`
	Channel string   `json:"channel"` // where it is posted: "slack:C0OPS", "discord:@445566" (a direct message), "terminal"
	Text    string   `json:"text,omitempty"`
	Command string   `json:"command,omitempty"` // "backup start ruthin-web"
	Ask     string   `json:"ask,omitempty"`     // what is asked for: a Subject such as "device/alis-iphone"
	To      string   `json:"to,omitempty"`      // the person whom it concerns

	By      string  `json:"by"`      // whoever made it, for people to read
	Account Account `json:"account"` // whose rights a command has
	// Request is the ID of the request that made it: carried out a second time,
	// after a crash, it makes no second rule.
	Request string    `json:"request,omitempty"`
	Made    time.Time `json:"made"`
	// Fixed: the program makes it from the configuration, and nobody edits or
	// removes it by chat.
	Fixed bool `json:"fixed,omitempty"`

	Paused   bool          `json:"paused,omitempty"`
	PausedBy string        `json:"paused_by,omitempty"`
	Grace    time.Duration `json:"grace,omitempty"` // how late a missed occurrence is still caught up; 0: DefaultGrace
	// Repeat is how long an occurrence that nobody answers rests before it is posted
	// again, Times times at the most; 0: it is not. After that it goes along Chain,
	// one step after each Repeat, and to each of its places once.
	Repeat time.Duration `json:"repeat,omitempty"`
	Times  int           `json:"times,omitempty"`
	Chain  []string      `json:"chain,omitempty"` // channels and direct messages, as Channel

	Last     time.Time `json:"last,omitzero"`       // the newest occurrence that was made
	LastWall string    `json:"last_wall,omitempty"` // its Due.Wall
	Next     time.Time `json:"next,omitzero"`       // when it comes due; zero: not any more, or not before something else happens
	NextWall string    `json:"next_wall,omitempty"`
	Skip     string    `json:"skip,omitempty"` // the Due.Wall that is to be left out, because somebody said so
}

// DefaultGrace is how late what was missed is still caught up.
const DefaultGrace = 24 * time.Hour

// OccurrenceState is where an occurrence is in its life.
type OccurrenceState string

// due → posted → acknowledged, or snoozed and posted again, or escalated. A command
// goes from due to running to done or failed.
const (
	OccurrenceDue          OccurrenceState = "due"
	OccurrencePosted       OccurrenceState = "posted"
	OccurrenceSnoozed      OccurrenceState = "snoozed"
	OccurrenceEscalated    OccurrenceState = "escalated"
	OccurrenceRunning      OccurrenceState = "running"
	OccurrenceAcknowledged OccurrenceState = "acknowledged"
	OccurrenceSkipped      OccurrenceState = "skipped"
	OccurrencePassed       OccurrenceState = "passed" // nobody answered before the next one came
	OccurrenceMissed       OccurrenceState = "missed" // too late to be caught up
	OccurrenceDone         OccurrenceState = "done"
	OccurrenceFailed       OccurrenceState = "failed"
)

// Settled reports whether nothing more happens to it by itself.
func (s OccurrenceState) Settled() bool {
	switch s {
	case OccurrenceDue, OccurrencePosted, OccurrenceSnoozed, OccurrenceEscalated, OccurrenceRunning:
		return false
	}
	return true
}

// Occurrence is one coming due of a rule. What it says is a copy, so that it stays
// what it was when the rule changes.
type Occurrence struct {
	Version int             `json:"v"`
	ID      string          `json:"id"` // OccurrenceID
	Rule    string          `json:"rule"`
	Kind    RuleKind        `json:"kind"`
	At      time.Time       `json:"at"` // when it was due
	Wall    string          `json:"wall"`
	State   OccurrenceState `json:"state"`
	Channel string          `json:"channel"`
	Text    string          `json:"text,omitempty"`
	Command string          `json:"command,omitempty"`
	Ask     string          `json:"ask,omitempty"`
	To      string          `json:"to,omitempty"`

	Wake     time.Time   `json:"wake,omitzero"`    // when the next thing happens by itself; zero: nothing does
	Until    time.Time   `json:"until,omitzero"`   // snoozed: until when
	Posted   int         `json:"posted,omitempty"` // how often it was posted in Channel
	Step     int         `json:"step,omitempty"`   // how far along Rule.Chain it is
	Places   []string    `json:"places,omitempty"` // where a message of it stands: each channel once
	Assignee string      `json:"assignee,omitempty"`
	Digest   string      `json:"digest,omitempty"`  // the Digest that it was posted in, instead of in a message of its own
	Earlier  int         `json:"earlier,omitempty"` // how many before it were missed and are not caught up
	Run      int64       `json:"run,omitempty"`     // of a command: the newest run that it has started
	Tries    int         `json:"tries,omitempty"`   // of a command: how often it was carried out
	Log      []Happening `json:"log,omitempty"`     // what happened to it, oldest first
}

// Happening is one line of what happened.
type Happening struct {
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"` // a person; "": nobody, by itself
	What string    `json:"what"`         // "snoozed until …", "done"
}

// Digest is one message for many occurrences that came due in one channel at once,
// or for many warnings.
type Digest struct {
	Version     int       `json:"v"`
	ID          string    `json:"id"`
	Channel     string    `json:"channel"`
	At          time.Time `json:"at"`
	Occurrences []string  `json:"occurrences"` // IDs, oldest first
	// Earlier are the digests in which some of them stood before: an answer edits
	// those too.
	Earlier []string `json:"earlier,omitempty"`
}

// Topic names what the message of a digest is about; see Outgoing.Topic.
func (d Digest) Topic() string { return "digest/" + d.ID }

// OccurrenceID names an occurrence: the rule and what the wall showed,
// "12@2026-11-26T09:00". It has no blank, so that it is one word of a command.
func OccurrenceID(rule, wall string) string { return rule + "@" + wall }

// SplitOccurrence takes an OccurrenceID apart.
func SplitOccurrence(id string) (rule, wall string, ok bool) {
	at := strings.LastIndexByte(id, '@')
	if at <= 0 || at+1 == len(id) {
		return "", "", false
	}
	return id[:at], id[at+1:], true
}

// Topic names what the messages of an occurrence are about; see Outgoing.Topic.
func (o Occurrence) Topic() string { return "reminder/" + o.ID }

// Wake is something that is to be looked at from a moment on.
type Wake struct {
	At   time.Time // to the second, in UTC
	Kind WakeKind
	ID   string
}

// WakeKind is what a Wake is about.
type WakeKind string

// The kinds of Wake.
const (
	WakeRule       WakeKind = "rule"
	WakeOccurrence WakeKind = "occurrence"
	WakeWarning    WakeKind = "warning"
)

// Hours say when a channel or a person may be disturbed. The zero value: always.
type Hours struct {
	Zone string // an IANA name; "": the bot's
	// Quiet is the time of day in which nothing is posted, from QuietFrom to
	// QuietTo after midnight; it may go over midnight. Equal: there is none.
	QuietFrom, QuietTo time.Duration
	Days               []time.Weekday // working days; none: every day
	Holidays           []string       // days off, as 2006-01-02
}

// Answer is what somebody says to an occurrence.
type Answer struct {
	Kind  AnswerKind
	By    string
	Until time.Time // of a snooze
	To    string    // of an assignment: a person's name
	Where string    // of an assignment: where that person is told; "": nowhere
	Note  string    // what is kept with it
}

// AnswerKind is the sort of an answer.
type AnswerKind string

// The sorts of answer.
const (
	AnswerDone   AnswerKind = "done"
	AnswerSnooze AnswerKind = "snooze"
	AnswerAssign AnswerKind = "assign"
	AnswerSkip   AnswerKind = "skip" // this occurrence is left out
)
