package keepwatch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// Outgoing is a message on its way to a platform. It is saved before it is sent,
// under an id of ours, and kept until the platform has confirmed it.
type Outgoing struct {
	Version int    `json:"v"`
	ID      string `json:"id"`      // ours: MessageID characters of a-z and 2-7
	Lane    string `json:"lane"`    // what is sent in order: the channel, or the one answer
	Seq     int64  `json:"seq"`     // the order within the lane
	Channel string `json:"channel"` // "slack:C0OPS"; "discord:@445566" is a direct message to that account
	// Reply says how the answer to a request reaches the asker; nil: it is no
	// answer.
	Reply *Reply `json:"reply,omitempty"`
	// Run makes it the card of that run: what it says is made when it is sent,
	// and kept up to date afterwards. Message is not used then.
	Run     int64   `json:"run,omitempty"`
	Message Message `json:"message,omitzero"`
	// Topic names what the message is about, where it is to be changed later: the
	// reference of the newest message of a topic in a channel is kept. Edit says
	// that this is no new message: Message takes the place of what that one shows;
	// where there is none, because it was refused or is gone, nothing happens.
	Topic string `json:"topic,omitempty"`
	Edit  bool   `json:"edit,omitempty"`
	// Notice marks a message about messages, so that one that cannot be
	// delivered gives no further notice.
	Notice bool `json:"notice,omitempty"`

	Made time.Time `json:"made"`
	// Tried is when the last attempt began. It is saved before the attempt, so
	// that whoever finds it after a crash looks on the platform before sending
	// again.
	Tried time.Time `json:"tried,omitzero"`
	// FirstTried is when the first attempt began, and stays so: any attempt since
	// then may be the one that arrived, and what a platform remembers of the first
	// one it remembers from then on.
	FirstTried time.Time `json:"first_tried,omitzero"`
	// After is the reference of the newest message that the platform confirmed
	// where this one goes (see Place) before the first attempt: what is looked for
	// comes after it.
	After string `json:"after,omitempty"`

	Refused   string    `json:"refused,omitempty"` // why the platform refused it for good
	RefusedAt time.Time `json:"refused_at,omitzero"`
}

// Since is when the first attempt began; zero: there was none.
func (o Outgoing) Since() time.Time {
	if o.FirstTried.IsZero() {
		return o.Tried // saved by a version that kept the last attempt alone
	}
	return o.FirstTried
}

// Place is where a message stands once it is delivered: its channel, or the
// direct messages of whoever alone is to see it ("discord:@445566"). "" where
// nobody can say.
func (o Outgoing) Place() string {
	switch r := o.Reply; {
	case r == nil || !r.Private:
		return o.Channel
	case r.To.ID == "":
		return ""
	default:
		return Platform(o.Channel) + ":@" + r.To.ID
	}
}

// MessageID is the length of Outgoing.ID. Discord takes a nonce of at most 25
// characters (developers/resources/message, "Create Message").
const MessageID = 20

// Reply is how an answer reaches whoever asked.
type Reply struct {
	To Account `json:"to"`
	// Token is what the platform gave for answering: Slack's response_url,
	// Discord's interaction token. It is as good as a password until it runs
	// out, so it is never logged. Empty: the answer goes into the channel.
	Token string    `json:"token,omitempty"`
	Until time.Time `json:"until,omitzero"` // when Token stops working
	// Asked is the platform's id of what is answered, where its ids are in the
	// order of time: the answer by Token stands behind it, and may stand before
	// what was posted meanwhile, because it takes the acknowledgement's place.
	Asked string `json:"asked,omitempty"`
	// Open says that the acknowledgement was already seen by the whole channel
	// (Discord fixes that with it).
	Open bool `json:"open,omitempty"`
	// Private: only the asker sees the answer.
	Private bool `json:"private,omitempty"`
	// Replace: the answer takes the place of the message whose button was
	// pressed, which only the asker sees, in a direct message or anywhere else.
	Replace bool `json:"replace,omitempty"`
	// Thread is the message that the answer belongs under, where the platform
	// has such a thing.
	Thread string `json:"thread,omitempty"`
}

// Alive reports whether the reply's token still works at a time.
func (r *Reply) Alive(now time.Time) bool { return r != nil && r.Token != "" && now.Before(r.Until) }

// Platform gives "slack" of "slack:C0OPS".
func Platform(channel string) string {
	platform, _, _ := strings.Cut(channel, ":")
	return platform
}

// Card is a message that shows how a run goes on, and what it shows. A channel
// has one of a run, unless somebody there asks about the run again.
type Card struct {
	Version int       `json:"v"`
	ID      string    `json:"id"` // of the Outgoing that posts it
	Run     int64     `json:"run"`
	Channel string    `json:"channel"`
	Reply   *Reply    `json:"reply,omitempty"`
	Ref     string    `json:"ref,omitempty"`   // the platform's name for the message; empty: not posted yet
	Shown   string    `json:"shown,omitempty"` // Fingerprint of what it shows
	Final   bool      `json:"final,omitempty"` // it shows how the run ended, and is not edited again
	Made    time.Time `json:"made"`
}

// Delivery is a request as a platform handed it over, saved before the platform
// is told that it arrived. It is carried out once, however often it is delivered.
type Delivery struct {
	Version int     `json:"v"`
	Key     string  `json:"key"` // the platform's own id of it, the same at each repetition: "slack:envelope:…"
	Request Request `json:"request"`
	Reply   Reply   `json:"reply"`
	// Quiet: where the request starts a run, its card in the channel is answer
	// enough.
	Quiet bool `json:"quiet,omitempty"`
	// Silent: it is done again by itself, after it has failed; nothing is said of that
	// before it has gone well, or is given up.
	Silent bool `json:"silent,omitempty"`
	// InReply: the card of a run goes into the answer itself (Discord), and not
	// into a message of its own (Slack).
	InReply bool `json:"in_reply,omitempty"`
}

// Verdict is what a platform's refusal means for a message.
type Verdict uint8

const (
	// VerdictUnsure: it may have been delivered (no answer, an answer that makes
	// no sense, an error of the server). Look before sending again. The zero
	// value, because it is the one that is always safe.
	VerdictUnsure Verdict = iota
	// VerdictLater: it was not delivered, and may be later.
	VerdictLater
	// VerdictNever: the channel, or the message as it is, is refused for good.
	VerdictNever
	// VerdictGone: the message that was to be edited is no longer there.
	VerdictGone
)

func (v Verdict) String() string {
	return [...]string{"unsure", "later", "never", "gone"}[v&3]
}

// PostError is why a platform did not take a message, and what to do about it.
type PostError struct {
	Verdict Verdict
	After   time.Duration // VerdictLater: how long the platform asks to wait; 0: it did not say
	// Odd: the platform itself has answered, and refuses for a reason that
	// nobody here knows. It may pass, so the message is tried again; where it does
	// not pass for long, it counts as VerdictNever.
	Odd bool
	Err error // for VerdictNever with a sentence for an admin
}

func (e *PostError) Error() string {
	if e.Err == nil {
		return "not posted (" + e.Verdict.String() + ")"
	}
	return e.Err.Error()
}

// Unwrap gives the cause.
func (e *PostError) Unwrap() error { return e.Err }

// MaxToken is the longest Token of a button, in bytes. Discord allows 100
// characters for a custom_id, and the renderer needs four of them.
const MaxToken = 96

// Token gives what stands for a button in a platform's message. Where the
// command fits it is the command itself, behind a "="; otherwise it is a "#" and
// a fingerprint, under which the button must be kept (kept is true).
func (b Button) Token() (token string, kept bool) {
	if b.Form == nil && len(b.Command)+1 <= MaxToken {
		return "=" + b.Command, false
	}
	return "#" + fingerprint(b), true
}

// Fingerprint gives a short text that is the same for the same message and, as
// far as anybody will ever see, for no other.
func (m Message) Fingerprint() string { return fingerprint(m) }

// fingerprint hashes the JSON of a value: the first 128 bits of its SHA-256.
func fingerprint(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		data = []byte(err.Error()) // a noun of ours always marshals
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// AllButtons gives every button of a message, those of its menus included.
func (m Message) AllButtons() []Button {
	all := append([]Button{}, m.Buttons...)
	for _, menu := range m.Menus {
		all = append(all, menu.Options...)
	}
	return all
}
