package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// utf8Page is the code page of UTF-8.
const utf8Page = 65001

// codePages are the code pages of Windows by the names of the WHATWG (which
// htmlindex gives), as PidTagInternetCodepage has them. A charset that is not here
// is changed to UTF-8. Source: Code Page Identifiers, Microsoft Learn.
var codePages = map[string]int32{
	"utf-8": utf8Page, "ibm866": 866, "iso-8859-2": 28592, "iso-8859-3": 28593, "iso-8859-4": 28594,
	"iso-8859-5": 28595, "iso-8859-6": 28596, "iso-8859-7": 28597, "iso-8859-8": 28598, "iso-8859-8-i": 38598,
	"iso-8859-13": 28603, "iso-8859-15": 28605, "koi8-r": 20866, "koi8-u": 21866, "macintosh": 10000,
	"windows-874": 874, "windows-1250": 1250, "windows-1251": 1251, "windows-1252": 1252, "windows-1253": 1253,
	"windows-1254": 1254, "windows-1255": 1255, "windows-1256": 1256, "windows-1257": 1257, "windows-1258": 1258,
	"x-mac-cyrillic": 10007, "gbk": 936, "gb18030": 54936, "big5": 950, "euc-jp": 51932, "iso-2022-jp": 50220,
	"shift_jis": 932, "euc-kr": 51949,
}

// pageNames are names for code pages that codePages does not have, or has otherwise.
var pageNames = map[int32]string{
	20127: "us-ascii", 28591: "iso-8859-1", 28599: "iso-8859-9", 949: "euc-kr", 20932: "euc-jp", 50221: "iso-2022-jp",
	50222: "iso-2022-jp", 20936: "gbk", 1200: "utf-16le", 1201: "utf-16be", 874: "windows-874", 65000: "utf-7",
	437: "ibm437", 850: "ibm850", 852: "ibm852", 855: "ibm855", 858: "ibm00858", 860: "ibm860", 862: "ibm862", 863: "ibm863", 865: "ibm865",
}

// pageName is a name for a code page that a mail can have, or "".
func pageName(page int32) string {
	if n := pageNames[page]; n != "" {
		return n
	}
	for name, p := range codePages {
		if p == page {
			return name
		}
	}
	return ""
}

// single are charsets that htmlindex does not know.
var single = map[string]encoding.Encoding{
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855,
	"cp858": charmap.CodePage858, "ansi_x3.110-1983": charmap.ISO8859_1,
	"utf-32": utf32.UTF32(utf32.BigEndian, utf32.UseBOM), "utf-32be": utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "utf-32le": utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM),
}

// aliases are names that mailers and programs of Windows, Java and Unix have for
// charsets, and that neither list of golang.org/x/text knows.
var aliases = map[string]string{
	"cp932": "shift_jis", "x-cp932": "shift_jis", "windows-932": "shift_jis", "cp936": "gbk", "ms936": "gbk", "windows-936": "gbk", "euc-cn": "gbk", "x-euc-cn": "gbk", "euccn": "gbk",
	"cp54936": "gb18030", "gb18030-2000": "gb18030", "gb18030-2005": "gb18030", "cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr", "euckr": "euc-kr", "windows-949": "euc-kr",
	"cp950": "big5", "ms950": "big5", "windows-950": "big5", "big5hkscs": "big5", "eucjp": "euc-jp", "ujis": "euc-jp", "eucjp-ms": "euc-jp", "cp51932": "euc-jp", "eucjp-win": "euc-jp",
	"iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp", "iso-2022-jp-3": "iso-2022-jp", "iso-2022-jp-ms": "iso-2022-jp", "cp50220": "iso-2022-jp", "cp50221": "iso-2022-jp",
	"cp50222": "iso-2022-jp", "x-windows-iso2022jp": "iso-2022-jp", "latin-1": "iso-8859-1", "8859-1": "iso-8859-1", "8859_1": "iso-8859-1", "iso88591": "iso-8859-1", "iso-88591": "iso-8859-1",
	"latin-2": "iso-8859-2", "latin-9": "iso-8859-15", "ansi": "windows-1252", "win1250": "windows-1250", "win-1250": "windows-1250", "win1251": "windows-1251", "win-1251": "windows-1251",
	"win1252": "windows-1252", "win-1252": "windows-1252", "cp874": "windows-874", "koi8r": "koi8-r", "koi8u": "koi8-u", "cp20866": "koi8-r", "cp21866": "koi8-u", "macroman": "macintosh",
	"utf_8": "utf-8", "cp65001": "utf-8", "utf8-mac": "utf-8", "utf-8-mac": "utf-8", "utf-8http-equivcontent-type": "utf-8", "cp20127": "us-ascii", "ansi_x3.4-1986": "us-ascii", "iso646-us": "us-ascii",
	"cp-850": "cp850", "cp28591": "iso-8859-1", "cp28592": "iso-8859-2", "cp28605": "iso-8859-15", "windows1250": "windows-1250", "windows1251": "windows-1251", "windows1252": "windows-1252",
}

// lookup finds a charset by whatever name mail has for it. The page is 0 where
// Windows has none. ok is false for one that nobody knows; enc is nil for UTF-8.
func lookup(name string) (enc encoding.Encoding, page int32, ok bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if n := aliases[name]; n != "" {
		name = n
	}
	switch name {
	case "utf-8", "utf8", "unicode-1-1-utf-8", "x-utf_8j", "utf-8-sig", "utf8mb4":
		return nil, utf8Page, true
	case "us-ascii", "ascii", "ansi_x3.4-1968":
		return nil, 20127, true
	case "": // not given
		return nil, 0, false
	}
	name = strings.TrimPrefix(name, "x-unknown")
	if strings.HasPrefix(name, "cp12") || strings.HasPrefix(name, "cp-12") {
		name = "windows-" + strings.TrimLeft(name, "cp-")
	}
	if strings.HasPrefix(name, "iso8859") {
		name = "iso-8859" + name[len("iso8859"):]
	}
	if e, err := htmlindex.Get(name); err == nil {
		canonical, _ := htmlindex.Name(e)
		if canonical == "gbk" { // as WHATWG decodes it; mail that says gb2312 has characters of the newest of the three
			e = simplifiedchinese.GB18030
		}
		if canonical != "replacement" && canonical != "x-user-defined" {
			return e, codePages[canonical], true
		}
	}
	if e := single[name]; e != nil {
		return e, 0, true
	}
	for _, n := range []string{name, "cs" + name} {
		if e, err := ianaindex.MIME.Encoding(n); err == nil && e != nil {
			return e, 0, true
		}
	}
	return nil, 0, false
}

// decodeText makes UTF-8 of bytes in a charset, and says whether that is what they
// were: false where characters had to be put in the place of what is none.
//
// What has no charset, an unknown one, or says that it is UTF-8 or ASCII and is not,
// is taken as UTF-8 where it is valid, and each other byte as Windows-1252: so no
// byte is lost, and what has the wrong label is readable in most cases.
func decodeText(b []byte, charset string) (string, bool) {
	enc, _, ok := lookup(charset)
	if isUTF7(charset) {
		return utf7(b), true
	}
	if !ok || enc == nil {
		return readText(string(b)), true
	}
	var decoder transform.Transformer = enc.NewDecoder()
	if wide(charset) && !strings.Contains(charset, "32") {
		decoder = unicode.BOMOverride(decoder) // the mark is right where the name is not
	}
	out, _, err := transform.Bytes(decoder, b)
	if err != nil {
		return readText(string(b)), true
	}
	broken := bytes.Count(out, []byte("\uFFFD"))
	if broken > 0 && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 {
		return string(b), true // UTF-8 with a wrong label
	}
	return strings.TrimPrefix(string(out), "\uFEFF"), broken == 0
}

// wide tells whether a charset has two or four bytes a character, zeros among them.
func wide(charset string) bool {
	name := strings.ToLower(charset)
	return strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") || strings.HasSuffix(name, "ucs-2")
}

func isUTF7(charset string) bool {
	return strings.EqualFold(charset, "utf-7") || strings.EqualFold(charset, "unicode-1-1-utf-7")
}

// readText makes valid UTF-8 of bytes of unknown charset, see decodeText.
func readText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			if r = charmap.Windows1252.DecodeByte(s[0]); r == utf8.RuneError {
				r = rune(s[0]) // 81, 8D, 8F, 90, 9D: C1, as WHATWG has it, so that it can be told from others
			}
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// utf7 decodes UTF-7 (RFC 2152), which no text library of Go has any more and old
// mail does. What is none stays as it is.
func utf7(b []byte) string {
	var out strings.Builder
	s := readText(string(b))
	for {
		i := strings.IndexByte(s, '+')
		if i < 0 {
			return out.String() + s
		}
		out.WriteString(s[:i])
		s = s[i+1:]
		n := strings.IndexFunc(s, func(r rune) bool {
			return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' || r == '/')
		})
		if n < 0 {
			n = len(s)
		}
		raw, err := base64.RawStdEncoding.DecodeString(s[:n])
		ends := n < len(s) && s[n] == '-'
		switch {
		case n == 0 && ends:
			out.WriteByte('+')
		case err != nil || n == 0:
			out.WriteByte('+')
			continue
		default:
			u := make([]uint16, len(raw)/2)
			for i := range u {
				u[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
			}
			out.WriteString(string(utf16.Decode(u)))
		}
		s = s[n:]
		if ends {
			s = s[1:]
		}
	}
}
