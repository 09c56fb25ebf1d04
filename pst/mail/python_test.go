package mail_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// reader is what Python's email package makes of a mail, written down as JSON.
const reader = `
import sys, json, hashlib, email, email.policy, email.utils
out = {}
def addrs(m, name):
    r = []
    for h in m.get_all(name, []):
        for a in h.addresses:
            r.append([a.display_name, a.addr_spec])
    return r
def text(p):
    try:
        s = p.get_content()
    except Exception as e:
        return "!" + type(e).__name__
    return s if isinstance(s, str) else "!" + type(s).__name__
for f in sys.argv[1:]:
    m = email.message_from_binary_file(open(f, "rb"), policy=email.policy.default)
    o = {"file": f, "defects": [type(d).__name__ for p in m.walk() for d in p.defects]}
    for k in ("subject", "date", "from", "to", "cc", "bcc"):
        try:
            if k == "subject": o[k] = str(m["subject"] or "")
            elif k == "date": o[k] = int(m["date"].datetime.timestamp()) if m["date"] and m["date"].datetime else None
            else: o[k] = addrs(m, k)
        except Exception as e:
            o[k] = None
            o["defects"].append(k + ": " + type(e).__name__)
    plain, html = None, None
    try:
        plain, html = m.get_body(("plain",)), m.get_body(("html",))
    except Exception as e:
        o["defects"].append("body: " + type(e).__name__)
    o["text"] = text(plain) if plain else None
    o["html"] = text(html) if html else None
    o["files"] = []
    def leaves(p):
        if p.get_content_maintype() == "multipart" and p.is_multipart():
            for k in p.iter_parts(): leaves(k)
        elif p.get_content_maintype() == "multipart":
            pass # without its boundary: its text is the body here
        elif p is not plain and p is not html:
            if p.get_content_maintype() == "message" and p.is_multipart():
                o["files"].append(["message", "", ""])
            else:
                b = p.get_payload(decode=True) or b""
                o["files"].append([p.get_content_type(), p.get_filename() or "", hashlib.sha256(b.replace(b"\r\n", b"\n").rstrip()).hexdigest()])
    leaves(m)
    out[f] = o
json.dump(out, sys.stdout)
`

// seen is a mail as Python sees it.
type seen struct {
	Defects      []string
	Subject      string
	Date         *int64
	From, To, Cc [][2]string
	Bcc          [][2]string
	Text, HTML   *string
	Files        [][3]string
}

// askPython gives what Python's email package reads in mails.
func askPython(t *testing.T, all map[string][]byte) map[string]seen {
	t.Helper()
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if p, err := exec.LookPath(name); err == nil {
			python = p
			break
		}
	}
	if python == "" && os.Getenv("CI") == "" {
		t.Skip("there is no python3")
	}
	dir := t.TempDir()
	args := []string{"-c", reader}
	for name, data := range all {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.Command(python, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, errs.Bytes())
	}
	got := map[string]seen{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	byName := map[string]seen{}
	for f, s := range got {
		byName[filepath.Base(f)] = s
	}
	return byName
}

// compare holds a message against what Python reads, where that has no defect. It
// gives the number of fields that were compared.
func compare(t *testing.T, name string, m *message, want seen, exported bool, except ...string) int {
	t.Helper()
	n := 0
	equal := func(what string, got, want any) {
		n++
		if d := cmp.Diff(want, got); d != "" && !slices.Contains(except, what) {
			t.Errorf("%s: %s differs from what Python reads (- Python, + here):\n%s", name, what, d)
		}
	}
	equal("subject", squash(mail.Subject(m.props)), squash(want.Subject))
	if want.Date != nil {
		equal("date", m.props.Time(pst.PidTagClientSubmitTime).Unix(), *want.Date)
	}
	// Python takes no name from a comment: joe@example.com (Joe).
	commented := func(list, of [][2]string) [][2]string {
		for i := range list {
			if i < len(of) && of[i][0] == of[i][1] {
				list[i][0] = list[i][1]
			}
		}
		return list
	}
	people := func(kind int64) (list [][2]string) {
		for _, r := range m.recipients {
			if r.Int(pst.PidTagRecipientType) == kind {
				list = append(list, [2]string{r.Text(pst.PidTagDisplayName), r.Text(pst.PidTagEmailAddress)})
			}
		}
		return list
	}
	equal("to", commented(people(1), named(want.To)), named(want.To))
	equal("cc", commented(people(2), named(want.Cc)), named(want.Cc))
	equal("bcc", commented(people(3), named(want.Bcc)), named(want.Bcc))
	if len(want.From) > 0 {
		from := named(want.From[:1])
		from[0][1] = strings.TrimSuffix(from[0][1], "<>") // how Python writes the empty address
		equal("from", commented([][2]string{{m.text(pst.PidTagSentRepresentingName), m.text(pst.PidTagSentRepresentingEmailAddress)}}, from), from)
	}
	if want.Text != nil && !strings.HasPrefix(*want.Text, "!") {
		equal("text", lines(m.text(pst.PidTagBody)), lines(*want.Text))
	}
	if want.HTML != nil && !strings.HasPrefix(*want.HTML, "!") && m.props.Int(pst.PidTagInternetCodepage) == 65001 {
		equal("html", lines(string(m.html())), lines(*want.HTML))
	}
	var files [][3]string
	for _, f := range m.files {
		if f.message != nil || strings.HasPrefix(f.props.Text(pst.PidTagAttachMimeTag), "message/") {
			files = append(files, [3]string{"message", "", ""})
			continue
		}
		sum := sha256.Sum256(bytes.TrimRight(bytes.ReplaceAll(f.content, []byte("\r\n"), []byte("\n")), " \t\n\r\f\v"))
		name := f.name()
		if !exported && strings.HasPrefix(name, "original message (") {
			continue
		}
		if !exported && strings.HasPrefix(name, "ATT0") {
			name = ""
		}
		files = append(files, [3]string{f.props.Text(pst.PidTagAttachMimeTag), name, hex.EncodeToString(sum[:])})
	}
	empty := hex.EncodeToString(sha256.New().Sum(nil))
	var keep [][3]string
	for _, f := range want.Files {
		f[0] = strings.Fields(f[0])[0]   // "application/pdf name=x", without its semicolon
		if f[2] != empty || f[1] != "" { // a part without a name and a content is none here
			keep = append(keep, f)
		}
	}
	equal("files", files, keep)
	return n
}

func named(list [][2]string) (out [][2]string) {
	for _, a := range list {
		if a[0] == "" {
			a[0] = a[1]
		}
		a[0] = squash(a[0])
		out = append(out, a)
	}
	return out
}

// otherwise is where Python reads a mail in another way, and why.
var otherwise = map[string][]string{
	"epilogue-sample.raw":                    {"files"},         // characters that are no base64 behind its padding
	"mime-bad-content-transfer-encoding.raw": {"text"},          // a text that says that it is base64 and is not; its lines are kept here
	"msg_04.txt":                             {"text", "files"}, // a text with the disposition attachment is no body here
	"msg_44.txt":                             {"text", "files"},
	"msg_10.txt":                             {"html", "files"}, // two bodies one after another: the second is a file here
	"msg_15.txt":                             {"files"},         // Python leaves out what is not the first of two of one kind
	"msg_39.txt":                             {"files"},
}

func squash(s string) string { return strings.Join(strings.Fields(s), " ") }

// lines compares texts but for white space at ends of lines and of the text.
func lines(s string) []string {
	all := strings.Split(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), "\n")
	for i := range all {
		all[i] = strings.TrimRight(all[i], " \t\r")
	}
	return all
}

func TestAgainstPython(t *testing.T) {
	all := samples(t)
	maps.Copy(all, pythonSamples(t))
	came := askPython(t, all)
	first, written := map[string]*message{}, map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		first[name], written[name] = around(t, name, withCRLF(all[name]))
	}
	n := 0
	went := askPython(t, written)
	for name, m := range first {
		n += compare(t, name, m, came[name], false, otherwise[name]...)
		if len(went[name].Defects) > 0 {
			t.Errorf("%s: Python finds defects in what was exported: %v", name, went[name].Defects)
		}
		n += compare(t, name+", exported", m, went[name], true)
	}
	t.Logf("%d fields of %d mails are compared", n, len(all))
}
