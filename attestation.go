package keepwatch

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Attestation is a person's word about something that no program can see.
type Attestation struct {
	Version int    `json:"v"`
	ID      string `json:"id"`      // unique
	Subject string `json:"subject"` // what it is about: DeviceSubject, CustodySubject, ChecklistSubject, DrillSubject
	Person  string `json:"person"`  // whose it is
	By      string `json:"by"`      // who said it
	// Said is when it was said.
	Said  time.Time `json:"said"`
	State Attested  `json:"state"`
	// Seen is the date that the device shows for its last backup, at midnight UTC.
	// Zero: none was seen.
	Seen    time.Time `json:"seen,omitzero"`
	Where   string    `json:"where,omitempty"` // of custody: where it is recorded, never what it is
	Remarks string    `json:"remarks,omitempty"`
}

// Attested is what somebody said.
type Attested string

// What can be said of a device, of something that is kept, and of a checklist.
const (
	AttestedOn       Attested = "on"        // backup is on, and Seen is its date
	AttestedOff      Attested = "off"       // backup is off
	AttestedNever    Attested = "never"     // backup is on, and has never been made
	AttestedNotFound Attested = "not found" // the setting could not be found
	AttestedNew      Attested = "new phone" // the device was replaced
	AttestedRecorded Attested = "recorded"  // it is recorded at Where
	AttestedLost     Attested = "lost"      // nobody knows where it is recorded
	AttestedDone     Attested = "done"      // a checklist or drill was gone through
	AttestedProblem  Attested = "problem"   // it was, and something did not work: Remarks
	AttestedStopped  Attested = "stopped"   // it was begun and not ended
)

// DefaultRecheck is how long what was seen of a device holds where its
// configuration does not say.
const DefaultRecheck = 30 * 24 * time.Hour

// DeviceSubject names a device in an attestation and as what a rule asks for:
// "device/alis-iphone".
func DeviceSubject(d Device) string { return "device/" + NameFrom(d.Name) }

// CustodySubject names something that is lost with its password:
// "custody/vault-key".
func CustodySubject(name string) string { return "custody/" + NameFrom(name) }

// ChecklistSubject names a checklist: "checklist/authenticator-ios".
func ChecklistSubject(id string) string { return "checklist/" + id }

// DrillSubject names the lock-out drill of a person: "drill/alis".
func DrillSubject(person string) string { return "drill/" + PersonWord(person) }

// PersonWord gives the one word that stands for a person in the names of subjects:
// "alis". Of a name without a Latin letter NameFrom leaves nothing by which two people
// could be told apart, so its word is made of all of it.
func PersonWord(person string) string {
	if strings.ContainsAny(strings.ToLower(person), "abcdefghijklmnopqrstuvwxyz") {
		return NameFrom(person)
	}
	sum := sha256.Sum256([]byte(person))
	return "person-" + hex.EncodeToString(sum[:4])
}

// SubjectKind gives "device" of "device/alis-iphone".
func SubjectKind(subject string) string {
	kind, _, _ := strings.Cut(subject, "/")
	return kind
}

// Custody is something without which other things are lost, and of which nobody
// but people knows where it is recorded.
type Custody struct {
	Name    string        // "vault-key": a valid name
	What    string        // "the key to all archives (age-identity.txt)"
	Owner   string        // the person who is asked; "": an admin
	Recheck time.Duration // how long what was said holds
}

// DeviceState is what is known of a device.
type DeviceState struct {
	Person string
	Device Device
	Last   *Attestation // the newest word about it; nil: there is none
	// Seen is the newest date that anybody saw, and said when.
	Seen, SeenSaid time.Time
	Next           time.Time // when it is asked about again; zero: it is being asked about, or never is
	Standing       Standing
}

// Standing is how a device's backup stands.
type Standing string

// The standings of a device.
const (
	StandingFresh    Standing = "fresh"
	StandingDue      Standing = "due"       // it is time to look again
	StandingOld      Standing = "old"       // looked at in time, but the backup itself is old
	StandingStale    Standing = "stale"     // nobody has looked for too long
	StandingNever    Standing = "never"     // nobody has said anything yet
	StandingOff      Standing = "off"       // backup is off, was never made, or could not be found
	StandingReplaced Standing = "new phone" // the device was replaced; the new one is not set up yet
)

// InTime reports whether a device is in order and needs nobody: its backup is fresh, or is asked about
// just now.
func (s Standing) InTime() bool { return s == StandingFresh || s == StandingDue }

// CustodyState is what is known of where something is recorded.
type CustodyState struct {
	Custody Custody
	Last    *Attestation // nil: nobody has said
	Next    time.Time    // when it is asked for again
}

// Dossier is what Microsoft asks for when the dashboard is out of reach.
type Dossier struct {
	Version int                `json:"v"`
	Fields  map[string]Entered `json:"fields"` // by DossierField.Name
	Changed time.Time          `json:"changed,omitzero"`
	Sealed  time.Time          `json:"sealed,omitzero"`   // when it was last sealed into the vault
	Archive string             `json:"archive,omitempty"` // as which archive
}

// Entered is a value, and who gave it.
type Entered struct {
	Value string    `json:"value"`
	By    string    `json:"by"` // a person, or "keepwatch.yaml", or a provider
	At    time.Time `json:"at"`
}
