package keepwatch

import "time"

// Request is what somebody asked for, before any platform has seen it and after:
// nothing in it says how it came. A click and a schedule make the same Request
// as typing does.
type Request struct {
	ID      string    // unique; shown to people as the request number when something internal went wrong
	Text    string    // "/backup start ruthin-web"; the slash is optional
	Account Account   // who asks
	Groups  []string  // groups and roles of the platform that the account is in, as "platform:id"
	Channel string    // where, as "platform:id"; "terminal"
	Private bool      // only the asker sees the answer
	Local   bool      // the asker sits at this machine, so that paths on it make sense
	Dir     string    // of a Local request: the folder that relative paths begin at; "": the program's own
	At      time.Time // when it arrived
	Due     string    // the ID of the occurrence of a rule that asks, where nobody does
	// Again: an earlier process had begun to carry it out when it ended, and may
	// have got to the end of it.
	Again bool `json:"-"`
}

// Message is an answer or a notice, before any platform has rendered it. All its
// texts are plain: a renderer escapes them, so that nothing in them can ping,
// link or format.
type Message struct {
	Title   string
	Tone    Tone
	Blocks  []Block
	Buttons []Button
	Menus   []Menu
	Files   []File // posted with it
	// Run is the run that the message is about; front-ends keep the message
	// up to date while it goes on. 0: none.
	Run int64
	// Kind is set on an answer that says no, and on nothing else.
	Refused Kind
	Failed  bool // the answer reports something that went wrong
	Quit    bool // the asker asked to leave (terminal)
}

// File is something that is posted with a message. Where files cannot be shown, in
// the terminal, it is written beside and named.
type File struct {
	Name string // "report-2026-11.png"
	Type string // its media type
	Alt  string // what it shows, in words, for those who do not see it
	Data []byte // at most MaxFile
}

// MaxFile is the most bytes of a file with a message.
const MaxFile = 1 << 20

// Tone is the colour of a message.
type Tone uint8

// The tones.
const (
	ToneInfo Tone = iota
	ToneGood
	ToneWarn
	ToneBad
)

func (t Tone) String() string { return [...]string{"info", "good", "warn", "bad"}[t&3] }

// Block is one part of a message. Exactly one of its fields is set.
type Block struct {
	Text     string    // a paragraph; "\n" breaks the line
	Code     string    // to be copied as it stands: a command, a path; may have several lines
	Fields   []Field   // names and values
	Table    *Table    // rows
	Progress *Progress // a bar
}

// Field is a name and its value.
type Field struct {
	Name  string
	Value string
	Time  time.Time // when set, stands for Value, in the reader's own zone
}

// Block makes a block of one field.
func (f Field) Block() Block { return Block{Fields: []Field{f}} }

// Table is a list with columns. Cells are plain text.
type Table struct {
	Head []string
	Rows [][]string
}

// Button is the text of a command with a label on it.
type Button struct {
	Label   string
	Command string // "backup cancel 42"
	Style   Style
	// Form asks for more before the command is sent; nil: it is sent as it is.
	// The command makes sense without it too: where there are no forms, in the
	// terminal, it is left out.
	Form *Form
}

// Menu is a choice among more than a few buttons.
type Menu struct {
	Label   string // "Which source?"
	Options []Button
}

// Form is asked for before a button's command is sent. Each field that is filled
// in is added to the command. Without fields it is a question that is confirmed.
type Form struct {
	Title  string // at most 24 characters: Slack's limit of a modal's title
	Text   string // what it is about
	Submit string // the label of its button; "": Send
	Fields []FormField
}

// FormField is one thing that a form asks for.
type FormField struct {
	Name     string // the option of the command; Flag says which sort
	Flag     bool   // --name VALUE; otherwise the value alone, as a word or words
	Words    bool   // the value is several words, divided at blanks
	Label    string // at most 45 characters: Discord's limit
	Hint     string
	Value    string // what stands there at first
	Type     FieldType
	Required bool
	Choices  []string // FieldChoice: what there is
}

// FieldType is what a field of a form takes.
type FieldType string

// The types of field.
const (
	FieldText   FieldType = "text"
	FieldDate   FieldType = "date" // 2026-11-24
	FieldChoice FieldType = "choice"
)

// Style is the weight of a button.
type Style uint8

// The styles.
const (
	StylePlain Style = iota
	StylePrimary
	StyleDanger
)

// Text makes a paragraph.
func Text(s string) Block { return Block{Text: s} }

// Code makes literal text.
func Code(s string) Block { return Block{Code: s} }

// AuditEntry is the line that every request leaves: saved before it acts, with
// Outcome "started", and completed after.
type AuditEntry struct {
	Version  int           `json:"v"`
	ID       string        `json:"id"` // the Request's
	At       time.Time     `json:"at"`
	Person   string        `json:"person,omitempty"` // empty: unknown
	Account  Account       `json:"account"`
	Channel  string        `json:"channel"`
	Text     string        `json:"text"` // what was asked, as it was typed
	Source   string        `json:"source,omitempty"`
	Run      int64         `json:"run,omitempty"`
	Outcome  Outcome       `json:"outcome"`
	Message  string        `json:"message,omitempty"` // the sentence, where it was refused or failed
	Duration time.Duration `json:"duration,omitempty"`
}

// Outcome is how a request ended.
type Outcome string

// The outcomes. An entry that still says "started" after a restart was cut off.
const (
	OutcomeStarted Outcome = "started"
	OutcomeDone    Outcome = "done"
	OutcomeDenied  Outcome = "denied"
	OutcomeRefused Outcome = "refused" // wrong words, unknown names, conflicts
	OutcomeFailed  Outcome = "failed"
)

// AuditFilter picks audit entries. Zero fields do not filter.
type AuditFilter struct {
	Person string
	Source string
	Since  time.Time
	Until  time.Time
	Limit  int // newest first; 0: 50
}

// Probe is one line of a check: what was looked at, how it is, what to do next.
type Probe struct {
	Name   string
	Status ProbeStatus
	Text   string // what was found
	Next   string // what to do, where something is to be done
}

// ProbeStatus is the result of a probe.
type ProbeStatus string

// The results of a probe. Only ProbeBad makes a check fail.
const (
	ProbeGood ProbeStatus = "ok"
	ProbeWarn ProbeStatus = "warning"
	ProbeBad  ProbeStatus = "problem"
	ProbeOff  ProbeStatus = "off" // not configured, or not in this version
)
