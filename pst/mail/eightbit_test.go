package mail_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"keepwatch/pst"
	"keepwatch/pst/mail"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Old mail has headers in the charset of its text without saying so. A second byte may
// be a backslash, a bracket or a quote there.
func TestHeadersInTheCharsetOfTheText(t *testing.T) {
	for _, c := range []struct {
		charset, text string
		enc           encoding.Encoding
	}{
		{"Shift_JIS", "表示ソテスト①", japanese.ShiftJIS}, {"cp932", "予定表", japanese.ShiftJIS}, {"euc-jp", "予定表", japanese.EUCJP}, {"ISO-2022-JP", "予定表", japanese.ISO2022JP},
		{"us-ascii", "予定表", japanese.ISO2022JP}, {"koi8-r", "Привет мир", charmap.KOI8R}, {"windows-1251", "Привет", charmap.Windows1251}, {"iso-8859-2", "Žluťoučký", charmap.ISO8859_2},
		{"gb2312", "测试朱镕基", simplifiedchinese.GBK}, {"gb18030", "测试\U00020000", simplifiedchinese.GB18030}, {"gb2312", "测试\U00020000", simplifiedchinese.GB18030}, {"big5", "許功蓋", traditionalchinese.Big5}, {"ks_c_5601-1987", "한글", korean.EUCKR},
		{"utf-8", "Grüße", charmap.Windows1252}, {"us-ascii", "Grüße", charmap.Windows1252}, {"koi8-r", "Grüße Привет", encoding.Nop},
	} {
		raw, err := c.enc.NewEncoder().String(c.text)
		if err != nil {
			t.Fatal(err)
		}
		text := "--A\r\nContent-Type: text/plain; charset=" + c.charset + "\r\n\r\ntext\r\n"
		file := "--A\r\nContent-Type: application/octet-stream; name=\"" + raw + ".txt\"\r\nContent-Disposition: attachment;\r\n filename=\"" + raw + ".txt\"\r\n\r\ncontent\r\n--A--\r\n"
		m, res, err := take([]byte("From: \""+raw+"\" <a@example.org>\r\nTo: "+raw+" <b@example.org>, c@example.org\r\nSubject: Re: "+raw+
			"\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n"+text+file), mail.Options{})
		if err != nil || res.Raw {
			t.Fatal(err, res.Notes)
		}
		if got := mail.Subject(m.props); got != "Re: "+c.text {
			t.Errorf("%s: the subject is %q", c.charset, got)
		}
		if got := m.text(pst.PidTagSenderName); got != c.text {
			t.Errorf("%s: the sender is %q", c.charset, got)
		}
		if got, want := m.people(1), []string{c.text + " <b@example.org>", "c@example.org <c@example.org>"}; !slices.Equal(got, want) {
			t.Errorf("%s: to %q", c.charset, got)
		}
		if got := m.files[0].name(); got != c.text+".txt" {
			t.Errorf("%s: the file is %q", c.charset, got)
		}
		if got := m.text(pst.PidTagTransportMessageHeaders); !strings.Contains(got, "Subject: Re: "+c.text+"\r\n") {
			t.Errorf("%s: the header is %q", c.charset, got)
		}
	}
}

// Every byte of an unknown charset can be told from every other.
func TestBytesOfNoCharset(t *testing.T) {
	for _, charset := range []string{"x-nobody-knows", "us-ascii", ""} {
		seen := map[string]int{}
		for b := 0x80; b <= 0xFF; b++ {
			m, _, err := take(append([]byte("Subject: x\r\nContent-Type: text/plain; charset=\""+charset+"\"\r\n\r\n"), byte(b)), mail.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := m.text(pst.PidTagBody)
			if before, twice := seen[got]; twice || got == string(utf8.RuneError) {
				t.Errorf("%q: %02X is %q, as is %02X", charset, b, got, before)
			}
			seen[got] = b
		}
	}
}

// HTML is kept as it came, with the code page that has all of its characters.
func TestCodePagesOfHTML(t *testing.T) {
	for _, c := range []struct {
		charset string
		enc     encoding.Encoding
		text    string
		page    int64
	}{{"gb2312", simplifiedchinese.GBK, "朱镕基", 936}, {"gb2312", simplifiedchinese.GB18030, "朱\U00020000", 54936}, {"cp932", japanese.ShiftJIS, "表示", 932}, {"cp949", korean.EUCKR, "한글", 51949},
		{"cp950", traditionalchinese.Big5, "許", 950}, {"win-1251", charmap.Windows1251, "Привет", 1251}} {
		raw, err := c.enc.NewEncoder().String("<p>" + c.text)
		if err != nil {
			t.Fatal(err)
		}
		m, res, err := take([]byte("Subject: x\r\nContent-Type: text/html; charset="+c.charset+"\r\n\r\n"+raw), mail.Options{})
		if err != nil || len(res.Notes) > 0 {
			t.Fatal(err, res.Notes)
		}
		if got := m.props.Int(pst.PidTagInternetCodepage); got != c.page || string(m.html()) != raw {
			t.Errorf("%s: page %d, want %d; %q", c.charset, got, c.page, m.html())
		}
	}
}

// The mark of UTF-8 before a mail is none of its header.
func TestMarkBeforeTheHeader(t *testing.T) {
	for _, from := range []string{"", "From a@example.org Mon Jan  1 10:00:00 2024\r\n"} {
		m, res, err := take([]byte("\xEF\xBB\xBF"+from+"Subject: marked\r\n\r\ntext\r\n"), mail.Options{})
		if err != nil || res.Raw || mail.Subject(m.props) != "marked" || m.text(pst.PidTagBody) != "text\r\n" {
			t.Errorf("%v %+v %v", err, res, m.props)
		}
	}
}

func TestOddDates(t *testing.T) {
	for date, want := range map[string]string{
		"Mon, 1 Jan 0001 00:00:00 GMT": "", "Fri, 31 Dec 9999 23:59:59 -1200": "", "30 Feb 2024 10:00:00": "", "Mon, 01 Jan 1601 00:00:00 +0000": "",
		"Thu, 31 Dec 2999 23:59:59 +0000": "2999-12-31T23:59:59Z", "Mon, 1 Jan 2024 10:00:00 PM +0000": "2024-01-01T22:00:00Z", "1 Jan 24 12:05 AM": "2024-01-01T00:05:00Z",
		"Mo, 5 Mär 2012 12:00:00 +0100": "2012-03-05T11:00:00Z", "lun., 5 déc. 2011 12:00:00 +0100": "2011-12-05T11:00:00Z", "Di, 3 Okt 2023 12:00:00 +0200": "2023-10-03T10:00:00Z",
	} {
		m, _, err := take([]byte("Subject: x\r\nDate: "+date+"\r\n\r\n"), mail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if at := m.props.Time(pst.PidTagClientSubmitTime); !at.IsZero() {
			got = at.Format("2006-01-02T15:04:05Z")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", date, got, want)
		}
	}
}

// The list shows by an arrow what was answered.
func TestArrows(t *testing.T) {
	for verb, want := range map[int32]int64{0: 0, 102: 0x105, 103: 0x105, 104: 0x106} {
		m, _, err := take([]byte("Subject: x\r\n\r\n"), mail.Options{LastVerb: verb})
		if got := m.props.Int(pst.PidTagIconIndex); err != nil || got != want {
			t.Errorf("%d: %#x, want %#x, %v", verb, got, want, err)
		}
	}
}

// The mark of UTF-16 is right, whatever its name says.
func TestMarksOfUTF16(t *testing.T) {
	for _, charset := range []string{"utf-16", "UTF-16LE", "utf-16be", "iso-10646-ucs-2"} {
		for _, raw := range []string{"\xFE\xFF\x00h\x00\xFC", "\xFF\xFEh\x00\xFC\x00"} {
			for _, kind := range []string{"plain", "html"} {
				m, res, err := take([]byte("Subject: x\r\nContent-Type: text/"+kind+"; charset="+charset+"\r\nContent-Transfer-Encoding: base64\r\n\r\n"+
					base64.StdEncoding.EncodeToString([]byte(raw))), mail.Options{})
				if got := m.text(pst.PidTagBody) + string(m.html()); err != nil || res.Raw || got != "hü" {
					t.Errorf("%s %q: %q %v", charset, raw, got, err)
				}
			}
		}
	}
}

// Lines that end with CR CR LF are not two.
func TestDamageOfGateways(t *testing.T) {
	m, _, err := take([]byte("Subject: x\r\r\n\r\r\none\r\r\ntwo\r\r\n"), mail.Options{})
	if got := m.text(pst.PidTagBody); err != nil || got != "one\r\ntwo\r\n" {
		t.Errorf("%q %v", got, err)
	}
}
