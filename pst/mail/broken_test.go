package mail_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

const lostName = "original message (not all of it could be read).eml"

// broken are mails that somebody or something spoiled; raw tells where the mail as it
// came has to be attached.
var broken = []struct {
	name string
	data []byte
	raw  bool
	note string
	text string // of the body
}{
	{"empty", nil, false, "empty", "The mail is empty: it has neither a header nor a body."},
	{"one line", []byte("I am only text"), true, "no header", "I am only text"},
	{"line ends", []byte("\r\n\r\n\n"), true, "no header", "could not be read completely: there is no header"},
	{"header only", []byte("Subject: x"), false, "", ""},
	{"no empty line", eml("Subject: x", "This is the body", "", "more"), false, "without an empty line", "This is the body\r\n\r\nmore"},
	{"rubbish in the header", eml("Subject: x", "\xFF\xFE rubbish \x00", "From: a@b", "", "text"), false, "", "text"},
	{"mbox", eml("From a@b Thu Nov  8 09:59:58 2018", "Subject: x", "", "text"), false, "", "text"},
	{"CR", []byte("Subject: x\rFrom: a@b\r\rtext\rmore"), false, "", "text\r\nmore"},
	{"CR CR LF", []byte("Subject: x\r\r\nFrom: a@b\r\r\n\r\r\ntext"), false, "", "text"},
	{"no boundary", eml("Subject: x", "Content-Type: multipart/mixed", "", "--b", "", "text"), false, "without a boundary", "--b\r\n\r\ntext"},
	{"boundary that never comes", eml("Subject: x", "Content-Type: multipart/mixed; boundary=b", "", "text"), false, "", "text"},
	{"no closing boundary", eml("Subject: x", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "text"), false, "closing boundary", "text"},
	{"unknown charset", eml("Subject: x", "Content-Type: text/plain; charset=klingon", "", "Gr\xFC\xDFe"), false, "klingon", "Grüße"},
	{"unknown encoding", eml("Subject: x", "Content-Transfer-Encoding: rot13", "", "grkg"), false, "rot13", "grkg"},
	{"8 bit", eml("Subject: \xE4\xF6\xFC", "", "\xE4\xF6\xFC"), false, "", "äöü"},
	{"zero bytes", eml("Subject: a\x00b", "", "a\x00b"), true, "zero bytes", "ab"},
	{"bytes that are none", eml("Subject: x", "Content-Type: text/plain; charset=shift_jis", "", "\x93\xFA\x96\xFF\xFF"), true, "does not know", "\uFFFD"},
	{"long header", append(append([]byte("Subject: x\r\nX-Long: "), bytes.Repeat([]byte("x"), 3<<20)...), "\r\n\r\ntext"...), true, "longer than", "text"},
	{"a million headers", append(bytes.Repeat([]byte("X: y\r\n"), 1_000_000), "\r\ntext"...), true, "longer than", "text"},
	{"no date", eml("Subject: x", "Date: yesterday", "", "text"), false, "date", "text"},
	{"text behind", eml("Subject: x", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "text", "--b--", strings.Repeat("lost ", 500)), true, "behind the last", "text"},
	{"nested without end", nested(3000), true, "deeper", ""},
	{"many parts", append(append([]byte("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"), bytes.Repeat([]byte("--b\r\n\r\nx\r\n"), 6000)...), "--b--\r\n"...), true, "more than 5000 parts", "x"},
	{"no text in base64", eml("Subject: x", "Content-Transfer-Encoding: base64", "", "This is no base64, but readable!"), false, "is not", "This is no base64, but readable!"},
}

func nested(n int) []byte {
	var b bytes.Buffer
	b.WriteString("Subject: x\r\n")
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("\r\ntext")
	return b.Bytes()
}

func TestBrokenMailIsKept(t *testing.T) {
	for _, c := range broken {
		m, res, err := take(c.data, mail.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if notes := strings.Join(res.Notes, "; "); !strings.Contains(notes, c.note) || c.note == "" && notes != "" || res.Raw != c.raw {
			t.Errorf("%s: %+v, want the note %q, attached %v", c.name, res, c.note, c.raw)
		}
		if got := m.text(pst.PidTagBody); !strings.Contains(got, c.text) {
			t.Errorf("%s: the body is %.200q, want %q", c.name, got, c.text)
		}
		if !c.raw {
			continue
		}
		last := m.files[len(m.files)-1]
		if last.name() != lostName || !bytes.Equal(last.content, c.data) {
			t.Errorf("%s: the mail as it came is not attached: %q with %d bytes", c.name, last.name(), len(last.content))
		}
		if c.name != "many parts" { // what is exported has as many
			around(t, c.name, c.data)
		}
	}
}

func TestBrokenAttachment(t *testing.T) {
	whole := "SGVsbG8sIHdvcmxkIQ==" // Hello, world!
	for _, c := range []struct {
		name, encoding, coded, want string
		raw                         bool
	}{
		{"whole", "base64", whole, "Hello, world!", false},
		{"lines of any length", "base64", "SGVs\r\nbG\r\n8sIHdvc\n\nmxkIQ==\r\n", "Hello, world!", false},
		{"indented", "BASE64", "  SGVsbG8s\r\n\tIHdvcmxkIQ==", "Hello, world!", false},
		{"no padding", "base64", "SGVsbG8sIHdvcmxkIQ", "Hello, world!", false},
		{"two together", "base64", whole + "\r\n" + whole, "Hello, world!Hello, world!", false},
		{"cut", "base64", "SGVsbG8sI", "Hello,", true},
		{"rubbish", "base64", "SGVs*bG8s!IHdvcmxkIQ==", "Hello, world!", true},
		{"quoted", "quoted-printable", "Gr=C3=BC=C3=9Fe =\r\nx=3d=\r\n=zz = =4", "Grüße x==zz = =4", false},
		{"uuencode", "x-uuencode", "begin 644 a.txt\r\n-2&5L;&\\L('=O<FQD(0``\r\n`\r\nend", "Hello, world!", false},
		{"uuencode, cut", "x-uuencode", "begin 644 a.txt\r\n-2&5L;&\\L('=O<FQD(0``", "Hello, world!", true},
		{"unknown", "yenc", "as it came", "as it came", false},
	} {
		data := eml("Subject: x", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "text", "--b", "Content-Type: application/octet-stream; name=x.bin", "Content-Transfer-Encoding: "+c.encoding, "", c.coded, "--b--", "")
		m, res, err := take(data, mail.Options{})
		if err != nil || len(m.files) == 0 || string(m.files[0].content) != c.want || res.Raw != c.raw {
			t.Errorf("%s: %v %+v %q", c.name, err, res, m.files[0].content)
		}
		around(t, c.name, data)
	}
}

// failing is a disk that fails behind its first bytes.
type failing struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("the disk fails")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestErrorsAreTold(t *testing.T) {
	data := append(eml("Subject: x", "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: message/rfc822", "", "Subject: y", "", ""), bytes.Repeat([]byte("a line\r\n"), 50_000)...)
	for _, from := range []int64{0, 100_000, 300_000} {
		if _, err := mail.Import(&message{}, failing{bytes.NewReader(data), from}, int64(len(data)), mail.Options{}); !errors.Is(err, errDisk) {
			t.Errorf("a disk that fails at %d: %v", from, err)
		}
	}
	refuses := errors.New("full")
	if _, err := mail.Import(&message{embedFails: refuses}, bytes.NewReader(data), int64(len(data)), mail.Options{}); !errors.Is(err, refuses) {
		t.Errorf("a sink that refuses: %v", err)
	}
	if m, _, err := take(data[:200], mail.Options{}); err != nil || len(m.files) != 1 {
		t.Errorf("%v", err)
	}
	// A size that is too large is what the reader has.
	m := &message{}
	if _, err := mail.Import(m, bytes.NewReader([]byte("Subject: x\r\n\r\ntext")), 1<<40, mail.Options{}); err != nil || m.text(pst.PidTagBody) != "text" {
		t.Errorf("%v %q", err, m.text(pst.PidTagBody))
	}
}

// TestSpoiledSamples takes samples with bytes flipped, cut and doubled: each gives a
// message, and what is exported of it can be read again.
func TestSpoiledSamples(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, data := range samples(t) {
		for range 10 {
			b := bytes.Clone(data)
			switch i := rnd.IntN(len(b)); rnd.IntN(4) {
			case 0:
				b = b[:i]
			case 1:
				for range 20 {
					b[rnd.IntN(len(b))] = byte(rnd.IntN(256))
				}
			case 2:
				b = append(b[:i:i], b[min(i+rnd.IntN(100), len(b)):]...)
			case 3:
				b = append(b[:i:i], b[max(0, i-200):]...)
			}
			// Rubbish in a header may change its form on its way, a control character
			// become a space for instance. Texts and files may not.
			aroundBut(t, fmt.Sprintf("%s, spoiled to %q", name, b), b, func(p *picture) {
				p.From, p.To, p.Cc, p.Bcc, p.ID, p.Sent = nil, nil, nil, nil, "", ""
				for i := range p.Files {
					p.Files[i].ID = ""
				}
			})
		}
	}
}

// TestHostileMailIsQuick: no mail takes time that grows faster than it does.
func TestHostileMailIsQuick(t *testing.T) {
	for name, data := range map[string][]byte{
		"boundaries":     append([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), bytes.Repeat([]byte("--b\r\n"), 400_000)...),
		"words":          append([]byte("Subject: "), bytes.Repeat([]byte("=?utf-8?Q?"), 150_000)...),
		"open words":     append([]byte("Subject: "), bytes.Repeat([]byte("=?a?b?"), 250_000)...),
		"addresses":      append([]byte("To: "), bytes.Repeat([]byte("<a@b"), 400_000)...),
		"quotes":         append([]byte("To: "), bytes.Repeat([]byte("\""), 1_500_000)...),
		"comments":       append([]byte("To: "), bytes.Repeat([]byte("("), 1_500_000)...),
		"groups":         append([]byte("To: "), bytes.Repeat([]byte("a:"), 700_000)...),
		"parameters":     append([]byte("Content-Type: a/b; "), bytes.Repeat([]byte("x*0=y;"), 200_000)...),
		"equals":         append([]byte("Content-Transfer-Encoding: quoted-printable\r\n\r\n"), bytes.Repeat([]byte("= "), 1_000_000)...),
		"one line":       append([]byte("Content-Transfer-Encoding: quoted-printable\r\n\r\n"), bytes.Repeat([]byte("=41"), 1_000_000)...),
		"spaces":         append([]byte("Content-Transfer-Encoding: quoted-printable\r\n\r\n"), bytes.Repeat([]byte(" "), 2_000_000)...),
		"meta":           append([]byte("Content-Type: text/html\r\n\r\n"), bytes.Repeat([]byte("charset"), 300_000)...),
		"pictures":       append([]byte("Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("cid:a@b ", 1_000_000)+"\r\n"), bytes.Repeat([]byte("--b\r\nContent-ID: <x>\r\nContent-Location: somewhere-else\r\n\r\nx\r\n"), 4000)...),
		"plus":           append([]byte("Content-Type: text/plain; charset=utf-7\r\n\r\n"), bytes.Repeat([]byte("+"), 1_000_000)...),
		"uuencode":       append([]byte("Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin\r\n"), bytes.Repeat([]byte("M\r\n"), 500_000)...),
		"continuations":  append([]byte("Subject: x\r\n"), bytes.Repeat([]byte(" y\r\n"), 400_000)...),
		"rubbish header": append([]byte("Subject: x\r\n"), bytes.Repeat([]byte("rubbish\r\nFrom: x\r\n"), 100_000)...),
	} {
		start := time.Now()
		if _, _, err := take(data, mail.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s takes %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}
