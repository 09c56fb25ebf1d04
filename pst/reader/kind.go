package reader

import "strings"

// Kind is what sort of thing an item is, as people name it.
type Kind string

// The kinds.
const (
	Mail        Kind = "mail" // messages, reports, requests to meet
	Contact     Kind = "contact"
	Appointment Kind = "appointment"
	Task        Kind = "task"
	Note        Kind = "note"
	Journal     Kind = "journal entry"
	Other       Kind = "other"
)

// kinds are the beginnings of message classes ([MS-OXCMSG] 2.2.1.3 and the documents
// of each kind of object). What a longer one says goes before.
var kinds = []struct {
	class string
	kind  Kind
}{
	{"IPM.NOTE", Mail}, {"REPORT", Mail}, {"IPM.SCHEDULE.MEETING", Mail}, {"IPM.POST", Mail},
	{"IPM.TASKREQUEST", Mail}, {"IPM.SHARING", Mail}, {"IPM.RECALL", Mail}, {"IPM.OUTLOOK.RECALL", Mail},
	{"IPM.CONTACT", Contact}, {"IPM.DISTLIST", Contact},
	{"IPM.APPOINTMENT", Appointment}, {"IPM.TASK", Task}, {"IPM.STICKYNOTE", Note}, {"IPM.ACTIVITY", Journal},
}

// KindOf tells the kind by the message class.
func KindOf(class string) Kind {
	class = strings.ToUpper(class)
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(class, k.class); ok && (rest == "" || rest[0] == '.') {
			return k.kind
		}
	}
	return Other
}
