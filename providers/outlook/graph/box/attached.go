package box

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"keepwatch/pst/pim"
)

// textOfItem writes an attached item, which has come as JSON, in the standard form of its
// kind. What is attached to it comes along as far as it is in the JSON: Graph expands one
// level.
func textOfItem(h *held, raw json.RawMessage) (media string, parts []part, notes []string, err error) {
	var kind entity
	if err := json.Unmarshal(raw, &kind); err != nil {
		return "", nil, nil, err
	}
	var b bytes.Buffer
	switch {
	case strings.HasSuffix(kind.Type, ".contact"):
		var c contact
		if err := json.Unmarshal(raw, &c); err != nil {
			return "", nil, nil, err
		}
		err = c.card().Card(&b)
		return "text/vcard", []part{{text: b.Bytes()}}, nil, err
	case strings.HasSuffix(kind.Type, ".event"):
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return "", nil, nil, err
		}
		w, err := e.calendar(h)
		if err != nil {
			return "", nil, nil, err
		}
		err = pim.WriteCalendar(&b, w.event)
		return "text/calendar", withFiles(b.Bytes(), w.texts), w.notes, err
	case strings.HasSuffix(kind.Type, ".message"), strings.Contains(kind.Type, ".eventMessage"):
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			return "", nil, nil, err
		}
		m.Body.find(h)
		files, notes := m.files(h)
		return "message/rfc822", m.mail(files, h.seed(raw)), notes, nil
	}
	return "", nil, nil, fmt.Errorf("an attached item of the type %q is not known", kind.Type)
}

// files are those that came within the JSON; notes name those that did not.
func (m message) files(h *held) (all []file, notes []string) {
	for _, a := range m.Attachments {
		f := file{attached: a, media: "application/octet-stream", text: a.Bytes, open: h.openBytes(a.Bytes)}
		if strings.HasSuffix(a.Type, ".itemAttachment") || strings.HasSuffix(a.Type, ".referenceAttachment") {
			f.open = nil
			f.media, f.text = "text/plain", []byte(a.Name+"\r\n(This attachment could not be had from Microsoft 365.)\r\n")
			notes = append(notes, fmt.Sprintf("The attachment %q of the message %q, which is attached itself, is not in it", a.Name, m.Subject))
		} else if strings.Count(a.MediaType, "/") == 1 && !strings.ContainsAny(a.MediaType, "\r\n;") {
			f.media = a.MediaType
		}
		all = append(all, f)
	}
	return all, notes
}
