package pst_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
)

// readpstListing is what readpst made: mails as it tells them, and the text of what
// is none, by the path "Folder/7.ics" below the top.
type readpstListing struct {
	Items []seen
	Files map[string]string // .ics and .vcf
}

// withReadpst lists a file with libpst. Always with -j 0: its default, several
// processes, loses items at random. -8 has it write bodies as UTF-8 and -D go
// through Deleted Items too.
func withReadpst(t testing.TB, file string) readpstListing {
	t.Helper()
	program := needProgram(t, "readpst")
	out := t.TempDir()
	runProgram(t, []string{"LC_ALL=C.UTF-8", "TZ=UTC"}, "", program, "-q", "-j", "0", "-e", "-8", "-D", "-t", "eajc", "-o", out, file)
	l := readpstListing{Files: map[string]string{}}
	err := filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		_, rel, _ = strings.Cut(rel, string(filepath.Separator)) // the name of the store
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) != ".eml" {
			l.Files[filepath.ToSlash(rel)] = string(data)
			return nil
		}
		it, err := readMail(data)
		if err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		it.Folder = filepath.ToSlash(filepath.Dir(rel))
		l.Items = append(l.Items, *it)
		return nil
	})
	if err == nil {
		err = os.RemoveAll(out) // more than the file, and the next reader wants room too
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// readMail turns a mail that readpst wrote into the common words.
func readMail(data []byte) (*seen, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	it := &seen{Class: "IPM.Note", ID: msg.Header.Get("Message-Id"), Subject: decoded(msg.Header.Get("Subject"))}
	if s := msg.Header.Get("Date"); s != "" {
		if it.Sent, err = mail.ParseDate(s); err != nil {
			return nil, err
		}
		it.Sent = it.Sent.UTC()
	}
	if from := people(msg.Header.Get("From")); len(from) > 0 {
		it.From = from[0]
	}
	for kind, name := range map[int64]string{pst.RecipientTo: "To", pst.RecipientCc: "Cc", pst.RecipientBcc: "Bcc"} {
		for _, p := range people(msg.Header.Get(name)) {
			it.Recipients = append(it.Recipients, seenRecipient{kind, p})
		}
	}
	slices.SortStableFunc(it.Recipients, func(a, b seenRecipient) int { return int(a.Type - b.Type) })
	return it, it.parts(msg.Header.Get, msg.Body)
}

// parts goes through the bodies and attachments. get looks into the header of the part.
func (it *seen) parts(get func(string) string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", get("Content-Type"), err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := it.parts(p.Header.Get, p); err != nil {
				return err
			}
		}
	}
	disposition := get("Content-Disposition")
	content, err := io.ReadAll(transferDecoded(get("Content-Transfer-Encoding"), body))
	if err != nil {
		return fmt.Errorf("a part %s: %w", kind, err)
	}
	switch {
	case kind == "message/rfc822":
		// libpst begins an embedded message as if it were in an mbox file.
		if line, rest, ok := bytes.Cut(content, []byte("\n")); ok && bytes.HasPrefix(line, []byte(">From ")) {
			content = rest
		}
		inner, err := readMail(content)
		if err != nil {
			return fmt.Errorf("embedded: %w", err)
		}
		it.Attachments = append(it.Attachments, seenAttachment{Item: inner})
	case disposition != "" || !strings.HasPrefix(kind, "text/"):
		sum := sha256.Sum256(content)
		it.Attachments = append(it.Attachments, seenAttachment{Name: attachmentName(disposition), CID: strings.Trim(get("Content-Id"), "<>"),
			Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
	case kind == "text/html":
		it.HTML = string(content)
	default:
		it.Text = string(content)
	}
	return nil
}

// attachmentName finds the name in what libpst writes: filename*=utf-8”… with brackets
// that it ought to escape, filename="…", or both, which mime.ParseMediaType
// refuses, rightly.
func attachmentName(disposition string) string {
	for _, p := range strings.Split(disposition, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if escaped, ok := strings.CutPrefix(value, "utf-8''"); ok && key == "filename*" {
			if name, err := url.PathUnescape(escaped); err == nil {
				return name
			}
		}
	}
	_, name, _ := strings.Cut(disposition, `filename="`)
	return decoded(strings.TrimSuffix(name, `"`))
}

func transferDecoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

func decoded(s string) string {
	if d, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		return d
	}
	return s
}

// people reads addresses. Where the mail came without a header block libpst writes no
// addresses of recipients but the names that are shown, "a; b": one person has them all.
func people(s string) []seenPerson {
	if s == "" {
		return nil
	}
	list, err := mail.ParseAddressList(s)
	if err != nil {
		return []seenPerson{{Name: decoded(s)}}
	}
	all := make([]seenPerson, len(list))
	for i, a := range list {
		// Whose name a mail does not tell has the address for a name in an item.
		all[i] = seenPerson{cmp.Or(decoded(a.Name), a.Address), a.Address}
	}
	return all
}

// readpstKnows is what libpst could say of items that the generator made: no blind
// copies, no addresses of recipients without a header block, and no attachment of no
// bytes, which it leaves out.
func readpstKnows(all []seen) []seen {
	return changed(all, []func(*seen){func(it *seen) {
		it.Recipients = slices.DeleteFunc(it.Recipients, func(r seenRecipient) bool { return r.Type == pst.RecipientBcc })
		it.Attachments = slices.DeleteFunc(it.Attachments, func(a seenAttachment) bool { return a.Size == 0 && a.Item == nil })
		for i := range it.Attachments {
			if it.Attachments[i].Item != nil {
				it.Attachments[i].Name = ""
			}
		}
		if it.Headers == "" {
			it.Recipients = shown(it.Recipients)
		}
	}})
}

// shown joins the names of each type of recipient, as PidTagDisplayTo has them.
func shown(all []seenRecipient) []seenRecipient {
	var joined []seenRecipient
	for _, r := range all {
		if n := len(joined); n > 0 && joined[n-1].Type == r.Type {
			joined[n-1].Person.Name += "; " + r.Person.Name
			continue
		}
		joined = append(joined, seenRecipient{r.Type, seenPerson{Name: r.Person.Name}})
	}
	return joined
}
