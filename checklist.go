package keepwatch

import "time"

// Checklist is a procedure that only a person can go through, one action a step. It
// comes from a data file.
type Checklist struct {
	ID      string          // "authenticator-ios"; the file's name
	Group   string          // under which command it is: one of ChecklistGroups
	Topic   string          // the word after that: "ios", "outlook-pst"
	Title   string          // "Set up the backup of Microsoft Authenticator on an iPhone"
	Intro   string          // what it is for, what is needed, how long it takes
	Checked string          // the date on which the steps were last compared with what the vendor says, 2006-01-02
	Sources []string        // what was compared: the vendor's pages
	Steps   []ChecklistStep // at least one
	Done    string          // what is said at the end
}

// ChecklistStep is one action.
type ChecklistStep struct {
	Title string // "Open Settings in Authenticator"
	Text  string // what to do, in one or two sentences
	// Trouble is what is said when somebody presses Problem: what usually helps.
	Trouble string
	// Ask is what the step wants to know, where it wants to: its answer is kept with
	// the outcome. Never a secret.
	Ask *ChecklistAsk
	// Command is a button that the step offers, such as "backup start {source}".
	// {source} and {device} stand for those that fit, {person} for whoever goes
	// through it, and any other name for the answer that is kept under it. From the
	// first one that stands for nothing on, the command is left out.
	Command string
	Label   string // of that button
	// Out is a button for where this step was all that was needed: "I am in again". It
	// goes on with the last step.
	Out string
}

// ChecklistAsk is a question of a step.
type ChecklistAsk struct {
	Name    string // what it is kept under: "password recorded in"
	Label   string // at most 45 characters: Discord's limit of a label
	Hint    string
	Type    FieldType
	Choices []string
	// None is a button for where there is nothing to answer: "No password".
	None string
	// Custody: the answer says where a secret of this name is recorded, and is kept
	// as an attestation of that too. {person} in it stands for whoever answers.
	Custody string
}

// ChecklistGroups gives the commands that a checklist can be under.
func ChecklistGroups() []string {
	return []string{"authenticator guide", "authenticator recover", "authenticator drill", "backup guide"}
}

// Walk is somebody's way through a checklist. It is kept, so that it goes on after
// days.
type Walk struct {
	Version   int       `json:"v"`
	ID        string    `json:"id"` // "l12", for commands
	Checklist string    `json:"checklist"`
	Person    string    `json:"person"`
	Begun     time.Time `json:"begun"`
	Changed   time.Time `json:"changed"`
	At        int       `json:"at"` // the step that is next, from 0; len(Steps): the end
	// Step is the title of the step that is next: where another one stands there now,
	// the file of the checklist was changed meanwhile. "": not known.
	Step     string            `json:"step,omitempty"`
	Answers  map[string]string `json:"answers,omitempty"`
	Problems []WalkProblem     `json:"problems,omitempty"`
	Ended    time.Time         `json:"ended,omitzero"`
	Outcome  Attested          `json:"outcome,omitempty"`
	// Times are the moments at which each step was done, for a drill.
	Times []time.Time `json:"times,omitempty"`
	// By is whoever asked that Person goes through it, where that is somebody else or
	// a rule, and Channel is where they are told how it went. Both are of a drill.
	By      string `json:"by,omitempty"`
	Channel string `json:"channel,omitempty"`
	// Revision counts the changes, so that of two presses of one button the second
	// is noticed.
	Revision int `json:"revision"`
}

// WalkProblem is something that did not work.
type WalkProblem struct {
	Step int       `json:"step"`
	At   time.Time `json:"at"`
	Text string    `json:"text,omitempty"`
	// Solved: the step could be done after all.
	Solved bool `json:"solved,omitempty"`
}
