package keepwatch

import (
	"strings"
	"time"
)

// FactKind is the sort of thing that somebody is warned of.
type FactKind string

// The kinds of fact.
const (
	FactRotation   FactKind = "rotation"   // the provider's server is going to remove a backup that was not brought home
	FactExpiry     FactKind = "expiry"     // a credential runs out
	FactStale      FactKind = "stale"      // what somebody attested is too old, or was never said
	FactBackupOff  FactKind = "backup off" // somebody said that the backup of their Authenticator is off, or cannot be found
	FactMissed     FactKind = "missed"     // a scheduled run was not started by its slot, or still runs at the next one
	FactFailing    FactKind = "failing"    // scheduled runs fail
	FactOld        FactKind = "old"        // the newest archive is older than the schedule promises
	FactUnverified FactKind = "unverified" // a source has no verified archive
	FactChain      FactKind = "chain"      // the newest archive holds changes alone, and what it goes on from is lost
	FactSingle     FactKind = "single"     // an archive lies in one place only
	FactCustody    FactKind = "custody"    // nobody has said where something is recorded without which all is lost
	FactRoom       FactKind = "room"       // an account on a provider's server has too little room left
	FactLacks      FactKind = "lacks"      // an account may not do what its backups need
	FactReady      FactKind = "ready"      // the team is not ready for a lock-out
)

// Fact is something that needs somebody, as it is now. It is computed, never typed
// in: while it is given it holds, and when it is given no more it is over.
type Fact struct {
	Key   string   `json:"key"` // the same as long as it is the same fact: "rotation/ruthin-web"
	Kind  FactKind `json:"kind"`
	Tone  Tone     `json:"tone"`
	Title string   `json:"title"` // "ruthin-web: the backup of 9 November goes on 7 December at the latest"
	Text  string   `json:"text"`  // what is known, and what to do, in whole sentences
	// Until is when it comes true: the backup is gone, the credential has run out.
	// Zero: it holds already.
	Until   time.Time `json:"until,omitzero"`
	To      string    `json:"to,omitempty"` // the person who hears of it first; "": the default channel does
	Buttons []Button  `json:"buttons,omitempty"`
	// Urge changes where the fact has become another one although its Key is the
	// same (another backup is the next to go): an acknowledgement of what it was is
	// none of what it is. Its figures and times may change without that.
	Urge string `json:"urge,omitempty"`
}

// Warning is a fact that people are told of, until it is over.
type Warning struct {
	Version int    `json:"v"`
	ID      string `json:"id"` // "w12", for commands
	Fact    Fact   `json:"fact"`

	First time.Time `json:"first"` // when it was noticed
	Told  int       `json:"told"`  // how many notices were posted
	// Rung is which step was the last: of a fact with Until how many days before
	// that, less than zero after it, and more than the longest of Ladder before its
	// first step; of others how often it was told of again, and -1 before it was told
	// of at all.
	Rung int `json:"rung"`
	// Unanswered is how many notices were posted since somebody acknowledged it.
	Unanswered int       `json:"unanswered,omitempty"`
	Next       time.Time `json:"next,omitzero"` // when it is told of again, if nobody is asleep then and nobody has acknowledged it
	Wake       time.Time `json:"wake,omitzero"` // when it is looked at again; zero: not by itself
	// Gone is when the fact was no longer given. It is kept for a while in case it
	// comes back, and is resolved after that.
	Gone     time.Time `json:"gone,omitzero"`
	AckedBy  string    `json:"acked_by,omitempty"`
	Acked    time.Time `json:"acked,omitzero"`
	Note     string    `json:"note,omitempty"` // what whoever acknowledged it said about it
	Quiet    time.Time `json:"quiet,omitzero"` // not told of again before, because somebody has acknowledged it
	Resolved time.Time `json:"resolved,omitzero"`
	Wider    bool      `json:"wider,omitempty"` // it has gone on to the escalation channel and the admins

	Places []string `json:"places,omitempty"` // where a message of it stands
	// Digests are the IDs of the newest messages in which it was told of together
	// with others.
	Digests []string    `json:"digests,omitempty"`
	Log     []Happening `json:"log,omitempty"`
}

// Over reports whether the fact is no longer given, and since when.
func (w Warning) Over() (since time.Time, over bool) {
	if !w.Resolved.IsZero() {
		return w.Resolved, true
	}
	return w.Gone, !w.Gone.IsZero()
}

// Topic names what the messages of a warning are about; see Outgoing.Topic.
func (w Warning) Topic() string { return "warning/" + w.ID }

// Ladder gives how many days before something comes true people hear of it, the
// longest first.
func Ladder() []int { return []int{60, 30, 14, 7, 3, 1} }

// ServerBackup is a backup that the provider's own server holds and will rotate
// away. Providers give it as a fact.
type ServerBackup struct {
	ID   string    `json:"id"`   // the server's name for it
	At   time.Time `json:"at"`   // of when it is
	Size int64     `json:"size"` // bytes; 0: unknown
	Kind string    `json:"kind"` // "full", "incremental"; "" unknown
	// Path is where the account finds it on the server, and Keepwatch brings it home
	// from; "": only the host's administrator gets at it.
	Path string `json:"path,omitempty"`
	// Stays says that the host does not remove it by itself: it lies there until
	// somebody does.
	Stays bool `json:"stays,omitempty"`
	// Home is the Ref of the verified archive that holds it; "": it was not brought
	// home.
	Home string `json:"home,omitempty"`
}

// ServerState is what the provider's server was seen to hold of a source.
type ServerState struct {
	Version int            `json:"v"`
	Source  string         `json:"source"`
	Seen    time.Time      `json:"seen"`
	Backups []ServerBackup `json:"backups"` // newest first
	// Software is what runs there and its version: "cPanel 11.136.0.4".
	Software string     `json:"software,omitempty"`
	Quota    *Quota     `json:"quota,omitempty"` // nil: the host does not say
	Trend    []Quota    `json:"trend,omitempty"` // one a day, oldest first, at most MaxTrend
	Expiring []Expiring `json:"expiring,omitempty"`
	// Lacks is what the account may not do that its backups need, as sentences.
	Lacks []string `json:"lacks,omitempty"`
	// Trouble is why the last look did not work, as a sentence; what was seen before
	// is kept.
	Trouble string `json:"trouble,omitempty"`
}

// MaxTrend is how many days of quota are remembered.
const MaxTrend = 90

// Credential is something that runs out, from the configuration.
type Credential struct {
	Name    string    // "Graph client secret"
	Expires time.Time // the moment from which it does not work
	Owner   string    // the person who renews it; "": the default channel hears of it
	How     string    // how it is renewed
}

// MaxCredential is the longest Credential.Name, in bytes.
const MaxCredential = 100

// FactKey is the Key of the fact that it runs out. Names that differ in capitals or
// blanks alone are of the same credential; one that has no letter of a-z is one too.
func (c Credential) FactKey() string {
	return "expiry/" + strings.Join(strings.Fields(strings.ToLower(c.Name)), "-")
}
