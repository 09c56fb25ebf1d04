package box

import (
	"encoding/json"
	"io"
	"time"

	"keepwatch/pst/pim"
)

// The JSON of Graph, as far as it is used. Names and types are those of the v1.0 metadata
// (learn.microsoft.com/graph/metadata-overview).

type address struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

type recipient struct {
	Email address `json:"emailAddress"`
}

type itemBody struct {
	Type    string                        `json:"contentType"`
	Content string                        `json:"content"`
	open    func() (io.ReadCloser, error) // in the place of Content, which is long then
}

// find looks whether its text is one that was left out.
func (b *itemBody) find(h *held) (long bool) {
	if b == nil || h == nil {
		return false
	}
	if b.open = h.open(b.Content); b.open == nil {
		return false
	}
	b.Content = ""
	return true
}

// entity is what every item has.
type entity struct {
	Type       string    `json:"@odata.type"`
	ID         string    `json:"id"`
	ChangeKey  string    `json:"changeKey"`
	Created    time.Time `json:"createdDateTime"`
	Modified   time.Time `json:"lastModifiedDateTime"`
	Removed    *removal  `json:"@removed"`
	Categories []string  `json:"categories"`
}

// removal stands in the place of an item that is not in the folder any more.
type removal struct {
	Reason string `json:"reason"`
}

type property struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

type message struct {
	entity
	Subject     string      `json:"subject"`
	Body        *itemBody   `json:"body"`
	From        *recipient  `json:"from"`
	Sender      *recipient  `json:"sender"`
	To          []recipient `json:"toRecipients"`
	Cc          []recipient `json:"ccRecipients"`
	Bcc         []recipient `json:"bccRecipients"`
	ReplyTo     []recipient `json:"replyTo"`
	Received    time.Time   `json:"receivedDateTime"`
	Sent        time.Time   `json:"sentDateTime"`
	MessageID   string      `json:"internetMessageId"`
	Read        bool        `json:"isRead"`
	Draft       bool        `json:"isDraft"`
	Importance  string      `json:"importance"`
	Attached    bool        `json:"hasAttachments"`
	Headers     []header    `json:"internetMessageHeaders"`
	Attachments []attached  `json:"attachments"`
	Flag        struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
	Extended []property `json:"singleValueExtendedProperties"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type attached struct {
	Type      string          `json:"@odata.type"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	MediaType string          `json:"contentType"`
	Size      int64           `json:"size"`
	Inline    bool            `json:"isInline"`
	ContentID string          `json:"contentId"`
	Bytes     []byte          `json:"contentBytes"`
	URL       string          `json:"sourceUrl"` // in no answer of v1.0 so far
	Item      json.RawMessage `json:"item"`
}

type physical struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"countryOrRegion"`
}

type contact struct {
	entity
	DisplayName    string    `json:"displayName"`
	Given          string    `json:"givenName"`
	Middle         string    `json:"middleName"`
	Surname        string    `json:"surname"`
	Nickname       string    `json:"nickName"`
	Title          string    `json:"title"`
	Generation     string    `json:"generation"`
	Initials       string    `json:"initials"`
	FileAs         string    `json:"fileAs"`
	YomiGiven      string    `json:"yomiGivenName"`
	YomiSurname    string    `json:"yomiSurname"`
	YomiCompany    string    `json:"yomiCompanyName"`
	Company        string    `json:"companyName"`
	Department     string    `json:"department"`
	JobTitle       string    `json:"jobTitle"`
	Profession     string    `json:"profession"`
	Office         string    `json:"officeLocation"`
	Manager        string    `json:"manager"`
	Assistant      string    `json:"assistantName"`
	Spouse         string    `json:"spouseName"`
	HomePage       string    `json:"businessHomePage"`
	Notes          string    `json:"personalNotes"`
	Mobile         string    `json:"mobilePhone"`
	BusinessPhones []string  `json:"businessPhones"`
	HomePhones     []string  `json:"homePhones"`
	IM             []string  `json:"imAddresses"`
	Children       []string  `json:"children"`
	Emails         []address `json:"emailAddresses"`
	Birthday       time.Time `json:"birthday"`
	Business       physical  `json:"businessAddress"`
	Home           physical  `json:"homeAddress"`
	Other          physical  `json:"otherAddress"`
}

// moment is a time of the clock in a named zone (dateTimeTimeZone).
type moment struct {
	Time string `json:"dateTime"`
	Zone string `json:"timeZone"`
}

// local is the time of the clock, as if it were one of UTC.
func (m *moment) local() time.Time {
	if m == nil {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.9999999", time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, m.Time); err == nil {
			return t
		}
	}
	return time.Time{}
}

// time is the instant. A zone that nobody knows is taken for UTC, which Graph answers with
// unless it is asked for another one.
func (m *moment) time() time.Time {
	t := m.local()
	if t.IsZero() {
		return t
	}
	zone := pim.Zone(m.Zone)
	if zone == nil {
		zone = time.UTC
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

type attendee struct {
	recipient
	Type   string `json:"type"`
	Status struct {
		Response string `json:"response"`
	} `json:"status"`
}

type place struct {
	Name string `json:"displayName"`
}

type pattern struct {
	Type       string   `json:"type"`
	Interval   int      `json:"interval"`
	Month      int      `json:"month"`
	DayOfMonth int      `json:"dayOfMonth"`
	Days       []string `json:"daysOfWeek"`
	FirstDay   string   `json:"firstDayOfWeek"`
	Index      string   `json:"index"`
}

type span struct {
	Type  string `json:"type"`
	Start string `json:"startDate"`
	End   string `json:"endDate"`
	Zone  string `json:"recurrenceTimeZone"`
	Count int    `json:"numberOfOccurrences"`
}

type event struct {
	entity
	Kind          string     `json:"type"`
	UID           string     `json:"iCalUId"`
	Subject       string     `json:"subject"`
	Body          *itemBody  `json:"body"`
	Start         *moment    `json:"start"`
	End           *moment    `json:"end"`
	StartZone     string     `json:"originalStartTimeZone"`
	Original      time.Time  `json:"originalStart"`
	AllDay        bool       `json:"isAllDay"`
	Cancelled     bool       `json:"isCancelled"`
	ReminderOn    bool       `json:"isReminderOn"`
	Reminder      int        `json:"reminderMinutesBeforeStart"`
	Attached      bool       `json:"hasAttachments"`
	Importance    string     `json:"importance"`
	Sensitivity   string     `json:"sensitivity"`
	ShowAs        string     `json:"showAs"`
	Asked         bool       `json:"responseRequested"`
	Location      place      `json:"location"`
	Locations     []place    `json:"locations"`
	Organizer     *recipient `json:"organizer"`
	Attendees     []attendee `json:"attendees"`
	OnlineURL     string     `json:"onlineMeetingUrl"`
	OnlineMeeting *struct {
		JoinURL string `json:"joinUrl"`
	} `json:"onlineMeeting"`
	Response *struct {
		Response string `json:"response"`
	} `json:"responseStatus"`
	Recurrence *struct {
		Pattern pattern `json:"pattern"`
		Range   span    `json:"range"`
	} `json:"recurrence"`
	Exceptions     []json.RawMessage `json:"exceptionOccurrences"`
	ExceptionsNext string            `json:"exceptionOccurrences@odata.nextLink"`
	Gone           []string          `json:"cancelledOccurrences"`
}
