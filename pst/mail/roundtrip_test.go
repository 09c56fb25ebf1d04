package mail_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// picture is what must be the same before and after a way through a mail.
type picture struct {
	Class, Subject, Text, ID, Sent string
	From, To, Cc, Bcc              []string
	HTML                           string
	Page                           int64
	Importance, Sensitivity        int64
	Categories                     []string
	Files                          []filePicture
}

type filePicture struct {
	Name, Media, ID string
	Flags           int64
	Sum             string
	Inside          *picture
}

func draw(m *message) *picture {
	p := &picture{
		Class: m.text(pst.PidTagMessageClass), Subject: mail.Subject(m.props), Text: m.text(pst.PidTagBody), ID: m.text(pst.PidTagInternetMessageId),
		Sent: m.props.Time(pst.PidTagClientSubmitTime).String(), From: []string{m.text(pst.PidTagSentRepresentingName), m.text(pst.PidTagSentRepresentingEmailAddress), m.text(pst.PidTagSenderEmailAddress)},
		To: m.people(1), Cc: m.people(2), Bcc: m.people(3), HTML: string(m.html()), Page: m.props.Int(pst.PidTagInternetCodepage),
		Importance: m.props.Int(pst.PidTagImportance), Sensitivity: m.props.Int(pst.PidTagSensitivity), Categories: m.props.Texts(pst.PidNameKeywords),
	}
	for _, f := range m.files {
		fp := filePicture{Name: f.name(), Media: f.props.Text(pst.PidTagAttachMimeTag), ID: f.props.Text(pst.PidTagAttachContentId), Flags: f.props.Int(pst.PidTagAttachFlags)}
		if f.message != nil {
			fp.Inside = draw(f.message)
		} else {
			fp.Sum = fmt.Sprintf("%d %x", len(f.content), sha256.Sum256(f.content))
		}
		p.Files = append(p.Files, fp)
	}
	// Inline attachments come first in a mail, whatever their order was.
	slices.SortStableFunc(p.Files, func(a, b filePicture) int { return int(b.Flags - a.Flags) })
	return p
}

// around imports a mail, exports it, and imports that.
func around(t *testing.T, name string, data []byte) (first *message, eml []byte) {
	t.Helper()
	return aroundBut(t, name, data, func(*picture) {})
}

// aroundBut leaves out of the comparison what but takes out of a picture.
func aroundBut(t *testing.T, name string, data []byte, but func(*picture)) (first *message, eml []byte) {
	t.Helper()
	first, _, err := take(data, mail.Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out bytes.Buffer
	if err := mail.Export(&out, first); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	checkEML(t, name, out.Bytes())
	second, res, err := take(out.Bytes(), mail.Options{})
	res.Notes = slices.DeleteFunc(res.Notes, func(n string) bool { return strings.Contains(n, "date cannot be read") }) // it stays as it was
	if err != nil || len(res.Notes) > 0 {
		t.Fatalf("%s: what was exported: %v %v\n%s", name, err, res.Notes, out.Bytes()[:min(2000, out.Len())])
	}
	before, after := draw(first), draw(second)
	but(before)
	but(after)
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("%s changes on its way (- before, + after):\n%s", name, d)
	}
	return first, out.Bytes()
}

// checkEML looks at what every mail must be: lines that end with CR LF and are not too long.
func checkEML(t *testing.T, name string, eml []byte) {
	t.Helper()
	for i, l := range bytes.SplitAfter(eml, []byte("\n")) {
		if len(l) > 1000 || len(l) > 0 && !bytes.HasSuffix(l, []byte("\r\n")) && i < bytes.Count(eml, []byte("\n")) || bytes.IndexByte(bytes.TrimSuffix(l, []byte("\r\n")), '\r') >= 0 {
			t.Errorf("%s: line %d of the mail is bad: %.200q", name, i+1, l)
		}
	}
}

func TestRoundTripSamples(t *testing.T) {
	all := samples(t)
	maps.Copy(all, pythonSamples(t))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		around(t, name, all[name])
		around(t, name+" with CR LF", withCRLF(all[name]))
	}
}

func withCRLF(b []byte) []byte {
	return []byte(strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n", "\r\n"))
}
