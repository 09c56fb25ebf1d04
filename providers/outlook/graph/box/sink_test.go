package box

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// imported is what becomes of a mail in an Outlook data file.
type imported struct {
	props    pst.Properties
	to       []string
	files    []string
	sizes    map[string]int64
	embedded []*imported
}

func newImported() *imported {
	return &imported{sizes: map[string]int64{}}
}

func (i *imported) Set(all ...pst.Property) {
	i.props = append(i.props, all...)
}

func (i *imported) Recipient(p pst.Properties) {
	i.to = append(i.to, p.Text(pst.PidTagEmailAddress))
}

func (i *imported) Attach(p pst.Properties, content io.Reader) error {
	name := p.Text(pst.PidTagAttachLongFilename)
	i.files = append(i.files, name)
	if content == nil {
		return nil
	}
	n, err := io.Copy(io.Discard, content)
	i.sizes[name] = n
	return err
}

func (i *imported) Embed(_ pst.Properties, fill func(pst.Sink) error) error {
	e := newImported()
	i.embedded = append(i.embedded, e)
	return fill(e)
}

// importMail imports a mail, which must be in order.
func importMail(t *testing.T, text string) *imported {
	t.Helper()
	got := newImported()
	r, err := mail.Import(got, strings.NewReader(text), int64(len(text)), mail.Options{})
	if err != nil || len(r.Notes) > 0 || r.Raw {
		t.Errorf("import: %v, %v", err, r.Notes)
	}
	return got
}

// pythonMail is what Python's email package finds in a mail: nil where there is no Python.
type pythonMail struct {
	Subject, From, To, Date string
	Defects                 []string
	Parts                   []struct {
		Type, Name string
		Size       int
		Text       string
	}
}

const python = `
import sys, json, email, email.policy
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts, defects = [], [str(d) for d in m.defects]
for p in m.walk():
    defects += [str(d) for d in p.defects]
    if p.is_multipart():
        parts.append({"Type": p.get_content_type(), "Name": p.get_filename() or ""})
        continue
    data = p.get_payload(decode=True) or b""
    parts.append({"Type": p.get_content_type(), "Name": p.get_filename() or "", "Size": len(data), "Text": data[:2000].decode("utf-8", "replace") if p.get_content_maintype() == "text" else ""})
json.dump({"Subject": str(m["subject"]), "From": str(m["from"]), "To": str(m["to"]), "Date": str(m["date"]), "Defects": defects, "Parts": parts}, sys.stdout)
`

func pythonReads(t *testing.T, text string) *pythonMail {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		return nil
	}
	cmd := exec.Command(path, "-c", python)
	var out, bad bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &out, &bad
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, bad.String())
	}
	var m pythonMail
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Defects) > 0 {
		t.Errorf("Python finds %q in\n%.2000s", m.Defects, text)
	}
	return &m
}
