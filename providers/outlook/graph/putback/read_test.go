package putback_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

func isPost(r *http.Request) bool { return r.Method == "POST" }

// said is what a mail says.
type said struct {
	subject string
	sent    time.Time
	people  []string
	plain   string
	html    string
	files   []saidFile
}

type saidFile struct {
	name    string
	content []byte
}

// text is the body that Outlook shows.
func (s said) text() string {
	if s.html != "" {
		return strings.TrimSpace(s.html)
	}
	return strings.TrimSpace(s.plain)
}

type reader struct {
	props pst.Properties
	said  said
}

func read(t *testing.T, raw []byte) said {
	t.Helper()
	var r reader
	if _, err := mail.Import(&r, bytes.NewReader(raw), int64(len(raw)), mail.Options{}); err != nil {
		t.Fatal(err)
	}
	s := r.said
	s.subject, s.sent, s.plain, s.html = mail.Subject(r.props), r.props.Time(pst.PidTagClientSubmitTime), r.props.Text(pst.PidTagBody), string(r.props.Bytes(pst.PidTagHtml))
	s.people = append(s.people, "from "+r.props.Text(pst.PidTagSentRepresentingEmailAddress))
	slices.Sort(s.people)
	return s
}

func (r *reader) Set(all ...pst.Property) {
	for _, p := range all {
		if !p.IsNamed() {
			r.props.Set(p.Tag, p.Value)
		}
	}
}

func (r *reader) Recipient(p pst.Properties) {
	r.said.people = append(r.said.people, []string{"", "to ", "cc ", "bcc "}[p.Int(pst.PidTagRecipientType)]+p.Text(pst.PidTagEmailAddress))
}

func (r *reader) Attach(p pst.Properties, content io.Reader) error {
	data, err := io.ReadAll(content)
	r.said.files = append(r.said.files, saidFile{p.Text(pst.PidTagAttachLongFilename), data})
	return err
}

func (r *reader) Embed(p pst.Properties, fill func(pst.Sink) error) error {
	r.said.files = append(r.said.files, saidFile{name: p.Text(pst.PidTagDisplayName)})
	return fill(&reader{})
}
